-- Bots as rows: what they are, every version of their configuration, the state their worker goes on from,
-- what happened, and the last figures for pages.

create table bots (
  -- Four digits of every client order id: numbers are never used again, and there are no more.
  id integer generated always as identity (minvalue 1 maxvalue 9999 no cycle) primary key,
  workspace_id bigint not null,
  account_id bigint not null,
  name text not null
    constraint bots_name_length check (length(name) between 1 and 60),
  symbol text not null
    constraint bots_symbol_length check (length(symbol) between 1 and 60),
  timeframe_min integer not null
    constraint bots_timeframe_min_positive check (timeframe_min > 0),
  strategy_name text not null
    constraint bots_strategy_name_length check (length(strategy_name) between 1 and 60),
  strategy_version text not null
    constraint bots_strategy_version_length check (length(strategy_version) between 1 and 40),
  -- Legs that no other bot of the account may trade in this symbol.
  sides text[] not null
    constraint bots_sides_known
    check (sides <@ array['long', 'short'] and cardinality(sides) between 1 and 2),
  config_version integer not null
    constraint bots_config_version_positive check (config_version > 0),
  -- The run it was made from.
  run_id bigint,
  status text not null
    constraint bots_status_known
    check (status in ('created', 'running', 'paused', 'stopped', 'error')),
  desired_status text not null
    constraint bots_desired_status_known
    check (desired_status in ('running', 'paused', 'stopped')),
  desired_action text
    constraint bots_desired_action_known
    check (desired_action in ('flatten', 'flatten_then_resume')),
  last_error text
    constraint bots_last_error_length check (length(last_error) between 1 and 500),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- Kept for what points at it.
  deleted_at timestamptz,
  constraint bots_workspace_key unique (workspace_id, id),
  constraint bots_account_key unique (workspace_id, account_id, id),
  constraint bots_error_when_failed check ((status = 'error') = (last_error is not null)),
  constraint bots_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade,
  constraint bots_run_fkey foreign key (workspace_id, run_id)
    references runs (workspace_id, id) on delete set null (run_id)
);

-- A deleted bot gives its name free.
create unique index bots_name_key on bots (workspace_id, lower(name)) where deleted_at is null;
create index bots_symbol_idx on bots (account_id, symbol) where deleted_at is null;
create index bots_run_idx on bots (workspace_id, run_id) where run_id is not null;

create table bot_configs (
  bot_id integer not null,
  version integer not null
    constraint bot_configs_version_positive check (version > 0),
  workspace_id bigint not null,
  config jsonb not null
    constraint bot_configs_config_small check (pg_column_size(config) <= 65536),
  note text not null
    constraint bot_configs_note_length check (length(note) <= 500),
  -- E-mail of a user at that time, or what else made the version.
  actor text not null
    constraint bot_configs_actor_length check (length(actor) between 1 and 254),
  at timestamptz not null,
  primary key (bot_id, version),
  constraint bot_configs_bot_fkey foreign key (workspace_id, bot_id)
    references bots (workspace_id, id) on delete cascade
);

-- Written together with the intents of the step it follows from.
create table bot_states (
  bot_id integer primary key,
  workspace_id bigint not null,
  account_id bigint not null,
  version bigint not null
    constraint bot_states_version_positive check (version > 0),
  body jsonb not null
    constraint bot_states_body_small check (pg_column_size(body) <= 1048576),
  updated_at timestamptz not null,
  constraint bot_states_bot_fkey foreign key (workspace_id, account_id, bot_id)
    references bots (workspace_id, account_id, id) on delete cascade
);

create table events (
  id bigint generated always as identity primary key,
  workspace_id bigint not null,
  account_id bigint not null,
  -- Null for events of the account.
  bot_id integer,
  kind text not null
    constraint events_kind_shape check (kind ~ '^[a-z][a-z_]{1,59}$'),
  severity text not null
    constraint events_severity_known check (severity in ('debug', 'info', 'warning', 'error')),
  sentence text not null
    constraint events_sentence_length check (length(sentence) between 1 and 500),
  fields jsonb not null
    constraint events_fields_small
    check (jsonb_typeof(fields) = 'object' and pg_column_size(fields) <= 16384),
  at timestamptz not null,
  constraint events_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade,
  constraint events_bot_fkey foreign key (workspace_id, account_id, bot_id)
    references bots (workspace_id, account_id, id) on delete cascade
);

-- Newest first, of everything, of an account and of a bot.
create index events_workspace_idx on events (workspace_id, id);
create index events_account_idx on events (account_id, id);
create index events_bot_idx on events (bot_id, id) where bot_id is not null;
-- What is old goes.
create index events_at_idx on events (at);

create table snapshots (
  id bigint generated always as identity primary key,
  workspace_id bigint not null,
  account_id bigint not null,
  -- Null for the snapshot of the account itself.
  bot_id integer,
  worker text not null
    constraint snapshots_worker_length check (length(worker) between 1 and 200),
  at timestamptz not null,
  body jsonb not null
    constraint snapshots_body_small check (pg_column_size(body) <= 262144),
  constraint snapshots_bot_key unique nulls not distinct (account_id, bot_id),
  constraint snapshots_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade,
  constraint snapshots_bot_fkey foreign key (workspace_id, account_id, bot_id)
    references bots (workspace_id, account_id, id) on delete cascade
);

create index snapshots_workspace_idx on snapshots (workspace_id, account_id, bot_id);

create table equity_samples (
  workspace_id bigint not null,
  account_id bigint not null,
  -- Null for the account as a whole.
  bot_id integer,
  at timestamptz not null,
  equity numeric not null,
  constraint equity_samples_key unique nulls not distinct (account_id, bot_id, at),
  constraint equity_samples_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade,
  constraint equity_samples_bot_fkey foreign key (workspace_id, account_id, bot_id)
    references bots (workspace_id, account_id, id) on delete cascade
);
