// How the exchange keeps positions of the account's symbols, and with which leverage: read, compared with what the
// bots need, and the leverage set where nothing is held. Asked by the account loop once a tick; what is not known
// blocks entries and is asked again. It never switches the position mode: that is a person's decision.
import type { EventKind } from "../../model/event-kinds.ts";
import type { PositionSide } from "../../model/order.ts";
import type { Bot, BotId } from "../../ports/bot-store.ts";
import type { LeverageReport, PositionMode } from "../../ports/broker.ts";
import { BOT_LEVERAGE_MAX } from "../desk/bot-draft-fields.ts";
import { createReadings, type Readings } from "./exchange-readings.ts";
import type { LiveDeps } from "./live-types.ts";
import { leaseIsShort } from "./order-sending.ts";
import { differingLegs, opponentOf, rivalOf } from "./position-needs.ts";

/** Watches the settings of positions. */
export type PositionSettings = {
  /**
   * Begins to read what is due and to set the leverage that differs, unless that is under way: exchanges answer few
   * such questions a minute, and exits must not wait for them. Never throws; what fails blocks entries.
   */
  look(bots: readonly Bot[], signal: AbortSignal): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
  /** Why the position mode keeps entries of the bot back; null when it does not. */
  modeBlock(botId: BotId): string | null;
  /** Why the leverage keeps entries of the bot back; null when it does not. */
  leverageBlock(botId: BotId): string | null;
};

/** Why something is blocked, and the event that tells of it; null kinds are told by somebody else. */
type Block = { readonly sentence: string; readonly kind: EventKind | null };

type Settings = {
  readonly deps: LiveDeps;
  readonly modes: Readings<PositionMode>;
  readonly leverages: Readings<LeverageReport>;
  readonly modeBlocks: Map<BotId, Block>;
  readonly leverageBlocks: Map<BotId, Block>;
  /** Not tried again before, by symbol and leverage. */
  readonly retryAtMs: Map<string, number>;
};

/** A leverage that was not taken is tried again after this. */
const SET_AGAIN_MS = 120_000;
/** Whether something is still held is looked at again after this. */
const LOOK_AGAIN_MS = 15_000;
const UNSEEN: Block = { sentence: "it was not asked for yet", kind: null };

/** Settings nobody has looked at: everything is blocked until the first look. */
export function createPositionSettings(deps: LiveDeps): PositionSettings {
  const { broker } = deps;
  const settings: Settings = {
    deps,
    modes: createReadings(deps, "the position mode", (symbol, signal) =>
      broker.positionMode(symbol, { signal }),
    ),
    leverages: createReadings(deps, "the leverage", (symbol, signal) =>
      broker.leverage(symbol, { signal }),
    ),
    modeBlocks: new Map(),
    leverageBlocks: new Map(),
    retryAtMs: new Map(),
  };
  const seen = new Set<BotId>();
  const blockOf = (blocks: ReadonlyMap<BotId, Block>, what: string, botId: BotId) =>
    seen.has(botId) ? (blocks.get(botId)?.sentence ?? null) : `${what}: ${UNSEEN.sentence}`;
  async function round(bots: readonly Bot[], signal: AbortSignal): Promise<void> {
    for (const bot of bots) {
      const mode = await modeBlock(settings, bot, bots, signal);
      keep(settings, settings.modeBlocks, bot, mode);
      const leverage = await leverageBlock(settings, bot, bots, signal);
      keep(settings, settings.leverageBlocks, bot, leverage);
      seen.add(bot.id);
    }
  }

  let underWay: Promise<void> | null = null;
  return {
    look(bots, signal) {
      if (underWay !== null || signal.aborted) return;
      underWay = round(bots, signal)
        .catch((error: unknown) => {
          if (!signal.aborted) deps.log.warn("position settings were not looked at", { error });
        })
        .finally(() => {
          underWay = null;
        });
    },
    idle: async () => (await underWay) ?? undefined,
    modeBlock: (botId) => blockOf(settings.modeBlocks, "the position mode", botId),
    leverageBlock: (botId) => blockOf(settings.leverageBlocks, "the leverage", botId),
  };
}

/** Remembers why a bot is blocked; tells of it when the reason is a new one. */
function keep(
  { deps }: Settings,
  blocks: Map<BotId, Block>,
  { id, name, symbol }: Bot,
  block: Block | null,
): void {
  const before = blocks.get(id);
  if (block === null) {
    blocks.delete(id);
    return;
  }
  blocks.set(id, block);
  if (block.kind === null || before?.sentence === block.sentence) return;
  const sentence = `${name}: ${block.sentence}.`;
  deps.note({ kind: block.kind, botId: id, at: deps.clock.now(), sentence, fields: { symbol } });
}

async function modeBlock(
  { deps, modes }: Settings,
  bot: Bot,
  bots: readonly Bot[],
  signal: AbortSignal,
): Promise<Block | null> {
  const { symbol } = bot;
  const expected = deps.account.positionMode;
  const opponent = opponentOf(bot, bots);
  if (deps.broker.capabilities.positionMode) {
    await modes.refresh(symbol, signal);
    const mode = modes.of(symbol);
    if (mode === null) {
      const sentence = `the position mode of ${symbol} is not known yet`;
      return { sentence, kind: "hedge_mode_unknown" };
    }
    if (mode !== expected) {
      const words = `the exchange keeps positions ${WORDS[mode]}, and began ${WORDS[expected]}`;
      const cure = "set it back, or stop all bots of the account and start them again";
      return { sentence: `${words}: ${cure}`, kind: "position_mode_changed" };
    }
  }
  if (opponent === null || expected === "hedge") return null;
  const sentence =
    `${opponent.name} may hold the other side of ${symbol}, and the account keeps one net position: ` +
    "it must be in hedge mode for both";
  return { sentence, kind: "hedge_mode_required" };
}

const WORDS: Readonly<Record<PositionMode, string>> = {
  hedge: "long and short apart",
  one_way: "as one net position",
};

async function leverageBlock(
  settings: Settings,
  bot: Bot,
  bots: readonly Bot[],
  signal: AbortSignal,
): Promise<Block | null> {
  const { deps, leverages } = settings;
  const { capabilities } = deps.broker;
  const { symbol } = bot;
  const { leverage } = bot.config;
  if (leverage > BOT_LEVERAGE_MAX) {
    return differs(`leverage ${leverage} is above the ${BOT_LEVERAGE_MAX} that are allowed`);
  }
  if (!capabilities.leverage) {
    return leverage === 1 ? null : differs(`${symbol} has no leverage, and ${leverage} is wanted`);
  }
  // There every order brings its own.
  if (capabilities.leverageWithOrder) return null;
  const rival = rivalOf(bot, bots, deps.account.positionMode);
  if (rival !== null) {
    const shared = `${rival.name} uses ${rival.config.leverage} on the same position`;
    return differs(`it wants leverage ${leverage} in ${symbol}, and ${shared}`);
  }
  await leverages.refresh(symbol, signal);
  const present = leverages.of(symbol);
  if (present === null) {
    return { sentence: `the leverage of ${symbol} is not known yet`, kind: null };
  }
  const legs = differingLegs(bot, deps.account.positionMode, present);
  return legs.length === 0 ? null : await setLeverage(settings, bot, legs, present, signal);
}

function differs(sentence: string): Block {
  return { sentence, kind: "leverage_differs" };
}

/** Sets the leverage of these legs and reads it back; null when it is as wanted then. */
async function setLeverage(
  settings: Settings,
  bot: Bot,
  legs: readonly (PositionSide | null)[],
  present: LeverageReport,
  signal: AbortSignal,
): Promise<Block | null> {
  const { deps, leverages, retryAtMs } = settings;
  const { symbol } = bot;
  const { leverage } = bot.config;
  const { long, short } = present;
  const has = long === short ? `${long}` : `${long} long and ${short} short`;
  const gap = `the exchange has leverage ${has} in ${symbol}, ${leverage} is wanted`;
  const nowMs = deps.clock.monotonicMs();
  const wish = `${symbol} ${leverage}`;
  if (nowMs < (retryAtMs.get(wish) ?? Number.NEGATIVE_INFINITY)) {
    return settings.leverageBlocks.get(bot.id) ?? differs(gap);
  }
  if (await isHeld(deps, symbol)) {
    retryAtMs.set(wish, nowMs + LOOK_AGAIN_MS);
    return differs(`${gap}; it is set once nothing is held there`);
  }
  const { state } = deps.cells.cell(deps.account, bot.id);
  if (state !== "active" || leaseIsShort(deps.lease) !== null) {
    return { sentence: `${gap}; nothing is set while trading is ${state}`, kind: null };
  }
  const problems: string[] = [];
  for (const leg of legs) {
    const answer = await deps.broker.setLeverage(symbol, leverage, leg, { signal });
    if (answer.outcome !== "accepted") problems.push(answer.sentence);
  }
  leverages.forget(symbol);
  await leverages.refresh(symbol, signal);
  const after = leverages.of(symbol);
  const { positionMode } = deps.account;
  if (after !== null && differingLegs(bot, positionMode, after).length === 0) {
    const sentence = `${bot.name}: the leverage of ${symbol} is ${leverage} now, before ${has}.`;
    const fields = { symbol, leverage };
    deps.note({ kind: "leverage_set", botId: bot.id, at: deps.clock.now(), sentence, fields });
    return null;
  }
  retryAtMs.set(wish, deps.clock.monotonicMs() + SET_AGAIN_MS);
  const [problem] = problems;
  if (problem === undefined) return differs(`${gap}; it was set and is not there`);
  return { sentence: `${gap}: ${problem}`.slice(0, 400), kind: "leverage_set_failed" };
}

/** Whether anybody holds something there: another leverage would move the price of liquidation. */
async function isHeld({ store, account }: LiveDeps, symbol: string): Promise<boolean> {
  const holdings = await store.holdings(account.scope, account.accountId);
  return holdings.some((one) => one.symbol === symbol && one.position.positionSide !== null);
}
