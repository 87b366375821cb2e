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
  RunMark,
  RunOutcome,
  RunStore,
} from "../../ports/run-store.ts";
import type { Sql, Transaction } from "./connect.ts";
import { dropJob, holdsRun } from "./jobs-repository.ts";
import { at, firstOrNull, jsonb, one } from "./rows.ts";
import { metricsDocument, metricsRow } from "./run-columns.ts";
import { createRunGrid } from "./run-grid.ts";

/** The run store on a migrated database. */
export function createRunRepository(sql: Sql): RunStore {
  return {
    ...createRunGrid(sql),
    create: (scope, run, now) => sql.begin((tx) => create(tx, scope, run, now)),
    start: (scope, id, now, token) => sql.begin((tx) => start(tx, scope, id, now, token)),
    finish: (scope, id, outcome, artifact, now, token) =>
      sql.begin((tx) => finish(tx, scope, id, { outcome, artifact, token }, now)),
    fail: (scope, id, error, now, token) =>
      sql.begin((tx) => end(tx, scope, id, { status: "failed", error, token }, now)),
    cancel: (scope, id, now) =>
      sql.begin((tx) => end(tx, scope, id, { status: "cancelled", error: null }, now)),
    find: (scope, id) => find(sql, scope, id),
    findArtifact: async (scope, id) =>
      firstOrNull(
        await sql<RunArtifact[]>`
        select encoding, data from run_artifacts join runs on runs.id = run_id
        where run_id = ${id} and workspace_id = ${scope.workspaceId}`,
      ),
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

async function create(tx: Transaction, scope: Scope, run: NewRun, now: EpochMs): Promise<RunId> {
  const { id } = one(
    await tx<{ id: RunId }[]>`
      insert into runs (workspace_id, created_by, status, created_at, name, strategy_name,
        exchange_id, symbol, kind, timeframe_min, direction, from_at, to_at, series_id)
      values (${scope.workspaceId}, ${scope.userId}, 'queued', ${at(now)}, ${run.name},
        ${run.strategyName}, ${run.exchangeId}, ${run.symbol}, ${run.kind}, ${run.timeframeMin},
        ${run.direction}, ${at(run.fromAt)}, ${at(run.toAt)}, ${run.seriesId})
      returning id`,
  );
  await tx`
    insert into run_documents (run_id, strategy_version, engine_version, config_hash, config,
      run_settings, instrument)
    values (${id}, ${run.strategyVersion}, ${run.engineVersion}, ${run.configHash},
      ${jsonb(tx, run.config)}, ${jsonb(tx, run.runSettings)}, ${jsonb(tx, run.instrument)})`;
  return id;
}

async function start(
  tx: Transaction,
  scope: Scope,
  id: RunId,
  now: EpochMs,
  token: number | undefined,
): Promise<boolean> {
  if (!(await holdsRun(tx, scope, id, token))) return false;
  const { count } = await tx`
    update runs set status = 'running', started_at = ${at(now)}
    where id = ${id} and workspace_id = ${scope.workspaceId} and status = 'queued'`;
  return count === 1;
}

type Finish = {
  readonly outcome: RunOutcome;
  readonly artifact: RunArtifact | null;
  readonly token: number | undefined;
};

async function finish(
  tx: Transaction,
  scope: Scope,
  id: RunId,
  { outcome, artifact, token }: Finish,
  now: EpochMs,
): Promise<boolean> {
  if (!(await holdsRun(tx, scope, id, token))) return false;
  const { count } = await tx`
    update runs set ${tx(metricsRow(outcome.metrics))}, status = 'finished',
      finished_at = ${at(now)}
    where id = ${id} and workspace_id = ${scope.workspaceId}
      and status in ('queued', 'running')`;
  if (count !== 1) return false;
  await tx`
    update run_documents set metrics = ${metricsDocument(outcome.metrics)}::text::jsonb,
      candles_fingerprint = ${outcome.candlesFingerprint}, fills_sha256 = ${outcome.fillsSha256},
      details = ${jsonb(tx, outcome.details)}
    where run_id = ${id}`;
  if (artifact) {
    await tx`
      insert into run_artifacts (run_id, encoding, bytes, data)
      values (${id}, ${artifact.encoding}, ${artifact.data.byteLength}, ${artifact.data})`;
  }
  await dropJob(tx, id);
  return true;
}

type End = {
  readonly status: "failed" | "cancelled";
  readonly error: string | null;
  readonly token?: number | undefined;
};

async function end(
  tx: Transaction,
  scope: Scope,
  id: RunId,
  how: End,
  now: EpochMs,
): Promise<boolean> {
  if (!(await holdsRun(tx, scope, id, how.token))) return false;
  const { count } = await tx`
    update runs set status = ${how.status}, error = ${how.error}, finished_at = ${at(now)}
    where id = ${id} and workspace_id = ${scope.workspaceId}
      and status in ('queued', 'running')`;
  if (count === 1) await dropJob(tx, id);
  return count === 1;
}

type RunRow = Omit<Run, "artifact"> & {
  readonly encoding: string | null;
  readonly bytes: number | null;
};

async function find(sql: Sql, scope: Scope, id: RunId): Promise<Run | null> {
  const row = firstOrNull(
    await sql<RunRow[]>`
      select runs.id, runs.status, runs.error, runs.created_by, runs.created_at, runs.finished_at,
        runs.name, runs.strategy_name, runs.exchange_id, runs.symbol, runs.kind,
        runs.timeframe_min, runs.direction, runs.from_at, runs.to_at, runs.series_id,
        documents.strategy_version, documents.engine_version, documents.config_hash,
        documents.config, documents.run_settings, documents.instrument, documents.metrics,
        documents.candles_fingerprint, documents.fills_sha256, documents.details,
        coalesce(run_shortlists.is_shortlisted, false) as is_shortlisted, run_shortlists.note,
        run_artifacts.encoding, run_artifacts.bytes
      from runs
      join run_documents as documents on documents.run_id = runs.id
      left join run_shortlists
        on run_shortlists.run_id = runs.id and run_shortlists.user_id = ${scope.userId}
      left join run_artifacts on run_artifacts.run_id = runs.id
      where runs.id = ${id} and runs.workspace_id = ${scope.workspaceId}`,
  );
  if (!row) return null;
  const { encoding, bytes, ...run } = row;
  return { ...run, artifact: encoding === null || bytes === null ? null : { encoding, bytes } };
}

async function shortlist(
  sql: Sql,
  scope: Scope,
  id: RunId,
  { isShortlisted, note }: RunMark,
  now: EpochMs,
): Promise<boolean> {
  assert(scope.userId !== null, "a shortlist belongs to a user");
  const isMarked = isShortlisted ?? null;
  const { count } = await sql`
    insert into run_shortlists (workspace_id, run_id, user_id, is_shortlisted, note, updated_at)
    select workspace_id, id, ${scope.userId}, coalesce(${isMarked}::boolean, false),
      ${note ?? null}, ${at(now)}
    from runs where id = ${id} and workspace_id = ${scope.workspaceId}
    on conflict (user_id, run_id) do update set
      is_shortlisted = coalesce(${isMarked}::boolean, run_shortlists.is_shortlisted),
      note = ${note === undefined ? sql`run_shortlists.note` : sql`excluded.note`},
      updated_at = excluded.updated_at`;
  return count === 1;
}
