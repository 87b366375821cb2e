// The candle cache over a real store: loaded once, shared, found by what is stored, bounded; and candles of
// a higher timeframe made of those of a lower one.
import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { createCandleRepository } from "../../../src/adapters/postgres/candle-repository.ts";
import { CANDLE_COLUMNS, type CandleSeries, seriesOf } from "../../../src/model/candle.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { CandleStore } from "../../../src/ports/candle-store.ts";
import { createCandleCache } from "../../../src/services/research/candle-cache.ts";
import {
  aggregateCandles,
  seriesIn,
  shareCandles,
} from "../../../src/services/research/shared-candles.ts";
import { createWeighedCache } from "../../../src/services/research/weighed-cache.ts";
import { MARKET, storeCandles, walkCandles } from "../../support/research-case.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const LIMIT_MS = 30_000;
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
}, LIMIT_MS);

afterAll(async () => {
  await database.drop();
});

let workspaces = 0;

/** The real store, counting how often a series is loaded. */
function countingStore() {
  const store = createCandleRepository(database.sql);
  const counts = { loads: 0 };
  const loadSeries: CandleStore["loadSeries"] = async (...args) => {
    counts.loads += 1;
    return await store.loadSeries(...args);
  };
  return { store: { ...store, loadSeries }, counts };
}

async function aScope(): Promise<Scope> {
  workspaces += 1;
  return await testScope(database.sql, `cache-${workspaces}`);
}

const plain = (series: CandleSeries) =>
  Object.fromEntries(CANDLE_COLUMNS.map((name) => [name, Array.from(series[name])]));

test("asked twice at the same time or later, a series is loaded once, into shared memory", async () => {
  const scope = await aScope();
  const series = walkCandles(3000);
  await storeCandles(database.sql, scope, series);
  const { store, counts } = countingStore();
  const cache = createCandleCache(store);
  const source = await cache.find(scope, MARKET, 5);
  const [one, two] = await Promise.all([
    cache.load(scope, source!, 5),
    cache.load(scope, source!, 5),
  ]);
  const three = await cache.load(scope, source!, 5);
  expect(counts.loads).toBe(1);
  expect(one.memory).toBeInstanceOf(SharedArrayBuffer);
  expect(two.memory).toBe(one.memory);
  expect(three.memory).toBe(one.memory);
  expect(plain(seriesIn(one))).toEqual(plain(series));
});

test("a series that changed is loaded anew under another key", async () => {
  const scope = await aScope();
  await storeCandles(database.sql, scope, walkCandles(100));
  const { store, counts } = countingStore();
  const cache = createCandleCache(store);
  const load = async () => await cache.load(scope, (await cache.find(scope, MARKET, 5))!, 5);
  const before = await load();
  await Bun.sleep(2);
  await storeCandles(database.sql, scope, walkCandles(100, { seed: 8 }));
  const after = await load();
  expect(counts.loads).toBe(2);
  expect(after.key).not.toBe(before.key);
  expect(plain(seriesIn(after))).toEqual(plain(walkCandles(100, { seed: 8 })));
});

test("the series is the timeframe's own, else the largest that divides it, else none", async () => {
  const scope = await aScope();
  for (const minutes of [1, 5, 30]) {
    await storeCandles(database.sql, scope, walkCandles(50, { timeframeMin: minutes }), minutes);
  }
  const cache = createCandleCache(createCandleRepository(database.sql));
  const found = async (minutes: number) => (await cache.find(scope, MARKET, minutes))?.timeframeMin;
  expect(await found(30)).toBe(30);
  expect(await found(60)).toBe(30);
  expect(await found(15)).toBe(5);
  expect(await found(3)).toBe(1);
  const one = await cache.find(scope, MARKET, 1);
  expect((await cache.find(scope, MARKET, 60, one?.id))?.timeframeMin).toBe(1);
  const elsewhere = { ...MARKET, exchangeId: "kraken" };
  expect(await cache.find(scope, elsewhere, 5)).toBeNull();
  expect(await cache.find(await aScope(), MARKET, 5)).toBeNull();
});

test("a series deleted meanwhile is refused with a sentence, and asking again may succeed", async () => {
  const scope = await aScope();
  const id = await storeCandles(database.sql, scope, walkCandles(50));
  const { store } = countingStore();
  const cache = createCandleCache(store);
  const source = (await cache.find(scope, MARKET, 5))!;
  await store.deleteSeries(scope, id);
  await expect(cache.load(scope, source, 5)).rejects.toThrow("was deleted");
  await storeCandles(database.sql, scope, walkCandles(50));
  const again = (await cache.find(scope, MARKET, 5))!;
  expect((await cache.load(scope, again, 5)).length).toBe(50);
});

test("beyond its bytes the series used longest ago leaves, and the newest always stays", async () => {
  const { store, counts } = countingStore();
  const scopes = [await aScope(), await aScope(), await aScope()];
  for (const scope of scopes) await storeCandles(database.sql, scope, walkCandles(1000));
  const cache = createCandleCache(store, 2 * 1000 * 48);
  const load = async (n: number) => {
    const source = await cache.find(scopes[n]!, MARKET, 5);
    return await cache.load(scopes[n]!, source!, 5);
  };
  await load(0);
  await load(1);
  await load(0);
  await load(2);
  expect(counts.loads).toBe(3);
  await load(0);
  expect(counts.loads).toBe(3);
  await load(1);
  expect(counts.loads).toBe(4);
  const tiny = createCandleCache(store, 10);
  const source = await tiny.find(scopes[0]!, MARKET, 5);
  await tiny.load(scopes[0]!, source!, 5);
  await tiny.load(scopes[0]!, source!, 5);
  expect(counts.loads).toBe(5);
});

test("what is kept never weighs more than allowed, but for a single heavy value", () => {
  const step = fc.record({
    key: fc.integer({ min: 0, max: 6 }),
    weight: fc.integer({ min: 0, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = createWeighedCache<number>(12, (weight) => weight);
      const last = new Map<number, number>();
      for (const { key, weight } of steps) {
        cache.set(String(key), weight);
        last.set(key, weight);
        expect(cache.get(String(key))).toBe(weight);
        const kept = [...last.keys()].filter((each) => cache.get(String(each)) !== undefined);
        const total = kept.reduce((sum, each) => sum + last.get(each)!, 0);
        expect(total <= 12 || kept.length === 1).toBe(true);
        cache.get(String(key));
      }
    }),
  );
});

/** What a person would do: every bin by its UTC day, candle by candle. */
function byHand(series: CandleSeries, fromMin: number, toMin: number) {
  const bins = new Map<number, number[]>();
  for (let i = 0; i < series.length; i++) {
    const at = series.openAt[i]!;
    const start = at - (at % DAY) + Math.floor((at % DAY) / (toMin * MINUTE)) * toMin * MINUTE;
    bins.set(start, [...(bins.get(start) ?? []), i]);
  }
  const first = series.openAt[0] ?? 0;
  const end = (series.openAt[series.length - 1] ?? 0) + fromMin * MINUTE;
  const whole = [...bins].filter(([start]) => start >= first && start + toMin * MINUTE <= end);
  return seriesOf(
    whole.map(([openAt, own]) => ({
      openAt,
      open: series.open[own[0]!]!,
      high: Math.max(...own.map((i) => series.high[i]!)),
      low: Math.min(...own.map((i) => series.low[i]!)),
      close: series.close[own.at(-1)!]!,
      volume: own.reduce((sum, i) => sum + series.volume[i]!, 0),
    })),
  );
}

test("joined candles equal those made by hand, with gaps and ragged ends", () => {
  const shape = fc.record({
    count: fc.integer({ min: 0, max: 400 }),
    startMin: fc.integer({ min: 0, max: 300 }),
    factor: fc.constantFrom(2, 3, 4, 6, 12, 72),
    gone: fc.array(fc.integer({ min: 0, max: 399 }), { maxLength: 120 }),
    seed: fc.integer({ min: 1, max: 1e6 }),
  });
  fc.assert(
    fc.property(shape, ({ count, startMin, factor, gone, seed }) => {
      const from = Date.UTC(2024, 0, 1) + startMin * 5 * MINUTE;
      const all = walkCandles(count, { from, seed });
      const left = Array.from({ length: count }, (_, i) => i).filter((i) => !gone.includes(i));
      const series = seriesOf(
        left.map((i) => ({
          openAt: all.openAt[i]!,
          open: all.open[i]!,
          high: all.high[i]!,
          low: all.low[i]!,
          close: all.close[i]!,
          volume: all.volume[i]!,
        })),
      );
      const joined = aggregateCandles(series, 5, 5 * factor);
      expect(plain(joined)).toEqual(plain(byHand(series, 5, 5 * factor)));
    }),
    { numRuns: 300 },
  );
});

test("shared columns are what was shared, also of an empty series", () => {
  for (const count of [0, 1, 77]) {
    const series = walkCandles(count);
    const shared = shareCandles("k", series);
    expect(shared.memory.byteLength).toBe(count * 48);
    expect(plain(seriesIn(shared))).toEqual(plain(series));
  }
});
