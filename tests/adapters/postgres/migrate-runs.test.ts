// Runs of the first schema of runs come through the migration that moved their documents out, on real
// servers: nothing is lost, and what was derived is right.
import { expect } from "bun:test";
import { migrations } from "../../../migrations/index.ts";
import type { Sql } from "../../../src/adapters/postgres/connect.ts";
import { migrate } from "../../../src/adapters/postgres/migrate.ts";
import { createRunRepository } from "../../../src/adapters/postgres/run-repository.ts";
import type { RunId } from "../../../src/ports/run-store.ts";
import { emptyDatabaseTest } from "../../support/database-test.ts";
import { aRun, someMetrics } from "../../support/runs.ts";
import { testScope } from "../../support/test-database.ts";

const AT = Date.UTC(2024, 2, 3);
const OLD = migrations.slice(0, 6);
const { config_hash, fingerprint, fills } = {
  config_hash: aRun.configHash,
  fingerprint: "a".repeat(64),
  fills: "c".repeat(64),
};

/** A run as the old schema kept it. */
async function oldRun(
  sql: Sql,
  workspaceId: number,
  config: unknown,
  rest: object,
): Promise<RunId> {
  const row = {
    workspace_id: workspaceId,
    created_at: new Date(AT),
    name: aRun.name,
    strategy_name: aRun.strategyName,
    strategy_version: aRun.strategyVersion,
    exchange_id: aRun.exchangeId,
    symbol: aRun.symbol,
    kind: aRun.kind,
    timeframe_min: aRun.timeframeMin,
    from_at: new Date(aRun.fromAt),
    to_at: new Date(aRun.toAt),
    engine_version: aRun.engineVersion,
    candles_fingerprint: fingerprint,
    config_hash,
    config: sql`${JSON.stringify(config)}::text::jsonb`,
    run_settings: sql`${JSON.stringify(aRun.runSettings)}::text::jsonb`,
    instrument: sql`${JSON.stringify(aRun.instrument)}::text::jsonb`,
    ...rest,
  };
  const [made] = await sql<{ id: RunId }[]>`insert into runs ${sql(row as never)} returning id`;
  return made!.id;
}

const CONFIGS: [config: unknown, direction: string][] = [
  [{}, "long"],
  [{ general: { allow_long: true } }, "long"],
  [{ general: { allow_short: true } }, "both"],
  [{ general: { allow_long: true, allow_short: true } }, "both"],
  [{ general: { allow_long: false, allow_short: true } }, "short"],
];

emptyDatabaseTest("runs of the first schema keep everything they had", async ({ sql }) => {
  await migrate(sql, OLD);
  const scope = await testScope(sql, "one");
  const { dca_histogram, ...plain } = someMetrics;
  const metrics = {
    ...plain,
    dca_histogram: sql`${JSON.stringify(dca_histogram)}::text::jsonb`,
    details: sql`${JSON.stringify({ warmup: { bars: 5 } })}::text::jsonb`,
    fills_sha256: fills,
  };
  const ended = { status: "finished", finished_at: new Date(AT + 1) };
  const done = await oldRun(sql, scope.workspaceId, aRun.config, { ...ended, ...metrics });
  const waiting = await oldRun(sql, scope.workspaceId, aRun.config, { status: "queued" });
  const others: RunId[] = [];
  for (const [config] of CONFIGS) {
    others.push(await oldRun(sql, scope.workspaceId, config, { status: "queued" }));
  }
  await sql`
    insert into run_artifacts (run_id, encoding, bytes, data)
    values (${done}, 'x', 2, ${new Uint8Array([1, 2])})`;
  await sql`
    insert into run_shortlists (workspace_id, run_id, user_id, is_shortlisted, note, updated_at)
    values (${scope.workspaceId}, ${done}, ${scope.userId}, true, 'mine', now())`;
  const { applied } = await migrate(sql);
  expect(applied[0]).toBe("0007_run_documents");

  const runs = createRunRepository(sql);
  const found = await runs.find(scope, done);
  expect(found).toMatchObject({ ...aRun, direction: "long", status: "finished" });
  expect(found?.metrics).toEqual(someMetrics);
  expect(found).toMatchObject({ candlesFingerprint: fingerprint, fillsSha256: fills });
  expect(found?.details).toEqual({ warmup: { bars: 5 } });
  expect(found).toMatchObject({ isShortlisted: true, note: "mine", finishedAt: AT + 1 });
  expect([...((await runs.findArtifact(scope, done))?.data ?? [])]).toEqual([1, 2]);
  expect(await runs.find(scope, waiting)).toMatchObject({
    ...{ status: "queued", metrics: null, candlesFingerprint: null, config: aRun.config },
  });
  const directions = await Promise.all(others.map((id) => runs.find(scope, id)));
  expect(directions.map((run) => run?.direction)).toEqual(
    CONFIGS.map(([, direction]) => direction as never),
  );
  const listed = await runs.list(scope, {
    columns: ["sharpe", "netProfit", "span"],
    sort: { column: "sharpe", direction: "desc" },
    ...{ filters: [], search: null, limit: 1, after: null },
  });
  const { sharpe, net_profit } = someMetrics;
  expect(listed.rows).toEqual([{ id: done, cells: [sharpe, net_profit, 31 * 86_400] }]);
  expect(await runs.finish(scope, waiting, outcome(), null, AT)).toBe(true);
});

function outcome() {
  return { metrics: someMetrics, fillsSha256: fills, candlesFingerprint: fingerprint, details: {} };
}

emptyDatabaseTest("the new schema refuses half an outcome", async ({ sql }) => {
  await migrate(sql);
  const scope = await testScope(sql, "one");
  const id = await createRunRepository(sql).create(scope, aRun, AT);
  const half = sql`update run_documents set metrics = '{}' where run_id = ${id}`;
  expect(half).rejects.toThrow("run_documents_fingerprint_when_finished");
  const unknown = sql`update runs set direction = 'up' where id = ${id}`;
  expect(unknown).rejects.toThrow("runs_direction_known");
  const finished = sql`update runs set status = 'finished', finished_at = now() where id = ${id}`;
  expect(finished).rejects.toThrow("runs_metrics_when_finished");
  await sql`delete from runs where id = ${id}`;
  expect(await sql`select 1 from run_documents`).toHaveLength(0);
});
