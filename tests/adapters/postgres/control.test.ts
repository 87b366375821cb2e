// Trading states on real servers beyond the contract: a kill and the cells of another process, commits in
// progress, the audit entry of the same transaction, and listening again after a lost connection.
import { expect } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { createAuditRepository } from "../../../src/adapters/postgres/audit-repository.ts";
import { createBus } from "../../../src/adapters/postgres/bus.ts";
import { connect, type ConnectTarget, type Sql } from "../../../src/adapters/postgres/connect.ts";
import { createControlRepository } from "../../../src/adapters/postgres/control-repository.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { AccountId } from "../../../src/ports/account-store.ts";
import type { Bus } from "../../../src/ports/bus.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { StateChange } from "../../../src/ports/control-store.ts";
import { createControl } from "../../../src/services/live/control.ts";
import { databaseTest } from "../../support/database-test.ts";
import { silentLog } from "../../support/silent-log.ts";
import { leased } from "../../support/store-world.ts";
import { type TestDatabase, testScope } from "../../support/test-database.ts";
import { anIntent, idOf, START } from "../../support/trading.ts";

const HALT: StateChange = {
  scope: { kind: "global" },
  state: "halted",
  reason: "stopped by hand",
  actor: "ann@example.org",
};

/** R8: no write to an exchange later than this after a kill. */
const KILL_LIMIT_MS = 1000;

/** A clock on which nobody who sleeps is woken, so that only messages bring news. */
function sleeplessClock(): Clock {
  const clock = createClock();
  const forever = 2 ** 31 - 1;
  return { ...clock, sleep: (_, signal) => clock.sleep(forever, signal) };
}

/** A bus on which nothing is ever heard. */
const deaf: Bus = {
  notify: async () => undefined,
  listen: async () => ({ stop: async () => undefined }),
};

async function newAccount(sql: Sql, scope: Scope): Promise<AccountId> {
  const account = { name: "Main", exchangeId: "woox", mode: "demo" } as const;
  const made = await createAccountRepository(sql).create(scope, account, null, START);
  if (!made.ok) throw new Error(made.detail);
  return made.value.id;
}

/** The cells of another process: connections of its own, and nothing shared but the database. */
async function otherProcess(target: ConnectTarget, busOf: (sql: Sql) => Bus, clock: Clock) {
  const sql = connect(target, { max: 2 });
  const store = createControlRepository(sql);
  const deps = { store, bus: busOf(sql), clock, log: silentLog };
  const control = createControl(deps);
  const stop = new AbortController();
  const ended = control.start(stop.signal);
  const end = async () => {
    stop.abort();
    await ended;
    await sql.end({ timeout: 1 });
  };
  return { control, end };
}

/** How long a kill takes to the cells of another process. */
async function killDelayMs(
  { sql, target }: TestDatabase,
  busOf: (sql: Sql) => Bus,
  clock: Clock,
): Promise<number> {
  const scope = await testScope(sql, "one");
  const account = { scope, accountId: 1 as AccountId, mode: "demo" } as const;
  const { control, end } = await otherProcess(target, busOf, clock);
  await until(async () => control.acknowledgedEpoch(scope) === 1);
  expect(control.cell(account, null)).toMatchObject({ epoch: 1, state: "active" });
  const beganMs = performance.now();
  const heard = Promise.withResolvers<number>();
  control.onChange((id) => {
    if (id === scope.workspaceId) heard.resolve(performance.now() - beganMs);
  });
  await createControlRepository(sql).setStates(scope, [HALT], START);
  const delayMs = await heard.promise;
  expect(control.cell(account, null)).toEqual({
    ...{ epoch: 2, state: "halted", reason: "stopped by hand", since: START },
  });
  await end();
  return delayMs;
}

databaseTest("a kill reaches the cells of another process by its message", async (database) => {
  const delayMs = await killDelayMs(database, createBus, sleeplessClock());
  expect(delayMs).toBeLessThan(KILL_LIMIT_MS);
});

databaseTest("a kill whose message is lost reaches them by the poll", async (database) => {
  const delayMs = await killDelayMs(database, () => deaf, createClock());
  expect(delayMs).toBeLessThan(KILL_LIMIT_MS);
});

databaseTest("a kill waits for a commit that saw the epoch before it", async ({ sql }) => {
  const [store, control] = [createTradingRepository(sql, nextStatus), createControlRepository(sql)];
  const scope = await testScope(sql, "one");
  const lease = await leased({
    store,
    scope,
    stranger: scope,
    newAccount: () => newAccount(sql, scope),
  });
  const seen = await store.epoch(scope);
  const waiting: Promise<unknown>[] = [];
  const alive = () => store.aliveIntents(scope, lease.accountId);
  await sql.begin(async (blocker) => {
    // The commit has seen the epoch and stands before its insert.
    await blocker`lock table order_intents in share mode`;
    const batch = { place: [anIntent({ clientOrderId: idOf(lease, 0) })], send: [] };
    waiting.push(store.commitIntents(scope, lease, seen, batch, START));
    await untilBlocked(sql, 1);
    waiting.push(control.setStates(scope, [HALT], START).then(alive));
    await untilBlocked(sql, 2);
  });
  const [commit, seenByKill] = await Promise.all(waiting);
  expect(commit).toMatchObject({ ok: true });
  expect(seenByKill).toHaveLength(1);
  const late = { place: [anIntent({ clientOrderId: idOf(lease, 1) })], send: [] };
  const refused = await store.commitIntents(scope, lease, seen, late, START);
  expect(refused).toMatchObject({ ok: false, reason: "epoch_moved" });
});

databaseTest("an operator's closing order is kept under its own purpose", async ({ sql }) => {
  const store = createTradingRepository(sql, nextStatus);
  const scope = await testScope(sql, "one");
  const lease = await leased({
    store,
    scope,
    stranger: scope,
    newAccount: () => newAccount(sql, scope),
  });
  const flatten = anIntent({ purpose: "flatten", clientOrderId: idOf(lease, 0) });
  const batch = { place: [flatten], send: [] };
  const made = await store.commitIntents(scope, lease, 1, batch, START);
  expect(made).toMatchObject({ ok: false, reason: "epoch_moved" });
  const epoch = await store.epoch(scope);
  const again = await store.commitIntents(scope, lease, epoch, batch, START);
  expect(again).toMatchObject({ ok: true, value: [{ purpose: "flatten" }] });
});

databaseTest(
  "a change is written down in the audit log, or it does not happen",
  async ({ sql }) => {
    const [control, audit] = [createControlRepository(sql), createAuditRepository(sql)];
    const scope = await testScope(sql, "one");
    const accountId = await newAccount(sql, scope);
    const limit = { ...HALT, scope: { kind: "account", accountId }, reason: "a limit" } as const;
    await control.setStates(scope, [HALT, limit], START);
    await control.setStates(scope, [{ ...HALT, state: "active", reason: "resumed" }], START + 1);
    const entries = await audit.list(scope, { limit: 10 });
    const common = {
      actorId: scope.userId,
      actor: "ann@example.org",
      action: "trading_state_changed",
    };
    const halted = { state: "halted", reason: "stopped by hand" };
    const after = { state: "active", reason: "resumed" };
    expect(entries).toMatchObject([
      { ...common, object: "trading_state:global", before: halted, after, at: START + 1 },
      { ...common, object: `trading_state:account:${accountId}`, before: null },
      { ...common, object: "trading_state:global", before: null, after: halted, at: START },
    ]);
    expect(await audit.verify(scope)).toEqual({ intact: true, entries: 3 });

    const before = await control.read(scope);
    await sql`alter table audit_log add constraint broken check (action <> 'trading_state_changed') not valid`;
    await expect(control.setStates(scope, [HALT], START)).rejects.toThrow("broken");
    expect(await control.read(scope)).toEqual(before);
  },
);

databaseTest("the account of another workspace has no state here", async ({ sql }) => {
  const control = createControlRepository(sql);
  const [mine, theirs] = [await testScope(sql, "mine"), await testScope(sql, "theirs")];
  const accountId = await newAccount(sql, theirs);
  const before = await control.read(mine);
  const change = { ...HALT, scope: { kind: "account", accountId } } as const;
  await expect(control.setStates(mine, [change], START)).rejects.toThrow("trading_states_account");
  expect(await control.read(mine)).toEqual(before);
  expect((await control.setStates(theirs, [change], START)).states).toHaveLength(2);
});

databaseTest(
  "a listener hears null after every connection and nothing after it stopped",
  async (database) => {
    const { sql, target } = database;
    const own = connect(target, { max: 1 });
    const bus = createBus(own);
    const heard: (string | null)[] = [];
    const { stop } = await bus.listen("bots", (payload) => heard.push(payload));
    const heardByOther: (string | null)[] = [];
    const other = await bus.listen("bots", (payload) => heardByOther.push(payload));
    const sayer = createBus(sql);
    await sayer.notify("bots", "1");
    await sayer.notify("control", "of another topic");
    await until(async () => heard.length === 2);
    await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where query ilike 'listen%' and datname = current_database()`;
    await until(async () => heard.length === 3);
    await sayer.notify("bots", "x".repeat(300));
    await until(async () => heard.length === 4);
    expect(heard).toEqual([null, "1", null, "x".repeat(200)]);
    await stop();
    await stop();
    await sayer.notify("bots", "too late");
    await until(async () => heardByOther.includes("too late"));
    await other.stop();
    expect(heard).toHaveLength(4);
    await own.end({ timeout: 1 });
  },
);

const LOOKS_MAX = 1000;

/** Looks until it is true. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    if (await isTrue()) return;
    await sleep(10);
  }
  throw new Error("it never became true");
}

/** Waits until so many statements wait for a lock. */
async function untilBlocked(sql: Sql, count: number): Promise<void> {
  await until(async () => {
    const rows = await sql`
      select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    return rows.length >= count;
  });
}
