// The DCA-ATR strategy: entries on indicator consensus, a DCA ladder, take-profit, fixed and trailing stop.
// Turns events into complete target orders; the same code runs in backtest, paper and live.
import type { Instrument } from "../../model/instrument.ts";
import type {
  CandleClosed,
  Strategy,
  StrategyEvent,
  StrategyView,
  TargetBook,
} from "../strategy.ts";
import type { DcaAtrConfig } from "./config.ts";
import { type RuleContext, ruleContext } from "./context.ts";
import { decideEntry, isTimedOut, note, stillHolds } from "./entry.ts";
import {
  exitOrder,
  followPrice,
  takeProfitOrder,
  tightenFixedStop,
  trailAtClose,
} from "./exits.ts";
import { onAdjusted, onEnded, onFilled, onRefused } from "./fills.ts";
import { isLadderFloating, isRungFilling, nextRung, repriceRung } from "./ladder.ts";
import { restoreDcaAtrState } from "./restore-state.ts";
import { SIGNAL_LONG, SIGNAL_SHORT } from "./signal-flags.ts";
import { onOperator } from "./operator.ts";
import {
  type DcaAtrState,
  ENTRY,
  EXIT,
  initialDcaAtrState,
  NONE,
  RUNG,
  TAKE_PROFIT,
} from "./state.ts";
import { setTarget, updateStop } from "./targets.ts";

/** Name and version as stored with every run; the version changes when results can. */
export const DCA_ATR = { name: "dca-atr", version: "1.0.0" } as const;

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
    restoreState: restoreDcaAtrState,
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
      // A live bot is told every price; only an armed stop follows it.
      if (!state.isTrailing) return;
      followPrice(context, state, view.position.sign, event.price);
      updateStop(context, state, view, book, event.at);
      return;
    case "order_filled":
      onFilled(context, state, event, view, book);
      return;
    case "order_refused":
      onRefused(state, event, view, book);
      return;
    case "order_cancelled":
    case "order_expired":
      onEnded(context, state, event, view, book);
      return;
    case "position_adjusted":
      onAdjusted(context, state, event, view, book);
      return;
    case "operator_asked":
      onOperator(context, state, event, view, book);
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
  if (state.pendingSign !== 0 && !withdrawEntry(context, state, event, book)) {
    note(state, "entry_pending");
    return;
  }
  if (!event.mayEnter) {
    note(state, "no_new_entries");
    return;
  }
  const order = decideEntry(context, state, event, view.balance);
  if (order) setTarget(book, ENTRY, order);
}

/** Takes a pending entry back when it waited its time or its signal turned (rules E18, E19). */
function withdrawEntry(
  context: RuleContext,
  state: DcaAtrState,
  event: CandleClosed,
  book: TargetBook,
): boolean {
  const timedOut = isTimedOut(context, state.pendingDecidedAt, event.at);
  if (!timedOut && stillHolds(state.pendingSign, event.signals)) return false;
  if (timedOut) state.withdrawn.timeout += 1;
  else state.withdrawn.flipped += 1;
  state.pendingSign = 0;
  setTarget(book, ENTRY, null);
  return true;
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
  if (state.pendingSign !== 0) withdrawEntry(context, state, event, book);
  if (state.entries > 0) climbAtClose(context, state, event, view, book);
  tightenFixedStop(context, state, position, event.atr);
  trailAtClose(context, state, position, event);
  updateStop(context, state, view, book, event.at);
  if (!state.isExitSet) decideExit(context, state, event, view, book);
}

/** Provides a missing rung and moves one that follows the ATR; one that is being executed stays. */
function climbAtClose(
  context: RuleContext,
  state: DcaAtrState,
  event: CandleClosed,
  { position }: StrategyView,
  book: TargetBook,
): void {
  const rung = book.targets[RUNG] ?? null;
  if (!rung) {
    const next = nextRung(context, state, position, event.atr, event.at);
    if (next) setTarget(book, RUNG, next);
  } else if (isLadderFloating(context) && !isRungFilling(context, state, rung)) {
    const moved = repriceRung(context, state, position, rung, event.atr, event.at);
    if (moved !== rung) setTarget(book, RUNG, moved);
  }
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
