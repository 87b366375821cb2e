// The figures of a run: tiles by group with tones and explanations, both fill models side by side,
// and every other figure in one list. Rendered by pages/run.tsx and run-panel.tsx.
import type { Metrics } from "../../src/analytics/summary.ts";
import { count, duration, money, number, percent, signTone } from "../format.ts";
import { type Kpi, KpiTiles } from "./parts.tsx";

/** Props of the tiles. */
export type FiguresProps = {
  readonly metrics: Metrics;
  readonly quote: string;
};

/** A figure that is better the higher it is. */
function highTone(value: number | null, good: number, fair: number): Kpi["tone"] {
  if (value === null) return undefined;
  if (value >= good) return "up";
  return value >= fair ? "warn" : "down";
}

function drawdownTone(fraction: number): Kpi["tone"] {
  if (fraction <= 0.1) return "up";
  return fraction <= 0.25 ? "warn" : "down";
}

const seconds = (value: number | null) => duration(value === null ? null : value * 1000);

function performance({ metrics: m, quote }: FiguresProps): Kpi[] {
  return [
    {
      label: "Net profit",
      value: money(m.net_profit, quote, { signed: true }),
      tone: signTone(m.net_profit),
      note: `ends at ${money(m.final_equity, quote)}`,
      about: "Equity at the end minus the initial balance; open positions at the last close",
    },
    {
      label: "Net return",
      value: percent(m.net_return, { signed: true }),
      tone: signTone(m.net_return),
      note: `CAGR ${percent(m.cagr, { signed: true })}`,
      about: "Net profit over the initial balance; CAGR is the same per year, from 7 days on",
    },
    {
      label: "Profit factor",
      value: m.no_losses ? "no losses" : number(m.profit_factor),
      tone: m.no_losses ? "up" : highTone(m.profit_factor, 1.5, 1.1),
      note: `reward/risk ${number(m.reward_risk)}`,
      about: "What winning cycles won over what losing cycles lost, after fees",
    },
    {
      label: "Win rate",
      value: percent(m.win_rate),
      tone: highTone(m.win_rate, 0.55, 0.45),
      note: `of ${count(m.cycles)} closed cycles`,
      about: "Closed cycles with a net result above zero over all closed cycles",
    },
  ];
}

function risk({ metrics: m, quote }: FiguresProps): Kpi[] {
  return [
    {
      label: "Max drawdown",
      value: percent(m.max_drawdown),
      tone: drawdownTone(m.max_drawdown),
      note: `at most ${money(m.max_drawdown_abs, quote)}`,
      about: "Deepest fall of equity from a peak, as a share of that peak, over all candle closes",
    },
    {
      label: "Sharpe",
      value: number(m.sharpe),
      tone: highTone(m.sharpe, 1, 0.3),
      note: `Sortino ${number(m.sortino)}`,
      about: "Daily UTC returns, sample deviation, times the root of 365; needs 30 days",
    },
    {
      label: "Calmar",
      value: number(m.calmar),
      tone: m.calmar === null ? undefined : signTone(m.calmar),
      note: `ulcer index ${percent(m.ulcer_index)}`,
      about: "CAGR over max drawdown",
    },
    {
      label: "Under water",
      value: seconds(m.drawdown_duration_s),
      note: `recovery ${seconds(m.drawdown_recovery_s)}`,
      about:
        "Longest time from a peak of equity until it was reached again; recovery is that of the " +
        "deepest fall, a dash while it has not recovered",
    },
  ];
}

function execution({ metrics: m, quote }: FiguresProps): Kpi[] {
  return [
    {
      label: "Cycles",
      value: count(m.cycles),
      note: m.open_cycles > 0 ? "and one still open" : `${count(m.fills)} fills`,
      about: "Round trips from flat to flat",
    },
    {
      label: "Held",
      value: seconds(m.avg_position_time_s),
      note: `longest ${seconds(m.max_position_time_s)}`,
      about: "Average time in a position; the longest one below",
    },
    {
      label: "Fees",
      value: money(m.fees_total, quote),
      note: `funding ${money(m.funding_total, quote, { signed: true })}`,
      about: "Maker and taker fees; funding received counts above zero, paid below",
    },
    {
      label: "Exposure",
      value: percent(m.exposure),
      note: `margin up to ${money(m.max_margin_used, quote)}`,
      about: "Share of candles with a position; the most margin used at once below",
    },
  ];
}

function Group({ title, tiles }: { title: string; tiles: readonly Kpi[] }) {
  return (
    <section>
      <h2>{title}</h2>
      <KpiTiles tiles={tiles} label={title} />
    </section>
  );
}

/** The twelve figures of the head of the page. */
export function RunTiles(props: FiguresProps) {
  return (
    <div class="run-tiles">
      <Group title="Performance" tiles={performance(props)} />
      <Group title="Risk" tiles={risk(props)} />
      <Group title="Execution" tiles={execution(props)} />
    </div>
  );
}
