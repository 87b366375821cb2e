// The DCA ladder: price and size of the next rung, skipping, re-pricing (rules E41 to E45). Pure; only
// one rung exists at a time (rule E28).
import { gridValue, stepsDown, stepsUp } from "../../model/instrument.ts";
import { orderSide, type Sign, type TargetOrder } from "../../model/order.ts";
import type { Position } from "../../model/position.ts";
import type { EpochMs } from "../../model/time.ts";
import type { RuleContext } from "./context.ts";
import { reachesMinimums } from "./entry.ts";
import type { DcaAtrState } from "./state.ts";

/** ATR behind the ladder: captured or floating; NONE while unknown. */
function ladderAtr(context: RuleContext, state: DcaAtrState, atr: number): number {
  return context.config.general.lock_atr_on_entry_for_dca ? state.capturedAtr : atr;
}

/** Whether the resting rung follows the ATR of every candle (rule E43, lock off). */
export function isLadderFloating(context: RuleContext): boolean {
  const { dca, general } = context.config;
  return dca.deviation_mode === "ATR" && !general.lock_atr_on_entry_for_dca;
}

/**
 * Unrounded target price of a level; NONE while its ATR is unknown. May be zero or negative, which ends the ladder.
 * `base` is the average entry or the first fill price.
 */
export function rungTarget(
  context: RuleContext,
  sign: Sign,
  base: number,
  level: number,
  atr: number,
): number | null {
  const { dca } = context.config;
  const growth = dca.deviation_multiplier ** level;
  if (dca.deviation_mode === "PCT") {
    return base * (1 - (sign * dca.base_deviation_pct * growth) / 100);
  }
  return atr < 0 ? null : base - sign * dca.base_deviation_atr_mult * growth * atr;
}

/** Lots of a level: base quantity times the volume multiplier to the level, rounded down (rule E41). */
export function rungLots(context: RuleContext, baseQty: number, level: number): number {
  return stepsDown(context.lots, baseQty * context.config.dca.volume_multiplier ** level);
}

/** Whether a part of the rung of this level was executed already: less than its size is left. */
export function isRungFilling(
  context: RuleContext,
  state: DcaAtrState,
  rung: TargetOrder,
): boolean {
  return rung.qtyLots < rungLots(context, state.baseQty, state.level);
}

function passiveTicks(context: RuleContext, sign: Sign, price: number): number {
  return sign > 0 ? stepsDown(context.prices, price) : stepsUp(context.prices, price);
}

function baseOf(context: RuleContext, state: DcaAtrState, position: Position): number {
  return context.config.general.use_avg_entry_for_dca_base ? position.average : state.basePrice;
}

function rungOrder(
  context: RuleContext,
  state: DcaAtrState,
  sign: Sign,
  ticks: number,
  lots: number,
  at: EpochMs,
): TargetOrder {
  return {
    key: `dca:${state.level + 1}`,
    purpose: "rung",
    kind: context.rungKind,
    side: orderSide(sign, false),
    positionSide: sign > 0 ? "long" : "short",
    isReduceOnly: false,
    priceTicks: ticks,
    qtyLots: lots,
    bandPct: context.config.general.dynamic_activation.dca_pct,
    decidedAt: at,
    liveFrom: context.dcaCooldownMs > 0 ? state.lastExpandAt + context.dcaCooldownMs : 0,
    replacePct: 0,
    reason: context.rungReasons[state.level] ?? `DCA_${state.level + 1}`,
  };
}

/**
 * The next rung after an expanding fill, or null: ladder complete or closed, ATR unknown yet, or no level left
 * that reaches the minimums. Levels too small are skipped for good and counted (rule E42).
 */
export function nextRung(
  context: RuleContext,
  state: DcaAtrState,
  position: Position,
  atr: number,
  at: EpochMs,
): TargetOrder | null {
  const most = context.config.general.max_entries;
  const sign = position.sign;
  while (state.entries < most && state.level <= most - 2 && !state.isLadderClosed) {
    const base = baseOf(context, state, position);
    const target = rungTarget(context, sign, base, state.level, ladderAtr(context, state, atr));
    if (target === null) return null;
    const ticks = passiveTicks(context, sign, target);
    if (target <= 0 || ticks <= 0) {
      state.isLadderClosed = true;
      return null;
    }
    const lots = rungLots(context, state.baseQty, state.level);
    if (reachesMinimums(context, lots, gridValue(context.prices, ticks))) {
      return rungOrder(context, state, sign, ticks, lots, at);
    }
    state.rejections.rungBelowMin += 1;
    state.level += 1;
  }
  return null;
}

/** The resting rung at this candle's ATR: the same object when its rounded price is unchanged (rule E43). */
export function repriceRung(
  context: RuleContext,
  state: DcaAtrState,
  position: Position,
  rung: TargetOrder,
  atr: number,
  at: EpochMs,
): TargetOrder | null {
  const base = baseOf(context, state, position);
  const target = rungTarget(context, position.sign, base, state.level, atr);
  if (target === null) return rung;
  const ticks = passiveTicks(context, position.sign, target);
  if (target <= 0 || ticks <= 0) {
    state.isLadderClosed = true;
    return null;
  }
  if (ticks === rung.priceTicks) return rung;
  return rungOrder(context, state, position.sign, ticks, rung.qtyLots, at);
}
