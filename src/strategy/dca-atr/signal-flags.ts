// One definition of what the indicators say at the close of a candle: readiness, trend, votes, signal, gate.
// Columns (backtest) and the incremental feed (live) both call `evaluate`; neither has a second opinion.
import { isAbove, isAtLeast, isAtMost, isBelow, TOLERANCE } from "../../model/tolerance.ts";
import type { DcaAtrConfig } from "./config.ts";

/** The four indicators are defined (rule E14). */
export const READY = 1;
export const TREND_LONG = 2;
export const TREND_SHORT = 4;
/** Consensus, or the Bollinger vote when consensus is off. */
export const SIGNAL_LONG = 8;
export const SIGNAL_SHORT = 16;
export const GATE_LONG = 32;
export const GATE_SHORT = 64;
export const VOTE_BB_LONG = 128;
export const VOTE_BB_SHORT = 256;
export const VOTE_MACD_LONG = 512;
export const VOTE_MACD_SHORT = 1024;
export const VOTE_RSI_LONG = 2048;
export const VOTE_RSI_SHORT = 4096;

/** Values of the last closed bins at one base close; NaN = not ready. */
export type SignalValues = {
  trend: number;
  middle: number;
  upper: number;
  lower: number;
  /** high and low of the last closed Bollinger bin, for the full-candle cross */
  binHigh: number;
  binLow: number;
  histogram: number;
  /** close of the bin the histogram belongs to, the scale of its tolerance */
  histogramClose: number;
  rsi: number;
  gate: number;
};

/** Values before anything is ready. */
export function noSignalValues(): SignalValues {
  const none = Number.NaN;
  return {
    trend: none,
    middle: none,
    upper: none,
    lower: none,
    binHigh: none,
    binLow: none,
    histogram: none,
    histogramClose: none,
    rsi: none,
    gate: none,
  };
}

/** Long and short latch of `reset_middle` (rule E20); off it stays 0 and is not read. */
export type Latch = { long: boolean; short: boolean };

/** Bollinger vote of a close before latching: bit VOTE_BB_LONG or VOTE_BB_SHORT. */
function bandTouch(config: DcaAtrConfig, v: SignalValues, close: number): number {
  const full = config.bbands.require_fcc;
  let bits = 0;
  if (isAtMost(full ? v.binHigh : close, v.lower)) bits |= VOTE_BB_LONG;
  if (isAtLeast(full ? v.binLow : close, v.upper)) bits |= VOTE_BB_SHORT;
  return bits;
}

/** Moves the latch on by one candle close: first set, then cleared beyond the middle line (rule E20). */
export function advanceLatch(config: DcaAtrConfig, v: SignalValues, close: number, latch: Latch) {
  if (!config.bbands.reset_middle || Number.isNaN(v.middle)) return;
  const touch = bandTouch(config, v, close);
  if (touch & VOTE_BB_LONG) latch.long = true;
  if (touch & VOTE_BB_SHORT) latch.short = true;
  if (isAbove(close, v.middle)) latch.long = false;
  if (isBelow(close, v.middle)) latch.short = false;
}

function bandVotes(config: DcaAtrConfig, v: SignalValues, close: number, latch: Latch): number {
  if (Number.isNaN(v.middle)) return 0;
  if (!config.bbands.reset_middle) return bandTouch(config, v, close);
  return (latch.long ? VOTE_BB_LONG : 0) | (latch.short ? VOTE_BB_SHORT : 0);
}

/** MACD votes by the sign of the histogram, with the tolerance of rule E4. */
export function macdVotes(histogram: number, close: number): number {
  if (histogram > TOLERANCE * close) return VOTE_MACD_LONG;
  return histogram < -TOLERANCE * close ? VOTE_MACD_SHORT : 0;
}

/** RSI votes against the buy and sell levels. */
export function rsiVotes(config: DcaAtrConfig, rsi: number): number {
  let bits = 0;
  if (isAtMost(rsi, config.rsi.buy_level)) bits |= VOTE_RSI_LONG;
  if (isAtLeast(rsi, config.rsi.sell_level)) bits |= VOTE_RSI_SHORT;
  return bits;
}

/** Signal bits out of the votes: two of three, or the Bollinger vote alone. */
export function signalOf(config: DcaAtrConfig, votes: number): number {
  const bb = (votes & VOTE_BB_LONG ? 1 : 0) | (votes & VOTE_BB_SHORT ? 2 : 0);
  if (!config.general.use_indicator_consensus) {
    return (bb & 1 ? SIGNAL_LONG : 0) | (bb & 2 ? SIGNAL_SHORT : 0);
  }
  const long = (bb & 1) + (votes & VOTE_MACD_LONG ? 1 : 0) + (votes & VOTE_RSI_LONG ? 1 : 0);
  const short = (bb >> 1) + (votes & VOTE_MACD_SHORT ? 1 : 0) + (votes & VOTE_RSI_SHORT ? 1 : 0);
  return (long >= 2 ? SIGNAL_LONG : 0) | (short >= 2 ? SIGNAL_SHORT : 0);
}

/** All bits of one candle close (rules E4, E8, E14, E20, E21). */
export function evaluate(
  config: DcaAtrConfig,
  v: SignalValues,
  close: number,
  latch: Latch,
): number {
  const trended = !config.trend.enabled || !Number.isNaN(v.trend);
  let bits = 0;
  if (trended && !Number.isNaN(v.middle) && !Number.isNaN(v.histogram) && !Number.isNaN(v.rsi)) {
    bits |= READY;
  }
  if (!config.trend.enabled) bits |= TREND_LONG | TREND_SHORT;
  else if (isAbove(close, v.trend)) bits |= TREND_LONG;
  else if (isBelow(close, v.trend)) bits |= TREND_SHORT;
  if (!config.general.use_ma_direction) bits |= GATE_LONG | GATE_SHORT;
  else if (isAbove(close, v.gate)) bits |= GATE_LONG;
  else if (isBelow(close, v.gate)) bits |= GATE_SHORT;
  const votes =
    bandVotes(config, v, close, latch) |
    macdVotes(v.histogram, v.histogramClose) |
    rsiVotes(config, v.rsi);
  return bits | votes | signalOf(config, votes);
}
