// Wilder's moving average (Wilder 1978), incremental and as a column from one definition.
// Used by RSI and ATR.
import { SmoothedAverage } from "./smoothed-average.ts";

/** Wilder's average with weight 1/length on the newest input. */
export function createRma(length: number): SmoothedAverage {
  return new SmoothedAverage(length, 1 / length);
}

/**
 * The average after each input, NaN while not ready.
 * @param out where to write (at least as long as `src`); a new column when absent
 */
export function rmaColumn(
  src: Float64Array,
  length: number,
  out: Float64Array = new Float64Array(src.length),
): Float64Array {
  const average = createRma(length);
  for (let i = 0; i < src.length; i++) out[i] = average.push(src[i]!);
  return out;
}
