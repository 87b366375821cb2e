// The stored form of a stretch of candles: one version byte, then columns as byte planes, packed
// with zstd. Used by candle-repository.ts. Lossless to the last bit of every float.
import type { CandleSeries } from "../../model/candle.ts";
import { InvariantError } from "../../model/result.ts";
import {
  decimalsOf,
  fold,
  PlaneReader,
  PlaneWriter,
  RAW,
  scaleOf,
  unfold,
} from "./candle-planes.ts";

const VERSION = 1;
const ZSTD_LEVEL = 3;
const COLUMNS = 6;
const HEADER_BYTES = 32;

/** Puts the version byte before the packed bytes. */
export function pack(bytes: Uint8Array): Uint8Array {
  const packed = Bun.zstdCompressSync(bytes, { level: ZSTD_LEVEL });
  const stored = new Uint8Array(packed.length + 1);
  stored[0] = VERSION;
  stored.set(packed, 1);
  return stored;
}

/** The inverse of `pack`. @throws InvariantError when another version wrote it */
export function unpack(stored: Uint8Array): Uint8Array {
  if (stored[0] !== VERSION) {
    throw new InvariantError(`a stored chunk has format ${stored[0]}; only ${VERSION} is known`);
  }
  return Bun.zstdDecompressSync(stored.subarray(1));
}

/** Ascending instants as steps over their common unit. */
export function writeInstants(writer: PlaneWriter, at: Float64Array): void {
  const steps = new Float64Array(at.length);
  let unit = Number.POSITIVE_INFINITY;
  for (let i = 1; i < at.length; i++) {
    steps[i] = at[i]! - at[i - 1]!;
    unit = Math.min(unit, steps[i]!);
  }
  if (!steps.every((step) => step % unit === 0) || unit === Number.POSITIVE_INFINITY) unit = 1;
  for (let i = 1; i < at.length; i++) steps[i] = steps[i]! / unit;
  writer.float(at[0] ?? 0);
  writer.float(unit);
  writer.wholes(steps);
}

/** Reads what `writeInstants` wrote into `out`. */
export function readInstants(reader: PlaneReader, out: Float64Array): void {
  const first = reader.float();
  const unit = reader.float();
  reader.wholes(out);
  let at = first;
  for (let i = 0; i < out.length; i++) {
    at += out[i]! * unit;
    out[i] = at;
  }
}

/** Writes one column of decimals, folded whole numbers, or floats when it holds others. */
export function writeDecimals(writer: PlaneWriter, column: Float64Array): void {
  const decimals = decimalsOf([column]);
  writer.byte(decimals);
  if (decimals === RAW) {
    writer.floats(column);
    return;
  }
  const scale = scaleOf(decimals);
  const wholes = new Float64Array(column.length);
  for (let i = 0; i < column.length; i++) wholes[i] = fold(Math.round(column[i]! * scale));
  writer.wholes(wholes);
}

/** Reads what `writeDecimals` wrote into `out`. */
export function readDecimals(reader: PlaneReader, out: Float64Array): void {
  const decimals = reader.byte();
  if (decimals === RAW) {
    reader.floats(out);
    return;
  }
  const scale = scaleOf(decimals);
  reader.wholes(out);
  for (let i = 0; i < out.length; i++) out[i] = unfold(out[i]!) / scale;
}

/** Packs candles; whole milliseconds as open times. */
export function encodeCandles(series: CandleSeries): Uint8Array {
  const writer = new PlaneWriter(series.length, COLUMNS, HEADER_BYTES);
  writer.count();
  writeInstants(writer, series.openAt);
  const prices = [series.open, series.high, series.low, series.close] as const;
  const decimals = decimalsOf(prices);
  writer.byte(decimals);
  if (decimals === RAW) for (const column of prices) writer.floats(column);
  else writePrices(writer, series, scaleOf(decimals));
  writeDecimals(writer, series.volume);
  return pack(writer.done());
}

/** Open from the close before, close from open, high and low from the body: all small numbers. */
function writePrices(writer: PlaneWriter, series: CandleSeries, scale: number): void {
  const { length } = series;
  const columns = [0, 1, 2, 3].map(() => new Float64Array(length));
  const [opens, highs, lows, closes] = columns as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let before = 0;
  for (let i = 0; i < length; i++) {
    const open = Math.round(series.open[i]! * scale);
    const close = Math.round(series.close[i]! * scale);
    opens[i] = fold(open - before);
    highs[i] = fold(Math.round(series.high[i]! * scale) - Math.max(open, close));
    lows[i] = fold(Math.min(open, close) - Math.round(series.low[i]! * scale));
    closes[i] = fold(close - open);
    before = close;
  }
  for (const column of columns) writer.wholes(column);
}

/**
 * Unpacks a chunk into `out` from index `offset` on.
 * @returns how many candles it held
 * @throws InvariantError when the bytes are not a chunk or do not fit
 */
export function decodeCandles(stored: Uint8Array, out: CandleSeries, offset: number): number {
  const reader = new PlaneReader(unpack(stored));
  const count = reader.count();
  const end = offset + count;
  if (end > out.length) throw new InvariantError(`a chunk of ${count} candles does not fit`);
  readInstants(reader, out.openAt.subarray(offset, end));
  const open = out.open.subarray(offset, end);
  const high = out.high.subarray(offset, end);
  const low = out.low.subarray(offset, end);
  const close = out.close.subarray(offset, end);
  const decimals = reader.byte();
  if (decimals === RAW) for (const column of [open, high, low, close]) reader.floats(column);
  else {
    for (const column of [open, high, low, close]) reader.wholes(column);
    restorePrices(open, high, low, close, scaleOf(decimals));
  }
  readDecimals(reader, out.volume.subarray(offset, end));
  return count;
}

function restorePrices(
  open: Float64Array,
  high: Float64Array,
  low: Float64Array,
  close: Float64Array,
  scale: number,
): void {
  let before = 0;
  for (let i = 0; i < open.length; i++) {
    const opened = before + unfold(open[i]!);
    const closed = opened + unfold(close[i]!);
    open[i] = opened / scale;
    high[i] = (Math.max(opened, closed) + unfold(high[i]!)) / scale;
    low[i] = (Math.min(opened, closed) - unfold(low[i]!)) / scale;
    close[i] = closed / scale;
    before = closed;
  }
}
