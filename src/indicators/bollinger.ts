// Bollinger bands, incremental and as columns from one definition. Used for the band vote on bin
// closes. Sigma is always taken about the simple mean, also when the basis is an EMA (rule E9).
import type { MovingAverage, MovingAverageType } from "./moving-average.ts";
import { createMovingAverage } from "./moving-average.ts";
import { Sma } from "./sma.ts";

/**
 * Basis ± deviations * sigma over the last `length` inputs; all three lines start on input
 * `length`.
 */
export class Bollinger {
  /** NaN while not ready. */
  middle = Number.NaN;
  /** NaN while not ready. */
  upper = Number.NaN;
  /** NaN while not ready. */
  lower = Number.NaN;
  private readonly mean: Sma;
  private readonly basis: MovingAverage;
  private readonly length: number;
  private readonly devUp: number;
  private readonly devDown: number;
  private missing: number;

  /** The length is a whole number of at least 1; `devUp` and `devDown` are multiples of sigma. */
  constructor(length: number, devUp: number, devDown: number, type: MovingAverageType) {
    this.mean = new Sma(length);
    this.basis = type === "Sma" ? this.mean : createMovingAverage(type, length);
    this.length = length;
    this.devUp = devUp;
    this.devDown = devDown;
    this.missing = length - 1;
  }

  /** Takes the next input; true once the three lines are defined. */
  push(x: number): boolean {
    if (this.missing > 0) return this.prime(x);
    const mean = this.mean.push(x);
    const middle = this.basis === this.mean ? mean : this.basis.push(x);
    const sigma = this.sigmaAbout(mean);
    this.middle = middle;
    this.upper = middle + this.devUp * sigma;
    this.lower = middle - this.devDown * sigma;
    return true;
  }

  /** Apart from `push`, so that compiled loops never meet the NaNs of unfinished averages. */
  private prime(x: number): false {
    this.missing -= 1;
    this.mean.push(x);
    if (this.basis !== this.mean) this.basis.push(x);
    return false;
  }

  /** Second pass over the window: population deviation about its mean. */
  private sigmaAbout(mean: number): number {
    const window = this.mean.window;
    const length = this.length;
    // Four sums, because one chain of dependent additions would wait for itself.
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let i = 0;
    for (; i + 3 < length; i += 4) {
      const a = window[i]! - mean;
      const b = window[i + 1]! - mean;
      const c = window[i + 2]! - mean;
      const d = window[i + 3]! - mean;
      s0 += a * a;
      s1 += b * b;
      s2 += c * c;
      s3 += d * d;
    }
    for (; i < length; i++) {
      const a = window[i]! - mean;
      s0 += a * a;
    }
    return Math.sqrt((s0 + s1 + s2 + s3) / length);
  }
}

/** The three lines, each as long as the input, NaN while not ready. */
export type BollingerColumns = {
  readonly middle: Float64Array;
  readonly upper: Float64Array;
  readonly lower: Float64Array;
};

/** The bands after each input. */
export function bollingerColumns(
  src: Float64Array,
  length: number,
  devUp: number,
  devDown: number,
  type: MovingAverageType,
): BollingerColumns {
  const bands = new Bollinger(length, devUp, devDown, type);
  const columns = {
    middle: new Float64Array(src.length),
    upper: new Float64Array(src.length),
    lower: new Float64Array(src.length),
  };
  for (let i = 0; i < src.length; i++) {
    const isReady = bands.push(src[i]!);
    columns.middle[i] = isReady ? bands.middle : Number.NaN;
    columns.upper[i] = isReady ? bands.upper : Number.NaN;
    columns.lower[i] = isReady ? bands.lower : Number.NaN;
  }
  return columns;
}
