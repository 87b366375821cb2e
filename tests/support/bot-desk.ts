// Bots as their pages meet them: rows on a real database, with figures as workers leave them and events that
// happened. Used by the tests of the bots' desk and pages.
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createBotRepository } from "../../src/adapters/postgres/bot-repository.ts";
import type { Sql } from "../../src/adapters/postgres/connect.ts";
import { createRunRepository } from "../../src/adapters/postgres/run-repository.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import type { BotStatus, DesiredAction, DesiredStatus } from "../../src/model/bot.ts";
import { decimal } from "../../src/model/decimal.ts";
import type { EventKind } from "../../src/model/event-kinds.ts";
import type { AccountFigures, BotFigures, PositionView } from "../../src/model/live-figures.ts";
import type { EpochMs } from "../../src/model/time.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId, AccountMode } from "../../src/ports/account-store.ts";
import type { Bot, NewBot } from "../../src/ports/bot-store.ts";
import type { NewRun, RunId, RunOutcome } from "../../src/ports/run-store.ts";
import type { Json } from "../../src/ports/settings-store.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { DCA_ATR } from "../../src/strategy/dca-atr/dca-atr.ts";
import { aBot, aConfig } from "./bots.ts";
import { aRequest, MARKET } from "./research-case.ts";
import { aRun, someMetrics } from "./runs.ts";

const ZERO = decimal("0");
const WORKER = "worker-1";
const LEASE_MS = 60_000;
const MAKER = "owner@example.org";

/** A long position with its stop; change what matters. */
export function aPosition(change: Partial<PositionView> = {}): PositionView {
  return {
    positionSide: "long",
    qty: decimal("0.25"),
    averageEntry: decimal("2000"),
    openedAt: 0,
    unrealised: decimal("12.5"),
    notional: decimal("512.5"),
    liquidationPrice: null,
    stopPrice: decimal("1900"),
    takeProfitPrice: decimal("2100"),
    nextRungPrice: decimal("1960"),
    rungsFilled: 1,
    rungsMax: 5,
    ...change,
  };
}

/** Figures of a bot that is well and flat; change what matters. */
export function someFigures(at: EpochMs, change: Partial<BotFigures> = {}): BotFigures {
  return {
    format: 1,
    health: "ok",
    nextAction: "Looks for an entry",
    gates: [{ key: "desired_status", isOpen: true, sentence: "it is to run", since: at }],
    price: { price: decimal("2050"), at, source: "mark" },
    position: null,
    orders: [],
    pnl: {
      realised: decimal("40.5"),
      fees: decimal("-1.25"),
      funding: decimal("0.75"),
      unrealised: ZERO,
      net: decimal("40"),
      missing: 0,
      estimated: 0,
    },
    balance: decimal("1040"),
    equity: decimal("1040"),
    lastTickAt: at,
    lastCandleAt: at,
    nextCandleAt: at,
    heartbeats: Array.from({ length: 60 }, (_, n) => (n === 20 ? -1 : n % 19 === 3 ? 2400 : 40)),
    blockedActions: 0,
    leverage: 3,
    lastDecision: null,
    ...change,
  };
}

/** Figures of an account that is well; change what matters. */
export function someAccountFigures(
  at: EpochMs,
  change: Partial<AccountFigures> = {},
): AccountFigures {
  return {
    format: 1,
    health: "ok",
    sentence: "Well",
    asset: "USDT",
    walletBalance: decimal("10000"),
    freeBalance: decimal("9000"),
    unrealised: ZERO,
    equity: decimal("10000"),
    grossExposure: ZERO,
    pnlToday: ZERO,
    pnlTotal: ZERO,
    peakEquity: decimal("10000"),
    openOrders: 0,
    exchange: "ok",
    clockOffsetMs: 3,
    lastReconciledAt: at,
    isReconciled: true,
    findings: [],
    blocks: [],
    worker: WORKER,
    leaseUntil: at,
    lastTickAt: at,
    unprotectedMs: 0,
    ...change,
  };
}

/** How a seeded bot stands. */
export type BotSeed = Partial<NewBot> & {
  readonly status?: BotStatus;
  readonly desiredStatus?: DesiredStatus;
  readonly desiredAction?: DesiredAction;
  readonly lastError?: string;
  /** Left out for a bot that no worker has shown yet. */
  readonly figures?: Partial<BotFigures>;
  /** How old the figures are. */
  readonly ageMs?: number;
  /** Events of this moment. */
  readonly events?: readonly EventKind[];
};

/** What bots are seeded with. */
export function botSeeder(sql: Sql, scope: Scope, now: () => EpochMs) {
  const bots = createBotRepository(sql);
  const accounts = createAccountRepository(sql);
  const trading = createTradingRepository(sql, nextStatus);

  async function leaseOf(accountId: AccountId) {
    const taken = await trading.takeLease(scope, accountId, WORKER, LEASE_MS, true);
    if (!taken.ok) throw new Error(taken.detail);
    return taken.value;
  }

  /** What its worker shows of a bot. */
  async function figures(
    { id: botId, accountId }: Pick<Bot, "id" | "accountId">,
    change: Partial<BotFigures>,
    ageMs = 0,
  ): Promise<void> {
    const at = now() - ageMs;
    const body: Json = someFigures(at, change);
    await bots.saveFigures(scope, [{ accountId, botId, worker: WORKER, at, body }], []);
  }

  return {
    ...{ bots, trading, leaseOf, figures },
    async account(name: string, mode: AccountMode = "paper", exchangeId = "woox") {
      const made = await accounts.create(scope, { name, exchangeId, mode }, null, now());
      if (!made.ok) throw new Error(made.detail);
      return made.value.id;
    },
    async show(accountId: AccountId, figures: Partial<AccountFigures>, ageMs = 0) {
      const at = now() - ageMs;
      const body: Json = someAccountFigures(at, figures);
      await bots.saveFigures(scope, [{ accountId, botId: null, worker: WORKER, at, body }], []);
    },
    async bot(accountId: AccountId, seed: BotSeed): Promise<Bot> {
      const { status, desiredStatus, desiredAction, lastError, ageMs, events, ...rest } = seed;
      const { figures: shown, ...own } = rest;
      const wanted = aBot(accountId, { config: aConfig({ allocation: decimal("1000") }), ...own });
      const made = await bots.create(scope, wanted, MAKER, now());
      if (!made.ok) throw new Error(made.detail);
      const { id } = made.value;
      const guard = await leaseOf(accountId);
      const wish = { status: desiredStatus ?? "paused", action: desiredAction ?? null };
      await bots.wish(scope, id, wish, now());
      const change = { status: status ?? "created", lastError: lastError ?? null };
      await bots.setStatus(scope, guard, id, { ...change, clearsAction: false }, now());
      if (shown) await figures(made.value, shown, ageMs);
      const happened = (events ?? []).map((kind) => {
        return { kind, botId: id, at: now(), sentence: "It happened.", fields: {} };
      });
      await bots.appendEvents(scope, guard, happened);
      const found = await bots.find(scope, id);
      if (!found) throw new Error("the bot is gone");
      return found;
    },
  };
}

/** A finished run that a bot can be made from; change what matters. */
export async function finishedRun(
  sql: Sql,
  scope: Scope,
  change: Partial<NewRun> = {},
  metrics: Partial<RunOutcome["metrics"]> = {},
): Promise<RunId> {
  const runs = createRunRepository(sql);
  const { config, instrument, run } = aRequest();
  const { exchangeId, symbol, kind } = MARKET;
  const wanted: NewRun = {
    ...{ ...aRun, exchangeId, symbol, kind, direction: "both" },
    ...{ strategyName: DCA_ATR.name, strategyVersion: DCA_ATR.version },
    config: parseConfig(config),
    instrument: instrument as Json,
    runSettings: run as Json,
    ...change,
  };
  const at = Date.UTC(2024, 5, 1);
  const id = await runs.create(scope, wanted, at);
  const outcome = {
    metrics: { ...someMetrics, ...metrics },
    fillsSha256: "c".repeat(64),
    candlesFingerprint: "a".repeat(64),
    details: null,
  };
  await runs.finish(scope, id, outcome, null, at);
  return id;
}
