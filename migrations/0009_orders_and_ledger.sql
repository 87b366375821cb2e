-- Trading as rows: who may write for an account, order intents, the facts of the exchange (fills, funding
-- payments), and what is derived from them: ledger, holdings, cycles. Facts are never changed except
-- for a fee that was not known at first; derived rows can be made again at any time.

-- The right to trade an account. The token rises with every change of hands and fences late writers.
create table account_leases (
  account_id bigint primary key,
  workspace_id bigint not null,
  token bigint not null
    constraint account_leases_token_positive check (token > 0),
  holder text
    constraint account_leases_holder_length check (length(holder) between 1 and 200),
  -- Seconds since 2020-01-01: the first digits of client order ids; only ever rises.
  stamp_s integer not null
    constraint account_leases_stamp_range check (stamp_s between 0 and 922337202),
  taken_at timestamptz not null,
  expires_at timestamptz not null,
  constraint account_leases_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade
);

-- The epoch rises with every change of a trading state; intents commit only under the epoch they saw.
create table trading_control (
  workspace_id bigint primary key references workspaces (id) on delete cascade,
  epoch bigint not null
    constraint trading_control_epoch_positive check (epoch > 0),
  changed_at timestamptz not null
);

create table order_intents (
  id bigint generated always as identity primary key,
  workspace_id bigint not null,
  account_id bigint not null,
  mode text not null
    constraint order_intents_mode_known check (mode in ('demo', 'paper', 'live')),
  client_order_id text
    constraint order_intents_client_order_id_shape check (client_order_id ~ '^[0-9]{19}$'),
  exchange_order_id text
    constraint order_intents_exchange_order_id_length
    check (length(exchange_order_id) between 1 and 100),
  owner text not null
    constraint order_intents_owner_shape check (owner ~ '^(bot|group):[0-9]+$'),
  symbol text not null,
  leg text not null
    constraint order_intents_leg_known check (leg in ('long', 'short', 'net')),
  position_side text not null
    constraint order_intents_position_side_known check (position_side in ('long', 'short')),
  side text not null
    constraint order_intents_side_known check (side in ('buy', 'sell')),
  purpose text not null
    constraint order_intents_purpose_known
    check (purpose in ('entry', 'rung', 'take_profit', 'protective_stop', 'exit')),
  reason text not null,
  target_key text not null,
  -- Price, trigger and time in force as they are sent.
  terms jsonb not null,
  is_reduce_only boolean not null,
  qty numeric not null
    constraint order_intents_qty_positive check (qty > 0),
  filled_qty numeric not null default 0
    constraint order_intents_filled_qty_range check (filled_qty >= 0),
  -- What the exchange says is filled; above filled_qty while trade records are missing.
  reported_filled_qty numeric
    constraint order_intents_reported_filled_qty_range check (reported_filled_qty >= 0),
  status text not null
    constraint order_intents_status_known check (status in ('planned', 'parked', 'sending',
      'unverified', 'open', 'partly_filled', 'filled', 'cancelled', 'refused', 'expired',
      'abandoned')),
  -- One sentence about the last refusal or doubt.
  detail text
    constraint order_intents_detail_length check (length(detail) between 1 and 500),
  version integer not null default 1,
  decided_at timestamptz not null,
  created_at timestamptz not null,
  sent_at timestamptz,
  updated_at timestamptz not null,
  constraint order_intents_workspace_key unique (workspace_id, account_id, id),
  constraint order_intents_client_order_id_key unique (account_id, client_order_id),
  constraint order_intents_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade,
  constraint order_intents_sent_with_id check (
    (sent_at is null) = (client_order_id is null)
    and (status in ('planned', 'parked', 'cancelled') or sent_at is not null)
  )
);

-- What the planner and the reconciler compare on every look.
create index order_intents_alive_idx on order_intents (account_id, id)
  where status in ('planned', 'parked', 'sending', 'unverified', 'open', 'partly_filled');
create index order_intents_exchange_order_id_idx on order_intents (account_id, exchange_order_id)
  where exchange_order_id is not null;

create table fills (
  id bigint generated always as identity primary key,
  workspace_id bigint not null,
  account_id bigint not null,
  mode text not null
    constraint fills_mode_known check (mode in ('demo', 'paper', 'live')),
  -- Null while no order of ours is known for it.
  intent_id bigint,
  symbol text not null,
  trade_id text not null
    constraint fills_trade_id_shape check (trade_id ~ '^[!-~]{1,100}$'),
  exchange_order_id text not null,
  side text not null
    constraint fills_side_known check (side in ('buy', 'sell')),
  leg text not null
    constraint fills_leg_known check (leg in ('long', 'short', 'net')),
  price numeric not null
    constraint fills_price_positive check (price > 0),
  qty numeric not null
    constraint fills_qty_positive check (qty > 0),
  contract_size numeric not null
    constraint fills_contract_size_positive check (contract_size > 0),
  settle_asset text not null,
  fee_amount numeric,
  fee_asset text,
  fee_settle_amount numeric,
  fee_is_estimated boolean,
  liquidity text
    constraint fills_liquidity_known check (liquidity in ('maker', 'taker')),
  exchange_realised numeric,
  at timestamptz not null,
  -- Nobody held anything of the symbol after it: a late fact derives the book again from here.
  is_quiet_after boolean not null default false,
  -- Exchanges count trades per symbol, and trading with oneself gives both sides one id.
  constraint fills_trade_key unique (account_id, symbol, trade_id, side),
  constraint fills_fee_whole check (
    (fee_amount is null) = (fee_asset is null)
    and (fee_amount is null) = (fee_is_estimated is null)
    and (fee_amount is not null or fee_settle_amount is null)
  ),
  constraint fills_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade,
  constraint fills_intent_fkey foreign key (workspace_id, account_id, intent_id)
    references order_intents (workspace_id, account_id, id) on delete cascade
);

create index fills_symbol_idx on fills (account_id, symbol, at);
create index fills_quiet_idx on fills (account_id, symbol, at) where is_quiet_after;
create index fills_intent_idx on fills (intent_id) where intent_id is not null;
create index fills_unowned_idx on fills (account_id, exchange_order_id) where intent_id is null;

create table funding_payments (
  id bigint generated always as identity primary key,
  workspace_id bigint not null,
  account_id bigint not null,
  mode text not null
    constraint funding_payments_mode_known check (mode in ('demo', 'paper', 'live')),
  symbol text not null,
  payment_id text not null
    constraint funding_payments_payment_id_shape check (payment_id ~ '^[!-~]{1,100}$'),
  amount numeric not null,
  asset text not null,
  at timestamptz not null,
  constraint funding_payments_payment_key unique (account_id, symbol, payment_id),
  constraint funding_payments_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade
);

create index funding_payments_symbol_idx on funding_payments (account_id, symbol, at);

create table ledger_entries (
  id bigint generated always as identity primary key,
  workspace_id bigint not null,
  account_id bigint not null,
  mode text not null
    constraint ledger_entries_mode_known check (mode in ('demo', 'paper', 'live')),
  kind text not null
    constraint ledger_entries_kind_known
    check (kind in ('realised', 'fee', 'funding', 'transfer', 'adjustment')),
  ref text not null
    constraint ledger_entries_ref_length check (length(ref) between 1 and 300),
  owner text not null
    constraint ledger_entries_owner_shape
    check (owner ~ '^((bot|group):[0-9]+|foreign|account)$'),
  symbol text,
  leg text
    constraint ledger_entries_leg_known check (leg in ('long', 'short', 'net')),
  at timestamptz not null,
  amount numeric not null,
  asset text not null,
  settle_amount numeric,
  is_estimated boolean not null,
  constraint ledger_entries_ref_key unique (account_id, kind, ref),
  constraint ledger_entries_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade
);

create index ledger_entries_at_idx on ledger_entries (account_id, at, id);

-- How far the derived rows of a symbol have come, and the lock for deriving them.
create table symbol_books (
  account_id bigint not null,
  workspace_id bigint not null,
  symbol text not null,
  version bigint not null,
  last_at timestamptz not null,
  last_rank smallint not null
    constraint symbol_books_last_rank_known check (last_rank in (0, 1)),
  last_id text not null,
  last_side text not null
    constraint symbol_books_last_side_known check (last_side in ('buy', 'sell', '')),
  primary key (account_id, symbol),
  constraint symbol_books_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade
);

-- Only what is not flat: of the whole account (holder `account`) and of every owner.
create table positions (
  account_id bigint not null,
  workspace_id bigint not null,
  mode text not null
    constraint positions_mode_known check (mode in ('demo', 'paper', 'live')),
  symbol text not null,
  leg text not null
    constraint positions_leg_known check (leg in ('long', 'short', 'net')),
  holder text not null
    constraint positions_holder_shape check (holder ~ '^((bot|group):[0-9]+|foreign|account)$'),
  position_side text
    constraint positions_position_side_known check (position_side in ('long', 'short')),
  qty numeric not null,
  cost numeric not null,
  unmatched_qty numeric not null
    constraint positions_unmatched_qty_range check (unmatched_qty >= 0),
  version bigint not null,
  primary key (account_id, symbol, leg, holder),
  constraint positions_flat_when_empty
    check ((position_side is null) = (qty = 0) and qty >= 0 and cost >= 0),
  constraint positions_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade
);

create table trade_cycles (
  id bigint generated always as identity primary key,
  account_id bigint not null,
  workspace_id bigint not null,
  mode text not null
    constraint trade_cycles_mode_known check (mode in ('demo', 'paper', 'live')),
  symbol text not null,
  leg text not null
    constraint trade_cycles_leg_known check (leg in ('long', 'short', 'net')),
  owner text not null
    constraint trade_cycles_owner_shape check (owner ~ '^((bot|group):[0-9]+|foreign)$'),
  position_side text not null
    constraint trade_cycles_position_side_known check (position_side in ('long', 'short')),
  open_ref text not null,
  opened_at timestamptz not null,
  closed_at timestamptz,
  entry_qty numeric not null,
  entry_cost numeric not null,
  exit_qty numeric not null,
  exit_cost numeric not null,
  max_qty numeric not null,
  realised numeric not null,
  fees numeric not null,
  fees_missing integer not null,
  funding numeric not null,
  fills integer not null,
  rungs jsonb not null,
  exit_reason text,
  settle_asset text not null,
  -- Fractions of the average entry, from marks; not derived from fills and kept when the rest is.
  worst_ratio double precision,
  best_ratio double precision,
  constraint trade_cycles_open_key unique (account_id, symbol, leg, owner, open_ref),
  constraint trade_cycles_exit_when_closed check ((closed_at is null) = (exit_reason is null)),
  constraint trade_cycles_account_fkey foreign key (workspace_id, account_id)
    references accounts (workspace_id, id) on delete cascade
);

create index trade_cycles_list_idx on trade_cycles (account_id, opened_at, id);
create index trade_cycles_open_idx on trade_cycles (account_id, symbol) where closed_at is null;
