// One order inside the simulator and the questions asked of it: is it met, from which side, at what price
// does it fill (rules E1, E32 to E40). Pure; used by the simulator and the paper broker.
import { type Grid, gridValue, stepsDown, stepsUp } from "../model/instrument.ts";
import type { Banded } from "../execution/activation.ts";
import type { OrderKind, TargetOrder } from "../model/order.ts";

/** An order as the simulated exchange holds it. */
export type SimOrder = Banded & {
  readonly target: TargetOrder;
  readonly slot: number;
  readonly kind: OrderKind;
  /** met when the price falls to it; else when the price rises to it */
  readonly falls: boolean;
  ticks: number;
  /** leaves the target only by a post-only adjustment (rule E35) */
  price: number;
  /** live at the exchange (rule E27) */
  live: boolean;
  /** resting rather than parked (rule E40); always true without a band */
  active: boolean;
  /** strictly crossed when it went live or active: fills at the path price as taker (rule E34) */
  crossing: boolean;
  /** the touch without a fill was reported (rule E39) */
  touched: boolean;
  /** where a parked order that was jumped over activates on the way back */
  edge: number;
};

/** Whether the order is a limit or post-only order. */
export function isLimit(order: SimOrder): boolean {
  return order.kind === "limit" || order.kind === "post_only";
}

/** The price is at or beyond the order's price. */
export function isMet(order: SimOrder, price: number): boolean {
  return order.falls ? price <= order.price : price >= order.price;
}

/** The price is strictly beyond the order's price. */
export function isCrossed(order: SimOrder, price: number): boolean {
  return order.falls ? price < order.price : price > order.price;
}

/** Ticks of a passive price: a buying order is rounded down, a selling one up (rule E1). */
export function passiveTicks(grid: Grid, isBuy: boolean, price: number): number {
  return isBuy ? stepsDown(grid, price) : stepsUp(grid, price);
}

/** Ticks of an adverse price: buys up, sells down (rule E1). */
export function adverseTicks(grid: Grid, isBuy: boolean, price: number): number {
  return isBuy ? stepsUp(grid, price) : stepsDown(grid, price);
}

/** Moves the order to another price on the grid (rule E35, or back to its target when parked). */
function setTicks(order: SimOrder, grid: Grid, ticks: number): void {
  order.ticks = ticks;
  order.price = gridValue(grid, ticks);
}

/** The edge of the band on the far side of the target, rounded to the tick inside the band (rule E40). */
function farEdge(grid: Grid, isBuy: boolean, target: number, bandPct: number): number {
  const band = bandPct / 100;
  const steps = isBuy ? stepsUp(grid, target * (1 - band)) : stepsDown(grid, target * (1 + band));
  return gridValue(grid, steps);
}

/** An order as it arrives: not live, parked when it has a band. */
export function simOrder(target: TargetOrder, slot: number, grid: Grid): SimOrder {
  const isBuy = target.side === "buy";
  const price = gridValue(grid, target.priceTicks);
  return {
    target,
    slot,
    kind: target.kind,
    purpose: target.purpose,
    bandPct: target.bandPct,
    isBuy,
    falls: target.kind === "stop_market" ? !isBuy : isBuy,
    ticks: target.priceTicks,
    price,
    targetPrice: price,
    live: false,
    active: target.bandPct === 0,
    crossing: false,
    touched: false,
    edge: target.bandPct > 0 ? farEdge(grid, isBuy, price, target.bandPct) : 0,
  };
}

/** Takes an order off the exchange until the price is near again; it will come back at its target. */
export function park(order: SimOrder, grid: Grid): void {
  order.active = false;
  setTicks(order, grid, order.target.priceTicks);
}

/**
 * The order goes live or becomes active at this path price: a strictly crossed limit will fill there as taker,
 * a post-only order moves to the price, rounded passively (rules E34, E35).
 */
export function enterAt(order: SimOrder, grid: Grid, price: number): void {
  if (!isLimit(order) || !isCrossed(order, price)) return;
  if (order.kind === "limit") order.crossing = true;
  else setTicks(order, grid, passiveTicks(grid, order.isBuy, price));
}
