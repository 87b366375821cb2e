// The generated price: any minute can be asked for, and a venue that starts later is at the same prices,
// candles and funding as one that ran through.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { candlesBetween, KLINE_TYPES, lastDay, spanOf } from "../../src/venue/candle-history.ts";
import { advance, createExchange } from "../../src/venue/exchange.ts";
import { createInstrument } from "../../src/venue/instrument.ts";
import { DEFAULT_INSTRUMENTS, venueSettings } from "../../src/venue/settings.ts";
import type { Exchange } from "../../src/venue/state.ts";
import { createWalk } from "../../src/venue/walk.ts";
import { SPEC as LAB_SPEC } from "./lab.ts";

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const ANCHOR = Date.UTC(2025, 0, 1);
const [SPEC = LAB_SPEC] = DEFAULT_INSTRUMENTS;
const FEED = {
  kind: "generator",
  startPrice: "60000",
  anchorAt: ANCHOR,
  volatilityPpm: 500,
  minuteQty: "12",
} as const;

/** A venue that starts at an instant with a history from a fixed day on. */
function venueAt(seed: number, startAt: number, historyFrom: number): Exchange {
  const historyMinutes = (startAt - historyFrom) / MINUTE;
  const markets = [{ instrument: SPEC, feed: FEED }];
  return createExchange(venueSettings({ seed, startAt, historyMinutes, markets }));
}

/** Everything about prices that a client could read. */
function shown(x: Exchange): object {
  const [market] = x.markets.values();
  if (!market) throw new Error("no market");
  const { lastTicks, markTicks, indexTicks, nextRateE8, nextFundingAt, fixings } = market;
  const candles = KLINE_TYPES.map((type) => [
    type,
    candlesBetween(market.candles, type, { before: null, after: null, limit: 1000 }),
  ]);
  const day = lastDay(market.candles, x.now, lastTicks);
  return { lastTicks, markTicks, indexTicks, nextRateE8, nextFundingAt, fixings, candles, day };
}

const walkOf = (seed: number, from = ANCHOR) =>
  createWalk(FEED, createInstrument(SPEC), seed, from);

test("a venue that starts at an instant shows what one that ran to it shows, and goes on alike", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      fc.integer({ min: 0, max: 3 * DAY }),
      fc.integer({ min: 1, max: 10 * 60 * MINUTE }),
      (seed, offset, ranMs) => {
        const historyFrom = ANCHOR + 40 * DAY;
        const firstAt = historyFrom + offset;
        const running = venueAt(seed, firstAt, historyFrom);
        advance(running, firstAt + ranMs);
        const later = venueAt(seed, firstAt + ranMs, historyFrom);
        expect(shown(later)).toEqual(shown(running));
        for (const x of [running, later]) advance(x, firstAt + ranMs + 61 * MINUTE);
        expect(shown(later)).toEqual(shown(running));
      },
    ),
    { numRuns: 8 },
  );
}, 60_000);

test("every instant of a start is covered: full minutes, funding instants and their neighbours", () => {
  const historyFrom = ANCHOR;
  const eight = ANCHOR + DAY + 8 * 60 * MINUTE;
  for (const at of [eight - 1, eight, eight + 1, eight + MINUTE - 1, eight + MINUTE]) {
    const running = venueAt(3, ANCHOR + DAY, historyFrom);
    advance(running, at);
    expect(shown(venueAt(3, at, historyFrom))).toEqual(shown(running));
  }
}, 60_000);

test("candles chain, enclose their prices and change with seed and symbol alone", () => {
  const [one, later, other] = [walkOf(1), walkOf(1, ANCHOR + 9 * DAY), walkOf(2)];
  let isSame = true;
  for (let i = 0; i < 5000; i++) {
    const at = ANCHOR + 10 * DAY + i * MINUTE;
    const candle = one.candleAt(at);
    expect(later.candleAt(at)).toEqual(candle);
    expect(one.candleAt(at + MINUTE).open).toBe(candle.close);
    expect(candle.high).toBeGreaterThanOrEqual(Math.max(candle.open, candle.close));
    expect(candle.low).toBeLessThanOrEqual(Math.min(candle.open, candle.close));
    isSame &&= other.candleAt(at).close === candle.close;
  }
  expect(isSame).toBe(false);
});

test("minutes are as lively as asked for, and prices stay near their anchor for years", () => {
  const walk = walkOf(4);
  expect(walk.candleAt(ANCHOR).open).toBe(600_000);
  let squares = 0;
  const minutes = 20_000;
  for (let i = 0; i < minutes; i++) {
    const { open, close } = walk.candleAt(ANCHOR + i * MINUTE);
    squares += Math.log(close / open) ** 2;
  }
  const sigmaPpm = Math.sqrt(squares / minutes) * 1e6;
  expect(sigmaPpm).toBeGreaterThan(420);
  expect(sigmaPpm).toBeLessThan(580);
  for (let day = 0; day < 3650; day++) {
    const { open } = walk.candleAt(ANCHOR + day * DAY);
    expect(open).toBeGreaterThan(150_000);
    expect(open).toBeLessThan(2_400_000);
  }
});

test("ten thousand minutes before the start are there to be read, page by page", () => {
  const startAt = ANCHOR + 20 * DAY;
  const x = venueAt(5, startAt, ANCHOR);
  const [market] = x.markets.values();
  if (!market) throw new Error("no market");
  const seen: number[] = [];
  for (let after = startAt - 10_000 * MINUTE - 1; ;) {
    const rows = candlesBetween(market.candles, "1m", { before: null, after, limit: 1000 });
    if (rows.length === 0) break;
    seen.push(...rows.map((row) => row.startAt));
    after = rows.at(-1)?.startAt ?? Number.POSITIVE_INFINITY;
  }
  expect(seen).toEqual(Array.from({ length: 10_001 }, (_, i) => startAt + (i - 10_000) * MINUTE));
  const [held] = market.candles.series.get("1m") ?? [];
  expect(held?.startAt).toBe(startAt);
  const hours = candlesBetween(market.candles, "1h", { before: startAt, after: null, limit: 3 });
  expect(hours.map((row) => row.startAt)).toEqual([3, 2, 1].map((n) => startAt - n * 60 * MINUTE));
  const { startAt: first } = spanOf("1h", ANCHOR);
  const early = candlesBetween(market.candles, "1h", { before: null, after: 0, limit: 1 });
  expect(early[0]?.startAt).toBe(first);
});
