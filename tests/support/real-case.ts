// Recorded candles as engine cases: one file, several configurations that trade often. Reads ../shared/data
// and is used only by tests that need it.
import { join } from "node:path";
import { readCandleFile } from "../../src/services/research/candle-files.ts";
import type { CaseDocuments } from "./engine-case.ts";

/** Folder of the recorded candles beside the repository. */
export const DATA_DIR = join(import.meta.dir, "../../../shared/data/candles");

const MINUTES: Record<string, number> = {
  binance_perp_ETHUSDT_15m: 15,
  sol15_gappy: 15,
  btc1h_gappy: 60,
};

/** Candles a case is cut to: enough for hundreds of cycles, few enough for the slow oracle. */
const CANDLES_MAX = 12_000;

function config(minutes: number, variant: number): object {
  const isAtr = variant === 1;
  return {
    general: {
      max_entries: 4,
      initial_entry_balance_pct: 5,
      entry_order_style: variant === 2 ? "maker_or_cancel" : "market",
      exit_order_style: variant === 0 ? "limit" : "maker_or_cancel",
      entry_timeout_min: 3 * minutes,
      entry_cooldown_min: minutes,
      allow_short: true,
      dynamic_activation: variant === 2 ? { entry_pct: 0.5, dca_pct: 0.5, tp_pct: 0.5 } : {},
    },
    exits: isAtr
      ? { sl_mode: "ATR", sl_atr_mult: 6, tp_mode: "ATR", tp_atr_mult: 8 }
      : { sl_pct: 3, tp_mode: "PCT", tp_pct: 1, trail_distance_pct: variant === 2 ? 1 : 0 },
    dca: { base_deviation_pct: 0.8, deviation_multiplier: 1.5, volume_multiplier: 1.5 },
    trend: { ma_interval_min: 4 * minutes, ma_len: 30 },
    bbands: { interval_min: 2 * minutes, length: 20, dev_up: 1.2, dev_down: 1.2 },
    macd: { interval_min: 2 * minutes, fast: 12, slow: 26, signal: 7 },
    rsi: { interval_min: 2 * minutes, length: 14, buy_level: 45, sell_level: 55 },
  };
}

/** Three cases over the start of a recorded file. */
export async function realCase(name: string): Promise<CaseDocuments[]> {
  const minutes = MINUTES[name] ?? 15;
  const all = await readCandleFile(join(DATA_DIR, `${name}.csv.gz`));
  const take = (column: Float64Array) => Array.from(column.subarray(0, CANDLES_MAX));
  const candles = {
    t: take(all.openAt),
    o: take(all.open),
    h: take(all.high),
    l: take(all.low),
    c: take(all.close),
    v: take(all.volume),
  };
  const from = (candles.t[0] ?? 0) + 1000 * minutes * 60_000;
  const to = candles.t.at(-1) ?? 0;
  return [0, 1, 2].map((variant) => ({
    candles,
    config: config(minutes, variant),
    instrument: { price_tick: 0.01, qty_step: 0.001, min_qty: 0.001, min_notional: 5 },
    run: {
      timeframe_min: minutes,
      from,
      to,
      initial_balance: 10_000,
      fill_model: variant === 1 ? "pessimistic" : "path",
      touch_fills: variant !== 2,
      slippage_bps: 2,
      leverage: 5,
    },
  }));
}
