// Field names older programs wrote, and what they are called today. Read by the import and by the sentence
// that refuses an old name.

/** Old name (group.field, or a bare name at the top) to today's group and field. */
export const LEGACY_ALIASES: Readonly<Record<string, readonly [string, string]>> = {
  "exits.fixed_sl_pct": ["exits", "sl_pct"],
  "exits.fixed_tp_pct": ["exits", "tp_pct"],
  "exits.trail_stop_pct": ["exits", "trail_distance_pct"],
  "exits.tp_atr_multiple": ["exits", "tp_atr_mult"],
  "exits.tp_atr_period": ["exits", "atr_period"],
  "trend.ma_length": ["trend", "ma_len"],
  bb_interval_min: ["bbands", "interval_min"],
  bb_length: ["bbands", "length"],
  bb_dev_up: ["bbands", "dev_up"],
  bb_dev_down: ["bbands", "dev_down"],
  bb_ma_type: ["bbands", "ma_type"],
  bb_deviation: ["bbands", "deviation"],
  bb_require_fcc: ["bbands", "require_fcc"],
  bb_reset_middle: ["bbands", "reset_middle"],
  bb_allow_mid_sells: ["bbands", "allow_mid_sells"],
  bbands_deviation: ["bbands", "deviation"],
  macd_interval_min: ["macd", "interval_min"],
  macd_fast: ["macd", "fast"],
  macd_slow: ["macd", "slow"],
  macd_signal: ["macd", "signal"],
  rsi_interval_min: ["rsi", "interval_min"],
  rsi_length: ["rsi", "length"],
  rsi_buy_level: ["rsi", "buy_level"],
  rsi_sell_level: ["rsi", "sell_level"],
};
