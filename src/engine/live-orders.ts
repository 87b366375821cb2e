// Whether an order of a live or paper bot rests at the exchange or is kept here until the price comes near: dynamic
// activation with hysteresis (rules E40, E68) and rungs that wait for their cooldown (rule E44). Pure.
import { activatesLive, type Banded, parks } from "../execution/activation.ts";
import { type Grid, gridValue } from "../model/instrument.ts";
import type { TargetOrder } from "../model/order.ts";
import type { EpochMs } from "../model/time.ts";
import type { OrderRefusal } from "../strategy/strategy.ts";

/** What is to be done with a working order at a price. */
export type OrderMove = "activate" | "park" | "stay";

function banded(target: TargetOrder, prices: Grid): Banded {
  const { purpose, bandPct } = target;
  const targetPrice = gridValue(prices, target.priceTicks);
  return { purpose, bandPct, isBuy: target.side === "buy", targetPrice };
}

/** Whether the market is at or beyond the price of an order; never for market orders. */
export function isAtOrBeyond(target: TargetOrder, prices: Grid, price: number): boolean {
  if (target.priceTicks === 0) return false;
  const falls = (target.side === "buy") !== (target.kind === "stop_market");
  const orderPrice = gridValue(prices, target.priceTicks);
  return falls ? price <= orderPrice : price >= orderPrice;
}

/**
 * What a working order does at this price. A crossed order is never parked, and an unknown price moves nothing.
 * @param price null while none is known
 */
export function orderMove(
  target: TargetOrder,
  isParked: boolean,
  prices: Grid,
  price: number | null,
  at: EpochMs,
): OrderMove {
  if (isParked && at < target.liveFrom) return "stay";
  if (target.bandPct === 0) return isParked ? "activate" : "stay";
  if (price === null) return "stay";
  const order = banded(target, prices);
  if (isParked) return activatesLive(order, price) ? "activate" : "stay";
  const isCrossed = order.isBuy ? price < order.targetPrice : price > order.targetPrice;
  return parks(order, price) && !isCrossed ? "park" : "stay";
}

const REFUSALS: ReadonlyMap<string | undefined, OrderRefusal> = new Map([
  ["INSUFFICIENT_MARGIN", "MARGIN"],
  ["POSITION_LIMIT", "MARGIN"],
  ["WOULD_TAKE", "WOULD_TAKE"],
  ["PRICE_OFF_FILTER", "FILTERS"],
  ["QTY_OFF_FILTER", "FILTERS"],
  ["NOTIONAL_TOO_SMALL", "FILTERS"],
]);

/** What a reason code of the broker port means to a strategy. */
export function refusalOf(reason: string | undefined): OrderRefusal {
  return REFUSALS.get(reason) ?? "UNKNOWN";
}
