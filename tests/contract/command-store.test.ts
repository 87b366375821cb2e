// The contract of command stores on the simulated store and on both real servers, and what only one of
// them can show: the audit log here, a commit whose answer is lost there.
import { expect, test } from "bun:test";
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createAuditRepository } from "../../src/adapters/postgres/audit-repository.ts";
import { createBotRepository } from "../../src/adapters/postgres/bot-repository.ts";
import { createBus } from "../../src/adapters/postgres/bus.ts";
import { createCommandRepository } from "../../src/adapters/postgres/command-repository.ts";
import type { Sql } from "../../src/adapters/postgres/connect.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import type { Scope, WorkspaceId } from "../../src/ports/access-store.ts";
import { virtualClock } from "../adapters/resilience/virtual-clock.ts";
import { leasedBot } from "../support/bots.ts";
import { databaseTest } from "../support/database-test.ts";
import { createSimulatedBots } from "../support/simulated-bots.ts";
import { createSimulatedCommands } from "../support/simulated-commands.ts";
import { createSimulatedBus } from "../support/simulated-control.ts";
import { createSimulatedStore } from "../support/simulated-store.ts";
import { testScope } from "../support/test-database.ts";
import { START } from "../support/trading.ts";
import { commandsContract, type CommandTest, type CommandWorld } from "./commands.contract.ts";

const scopeOf = (id: number): Scope => ({
  ...{ workspaceId: id as WorkspaceId, userId: null, role: "owner" },
});

function simulation() {
  const simulated = createSimulatedStore(nextStatus, () => START);
  const { bus } = createSimulatedBus(virtualClock(START));
  const [scope, stranger] = [scopeOf(1), scopeOf(2)];
  const world: CommandWorld = {
    ...{ scope, stranger, bus, store: simulated.store },
    bots: createSimulatedBots(simulated),
    commands: createSimulatedCommands(simulated, bus),
    newAccount: async () => simulated.addAccount(scope),
  };
  return { simulated, world };
}

async function databaseWorld(sql: Sql): Promise<CommandWorld> {
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
  return {
    ...{ scope, stranger, newAccount, bus: createBus(sql) },
    store: createTradingRepository(sql, nextStatus),
    bots: createBotRepository(sql),
    commands: createCommandRepository(sql),
  };
}

const inMemory: CommandTest = (name, body) => {
  test(`${name} (simulated store)`, async () => body(simulation().world));
};

const inDatabase: CommandTest = (name, body) => {
  databaseTest(name, async ({ sql }) => body(await databaseWorld(sql)));
};

commandsContract(inMemory);
commandsContract(inDatabase);

const SKIP = { command: { kind: "skip_rung" }, actor: "trader@example.org" } as const;

databaseTest("what was asked is in the audit log, what was refused is not", async ({ sql }) => {
  const world = await databaseWorld(sql);
  const { commands, scope, stranger } = world;
  const { bot, lease } = await leasedBot(world);
  const { accountId } = lease;
  const asked = { ...SKIP, accountId, botId: bot.id };
  await commands.ask(stranger, asked, START);
  const first = await commands.ask(scope, asked, START);
  const second = await commands.ask(scope, { ...asked, botId: null }, START);
  if (!first.ok || !second.ok) throw new Error("both are taken");
  const audit = createAuditRepository(sql);
  const entries = await audit.list(scope, { limit: 10 });
  const common = { action: "command_asked", actor: SKIP.actor, actorId: scope.userId };
  expect(entries.filter(({ action }) => action === "command_asked")).toMatchObject([
    { ...common, object: `account:${accountId}`, after: { id: second.value.id } },
    { ...common, object: `bot:${bot.id}`, after: { id: first.value.id, command: SKIP.command } },
  ]);
  expect(await audit.list(stranger, { limit: 10 })).toEqual([]);
  expect(await audit.verify(scope)).toMatchObject({ intact: true });
});

test("a command whose commit fails is not there; one that commits stays", async () => {
  const { simulated, world } = simulation();
  const { commands, scope } = world;
  const { bot, lease } = await leasedBot(world);
  const asked = { ...SKIP, accountId: lease.accountId, botId: bot.id };
  simulated.failNext("before_commit");
  await expect(commands.ask(scope, asked, START)).rejects.toThrow("failed");
  expect(await commands.waiting(scope, lease, START)).toEqual([]);
  expect(await commands.ask(scope, asked, START)).toMatchObject({ ok: true });
  expect(await commands.waiting(scope, lease, START)).toHaveLength(1);
});
