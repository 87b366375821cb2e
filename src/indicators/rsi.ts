// Relative strength index (Wilder 1978), incremental and as a column from one definition.
// Used for the RSI vote on bin closes; never uses Cutler's simple sums.
import { createRma } from "./rma.ts";
import type { SmoothedAverage } from "./smoothed-average.ts";

/**
 * 100 - 100/(1 + gains/losses) of Wilder averages of the changes; first value on close `length` +
 * 1. 100 when the average loss is 0, also when there was no gain either (rule E9).
 */
export class Rsi {
  private readonly gains: SmoothedAverage;
  private readonly losses: SmoothedAverage;
  private missing: number;
  private previousClose = Number.NaN;
  private current = Number.NaN;

  /** @param length number of changes averaged, at least 1 */
  constructor(length: number) {
    this.gains = createRma(length);
    this.losses = createRma(length);
    this.missing = length;
  }

  /** The value after the last push, 0..100, NaN while not ready. */
  get value(): number {
    return this.current;
  }

  /** Takes the next close and returns the new value, NaN while not ready. */
  push(close: number): number {
    if (this.missing > 0) return this.prime(close);
    const change = close - this.previousClose;
    this.previousClose = close;
    // (|x| + x) / 2 is exactly max(x, 0), without a branch nobody can predict.
    const gain = (Math.abs(change) + change) / 2;
    const value = strength(this.gains.push(gain), this.losses.push(gain - change));
    this.current = value;
    return value;
  }

  /** Apart from `push`, so that compiled loops never meet the NaNs of unfinished averages. */
  private prime(close: number): number {
    const change = close - this.previousClose;
    this.previousClose = close;
    this.missing -= 1;
    if (!Number.isNaN(change)) {
      this.gains.push(Math.max(change, 0));
      this.losses.push(Math.max(-change, 0));
    }
    return Number.NaN;
  }
}

function strength(gain: number, loss: number): number {
  return loss === 0 ? 100 : 100 - 100 / (1 + gain / loss);
}

/** The RSI after each close, NaN while not ready. */
export function rsiColumn(
  closes: Float64Array,
  length: number,
  out: Float64Array = new Float64Array(closes.length),
): Float64Array {
  const rsi = new Rsi(length);
  for (let i = 0; i < closes.length; i++) out[i] = rsi.push(closes[i]!);
  return out;
}
