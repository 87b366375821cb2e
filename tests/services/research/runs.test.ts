// Runs end to end: a request, real threads, a real database, the stored result. What they come to must be
// what the command line comes to.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createAuditRepository } from "../../../src/adapters/postgres/audit-repository.ts";
import { createCandleRepository } from "../../../src/adapters/postgres/candle-repository.ts";
import { type CandleSeries, emptySeries } from "../../../src/model/candle.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { Run, RunId } from "../../../src/ports/run-store.ts";
import type { Research } from "../../../src/research.ts";
import type { Actor } from "../../../src/services/desk/actor.ts";
import { readCandleFile } from "../../../src/services/research/candle-files.ts";
import { detailsOf, type RunDetails } from "../../../src/services/research/run-details.ts";
import { requestOf } from "../../../src/services/research/run-request.ts";
import type { RunRequest } from "../../../src/services/research/runs.ts";
import { generateCase } from "../../oracle/cases.ts";
import { dragon } from "../../support/dragon.ts";
import { type CaseDocuments, columnsOf } from "../../support/engine-case.ts";
import { testIf } from "../../support/needs.ts";
import { DATA_DIR, realCase } from "../../support/real-case.ts";
import {
  actorOf,
  aRequest,
  MARKET,
  storeCandles,
  testResearch,
  walkCandles,
} from "../../support/research-case.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";

const LIMIT_MS = 30_000;
let database: TestDatabase;
let research: Research;

beforeAll(async () => {
  database = await testDatabase();
  research = testResearch(database.sql);
}, LIMIT_MS);

afterAll(async () => {
  await research.stop();
  await database.drop();
});

let people = 0;

/** A new user in a workspace of their own. */
async function somebody(): Promise<Actor> {
  people += 1;
  return await actorOf(database.sql, await testScope(database.sql, `runs-${people}`, "trader"));
}

async function finished(actor: Actor, request: RunRequest): Promise<Run & { details: RunDetails }> {
  const asked = await research.runs.request(actor, request);
  if (!asked.ok) throw new Error(asked.sentences.join("; "));
  const end = await research.runs.settled(actor.scope, asked.id, LIMIT_MS);
  expect(end).toEqual({ status: "finished", stage: "ended", share: null, error: null });
  return await stored(actor.scope, asked.id);
}

async function stored(scope: Scope, id: RunId): Promise<Run & { details: RunDetails }> {
  const run = await research.runs.find(scope, id);
  const details = run && detailsOf(run);
  if (!run || !details) throw new Error("the run is not finished");
  return { ...run, details } as unknown as Run & { details: RunDetails };
}

/** What the command prints for the same documents. */
async function printed(documents: CaseDocuments) {
  const folder = temporaryFolder();
  const { candles, funding } = documents;
  const rows = candles.t.map((t, i) =>
    [t, candles.o[i], candles.h[i], candles.l[i], candles.c[i], candles.v[i]].join(","),
  );
  const write = async (name: string, text: string) => {
    const path = join(folder, name);
    await Bun.write(path, text);
    return path;
  };
  const header = "timestamp_ms,open,high,low,close,volume";
  const args = ["backtest", "--json", "--candles"];
  args.push(await write("c.csv", [header, ...rows].join("\n")));
  for (const name of ["config", "instrument", "run"] as const) {
    args.push(`--${name}`, await write(`${name}.json`, JSON.stringify(documents[name])));
  }
  if (funding) {
    const rates = funding.t.map((t, i) => `${t},${funding.rate[i]}`);
    const text = ["timestamp_ms,funding_rate", ...rates].join("\n");
    args.push("--funding", await write("f.csv", text));
  }
  const ran = await dragon(args);
  if (ran.code !== 0) throw new Error(ran.stderr);
  return JSON.parse(ran.stdout);
}

/** The parts of the result document, out of what was stored. */
async function assembled(actor: Actor, run: Run & { details: RunDetails }) {
  const record = await research.runs.record(actor.scope, run.id);
  const { candles, warmup, rejections, ledger, equity_end } = run.details;
  return {
    engine: run.engineVersion,
    candles,
    warmup,
    metrics: run.metrics,
    rejections,
    ledger,
    fills_count: record?.fills.length,
    fills_sha256: run.fillsSha256,
    fills: record?.fills,
    cycles: record?.cycles,
    equity_end,
  };
}

async function askFor(actor: Actor, documents: CaseDocuments): Promise<RunRequest> {
  const { config, instrument, run, funding } = documents;
  const timeframeMin = (run as { timeframe_min: number }).timeframe_min;
  await storeCandles(database.sql, actor.scope, columnsOf(documents.candles), timeframeMin);
  if (funding) {
    const store = createCandleRepository(database.sql);
    const id = await store.openFunding(actor.scope, MARKET, 0);
    const series = {
      length: funding.t.length,
      at: Float64Array.from(funding.t),
      rate: Float64Array.from(funding.rate),
    };
    await store.mergeFunding(actor.scope, id, { series }, 1);
  }
  const withFunding = funding !== undefined;
  return aRequest({ config, instrument, run, withFunding });
}

describe("a run comes to what the command line prints", () => {
  for (const seed of [11, 23, 42, 77]) {
    test(
      `for generated case ${seed}`,
      async () => {
        const documents = generateCase(seed);
        const actor = await somebody();
        const run = await finished(actor, await askFor(actor, documents));
        const expected = await printed(documents);
        expect(expected.fills_count).toBeGreaterThan(0);
        expect(await assembled(actor, run)).toEqual(expected);
        expect((run.details.funding === null) === (documents.funding === undefined)).toBe(true);
      },
      LIMIT_MS,
    );
  }

  testIf(
    "data",
    "for recorded candles with gaps",
    async () => {
      const [documents] = await realCase("sol15_gappy");
      if (!documents) throw new Error("there is no such case");
      const actor = await somebody();
      const run = await finished(actor, await askFor(actor, documents));
      expect(await assembled(actor, run)).toEqual(await printed(documents));
    },
    LIMIT_MS,
  );
});

test("the other fill model is told beside the asked one, and each is the other's other", async () => {
  let different = 0;
  for (const seed of [2, 5, 9, 14]) {
    const documents = generateCase(seed);
    const actor = await somebody();
    const request = await askFor(actor, documents);
    const at = (fill_model: string) => ({
      ...request,
      run: { ...(request.run as object), fill_model },
    });
    const path = await finished(actor, at("path"));
    const other = await finished(actor, at("pessimistic"));
    const figures = ({ metrics }: Run, fill_model: string) => ({
      fill_model,
      net_profit: metrics?.net_profit,
      net_return: metrics?.net_return,
      max_drawdown: metrics?.max_drawdown,
      fills: metrics?.fills,
      cycles: metrics?.cycles,
      liquidated: metrics?.liquidated,
    });
    expect<unknown>(path.details.other_fill_model).toEqual(figures(other, "pessimistic"));
    expect<unknown>(other.details.other_fill_model).toEqual(figures(path, "path"));
    if (path.fillsSha256 !== other.fillsSha256) different += 1;
  }
  expect(different).toBeGreaterThan(0);
});

/** The candles of a higher timeframe by hand: a plain loop over whole bins. */
function joined(series: CandleSeries, factor: number): CandleSeries {
  const count = Math.floor(series.length / factor);
  const out = emptySeries(count);
  for (let k = 0; k < count; k++) {
    const part = Array.from({ length: factor }, (_, n) => k * factor + n);
    out.openAt[k] = series.openAt[k * factor]!;
    out.open[k] = series.open[k * factor]!;
    out.high[k] = Math.max(...part.map((i) => series.high[i]!));
    out.low[k] = Math.min(...part.map((i) => series.low[i]!));
    out.close[k] = series.close[k * factor + factor - 1]!;
    out.volume[k] = part.reduce((sum, i) => sum + series.volume[i]!, 0);
  }
  return out;
}

test("a timeframe that is not stored gives the result of one that is", async () => {
  const series = walkCandles(20_000);
  const request = aRequest({
    run: { timeframe_min: 15, from: Date.UTC(2024, 0, 15), to: Date.UTC(2024, 2, 5) },
  });
  const [one, two] = [await somebody(), await somebody()];
  await storeCandles(database.sql, one.scope, series, 5);
  await storeCandles(database.sql, two.scope, joined(series, 3), 15);
  const aggregated = await finished(one, request);
  const direct = await finished(two, request);
  expect(aggregated.metrics?.fills).toBeGreaterThan(20);
  expect(aggregated.fillsSha256).toBe(direct.fillsSha256);
  expect(aggregated.candlesFingerprint).toBe(direct.candlesFingerprint);
  expect(aggregated.details.series.timeframe_min).toBe(5);
  expect(direct.details.series.timeframe_min).toBe(15);
  expect(await research.runs.record(one.scope, aggregated.id)).toEqual(
    await research.runs.record(two.scope, direct.id),
  );
});

test("what is stored is the complete request, and asking with it again gives the same run", async () => {
  const actor = await somebody();
  await storeCandles(database.sql, actor.scope, walkCandles(20_000));
  const first = await finished(actor, aRequest({ name: "mine" }));
  expect(first.config).toMatchObject({ general: { max_entries: 5, allow_short: true } });
  expect(first.runSettings).toMatchObject({ initial_balance: 1000, with_funding: false });
  expect(first.instrument).toMatchObject({ symbol: MARKET.symbol, contract_size: 1 });
  expect(first.direction).toBe("both");
  const again = await finished(actor, requestOf(first));
  expect(again.name).toBe("mine");
  expect(again.configHash).toBe(first.configHash);
  expect(again.fillsSha256).toBe(first.fillsSha256);
  const other = await finished(actor, aRequest({ config: { general: { allow_short: true } } }));
  expect(other.configHash).not.toBe(first.configHash);
});

test("progress goes from waiting to its end, heard by whoever watches, told to whoever asks", async () => {
  const actor = await somebody();
  await storeCandles(database.sql, actor.scope, walkCandles(20_000));
  const asked = await research.runs.request(actor, aRequest());
  if (!asked.ok) throw new Error(asked.sentences.join("; "));
  const stages: string[] = [];
  const off = research.runs.watch(actor.scope, asked.id, ({ stage }) => stages.push(stage));
  await research.runs.settled(actor.scope, asked.id, LIMIT_MS);
  const order = ["waiting", "loading", "computing", "storing", "ended"];
  expect(stages).toEqual(order.filter((stage) => stages.includes(stage)));
  expect(stages).toContain("computing");
  expect(stages.at(-1)).toBe("ended");
  off();
  const ended = { status: "finished", stage: "ended", share: null, error: null } as const;
  expect(await research.runs.progress(actor.scope, asked.id)).toEqual(ended);
  expect(await research.runs.settled(actor.scope, asked.id, 0)).toEqual(ended);
  const late: unknown[] = [];
  research.runs.watch(actor.scope, asked.id, (progress) => late.push(progress));
  await Bun.sleep(50);
  expect(late).toEqual([ended]);
});

test("request, renaming and removing are written down, and a removed run is gone", async () => {
  const actor = await somebody();
  await storeCandles(database.sql, actor.scope, walkCandles(20_000));
  const { id } = await finished(actor, aRequest());
  expect(await research.runs.rename(actor, id, "a better name")).toBe(true);
  expect((await research.runs.find(actor.scope, id))?.name).toBe("a better name");
  const mark = { isShortlisted: true, note: "look again" };
  expect(await research.runs.shortlist(actor, id, mark)).toBe(true);
  expect(await research.runs.find(actor.scope, id)).toMatchObject(mark);
  expect(await research.runs.record(actor.scope, id)).not.toBeNull();
  expect(await research.runs.remove(actor, [id])).toBe(1);
  expect(await research.runs.find(actor.scope, id)).toBeNull();
  expect(await research.runs.record(actor.scope, id)).toBeNull();
  expect(await research.runs.remove(actor, [id])).toBe(0);
  const entries = await createAuditRepository(database.sql).list(actor.scope, { limit: 50 });
  const wanted = ["runs_removed", "run_renamed", "run_requested"];
  expect(entries.map(({ action }) => action).filter((one) => wanted.includes(one))).toEqual(wanted);
});

test("names, notes and lists that are too long are refused with a sentence", async () => {
  const actor = await somebody();
  await storeCandles(database.sql, actor.scope, walkCandles(20_000));
  const { id } = await finished(actor, aRequest());
  await expect(research.runs.rename(actor, id, "x".repeat(201))).rejects.toThrow("name: 201");
  await expect(research.runs.rename(actor, id, "  ")).rejects.toThrow("name:");
  const mark = { isShortlisted: false, note: "x".repeat(2001) };
  await expect(research.runs.shortlist(actor, id, mark)).rejects.toThrow("note: 2001");
  const many = Array.from({ length: 201 }, () => id);
  await expect(research.runs.remove(actor, many)).rejects.toThrow("201");
});

testIf(
  "data",
  "a year of recorded one-minute candles finishes, with months, a thin curve and a small artifact",
  async () => {
    const actor = await somebody();
    const series = await readCandleFile(join(DATA_DIR, "bitfinex_BTCUSD_1m.csv.gz"), 1);
    await storeCandles(database.sql, actor.scope, series, 1);
    const run = { timeframe_min: 5, from: Date.UTC(2019, 0, 1), to: Date.UTC(2020, 0, 1) };
    const done = await finished(actor, aRequest({ run }));
    expect(done.details.candles.count).toBeGreaterThan(100_000);
    const record = await research.runs.record(actor.scope, done.id);
    expect(record?.months.length).toBe(12);
    expect(record?.equity.at.length).toBeLessThanOrEqual(2000);
    expect(record?.equity.value.at(-1)).toBe(done.metrics?.final_equity);
    const compounded = record?.months.reduce((grown, month) => grown * (1 + month.return), 1) ?? 0;
    expect(compounded - 1).toBeCloseTo(done.metrics?.net_return ?? Number.NaN, 9);
    expect(Math.max(...(record?.equity.drawdown ?? []))).toBeCloseTo(
      done.metrics?.max_drawdown ?? Number.NaN,
      12,
    );
    expect(done.artifact?.bytes).toBeLessThan(2e6);
  },
  LIMIT_MS,
);
