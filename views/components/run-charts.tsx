// The places the charts of a run are drawn in: toolbar, legends, boxes of the final height, and what
// they show in words. Filled by static/charts.js from the address in `data-chart`.
import { dateTime, money, percent } from "../format.ts";

/** Props of the charts. */
export type RunChartsProps = {
  readonly runId: number;
  readonly timeZone: string;
  readonly quote: string;
  readonly priceDecimals: number;
  /** The whole traded window. */
  readonly fromAt: number;
  readonly toAt: number;
  /** The stretch to begin with, null for all. */
  readonly window: { readonly from: number; readonly to: number } | null;
  /** What the equity chart shows, in one sentence. */
  readonly summary: string;
  /** A few points of the equity curve in words; empty when none are kept. */
  readonly points: readonly {
    readonly at: number;
    readonly equity: number;
    readonly drawdown: number;
  }[];
};

type LegendItem = { readonly key: string; readonly label: string; readonly line?: string };

const EQUITY: readonly LegendItem[] = [
  { key: "equity", label: "Equity", line: "equity" },
  { key: "hold", label: "Buy and hold", line: "hold" },
  { key: "drawdown", label: "Drawdown", line: "drawdown" },
];
const PRICE: readonly LegendItem[] = [
  { key: "open", label: "Open" },
  { key: "high", label: "High" },
  { key: "low", label: "Low" },
  { key: "close", label: "Close" },
  { key: "trend", label: "Trend", line: "trend" },
  { key: "averageEntry", label: "Average entry", line: "average-entry" },
  { key: "nextDca", label: "Next DCA", line: "next-dca" },
  { key: "takeProfit", label: "Take-profit", line: "take-profit" },
  { key: "stop", label: "Stop", line: "stop" },
];

function Legend({ items, name }: { items: readonly LegendItem[]; name: string }) {
  return (
    <dl class="legend" data-legend={name}>
      {items.map(({ key, label, line }) => (
        <div>
          <dt>
            {line === undefined ? null : (
              <svg class={`line ${line}`} viewBox="0 0 22 4" aria-hidden="true">
                <path d="M0 2H22" />
              </svg>
            )}
            {label}
          </dt>
          <dd data-value={key}>—</dd>
        </div>
      ))}
    </dl>
  );
}

const BUTTONS: readonly (readonly [string, string, string])[] = [
  ["in", "+", "Zoom in"],
  ["out", "−", "Zoom out"],
  ["left", "←", "Earlier"],
  ["right", "→", "Later"],
  ["reset", "Reset", "Reset to the whole run"],
];

function Toolbar() {
  return (
    <div class="chart-tools">
      <p class="number" data-value="window">
        &nbsp;
      </p>
      <div class="buttons">
        {BUTTONS.map(([action, sign, label]) => (
          <button
            type="button"
            class="quiet"
            data-chart-action={action}
            aria-label={label}
            title={label}
          >
            {sign}
          </button>
        ))}
        <button type="button" class="quiet" data-chart-action="log" aria-pressed="false">
          Log scale
        </button>
      </div>
    </div>
  );
}

function InWords({ points, timeZone, quote }: RunChartsProps) {
  if (points.length === 0) return null;
  return (
    <details class="in-words">
      <summary>The equity curve as a table</summary>
      <table class="dense numbers">
        <thead>
          <tr>
            <th>Until</th>
            <th>Equity</th>
            <th>Deepest drawdown since the row before</th>
          </tr>
        </thead>
        <tbody>
          {points.map(({ at, equity, drawdown }) => (
            <tr>
              <td>{dateTime(at, timeZone)}</td>
              <td>{money(equity, quote)}</td>
              <td>{percent(drawdown)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

/** Equity, drawdown and price, one below the other, with one cursor. */
export function RunCharts(props: RunChartsProps) {
  const { runId, timeZone, quote, priceDecimals, fromAt, toAt, window, summary } = props;
  return (
    <section
      id="charts"
      class="card charts"
      aria-label="Charts"
      aria-busy="true"
      data-chart={`/runs/${runId}/chart.json`}
      data-run={`/runs/${runId}`}
      data-zone={timeZone}
      data-quote={quote}
      data-decimals={priceDecimals}
      data-from={fromAt}
      data-to={toAt}
      data-window-from={window?.from}
      data-window-to={window?.to}
    >
      <Toolbar />
      <p class="notice" data-chart-problem="" hidden></p>
      <h2>Equity</h2>
      <p class="muted small">{summary}</p>
      <Legend items={EQUITY} name="equity" />
      <div class="plot skeleton equity" data-plot="equity" role="img" aria-label={summary}></div>
      <div
        class="plot skeleton drawdown"
        data-plot="drawdown"
        role="img"
        aria-label="Drawdown"
      ></div>
      <div data-needs-candles="">
        <h2>Price and orders</h2>
        <p class="muted small">
          Drag to zoom, double-click for the whole run. A click on a triangle shows its row, a click
          on a candle says why there was an entry or none.
        </p>
        <Legend items={PRICE} name="price" />
        <div
          class="plot skeleton price"
          data-plot="price"
          role="img"
          aria-label="Candles with fills and order levels; the tables below hold every cycle and fill"
        ></div>
      </div>
      <InWords {...props} />
    </section>
  );
}
