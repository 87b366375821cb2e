// Finds candles by their open time from a place nearby. Called by the backtest loop, which asks for instants
// close ahead of the candle it is at.
import type { EpochMs } from "../model/time.ts";

/**
 * First candle at or after index `from` with an open time at or after the instant; the length when
 * there is none. Cheap when few candles are missing in between.
 */
export function candleFrom(
  openAt: Float64Array,
  from: number,
  at: EpochMs,
  timeframeMs: number,
): number {
  const { length } = openAt;
  if (from >= length || openAt[from]! >= at) return from;
  // Candles are at least a timeframe apart, so this is an upper bound; missing ones move it down.
  let high = Math.min(length, from + Math.ceil((at - openAt[from]!) / timeframeMs));
  let low = from;
  for (let reach = 1; high - reach > low; reach *= 2) {
    if (openAt[high - reach]! < at) {
      low = high - reach;
      break;
    }
    high -= reach;
  }
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (openAt[middle]! < at) low = middle;
    else high = middle;
  }
  return high;
}
