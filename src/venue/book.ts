// The order book of one instrument: price levels, each a queue by time. Prices are ticks, quantities
// lots. It knows neither accounts nor money; matching.ts walks it.
import { type Order, remainingLots, type Side } from "./order.ts";

/** An order's place in a queue; `slice` is what may trade before an iceberg goes to the back. */
type Place = {
  readonly order: Order;
  readonly level: Level;
  slice: number;
  before: Place | null;
  after: Place | null;
};

/** All orders at one price, first come first. */
type Level = { readonly ticks: number; head: Place | null; tail: Place | null; shownLots: number };

/** One side; `prices` is sorted so that the best price is last. */
type BookSide = { readonly levels: Map<number, Level>; readonly prices: number[] };

/** A displayed price level. */
export type Depth = { readonly ticks: number; readonly lots: number };

/** The resting orders of one instrument. */
export type Book = {
  readonly BUY: BookSide;
  readonly SELL: BookSide;
  readonly places: Map<Order, Place>;
};

/** An empty book. */
export function createBook(): Book {
  const side = (): BookSide => ({ levels: new Map(), prices: [] });
  return { BUY: side(), SELL: side(), places: new Map() };
}

/** Where a price belongs in the sorted list of a side. */
function indexOf(side: Side, prices: readonly number[], ticks: number): number {
  const rank = side === "BUY" ? ticks : -ticks;
  let low = 0;
  let high = prices.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const price = prices[middle]!;
    if ((side === "BUY" ? price : -price) < rank) low = middle + 1;
    else high = middle;
  }
  return low;
}

function sliceOf(order: Order): number {
  const rest = remainingLots(order);
  return order.displayLots === null || order.displayLots === 0
    ? rest
    : Math.min(rest, order.displayLots);
}

const shown = (place: Place) => (place.order.displayLots === 0 ? 0 : place.slice);

/** Puts an order at the end of the queue of its price. */
export function addOrder(book: Book, order: Order): void {
  const { levels, prices } = book[order.side];
  const ticks = order.ticks ?? 0;
  let level = levels.get(ticks);
  if (!level) {
    level = { ticks, head: null, tail: null, shownLots: 0 };
    levels.set(ticks, level);
    prices.splice(indexOf(order.side, prices, ticks), 0, ticks);
  }
  const place: Place = { order, level, slice: sliceOf(order), before: level.tail, after: null };
  if (level.tail) level.tail.after = place;
  else level.head = place;
  level.tail = place;
  level.shownLots += shown(place);
  book.places.set(order, place);
}

/** Takes an order out of the book; nothing happens when it is not in it. */
export function removeOrder(book: Book, order: Order): void {
  const place = book.places.get(order);
  if (!place) return;
  book.places.delete(order);
  const { level, before, after } = place;
  level.shownLots -= shown(place);
  if (before) before.after = after;
  else level.head = after;
  if (after) after.before = before;
  else level.tail = before;
  if (level.head) return;
  const { levels, prices } = book[order.side];
  levels.delete(level.ticks);
  prices.splice(indexOf(order.side, prices, level.ticks), 1);
}

/**
 * Books a fill of a resting order whose `executedLots` were already raised: a used-up slice of an
 * iceberg is refilled at the back of the queue, a finished order leaves.
 */
export function takeFrom(book: Book, order: Order, lots: number): void {
  const place = book.places.get(order);
  if (!place) return;
  if (remainingLots(order) > 0 && place.slice > lots) {
    if (order.displayLots !== 0) place.level.shownLots -= lots;
    place.slice -= lots;
    return;
  }
  removeOrder(book, order);
  if (remainingLots(order) > 0) addOrder(book, order);
}

/** Lowers the quantity of a resting order without losing its place. */
export function shrinkOrder(book: Book, order: Order, lots: number): void {
  const place = book.places.get(order);
  order.lots = lots;
  if (!place) return;
  place.level.shownLots -= shown(place);
  place.slice = Math.min(place.slice, sliceOf(order));
  place.level.shownLots += shown(place);
}

/** The order that is served next on a side and what of it may trade now; null when it is empty. */
export function firstInLine(book: Book, side: Side): { order: Order; slice: number } | null {
  const ticks = book[side].prices.at(-1);
  if (ticks === undefined) return null;
  const head = book[side].levels.get(ticks)?.head;
  return head ? { order: head.order, slice: head.slice } : null;
}

/** Best price of a side, hidden orders included; null when it is empty. */
export function bestTicks(book: Book, side: Side): number | null {
  return book[side].prices.at(-1) ?? null;
}

/** The n-th displayed price of a side, from 1; null when there are fewer. */
export function levelTicks(book: Book, side: Side, n: number): number | null {
  return depthOf(book, side, n)[n - 1]?.ticks ?? null;
}

/** Displayed levels of a side, best first. */
export function depthOf(book: Book, side: Side, count: number): Depth[] {
  const { levels, prices } = book[side];
  const found: Depth[] = [];
  for (let i = prices.length - 1; i >= 0 && found.length < count; i--) {
    const level = levels.get(prices[i]!);
    if (level && level.shownLots > 0) found.push({ ticks: level.ticks, lots: level.shownLots });
  }
  return found;
}

/** Whether an order of `side` with this limit would trade at once; no limit is always able to. */
export function wouldTake(book: Book, side: Side, ticks: number | null): boolean {
  const best = bestTicks(book, side === "BUY" ? "SELL" : "BUY");
  if (best === null) return false;
  return ticks === null || (side === "BUY" ? best <= ticks : best >= ticks);
}

/** All orders of a side in the order they would be served. */
export function* ordersInLine(book: Book, side: Side): Generator<Order> {
  const { levels, prices } = book[side];
  for (let i = prices.length - 1; i >= 0; i--) {
    for (let at = levels.get(prices[i]!)?.head ?? null; at; at = at.after) yield at.order;
  }
}
