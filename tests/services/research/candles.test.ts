// The candles service on a real database and against a fake exchange over loopback: imports while
// bytes arrive, downloads as jobs, delete, the audit log, and two workspaces that see nothing of each
// other.
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { createMarketData } from "../../../src/adapters/ccxt/market-data.ts";
import { createAuditRepository } from "../../../src/adapters/postgres/audit-repository.ts";
import { createCandleRepository } from "../../../src/adapters/postgres/candle-repository.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { CANDLE_CSV_HEADER, FUNDING_CSV_HEADER } from "../../../src/model/candle-csv.ts";
import type { AuditStore } from "../../../src/ports/audit-store.ts";
import type { CandleStore, SeriesId } from "../../../src/ports/candle-store.ts";
import type { Market } from "../../../src/ports/market-data.ts";
import type { Actor } from "../../../src/services/desk/actor.ts";
import { type CandleJob, ENDED_JOBS_MAX } from "../../../src/services/research/candle-jobs.ts";
import { type Candles, createCandles } from "../../../src/services/research/candles.ts";
import { startBinance } from "../../support/fake-exchange/binance.ts";
import { type FakeExchange, tooMany } from "../../support/fake-exchange/server.ts";
import { closedCandles, makeWorld } from "../../support/fake-exchange/world.ts";
import {
  silentLog,
  type TestDatabase,
  testDatabase,
  testScope,
} from "../../support/test-database.ts";

const FROM = Date.UTC(2024, 0, 1);
const MINUTE = 60_000;
const world = makeWorld({ seed: 5, from: FROM, bars: 3000 });
const clock = { ...createClock(), now: () => world.now };
const perps: Market = { exchangeId: "binance", symbol: "BTC/USDT:USDT", kind: "perps" };
const spot: Market = { exchangeId: "binance", symbol: "BTC/USDT", kind: "spot" };
const WHOLE = { market: perps, timeframeMin: 1, range: { from: FROM, to: FROM + 3000 * MINUTE } };
const LIMIT_MS = 30_000;

let database: TestDatabase;
let store: CandleStore;
let audit: AuditStore;
let exchange: FakeExchange;
let candles: Candles;

beforeAll(async () => {
  database = await testDatabase();
  store = createCandleRepository(database.sql);
  audit = createAuditRepository(database.sql);
  exchange = startBinance(world);
  candles = serviceOver();
});

afterEach(() => {
  exchange.fault = () => null;
});

afterAll(async () => {
  await candles.stop();
  exchange.stop();
  await database.drop();
});

function serviceOver(): Candles {
  const loopbackUrls = { binance: exchange.url };
  const market = createMarketData({ clock, log: silentLog, loopbackUrls });
  return createCandles({ store, market, audit, clock, log: silentLog });
}

let actors = 0;
async function newActor(): Promise<Actor> {
  actors += 1;
  const scope = await testScope(database.sql, `candles-${actors}`, "trader");
  const email = `candles-${actors}@example.org`;
  const user = { id: scope.userId, email, timeZone: "UTC", createdAt: 0, disabledAt: null };
  return { scope, user };
}

const GOOD = `${CANDLE_CSV_HEADER}\n0,10,12,9,11,1\n300000,11,12,10,10,2\n900000,10,10,10,10,0\n`;

/** A file in pieces of so many bytes. */
async function* pieces(content: string | Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  for (let from = 0; from < bytes.length; from += size) {
    await Bun.sleep(0);
    yield bytes.subarray(from, from + size);
  }
}

function send(actor: Actor, content: string | Uint8Array, market = perps, name = "file.csv") {
  const bytesTotal = content.length;
  return candles.importFile(actor, { market, name, bytes: pieces(content), bytesTotal });
}

async function everything({ scope }: Actor): Promise<string> {
  const { candles: series, funding } = await candles.list(scope);
  const columns = await Promise.all(series.map(({ id }) => store.loadSeries(scope, id)));
  return JSON.stringify([series, funding, columns.map((each) => [...each.close])]);
}

const actsOf = async ({ scope }: Actor) =>
  (await audit.list(scope, { limit: 50 })).map(({ action, object, after, before }) => ({
    ...{ action, object, after, before },
  }));

/** Resolves when a job of the actor says so. */
function jobThat(actor: Actor, isIt: (job: CandleJob) => boolean): Promise<CandleJob> {
  return new Promise((resolve) => {
    const stop = candles.watch(actor.scope, (job) => {
      if (!isIt(job)) return;
      stop();
      resolve(job);
    });
  });
}

const ended = (actor: Actor) => jobThat(actor, (job) => job.endedAt !== null);

/** An exchange that answers the n-th request for history only when it is let go. */
function hold(after: number): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  exchange.asked.length = 0;
  exchange.fault = () => {
    if (exchange.history().length <= after) return null;
    const body = new ReadableStream({
      async start(controller) {
        await promise;
        controller.enqueue(new TextEncoder().encode("[]"));
        controller.close();
      },
    });
    return new Response(body);
  };
  return resolve;
}

test("a file that arrives in small pieces is stored like one that lies on disk, plain or gzip", async () => {
  for (const content of [GOOD, Bun.gzipSync(new TextEncoder().encode(GOOD))]) {
    const actor = await newActor();
    const job = await send(actor, content);
    expect(job).toMatchObject({ content: "candles", timeframeMin: 5, file: "file.csv" });
    expect(job.state).toMatchObject({ is: "imported", report: { added: 3, items: 3 } });
    const { candles: series } = await candles.list(actor.scope);
    expect(series).toMatchObject([{ ...perps, timeframeMin: 5, items: 3, missingBars: 1 }]);
    expect(await actsOf(actor)).toMatchObject([
      {
        action: "candles_imported",
        object: `series:${series[0]?.id}`,
        after: { exchange: "binance", timeframe: "5m", file: "file.csv", added: 3 },
      },
    ]);
  }
});

test("states are told in order: receiving with bytes, storing with lines, imported", async () => {
  const actor = await newActor();
  const states: CandleJob["state"][] = [];
  const stop = candles.watch(actor.scope, ({ state }) => states.push(state));
  await send(actor, GOOD);
  stop();
  const names = states.map(({ is }) => is).filter((is, i, all) => is !== all[i - 1]);
  expect(names).toEqual(["receiving", "storing", "imported"]);
  expect(states.find(({ is }) => is === "storing")).toMatchObject({ items: 3 });
  expect(states.find(({ is }) => is === "receiving")).toMatchObject({ bytesTotal: GOOD.length });
});

test("a refused file names twenty lines, counts the rest, and leaves everything as it was", async () => {
  const actor = await newActor();
  await send(actor, GOOD);
  const before = await everything(actor);
  const bad = Array.from({ length: 30 }, (_, i) => `${1_200_000 + i * 300_000},1,1,1,1,-1`);
  const job = await send(actor, `${GOOD}${bad.join("\n")}\n`);
  if (job.state.is !== "refused") throw new Error(job.state.is);
  expect(job.state.problemCount).toBe(30);
  expect(job.state.problems).toHaveLength(20);
  expect(job.state.problems[0]).toEqual({ line: 5, reason: "volume: -1 must be 0 or more" });
  expect(job.state.sentence).toStartWith("file.csv: line 5: volume: -1");
  expect(await everything(actor)).toBe(before);
  expect(await actsOf(actor)).toHaveLength(1);
});

const REFUSED: [what: string, content: string | Uint8Array, market: Market, says: string][] = [
  ["an empty file", "", perps, "file.csv: line 1: the header is missing"],
  ["another header", "time,open\n", perps, 'the header is "time,open"'],
  ["a header alone", CANDLE_CSV_HEADER, perps, "it holds no line below the header"],
  [
    "half a gzip file",
    Bun.gzipSync(new TextEncoder().encode(GOOD)).slice(0, 40),
    perps,
    "the gzip data is damaged or cut off",
  ],
  ["funding of a spot market", `${FUNDING_CSV_HEADER}\n0,0.1\n`, spot, "only perpetuals"],
];

for (const [what, content, market, says] of REFUSED) {
  test(`${what} is refused with a sentence, and nothing is stored`, async () => {
    const actor = await newActor();
    const job = await send(actor, content, market);
    expect(job.state).toMatchObject({ is: "refused", sentence: expect.stringContaining(says) });
    expect(await candles.list(actor.scope)).toEqual({ candles: [], funding: [] });
  });
}

test("an upload that breaks off stores nothing, however good its lines were", async () => {
  const actor = await newActor();
  async function* broken() {
    yield* pieces(GOOD);
    throw new DOMException("The connection was closed.", "AbortError");
  }
  const wish = { market: perps, name: "cut.csv", bytes: broken(), bytesTotal: 10_000 };
  const job = await candles.importFile(actor, wish);
  expect(job.state).toMatchObject({
    is: "failed",
    sentence: "The upload ended before the whole file had arrived; nothing was stored.",
  });
  expect(await candles.list(actor.scope)).toEqual({ candles: [], funding: [] });
});

test("a funding file is told by its header", async () => {
  const actor = await newActor();
  const job = await send(actor, `${FUNDING_CSV_HEADER}\n28800000,0.0001\n57600000,-0.0002\n`);
  expect(job).toMatchObject({ content: "funding", timeframeMin: null });
  const { funding } = await candles.list(actor.scope);
  expect(funding).toMatchObject([{ ...perps, items: 2, firstAt: 28_800_000 }]);
});

test("a third file at once is refused until one has ended, and a cancelled one stores nothing", async () => {
  const actor = await newActor();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  async function* slow() {
    yield* pieces(GOOD.slice(0, 60));
    await gate;
    yield* pieces(GOOD.slice(60));
  }
  async function* endless() {
    for (let text = GOOD; ; text = "\n") yield* pieces(text);
  }
  const wish = (name: string, bytes = slow()) => ({ market: perps, name, bytes, bytesTotal: null });
  const one = candles.importFile(actor, wish("one.csv"));
  const two = candles.importFile(actor, wish("two.csv", endless()));
  await expect(candles.importFile(actor, wish("three.csv"))).rejects.toThrow(/2 files/);
  const [second] = candles.jobs(actor.scope);
  expect(second?.file).toBe("two.csv");
  expect(candles.cancel(await newActor(), second!.id)).toBe(false);
  expect(candles.cancel(actor, second!.id)).toBe(true);
  open();
  expect((await one).state.is).toBe("imported");
  expect((await two).state.is).toBe("cancelled");
  expect(candles.cancel(actor, second!.id)).toBe(false);
  expect(await actsOf(actor)).toHaveLength(1);
});

test(
  "a download brings the exchange's candles, and a second finds nothing missing",
  async () => {
    const actor = await newActor();
    candles.download(actor, [WHOLE]);
    const job = await ended(actor);
    const truth = closedCandles(world, FROM, FROM + 1e9);
    expect(job.state).toMatchObject({ is: "downloaded", report: { added: truth.length } });
    const { candles: series } = await candles.list(actor.scope);
    const stored = await store.loadSeries(actor.scope, series[0]!.id);
    expect([...stored.close]).toEqual(truth.map(({ close }) => close));
    expect(await actsOf(actor)).toMatchObject([
      { action: "candles_downloaded", after: { timeframe: "1m", from: "2024-01-01T00:00:00Z" } },
    ]);
    const known = { ...WHOLE, range: { from: FROM, to: FROM + 60 * MINUTE } };
    candles.download(actor, [known]);
    expect((await ended(actor)).state).toMatchObject({ report: { asked: [] } });
  },
  LIMIT_MS,
);

test(
  "one download per series at a time; cancelled, it keeps and notes what had arrived",
  async () => {
    const actor = await newActor();
    const release = hold(2);
    const progressed = jobThat(
      actor,
      ({ state }) => state.is === "downloading" && (state.progress?.bars ?? 0) >= 500,
    );
    const [id] = candles.download(actor, [WHOLE]);
    expect(() => candles.download(actor, [WHOLE])).toThrow(/already being downloaded/);
    const { state } = await progressed;
    expect(state).toMatchObject({ progress: { total: 2998 * MINUTE } });
    const { candles: series } = await candles.list(actor.scope);
    expect(await candles.remove(actor, series[0]!.id)).toMatchObject({ reason: "busy" });
    const end = ended(actor);
    expect(candles.cancel(actor, id!)).toBe(true);
    expect((await end).state).toEqual({ is: "cancelled" });
    release();
    const [kept] = (await candles.list(actor.scope)).candles;
    expect(kept?.items).toBeGreaterThanOrEqual(500);
    expect(await actsOf(actor)).toMatchObject([{ action: "candles_downloaded" }]);
  },
  LIMIT_MS,
);

test(
  "an exchange that does not deliver ends the job with its sentence",
  async () => {
    const actor = await newActor();
    exchange.fault = () => tooMany("86400");
    candles.download(actor, [WHOLE]);
    expect((await ended(actor)).state).toMatchObject({
      is: "failed",
      sentence: expect.stringContaining("come back in 86400 s"),
    });
    expect(await actsOf(actor)).toEqual([]);
  },
  LIMIT_MS,
);

const IMPOSSIBLE: [what: string, wish: Partial<typeof WHOLE>, says: RegExp][] = [
  ["an unknown exchange", { market: { ...perps, exchangeId: "nowhere" } }, /"nowhere" is not an/],
  ["a range that ends before it begins", { range: { from: FROM, to: FROM } }, /^to: .* after from/],
  ["a range in the future", { range: { from: 9e14, to: 1e15 } }, /^from: .* in the past/],
  ["a timeframe that divides no day", { timeframeMin: 7 }, /7 minutes do not divide a day/],
];

for (const [what, change, says] of IMPOSSIBLE) {
  test(`${what} is refused before anything begins, also for the wishes beside it`, async () => {
    const actor = await newActor();
    expect(() => candles.download(actor, [WHOLE, { ...WHOLE, ...change }])).toThrow(says);
    expect(candles.jobs(actor.scope)).toEqual([]);
  });
}

test(
  "a fourth download waits for a free place; cancelled while waiting it never asks",
  async () => {
    const actor = await newActor();
    const release = hold(0);
    const wishes = [1, 3, 5, 15, 30].map((timeframeMin) => ({ ...WHOLE, timeframeMin }));
    const ids = candles.download(actor, wishes);
    const states = () => candles.jobs(actor.scope).map(({ state }) => state.is);
    expect(states()).toEqual(["waiting", "waiting", "downloading", "downloading", "downloading"]);
    expect(candles.cancel(actor, ids[3]!)).toBe(true);
    await Bun.sleep(0);
    expect(states()).toEqual(["waiting", "cancelled", ...Array(3).fill("downloading")]);
    expect(candles.cancel(actor, ids[0]!)).toBe(true);
    await ended(actor);
    await Bun.sleep(1);
    expect(states()[0]).toBe("downloading");
    release();
    exchange.fault = () => null;
    await candles.stop();
    expect(candles.jobs(actor.scope).every(({ endedAt }) => endedAt !== null)).toBe(true);
  },
  LIMIT_MS,
);

test(
  "the end of the program ends downloads and waits for them",
  async () => {
    const actor = await newActor();
    const release = hold(1);
    candles.download(actor, [WHOLE]);
    await jobThat(actor, ({ state }) => state.is === "downloading" && state.progress !== null);
    await candles.stop();
    expect(candles.jobs(actor.scope)[0]?.state.is).toBe("cancelled");
    release();
  },
  LIMIT_MS,
);

test("a workspace keeps its last twenty ended jobs and sees none of another", async () => {
  const actor = await newActor();
  const other = await newActor();
  const heard: CandleJob[] = [];
  const stop = candles.watch(other.scope, (job) => heard.push(job));
  for (let i = 0; i < ENDED_JOBS_MAX + 5; i++) await send(actor, "", perps, `${i}.csv`);
  await send(other, GOOD);
  stop();
  const files = candles.jobs(actor.scope).map(({ file }) => file);
  expect(files).toHaveLength(ENDED_JOBS_MAX);
  expect(files[0]).toBe(`${ENDED_JOBS_MAX + 4}.csv`);
  expect(candles.jobs(other.scope).map(({ file }) => file)).toEqual(["file.csv"]);
  expect(new Set(heard.map(({ file }) => file))).toEqual(new Set(["file.csv"]));
});

test("a series is found, looked into, exported and deleted by its own workspace alone", async () => {
  const actor = await newActor();
  const stranger = await newActor();
  await send(actor, GOOD);
  const [series] = (await candles.list(actor.scope)).candles;
  const id = series?.id as SeriesId;
  for (const lookup of [candles.find, candles.overview, candles.csv]) {
    expect(await lookup(stranger.scope, id)).toBeNull();
    expect(await lookup(actor.scope, id)).not.toBeNull();
  }
  expect(await candles.remove(stranger, id)).toMatchObject({ reason: "unknown_series" });
  expect(await candles.remove(actor, id)).toMatchObject({ ok: true, value: { items: 3 } });
  expect(await candles.list(actor.scope)).toEqual({ candles: [], funding: [] });
  expect(candles.jobs(actor.scope)).toEqual([]);
  expect((await actsOf(actor))[0]).toMatchObject({
    action: "candles_deleted",
    object: `series:${id}`,
    before: { symbol: "BTC/USDT:USDT", timeframe: "5m", items: 3 },
  });
  expect(await actsOf(stranger)).toEqual([]);
});
