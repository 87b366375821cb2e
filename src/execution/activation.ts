// Dynamic activation: whether an order rests at the exchange or waits nearby, by distance to the price, with
// hysteresis so that it does not flap (rule E40). Pure; the simulator and the live runner ask the same question.
import type { OrderPurpose } from "../model/order.ts";
import { TOLERANCE } from "../model/tolerance.ts";

/** An active order is parked again beyond this many bands. */
export const PARK_BANDS = 1.25;

/** What decides about an order with a band; `bandPct` in percent of `targetPrice`. */
export type Banded = {
  readonly purpose: OrderPurpose;
  readonly isBuy: boolean;
  readonly targetPrice: number;
  readonly bandPct: number;
};

/** Distance of a price from the target in percent of the target. */
function distancePct(order: Banded, price: number): number {
  return (Math.abs(price - order.targetPrice) / order.targetPrice) * 100;
}

/** Whether a parked order becomes active at this price. */
export function activates(order: Banded, price: number): boolean {
  return distancePct(order, price) <= order.bandPct + TOLERANCE;
}

/** Whether an active order is to be parked at this price; a crossed one never is (the caller knows). */
export function parks(order: Banded, price: number): boolean {
  return distancePct(order, price) > PARK_BANDS * order.bandPct + TOLERANCE;
}

/**
 * The same question on live prices, which jump: a take-profit whose band was jumped over is activated at once when
 * the market is at or beyond its target; entries and rungs wait for the price to come back (rule E68).
 */
export function activatesLive(order: Banded, price: number): boolean {
  if (activates(order, price)) return true;
  if (order.purpose !== "take_profit") return false;
  return order.isBuy ? price <= order.targetPrice : price >= order.targetPrice;
}
