-- A row of runs holds what the list of runs shows, sorts and filters by, and nothing more, so that
-- a million of them stay small enough to be searched. All else about a run is in run_documents.

create table run_documents (
  run_id bigint primary key references runs (id) on delete cascade,
  strategy_version text not null,
  engine_version text not null,
  config_hash text not null
    constraint run_documents_config_hash_shape check (config_hash ~ '^[0-9a-f]{64}$'),
  config jsonb not null,
  run_settings jsonb not null,
  instrument jsonb not null,
  candles_fingerprint text
    constraint run_documents_candles_fingerprint_shape
    check (candles_fingerprint ~ '^[0-9a-f]{64}$'),
  fills_sha256 text
    constraint run_documents_fills_sha256_shape check (fills_sha256 ~ '^[0-9a-f]{64}$'),
  -- Every metric; those the list shows are columns of runs as well.
  metrics jsonb,
  details jsonb,
  constraint run_documents_fingerprint_when_finished
    check ((metrics is null) = (candles_fingerprint is null))
);

insert into run_documents (run_id, strategy_version, engine_version, config_hash, config,
  run_settings, instrument, candles_fingerprint, fills_sha256, metrics, details)
select id, strategy_version, engine_version, config_hash, config, run_settings, instrument,
  case when status = 'finished' then candles_fingerprint end,
  fills_sha256,
  case when status = 'finished' then (
    select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(runs)) where key = any (array[
      'final_equity', 'net_profit', 'net_return', 'cagr', 'max_drawdown_abs', 'max_drawdown',
      'drawdown_duration_s', 'drawdown_recovery_s', 'ulcer_index', 'sharpe', 'sortino', 'calmar',
      'days', 'gain_to_pain', 'tail_ratio', 'common_sense_ratio', 'win_rate', 'gross_profit',
      'gross_loss', 'profit_factor', 'no_losses', 'reward_risk', 'cpc_index', 'recovery_factor',
      'fills', 'cycles', 'open_cycles', 'entries', 'dca_fills', 'avg_position_time_s',
      'median_position_time_s', 'max_position_time_s', 'fees_total', 'fees_maker', 'fees_taker',
      'slippage_cost', 'funding_total', 'exposure', 'max_margin_used', 'max_notional',
      'max_dca_depth', 'dca_histogram', 'roi_on_margin', 'roi_on_peak_margin', 'liquidated'])
  ) end,
  details
from runs;

alter table runs add column direction text;

update runs set direction = case
  when config #> '{general,allow_long}' is not distinct from 'false' then 'short'
  when config #> '{general,allow_short}' is not distinct from 'true' then 'both'
  else 'long'
end;

drop index runs_net_profit_idx, runs_net_return_idx, runs_max_drawdown_idx, runs_sharpe_idx,
  runs_sortino_idx, runs_calmar_idx, runs_win_rate_idx, runs_profit_factor_idx, runs_strategy_idx,
  runs_symbol_idx;

-- The stored columns are written anew by this, so that the space of the dropped ones comes back.
alter table runs
  drop constraint runs_metrics_when_finished,
  drop column strategy_version, drop column engine_version, drop column candles_fingerprint,
  drop column config_hash, drop column config, drop column run_settings, drop column instrument,
  drop column fills_sha256, drop column details, drop column final_equity,
  drop column max_drawdown_abs, drop column drawdown_duration_s, drop column drawdown_recovery_s,
  drop column ulcer_index, drop column days, drop column gain_to_pain, drop column tail_ratio,
  drop column gross_profit, drop column gross_loss, drop column reward_risk,
  drop column recovery_factor, drop column open_cycles, drop column entries, drop column dca_fills,
  drop column median_position_time_s, drop column max_position_time_s, drop column fees_maker,
  drop column fees_taker, drop column slippage_cost, drop column max_margin_used,
  drop column max_notional, drop column max_dca_depth, drop column dca_histogram,
  drop column roi_on_peak_margin,
  alter column direction set not null,
  add constraint runs_direction_known check (direction in ('long', 'short', 'both')),
  add constraint runs_metrics_when_finished
    check ((status = 'finished') = (net_profit is not null)),
  add column span_s double precision not null
    generated always as (extract(epoch from to_at - from_at)) stored;

-- One index per column of the list: each page of each sort is one short range of an index, and each
-- filter has one to begin from. Metrics exist on finished runs alone, and so do their indexes.
create index runs_created_idx on runs (workspace_id, created_at, id);
create index runs_name_idx on runs (workspace_id, name, id);
create index runs_exchange_idx on runs (workspace_id, exchange_id, id);
create index runs_symbol_idx on runs (workspace_id, symbol, id);
create index runs_kind_idx on runs (workspace_id, kind, id);
create index runs_timeframe_idx on runs (workspace_id, timeframe_min, id);
create index runs_direction_idx on runs (workspace_id, direction, id);
create index runs_strategy_idx on runs (workspace_id, strategy_name, id);
create index runs_from_idx on runs (workspace_id, from_at, id);
create index runs_to_idx on runs (workspace_id, to_at, id);
create index runs_span_idx on runs (workspace_id, span_s, id);
create index runs_status_idx on runs (workspace_id, status, id);
create index runs_unfinished_idx on runs (workspace_id, id) where status <> 'finished';
create index runs_net_return_idx on runs (workspace_id, net_return, id)
  where status = 'finished';
create index runs_net_profit_idx on runs (workspace_id, net_profit, id)
  where status = 'finished';
create index runs_cagr_idx on runs (workspace_id, cagr, id)
  where status = 'finished';
create index runs_max_drawdown_idx on runs (workspace_id, max_drawdown, id)
  where status = 'finished';
create index runs_sharpe_idx on runs (workspace_id, sharpe, id)
  where status = 'finished';
create index runs_sortino_idx on runs (workspace_id, sortino, id)
  where status = 'finished';
create index runs_calmar_idx on runs (workspace_id, calmar, id)
  where status = 'finished';
create index runs_profit_factor_idx on runs (workspace_id, profit_factor_rank, id)
  where status = 'finished';
create index runs_win_rate_idx on runs (workspace_id, win_rate, id)
  where status = 'finished';
create index runs_cpc_index_idx on runs (workspace_id, cpc_index, id)
  where status = 'finished';
create index runs_common_sense_ratio_idx on runs (workspace_id, common_sense_ratio, id)
  where status = 'finished';
create index runs_roi_on_margin_idx on runs (workspace_id, roi_on_margin, id)
  where status = 'finished';
create index runs_cycles_idx on runs (workspace_id, cycles, id)
  where status = 'finished';
create index runs_fills_idx on runs (workspace_id, fills, id)
  where status = 'finished';
create index runs_fees_idx on runs (workspace_id, fees_total, id)
  where status = 'finished';
create index runs_funding_idx on runs (workspace_id, funding_total, id)
  where status = 'finished';
create index runs_exposure_idx on runs (workspace_id, exposure, id)
  where status = 'finished';
create index runs_avg_position_time_idx on runs (workspace_id, avg_position_time_s, id)
  where status = 'finished';
