// The pre-flight checks that are made for every bot of the account: one check over all of them, which names the bot
// that is worst off. Pure; used by preflight.ts alone.
import type { PositionSide } from "../model/order.ts";
import { check, type Fact, type PreflightCheck, type PreflightKey } from "./preflight-check.ts";

/** One bot that is to trade. */
export type BotFacts = {
  readonly name: string;
  readonly symbol: string;
  readonly mode: Fact<"one_way" | "hedge">;
  /** Another bot may hold the other side of the symbol. */
  readonly needsHedge: boolean;
  readonly leverage: number;
  readonly maxLeverage: number;
  /** At the exchange; null where orders bring their own or there is none. */
  readonly leverageThere: Fact<{ readonly long: number; readonly short: number }> | null;
  readonly rules: Fact<{ readonly isTrading: boolean }>;
  /** Known once rules and candles are. */
  readonly ladders: Fact<readonly LadderFacts[]>;
  /** When its last candle closed. */
  readonly candleAgeMs: Fact<number>;
  readonly timeframeMs: number;
  /** Its strategy protects positions with a stop. */
  readonly wantsStop: boolean;
};

/** The ladder of one side. */
export type LadderFacts = {
  readonly side: PositionSide;
  /** Orders below the minimums of the exchange; 0 is the entry. */
  readonly belowMinimum: readonly number[];
  /** It needs a volatility that is not known. */
  readonly isIncomplete: boolean;
};

/** Checks over all bots. */
export type BotChecks = {
  readonly positionMode: PreflightCheck;
  readonly leverage: PreflightCheck;
  readonly symbolRules: PreflightCheck;
  readonly minimums: PreflightCheck;
  readonly candles: PreflightCheck;
};

const CANDLE_GRACE_MS = 60_000;

/** The worst of every check. */
export function botChecks(bots: readonly BotFacts[]): BotChecks {
  const over = (key: PreflightKey, remedy: string, good: string, judge: Judge) =>
    overAll(bots, key, remedy, good, judge);
  return {
    positionMode: over(
      "position_mode",
      "Switch the account to hedge mode at the exchange while nothing is held, or use one side.",
      "The account keeps positions as the bots need it",
      modeOf,
    ),
    leverage: over(
      "leverage",
      "Set the leverage of the bot, or let it be set when the bot starts.",
      "The leverage is as wanted",
      leverageOf,
    ),
    symbolRules: over(
      "symbol_rules",
      "Wait until the symbol trades again, or choose another one.",
      "Every symbol trades",
      rulesOf,
    ),
    minimums: over(
      "minimums",
      "Take a larger allocation or a shorter ladder.",
      "Every order of every ladder is large enough",
      minimumsOf,
    ),
    candles: over(
      "candles",
      "Check the connection to the exchange; a young symbol may lack history.",
      "Candles are fresh",
      candlesOf,
    ),
  };
}

type Found = { readonly level: "warn" | "fail"; readonly sentence: string };
type Judge = (bot: BotFacts) => Found | null;

function overAll(
  bots: readonly BotFacts[],
  key: PreflightKey,
  remedy: string,
  good: string,
  judge: Judge,
): PreflightCheck {
  const said = check(key, remedy);
  if (bots.length === 0) return said.fail("The account has no bot that could be checked");
  const found = bots.flatMap((bot) => {
    const one = judge(bot);
    return one === null ? [] : [{ ...one, sentence: `${bot.name}: ${one.sentence}` }];
  });
  const first = found.find(({ level }) => level === "fail") ?? found[0];
  if (!first) return said.pass(good);
  const more = found.length > 1 ? `, and ${found.length - 1} more bots` : "";
  return said[first.level](`${first.sentence}${more}`);
}

function fail(sentence: string): Found {
  return { level: "fail", sentence };
}

function modeOf({ mode, needsHedge, symbol }: BotFacts): Found | null {
  if (!mode.isKnown) return fail(`the position mode of ${symbol} is not known: ${mode.why}`);
  if (!needsHedge || mode.value === "hedge") return null;
  return fail(`another bot holds the other side of ${symbol}, and the account nets them`);
}

function leverageOf({ leverage, maxLeverage, leverageThere, symbol }: BotFacts): Found | null {
  if (leverage > maxLeverage) return fail(`leverage ${leverage} of ${maxLeverage} allowed`);
  if (leverageThere === null) return null;
  if (!leverageThere.isKnown) {
    return fail(`the leverage of ${symbol} is not known: ${leverageThere.why}`);
  }
  const { long, short } = leverageThere.value;
  if (long === leverage && short === leverage) return null;
  const there = long === short ? `${long}` : `${long} long and ${short} short`;
  return { level: "warn", sentence: `${symbol} has leverage ${there}, ${leverage} is wanted` };
}

function rulesOf({ rules, symbol }: BotFacts): Found | null {
  if (!rules.isKnown) return fail(`the rules of ${symbol} are not known: ${rules.why}`);
  return rules.value.isTrading ? null : fail(`${symbol} does not trade`);
}

function minimumsOf({ ladders }: BotFacts): Found | null {
  if (!ladders.isKnown) return fail(`its ladder is not known: ${ladders.why}`);
  if (ladders.value.some(({ isIncomplete }) => isIncomplete)) {
    return fail("its ladder needs more candles than there are");
  }
  for (const { side, belowMinimum } of ladders.value) {
    if (belowMinimum.includes(0)) return fail(`its ${side} entry is too small for the exchange`);
  }
  const short = ladders.value.find(({ belowMinimum }) => belowMinimum.length > 0);
  if (!short) return null;
  const count = short.belowMinimum.length;
  const sentence = `${count} rungs of its ${short.side} ladder are too small and left out`;
  return { level: "warn", sentence };
}

function candlesOf({ candleAgeMs, timeframeMs, symbol }: BotFacts): Found | null {
  if (!candleAgeMs.isKnown) {
    return fail(`candles of ${symbol} could not be read: ${candleAgeMs.why}`);
  }
  if (candleAgeMs.value <= timeframeMs + CANDLE_GRACE_MS) return null;
  const minutes = Math.round(candleAgeMs.value / 60_000);
  return fail(`the last candle of ${symbol} closed ${minutes} minutes ago`);
}
