// Take-profit, fixed stop and trailing stop: levels and the orders made of them (rules E46 to E50). Pure;
// the fixed and the trailing level share one protective order, the tighter of both.
import { stepsDown, stepsUp } from "../../model/instrument.ts";
import { orderSide, type Sign, type TargetOrder } from "../../model/order.ts";
import type { Position } from "../../model/position.ts";
import type { EpochMs } from "../../model/time.ts";
import { isAtLeast } from "../../model/tolerance.ts";
import type { CandleClosed } from "../strategy.ts";
import type { RuleContext } from "./context.ts";
import { type DcaAtrState, NONE } from "./state.ts";

/** Ticks of a closing order: a selling order is rounded up, a buying order down (rule E1). */
function closingTicks(context: RuleContext, sign: Sign, price: number): number {
  return sign > 0 ? stepsUp(context.prices, price) : stepsDown(context.prices, price);
}

/** Whether `a` protects more than `b`: higher for a long, lower for a short; NONE protects nothing. */
export function isTighter(sign: Sign, a: number, b: number): boolean {
  if (a === NONE) return false;
  return b === NONE || sign * (a - b) > 0;
}

type ClosingParts = Pick<
  TargetOrder,
  "key" | "purpose" | "kind" | "priceTicks" | "bandPct" | "reason"
> & { readonly replacePct?: number };

function closingOrder(
  sign: Sign,
  position: Position,
  parts: ClosingParts,
  at: EpochMs,
): TargetOrder {
  return {
    key: parts.key,
    purpose: parts.purpose,
    kind: parts.kind,
    side: orderSide(sign, true),
    positionSide: sign > 0 ? "long" : "short",
    isReduceOnly: true,
    priceTicks: parts.priceTicks,
    qtyLots: position.lots,
    bandPct: parts.bandPct,
    decidedAt: at,
    liveFrom: 0,
    replacePct: parts.replacePct ?? 0,
    reason: parts.reason,
  };
}

/** The take-profit of the current average and size; null when none is set or its ATR is unknown (rule E46). */
export function takeProfitOrder(
  context: RuleContext,
  state: DcaAtrState,
  position: Position,
  at: EpochMs,
): TargetOrder | null {
  const { exits, general } = context.config;
  const sign = position.sign;
  let target = 0;
  if (exits.tp_mode === "PCT") {
    if (exits.tp_pct === 0) return null;
    target = position.average * (1 + (sign * exits.tp_pct) / 100);
  } else {
    if (exits.tp_atr_mult === 0 || state.capturedAtr < 0) return null;
    target = position.average + sign * exits.tp_atr_mult * state.capturedAtr;
  }
  const ticks = closingTicks(context, sign, target);
  if (target <= 0 || ticks <= 0) return null;
  const bandPct = general.dynamic_activation.tp_pct;
  const reason = exits.tp_mode === "PCT" ? "TP_PCT" : "TP_ATR";
  const kind = context.takeProfitKind;
  return closingOrder(
    sign,
    position,
    {
      key: "tp",
      purpose: "take_profit",
      kind,
      priceTicks: ticks,
      bandPct,
      reason,
      replacePct: exits.tp_replace_threshold_pct,
    },
    at,
  );
}

/** The market exit set for the next open, under the given reason (rules E39, E62). */
export function exitOrder(position: Position, reason: string, at: EpochMs): TargetOrder {
  const parts = { key: "exit", purpose: "exit", kind: "market" } as const;
  return closingOrder(position.sign, position, { ...parts, priceTicks: 0, bandPct: 0, reason }, at);
}

/** Fixed stop from the current average, NONE when off or its ATR is unknown (rule E47). */
export function fixedStopLevel(
  context: RuleContext,
  state: DcaAtrState,
  position: Position,
  atr: number,
): number {
  const { exits } = context.config;
  if (exits.sl_mode === "PCT") {
    if (exits.sl_pct === 0) return NONE;
    const level = position.average * (1 - (position.sign * exits.sl_pct) / 100);
    return level > 0 ? level : NONE;
  }
  const distance = exits.sl_atr_lock ? state.capturedAtr : atr;
  if (exits.sl_atr_mult === 0 || distance < 0) return NONE;
  const level = position.average - position.sign * distance * exits.sl_atr_mult;
  return level > 0 ? level : NONE;
}

/** Moves an ATR stop at a candle close, only where the new level is tighter (rule E47). */
export function tightenFixedStop(
  context: RuleContext,
  state: DcaAtrState,
  position: Position,
  atr: number,
): void {
  if (context.config.exits.sl_mode !== "ATR") return;
  const level = fixedStopLevel(context, state, position, atr);
  if (isTighter(position.sign, level, state.fixedStop)) state.fixedStop = level;
}

/** Whether a trailing stop can ever arm under this configuration. */
export function trailsAtAll(context: RuleContext): boolean {
  const { exits } = context.config;
  const distance =
    exits.sl_mode === "PCT" ? exits.trail_distance_pct : exits.trail_distance_atr_mult;
  return distance > 0;
}

/** Trailing level behind a peak (rule E49). */
function trailLevel(context: RuleContext, sign: Sign, peak: number, atr: number): number {
  const { exits } = context.config;
  return exits.sl_mode === "PCT"
    ? peak - (sign * peak * exits.trail_distance_pct) / 100
    : peak - sign * atr * exits.trail_distance_atr_mult;
}

/** Gain in price that arms the trailing stop; rule E48. Activation 0 arms whatever the gain. */
function arms(context: RuleContext, position: Position, close: number, atr: number): boolean {
  const { exits } = context.config;
  const gain = position.sign * (close - position.average);
  if (exits.sl_mode === "PCT") {
    const needed = (position.average * exits.trail_activation_pct) / 100;
    return exits.trail_activation_pct === 0 || isAtLeast(gain, needed);
  }
  if (atr < 0) return false;
  return (
    exits.trail_activation_atr_mult === 0 || isAtLeast(gain, atr * exits.trail_activation_atr_mult)
  );
}

/** Follows a path price with an armed trailing stop; never loosens it (rule E49). */
export function followPrice(
  context: RuleContext,
  state: DcaAtrState,
  sign: Sign,
  price: number,
): void {
  if (sign * (price - state.trailPeak) > 0) state.trailPeak = price;
  const level = trailLevel(context, sign, state.trailPeak, state.trailAtr);
  if (isTighter(sign, level, state.trailStop)) state.trailStop = level;
}

/** Ticks of the protective stop once an armed trailing stop has followed the price this far. */
export function stopTicksAfter(
  context: RuleContext,
  state: DcaAtrState,
  sign: Sign,
  price: number,
): number {
  const peak = sign * (price - state.trailPeak) > 0 ? price : state.trailPeak;
  const level = trailLevel(context, sign, peak, state.trailAtr);
  const trail = isTighter(sign, level, state.trailStop) ? level : state.trailStop;
  return tighterTicks(context, sign, state.fixedStop, trail);
}

/** Arms or re-levels the trailing stop at a candle close (rules E48, E49). */
export function trailAtClose(
  context: RuleContext,
  state: DcaAtrState,
  position: Position,
  event: CandleClosed,
): void {
  if (!trailsAtAll(context)) return;
  const sign = position.sign;
  if (!state.isTrailing) {
    if (event.at === state.openedAtClose) return;
    if (!arms(context, position, event.close, event.atr)) return;
    state.isTrailing = true;
    state.trailPeak = sign > 0 ? event.reachedHigh : event.reachedLow;
  }
  state.trailAtr = event.atr;
  followPrice(context, state, sign, state.trailPeak);
}

/** Disarms the trailing stop after an expanding fill (rule E49). */
export function disarmTrailing(state: DcaAtrState): void {
  state.isTrailing = false;
  state.trailPeak = NONE;
  state.trailStop = NONE;
  state.trailAtr = NONE;
}

/** Ticks of the tighter of a fixed and a trailing level; 0 without either (rule E50). */
function tighterTicks(context: RuleContext, sign: Sign, fixed: number, trail: number): number {
  const fixedTicks = fixed === NONE ? 0 : closingTicks(context, sign, fixed);
  const trailTicks = trail === NONE ? 0 : closingTicks(context, sign, trail);
  if (fixedTicks <= 0 || trailTicks <= 0) return Math.max(fixedTicks, trailTicks, 0);
  return sign > 0 ? Math.max(fixedTicks, trailTicks) : Math.min(fixedTicks, trailTicks);
}

/**
 * The protective order of the effective stop. Returns `present` itself when nothing about it changes, so that an
 * unchanged stop is not replaced.
 */
export function stopOrder(
  context: RuleContext,
  state: DcaAtrState,
  position: Position,
  present: TargetOrder | null,
  at: EpochMs,
): TargetOrder | null {
  const sign = position.sign;
  const { fixedStop } = state;
  const priceTicks = tighterTicks(context, sign, fixedStop, state.trailStop);
  if (priceTicks === 0) return null;
  const isFixed = fixedStop !== NONE && closingTicks(context, sign, fixedStop) === priceTicks;
  const fixedReason = context.config.exits.sl_mode === "PCT" ? "SL_PCT" : "SL_ATR";
  const reason = isFixed ? fixedReason : "TRAILING_EXIT";
  if (
    present &&
    present.priceTicks === priceTicks &&
    present.qtyLots === position.lots &&
    present.reason === reason
  ) {
    return present;
  }
  const parts = { key: "stop", purpose: "protective_stop", kind: "stop_market" } as const;
  return closingOrder(sign, position, { ...parts, priceTicks, bandPct: 0, reason }, at);
}
