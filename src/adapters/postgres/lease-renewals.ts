// Renewals of leases on PostgreSQL: those a process asks for within a few milliseconds become one statement, so
// that an installation that does nothing hardly writes. Used by trading-leases.ts. One account must never hold
// up or spoil the renewal of another.
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { Json } from "../../ports/settings-store.ts";
import type { LeaseGuard, TradingStore } from "../../ports/trading-store.ts";
import type { Sql } from "./connect.ts";
import { firstOrNull, jsonb } from "./rows.ts";

/** Renewals asked for so soon after the first one belong to its statement. */
const GATHER_MS = 10;
/** Renewals of one statement; the next ones get their own. */
const TOGETHER_MAX = 200;

type Renewal = {
  readonly workspaceId: Scope["workspaceId"];
  readonly guard: LeaseGuard;
  readonly ttlMs: number;
  readonly ownsLock: boolean;
};

type Asked = Renewal & { readonly answer: PromiseWithResolvers<EpochMs | null> };

/** Renews leases, each with its own answer; a statement that fails is a failure of each in it. */
export function createRenewals(sql: Sql): TradingStore["renewLease"] {
  let gathered: Asked[] = [];
  const send = (batch: readonly Asked[]) => {
    if (gathered === batch) gathered = [];
    void answer(sql, batch);
  };
  return ({ workspaceId }, guard, ttlMs, ownsLock) => {
    const asked: Asked = {
      ...{ workspaceId, guard, ttlMs, ownsLock },
      answer: Promise.withResolvers<EpochMs | null>(),
    };
    if (gathered.length === 0 || gathered.length >= TOGETHER_MAX) {
      const batch: Asked[] = [];
      gathered = batch;
      setTimeout(() => send(batch), GATHER_MS);
    }
    gathered.push(asked);
    return asked.answer.promise;
  };
}

/** Never rejects: every renewal of the batch is answered. */
async function answer(sql: Sql, batch: readonly Asked[]): Promise<void> {
  const [first] = batch;
  const isAlone = batch.length === 1 && first !== undefined;
  const renewed = isAlone
    ? new Map()
    : await renewFree(sql, batch).catch((error: unknown) => error);
  if (!(renewed instanceof Map)) {
    for (const each of batch) each.answer.reject(renewed);
    return;
  }
  for (const each of batch) {
    const endsAt = renewed.get(keyOf(each.workspaceId, each.guard));
    if (endsAt !== undefined) each.answer.resolve(endsAt);
    else renewOne(sql, each).then(each.answer.resolve, each.answer.reject);
  }
}

/** By lease, the new ends of those that are ours and that nobody works under right now. */
async function renewFree(sql: Sql, batch: readonly Asked[]): Promise<Map<string, EpochMs>> {
  // Leases that are locked are left to statements of their own: this one waits for nobody, so that a slow
  // write of one account holds up no other, and locks taken in any order cannot end in a deadlock.
  const rows = await sql<(LeaseGuard & Pick<Renewal, "workspaceId"> & { expiresAt: EpochMs })[]>`
    with free as (
      select l.account_id, l.token, x.ttl_ms, x.owns_lock
      from jsonb_to_recordset(${jsonb(sql, batchJson(batch))}) as x (workspace_id bigint,
          account_id bigint, token bigint, ttl_ms double precision, owns_lock boolean)
        join account_leases l on l.account_id = x.account_id and l.token = x.token
          and l.workspace_id = x.workspace_id
      order by l.account_id
      for update of l skip locked
    )
    update account_leases l
    set expires_at = clock_timestamp() + free.ttl_ms * interval '1 ms', owns_lock = free.owns_lock
    from free where l.account_id = free.account_id and l.token = free.token
    returning l.workspace_id, l.account_id, l.token, l.expires_at`;
  return new Map(
    rows.map(({ workspaceId, expiresAt, ...guard }) => [keyOf(workspaceId, guard), expiresAt]),
  );
}

function batchJson(batch: readonly Renewal[]): Json {
  return batch.map(({ workspaceId, guard, ttlMs, ownsLock }) => ({
    ...{ workspace_id: workspaceId, account_id: guard.accountId, token: guard.token },
    ...{ ttl_ms: ttlMs, owns_lock: ownsLock },
  }));
}

/** Waits for whoever works under the lease; null when it is not ours any more. */
async function renewOne(
  sql: Sql,
  { workspaceId, guard, ttlMs, ownsLock }: Renewal,
): Promise<EpochMs | null> {
  const row = firstOrNull(
    await sql<{ expiresAt: EpochMs }[]>`
      update account_leases
      set expires_at = clock_timestamp() + ${ttlMs}::double precision * interval '1 ms',
        owns_lock = ${ownsLock}
      where account_id = ${guard.accountId} and token = ${guard.token}
        and workspace_id = ${workspaceId}
      returning expires_at`,
  );
  return row?.expiresAt ?? null;
}

function keyOf(workspaceId: Scope["workspaceId"], { accountId, token }: LeaseGuard): string {
  return `${workspaceId}/${accountId}/${token}`;
}
