// The write-ahead commit on real servers: how often it waits for the database, because every order waits for
// it, and what it does first.
import { expect } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { createBotRepository } from "../../../src/adapters/postgres/bot-repository.ts";
import { connect, type Sql } from "../../../src/adapters/postgres/connect.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import { anEvent, leasedBot } from "../../support/bots.ts";
import { countedWire } from "../../support/counted-wire.ts";
import { databaseTest } from "../../support/database-test.ts";
import { committed } from "../../support/store-world.ts";
import { testScope } from "../../support/test-database.ts";
import { anIntent, idOf, START } from "../../support/trading.ts";

const TRIPS_MAX = 3;
/** Statements are prepared at their first use on a connection, which is another exchange each. */
const ROUNDS = 3;
const LOOKS_MAX = 200;

/** @param through the connections the trading store uses */
async function worldOf(sql: Sql, through: Sql) {
  const scope = await testScope(sql, "mine");
  const account = { name: "Account", exchangeId: "woox", mode: "demo" } as const;
  const newAccount = async () => {
    const made = await createAccountRepository(sql).create(scope, account, null, START);
    if (!made.ok) throw new Error(made.detail);
    return made.value.id;
  };
  const store = createTradingRepository(through, nextStatus);
  return { store, bots: createBotRepository(sql), scope, stranger: scope, newAccount };
}

databaseTest("a full commit is three exchanges with the database", async ({ sql, target }) => {
  const wire = await countedWire(target);
  const far = connect(wire.target, { max: 1 });
  try {
    const world = await worldOf(sql, far);
    const { store, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const epoch = await store.epoch(scope);
    const spent: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const waiting = [1, 2].map(() => anIntent({ status: "parked" }));
      const [first, second] = await committed(world, lease, ...waiting);
      const batch = {
        place: [0, 1].map((n) => anIntent({ clientOrderId: idOf(lease, round * 10 + n) })),
        send: [{ id: first!.id, clientOrderId: idOf(lease, round * 10 + 2) }],
        withdraw: [second!.id],
        step: { botId: bot.id, seenVersion: round, state: { round }, events: [anEvent()] },
      };
      const before = wire.trips();
      const made = await store.commitIntents(scope, lease, epoch, batch, START);
      spent.push(wire.trips() - before);
      expect(made).toMatchObject({ ok: true, value: { length: 3 } });
    }
    expect(spent.at(-1)).toBeLessThanOrEqual(TRIPS_MAX);
    // The wire does count: statements one after the other are exchanges of their own.
    const before = wire.trips();
    await far`select 1`;
    await far`select 1`;
    await Promise.all([far`select 1`, far`select 1`]);
    expect(wire.trips() - before).toBe(3);
  } finally {
    await far.end({ timeout: 1 });
    wire.stop();
  }
});

databaseTest("a commit looks at what waits once it holds the lease", async ({ sql }) => {
  const world = await worldOf(sql, sql);
  const { store, scope } = world;
  const { lease } = await leasedBot(world);
  const { accountId } = lease;
  const [parked] = await committed(world, lease, anIntent({ status: "parked" }));
  const epoch = await store.epoch(scope);
  const send = [{ id: parked!.id, clientOrderId: idOf(lease, 0) }];
  let answer: Promise<unknown> = Promise.resolve();
  await sql.begin(async (blocker) => {
    await blocker`select 1 from account_leases where account_id = ${accountId} for update`;
    answer = store.commitIntents(scope, lease, epoch, { place: [], send }, START);
    await untilOneWaits(sql);
    await blocker`update order_intents set status = 'cancelled' where id = ${parked!.id}`;
  });
  expect(await answer).toMatchObject({ ok: false, reason: "not_waiting" });
  expect(await store.findIntent(scope, accountId, idOf(lease, 0))).toBeNull();
});

databaseTest(
  "a commit that is late for its lease is told so before anything else",
  async ({ sql }) => {
    const world = await worldOf(sql, sql);
    const { store, scope } = world;
    const { bot, lease } = await leasedBot(world);
    const [used] = await committed(world, lease, anIntent({ clientOrderId: idOf(lease, 0) }));
    await store.releaseLease(scope, lease);
    const batch = {
      place: [anIntent({ clientOrderId: idOf(lease, 0) })],
      send: [],
      withdraw: [used!.id],
      step: { botId: bot.id, seenVersion: 7, state: {}, events: [anEvent()] },
    };
    expect(await store.commitIntents(scope, lease, 99, batch, START)).toMatchObject({
      reason: "lease_lost",
    });
    expect(await store.aliveIntents(scope, lease.accountId)).toEqual([used!]);
  },
);

async function untilOneWaits(sql: Sql): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    const rows = await sql`
      select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    if (rows.length > 0) return;
    await sleep(10);
  }
  throw new Error("nothing waits for a lock");
}
