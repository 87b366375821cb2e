// Orders in three stages: what a strategy wants (TargetOrder), what the planner decided (OrderIntent)
// and what risk allowed (ApprovedIntent). Prices are integer ticks, quantities integer lots.
import type { EpochMs } from "./time.ts";

export type OrderSide = "buy" | "sell";
export type PositionSide = "long" | "short";
export type Liquidity = "maker" | "taker";

/** +1 for a long, -1 for a short, 0 when flat. */
export type Sign = -1 | 0 | 1;

/**
 * How an order executes: `trigger_market` becomes a market order when its price is reached from the far side
 * (a take-profit or rung of style market), `stop_market` when the price moves against the position.
 */
export type OrderKind = "market" | "limit" | "post_only" | "trigger_market" | "stop_market";

/**
 * What an order is for; the trading-state table and the event names are keyed by it. `flatten` is the
 * closing order of an operator.
 */
export type OrderPurpose =
  "entry" | "rung" | "take_profit" | "protective_stop" | "exit" | "flatten";

/**
 * One order a strategy wants to rest or execute. A target is a value: a changed wish is a new object.
 * `key` is stable (`entry`, `dca:3`, `tp`, `stop`, `exit`) so that planning twice places nothing twice.
 */
export type TargetOrder = {
  readonly key: string;
  readonly purpose: OrderPurpose;
  readonly kind: OrderKind;
  readonly side: OrderSide;
  readonly positionSide: PositionSide;
  readonly isReduceOnly: boolean;
  /** 0 for market orders */
  readonly priceTicks: number;
  readonly qtyLots: number;
  /** activation band in percent of the target price; 0 = always resting */
  readonly bandPct: number;
  /** instant of the decision; a new decision at the same price is a new order */
  readonly decidedAt: EpochMs;
  /** not live at the exchange before this instant; 0 = at once */
  readonly liveFrom: EpochMs;
  /** a working order closer in price than this, in percent, and of the same quantity is left alone; 0 = never */
  readonly replacePct: number;
  /** reason its fill is booked under: ENTRY, DCA_1, TP_PCT … */
  readonly reason: string;
};

/** Places or cancels the order of one slot. */
export type OrderIntent = {
  readonly op: "place" | "cancel";
  readonly slot: number;
  readonly target: TargetOrder;
};

declare const approvedBrand: unique symbol;

/** An intent that passed every pre-trade check; made only by `risk/pre-trade.ts`. */
export type ApprovedIntent = OrderIntent & { readonly [approvedBrand]: true };

/** The order side that opens (or, when reducing, closes) a position of the given sign. */
export function orderSide(sign: Sign, isReduceOnly: boolean): OrderSide {
  return sign > 0 !== isReduceOnly ? "buy" : "sell";
}
