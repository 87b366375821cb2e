// Short hand-written stories for the rule tests: a few candles, one change of the settings, the fills as sentences.
// Every story is run twice, skipping quiet candles and walking each one, and both must tell the same.
import type { BacktestOptions, BacktestRun } from "../../src/engine/backtest.ts";
import { gridOf, gridValue } from "../../src/model/instrument.ts";
import {
  type ResultDocument,
  resultDocument,
} from "../../src/services/research/backtest-result.ts";
import { DECISIONS } from "../../src/strategy/dca-atr/state.ts";
import { type CaseDocuments, runCase } from "./engine-case.ts";

/** Open, high, low, close. */
export type Bar = readonly [open: number, high: number, low: number, close: number];

type Group = Readonly<Record<string, unknown>>;

/** A story. Whatever is left out is switched off, free of cost, or the plain case. */
export type Scene = {
  /** Candles after the signal, bar 0 first; null is a missing candle. */
  readonly bars: readonly (Bar | null)[];
  /** Candles before the window; two flat ones, from which the signal candle falls (short: rises). */
  readonly history?: readonly (Bar | null)[];
  /** First candle of the window, bar -1, at whose close at 100 the entry is decided; null: none. */
  readonly signal?: Bar | null;
  /** `falls`: a long vote where the close does not rise (short: fall); `always`: at every close. */
  readonly signals?: "falls" | "always";
  readonly short?: boolean;
  /** Open time of bar 0. */
  readonly startAt?: number;
  readonly general?: Group;
  readonly exits?: Group;
  readonly dca?: Group;
  readonly trend?: Group;
  readonly bbands?: Group;
  readonly macd?: Group;
  readonly rsi?: Group;
  readonly run?: Group;
  readonly instrument?: Group;
  /** Minutes after the open of bar 0, and the rate exchanged there. */
  readonly funding?: readonly (readonly [minutes: number, rate: number])[];
};

/** What a story came to. */
export type Played = {
  /** One sentence per fill: `bar 0 open: buy 1 at 100 maker ENTRY`. */
  readonly fills: string[];
  /** Decision of each candle of the window, the signal candle first. */
  readonly decisions: string[];
  /** Prices of the orders wanted at the end, by purpose; a market order has price 0. */
  readonly resting: Record<string, number>;
  readonly result: ResultDocument;
  readonly run: BacktestRun;
};

/** Wednesday noon UTC: far from a change of day, on the grid of every timeframe up to 12 hours. */
export const START = Date.UTC(2024, 0, 10, 12);

/** Open time of a bar of a story with 5-minute candles. */
export function barAt(n: number): number {
  return START + n * 300_000;
}

/** The same price throughout. */
export function flat(price: number): Bar {
  return [price, price, price, price];
}

/** That many candles of one price. */
export function flats(count: number, price: number): Bar[] {
  return Array.from({ length: count }, () => flat(price));
}

const OFF = {
  general: {
    max_entries: 1,
    initial_entry_sizing_mode: "fixed_usd",
    initial_entry_fixed_usd: 100,
    use_indicator_consensus: false,
    entry_order_style: "limit",
    exit_order_style: "limit",
    entry_timeout_min: 0,
    exit_timeout_min: 0,
    // One cycle per story, unless the story is about the next one.
    entry_cooldown_min: 1_000_000,
  },
  exits: {
    sl_pct: 0,
    sl_atr_mult: 0,
    trail_activation_pct: 0,
    trail_distance_pct: 0,
    trail_activation_atr_mult: 0,
    trail_distance_atr_mult: 0,
    atr_period: 1,
    tp_mode: "PCT",
    tp_pct: 0,
    tp_atr_mult: 0,
  },
};

function configOf(scene: Scene, minutes: number): Record<string, Group> {
  const isShort = scene.short === true;
  const sides = { allow_long: !isShort, allow_short: isShort };
  // Two closes and half a deviation: the lower of both is the one at or below the lower band.
  const length = scene.signals === "always" ? 1 : 2;
  return {
    general: { ...OFF.general, ...sides, ...scene.general },
    exits: { ...OFF.exits, ...scene.exits },
    dca: { ...scene.dca },
    trend: { enabled: false, ma_interval_min: minutes, ...scene.trend },
    bbands: { interval_min: minutes, length, dev_up: 0.5, dev_down: 0.5, ...scene.bbands },
    macd: { interval_min: minutes, fast: 1, slow: 2, signal: 1, ...scene.macd },
    rsi: { interval_min: minutes, length: 1, ...scene.rsi },
  };
}

/** The documents of a story, as a user would write them. */
export function documentsOf(scene: Scene): CaseDocuments {
  const minutes = Number(scene.run?.["timeframe_min"] ?? 5);
  const step = minutes * 60_000;
  const start = scene.startAt ?? START;
  const before = scene.short === true ? 99 : 101;
  const signal: Bar = scene.short === true ? [99, 100, 99, 100] : [101, 101, 100, 100];
  const given = scene.signal === undefined ? [signal] : scene.signal ? [scene.signal] : [];
  const history = scene.history ?? flats(2, before);
  const all = [...history, ...given, ...scene.bars];
  const first = start - (history.length + given.length) * step;
  const candles: CaseDocuments["candles"] = { t: [], o: [], h: [], l: [], c: [], v: [] };
  all.forEach((bar, i) => {
    if (!bar) return;
    const [open, high, low, close] = bar;
    candles.t.push(first + i * step);
    candles.o.push(open);
    candles.h.push(high);
    candles.l.push(low);
    candles.c.push(close);
    candles.v.push(1);
  });
  const stamps = scene.funding ?? [];
  return {
    candles,
    funding: {
      t: stamps.map(([at]) => start + at * 60_000),
      rate: stamps.map(([, rate]) => rate),
    },
    config: configOf(scene, minutes),
    instrument: { price_tick: 0.01, qty_step: 0.001, ...scene.instrument },
    run: {
      timeframe_min: minutes,
      from: start - given.length * step,
      to: start + scene.bars.length * step,
      maker_fee: 0,
      taker_fee: 0,
      ...scene.run,
    },
  };
}

const QUARTERS = ["open", "1st", "2nd", "3rd", "close"];

type FillRow = ResultDocument["fills"][number];

function sentence(fill: FillRow, start: number, step: number): string {
  const bar = (fill.bar_open_at - start) / step;
  const when = QUARTERS[((fill.t - fill.bar_open_at) * 4) / step] ?? `at ${fill.t}`;
  const what = `${fill.side.toLowerCase()} ${fill.qty} at ${fill.price}`;
  return `bar ${bar} ${when}: ${what} ${fill.liquidity} ${fill.reason}`;
}

function restingOf(run: BacktestRun): Record<string, number> {
  const prices = gridOf(run.prepared.request.instrument.priceTick, "instrument: price_tick");
  const found: Record<string, number> = {};
  for (const order of run.state.working) {
    if (order) found[order.purpose] = gridValue(prices, order.priceTicks);
  }
  return found;
}

/** Runs a story with every candle walked. */
export function play(scene: Scene): Played {
  const documents = documentsOf(scene);
  const walk: BacktestOptions = { decisions: true };
  const run = runCase(documents, walk);
  const result = resultDocument(run);
  const { decisions: _, ...told } = result;
  if (JSON.stringify(told) !== JSON.stringify(resultDocument(runCase(documents)))) {
    throw new Error("skipping quiet candles told another story");
  }
  const step = run.prepared.request.run.timeframeMin * 60_000;
  return {
    fills: result.fills.map((fill) => sentence(fill, scene.startAt ?? START, step)),
    decisions: Array.from(run.decisions ?? [], (code) => DECISIONS[code] ?? "unknown"),
    resting: restingOf(run),
    result,
    run,
  };
}
