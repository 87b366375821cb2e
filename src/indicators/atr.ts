// Average true range (Wilder 1978), incremental and as a column from one definition. Used on base
// candles for stops, ladder and take-profit distances; a gap is measured, never filled.
import { createRma } from "./rma.ts";
import type { SmoothedAverage } from "./smoothed-average.ts";

/**
 * Wilder average of the true range; first value on candle `length`.
 * The very first true range is high - low, later ones look back to the last existing close (E9,
 * E13).
 */
export class Atr {
  private readonly ranges: SmoothedAverage;
  private missing: number;
  private previousClose = Number.NaN;

  /** @param length number of true ranges averaged, at least 1 */
  constructor(length: number) {
    this.ranges = createRma(length);
    this.missing = length;
  }

  /** The value after the last push in price units, NaN while not ready. */
  get value(): number {
    return this.ranges.value;
  }

  /** Takes the next candle and returns the new value, NaN while not ready. */
  push(high: number, low: number, close: number): number {
    if (this.missing > 0) return this.prime(high, low, close);
    const before = this.previousClose;
    this.previousClose = close;
    // Two rare branches beat two maxima, which the compiler turns into four; the range is the same.
    if (before > high) return this.ranges.push(before - low);
    if (before < low) return this.ranges.push(high - before);
    return this.ranges.push(high - low);
  }

  /** Apart from `push`, so that compiled loops never meet the NaNs of an unfinished average. */
  private prime(high: number, low: number, close: number): number {
    const before = this.previousClose;
    const isFirst = Number.isNaN(before);
    const top = isFirst ? high : Math.max(high, before);
    const bottom = isFirst ? low : Math.min(low, before);
    this.previousClose = close;
    this.missing -= 1;
    this.ranges.push(top - bottom);
    return this.ranges.value;
  }
}

/** The ATR after each candle, NaN while not ready. */
export function atrColumn(
  high: Float64Array,
  low: Float64Array,
  close: Float64Array,
  length: number,
  out: Float64Array = new Float64Array(close.length),
): Float64Array {
  const atr = new Atr(length);
  for (let i = 0; i < close.length; i++) out[i] = atr.push(high[i]!, low[i]!, close[i]!);
  return out;
}
