// The only maker of ApprovedIntent: an intent that was not checked here cannot be sent, by type.
// Pure; called by the step after planning, and again by the live path with the check of the account.
import type { ApprovedIntent, OrderIntent } from "../model/order.ts";
import type { RiskReason } from "../model/reasons.ts";
import { permits, type TradingState } from "./trading-state.ts";

/** An intent that may not be sent, with the code of the rule that said so. */
export type DeniedIntent = { readonly intent: OrderIntent; readonly reason: RiskReason };

/** What else an order must pass; the code of the rule that keeps it back, null when none does. */
export type IntentCheck = (intent: OrderIntent) => RiskReason | null;

/**
 * Sorts planned intents into approved and denied. Cancels are always approved except when frozen,
 * where nothing may be touched.
 * @param check asked about orders the trading state permits, in their order; without one they pass
 */
export function approve(
  intents: readonly OrderIntent[],
  state: TradingState,
  approved: ApprovedIntent[],
  denied: DeniedIntent[],
  check: IntentCheck | null = null,
): void {
  for (const intent of intents) {
    const allowed =
      intent.op === "cancel" ? state !== "frozen" : permits(state, intent.target.purpose);
    if (!allowed) {
      denied.push({ intent, reason: "TRADING_STATE" });
      continue;
    }
    const reason = check === null || intent.op === "cancel" ? null : check(intent);
    if (reason === null) approved.push(intent as ApprovedIntent);
    else denied.push({ intent, reason });
  }
}
