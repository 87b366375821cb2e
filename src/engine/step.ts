// The step: one event in, approved intents out. 1 apply, 2 ask the strategy, 3 plan the differences,
// 4 approve under the trading state. The same function in backtest, paper and live; it owns and updates its state.
import { isSameOrder, plan } from "../execution/planner.ts";
import { gridValue } from "../model/instrument.ts";
import type { OrderIntent } from "../model/order.ts";
import { flatPosition } from "../model/position.ts";
import { assert } from "../model/result.ts";
import { approve } from "../risk/pre-trade.ts";
import { mustWithdraw } from "../risk/trading-state.ts";
import type { OrderFilled, OrderRefused, Strategy } from "../strategy/strategy.ts";
import { bookExpansion, bookFunding, bookReduction, type Contract } from "./accounting.ts";
import type {
  EngineEvent,
  EngineFill,
  EngineOrderEnded,
  EngineOutput,
  HoldingAdjusted,
  OrderProgress,
  OrderWithheld,
} from "./event.ts";
import type { EngineState } from "./state.ts";

/** What a step needs beside state and event. */
export type StepContext<S> = {
  readonly strategy: Strategy<S>;
  readonly contract: Contract;
  /** Live: a cancel is only asked for, so its slot stays taken until the order is known to be gone. */
  readonly awaitsCancels?: boolean;
};

/** The strategy's view of a fill, reused: the strategy keeps nothing of an event. */
const filled: OrderFilled = {
  kind: "order_filled",
  at: 0,
  slot: 0,
  price: 0,
  atr: -1,
  isAtClose: false,
  isComplete: true,
  orderLots: 0,
  orderPrice: 0,
  averageShift: 0,
};

function applyFill<S>(context: StepContext<S>, state: EngineState<S>, event: EngineFill): void {
  const { fill, slot, order } = event;
  const isComplete = order === undefined || (order.restLots === 0 && !order.isCounted);
  // Told by the fill itself: it may arrive after its order was given up.
  const expands = (fill.side === "buy") === (fill.positionSide === "long");
  if (expands) bookExpansion(state, fill, context.contract, isComplete);
  else {
    assert(state.position.sign !== 0, "a reducing fill needs a position");
    bookReduction(state, fill, context.contract);
  }
  filled.averageShift = order ? settle(context, state, order) : 0;
  if (slot >= 0 && !order?.isLate) shrinkSlot(state, slot, order?.restLots ?? 0);
  filled.at = event.at;
  filled.slot = slot;
  filled.price = fill.price;
  filled.atr = event.atr;
  filled.isAtClose = event.isAtClose;
  filled.isComplete = isComplete;
  filled.orderLots = order ? order.lots : fill.qtyLots;
  filled.orderPrice = order ? order.price : fill.price;
  context.strategy.onEvent(state.strategy, filled, state, state.book);
}

/** Takes size and average as all records together say, and returns how far the average moved by that. */
function settle<S>(context: StepContext<S>, state: EngineState<S>, order: OrderProgress): number {
  const { position } = state;
  const { lots, average } = order.held;
  if (lots === 0 || position.sign === 0) return 0;
  const shift = average - position.average;
  position.lots = lots;
  position.qty = gridValue(context.contract.lots, lots);
  position.average = average;
  return shift;
}

/** What still works in a slot after a part was executed; wish and order stay the same object. */
function shrinkSlot<S>(state: EngineState<S>, slot: number, restLots: number): void {
  const { working, book } = state;
  const present = working[slot];
  if (!present || restLots === 0) {
    freeSlot(state, slot);
    return;
  }
  const rest = { ...present, qtyLots: restLots };
  const wanted = book.targets[slot];
  if (wanted && isSameOrder(wanted, present)) book.targets[slot] = rest;
  working[slot] = rest;
}

function freeSlot<S>(state: EngineState<S>, slot: number): void {
  state.working[slot] = null;
  if (state.leaving !== 0) state.leaving &= ~(1 << slot);
}

/** An order is gone: what was asked to leave makes room at once, the rest is planned at its own pace. */
function endOrder<S>(
  context: StepContext<S>,
  state: EngineState<S>,
  event: EngineOrderEnded,
): void {
  const { slot, lots, price: orderPrice } = event;
  const isAsked = (state.leaving & (1 << slot)) !== 0;
  const wasExpanding = isExpanding(state, slot);
  freeSlot(state, slot);
  if (lots > 0 && wasExpanding) state.cycle.entries += 1;
  const { kind, at, atr } = event;
  const told = { kind, at, slot, atr, orderLots: lots, orderPrice, isAsked };
  context.strategy.onEvent(state.strategy, told, state, state.book);
  if (isAsked) state.book.touched |= 1 << slot;
  else owe(state, slot, wasExpanding);
}

function owe<S>(state: EngineState<S>, slot: number, untilCandle: boolean): void {
  if (untilCandle) state.owedAtCandle |= 1 << slot;
  else state.owedAtPrice |= 1 << slot;
}

/** Plans again what could not be placed before. */
function payOwed<S>(state: EngineState<S>, isCandle: boolean): void {
  state.book.touched |= state.owedAtPrice;
  state.owedAtPrice = 0;
  if (!isCandle) return;
  state.book.touched |= state.owedAtCandle;
  state.owedAtCandle = 0;
}

function isExpanding<S>(state: EngineState<S>, slot: number): boolean {
  return state.working[slot]?.isReduceOnly === false;
}

function refuseOrder<S>(context: StepContext<S>, state: EngineState<S>, event: OrderRefused): void {
  const { slot, reason } = event;
  const untilCandle = reason === "FILTERS" || (reason !== "WOULD_TAKE" && isExpanding(state, slot));
  freeSlot(state, slot);
  context.strategy.onEvent(state.strategy, event, state, state.book);
  // Asking again at once would be refused again: the next try waits for something new.
  if (context.awaitsCancels && state.book.targets[slot]) {
    state.book.touched &= ~(1 << slot);
    owe(state, slot, untilCandle);
  }
}

function withhold<S>(state: EngineState<S>, event: OrderWithheld): void {
  if (event.op === "place") freeSlot(state, event.slot);
  else state.leaving &= ~(1 << event.slot);
  owe(state, event.slot, event.untilCandle);
}

function adjust<S>(context: StepContext<S>, state: EngineState<S>, event: HoldingAdjusted): void {
  const { position } = state;
  const { at, atr, sign, lots, average } = event;
  const tell = (averageShift: number) => {
    const told = { kind: "position_adjusted", at, atr, averageShift } as const;
    context.strategy.onEvent(state.strategy, told, state, state.book);
  };
  const isSame = position.sign === sign;
  const averageShift = isSame ? average - position.average : 0;
  if (!isSame && position.sign !== 0 && sign !== 0) {
    // Turned over: what was meant for the other side is over first.
    Object.assign(position, flatPosition());
    tell(0);
  }
  position.sign = sign;
  position.lots = lots;
  position.qty = gridValue(context.contract.lots, lots);
  position.average = average;
  tell(averageShift);
}

/** Applies what only a live market says; backtests never come here. */
function applyLive<S>(
  context: StepContext<S>,
  state: EngineState<S>,
  event: Exclude<EngineEvent, { kind: "order_filled" | "candle_closed" | "order_touched" }>,
): void {
  switch (event.kind) {
    case "order_cancelled":
    case "order_expired":
      endOrder(context, state, event);
      return;
    case "order_withheld":
      withhold(state, event);
      return;
    case "order_found":
      state.working[event.slot] = event.order;
      state.book.touched |= 1 << event.slot;
      return;
    case "position_adjusted":
      adjust(context, state, event);
      return;
    case "operator_asked":
      context.strategy.onEvent(state.strategy, event, state, state.book);
      return;
    case "balance_told":
      state.balance = event.balance;
      return;
    default:
      return;
  }
}

/** Applies the event and asks the strategy. */
function applyAndAsk<S>(context: StepContext<S>, state: EngineState<S>, event: EngineEvent): void {
  switch (event.kind) {
    case "order_filled":
      applyFill(context, state, event);
      return;
    case "funding_paid":
      bookFunding(state, event.payment);
      return;
    case "trading_state_changed":
      state.tradingState = event.state;
      state.book.touched = (1 << state.book.targets.length) - 1;
      return;
    case "order_refused":
      refuseOrder(context, state, event);
      return;
    case "candle_closed":
    case "price_ticked":
    case "order_touched":
      context.strategy.onEvent(state.strategy, event, state, state.book);
      if ((state.owedAtPrice | state.owedAtCandle) !== 0 && event.kind !== "order_touched") {
        payOwed(state, event.kind === "candle_closed");
      }
      return;
    default:
      applyLive(context, state, event);
  }
}

/**
 * Cancels working entries and rungs that the trading state no longer permits; protection is kept, and when
 * frozen nothing is touched.
 */
function withdraw<S>(state: EngineState<S>): void {
  const { working, planned, tradingState, leaving } = state;
  for (let slot = 0; slot < working.length; slot++) {
    const order = working[slot];
    if (!order || !mustWithdraw(tradingState, order.purpose)) continue;
    if ((leaving & (1 << slot)) !== 0) continue;
    if (planned.some((intent) => intent.slot === slot && intent.op === "cancel")) continue;
    planned.push({ op: "cancel", slot, target: order });
  }
}

/** Leaves out what would be placed in a slot whose order is only asked to leave. */
function waitForCancels(planned: OrderIntent[]): void {
  let cancelled = 0;
  let kept = 0;
  for (const intent of planned) {
    const bit = 1 << intent.slot;
    if (intent.op === "cancel") cancelled |= bit;
    else if ((cancelled & bit) !== 0) continue;
    planned[kept++] = intent;
  }
  planned.length = kept;
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
  applyAndAsk(context, state, event);
  const { book, working, planned } = state;
  if (book.touched === 0) return;
  planned.length = 0;
  plan(book.targets, working, book.touched & ~state.leaving, planned);
  if (state.tradingState !== "active") withdraw(state);
  book.touched = 0;
  if (planned.length === 0) return;
  const awaits = context.awaitsCancels === true;
  if (awaits) waitForCancels(planned);
  approve(planned, state.tradingState, approved, denied);
  for (const intent of approved) {
    if (intent.op === "place") working[intent.slot] = intent.target;
    else if (awaits) state.leaving |= 1 << intent.slot;
    else working[intent.slot] = null;
  }
}
