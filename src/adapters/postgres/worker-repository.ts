// Processes as rows on PostgreSQL. Built by the composition root and tests. A beat is one statement; times
// are those of the database, whose clock all processes share.
import type {
  LeasedAccount,
  WorkerBeat,
  WorkerRow,
  WorkerStore,
} from "../../ports/worker-store.ts";
import type { Sql } from "./connect.ts";
import { at, firstOrNull, jsonb } from "./rows.ts";

/** A process that told nothing for longer is silent: beats come every 10 s, and two are missing. */
export const SILENT_MS = 25_000;
const FORGOTTEN_MS = 86_400_000;
const WORKERS_MAX = 200;
const ACCOUNTS_MAX = 200;

/** The worker store on a migrated database. */
export function createWorkerRepository(sql: Sql): WorkerStore {
  return {
    beat: (worker) => beat(sql, worker),
    leave: async (name) => {
      await sql`delete from workers where name = ${name}`;
    },
    list: (scope) => sql<WorkerRow[]>`
      select name, host, pid, role, version, started_at, beat_at,
        beat_at < clock_timestamp() - ${SILENT_MS}::double precision * interval '1 ms' as is_silent,
        (epochs ->> ${String(scope.workspaceId)})::integer as epoch,
        array(
          select l.account_id from account_leases l
          where l.holder = workers.name and l.workspace_id = ${scope.workspaceId}
            and l.expires_at > clock_timestamp()
          order by l.account_id
        ) as account_ids
      from workers order by workers.started_at, name limit ${WORKERS_MAX}`,
    epoch: async (scope) => {
      const row = firstOrNull(
        await sql<{ epoch: number }[]>`
          select epoch from trading_control where workspace_id = ${scope.workspaceId}`,
      );
      return row?.epoch ?? null;
    },
    leases: (scope) => sql<LeasedAccount[]>`
      select l.account_id, a.name as account_name, l.taken_at, l.expires_at,
        l.token as changes,
        case when l.expires_at > clock_timestamp() then l.holder end as holder,
        coalesce((
          select jsonb_agg(jsonb_build_object('id', b.id, 'name', b.name, 'status', b.status)
            order by lower(b.name), b.id)
          from bots b where b.account_id = l.account_id and b.deleted_at is null
        ), '[]') as bots
      from account_leases l join accounts a on a.id = l.account_id and a.status <> 'deleted'
      where l.workspace_id = ${scope.workspaceId}
      order by lower(a.name), l.account_id limit ${ACCOUNTS_MAX}`,
  };
}

async function beat(sql: Sql, worker: WorkerBeat): Promise<void> {
  const { name, host, pid, role, version, startedAt, epochs } = worker;
  await sql`
    with forgotten as (
      delete from workers where name <> ${name}
        and beat_at < clock_timestamp() - ${FORGOTTEN_MS}::double precision * interval '1 ms'
    )
    insert into workers (name, host, pid, role, version, started_at, beat_at, epochs)
    values (${name}, ${host}, ${pid}, ${role}, ${version}, ${at(startedAt)}, clock_timestamp(),
      ${jsonb(sql, Object.fromEntries(epochs))})
    on conflict (name) do update set beat_at = excluded.beat_at, epochs = excluded.epochs`;
}
