// Candles of one instrument in every published timeframe: built from prints, and of a walk computed when
// they are asked for and forgotten again. Prices are ticks, volumes lots; keyed by open time.
import type { Money } from "./decimal.ts";
import type { Instrument } from "./instrument.ts";
import { notional } from "./instrument.ts";
import { pricesOf } from "./price-path.ts";
import type { Walk } from "./walk.ts";

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
/** Candles kept where older ones can be computed. */
const WALK_CANDLES_MAX = 500;

/** All candles of one instrument. */
export type CandleHistory = {
  readonly instrument: Instrument;
  readonly series: ReadonlyMap<string, VenueCandle[]>;
  /** What came before the first candle of a series; null when nothing but prints is known. */
  readonly walk: Walk | null;
};

/** A history without prints; that of a walk holds what it did until the minute that is running. */
export function createCandleHistory(
  instrument: Instrument,
  walk: Walk | null,
  startAt: number,
): CandleHistory {
  const minuteAt = Math.floor(startAt / MINUTE_MS) * MINUTE_MS;
  const running = (type: string) => {
    const begun = walk && walked(instrument, walk, spanOf(type, minuteAt), minuteAt);
    return begun ? [begun] : [];
  };
  return { instrument, walk, series: new Map(KLINE_TYPES.map((type) => [type, running(type)])) };
}

/** The candle of a span up to an instant, out of the minutes of a walk; null when none is in it. */
function walked(
  instrument: Instrument,
  walk: Walk,
  span: { readonly startAt: number; readonly endAt: number },
  until: number,
): VenueCandle | null {
  let candle: VenueCandle | null = null;
  const end = Math.min(span.endAt, until);
  for (let at = Math.max(span.startAt, walk.from); at < end; at += MINUTE_MS) {
    const minute = walk.candleAt(at);
    const { open, high, low, close } = minute;
    candle ??= { ...span, open, high, low, close, lots: 0, amount: 0n, count: 0 };
    candle.high = Math.max(candle.high, high);
    candle.low = Math.min(candle.low, low);
    candle.close = close;
    candle.lots += minute.lots;
    addMinute(instrument, candle, pricesOf(minute), minute.lots);
  }
  return candle;
}

/** Adds what the steps of a minute are worth: as much on each, the rest on the last. */
function addMinute(
  { tickLot }: Instrument,
  candle: VenueCandle,
  prices: readonly number[],
  lots: number,
): void {
  const share = Math.floor(lots / prices.length);
  let sum = 0;
  for (const ticks of prices) sum += ticks;
  const rest = lots - share * prices.length;
  candle.amount += (BigInt(sum) * BigInt(share) + BigInt(candle.close) * BigInt(rest)) * tickLot;
  candle.count += share > 0 ? prices.length : lots > 0 ? 1 : 0;
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
  const kept = history.walk ? WALK_CANDLES_MAX : CANDLES_MAX;
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
    if (candles.length >= 2 * kept) candles.splice(0, kept);
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
  const { after, limit } = cursor;
  if (cursor.before === null && after !== null) {
    const past = pastFrom(history, type, after + 1, limit);
    const start = firstFrom(candles, after + 1);
    return [...past, ...candles.slice(start, start + limit - past.length)];
  }
  const before = cursor.before ?? Number.POSITIVE_INFINITY;
  const end = firstFrom(candles, before);
  const found = candles.slice(Math.max(0, end - limit), end);
  return [...pastUntil(history, type, before, limit - found.length), ...found];
}

/** Where the computed candles of a timeframe end: at the first one that is kept. */
function pastEnd({ series, walk }: CandleHistory, type: string): number {
  if (!walk) return Number.NEGATIVE_INFINITY;
  return series.get(type)?.[0]?.startAt ?? walk.from;
}

/** Up to `limit` computed candles that open at or after an instant, oldest first. */
function pastFrom(history: CandleHistory, type: string, at: number, limit: number): VenueCandle[] {
  const { instrument, walk } = history;
  const found: VenueCandle[] = [];
  if (!walk) return found;
  const end = pastEnd(history, type);
  let span = spanOf(type, Math.max(at, walk.from));
  if (span.startAt < at) span = spanOf(type, span.endAt);
  for (; span.startAt < end && found.length < limit; span = spanOf(type, span.endAt)) {
    const candle = walked(instrument, walk, span, span.endAt);
    if (candle) found.push(candle);
  }
  return found;
}

/** The last `limit` computed candles that open before an instant, oldest first. */
function pastUntil(
  history: CandleHistory,
  type: string,
  before: number,
  limit: number,
): VenueCandle[] {
  const { instrument, walk } = history;
  const found: VenueCandle[] = [];
  if (!walk) return found;
  const end = Math.min(before, pastEnd(history, type));
  for (let at = end - 1; at >= walk.from && found.length < limit;) {
    const span = spanOf(type, at);
    const candle = walked(instrument, walk, span, span.endAt);
    if (candle) found.push(candle);
    at = span.startAt - 1;
  }
  return found.reverse();
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
  const kept = history.series.get("1m") ?? [];
  const from = at - 1440 * MINUTE_MS;
  const candles = [...pastFrom(history, "1m", from, 1440), ...kept.slice(firstFrom(kept, from))];
  const [first] = candles;
  let { high, low } = { high: lastTicks, low: lastTicks };
  let { lots, amount, count } = { lots: 0, amount: 0n, count: 0 };
  for (const candle of candles) {
    high = Math.max(high, candle.high);
    low = Math.min(low, candle.low);
    lots += candle.lots;
    amount += candle.amount;
    count += candle.count;
  }
  return { open: first?.open ?? lastTicks, high, low, close: lastTicks, lots, amount, count };
}
