// Life of a plain order: enter, amend, cancel, cancel all, cancel after a time. Called by the request
// handlers, by algo orders and by the deeds of the admin interface. What a fill sets off elsewhere
// (triggers, liquidation) is the business of aftermath.ts.
import { type Account, closingRoom, keepOrder, leverageOf, reserve } from "./account.ts";
import {
  addOrder,
  bestTicks,
  levelTicks,
  ordersInLine,
  removeOrder,
  shrinkOrder,
  wouldTake,
} from "./book.ts";
import { VenueError } from "./errors.ts";
import { type FaultRule, numberOf } from "./faults.ts";
import { notional } from "./instrument.ts";
import { fill, finish, match } from "./matching.ts";
import { checkDraft, checkExposure, type Draft, priceBand, referenceTicks } from "./order-rules.ts";
import {
  HOUSE,
  isOpen,
  opposite,
  type Order,
  rememberView,
  remainingLots,
  type Side,
} from "./order.ts";
import { accountOf, type Exchange, type Market, marketFor, record } from "./state.ts";

/** Checks a draft, gives it an id and executes it. @throws VenueError when it is refused */
export function placeOrder(x: Exchange, account: Account, draft: Draft): Order {
  const rival = account.byClientId.get(draft.clientOrderId);
  if (draft.clientOrderId !== "0" && rival && isOpen(rival)) throw new VenueError(302117);
  checkDraft(x, account, draft);
  const ticks = draft.bidAskLevel === null ? draft.ticks : queueTicks(x, account, draft);
  const order = openOrder(x, account, draft, ticks);
  const about = aboutOf(x, order);
  if (draft.bidAskLevel !== null && x.faults.take("bbo_reject", about)) {
    finish(x, draft.market, order, "REJECTED", "bbo rejected");
    return order;
  }
  execute(x, draft, order);
  const pieces = isOpen(order) ? x.faults.take("partial_fill", about) : null;
  if (pieces) planPieces(x, draft.market, order, pieces);
  return order;
}

/** What a fault rule may be limited to. */
function aboutOf(x: Exchange, order: Order) {
  const { name } = accountOf(x, order.accountId);
  return { account: name, symbol: order.instrument.symbol, type: order.type };
}

/** The price of the n-th displayed level that a BID or ASK order asks for. */
function queueTicks(x: Exchange, account: Account, draft: Draft): number {
  const side: Side = draft.type === "BID" ? "BUY" : "SELL";
  const about = {
    account: account.name,
    symbol: draft.market.instrument.symbol,
    type: draft.type,
  };
  const isMissing = x.faults.take("bbo_level_missing", about) !== null;
  const ticks = isMissing ? null : levelTicks(draft.market.book, side, draft.bidAskLevel ?? 1);
  if (ticks === null) throw new VenueError(-1006, "The data is not found in server.");
  return ticks;
}

/** Makes the order and tells that it is NEW; it is not in the book yet. */
export function openOrder(
  x: Exchange,
  account: Account,
  draft: Draft,
  ticks: number | null,
): Order {
  const { instrument } = draft.market;
  const order: Order = {
    id: ++x.ids.order,
    accountId: account.id,
    clientOrderId: draft.clientOrderId,
    instrument,
    tag: draft.tag,
    side: draft.side,
    positionSide: draft.positionSide,
    type: draft.type,
    bidAskLevel: draft.bidAskLevel,
    reduceOnly: draft.reduceOnly,
    isClosing: draft.isClosing,
    leverage: leverageOf(account, instrument, draft.positionSide),
    createdAt: x.now,
    ticks,
    lots: draft.lots,
    amount: draft.amount,
    displayLots: draft.displayLots,
    executedLots: 0,
    executedValue: 0n,
    fee: 0n,
    realized: null,
    status: "NEW",
    reason: "",
    views: [],
  };
  if (account.id === HOUSE) return order;
  keepOrder(account, order);
  rememberView(order, x.now);
  const { id, clientOrderId, side, type, lots } = order;
  const { symbol } = instrument;
  record(x, "order_new", {
    account: account.name,
    id,
    clientOrderId,
    symbol,
    side,
    type,
    ticks,
    lots,
  });
  x.listener.onOrder(account, order, null);
  return order;
}

/** Matches a new or re-priced order by the rules of its type; what may rest goes into the book. */
function execute(x: Exchange, draft: Draft, order: Order): void {
  const { market } = draft;
  switch (order.type) {
    case "MARKET":
      executeMarket(x, market, order);
      return;
    case "IOC":
      match(x, market, order, { ticks: order.ticks });
      finish(x, market, order, "CANCELLED", "rest of an IOC order");
      return;
    case "FOK":
      if (availableLots(x, market, order) >= order.lots)
        match(x, market, order, { ticks: order.ticks });
      finish(x, market, order, "CANCELLED", "a FOK order could not fill at once");
      return;
    case "POST_ONLY":
      executePostOnly(x, draft, order);
      return;
    default:
      match(x, market, order, { ticks: order.ticks });
      rest(market, order);
  }
}

/** Walks the book down to the price band; what is left is cancelled. */
function executeMarket(x: Exchange, market: Market, order: Order): void {
  const { highestBuy, lowestSell } = priceBand(market);
  const pieces = x.faults.take("partial_fill", aboutOf(x, order));
  const share = pieces ? partsOf(pieces).reduce((sum, part) => sum + part, 0) : 1;
  const lots = Math.min(order.lots, Math.max(1, Math.floor(order.lots * share)));
  match(x, market, order, { ticks: order.side === "BUY" ? highestBuy : lowestSell, lots });
  finish(x, market, order, "CANCELLED", "beyond the depth of the book");
}

function executePostOnly(x: Exchange, draft: Draft, order: Order): void {
  const { market } = draft;
  const isForced = x.faults.take("post_only_reject", aboutOf(x, order)) !== null;
  if (isForced || wouldTake(market.book, order.side, order.ticks)) {
    const other = bestTicks(market.book, opposite(order.side));
    if (isForced || !draft.isAdjusted || other === null) {
      finish(x, market, order, x.settings.dialect.postOnlyOutcome, "post only would take");
      return;
    }
    order.ticks = order.side === "BUY" ? other - 1 : other + 1;
    rememberView(order, x.now);
    record(x, "order_adjusted", { order: order.id, ticks: order.ticks });
  }
  rest(market, order);
}

function rest(market: Market, order: Order): void {
  if (isOpen(order)) addOrder(market.book, order);
}

/** Lots an order could take at once within its limit. */
function availableLots(x: Exchange, market: Market, order: Order): number {
  let lots = 0;
  const limit = order.ticks;
  for (const maker of ordersInLine(market.book, opposite(order.side))) {
    const ticks = maker.ticks ?? 0;
    if (limit !== null && (order.side === "BUY" ? ticks > limit : ticks < limit)) break;
    const owner = x.accounts.get(maker.accountId);
    lots += Math.min(remainingLots(maker), owner ? closingRoom(owner, maker) : maker.lots);
    if (lots >= order.lots) break;
  }
  return lots;
}

function partsOf(rule: FaultRule): readonly number[] {
  const parts = rule.params?.parts;
  return Array.isArray(parts) ? parts : [0.5];
}

/** Plans the pieces of a resting order: each fills at its price against the house. */
function planPieces(x: Exchange, market: Market, order: Order, rule: FaultRule): void {
  const gapMs = numberOf(rule, "ms", 1000);
  for (const [i, part] of partsOf(rule).entries()) {
    const lots = Math.max(1, Math.floor(order.lots * part));
    x.schedule.at(x.now + gapMs * (i + 1), () => fillByHouse(x, market, order, lots));
  }
}

/** The house takes lots of a resting order at its own price, whatever stands before it. */
function fillByHouse(x: Exchange, market: Market, order: Order, lots: number): void {
  const account = x.accounts.get(order.accountId);
  if (!isOpen(order) || order.ticks === null || !account) return;
  const possible = Math.min(lots, remainingLots(order), closingRoom(account, order));
  if (possible <= 0) return;
  const taker = houseOrder(x, market, {
    side: opposite(order.side),
    ticks: order.ticks,
    lots: possible,
  });
  fill(x, market, { maker: order, taker, ticks: order.ticks, lots: possible });
}

/** An order of the house, not in the book. */
export function houseOrder(
  x: Exchange,
  market: Market,
  wish: { side: Side; ticks: number; lots: number },
): Order {
  const draft: Draft = {
    market,
    side: wish.side,
    type: "LIMIT",
    positionSide: "BOTH",
    clientOrderId: "0",
    tag: "house",
    ticks: wish.ticks,
    lots: wish.lots,
    amount: null,
    displayLots: null,
    reduceOnly: false,
    isClosing: false,
    isAdjusted: false,
    bidAskLevel: null,
  };
  return openOrder(x, x.house, draft, wish.ticks);
}

/** What an amendment changes. */
export type Amendment = { readonly ticks: number | null; readonly lots: number | null };

/**
 * Changes price or quantity of an open order. It keeps its place only when the quantity shrinks at an
 * unchanged price.
 * @throws VenueError when the order has ended or the new values break a rule
 */
export function amendOrder(x: Exchange, account: Account, order: Order, change: Amendment): void {
  if (!isOpen(order)) throw new VenueError(317177);
  const market = marketFor(x, order.instrument);
  const lots = change.lots ?? order.lots;
  const ticks = change.ticks ?? order.ticks;
  checkAmendment(x, account, order, { ticks, lots });
  record(x, "order_amended", { order: order.id, ticks, lots });
  reserve(account, order, lots - order.lots);
  if (ticks === order.ticks && lots <= order.lots) {
    shrinkOrder(market.book, order, lots);
    rememberView(order, x.now);
    x.listener.onOrder(account, order, null);
    return;
  }
  removeOrder(market.book, order);
  order.lots = lots;
  order.ticks = ticks;
  if (order.displayLots !== null) order.displayLots = Math.min(order.displayLots, lots);
  rememberView(order, x.now);
  x.listener.onOrder(account, order, null);
  execute(x, draftOfOrder(market, order), order);
}

function checkAmendment(
  x: Exchange,
  account: Account,
  order: Order,
  next: { ticks: number | null; lots: number },
): void {
  const { instrument, side, positionSide } = order;
  const market = marketFor(x, instrument);
  if (next.lots <= order.executedLots) throw new VenueError(302142);
  const band = priceBand(market);
  if (
    next.ticks !== null &&
    (side === "BUY" ? next.ticks > band.highestBuy : next.ticks < band.lowestSell)
  ) {
    throw new VenueError(-1105);
  }
  if (order.isClosing) {
    if (next.lots - order.executedLots > closingRoom(account, order)) throw new VenueError(302125);
    return;
  }
  const value = notional(instrument, referenceTicks(market, side, next.ticks), next.lots);
  if (value < instrument.minNotional) throw new VenueError(302164);
  const growth = next.lots - order.lots;
  if (growth > 0) checkExposure(x, account, { instrument, positionSide, side, lots: growth });
}

function draftOfOrder(market: Market, order: Order): Draft {
  return { ...order, market, isAdjusted: false };
}

/**
 * Asks for the cancellation of an open order; it may still fill before it takes effect.
 * @throws VenueError -1006 when it has ended already
 */
export function cancelOrder(x: Exchange, order: Order): void {
  if (!isOpen(order)) throw new VenueError(-1006);
  const market = marketFor(x, order.instrument);
  const about = aboutOf(x, order);
  const race = x.faults.take("fill_during_cancel", about);
  const delay = race ?? x.faults.take("cancel_delay", about);
  record(x, "cancel_requested", { order: order.id });
  const end = () => finish(x, market, order, "CANCELLED", "cancelled by the client");
  if (!delay) {
    end();
    return;
  }
  const ms = numberOf(delay, "ms", 500);
  if (race) {
    const lots = Math.max(1, Math.floor(remainingLots(order) * numberOf(race, "share", 0.5)));
    x.schedule.at(x.now + Math.floor(ms / 2), () => fillByHouse(x, market, order, lots));
  }
  x.schedule.at(x.now + ms, end);
}

/** Cancels every open order of an account, of one symbol when given. */
export function cancelAll(x: Exchange, account: Account, symbol: string | null): void {
  for (const order of [...account.open]) {
    if (symbol === null || order.instrument.symbol === symbol) cancelOrder(x, order);
  }
}

/** Arms, renews or (with 0) switches off the dead-man switch; returns the instant it would act. */
export function cancelAllAfter(
  x: Exchange,
  account: Account,
  afterMs: number,
  act: () => void,
): number {
  account.deadMan?.cancel();
  account.deadMan = null;
  record(x, "dead_man", { account: account.name, afterMs });
  if (afterMs === 0) return 0;
  account.deadMan = x.schedule.at(x.now + afterMs, () => {
    account.deadMan = null;
    record(x, "dead_man_acted", { account: account.name });
    act();
  });
  return x.now + afterMs;
}
