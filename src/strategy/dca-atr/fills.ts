// What executions, ends and refusals of orders mean to the strategy (rules E41 to E51, E63). An expanding order counts
// as entry or rung once it is complete or its rest is gone; stop and take-profit follow every part at once.
import { gridValue } from "../../model/instrument.ts";
import type {
  OrderEnded,
  OrderFilled,
  OrderRefused,
  PositionAdjusted,
  StrategyView,
  TargetBook,
} from "../strategy.ts";
import type { RuleContext } from "./context.ts";
import { disarmTrailing, exitOrder, fixedStopLevel, takeProfitOrder } from "./exits.ts";
import { isRungFilling, nextRung } from "./ladder.ts";
import {
  clearCycle,
  type DcaAtrState,
  ENTRY,
  EXIT,
  NONE,
  RUNG,
  STOP,
  TAKE_PROFIT,
} from "./state.ts";
import { clearTargets, resize, setTarget, updateStop } from "./targets.ts";

/** A fill, or a part of one, that is booked already. */
export function onFilled(
  context: RuleContext,
  state: DcaAtrState,
  event: OrderFilled,
  view: StrategyView,
  book: TargetBook,
): void {
  const { position } = view;
  if (position.sign === 0) {
    closeCycle(state, event.at, book);
    return;
  }
  if (event.slot !== ENTRY && event.slot !== RUNG) {
    followSize(context, state, event, view, book);
    return;
  }
  if (event.slot === ENTRY) {
    state.lastEntryExitAt = Math.max(state.lastEntryExitAt, event.at);
    if (state.lastExpandAt === NONE) {
      state.capturedAtr = event.atr;
      state.openedAtClose = event.isAtClose ? event.at : NONE;
    }
    // A late part of an entry that counts already: the ladder is based on all of it.
    if (!event.isComplete && state.entries > 0) setBase(context, state, event);
  }
  if (event.isComplete) count(context, state, event, book);
  state.lastExpandAt = Math.max(state.lastExpandAt, event.at);
  state.touchedAt = NONE;
  disarmTrailing(state);
  state.fixedStop = fixedStopLevel(context, state, position, event.atr);
  setTarget(book, TAKE_PROFIT, takeProfitOrder(context, state, position, event.at));
  if (event.isComplete) climb(context, state, event, view, book);
  else moveRung(context, state, event, view, book);
  updateStop(context, state, view, book, event.at);
}

/** The rest of an order is gone: a part that was executed counts as the whole order. */
export function onEnded(
  context: RuleContext,
  state: DcaAtrState,
  event: OrderEnded,
  view: StrategyView,
  book: TargetBook,
): void {
  const isExpanding = event.slot === ENTRY || event.slot === RUNG;
  if (isExpanding && event.orderLots > 0 && view.position.sign !== 0) {
    count(context, state, event, book);
    climb(context, state, event, view, book);
    return;
  }
  // Taken back by hand or by the exchange: the next decision is free.
  if (event.slot === ENTRY && !event.isAsked) dropEntry(state, book);
}

/**
 * A refused order. Margin drops an entry and closes the ladder (rules E45, E51), filters do the same: they would
 * refuse again. What had to rest and would have taken is tried again. A stop that comes too late becomes an exit.
 */
export function onRefused(
  state: DcaAtrState,
  event: OrderRefused,
  view: StrategyView,
  book: TargetBook,
): void {
  const { slot, reason } = event;
  if (slot === ENTRY && reason !== "WOULD_TAKE") {
    if (reason === "MARGIN") state.rejections.entryMargin += 1;
    dropEntry(state, book);
  } else if (slot === RUNG && (reason === "MARGIN" || reason === "FILTERS")) {
    if (reason === "MARGIN") state.rejections.rungMargin += 1;
    state.isLadderClosed = true;
    setTarget(book, RUNG, null);
  } else if (slot === STOP && event.isBeyond && !state.isExitSet) {
    const stop = book.targets[STOP];
    if (!stop || view.position.sign === 0) return;
    state.isExitSet = true;
    setTarget(book, EXIT, exitOrder(view.position, stop.reason, event.at));
  }
}

/** The position is another one than was booked: records came late. */
export function onAdjusted(
  context: RuleContext,
  state: DcaAtrState,
  event: PositionAdjusted,
  view: StrategyView,
  book: TargetBook,
): void {
  if (view.position.sign === 0) closeCycle(state, event.at, book);
  else followSize(context, state, event, view, book);
}

function closeCycle(state: DcaAtrState, at: number, book: TargetBook): void {
  clearCycle(state);
  state.pendingSign = 0;
  state.lastEntryExitAt = Math.max(state.lastEntryExitAt, at);
  clearTargets(book);
}

function dropEntry(state: DcaAtrState, book: TargetBook): void {
  state.pendingSign = 0;
  setTarget(book, ENTRY, null);
}

/** An expanding order is over: it is the first entry of the cycle or the next rung. */
function count(
  context: RuleContext,
  state: DcaAtrState,
  event: Pick<OrderFilled, "slot" | "orderLots" | "orderPrice">,
  book: TargetBook,
): void {
  if (event.slot === ENTRY) {
    state.entries = 1;
    state.level = 0;
    setBase(context, state, event);
    dropEntry(state, book);
  } else {
    state.entries += 1;
    state.level += 1;
  }
}

function setBase(
  context: RuleContext,
  state: DcaAtrState,
  event: Pick<OrderFilled, "orderLots" | "orderPrice">,
): void {
  state.baseQty = gridValue(context.lots, event.orderLots);
  state.basePrice = event.orderPrice;
}

function climb(
  context: RuleContext,
  state: DcaAtrState,
  event: Pick<OrderFilled, "at" | "atr">,
  view: StrategyView,
  book: TargetBook,
): void {
  setTarget(book, RUNG, nextRung(context, state, view.position, event.atr, event.at));
}

/** The resting rung after its base moved; one that is being executed stays where it is. */
function moveRung(
  context: RuleContext,
  state: DcaAtrState,
  event: Pick<OrderFilled, "at" | "atr">,
  view: StrategyView,
  book: TargetBook,
): void {
  const rung = book.targets[RUNG];
  if (!rung || isRungFilling(context, state, rung)) return;
  climb(context, state, event, view, book);
}

/** Less is held, or at another average: the exits follow, cycle, ladder and latches stay. */
function followSize(
  context: RuleContext,
  state: DcaAtrState,
  event: Pick<OrderFilled, "at" | "atr" | "averageShift">,
  view: StrategyView,
  book: TargetBook,
): void {
  const { position } = view;
  const { averageShift } = event;
  if (state.lastExpandAt === NONE) {
    // Held without an entry or rung of ours: it is protected all the same.
    state.lastExpandAt = event.at;
    state.capturedAtr = event.atr;
    state.fixedStop = fixedStopLevel(context, state, position, event.atr);
    setTarget(book, TAKE_PROFIT, takeProfitOrder(context, state, position, event.at));
  } else if (averageShift !== 0) {
    if (context.config.exits.sl_mode === "PCT") {
      state.fixedStop = fixedStopLevel(context, state, position, NONE);
    } else if (state.fixedStop !== NONE) state.fixedStop += averageShift;
    if (book.targets[TAKE_PROFIT]) {
      setTarget(book, TAKE_PROFIT, takeProfitOrder(context, state, position, event.at));
    }
    moveRung(context, state, event, view, book);
  }
  resize(book, STOP, position.lots);
  resize(book, EXIT, position.lots);
  resize(book, TAKE_PROFIT, position.lots);
  updateStop(context, state, view, book, event.at);
}
