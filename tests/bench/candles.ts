// How quickly the longest real candle history is read, stored and loaded, against the simplest way
// to read the same bytes. Run by tests/bench/run.ts; says so and measures nothing without the data
// folder.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createCandleRepository } from "../../src/adapters/postgres/candle-repository.ts";
import { readCandleFile } from "../../src/services/research/candle-files.ts";
import { testDatabase, testScope } from "../support/test-database.ts";
import { type BenchRow, median } from "./bench-row.ts";

const FILE = join(import.meta.dir, "../../../shared/data/candles/bitfinex_BTCUSD_1m.csv.gz");
const RUNS = 3;

async function timed(work: () => unknown): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function medianMs(runs: number, work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) times.push(await timed(work));
  return median(times);
}

/**
 * What a first attempt would do: the whole text, split into lines and cells, each through Number.
 */
async function readSimply(): Promise<number> {
  const packed = new Uint8Array(await Bun.file(FILE).arrayBuffer());
  const lines = new TextDecoder().decode(Bun.gunzipSync(packed)).trimEnd().split("\n");
  const columns = Array.from({ length: 6 }, () => new Float64Array(lines.length - 1));
  for (let i = 1; i < lines.length; i++) {
    const cells = (lines[i] ?? "").split(",");
    for (const [k, column] of columns.entries()) column[i - 1] = Number(cells[k]);
  }
  return lines.length - 1;
}

/** Reading, storing and loading of 2.6 million one-minute candles. */
export async function benchCandles(): Promise<readonly BenchRow[]> {
  if (!existsSync(FILE)) {
    console.error("bench candles: ../shared/data/candles is absent, nothing is measured");
    return [];
  }
  const series = await readCandleFile(FILE, 1);
  const bars = series.length;
  const readMs = await medianMs(RUNS, () => readCandleFile(FILE, 1));
  const simpleMs = await timed(readSimply);
  const database = await testDatabase();
  try {
    const store = createCandleRepository(database.sql);
    const scope = await testScope(database.sql, "bench");
    const key = {
      exchangeId: "bitfinex",
      symbol: "BTC/USD",
      kind: "spot",
      timeframeMin: 1,
    } as const;
    const id = await store.openCandles(scope, key, 0);
    const storeMs = await timed(() => store.mergeCandles(scope, id, { series }, 0));
    const loadMs = await medianMs(RUNS, () => store.loadSeries(scope, id));
    const [listed] = await store.listSeries(scope);
    const note = `${bars.toLocaleString("en-US")} bars`;
    return [
      {
        name: "read and check the file",
        value: (readMs * 1e6) / bars,
        unit: "ns/bar",
        must: 1000,
        aim: 400,
        reference: "split and Number",
        ratio: simpleMs / readMs,
        note,
      },
      { name: "store", value: storeMs / 1000, unit: "s", must: 10, aim: 5, note },
      { name: "load into columns", value: loadMs / 1000, unit: "s", must: 1, aim: 0.3, note },
      { name: "size in the database", value: (listed?.bytes ?? Number.NaN) / bars, unit: "B/bar" },
    ];
  } finally {
    await database.drop();
  }
}
