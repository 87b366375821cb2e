// Resting orders of the reference backtest: birth, going live, activation bands (E40) and what
// "crossed" and "reached" mean. Used by rules.ts and walk.ts; it never fills anything itself.

import { adverse, passive, roundDown, roundUp } from "./rounding.ts";
import type { Settings } from "./settings.ts";
import type { OrderSide } from "./types.ts";

/** How an order acts: market at the target (E37), plain limit, or post-only limit (E38). */
export type Style = "trigger" | "limit" | "post_only";

/** One order; `price` leaves `target` only by a post-only adjustment (E35). */
export type Order = {
  kind: "tp" | "rung" | "entry";
  side: OrderSide;
  style: Style;
  target: number;
  price: number;
  qty: number;
  bandPct: number;
  live: boolean;
  liveFrom: number;
  active: boolean;
  fresh: boolean;
  touchedAt: number | null;
};

/** What the caller knows when it creates an order; `liveFrom` counts only when `live` is false. */
export type OrderSpec = {
  kind: Order["kind"];
  side: OrderSide;
  style: "market" | "limit" | "maker_or_cancel";
  target: number;
  qty: number;
  bandPct: number;
  live: boolean;
  liveFrom: number;
};

/** Creates an order at an already rounded target; with a band it starts parked (E40). */
export function createOrder(spec: OrderSpec): Order {
  const { bandPct, live, target } = spec;
  const limitStyle = spec.style === "maker_or_cancel" ? "post_only" : "limit";
  return {
    ...spec,
    style: spec.style === "market" && bandPct === 0 ? "trigger" : limitStyle, // E40, E37
    price: target,
    active: bandPct === 0,
    fresh: live && bandPct === 0,
    touchedAt: null,
  };
}

/** Makes an order live at a bar open once its time has come (E27, E44). */
export function goLive(order: Order | null, openAt: number): void {
  if (order === null || order.live || openAt < order.liveFrom) return;
  order.live = true;
  order.fresh = order.active;
}

/** Path price at or beyond the order's price: "crossed" in the sense of E24. */
export function isAtOrBeyond(order: Order, path: number): boolean {
  return order.side === "BUY" ? path <= order.price : path >= order.price;
}

/** Path price strictly beyond the order's price. */
export function isBeyond(order: Order, path: number): boolean {
  return order.side === "BUY" ? path < order.price : path > order.price;
}

function distancePct(order: Order, path: number): number {
  return (Math.abs(path - order.target) / order.target) * 100;
}

/** Parks an active order that the price has left; called at opens and corners only (E40). */
export function parkIfFar(order: Order | null, path: number): void {
  if (order === null || !order.live || !order.active || order.bandPct === 0)
    return;
  if (isAtOrBeyond(order, path)) return;
  if (distancePct(order, path) <= 1.25 * order.bandPct + 1e-9) return; // E4
  order.active = false;
  order.price = order.target;
}

/** Activates a parked live order when the path price is inside its band (E40). */
export function activateIfNear(order: Order, path: number): void {
  if (!order.live || order.active) return;
  if (distancePct(order, path) > order.bandPct + 1e-9) return; // E4
  activate(order);
}

/** Activates an order; whether it is crossed is looked at next (E34, E35). */
export function activate(order: Order): void {
  order.active = true;
  order.fresh = true;
}

/** Where a parked order activates on the way from `path` to `goal`, or null (E40). */
export function activationPrice(
  order: Order,
  path: number,
  goal: number,
  settings: Settings,
): number | null {
  if (!order.live || order.active) return null;
  const low = roundUp(settings.tick, order.target * (1 - order.bandPct / 100));
  const high = roundDown(
    settings.tick,
    order.target * (1 + order.bandPct / 100),
  );
  if (path < order.target && goal > path && goal >= low)
    return Math.max(path, low);
  if (path > order.target && goal < path && goal <= high)
    return Math.min(path, high);
  return null;
}

/** Where an active order is reached on the way from `path` to `goal`, or null (E25, E36). */
export function reachPrice(
  order: Order,
  path: number,
  goal: number,
  settings: Settings,
): number | null {
  if (!order.live || !order.active) return null;
  const towards = order.side === "BUY" ? goal < path : goal > path;
  if (!towards) return null;
  const onTouch = order.style === "trigger" || settings.run.touch_fills; // E36
  const reached = onTouch ? isAtOrBeyond(order, goal) : isBeyond(order, goal);
  return reached ? order.price : null;
}

/** Whether a resting order fills at a standing price such as an open (E33, E36). */
export function fillsAt(
  order: Order,
  path: number,
  settings: Settings,
): boolean {
  const onTouch = order.style === "trigger" || settings.run.touch_fills;
  return onTouch ? isAtOrBeyond(order, path) : isBeyond(order, path);
}

/** Maker price of a resting limit met at the path price, never worse than its own (E33). */
export function makerPrice(
  order: Order,
  path: number,
  settings: Settings,
): number {
  const price = adverse(settings.tick, order.side, path);
  return order.side === "BUY"
    ? Math.min(price, order.price)
    : Math.max(price, order.price);
}

/** Price of a market fill: path price with slippage, rounded adversely (E32). */
export function marketPrice(
  side: OrderSide,
  path: number,
  settings: Settings,
): number {
  const slip = settings.run.slippage_bps / 10_000;
  return adverse(
    settings.tick,
    side,
    path * (side === "BUY" ? 1 + slip : 1 - slip),
  );
}

/** Post-only price after it would have crossed at once (E35). */
export function postOnlyPrice(
  order: Order,
  path: number,
  settings: Settings,
): number {
  return passive(settings.tick, order.side, path);
}
