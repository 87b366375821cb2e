// The stored form of a stretch of funding rates, in the manner of candle-chunk.ts. Used by
// candle-repository.ts. Lossless to the last bit of every float.
import type { FundingSeries } from "../../model/candle.ts";
import { InvariantError } from "../../model/result.ts";
import {
  pack,
  readDecimals,
  readInstants,
  unpack,
  writeDecimals,
  writeInstants,
} from "./candle-chunk.ts";
import { PlaneReader, PlaneWriter } from "./candle-planes.ts";

const COLUMNS = 2;
const HEADER_BYTES = 32;

/** Packs funding rates; whole milliseconds as instants. */
export function encodeFunding(series: FundingSeries): Uint8Array {
  const writer = new PlaneWriter(series.length, COLUMNS, HEADER_BYTES);
  writer.count();
  writeInstants(writer, series.at);
  writeDecimals(writer, series.rate);
  return pack(writer.done());
}

/**
 * Unpacks a chunk into `out` from index `offset` on.
 * @returns how many rates it held
 */
export function decodeFunding(stored: Uint8Array, out: FundingSeries, offset: number): number {
  const reader = new PlaneReader(unpack(stored));
  const count = reader.count();
  const end = offset + count;
  if (end > out.length) throw new InvariantError(`a chunk of ${count} rates does not fit`);
  readInstants(reader, out.at.subarray(offset, end));
  readDecimals(reader, out.rate.subarray(offset, end));
  return count;
}
