// The ledger of one owner on real servers: pages join without a hole, running sums end at the totals, and nothing
// of another owner or workspace is among them.
import { expect } from "bun:test";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { createBotLedger } from "../../../src/adapters/postgres/bot-ledger.ts";
import type { Sql } from "../../../src/adapters/postgres/connect.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import { add, type Decimal, decimal } from "../../../src/model/decimal.ts";
import type { LedgerKind } from "../../../src/model/ledger.ts";
import type { Owner } from "../../../src/model/trade-record.ts";
import type { LedgerPlace, LedgerQuery, LedgerRow } from "../../../src/ports/bot-ledger-store.ts";
import { databaseTest } from "../../support/database-test.ts";
import { leased } from "../../support/store-world.ts";
import { testScope } from "../../support/test-database.ts";
import { aHistory, BTC, ETH, live, START } from "../../support/trading.ts";

const ORDERS = 40;
const PAGE = 7;
const OWNERS: readonly Owner[] = ["bot:1", "bot:2", "foreign"];
const KINDS: readonly (readonly LedgerKind[] | null)[] = [null, ["realised"], ["fee", "funding"]];

/** An account with a generated past. */
async function worldOf(sql: Sql, seed: number) {
  const [scope, stranger] = [await testScope(sql, "mine"), await testScope(sql, "theirs")];
  const store = createTradingRepository(sql, nextStatus);
  const newAccount = async () => {
    const account = { name: "Main", exchangeId: "woox", mode: "paper" } as const;
    const made = await createAccountRepository(sql).create(scope, account, null, START);
    if (!made.ok) throw new Error(made.detail);
    return made.value.id;
  };
  const lease = await leased({ store, scope, stranger, newAccount });
  const { orders, arrivals } = aHistory(seed, ORDERS);
  await live(store, scope, lease, orders, arrivals);
  return { store, scope, stranger, accountId: lease.accountId, ledger: createBotLedger(sql) };
}

type World = Awaited<ReturnType<typeof worldOf>>;

async function everyPage(
  { ledger, scope, accountId }: World,
  query: Pick<LedgerQuery, "owner" | "kinds">,
): Promise<LedgerRow[]> {
  const all: LedgerRow[] = [];
  let before: LedgerPlace | null = null;
  for (;;) {
    const page: readonly LedgerRow[] = await ledger.rows(scope, {
      ...{ ...query, accountId, before, limit: PAGE },
    });
    all.push(...page);
    const last = page.at(-1);
    if (page.length < PAGE || !last) return all;
    before = { at: last.at, id: last.id };
  }
}

databaseTest(
  "pages join, and running sums are exact from the first row to the last",
  async ({ sql }) => {
    const world = await worldOf(sql, 11);
    const { ledger, scope, accountId } = world;
    let rows = 0;
    for (const owner of OWNERS) {
      for (const kinds of KINDS) {
        const paged = await everyPage(world, { owner, kinds });
        const whole = await ledger.rows(scope, {
          accountId,
          owner,
          kinds,
          before: null,
          limit: 500,
        });
        expect(paged).toEqual([...whole]);
        let sum: Decimal = decimal("0");
        for (const row of paged.toReversed()) {
          expect(row.owner).toBe(owner);
          expect(kinds?.includes(row.kind) ?? true).toBe(true);
          sum = add(sum, row.settleAmount ?? decimal("0"));
          expect(row.running).toBe(sum);
        }
        rows += paged.length;
      }
    }
    expect(rows).toBeGreaterThan(100);
  },
);

databaseTest("the newest running sum is the total of the store", async ({ sql }) => {
  const world = await worldOf(sql, 12);
  const { store, scope, accountId } = world;
  for (const owner of OWNERS) {
    const { realised, net } = await store.totals(scope, accountId, { sinceAt: 0, owner });
    const [all] = await everyPage(world, { owner, kinds: null });
    const [gains] = await everyPage(world, { owner, kinds: ["realised"] });
    expect({ owner, net: all?.running, realised: gains?.running }).toEqual({
      owner,
      net,
      realised,
    });
  }
});

databaseTest("another workspace reads nothing, and a page has its limits", async ({ sql }) => {
  const { ledger, scope, stranger, accountId } = await worldOf(sql, 13);
  const query = { accountId, owner: "bot:1", kinds: null, before: null, limit: 10 } as const;
  expect(await ledger.rows(stranger, query)).toEqual([]);
  expect(await ledger.contractSize(stranger, accountId, BTC)).toBeNull();
  for (const limit of [0, 501, 1.5]) {
    await expect(ledger.rows(scope, { ...query, limit })).rejects.toThrow("limit");
  }
  expect(await ledger.contractSize(scope, accountId, BTC)).toBe(decimal("1"));
  expect(await ledger.contractSize(scope, accountId, ETH)).toBe(decimal("0.01"));
  expect(await ledger.contractSize(scope, accountId, "NONE/USDT:USDT")).toBeNull();
});
