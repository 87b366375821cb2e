// Random strategy configs for generated cases: every parameter moves, lengths stay small and
// distances follow the volatility of the case, so that cycles open and close. Used by cases.ts.

import type { Scale } from "./cases.ts";
import type { Random } from "./prng.ts";

type Group = Record<string, unknown>;

const STYLES = ["market", "limit", "maker_or_cancel"] as const;
const AVERAGES = ["Sma", "Ema"] as const;
const SOURCES = [
  "open",
  "high",
  "low",
  "close",
  "hl2",
  "hlc3",
  "ohlc4",
] as const;

/** Draws a config document; some keys without weight are left to their defaults. */
export function drawConfig(
  random: Random,
  scale: Scale,
): Record<string, unknown> {
  const consensus = random.chance(0.5);
  const config: Record<string, unknown> = {
    general: drawGeneral(random, scale, consensus),
    exits: drawExits(random, scale),
    dca: drawLadder(random, scale),
    trend: drawTrend(random, scale, consensus),
    bbands: drawBands(random, scale, consensus),
    macd: drawMacd(random, scale),
    rsi: drawRsi(random, scale),
  };
  if (random.chance(0.2))
    config._futures = { leverage: 7, apply_leverage_on_start: true };
  return config;
}

const round = (x: number, decimals: number): number =>
  Number(x.toFixed(decimals));

// A whole multiple of the base timeframe that still gives the case enough bins.
function drawInterval(random: Random, scale: Scale): number {
  const base = scale.timeframeMin;
  const spanMin = scale.bars * base;
  if (scale.warm) return base * random.pick(base >= 1440 ? [1] : [1, 1, 2]);
  const choices = [1, 1, 1, 2, 2, 3, 4, 5, 7, 11, 12].map((k) => k * base);
  choices.push(35, 60, 60, 100, 420, 1440, 2880, 4320, 10_080);
  const fitting = choices.filter(
    (interval) =>
      interval >= base &&
      interval % base === 0 &&
      (interval <= 1440 || interval % 1440 === 0) &&
      spanMin / interval >= 30,
  );
  return random.pick(fitting);
}

function drawMinutes(random: Random, scale: Scale): number {
  const base = scale.timeframeMin;
  return random.pick([
    0,
    0,
    1,
    base,
    2 * base,
    3 * base,
    3 * base + 1,
    8 * base,
  ]);
}

function drawGeneral(random: Random, scale: Scale, consensus: boolean): Group {
  const sides = random.pick(["long", "long", "short", "both", "both"]);
  const band = (): number =>
    random.chance(0.35)
      ? round(100 * scale.sigma * random.between(0.1, 1.5), 2)
      : 0;
  const fixed = random.chance(0.3);
  const timeout = random.pick([1, 2, 4]) * scale.timeframeMin;
  const general: Group = {
    max_entries: random.pick([1, 2, 3, 4, 5, 6, 8, 12, 20]),
    initial_entry_sizing_mode: fixed ? "fixed_usd" : "pct_balance",
    initial_entry_balance_pct: scale.reckless
      ? random.pick([60, 100, 100])
      : random.pick([2, 5, 10, 20, 50, 100, 99.9, 99.7]),
    initial_entry_fixed_usd: scale.reckless
      ? 450
      : random.pick([25, 60, 100, 333.33]),
    use_indicator_consensus: consensus,
    entry_order_style: random.pick(STYLES),
    exit_order_style: scale.touchy ? "maker_or_cancel" : random.pick(STYLES),
    entry_timeout_min: drawMinutes(random, scale),
    exit_timeout_min: scale.touchy ? timeout : drawMinutes(random, scale),
    entry_cooldown_min: drawMinutes(random, scale),
    dca_cooldown_min: random.chance(0.3) ? drawMinutes(random, scale) : 0,
    allow_long: sides !== "short",
    allow_short: sides !== "long",
    lock_atr_on_entry_for_dca: random.chance(0.5),
    use_avg_entry_for_dca_base: random.chance(0.6),
    dynamic_activation: { entry_pct: band(), dca_pct: band(), tp_pct: band() },
    use_ma_direction: random.chance(0.15),
    ma_type: random.pick(AVERAGES),
    ma_length: random.whole(1, 12),
    ma_source: random.pick(SOURCES),
    ma_interval_min: random.chance(0.5) ? 0 : drawInterval(random, scale),
  };
  if (random.chance(0.3)) {
    Object.assign(general, {
      plot_dca_levels: true,
      prefer_bbo_maker: false,
      bbo_queue_level: 3,
    });
  }
  return general;
}

function drawExits(random: Random, scale: Scale): Group {
  const unit = 100 * scale.sigma; // the usual move of a bar in percent
  const stopOff = scale.reckless ? 0.8 : 0.15;
  const far = scale.reckless ? 40 : 1;
  const ticks = (300 * scale.tick) / scale.price; // three ticks in percent
  const distance = Math.max(unit * random.between(0.7, 4), ticks);
  const exits: Group = {
    sl_mode: random.pick(["PCT", "ATR"]),
    sl_pct: random.chance(stopOff)
      ? 0
      : round(far * unit * random.between(1, 8), 2),
    trail_activation_pct: random.chance(0.25)
      ? 0
      : round(unit * random.between(0.2, 3), 2),
    trail_distance_pct: random.chance(0.4) ? 0 : round(distance, 2),
    atr_period: scale.warm
      ? random.whole(1, 4)
      : random.pick([1, 2, 3, 5, 14, 60]),
    sl_atr_mult: random.chance(stopOff)
      ? 0
      : round(far * random.between(0.8, 6), 2),
    sl_atr_lock: random.chance(0.35),
    trail_activation_atr_mult: random.chance(0.25)
      ? 0
      : round(random.between(0.2, 2), 2),
    trail_distance_atr_mult: random.chance(0.4)
      ? 0
      : round(random.between(0.6, 3), 2),
    tp_mode: random.pick(["PCT", "ATR"]),
    tp_pct: random.chance(0.1)
      ? 0
      : round(unit * random.between(0.5, 5) + 0.01, 2),
    tp_atr_mult: random.chance(0.1) ? 0 : round(random.between(0.4, 5), 2),
  };
  if (random.chance(0.35))
    exits.on_opposite_signal = random.pick(["close", "close", "ignore"]);
  if (random.chance(0.3)) exits.tp_replace_threshold_pct = 1;
  if (scale.reckless && random.chance(0.75)) {
    exits.tp_pct = round(unit * random.between(4, 12), 2);
    exits.trail_distance_pct = 0;
    exits.trail_distance_atr_mult = 0;
  }
  return exits;
}

function drawLadder(random: Random, scale: Scale): Group {
  const unit = 100 * scale.sigma;
  return {
    deviation_mode: random.pick(["PCT", "PCT", "ATR"]),
    base_deviation_pct: Math.max(0.1, round(unit * random.between(0.2, 2), 2)),
    base_deviation_atr_mult: round(random.between(0.2, 2), 2),
    deviation_multiplier: random.pick([1, 1.2, 1.5, 2, 3]),
    volume_multiplier: random.pick([1, 1.1, 1.5, 2, 2.5]),
  };
}

function drawTrend(random: Random, scale: Scale, consensus: boolean): Group {
  const slow = Math.max(
    drawInterval(random, scale),
    drawInterval(random, scale),
  );
  return {
    enabled: random.chance(consensus ? 0.5 : 0.3),
    ma_interval_min: slow,
    ma_len: random.chance(0.05) ? 1 : random.whole(3, 16),
    ma_type: random.pick(AVERAGES),
  };
}

function drawBands(random: Random, scale: Scale, consensus: boolean): Group {
  const fullCandle = random.chance(0.2);
  const length = random.whole(fullCandle ? 4 : consensus ? 1 : 2, 10);
  // A window of n closes cannot stray further than sqrt(n-1) deviations from its mean.
  const most = Math.max(0.15, (fullCandle ? 0.2 : 0.7) * Math.sqrt(length - 1));
  return {
    interval_min: drawInterval(random, scale),
    length,
    dev_up: round(random.between(0.1, Math.min(1.5, most)), 2),
    dev_down: round(random.between(0.1, Math.min(1.5, most)), 2),
    ma_type: random.pick(AVERAGES),
    require_fcc: fullCandle,
    reset_middle: random.chance(0.3),
    allow_mid_sells: random.chance(0.3),
    ...(random.chance(0.3) ? { deviation: 0.5 } : {}),
  };
}

function drawMacd(random: Random, scale: Scale): Group {
  const fast = random.whole(1, scale.warm ? 2 : 4);
  return {
    interval_min: drawInterval(random, scale),
    fast,
    slow: fast + random.whole(1, scale.warm ? 2 : 5),
    signal: random.whole(1, 4),
  };
}

function drawRsi(random: Random, scale: Scale): Group {
  const buy = random.whole(35, 65);
  return {
    interval_min: drawInterval(random, scale),
    length: random.whole(1, scale.warm ? 3 : 6),
    buy_level: buy,
    sell_level: Math.min(99, buy + random.whole(1, 30)),
  };
}
