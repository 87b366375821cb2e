-- Settings of the instance (no workspace) or of one workspace, and the append-only audit log.

create table settings (
  id bigint generated always as identity primary key,
  workspace_id bigint references workspaces (id) on delete cascade,
  key text not null
    constraint settings_key_shape check (key ~ '^[a-z][a-z0-9_.]{0,99}$'),
  value jsonb not null,
  previous jsonb not null,
  revision integer not null
    constraint settings_revision_positive check (revision > 0),
  updated_by bigint references users (id) on delete set null,
  updated_at timestamptz not null
);

create unique index settings_key_key on settings (coalesce(workspace_id, 0), key);
create index settings_workspace_idx on settings (workspace_id);

-- One hash chain per workspace and one for the instance.
create table audit_log (
  id bigint generated always as identity primary key,
  workspace_id bigint references workspaces (id) on delete restrict,
  at timestamptz not null,
  actor_id bigint references users (id) on delete restrict,
  actor text not null
    constraint audit_log_actor_length check (length(actor) between 1 and 254),
  action text not null
    constraint audit_log_action_shape check (action ~ '^[a-z][a-z0-9_]{0,79}$'),
  object text not null
    constraint audit_log_object_length check (length(object) between 1 and 300),
  before jsonb not null,
  after jsonb not null,
  prev_hash text not null
    constraint audit_log_prev_hash_shape check (prev_hash ~ '^[0-9a-f]{64}$'),
  hash text not null
    constraint audit_log_hash_shape check (hash ~ '^[0-9a-f]{64}$')
);

-- An entry has one successor: a chain cannot fork.
create unique index audit_log_chain_key on audit_log (coalesce(workspace_id, 0), prev_hash);
create index audit_log_page_idx on audit_log (coalesce(workspace_id, 0), id);
create index audit_log_actor_idx on audit_log (actor_id);

create function audit_log_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit_log is append-only: % is not allowed', tg_op;
end
$$;

create trigger audit_log_append_only before update or delete or truncate on audit_log
  for each statement execute function audit_log_refuse_change();
