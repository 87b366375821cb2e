// Trades one account for as long as the lease is ours: compares with the exchange first, then ticks. Started by
// the worker, one loop per account; everything of the account happens here, one thing after the other.
import { EVENT_KINDS } from "../../model/event-kinds.ts";
import type { Decimal } from "../../model/decimal.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Owner } from "../../model/trade-record.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { TradingAccount } from "../../ports/account-store.ts";
import type { Bot, BotId, BotStore } from "../../ports/bot-store.ts";
import type { CommandStore } from "../../ports/command-store.ts";
import type { Market } from "../../ports/market-data.ts";
import type { FeedPrice, PriceFeed } from "../../ports/price-feed.ts";
import { type AccountBots, createAccountBots } from "./account-bots.ts";
import { carryOutCommands } from "./account-commands.ts";
import { PRICE_FRESH_MS } from "./account-gates.ts";
import { type AccountParts, createAccountParts } from "./account-parts.ts";
import { type AccountStatus, createAccountStatus, keysOf } from "./account-status.ts";
import type { CandleFeed } from "./candle-feed.ts";
import { createEventNotes, type EventNotes } from "./event-notes.ts";
import type { FiguresWriter } from "./figures-writer.ts";
import type { Decision, Settled } from "./findings.ts";
import { createHintEchoes, type HintEchoes } from "./hint-echoes.ts";
import type { LatchSettings } from "./limit-latch.ts";
import type { LiveDeps, OrderRoom } from "./live-types.ts";

/** What flattening does for the loop. */
export type Flattening = (
  what: {
    readonly owner: Exclude<Owner, "foreign">;
    readonly botId: BotId;
    readonly symbols: readonly string[];
  },
  signal: AbortSignal,
) => Promise<{ readonly isDone: boolean; readonly sentence: string }>;

/** What a loop is made from. */
export type AccountLoopDeps = Omit<LiveDeps, "note"> & {
  readonly tradingAccount: TradingAccount;
  readonly bots: BotStore;
  readonly prices: PriceFeed;
  readonly candles: CandleFeed;
  readonly figures: FiguresWriter;
  readonly commands: CommandStore;
  readonly settings: LatchSettings;
  /** The account as it is now; null when it was deleted. */
  readonly readAccount: () => Promise<TradingAccount | null>;
  readonly marketOf: (symbol: string) => Market;
  /** Why the exchange is not to be asked for new positions; null when it is well. */
  readonly exchangeTrouble: () => string | null;
  readonly flattening: (parts: AccountParts, live: LiveDeps) => Flattening;
  /** Name of this worker, for figures. */
  readonly worker: string;
  readonly record?: BotRecording | undefined;
  readonly pace?: Partial<LoopPace>;
};

/** Where the inputs of a bot are written down; null for nowhere. */
export type BotRecording = (botId: BotId) => ((line: string) => void) | null;

/** How often things are done, ms. */
export type LoopPace = {
  readonly tickMs: number;
  /** Between two comparisons with the exchange while its stream of hints lives. */
  readonly reconcileMs: number;
  readonly refreshMs: number;
};

/** What the parts of the loop share. */
export type LoopContext = {
  readonly scope: Scope;
  readonly account: TradingAccount;
  readonly live: LiveDeps;
  readonly bots: BotStore;
  readonly parts: AccountParts;
  readonly candles: CandleFeed;
  readonly figures: FiguresWriter;
  readonly marketOf: (symbol: string) => Market;
  readonly flatten: Flattening;
  /** Why the bot may open nothing now; null when it may. */
  closedGate(bot: Bot): string | null;
  /** Room of the account for orders of the bot. */
  room(bot: Bot): OrderRoom;
  /** Carries out what a person decided about a finding. */
  settleFinding(decision: Decision): Promise<Settled>;
  /** Whether resting entries of the bot must go too. */
  isBlocked(bot: Bot): boolean;
  /** Whether protective orders come first and nothing else is placed. */
  isProtecting(): boolean;
  readonly record: BotRecording;
  freshPrice(symbol: string): Decimal | null;
  freeCollateral(): Decimal | null;
};

/** A running loop. */
export type AccountLoop = {
  /** Ends with the signal, or by itself when no bot needs it. @throws when the account cannot be traded */
  run(signal: AbortSignal): Promise<void>;
  /** Ticks soon instead of waiting. */
  poke(): void;
};

const PACE: LoopPace = { tickMs: 3000, reconcileMs: 60_000, refreshMs: 10_000 };
/** Hints in a burst are answered by one tick. */
const TICK_MIN_MS = 300;
/** A comparison that failed at the start is tried again after this. */
const BOOT_RETRY_MS = 2000;
/** Prices are waited for so long. */
const PRICES_WAIT_MS = 300;
/** A start goes through the candles since then. */
const CHECKPOINT_MS = 600_000;

/** A loop that has not begun. */
export function createAccountLoop(deps: AccountLoopDeps): AccountLoop {
  const pace = { ...PACE, ...deps.pace };
  const notes = createEventNotes({
    scope: deps.account.scope,
    guard: deps.lease.guard,
    bots: deps.bots,
    severityOf: (kind) => EVENT_KINDS[kind].severity,
    log: deps.log,
  });
  const live: LiveDeps = { ...deps, note: notes.note };
  // A fill is followed as soon as it is booked: its stop does not wait for the other markets.
  const parts = createAccountParts(live, (symbol) => bots.hasBooked(symbol));
  const state: LoopState = {
    prices: new Map(),
    hasHint: true,
    echoes: createHintEchoes(deps.clock),
    reconciledAtMs: Number.NEGATIVE_INFINITY,
    reconciledAt: null,
    refreshedAtMs: Number.NEGATIVE_INFINITY,
    leftInDoubt: 0,
    checkpointAtMs: deps.clock.monotonicMs(),
    pricing: null,
    wake: null,
    isPoked: false,
    lateMs: 0,
  };
  const context: LoopContext = {
    ...{ scope: deps.account.scope, account: deps.tradingAccount, live, parts },
    ...{ bots: deps.bots, candles: deps.candles, figures: deps.figures, marketOf: deps.marketOf },
    flatten: deps.flattening(parts, live),
    record: deps.record ?? (() => null),
    closedGate: (bot) => status.closedGate(bot),
    room: (bot) => status.room(bot),
    settleFinding: (decision) => status.settleFinding(decision),
    isBlocked: (bot) => status.isBlocked(bot),
    isProtecting: () => status.isProtecting(),
    freshPrice: (symbol) => freshPrice(deps, state, symbol)?.mark.price ?? null,
    freeCollateral: () => status.freeCollateral(),
  };
  const bots: AccountBots = createAccountBots(context);
  const status: AccountStatus = createAccountStatus({
    ...{ ...deps, live, parts },
    running: () => bots.all(),
    known: () => state.prices,
  });
  return {
    run: (signal) => run({ deps, pace, notes, parts, state, context, bots, status }, signal),
    poke: () => {
      poke(state);
      status.hurry();
      state.refreshedAtMs = Number.NEGATIVE_INFINITY;
      state.wake?.();
    },
  };
}

type LoopState = {
  prices: ReadonlyMap<string, FeedPrice>;
  /** A read of prices that is under way; it never fails. */
  pricing: Promise<void> | null;
  hasHint: boolean;
  readonly echoes: HintEchoes;
  reconciledAtMs: number;
  reconciledAt: EpochMs | null;
  refreshedAtMs: number;
  leftInDoubt: number;
  checkpointAtMs: number;
  wake: (() => void) | null;
  isPoked: boolean;
  lateMs: number;
};

/** Ticks soon; while a tick is under way, right after it. */
function poke(state: LoopState): void {
  state.isPoked = true;
  state.wake?.();
}

type Loop = {
  readonly deps: AccountLoopDeps;
  readonly pace: LoopPace;
  readonly notes: EventNotes;
  readonly parts: AccountParts;
  readonly state: LoopState;
  readonly context: LoopContext;
  readonly bots: AccountBots;
  readonly status: AccountStatus;
};

async function run(loop: Loop, signal: AbortSignal): Promise<void> {
  const { deps, state, parts, bots } = loop;
  const { clock } = deps;
  const stream = deps.broker.listen(({ kind }) => {
    state.hasHint = true;
    if (kind === "order" || kind === "position") state.echoes.begin();
    state.wake?.();
  });
  const endNews = deps.candles.onNews(() => poke(state));
  try {
    await boot(loop, signal);
    let dueMs = clock.monotonicMs();
    while (!signal.aborted) {
      state.lateMs = Math.max(0, clock.monotonicMs() - dueMs);
      await tick(loop, stream !== null, signal);
      // With other keys the worker opens the account again.
      if (!bots.isNeeded() || loop.status.hasOtherKeys()) return;
      dueMs = clock.monotonicMs() + loop.pace.tickMs;
      await pause(loop, signal);
    }
  } finally {
    endNews();
    stream?.stop();
    await bots.checkpoint();
    await loop.status.stop();
    await parts.dispatcher.stop();
    await loop.notes.flush().catch((error: unknown) => {
      deps.log.warn("the last events of an account were not written", { error });
    });
  }
}

/** Nothing is decided before the rows are what the exchange says. */
async function boot(loop: Loop, signal: AbortSignal): Promise<void> {
  const { deps, parts, bots, state } = loop;
  for (;;) {
    signal.throwIfAborted();
    try {
      await bots.refresh();
      await openMarkets(loop, signal);
      await parts.resolver.settle(signal);
      const report = await parts.reconciler.pass(signal);
      if (report.isComplete) break;
      deps.log.warn(`account ${deps.account.accountId}: ${report.failures.join(" ")}`);
    } catch (error) {
      if (signal.aborted) throw error;
      deps.log.warn("an account could not be compared with the exchange yet", { error });
    }
    if (keysOf(await deps.readAccount()) !== keysOf(deps.tradingAccount)) {
      throw new Error("the keys of the account were replaced: it is opened again");
    }
    await deps.clock.sleep(BOOT_RETRY_MS, signal);
  }
  state.reconciledAtMs = deps.clock.monotonicMs();
  state.refreshedAtMs = state.reconciledAtMs;
}

/** Every market the account trades or holds: a fact of an unknown market cannot be booked. */
async function openMarkets({ deps, parts, bots }: Loop, signal: AbortSignal): Promise<void> {
  const { scope, accountId } = deps.account;
  const symbols = new Set(bots.all().map(({ bot }) => bot.symbol));
  for (const { symbol } of await deps.store.aliveIntents(scope, accountId)) symbols.add(symbol);
  for (const { symbol } of await deps.store.holdings(scope, accountId)) symbols.add(symbol);
  for (const symbol of symbols) await parts.openMarket(symbol, signal);
}

async function tick(loop: Loop, hasStream: boolean, signal: AbortSignal): Promise<void> {
  const { deps, pace, parts, state, bots, notes } = loop;
  const nowMs = deps.clock.monotonicMs();
  try {
    const isRefresh = nowMs - state.refreshedAtMs >= pace.refreshMs;
    if (isRefresh) {
      state.refreshedAtMs = nowMs;
      await bots.refresh();
      await openMarkets(loop, signal);
    }
    await look(loop, hasStream, signal);
    const moved = parts.takeMoved();
    // After the dead-man switch fired everything is looked at again, protective orders first.
    const mayBeGone = await loop.status.look(moved.size > 0, signal);
    if (mayBeGone) state.hasHint = true;
    await bots.tick(moved, signal);
    const isLookedAt = !mayBeGone && !state.hasHint && parts.reconciler.isClean();
    if (isLookedAt) loop.status.protectedAgain();
    if (isRefresh) await carryOutCommands(loop.context, deps.commands, bots.all());
    if (nowMs - state.checkpointAtMs >= CHECKPOINT_MS) {
      state.checkpointAtMs = nowMs;
      await bots.checkpoint();
    }
    loop.status.offer(state.lateMs, state.reconciledAt);
    await notes.flush();
    await deps.figures.look();
  } catch (error) {
    if (signal.aborted) return;
    deps.log.warn("a tick of an account did not end well", { error });
  }
}

/** What the exchange has to say: doubts, comparison, prices. What fails blocks by its age. */
async function look(loop: Loop, hasStream: boolean, signal: AbortSignal): Promise<void> {
  const { deps, pace, parts, state } = loop;
  const nowMs = deps.clock.monotonicMs();
  const isDue = nowMs - state.reconciledAtMs >= pace.reconcileMs;
  const isEcho = state.echoes.take();
  if (state.hasHint || isEcho || isDue || !hasStream || !parts.reconciler.isClean()) {
    state.hasHint = false;
    const report = await parts.reconciler.pass(signal);
    if (report.isComplete) {
      state.reconciledAtMs = nowMs;
      state.reconciledAt = deps.clock.now();
    }
    // What was just learned is looked at once more: records follow their orders.
    const isOpen = !report.isComplete && !report.isDeferred;
    if (isOpen || report.writes > 0) state.hasHint = true;
    if (report.isDeferred) state.echoes.begin();
  }
  state.leftInDoubt = await parts.resolver.settle(signal);
  state.pricing ??= readPrices(loop, signal).finally(() => {
    state.pricing = null;
  });
  // Fills and stops do not wait for prices: slow ones are there at the next tick.
  await Promise.race([state.pricing, deps.clock.sleep(PRICES_WAIT_MS, signal)]);
}

/** Of everything that is held, by whoever: without a price no loss is known. */
async function readPrices({ deps, parts, state }: Loop, signal: AbortSignal): Promise<void> {
  const symbols = [...parts.markets.keys()];
  if (symbols.length === 0) return;
  try {
    state.prices = await deps.prices.read(symbols, { signal });
  } catch (error) {
    if (signal.aborted) return;
    deps.log.warn("prices could not be read; the old ones stay until they are too old", { error });
  }
}

async function pause({ deps, pace, state }: Loop, signal: AbortSignal): Promise<void> {
  await deps.clock.sleep(TICK_MIN_MS, signal).catch(() => undefined);
  // What came in meanwhile does not wait for the next tick.
  if (state.hasHint || state.isPoked) {
    state.isPoked = false;
    return;
  }
  const woken = new AbortController();
  state.wake = () => woken.abort();
  const either = AbortSignal.any([signal, woken.signal]);
  // Either end of the wait is fine: time passed, a hint came, or the loop is stopped.
  const waitMs = Math.min(pace.tickMs, state.echoes.waitMs());
  await deps.clock.sleep(waitMs, either).catch(() => undefined);
  state.wake = null;
  state.isPoked = false;
}

function freshPrice(deps: AccountLoopDeps, state: LoopState, symbol: string): FeedPrice | null {
  const known = state.prices.get(symbol);
  if (!known || deps.clock.now() - known.mark.at > PRICE_FRESH_MS) return null;
  return known;
}
