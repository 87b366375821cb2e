// Candle and funding files, plain or gzip (told by their first bytes, not by name), from disk or while
// they arrive. Used by import and by `dragon backtest`; a file with any problem yields nothing.
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { CandleSeries, FundingSeries } from "../../model/candle.ts";
import { type CsvReader, candleCsvReader, fundingCsvReader } from "../../model/candle-csv.ts";
import { CsvError } from "../../model/csv-numbers.ts";
import { InputError } from "../../model/result.ts";

/** A file as its bytes come; `name` stands before every sentence about it. */
export type FileBytes = {
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Most bytes after unpacking; without it there is no limit. */
  readonly plainBytesMax?: number;
};

/** What a file holds. */
export type History =
  | { readonly content: "candles"; readonly series: CandleSeries }
  | { readonly content: "funding"; readonly series: FundingSeries };

const CHUNK_BYTES = 1 << 20;
/** Enough to tell the two headers apart. */
const HEADER_BYTES = 64;

/**
 * Reads a candle file; with a timeframe every open time must be on its grid.
 * @throws InputError naming the file: it cannot be read, or (a CsvError) its lines are wrong
 */
export function readCandleFile(path: string, timeframeMin?: number): Promise<CandleSeries> {
  return read(fileAt(path), candleCsvReader(timeframeMin));
}

/** Reads a funding file. @throws InputError like `readCandleFile` */
export function readFundingFile(path: string): Promise<FundingSeries> {
  return read(fileAt(path), fundingCsvReader());
}

/**
 * Reads whichever of the two a file is, told by its header, while its bytes arrive.
 * @throws InputError like `readCandleFile`, also when it is longer than allowed; what the bytes threw
 */
export function readHistory(file: FileBytes, timeframeMin?: number): Promise<History> {
  return read(file, historyReader(timeframeMin));
}

function fileAt(path: string): FileBytes {
  return { name: path, bytes: createReadStream(path, { highWaterMark: CHUNK_BYTES }) };
}

async function read<Series>(file: FileBytes, reader: CsvReader<Series>): Promise<Series> {
  const { name, bytes, plainBytesMax = Number.POSITIVE_INFINITY } = file;
  let size = 0;
  try {
    for await (const chunk of unpacked(bytes)) {
      size += chunk.length;
      if (size > plainBytesMax) throw new InputError(tooLong(plainBytesMax));
      reader.push(chunk);
    }
    return reader.finish();
  } catch (error) {
    if (error instanceof CsvError) throw error.about(name);
    throw new InputError(`${name}: ${readingProblem(error)}`, { cause: error });
  }
}

function historyReader(timeframeMin: number | undefined): CsvReader<History> {
  const candles = candleCsvReader(timeframeMin);
  let head: Uint8Array = new Uint8Array(0);
  let chosen: CsvReader<History> | undefined;
  const choose = (): CsvReader<History> => {
    const isFunding = /^\uFEFF?timestamp_ms,funding/.test(new TextDecoder().decode(head));
    const funding = fundingCsvReader();
    const made: CsvReader<History> = isFunding
      ? { push: funding.push, finish: () => ({ content: "funding", series: funding.finish() }) }
      : { push: candles.push, finish: () => ({ content: "candles", series: candles.finish() }) };
    chosen = made;
    made.push(head);
    return made;
  };
  return {
    push(chunk) {
      if (chosen) return chosen.push(chunk);
      head = Buffer.concat([head, chunk]);
      if (head.length >= HEADER_BYTES) choose();
    },
    finish: () => (chosen ?? choose()).finish(),
  };
}

/** The bytes as text, whether they come packed or not. */
async function* unpacked(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = bytes[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  try {
    while (head.length < 2) {
      const next = await chunks.next();
      if (next.done) break;
      head = Buffer.concat([head, next.value]);
    }
    const whole = rejoined(head, chunks);
    yield* head[0] === 0x1f && head[1] === 0x8b ? inflated(whole) : whole;
  } finally {
    await chunks.return?.();
  }
}

async function* rejoined(
  head: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

/** Inflating happens on another thread, while this one reads numbers. */
async function* inflated(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = Readable.from(packed, { objectMode: false, highWaterMark: CHUNK_BYTES });
  const plain = source.pipe(createGunzip({ chunkSize: CHUNK_BYTES }));
  source.on("error", (error) => plain.destroy(error));
  try {
    yield* plain;
  } finally {
    plain.destroy();
  }
}

function tooLong(bytesMax: number): string {
  return `it holds more than ${Math.floor(bytesMax / 1e6)} MB of text, which is the most allowed`;
}

function readingProblem(error: unknown): string {
  if (error instanceof InputError) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES" || code === "EPERM") return "the file may not be read by this user";
  if (code === "EISDIR") return "it is a folder, not a file";
  if (code.startsWith("Z_")) return "the gzip data is damaged or cut off";
  throw error;
}
