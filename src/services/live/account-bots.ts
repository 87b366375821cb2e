// The bots of one account: which of them run, what their owners wish, and the errors of one kept from the
// others. Called once a tick by the account loop; a bot is driven by nobody else.
import { isFinal } from "../../execution/order-machine.ts";
import type { BotStatus, DesiredStatus } from "../../model/bot.ts";
import { InputError, InvariantError } from "../../model/result.ts";
import type { Bot, BotId } from "../../ports/bot-store.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import { strictest, type TradingState } from "../../risk/trading-state.ts";
import { type BotRunner, createBotRunner, ownerOf, RestoreError } from "./bot-runner.ts";
import type { LoopContext } from "./account-loop.ts";
import { liveStrategy } from "./live-strategy.ts";

/** A bot and what is remembered between ticks. */
export type RunningBot = {
  bot: Bot;
  runner: BotRunner | null;
  /** The state it was told last. */
  state: TradingState | null;
  /** Not tried again before, by the monotonic clock. */
  retryAtMs: number;
  failures: number;
  rungsMax: number;
  /** How late each tick was, ms, newest last. */
  heartbeats: number[];
};

/** The bots of an account. */
export type AccountBots = {
  /** Reads the definitions again and follows them. */
  refresh(): Promise<void>;
  /** Lets every bot take what happened; one bot's error stays with it. */
  tick(moved: ReadonlySet<string> | "all", signal: AbortSignal): Promise<void>;
  all(): readonly RunningBot[];
  /** Writes down where every bot is; what fails is only a longer way at the next start. */
  checkpoint(): Promise<void>;
  /** Whether any bot wants to be driven, now or soon. */
  isNeeded(): boolean;
};

const RETRY_MS = [1000, 2000, 5000, 10_000, 30_000];

/** No bots yet. */
export function createAccountBots(loop: LoopContext): AccountBots {
  const { live, bots, scope, account } = loop;
  const { clock, log } = live;
  const running = new Map<BotId, RunningBot>();

  async function setStatus(
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
    const { guard } = live.lease;
    if (!(await bots.setStatus(scope, guard, one.bot.id, change, clock.now()))) return;
    one.bot = {
      ...one.bot,
      ...{ status, lastError, ...wish },
      desiredAction: clearsAction ? null : one.bot.desiredAction,
    };
    loop.figures.hurry();
  }

  function note(one: RunningBot, kind: Parameters<typeof live.note>[0]["kind"], sentence: string) {
    live.note({ kind, botId: one.bot.id, at: clock.now(), sentence, fields: {} });
  }

  async function fail(one: RunningBot, error: unknown): Promise<void> {
    const isFinal =
      error instanceof RestoreError ||
      error instanceof InvariantError ||
      error instanceof InputError;
    one.runner = null;
    if (isFinal) {
      const sentence = error.message.slice(0, 300);
      log.error(`bot ${one.bot.id} stops: ${sentence}`, { bot: one.bot.id, error });
      note(one, "bot_error", sentence);
      // It starts again when somebody wishes so, not by itself.
      await setStatus(one, "error", { lastError: sentence, desiredStatus: "paused" });
      return;
    }
    const waitMs = RETRY_MS[Math.min(one.failures, RETRY_MS.length - 1)] ?? 0;
    one.failures += 1;
    one.retryAtMs = clock.monotonicMs() + waitMs;
    log.warn(`bot ${one.bot.id} could not go on; it is tried again`, { bot: one.bot.id, error });
  }

  async function start(one: RunningBot, signal: AbortSignal): Promise<void> {
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

  async function drive(one: RunningBot, hasMoved: boolean, signal: AbortSignal): Promise<void> {
    // A bot that cannot go on can still be closed.
    if (one.bot.status === "error" && one.bot.desiredAction !== null) {
      await flattenBot(one, signal);
      return;
    }
    if (one.runner === null || !one.runner.isRestored()) {
      if (clock.monotonicMs() < one.retryAtMs) return;
      await start(one, signal);
    }
    const { runner, bot } = one;
    if (runner === null || !runner.isRestored()) return;
    if (hasMoved) await runner.onRows();
    const state = stateOf(one);
    if (state !== one.state && runner.isRestored()) {
      await runner.onState(state);
      one.state = state;
    }
    const price = loop.freshPrice(bot.symbol);
    if (price !== null && runner.isRestored()) await runner.onPrice(price);
    if (runner.isRestored()) await runner.onCandles(signal);
    await followWish(one, signal);
  }

  function stateOf({ bot }: RunningBot): TradingState {
    const states = [live.cells.cell(live.account, bot.id).state];
    if (bot.desiredStatus === "stopped") states.push("halted");
    if (bot.desiredStatus === "paused" || bot.status === "error") {
      states.push(bot.config.pauseMode === "freeze" ? "frozen" : "reducing");
    }
    if (loop.isBlocked(bot)) states.push("reducing");
    return strictest(states);
  }

  async function followWish(one: RunningBot, signal: AbortSignal): Promise<void> {
    const { bot, runner } = one;
    if (runner === null) return;
    if (bot.desiredAction !== null) {
      await flattenBot(one, signal);
      return;
    }
    if (bot.desiredStatus === "running" && bot.status !== "running") {
      note(one, "bot_started", `${bot.name} runs on ${bot.symbol}.`);
      await setStatus(one, "running");
    } else if (bot.desiredStatus === "paused" && bot.status !== "paused") {
      note(one, "bot_paused", `${bot.name} is paused; what it holds stays guarded.`);
      await setStatus(one, "paused");
    } else if (bot.desiredStatus === "stopped" && (await isEmptied(runner))) {
      note(one, "bot_stopped", `${bot.name} stopped. ${keptSentence(runner)}`);
      await setStatus(one, "stopped");
      running.delete(bot.id);
    }
  }

  /** Takes back everything but the protective stop; true once nothing else is left. */
  async function isEmptied(runner: BotRunner): Promise<boolean> {
    const left = runner.orders().filter((intent) => isAlive(intent) && !isProtective(intent));
    if (left.length === 0) return true;
    const batch = { cancel: left, place: [], park: [], send: [], step: null, isFlatten: false };
    await loop.parts.dispatcher.dispatch(batch);
    await runner.onRows();
    return false;
  }

  async function flattenBot(one: RunningBot, signal: AbortSignal): Promise<void> {
    const { bot, runner } = one;
    note(one, "flatten_started", `${bot.name}: everything it holds is closed.`);
    const report = await loop.flatten(
      { owner: ownerOf(bot), botId: bot.id, symbols: [bot.symbol] },
      signal,
    );
    if (runner?.isRestored()) await runner.onRows();
    const kind = report.isDone ? "flatten_completed" : "flatten_incomplete";
    note(one, kind, report.sentence);
    const isResumed = bot.desiredAction === "flatten_then_resume" && report.isDone;
    await setStatus(one, isResumed ? "running" : "paused", {
      clearsAction: true,
      desiredStatus: isResumed ? "running" : "paused",
    });
  }

  return {
    async refresh() {
      const rows = await bots.list(scope, account.id);
      const ids = new Set(rows.map(({ id }) => id));
      for (const [id, one] of running) if (!ids.has(id) && one.runner) running.delete(id);
      for (const bot of rows) {
        const known = running.get(bot.id);
        if (!known) {
          if (!wantsDriving(bot)) continue;
          const fresh = { runner: null, state: null, retryAtMs: 0, failures: 0, rungsMax: 0 };
          running.set(bot.id, { bot, ...fresh, heartbeats: [] });
          continue;
        }
        // A new configuration is taken up by starting again from the rows.
        if (known.bot.configVersion !== bot.configVersion) known.runner = null;
        if (known.bot.status === "error" && bot.status !== "error") known.retryAtMs = 0;
        known.bot = bot;
      }
    },
    async tick(moved, signal) {
      for (const one of [...running.values()]) {
        signal.throwIfAborted();
        if (isAtRest(one.bot)) continue;
        const hasMoved = moved === "all" || moved.has(one.bot.symbol);
        try {
          await drive(one, hasMoved, signal);
        } catch (error) {
          if (signal.aborted) throw error;
          await fail(one, error);
        }
      }
    },
    async checkpoint() {
      for (const { bot, runner } of running.values()) {
        if (!runner?.isRestored()) continue;
        await runner.checkpoint().catch((error: unknown) => {
          log.warn(`where bot ${bot.id} is was not written down`, { bot: bot.id, error });
        });
      }
    },
    all: () => [...running.values()],
    isNeeded: () => running.size > 0,
  };
}

/** Whether a bot has to be followed: it runs, is to run, or has something to be closed. */
export function wantsDriving({ status, desiredStatus, desiredAction }: Bot): boolean {
  if (desiredAction !== null) return true;
  if (status === "running" || status === "paused" || status === "error") return true;
  return desiredStatus === "running";
}

/** A bot with an error does nothing until somebody wishes something of it. */
function isAtRest({ status, desiredStatus, desiredAction }: Bot): boolean {
  return status === "error" && desiredAction === null && desiredStatus === "paused";
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
