// The keeper of a lease on a virtual clock: what counts as time left, renewals that fail or hang, a lock that
// is lost, takeovers, and that a loss is told exactly once.
import { expect, test } from "bun:test";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import type { Scope, WorkspaceId } from "../../../src/ports/access-store.ts";
import type { TradingStore } from "../../../src/ports/trading-store.ts";
import { createLeaseKeeper, type KeptLease } from "../../../src/services/live/lease-keeper.ts";
import { virtualClock } from "../../adapters/resilience/virtual-clock.ts";
import { silentLog } from "../../support/silent-log.ts";
import { createSimulatedLocks } from "../../support/simulated-locks.ts";
import { createSimulatedStore } from "../../support/simulated-store.ts";
import { START } from "../../support/trading.ts";

const scope: Scope = { workspaceId: 1 as WorkspaceId, userId: null, role: "owner" };
const TIMING = { ttlMs: 30_000, renewEveryMs: 10_000 };

/** Two processes and an account. */
function world() {
  const clock = virtualClock(START);
  const simulated = createSimulatedStore(nextStatus, clock.now);
  const accountId = simulated.addAccount(scope);
  const processOf = createSimulatedLocks();
  const process = (holder: string) => {
    const wires = processOf();
    let renewals = 0;
    const trouble = { fails: false, hangs: false, delayMs: 0 };
    const renewLease: TradingStore["renewLease"] = async (...args) => {
      renewals += 1;
      if (trouble.fails) throw new Error("the database is not there");
      if (trouble.hangs) await new Promise(() => undefined);
      const endsAt = await simulated.store.renewLease(...args);
      if (trouble.delayMs > 0) await clock.sleep(trouble.delayMs);
      return endsAt;
    };
    const store = { ...simulated.store, renewLease };
    const deps = { store, locks: wires.locks, clock, log: silentLog };
    const keeper = createLeaseKeeper(deps, scope, accountId, holder, TIMING);
    const losses: string[] = [];
    const take = async () => {
      const taken = await keeper.take((sentence) => losses.push(sentence));
      if (!taken.ok) throw new Error(taken.reason);
      return taken.value;
    };
    return { take, losses, wires, trouble, renewals: () => renewals };
  };
  /** Lets time pass and everything come to rest. */
  const pass = async (durationMs: number) => {
    const endAt = clock.now() + durationMs;
    while (clock.now() < endAt) {
      await clock.runUntil(Math.min(endAt, clock.now() + 500));
      await new Promise(setImmediate);
    }
  };
  return { clock, simulated, accountId, process, pass };
}

/** Runs a lease; the second part stops it. */
function running(lease: KeptLease) {
  const stop = new AbortController();
  const ended = lease.run(stop.signal);
  return async () => {
    stop.abort();
    await ended;
  };
}

test("a lease that is run stays, and what is left falls only between renewals", async () => {
  const { process, pass } = world();
  const mine = process("worker-1");
  const lease = await mine.take();
  expect(lease.remainingMs()).toBe(30_000);
  const stop = running(lease);
  await pass(9_500);
  expect(lease.remainingMs()).toBe(20_500);
  await pass(100_000);
  expect(lease.remainingMs()).toBeGreaterThan(19_000);
  expect(mine.renewals()).toBe(10);
  expect(mine.losses).toEqual([]);
  await stop();
});

test("leases of one process are renewed at the same instants, wherever they were taken", async () => {
  const { clock, simulated, pass } = world();
  const { locks } = createSimulatedLocks()();
  const askedAt = new Map<number, number[]>();
  const renewLease: TradingStore["renewLease"] = async (...args) => {
    const { accountId } = args[1];
    askedAt.set(accountId, [...(askedAt.get(accountId) ?? []), clock.now() - START]);
    return await simulated.store.renewLease(...args);
  };
  const deps = { store: { ...simulated.store, renewLease }, locks, clock, log: silentLog };
  const stops: (() => Promise<void>)[] = [];
  const lowest: number[] = [];
  const leases: KeptLease[] = [];
  for (let n = 0; n < 5; n++) {
    const keeper = createLeaseKeeper(deps, scope, simulated.addAccount(scope), "w", TIMING);
    const taken = await keeper.take(() => undefined);
    if (!taken.ok) throw new Error(taken.reason);
    leases.push(taken.value);
    stops.push(running(taken.value));
    await clock.runUntil(clock.now() + 1_730);
  }
  for (let step = 0; step < 60; step++) {
    await pass(500);
    lowest.push(...leases.map((lease) => lease.remainingMs()));
  }
  expect([...askedAt.values()]).toEqual(leases.map(() => [10_000, 20_000, 30_000]));
  // Never later than the time between two renewals after the last proof, but for one look.
  expect(Math.min(...lowest)).toBeGreaterThanOrEqual(30_000 - 10_000 - 500);
  for (const stop of stops) await stop();
});

test("time is counted from before the question, not from the answer", async () => {
  const { clock, simulated, accountId } = world();
  const { locks } = createSimulatedLocks()();
  const late: TradingStore["takeLease"] = async (...args) => {
    await clock.sleep(4_000);
    return await simulated.store.takeLease(...args);
  };
  const store = { ...simulated.store, takeLease: late };
  const deps = { store, locks, clock, log: silentLog };
  const taking = createLeaseKeeper(deps, scope, accountId, "worker-1", TIMING).take(
    () => undefined,
  );
  await clock.runUntil(START + 4_000);
  const taken = await taking;
  expect(taken.ok && taken.value.remainingMs()).toBe(26_000);
});

test("a renewal counts from before its question as well", async () => {
  const { process, pass } = world();
  const mine = process("worker-1");
  const lease = await mine.take();
  const stop = running(lease);
  mine.trouble.delayMs = 3_000;
  await pass(12_500);
  expect(lease.remainingMs()).toBe(17_500);
  await pass(500);
  expect(lease.remainingMs()).toBe(27_000);
  await stop();
});

test("a lease given back is free at once, and nothing counts as lost", async () => {
  const { process, pass } = world();
  const [mine, other] = [process("worker-1"), process("worker-2")];
  const lease = await mine.take();
  const stop = running(lease);
  await pass(1_000);
  await expect(other.take()).rejects.toThrow("held");
  await stop();
  expect(lease.remainingMs()).toBe(0);
  expect(await lease.freshStamp()).toBeNull();
  const theirs = await other.take();
  expect(theirs.remainingMs()).toBe(30_000);
  expect(theirs.stampS()).toBeGreaterThan(lease.stampS());
  expect(mine.losses).toEqual([]);
});

test("renewals that fail go on until nothing is left, and the loss is told once", async () => {
  const { process, pass } = world();
  const mine = process("worker-1");
  const lease = await mine.take();
  const stop = running(lease);
  mine.trouble.fails = true;
  await pass(25_000);
  expect(mine.renewals()).toBeGreaterThan(10);
  expect(mine.losses).toEqual([]);
  expect(lease.remainingMs()).toBe(5_000);
  await pass(20_000);
  expect(mine.losses).toEqual(["it could not be renewed in time"]);
  expect(lease.remainingMs()).toBe(0);
  await stop();
  // It may be taken again once the database is back.
  mine.trouble.fails = false;
  expect((await mine.take()).remainingMs()).toBe(30_000);
  expect(mine.losses).toHaveLength(1);
});

test("one renewal that succeeds in time keeps the lease", async () => {
  const { process, pass } = world();
  const mine = process("worker-1");
  const lease = await mine.take();
  const stop = running(lease);
  mine.trouble.fails = true;
  await pass(25_000);
  mine.trouble.fails = false;
  await pass(2_000);
  expect(lease.remainingMs()).toBeGreaterThan(28_000);
  expect(mine.losses).toEqual([]);
  await stop();
});

test("a renewal that never answers ends the lease on time", async () => {
  const { process, pass } = world();
  const mine = process("worker-1");
  const lease = await mine.take();
  running(lease);
  mine.trouble.hangs = true;
  await pass(29_500);
  expect(lease.remainingMs()).toBe(500);
  expect(mine.losses).toEqual([]);
  await pass(1_500);
  expect(mine.losses).toEqual(["it could not be renewed in time"]);
  expect(mine.renewals()).toBe(1);
});

test("a lost lock stops everything until it is ours again and the lease proven", async () => {
  const { process, pass } = world();
  const mine = process("worker-1");
  const lease = await mine.take();
  const stop = running(lease);
  await pass(1_000);
  mine.wires.isDown = true;
  mine.wires.lose();
  expect(lease.remainingMs()).toBe(0);
  await pass(5_000);
  expect(lease.remainingMs()).toBe(0);
  expect(mine.losses).toEqual([]);
  mine.wires.isDown = false;
  await pass(1_500);
  expect(lease.remainingMs()).toBeGreaterThan(28_000);
  expect(mine.losses).toEqual([]);
  await stop();
});

test("a lock that another process took in the meantime ends the lease", async () => {
  const { process, pass } = world();
  const [mine, other] = [process("worker-1"), process("worker-2")];
  const lease = await mine.take();
  const stop = running(lease);
  await pass(1_000);
  mine.wires.lose();
  const theirs = await other.take();
  const stopOther = running(theirs);
  expect(lease.remainingMs()).toBe(0);
  await pass(1_000);
  expect(mine.losses).toEqual(["another worker took the account"]);
  await pass(60_000);
  expect(mine.losses).toHaveLength(1);
  expect(lease.remainingMs()).toBe(0);
  expect(theirs.remainingMs()).toBeGreaterThan(19_000);
  expect(other.losses).toEqual([]);
  await stop();
  await stopOther();
});

test("a lock that others keep without taking the lease ends it when its proven time is over", async () => {
  const { process, pass, accountId } = world();
  const [mine, ghost] = [process("worker-1"), process("worker-2")];
  const lease = await mine.take();
  const stop = running(lease);
  await pass(1_000);
  mine.wires.lose();
  await ghost.wires.locks.tryLock(accountId);
  await pass(28_500);
  expect(lease.remainingMs()).toBe(0);
  expect(mine.losses).toEqual([]);
  await pass(1_500);
  expect(mine.losses).toEqual(["it could not be renewed in time"]);
  await stop();
  // The row is still ours: it may be taken again without the lock.
  expect((await mine.take()).remainingMs()).toBe(30_000);
});

test("the lease of a process that is gone is taken at once, and that of a deaf one when it ends", async () => {
  const { process, pass } = world();
  const [gone, deaf, third] = [process("worker-1"), process("worker-2"), process("worker-3")];
  await gone.take();
  await gone.wires.locks.close();
  const lease = await deaf.take();
  // It keeps its lock and renews nothing, like a process that was stopped.
  await pass(29_000);
  await expect(third.take()).rejects.toThrow("held");
  await pass(1_500);
  expect(lease.remainingMs()).toBeLessThanOrEqual(0);
  const taken = await third.take();
  expect(taken.remainingMs()).toBe(30_000);
  // The lock comes to it with a later renewal.
  const stop = running(taken);
  await deaf.wires.locks.close();
  await pass(11_000);
  const accountId = taken.guard.accountId;
  expect(third.wires.locks.isHeld(accountId)).toBe(true);
  await stop();
  expect(third.wires.locks.isHeld(accountId)).toBe(false);
});

test("a fresh stamp rises, and one that is refused means that the lease is lost", async () => {
  const { process } = world();
  const [mine, other] = [process("worker-1"), process("worker-2")];
  const lease = await mine.take();
  const first = lease.stampS();
  expect(await lease.freshStamp()).toBeGreaterThan(first);
  expect(lease.stampS()).toBeGreaterThan(first);
  mine.wires.lose();
  await other.take();
  expect(await Promise.all([lease.freshStamp(), lease.freshStamp()])).toEqual([null, null]);
  expect(await lease.freshStamp()).toBeNull();
  expect(mine.losses).toEqual(["another worker took the account"]);
  expect(lease.remainingMs()).toBe(0);
});

test("a lease that is refused leaves the lock free", async () => {
  const { clock, simulated } = world();
  const processOf = createSimulatedLocks();
  const { locks } = processOf();
  const nowhere = simulated.addAccount({ ...scope, workspaceId: 2 as WorkspaceId });
  const deps = { store: simulated.store, locks, clock, log: silentLog };
  const keeper = createLeaseKeeper(deps, scope, nowhere, "worker-1", TIMING);
  expect(await keeper.take(() => undefined)).toMatchObject({ reason: "unknown_account" });
  expect(locks.isHeld(nowhere)).toBe(false);
  simulated.failNext("before_commit");
  await expect(keeper.take(() => undefined)).rejects.toThrow("failed");
  expect(locks.isHeld(nowhere)).toBe(false);
});
