// The market maker: moves the market along its path, fills resting orders the path trades through, and
// quotes around the new price. Every one of its fills is a real match in the same book.
import { closingRoom } from "./account.ts";
import { addOrder, bestTicks, firstInLine, removeOrder } from "./book.ts";
import { addPrint } from "./candle-history.ts";
import { finish, match } from "./matching.ts";
import { opposite, type Order, type Side, signOf } from "./order.ts";
import type { PathStep } from "./price-path.ts";
import { between } from "./random.ts";
import { accountOf, type Exchange, type Market, printTrade, record } from "./state.ts";
import { houseOrder } from "./trading.ts";

/** Moves a market one step along its path. */
export function stepMarket(x: Exchange, market: Market, step: PathStep): void {
  pullQuotes(market);
  const { symbol } = market.instrument;
  const side: Side = step.side ?? (step.ticks >= market.lastTicks ? "BUY" : "SELL");
  record(x, "step", { symbol, ticks: step.ticks, lots: step.lots });
  const share = Math.floor((step.lots * market.house.participationPpm) / 1e6);
  // A rising path takes what is offered first, then what is bid.
  let left = share;
  for (const taking of [side, opposite(side)]) left -= sweep(x, market, taking, step.ticks, left);
  printTrade(x, market, { at: x.now, side, ticks: step.ticks, lots: step.lots - (share - left) });
  if (market.candles.walk) addPrint(market.candles, x.now, step.ticks, step.lots);
  setMark(market, step.ticks);
  quote(x, market);
}

/** Mark and index price follow the path at their distance. */
function setMark(market: Market, ticks: number): void {
  market.markTicks = Math.max(market.instrument.minTicks, ticks + market.house.markBasisTicks);
  market.indexTicks = Math.max(market.instrument.minTicks, ticks + market.house.indexBasisTicks);
}

/**
 * The path fills resting orders on the side opposite to `taking` that it trades through, and by chance
 * those it only touches.
 * @returns lots filled
 */
function sweep(x: Exchange, market: Market, taking: Side, ticks: number, allowed: number): number {
  let filled = 0;
  while (filled < allowed) {
    const first = firstInLine(market.book, opposite(taking));
    if (!first) break;
    const distance = (ticks - (first.order.ticks ?? 0)) * signOf(taking);
    if (distance < 0) break;
    if (distance === 0 && market.random.touch() * 1e6 >= market.house.touchPpm) break;
    const { order } = first;
    if (closingRoom(accountOf(x, order.accountId), order) === 0) {
      finish(x, market, order, "CANCELLED", "nothing left to reduce");
      continue;
    }
    const lots = Math.min(first.slice, allowed - filled);
    const taker = houseOrder(x, market, { side: taking, ticks: order.ticks ?? 0, lots });
    const done = match(x, market, taker, { ticks: order.ticks, lots });
    if (done === 0) break;
    filled += done;
  }
  return filled;
}

/** Takes the house's quotes out of the book. */
function pullQuotes(market: Market): void {
  for (const order of market.quotes) removeOrder(market.book, order);
  market.quotes = [];
}

/** Quotes again, after orders came into the book without being matched. */
export function requote(x: Exchange, market: Market): void {
  pullQuotes(market);
  quote(x, market);
}

/** Places fresh quotes around the last price, never across a client's resting order. */
export function quote(x: Exchange, market: Market): void {
  const { halfSpreadTicks, levels, levelGapTicks, levelLotsMax } = market.house;
  const { minTicks, maxTicks, minLots } = market.instrument;
  const anchor = market.lastTicks;
  const lowestAsk = bestTicks(market.book, "SELL") ?? Number.POSITIVE_INFINITY;
  const highestBid = bestTicks(market.book, "BUY") ?? 0;
  const bid = Math.min(anchor - halfSpreadTicks, lowestAsk - 1);
  const ask = Math.max(anchor + halfSpreadTicks, highestBid + 1);
  const quotes: Order[] = [];
  for (let level = 0; level < levels; level++) {
    for (const side of ["BUY", "SELL"] as const) {
      const lots = between(market.random.quotes, 1, levelLotsMax) * minLots;
      const away = level * levelGapTicks;
      const ticks = side === "BUY" ? bid - away : ask + away;
      if (ticks < minTicks || ticks > maxTicks) continue;
      const order = houseOrder(x, market, { side, ticks, lots });
      addOrder(market.book, order);
      quotes.push(order);
    }
  }
  market.quotes = quotes;
}
