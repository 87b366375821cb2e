// Leases on PostgreSQL, and the epoch that commits of intents are held against. Used by
// trading-repository.ts; `guarded` is the first statement of every trading write and makes the writes of
// one account wait for each other.
import { nextStamp } from "../../model/client-order-id.ts";
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId, AccountMode } from "../../ports/account-store.ts";
import type { Lease, LeaseGuard, TradingStore } from "../../ports/trading-store.ts";
import type { Query, Sql, Transaction } from "./connect.ts";
import { readEpoch } from "./control-repository.ts";
import { createRenewals } from "./lease-renewals.ts";
import { at, firstOrNull, one } from "./rows.ts";

/** The account a guarded write goes to. */
export type GuardedAccount = {
  readonly workspaceId: Scope["workspaceId"];
  readonly accountId: AccountId;
  readonly mode: AccountMode;
};

/** Holds the lease until the transaction ends; null when it is not ours. */
export async function guarded(
  tx: Transaction,
  scope: Scope,
  guard: LeaseGuard,
): Promise<GuardedAccount | null> {
  return firstOrNull(
    await tx<GuardedAccount[]>`
      select a.workspace_id, a.id as account_id, a.mode
      from account_leases l join accounts a on a.id = l.account_id
      where l.account_id = ${guard.accountId} and l.token = ${guard.token}
        and l.workspace_id = ${scope.workspaceId}
      for update of l`,
  );
}

/** Whether the epoch is still the one seen; a rise waits until this transaction ends. */
export async function isEpoch(tx: Transaction, scope: Scope, seen: number): Promise<boolean> {
  const { count } = await tx`
    select 1 from trading_control
    where workspace_id = ${scope.workspaceId} and epoch = ${seen} for share`;
  return count === 1;
}

/** The refusal of every write whose lease is gone. */
export function leaseLost(): { ok: false; reason: "lease_lost"; detail: string } {
  return { ok: false, reason: "lease_lost", detail: "the lease of the account is not ours" };
}

/** The part of the store that says who may write, and under which epoch. */
export function createTradingLeases(
  sql: Sql,
): Pick<TradingStore, "takeLease" | "renewLease" | "releaseLease" | "freshStamp" | "epoch"> {
  return {
    takeLease: async (scope, accountId, holder, ttlMs, ownsLock) => {
      const wish = { holder, ttlMs, ownsLock };
      // Who waits for a lease asks again and again: that must lock and write nothing.
      const known = await leaseOf(sql, scope, accountId);
      if (known !== null && isHeldBy(known, wish)) return held(known);
      return await sql.begin((tx) => take(tx, scope, accountId, wish));
    },
    renewLease: createRenewals(sql),
    releaseLease: async (scope, guard) => {
      // The row stays: its token and stamp must never be given out again.
      const { count } = await sql`
        update account_leases set token = token + 1, holder = null, expires_at = clock_timestamp()
        where account_id = ${guard.accountId} and token = ${guard.token}
          and workspace_id = ${scope.workspaceId}`;
      return count === 1;
    },
    freshStamp: (scope, guard) => sql.begin((tx) => freshStamp(tx, scope, guard)),
    epoch: (scope) => readEpoch(sql, scope),
  };
}

type LeaseRow = {
  readonly token: number;
  readonly stampS: number;
  readonly holder: string | null;
  readonly isRunning: boolean;
  readonly ownsLock: boolean;
  readonly now: EpochMs;
};

type Wish = { readonly holder: string; readonly ttlMs: number; readonly ownsLock: boolean };

async function leaseOf(
  query: Query,
  { workspaceId }: Scope,
  accountId: AccountId,
): Promise<LeaseRow | null> {
  return firstOrNull(
    await query<LeaseRow[]>`
      select token, stamp_s, holder, owns_lock, expires_at > clock_timestamp() as is_running,
        clock_timestamp() as now
      from account_leases where account_id = ${accountId} and workspace_id = ${workspaceId}`,
  );
}

function isHeldBy({ isRunning, holder, ownsLock }: LeaseRow, wish: Wish): boolean {
  // The lock in our hands proves that the process of the former holder is gone, if that one had it.
  const isGone = wish.ownsLock && ownsLock;
  return isRunning && holder !== null && holder !== wish.holder && !isGone;
}

function held({ holder }: LeaseRow): { ok: false; reason: "held"; detail: string } {
  return refuse("held", `the account is traded by ${holder}`);
}

async function take(
  tx: Transaction,
  scope: Scope,
  accountId: AccountId,
  { holder, ttlMs, ownsLock }: Wish,
): Promise<Result<Lease, "held" | "unknown_account">> {
  // The account row is the lock, because there may be no lease yet.
  const { count } = await tx`
    select 1 from accounts
    where id = ${accountId} and workspace_id = ${scope.workspaceId} and status <> 'deleted'
    for update`;
  if (count === 0) return refuse("unknown_account", "there is no such account");
  await tx`select 1 from account_leases where account_id = ${accountId} for update`;
  const known = await leaseOf(tx, scope, accountId);
  if (known !== null && isHeldBy(known, { holder, ttlMs, ownsLock })) return held(known);
  const { now } = known ?? one(await tx<{ now: EpochMs }[]>`select clock_timestamp() as now`);
  const token = (known?.token ?? 0) + 1;
  const stampS = nextStamp(now, known?.stampS ?? null);
  const expiresAt = now + ttlMs;
  await tx`
    insert into account_leases (account_id, workspace_id, token, holder, stamp_s, taken_at,
      expires_at, owns_lock)
    values (${accountId}, ${scope.workspaceId}, ${token}, ${holder}, ${stampS}, ${at(now)},
      ${at(expiresAt)}, ${ownsLock})
    on conflict (account_id) do update set token = excluded.token, holder = excluded.holder,
      stamp_s = excluded.stamp_s, taken_at = excluded.taken_at, expires_at = excluded.expires_at,
      owns_lock = excluded.owns_lock`;
  const isTaken = known !== null && known.holder !== null && known.holder !== holder;
  const takenFrom = isTaken && known.holder !== null ? { takenFrom: known.holder } : {};
  return ok({ accountId, token, stampS, expiresAt, ...takenFrom });
}

async function freshStamp(
  tx: Transaction,
  scope: Scope,
  guard: LeaseGuard,
): Promise<number | null> {
  if (!(await guarded(tx, scope, guard))) return null;
  const { stampS, now } = one(
    await tx<{ stampS: number; now: EpochMs }[]>`
      select stamp_s, clock_timestamp() as now from account_leases
      where account_id = ${guard.accountId}`,
  );
  const fresh = nextStamp(now, stampS);
  await tx`update account_leases set stamp_s = ${fresh} where account_id = ${guard.accountId}`;
  return fresh;
}
