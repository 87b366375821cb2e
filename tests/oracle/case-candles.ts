// Random candle files of varied character: trends, chop, crashes, flat stretches, outages, gaps,
// bad prints and off-grid prices. Used by cases.ts; every candle is well formed (l <= o,c <= h).

import type { Random } from "./prng.ts";
import type { Candles, Funding } from "./types.ts";

/** What a candle file should look like; `sigma` is the usual move of a bar as a fraction. */
export type CandleSpec = {
  timeframeMin: number;
  bars: number;
  startAt: number;
  price: number;
  tick: number;
  sigma: number;
  onGrid: boolean;
  crashy: boolean;
};

type Regime = "up" | "down" | "chop" | "flat" | "crash" | "rally";

/** Draws a candle file; missing bars leave holes in `t`. */
export function drawCandles(random: Random, spec: CandleSpec): Candles {
  const out: Candles = { t: [], o: [], h: [], l: [], c: [], v: [] };
  const stepMs = spec.timeframeMin * 60_000;
  const gapChance = random.pick([0, 0.02, 0.1, 0.4]);
  const holeChance = random.pick([0, 0, 0.005, 0.03]);
  let last = spec.price;
  let t = spec.startAt;
  let regime: Regime = "chop";
  let left = 0;
  for (let i = 0; i < spec.bars; i++) {
    if (left-- <= 0) {
      regime = nextRegime(random, spec, last);
      left =
        regime === "crash" || regime === "rally"
          ? random.whole(1, 5)
          : random.whole(8, 50);
    }
    if (random.chance(holeChance))
      t += stepMs * random.pick([1, 1, 2, 3, random.whole(5, 60)]);
    const bar = drawBar(random, spec, regime, last, random.chance(gapChance));
    out.t.push(t);
    out.o.push(bar.o);
    out.h.push(bar.h);
    out.l.push(bar.l);
    out.c.push(bar.c);
    out.v.push(Math.round(random.logBetween(1, 1000) * 100) / 100);
    last = bar.c;
    t += stepMs;
  }
  return out;
}

function nextRegime(random: Random, spec: CandleSpec, last: number): Regime {
  if (last < spec.price * 0.25)
    return random.pick(["rally", "up", "up", "chop"] as const);
  if (last > spec.price * 4)
    return random.pick(["crash", "down", "down", "chop"] as const);
  const usual: Regime[] = ["up", "down", "chop", "chop", "chop", "flat"];
  return random.pick(
    spec.crashy ? [...usual, "crash", "crash", "rally"] : usual,
  );
}

function drift(regime: Regime): number {
  switch (regime) {
    case "up":
      return 0.3;
    case "down":
      return -0.3;
    case "crash":
      return -6;
    case "rally":
      return 5;
    default:
      return 0;
  }
}

function drawBar(
  random: Random,
  spec: CandleSpec,
  regime: Regime,
  last: number,
  gaps: boolean,
): { o: number; h: number; l: number; c: number } {
  const { sigma } = spec;
  const grid = (x: number): number => onGrid(spec, x);
  if (regime === "flat" && random.chance(0.85)) {
    const price = grid(last);
    return { o: price, h: price, l: price, c: price };
  }
  const jump = gaps ? sigma * random.normal() * random.pick([0.5, 2, 5]) : 0;
  const o = grid(last * Math.exp(jump));
  const c = grid(o * Math.exp(sigma * (drift(regime) + random.normal())));
  let h = grid(Math.max(o, c) * (1 + sigma * Math.abs(random.normal()) * 0.8));
  let l = grid(Math.min(o, c) * (1 - sigma * Math.abs(random.normal()) * 0.8));
  const oddity = random.unit();
  if (oddity < 0.004)
    h *= random.between(1.05, 1.4); // bad prints
  else if (oddity < 0.008) l *= random.between(0.6, 0.95);
  else if (oddity < 0.06) {
    const reach = Math.max(h - o, o - l); // both extremes equally far: the tie of E23
    h = o + reach;
    l = o - reach;
  } else if (oddity < 0.1)
    h = Math.max(o, c); // no wick: an extreme equals the open or close
  else if (oddity < 0.14) l = Math.min(o, c);
  return {
    o,
    h: Math.max(grid(h), o, c),
    l: Math.min(Math.max(grid(l), spec.tick), o, c),
    c,
  };
}

// Doubles nearest to decimals, so that grid prices are exact and off-grid ones are plainly off.
function onGrid(spec: CandleSpec, x: number): number {
  const unit = spec.onGrid ? spec.tick : spec.tick / 8;
  const decimals = Math.max(0, Math.ceil(-Math.log10(unit)) + 3);
  return Math.max(
    spec.tick,
    Number((Math.round(x / unit) * unit).toFixed(decimals)),
  );
}

/** Draws funding stamps over the span of a candle file, some of them off the bar grid. */
export function drawFunding(
  random: Random,
  candles: Candles,
  timeframeMin: number,
): Funding {
  const out: Funding = { t: [], rate: [] };
  const first = candles.t[0] ?? 0;
  const last = candles.t.at(-1) ?? 0;
  const every = timeframeMin * 60_000 * random.pick([1, 3, 8, 24, 48]);
  const shift = random.chance(0.4)
    ? random.whole(1, timeframeMin * 60_000 - 1)
    : 0;
  const size = random.logBetween(0.0001, 0.003);
  for (
    let t = Math.ceil(first / every) * every + shift;
    t <= last;
    t += every
  ) {
    out.t.push(t);
    out.rate.push(Number((size * random.normal()).toFixed(7)));
  }
  return out;
}
