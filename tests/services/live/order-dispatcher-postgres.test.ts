// The one door on real servers: the same batch, commit, doubt and cancel as on the simulated store.
import { afterEach, expect } from "bun:test";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import type { Sql } from "../../../src/adapters/postgres/connect.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import { databaseTest } from "../../support/database-test.ts";
import { testScope } from "../../support/test-database.ts";
import { START, stopLabs } from "../../venue/lab.ts";
import { openWorld, SYMBOL } from "./dispatch-world.ts";

afterEach(stopLabs);

async function onPostgres(sql: Sql) {
  const scope = await testScope(sql, "one");
  const account = { name: "Main", exchangeId: "woox", mode: "demo" } as const;
  const made = await createAccountRepository(sql).create(scope, account, null, START);
  if (!made.ok) throw new Error(made.detail);
  const store = createTradingRepository(sql, nextStatus);
  return openWorld({ store: { store, scope, id: made.value.id } });
}

databaseTest("orders are written, sent, replaced, doubted and settled", async ({ sql }) => {
  const world = await onPostgres(sql);
  const { order, done } = world;
  const first = await done({
    place: [order()],
    park: [order({ key: "dca:1", purpose: "rung", priceTicks: 190 })],
  });
  const [entry, parked] = first.dispatched;
  if (!entry?.intent || !parked?.intent) throw new Error("nothing was written");
  await world.lab.fault("accept_then_drop_market", { times: 1 });
  const exit = order({ key: "exit", purpose: "exit", kind: "market", priceTicks: 0, qtyLots: 1 });
  const second = await done({ cancel: [entry.intent, parked.intent], place: [exit] });
  expect(second.cancelled.map(({ outcome }) => outcome)).toEqual(["gone", "gone"]);
  expect(second.dispatched).toMatchObject([{ targetKey: "exit", outcome: "unverified" }]);
  expect(world.resolver.isInDoubt(SYMBOL)).toBe(true);
  await world.settle();
  const rows = await world.rows();
  expect(rows.map(({ targetKey, status }) => `${targetKey} ${status}`).sort()).toEqual([
    "dca:1 cancelled",
    "entry cancelled",
    "exit filled",
  ]);
  const { scope, accountId } = world.live.account;
  const fills = await world.live.store.fills(scope, accountId, SYMBOL);
  expect(fills).toMatchObject([{ owner: "bot:1", qty: "0.01" }]);
});

databaseTest("a commit under an old epoch sends nothing", async ({ sql }) => {
  const world = await onPostgres(sql);
  world.hands.epoch += 1;
  const report = await world.dispatch({ place: [world.order()] });
  expect(report).toMatchObject({ ok: false, reason: "epoch_moved" });
  expect(world.lab.account.orders.size).toBe(0);
});
