// Candles as columns. A series is sorted by open time, without duplicates; missing candles are
// simply absent (nothing is ever filled in). Used by every room that touches market history.
import { assert } from "./result.ts";
import type { EpochMs } from "./time.ts";

/** One candle; `openAt` is its open time in ms UTC, volume in base units. */
export type Candle = {
  readonly openAt: EpochMs;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
};

/** Columns of equal length, strictly ascending by `openAt`. May be views on shared memory. */
export type CandleSeries = {
  readonly length: number;
  readonly openAt: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
};

export const CANDLE_COLUMNS = ["openAt", "open", "high", "low", "close", "volume"] as const;

/** Allocates empty columns of the given length. */
export function emptySeries(length: number): CandleSeries {
  const column = () => new Float64Array(length);
  return {
    length,
    openAt: column(),
    open: column(),
    high: column(),
    low: column(),
    close: column(),
    volume: column(),
  };
}

/** Builds a series from candle objects (tests, small imports). */
export function seriesOf(candles: readonly Candle[]): CandleSeries {
  const series = emptySeries(candles.length);
  candles.forEach((candle, i) => {
    for (const name of CANDLE_COLUMNS) series[name][i] = candle[name];
  });
  return series;
}

/** A view (no copy) of the candles from index `from` up to but not including `to`. */
export function sliceSeries(series: CandleSeries, from: number, to: number): CandleSeries {
  assert(
    from >= 0 && to >= from && to <= series.length,
    `slice ${from}..${to} of ${series.length}`,
  );
  return {
    length: to - from,
    openAt: series.openAt.subarray(from, to),
    open: series.open.subarray(from, to),
    high: series.high.subarray(from, to),
    low: series.low.subarray(from, to),
    close: series.close.subarray(from, to),
    volume: series.volume.subarray(from, to),
  };
}

/** Index of the first candle whose open time is at or after `at`; the length when there is none. */
export function firstAtOrAfter(openAt: Float64Array, at: EpochMs): number {
  let low = 0;
  let high = openAt.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (openAt[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Funding rates of a perpetual: instants (ms UTC, ascending) and the rate exchanged at each. */
export type FundingSeries = {
  readonly length: number;
  readonly at: Float64Array;
  readonly rate: Float64Array;
};
