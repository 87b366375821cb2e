// The recursive average behind EMA and Wilder's average; they differ only in the weight of the newest input.
// It keeps no history and never looks ahead.
import { assert } from "../model/result.ts";

/**
 * Recursive average: v += alpha * (x - v). Seeded with the plain mean of the first `length` inputs
 * (rule E9); NaN until then.
 */
export class SmoothedAverage {
  private readonly length: number;
  private readonly alpha: number;
  private missing: number;
  private sum = 0;
  private current = Number.NaN;

  /** @param length whole number of at least 1 @param alpha weight of the newest input */
  constructor(length: number, alpha: number) {
    assert(Number.isInteger(length) && length >= 1, `average length ${length} must be 1 or more`);
    this.length = length;
    this.alpha = alpha;
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
