// Compares what a strategy wants with what works at the exchange and returns only the differences.
// Pure; called by the step in every mode. It must never decide whether an order is allowed.
import type { OrderIntent, TargetOrder } from "../model/order.ts";

/** Targets and working orders by slot; a slot holds at most one order of one purpose. */
export type OrderSlots = (TargetOrder | null)[];

/** Whether a working order is near enough to the wanted one to be left alone (rule E63). */
function isNearEnough(wanted: TargetOrder, working: TargetOrder): boolean {
  if (wanted.replacePct <= 0 || wanted.qtyLots !== working.qtyLots) return false;
  const apart = Math.abs(wanted.priceTicks - working.priceTicks) / wanted.priceTicks;
  return apart * 100 < wanted.replacePct;
}

function hasSamePrice(wanted: TargetOrder, working: TargetOrder): boolean {
  return (
    wanted.priceTicks === working.priceTicks &&
    wanted.qtyLots === working.qtyLots &&
    wanted.decidedAt === working.decidedAt
  );
}

/** Whether a working order already is the wanted one. */
export function isSameOrder(wanted: TargetOrder, working: TargetOrder): boolean {
  if (wanted === working) return true;
  return (
    wanted.key === working.key &&
    wanted.kind === working.kind &&
    wanted.side === working.side &&
    wanted.bandPct === working.bandPct &&
    wanted.liveFrom === working.liveFrom &&
    (hasSamePrice(wanted, working) || isNearEnough(wanted, working))
  );
}

/**
 * Appends the intents that turn the working orders of the touched slots into the targets: cancels first,
 * then places. Planning again after they were carried out appends nothing.
 * @param touched bit mask of slots the strategy named
 */
export function plan(
  targets: OrderSlots,
  working: OrderSlots,
  touched: number,
  intents: OrderIntent[],
): void {
  for (let slot = 0; slot < targets.length; slot++) {
    if ((touched & (1 << slot)) === 0) continue;
    const wanted = targets[slot] ?? null;
    const present = working[slot] ?? null;
    if (present && !(wanted && isSameOrder(wanted, present))) {
      intents.push({ op: "cancel", slot, target: present });
    }
  }
  for (let slot = 0; slot < targets.length; slot++) {
    if ((touched & (1 << slot)) === 0) continue;
    const wanted = targets[slot] ?? null;
    const present = working[slot] ?? null;
    if (wanted && !(present && isSameOrder(wanted, present))) {
      intents.push({ op: "place", slot, target: wanted });
    }
  }
}
