// The configuration that the demo trades and tests with, built to be watched: it decides at nearly every close
// of a minute, needs half an hour of history that is always there, and shows take-profit, rungs and stop at
// once. Used by services/desk/demo.ts; it earns nothing on real prices and must never be offered for them.
import { type DcaAtrConfig, parseConfig } from "./config.ts";

/** Its name, as pages and the manual write it. */
export const DEMO_CONFIG_NAME = "demo-quick";

/** Minutes of a candle that the configuration is made for. */
export const DEMO_TIMEFRAME_MIN = 1;

/**
 * The complete configuration: long and short, a market entry of 5 % of the balance, two rungs 0.2 % and
 * 0.4 % beyond the average entry, 0.2 % to the take-profit, 1 % to the stop.
 */
export function demoConfig(): DcaAtrConfig {
  return parseConfig({
    general: {
      // Two of three short indicators agree on one side at nearly every close.
      allow_short: true,
      max_entries: 3,
      initial_entry_balance_pct: 5,
      entry_order_style: "market",
      exit_order_style: "limit",
      entry_cooldown_min: 0,
    },
    trend: { enabled: false, ma_interval_min: DEMO_TIMEFRAME_MIN },
    bbands: { interval_min: DEMO_TIMEFRAME_MIN, length: 5, dev_up: 0.1, dev_down: 0.1 },
    macd: { interval_min: DEMO_TIMEFRAME_MIN, fast: 2, slow: 4, signal: 2 },
    rsi: {
      interval_min: DEMO_TIMEFRAME_MIN,
      length: 3,
      buy_level: 49.9,
      sell_level: 50.1,
    },
    exits: { tp_mode: "PCT", tp_pct: 0.2, sl_pct: 1, trail_distance_pct: 0, atr_period: 3 },
    dca: { base_deviation_pct: 0.2, deviation_multiplier: 2, volume_multiplier: 1.5 },
  });
}
