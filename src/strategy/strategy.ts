// What a strategy is to the engine: state + event in, complete target orders of the touched slots out.
// A strategy never places an order, never reads a clock and never sees a candle that is not closed.
import type { OrderPurpose, PositionSide, TargetOrder } from "../model/order.ts";
import type { Position } from "../model/position.ts";
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

/** A price of the path (or a tick), sent only to strategies that follow the price. */
export type PriceTicked = { readonly kind: "price_ticked"; at: EpochMs; price: number };

/** A fill already booked into the position. `price` is the fill price. */
export type OrderFilled = {
  readonly kind: "order_filled";
  at: EpochMs;
  slot: number;
  price: number;
  /** ATR of the last closed candle, -1 unknown */
  atr: number;
  /** the fill happened at a candle close, after that candle's path */
  isAtClose: boolean;
};

/** The exchange refused the order when it came to fill it: margin. */
export type OrderRefused = {
  readonly kind: "order_refused";
  at: EpochMs;
  slot: number;
  reason: "MARGIN";
};

/** A live resting order was at or beyond its price and did not fill. Sent once per order. */
export type OrderTouched = { readonly kind: "order_touched"; at: EpochMs; slot: number };

export type StrategyEvent = CandleClosed | PriceTicked | OrderFilled | OrderRefused | OrderTouched;

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
  /** Moves the state on and rewrites the targets of every slot it marks as touched. */
  onEvent(state: S, event: StrategyEvent, view: StrategyView, book: TargetBook): void;
  /** Whether the strategy must see prices inside the candle (an armed trailing stop). */
  followsPrice(state: S): boolean;
  /** The side an open entry would open, for the order of extremes; null when none is pending. */
  pendingSide(state: S): PositionSide | null;
};
