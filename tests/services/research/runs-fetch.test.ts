// Runs that fetch their history first: the real exchange client against a fake exchange, real threads, a
// real database.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { RunId } from "../../../src/ports/run-store.ts";
import type { Research } from "../../../src/research.ts";
import type { Actor } from "../../../src/services/desk/actor.ts";
import { detailsOf } from "../../../src/services/research/run-details.ts";
import type { RunProgress, RunRequest } from "../../../src/services/research/runs.ts";
import { makeWorld } from "../../support/fake-exchange/world.ts";
import { actorOf, aRequest, testResearch } from "../../support/research-case.ts";
import { type TestDatabase, testDatabase } from "../../support/test-database.ts";
import { downloadCase, FROM } from "./download-case.ts";

const LIMIT_MS = 30_000;
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
}, LIMIT_MS);

afterAll(async () => {
  await database.drop();
});

async function withResearch(
  use: (research: Research) => Promise<void>,
  deps: Parameters<typeof testResearch>[1],
): Promise<void> {
  const research = testResearch(database.sql, deps);
  try {
    await use(research);
  } finally {
    await research.stop();
  }
}

async function ask(research: Research, actor: Actor, request: RunRequest): Promise<RunId> {
  const asked = await research.runs.request(actor, request);
  if (!asked.ok) throw new Error(asked.sentences.join("; "));
  return asked.id;
}

/** The end of a run whose clock stands still unless the exchange moves it. */
async function endOf(research: Research, actor: Actor, id: RunId): Promise<RunProgress> {
  const limit = performance.now() + LIMIT_MS;
  for (;;) {
    const progress = await research.runs.progress(actor.scope, id);
    if (progress?.stage === "ended") return progress;
    if (performance.now() > limit) throw new Error(`still ${JSON.stringify(progress)}`);
    await Bun.sleep(5);
  }
}

test(
  "history that is missing is fetched before computing, once, with its funding",
  async () => {
    const world = makeWorld({ seed: 3, from: FROM, bars: 6000, timeframeMin: 1, fundingEveryH: 8 });
    const made = await downloadCase(database, "binance", world);
    const actor = await actorOf(database.sql, made.scope as never);
    const from = FROM + 2 * 86_400_000;
    const request = aRequest({
      market: made.market,
      config: {
        general: { entry_order_style: "market" },
        trend: { enabled: false },
        bbands: { interval_min: 5 },
        macd: { interval_min: 5 },
        rsi: { interval_min: 5 },
      },
      run: { timeframe_min: 1, from, to: FROM + 4 * 86_400_000 },
      withFunding: true,
      fetchMissing: true,
    });
    try {
      await withResearch(
        async (research) => {
          const id = await ask(research, actor, request);
          const stages = new Set<string>();
          research.runs.watch(actor.scope, id, ({ stage }) => stages.add(stage));
          const end = await endOf(research, actor, id);
          expect(end).toMatchObject({ status: "finished", error: null });
          expect([...stages]).toContain("downloading");
          const run = await research.runs.find(actor.scope, id);
          expect(run && detailsOf(run)?.funding?.rates).toBeGreaterThan(3);
          const asked = made.exchange.history().length;
          expect(asked).toBeGreaterThan(0);
          const again = await ask(research, actor, { ...request, fetchMissing: false });
          await endOf(research, actor, again);
          expect(made.exchange.history().length).toBe(asked);
          const second = await research.runs.find(actor.scope, again);
          expect(second?.candlesFingerprint).toBe(run?.candlesFingerprint ?? "");
        },
        { market: made.deps.market, clock: made.clock },
      );
    } finally {
      made.exchange.stop();
    }
  },
  LIMIT_MS,
);

test(
  "a timeframe the exchange does not offer is fetched in the largest one that divides it",
  async () => {
    const world = makeWorld({ seed: 5, from: FROM, bars: 3000, timeframeMin: 5 });
    const made = await downloadCase(database, "binance", world);
    const actor = await actorOf(database.sql, made.scope as never);
    const intervals = { interval_min: 20 };
    const request = aRequest({
      market: made.market,
      config: { trend: { enabled: false }, bbands: intervals, macd: intervals, rsi: intervals },
      run: { timeframe_min: 20, from: FROM + 5 * 86_400_000, to: FROM + 9 * 86_400_000 },
      fetchMissing: true,
    });
    try {
      await withResearch(
        async (research) => {
          const id = await ask(research, actor, request);
          expect(await endOf(research, actor, id)).toMatchObject({
            status: "finished",
            error: null,
          });
          const run = await research.runs.find(actor.scope, id);
          const details = run && detailsOf(run);
          expect(details?.series.timeframe_min).toBe(5);
          expect(details?.candles.count).toBe(4 * 72);
        },
        { market: made.deps.market, clock: made.clock },
      );
    } finally {
      made.exchange.stop();
    }
  },
  LIMIT_MS,
);

test(
  "an exchange that does not deliver fails the run with its sentence",
  async () => {
    const world = makeWorld({ seed: 4, from: FROM, bars: 100, timeframeMin: 1 });
    const made = await downloadCase(database, "binance", world);
    const actor = await actorOf(database.sql, made.scope as never);
    made.exchange.stop();
    const request = aRequest({
      market: { ...made.market, symbol: "NONE/USDT:USDT" },
      fetchMissing: true,
      run: { timeframe_min: 5, from: FROM, to: FROM + 3_600_000 },
    });
    await withResearch(
      async (research) => {
        const id = await ask(research, actor, request);
        const end = await endOf(research, actor, id);
        expect(end.status).toBe("failed");
        expect(end.error).not.toContain("internal");
      },
      { market: made.deps.market, clock: made.clock },
    );
  },
  LIMIT_MS,
);
