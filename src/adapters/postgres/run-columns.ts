// How a run's metrics and a run's row map between columns and the port's types. Called by
// run-repository.ts and run-grid.ts; the compiler demands a kind for every metric of a list.
import postgres from "postgres";
import { InvariantError } from "../../model/result.ts";
import type { ListMetric, RunOutcome, RunSummary } from "../../ports/run-store.ts";
import type { Query } from "./connect.ts";
import { numericText, parseNumeric } from "./rows.ts";

type Metrics = RunOutcome["metrics"];

/** Money is `numeric`, so that SQL may add it up exactly; the rest arrives as what it is. */
type MetricKind = "money" | "plain";

const LIST_METRICS: Readonly<Record<ListMetric, MetricKind>> = {
  net_return: "plain",
  net_profit: "money",
  cagr: "plain",
  max_drawdown: "plain",
  sharpe: "plain",
  sortino: "plain",
  calmar: "plain",
  profit_factor: "plain",
  no_losses: "plain",
  win_rate: "plain",
  cpc_index: "plain",
  common_sense_ratio: "plain",
  roi_on_margin: "plain",
  cycles: "plain",
  fills: "plain",
  fees_total: "money",
  funding_total: "money",
  exposure: "plain",
  avg_position_time_s: "plain",
  liquidated: "plain",
};

const COLUMNS = (Object.keys(LIST_METRICS) as ListMetric[]).map((column) => ({
  column,
  isMoney: LIST_METRICS[column] === "money",
  /** The name a row carries after the column transform. */
  field: postgres.toCamel(column),
}));

/** The metrics of a list as a row for the update helper. */
export function metricsRow(metrics: Metrics): Record<string, string | number | boolean | null> {
  return Object.fromEntries(
    COLUMNS.map(({ column, isMoney }) => {
      const value = metrics[column];
      return [column, isMoney ? numericText(Number(value)) : value];
    }),
  );
}

/**
 * The whole metrics as a document.
 * @throws InvariantError for a number that JSON would turn into null
 */
export function metricsDocument(metrics: Metrics): string {
  return JSON.stringify(metrics, (key, value: unknown) => {
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw new InvariantError(`the metric ${key} is ${value}`);
    }
    return value;
  });
}

/** The columns of a RunSummary from `runs` joined with the user's `run_shortlists`. */
export function summaryColumns(sql: Query) {
  return sql`runs.id, runs.status, runs.error, runs.created_by, runs.created_at, runs.finished_at,
    runs.name, runs.strategy_name, runs.exchange_id, runs.symbol, runs.kind, runs.timeframe_min,
    runs.direction, runs.from_at, runs.to_at, runs.series_id,
    ${sql(COLUMNS.map(({ column }) => `runs.${column}`))},
    coalesce(run_shortlists.is_shortlisted, false) as is_shortlisted, run_shortlists.note`;
}

/** A row of `summaryColumns`: the metrics lie flat beside the rest. */
export type SummaryRow = Omit<RunSummary, "metrics"> & Readonly<Record<string, unknown>>;

function metricsOf(row: SummaryRow): RunSummary["metrics"] {
  if (row.status !== "finished") return null;
  const values = COLUMNS.map(({ column, isMoney, field }) => {
    const value = row[field];
    return [column, isMoney ? parseNumeric(String(value)) : value];
  });
  return Object.fromEntries(values) as RunSummary["metrics"];
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
    exchangeId: row.exchangeId,
    symbol: row.symbol,
    kind: row.kind,
    timeframeMin: row.timeframeMin,
    direction: row.direction,
    fromAt: row.fromAt,
    toAt: row.toAt,
    seriesId: row.seriesId,
    metrics: metricsOf(row),
    isShortlisted: row.isShortlisted,
    note: row.note,
  };
}
