// What an order is inside the venue. Prices are ticks, quantities lots, money 10^-12. Written by
// trading.ts and matching.ts; read by everything that shows orders.
import type { Money } from "./decimal.ts";
import type { Instrument } from "./instrument.ts";

/** The exchange's word for an order side. */
export type Side = "BUY" | "SELL";
/** Position side; BOTH in one-way mode. */
export type LegSide = "BOTH" | "LONG" | "SHORT";
/** BID and ASK take their price from a level of the book. */
export type OrderType = "LIMIT" | "MARKET" | "IOC" | "FOK" | "POST_ONLY" | "BID" | "ASK";
/** The exchange's status words. */
export type OrderStatus = "NEW" | "PARTIAL_FILLED" | "FILLED" | "CANCELLED" | "REJECTED";

/** The account id of the market maker who is the counterparty of everything the tape does. */
export const HOUSE = 0;

/** What changes while an order lives; kept per change so that a lagging reader can be served. */
export type OrderView = {
  readonly at: number;
  readonly status: OrderStatus;
  readonly ticks: number | null;
  readonly lots: number;
  readonly executedLots: number;
  readonly executedValue: Money;
  readonly fee: Money;
  readonly realized: Money | null;
};

/** An order of an account or of the house. */
export type Order = {
  readonly id: number;
  readonly accountId: number;
  /** "0" when the client gave none. */
  readonly clientOrderId: string;
  readonly instrument: Instrument;
  readonly tag: string;
  readonly side: Side;
  readonly positionSide: LegSide;
  readonly type: OrderType;
  readonly bidAskLevel: number | null;
  readonly reduceOnly: boolean;
  /** True when it may only shrink its leg: reduce-only, or a closing side in hedge mode. */
  readonly isClosing: boolean;
  readonly leverage: number;
  readonly createdAt: number;
  /** Null for a market order. */
  ticks: number | null;
  lots: number;
  /** Quote coins it was sized by, as sent; null when it was sized by quantity. */
  readonly amount: string | null;
  /** Lots shown at a time; 0 hides the order, null shows all of it. */
  displayLots: number | null;
  executedLots: number;
  executedValue: Money;
  fee: Money;
  /** Null until a fill closed something. */
  realized: Money | null;
  status: OrderStatus;
  reason: string;
  readonly views: OrderView[];
};

/** True while the order can still fill. */
export function isOpen(order: Order): boolean {
  return order.status === "NEW" || order.status === "PARTIAL_FILLED";
}

/** Lots that are not filled yet. */
export function remainingLots(order: Order): number {
  return order.lots - order.executedLots;
}

/** Keeps what the order looks like now. */
export function rememberView(order: Order, at: number): void {
  const { status, ticks, lots, executedLots, executedValue, fee, realized } = order;
  const view = { at, status, ticks, lots, executedLots, executedValue, fee, realized };
  const last = order.views.at(-1);
  if (last && last.at === at) order.views[order.views.length - 1] = view;
  else order.views.push(view);
}

/** The order as it looked at an instant; null when it did not exist yet. */
export function viewAt(order: Order, at: number): OrderView | null {
  return order.views.findLast((view) => view.at <= at) ?? null;
}

/** +1 for a buy, -1 for a sell. */
export function signOf(side: Side): 1 | -1 {
  return side === "BUY" ? 1 : -1;
}

/** The other side. */
export function opposite(side: Side): Side {
  return side === "BUY" ? "SELL" : "BUY";
}
