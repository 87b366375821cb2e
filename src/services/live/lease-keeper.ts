// Keeps the lease of one account. Built per account by whoever runs its loop; hands out the lease as the
// other parts see it. Never lets time count that was not proven: what is left is measured by the monotonic
// clock from before a renewal was asked for.
import { assert, ok, type Result } from "../../model/result.ts";
import type { AccountLocks } from "../../ports/account-locks.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId } from "../../ports/account-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Lease, LeaseGuard, TradingStore } from "../../ports/trading-store.ts";
import type { HeldLease } from "./live-types.ts";

/** What a keeper works with. */
export type LeaseDeps = {
  readonly store: Pick<TradingStore, "takeLease" | "renewLease" | "releaseLease" | "freshStamp">;
  readonly locks: Pick<AccountLocks, "tryLock" | "unlock" | "isHeld" | "onLost">;
  readonly clock: Clock;
  readonly log: Log;
};

/** How long a lease lasts and how often it is renewed; DRAGON_JOB_LEASE_S and …_RENEW_EVERY_S. */
export type LeaseTiming = { readonly ttlMs: number; readonly renewEveryMs: number };

/** A lease that has to be kept by running it. */
export type KeptLease = HeldLease & {
  /** Whose work is taken over; undefined when the lease was free. */
  readonly takenFrom: string | undefined;
  /**
   * Renews until the signal, then gives the lease back; ends by itself when it is lost. Never rejects.
   * Without it the lease simply runs out.
   */
  run(signal: AbortSignal): Promise<void>;
};

/** Takes the lease of one account. */
export type LeaseKeeper = {
  /**
   * Takes the lease, by the lock of the account when it is free. May be called again once the lease it
   * gave before has ended.
   * @param onLost told once, with one sentence, when the lease ends without being given back
   * @throws when the database is not there
   */
  take(onLost: (sentence: string) => void): Promise<Result<KeptLease, "held" | "unknown_account">>;
};

/** How often a keeper looks whether something is due, at the same instants as every other. */
const TICK_MS = 500;
/** Pause after a renewal that failed. */
const RETRY_MS = 1_000;

/** A keeper for one account. @param holder names this process, differently after every start */
export function createLeaseKeeper(
  deps: LeaseDeps,
  scope: Scope,
  accountId: AccountId,
  holder: string,
  timing: LeaseTiming,
): LeaseKeeper {
  const { store, locks, clock } = deps;
  assert(timing.renewEveryMs < timing.ttlMs, "a lease has to be renewed before it ends");
  return {
    take: async (onLost) => {
      const ownsLock = await locks.tryLock(accountId);
      const askedMs = clock.monotonicMs();
      try {
        const taken = await store.takeLease(scope, accountId, holder, timing.ttlMs, ownsLock);
        if (taken.ok) return ok(keep(deps, scope, taken.value, { ...timing, askedMs, onLost }));
        await unlock(deps, accountId);
        return taken;
      } catch (error) {
        await unlock(deps, accountId);
        throw error;
      }
    },
  };
}

type Terms = LeaseTiming & {
  /** Monotonic, when the lease was asked for. */
  readonly askedMs: number;
  readonly onLost: (sentence: string) => void;
};

/** What is known of a lease that was taken. */
type Holding = {
  readonly guard: LeaseGuard;
  stampS: number;
  /** Monotonic; the lease was ours when this was asked. */
  provenMs: number;
  /** Monotonic; when to ask again. */
  dueMs: number;
  /** The lock was lost: anyone may take the account at once, so nothing is proven until it is ours again. */
  isInDoubt: boolean;
  isFailing: boolean;
  isOver: boolean;
};

function keep(deps: LeaseDeps, scope: Scope, lease: Lease, terms: Terms): KeptLease {
  const { store, locks, clock, log } = deps;
  const { accountId, token, stampS } = lease;
  const guard = { accountId, token };
  const { askedMs, ttlMs, renewEveryMs } = terms;
  const holding: Holding = {
    ...{ guard, stampS, provenMs: askedMs, dueMs: dueAfter(askedMs, renewEveryMs) },
    ...{ isInDoubt: false, isFailing: false, isOver: false },
  };
  const leftMs = () => holding.provenMs + ttlMs - clock.monotonicMs();
  const lose = (sentence: string) => {
    if (holding.isOver) return;
    holding.isOver = true;
    log.warn(`the lease of account ${accountId} is lost: ${sentence}`, { account: accountId });
    terms.onLost(sentence);
  };
  const stopHearing = locks.onLost((accountIds) => {
    if (!accountIds.includes(accountId)) return;
    holding.isInDoubt = true;
    holding.dueMs = clock.monotonicMs();
  });
  const renewal = () => renew(deps, scope, holding, terms, lose);

  return {
    guard,
    takenFrom: lease.takenFrom,
    stampS: () => holding.stampS,
    freshStamp: async () => {
      if (holding.isOver) return null;
      const fresh = await store.freshStamp(scope, guard);
      if (fresh === null) lose("another worker took the account");
      else holding.stampS = fresh;
      return fresh;
    },
    remainingMs: () => (holding.isOver || holding.isInDoubt ? 0 : leftMs()),
    run: async (signal) => {
      let present: Promise<void> | null = null;
      while (!signal.aborted && !holding.isOver) {
        if (leftMs() <= 0) lose("it could not be renewed in time");
        else if (present === null && clock.monotonicMs() >= holding.dueMs) {
          present = renewal().finally(() => {
            present = null;
          });
        }
        await clock
          .sleep(TICK_MS - (clock.monotonicMs() % TICK_MS), signal)
          .catch((error: unknown) => {
            if (!signal.aborted) throw error;
          });
      }
      stopHearing();
      if (!holding.isOver) await release(deps, scope, holding);
      await unlock(deps, accountId);
    },
  };
}

/**
 * When a lease that was proven is to be proven again: never later than `everyMs` afterwards, and for all
 * keepers of a process at the same instants, so that the store can renew their leases together.
 */
function dueAfter(provenMs: number, everyMs: number): number {
  return (Math.floor(provenMs / everyMs) + 1) * everyMs;
}

/** One renewal; it is tried again after a failure, the first of which is logged. */
async function renew(
  { store, locks, clock, log }: LeaseDeps,
  scope: Scope,
  holding: Holding,
  { ttlMs, renewEveryMs }: Terms,
  lose: (sentence: string) => void,
): Promise<void> {
  const { accountId } = holding.guard;
  const askedMs = clock.monotonicMs();
  holding.dueMs = askedMs + RETRY_MS;
  try {
    const ownsLock = await locks.tryLock(accountId);
    const endsAt = await store.renewLease(scope, holding.guard, ttlMs, ownsLock);
    if (holding.isOver) return;
    if (endsAt === null) return lose("another worker took the account");
    if (holding.isFailing) log.info(`the lease of account ${accountId} is renewed again`);
    holding.isFailing = false;
    // Without the lock it may be taken the moment after.
    if (holding.isInDoubt && !locks.isHeld(accountId)) return;
    holding.provenMs = askedMs;
    holding.isInDoubt = false;
    holding.dueMs = dueAfter(askedMs, renewEveryMs);
  } catch (error) {
    if (!holding.isFailing) {
      const fields = { account: accountId, error };
      log.warn(`the lease of account ${accountId} could not be renewed`, fields);
    }
    holding.isFailing = true;
  }
}

/** Gives a lease back; when that fails it runs out by itself. */
async function release({ store, log }: LeaseDeps, scope: Scope, holding: Holding): Promise<void> {
  holding.isOver = true;
  const { accountId } = holding.guard;
  try {
    await store.releaseLease(scope, holding.guard);
  } catch (error) {
    const fields = { account: accountId, error };
    log.warn(`the lease of account ${accountId} could not be given back`, fields);
  }
}

async function unlock({ locks, log }: LeaseDeps, accountId: AccountId): Promise<void> {
  try {
    await locks.unlock(accountId);
  } catch (error) {
    const fields = { account: accountId, error };
    log.warn(`the lock of account ${accountId} could not be given back`, fields);
  }
}
