// Stored candle and funding series on real servers: merging, bookkeeping, isolation of workspaces.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { createCandleRepository } from "../../../src/adapters/postgres/candle-repository.ts";
import {
  type Candle,
  CANDLE_COLUMNS,
  type CandleSeries,
  seriesOf,
} from "../../../src/model/candle.ts";
import { InvariantError } from "../../../src/model/result.ts";
import type { CandleKey, SeriesId } from "../../../src/ports/candle-store.ts";
import { databaseTest } from "../../support/database-test.ts";
import { makeWorld } from "../../support/fake-exchange/world.ts";
import { testDatabase, testScope } from "../../support/test-database.ts";

const NOW = Date.UTC(2024, 5, 1);
const FROM = Date.UTC(2024, 0, 1);
const MINUTE = 60_000;
const KEY: CandleKey = {
  exchangeId: "woox",
  symbol: "PERP_BTC_USDT",
  kind: "perps",
  timeframeMin: 1,
};
const FUNDING_KEY = { exchangeId: "woox", symbol: "PERP_BTC_USDT", kind: "perps" } as const;

function candlesIn(series: CandleSeries): Candle[] {
  return Array.from({ length: series.length }, (_, i) => {
    const values = CANDLE_COLUMNS.map((column) => [column, series[column][i]]);
    return Object.fromEntries(values) as Candle;
  });
}

/** Three slots and a bit of 1m candles with holes. */
const world = makeWorld({
  seed: 42,
  from: FROM,
  bars: 13_000,
  holes: [
    [5, 9],
    [4000, 5000],
  ],
});
const candles = world.candles;

databaseTest("stored candles are loaded as they were given, whole or in part", async ({ sql }) => {
  const store = createCandleRepository(sql);
  const scope = await testScope(sql, "round-trip");
  const id = await store.openCandles(scope, KEY, NOW);
  const counts = await store.mergeCandles(scope, id, { series: seriesOf(candles) }, NOW);
  expect(counts).toEqual({ added: candles.length, replaced: 0, unchanged: 0 });
  expect(candlesIn(await store.loadSeries(scope, id))).toEqual([...candles]);
  for (const [from, to] of [
    [FROM, FROM],
    [FROM - 10, FROM + 1],
    [FROM + 3900 * MINUTE, FROM + 5100 * MINUTE],
    [FROM + 4100 * MINUTE, FROM + 4200 * MINUTE],
    [FROM + 8191 * MINUTE + 1, FROM + 8193 * MINUTE],
    [0, 1e13],
  ] as const) {
    const part = await store.loadSeries(scope, id, { from, to });
    expect(candlesIn(part)).toEqual(candles.filter((c) => c.openAt >= from && c.openAt < to));
  }
});

databaseTest(
  "the list knows extent, gaps and coverage, across chunk borders too",
  async ({ sql }) => {
    const store = createCandleRepository(sql);
    const scope = await testScope(sql, "list");
    const id = await store.openCandles(scope, KEY, NOW);
    expect(await store.listSeries(scope)).toMatchObject([
      {
        ...KEY,
        id,
        items: 0,
        firstAt: null,
        lastAt: null,
        gapCount: 0,
        missingBars: 0,
        coverageRatio: 0,
      },
    ]);
    await store.mergeCandles(scope, id, { series: seriesOf(candles) }, NOW);
    // A hole exactly where one chunk ends and the next begins.
    const slotMs = 4096 * MINUTE;
    const border = Math.ceil(FROM / slotMs) * slotMs;
    const other = await store.openCandles(scope, { ...KEY, symbol: "PERP_ETH_USDT" }, NOW);
    const around = candles.filter(({ openAt }) => Math.abs(openAt - border) >= 2 * MINUTE);
    await store.mergeCandles(scope, other, { series: seriesOf(around) }, NOW);
    const [btc, eth] = await store.listSeries(scope);
    expect(btc).toMatchObject({
      items: candles.length,
      firstAt: FROM,
      lastAt: FROM + 12_999 * MINUTE,
      gapCount: 2,
      missingBars: 1004,
      coverageRatio: candles.length / 13_000,
    });
    expect(btc?.bytes).toBeGreaterThan(10_000);
    expect(eth).toMatchObject({ gapCount: 3, missingBars: 1007 });
  },
);

databaseTest("two chunks may not hide what a stored byte lost", async ({ sql }) => {
  const store = createCandleRepository(sql);
  const scope = await testScope(sql, "damage");
  const id = await store.openCandles(scope, KEY, NOW);
  await store.mergeCandles(scope, id, { series: seriesOf(candles) }, NOW);
  await sql`update market_chunks set data = set_byte(data, 100, get_byte(data, 100) # 1)
    where series_id = ${id} and slot = (select max(slot) from market_chunks)`;
  await expect(store.loadSeries(scope, id)).rejects.toThrow(/is damaged in the database/);
});

databaseTest(
  "asked ranges join where they touch and never leave their workspace",
  async ({ sql }) => {
    const store = createCandleRepository(sql);
    const scope = await testScope(sql, "ranges");
    const id = await store.openCandles(scope, KEY, NOW);
    const series = seriesOf([]);
    const ask = (from: number, to: number) =>
      store.mergeCandles(scope, id, { series, fetched: { from: FROM + from, to: FROM + to } }, NOW);
    const known = async () =>
      (await store.fetchedRanges(scope, id)).map(({ from, to }) => [from - FROM, to - FROM]);
    await ask(1000, 2000);
    await ask(5000, 6000);
    expect(await known()).toEqual([
      [1000, 2000],
      [5000, 6000],
    ]);
    await ask(2000, 2500);
    expect(await known()).toEqual([
      [1000, 2500],
      [5000, 6000],
    ]);
    await ask(1200, 1300);
    await ask(3000, 3000);
    expect(await known()).toEqual([
      [1000, 2500],
      [5000, 6000],
    ]);
    await ask(500, 5500);
    expect(await known()).toEqual([[500, 6000]]);
    const stranger = await testScope(sql, "ranges-stranger");
    expect(await store.fetchedRanges(stranger, id)).toEqual([]);
  },
);

databaseTest("two workspaces see nothing of each other's series", async ({ sql }) => {
  const store = createCandleRepository(sql);
  const mine = await testScope(sql, "mine");
  const other = await testScope(sql, "other");
  const id = await store.openCandles(mine, KEY, NOW);
  const fundingId = await store.openFunding(mine, FUNDING_KEY, NOW);
  await store.mergeCandles(mine, id, { series: seriesOf(candles.slice(0, 10)) }, NOW);
  expect(await store.findCandles(other, KEY)).toBeNull();
  expect(await store.findFunding(other, FUNDING_KEY)).toBeNull();
  expect(await store.listSeries(other)).toEqual([]);
  expect(await store.listFunding(other)).toEqual([]);
  const series = seriesOf([]);
  const signal = new AbortController().signal;
  for (const attempt of [
    () => store.loadSeries(other, id),
    () => store.loadFunding(other, fundingId),
    () => store.mergeCandles(other, id, { series }, NOW),
    () => store.mergeFunding(other, fundingId, { series: noRates }, NOW),
    () => store.whileFetching(other, id, signal, async () => "ran"),
  ]) {
    await expect(attempt()).rejects.toThrow(InvariantError);
  }
  expect(await store.deleteSeries(other, id)).toBe(false);
  expect((await store.loadSeries(mine, id)).length).toBe(10);
  const theirs = await store.openCandles(other, KEY, NOW);
  expect(theirs).not.toBe(id);
  expect((await store.loadSeries(other, theirs)).length).toBe(0);
});

const noRates = { length: 0, at: new Float64Array(0), rate: new Float64Array(0) };

databaseTest(
  "candles and funding of one symbol are two series and do not answer for each other",
  async ({ sql }) => {
    const store = createCandleRepository(sql);
    const scope = await testScope(sql, "contents");
    const id = await store.openCandles(scope, KEY, NOW);
    const fundingId = await store.openFunding(scope, FUNDING_KEY, NOW);
    expect(await store.openCandles(scope, KEY, NOW)).toBe(id);
    expect(await store.openFunding(scope, FUNDING_KEY, NOW)).toBe(fundingId);
    expect(await store.openCandles(scope, { ...KEY, timeframeMin: 5 }, NOW)).not.toBe(id);
    const { funding } = world;
    const series = {
      length: funding.length,
      at: Float64Array.from(funding, ({ at }) => at),
      rate: Float64Array.from(funding, ({ rate }) => rate),
    };
    const merged = await store.mergeFunding(scope, fundingId, { series }, NOW);
    expect(merged.added).toBe(funding.length);
    const again = await store.mergeFunding(scope, fundingId, { series }, NOW);
    expect(again).toEqual({ added: 0, replaced: 0, unchanged: funding.length });
    expect(await store.loadFunding(scope, fundingId)).toEqual(series);
    expect(await store.listFunding(scope)).toMatchObject([
      { ...FUNDING_KEY, items: funding.length },
    ]);
    await expect(store.loadSeries(scope, fundingId)).rejects.toThrow(/no candles series/);
    await expect(store.loadFunding(scope, id)).rejects.toThrow(/no funding series/);
  },
);

databaseTest("a deleted series takes its chunks and ranges along", async ({ sql }) => {
  const store = createCandleRepository(sql);
  const scope = await testScope(sql, "delete");
  const id = await store.openCandles(scope, KEY, NOW);
  const fetched = { from: FROM, to: FROM + 1000 };
  await store.mergeCandles(scope, id, { series: seriesOf(candles), fetched }, NOW);
  expect(await store.deleteSeries(scope, id)).toBe(true);
  expect(await store.deleteSeries(scope, id)).toBe(false);
  expect(
    await sql`select 1 from market_chunks union all select 1 from market_fetched_ranges`,
  ).toHaveLength(0);
});

databaseTest("merges into one series at once lose nothing", async ({ sql }) => {
  const store = createCandleRepository(sql);
  const scope = await testScope(sql, "at-once");
  const id = await store.openCandles(scope, KEY, NOW);
  const parts = [0, 1, 2, 3, 4].map((k) => candles.filter((_, i) => i % 5 === k));
  const counts = await Promise.all(
    parts.map((part) => store.mergeCandles(scope, id, { series: seriesOf(part) }, NOW)),
  );
  expect(counts.map(({ added }) => added)).toEqual(parts.map((part) => part.length));
  expect(candlesIn(await store.loadSeries(scope, id))).toEqual([...candles]);
});

databaseTest("a merge that fails leaves everything as it was", async ({ sql }) => {
  const store = createCandleRepository(sql);
  const scope = await testScope(sql, "atomic");
  const id = await store.openCandles(scope, KEY, NOW);
  await store.mergeCandles(scope, id, { series: seriesOf(candles.slice(0, 6000)) }, NOW);
  const before = await store.loadSeries(scope, id);
  const backwards = { from: Number.NaN, to: Number.POSITIVE_INFINITY };
  const merge = { series: seriesOf(candles), fetched: backwards };
  await expect(store.mergeCandles(scope, id, merge, NOW)).rejects.toThrow();
  expect(await store.loadSeries(scope, id)).toEqual(before);
});

databaseTest(
  "a second fetcher waits for the first, and can be stopped while waiting",
  async ({ sql }) => {
    const store = createCandleRepository(sql);
    const scope = await testScope(sql, "turns");
    const id = await store.openCandles(scope, KEY, NOW);
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const open = new AbortController().signal;
    const first = store.whileFetching(scope, id, open, async () => {
      begun.resolve();
      await gate.promise;
      order.push("first");
    });
    await begun.promise;
    const second = store.whileFetching(scope, id, open, async () => order.push("second"));
    const stopped = store.whileFetching(scope, id, AbortSignal.timeout(50), async () => "ran");
    await expect(stopped).rejects.toThrow();
    gate.resolve();
    await Promise.all([first, second]);
    expect(order).toEqual(["first", "second"]);
  },
);

test("any sequence of merges ends in what a map by open time would hold", async () => {
  const database = await testDatabase();
  try {
    const store = createCandleRepository(database.sql);
    const scope = await testScope(database.sql, "map");
    let round = 0;
    const bar = fc.record({ slot: fc.nat(9000), value: fc.integer({ min: 1, max: 5 }) });
    const batches = fc.array(fc.array(bar, { maxLength: 30 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(batches, async (merges) => {
        round += 1;
        const id: SeriesId = await store.openCandles(scope, { ...KEY, symbol: `R${round}` }, NOW);
        const truth = new Map<number, Candle>();
        for (const merge of merges) {
          const incoming = new Map<number, Candle>();
          for (const { slot, value } of merge) {
            const openAt = FROM + slot * MINUTE;
            incoming.set(openAt, {
              openAt,
              open: value,
              high: value,
              low: value,
              close: value,
              volume: 0,
            });
          }
          const sorted = [...incoming.values()].sort((a, b) => a.openAt - b.openAt);
          const expected = { added: 0, replaced: 0, unchanged: 0 };
          for (const candle of sorted) {
            const old = truth.get(candle.openAt);
            expected[
              old === undefined ? "added" : old.open === candle.open ? "unchanged" : "replaced"
            ] += 1;
            truth.set(candle.openAt, candle);
          }
          const counts = await store.mergeCandles(scope, id, { series: seriesOf(sorted) }, NOW);
          expect(counts).toEqual(expected);
        }
        const all = [...truth.values()].sort((a, b) => a.openAt - b.openAt);
        expect(candlesIn(await store.loadSeries(scope, id))).toEqual(all);
      }),
      { numRuns: 40 },
    );
  } finally {
    await database.drop();
  }
}, 60_000);
