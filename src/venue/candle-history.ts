// Candles of one instrument in every published timeframe, built from the prints of the tape. Prices
// are ticks, volumes lots; a candle is keyed by its open time.
import type { Money } from "./decimal.ts";
import type { Instrument } from "./instrument.ts";
import { notional } from "./instrument.ts";

/** One candle; `endAt` is exclusive. */
export type VenueCandle = {
  readonly startAt: number;
  readonly endAt: number;
  readonly open: number;
  high: number;
  low: number;
  close: number;
  lots: number;
  amount: Money;
  count: number;
};

const MINUTE_MS = 60_000;
const FIXED_MINUTES: Readonly<Record<string, number>> = {
  "1m": 1,
  "3m": 3,
  "5m": 5,
  "15m": 15,
  "30m": 30,
  "1h": 60,
  "2h": 120,
  "4h": 240,
  "6h": 360,
  "12h": 720,
  "1d": 1440,
};

/** Every timeframe the exchange publishes. */
export const KLINE_TYPES: readonly string[] = [...Object.keys(FIXED_MINUTES), "1w", "1mon", "1y"];

/** Candles kept per timeframe. */
const CANDLES_MAX = 200_000;

/** All candles of one instrument. */
export type CandleHistory = {
  readonly instrument: Instrument;
  readonly series: ReadonlyMap<string, VenueCandle[]>;
};

/** An empty history. */
export function createCandleHistory(instrument: Instrument): CandleHistory {
  return { instrument, series: new Map(KLINE_TYPES.map((type) => [type, []])) };
}

/** Open and end time of the candle that holds an instant. */
export function spanOf(type: string, at: number): { startAt: number; endAt: number } {
  const minutes = FIXED_MINUTES[type];
  if (minutes !== undefined) {
    const length = minutes * MINUTE_MS;
    const startAt = Math.floor(at / length) * length;
    return { startAt, endAt: startAt + length };
  }
  if (type === "1w") {
    const week = 7 * 1440 * MINUTE_MS;
    // The epoch was a Thursday; weeks begin on Monday.
    const monday = 4 * 1440 * MINUTE_MS;
    const startAt = Math.floor((at - monday) / week) * week + monday;
    return { startAt, endAt: startAt + week };
  }
  const date = new Date(at);
  const year = date.getUTCFullYear();
  const month = type === "1y" ? 0 : date.getUTCMonth();
  const next = type === "1y" ? Date.UTC(year + 1, 0) : Date.UTC(year, month + 1);
  return { startAt: Date.UTC(year, month), endAt: next };
}

/** Books a print into the candles of every timeframe. */
export function addPrint(history: CandleHistory, at: number, ticks: number, lots: number): void {
  const amount = notional(history.instrument, ticks, lots);
  for (const [type, candles] of history.series) {
    const last = candles.at(-1);
    if (last && at < last.endAt) {
      if (ticks > last.high) last.high = ticks;
      if (ticks < last.low) last.low = ticks;
      last.close = ticks;
      last.lots += lots;
      last.amount += amount;
      if (lots > 0) last.count++;
      continue;
    }
    const count = lots > 0 ? 1 : 0;
    const { startAt, endAt } = spanOf(type, at);
    const prices = { open: ticks, high: ticks, low: ticks, close: ticks };
    candles.push({ startAt, endAt, ...prices, lots, amount, count });
    if (candles.length >= 2 * CANDLES_MAX) candles.splice(0, CANDLES_MAX);
  }
}

/** Index of the first candle that opens at or after an instant. */
function firstFrom(candles: readonly VenueCandle[], at: number): number {
  let low = 0;
  let high = candles.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (candles[middle]!.startAt < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Up to `limit` candles, oldest first. Both cursors are exclusive; `before` wins when both are given:
 * then the last ones before it, else the first ones after `after`, else the newest.
 */
export function candlesBetween(
  history: CandleHistory,
  type: string,
  cursor: { before: number | null; after: number | null; limit: number },
): readonly VenueCandle[] {
  const candles = history.series.get(type) ?? [];
  if (cursor.before !== null) {
    const end = firstFrom(candles, cursor.before);
    return candles.slice(Math.max(0, end - cursor.limit), end);
  }
  if (cursor.after !== null) {
    const start = firstFrom(candles, cursor.after + 1);
    return candles.slice(start, start + cursor.limit);
  }
  return candles.slice(-cursor.limit);
}

/** Figures of the 24 hours before an instant. */
export type DayFigures = {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly lots: number;
  readonly amount: Money;
  readonly count: number;
};

/** The last 24 hours from one-minute candles; the last price alone when there are none. */
export function lastDay(history: CandleHistory, at: number, lastTicks: number): DayFigures {
  const candles = history.series.get("1m") ?? [];
  const begin = firstFrom(candles, at - 1440 * MINUTE_MS);
  const first = candles[begin];
  let { high, low } = { high: lastTicks, low: lastTicks };
  let { lots, amount, count } = { lots: 0, amount: 0n, count: 0 };
  for (let i = begin; i < candles.length; i++) {
    const candle = candles[i]!;
    high = Math.max(high, candle.high);
    low = Math.min(low, candle.low);
    lots += candle.lots;
    amount += candle.amount;
    count += candle.count;
  }
  return { open: first?.open ?? lastTicks, high, low, close: lastTicks, lots, amount, count };
}
