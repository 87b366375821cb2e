// How an account and its bots stand: what watches over them, the facts their gates are judged by, and the
// documents pages read. Asked by the account loop; it decides nothing itself and writes figures only.
import type {
  AccountFigures,
  BotFigures,
  FindingView,
  GateView,
} from "../../model/live-figures.ts";
import type { Decimal } from "../../model/decimal.ts";
import { type EpochMs, MINUTE_MS } from "../../model/time.ts";
import type { CredentialId, TradingAccount } from "../../ports/account-store.ts";
import type { Bot } from "../../ports/bot-store.ts";
import type { FeedPrice } from "../../ports/price-feed.ts";
import { DECISIONS } from "../../strategy/dca-atr/state.ts";
import type { RunningBot } from "./account-bots.ts";
import { botFigures } from "./account-figures.ts";
import { closedGate, createGateBook, type GateFacts } from "./account-gates.ts";
import type { AccountLoopDeps } from "./account-loop.ts";
import type { AccountParts } from "./account-parts.ts";
import { createDeadMan } from "./dead-man.ts";
import { createEquitySamples, type EquitySamples } from "./equity-samples.ts";
import { createFindings, type Decision, type Settled } from "./findings.ts";
import type { LiveDeps, OrderRoom } from "./live-types.ts";
import { createPositionSettings } from "./position-settings.ts";
import { createRiskWatch, type RiskFigures } from "./risk-watch.ts";

/** What is looked at. */
export type AccountStatusDeps = AccountLoopDeps & {
  readonly live: LiveDeps;
  readonly parts: AccountParts;
  readonly running: () => readonly RunningBot[];
  readonly known: () => ReadonlyMap<string, FeedPrice>;
};

/** The standing of an account. */
export type AccountStatus = {
  /**
   * Limits, position settings and the dead-man switch, before anything is decided.
   * @returns whether everything must be looked at again: the switch may have cancelled it
   */
  look(hasBooked: boolean, signal: AbortSignal): Promise<boolean>;
  /** Carries out what a person decided about a finding. */
  settleFinding(decision: Decision): Promise<Settled>;
  /** Why the bot may open nothing now; null when it may. */
  closedGate(bot: Bot): string | null;
  /** Room of the account for orders of the bot. */
  room(bot: Bot): OrderRoom;
  /** Limits may have been changed: they are read with the next look. */
  hurry(): void;
  /** Whether the account has other keys than those it was opened with. */
  hasOtherKeys(): boolean;
  /** Whether resting entries of the bot must go too. */
  isBlocked(bot: Bot): boolean;
  /** What sizing may not exceed at a real exchange; null does not limit. */
  freeCollateral(): Decimal | null;
  /** Protection comes before everything else: the exchange may have cancelled all of it. */
  isProtecting(): boolean;
  /** Protective orders were looked after. */
  protectedAgain(): void;
  /** Leaves the documents for pages. @param lateMs how late this tick was */
  offer(lateMs: number, reconciledAt: EpochMs | null): void;
  /** Before a planned stop. */
  stop(): Promise<void>;
};

const HEARTBEATS_MAX = 60;
/** A stop follows its fill within seconds; somebody is told of one that does not. */
const BARE_MS = 15_000;

/** Names the keys of an account; null for one without any. */
export function keysOf(account: TradingAccount | null): CredentialId | null {
  return account?.credential?.id ?? null;
}

/** Nothing was looked at yet: everything is blocked. */
export function createAccountStatus(deps: AccountStatusDeps): AccountStatus {
  const { live, parts, clock, account } = deps;
  const risk = createRiskWatch({ ...deps, ...live, markets: parts.markets });
  const positions = createPositionSettings(live);
  const deadMan = createDeadMan(live);
  const gates = createGateBook();
  const findings = createFindings(deps);
  const samples = createEquitySamples();
  const tellTrouble = createTroubleTeller(deps);

  function factsOf(bot: Bot): GateFacts {
    const now = clock.now();
    const candleNow = deps.candles.now(deps.marketOf(bot.symbol));
    const price = deps.known().get(bot.symbol);
    const runner = deps.running().find((one) => one.bot.id === bot.id)?.runner ?? null;
    const view = runner?.isRestored() ? runner.view() : null;
    const lastOpenAt = view?.lastCandleOpenAt ?? null;
    const closedAt = lastOpenAt === null ? null : lastOpenAt + bot.timeframeMin * MINUTE_MS;
    return {
      bot,
      account: risk.account(),
      cell: deps.cells.cell(account, bot.id),
      leaseMs: deps.lease.remainingMs(),
      isReconciled: parts.reconciler.isClean(),
      reconcileBlock: findings.block(bot.symbol) ?? deadMan.block(),
      isInDoubt: parts.resolver.isInDoubt(bot.symbol),
      exchangeTrouble: deps.exchangeTrouble(),
      priceAgeMs: price ? now - price.mark.at : null,
      candleAgeMs: closedAt === null ? null : candleNow - closedAt,
      limitBlock: risk.block(bot.id),
      roomBlock: risk.denial(bot.id),
      positionModeBlock: positions.modeBlock(bot.id),
      leverageBlock: positions.leverageBlock(bot.id),
      isWarm: view !== null && DECISIONS[view.strategy.decision] !== "not_ready",
    };
  }

  return {
    async look(hasBooked, signal) {
      tellTrouble();
      await findings.look();
      await risk.look(deps.known(), hasBooked, signal);
      positions.look(
        deps.running().map(({ bot }) => bot),
        signal,
      );
      return await deadMan.tick(signal);
    },
    closedGate: (bot) => closedGate(factsOf(bot)),
    room: (bot) => ({ check: (intent) => risk.check(bot, intent), released: risk.released }),
    hurry: () => risk.hurry(),
    hasOtherKeys: () => keysOf(risk.account()) !== keysOf(deps.tradingAccount),
    isBlocked: (bot) => risk.account().blocksNewEntries || risk.isTripped(bot.id),
    // Invented money is sized by what the bot earned alone.
    freeCollateral: () => (account.mode === "live" ? risk.freeCollateral() : null),
    isProtecting: () => deadMan.block() !== null,
    protectedAgain: () => deadMan.protectedAgain(),
    offer(lateMs, reconciledAt) {
      const at = clock.now();
      offerBots(deps, samples, { at, lateMs, gatesOf: (bot) => gates.look(factsOf(bot), at) });
      offerAccount(deps, samples, {
        ...{ at, reconciledAt, figures: risk.figures(), findings: findings.now(at) },
        openFinding: findings.open()[0]?.sentence ?? null,
      });
    },
    settleFinding: findings.settle,
    async stop() {
      await positions.idle();
      await deadMan.off();
    },
  };
}

/** Tells once when the exchange begins to keep entries back. */
function createTroubleTeller({ live, ...deps }: AccountStatusDeps): () => void {
  let told: string | null = null;
  return () => {
    const trouble = deps.exchangeTrouble();
    if (trouble !== null && told === null) {
      const sentence = `${deps.tradingAccount.name}: ${trouble}; entries wait.`;
      const event = { kind: "exchange_degraded_block", botId: null, sentence, fields: {} } as const;
      live.note({ ...event, at: deps.clock.now() });
    }
    told = trouble;
  };
}

type BotLook = {
  readonly at: EpochMs;
  readonly lateMs: number;
  readonly gatesOf: (bot: Bot) => readonly GateView[];
};

/** The figures of every bot that was restored. */
function offerBots(
  deps: AccountStatusDeps,
  samples: EquitySamples,
  { at, lateMs, gatesOf }: BotLook,
): void {
  const { scope, accountId } = deps.account;
  const { worker, parts } = deps;
  for (const one of deps.running()) {
    one.heartbeats.push(lateMs);
    if (one.heartbeats.length > HEARTBEATS_MAX) one.heartbeats.shift();
    const market = parts.markets.get(one.bot.symbol);
    if (!one.runner?.isRestored() || !market) continue;
    const body = botFigures(one, one.runner, {
      at,
      price: deps.known().get(one.bot.symbol) ?? null,
      rules: market.rules,
      gates: gatesOf(one.bot),
    });
    tellBare(deps, one, body, at);
    const { id: botId } = one.bot;
    deps.figures.offer(scope, { accountId, botId, worker, at, body });
    const { equity } = body;
    if (samples.isDue(botId, at, equity))
      deps.figures.sample(scope, { accountId, botId, at, equity });
  }
}

/** Told once for as long as a position goes without the stop that its bot wants. */
function tellBare(
  { live }: AccountStatusDeps,
  one: RunningBot,
  { position, health }: BotFigures,
  at: EpochMs,
): void {
  const isBare = position !== null && position.stopPrice === null && health === "error";
  one.bareSince = isBare ? (one.bareSince ?? at) : null;
  if (one.bareSince === null) one.isBareTold = false;
  else if (!one.isBareTold && at - one.bareSince >= BARE_MS) {
    one.isBareTold = true;
    const { id: botId, name, symbol } = one.bot;
    const seconds = Math.round((at - one.bareSince) / 1000);
    const sentence = `${name} holds ${symbol} without a protective stop for ${seconds} s.`;
    live.note({ kind: "position_unprotected", botId, at, sentence, fields: { symbol } });
  }
}

type AccountLook = {
  readonly at: EpochMs;
  readonly reconciledAt: EpochMs | null;
  readonly figures: RiskFigures | null;
  readonly findings: readonly FindingView[];
  /** What keeps entries waiting; null when nothing found does. */
  readonly openFinding: string | null;
};

function offerAccount(deps: AccountStatusDeps, samples: EquitySamples, look: AccountLook): void {
  const { scope, accountId } = deps.account;
  const { at } = look;
  const body = accountFigures(deps, look);
  if (body === null) return;
  deps.figures.offer(scope, { accountId, botId: null, worker: deps.worker, at, body });
  const { equity } = body;
  if (samples.isDue(null, at, equity)) {
    deps.figures.sample(scope, { accountId, botId: null, at, equity });
  }
}

/** The figures of the account; null before the first look at its risk. */
function accountFigures(
  deps: AccountStatusDeps,
  { at, reconciledAt, figures, findings, openFinding }: AccountLook,
): AccountFigures | null {
  if (figures === null) return null;
  const trouble = deps.exchangeTrouble();
  const isWell = trouble === null && findings.length === 0 && figures.blocks.length === 0;
  const all = deps.running();
  return {
    format: 1,
    ...figures,
    health: openFinding !== null ? "error" : isWell ? "ok" : "warning",
    sentence:
      openFinding ??
      trouble ??
      figures.blocks[0] ??
      findings[0]?.sentence ??
      "Everything is in order.",
    openOrders: all.reduce((sum, { runner }) => sum + (runner?.orders().length ?? 0), 0),
    exchange: trouble === null ? "ok" : "degraded",
    clockOffsetMs: null,
    lastReconciledAt: reconciledAt,
    isReconciled: deps.parts.reconciler.isClean(),
    findings,
    worker: deps.worker,
    leaseUntil: at + Math.max(0, Math.round(deps.lease.remainingMs())),
    lastTickAt: at,
    unprotectedMs: 0,
  };
}
