// The walk along one bar: open, first extreme, second extreme, close (E23-E26), serving the
// nearest price met. Used by oracle.ts and by scenario tests that start from a given position.

import {
  activate,
  activateIfNear,
  activationPrice,
  fillsAt,
  goLive,
  isAtOrBeyond,
  isBeyond,
  makerPrice,
  marketPrice,
  type Order,
  parkIfFar,
  postOnlyPrice,
  reachPrice,
} from "./orders.ts";
import { adverse } from "./rounding.ts";
import {
  effectiveStop,
  entrySide,
  exitSide,
  ordersAfterExpand,
  visit,
} from "./rules.ts";
import {
  close,
  expand,
  liquidationPrice,
  payFunding,
  type Sim,
} from "./sim.ts";
import type { Bar, Dir, Liquidity } from "./types.ts";

/** Walks one bar; `fundingRates` are the rates stamped inside it (E54). */
export function walkBar(sim: Sim, bar: Bar, fundingRates: number[]): void {
  sim.bar = bar;
  sim.now = bar.t; // E31
  sim.barOver = false;
  sim.exposed = sim.position !== null; // E60
  if (sim.position !== null) sim.position.best = bar.o; // E48
  const corners = cornersOf(sim, bar);
  for (const rate of fundingRates) payFunding(sim, rate); // E24: before anything else
  for (const order of ordersOf(sim)) goLive(order, bar.t); // E27, E44
  arriveAtCorner(sim, bar.o, true);
  for (const [index, corner] of corners.entries()) {
    if (sim.barOver) return; // E29
    sim.now = bar.t + ((index + 1) * sim.settings.barMs) / 4; // E31
    walkSegment(sim, corner);
  }
}

function ordersOf(sim: Sim): Order[] {
  const { position, entry } = sim;
  const orders =
    position === null ? [entry?.order] : [position.tp, position.rung];
  return orders.filter((order) => order !== null && order !== undefined);
}

// The three segment ends of a bar in path order (E23).
function cornersOf(sim: Sim, bar: Bar): number[] {
  const lowFirst = [bar.l, bar.h, bar.c];
  const highFirst = [bar.h, bar.l, bar.c];
  const dir = sim.position?.dir ?? sim.entry?.dir ?? 1;
  const adverseFirst = dir === 1 ? lowFirst : highFirst;
  if (sim.settings.run.fill_model === "pessimistic") return adverseFirst;
  const skew = bar.h + bar.l - 2 * bar.o;
  if (Math.abs(skew) <= 1e-9 * bar.o) return adverseFirst;
  return skew > 0 ? lowFirst : highFirst;
}

// Opens and segment ends are the places where an active order may be parked (E40).
function arriveAtCorner(sim: Sim, price: number, atOpen: boolean): void {
  visit(sim, price);
  for (const order of ordersOf(sim)) parkIfFar(order, price);
  settle(sim, atOpen);
}

// E25: nearest price first, then the walk goes on from there.
function walkSegment(sim: Sim, goal: number): void {
  for (
    let next = nearest(sim, goal);
    next !== null;
    next = nearest(sim, goal)
  ) {
    visit(sim, next.price);
    next.serve();
    settle(sim, false);
    if (sim.barOver) return;
  }
  arriveAtCorner(sim, goal, false);
}

type Event = { price: number; serve: () => void };

// Candidates are listed in the order that breaks ties: liquidation, stop, take-profit, rung, entry.
function nearest(sim: Sim, goal: number): Event | null {
  const from = sim.path;
  const events: Event[] = [];
  const { position, settings } = sim;
  if (position !== null) {
    const against = position.dir * (goal - from) < 0;
    const fatal = liquidationPrice(sim);
    const stop = effectiveStop(sim);
    const meets = (price: number): boolean =>
      against && position.dir * (goal - price) <= 0;
    if (fatal !== null && meets(fatal)) {
      events.push({
        price: fatal,
        serve: () => exitAtMarket(sim, "LIQUIDATION"),
      });
    }
    if (stop !== null && meets(stop.price)) {
      events.push({
        price: stop.price,
        serve: () => exitAtMarket(sim, stop.reason),
      });
    }
  }
  for (const order of ordersOf(sim)) {
    const wakes = activationPrice(order, from, goal, settings);
    if (wakes !== null)
      events.push({ price: wakes, serve: () => activate(order) });
    const reached = reachPrice(order, from, goal, settings);
    if (reached !== null)
      events.push({ price: reached, serve: () => serveOrder(sim, order) });
  }
  let best: Event | null = null;
  for (const event of events) {
    const nearer =
      best === null ||
      Math.abs(event.price - from) < Math.abs(best.price - from);
    if (nearer) best = event;
  }
  return best;
}

// E24 at an open, E25 elsewhere: looks at the standing price until nothing is crossed.
function settle(sim: Sim, atOpen: boolean): void {
  for (;;) {
    if (sim.barOver) return;
    if (exitIfCrossed(sim, atOpen)) return;
    if (
      atOpen &&
      sim.position === null &&
      sim.entry !== null &&
      sim.entry.order === null
    ) {
      fillMarketEntry(sim, true); // E17
      continue;
    }
    const changed = ordersOf(sim).some((order) => serveIfCrossed(sim, order));
    if (!changed) break;
  }
  startExitClock(sim);
}

function exitIfCrossed(sim: Sim, atOpen: boolean): boolean {
  const position = sim.position;
  if (position === null) return false;
  const isCrossed = (price: number): boolean =>
    position.dir * (sim.path - price) <= 0;
  const fatal = liquidationPrice(sim);
  const stop = effectiveStop(sim);
  if (fatal !== null && isCrossed(fatal))
    exitAtMarket(sim, "LIQUIDATION"); // E52 goes first
  else if (stop !== null && isCrossed(stop.price))
    exitAtMarket(sim, stop.reason);
  else if (atOpen && sim.exitAtOpen !== null) exitAtMarket(sim, sim.exitAtOpen); // E39, E62
  return sim.barOver;
}

// E32: path price with slippage, adversely rounded, taker.
function exitAtMarket(sim: Sim, reason: string): void {
  if (sim.position === null) return;
  const price = marketPrice(exitSide(sim.position.dir), sim.path, sim.settings);
  close(sim, { price, liquidity: "taker", reason });
}

// Serves an order that the standing path price has crossed; true when something was done.
function serveIfCrossed(sim: Sim, order: Order): boolean {
  activateIfNear(order, sim.path); // E40
  if (!order.live || !order.active) return false;
  const isNew = order.fresh;
  order.fresh = false;
  if (isNew && order.style !== "trigger" && isBeyond(order, sim.path)) {
    if (order.style === "limit") {
      const price = adverse(sim.settings.tick, order.side, sim.path);
      fillOrder(sim, order, price, "taker"); // E34
      return true;
    }
    order.price = postOnlyPrice(order, sim.path, sim.settings); // E35
  }
  if (!fillsAt(order, sim.path, sim.settings)) return false; // E33, E36
  serveOrder(sim, order);
  return true;
}

// E37 for triggers, E33 for resting limits.
function serveOrder(sim: Sim, order: Order): void {
  if (order.style === "trigger") {
    fillOrder(
      sim,
      order,
      marketPrice(order.side, sim.path, sim.settings),
      "taker",
    );
  } else {
    fillOrder(sim, order, makerPrice(order, sim.path, sim.settings), "maker");
  }
}

function fillOrder(
  sim: Sim,
  order: Order,
  price: number,
  liquidity: Liquidity,
): void {
  if (order.kind === "tp") {
    close(sim, {
      price,
      liquidity,
      reason: `TP_${sim.settings.config.exits.tp_mode}`,
    });
  } else if (order.kind === "rung") {
    fillRung(sim, order, price, liquidity);
  } else {
    fillEntry(sim, price, liquidity, true);
  }
}

// E42 for the reason and the level, E45 for the refusal.
function fillRung(
  sim: Sim,
  order: Order,
  price: number,
  liquidity: Liquidity,
): void {
  const position = sim.position;
  if (position === null) return;
  const reason = `DCA_${position.level + 1}`;
  const grown = expand(sim, position.dir, {
    price,
    qty: order.qty,
    liquidity,
    reason,
  });
  if (grown === null) {
    sim.rejections.rung_margin += 1;
    position.rung = null;
    position.ladderOpen = false;
    return;
  }
  position.level += 1;
  ordersAfterExpand(sim, position, true); // E26
}

function fillEntry(
  sim: Sim,
  price: number,
  liquidity: Liquidity,
  inBar: boolean,
): void {
  const entry = sim.entry;
  if (entry === null) return;
  sim.entry = null;
  const fill = { price, qty: entry.qty, liquidity, reason: "ENTRY" };
  const position = expand(sim, entry.dir, fill);
  if (position === null) {
    sim.rejections.entry_margin += 1; // E51
    return;
  }
  if (inBar) sim.exposed = true; // E60: a fill at the close does not expose the bar
  ordersAfterExpand(sim, position, inBar); // E26, E27
}

/** Fills the pending market entry at the current path price, at an open or a close (E17). */
export function fillMarketEntry(sim: Sim, inBar: boolean): void {
  if (sim.entry === null) return;
  const price = marketPrice(entrySide(sim.entry.dir), sim.path, sim.settings);
  fillEntry(sim, price, "taker", inBar);
}

/** Opens a position outside any bar, as a fill at the previous close would have left it. */
export function openAtClose(
  sim: Sim,
  dir: Dir,
  qty: number,
  price: number,
): void {
  sim.path = price;
  sim.entry = { dir, decidedAt: sim.now, qty, order: null };
  fillMarketEntry(sim, false);
}

// E39: first time at or beyond a live post-only take-profit that did not fill.
function startExitClock(sim: Sim): void {
  const tp = sim.position?.tp ?? null;
  if (tp === null || tp.style !== "post_only" || !tp.live || !tp.active) return;
  if (tp.touchedAt === null && isAtOrBeyond(tp, sim.path))
    tp.touchedAt = sim.now;
}
