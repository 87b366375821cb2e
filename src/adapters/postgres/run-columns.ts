// How a run's metrics become columns and a document. Called by run-repository.ts; the compiler demands
// a column for every metric of the list.
import { InvariantError } from "../../model/result.ts";
import type { ListMetric, RunOutcome } from "../../ports/run-store.ts";
import { numericText } from "./rows.ts";

type Metrics = RunOutcome["metrics"];

/** Money is `numeric`, so that SQL may add it up exactly; the rest is stored as what it is. */
const LIST_METRICS: Readonly<Record<ListMetric, "money" | "plain">> = {
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

const LISTED = Object.entries(LIST_METRICS) as [ListMetric, "money" | "plain"][];

/** The metrics of the list as a row for the update helper. */
export function metricsRow(metrics: Metrics): Record<string, string | number | boolean | null> {
  return Object.fromEntries(
    LISTED.map(([column, kind]) => {
      const value = metrics[column];
      return [column, kind === "money" ? numericText(Number(value)) : value];
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
