// Seeded random backtest cases: candles, funding, config, instrument and run settings spread over
// every parameter, with short indicators so that most cases trade often. Used by tests that run
// the reference backtest and, later, compare it with the production engine.

import { drawCandles, drawFunding } from "./case-candles.ts";
import { drawConfig } from "./case-config.ts";
import { createRandom, type Random } from "./prng.ts";
import type { Candles, Funding } from "./types.ts";

/** One generated case; the three documents are plain JSON and may leave defaults out. */
export type GeneratedCase = {
  candles: Candles;
  funding: Funding | undefined;
  config: Record<string, unknown>;
  instrument: Record<string, unknown>;
  run: Record<string, unknown>;
};

/** The scales a case is built around, so that distances, ticks and sizes fit each other. */
export type Scale = {
  timeframeMin: number;
  bars: number;
  sigma: number;
  price: number;
  tick: number;
  /** Leveraged, oversized and without a near stop: liquidations and refusals. */
  reckless: boolean;
  /** Coarse prices without touch fills: post-only exits that are touched but not filled. */
  touchy: boolean;
  /** Enough history before the window for a complete warm-up. */
  warm: boolean;
};

/** The case of a seed; equal seeds give equal cases. */
export function generateCase(seed: number): GeneratedCase {
  const random = createRandom(seed);
  const scale = drawScale(random);
  const startAt = drawStart(random, scale);
  const candles = drawCandles(random, {
    timeframeMin: scale.timeframeMin,
    bars: scale.bars,
    startAt,
    price: scale.price,
    tick: scale.tick,
    sigma: scale.sigma,
    onGrid: scale.touchy || random.chance(0.7),
    crashy: scale.reckless || random.chance(0.3),
  });
  const config = drawConfig(random, scale);
  const run = drawRun(random, scale, candles);
  const notional = usualNotional(config, Number(run.initial_balance));
  const instrument = drawInstrument(random, scale, notional);
  const hasFunding = random.chance(0.5);
  const funding = hasFunding
    ? drawFunding(random, candles, scale.timeframeMin)
    : undefined;
  return { candles, funding, config, instrument, run };
}

function drawScale(random: Random): Scale {
  const timeframeMin = random.pick([1, 1, 3, 5, 5, 15, 15, 60, 60, 240, 1440]);
  const touchy = random.chance(0.16);
  const warm = timeframeMin >= 15 && random.chance(0.5);
  const price = random.logBetween(0.01, 60_000);
  const magnitude = 10 ** Math.floor(Math.log10(price));
  const fineness = touchy
    ? random.pick([0.001, 0.002])
    : random.pick([1e-5, 1e-4, 2e-4, 2.5e-4]);
  return {
    timeframeMin,
    bars: random.whole(warm ? 450 : 200, 900),
    sigma: random.logBetween(0.0015, 0.012),
    price,
    tick: decimal(magnitude * fineness),
    reckless: !touchy && random.chance(0.24),
    touchy,
    warm,
  };
}

/** A number with at most three significant digits and no binary residue. */
export function decimal(x: number): number {
  return Number(x.toPrecision(3));
}

// Anywhere in a day, on the grid of the timeframe, between 2023 and 2025.
function drawStart(random: Random, scale: Scale): number {
  const stepMs = scale.timeframeMin * 60_000;
  const at = random.between(Date.UTC(2023, 0, 1), Date.UTC(2025, 0, 1));
  return Math.floor(at / stepMs) * stepMs;
}

function drawRun(
  random: Random,
  scale: Scale,
  candles: Candles,
): Record<string, unknown> {
  const stepMs = scale.timeframeMin * 60_000;
  const count = candles.t.length;
  const at = (share: number): number =>
    candles.t[Math.floor((count - 1) * share)] ?? 0;
  const odd = (): number =>
    random.chance(0.15) ? random.whole(1, stepMs - 1) : 0;
  const ending = random.pick(["exact", "inside", "beyond"]);
  const last = (candles.t.at(-1) ?? 0) + stepMs;
  const to = {
    exact: last,
    inside: at(random.between(0.8, 0.98)),
    beyond: last + 40 * stepMs,
  };
  const run: Record<string, unknown> = {
    timeframe_min: scale.timeframeMin,
    from:
      at(scale.warm ? random.between(0.4, 0.6) : random.between(0.02, 0.2)) +
      odd(),
    to: (to[ending as keyof typeof to] ?? last) + odd(),
    initial_balance: random.pick([500, 1000, 2500, 12_345.67, 100_000]),
    fill_model: random.pick(["path", "path", "pessimistic"]),
    entry_fill: random.pick(["next_open", "next_open", "close"]),
    touch_fills: scale.touchy ? false : random.chance(0.75),
    maker_fee: random.pick([0, 0.0002, -0.0001, 0.0004]),
    taker_fee: random.pick([0, 0.0005, 0.001]),
    slippage_bps: random.pick([0, 0, 1, 5, 20]),
    leverage: scale.reckless
      ? random.pick([10, 20, 50, 100])
      : random.pick([1, 1, 1, 2, 5, 12.5]),
    maintenance_margin_rate: random.pick([0, 0.004, 0.005, 0.0085]),
  };
  if (random.chance(0.2))
    Object.assign(run, { indicator_set: "tv", htf_mode: "confirmed" });
  if (random.chance(0.1)) delete run.maker_fee;
  return run;
}

function usualNotional(
  config: Record<string, unknown>,
  balance: number,
): number {
  const general = config.general as Record<string, unknown>;
  return general.initial_entry_sizing_mode === "fixed_usd"
    ? Math.min(Number(general.initial_entry_fixed_usd), balance)
    : (balance * Number(general.initial_entry_balance_pct)) / 100;
}

function drawInstrument(
  random: Random,
  scale: Scale,
  notional: number,
): Record<string, unknown> {
  const contract = random.chance(0.7)
    ? 1
    : random.pick([0.001, 0.01, 0.1, 10, 100]);
  const qty = notional / (scale.price * contract);
  // The minimum lies between the first entry and the first rung, so that rungs are skipped.
  const tight = random.chance(0.3);
  const steps = tight ? 20_000 : random.pick([6, 15, 100, 1000, 10_000]);
  const power = 10 ** Math.floor(Math.log10(qty / steps));
  const step = decimal(power * random.pick([1, 1, 1, 5, 2.5]));
  const out: Record<string, unknown> = {
    symbol: "TEST-USDT",
    price_tick: scale.tick,
    qty_step: step,
  };
  if (random.chance(0.8) || contract !== 1) out.contract_size = contract;
  if (random.chance(0.5))
    out.min_qty = decimal(Math.min(step * random.pick([1, 2, 5]), qty * 0.8));
  if (random.chance(0.1)) out.min_qty = decimal(qty * random.between(0.4, 0.9));
  if (random.chance(0.35))
    out.min_notional = decimal(notional * random.pick([0.01, 0.1, 0.5]));
  if (tight) out.min_notional = decimal(notional * random.between(0.97, 0.998));
  return out;
}
