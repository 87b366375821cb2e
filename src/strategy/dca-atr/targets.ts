// How the rules write their wishes into the target book: every change marks its slot, so that the planner looks at
// it. Used by the event handlers of the strategy only.
import type { TargetOrder } from "../../model/order.ts";
import type { EpochMs } from "../../model/time.ts";
import type { StrategyView, TargetBook } from "../strategy.ts";
import type { RuleContext } from "./context.ts";
import { stopOrder } from "./exits.ts";
import { type DcaAtrState, STOP } from "./state.ts";

/** Sets what is wanted in a slot; null for nothing. */
export function setTarget(book: TargetBook, slot: number, order: TargetOrder | null): void {
  book.targets[slot] = order;
  book.touched |= 1 << slot;
}

/** Wants nothing at all. */
export function clearTargets(book: TargetBook): void {
  for (let slot = 0; slot < book.targets.length; slot++) book.targets[slot] = null;
  book.touched |= (1 << book.targets.length) - 1;
}

/** Brings the protective order to the effective stop; an unchanged one is left alone. */
export function updateStop(
  context: RuleContext,
  state: DcaAtrState,
  view: StrategyView,
  book: TargetBook,
  at: EpochMs,
): void {
  const present = book.targets[STOP] ?? null;
  const wanted = stopOrder(context, state, view.position, present, at);
  if (wanted !== present) setTarget(book, STOP, wanted);
}

/** Another quantity of the same wish: price, reason and decision stay. */
export function resize(book: TargetBook, slot: number, qtyLots: number): void {
  const present = book.targets[slot];
  if (present && present.qtyLots !== qtyLots) setTarget(book, slot, { ...present, qtyLots });
}
