// Which order is met first on a straight piece of the price path (rules E24, E25, E36, E40). Pure;
// the simulator and the paper broker ask again after every fill.
import { isCrossed, isLimit, isMet, type SimOrder } from "./sim-order.ts";

/** Slot of the exchange's own liquidation order. */
export const LIQUIDATION = -1;

/** Slot of "nothing is met". */
export const NO_TRIGGER = -2;

/** The order met next: where on the path, and whether it only becomes active there. */
export type Trigger = { slot: number; price: number; isActivation: boolean };

/** Whether the path towards `to` reaches a price from the side of `from`. */
function reaches(falls: boolean, from: number, to: number, price: number): boolean {
  return falls ? to <= price && price <= from : to >= price && price >= from;
}

/** Where a live order is met between two path prices; NaN when it is not. */
function meetingPrice(
  order: SimOrder,
  from: number,
  to: number,
  touchFills: boolean,
  isAtOpen: boolean,
): number {
  if (order.kind === "market") return isAtOpen ? from : Number.NaN;
  if (order.crossing) return from;
  const strict = !touchFills && isLimit(order);
  if (strict ? isCrossed(order, from) : isMet(order, from)) return from;
  if (!reaches(order.falls, from, to, order.price)) return Number.NaN;
  return strict && to === order.price ? Number.NaN : order.price;
}

/** Where a parked order that was jumped over comes back into its band; NaN when it does not. */
function activationPrice(order: SimOrder, from: number, to: number): number {
  return reaches(!order.falls, from, to, order.edge) ? order.edge : Number.NaN;
}

/** What the search looks at; kept by the simulator and changed in place. */
export type Scene = {
  readonly orders: (SimOrder | null)[];
  readonly touchFills: boolean;
  /** price at which the exchange liquidates, 0 = none, and whether it is met by a falling price */
  liquidation: number;
  liquidationFalls: boolean;
  /** market orders execute only at the open print */
  isAtOpen: boolean;
};

/**
 * Finds what is met first going from one path price to another (equal prices: only what is met
 * right there). At equal distance the liquidation goes first, then the lower slot. The answer is
 * written into `found`.
 */
export function bestTrigger(scene: Scene, from: number, to: number, found: Trigger): void {
  found.slot = NO_TRIGGER;
  found.isActivation = false;
  let nearest = Number.POSITIVE_INFINITY;
  const { liquidation, liquidationFalls: falls } = scene;
  if (liquidation > 0) {
    const beyond = falls ? from <= liquidation : from >= liquidation;
    if (beyond || reaches(falls, from, to, liquidation)) {
      found.slot = LIQUIDATION;
      found.price = beyond ? from : liquidation;
      nearest = Math.abs(found.price - from);
    }
  }
  const { orders, touchFills, isAtOpen } = scene;
  for (let slot = 0; slot < orders.length; slot++) {
    const order = orders[slot];
    if (!order?.live) continue;
    const isJumped = !order.active && isCrossed(order, from);
    const price = isJumped
      ? activationPrice(order, from, to)
      : meetingPrice(order, from, to, touchFills, isAtOpen);
    const distance = Math.abs(price - from);
    if (distance < nearest) {
      nearest = distance;
      found.slot = slot;
      found.price = price;
      found.isActivation = isJumped;
    }
  }
}
