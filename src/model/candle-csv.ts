// The candle and funding files: CSV bytes to columns, checked completely. Called by
// services/research/candle-files.ts with plain bytes; a file with one problem yields nothing.
import { CANDLE_COLUMNS, type CandleSeries, emptySeries, type FundingSeries } from "./candle.ts";
import { NumberCsv, type RowSink } from "./csv-numbers.ts";
import { formatTimeframe } from "./time.ts";
import { checkTimeframe, gridFloor } from "./timeframe-grid.ts";

export const CANDLE_CSV_HEADER = "timestamp_ms,open,high,low,close,volume";
export const FUNDING_CSV_HEADER = "timestamp_ms,funding_rate";

/** The end of the year 9999: later instants are a wrong unit, not a date. */
const LAST_AT = 253_402_300_799_999;
const BLOCK_ROWS = 1 << 16;
const VALUES = CANDLE_COLUMNS.length;

/** Turns the bytes of one file into columns; feed them in order, then finish. */
export type CsvReader<Series> = {
  push(chunk: Uint8Array): void;
  /** @throws CsvError naming up to 20 problems with their lines */
  finish(): Series;
};

/**
 * A reader of candles; with a timeframe every open time must be on its grid.
 * @throws InputError when the timeframe cannot be stored
 */
export function candleCsvReader(timeframeMin?: number): CsvReader<CandleSeries> {
  if (timeframeMin !== undefined) checkTimeframe(timeframeMin);
  const rows = new CandleRows(timeframeMin);
  const csv = new NumberCsv(CANDLE_CSV_HEADER, rows);
  return {
    push: (chunk) => csv.push(chunk),
    finish: () => {
      csv.finish();
      return rows.series();
    },
  };
}

/** A reader of funding rates; a rate is the fraction exchanged at its instant. */
export function fundingCsvReader(): CsvReader<FundingSeries> {
  const rows = new FundingRows();
  const csv = new NumberCsv(FUNDING_CSV_HEADER, rows);
  return {
    push: (chunk) => csv.push(chunk),
    finish: () => {
      csv.finish();
      return rows.series();
    },
  };
}

/** Reads a candle file that is in memory. @throws CsvError like `candleCsvReader` */
export function parseCandleCsv(bytes: Uint8Array, timeframeMin?: number): CandleSeries {
  const reader = candleCsvReader(timeframeMin);
  reader.push(bytes);
  return reader.finish();
}

/** Reads a funding file that is in memory. @throws CsvError naming up to 20 problems */
export function parseFundingCsv(bytes: Uint8Array): FundingSeries {
  const reader = fundingCsvReader();
  reader.push(bytes);
  return reader.finish();
}

function isInstant(at: number): boolean {
  return at >= 0 && at <= LAST_AT && Number.isInteger(at);
}

/** What is wrong with an instant after the one before; empty when nothing is. */
function instantProblem(at: number, before: number): string {
  if (!isInstant(at)) {
    return `timestamp_ms: ${at} is not a whole number of milliseconds from 0 to ${LAST_AT}`;
  }
  if (at === before) return `timestamp_ms: ${at} is a duplicate of the line before`;
  if (at < before) return `timestamp_ms: ${at} is not after ${before} of the line before`;
  return "";
}

/** Rows side by side in blocks, so that growing never copies what is already there. */
class CandleRows implements RowSink {
  readonly #timeframeMin: number | undefined;
  readonly #blocks: Float64Array[] = [];
  #block = new Float64Array(0);
  #used = 0;
  #before = -1;

  constructor(timeframeMin: number | undefined) {
    this.#timeframeMin = timeframeMin;
  }

  row(values: Float64Array, report: (reason: string) => void): void {
    const at = values[0]!;
    const open = values[1]!;
    const high = values[2]!;
    const low = values[3]!;
    const close = values[4]!;
    const volume = values[5]!;
    if (!(at > this.#before && isInstant(at))) {
      report(instantProblem(at, this.#before));
    } else if (this.#timeframeMin !== undefined && gridFloor(at, this.#timeframeMin) !== at) {
      const timeframe = formatTimeframe(this.#timeframeMin);
      report(`timestamp_ms: ${at} is not on the grid of the timeframe ${timeframe}`);
    }
    if (!(low > 0)) report(`low: ${low} must be above 0`);
    if (high < open || high < close) {
      report(`high: ${high} is below ${Math.max(open, close)}, the higher of open and close`);
    }
    if (low > open || low > close) {
      report(`low: ${low} is above ${Math.min(open, close)}, the lower of open and close`);
    }
    if (!(volume >= 0)) report(`volume: ${volume} must be 0 or more`);
    if (isInstant(at)) this.#before = at;
    if (this.#used === this.#block.length) this.#grow();
    this.#block.set(values, this.#used);
    this.#used += VALUES;
  }

  #grow(): void {
    this.#block = new Float64Array(BLOCK_ROWS * VALUES);
    this.#blocks.push(this.#block);
    this.#used = 0;
  }

  series(): CandleSeries {
    const rowsInLast = this.#used / VALUES;
    const full = Math.max(0, this.#blocks.length - 1) * BLOCK_ROWS;
    const series = emptySeries(this.#blocks.length === 0 ? 0 : full + rowsInLast);
    let row = 0;
    for (const block of this.#blocks) {
      const rows = Math.min(BLOCK_ROWS, series.length - row);
      CANDLE_COLUMNS.forEach((name, k) => copyColumn(block, k, rows, series[name], row));
      row += rows;
    }
    this.#blocks.length = 0;
    return series;
  }
}

function copyColumn(
  block: Float64Array,
  column: number,
  rows: number,
  target: Float64Array,
  offset: number,
): void {
  for (let i = 0, k = column; i < rows; i++, k += VALUES) target[offset + i] = block[k]!;
}

class FundingRows implements RowSink {
  readonly #at: number[] = [];
  readonly #rate: number[] = [];
  #before = -1;

  row(values: Float64Array, report: (reason: string) => void): void {
    const at = values[0]!;
    const problem = instantProblem(at, this.#before);
    if (problem !== "") report(problem);
    if (isInstant(at)) this.#before = at;
    this.#at.push(at);
    this.#rate.push(values[1]!);
  }

  series(): FundingSeries {
    const at = Float64Array.from(this.#at);
    return { length: at.length, at, rate: Float64Array.from(this.#rate) };
  }
}
