// What really happened on a made-up market: candles, holes, funding rates, and a clock. The fake
// exchanges tell it in their dialects; tests compare what arrived with it, bit by bit.
import type { Candle } from "../../../src/model/candle.ts";
import { DAY_MS, MINUTE_MS } from "../../../src/model/time.ts";

/** A funding rate that was exchanged. */
export type Funding = { readonly at: number; readonly rate: number };

/** The truth; `now` is the exchange's clock and may be moved. */
export type World = {
  now: number;
  readonly timeframeMin: number;
  /** Also those that open after `now`; nobody may see them yet. */
  readonly candles: readonly Candle[];
  readonly funding: readonly Funding[];
};

/** What to make. */
export type WorldPlan = {
  readonly seed: number;
  readonly from: number;
  readonly bars: number;
  readonly timeframeMin?: number;
  /** Indexes of bars that never existed, from inclusive, to exclusive. */
  readonly holes?: readonly (readonly [number, number])[];
  /** How many bars have opened; the last of them is not closed. All but one when absent. */
  readonly opened?: number;
  readonly fundingEveryH?: number;
};

/** A small generator; the same seed gives the same world everywhere. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A random walk in cents with volumes of three decimals. */
export function makeWorld(plan: WorldPlan): World {
  const { from, bars, timeframeMin = 1, holes = [] } = plan;
  const random = randomOf(plan.seed);
  const stepMs = timeframeMin * MINUTE_MS;
  const isHole = (i: number) => holes.some(([start, end]) => i >= start && i < end);
  const candles: Candle[] = [];
  let close = 5_000_000;
  for (let i = 0; i < bars; i++) {
    const open = close + Math.round((random() - 0.5) * 40);
    close = open + Math.round((random() - 0.5) * 2000);
    const high = Math.max(open, close) + Math.floor(random() * 500);
    const low = Math.min(open, close) - Math.floor(random() * 500);
    const volume = Math.floor(random() * 1e6) / 1000;
    if (isHole(i)) continue;
    candles.push({
      openAt: from + i * stepMs,
      open: open / 100,
      high: high / 100,
      low: low / 100,
      close: close / 100,
      volume,
    });
  }
  const everyMs = (plan.fundingEveryH ?? 8) * 60 * MINUTE_MS;
  const funding: Funding[] = [];
  const end = from + bars * stepMs;
  for (let at = Math.ceil(from / everyMs) * everyMs; at < end; at += everyMs) {
    funding.push({ at, rate: Math.round((random() - 0.5) * 2e5) / 1e8 });
  }
  const opened = plan.opened ?? bars - 1;
  const now = from + (opened - 1) * stepMs + Math.floor(stepMs / 2);
  return { now, timeframeMin, candles, funding };
}

/** What is visible at the world's time, the unfinished candle with what it holds so far. */
export function visibleCandles(world: World, timeframeMin: number): Candle[] {
  const stepMs = timeframeMin * MINUTE_MS;
  const source = timeframeMin === world.timeframeMin ? world.candles : daily(world.candles);
  return source
    .filter((candle) => candle.openAt <= world.now)
    .map((candle) =>
      candle.openAt + stepMs <= world.now
        ? candle
        : { ...candle, close: candle.open, volume: candle.volume / 2 },
    );
}

/** The closed candles of a range: what a download must bring. */
export function closedCandles(world: World, from: number, to: number): Candle[] {
  const stepMs = world.timeframeMin * MINUTE_MS;
  return world.candles.filter(
    ({ openAt }) => openAt >= from && openAt < to && openAt + stepMs <= world.now,
  );
}

function daily(candles: readonly Candle[]): Candle[] {
  const days = new Map<number, Candle>();
  for (const candle of candles) {
    const day = Math.floor(candle.openAt / DAY_MS) * DAY_MS;
    if (!days.has(day)) days.set(day, { ...candle, openAt: day });
  }
  return [...days.values()];
}
