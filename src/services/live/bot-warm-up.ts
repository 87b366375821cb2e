// Finds the candles a bot's indicators are fed with before it goes on. Called by bot-runner.ts at
// every restore. It must never decide on a candle, nor say of a fresh one that it was missed.
import type { Candle } from "../../model/candle.ts";
import { type EpochMs, MINUTE_MS } from "../../model/time.ts";
import type { Bot, NewEvent } from "../../ports/bot-store.ts";
import type { Market } from "../../ports/market-data.ts";
import type { CandleFeed } from "./candle-feed.ts";
import type { LiveStrategy } from "./live-strategy.ts";
import type { LiveDeps } from "./live-types.ts";

/** Where a warm-up reads from, and for which bot. */
export type WarmUpDeps = Pick<LiveDeps, "account" | "clock"> & {
  readonly bot: Bot;
  readonly strategy: LiveStrategy;
  readonly market: Market;
  readonly candles: CandleFeed;
};

/** What had closed before a bot goes on. */
export type WarmUp = {
  /** For the indicators, oldest first; none of it may be decided upon. */
  readonly candles: Candle[];
  /** Says that candles closed while nobody watched; null when none did. */
  readonly missed: NewEvent | null;
};

/** A candle that closed longer ago is made up for: indicators and exits, no entry. */
const FRESH_MIN_MS = 15_000;
const FRESH_MAX_MS = 300_000;

/** How long after its close a candle of the step may still lead to an entry, ms. */
export function freshMs(stepMs: number): number {
  return Math.min(FRESH_MAX_MS, Math.max(FRESH_MIN_MS, stepMs / 4));
}

/**
 * Reads everything that had closed before, up to the first candle that may still be decided upon.
 * @param lastOpenAt the last candle the bot took; null when it never took one
 * @throws an error named MarketDataError when the exchange does not deliver
 */
export async function readWarmUp(
  { account, clock, bot, strategy, market, candles: feed }: WarmUpDeps,
  lastOpenAt: EpochMs | null,
  signal: AbortSignal,
): Promise<WarmUp> {
  const stepMs = bot.timeframeMin * MINUTE_MS;
  const from = strategy.historyFrom(lastOpenAt ?? feed.now(market));
  const series = await feed.history(account.scope, market, bot.timeframeMin, from, signal);
  const now = feed.now(market);
  const candles: Candle[] = [];
  let missed = 0;
  for (let i = 0; i < series.length; i++) {
    const openAt = series.openAt[i]!;
    const isOld = now - (openAt + stepMs) > freshMs(stepMs);
    const isKnown = lastOpenAt !== null && openAt <= lastOpenAt;
    if (!isKnown && !isOld) break;
    if (!isKnown && lastOpenAt !== null) missed += 1;
    candles.push({
      openAt,
      open: series.open[i]!,
      high: series.high[i]!,
      low: series.low[i]!,
      close: series.close[i]!,
      volume: series.volume[i]!,
    });
  }
  return { candles, missed: missed === 0 ? null : missedEvent(bot, clock.now(), missed) };
}

function missedEvent(bot: Bot, at: EpochMs, missed: number): NewEvent {
  return {
    kind: "candles_missed",
    botId: bot.id,
    at,
    sentence: `${missed} candles closed while nobody watched; no entries were decided on them.`,
    fields: { candles: missed },
  };
}
