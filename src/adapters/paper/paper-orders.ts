// Takes, changes and cancels orders of the paper account: every filter an exchange would apply, with
// the same refusals. Synchronous; the caller has looked at the market just before.
import { passiveTicks } from "../../engine/sim-order.ts";
import { parseClientOrderId } from "../../model/client-order-id.ts";
import { add, compare, type Decimal, decimal, multiply, subtract } from "../../model/decimal.ts";
import { gridText } from "../../model/instrument.ts";
import type { OrderSide } from "../../model/order.ts";
import { checkOrder } from "../../model/order-rules.ts";
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type {
  Amendment,
  NewOrder,
  OrderRef,
  OrderTerms,
  RefusalReason,
  TopOfBook,
} from "../../ports/broker.ts";
import {
  endOrder,
  isReducing,
  keepOrder,
  marketOf,
  type PaperBook,
  type PaperMarket,
  type PaperOrder,
  reducibleQty,
} from "./paper-book.ts";
import { freeMargin, marginNeeded } from "./paper-margin.ts";
import {
  enter,
  expandingQty,
  fillableQty,
  limitSim,
  takesAt,
  touchOf,
  triggerSim,
} from "./paper-matching.ts";

/** Where an order begins; `price` null executes at whatever the book shows. */
type Seat = { readonly price: Decimal | null; readonly takes: boolean };
const ZERO = decimal("0");
const NAME = "paper-";
const WORKING_MAX = 2000;

/** The exchange order id of an order of ours. */
export function exchangeIdOf(clientOrderId: string): string {
  return NAME + clientOrderId;
}

/** The order of a reference, whatever became of it; undefined when it is not remembered. */
export function orderOf(book: PaperBook, { by, id, symbol }: OrderRef): PaperOrder | undefined {
  const clientOrderId = by === "client" ? id : id.startsWith(NAME) ? id.slice(NAME.length) : "";
  const order = book.known.get(clientOrderId);
  return order?.symbol === symbol ? order : undefined;
}

/** Takes an order and executes what can execute at once. */
export function placeOrder(
  book: PaperBook,
  wanted: NewOrder,
  at: EpochMs,
): Result<{ exchangeOrderId: string }, RefusalReason> {
  const flaw = flawOf(book, wanted);
  if (flaw !== null) return flaw;
  const market = marketOf(book, wanted.symbol);
  const seat = seatOf(market, wanted.side, wanted.terms);
  if (!seat.ok) return seat;
  const order = newOrder(book, wanted, seat.value, at);
  const breach = breachOf(book, market, order);
  if (!breach.ok) return breach;
  keepOrder(book, order);
  sit(market, order, seat.value);
  const isPart = compare(fillableQty(book, order), order.qty) < 0;
  if (wanted.terms.kind === "fok" && isPart) endOrder(book, order, "cancelled");
  else enter(book, order, at);
  return ok({ exchangeOrderId: order.exchangeOrderId });
}

/** What makes an order unfit whatever the market does; null when nothing does. */
function flawOf(book: PaperBook, wanted: NewOrder) {
  const { clientOrderId: id, positionSide, visibleQty, qty } = wanted;
  if (parseClientOrderId(id) === null) {
    return refuse("BAD_REQUEST", `clientOrderId: "${id}" must be 19 digits below 2^63`);
  }
  if (compare(qty, ZERO) <= 0) return refuse("BAD_REQUEST", `qty: ${qty} must be above 0`);
  if (visibleQty !== null) return refuse("NOT_SUPPORTED", "it has no hidden quantities");
  if (book.known.has(id)) return refuse("DUPLICATE_CLIENT_ID", `clientOrderId: ${id} is taken`);
  if ((positionSide !== null) !== (book.mode === "hedge")) {
    const word = book.mode === "hedge" ? "needs a leg" : "has no legs";
    return refuse("POSITION_MODE", `positionSide: the account ${word}`);
  }
  if (book.working.size >= WORKING_MAX) {
    return refuse("BUSY", `it holds at most ${WORKING_MAX} working orders`);
  }
  return null;
}

/** Where an order begins its life now. */
function seatOf(
  market: PaperMarket,
  side: OrderSide,
  terms: OrderTerms,
): Result<Seat, RefusalReason> {
  switch (terms.kind) {
    case "market":
      return ok({ price: null, takes: true });
    case "trigger":
      return ok({ price: terms.price, takes: false });
    case "limit":
      return ok({ price: terms.price, takes: takesAt(market, side, terms.price) });
    case "ioc":
    case "fok":
      return ok({ price: terms.price, takes: true });
    case "post_only":
      return postOnlySeat(market, side, terms.price, terms.mayAdjust);
    case "queue":
      return queueSeat(market, side, terms.level);
  }
}

/** A price that would take is moved next to the book, or onto the price where no book is shown. */
function postOnlySeat(
  market: PaperMarket,
  side: OrderSide,
  price: Decimal,
  mayAdjust: boolean,
): Result<Seat, RefusalReason> {
  const { prices, rules, top, path } = market;
  if (!takesAt(market, side, price)) return ok({ price, takes: false });
  if (!mayAdjust) return refuse("WOULD_TAKE", `price: ${price} would take`);
  if (top !== null) {
    const moved =
      side === "buy" ? subtract(top.ask, rules.priceTick) : add(top.bid, rules.priceTick);
    return ok({ price: moved, takes: false });
  }
  const ticks = passiveTicks(prices, side === "buy", path ?? Number(price));
  return ok({ price: decimal(gridText(prices, ticks)), takes: false });
}

/** Levels below the first are not shown: they are taken to lie a tick apart. */
function queueSeat(
  { top, rules }: Pick<PaperMarket, "top" | "rules">,
  side: OrderSide,
  level: number,
): Result<Seat, RefusalReason> {
  if (top === null) return refuse("BUSY", "there is no book to queue in");
  const away = multiply(rules.priceTick, decimal(level - 1));
  const price = side === "buy" ? subtract(top.bid, away) : add(top.ask, away);
  return ok({ price, takes: false });
}

function newOrder(book: PaperBook, wanted: NewOrder, seat: Seat, at: EpochMs): PaperOrder {
  const { clientOrderId, symbol, side, positionSide, isReduceOnly, terms, qty } = wanted;
  return {
    ...{ clientOrderId, symbol, side, positionSide, isReduceOnly, terms, qty },
    exchangeOrderId: exchangeIdOf(clientOrderId),
    createdAt: at,
    rank: ++book.ranks,
    isWaiting: terms.kind === "trigger",
    price: seat.price,
    filledQty: ZERO,
    value: ZERO,
    fills: 0,
    status: "open",
    sim: null,
  };
}

/** Filters, reducible quantity and margin, at the price the order would have. */
function breachOf(
  book: PaperBook,
  market: PaperMarket,
  order: PaperOrder,
): Result<null, RefusalReason> {
  const { side, qty, terms } = order;
  const touch = decimal(touchOf(market, side));
  const trigger = terms.kind === "trigger" ? terms.triggerPrice : null;
  const price = order.price ?? trigger;
  // The band is about now; a waiting order meets the market later.
  const referencePrice = trigger === null ? (market.mark?.price ?? touch) : null;
  const checked = checkOrder(market.rules, { side, price, qty, referencePrice });
  if (!checked.ok) return checked;
  if (trigger !== null && order.price !== null) {
    const also = checkOrder(market.rules, { side, price: trigger, qty, referencePrice });
    if (!also.ok) return also;
  }
  const open = subtract(qty, order.filledQty);
  if (isReducing(order)) {
    const held = reducibleQty(book, order);
    if (compare(open, held) <= 0) return ok(null);
    return refuse("REDUCE_ONLY_EXCEEDS", `qty: ${open} must be at most what is held, ${held}`);
  }
  const expanding = expandingQty(book, order, open);
  // One that first gives margin back is judged when it fills.
  if (compare(expanding, open) < 0) return ok(null);
  if (marginNeeded(book, order, price ?? touch, expanding) <= freeMargin(book)) return ok(null);
  return refuse("INSUFFICIENT_MARGIN", `qty: the margin does not allow ${expanding} more`);
}

/** Gives the order its place under the simulator's rules. */
function sit(market: PaperMarket, order: PaperOrder, seat: Seat): void {
  const { terms } = order;
  if (terms.kind === "trigger") {
    order.sim = triggerSim(market, order, terms.triggerPrice, terms.direction);
    return;
  }
  order.sim = order.price === null ? null : limitSim(market, order);
  if (order.sim !== null) order.sim.crossing = seat.takes;
}

/** Changes price or quantity of a working order; its ids stay. */
export function amendOrder(
  book: PaperBook,
  ref: OrderRef,
  change: Amendment,
  at: EpochMs,
): Result<null, RefusalReason> {
  const order = orderOf(book, ref);
  if (order === undefined) return refuse("ORDER_NOT_FOUND", "there is no such order");
  if (!book.working.has(order.exchangeOrderId)) {
    return refuse("ORDER_FINISHED", `the order is ${order.status}`);
  }
  const { price, qty } = change;
  if (price === null && qty === null) return refuse("BAD_REQUEST", "nothing is amended");
  if (price !== null && order.price === null) {
    return refuse("BAD_REQUEST", "price: a market order has none");
  }
  if (qty !== null && compare(qty, order.filledQty) <= 0) {
    return refuse("BAD_REQUEST", `qty: ${qty} must be above what is filled, ${order.filledQty}`);
  }
  const market = marketOf(book, order.symbol);
  const terms = amendedTerms(order, price);
  const seat = seatOf(market, order.side, terms);
  if (!seat.ok) return seat;
  const wanted = { ...order, qty: qty ?? order.qty, price: seat.value.price };
  const breach = breachOf(book, market, wanted);
  if (!breach.ok) return breach;
  order.qty = wanted.qty;
  order.price = wanted.price;
  if (order.isWaiting) return ok(null);
  sit(market, order, seat.value);
  enter(book, order, at);
  return ok(null);
}

/** The terms under which an amended order finds its price again. */
function amendedTerms({ terms, price: before, isWaiting }: PaperOrder, price: Decimal | null) {
  const next = price ?? before;
  if (next === null || (isWaiting && terms.kind !== "trigger")) return terms;
  if (terms.kind === "trigger" && isWaiting) return { ...terms, price: next };
  if (terms.kind === "post_only") return { ...terms, price: next };
  return { kind: "limit" as const, price: next };
}

/** Cancels a working order. */
export function cancelOrder(book: PaperBook, ref: OrderRef): Result<null, RefusalReason> {
  const order = orderOf(book, ref);
  if (order === undefined) return refuse("ORDER_NOT_FOUND", "there is no such order");
  if (!book.working.has(order.exchangeOrderId)) {
    return refuse("ORDER_FINISHED", `the order is ${order.status}`);
  }
  endOrder(book, order, "cancelled");
  return ok(null);
}

/**
 * Puts an order of the rows back, at the first look after a start. Rows do not tell the price a place
 * in the queue had: it is found again, and an order that finds none is cancelled.
 */
export function restoreOrder(book: PaperBook, order: PaperOrder, top: TopOfBook | null): void {
  const market = marketOf(book, order.symbol);
  const { terms, side } = order;
  if (terms.kind === "queue") {
    const seat = queueSeat({ rules: market.rules, top }, side, terms.level);
    if (!seat.ok) {
      endOrder(book, order, "cancelled");
      return;
    }
    order.price = seat.value.price;
  }
  if (order.isWaiting && terms.kind === "trigger")
    sit(market, order, { price: null, takes: false });
  else if (order.price !== null) order.sim = limitSim(market, order);
}
