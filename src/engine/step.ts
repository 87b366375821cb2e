// The step: one event in, approved intents out. 1 apply, 2 ask the strategy, 3 plan the differences,
// 4 approve under the trading state. The same function in backtest, paper and live; it owns and updates its state.
import { plan } from "../execution/planner.ts";
import { assert } from "../model/result.ts";
import { approve } from "../risk/pre-trade.ts";
import { permits } from "../risk/trading-state.ts";
import type { OrderFilled, Strategy } from "../strategy/strategy.ts";
import { bookExit, bookExpansion, bookFunding, type Contract } from "./accounting.ts";
import type { EngineEvent, EngineFill, EngineOutput } from "./event.ts";
import type { EngineState } from "./state.ts";

/** What a step needs beside state and event. */
export type StepContext<S> = { readonly strategy: Strategy<S>; readonly contract: Contract };

/** The strategy's view of a fill, reused: the strategy keeps nothing of an event. */
const filled: OrderFilled = {
  kind: "order_filled",
  at: 0,
  slot: 0,
  price: 0,
  atr: -1,
  isAtClose: false,
};

function applyFill<S>(context: StepContext<S>, state: EngineState<S>, event: EngineFill): void {
  const { fill, slot } = event;
  // Told by the fill itself: it may arrive after its order was given up.
  const isExpanding = (fill.side === "buy") === (fill.positionSide === "long");
  if (isExpanding) bookExpansion(state, fill, context.contract);
  else {
    assert(state.position.sign !== 0, "a reducing fill needs a position");
    bookExit(state, fill, context.contract);
  }
  if (slot >= 0) state.working[slot] = null;
  filled.at = event.at;
  filled.slot = slot;
  filled.price = fill.price;
  filled.atr = event.atr;
  filled.isAtClose = event.isAtClose;
  context.strategy.onEvent(state.strategy, filled, state, state.book);
}

/** Applies the event and asks the strategy; false when no target can have changed. */
function applyAndAsk<S>(
  context: StepContext<S>,
  state: EngineState<S>,
  event: EngineEvent,
): boolean {
  switch (event.kind) {
    case "order_filled":
      applyFill(context, state, event);
      return true;
    case "funding_paid":
      bookFunding(state, event.payment);
      return false;
    case "trading_state_changed":
      state.tradingState = event.state;
      state.book.touched = (1 << state.book.targets.length) - 1;
      return true;
    case "order_refused":
      state.working[event.slot] = null;
      context.strategy.onEvent(state.strategy, event, state, state.book);
      return true;
    default:
      context.strategy.onEvent(state.strategy, event, state, state.book);
      return true;
  }
}

/**
 * Cancels working entries and rungs that the trading state no longer permits; protection is kept, and when
 * frozen nothing is touched.
 */
function withdraw<S>(state: EngineState<S>): void {
  const { working, planned, tradingState } = state;
  if (tradingState === "frozen") return;
  for (let slot = 0; slot < working.length; slot++) {
    const order = working[slot];
    if (!order || order.isReduceOnly || permits(tradingState, order.purpose)) continue;
    if (planned.some((intent) => intent.slot === slot && intent.op === "cancel")) continue;
    planned.push({ op: "cancel", slot, target: order });
  }
}

/** Handles one event; `output` is emptied first and holds what is to be sent, in order. */
export function step<S>(
  context: StepContext<S>,
  state: EngineState<S>,
  event: EngineEvent,
  output: EngineOutput,
): void {
  const { approved, denied } = output;
  if (approved.length > 0) approved.length = 0;
  if (denied.length > 0) denied.length = 0;
  const { book, working, planned } = state;
  if (!applyAndAsk(context, state, event) || book.touched === 0) return;
  planned.length = 0;
  plan(book.targets, working, book.touched, planned);
  if (state.tradingState !== "active") withdraw(state);
  book.touched = 0;
  if (planned.length === 0) return;
  approve(planned, state.tradingState, approved, denied);
  for (const intent of approved) {
    working[intent.slot] = intent.op === "place" ? intent.target : null;
  }
}
