// Runs that several processes share: one asks and another computes, takes over, cancels, and gives up on what
// ends every process.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createJobsRepository } from "../../../src/adapters/postgres/jobs-repository.ts";
import { createRunRepository } from "../../../src/adapters/postgres/run-repository.ts";
import type { RunId } from "../../../src/ports/run-store.ts";
import type { Research } from "../../../src/research.ts";
import type { Actor } from "../../../src/services/desk/actor.ts";
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
const TTL_MS = 30_000;
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
}, LIMIT_MS);

afterAll(async () => {
  await database.drop();
});

let people = 0;

/** Somebody with candles. */
async function somebody(): Promise<Actor> {
  people += 1;
  const scope = await testScope(database.sql, `claims-${people}`, "trader");
  await storeCandles(database.sql, scope, walkCandles(20_000));
  return await actorOf(database.sql, scope);
}

/** A process that only asks, and those that compute. */
async function withProcesses(
  use: (asking: Research, start: (holder: string, isDeaf?: boolean) => Research) => Promise<void>,
): Promise<void> {
  const processes: Research[] = [];
  const start = (holder: string, isWorking: boolean, isDeaf = false) => {
    const research = testResearch(database.sql, {
      hands: { holder, ttlMs: TTL_MS, isWorking },
      pool: { threads: 1, graceMs: 20 },
      ...(isDeaf ? { workerUrl: DEAF_WORKER_URL } : {}),
    });
    processes.push(research);
    return research;
  };
  try {
    await use(start("asking", false), (holder, isDeaf) => start(holder, true, isDeaf));
  } finally {
    for (const research of processes) await research.stop();
  }
}

async function ask(research: Research, actor: Actor): Promise<RunId> {
  const asked = await research.runs.request(actor, aRequest());
  if (!asked.ok) throw new Error(asked.sentences.join("; "));
  return asked.id;
}

/** Resolves when a process has the run at this stage, as the pages of another one hear it. */
function reached(research: Research, { scope }: Actor, id: RunId, wanted: string): Promise<void> {
  return new Promise((resolve) => {
    const stop = research.runs.watch(scope, id, ({ stage }) => {
      if (stage !== wanted) return;
      resolve();
      stop();
    });
  });
}

test(
  "what a process without hands asks for waits until another one computes it, and both know",
  async () => {
    const actor = await somebody();
    await withProcesses(async (asking, start) => {
      const id = await ask(asking, actor);
      expect(await asking.runs.progress(actor.scope, id)).toMatchObject({ stage: "waiting" });
      const working = start("working");
      await working.resume();
      const [, settled] = await Promise.all([
        reached(asking, actor, id, "ended"),
        asking.runs.settled(actor.scope, id, LIMIT_MS),
      ]);
      expect(settled?.status).toBe("finished");
      // Once it waits for work, a wake-up is enough.
      const next = await ask(asking, actor);
      expect((await asking.runs.settled(actor.scope, next, LIMIT_MS))?.status).toBe("finished");
      expect((await working.runs.progress(actor.scope, next))?.status).toBe("finished");
    });
  },
  LIMIT_MS,
);

test(
  "more runs than a process may have in hand are all computed, oldest first",
  async () => {
    const actor = await somebody();
    await withProcesses(async (asking, start) => {
      const ids: RunId[] = [];
      for (let n = 0; n < 9; n++) ids.push(await ask(asking, actor));
      await start("working").resume();
      for (const id of ids) {
        const end = await asking.runs.settled(actor.scope, id, LIMIT_MS);
        expect(end?.status).toBe("finished");
      }
      const ended = await database.sql<{ id: RunId }[]>`
        select id from runs where workspace_id = ${actor.scope.workspaceId} order by finished_at`;
      expect(ended.map(({ id }) => id)).toEqual(ids);
    });
  },
  LIMIT_MS,
);

test(
  "a run cancelled from another process is let go, and the hand is free for the next",
  async () => {
    const actor = await somebody();
    await withProcesses(async (asking, start) => {
      const first = await ask(asking, actor);
      const second = await ask(asking, actor);
      await start("deaf", true).resume();
      await reached(asking, actor, first, "computing");
      expect(await asking.runs.cancel(actor, first)).toBe(true);
      expect(await asking.runs.progress(actor.scope, first)).toMatchObject({ stage: "ended" });
      await reached(asking, actor, second, "computing");
      expect(await asking.runs.cancel(actor, second)).toBe(true);
    });
  },
  LIMIT_MS,
);

test(
  "a process whose claim ran out lets go, and what it had is computed by another one",
  async () => {
    const actor = await somebody();
    await withProcesses(async (asking, start) => {
      const id = await ask(asking, actor);
      const deaf = start("deaf", true);
      await deaf.resume();
      await reached(asking, actor, id, "computing");
      // As if it had been paused for longer than its claim lasts.
      await database.sql`update run_jobs set expires_at = clock_timestamp() where run_id = ${id}`;
      await start("working").resume();
      expect((await asking.runs.settled(actor.scope, id, LIMIT_MS))?.status).toBe("finished");
      expect((await deaf.runs.settled(actor.scope, id, LIMIT_MS))?.status).toBe("finished");
      expect(await database.sql`select 1 from run_jobs where run_id = ${id}`).toHaveLength(0);
    });
  },
  LIMIT_MS,
);

test("a run that ended its process three times fails with a sentence", async () => {
  const actor = await somebody();
  const jobs = createJobsRepository(database.sql);
  await withProcesses(async (asking, start) => {
    const id = await ask(asking, actor);
    for (const holder of ["a", "b", "c"]) {
      expect(await jobs.claimOne(actor.scope, id, { holder, ttlMs: 0 })).not.toBeNull();
    }
    await start("working").resume();
    const end = await asking.runs.settled(actor.scope, id, LIMIT_MS);
    expect(end?.status).toBe("failed");
    expect(end?.error).toContain("3 times");
    const run = await createRunRepository(database.sql).find(actor.scope, id);
    expect(run?.error).toBe(end?.error ?? "");
  });
});
