// The life of runs around their result: cancelled, queued, left behind by a former process, a thread that
// dies, workspaces apart.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createRunRepository } from "../../../src/adapters/postgres/run-repository.ts";
import type { RunId, RunStatus } from "../../../src/ports/run-store.ts";
import type { Research } from "../../../src/research.ts";
import type { Actor } from "../../../src/services/desk/actor.ts";
import { createTaskHandler } from "../../../src/services/research/compute-task.ts";
import type { ComputeInput } from "../../../src/services/research/compute.ts";
import { createTurns } from "../../../src/services/research/run-queue.ts";
import type { RunRequest } from "../../../src/services/research/runs.ts";
import { shareCandles } from "../../../src/services/research/shared-candles.ts";
import { parseInstrument, parseRun } from "../../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../../src/strategy/dca-atr/config.ts";
import {
  actorOf,
  aRequest,
  DEAF_WORKER_URL,
  storeCandles,
  testResearch,
  walkCandles,
} from "../../support/research-case.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";

const LIMIT_MS = 30_000;
const DYING = new URL("../../support/dying.worker.ts", import.meta.url);
const MANY = 400_000;
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
}, LIMIT_MS);

afterAll(async () => {
  await database.drop();
});

let people = 0;

async function somebody(): Promise<Actor> {
  people += 1;
  return await actorOf(database.sql, await testScope(database.sql, `life-${people}`, "trader"));
}

async function withResearch(
  use: (research: Research) => Promise<void>,
  deps: Parameters<typeof testResearch>[1] = { pool: { threads: 1 } },
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

/** The status as it is in the database. */
async function statusOf({ scope }: Actor, id: RunId): Promise<RunStatus | undefined> {
  return (await createRunRepository(database.sql).find(scope, id))?.status;
}

/** A far stop that follows the ATR is looked at on every candle, so these take their time. */
function slowRequest(): RunRequest {
  const { config } = aRequest();
  const from = Date.UTC(2024, 0, 15);
  return aRequest({
    config: {
      ...(config as object),
      exits: { sl_mode: "ATR", sl_atr_mult: 500, tp_atr_mult: 5000 },
    },
    run: { timeframe_min: 1, from, to: from + MANY * 60_000 },
  });
}

test(
  "a run cancelled while it computes ends cancelled, at once, without a result",
  async () => {
    const actor = await somebody();
    const series = walkCandles(MANY, { timeframeMin: 1 });
    await storeCandles(database.sql, actor.scope, series, 1);
    await withResearch(async (research) => {
      const id = await ask(research, actor, slowRequest());
      const heard: string[] = [];
      const computing = Promise.withResolvers<void>();
      research.runs.watch(actor.scope, id, ({ stage, status }) => {
        heard.push(status);
        if (stage === "computing") computing.resolve();
      });
      await computing.promise;
      expect(await research.runs.cancel(actor, id)).toBe(true);
      const ended = { status: "cancelled", stage: "ended", share: null, error: null } as const;
      expect(await research.runs.progress(actor.scope, id)).toEqual(ended);
      expect(await research.runs.settled(actor.scope, id, LIMIT_MS)).toEqual(ended);
      expect(heard.filter((status) => status === "cancelled")).toHaveLength(1);
      expect(await research.runs.cancel(actor, id)).toBe(false);
      // The thread is free again for the next one, and nothing of the first is stored after it.
      const next = await ask(research, actor, slowRequest());
      expect((await research.runs.settled(actor.scope, next, LIMIT_MS))?.status).toBe("finished");
      const run = await research.runs.find(actor.scope, id);
      expect([run?.status, run?.metrics, run?.artifact]).toEqual(["cancelled", null, null]);
    });
  },
  LIMIT_MS,
);

test("a thread stops a cancelled task at its next report of progress", () => {
  const { config, instrument, run } = slowRequest();
  const input: ComputeInput = {
    name: "run 1",
    candles: shareCandles("a", walkCandles(MANY, { timeframeMin: 1 })),
    funding: null,
    config: parseConfig(config),
    instrument: parseInstrument(instrument),
    run: parseRun(run),
  };
  const shares: number[] = [];
  const stop = (share: number) => {
    shares.push(share);
    return false;
  };
  expect(() => createTaskHandler()({ kind: "backtest", input }, stop)).toThrow("cancelled");
  expect(shares).toHaveLength(1);
  expect(shares[0]).toBeLessThan(1);
});

test(
  "a run cancelled while it waits never begins, and the others keep their order",
  async () => {
    const actor = await somebody();
    await storeCandles(database.sql, actor.scope, walkCandles(MANY, { timeframeMin: 1 }), 1);
    await withResearch(async (research) => {
      const ids: RunId[] = [];
      for (let n = 0; n < 4; n++) ids.push(await ask(research, actor, slowRequest()));
      const order: RunId[] = [];
      for (const id of ids) {
        research.runs.watch(actor.scope, id, ({ status }) => {
          if (status === "finished") order.push(id);
        });
      }
      expect(await research.runs.cancel(actor, ids[2]!)).toBe(true);
      for (const id of ids) await research.runs.settled(actor.scope, id, LIMIT_MS);
      expect(order).toEqual([ids[0]!, ids[1]!, ids[3]!]);
      expect(await statusOf(actor, ids[2]!)).toBe("cancelled");
    });
  },
  LIMIT_MS,
);

test("a cancelled run leaves its turn to the next one, also when its thread does not listen", async () => {
  const actor = await somebody();
  await storeCandles(database.sql, actor.scope, walkCandles(20_000));
  await withResearch(
    async (research) => {
      const first = await ask(research, actor, aRequest());
      const second = await ask(research, actor, aRequest());
      const computing = async (id: RunId) => {
        const reached = Promise.withResolvers<void>();
        research.runs.watch(actor.scope, id, ({ stage }) => {
          if (stage === "computing") reached.resolve();
        });
        await reached.promise;
      };
      await computing(first);
      expect(await research.runs.cancel(actor, first)).toBe(true);
      await computing(second);
    },
    { workerUrl: DEAF_WORKER_URL, pool: { threads: 1, graceMs: 20 } },
  );
});

test("turns are given in order, never more than there are, and a waiting one can be left", async () => {
  const turns = createTurns(2);
  const patient = new AbortController().signal;
  const [first, second] = [await turns.take(patient), await turns.take(patient)];
  const order: number[] = [];
  const waiting = [1, 2, 3].map((n) => {
    const controller = new AbortController();
    const taken = turns.take(controller.signal).then((giveBack) => {
      order.push(n);
      return giveBack;
    });
    return { controller, taken };
  });
  await Bun.sleep(5);
  expect(order).toEqual([]);
  waiting[1]!.controller.abort(new Error("left"));
  await expect(waiting[1]!.taken).rejects.toThrow("left");
  first();
  first();
  await waiting[0]!.taken;
  await Bun.sleep(5);
  expect(order).toEqual([1]);
  second();
  await waiting[2]!.taken;
  expect(order).toEqual([1, 3]);
});

test(
  "a stop puts runs back into the queue, and the next start finishes them, oldest first",
  async () => {
    const actor = await somebody();
    await storeCandles(database.sql, actor.scope, walkCandles(MANY, { timeframeMin: 1 }), 1);
    const ids: RunId[] = [];
    await withResearch(async (research) => {
      const computing = Promise.withResolvers<void>();
      for (let n = 0; n < 3; n++) ids.push(await ask(research, actor, slowRequest()));
      research.runs.watch(actor.scope, ids[0]!, ({ stage }) => {
        if (stage === "computing") computing.resolve();
      });
      await computing.promise;
    });
    for (const id of ids) expect(await statusOf(actor, id)).toBe("queued");
    await withResearch(async (research) => {
      const order: RunId[] = [];
      await research.resume();
      for (const id of ids) {
        research.runs.watch(actor.scope, id, ({ status }) => {
          if (status === "finished") order.push(id);
        });
      }
      for (const id of ids) await research.runs.settled(actor.scope, id, LIMIT_MS);
      expect(order).toEqual(ids);
    });
  },
  LIMIT_MS,
);

test(
  "runs that a crash left queued or running are computed by the next process",
  async () => {
    const actor = await somebody();
    await storeCandles(database.sql, actor.scope, walkCandles(20_000));
    const store = createRunRepository(database.sql);
    const left: RunId[] = [];
    await withResearch(async (research) => {
      const id = await ask(research, actor, aRequest());
      await research.runs.settled(actor.scope, id, LIMIT_MS);
      const done = await store.find(actor.scope, id);
      if (!done) throw new Error("the run is gone");
      // What a killed process leaves: rows without anybody behind them.
      for (const isStarted of [false, true]) {
        const copy = await store.create(actor.scope, done, Date.now());
        if (isStarted) await store.start(actor.scope, copy, Date.now());
        left.push(copy);
      }
      const old = await store.create(actor.scope, { ...done, engineVersion: "dragon/0.0.1" }, 0);
      left.push(old);
    });
    await Bun.sleep(2);
    await withResearch(async (research) => {
      await research.resume();
      for (const id of left) await research.runs.settled(actor.scope, id, LIMIT_MS);
      const [first, second, old] = await Promise.all(
        left.map((id) => research.runs.find(actor.scope, id)),
      );
      expect([first?.status, second?.status]).toEqual(["finished", "finished"]);
      expect(first?.fillsSha256).toBe(second?.fillsSha256 ?? "");
      expect(old?.status).toBe("failed");
      expect(old?.error).toContain("updated");
    });
  },
  LIMIT_MS,
);

test("a thread that dies fails its run with a sentence, and says more in the log", async () => {
  const actor = await somebody();
  await storeCandles(database.sql, actor.scope, walkCandles(20_000));
  const logged: string[] = [];
  const quiet = () => undefined;
  const log = {
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: (sentence: string) => void logged.push(sentence),
    child: () => log,
  };
  await withResearch(
    async (research) => {
      const id = await ask(research, actor, aRequest());
      const end = await research.runs.settled(actor.scope, id, LIMIT_MS);
      expect(end?.status).toBe("failed");
      expect(end?.error).toContain("log");
      expect(await statusOf(actor, id)).toBe("failed");
      expect(logged).toContain("a run failed");
    },
    { workerUrl: DYING, log },
  );
});

test(
  "two workspaces see, follow, cancel and remove nothing of each other",
  async () => {
    const [one, two] = [await somebody(), await somebody()];
    await storeCandles(database.sql, one.scope, walkCandles(MANY, { timeframeMin: 1 }), 1);
    await withResearch(async (research) => {
      const { runs } = research;
      const foreign = await runs.request(two, aRequest());
      expect(foreign.ok).toBe(false);
      const id = await ask(research, one, slowRequest());
      const heard: unknown[] = [];
      runs.watch(two.scope, id, (progress) => heard.push(progress));
      expect(await runs.progress(two.scope, id)).toBeNull();
      expect(await runs.settled(two.scope, id, 1000)).toBeNull();
      expect(await runs.cancel(two, id)).toBe(false);
      expect(await runs.find(two.scope, id)).toBeNull();
      expect((await runs.settled(one.scope, id, LIMIT_MS))?.status).toBe("finished");
      expect(await runs.record(one.scope, id)).not.toBeNull();
      expect(await runs.record(two.scope, id)).toBeNull();
      expect(await runs.chart(two.scope, id, { buckets: 100 })).toMatchObject({
        ok: false,
        reason: "unknown_run",
      });
      expect(await runs.explain(two.scope, id, Date.UTC(2024, 1, 1))).toMatchObject({
        ok: false,
        reason: "unknown_run",
      });
      expect(await runs.rename(two, id, "mine")).toBe(false);
      expect(await runs.shortlist(two, id, { isShortlisted: true, note: null })).toBe(false);
      expect(await runs.remove(two, [id])).toBe(0);
      expect(await runs.find(one.scope, id)).not.toBeNull();
      expect(heard).toEqual([]);
    });
  },
  LIMIT_MS,
);
