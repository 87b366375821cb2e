// Coverage bars tell the truth about every hole, overviews are remembered until the series changes, and
// an export reads back bit by bit.
import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { createCandleRepository } from "../../../src/adapters/postgres/candle-repository.ts";
import {
  CANDLE_CSV_HEADER,
  parseCandleCsv,
  parseFundingCsv,
} from "../../../src/model/candle-csv.ts";
import { CANDLE_COLUMNS, seriesOf } from "../../../src/model/candle.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { CandleStore, CandleSummary } from "../../../src/ports/candle-store.ts";
import { candleCsv, fundingCsv } from "../../../src/services/research/candle-export.ts";
import { readHistory } from "../../../src/services/research/candle-files.ts";
import {
  COVERAGE_STRETCHES_MAX,
  coverageBar,
  createOverviews,
} from "../../../src/services/research/candle-overview.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";

const MINUTE = 60_000;
const market = { exchangeId: "okx", symbol: "A/USDT:USDT", kind: "perps" } as const;
let database: TestDatabase;
let store: CandleStore;
let scope: Scope;

beforeAll(async () => {
  database = await testDatabase();
  store = createCandleRepository(database.sql);
  scope = await testScope(database.sql, "overview");
});
afterAll(() => database.drop());

/** Candles open at these places of a grid of minutes. */
const candlesAt = (places: readonly number[], price = 10) =>
  seriesOf(
    places.map((place) => ({
      openAt: place * MINUTE,
      ...{ open: price, high: price, low: price, close: price, volume: 1 },
    })),
  );

test("whatever is missing, a bar has no seam, counts every candle and is green only where none lacks", () => {
  const places = fc
    .uniqueArray(fc.nat(2000), { minLength: 1, maxLength: 1500 })
    .map((list) => list.sort((a, b) => a - b));
  fc.assert(
    fc.property(places, (list) => {
      const openAt = Float64Array.from(list, (place) => place * MINUTE);
      const { stretches, segments } = coverageBar(openAt, MINUTE);
      const first = list[0] ?? 0;
      const possible = (list.at(-1) ?? 0) - first + 1;
      expect(stretches).toBe(Math.min(possible, COVERAGE_STRETCHES_MAX));
      let start = 0;
      let from = first * MINUTE;
      for (const segment of segments) {
        expect([segment.start, segment.from]).toEqual([start, from]);
        const inside = list.filter(
          (place) => place * MINUTE >= segment.from && place * MINUTE < segment.to,
        );
        const bars = (segment.to - segment.from) / MINUTE;
        expect(segment.presentRatio).toBeCloseTo(inside.length / bars, 12);
        expect(segment.fill === "full").toBe(inside.length === bars);
        expect(segment.fill === "none").toBe(inside.length === 0);
        start += segment.length;
        from = segment.to;
      }
      expect([start, from]).toEqual([stretches, (first + possible) * MINUTE]);
    }),
    { numRuns: 200 },
  );
});

test("one candle missing among two million is seen on the bar", () => {
  const openAt = new Float64Array(2_000_000);
  for (let i = 0; i < openAt.length; i++) openAt[i] = (i < 1_234_567 ? i : i + 1) * MINUTE;
  const { segments } = coverageBar(openAt, MINUTE);
  expect(segments.map(({ fill }) => fill)).toEqual(["full", "most", "full"]);
});

test("an empty series has an empty bar", () => {
  expect(coverageBar(new Float64Array(0), MINUTE)).toEqual({ stretches: 0, segments: [] });
});

async function stored(places: readonly number[], symbol: string): Promise<CandleSummary> {
  const key = { ...market, symbol, timeframeMin: 1 };
  const id = await store.openCandles(scope, key, 0);
  await store.mergeCandles(scope, id, { series: candlesAt(places) }, places.length);
  const found = (await store.listSeries(scope)).find((each) => each.id === id);
  if (!found) throw new Error("not stored");
  return found;
}

test("a series is read once until it changes, and one without gaps not at all for its bar", async () => {
  let reads = 0;
  const counting: CandleStore = {
    ...store,
    loadSeries: (...args) => {
      reads += 1;
      return store.loadSeries(...args);
    },
  };
  const overviews = createOverviews(counting);
  const whole = await stored([0, 1, 2, 3], "WHOLE/X");
  expect(overviews.knownBar(whole)?.segments).toMatchObject([{ fill: "full", presentRatio: 1 }]);
  const first = await stored([0, 1, 5], "GAPPY/X");
  expect(overviews.knownBar(first)).toBeNull();
  const [one, two] = await Promise.all([overviews.of(scope, first), overviews.of(scope, first)]);
  expect(one?.quality).toMatchObject({ gapCount: 1, missingBars: 3 });
  expect(two).toBe(one);
  expect(reads).toBe(1);
  expect(overviews.knownBar(first)).toBe(one?.bar ?? null);
  const changed = await stored([0, 1, 2, 5], "GAPPY/X");
  expect(overviews.knownBar(changed)).toBeNull();
  expect((await overviews.of(scope, changed))?.quality).toMatchObject({ missingBars: 2 });
  await store.deleteSeries(scope, changed.id);
  expect(await createOverviews(counting).of(scope, changed)).toBeNull();
});

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
}

test("exported candles read back bit by bit, across pieces, holes and tiny prices", async () => {
  const places = [0, 1, ...Array.from({ length: 40_000 }, (_, i) => i + 20_000), 90_000];
  const series = candlesAt(places);
  series.low[0] = 1.2345e-7;
  series.volume[1] = 1.5e21;
  series.volume[2] = 0.1 + 0.2;
  const id = await store.openCandles(scope, { ...market, symbol: "CSV/X", timeframeMin: 1 }, 0);
  await store.mergeCandles(scope, id, { series }, 0);
  const summary = (await store.listSeries(scope)).find((each) => each.id === id);
  const text = await textOf(candleCsv(store, scope, summary!));
  expect(text).not.toMatch(/\d[eE][+-]?\d/);
  const read = parseCandleCsv(new TextEncoder().encode(text), 1);
  for (const name of CANDLE_COLUMNS) expect(read[name]).toEqual(series[name]);
});

test("exported funding rates read back", async () => {
  const id = await store.openFunding(scope, market, 0);
  const series = {
    length: 2,
    at: Float64Array.of(28_800_000, 57_600_000),
    rate: Float64Array.of(1e-7, -0.0003),
  };
  await store.mergeFunding(scope, id, { series }, 0);
  const [summary] = await store.listFunding(scope);
  const text = await textOf(fundingCsv(store, scope, summary!));
  expect(parseFundingCsv(new TextEncoder().encode(text))).toEqual(series);
});

test("a file may not unpack to more than its limit, and its source is let go at once", async () => {
  const line = "60000,1,1,1,1,1\n".repeat(100_000);
  const packed = Bun.gzipSync(new TextEncoder().encode(`${CANDLE_CSV_HEADER}\n${line}`));
  let isClosed = false;
  async function* bytes() {
    try {
      for (let from = 0; from < packed.length; from += 100) yield packed.subarray(from, from + 100);
    } finally {
      isClosed = true;
    }
  }
  const file = { name: "bomb.gz", bytes: bytes(), plainBytesMax: 1e6 };
  await expect(readHistory(file)).rejects.toThrow(/^bomb.gz: it holds more than 1 MB of text/);
  await Bun.sleep(0);
  expect(isClosed).toBe(true);
});
