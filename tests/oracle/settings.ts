// Defaults and reading of the three input documents (strategy config, instrument, run settings).
// Used by oracle.ts and by tests; it refuses unknown keys and must never invent a value.

import { type Grid, gridOf } from "./rounding.ts";

type Style = "market" | "limit" | "maker_or_cancel";
type Average = "Sma" | "Ema";
type Mode = "PCT" | "ATR";
type Source = "open" | "high" | "low" | "close" | "hl2" | "hlc3" | "ohlc4";

const DEFAULT_CONFIG = {
  general: {
    max_entries: 5,
    initial_entry_sizing_mode: "pct_balance" as "pct_balance" | "fixed_usd",
    initial_entry_balance_pct: 10,
    initial_entry_fixed_usd: 100,
    use_indicator_consensus: true,
    entry_order_style: "maker_or_cancel" as Style,
    exit_order_style: "maker_or_cancel" as Style,
    entry_timeout_min: 10,
    exit_timeout_min: 10,
    entry_cooldown_min: 10,
    dca_cooldown_min: 0,
    allow_long: true,
    allow_short: false,
    lock_atr_on_entry_for_dca: false,
    use_avg_entry_for_dca_base: true,
    plot_dca_levels: false,
    dynamic_activation: { entry_pct: 0, dca_pct: 0, tp_pct: 0 },
    prefer_bbo_maker: true,
    bbo_queue_level: 1,
    use_ma_direction: false,
    ma_type: "Ema" as Average,
    ma_length: 200,
    ma_source: "close" as Source,
    ma_interval_min: 0,
  },
  exits: {
    sl_mode: "PCT" as Mode,
    sl_pct: 5,
    trail_activation_pct: 5,
    trail_distance_pct: 7,
    atr_period: 14,
    sl_atr_mult: 3,
    sl_atr_lock: false,
    trail_activation_atr_mult: 1,
    trail_distance_atr_mult: 2,
    tp_mode: "ATR" as Mode,
    tp_pct: 1,
    tp_atr_mult: 10,
    tp_replace_threshold_pct: 0.05,
    on_opposite_signal: "ignore" as "ignore" | "close", // E62
  },
  dca: {
    deviation_mode: "PCT" as Mode,
    base_deviation_pct: 1,
    base_deviation_atr_mult: 1,
    deviation_multiplier: 2,
    volume_multiplier: 2,
  },
  trend: {
    enabled: true,
    ma_interval_min: 120,
    ma_len: 200,
    ma_type: "Sma" as Average,
  }, // E61
  bbands: {
    interval_min: 60,
    length: 20,
    dev_up: 2,
    dev_down: 2,
    ma_type: "Sma" as Average,
    deviation: 0.2,
    require_fcc: false,
    reset_middle: false,
    allow_mid_sells: false,
  },
  macd: { interval_min: 360, fast: 12, slow: 26, signal: 7 },
  rsi: { interval_min: 1440, length: 14, buy_level: 30, sell_level: 70 },
};

const DEFAULT_INSTRUMENT = {
  symbol: "",
  price_tick: 0,
  qty_step: 0,
  min_qty: 0,
  min_notional: 0,
  contract_size: 1,
};

const DEFAULT_RUN = {
  timeframe_min: 5,
  from: 0,
  to: 0,
  initial_balance: 1000,
  fill_model: "path" as "path" | "pessimistic",
  entry_fill: "next_open" as "next_open" | "close",
  touch_fills: true,
  maker_fee: 0.0002,
  taker_fee: 0.0005,
  slippage_bps: 0,
  leverage: 1,
  maintenance_margin_rate: 0.005,
  indicator_set: "tv",
  htf_mode: "confirmed",
};

/** Complete strategy config. */
export type Config = typeof DEFAULT_CONFIG;
/** Complete instrument document. */
export type Instrument = typeof DEFAULT_INSTRUMENT;
/** Complete run settings; times in UTC ms, fees as fractions. */
export type RunSettings = typeof DEFAULT_RUN;

/** The three documents completed with defaults, plus the grids and the bar length in ms. */
export type Settings = {
  config: Config;
  instrument: Instrument;
  run: RunSettings;
  tick: Grid;
  step: Grid;
  barMs: number;
};

/** Reads the three documents, or throws a sentence naming the first bad field. */
export function readSettings(
  config: object,
  instrument: object,
  run: object,
): Settings {
  // Groups starting with "_" are carried along but ignored.
  const groups = Object.entries(config).filter(
    ([name]) => !name.startsWith("_"),
  );
  const full: Settings = {
    config: complete(DEFAULT_CONFIG, Object.fromEntries(groups), "config"),
    instrument: complete(DEFAULT_INSTRUMENT, instrument, "instrument"),
    run: complete(DEFAULT_RUN, run, "run"),
    tick: { unit: 1, mantissa: 1n, decimals: 0 },
    step: { unit: 1, mantissa: 1n, decimals: 0 },
    barMs: 0,
  };
  check(full);
  full.tick = gridOf(full.instrument.price_tick);
  full.step = gridOf(full.instrument.qty_step);
  full.barMs = full.run.timeframe_min * 60_000;
  return full;
}

function complete<T extends object>(
  defaults: T,
  given: object,
  where: string,
): T {
  const out = structuredClone(defaults) as Record<string, unknown>;
  for (const [key, value] of Object.entries(given)) {
    const fallback = out[key];
    if (fallback === undefined)
      throw new Error(`${where}.${key} is not a known key`);
    if (typeof value !== typeof fallback || value === null) {
      throw new Error(`${where}.${key} must be a ${typeof fallback}`);
    }
    const nested = typeof fallback === "object" && fallback !== null;
    out[key] = nested
      ? complete(fallback, value as object, `${where}.${key}`)
      : value;
  }
  return out as T;
}

function check({ config, instrument, run }: Settings): void {
  const require = (holds: boolean, message: string): void => {
    if (!holds) throw new Error(message);
  };
  require(instrument.price_tick > 0, "instrument.price_tick must be above 0"); // E65
  require(instrument.qty_step > 0, "instrument.qty_step must be above 0"); // E65
  require(run.from > 0 &&
    run.to > run.from, "run.from and run.to must frame a window");
  require(1440 % run.timeframe_min === 0, "run.timeframe_min must divide 1440");
  require(["path", "pessimistic"].includes(
    run.fill_model,
  ), "run.fill_model is unknown"); // E64
  require(run.indicator_set === "tv", "run.indicator_set must be tv"); // E64
  require(run.htf_mode === "confirmed", "run.htf_mode must be confirmed"); // E64
  require(run.maintenance_margin_rate * run.leverage <
    1, "run.maintenance_margin_rate * run.leverage must be below 1"); // E52
  const { general, macd, rsi } = config;
  require(general.allow_long ||
    general.allow_short, "one direction must be allowed");
  require(macd.fast < macd.slow, "macd.fast must be below macd.slow");
  require(rsi.buy_level <
    rsi.sell_level, "rsi.buy_level must be below rsi.sell_level");
  for (const interval of intervalsInUse(config, run)) {
    require(interval % run.timeframe_min ===
      0, `interval ${interval} is not a multiple of base`);
    require(interval <= 1440 ||
      interval % 1440 === 0, `interval ${interval} is not whole days`);
  }
}

/** Candle intervals in minutes that the enabled indicators read (E61: not a disabled trend). */
export function intervalsInUse(config: Config, run: RunSettings): number[] {
  const out = [
    config.bbands.interval_min,
    config.macd.interval_min,
    config.rsi.interval_min,
  ];
  if (config.trend.enabled) out.push(config.trend.ma_interval_min);
  if (config.general.use_ma_direction) out.push(gateInterval(config, run));
  return out;
}

/** Interval of the MA gate in minutes; 0 stands for the base timeframe (E21). */
export function gateInterval(config: Config, run: RunSettings): number {
  return config.general.ma_interval_min === 0
    ? run.timeframe_min
    : config.general.ma_interval_min;
}
