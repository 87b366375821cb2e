// Turns an incoming order into fills against the book, by price and then by time, and books every fill
// in both accounts. The only place where positions and wallets change through trading.
import { type Account, closingRoom, keepRow, legOf, reserve, type Trade } from "./account.ts";
import { firstInLine, removeOrder, takeFrom } from "./book.ts";
import { ceilDivide, type Money } from "./decimal.ts";
import { notional, PPM } from "./instrument.ts";
import {
  isOpen,
  opposite,
  type Order,
  type OrderStatus,
  rememberView,
  remainingLots,
  signOf,
} from "./order.ts";
import { addToDay, applyToLeg } from "./position.ts";
import { accountOf, credit, type Exchange, type Market, printTrade, record } from "./state.ts";

/** Limits of one run through the book. */
export type MatchLimits = {
  /** Worst price the taker accepts; null for none. */
  readonly ticks: number | null;
  /** Lots at most; the rest of the taker stays open. */
  readonly lots?: number;
};

/**
 * Fills `taker` from the other side of the book until its quantity, its limit or the book ends. A resting
 * order that may only close is cut to its leg; a taker was found to fit its leg when it was accepted.
 * @returns lots filled
 */
export function match(x: Exchange, market: Market, taker: Order, limits: MatchLimits): number {
  const allowed = limits.lots ?? Number.POSITIVE_INFINITY;
  let filled = 0;
  while (isOpen(taker) && filled < allowed) {
    const first = firstInLine(market.book, opposite(taker.side));
    if (!first) break;
    const maker = first.order;
    const ticks = maker.ticks ?? 0;
    if (limits.ticks !== null && (ticks - limits.ticks) * signOf(taker.side) > 0) break;
    const makerRoom = closingRoom(accountOf(x, maker.accountId), maker);
    if (makerRoom === 0) {
      finish(x, market, maker, "CANCELLED", "nothing left to reduce");
      continue;
    }
    const rest = Math.min(remainingLots(taker), allowed - filled);
    const lots = Math.min(rest, first.slice, makerRoom);
    fill(x, market, { maker, taker, ticks, lots });
    filled += lots;
  }
  return filled;
}

type Match = {
  readonly maker: Order;
  readonly taker: Order;
  readonly ticks: number;
  readonly lots: number;
};

/** Books one match on both sides and prints it. */
export function fill(x: Exchange, market: Market, { maker, taker, ticks, lots }: Match): void {
  maker.executedLots += lots;
  maker.executedValue += notional(maker.instrument, ticks, lots);
  takeFrom(market.book, maker, lots);
  taker.executedLots += lots;
  taker.executedValue += notional(taker.instrument, ticks, lots);
  const { symbol } = market.instrument;
  record(x, "match", { symbol, maker: maker.id, taker: taker.id, side: taker.side, ticks, lots });
  bookSide(x, maker, { ticks, lots, isMaker: true });
  bookSide(x, taker, { ticks, lots, isMaker: false });
  printTrade(x, market, { at: x.now, side: taker.side, ticks, lots });
}

type Part = { readonly ticks: number; readonly lots: number; readonly isMaker: boolean };

/** Position, wallet, order and history of one side of a match. */
function bookSide(x: Exchange, order: Order, part: Part): void {
  const account = accountOf(x, order.accountId);
  const { ticks, lots, isMaker } = part;
  const leg = legOf(account, order.instrument, order.positionSide);
  const realized = applyToLeg(leg, signOf(order.side) * lots, ticks, x.now);
  const isHouse = account === x.house;
  const fee = isHouse ? 0n : feeOf(account, notional(order.instrument, ticks, lots), isMaker);
  account.wallet += (realized ?? 0n) - fee;
  x.feePool += fee;
  account.feesPaid += fee;
  order.fee += fee;
  if (realized !== null) order.realized = (order.realized ?? 0n) + realized;
  order.status = remainingLots(order) === 0 ? "FILLED" : "PARTIAL_FILLED";
  if (isHouse) return;
  if (realized !== null) x.dirty.add(account);
  reserve(account, order, -lots);
  if (order.status === "FILLED") account.open.delete(order);
  rememberView(order, x.now);
  addToDay(leg, x.now, realized ?? 0n, fee);
  const id = ++x.ids.trade;
  const trade: Trade = { id, order, at: x.now, ticks, lots, fee, realized, isMaker };
  keepRow(account.trades, trade);
  record(x, "fill", {
    account: account.name,
    trade: id,
    order: order.id,
    fee: fee.toString(),
    realized: realized === null ? null : realized.toString(),
    wallet: account.wallet.toString(),
  });
  x.listener.onOrder(account, order, trade);
  x.listener.onPosition(account, leg);
  x.listener.onBalance(account);
}

/** Fees are rounded up to the last unit, never in the client's favour. */
function feeOf(account: Account, value: Money, isMaker: boolean): Money {
  return ceilDivide(value * (isMaker ? account.makerPpm : account.takerPpm), PPM);
}

/** Ends an order without a fill: CANCELLED or REJECTED. */
export function finish(
  x: Exchange,
  market: Market,
  order: Order,
  status: OrderStatus,
  reason: string,
): void {
  if (!isOpen(order)) return;
  removeOrder(market.book, order);
  const account = accountOf(x, order.accountId);
  reserve(account, order, -remainingLots(order));
  account.open.delete(order);
  order.status = status;
  order.reason = reason;
  if (account === x.house) return;
  rememberView(order, x.now);
  record(x, "order_ended", { order: order.id, status, reason });
  x.listener.onOrder(account, order, null);
}

/** Moves realised profit that did not come from a match, such as a mode switch. */
export function settleCash(x: Exchange, account: Account, amount: Money, why: string): void {
  record(x, "cash", { account: account.name, amount: amount.toString(), why });
  credit(x, account, amount);
}
