// The contract of bot stores on the simulated store and on both real servers.
import { test } from "bun:test";
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createBotRepository } from "../../src/adapters/postgres/bot-repository.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import type { Scope, WorkspaceId } from "../../src/ports/access-store.ts";
import type { BotTest } from "../support/bots.ts";
import { databaseTest } from "../support/database-test.ts";
import { createSimulatedBots } from "../support/simulated-bots.ts";
import { createSimulatedStore } from "../support/simulated-store.ts";
import { testScope } from "../support/test-database.ts";
import { START } from "../support/trading.ts";
import { botsContract } from "./bots.contract.ts";

const inMemory: BotTest = (name, body) => {
  test(`${name} (simulated store)`, async () => {
    const simulated = createSimulatedStore(nextStatus, () => START);
    const scopeOf = (id: number): Scope => ({
      ...{ workspaceId: id as WorkspaceId, userId: null, role: "owner" },
    });
    const scope = scopeOf(1);
    const newAccount = async () => simulated.addAccount(scope);
    const bots = createSimulatedBots(simulated);
    await body({ store: simulated.store, bots, scope, stranger: scopeOf(2), newAccount });
  });
};

const inDatabase: BotTest = (name, body) => {
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
    await body({ store, bots: createBotRepository(sql), scope, stranger, newAccount });
  });
};

botsContract(inMemory);
botsContract(inDatabase);
