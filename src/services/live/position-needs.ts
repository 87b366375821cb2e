// What the bots of an account need the exchange to be set to: sides apart, and one leverage per symbol or leg. Pure;
// used by position-settings.ts alone.
import type { PositionSide } from "../../model/order.ts";
import { InputError } from "../../model/result.ts";
import type { Bot } from "../../ports/bot-store.ts";
import type { LeverageReport, PositionMode } from "../../ports/broker.ts";
import { parseConfig } from "../../strategy/dca-atr/config.ts";

/** Sides a bot may hold; none when its configuration cannot be read, which stops it elsewhere. */
export function sidesOf(bot: Pick<Bot, "config">): readonly PositionSide[] {
  try {
    const { allow_long, allow_short } = parseConfig(bot.config.strategy).general;
    return [
      ...(allow_long ? (["long"] as const) : []),
      ...(allow_short ? (["short"] as const) : []),
    ];
  } catch (error) {
    if (error instanceof InputError) return [];
    throw error;
  }
}

/** A bot that may hold the other side of this one's symbol at the same time; null when there is none. */
export function opponentOf(bot: Bot, bots: readonly Bot[]): Bot | null {
  const sides = sidesOf(bot);
  const meets = (other: Bot) =>
    sidesOf(other).some((side) => sides.includes(side === "long" ? "short" : "long"));
  const others = bots.filter(({ id, symbol }) => id !== bot.id && symbol === bot.symbol);
  return others.find(meets) ?? null;
}

/** Legs whose leverage is the bot's business; null stands for the one position of a one-way account. */
export function legsOf(bot: Bot, mode: PositionMode): readonly (PositionSide | null)[] {
  return mode === "hedge" ? sidesOf(bot) : [null];
}

/** An older bot that needs another leverage on one of the same legs; null when there is none. */
export function rivalOf(bot: Bot, bots: readonly Bot[], mode: PositionMode): Bot | null {
  const legs = legsOf(bot, mode);
  const isRival = (other: Bot) =>
    other.id < bot.id &&
    other.symbol === bot.symbol &&
    other.config.leverage !== bot.config.leverage &&
    legsOf(other, mode).some((leg) => legs.includes(leg));
  return bots.find(isRival) ?? null;
}

/** Legs of the bot with another leverage than it needs. */
export function differingLegs(
  bot: Bot,
  mode: PositionMode,
  { long, short }: LeverageReport,
): readonly (PositionSide | null)[] {
  const { leverage } = bot.config;
  return legsOf(bot, mode).filter((leg) => {
    if (leg === null) return long !== leverage || short !== leverage;
    return (leg === "long" ? long : short) !== leverage;
  });
}
