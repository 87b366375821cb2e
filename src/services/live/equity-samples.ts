// When the equity of a bot or an account is a point of its curve: every minute while it changes, else four times an
// hour. Asked by the account's status at every tick; it remembers, and writes nothing.
import type { Decimal } from "../../model/decimal.ts";
import type { EpochMs } from "../../model/time.ts";
import type { BotId } from "../../ports/bot-store.ts";

/** Chooses points of curves. */
export type EquitySamples = {
  /** Whether this is a point, which it is taken for then. @param botId null for the account as a whole */
  isDue(botId: BotId | null, at: EpochMs, equity: Decimal | null): equity is Decimal;
};

const MOVED_EVERY_MS = 60_000;
const SAME_EVERY_MS = 900_000;

/** Nothing was sampled yet: the first equity that is known is a point. */
export function createEquitySamples(): EquitySamples {
  const last = new Map<BotId | null, { readonly at: EpochMs; readonly equity: Decimal }>();
  return {
    isDue(botId, at, equity): equity is Decimal {
      if (equity === null) return false;
      const before = last.get(botId);
      const everyMs = before?.equity === equity ? SAME_EVERY_MS : MOVED_EVERY_MS;
      // A clock that was set back begins anew.
      if (before !== undefined && at >= before.at && at - before.at < everyMs) return false;
      last.set(botId, { at, equity });
      return true;
    },
  };
}
