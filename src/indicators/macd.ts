// Moving average convergence divergence, incremental and as columns from one definition. Used for
// the MACD vote on bin closes; the sign tolerance of the vote (E4) belongs to the strategy.
import { assert } from "../model/result.ts";
import { createEma } from "./ema.ts";
import type { SmoothedAverage } from "./smoothed-average.ts";

/**
 * Line = fast EMA - slow EMA, first on input `slow`; signal = EMA of the line, seeded with the mean
 * of the first `signal` line values (rule E9); histogram = line - signal.
 */
export class Macd {
  private readonly fastAverage: SmoothedAverage;
  private readonly slowAverage: SmoothedAverage;
  private readonly signalAverage: SmoothedAverage;
  private currentLine = Number.NaN;
  private currentHistogram = Number.NaN;

  /** @param fast shorter length, below `slow`; all three are whole numbers of at least 1 */
  constructor(fast: number, slow: number, signal: number) {
    assert(fast < slow, `MACD fast ${fast} must be below slow ${slow}`);
    this.fastAverage = createEma(fast);
    this.slowAverage = createEma(slow);
    this.signalAverage = createEma(signal);
  }

  /** Fast minus slow average, NaN while not ready. */
  get line(): number {
    return this.currentLine;
  }

  /** Average of the line, NaN while not ready. */
  get signal(): number {
    return this.signalAverage.value;
  }

  /** Line minus signal, NaN while not ready. */
  get histogram(): number {
    return this.currentHistogram;
  }

  /** Takes the next input and returns the new histogram, NaN while not ready. */
  push(x: number): number {
    const line = this.fastAverage.push(x) - this.slowAverage.push(x);
    if (Number.isNaN(line)) return Number.NaN;
    this.currentLine = line;
    this.currentHistogram = line - this.signalAverage.push(line);
    return this.currentHistogram;
  }
}

/** The three MACD series, each as long as the input, NaN while not ready. */
export type MacdColumns = {
  readonly line: Float64Array;
  readonly signal: Float64Array;
  readonly histogram: Float64Array;
};

/** The MACD after each input. */
export function macdColumns(
  src: Float64Array,
  fast: number,
  slow: number,
  signal: number,
): MacdColumns {
  const macd = new Macd(fast, slow, signal);
  const columns = {
    line: new Float64Array(src.length),
    signal: new Float64Array(src.length),
    histogram: new Float64Array(src.length),
  };
  for (let i = 0; i < src.length; i++) {
    columns.histogram[i] = macd.push(src[i]!);
    columns.line[i] = macd.line;
    columns.signal[i] = macd.signal;
  }
  return columns;
}

/** The histogram alone, for those who only ask for its sign. */
export function macdHistogramColumn(
  src: Float64Array,
  fast: number,
  slow: number,
  signal: number,
): Float64Array {
  const macd = new Macd(fast, slow, signal);
  const column = new Float64Array(src.length);
  for (let i = 0; i < src.length; i++) column[i] = macd.push(src[i]!);
  return column;
}
