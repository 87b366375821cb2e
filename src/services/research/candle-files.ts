// Candle and funding files on disk, plain or gzip (told by their first bytes, not by name). Used by
// import and by `dragon backtest`; a file with any problem yields nothing.
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import type { CandleSeries, FundingSeries } from "../../model/candle.ts";
import { type CsvReader, candleCsvReader, fundingCsvReader } from "../../model/candle-csv.ts";
import { CsvError } from "../../model/csv-numbers.ts";
import { InputError } from "../../model/result.ts";

const CHUNK_BYTES = 1 << 20;

/**
 * Reads a candle file; with a timeframe every open time must be on its grid.
 * @throws InputError naming the file: it cannot be read, or (a CsvError) its lines are wrong
 */
export function readCandleFile(path: string, timeframeMin?: number): Promise<CandleSeries> {
  return readFile(path, candleCsvReader(timeframeMin));
}

/** Reads a funding file. @throws InputError like `readCandleFile` */
export function readFundingFile(path: string): Promise<FundingSeries> {
  return readFile(path, fundingCsvReader());
}

async function readFile<Series>(path: string, reader: CsvReader<Series>): Promise<Series> {
  try {
    const isPacked = await isGzip(path);
    const source = createReadStream(path, { highWaterMark: CHUNK_BYTES });
    // Inflating happens on another thread, while this one reads numbers.
    const bytes = isPacked ? source.pipe(createGunzip({ chunkSize: CHUNK_BYTES })) : source;
    source.on("error", (error) => bytes.destroy(error));
    for await (const chunk of bytes) reader.push(chunk);
    return reader.finish();
  } catch (error) {
    if (error instanceof CsvError) throw error.about(path);
    throw new InputError(`${path}: ${readingProblem(error)}`, { cause: error });
  }
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { bytesRead, buffer } = await file.read(new Uint8Array(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

function readingProblem(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES" || code === "EPERM") return "the file may not be read by this user";
  if (code === "EISDIR") return "it is a folder, not a file";
  if (code.startsWith("Z_")) return "the gzip data is damaged or cut off";
  throw error;
}
