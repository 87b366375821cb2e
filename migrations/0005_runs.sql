-- Backtest runs: one row with the summary, at most one packed artifact, one shortlist mark per user.

create table runs (
  id bigint generated always as identity primary key,
  workspace_id bigint not null references workspaces (id) on delete cascade,
  created_by bigint references users (id) on delete set null,
  status text not null
    constraint runs_status_known
    check (status in ('queued', 'running', 'finished', 'failed', 'cancelled')),
  error text,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  name text
    constraint runs_name_length check (length(name) between 1 and 200),
  strategy_name text not null,
  strategy_version text not null,
  exchange_id text not null,
  symbol text not null,
  kind text not null
    constraint runs_kind_known check (kind in ('perps', 'spot')),
  timeframe_min integer not null
    constraint runs_timeframe_positive check (timeframe_min > 0),
  from_at timestamptz not null,
  to_at timestamptz not null,
  -- No foreign key: a run outlives the candles it was computed from.
  series_id bigint,
  engine_version text not null,
  candles_fingerprint text not null
    constraint runs_candles_fingerprint_shape check (candles_fingerprint ~ '^[0-9a-f]{64}$'),
  config_hash text not null
    constraint runs_config_hash_shape check (config_hash ~ '^[0-9a-f]{64}$'),
  config jsonb not null,
  run_settings jsonb not null,
  instrument jsonb not null,
  fills_sha256 text
    constraint runs_fills_sha256_shape check (fills_sha256 ~ '^[0-9a-f]{64}$'),
  details jsonb,

  final_equity numeric,
  net_profit numeric,
  net_return double precision,
  cagr double precision,
  max_drawdown_abs numeric,
  max_drawdown double precision,
  drawdown_duration_s double precision,
  drawdown_recovery_s double precision,
  ulcer_index double precision,
  sharpe double precision,
  sortino double precision,
  calmar double precision,
  days integer,
  gain_to_pain double precision,
  tail_ratio double precision,
  common_sense_ratio double precision,
  win_rate double precision,
  gross_profit numeric,
  gross_loss numeric,
  profit_factor double precision,
  no_losses boolean,
  reward_risk double precision,
  cpc_index double precision,
  recovery_factor double precision,
  fills integer,
  cycles integer,
  open_cycles integer,
  entries integer,
  dca_fills integer,
  avg_position_time_s double precision,
  median_position_time_s double precision,
  max_position_time_s double precision,
  fees_total numeric,
  fees_maker numeric,
  fees_taker numeric,
  slippage_cost numeric,
  funding_total numeric,
  exposure double precision,
  max_margin_used numeric,
  max_notional numeric,
  max_dca_depth integer,
  dca_histogram jsonb,
  roi_on_margin double precision,
  roi_on_peak_margin double precision,
  liquidated boolean,
  -- A run without losses has no profit factor and still sorts above every other.
  profit_factor_rank double precision generated always as
    (case when no_losses then 'Infinity'::double precision else profit_factor end) stored,

  constraint runs_range_ordered check (from_at < to_at),
  constraint runs_error_when_failed check ((status = 'failed') = (error is not null)),
  constraint runs_end_when_final
    check ((status in ('finished', 'failed', 'cancelled')) = (finished_at is not null)),
  constraint runs_metrics_when_finished check ((status = 'finished') = (final_equity is not null)),
  constraint runs_workspace_key unique (workspace_id, id)
);

-- One index per sort of the run list, so that every page is one short range of an index.
create index runs_net_profit_idx on runs (workspace_id, net_profit, id);
create index runs_net_return_idx on runs (workspace_id, net_return, id);
create index runs_max_drawdown_idx on runs (workspace_id, max_drawdown, id);
create index runs_sharpe_idx on runs (workspace_id, sharpe, id);
create index runs_sortino_idx on runs (workspace_id, sortino, id);
create index runs_calmar_idx on runs (workspace_id, calmar, id);
create index runs_win_rate_idx on runs (workspace_id, win_rate, id);
create index runs_profit_factor_idx on runs (workspace_id, profit_factor_rank, id);
create index runs_strategy_idx on runs (workspace_id, strategy_name, id);
create index runs_symbol_idx on runs (workspace_id, symbol, timeframe_min, id);
create index runs_created_by_idx on runs (created_by);

create table run_artifacts (
  run_id bigint primary key references runs (id) on delete cascade,
  encoding text not null
    constraint run_artifacts_encoding_length check (length(encoding) between 1 and 40),
  bytes bigint not null,
  data bytea not null,
  constraint run_artifacts_bytes_match check (bytes = octet_length(data))
);

-- The artifact is already compressed: trying again would only cost time.
alter table run_artifacts alter column data set storage external;

create table run_shortlists (
  workspace_id bigint not null,
  run_id bigint not null,
  user_id bigint not null,
  is_shortlisted boolean not null,
  note text
    constraint run_shortlists_note_length check (length(note) between 1 and 2000),
  updated_at timestamptz not null,
  primary key (user_id, run_id),
  constraint run_shortlists_run_fkey foreign key (workspace_id, run_id)
    references runs (workspace_id, id) on delete cascade,
  constraint run_shortlists_membership_fkey foreign key (workspace_id, user_id)
    references memberships (workspace_id, user_id) on delete cascade
);

create index run_shortlists_run_idx on run_shortlists (workspace_id, run_id);
create index run_shortlists_membership_idx on run_shortlists (workspace_id, user_id);
