// Exponential moving average, incremental and as a column from one definition.
// Used for trend, gate, bands and MACD.
import { SmoothedAverage } from "./smoothed-average.ts";

/** Exponential average with weight 2/(length + 1) on the newest input. */
export function createEma(length: number): SmoothedAverage {
  return new SmoothedAverage(length, 2 / (length + 1));
}

/**
 * The average after each input, NaN while not ready.
 * @param out where to write (at least as long as `src`); a new column when absent
 */
export function emaColumn(
  src: Float64Array,
  length: number,
  out: Float64Array = new Float64Array(src.length),
): Float64Array {
  const average = createEma(length);
  for (let i = 0; i < src.length; i++) out[i] = average.push(src[i]!);
  return out;
}
