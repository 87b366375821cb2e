// First entries: the order of the checks, size, timeout and flip (rules E14 to E19). Pure; called at
// candle closes while flat.
import { gridValue, stepsDown, stepsUp } from "../../model/instrument.ts";
import { orderSide, type Sign, type TargetOrder } from "../../model/order.ts";
import type { EpochMs } from "../../model/time.ts";
import { isBelow } from "../../model/tolerance.ts";
import type { CandleClosed } from "../strategy.ts";
import type { RuleContext } from "./context.ts";
import {
  GATE_LONG,
  GATE_SHORT,
  READY,
  SIGNAL_LONG,
  SIGNAL_SHORT,
  TREND_LONG,
  TREND_SHORT,
} from "./signal-flags.ts";
import { DECISIONS, type DcaAtrState, type Decision, NONE } from "./state.ts";

/** Records the decision of this candle close. */
export function note(state: DcaAtrState, decision: Decision): void {
  state.decision = DECISIONS.indexOf(decision);
}

/** Whether quantity and notional reach the exchange's minimums (rules E16, E42). */
export function reachesMinimums(context: RuleContext, lots: number, price: number): boolean {
  const { instrument } = context;
  if (lots <= 0) return false;
  const qty = gridValue(context.lots, lots);
  if (qty < instrument.minQty) return false;
  return !isBelow(qty * price * instrument.contractSize, instrument.minNotional);
}

/** Lots of a first entry at this balance and price (rule E16); 0 when there is none. */
export function entryLots(context: RuleContext, balance: number, close: number): number {
  const { general } = context.config;
  const notional =
    general.initial_entry_sizing_mode === "pct_balance"
      ? (balance * general.initial_entry_balance_pct) / 100
      : Math.min(general.initial_entry_fixed_usd, balance);
  return stepsDown(context.lots, notional / (close * context.instrument.contractSize));
}

/** Whether trend and signal of the pending direction still hold (rule E19). */
export function stillHolds(sign: Sign, signals: number): boolean {
  const wanted = sign > 0 ? TREND_LONG | SIGNAL_LONG : TREND_SHORT | SIGNAL_SHORT;
  return (signals & wanted) === wanted;
}

/** Whether the pending entry waited its time (rule E18). */
export function isTimedOut(context: RuleContext, decidedAt: EpochMs, at: EpochMs): boolean {
  return context.entryTimeoutMs > 0 && at - decidedAt >= context.entryTimeoutMs;
}

/** The direction to enter at this close, or the reason why none (rule E14, in its order). */
function direction(context: RuleContext, signals: number): Sign | Decision {
  const { allow_long: long, allow_short: short } = context.config.general;
  if ((signals & READY) === 0) return "not_ready";
  const trendLong = long && (signals & TREND_LONG) !== 0;
  const trendShort = short && (signals & TREND_SHORT) !== 0;
  if (!trendLong && !trendShort) return "trend";
  if (trendLong && (signals & SIGNAL_LONG) !== 0) {
    return (signals & GATE_LONG) !== 0 ? 1 : "ma_gate";
  }
  if (trendShort && (signals & SIGNAL_SHORT) !== 0) {
    return (signals & GATE_SHORT) !== 0 ? -1 : "ma_gate";
  }
  return "no_signal";
}

/** Decides at a candle close while flat; returns the entry order or null, and notes why. */
export function decideEntry(
  context: RuleContext,
  state: DcaAtrState,
  event: CandleClosed,
  balance: number,
): TargetOrder | null {
  const since = event.at - state.lastEntryExitAt;
  if (state.lastEntryExitAt !== NONE && since < context.entryCooldownMs) {
    note(state, "cooldown");
    return null;
  }
  if (!(balance > 0)) {
    note(state, "no_balance");
    return null;
  }
  const found = direction(context, event.signals);
  if (typeof found === "string") {
    note(state, found);
    return null;
  }
  const lots = entryLots(context, balance, event.close);
  if (!reachesMinimums(context, lots, event.close)) {
    state.rejections.entryBelowMin += 1;
    note(state, "below_min");
    return null;
  }
  note(state, found > 0 ? "entry_long" : "entry_short");
  state.pendingSign = found;
  state.pendingDecidedAt = event.at;
  return entryOrder(context, found, lots, event);
}

function entryOrder(
  context: RuleContext,
  sign: Sign,
  lots: number,
  event: CandleClosed,
): TargetOrder {
  const kind = context.entryKind;
  const passive =
    sign > 0 ? stepsDown(context.prices, event.close) : stepsUp(context.prices, event.close);
  return {
    key: "entry",
    purpose: "entry",
    kind,
    side: orderSide(sign, false),
    positionSide: sign > 0 ? "long" : "short",
    isReduceOnly: false,
    priceTicks: kind === "market" ? 0 : passive,
    qtyLots: lots,
    bandPct: context.config.general.dynamic_activation.entry_pct,
    decidedAt: event.at,
    liveFrom: 0,
    replacePct: 0,
    reason: "ENTRY",
  };
}
