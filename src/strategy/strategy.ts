// What a strategy is to the engine: state + event in, complete target orders of the touched slots out.
// A strategy never places an order, never reads a clock and never sees a candle that is not closed.
import type { OrderPurpose, PositionSide, TargetOrder } from "../model/order.ts";
import type { Position } from "../model/position.ts";
import type { Result } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";

/** Close of a candle with what the indicators say at it. Unknown ATR is -1. */
export type CandleClosed = {
  readonly kind: "candle_closed";
  at: EpochMs;
  openAt: EpochMs;
  close: number;
  /** extremes of the price path since the last expanding fill in this candle, else of the whole candle */
  reachedHigh: number;
  reachedLow: number;
  /** bits of strategy-specific signal flags */
  signals: number;
  atr: number;
  /** false at the last candle of a window and while catching up: nothing new is entered */
  mayEnter: boolean;
};

/** A price of the path, sent only to strategies that follow the price, or any tick of a live market. */
export type PriceTicked = { readonly kind: "price_ticked"; at: EpochMs; price: number };

/**
 * A fill already booked into the position, of a whole order or of a part. A part of an expanding order counts neither
 * as an entry nor as a rung until the order is complete or its rest is gone.
 */
export type OrderFilled = {
  readonly kind: "order_filled";
  at: EpochMs;
  /** -1 for executions of no slot: a liquidation, an order from outside */
  slot: number;
  price: number;
  /** ATR of the last closed candle, -1 unknown */
  atr: number;
  /** the fill happened at a candle close, after that candle's path */
  isAtClose: boolean;
  /** nothing of the order is left to be executed */
  isComplete: boolean;
  /** what was executed of the order in this cycle so far, and its average price */
  orderLots: number;
  orderPrice: number;
  /** how far a record that came late moved the average of what was held before, in quote units */
  averageShift: number;
};

/** The rest of an order is gone, whoever took it away; what was executed of it stays. */
export type OrderEnded = {
  readonly kind: "order_cancelled" | "order_expired";
  at: EpochMs;
  slot: number;
  /** ATR of the last closed candle, -1 unknown */
  atr: number;
  /** what was executed of the order in this cycle, and its average price; 0 and 0 for nothing */
  orderLots: number;
  orderPrice: number;
  /** we asked for it */
  isAsked: boolean;
};

/** Why an exchange did not take an order: `WOULD_TAKE` for one that had to rest. */
export type OrderRefusal = "MARGIN" | "WOULD_TAKE" | "FILTERS" | "UNKNOWN";

/** The exchange refused the order, when it came or when it was to be filled (margin). */
export type OrderRefused = {
  readonly kind: "order_refused";
  at: EpochMs;
  slot: number;
  reason: OrderRefusal;
  /** the market already is at or beyond the order's price */
  isBeyond?: boolean;
};

/** Late records changed what is held without an execution of now; the view shows the position as it is. */
export type PositionAdjusted = {
  readonly kind: "position_adjusted";
  at: EpochMs;
  /** ATR of the last closed candle, -1 unknown */
  atr: number;
  /** change of the average entry in quote units */
  averageShift: number;
};

/** A live resting order was at or beyond its price and did not fill. Sent once per order. */
export type OrderTouched = { readonly kind: "order_touched"; at: EpochMs; slot: number };

/** What a person wants changed about the running cycle. Prices in quote units. */
export type OperatorAsk =
  | { readonly what: "move_stop"; readonly price: number; readonly mayLoosen: boolean }
  | { readonly what: "skip_rung" };

/** A person's wish for the running cycle; what the rules do not allow changes nothing. */
export type OperatorAsked = {
  readonly kind: "operator_asked";
  at: EpochMs;
  /** ATR of the last closed candle, -1 unknown */
  atr: number;
  ask: OperatorAsk;
};

export type StrategyEvent =
  | CandleClosed
  | PriceTicked
  | OrderFilled
  | OrderEnded
  | OrderRefused
  | OrderTouched
  | PositionAdjusted
  | OperatorAsked;

/** What the strategy sees of the account: position and realised balance in quote units. */
export type StrategyView = { readonly position: Position; readonly balance: number };

/** The target orders by slot; `touched` has the bit of every slot the last event may have changed. */
export type TargetBook = { readonly targets: (TargetOrder | null)[]; touched: number };

/** One strategy with its configuration bound; `S` is its durable state, plain JSON. */
export type Strategy<S> = {
  readonly name: string;
  readonly version: string;
  /** purposes by slot; the index is also the serving order of orders met at the same price */
  readonly slots: readonly OrderPurpose[];
  initialState(): S;
  /** A stored state as this version keeps it; older versions are brought up to date, anything else is refused. */
  restoreState(version: string, stored: unknown): Result<S, "STATE_UNREADABLE">;
  /** Moves the state on and rewrites the targets of every slot it marks as touched. */
  onEvent(state: S, event: StrategyEvent, view: StrategyView, book: TargetBook): void;
  /** Whether the strategy must see prices inside the candle (an armed trailing stop). */
  followsPrice(state: S): boolean;
  /** The side an open entry would open, for the order of extremes; null when none is pending. */
  pendingSide(state: S): PositionSide | null;
};
