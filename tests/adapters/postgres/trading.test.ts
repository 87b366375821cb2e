// Trading rows on real servers beyond the contract: derived rows that were tampered with, what marks wrote,
// the mode on every row, and amounts of any size to the last unit.
import { expect } from "bun:test";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import type { Sql } from "../../../src/adapters/postgres/connect.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import { decimal } from "../../../src/model/decimal.ts";
import { databaseTest } from "../../support/database-test.ts";
import { TTL_MS } from "../../support/store-world.ts";
import { testScope } from "../../support/test-database.ts";
import { aFill, aHistory, BTC, hashes, live, START } from "../../support/trading.ts";

async function world(sql: Sql) {
  const store = createTradingRepository(sql, nextStatus);
  const scope = await testScope(sql, "one");
  const account = { name: "Main", exchangeId: "woox", mode: "demo" } as const;
  const made = await createAccountRepository(sql).create(scope, account, null, START);
  if (!made.ok) throw new Error(made.detail);
  const lease = await store.takeLease(scope, made.value.id, "worker-1", TTL_MS, false);
  if (!lease.ok) throw new Error(lease.detail);
  return { store, scope, lease: lease.value };
}

databaseTest("rows that were tampered with are named and put right", async ({ sql }) => {
  const { store, scope, lease } = await world(sql);
  const { orders, arrivals } = aHistory(5, 10);
  await live(store, scope, lease, orders, arrivals);
  const expected = await hashes(store, scope, lease, orders.length);
  await sql`update positions set qty = qty + 1, cost = cost + 1 where holder = 'account' and qty > 0`;
  await sql`delete from trade_cycles where id = (select min(id) from trade_cycles)`;
  await sql`
    update ledger_entries set amount = amount - 1
    where id = (select max(id) from ledger_entries where kind = 'fee')`;
  await sql`
    insert into ledger_entries (workspace_id, account_id, mode, kind, ref, owner, symbol, leg, at,
      amount, asset, settle_amount, is_estimated)
    select workspace_id, account_id, mode, 'realised', 'invented', owner, symbol, leg, at, 1, asset,
      1, false
    from ledger_entries where kind = 'fee' order by id limit 1`;
  await sql`update order_intents set filled_qty = 0 where filled_qty > 0`;
  await sql`update fills set is_quiet_after = true`;
  const rebuilt = await store.rebuild(scope, lease);
  if (!rebuilt.ok) throw new Error(rebuilt.detail);
  const said = rebuilt.value.differences.join("\n");
  expect(said).toMatch(/^position .+ account was different$/m);
  expect(said).toMatch(/^cycle .+ was missing$/m);
  expect(said).toMatch(/^fee .+ was different$/m);
  expect(said).toMatch(/^realised invented followed from nothing$/m);
  expect(said).toMatch(/^filled quantity of intent \d+ was different$/m);
  expect(await hashes(store, scope, lease, orders.length)).toEqual(expected);
  expect(await store.rebuild(scope, lease)).toMatchObject({ value: { differences: [] } });
});

databaseTest("what marks wrote about a cycle stays when it is derived again", async ({ sql }) => {
  const { store, scope, lease } = await world(sql);
  await store.recordFill(scope, lease, aFill({ tradeId: "2", at: START + 2000 }));
  await sql`update trade_cycles set worst_ratio = -0.02, best_ratio = 0.01`;
  await store.recordFill(scope, lease, aFill({ tradeId: "3", at: START + 3000 }));
  const cycles = () => store.cycles(scope, lease.accountId, 10);
  expect(await cycles()).toMatchObject([{ fills: 2, worstRatio: -0.02, bestRatio: 0.01 }]);
  await store.rebuild(scope, lease);
  expect(await cycles()).toMatchObject([{ fills: 2, worstRatio: -0.02, bestRatio: 0.01 }]);
  // A fill before all others opens the cycle: it is another one.
  await store.recordFill(scope, lease, aFill({ tradeId: "1", at: START + 1000 }));
  expect(await cycles()).toMatchObject([{ fills: 3, openedAt: START + 1000, worstRatio: null }]);
});

databaseTest("every trading row carries the mode of its account", async ({ sql }) => {
  const { store, scope, lease } = await world(sql);
  const { orders, arrivals } = aHistory(9, 10);
  await live(store, scope, lease, orders, arrivals);
  const rows = await sql<{ mode: string; source: string }[]>`
    select distinct mode, source from (
      select mode, 'order_intents' as source from order_intents
      union all select mode, 'fills' from fills
      union all select mode, 'funding_payments' from funding_payments
      union all select mode, 'ledger_entries' from ledger_entries
      union all select mode, 'positions' from positions
      union all select mode, 'trade_cycles' from trade_cycles) all_rows
    order by source`;
  expect(rows.map(({ mode }) => mode)).toEqual(Array(6).fill("demo"));
});

databaseTest("amounts of twenty-four places come back as they went in", async ({ sql }) => {
  const { store, scope, lease } = await world(sql);
  const price = decimal("0.000000000000000000000123");
  const qty = decimal("123456789012345678901234.5");
  await store.recordFill(scope, lease, aFill({ price, qty, fee: null }));
  expect(await store.fills(scope, lease.accountId, BTC)).toMatchObject([{ price, qty }]);
  const [whole] = await store.holdings(scope, lease.accountId);
  expect(whole?.position).toMatchObject({ qty, cost: "15.1851850485185185048518435" });
});

databaseTest("a failing derivation leaves the fact unwritten", async ({ sql }) => {
  const { store, scope, lease } = await world(sql);
  await sql`alter table positions add constraint broken check (qty < 1.5)`;
  await store.recordFill(scope, lease, aFill());
  const second = aFill({ tradeId: "2", at: START + 2000 });
  await expect(store.recordFill(scope, lease, second)).rejects.toThrow("broken");
  expect(await store.fills(scope, lease.accountId, BTC)).toHaveLength(1);
  expect(await store.ledger(scope, lease.accountId, 10)).toHaveLength(1);
  await sql`alter table positions drop constraint broken`;
  expect(await store.recordFill(scope, lease, second)).toEqual({ ok: true, value: "booked" });
});
