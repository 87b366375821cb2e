// The contract of trading stores on the simulated store and on both real servers.
import { test } from "bun:test";
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import type { Scope, WorkspaceId } from "../../src/ports/access-store.ts";
import { databaseTest } from "../support/database-test.ts";
import { createSimulatedStore } from "../support/simulated-store.ts";
import { testScope } from "../support/test-database.ts";
import { START } from "../support/trading.ts";
import type { StoreTest } from "../support/store-world.ts";
import { tradingBookingContract } from "./trading-booking.contract.ts";
import { tradingOrdersContract } from "./trading-orders.contract.ts";

/** For each of four seeds: 10,000 and 160 together. */
const SHUFFLES_IN_MEMORY = 2500;
const SHUFFLES_IN_DATABASE = 40;
const TIMEOUT_MS = 240_000;

const inMemory: StoreTest = (name, body) => {
  const run = async () => {
    const { store, addAccount } = createSimulatedStore(nextStatus, () => START);
    const scopeOf = (id: number): Scope => ({
      ...{ workspaceId: id as WorkspaceId, userId: null, role: "owner" },
    });
    const scope = scopeOf(1);
    const newAccount = async () => addAccount(scope);
    await body({ store, scope, stranger: scopeOf(2), newAccount });
  };
  test(`${name} (simulated store)`, run, TIMEOUT_MS);
};

const inDatabase: StoreTest = (name, body) => {
  databaseTest(name, async ({ sql }) => {
    const store = createTradingRepository(sql, nextStatus);
    const accounts = createAccountRepository(sql);
    const [scope, stranger] = [await testScope(sql, "mine"), await testScope(sql, "theirs")];
    let count = 0;
    const newAccount = async () => {
      count += 1;
      const account = { name: `Account ${count}`, exchangeId: "woox", mode: "paper" } as const;
      const made = await accounts.create(scope, account, null, START);
      if (!made.ok) throw new Error(made.detail);
      return made.value.id;
    };
    await body({ store, scope, stranger, newAccount });
  });
};

tradingOrdersContract(inMemory);
tradingOrdersContract(inDatabase);
tradingBookingContract(inMemory, SHUFFLES_IN_MEMORY);
tradingBookingContract(inDatabase, SHUFFLES_IN_DATABASE);
