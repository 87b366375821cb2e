-- Instruments as published by the exchanges (the same for all workspaces), and saved periods.

create table instruments (
  id bigint generated always as identity primary key,
  exchange_id text not null
    constraint instruments_exchange_id_shape check (exchange_id ~ '^[a-z][a-z0-9_]{0,39}$'),
  symbol text not null
    constraint instruments_symbol_length check (length(symbol) between 1 and 80),
  kind text not null
    constraint instruments_kind_known check (kind in ('perps', 'spot')),
  base text not null
    constraint instruments_base_length check (length(base) between 1 and 40),
  quote text not null
    constraint instruments_quote_length check (length(quote) between 1 and 40),
  settle text
    constraint instruments_settle_length check (length(settle) between 1 and 40),
  price_tick numeric not null
    constraint instruments_price_tick_positive check (price_tick > 0),
  qty_step numeric not null
    constraint instruments_qty_step_positive check (qty_step > 0),
  min_qty numeric not null
    constraint instruments_min_qty_not_negative check (min_qty >= 0),
  min_notional numeric not null
    constraint instruments_min_notional_not_negative check (min_notional >= 0),
  contract_size numeric not null
    constraint instruments_contract_size_positive check (contract_size > 0),
  is_linear boolean not null,
  is_active boolean not null,
  fetched_at timestamptz not null,
  constraint instruments_symbol_key unique (exchange_id, symbol, kind)
);

create table saved_periods (
  id bigint generated always as identity primary key,
  workspace_id bigint not null references workspaces (id) on delete cascade,
  name text not null
    constraint saved_periods_name_length check (length(name) between 1 and 80),
  from_at timestamptz not null,
  to_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint saved_periods_range_ordered check (from_at < to_at)
);

create unique index saved_periods_name_key on saved_periods (workspace_id, lower(name));
