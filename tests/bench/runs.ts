// From a request to its result as a page experiences it: a year of one-minute candles in a real database,
// real threads, the row stored at the end. Also the chart and the reason of a decision over the same run.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type CandleSeries, firstAtOrAfter, sliceSeries } from "../../src/model/candle.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { RunId } from "../../src/ports/run-store.ts";
import type { Research } from "../../src/research.ts";
import type { Actor } from "../../src/services/desk/actor.ts";
import { readCandleFile } from "../../src/services/research/candle-files.ts";
import { readJsonFile } from "../../src/services/research/json-files.ts";
import type { RunRequest } from "../../src/services/research/runs.ts";
import { actorOf, MARKET, storeCandles, testResearch } from "../support/research-case.ts";
import { type TestDatabase, testDatabase, testScope } from "../support/test-database.ts";
import { type BenchRow, benchTable, median } from "./bench-row.ts";

const SHARED = join(import.meta.dir, "../../../shared");
const CANDLES = join(SHARED, "data/candles/bitfinex_BTCUSD_1m.csv.gz");
const COLD_RUNS = 5;
const WARM_RUNS = 9;
const LIMIT_MS = 30_000;

type Bench = { readonly database: TestDatabase; readonly scope: Scope; readonly actor: Actor };

const bench = (file: string) => readJsonFile(join(SHARED, "bench", file));

/** A year and the warm-up before it: 525,600 traded candles, less what the exchange never had. */
async function yearOfCandles(): Promise<CandleSeries> {
  const all = await readCandleFile(CANDLES, 1);
  const at = (year: number, month: number) => firstAtOrAfter(all.openAt, Date.UTC(year, month));
  return sliceSeries(all, at(2018, 9), at(2020, 0));
}

async function requestOfYear(config: string): Promise<RunRequest> {
  return {
    name: null,
    market: MARKET,
    config: await bench(`${config}.config.json`),
    instrument: await bench("instrument.json"),
    run: await bench("run-2019.json"),
    withFunding: false,
    fetchMissing: false,
  };
}

async function runOnce(research: Research, { actor }: Bench, request: RunRequest) {
  const beganMs = performance.now();
  const asked = await research.runs.request(actor, request);
  if (!asked.ok) throw new Error(asked.sentences.join("; "));
  const end = await research.runs.settled(actor.scope, asked.id, LIMIT_MS);
  if (end?.status !== "finished") throw new Error(`the run ended ${JSON.stringify(end)}`);
  return { ms: performance.now() - beganMs, id: asked.id };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
}

/** Nothing loaded, no thread: what the first run after a start costs. */
async function measureCold(made: Bench, request: RunRequest): Promise<number> {
  const times: number[] = [];
  for (let k = 0; k < COLD_RUNS; k++) {
    const research = testResearch(made.database.sql);
    times.push((await runOnce(research, made, request)).ms);
    await research.stop();
  }
  return median(times);
}

/** Candles are loaded, the thread is new: the first run after a pause. */
async function measureColdThread(made: Bench, request: RunRequest): Promise<number> {
  const times: number[] = [];
  const research = testResearch(made.database.sql, { pool: { idleMs: 20, threads: 1 } });
  await runOnce(research, made, request);
  for (let k = 0; k < COLD_RUNS; k++) {
    await Bun.sleep(200);
    times.push((await runOnce(research, made, request)).ms);
  }
  await research.stop();
  return median(times);
}

async function chartRows(research: Research, made: Bench, id: RunId): Promise<BenchRow[]> {
  const { scope } = made;
  let bytes = 0;
  const chart = (window: { from?: number; to?: number }) => async () => {
    const found = await research.runs.chart(scope, id, { ...window, buckets: 2000 });
    if (!found.ok) throw new Error(found.detail);
    bytes = Math.max(bytes, JSON.stringify(found.value).length);
  };
  const whole: number[] = [];
  const zoomed: number[] = [];
  for (let k = 0; k < WARM_RUNS; k++) {
    whole.push(await timed(chart({})));
    const from = Date.UTC(2019, k);
    zoomed.push(await timed(chart({ from, to: from + 10 * 86_400_000 })));
  }
  const explain = (day: number) => () =>
    research.runs.explain(scope, id, Date.UTC(2019, 5, day)).then((found) => {
      if (!found.ok) throw new Error(found.detail);
    });
  const first = await timed(explain(1));
  const again = await timed(explain(2));
  const fresh = testResearch(made.database.sql);
  const recomputed = await timed(async () => {
    const found = await fresh.runs.chart(scope, id, { buckets: 2000 });
    if (!found.ok) throw new Error(found.detail);
  });
  await fresh.stop();
  return [
    { name: "chart of the whole year", value: median(whole), unit: "ms", must: 100, aim: 20 },
    { name: "chart, zoomed", value: median(zoomed), unit: "ms", must: 100, aim: 20 },
    { name: "chart after a restart", value: recomputed, unit: "ms", must: 1000, aim: 400 },
    { name: "chart, JSON", value: bytes / 1000, unit: "kB", must: 300 },
    { name: "reason of a decision, the first", value: first, unit: "ms", must: 1000, aim: 300 },
    { name: "reason of a decision, the next", value: again, unit: "ms", must: 100, aim: 20 },
  ];
}

async function measure(made: Bench): Promise<BenchRow[]> {
  const request = await requestOfYear("fixed-exits");
  const cold = await measureCold(made, request);
  const coldThread = await measureColdThread(made, request);
  const research = testResearch(made.database.sql);
  const warm: number[] = [];
  let last = await runOnce(research, made, request);
  for (let k = 0; k < WARM_RUNS; k++) {
    last = await runOnce(research, made, request);
    warm.push(last.ms);
  }
  const busy = await requestOfYear("trailing-atr");
  const other = await runOnce(research, made, busy);
  const run = await research.runs.find(made.scope, last.id);
  const candles = (run?.details as { candles?: { count?: number } } | null)?.candles?.count;
  const note = `${candles?.toLocaleString("en-US")} candles, ${run?.metrics?.fills} fills`;
  const rows: BenchRow[] = [
    { name: "request to result, all cold", value: cold, unit: "ms", must: 1000, aim: 500, note },
    { name: "request to result, new thread", value: coldThread, unit: "ms", must: 500, aim: 250 },
    { name: "request to result, warm", value: median(warm), unit: "ms", must: 500, aim: 100 },
    { name: "request to result, other config", value: other.ms, unit: "ms", must: 500, aim: 250 },
    ...(await chartRows(research, made, last.id)),
    { name: "artifact", value: (run?.artifact?.bytes ?? Number.NaN) / 1000, unit: "kB" },
  ];
  await research.stop();
  return rows;
}

/** The figures of runs; empty with a sentence when the recorded data is absent. */
export async function benchRuns(): Promise<BenchRow[]> {
  if (!existsSync(CANDLES)) {
    console.error("bench runs: ../shared/data is absent, nothing is measured");
    return [];
  }
  const database = await testDatabase();
  try {
    const scope = await testScope(database.sql, "bench", "trader");
    await storeCandles(database.sql, scope, await yearOfCandles(), 1);
    return await measure({ database, scope, actor: await actorOf(database.sql, scope) });
  } finally {
    await database.drop();
  }
}

if (import.meta.main) {
  for (const line of benchTable(await benchRuns())) console.log(line);
  process.exit(0);
}
