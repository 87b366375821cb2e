// What candles and funding rates have in common for storage: columns that begin with ascending
// instants. Used by candle-chunk-table.ts, which stores either through one of the two codecs here.
import {
  CANDLE_COLUMNS,
  type CandleSeries,
  emptySeries,
  type FundingSeries,
  sliceSeries,
} from "../../model/candle.ts";
import type { EpochMs } from "../../model/time.ts";
import type { MergeCounts } from "../../ports/candle-store.ts";
import { decodeCandles, encodeCandles } from "./candle-chunk.ts";
import { decodeFunding, encodeFunding } from "./funding-chunk.ts";

/** How one kind of series is cut, packed and compared. */
export type SeriesCodec<Series> = {
  readonly content: "candles" | "funding";
  empty(length: number): Series;
  /** A view from index `from` up to but not including `to`. */
  slice(series: Series, from: number, to: number): Series;
  /** All columns, the instants first. */
  columns(series: Series): readonly Float64Array[];
  encode(series: Series): Uint8Array;
  decode(stored: Uint8Array, out: Series, offset: number): number;
};

/** Candles by open time. */
export const CANDLE_CODEC: SeriesCodec<CandleSeries> = {
  content: "candles",
  empty: emptySeries,
  slice: sliceSeries,
  columns: (series) => CANDLE_COLUMNS.map((name) => series[name]),
  encode: encodeCandles,
  decode: decodeCandles,
};

/** Funding rates by the instant of the exchange of payments. */
export const FUNDING_CODEC: SeriesCodec<FundingSeries> = {
  content: "funding",
  empty: (length) => ({
    length,
    at: new Float64Array(length),
    rate: new Float64Array(length),
  }),
  slice: (series, from, to) => ({
    length: to - from,
    at: series.at.subarray(from, to),
    rate: series.rate.subarray(from, to),
  }),
  columns: (series) => [series.at, series.rate],
  encode: encodeFunding,
  decode: decodeFunding,
};

/** The instants of a series. */
export function instantsOf<Series>(codec: SeriesCodec<Series>, series: Series): Float64Array {
  return codec.columns(series)[0] ?? new Float64Array(0);
}

/** Unpacks one stored chunk of known size. */
export function decodeWhole<Series>(
  codec: SeriesCodec<Series>,
  stored: Uint8Array,
  items: number,
): Series {
  const series = codec.empty(items);
  codec.decode(stored, series, 0);
  return series;
}

/** Both series in one, ascending; at equal instants the incoming values win. */
export function mergeSeries<Series>(
  codec: SeriesCodec<Series>,
  stored: Series,
  incoming: Series,
): { series: Series; counts: MergeCounts } {
  const old = codec.columns(stored);
  const fresh = codec.columns(incoming);
  const oldAt = instantsOf(codec, stored);
  const freshAt = instantsOf(codec, incoming);
  // Where each item of the result comes from: index in stored, or -1 - index in incoming.
  const origin = new Int32Array(oldAt.length + freshAt.length);
  let i = 0;
  let length = 0;
  let replaced = 0;
  let unchanged = 0;
  for (let j = 0; j < freshAt.length; j++) {
    while (i < oldAt.length && oldAt[i]! < freshAt[j]!) origin[length++] = i++;
    if (i < oldAt.length && oldAt[i] === freshAt[j]) {
      if (isSame(old, i, fresh, j)) unchanged++;
      else replaced++;
      i++;
    }
    origin[length++] = -1 - j;
  }
  while (i < oldAt.length) origin[length++] = i++;
  const series = codec.empty(length);
  codec.columns(series).forEach((column, k) => {
    const from = old[k]!;
    const over = fresh[k]!;
    for (let n = 0; n < length; n++) {
      const at = origin[n]!;
      column[n] = at >= 0 ? from[at]! : over[-1 - at]!;
    }
  });
  const added = freshAt.length - replaced - unchanged;
  return { series, counts: { added, replaced, unchanged } };
}

function isSame(
  a: readonly Float64Array[],
  i: number,
  b: readonly Float64Array[],
  j: number,
): boolean {
  return a.every((column, k) => Object.is(column[i], b[k]?.[j]));
}

/** Counts of two merges together. */
export function addCounts(a: MergeCounts, b: MergeCounts): MergeCounts {
  return {
    added: a.added + b.added,
    replaced: a.replaced + b.replaced,
    unchanged: a.unchanged + b.unchanged,
  };
}

/** Holes between neighbours further apart than the step; 0 for a step of 0. */
export function countGaps(at: Float64Array, stepMs: EpochMs): number {
  let gaps = 0;
  if (stepMs > 0) {
    for (let i = 1; i < at.length; i++) if (at[i]! - at[i - 1]! > stepMs) gaps++;
  }
  return gaps;
}
