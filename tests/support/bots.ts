// Bots for tests: the world in which a bot store is tried, and examples of what it keeps. Used by
// tests/contract/bots.contract.ts and tests/adapters/postgres/bots.test.ts.
import { decimal } from "../../src/model/decimal.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { Bot, BotConfig, BotStore, NewBot, NewEvent } from "../../src/ports/bot-store.ts";
import type { IntentBatch, Lease } from "../../src/ports/trading-store.ts";
import { leased, type StoreWorld } from "./store-world.ts";
import { BTC, START } from "./trading.ts";

/** Both stores over the same rows. */
export type BotWorld = StoreWorld & { readonly bots: BotStore };

/** Registers one test of a bot store. */
export type BotTest = (name: string, body: (world: BotWorld) => Promise<void>) => void;

/** A configuration; change what matters. */
export function aConfig(change: Partial<BotConfig> = {}): BotConfig {
  return {
    strategy: { exits: { tp_pct: 1.5 }, dca: { levels: [1, 2.5] } },
    allocation: decimal("1000.000000000000000001"),
    balanceCap: null,
    leverage: 3,
    pauseMode: "exits_only",
    limits: {
      maxOrderQty: null,
      maxOrderNotional: decimal("500"),
      maxOpenOrders: 20,
      maxPositionNotional: null,
      maxDrawdownPct: decimal("12.5"),
    },
    ...change,
  };
}

/** A bot that trades both sides of BTC; change what matters. */
export function aBot(accountId: AccountId, change: Partial<NewBot> = {}): NewBot {
  return {
    accountId,
    name: "First",
    symbol: BTC,
    timeframeMin: 15,
    strategyName: "DragonDcaAtr",
    strategyVersion: "0.1.0",
    sides: ["long", "short"],
    config: aConfig(),
    runId: null,
    ...change,
  };
}

/** An event of a bot or its account; change what matters. */
export function anEvent(change: Partial<NewEvent> = {}): NewEvent {
  return {
    kind: "bot_started",
    botId: null,
    at: START,
    sentence: "The bot began to run.",
    fields: { price: "100.5", count: 2, isFirst: true, note: null },
    ...change,
  };
}

/** Every event of a workspace, as far as tests need them. */
export const ALL_EVENTS = {
  ...{ accountId: null, botId: null, severities: null, beforeId: null, limit: 10 },
} as const;

/** Makes a bot. @throws when it is refused */
export async function made({ bots, scope }: BotWorld, wanted: NewBot): Promise<Bot> {
  const bot = await bots.create(scope, wanted, "owner@example.org", START);
  if (!bot.ok) throw new Error(`${bot.reason}: ${bot.detail}`);
  return bot.value;
}

/** A bot on a new account, and the lease of the account. */
export async function leasedBot(
  world: BotWorld,
): Promise<{ readonly bot: Bot; readonly lease: Lease }> {
  const lease = await leased(world);
  return { lease, bot: await made(world, aBot(lease.accountId)) };
}

/** Commits a batch under the present epoch. */
export async function commit(
  { store, scope }: StoreWorld,
  lease: Lease,
  batch: Partial<IntentBatch>,
) {
  const seen = await store.epoch(scope);
  return await store.commitIntents(scope, lease, seen, { place: [], send: [], ...batch }, START);
}
