// The places the charts of a bot are drawn in: price with fills, orders and levels, and the equity curve. Filled
// by static/bot.js from the address in `data-bot-chart`; a plot that has nothing to show is a sentence, never a blank
// box. The tables of the page say the same in words.
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

/** What the equity is now; the stream replaces it. */
export function EquityNow({ equity, asset }: Pick<BotChartsProps, "equity" | "asset">) {
  const now = equity === null ? "not known yet" : money(equity, asset);
  return <>Allocation and everything earned since: {now}.</>;
}

type PlotProps = { readonly name: "price" | "equity"; readonly about: string };

/** The script shows the box once it has something to draw. */
function Plot({ name, about }: PlotProps) {
  return (
    <>
      <p class="plot-empty muted" data-plot-empty={name} hidden></p>
      <div class={`plot ${name}`} data-plot={name} role="img" aria-label={about} hidden></div>
    </>
  );
}

/** Price and equity, one below the other. */
export function BotCharts({ botId, timeZone, asset, equity }: BotChartsProps) {
  return (
    <section
      id="bot-charts"
      class="card charts"
      aria-label="Charts"
      data-bot-chart={`/bots/${botId}/chart.json`}
      data-zone={timeZone}
      data-quote={asset}
    >
      <div class="title-row">
        <h2>Price and orders</h2>
        <button type="button" class="quiet" data-chart-reset="" data-chart-of="price" hidden>
          Reset zoom
        </button>
      </div>
      <noscript>
        <p class="muted">The charts need scripts; the tabs hold every order and fill.</p>
      </noscript>
      <p class="notice caution" data-chart-problem="" hidden></p>
      <p class="muted small" data-chart-of="price" hidden>
        Triangles are fills, crosses at the right edge are open orders. Drag to zoom, double-click
        for everything.
      </p>
      <ul class="legend" aria-label="Lines" data-chart-of="price" hidden>
        {LEVELS.map(([line, label]) => (
          <li>
            <svg class={`line ${line}`} viewBox="0 0 22 4" aria-hidden="true">
              <path d="M0 2H22" />
            </svg>
            {label}
          </li>
        ))}
      </ul>
      <p class="muted small number cursor" data-chart-of="price" hidden>
        &nbsp;
      </p>
      <Plot
        name="price"
        about="Candles with fills, open orders and levels; the tabs hold every order and fill"
      />
      <h2>Equity</h2>
      <p class="muted small" id="bot-equity">
        <EquityNow {...{ equity, asset }} />
      </p>
      <p class="muted small number cursor" data-chart-of="equity" hidden>
        &nbsp;
      </p>
      <Plot name="equity" about="Equity since the bot was made" />
    </section>
  );
}
