-- Market history in columnar chunks: candles and funding rates of one workspace.

create table market_series (
  id bigint generated always as identity primary key,
  workspace_id bigint not null references workspaces (id) on delete cascade,
  content text not null
    constraint market_series_content_known check (content in ('candles', 'funding')),
  exchange_id text not null
    constraint market_series_exchange_id_shape check (exchange_id ~ '^[a-z][a-z0-9_]{0,39}$'),
  symbol text not null
    constraint market_series_symbol_length check (length(symbol) between 1 and 80),
  kind text not null
    constraint market_series_kind_known check (kind in ('perps', 'spot')),
  -- Funding rates have no timeframe.
  timeframe_min integer
    constraint market_series_timeframe_positive check (timeframe_min > 0),
  -- Length of the time slot of one chunk; fixed for the life of a series.
  slot_min integer not null
    constraint market_series_slot_positive check (slot_min > 0),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint market_series_timeframe_of_candles
    check ((content = 'candles') = (timeframe_min is not null))
);

create unique index market_series_identity_key on market_series
  (workspace_id, content, exchange_id, symbol, kind, coalesce(timeframe_min, 0));

-- One row per slot that holds anything: slot n covers [n * slot, (n + 1) * slot) since 1970.
create table market_chunks (
  series_id bigint not null references market_series (id) on delete cascade,
  slot integer not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  items integer not null
    constraint market_chunks_items_positive check (items > 0),
  -- Holes between the first and the last candle of this chunk.
  gaps integer not null
    constraint market_chunks_gaps_not_negative check (gaps >= 0),
  -- xxHash64 of the data, hex.
  checksum text not null
    constraint market_chunks_checksum_shape check (checksum ~ '^[0-9a-f]{16}$'),
  data bytea not null,
  primary key (series_id, slot),
  constraint market_chunks_range_ordered check (first_at <= last_at)
);

-- Already compressed: trying again would only cost time.
alter table market_chunks alter column data set storage external;

-- What an exchange was asked for and answered completely, holes included: never asked again.
create table market_fetched_ranges (
  series_id bigint not null references market_series (id) on delete cascade,
  from_at timestamptz not null,
  to_at timestamptz not null,
  primary key (series_id, from_at),
  constraint market_fetched_ranges_ordered check (from_at < to_at)
);
