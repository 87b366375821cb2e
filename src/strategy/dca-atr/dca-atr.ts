// The DCA-ATR strategy: entries on indicator consensus, a DCA ladder, take-profit, fixed and trailing stop.
// Turns events into complete target orders; the same code runs in backtest, paper and live.
import type { Instrument } from "../../model/instrument.ts";
import type {
  CandleClosed,
  OrderFilled,
  OrderRefused,
  Strategy,
  StrategyEvent,
  StrategyView,
  TargetBook,
} from "../strategy.ts";
import type { DcaAtrConfig } from "./config.ts";
import { type RuleContext, ruleContext } from "./context.ts";
import { decideEntry, isTimedOut, note, stillHolds } from "./entry.ts";
import {
  disarmTrailing,
  exitOrder,
  fixedStopLevel,
  followPrice,
  stopOrder,
  takeProfitOrder,
  tightenFixedStop,
  trailAtClose,
} from "./exits.ts";
import { isLadderFloating, nextRung, repriceRung } from "./ladder.ts";
import { SIGNAL_LONG, SIGNAL_SHORT } from "./signal-flags.ts";
import {
  clearCycle,
  type DcaAtrState,
  ENTRY,
  EXIT,
  initialDcaAtrState,
  NONE,
  RUNG,
  STOP,
  TAKE_PROFIT,
} from "./state.ts";

/** Name and version as stored with every run; the version changes when results can. */
export const DCA_ATR = { name: "dca-atr", version: "1.0.0" } as const;

const ALL_SLOTS = (1 << STOP) | (1 << EXIT) | (1 << TAKE_PROFIT) | (1 << RUNG) | (1 << ENTRY);
const SLOTS = ["protective_stop", "exit", "take_profit", "rung", "entry"] as const;

/** The strategy with its rule context, which the wake sources read too. */
export type DcaAtr = Strategy<DcaAtrState> & { readonly context: RuleContext };

/**
 * Binds a configuration to an instrument.
 * @throws InputError when tick or step of the instrument are not usable
 */
export function createDcaAtr(config: DcaAtrConfig, instrument: Instrument): DcaAtr {
  const context = ruleContext(config, instrument);
  return {
    ...DCA_ATR,
    slots: SLOTS,
    context,
    initialState: initialDcaAtrState,
    followsPrice: (state) => state.isTrailing,
    pendingSide: (state) =>
      state.pendingSign === 0 ? null : state.pendingSign > 0 ? "long" : "short",
    onEvent: (state, event, view, book) => onEvent(context, state, event, view, book),
  };
}

function onEvent(
  context: RuleContext,
  state: DcaAtrState,
  event: StrategyEvent,
  view: StrategyView,
  book: TargetBook,
): void {
  switch (event.kind) {
    case "candle_closed":
      if (view.position.sign === 0) closeWhileFlat(context, state, event, view, book);
      else closeInPosition(context, state, event, view, book);
      return;
    case "price_ticked":
      followPrice(context, state, view.position.sign, event.price);
      updateStop(context, state, view, book, event.at);
      return;
    case "order_filled":
      onFilled(context, state, event, view, book);
      return;
    case "order_refused":
      onRefused(state, event, book);
      return;
    case "order_touched":
      if (event.slot === TAKE_PROFIT && state.touchedAt === NONE) state.touchedAt = event.at;
      return;
  }
}

function closeWhileFlat(
  context: RuleContext,
  state: DcaAtrState,
  event: CandleClosed,
  view: StrategyView,
  book: TargetBook,
): void {
  if (state.pendingSign !== 0) {
    const timedOut = isTimedOut(context, state.pendingDecidedAt, event.at);
    if (!timedOut && stillHolds(state.pendingSign, event.signals)) {
      note(state, "entry_pending");
      return;
    }
    if (timedOut) state.withdrawn.timeout += 1;
    else state.withdrawn.flipped += 1;
    state.pendingSign = 0;
    setTarget(book, ENTRY, null);
  }
  if (!event.mayEnter) {
    note(state, "no_new_entries");
    return;
  }
  const order = decideEntry(context, state, event, view.balance);
  if (order) setTarget(book, ENTRY, order);
}

function closeInPosition(
  context: RuleContext,
  state: DcaAtrState,
  event: CandleClosed,
  view: StrategyView,
  book: TargetBook,
): void {
  const { position } = view;
  note(state, "in_position");
  if (state.capturedAtr < 0 && event.atr >= 0) {
    state.capturedAtr = event.atr;
    if (!book.targets[TAKE_PROFIT]) {
      setTarget(book, TAKE_PROFIT, takeProfitOrder(context, state, position, event.at));
    }
  }
  const rung = book.targets[RUNG] ?? null;
  if (!rung) {
    const next = nextRung(context, state, position, event.atr, event.at);
    if (next) setTarget(book, RUNG, next);
  } else if (isLadderFloating(context)) {
    const moved = repriceRung(context, state, position, rung, event.atr, event.at);
    if (moved !== rung) setTarget(book, RUNG, moved);
  }
  tightenFixedStop(context, state, position, event.atr);
  trailAtClose(context, state, position, event);
  updateStop(context, state, view, book, event.at);
  if (!state.isExitSet) decideExit(context, state, event, view, book);
}

/** Sets the market exit for the next open: take-profit timeout first, then the opposite signal. */
function decideExit(
  context: RuleContext,
  state: DcaAtrState,
  event: CandleClosed,
  view: StrategyView,
  book: TargetBook,
): void {
  const { position } = view;
  const takeProfit = book.targets[TAKE_PROFIT];
  let reason = "";
  if (takeProfit && isExitDue(context, state, event.at)) reason = takeProfit.reason;
  else if (context.config.exits.on_opposite_signal === "close") {
    const opposite = position.sign > 0 ? SIGNAL_SHORT : SIGNAL_LONG;
    if ((event.signals & opposite) !== 0) reason = "OPPOSITE_SIGNAL";
  }
  if (reason === "") return;
  state.isExitSet = true;
  setTarget(book, EXIT, exitOrder(position, reason, event.at));
}

/** Whether a touched maker take-profit waited its time (rule E39). */
function isExitDue(context: RuleContext, state: DcaAtrState, at: number): boolean {
  if (context.takeProfitKind !== "post_only" || context.exitTimeoutMs <= 0) return false;
  return state.touchedAt !== NONE && at - state.touchedAt >= context.exitTimeoutMs;
}

function onFilled(
  context: RuleContext,
  state: DcaAtrState,
  event: OrderFilled,
  view: StrategyView,
  book: TargetBook,
): void {
  const { position } = view;
  if (position.sign === 0) {
    clearCycle(state);
    state.lastEntryExitAt = event.at;
    for (let slot = 0; slot < book.targets.length; slot++) book.targets[slot] = null;
    book.touched |= ALL_SLOTS;
    return;
  }
  if (event.slot === ENTRY) {
    state.pendingSign = 0;
    state.lastEntryExitAt = event.at;
    state.entries = 1;
    state.level = 0;
    state.baseQty = position.qty;
    state.basePrice = event.price;
    state.capturedAtr = event.atr;
    state.openedAtClose = event.isAtClose ? event.at : NONE;
    setTarget(book, ENTRY, null);
  } else {
    state.entries += 1;
    state.level += 1;
  }
  state.lastExpandAt = event.at;
  state.touchedAt = NONE;
  disarmTrailing(state);
  state.fixedStop = fixedStopLevel(context, state, position, event.atr);
  setTarget(book, TAKE_PROFIT, takeProfitOrder(context, state, position, event.at));
  setTarget(book, RUNG, nextRung(context, state, position, event.atr, event.at));
  updateStop(context, state, view, book, event.at);
}

/** A fill refused for margin: an entry is dropped, a rung closes the ladder of the cycle (rules E45, E51). */
function onRefused(state: DcaAtrState, event: OrderRefused, book: TargetBook): void {
  if (event.slot === ENTRY) {
    state.rejections.entryMargin += 1;
    state.pendingSign = 0;
  } else {
    state.rejections.rungMargin += 1;
    state.isLadderClosed = true;
  }
  setTarget(book, event.slot, null);
}

function updateStop(
  context: RuleContext,
  state: DcaAtrState,
  view: StrategyView,
  book: TargetBook,
  at: number,
): void {
  const present = book.targets[STOP] ?? null;
  const wanted = stopOrder(context, state, view.position, present, at);
  if (wanted !== present) setTarget(book, STOP, wanted);
}

function setTarget(book: TargetBook, slot: number, order: TargetBook["targets"][number]): void {
  book.targets[slot] = order;
  book.touched |= 1 << slot;
}
