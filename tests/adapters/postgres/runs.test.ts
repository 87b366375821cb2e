// Runs and their artifacts on real servers; their list is tested in run-grid.test.ts.
import { expect } from "bun:test";
import fc from "fast-check";
import { createRunRepository } from "../../../src/adapters/postgres/run-repository.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { RunOutcome } from "../../../src/ports/run-store.ts";
import { databaseTest } from "../../support/database-test.ts";
import { aRun, someMetrics } from "../../support/runs.ts";
import { testScope } from "../../support/test-database.ts";

const NOW = Date.UTC(2024, 5, 1, 12);

function outcome(metrics: Partial<RunOutcome["metrics"]> = {}): RunOutcome {
  return {
    metrics: { ...someMetrics, ...metrics },
    fillsSha256: "c".repeat(64),
    candlesFingerprint: "a".repeat(64),
    details: { warmup: { short: false }, rejections: { entry_margin: 0 } },
  };
}

databaseTest(
  "a finished run comes back as it was stored, amounts to the last bit",
  async ({ sql }) => {
    const runs = createRunRepository(sql);
    const scope = await testScope(sql, "one");
    const id = await runs.create(scope, aRun, NOW);
    expect(await runs.find(scope, id)).toMatchObject({ ...aRun, status: "queued", metrics: null });
    expect(await runs.start(scope, id, NOW + 1)).toBe(true);
    const data = new Uint8Array([0, 255, 1, 254, 92, 39]);
    const done = outcome();
    expect(await runs.finish(scope, id, done, { encoding: "zstd-v1", data }, NOW + 2)).toBe(true);
    const found = await runs.find(scope, id);
    expect(found).toEqual({
      ...aRun,
      ...done,
      id,
      status: "finished",
      error: null,
      createdBy: scope.userId,
      createdAt: NOW,
      finishedAt: NOW + 2,
      isShortlisted: false,
      note: null,
      artifact: { encoding: "zstd-v1", bytes: 6 },
    });
    const artifact = await runs.findArtifact(scope, id);
    expect(artifact?.encoding).toBe("zstd-v1");
    expect([...(artifact?.data ?? [])]).toEqual([...data]);
  },
);

databaseTest("a run that ended is not changed by a later end", async ({ sql }) => {
  const runs = createRunRepository(sql);
  const scope = await testScope(sql, "one");
  const [failed, cancelled, finished] = [
    await runs.create(scope, aRun, NOW),
    await runs.create(scope, aRun, NOW),
    await runs.create(scope, aRun, NOW),
  ];
  expect(await runs.fail(scope, failed, "no candles", NOW)).toBe(true);
  expect(await runs.cancel(scope, cancelled, NOW)).toBe(true);
  expect(await runs.finish(scope, finished, outcome(), null, NOW)).toBe(true);
  for (const id of [failed, cancelled, finished]) {
    expect(await runs.start(scope, id, NOW)).toBe(false);
    expect(await runs.fail(scope, id, "late", NOW)).toBe(false);
    expect(await runs.cancel(scope, id, NOW)).toBe(false);
    const artifact = { encoding: "x", data: new Uint8Array(1) };
    expect(await runs.finish(scope, id, outcome(), artifact, NOW)).toBe(false);
    expect(await runs.findArtifact(scope, id)).toBeNull();
  }
  expect(await runs.find(scope, failed)).toMatchObject({ status: "failed", error: "no candles" });
});

databaseTest("a mark and a note are each user's own and change one by one", async ({ sql }) => {
  const runs = createRunRepository(sql);
  const scope = await testScope(sql, "one");
  const id = await runs.create(scope, aRun, NOW);
  const seen = async (who: Scope = scope) => {
    const run = await runs.find(who, id);
    return [run?.isShortlisted, run?.note];
  };
  expect(await runs.shortlist(scope, id, { note: "good" }, NOW)).toBe(true);
  expect(await seen()).toEqual([false, "good"]);
  expect(await runs.shortlist(scope, id, { isShortlisted: true }, NOW)).toBe(true);
  expect(await seen()).toEqual([true, "good"]);
  expect(await runs.shortlist(scope, id, { note: null }, NOW)).toBe(true);
  expect(await seen()).toEqual([true, null]);
  const stranger = { ...scope, userId: null };
  expect(await seen(stranger)).toEqual([false, null]);
  expect(runs.shortlist(stranger, id, { note: "x" }, NOW)).rejects.toThrow("belongs to a user");
});

databaseTest("any finite metric comes back to the last bit", async ({ sql }) => {
  const runs = createRunRepository(sql);
  const scope = await testScope(sql, "one");
  const samples = fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), 40);
  for (const value of samples.map((sample) => sample + 0)) {
    const id = await runs.create(scope, aRun, NOW);
    const metrics = { net_profit: value, fees_total: value, sharpe: value, exposure: value };
    await runs.finish(scope, id, outcome(metrics), null, NOW);
    expect((await runs.find(scope, id))?.metrics).toMatchObject(metrics);
  }
});
