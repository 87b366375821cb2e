// Backtest runs on PostgreSQL. Built by main.ts and tests. A run that has ended is never written
// again except for its name and the users' shortlist marks.
import { assert } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type {
  NewRun,
  Run,
  RunArtifact,
  RunId,
  RunOutcome,
  RunStore,
} from "../../ports/run-store.ts";
import type { Sql, Transaction } from "./connect.ts";
import { at, firstOrNull, jsonb, one } from "./rows.ts";
import { metricsRow, type SummaryRow, summaryColumns, toSummary } from "./run-columns.ts";
import { listRuns } from "./run-list.ts";

/** The run store on a migrated database. */
export function createRunRepository(sql: Sql): RunStore {
  return {
    create: (scope, run, now) => create(sql, scope, run, now),
    start: async (scope, id, now) => {
      const { count } = await sql`
        update runs set status = 'running', started_at = ${at(now)}
        where id = ${id} and workspace_id = ${scope.workspaceId} and status = 'queued'`;
      return count === 1;
    },
    finish: (scope, id, outcome, artifact, now) =>
      sql.begin((tx) => finish(tx, scope, id, outcome, artifact, now)),
    fail: (scope, id, error, now) => end(sql, scope, id, { status: "failed", error }, now),
    cancel: (scope, id, now) => end(sql, scope, id, { status: "cancelled", error: null }, now),
    find: (scope, id) => find(sql, scope, id),
    findArtifact: async (scope, id) =>
      firstOrNull(
        await sql<RunArtifact[]>`
        select encoding, data from run_artifacts join runs on runs.id = run_id
        where run_id = ${id} and workspace_id = ${scope.workspaceId}`,
      ),
    list: (scope, query) => listRuns(sql, scope, query),
    rename: async (scope, id, name) => {
      const { count } = await sql`
        update runs set name = ${name} where id = ${id} and workspace_id = ${scope.workspaceId}`;
      return count === 1;
    },
    shortlist: (scope, id, mark, now) => shortlist(sql, scope, id, mark, now),
    remove: async (scope, ids) => {
      const { count } = await sql`
        delete from runs
        where id = any(${[...ids]}::bigint[]) and workspace_id = ${scope.workspaceId}`;
      return count;
    },
  };
}

async function create(sql: Sql, scope: Scope, run: NewRun, now: EpochMs): Promise<RunId> {
  const { id } = one(
    await sql<{ id: RunId }[]>`
      insert into runs (workspace_id, created_by, status, created_at, name, strategy_name,
        strategy_version, exchange_id, symbol, kind, timeframe_min, from_at, to_at, series_id,
        engine_version, candles_fingerprint, config_hash, config, run_settings, instrument)
      values (${scope.workspaceId}, ${scope.userId}, 'queued', ${at(now)}, ${run.name},
        ${run.strategyName}, ${run.strategyVersion}, ${run.exchangeId}, ${run.symbol},
        ${run.kind}, ${run.timeframeMin}, ${at(run.fromAt)}, ${at(run.toAt)}, ${run.seriesId},
        ${run.engineVersion}, ${run.candlesFingerprint}, ${run.configHash},
        ${jsonb(sql, run.config)}, ${jsonb(sql, run.runSettings)}, ${jsonb(sql, run.instrument)})
      returning id`,
  );
  return id;
}

async function finish(
  tx: Transaction,
  scope: Scope,
  id: RunId,
  outcome: RunOutcome,
  artifact: RunArtifact | null,
  now: EpochMs,
): Promise<boolean> {
  const { count } = await tx`
    update runs set ${tx(metricsRow(outcome.metrics))}, status = 'finished',
      finished_at = ${at(now)}, fills_sha256 = ${outcome.fillsSha256},
      details = ${jsonb(tx, outcome.details)}
    where id = ${id} and workspace_id = ${scope.workspaceId}
      and status in ('queued', 'running')`;
  if (count === 1 && artifact) {
    await tx`
      insert into run_artifacts (run_id, encoding, bytes, data)
      values (${id}, ${artifact.encoding}, ${artifact.data.byteLength}, ${artifact.data})`;
  }
  return count === 1;
}

async function end(
  sql: Sql,
  scope: Scope,
  id: RunId,
  how: { readonly status: "failed" | "cancelled"; readonly error: string | null },
  now: EpochMs,
): Promise<boolean> {
  const { count } = await sql`
    update runs set status = ${how.status}, error = ${how.error}, finished_at = ${at(now)}
    where id = ${id} and workspace_id = ${scope.workspaceId}
      and status in ('queued', 'running')`;
  return count === 1;
}

type RunRow = SummaryRow &
  Pick<Run, "config" | "runSettings" | "instrument" | "fillsSha256" | "details"> & {
    readonly encoding: string | null;
    readonly bytes: number | null;
  };

async function find(sql: Sql, scope: Scope, id: RunId): Promise<Run | null> {
  const row = firstOrNull(
    await sql<RunRow[]>`
      select ${summaryColumns(sql)}, runs.config, runs.run_settings, runs.instrument,
        runs.fills_sha256, runs.details, run_artifacts.encoding, run_artifacts.bytes
      from runs
      left join run_shortlists
        on run_shortlists.run_id = runs.id and run_shortlists.user_id = ${scope.userId}
      left join run_artifacts on run_artifacts.run_id = runs.id
      where runs.id = ${id} and runs.workspace_id = ${scope.workspaceId}`,
  );
  if (!row) return null;
  const { encoding, bytes } = row;
  return {
    ...toSummary(row),
    config: row.config,
    runSettings: row.runSettings,
    instrument: row.instrument,
    fillsSha256: row.fillsSha256,
    details: row.details,
    artifact: encoding === null || bytes === null ? null : { encoding, bytes },
  };
}

async function shortlist(
  sql: Sql,
  scope: Scope,
  id: RunId,
  mark: { readonly isShortlisted: boolean; readonly note: string | null },
  now: EpochMs,
): Promise<boolean> {
  assert(scope.userId !== null, "a shortlist belongs to a user");
  const { count } = await sql`
    insert into run_shortlists (workspace_id, run_id, user_id, is_shortlisted, note, updated_at)
    select workspace_id, id, ${scope.userId}, ${mark.isShortlisted}, ${mark.note}, ${at(now)}
    from runs where id = ${id} and workspace_id = ${scope.workspaceId}
    on conflict (user_id, run_id) do update set is_shortlisted = excluded.is_shortlisted,
      note = excluded.note, updated_at = excluded.updated_at`;
  return count === 1;
}
