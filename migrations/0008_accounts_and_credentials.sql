-- Accounts at exchanges with their limits, and the credentials that sign for them. Secrets are stored
-- sealed only; a credential that is no longer used keeps its masked key and loses its secrets.

create table accounts (
  id bigint generated always as identity primary key,
  workspace_id bigint not null references workspaces (id) on delete cascade,
  name text not null
    constraint accounts_name_length check (length(name) between 1 and 60),
  exchange_id text not null
    constraint accounts_exchange_id_shape check (exchange_id ~ '^[a-z][a-z0-9_]{0,39}$'),
  mode text not null
    constraint accounts_mode_known check (mode in ('demo', 'paper', 'live')),
  status text not null
    constraint accounts_status_known check (status in ('active', 'disabled', 'deleted')),
  risk_block_new_entries boolean not null,
  -- No value means no limit.
  max_daily_loss_usd numeric
    constraint accounts_max_daily_loss_positive check (max_daily_loss_usd > 0),
  max_total_loss_usd numeric
    constraint accounts_max_total_loss_positive check (max_total_loss_usd > 0),
  max_drawdown_pct numeric
    constraint accounts_max_drawdown_range check (max_drawdown_pct > 0 and max_drawdown_pct <= 100),
  max_symbol_exposure_usd numeric
    constraint accounts_max_symbol_exposure_positive check (max_symbol_exposure_usd > 0),
  max_gross_exposure_usd numeric
    constraint accounts_max_gross_exposure_positive check (max_gross_exposure_usd > 0),
  -- What the exchange answered when the account was last tested.
  probe jsonb
    constraint accounts_probe_small check (pg_column_size(probe) <= 16384),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint accounts_workspace_key unique (workspace_id, id)
);

-- A deleted account gives its name free.
create unique index accounts_name_key on accounts (workspace_id, lower(name))
  where status <> 'deleted';

create table credentials (
  id bigint generated always as identity primary key,
  workspace_id bigint not null,
  account_id bigint not null,
  -- Which master key sealed the secrets.
  key_id text not null
    constraint credentials_key_id_shape check (key_id ~ '^[0-9a-f]{16}$'),
  sealed_api_key text,
  sealed_api_secret text,
  sealed_passphrase text,
  sealed_uid text,
  masked_key text not null
    constraint credentials_masked_key_length check (length(masked_key) between 1 and 20),
  created_by bigint references users (id) on delete set null,
  created_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  constraint credentials_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade,
  constraint credentials_secrets_while_active check (
    (revoked_at is null) = (sealed_api_key is not null)
    and (revoked_at is null) = (sealed_api_secret is not null)
    and (revoked_at is null or (sealed_passphrase is null and sealed_uid is null))
  )
);

create unique index credentials_active_key on credentials (account_id) where revoked_at is null;
create index credentials_account_idx on credentials (workspace_id, account_id);
create index credentials_created_by_idx on credentials (created_by);
