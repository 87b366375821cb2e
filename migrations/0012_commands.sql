-- What people ask of running bots and accounts beside pause and stop: asked once, carried out once by the
-- holder of the account's lease, kept with what came of it.

create table commands (
  id bigint generated always as identity primary key,
  workspace_id bigint not null,
  account_id bigint not null,
  -- Null for commands to the account.
  bot_id integer,
  command jsonb not null
    constraint commands_command_known
    check (jsonb_typeof(command) = 'object' and command ->> 'kind' in ('close_part', 'move_stop',
      'skip_rung', 'cancel_order', 'settle_finding', 'clear_error'))
    constraint commands_command_small check (pg_column_size(command) <= 4096),
  -- E-mail of a user at that time, or what else asked.
  actor text not null
    constraint commands_actor_length check (length(actor) between 1 and 254),
  at timestamptz not null,
  -- Handed to a worker, which happens once: a command that was begun is never begun again.
  taken_at timestamptz,
  done_at timestamptz,
  outcome text
    constraint commands_outcome_length check (length(outcome) between 1 and 500),
  is_refused boolean not null default false,
  constraint commands_outcome_when_done check ((done_at is null) = (outcome is null)),
  constraint commands_refused_when_done check (not is_refused or done_at is not null),
  constraint commands_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade,
  constraint commands_bot_fkey foreign key (workspace_id, account_id, bot_id)
    references bots (workspace_id, account_id, id) on delete cascade
);

-- What waits is looked for every few seconds; what was asked is shown newest first.
create index commands_waiting_idx on commands (account_id, id) where done_at is null;
create index commands_account_idx on commands (account_id, id);
create index commands_bot_idx on commands (bot_id, id) where bot_id is not null;
