// What a person may change about a running cycle: where the protective stop is, and whether the next rung is left
// out. Used by the event handler of the strategy only; both hold for this cycle, and the stop until the next fill
// that enlarges the position, which sets it anew.
import type { OperatorAsked, StrategyView, TargetBook } from "../strategy.ts";
import type { RuleContext } from "./context.ts";
import { isTighter } from "./exits.ts";
import { nextRung } from "./ladder.ts";
import { type DcaAtrState, NONE, RUNG } from "./state.ts";
import { setTarget, updateStop } from "./targets.ts";

/** Carries the wish out as far as the rules allow; without a position nothing happens. */
export function onOperator(
  context: RuleContext,
  state: DcaAtrState,
  event: OperatorAsked,
  view: StrategyView,
  book: TargetBook,
): void {
  const { position } = view;
  const { ask, at, atr } = event;
  if (position.sign === 0) return;
  if (ask.what === "skip_rung") {
    if (!book.targets[RUNG]) return;
    state.level += 1;
    setTarget(book, RUNG, nextRung(context, state, position, atr, at));
    return;
  }
  const isSafer = state.fixedStop === NONE || isTighter(position.sign, ask.price, state.fixedStop);
  if (!isSafer && !ask.mayLoosen) return;
  state.fixedStop = ask.price;
  updateStop(context, state, view, book, at);
}
