// The only maker of ApprovedIntent: an intent that was not checked here cannot be sent, by type.
// Pure; called by the step after planning.
import type { ApprovedIntent, OrderIntent } from "../model/order.ts";
import { permits, type TradingState } from "./trading-state.ts";

/** An intent that may not be sent, with the code of the rule that said so. */
export type DeniedIntent = { readonly intent: OrderIntent; readonly reason: "TRADING_STATE" };

/**
 * Sorts planned intents into approved and denied. Cancels are always approved except when frozen,
 * where nothing may be touched.
 */
export function approve(
  intents: readonly OrderIntent[],
  state: TradingState,
  approved: ApprovedIntent[],
  denied: DeniedIntent[],
): void {
  for (const intent of intents) {
    const allowed =
      intent.op === "cancel" ? state !== "frozen" : permits(state, intent.target.purpose);
    if (allowed) approved.push(intent as ApprovedIntent);
    else denied.push({ intent, reason: "TRADING_STATE" });
  }
}
