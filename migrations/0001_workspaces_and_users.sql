-- Workspaces own everything; users enter through memberships. Tokens are kept as SHA-256 hashes only.

create table workspaces (
  id bigint generated always as identity primary key,
  name text not null
    constraint workspaces_name_length check (length(name) between 1 and 80),
  created_at timestamptz not null
);

-- Users are disabled, never deleted: the audit log points at them.
create table users (
  id bigint generated always as identity primary key,
  email text not null
    constraint users_email_shape check (email like '_%@_%' and length(email) <= 254),
  password_hash text,
  time_zone text not null
    constraint users_time_zone_length check (length(time_zone) between 1 and 64),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  disabled_at timestamptz
);

create unique index users_email_key on users (lower(email));

create table memberships (
  workspace_id bigint not null references workspaces (id) on delete cascade,
  user_id bigint not null references users (id) on delete cascade,
  role text not null
    constraint memberships_role_known check (role in ('owner', 'trader', 'viewer')),
  created_at timestamptz not null,
  primary key (workspace_id, user_id)
);

create index memberships_user_idx on memberships (user_id);

create table setup_links (
  id bigint generated always as identity primary key,
  token_hash text not null
    constraint setup_links_token_hash_key unique
    constraint setup_links_token_hash_shape check (token_hash ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- Closed by a newer link.
  replaced_at timestamptz,
  used_at timestamptz,
  used_by bigint references users (id) on delete set null,
  constraint setup_links_expiry_after_creation check (expires_at > created_at)
);

-- The foreign key to memberships ends a session together with its membership.
create table sessions (
  id bigint generated always as identity primary key,
  workspace_id bigint not null,
  user_id bigint not null,
  token_hash text not null
    constraint sessions_token_hash_key unique
    constraint sessions_token_hash_shape check (token_hash ~ '^[0-9a-f]{64}$'),
  client text not null
    constraint sessions_client_length check (length(client) <= 400),
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  idle_expires_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  constraint sessions_membership_fkey foreign key (workspace_id, user_id)
    references memberships (workspace_id, user_id) on delete cascade,
  constraint sessions_idle_within_absolute check (idle_expires_at <= expires_at)
);

create index sessions_membership_idx on sessions (user_id, workspace_id);
create index sessions_end_idx on sessions (idle_expires_at);

create table api_tokens (
  id bigint generated always as identity primary key,
  workspace_id bigint not null,
  user_id bigint not null,
  name text not null
    constraint api_tokens_name_length check (length(name) between 1 and 80),
  scopes text[] not null,
  token_hash text not null
    constraint api_tokens_token_hash_key unique
    constraint api_tokens_token_hash_shape check (token_hash ~ '^[0-9a-f]{64}$'),
  prefix text not null
    constraint api_tokens_prefix_length check (length(prefix) between 1 and 16),
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  constraint api_tokens_membership_fkey foreign key (workspace_id, user_id)
    references memberships (workspace_id, user_id) on delete cascade
);

create unique index api_tokens_open_name_key on api_tokens (workspace_id, lower(name))
  where revoked_at is null;
create index api_tokens_membership_idx on api_tokens (user_id, workspace_id);
