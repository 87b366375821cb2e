// `dragon candles` as a person uses it: what is printed, what is stored, how refusals end. Fetching runs
// against a fake exchange over loopback, because the program itself only knows the real ones.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createMarketData } from "../../../src/adapters/ccxt/market-data.ts";
import { createAccessRepository } from "../../../src/adapters/postgres/access-repository.ts";
import { createCandleRepository } from "../../../src/adapters/postgres/candle-repository.ts";
import { candlesCommand } from "../../../src/cli/candles.ts";
import type { CommandContext, OptionValue } from "../../../src/cli/command.ts";
import { CANDLE_CSV_HEADER, FUNDING_CSV_HEADER } from "../../../src/model/candle-csv.ts";
import { dataFolder, dragon } from "../../support/dragon.ts";
import { startBinance } from "../../support/fake-exchange/binance.ts";
import { testClock } from "../../support/fake-exchange/clock.ts";
import { type FakeExchange, tooMany } from "../../support/fake-exchange/server.ts";
import { makeWorld } from "../../support/fake-exchange/world.ts";
import { silentLog } from "../../support/silent-log.ts";
import { type TestDatabase, testDatabase } from "../../support/test-database.ts";

const FROM = Date.UTC(2024, 0, 1);
const LIMIT_MS = 60_000;
const folder = dataFolder();
const env = { DRAGON_DATA_DIR: folder.path };
const MARKET = ["--exchange", "binance", "--symbol", "BTC/USDT:USDT"];
const world = makeWorld({ seed: 1, from: FROM, bars: 700, holes: [[10, 20]] });
let database: TestDatabase;
let exchange: FakeExchange;

beforeAll(async () => {
  database = await testDatabase();
  exchange = startBinance(world);
});

afterAll(async () => {
  exchange.stop();
  await database.drop();
  folder.remove();
});

function file(name: string, text: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
}

/** Runs a subcommand in this process, with loopback market data and a signal of the test's own. */
async function run(
  name: string,
  values: Record<string, OptionValue>,
  controller = new AbortController(),
) {
  const lines = { out: [] as string[], err: [] as string[], progress: [] as number[] };
  const command = candlesCommand.subcommands?.find((each) => each.name === name);
  const clock = testClock(world.now);
  const { sql } = database;
  const context = {
    args: [],
    values,
    json: values.json === true,
    out: (line: string) => lines.out.push(line),
    err: (line: string) => lines.err.push(line),
    openDatabase: async () => ({
      access: createAccessRepository(sql),
      candles: createCandleRepository(sql),
      close: async () => undefined,
    }),
    openMarketData: async () =>
      createMarketData({ clock, log: silentLog, loopbackUrls: { binance: exchange.url } }),
    clock,
    signal: controller.signal,
    progress: () => ({
      update: (done: number) => lines.progress.push(done),
      done: () => undefined,
    }),
  } as unknown as CommandContext;
  const code = await command?.run(context);
  return { code, ...lines };
}

const FETCH = { exchange: "binance", symbol: "BTC/USDT:USDT", timeframe: "1m", from: "2024-01-01" };

test(
  "import, list and list --gaps of the real program agree with the file",
  async () => {
    const rows = [0, 5, 10, 30].map((minute) => `${FROM + minute * 60_000},10,12,9,11,1`);
    const candles = file("candles.csv", [CANDLE_CSV_HEADER, ...rows].join("\n"));
    const funding = file("funding.csv", `${FUNDING_CSV_HEADER}\n${FROM},0.0001\n`);
    const imported = await dragon(["candles", "import", candles, ...MARKET, "--json"], { env });
    expect(imported.code).toBe(0);
    expect(JSON.parse(imported.stdout)).toMatchObject({
      exchange: "binance",
      symbol: "BTC/USDT:USDT",
      market: "perps",
      timeframe: "5m",
      first_at: "2024-01-01T00:00:00Z",
      last_at: "2024-01-01T00:30:00Z",
      added: 4,
      gaps: 1,
      missing: 3,
      longest_gaps: [{ first_missing_at: "2024-01-01T00:15:00Z", missing: 3 }],
    });
    const rates = await dragon(["candles", "import", funding, ...MARKET, "--funding"], { env });
    expect(rates.stdout).toBe("BTC/USDT:USDT funding: 1 added, 0 replaced, 0 unchanged\n");
    const listed = await dragon(["candles", "list", "--gaps"], { env });
    expect(listed.code).toBe(0);
    expect(listed.stdout).toMatch(
      /BTC\/USDT:USDT {2}5m +4 {2}2024-01-01T00:00Z {2}2024-01-01T00:30Z +1 /,
    );
    expect(listed.stdout).toContain("57.1 %");
    expect(listed.stdout).toContain("2024-01-01T00:15:00Z  3 missing");
    const json = JSON.parse((await dragon(["candles", "list", "--json"], { env })).stdout);
    expect(json).toMatchObject({ candles: [{ candles: 4, gaps: 1 }], funding: [{ rates: 1 }] });
  },
  LIMIT_MS,
);

const bad = () => file("bad.csv", `${CANDLE_CSV_HEADER}\n0,10,9,9,11,1\n60000,a,9,9,11,1\n`);
const REFUSED: [argv: () => string[], says: string][] = [
  [
    () => ["import", bad(), ...MARKET],
    "line 2: high: 9 is below 11, the higher of open and close (and 1 more)",
  ],
  [() => ["import", "/nowhere.csv", ...MARKET], "/nowhere.csv: there is no such file"],
  [() => ["import", bad(), "--exchange", "binance"], "--symbol is missing"],
  [() => ["import", bad(), ...MARKET, "--timeframe", "7m"], "7 minutes do not divide a day"],
  [() => ["import", bad(), ...MARKET, "--market", "margin"], '"margin" is neither perps nor spot'],
  [() => ["import"], "FILE"],
  [() => ["fetch", ...MARKET, "--from", "2024-01-01"], "--timeframe is missing"],
  [
    () => ["fetch", ...MARKET, "--timeframe", "1h", "--from", "soon"],
    '--from: "soon" is not a date',
  ],
  [
    () => ["fetch", ...MARKET, "--timeframe", "1h", "--from", "2024-02-01", "--to", "2024-01-01"],
    "to: 2024-01-01T00:00:00Z must be after from",
  ],
];

for (const [argv, says] of REFUSED) {
  test(
    `a refusal is one line on stderr and exit code 2: ${says}`,
    async () => {
      const { code, stdout, stderr } = await dragon(["candles", ...argv()], { env });
      expect(stderr).toContain(says);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(stdout).toBe("");
      expect(code).toBe(2);
    },
    LIMIT_MS,
  );
}

test(
  "a fetch reports what it did, shows progress, and finds nothing missing the second time",
  async () => {
    const range = { ...FETCH, to: "2024-01-01T10:00Z" };
    const first = await run("fetch", { ...range, json: true });
    expect(first.code).toBe(0);
    expect(JSON.parse(first.out.join(""))).toMatchObject({
      exchange: "binance",
      timeframe: "1m",
      asked: [{ from: "2024-01-01T00:00:00Z", to: "2024-01-01T10:00:00Z" }],
      added: 590,
      gaps: 1,
      missing: 10,
    });
    expect(first.progress.at(-1)).toBe(1);
    const second = await run("fetch", range);
    expect(second.out[0]).toBe("binance BTC/USDT:USDT 1m: nothing was missing");
    const funding = await run("fetch", { ...FETCH, funding: true });
    expect(funding.out[0]).toBe(
      "binance BTC/USDT:USDT funding: 2 added, 0 replaced, 0 unchanged, 1 pages",
    );
  },
  LIMIT_MS,
);

test(
  "a stopped fetch says that it can go on, and ends with 1",
  async () => {
    const controller = new AbortController();
    exchange.fault = () => {
      controller.abort(new Error("stopped by SIGINT"));
      return tooMany();
    };
    const stopped = await run("fetch", { ...FETCH, timeframe: "1d" }, controller);
    exchange.fault = () => null;
    expect(stopped.code).toBe(1);
    expect(stopped.err.join("")).toContain("the same command goes on from there");
  },
  LIMIT_MS,
);
