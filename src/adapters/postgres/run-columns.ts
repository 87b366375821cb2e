// How a run's metrics map to columns and a run's row to the port's types. Called by
// run-repository.ts and run-list.ts; the compiler demands a kind for every metric.
import postgres from "postgres";
import { InvariantError } from "../../model/result.ts";
import type { RunOutcome, RunSummary } from "../../ports/run-store.ts";
import type { Query } from "./connect.ts";
import { numericText, parseNumeric } from "./rows.ts";

type Metrics = RunOutcome["metrics"];

/** Money is `numeric`, so that SQL may add it up exactly; the rest arrives as what it is. */
type MetricKind = "money" | "plain";

const METRIC_KINDS: Readonly<Record<keyof Metrics, MetricKind>> = {
  final_equity: "money",
  net_profit: "money",
  net_return: "plain",
  cagr: "plain",
  max_drawdown_abs: "money",
  max_drawdown: "plain",
  drawdown_duration_s: "plain",
  drawdown_recovery_s: "plain",
  ulcer_index: "plain",
  sharpe: "plain",
  sortino: "plain",
  calmar: "plain",
  days: "plain",
  gain_to_pain: "plain",
  tail_ratio: "plain",
  common_sense_ratio: "plain",
  win_rate: "plain",
  gross_profit: "money",
  gross_loss: "money",
  profit_factor: "plain",
  no_losses: "plain",
  reward_risk: "plain",
  cpc_index: "plain",
  recovery_factor: "plain",
  fills: "plain",
  cycles: "plain",
  open_cycles: "plain",
  entries: "plain",
  dca_fills: "plain",
  avg_position_time_s: "plain",
  median_position_time_s: "plain",
  max_position_time_s: "plain",
  fees_total: "money",
  fees_maker: "money",
  fees_taker: "money",
  slippage_cost: "money",
  funding_total: "money",
  exposure: "plain",
  max_margin_used: "money",
  max_notional: "money",
  max_dca_depth: "plain",
  dca_histogram: "plain",
  roi_on_margin: "plain",
  roi_on_peak_margin: "plain",
  liquidated: "plain",
};

const METRICS = Object.entries(METRIC_KINDS).map(([column, kind]) => ({
  column,
  kind,
  /** The name a row carries after the column transform. */
  field: postgres.toCamel(column),
}));

/** The metrics as a row for the update helper. */
export function metricsRow(metrics: Metrics): Record<string, unknown> {
  const values: Readonly<Record<string, unknown>> = metrics;
  return Object.fromEntries(
    METRICS.map(({ column, kind }) => {
      const value = values[column];
      if (value === undefined) throw new InvariantError(`the metric ${column} is missing`);
      return [column, kind === "money" ? numericText(Number(value)) : value];
    }),
  );
}

/** The columns of a RunSummary from `runs` joined with the user's `run_shortlists`. */
export function summaryColumns(sql: Query) {
  const metrics = METRICS.map(({ column }) => `runs.${column}`);
  return sql`runs.id, runs.status, runs.error, runs.created_by, runs.created_at, runs.finished_at,
    runs.name, runs.strategy_name, runs.strategy_version, runs.exchange_id, runs.symbol, runs.kind,
    runs.timeframe_min, runs.from_at, runs.to_at, runs.series_id, runs.engine_version,
    runs.candles_fingerprint, runs.config_hash, ${sql(metrics)},
    coalesce(run_shortlists.is_shortlisted, false) as is_shortlisted, run_shortlists.note`;
}

/** A row of `summaryColumns`: the metrics lie flat beside the rest. */
export type SummaryRow = Omit<RunSummary, "metrics"> & Readonly<Record<string, unknown>>;

/** Gathers the flat metrics of a row; null while the run has none. */
export function metricsOf(row: SummaryRow): Metrics | null {
  if (row.status !== "finished") return null;
  const values = METRICS.map(({ column, kind, field }) => {
    const value = row[field];
    return [column, kind === "money" ? parseNumeric(String(value)) : value];
  });
  return Object.fromEntries(values) as Metrics;
}

/** A run as lists show it. */
export function toSummary(row: SummaryRow): RunSummary {
  return {
    id: row.id,
    status: row.status,
    error: row.error,
    createdBy: row.createdBy,
    createdAt: row.createdAt,
    finishedAt: row.finishedAt,
    name: row.name,
    strategyName: row.strategyName,
    strategyVersion: row.strategyVersion,
    exchangeId: row.exchangeId,
    symbol: row.symbol,
    kind: row.kind,
    timeframeMin: row.timeframeMin,
    fromAt: row.fromAt,
    toAt: row.toAt,
    seriesId: row.seriesId,
    engineVersion: row.engineVersion,
    candlesFingerprint: row.candlesFingerprint,
    configHash: row.configHash,
    metrics: metricsOf(row),
    isShortlisted: row.isShortlisted,
    note: row.note,
  };
}
