// Simple moving average, incremental and as a column from one definition. Used by the engine for
// trend, gate and bands, and by the other indicators here; never fills gaps or keeps more than its
// window.
import { assert } from "../model/result.ts";

/** The running sum is added up afresh every 4096 pushes, so that rounding errors cannot pile up. */
const RECOMPUTE_MASK = 4096 - 1;

/** Mean of the last `length` inputs; NaN until there are that many. */
export class Sma {
  /** The last `length` inputs in ring order, not in time order; unfilled places hold 0. */
  readonly window: Float64Array;
  private readonly length: number;
  // One-element column: a double kept there is not boxed and unboxed on every push.
  private readonly sum = new Float64Array(1);
  private cursor = 0;
  private pushes = 0;
  private current = Number.NaN;

  /** @param length whole number of at least 1 */
  constructor(length: number) {
    assert(Number.isInteger(length) && length >= 1, `average length ${length} must be 1 or more`);
    this.window = new Float64Array(length);
    this.length = length;
  }

  /** The value after the last push, NaN while not ready. */
  get value(): number {
    return this.current;
  }

  /** Takes the next input and returns the new value, NaN while not ready. */
  push(x: number): number {
    const { window, sum, cursor, length } = this;
    sum[0]! += x - window[cursor]!;
    window[cursor] = x;
    this.cursor = cursor + 1 === length ? 0 : cursor + 1;
    const pushes = ++this.pushes;
    if ((pushes & RECOMPUTE_MASK) === 0) this.recompute();
    if (pushes < length) return Number.NaN;
    const value = sum[0]! / length;
    this.current = value;
    return value;
  }

  private recompute(): void {
    let sum = 0;
    for (let i = 0; i < this.length; i++) sum += this.window[i]!;
    this.sum[0] = sum;
  }
}

/**
 * The average after each input, NaN while not ready.
 * @param out where to write (at least as long as `src`); a new column when absent
 */
export function smaColumn(
  src: Float64Array,
  length: number,
  out: Float64Array = new Float64Array(src.length),
): Float64Array {
  const sma = new Sma(length);
  for (let i = 0; i < src.length; i++) out[i] = sma.push(src[i]!);
  return out;
}
