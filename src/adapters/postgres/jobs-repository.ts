// Claims of runs on PostgreSQL, and the only place that skips locked rows. Built by the composition root and
// tests; run-repository.ts asks it whether a claim still holds. Everybody locks the run before its job.
import type { Scope } from "../../ports/access-store.ts";
import type {
  Claimer,
  EndedRun,
  JobStore,
  OpenRun,
  RunClaim,
  StoredProgress,
} from "../../ports/job-store.ts";
import type { RunId } from "../../ports/run-store.ts";
import type { Query, Sql, Transaction } from "./connect.ts";
import { firstOrNull, one } from "./rows.ts";

/** The job store on a migrated database. */
export function createJobsRepository(sql: Sql): JobStore {
  return {
    claim: (claimer, limit) => claim(sql, claimer, { limit }),
    claimOne: async (scope, id, claimer) =>
      firstOrNull(await claim(sql, claimer, { limit: 1, id, workspaceId: scope.workspaceId })),
    beat: async (beats, ttlMs) => {
      const rows = await sql<{ id: RunId }[]>`
        update run_jobs j
        set expires_at = clock_timestamp() + ${ttlMs}::double precision * interval '1 ms',
          stage = beats.stage, share = beats.share
        from unnest(${beats.map(({ id }) => id)}::bigint[],
          ${beats.map(({ token }) => token)}::bigint[],
          ${beats.map(({ stage }) => stage)}::text[], ${beats.map(({ share }) => share)}::float8[])
          as beats (run_id, token, stage, share)
        where j.run_id = beats.run_id and j.token = beats.token and j.holder is not null
        returning j.run_id as id`;
      return new Set(rows.map(({ id }) => id));
    },
    giveBack: (scope, held) => sql.begin((tx) => giveBack(tx, scope, held)),
    openCount: async () =>
      one(
        await sql<{ count: number }[]>`
          select count(*)::integer as count from runs where status in ('queued', 'running')`,
      ).count,
    progress: (scope, id) => progress(sql, scope, id),
    open: (scope, limit) => open(sql, scope, limit),
    ended: (scope, limit) => sql<EndedRun[]>`
      select id, name, symbol, timeframe_min, status, error, created_at, finished_at from runs
      where workspace_id = ${scope.workspaceId} and status not in ('queued', 'running')
      order by id desc limit ${limit}`,
  };
}

/**
 * Locks a run until the transaction ends, so that nobody can claim it meanwhile.
 * @returns false when the claim is somebody else's by now; without a token nobody is asked
 */
export async function holdsRun(
  tx: Transaction,
  scope: Scope,
  id: RunId,
  token: number | undefined,
): Promise<boolean> {
  if (token === undefined) return true;
  const { count: found } = await tx`
    select 1 from runs where id = ${id} and workspace_id = ${scope.workspaceId} for update`;
  if (found === 0) return false;
  // A statement of its own: it sees what the last holder of the lock on the run committed.
  const { count } = await tx`
    select 1 from run_jobs where run_id = ${id} and token = ${token} and holder is not null`;
  return count === 1;
}

/** Ends the job of a run that has ended; the run must have been locked before. */
export async function dropJob(tx: Transaction, id: RunId): Promise<void> {
  await tx`delete from run_jobs where run_id = ${id}`;
}

type Wanted = {
  readonly limit: number;
  readonly id?: RunId;
  readonly workspaceId?: Scope["workspaceId"];
};

async function claim(
  query: Query,
  { holder, ttlMs }: Claimer,
  { limit, id, workspaceId }: Wanted,
): Promise<RunClaim[]> {
  type Row = {
    readonly id: RunId;
    readonly workspaceId: Scope["workspaceId"];
    readonly createdBy: Scope["userId"];
    readonly token: number;
    readonly tries: number;
  };
  // The second look at the lease counts: the first one may be older than another process's claim.
  const rows = await query<Row[]>`
    with free as (
      select r.id from runs r left join run_jobs j on j.run_id = r.id
      where r.status in ('queued', 'running')
        and (j.run_id is null or j.expires_at <= clock_timestamp())
        and r.id = coalesce(${id ?? null}::bigint, r.id)
        and r.workspace_id = coalesce(${workspaceId ?? null}::bigint, r.workspace_id)
      order by r.id limit ${limit} for update of r skip locked
    ), taken as (
      insert into run_jobs (run_id, holder, token, tries, expires_at, stage)
      select id, ${holder}, 1, 1,
        clock_timestamp() + ${ttlMs}::double precision * interval '1 ms', 'waiting'
      from free
      on conflict (run_id) do update set holder = excluded.holder, token = run_jobs.token + 1,
        tries = run_jobs.tries + 1, expires_at = excluded.expires_at, stage = 'waiting',
        share = null
      where run_jobs.expires_at <= clock_timestamp()
      returning run_id, token, tries
    ), queued as (
      update runs set status = 'queued', started_at = null
      from taken where id = taken.run_id
      returning id, workspace_id, created_by, token, tries
    )
    select id, workspace_id, created_by, token, tries from queued order by id`;
  return rows.map(({ workspaceId: of, createdBy, ...rest }) => ({
    ...rest,
    scope: { workspaceId: of, userId: createdBy, role: "trader" },
  }));
}

async function giveBack(
  tx: Transaction,
  scope: Scope,
  { id, token }: Pick<RunClaim, "id" | "token">,
): Promise<boolean> {
  if (!(await holdsRun(tx, scope, id, token))) return false;
  await tx`
    update runs set status = 'queued', started_at = null where id = ${id} and status = 'running'`;
  await tx`
    update run_jobs set holder = null, token = token + 1, tries = greatest(tries - 1, 0),
      expires_at = clock_timestamp(), stage = 'waiting', share = null
    where run_id = ${id}`;
  return true;
}

async function progress(sql: Sql, scope: Scope, id: RunId): Promise<StoredProgress | null> {
  return firstOrNull(
    await sql<StoredProgress[]>`
      select r.status, r.error, j.share,
        case when r.status in ('queued', 'running') then coalesce(j.stage, 'waiting')
          else 'ended' end as stage
      from runs r left join run_jobs j on j.run_id = r.id
      where r.id = ${id} and r.workspace_id = ${scope.workspaceId}`,
  );
}

async function open(sql: Sql, scope: Scope, limit: number): Promise<OpenRun[]> {
  return await sql<OpenRun[]>`
    select r.id, r.name, r.symbol, r.timeframe_min, r.status, coalesce(j.stage, 'waiting') as stage,
      j.share, coalesce(j.tries, 0) as tries,
      case when j.expires_at > clock_timestamp() then j.holder end as holder
    from runs r left join run_jobs j on j.run_id = r.id
    where r.status in ('queued', 'running') and r.workspace_id = ${scope.workspaceId}
    order by r.id limit ${limit}`;
}
