// The risk watch of an account on the simulated exchange: real rows, the real broker over loopback, time and prices
// in the test's hands. Used by the tests of the watch and of position settings.
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { createBotRepository } from "../../../src/adapters/postgres/bot-repository.ts";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { OrderIntent } from "../../../src/model/order.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { AccountLimits, AccountStore } from "../../../src/ports/account-store.ts";
import type { Bot, BotConfig } from "../../../src/ports/bot-store.ts";
import type { FeedPrice } from "../../../src/ports/price-feed.ts";
import type { SettingsStore } from "../../../src/ports/settings-store.ts";
import type { AccountMarket } from "../../../src/services/live/account-parts.ts";
import {
  createRiskWatch,
  type RiskWatch,
  type RiskWatchDeps,
} from "../../../src/services/live/risk-watch.ts";
import { botConfig, eagerStrategy } from "../../support/live-session.ts";
import {
  type ReconcileLab,
  type ReconcileLabOptions,
  startReconcileLab,
  SYMBOL,
  type Wish,
} from "../../support/reconcile-lab.ts";
import { type TestDatabase, testScope } from "../../support/test-database.ts";

export const NO_LIMITS: AccountLimits = {
  maxDailyLossUsd: null,
  maxTotalLossUsd: null,
  maxDrawdownPct: null,
  maxSymbolExposureUsd: null,
  maxGrossExposureUsd: null,
};

/** An account with one bot. */
export type RiskCase = {
  readonly lab: ReconcileLab;
  readonly scope: Scope;
  readonly accounts: AccountStore;
  readonly settings: SettingsStore;
  readonly bot: Bot;
  /** A watch without memory, as after a start. */
  watch(change?: Partial<RiskWatchDeps>): Promise<RiskWatch>;
  /** Asks for the mark price and looks. */
  look(watch: RiskWatch, hasBooked?: boolean): Promise<void>;
  /** Trades for the bot and books it. */
  trade(wish: Wish): Promise<void>;
  limit(limits: Partial<AccountLimits>): Promise<void>;
};

/** Opens the case; prices stand at 100 until the test moves them. */
export async function riskCase(
  { sql }: TestDatabase,
  options: ReconcileLabOptions & { readonly config?: Partial<BotConfig> } = {},
): Promise<RiskCase> {
  const scope = await testScope(sql, "risk");
  const accounts = createAccountRepository(sql);
  const named = { name: "Main", exchangeId: "woox", mode: "demo" } as const;
  const made = await accounts.create(scope, named, null, 0);
  if (!made.ok) throw new Error(made.detail);
  const accountId = made.value.id;
  const settings = createSettingsRepository(sql);
  const bots = createBotRepository(sql);
  const bot = await bots.create(
    scope,
    {
      ...{ accountId, name: "Long", symbol: SYMBOL, timeframeMin: 1, runId: null },
      ...{ strategyName: "dca-atr", strategyVersion: "1.0.0", sides: ["long"] },
      config: botConfig(eagerStrategy(), options.config),
    },
    "ann@example.org",
    0,
  );
  if (!bot.ok) throw new Error(bot.detail);
  const rows = { store: createTradingRepository(sql, nextStatus), scope, accountId };
  const lab = await startReconcileLab({ ...options, rows });
  const { broker, clock } = lab.deps;
  const signal = new AbortController().signal;
  const rules = await broker.orderRules(SYMBOL, { signal });
  const markets = new Map<string, AccountMarket>([[SYMBOL, { rules, settleAsset: "USDT" }]]);
  return {
    ...{ lab, scope, accounts, settings, bot: bot.value },
    watch: async (change) => {
      const tradingAccount = await accounts.find(scope, accountId);
      if (tradingAccount === null) throw new Error("there is no account");
      return createRiskWatch({
        ...{ ...lab.deps, bots, settings, markets, tradingAccount, ...change },
        readAccount: () => accounts.find(scope, accountId),
      });
    },
    async look(watch, hasBooked = false) {
      const { price } = await broker.markPrice(SYMBOL, { signal });
      const mark: FeedPrice = {
        mark: { price, at: clock.now() },
        source: "ticker",
        top: null,
      };
      await watch.look(new Map([[SYMBOL, mark]]), hasBooked, signal);
    },
    async trade(wish) {
      await lab.send({ bot: bot.value.id, ...wish });
      await lab.settle();
    },
    async limit(limits) {
      const change = { limits: { ...NO_LIMITS, ...limits } };
      const changed = await accounts.change(scope, accountId, change, clock.now());
      if (!changed.ok) throw new Error(changed.detail);
    },
  };
}

/** An order of the bot as its strategy decides it; 0.01 a lot, half a dollar a tick. */
export function entryIntent(qtyLots: number, change: Partial<OrderIntent["target"]> = {}) {
  const intent: OrderIntent = {
    op: "place",
    slot: 0,
    target: {
      ...{ key: "entry", purpose: "entry", kind: "limit", side: "buy", positionSide: "long" },
      ...{ isReduceOnly: false, priceTicks: 200, qtyLots, bandPct: 0, decidedAt: 0 },
      ...{ liveFrom: 0, replacePct: 0, reason: "ENTRY" },
      ...change,
    },
  };
  return intent;
}

export const usd = (text: string) => decimal(text);
