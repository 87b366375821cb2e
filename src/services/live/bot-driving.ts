// One bot of an account, driven: started from its rows, told what happened, led to what its owner
// wishes, and let go when it cannot go on. Called by the bots of the account, one after the other;
// no bot is driven by two callers at once.
import { isFinal } from "../../execution/order-machine.ts";
import type { BotStatus, DesiredStatus } from "../../model/bot.ts";
import { InputError, InvariantError } from "../../model/result.ts";
import type { BotId, NewEvent } from "../../ports/bot-store.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import { strictest, type TradingState } from "../../risk/trading-state.ts";
import type { RunningBot } from "./account-bots.ts";
import type { LoopContext } from "./account-loop.ts";
import { type BotRunner, createBotRunner, ownerOf, RestoreError } from "./bot-runner.ts";
import { liveStrategy } from "./live-strategy.ts";

/** What driving a bot needs. */
export type BotDriving = {
  readonly loop: LoopContext;
  /** A bot that stopped leaves it. */
  readonly running: Map<BotId, RunningBot>;
};

const RETRY_MS = [1000, 2000, 5000, 10_000, 30_000];

/**
 * Lets a bot take what happened, started again first when it has to be, and follows the wish of
 * its owner.
 * @throws when it cannot go on: `failBot` says what becomes of it
 */
export async function driveBot(
  driving: BotDriving,
  one: RunningBot,
  hasMoved: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { loop } = driving;
  // A bot that cannot go on can still be closed.
  if (one.bot.status === "error" && one.bot.desiredAction !== null) {
    await flattenBot(loop, one, signal);
    return;
  }
  if (one.runner === null || !one.runner.isRestored()) {
    if (loop.live.clock.monotonicMs() < one.retryAtMs) return;
    await start(loop, one, signal);
  }
  const { runner, bot } = one;
  if (runner === null || !runner.isRestored()) return;
  if (hasMoved) await runner.onRows();
  const state = stateOf(loop, one);
  if (state !== one.state && runner.isRestored()) {
    await runner.onState(state);
    one.state = state;
  }
  tellState(loop, one);
  const price = loop.freshPrice(bot.symbol);
  if (price !== null && runner.isRestored()) await runner.onPrice(price);
  if (runner.isRestored()) await runner.onCandles();
  await followWish(driving, one, signal);
}

/** Lets go of a bot that failed: a final error stops it, after any other it is tried again. */
export async function failBot(loop: LoopContext, one: RunningBot, error: unknown): Promise<void> {
  const { clock, log } = loop.live;
  const isFinal =
    error instanceof RestoreError || error instanceof InvariantError || error instanceof InputError;
  one.runner = null;
  if (isFinal) {
    const sentence = error.message.slice(0, 300);
    log.error(`bot ${one.bot.id} stops: ${sentence}`, { bot: one.bot.id, error });
    note(loop, one, "bot_error", sentence);
    // It starts again when somebody wishes so, not by itself.
    await setStatus(loop, one, "error", { lastError: sentence, desiredStatus: "paused" });
    return;
  }
  const waitMs = RETRY_MS[Math.min(one.failures, RETRY_MS.length - 1)] ?? 0;
  one.failures += 1;
  one.retryAtMs = clock.monotonicMs() + waitMs;
  log.warn(`bot ${one.bot.id} could not go on; it is tried again`, { bot: one.bot.id, error });
}

async function start(loop: LoopContext, one: RunningBot, signal: AbortSignal): Promise<void> {
  const { live, bots } = loop;
  const { bot } = one;
  const { rules } = await loop.parts.openMarket(bot.symbol, signal);
  const strategy = liveStrategy(bot, rules);
  const { leverageWithOrder } = live.broker.capabilities;
  one.runner = createBotRunner({
    ...live,
    ...{ bot, bots, strategy },
    market: loop.marketOf(bot.symbol),
    liveMarket: {
      rules,
      leverage: leverageWithOrder ? bot.config.leverage : null,
      maker: strategy.maker,
    },
    candles: loop.candles,
    dispatcher: loop.parts.dispatcher,
    closedGate: () => loop.closedGate(bot),
    room: loop.room(bot),
    freeCollateral: () => loop.freeCollateral(),
    record: loop.record(bot.id),
  });
  one.state = null;
  one.rungsMax = strategy.rungsMax;
  await one.runner.restore(signal);
  one.failures = 0;
}

/** Told once when a state begins to keep a bot that is to run from opening anything. */
function tellState(loop: LoopContext, one: RunningBot): void {
  const { live } = loop;
  const { state, reason } = live.cells.cell(live.account, one.bot.id);
  if (state === one.toldState || one.bot.desiredStatus !== "running") return;
  one.toldState = state;
  if (state === "active") return;
  const isOff = live.account.mode === "live" && state === "frozen";
  const kind = isOff ? "live_trading_disabled_block" : "kill_switch_block";
  note(loop, one, kind, `${one.bot.name} opens nothing, the trading state is ${state}: ${reason}`);
}

function stateOf(loop: LoopContext, { bot }: RunningBot): TradingState {
  const { live } = loop;
  const states = [live.cells.cell(live.account, bot.id).state];
  if (bot.desiredStatus === "stopped") states.push("halted");
  if (bot.desiredStatus === "paused" || bot.status === "error") {
    states.push(bot.config.pauseMode === "freeze" ? "frozen" : "reducing");
  }
  if (loop.isBlocked(bot)) states.push("reducing");
  if (loop.isProtecting()) states.push("halted");
  return strictest(states);
}

async function followWish(
  { loop, running }: BotDriving,
  one: RunningBot,
  signal: AbortSignal,
): Promise<void> {
  const { bot, runner } = one;
  if (runner === null) return;
  if (bot.desiredAction !== null) {
    await flattenBot(loop, one, signal);
    return;
  }
  if (bot.desiredStatus === "running" && bot.status !== "running") {
    note(loop, one, "bot_started", `${bot.name} runs on ${bot.symbol}.`);
    await setStatus(loop, one, "running");
  } else if (bot.desiredStatus === "paused" && bot.status !== "paused") {
    note(loop, one, "bot_paused", `${bot.name} is paused; what it holds stays guarded.`);
    await setStatus(loop, one, "paused");
  } else if (bot.desiredStatus === "stopped" && (await isEmptied(loop, runner))) {
    note(loop, one, "bot_stopped", `${bot.name} stopped. ${keptSentence(runner)}`);
    await setStatus(loop, one, "stopped");
    running.delete(bot.id);
  }
}

/** Takes back everything but the protective stop; true once nothing else is left. */
async function isEmptied(loop: LoopContext, runner: BotRunner): Promise<boolean> {
  const left = runner.orders().filter((intent) => isAlive(intent) && !isProtective(intent));
  if (left.length === 0) return true;
  const batch = { cancel: left, place: [], park: [], send: [], step: null, isFlatten: false };
  await loop.parts.dispatcher.dispatch(batch);
  await runner.onRows();
  return false;
}

async function flattenBot(loop: LoopContext, one: RunningBot, signal: AbortSignal): Promise<void> {
  const { bot, runner } = one;
  note(loop, one, "flatten_started", `${bot.name}: everything it holds is closed.`);
  const report = await loop.flatten(
    { owner: ownerOf(bot), botId: bot.id, symbols: [bot.symbol] },
    signal,
  );
  if (runner?.isRestored()) await runner.onRows();
  const kind = report.isDone ? "flatten_completed" : "flatten_incomplete";
  note(loop, one, kind, report.sentence);
  const isResumed = bot.desiredAction === "flatten_then_resume" && report.isDone;
  await setStatus(loop, one, isResumed ? "running" : "paused", {
    clearsAction: true,
    desiredStatus: isResumed ? "running" : "paused",
  });
}

async function setStatus(
  loop: LoopContext,
  one: RunningBot,
  status: BotStatus,
  extra: {
    readonly lastError?: string;
    readonly clearsAction?: boolean;
    readonly desiredStatus?: DesiredStatus;
  } = {},
): Promise<void> {
  const { lastError = null, clearsAction = false, desiredStatus } = extra;
  const wish = desiredStatus === undefined ? {} : { desiredStatus };
  const change = { status, lastError, clearsAction, ...wish };
  const { bots, scope, live } = loop;
  const { guard } = live.lease;
  if (!(await bots.setStatus(scope, guard, one.bot.id, change, live.clock.now()))) return;
  one.bot = {
    ...one.bot,
    ...{ status, lastError, ...wish },
    desiredAction: clearsAction ? null : one.bot.desiredAction,
  };
  loop.figures.hurry();
}

function note(loop: LoopContext, one: RunningBot, kind: NewEvent["kind"], sentence: string): void {
  const { live } = loop;
  live.note({ kind, botId: one.bot.id, at: live.clock.now(), sentence, fields: {} });
}

function isAlive({ status }: StoredIntent): boolean {
  return !isFinal(status);
}

function isProtective({ purpose }: StoredIntent): boolean {
  return purpose === "protective_stop";
}

function keptSentence(runner: BotRunner): string {
  if (!runner.isRestored() || runner.view().position.sign === 0) return "It holds nothing.";
  const hasStop = runner.orders().some((intent) => isAlive(intent) && isProtective(intent));
  return hasStop
    ? "Its position stays, with the protective stop at the exchange."
    : "Its position stays WITHOUT a protective stop at the exchange.";
}
