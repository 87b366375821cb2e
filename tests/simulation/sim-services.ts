// The stores of a simulation, with one account, one bot per contract and every trading state active. Opened
// by the world; workers get their own connections to them.
import { nextStatus } from "../../src/execution/order-machine.ts";
import type { Decimal } from "../../src/model/decimal.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { BotId, BotStore } from "../../src/ports/bot-store.ts";
import type { ControlStore } from "../../src/ports/control-store.ts";
import { createSimulatedBots } from "../support/simulated-bots.ts";
import {
  createSimulatedBus,
  createSimulatedControl,
  type SimulatedBus,
} from "../support/simulated-control.ts";
import { createSimulatedStore, type SimulatedStore } from "../support/simulated-store.ts";
import type { SimClock } from "./sim-clock.ts";
import { createSimDatabase, type SimDatabase } from "./sim-database.ts";
import { createSimLocks, type SimLocks } from "./sim-locks.ts";

/** What is kept, and the strings to pull. */
export type SimServices = {
  readonly simulated: SimulatedStore;
  readonly bots: BotStore;
  readonly control: ControlStore;
  readonly bus: SimulatedBus;
  readonly locks: SimLocks;
  readonly database: SimDatabase;
  readonly accountId: AccountId;
  readonly botIds: readonly BotId[];
};

/** Opens them. @param symbols one bot each */
export async function openServices(
  clock: SimClock,
  seed: number,
  scope: Scope,
  symbols: readonly string[],
): Promise<SimServices> {
  const simulated = createSimulatedStore(nextStatus, () => clock.now());
  const accountId = simulated.addAccount(scope, { name: "A", exchangeId: "woox", mode: "demo" });
  const bots = createSimulatedBots(simulated);
  const bus = createSimulatedBus(clock);
  const control = createSimulatedControl(simulated, bus.bus, [scope.workspaceId]);
  const botIds: BotId[] = [];
  for (const symbol of symbols) {
    const created = await bots.create(scope, newBot(accountId, symbol), "ann", clock.now());
    if (!created.ok) throw new Error(created.detail);
    botIds.push(created.value.id);
  }
  return {
    ...{ simulated, bots, control, bus, accountId, botIds },
    locks: createSimLocks(),
    database: createSimDatabase(clock, seed),
  };
}

function newBot(accountId: AccountId, symbol: string): Parameters<BotStore["create"]>[1] {
  const config = {
    ...{ strategy: {}, allocation: "1000" as Decimal, balanceCap: null, leverage: 5 },
    pauseMode: "exits_only",
    limits: {
      ...{ maxOrderQty: null, maxOrderNotional: null, maxOpenOrders: null },
      ...{ maxPositionNotional: null, maxDrawdownPct: null },
    },
  } as const;
  return {
    ...{ accountId, symbol, config, name: symbol, timeframeMin: 1, runId: null },
    ...{ strategyName: "whims", strategyVersion: "1", sides: ["long", "short"] },
  };
}
