// Fills the paper account's orders against live prices: what a look at the market sets off, and what a
// new order takes at once. The rules are the simulator's (engine), on the straight path between two
// looks, without touch fills. Where a book is shown, takers pay its price and get no more than it shows.
import { fillTicks } from "../../engine/sim-fill.ts";
import { isMet, type SimOrder, simOrder } from "../../engine/sim-order.ts";
import { bestTrigger, LIQUIDATION, NO_TRIGGER } from "../../engine/triggers.ts";
import { compare, type Decimal, decimal, subtract } from "../../model/decimal.ts";
import { gridText, stepsDown } from "../../model/instrument.ts";
import type { Liquidity, OrderKind, OrderSide } from "../../model/order.ts";
import type { EpochMs } from "../../model/time.ts";
import type { MarkPrice, TopOfBook } from "../../ports/broker.ts";
import {
  bookFill,
  bookTrade,
  endOrder,
  isReducing,
  marketOf,
  type PaperBook,
  type PaperMarket,
  type PaperOrder,
  reducibleQty,
} from "./paper-book.ts";
import { liquidationOf, marginFits } from "./paper-margin.ts";

/** One usable look at a symbol. `isGap` when the path to it was not watched. */
export type PaperLook = {
  readonly mark: MarkPrice;
  readonly top: TopOfBook | null;
  readonly at: EpochMs;
  readonly isGap: boolean;
};

const ZERO = decimal("0");

/** The price of the path at a look: the middle of the book, else the mark. */
export function pathPrice({ mark, top }: Pick<PaperLook, "mark" | "top">): number {
  return top === null ? Number(mark.price) : (Number(top.bid) + Number(top.ask)) / 2;
}

/** What a taker meets: the other side of the book, else the price of the path. */
export function touchOf({ top, path }: Pick<PaperMarket, "top" | "path">, side: OrderSide): number {
  if (top !== null) return Number(side === "buy" ? top.ask : top.bid);
  return path ?? Number.NaN;
}

/** An order that arrived just now: takes what it can, or sets off when its trigger is met already. */
export function enter(book: PaperBook, order: PaperOrder, at: EpochMs): void {
  const { symbol, terms, isWaiting } = order;
  if (isWaiting) {
    const path = marketOf(book, symbol).path;
    if (path !== null) walk(book, symbol, { from: path, to: path, at });
    return;
  }
  if (order.sim === null || order.sim.crossing) take(book, order, at);
  const isImmediate = terms.kind === "ioc" || terms.kind === "fok";
  if (isImmediate && book.working.has(order.exchangeOrderId)) endOrder(book, order, "cancelled");
}

/** Carries out everything a look sets off on its symbol. */
export function applyLook(book: PaperBook, symbol: string, look: PaperLook): void {
  const market = marketOf(book, symbol);
  const to = pathPrice(look);
  const from = look.isGap ? null : market.path;
  noteTop(market, look.top);
  market.mark = look.mark;
  market.path = to;
  market.pathAt = look.at;
  for (const order of ordersOf(book, symbol)) {
    if (order.sim === null) take(book, order, look.at);
  }
  walk(book, symbol, { from, to, at: look.at });
}

/** What was shown and taken is gone until the book changes. */
function noteTop(market: PaperMarket, top: TopOfBook | null): void {
  const before = market.top;
  market.top = top;
  if (top === null) market.shown = { buy: null, sell: null };
  else if (before === null || !isSameTop(before, top)) {
    market.shown = { buy: top.askQty, sell: top.bidQty };
  }
}

function isSameTop(a: TopOfBook, b: TopOfBook): boolean {
  const isSame = (name: "bid" | "ask" | "bidQty" | "askQty") => a[name] === b[name];
  return a.at === b.at && isSame("bid") && isSame("ask") && isSame("bidQty") && isSame("askQty");
}

/** A piece of path; `from` null when nobody watched how the price came to `to`. */
type Piece = { readonly from: number | null; readonly to: number; readonly at: EpochMs };

/** Serves what is met on a piece of path, nearest first; every order at most once. */
function walk(book: PaperBook, symbol: string, piece: Piece): void {
  const { to } = piece;
  const left = ordersOf(book, symbol).filter(({ sim }) => sim !== null);
  left.sort((a, b) => servingClass(a) - servingClass(b) || a.rank - b.rank);
  const found = { slot: NO_TRIGGER, price: 0, isActivation: false };
  let from = piece.from ?? originOf(left, to);
  for (;;) {
    const open = left.filter((order) => book.working.has(order.exchangeOrderId));
    const seen = open.filter((order) => isWithinReach(marketOf(book, symbol), order));
    const { price: liquidation, falls } = liquidationOf(book, symbol);
    const scene = {
      orders: seen.map(({ sim }) => sim),
      touchFills: false,
      liquidation,
      liquidationFalls: falls,
      isAtOpen: false,
    };
    bestTrigger(scene, from, to, found);
    if (found.slot === NO_TRIGGER) return;
    from = found.price;
    // Unwatched and without a book there is no better price than the one found.
    const basis = piece.from === null && marketOf(book, symbol).top === null ? to : from;
    if (found.slot === LIQUIDATION) {
      liquidate(book, symbol, basis, piece.at);
      return;
    }
    const order = seen[found.slot];
    if (order === undefined) return;
    left.splice(left.indexOf(order), 1);
    if (order.isWaiting) release(book, order, basis, piece.at);
    else rest(book, order, piece.at);
  }
}

/** Stops first, then other reducing orders, as in the simulator. */
function servingClass(order: PaperOrder): number {
  if (!isReducing(order)) return 2;
  return order.isWaiting && order.sim?.kind === "stop_market" ? 0 : 1;
}

/** An unwatched price is taken to have come straight past everything it has met. */
function originOf(orders: readonly PaperOrder[], to: number): number {
  let origin = to;
  for (const { sim } of orders) {
    if (sim === null || !isMet(sim, to)) continue;
    if (Math.abs(sim.price - to) > Math.abs(origin - to)) origin = sim.price;
  }
  return origin;
}

/** A resting order needs the other side itself beyond its price, not only the middle. */
function isWithinReach({ top }: PaperMarket, { isWaiting, price, side }: PaperOrder): boolean {
  if (isWaiting || top === null || price === null) return true;
  return side === "buy" ? compare(top.ask, price) < 0 : compare(top.bid, price) > 0;
}

/** A trigger price was met: from now on it is a market or limit order. */
function release(book: PaperBook, order: PaperOrder, basis: number, at: EpochMs): void {
  const market = marketOf(book, order.symbol);
  const { sim } = order;
  order.isWaiting = false;
  if (order.price === null) {
    const touch =
      market.top === null ? basis : worse(order.side, basis, touchOf(market, order.side));
    execute(book, order, { basis: touch, sim, liquidity: "taker", at });
    order.sim = null;
    return;
  }
  order.sim = limitSim(market, order);
  if (takesAt(market, order.side, order.price)) order.sim.crossing = true;
  if (order.sim.crossing) take(book, order, at);
}

function worse(side: OrderSide, a: number, b: number): number {
  return side === "buy" ? Math.max(a, b) : Math.min(a, b);
}

/** Whether a limit at this price would take: equality is a touch where no book is shown. */
export function takesAt(market: PaperMarket, side: OrderSide, price: Decimal): boolean {
  const touch = touchOf(market, side);
  const value = Number(price);
  if (market.top === null) return side === "buy" ? touch < value : touch > value;
  return side === "buy" ? touch <= value : touch >= value;
}

/** A resting order trades at its own price. */
function rest(book: PaperBook, order: PaperOrder, at: EpochMs): void {
  const { sim } = order;
  if (sim !== null) execute(book, order, { basis: sim.price, sim, liquidity: "maker", at });
}

/** Takes what is shown within the order's limit; the rest of a limit order rests from now on. */
export function take(book: PaperBook, order: PaperOrder, at: EpochMs): void {
  const { side, price, sim } = order;
  const basis = touchOf(marketOf(book, order.symbol), side);
  const isBeyond =
    price !== null && (side === "buy" ? basis > Number(price) : basis < Number(price));
  if (!isBeyond) execute(book, order, { basis, sim, liquidity: "taker", at });
  if (sim !== null) sim.crossing = false;
}

type Execution = {
  readonly basis: number;
  readonly sim: SimOrder | null;
  readonly liquidity: Liquidity;
  readonly at: EpochMs;
};

/** Books what is possible of an order at a price; what can never fill any more is cancelled. */
function execute(book: PaperBook, order: PaperOrder, execution: Execution): void {
  const { basis, sim, liquidity, at } = execution;
  const market = marketOf(book, order.symbol);
  const { side } = order;
  const slippage = book.terms.slippageBps / 10_000;
  const { ticks } = fillTicks(sim, side === "buy", basis, false, market.prices, slippage);
  const qty = fillableQty(book, order);
  if (compare(qty, ZERO) > 0) {
    const fill = { price: decimal(gridText(market.prices, ticks)), qty, liquidity, at };
    const expanding = expandingQty(book, order, qty);
    if (compare(expanding, ZERO) > 0 && !marginFits(book, order, fill, expanding)) {
      endOrder(book, order, "cancelled");
      return;
    }
    const shown = market.shown[side];
    if (shown !== null) market.shown[side] = subtract(shown, qty);
    bookFill(book, order, fill);
  }
  const isOpen = book.working.has(order.exchangeOrderId);
  if (isOpen && isReducing(order) && compare(reducibleQty(book, order), ZERO) === 0) {
    endOrder(book, order, "cancelled");
  }
}

/** What of an order can fill now: its rest, what the book shows, what there is to reduce. */
export function fillableQty(book: PaperBook, order: PaperOrder): Decimal {
  const open = subtract(order.qty, order.filledQty);
  const shown = marketOf(book, order.symbol).shown[order.side];
  const offered = shown === null ? open : lesser(open, shown);
  return isReducing(order) ? lesser(offered, reducibleQty(book, order)) : offered;
}

/** The part of a quantity that opens or enlarges a position. */
export function expandingQty(
  book: PaperBook,
  order: Pick<PaperOrder, "symbol" | "side" | "positionSide" | "isReduceOnly">,
  qty: Decimal,
): Decimal {
  if (isReducing(order)) return ZERO;
  return subtract(qty, lesser(qty, reducibleQty(book, order)));
}

function lesser(a: Decimal, b: Decimal): Decimal {
  return compare(a, b) <= 0 ? a : b;
}

/** The exchange closes everything at what it meets and takes all orders out. */
function liquidate(book: PaperBook, symbol: string, basis: number, at: EpochMs): void {
  for (const order of [...book.working.values()]) endOrder(book, order, "cancelled");
  const slippage = book.terms.slippageBps / 10_000;
  for (const held of [...book.legs.values()]) {
    const market = marketOf(book, held.symbol);
    const side = held.position.positionSide === "long" ? "sell" : "buy";
    const met = held.symbol === symbol ? basis : touchOf(market, side);
    const path = Number.isFinite(met) ? met : Number(market.mark?.price ?? basis);
    const { ticks } = fillTicks(null, side === "buy", path, false, market.prices, slippage);
    const id = `liquidation-${held.symbol}-${held.leg}-${Math.max(at, book.lastAt + 1)}`;
    const positionSide = held.leg === "net" ? null : held.leg;
    bookTrade(
      book,
      { symbol: held.symbol, side, positionSide, exchangeOrderId: id },
      {
        price: decimal(gridText(market.prices, ticks)),
        qty: held.position.qty,
        liquidity: "taker",
        at,
      },
      id,
    );
  }
}

/** The working orders of a symbol, in the order of arrival. */
export function ordersOf(book: PaperBook, symbol: string): PaperOrder[] {
  return [...book.working.values()].filter((order) => order.symbol === symbol);
}

/** How the simulator's rules see an order that rests at its price. */
export function limitSim(market: PaperMarket, order: PaperOrder): SimOrder {
  return simOf(market, order, order.price ?? ZERO, "limit");
}

/** How the simulator's rules see an order that waits for its trigger price. */
export function triggerSim(
  market: PaperMarket,
  order: PaperOrder,
  triggerPrice: Decimal,
  direction: "rising" | "falling",
): SimOrder {
  const isPassive = (direction === "falling") === (order.side === "buy");
  return simOf(market, order, triggerPrice, isPassive ? "trigger_market" : "stop_market");
}

function simOf(
  { prices, lots }: PaperMarket,
  order: PaperOrder,
  price: Decimal,
  kind: OrderKind,
): SimOrder {
  const { clientOrderId, side, positionSide, isReduceOnly, createdAt } = order;
  const isLong =
    positionSide === null ? (side === "buy") !== isReduceOnly : positionSide === "long";
  const target = {
    key: clientOrderId,
    purpose: isReduceOnly ? ("exit" as const) : ("entry" as const),
    kind,
    side,
    positionSide: isLong ? ("long" as const) : ("short" as const),
    isReduceOnly,
    priceTicks: stepsDown(prices, Number(price)),
    qtyLots: stepsDown(lots, Number(order.qty)),
    bandPct: 0,
    decidedAt: createdAt,
    liveFrom: 0,
    replacePct: 0,
    reason: "",
  };
  const sim = simOrder(target, order.rank, prices);
  sim.live = true;
  return sim;
}
