// One answer's rows of candles, put in order. Used by candle-pages.ts. Nothing is repaired: a row
// that cannot be a candle is named and left out.
import { type Candle, type CandleSeries, seriesOf } from "../../model/candle.ts";
import type { EpochMs } from "../../model/time.ts";
import { gridFloor } from "../../model/timeframe-grid.ts";
import type { RejectedCandle } from "../../ports/market-data.ts";
import type { CcxtCandle } from "./exchange.ts";

/**
 * Rows in ascending order without duplicates; of two with one open time the later in the answer
 * counts.
 */
export function orderedRows(rows: readonly CcxtCandle[]): CcxtCandle[] {
  const byOpen = new Map<number, CcxtCandle>();
  for (const row of rows) {
    const openAt = row[0];
    if (typeof openAt === "number" && Number.isFinite(openAt)) byOpen.set(openAt, row);
  }
  return [...byOpen.values()].sort((a, b) => openOf(a) - openOf(b));
}

/** Open time of a row from `orderedRows`. */
export function openOf(row: CcxtCandle): EpochMs {
  return row[0] ?? Number.NaN;
}

/** What tells one answer from another. */
export function signatureOf(rows: readonly CcxtCandle[]): string {
  return JSON.stringify([rows.length, rows[0], rows[rows.length - 1]]);
}

/** Candles of the rows, and the rows that are none. */
export function candlesOf(
  rows: readonly CcxtCandle[],
  timeframeMin: number,
): { series: CandleSeries; rejected: RejectedCandle[] } {
  const candles: Candle[] = [];
  const rejected: RejectedCandle[] = [];
  for (const row of rows) {
    const [openAt, open, high, low, close, volume] = row.map((cell) => cell ?? Number.NaN);
    const candle = { openAt, open, high, low, close, volume } as Candle;
    const reason = problemOf(candle, timeframeMin);
    if (reason === "") candles.push(candle);
    else rejected.push({ openAt: openOf(row), reason });
  }
  return { series: seriesOf(candles), rejected };
}

function problemOf(candle: Candle, timeframeMin: number): string {
  const { openAt, open, high, low, close, volume } = candle;
  for (const [name, value] of Object.entries({ open, high, low, close, volume })) {
    if (!Number.isFinite(value)) return `${name} is missing or not a number`;
  }
  if (gridFloor(openAt, timeframeMin) !== openAt) return "it is off the grid of the timeframe";
  if (low <= 0) return `low ${low} is not above 0`;
  if (high < Math.max(open, close)) return `high ${high} is below open or close`;
  if (low > Math.min(open, close)) return `low ${low} is above open or close`;
  if (volume < 0) return `volume ${volume} is negative`;
  return "";
}
