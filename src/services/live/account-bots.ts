// The bots of one account: which of them run, what their owners wish, and the errors of one kept from the
// others. Called once a tick by the account loop; a bot is driven by nobody else.
import type { EpochMs } from "../../model/time.ts";
import type { Bot, BotId } from "../../ports/bot-store.ts";
import type { TradingState } from "../../risk/trading-state.ts";
import type { LoopContext } from "./account-loop.ts";
import { type BotDriving, driveBot, failBot } from "./bot-driving.ts";
import type { BotRunner } from "./bot-runner.ts";

/** A bot and what is remembered between ticks. */
export type RunningBot = {
  bot: Bot;
  runner: BotRunner | null;
  /** The state it was told last. */
  state: TradingState | null;
  /** The state that was set for it, as last told of; null before. */
  toldState: TradingState | null;
  /** Since when it holds a position without the stop it wants; null when it is guarded. */
  bareSince: EpochMs | null;
  isBareTold: boolean;
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
  /** Rows of a symbol changed just now: its bots look at them as soon as nothing else drives them. */
  hasBooked(symbol: string): void;
  /** Writes down where every bot is; what fails is only a longer way at the next start. */
  checkpoint(): Promise<void>;
  /** Whether any bot wants to be driven, now or soon. */
  isNeeded(): boolean;
};

/** No bots yet. */
export function createAccountBots(loop: LoopContext): AccountBots {
  const running = new Map<BotId, RunningBot>();
  const turns: Turns = { loop, running, last: Promise.resolve() };
  return {
    refresh: () => refresh(turns),
    tick: (moved, signal) => tick(turns, moved, signal),
    hasBooked(symbol) {
      inTurn(turns, () => takeRows(turns, symbol)).catch((error: unknown) => {
        loop.live.log.warn("rows could not be taken in at once", { error });
      });
    },
    checkpoint: () => checkpoint(turns),
    all: () => [...running.values()],
    isNeeded: () => running.size > 0,
  };
}

/** Bots are driven one after the other, whoever asks. */
type Turns = BotDriving & { last: Promise<unknown> };

function inTurn<T>(turns: Turns, work: () => Promise<T>): Promise<T> {
  const done = turns.last.then(work, work);
  turns.last = done.catch(() => undefined);
  return done;
}

async function refresh({ loop, running }: Turns): Promise<void> {
  const rows = await loop.bots.list(loop.scope, loop.account.id);
  const ids = new Set(rows.map(({ id }) => id));
  for (const [id, one] of running) if (!ids.has(id) && one.runner) running.delete(id);
  for (const bot of rows) {
    const known = running.get(bot.id);
    if (!known) {
      if (!wantsDriving(bot)) continue;
      const told = { toldState: null, bareSince: null, isBareTold: false };
      const fresh = { runner: null, state: null, retryAtMs: 0, failures: 0, rungsMax: 0, ...told };
      running.set(bot.id, { bot, ...fresh, heartbeats: [] });
      continue;
    }
    // A new configuration is taken up by starting again from the rows.
    if (known.bot.configVersion !== bot.configVersion) known.runner = null;
    if (known.bot.status === "error" && bot.status !== "error") known.retryAtMs = 0;
    known.bot = bot;
  }
}

async function tick(
  turns: Turns,
  moved: ReadonlySet<string> | "all",
  signal: AbortSignal,
): Promise<void> {
  for (const one of [...turns.running.values()]) {
    signal.throwIfAborted();
    if (isAtRest(one.bot)) continue;
    const hasMoved = moved === "all" || moved.has(one.bot.symbol);
    try {
      await inTurn(turns, () => driveBot(turns, one, hasMoved, signal));
    } catch (error) {
      if (signal.aborted) throw error;
      await failBot(turns.loop, one, error);
    }
  }
}

/** Takes the rows of one symbol in; what goes wrong is seen by the next tick. */
async function takeRows({ loop, running }: Turns, symbol: string): Promise<void> {
  for (const one of running.values()) {
    if (one.bot.symbol !== symbol || !one.runner?.isRestored()) continue;
    await one.runner.onRows().catch((error: unknown) => failBot(loop, one, error));
  }
}

async function checkpoint(turns: Turns): Promise<void> {
  const { log } = turns.loop.live;
  for (const { bot, runner } of turns.running.values()) {
    if (!runner?.isRestored()) continue;
    await inTurn(turns, () => runner.checkpoint()).catch((error: unknown) => {
      log.warn(`where bot ${bot.id} is was not written down`, { bot: bot.id, error });
    });
  }
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
