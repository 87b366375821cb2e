// Runs, their pages and artifacts on real servers.
import { expect } from "bun:test";
import fc from "fast-check";
import { connect } from "../../../src/adapters/postgres/connect.ts";
import { createRunRepository } from "../../../src/adapters/postgres/run-repository.ts";
import type { NewRun, RunId, RunOutcome, RunQuery, RunSort } from "../../../src/ports/run-store.ts";
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

databaseTest("pages of every sort and direction hold each run once, in order", async ({ sql }) => {
  const runs = createRunRepository(sql);
  const scope = await testScope(sql, "one");
  const values = [3, null, 1, 1, -2.5, null, 1e-9, 1, 0.1 + 0.2, 7, null];
  for (const [index, value] of values.entries()) {
    const id = await runs.create(scope, aRun, NOW + index);
    if (index === 5) continue;
    const all = { sharpe: value, sortino: value, calmar: value, win_rate: value };
    const money = { net_profit: value ?? 0, net_return: value ?? 0, max_drawdown: value ?? 0 };
    const factor = { profit_factor: value, no_losses: index === 10 };
    await runs.finish(scope, id, outcome({ ...all, ...money, ...factor }), null, NOW);
  }
  const sorts: RunSort[] = ["id", "net_profit", "net_return", "max_drawdown", "sharpe", "sortino"];
  for (const sort of [...sorts, "calmar", "win_rate", "profit_factor"] as RunSort[]) {
    for (const direction of ["asc", "desc"] as const) {
      const whole = await runs.list(scope, { sort, direction, limit: 200 });
      expect(whole.next).toBeNull();
      const ids: number[] = [];
      let query: RunQuery | null = { sort, direction, limit: 2 };
      while (query) {
        const page = await runs.list(scope, query);
        ids.push(...page.runs.map((run) => run.id));
        query = page.next && { sort, direction, limit: 2, after: page.next };
        expect(ids.length).toBeLessThanOrEqual(values.length);
      }
      expect(ids).toEqual(whole.runs.map((run) => run.id));
      expect(new Set(ids).size).toBe(values.length);
    }
  }
  const best = await runs.list(scope, { sort: "profit_factor", direction: "desc", limit: 3 });
  expect(best.runs.map((run) => run.metrics?.no_losses)).toEqual([true, false, false]);
  const worst = await runs.list(scope, { sort: "sharpe", direction: "asc", limit: 1 });
  expect(worst.runs[0]?.metrics?.sharpe).toBe(-2.5);
});

databaseTest("the run list filters, and a shortlist is each user's own", async ({ sql }) => {
  const runs = createRunRepository(sql);
  const scope = await testScope(sql, "one");
  const other: NewRun = { ...aRun, symbol: "PERP_BTC_USDT", strategyName: "Other" };
  const [first, second] = [
    await runs.create(scope, aRun, NOW),
    await runs.create(scope, other, NOW),
  ];
  const base: RunQuery = { sort: "id", direction: "desc", limit: 10 };
  const ids = async (query: Partial<RunQuery>) =>
    (await runs.list(scope, { ...base, ...query })).runs.map((run) => run.id);
  expect(await ids({})).toEqual([second, first]);
  expect(await ids({ symbol: "PERP_BTC_USDT" })).toEqual([second]);
  expect(await ids({ strategyName: aRun.strategyName })).toEqual([first]);
  expect(await ids({ status: "finished" })).toEqual([]);
  expect(await ids({ timeframeMin: aRun.timeframeMin, exchangeId: "woox" })).toEqual([
    second,
    first,
  ]);
  const mark = { isShortlisted: true, note: "good" };
  expect(await runs.shortlist(scope, first, mark, NOW)).toBe(true);
  expect(await ids({ shortlistedOnly: true })).toEqual([first]);
  expect(await runs.find(scope, first)).toMatchObject(mark);
  const stranger = { ...scope, userId: null };
  expect(await runs.find(stranger, first)).toMatchObject({ isShortlisted: false, note: null });
  expect(runs.shortlist(stranger, first, mark, NOW)).rejects.toThrow("belongs to a user");
});

databaseTest(
  "a deep page of the run list reads no more rows than it shows",
  async ({ sql, target }) => {
    const scope = await testScope(sql, "one");
    await sql`
    insert into runs (workspace_id, status, created_at, finished_at, strategy_name,
      strategy_version, exchange_id, symbol, kind, timeframe_min, from_at, to_at, engine_version,
      candles_fingerprint, config_hash, config, run_settings, instrument, final_equity, sharpe)
    select ${scope.workspaceId}, 'finished', now(), now(), 's', '1', 'woox', 'S', 'perps', 5,
      now() - interval '1 day', now(), 'e', ${"a".repeat(64)}, ${"b".repeat(64)}, '{}', '{}', '{}',
      1, n from generate_series(1, 5000) as n`;
    await sql`analyze runs`;
    const [middle] = await sql<{ id: RunId }[]>`select id from runs where sharpe = 2500`;
    // One connection, because the counters of a session are published when it asks for it.
    const single = connect(target, { max: 1 });
    try {
      const read = async (): Promise<{ rows: number; scans: number }> => {
        await single`select pg_stat_force_next_flush()`;
        const [counts] = await single<{ rows: number; scans: number }[]>`
        select idx_tup_read as rows, (select seq_scan from pg_stat_user_tables
          where relname = 'runs') as scans
        from pg_stat_user_indexes where indexrelname = 'runs_sharpe_idx'`;
        return counts!;
      };
      const runs = createRunRepository(single);
      for (const direction of ["asc", "desc"] as const) {
        const before = await read();
        const after = { value: 2500, id: middle!.id };
        const page = await runs.list(scope, { sort: "sharpe", direction, limit: 50, after });
        const used = await read();
        expect(page.runs.length).toBe(50);
        expect(used.rows - before.rows).toBeGreaterThanOrEqual(50);
        expect(used.rows - before.rows).toBeLessThanOrEqual(60);
        expect(used.scans).toBe(before.scans);
      }
    } finally {
      await single.end();
    }
  },
);

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
