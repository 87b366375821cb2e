-- Trading states as rows: what may be sent for everything of a workspace, for its live accounts, for one
-- account or for one bot. The epoch that rises with every change stays in trading_control.

create table trading_states (
  id bigint generated always as identity primary key,
  workspace_id bigint not null references workspaces (id) on delete cascade,
  scope text not null
    constraint trading_states_scope_known check (scope in ('global', 'live', 'account', 'bot')),
  account_id bigint,
  bot_id bigint,
  state text not null
    constraint trading_states_state_known
    check (state in ('active', 'reducing', 'halted', 'frozen')),
  reason text not null
    constraint trading_states_reason_length check (length(reason) between 1 and 300),
  actor text not null
    constraint trading_states_actor_length check (length(actor) between 1 and 254),
  changed_at timestamptz not null,
  constraint trading_states_scope_whole check (
    (account_id is not null) = (scope = 'account') and (bot_id is not null) = (scope = 'bot')
  ),
  constraint trading_states_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade
);

create unique index trading_states_scope_key
  on trading_states (workspace_id, scope, coalesce(account_id, 0), coalesce(bot_id, 0));
create index trading_states_account_idx on trading_states (workspace_id, account_id);

-- Workspaces whose epoch began before there were states; the others get theirs with the epoch.
insert into trading_states (workspace_id, scope, state, reason, actor, changed_at)
select workspace_id, 'live', 'frozen', 'live trading was never switched on', 'dragon', changed_at
from trading_control;

-- An operator's closing order has a purpose of its own: it may be sent while trading is halted.
alter table order_intents
  drop constraint order_intents_purpose_known,
  add constraint order_intents_purpose_known check (
    purpose in ('entry', 'rung', 'take_profit', 'protective_stop', 'exit', 'flatten')
  );

-- A free lock proves that the holder is gone only when the holder had it.
alter table account_leases add column owns_lock boolean not null default false;
