// Claims of runs and rows of processes: one holder at a time, taken over after a silence, refused afterwards.
import { expect } from "bun:test";
import type { Sql } from "../../../src/adapters/postgres/connect.ts";
import { createJobsRepository } from "../../../src/adapters/postgres/jobs-repository.ts";
import { createRunRepository } from "../../../src/adapters/postgres/run-repository.ts";
import { createWorkerRepository } from "../../../src/adapters/postgres/worker-repository.ts";
import type { WorkerBeat } from "../../../src/ports/worker-store.ts";
import { databaseTest } from "../../support/database-test.ts";
import { aRun, someMetrics } from "../../support/runs.ts";
import { testScope } from "../../support/test-database.ts";

const NOW = Date.UTC(2024, 5, 1, 12);
const LONG = 60_000;
const OUTCOME = {
  metrics: someMetrics,
  fillsSha256: "c".repeat(64),
  candlesFingerprint: "a".repeat(64),
  details: {},
};
const ARTIFACT = { encoding: "x", data: new Uint8Array(3) };

function stores(sql: Sql) {
  return { runs: createRunRepository(sql), jobs: createJobsRepository(sql) };
}

const by = (holder: string, ttlMs = LONG) => ({ holder, ttlMs });

databaseTest("runs are claimed once, oldest first, and as many as asked for", async ({ sql }) => {
  const { runs, jobs } = stores(sql);
  const scope = await testScope(sql, "one");
  const other = await testScope(sql, "two", "trader");
  const first = await runs.create(scope, aRun, NOW);
  const second = await runs.create({ ...other, userId: null }, aRun, NOW);
  const third = await runs.create(scope, aRun, NOW);
  expect(await jobs.openCount()).toBe(3);
  const taken = await jobs.claim(by("a"), 2);
  expect(taken).toEqual([
    { id: first, scope: { ...scope, role: "trader" }, token: 1, tries: 1 },
    {
      ...{ id: second, token: 1, tries: 1 },
      scope: { workspaceId: other.workspaceId, userId: null, role: "trader" },
    },
  ]);
  expect(await jobs.claimOne(scope, first, by("b"))).toBeNull();
  expect(await jobs.claimOne(other, third, by("b"))).toBeNull();
  // What is held takes no place of what is free.
  expect((await jobs.claim(by("b"), 1)).map(({ id }) => id)).toEqual([third]);
  expect(await jobs.claim(by("c"), 10)).toEqual([]);
});

databaseTest("a run that somebody is about to claim holds up nobody", async ({ sql }) => {
  const { runs, jobs } = stores(sql);
  const scope = await testScope(sql, "one");
  const [first, second] = [
    await runs.create(scope, aRun, NOW),
    await runs.create(scope, aRun, NOW),
  ];
  await sql.begin(async (tx) => {
    await tx`set local idle_in_transaction_session_timeout = '5s'`;
    await tx`select 1 from runs where id = ${first} for update`;
    expect((await jobs.claim(by("b"), 1)).map(({ id }) => id)).toEqual([second]);
  });
});

databaseTest("many that claim at the same moment never share a run", async ({ sql }) => {
  const { runs, jobs } = stores(sql);
  const scope = await testScope(sql, "one");
  for (let n = 0; n < 12; n++) await runs.create(scope, aRun, NOW);
  const claims = await Promise.all([..."abcdefghijkl"].map((holder) => jobs.claim(by(holder), 3)));
  const more = await jobs.claim(by("last"), 12);
  const ids = [...claims.flat(), ...more].map(({ id }) => id);
  expect(ids).toHaveLength(12);
  expect(new Set(ids).size).toBe(12);
});

databaseTest(
  "whoever lost a claim can neither renew, finish, fail nor return it",
  async ({ sql }) => {
    const { runs, jobs } = stores(sql);
    const scope = await testScope(sql, "one");
    const id = await runs.create(scope, aRun, NOW);
    const lost = await jobs.claimOne(scope, id, by("a", 0));
    if (!lost) throw new Error("the run was not claimed");
    expect(await runs.start(scope, id, NOW, lost.token)).toBe(true);
    const [held] = await jobs.claim(by("b"), 1);
    expect(held).toMatchObject({ id, token: 2, tries: 2 });
    // The new holder begins anew.
    expect((await runs.find(scope, id))?.status).toBe("queued");
    const beat = { id, stage: "computing", share: 0.5 } as const;
    expect(await jobs.beat([{ ...beat, token: lost.token }], LONG)).toEqual(new Set());
    expect(await runs.start(scope, id, NOW, lost.token)).toBe(false);
    expect(await runs.finish(scope, id, OUTCOME, ARTIFACT, NOW, lost.token)).toBe(false);
    expect(await runs.fail(scope, id, "no", NOW, lost.token)).toBe(false);
    expect(await jobs.giveBack(scope, lost)).toBe(false);
    expect(await jobs.beat([{ ...beat, token: 2 }], LONG)).toEqual(new Set([id]));
    expect(await jobs.progress(scope, id)).toEqual({
      ...{ status: "queued", stage: "computing", share: 0.5, error: null },
    });
    expect(await runs.finish(scope, id, OUTCOME, ARTIFACT, NOW, 2)).toBe(true);
    expect(await sql`select 1 from run_jobs`).toHaveLength(0);
    expect(await jobs.progress(scope, id)).toMatchObject({ status: "finished", stage: "ended" });
  },
);

databaseTest("a run given back is anybody's at once and counts no try", async ({ sql }) => {
  const { runs, jobs } = stores(sql);
  const scope = await testScope(sql, "one");
  const id = await runs.create(scope, aRun, NOW);
  const first = await jobs.claimOne(scope, id, by("a"));
  if (!first) throw new Error("the run was not claimed");
  await runs.start(scope, id, NOW, first.token);
  expect(await jobs.giveBack(scope, first)).toBe(true);
  expect(await jobs.beat([{ ...first, stage: "waiting", share: null }], LONG)).toEqual(new Set());
  expect(await jobs.open(scope, 5)).toMatchObject([
    { id, status: "queued", holder: null, tries: 0 },
  ]);
  const second = await jobs.claimOne(scope, id, by("b"));
  expect(second).toMatchObject({ tries: 1 });
  expect(second?.token).toBeGreaterThan(first.token);
  expect(await jobs.open(scope, 5)).toMatchObject([{ id, holder: "b", tries: 1 }]);
});

databaseTest("a cancelled run leaves no job, and its holder learns of it", async ({ sql }) => {
  const { runs, jobs } = stores(sql);
  const scope = await testScope(sql, "one");
  const stranger = await testScope(sql, "two");
  const id = await runs.create(scope, aRun, NOW);
  const claim = await jobs.claimOne(scope, id, by("a"));
  if (!claim) throw new Error("the run was not claimed");
  await runs.start(scope, id, NOW, claim.token);
  expect(await jobs.progress(stranger, id)).toBeNull();
  expect(await jobs.open(stranger, 5)).toEqual([]);
  expect(await jobs.giveBack(stranger, claim)).toBe(false);
  expect(await runs.fail(stranger, id, "no", NOW, claim.token)).toBe(false);
  const beats = [{ ...claim, stage: "computing", share: 0 }] as const;
  expect(await jobs.beat(beats, LONG)).toEqual(new Set([id]));
  expect(await runs.cancel(scope, id, NOW)).toBe(true);
  expect(await jobs.beat(beats, LONG)).toEqual(new Set());
  expect(await runs.finish(scope, id, OUTCOME, null, NOW, claim.token)).toBe(false);
  expect(await jobs.claim(by("b"), 5)).toEqual([]);
  expect((await runs.find(scope, id))?.status).toBe("cancelled");
});

function aWorker(change: Partial<WorkerBeat> = {}): WorkerBeat {
  return {
    ...{ name: "host-1-1", host: "host", pid: 1, role: "serve", version: "0.1.0" },
    ...{ startedAt: NOW, epochs: new Map() },
    ...change,
  };
}

databaseTest(
  "a process is seen while it beats, with each workspace's own part",
  async ({ sql }) => {
    const workers = createWorkerRepository(sql);
    const [mine, theirs] = [await testScope(sql, "mine"), await testScope(sql, "theirs")];
    const epochs = new Map([[mine.workspaceId, 7]]);
    await workers.beat(aWorker({ epochs }));
    await workers.beat(aWorker({ name: "host-2-2", pid: 2, role: "worker", startedAt: NOW + 1 }));
    const seen = await workers.list(mine);
    expect(seen).toMatchObject([
      { name: "host-1-1", pid: 1, role: "serve", epoch: 7, accountIds: [], isSilent: false },
      { name: "host-2-2", pid: 2, role: "worker", epoch: null, isSilent: false },
    ]);
    expect((await workers.list(theirs))[0]?.epoch).toBeNull();
    await sql`update workers set beat_at = beat_at - interval '30 s' where pid = 1`;
    expect((await workers.list(mine)).map(({ isSilent }) => isSilent)).toEqual([true, false]);
    await workers.beat(aWorker({ epochs: new Map([[mine.workspaceId, 8]]) }));
    expect((await workers.list(mine))[0]).toMatchObject({ epoch: 8, isSilent: false });
    await sql`update workers set beat_at = beat_at - interval '2 days' where pid = 2`;
    await workers.beat(aWorker());
    expect((await workers.list(mine)).map(({ pid }) => pid)).toEqual([1]);
    await workers.leave("host-1-1");
    expect(await workers.list(mine)).toEqual([]);
  },
);
