// The contract of control stores on the simulated store and on both real servers, and what only the
// simulation can do: fail between a change and its answer.
import { expect, test } from "bun:test";
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createBus } from "../../src/adapters/postgres/bus.ts";
import { createControlRepository } from "../../src/adapters/postgres/control-repository.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import type { Scope, WorkspaceId } from "../../src/ports/access-store.ts";
import type { StateChange } from "../../src/ports/control-store.ts";
import { virtualClock } from "../adapters/resilience/virtual-clock.ts";
import { databaseTest } from "../support/database-test.ts";
import { createSimulatedBus, createSimulatedControl } from "../support/simulated-control.ts";
import { createSimulatedStore } from "../support/simulated-store.ts";
import { testScope } from "../support/test-database.ts";
import { START } from "../support/trading.ts";
import { type ControlTest, controlContract } from "./control.contract.ts";

const scopeOf = (id: number): Scope => ({
  ...{ workspaceId: id as WorkspaceId, userId: null, role: "owner" },
});

function simulation() {
  const simulated = createSimulatedStore(nextStatus, () => START);
  const clock = virtualClock(START);
  const wires = createSimulatedBus(clock);
  const [scope, stranger] = [scopeOf(1), scopeOf(2)];
  const workspaces = [scope.workspaceId, stranger.workspaceId];
  const control = createSimulatedControl(simulated, wires.bus, workspaces);
  return { simulated, clock, wires, scope, stranger, control };
}

const inMemory: ControlTest = (name, body) => {
  test(`${name} (simulated store)`, async () => {
    const { simulated, wires, scope, stranger, control } = simulation();
    const { store, addAccount } = simulated;
    const newAccount = async () => addAccount(scope);
    await body({ store, scope, stranger, newAccount, control, bus: wires.bus });
  });
};

const inDatabase: ControlTest = (name, body) => {
  databaseTest(name, async ({ sql }) => {
    const accounts = createAccountRepository(sql);
    const [scope, stranger] = [await testScope(sql, "mine"), await testScope(sql, "theirs")];
    const newAccount = async () => {
      const account = { name: "Main", exchangeId: "woox", mode: "paper" } as const;
      const made = await accounts.create(scope, account, null, START);
      if (!made.ok) throw new Error(made.detail);
      return made.value.id;
    };
    const store = createTradingRepository(sql, nextStatus);
    const [control, bus] = [createControlRepository(sql), createBus(sql)];
    await body({ store, scope, stranger, newAccount, control, bus });
  });
};

controlContract(inMemory);
controlContract(inDatabase);

const HALT: StateChange = {
  ...{ scope: { kind: "global" }, state: "halted", reason: "a test", actor: "dragon" },
};

test("a change that fails before its commit is not there, and one whose answer is lost is", async () => {
  const { simulated, wires, scope, control } = simulation();
  const heard: (string | null)[] = [];
  await wires.bus.listen("control", (payload) => heard.push(payload));
  const fresh = await control.read(scope);
  simulated.failNext("before_commit");
  await expect(control.setStates(scope, [HALT], START)).rejects.toThrow("failed");
  expect(await control.read(scope)).toEqual(fresh);
  expect(heard).toEqual([null]);
  simulated.failNext("after_commit");
  await expect(control.setStates(scope, [HALT], START)).rejects.toThrow("lost");
  expect(await control.read(scope)).toMatchObject({ epoch: 2, states: [{}, HALT] });
  expect(heard).toEqual([null, "1"]);
});

test("simulated messages get lost while deaf, come late, and end with their listener", async () => {
  const { wires, clock } = simulation();
  const heard: (string | null)[] = [];
  const { stop } = await wires.bus.listen("control", (payload) => heard.push(payload));
  wires.isDeaf = true;
  await wires.bus.notify("control", "lost");
  wires.isDeaf = false;
  wires.delayMs = 500;
  await wires.bus.notify("control", "late");
  await clock.runUntil(START + 499);
  expect(heard).toEqual([null]);
  await clock.runUntil(START + 500);
  expect(heard).toEqual([null, "late"]);
  wires.reconnect();
  expect(heard).toEqual([null, "late", null]);
  wires.delayMs = 0;
  await wires.bus.notify("bots", "another topic");
  await stop();
  await wires.bus.notify("control", "too late");
  expect(heard).toHaveLength(3);
});
