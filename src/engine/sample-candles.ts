// Invented candles for trying things out: a seeded walk with calm and wild spells, trends that turn, and
// rare jumps. They look like a market and are none; whoever shows them says so.
import { type CandleSeries, emptySeries } from "../model/candle.ts";
import { type EpochMs, MINUTE_MS } from "../model/time.ts";
import { createPrng } from "./prng.ts";

/** What to invent: `to` exclusive; `tick` is the price grid. */
export type SampleRequest = {
  readonly seed: number;
  readonly timeframeMin: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly startPrice: number;
  readonly tick: number;
};

/** Steps within a candle, so that its shadows are those of a path. */
const STEPS = 12;
/** Deviation of a day's log return in a calm spell. */
const CALM_DAY = 0.022;
const TREND_DAYS = 9;
/** Pull of the price towards its slow average, per day. */
const PULL_DAY = 0.06;

/** Invents candles; the same request gives the same candles. */
export function sampleCandles(request: SampleRequest): CandleSeries {
  const { timeframeMin, from, to, tick } = request;
  const stepMs = timeframeMin * MINUTE_MS;
  const series = emptySeries(Math.max(0, Math.ceil((to - from) / stepMs)));
  const walk = createWalk(request);
  const grid = (price: number) => Math.max(1, Math.round(price / tick)) * tick;
  const rounded = (price: number) => Number(grid(price).toPrecision(12));
  let last = request.startPrice;
  for (let i = 0; i < series.length; i++) {
    const { high, low, close, activity } = walk.candle();
    series.openAt[i] = from + i * stepMs;
    series.open[i] = rounded(last);
    series.high[i] = rounded(Math.max(high, last));
    series.low[i] = rounded(Math.min(low, last));
    series.close[i] = rounded(close);
    series.volume[i] = Math.round(activity * 1000) / 1000;
    last = close;
  }
  return series;
}

/** The path of the price, candle by candle. */
function createWalk({ seed, timeframeMin, startPrice }: SampleRequest) {
  const random = createPrng(seed);
  const share = timeframeMin / 1440 / STEPS;
  const calm = CALM_DAY * Math.sqrt(share);
  let log = Math.log(startPrice);
  let anchor = log;
  let wildness = 1;
  let drift = 0;
  let untilTurn = 0;
  return {
    candle() {
      let high = Number.NEGATIVE_INFINITY;
      let low = Number.POSITIVE_INFINITY;
      if (untilTurn <= 0) {
        drift = random.normal() * 0.006 * share;
        untilTurn = TREND_DAYS * (0.3 + 1.4 * random.unit());
      }
      untilTurn -= timeframeMin / 1440;
      // Spells of wildness: a mean-reverting logarithm.
      const fade = timeframeMin / 1440 / 1.5;
      wildness *= Math.exp(-fade * Math.log(wildness) + random.normal() * 0.55 * Math.sqrt(fade));
      const jump = random.unit() < timeframeMin / 1440 / 12 ? random.normal() * 0.012 : 0;
      for (let step = 0; step < STEPS; step++) {
        log += drift + (anchor - log) * PULL_DAY * share + random.normal() * calm * wildness;
        if (step === 0) log += jump;
        high = Math.max(high, log);
        low = Math.min(low, log);
      }
      anchor += (log - anchor) * share * STEPS * 0.03;
      const activity = (1 + random.unit()) * wildness * wildness * timeframeMin;
      return { high: Math.exp(high), low: Math.exp(low), close: Math.exp(log), activity };
    },
  };
}
