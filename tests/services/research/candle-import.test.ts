// Files into the store: plain and gzip, refused as a whole or stored as a whole, and the real
// histories beside the repository.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCandleRepository } from "../../../src/adapters/postgres/candle-repository.ts";
import { CANDLE_CSV_HEADER, FUNDING_CSV_HEADER } from "../../../src/model/candle-csv.ts";
import { CANDLE_COLUMNS } from "../../../src/model/candle.ts";
import { InputError } from "../../../src/model/result.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { CandleStore } from "../../../src/ports/candle-store.ts";
import type { Market } from "../../../src/ports/market-data.ts";
import { readCandleFile } from "../../../src/services/research/candle-files.ts";
import { importCandles, importFunding } from "../../../src/services/research/candle-import.ts";
import { testClock } from "../../support/fake-exchange/clock.ts";
import { needs, testIf } from "../../support/needs.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";

const DATA = join(import.meta.dir, "../../../../shared/data/candles");
const LIMIT_MS = 60_000;
const market: Market = { exchangeId: "bitfinex", symbol: "BTC/USD", kind: "spot" };
const perps: Market = { exchangeId: "binance", symbol: "BTC/USDT:USDT", kind: "perps" };
const clock = testClock(Date.UTC(2024, 5, 1));
const folder = temporaryFolder();
let database: TestDatabase;
let store: CandleStore;
let scope: Scope;

beforeAll(async () => {
  database = await testDatabase();
  store = createCandleRepository(database.sql);
  scope = await testScope(database.sql, "import");
});

afterAll(async () => {
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const GOOD = `${CANDLE_CSV_HEADER}\n0,10,12,9,11,1\n300000,11,12,10,10,2\n900000,10,10,10,10,0\n`;

test("a file is told plain or gzip by its bytes, whatever its name", async () => {
  const packed = Bun.gzipSync(new TextEncoder().encode(GOOD));
  const plain = await readCandleFile(fileOf("plain.gz", GOOD));
  expect(await readCandleFile(fileOf("packed.csv", packed))).toEqual(plain);
  expect(
    await readCandleFile(
      fileOf(
        "members.csv",
        Buffer.concat([
          Bun.gzipSync(new TextEncoder().encode(GOOD.slice(0, 50))),
          Bun.gzipSync(new TextEncoder().encode(GOOD.slice(50))),
        ]),
      ),
    ),
  ).toEqual(plain);
});

test("a file that cannot be read is refused by name", async () => {
  const packed = Bun.gzipSync(new TextEncoder().encode(GOOD.repeat(50)));
  const cut = fileOf("cut.csv.gz", packed.slice(0, packed.length - 20));
  for (const [path, why] of [
    [join(folder, "absent.csv"), "there is no such file"],
    [folder, "it is a folder, not a file"],
    [cut, "the gzip data is damaged or cut off"],
  ] as const) {
    const failure = await readCandleFile(path).then(
      () => null,
      (error: Error) => error,
    );
    expect(failure).toBeInstanceOf(InputError);
    expect(failure?.message).toBe(`${path}: ${why}`);
  }
});

test("an import reports what it did and what the file lacks, and can be repeated", async () => {
  const path = fileOf("import.csv", GOOD);
  const first = await importCandles({ store, clock }, { scope, path, market });
  expect(first).toMatchObject({
    timeframeMin: 5,
    items: 3,
    firstAt: 0,
    lastAt: 900_000,
    added: 3,
    replaced: 0,
    unchanged: 0,
  });
  expect(first.quality).toMatchObject({ gapCount: 1, missingBars: 1, zeroVolumeBars: 1 });
  const again = await importCandles({ store, clock }, { scope, path, market, timeframeMin: 5 });
  expect(again).toMatchObject({ added: 0, replaced: 0, unchanged: 3, seriesId: first.seriesId });
  const changed = fileOf(
    "changed.csv",
    `${GOOD.replace("11,12,10,10,2", "11,12,10,10,3")}1200000,10,10,10,10,1\n`,
  );
  const third = await importCandles({ store, clock }, { scope, path: changed, market });
  expect(third).toMatchObject({ added: 1, replaced: 1, unchanged: 2 });
  expect([...(await store.loadSeries(scope, first.seriesId)).volume]).toEqual([1, 3, 0, 1]);
});

test("a refused file leaves everything as it was", async () => {
  const before = await store.listSeries(scope);
  const bad = fileOf("bad.csv", `${GOOD}1200000,10,9,10,10,1\n1500000,x,9,10,10,1\n`);
  const refused = importCandles({ store, clock }, { scope, path: bad, market });
  await expect(refused).rejects.toThrow(`${bad}: line 5: high: 9 is below 10`);
  const symbol = "ETH/USD";
  await expect(
    importCandles({ store, clock }, { scope, path: bad, market: { ...market, symbol } }),
  ).rejects.toThrow(InputError);
  const empty = fileOf("empty.csv", CANDLE_CSV_HEADER);
  await expect(
    importCandles({ store, clock }, { scope, path: empty, market, timeframeMin: 5 }),
  ).rejects.toThrow(/holds no line below the header/);
  const odd = fileOf("odd.csv", GOOD.replace("300000", "240000"));
  await expect(importCandles({ store, clock }, { scope, path: odd, market })).rejects.toThrow(
    `${odd}: timeframe: `,
  );
  expect(await store.listSeries(scope)).toEqual(before);
});

test("funding rates are imported for perpetuals only", async () => {
  const path = fileOf("funding.csv", `${FUNDING_CSV_HEADER}\n28800000,0.0001\n57600000,-0.0002\n`);
  const report = await importFunding({ store, clock }, { scope, path, market: perps });
  expect(report).toMatchObject({ items: 2, added: 2, firstAt: 28_800_000, lastAt: 57_600_000 });
  await expect(importFunding({ store, clock }, { scope, path, market })).rejects.toThrow(
    /only perpetuals have funding/,
  );
});

testIf(
  "data",
  "the whole Bitfinex history is imported and comes back bit by bit",
  async () => {
    const path = join(DATA, "bitfinex_BTCUSD_1m.csv.gz");
    const report = await importCandles({ store, clock }, { scope, path, market, timeframeMin: 1 });
    expect(report.added).toBe(2_630_217);
    const file = await readCandleFile(path, 1);
    const stored = await store.loadSeries(scope, report.seriesId);
    for (const name of CANDLE_COLUMNS) {
      const a = new BigUint64Array(file[name].slice().buffer);
      const b = new BigUint64Array(stored[name].slice().buffer);
      expect(Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer))).toBe(0);
    }
  },
  LIMIT_MS,
);

type Row = {
  file: string;
  minutes: number;
  bars: number;
  gaps: number;
  missing: number;
  zero: number;
};

/** The candle rows of the data folder's own table. */
function tableRows(): Row[] {
  const readme = needs("data").present ? readFileSync(join(DATA, "README.md"), "utf8") : "";
  return readme.split("\n").flatMap((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    const [, file = "", , , , timeframe = "", bars = "", , , gaps = "", missing = "", , zero = ""] =
      cells;
    const match = /^(\d+)([mh])$/.exec(timeframe);
    if (!file.endsWith(".csv.gz") || !match) return [];
    const whole = (text: string) => Number(text.replaceAll(",", ""));
    const minutes = Number(match[1]) * (match[2] === "h" ? 60 : 1);
    return [
      {
        file,
        minutes,
        bars: whole(bars),
        gaps: whole(gaps),
        missing: whole(missing),
        zero: whole(zero),
      },
    ];
  });
}

testIf("data", "the table of real histories was understood", () => {
  expect(tableRows()).toHaveLength(11);
});

for (const row of tableRows()) {
  test(
    `${row.file}: bars and gaps are those of its table, also after storing`,
    async () => {
      const symbol = `${row.file.split("_").slice(0, 3).join("").toUpperCase()}/X`;
      const path = join(DATA, row.file);
      const report = await importCandles(
        { store, clock },
        { scope, path, market: { ...market, symbol } },
      );
      expect(report).toMatchObject({ timeframeMin: row.minutes, items: row.bars, added: row.bars });
      expect(report.quality).toMatchObject({
        gapCount: row.gaps,
        missingBars: row.missing,
        zeroVolumeBars: row.zero,
      });
      const listed = (await store.listSeries(scope)).find(({ id }) => id === report.seriesId);
      expect(listed).toMatchObject({
        items: row.bars,
        gapCount: row.gaps,
        missingBars: row.missing,
      });
    },
    LIMIT_MS,
  );
}
