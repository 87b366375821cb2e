// The places the charts of a bot are drawn in: price with fills, orders and levels, and the equity curve. Filled
// by static/bot.js from the address in `data-bot-chart`; the tables of the page say the same in words.
import { money } from "../format.ts";

/** Props of the charts. */
export type BotChartsProps = {
  readonly botId: number;
  readonly timeZone: string;
  readonly asset: string;
  readonly equity: number | null;
};

const LEVELS: readonly (readonly [line: string, label: string])[] = [
  ["average-entry", "Average entry"],
  ["next-dca", "Next rung"],
  ["take-profit", "Take-profit"],
  ["stop", "Stop"],
];

/** Price and equity, one below the other. */
export function BotCharts({ botId, timeZone, asset, equity }: BotChartsProps) {
  const now = equity === null ? "not known yet" : money(equity, asset);
  return (
    <section
      id="bot-charts"
      class="card charts"
      aria-label="Charts"
      aria-busy="true"
      data-bot-chart={`/bots/${botId}/chart.json`}
      data-zone={timeZone}
      data-quote={asset}
    >
      <div class="title-row">
        <h2>Price and orders</h2>
        <button type="button" class="quiet" data-chart-reset="">
          Reset zoom
        </button>
      </div>
      <p class="notice" data-chart-problem="" hidden></p>
      <p class="muted small">
        Triangles are fills, crosses at the right edge are open orders. Drag to zoom, double-click
        for everything.
      </p>
      <ul class="legend" aria-label="Lines">
        {LEVELS.map(([line, label]) => (
          <li>
            <svg class={`line ${line}`} viewBox="0 0 22 4" aria-hidden="true">
              <path d="M0 2H22" />
            </svg>
            {label}
          </li>
        ))}
      </ul>
      <p class="muted small number" data-chart-cursor="">
        &nbsp;
      </p>
      <div
        class="plot skeleton price"
        data-plot="price"
        role="img"
        aria-label="Candles with fills, open orders and levels; the tabs hold every order and fill"
      ></div>
      <h2>Equity</h2>
      <p class="muted small">Allocation and everything earned since: {now}.</p>
      <div
        class="plot skeleton equity"
        data-plot="equity"
        role="img"
        aria-label={`Equity curve; now ${now}`}
      ></div>
    </section>
  );
}
