// Account locks on real servers: one owner at a time, free when the connection of the owner ends, and the
// owner hears of it.
import { expect } from "bun:test";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { createAccountLocks } from "../../../src/adapters/postgres/account-locks.ts";
import type { Sql } from "../../../src/adapters/postgres/connect.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import type { AccountId } from "../../../src/ports/account-store.ts";
import { createLeaseKeeper } from "../../../src/services/live/lease-keeper.ts";
import { databaseTest } from "../../support/database-test.ts";
import { silentLog } from "../../support/silent-log.ts";
import { testScope } from "../../support/test-database.ts";
import { START } from "../../support/trading.ts";

const [FIRST, SECOND] = [1 as AccountId, 2 as AccountId];

/** Ends the connection that holds locks, as a server or network that goes away does. */
async function cut(sql: Sql): Promise<void> {
  await sql`
    select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and database = (
      select oid from pg_database where datname = current_database())`;
}

databaseTest("an account lock has one owner, and each account its own lock", async ({ target }) => {
  const [mine, other] = [createAccountLocks(target), createAccountLocks(target)];
  expect(mine.isHeld(FIRST)).toBe(false);
  expect(await Promise.all([mine.tryLock(FIRST), mine.tryLock(FIRST)])).toEqual([true, true]);
  expect(mine.isHeld(FIRST)).toBe(true);
  expect(await other.tryLock(FIRST)).toBe(false);
  expect(other.isHeld(FIRST)).toBe(false);
  expect(await other.tryLock(SECOND)).toBe(true);
  // Asked for twice and given away once, it is free.
  await mine.unlock(FIRST);
  await mine.unlock(FIRST);
  expect(mine.isHeld(FIRST)).toBe(false);
  expect(await other.tryLock(FIRST)).toBe(true);
  await Promise.all([mine.close(), other.close()]);
});

databaseTest("closing frees every lock without telling of a loss", async ({ target }) => {
  const [mine, other] = [createAccountLocks(target), createAccountLocks(target)];
  let losses = 0;
  mine.onLost(() => {
    losses += 1;
  });
  await mine.tryLock(FIRST);
  await mine.close();
  await mine.close();
  expect(mine.isHeld(FIRST)).toBe(false);
  expect(await other.tryLock(FIRST)).toBe(true);
  expect(losses).toBe(0);
  await expect(mine.tryLock(FIRST)).rejects.toThrow("closed");
  await other.close();
});

databaseTest("a lost connection tells once which locks are gone", async ({ sql, target }) => {
  const locks = createAccountLocks(target);
  const losses: (readonly AccountId[])[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = locks.onLost(() => losses.push([]));
  end();
  locks.onLost((accountIds) => {
    losses.push(accountIds);
    resolve();
  });
  await locks.tryLock(FIRST);
  await locks.tryLock(SECOND);
  await cut(sql);
  await promise;
  expect(losses).toEqual([[FIRST, SECOND]]);
  expect(locks.isHeld(FIRST)).toBe(false);
  // The next question makes a new connection.
  expect(await locks.tryLock(FIRST)).toBe(true);
  expect(losses).toHaveLength(1);
  await locks.close();
});

databaseTest(
  "a question that fails gives every lock away, and the next begins anew",
  async ({ target }) => {
    const [mine, other] = [createAccountLocks(target), createAccountLocks(target)];
    const { promise, resolve } = Promise.withResolvers<readonly AccountId[]>();
    mine.onLost(resolve);
    await mine.tryLock(FIRST);
    await expect(mine.tryLock(0.5 as AccountId)).rejects.toThrow("integer");
    expect(await promise).toEqual([FIRST]);
    expect(mine.isHeld(FIRST)).toBe(false);
    expect(await other.tryLock(FIRST)).toBe(true);
    expect(await mine.tryLock(SECOND)).toBe(true);
    await Promise.all([mine.close(), other.close()]);
  },
);

databaseTest("the lease of a worker whose connection ended is taken at once", async (database) => {
  const { sql, target } = database;
  const scope = await testScope(sql, "one");
  const account = { name: "Main", exchangeId: "woox", mode: "demo" } as const;
  const made = await createAccountRepository(sql).create(scope, account, null, START);
  if (!made.ok) throw new Error(made.detail);
  const store = createTradingRepository(sql, nextStatus);
  const workerOf = (holder: string) => {
    const locks = createAccountLocks(target);
    const deps = { store, locks, clock: createClock(), log: silentLog };
    const timing = { ttlMs: 30_000, renewEveryMs: 10_000 };
    return { locks, keeper: createLeaseKeeper(deps, scope, made.value.id, holder, timing) };
  };
  const [mine, other] = [workerOf("worker-1"), workerOf("worker-2")];
  const lost = Promise.withResolvers<string>();
  const taken = await mine.keeper.take(lost.resolve);
  if (!taken.ok) throw new Error(taken.detail);
  const running = taken.value.run(new AbortController().signal);
  expect(await other.keeper.take(() => undefined)).toMatchObject({ reason: "held" });
  const { promise, resolve } = Promise.withResolvers<void>();
  mine.locks.onLost(() => resolve());
  await cut(sql);
  await promise;
  expect(taken.value.remainingMs()).toBe(0);
  expect(await other.keeper.take(() => undefined)).toMatchObject({ ok: true });
  // The former holder finds out by its next renewal.
  expect(await lost.promise).toBe("another worker took the account");
  await running;
  await Promise.all([mine.locks.close(), other.locks.close()]);
});

databaseTest("a lock survives what ends idle connections and transactions", async (database) => {
  const { sql, target, name } = database;
  await sql`alter database ${sql(name)} set idle_in_transaction_session_timeout = 50`;
  const locks = createAccountLocks(target);
  await locks.tryLock(FIRST);
  await sql`select pg_sleep(0.2)`;
  expect(locks.isHeld(FIRST)).toBe(true);
  expect(await locks.tryLock(SECOND)).toBe(true);
  await locks.close();
});
