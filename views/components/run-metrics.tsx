// Every metric of a run in one list. Rendered by run-panel.tsx; the manual's topic "results" explains
// each key.
import type { Metrics } from "../../src/analytics/summary.ts";
import { count, duration, money, number, percent, signTone } from "../format.ts";
import { type Bound, RunBounds } from "./run-bounds.tsx";

/** Props of the tab. */
export type MetricsProps = {
  readonly metrics: Metrics;
  readonly quote: string;
  /** Both fill models, or only this run's. */
  readonly bounds: readonly Bound[];
  /** Orders that were refused. */
  readonly rejections: readonly { readonly label: string; readonly count: number }[];
};

type Look = "money" | "profit" | "percent" | "return" | "ratio" | "count" | "seconds" | "flag";
/** Label and look of every scalar metric; the histogram has its own table. */
const LOOKS: Readonly<Record<Exclude<keyof Metrics, "dca_histogram">, readonly [string, Look]>> = {
  final_equity: ["Final equity", "money"],
  net_profit: ["Net profit", "profit"],
  net_return: ["Net return", "return"],
  cagr: ["CAGR", "return"],
  max_drawdown_abs: ["Max drawdown, money", "money"],
  max_drawdown: ["Max drawdown", "percent"],
  drawdown_duration_s: ["Longest drawdown", "seconds"],
  drawdown_recovery_s: ["Recovery of the deepest", "seconds"],
  ulcer_index: ["Ulcer index", "percent"],
  sharpe: ["Sharpe", "ratio"],
  sortino: ["Sortino", "ratio"],
  calmar: ["Calmar", "ratio"],
  days: ["Days with a return", "count"],
  gain_to_pain: ["Gain to pain", "ratio"],
  tail_ratio: ["Tail ratio", "ratio"],
  common_sense_ratio: ["Common sense ratio", "ratio"],
  win_rate: ["Win rate", "percent"],
  gross_profit: ["Gross profit", "profit"],
  gross_loss: ["Gross loss", "profit"],
  profit_factor: ["Profit factor", "ratio"],
  no_losses: ["No losing cycle", "flag"],
  reward_risk: ["Reward/risk", "ratio"],
  cpc_index: ["CPC index", "ratio"],
  recovery_factor: ["Recovery factor", "ratio"],
  fills: ["Fills", "count"],
  cycles: ["Closed cycles", "count"],
  open_cycles: ["Open cycles", "count"],
  entries: ["Entries", "count"],
  dca_fills: ["Rung fills", "count"],
  avg_position_time_s: ["Held, average", "seconds"],
  median_position_time_s: ["Held, median", "seconds"],
  max_position_time_s: ["Held, longest", "seconds"],
  fees_total: ["Fees", "money"],
  fees_maker: ["Maker fees", "money"],
  fees_taker: ["Taker fees", "money"],
  slippage_cost: ["Slippage", "money"],
  funding_total: ["Funding", "profit"],
  exposure: ["Exposure", "percent"],
  max_margin_used: ["Most margin used", "money"],
  max_notional: ["Largest position", "money"],
  max_dca_depth: ["Deepest ladder", "count"],
  roi_on_margin: ["ROI on first margin", "return"],
  roi_on_peak_margin: ["ROI on peak margin", "return"],
  liquidated: ["Liquidated", "flag"],
};

const GROUPS: readonly (readonly [string, readonly (keyof typeof LOOKS)[]])[] = [
  [
    "Performance",
    [
      "final_equity",
      "net_profit",
      "net_return",
      "cagr",
      "roi_on_margin",
      "roi_on_peak_margin",
      "gross_profit",
      "gross_loss",
      "profit_factor",
      "no_losses",
      "win_rate",
      "reward_risk",
      "cpc_index",
    ],
  ],
  [
    "Risk",
    [
      "max_drawdown",
      "max_drawdown_abs",
      "drawdown_duration_s",
      "drawdown_recovery_s",
      "recovery_factor",
      "ulcer_index",
      "sharpe",
      "sortino",
      "calmar",
      "days",
      "gain_to_pain",
      "tail_ratio",
      "common_sense_ratio",
      "liquidated",
    ],
  ],
  [
    "Execution",
    [
      "cycles",
      "open_cycles",
      "fills",
      "entries",
      "dca_fills",
      "max_dca_depth",
      "avg_position_time_s",
      "median_position_time_s",
      "max_position_time_s",
      "exposure",
      "max_margin_used",
      "max_notional",
      "fees_total",
      "fees_maker",
      "fees_taker",
      "slippage_cost",
      "funding_total",
    ],
  ],
];

function shown(value: number | boolean | null, look: Look, quote: string): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  switch (look) {
    case "money":
      return money(value, quote);
    case "profit":
      return money(value, quote, { signed: true });
    case "percent":
      return percent(value, { decimals: 2 });
    case "return":
      return percent(value, { decimals: 2, signed: true });
    case "count":
      return count(value);
    case "seconds":
      return duration(value === null ? null : value * 1000);
    default:
      return number(value);
  }
}

function MetricRow({ name, metrics, quote }: MetricsProps & { name: keyof typeof LOOKS }) {
  const [label, look] = LOOKS[name];
  const value = metrics[name];
  const isSigned = look === "profit" || look === "return";
  return (
    <tr>
      <th scope="row">{label}</th>
      <td class={isSigned && typeof value === "number" ? signTone(value) : undefined}>
        {shown(value, look, quote)}
      </td>
    </tr>
  );
}

/** The tab "Figures". */
export function RunMetrics(props: MetricsProps) {
  return (
    <>
      <RunBounds bounds={props.bounds} quote={props.quote} />
      <div class="thirds">
        {GROUPS.map(([title, names]) => (
          <section class="card table-card">
            <h3>{title}</h3>
            <table class="dense numbers">
              <tbody>
                {names.map((name) => (
                  <MetricRow name={name} {...props} />
                ))}
                {title === "Execution"
                  ? props.rejections.map(({ label, count: found }) => (
                      <tr>
                        <th scope="row">{label}</th>
                        <td>{count(found)}</td>
                      </tr>
                    ))
                  : null}
              </tbody>
            </table>
          </section>
        ))}
      </div>
      <p class="muted small">
        <a href="/help/results">What each figure means</a>, with its formula and when it is a dash.
      </p>
    </>
  );
}
