// The last figures workers showed, and equity curves, on PostgreSQL. Used by bot-repository.ts. Pages read
// them; nothing decides on them.
import { assert } from "../../model/result.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { BotStore, EquitySample, ShownSnapshot, Snapshot } from "../../ports/bot-store.ts";
import type { Json } from "../../ports/settings-store.ts";
import type { Query, Sql } from "./connect.ts";
import { jsonb } from "./rows.ts";
import { plain } from "./trading-rows.ts";
import { SILENT_MS } from "./worker-repository.ts";

/** Every bot there can be, and as many accounts. */
const FIGURES_MAX = 20_000;
const SAMPLES_MAX = 5000;

type EquityQuery = Parameters<BotStore["equity"]>[1];

/** The part of the store that keeps figures. */
export function createBotFigures(sql: Sql): Pick<BotStore, "saveFigures" | "snapshots" | "equity"> {
  return {
    saveFigures: (scope, snapshots, samples) => save(sql, scope, snapshots, samples),
    snapshots: async (scope, accountId) =>
      await sql<ShownSnapshot[]>`
        select s.account_id, s.bot_id, s.worker, s.at, s.body,
          coalesce(w.beat_at >= clock_timestamp()
            - ${SILENT_MS}::double precision * interval '1 ms', false) as is_worker_alive
        from snapshots s
          left join bots b on b.id = s.bot_id
          left join workers w on w.name = s.worker
        where s.workspace_id = ${scope.workspaceId} and b.deleted_at is null
          ${accountId === null ? sql`` : sql`and s.account_id = ${accountId}`}
        order by s.account_id, s.bot_id nulls first`,
    equity: (scope, query) => equity(sql, scope, query),
  };
}

/** One statement, and with it one transaction. */
async function save(
  sql: Query,
  { workspaceId }: Scope,
  snapshots: readonly Snapshot[],
  samples: readonly EquitySample[],
): Promise<void> {
  const count = snapshots.length + samples.length;
  if (count === 0) return;
  assert(count <= FIGURES_MAX, `${count} figures are more than ${FIGURES_MAX}`);
  await sql`
    with shown as (
      insert into snapshots (workspace_id, account_id, bot_id, worker, at, body)
      select a.workspace_id, a.id, x.bot_id, x.worker, x.at, x.body
      from jsonb_to_recordset(${jsonb(sql, snapshotsJson(snapshots))}) as x (
        account_id bigint, bot_id integer, worker text, at timestamptz, body jsonb)
      join accounts a on a.id = x.account_id and a.workspace_id = ${workspaceId}
      on conflict (account_id, bot_id) do update
        set worker = excluded.worker, at = excluded.at, body = excluded.body
        where snapshots.at <= excluded.at or snapshots.worker = excluded.worker
    )
    insert into equity_samples (workspace_id, account_id, bot_id, at, equity)
    select a.workspace_id, a.id, x.bot_id, x.at, x.equity
    from jsonb_to_recordset(${jsonb(sql, samplesJson(samples))}) as x (
      account_id bigint, bot_id integer, at timestamptz, equity numeric)
    join accounts a on a.id = x.account_id and a.workspace_id = ${workspaceId}
    on conflict (account_id, bot_id, at) do nothing`;
}

function snapshotsJson(snapshots: readonly Snapshot[]): Json {
  return snapshots.map(({ accountId, botId, worker, at, body }) => ({
    ...{ account_id: accountId, bot_id: botId, worker, body },
    at: new Date(at).toISOString(),
  }));
}

function samplesJson(samples: readonly EquitySample[]): Json {
  return samples.map(({ accountId, botId, at, equity: amount }) => ({
    ...{ account_id: accountId, bot_id: botId, equity: amount },
    at: new Date(at).toISOString(),
  }));
}

/** The first and the last sample stay; those between are left out at even distances. */
async function equity(sql: Query, scope: Scope, query: EquityQuery): Promise<EquitySample[]> {
  const { accountId, botId, sinceAt, limit } = query;
  const fits = Number.isInteger(limit) && limit >= 1 && limit <= SAMPLES_MAX;
  assert(fits, `limit: ${limit} must be a whole number from 1 to ${SAMPLES_MAX}`);
  const gaps = limit - 1;
  const rows = await sql<EquitySample[]>`
    select account_id, bot_id, at, equity from (
      select account_id, bot_id, at, equity, row_number() over (order by at) - 1 as place,
        count(*) over () as total
      from equity_samples
      where workspace_id = ${scope.workspaceId} and account_id = ${accountId}
        and ${botId === null ? sql`bot_id is null` : sql`bot_id = ${botId}`}
        and at >= ${new Date(sinceAt)}) numbered
    where total <= ${limit} or place = 0
      or place * ${gaps}::bigint / nullif(total - 1, 0)
        > (place - 1) * ${gaps}::bigint / nullif(total - 1, 0)
    order by at`;
  return rows.map((row) => ({ ...row, equity: plain(row.equity) }));
}
