// Exponential moving average, incremental and as a column from one definition.
// Used for trend, gate, bands and MACD; it keeps no history and never looks ahead.
import { assert } from "../model/result.ts";

/**
 * Exponential average with weight 2/(length + 1) on the newest input.
 * Seeded with the plain mean of the first `length` inputs (rule E9); NaN until then.
 */
export class Ema {
  private readonly length: number;
  private readonly alpha: number;
  private missing: number;
  private sum = 0;
  private current = Number.NaN;

  /** @param length whole number of at least 1 */
  constructor(length: number) {
    assert(Number.isInteger(length) && length >= 1, `average length ${length} must be 1 or more`);
    this.length = length;
    this.alpha = 2 / (length + 1);
    this.missing = length;
  }

  /** The value after the last push, NaN while not ready. */
  get value(): number {
    return this.current;
  }

  /** Takes the next input and returns the new value, NaN while not ready. */
  push(x: number): number {
    if (this.missing > 0) return this.seed(x);
    const previous = this.current;
    const next = previous + this.alpha * (x - previous);
    this.current = next;
    return next;
  }

  private seed(x: number): number {
    this.sum += x;
    this.missing -= 1;
    if (this.missing > 0) return Number.NaN;
    const mean = this.sum / this.length;
    this.current = mean;
    return mean;
  }
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
  const average = new Ema(length);
  for (let i = 0; i < src.length; i++) out[i] = average.push(src[i]!);
  return out;
}
