// Session advisory locks on a connection of their own, one per worker: they end with the process, however
// it ends. Built by the composition root and tests. Nothing else may ever run on this connection.
import { assert } from "../../model/result.ts";
import type { AccountLocks } from "../../ports/account-locks.ts";
import type { AccountId } from "../../ports/account-store.ts";
import { type ConnectTarget, connect, type Transaction } from "./connect.ts";
import { one } from "./rows.ts";

/** First half of the locks; the second is the account. */
const ACCOUNT_LOCK = 723_190;
const CLOSE_TIMEOUT_S = 1;

/** The connection that holds the locks. */
type Session = {
  lock(accountId: AccountId): Promise<boolean>;
  unlock(accountId: AccountId): Promise<void>;
  end(): Promise<void>;
};

/** The locks of this process; the connection is made when the first one is asked for. */
export function createAccountLocks(target: ConnectTarget): AccountLocks {
  const held = new Set<AccountId>();
  const listeners = new Set<(accountIds: readonly AccountId[]) => void>();
  let session: Session | null = null;
  let isClosed = false;
  // One after the other: asking twice at once would lock twice, and unlocking once would not free it.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };

  const lost = (ended: Session) => {
    if (session !== ended) return;
    session = null;
    const accountIds = [...held];
    held.clear();
    if (accountIds.length === 0) return;
    for (const listener of [...listeners]) listener(accountIds);
  };

  return {
    isHeld: (accountId) => held.has(accountId),
    tryLock: (accountId) =>
      inTurn(async () => {
        assert(!isClosed, "the account locks are closed");
        if (held.has(accountId)) return true;
        session ??= await open(target, lost);
        const current = session;
        const isLocked = await current.lock(accountId);
        // The connection may have gone right after its answer.
        const isOurs = isLocked && session === current;
        if (isOurs) held.add(accountId);
        return isOurs;
      }),
    unlock: (accountId) =>
      inTurn(async () => {
        if (held.delete(accountId)) await session?.unlock(accountId);
      }),
    onLost: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () =>
      inTurn(async () => {
        isClosed = true;
        held.clear();
        const ending = session;
        session = null;
        await ending?.end();
      }),
  };
}

/**
 * A connection inside a transaction that lasts as long as the locks: the driver tells only a transaction
 * that its connection was lost. It touches no table, so it holds nothing up.
 */
async function open(target: ConnectTarget, onLost: (session: Session) => void): Promise<Session> {
  const sql = connect(target, { max: 1, idleInTransactionTimeoutMs: 0 });
  const begun = Promise.withResolvers<Transaction>();
  const release = Promise.withResolvers<void>();
  const life = sql.begin(async (tx) => {
    // The driver leaves a 0 out when it connects, and the server may have a limit of its own.
    await tx`select set_config('idle_in_transaction_session_timeout', '0', false)`;
    begun.resolve(tx);
    await release.promise;
  });
  life.catch(begun.reject);
  try {
    const tx = await begun.promise;
    const end = async () => {
      release.resolve();
      await sql.end({ timeout: CLOSE_TIMEOUT_S });
    };
    const fail = async () => {
      await end();
      onLost(session);
    };
    const session: Session = {
      lock: (accountId) => unlessFailed(tryLock(tx, accountId), fail),
      unlock: (accountId) => unlessFailed(unlock(tx, accountId), fail),
      end,
    };
    const over = () => {
      onLost(session);
      return sql.end({ timeout: 0 });
    };
    void life.then(over, over);
    return session;
  } catch (error) {
    await sql.end({ timeout: 0 });
    throw error;
  }
}

/** A transaction in which a statement failed carries out no other: the locks have to begin anew. */
async function unlessFailed<T>(statement: Promise<T>, fail: () => Promise<void>): Promise<T> {
  try {
    return await statement;
  } catch (error) {
    await fail();
    throw error;
  }
}

async function tryLock(tx: Transaction, accountId: AccountId): Promise<boolean> {
  const { isLocked } = one(
    await tx<{ isLocked: boolean }[]>`
      select pg_try_advisory_lock(${ACCOUNT_LOCK}::int, ${accountId % 2 ** 31}::int) as is_locked`,
  );
  return isLocked;
}

async function unlock(tx: Transaction, accountId: AccountId): Promise<void> {
  await tx`select pg_advisory_unlock(${ACCOUNT_LOCK}::int, ${accountId % 2 ** 31}::int)`;
}
