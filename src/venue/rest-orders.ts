// Requests about plain orders and fills. Replies have the shape of the published samples; transport
// words (CANCEL_SENT, EDIT_SENT) are answered first, the final state shows in queries and streams.
import type { Account, Trade } from "./account.ts";
import { cancelAlgo } from "./algo.ts";
import { isAlgoOpen } from "./algo-order.ts";
import { gridText, moneyText } from "./decimal.ts";
import {
  type Call,
  type Endpoint,
  pageOf,
  type PrivateCall,
  TEN_A_SECOND,
  timeRange,
} from "./endpoint.ts";
import { badParameter, VenueError } from "./errors.ts";
import { act } from "./exchange.ts";
import { flagOf, numberOf } from "./faults.ts";
import {
  booleanOf,
  clientIdOf,
  draftOf,
  integerOf,
  lotsOf,
  ticksOf,
  wordOf,
} from "./order-rules.ts";
import { type Order, type OrderStatus, type OrderView, viewAt } from "./order.ts";
import { pricePerLot } from "./position.ts";
import { type Exchange, marketFor, marketOf } from "./state.ts";
import { amendOrder, cancelAll, cancelAllAfter, cancelOrder, placeOrder } from "./trading.ts";
import type { Wire } from "./wire.ts";

const FIVE_A_SECOND = { count: 5, perMs: 1000 };
const DEAD_MAN_MAX_MS = 900_000;
/** Rows per page while the truncating switch is on. */
const TRUNCATED_ROWS = 25;

function place({ x, account, params, wire }: PrivateCall) {
  const draft = draftOf(x, account, params);
  const order = act(x, draft.market, () => placeOrder(x, account, draft));
  const { symbol } = order.instrument;
  const echo =
    order.clientOrderId === "0"
      ? null
      : x.faults.take("dup_client_id", { account: account.name, symbol, type: order.type });
  if (echo) throw new VenueError(numberOf(echo, "code", 302117));
  const { instrument } = order;
  return {
    data: {
      orderId: wire.id(order.id),
      clientOrderId: wire.id(order.clientOrderId),
      type: order.type,
      price: order.ticks === null ? null : wire.num(gridText(order.ticks, instrument.price)),
      quantity: wire.num(gridText(order.lots, instrument.qty)),
      amount: order.amount,
      bidAskLevel: order.bidAskLevel,
    },
  };
}

/** The order a request names: by order id, else the latest with the client id. */
function named(call: PrivateCall, missing: number): Order {
  const { account, params } = call;
  let order: Order | undefined;
  if (params.orderId !== undefined) {
    order = account.orders.get(integerOf("orderId", params.orderId, { min: 1, max: 2 ** 53 }));
  } else if (params.clientOrderId !== undefined) {
    order = account.byClientId.get(clientIdOf("clientOrderId", params.clientOrderId));
  } else {
    throw badParameter("orderId", undefined, "orderId or clientOrderId is needed");
  }
  if (!order) throw new VenueError(missing);
  if (params.symbol !== undefined && params.symbol !== order.instrument.symbol) {
    throw new VenueError(317160);
  }
  return order;
}

function amend(call: PrivateCall) {
  const { x, account, params } = call;
  const order = named(call, 302129);
  const market = marketFor(x, order.instrument);
  if (params.price === undefined && params.quantity === undefined) {
    throw badParameter("price", undefined, "price or quantity is needed");
  }
  const change = {
    ticks: params.price === undefined ? null : ticksOf(market, params.price),
    lots: params.quantity === undefined ? null : lotsOf(market, params.quantity),
  };
  act(x, market, () => amendOrder(x, account, order, change));
  return { data: { status: "EDIT_SENT" } };
}

function cancel(call: PrivateCall) {
  const { x, params } = call;
  marketOf(x, params.symbol);
  const order = named(call, -1006);
  act(x, marketFor(x, order.instrument), () => cancelOrder(x, order));
  return { data: { status: "CANCEL_SENT" } };
}

function cancelPlain({ x, account, params }: PrivateCall) {
  const market = marketOf(x, params.symbol);
  act(x, market, () => cancelAll(x, account, market.instrument.symbol));
  return { data: { status: "CANCEL_ALL_SENT" } };
}

/** Cancels plain and algo orders, of one symbol when given. */
function cancelEverything(x: Exchange, account: Account, symbol: string | null): void {
  cancelAll(x, account, symbol);
  for (const algo of account.algos.values()) {
    if (!isAlgoOpen(algo) || (symbol !== null && algo.instrument.symbol !== symbol)) continue;
    cancelAlgo(x, account, algo, "cancelled by the client");
  }
}

function cancelBoth({ x, account, params }: PrivateCall) {
  const market = params.symbol === undefined ? null : marketOf(x, params.symbol);
  act(x, market, () => cancelEverything(x, account, market?.instrument.symbol ?? null));
  return { data: { status: "CANCEL_ALL_SENT" } };
}

function deadMan({ x, account, params }: PrivateCall) {
  if (!account.hasDeadMan) throw new VenueError(-1002);
  const after = params.triggerAfter ?? "";
  if (!/^\d{1,9}$/.test(after) || Number(after) > DEAD_MAN_MAX_MS) throw new VenueError(317176);
  const strike = () => cancelEverything(x, account, null);
  return { data: { expectedTriggerTime: cancelAllAfter(x, account, Number(after), strike) } };
}

/** An order as a row, in the state it had at an instant. */
function orderRow(wire: Wire, order: Order, view: OrderView) {
  const { instrument } = order;
  const lots = (count: number) => wire.num(gridText(count, instrument.qty));
  return {
    orderId: wire.id(order.id),
    clientOrderId: wire.id(order.clientOrderId),
    symbol: instrument.symbol,
    orderTag: order.tag,
    side: order.side,
    quantity: lots(view.lots),
    amount: order.amount,
    type: order.type,
    status: view.status,
    price: view.ticks === null ? null : wire.num(gridText(view.ticks, instrument.price)),
    executed: lots(view.executedLots),
    visible: lots(order.displayLots ?? view.lots),
    averageExecutedPrice: wire.num(pricePerLot(instrument, view.executedValue, view.executedLots)),
    totalFee: wire.num(moneyText(view.fee)),
    feeAsset: instrument.spec.quote,
    totalRebate: wire.num("0"),
    rebateAsset: instrument.spec.quote,
    reduceOnly: order.reduceOnly,
    createdTime: wire.time(order.createdAt),
    realizedPnl: view.realized === null ? null : wire.num(moneyText(view.realized)),
    positionSide: order.positionSide,
    bidAskLevel: order.bidAskLevel,
    marginMode: "CROSS",
    leverage: order.leverage,
  };
}

function getOrder(call: PrivateCall) {
  booleanOf("withRealizedPnl", call.params.withRealizedPnl);
  const order = named(call, 317152);
  const view = viewAt(order, call.readAt);
  if (!view) throw new VenueError(317152);
  return { data: orderRow(call.wire, order, view) };
}

const BUNDLES: Readonly<Record<string, readonly OrderStatus[]>> = {
  INCOMPLETE: ["NEW", "PARTIAL_FILLED"],
  COMPLETED: ["CANCELLED", "FILLED", "REJECTED"],
  NEW: ["NEW"],
  PARTIAL_FILLED: ["PARTIAL_FILLED"],
  FILLED: ["FILLED"],
  CANCELLED: ["CANCELLED"],
  REJECTED: ["REJECTED"],
};

/** Newest first. */
function listOrders({ x, account, params, readAt, wire }: PrivateCall) {
  if (params.symbol !== undefined) marketOf(x, params.symbol);
  const { from, to } = timeRange(params);
  const statuses =
    params.status === undefined
      ? null
      : BUNDLES[wordOf("status", params.status, Object.keys(BUNDLES))];
  const found: { order: Order; view: OrderView }[] = [];
  for (const order of account.orders.values()) {
    if (order.createdAt < from || order.createdAt > to || !fits(order, params)) continue;
    const view = viewAt(order, readAt);
    if (view && (!statuses || statuses.includes(view.status))) found.push({ order, view });
  }
  const isCut = x.faults.on("snapshot_truncate", { account: account.name }) !== null;
  const { rows, meta } = pageOf(found.reverse(), params, {
    standard: x.settings.dialect.pageRows,
    ...(isCut ? { forced: TRUNCATED_ROWS } : {}),
  });
  return { data: { rows: rows.map(({ order, view }) => orderRow(wire, order, view)), meta } };
}

function fits(order: Order, params: Call["params"]): boolean {
  const { symbol, side, positionSide, type, orderTag } = params;
  return (
    (symbol === undefined || symbol === order.instrument.symbol) &&
    (side === undefined || side === order.side) &&
    (positionSide === undefined || positionSide === order.positionSide) &&
    (type === undefined || type === order.type) &&
    (orderTag === undefined || orderTag === order.tag)
  );
}

/** The words for a fill's side: hedge legs say what was opened or closed. */
function tradeSide(x: Exchange, account: Account, { order }: Trade): string {
  const { side, positionSide } = order;
  if (positionSide === "BOTH") return side;
  const rule = x.faults.on("trade_side_hedge_words", { account: account.name });
  if (rule && !flagOf(rule, "words", true)) return side;
  const opens = (positionSide === "LONG") === (side === "BUY");
  return `${opens ? "OPEN" : "CLOSE"} ${positionSide}`;
}

function tradeRow({ x, account, wire }: PrivateCall, trade: Trade) {
  const { order } = trade;
  const { instrument } = order;
  return {
    id: wire.id(trade.id),
    symbol: instrument.symbol,
    orderId: wire.id(order.id),
    executedPrice: wire.num(gridText(trade.ticks, instrument.price)),
    executedQuantity: wire.num(gridText(trade.lots, instrument.qty)),
    fee: wire.num(moneyText(trade.fee)),
    realizedPnl: trade.realized === null ? null : wire.num(moneyText(trade.realized)),
    feeAsset: instrument.spec.quote,
    orderTag: order.tag,
    side: tradeSide(x, account, trade),
    executedTimestamp: wire.time(trade.at),
    isMaker: trade.isMaker ? 1 : 0,
  };
}

/** Newest first; with `fromId` the first rows from that trade on. */
function transactionHistory(call: PrivateCall) {
  const { x, account, params, readAt } = call;
  if (params.symbol !== undefined) marketOf(x, params.symbol);
  const { from, to } = timeRange(params);
  const limit = integerOf("limit", params.limit, { min: 1, max: 1000, standard: 100 });
  const fromId =
    params.fromId === undefined
      ? null
      : integerOf("fromId", params.fromId, { min: 0, max: 2 ** 53 });
  const found = account.trades.filter(
    (trade) =>
      trade.at >= from &&
      trade.at <= Math.min(to, readAt) &&
      (fromId === null || trade.id >= fromId) &&
      (params.symbol === undefined || trade.order.instrument.symbol === params.symbol),
  );
  const rows = fromId === null ? found.slice(-limit) : found.slice(0, limit);
  return {
    data: {
      rows: rows.reverse().map((trade) => tradeRow(call, trade)),
      meta: { total: found.length, recordsPerPage: limit, currentPage: 1 },
    },
  };
}

function transaction(call: PrivateCall) {
  const id = integerOf("tradeId", call.params.tradeId, { min: 1, max: 2 ** 53 });
  const trade = call.account.trades.find((each) => each.id === id && each.at <= call.readAt);
  if (!trade) throw new VenueError(-1006, "The data is not found in server.");
  return { data: tradeRow(call, trade) };
}

/** The V1 list of an order's fills, in V1's own words. */
function orderTrades(call: PrivateCall) {
  const { x, account, params, readAt, wire } = call;
  const id = integerOf("oid", params.oid, { min: 1, max: 2 ** 53 });
  const found = account.trades.filter((trade) => trade.order.id === id && trade.at <= readAt);
  const rows = found.map((trade) => ({
    id: String(trade.id),
    symbol: trade.order.instrument.symbol,
    fee: moneyText(trade.fee),
    side: tradeSide(x, account, trade),
    executed_timestamp: wire.time(trade.at),
    order_id: String(trade.order.id),
    order_tag: trade.order.tag,
    executed_price: gridText(trade.ticks, trade.order.instrument.price),
    executed_quantity: gridText(trade.lots, trade.order.instrument.qty),
    fee_asset: trade.order.instrument.spec.quote,
    is_maker: trade.isMaker ? "1" : "0",
  }));
  return { rows };
}

const v3 = { access: "v3", limit: TEN_A_SECOND } as const;
const perSymbol = { ...FIVE_A_SECOND, isPerSymbol: true };

/** All requests about plain orders and fills. */
export const ORDER_ENDPOINTS: readonly Endpoint[] = [
  { ...v3, method: "POST", path: "/v3/trade/order", limit: perSymbol, run: place },
  { ...v3, method: "PUT", path: "/v3/trade/order", limit: FIVE_A_SECOND, run: amend },
  { ...v3, method: "DELETE", path: "/v3/trade/order", run: cancel },
  { ...v3, method: "DELETE", path: "/v3/trade/orders", run: cancelPlain },
  { ...v3, method: "DELETE", path: "/v3/trade/allOrders", run: cancelBoth },
  { ...v3, method: "POST", path: "/v3/trade/cancelAllAfter", run: deadMan },
  { ...v3, method: "GET", path: "/v3/trade/order", limit: perSymbol, run: getOrder },
  { ...v3, method: "GET", path: "/v3/trade/orders", run: listOrders },
  {
    ...v3,
    method: "GET",
    path: "/v3/trade/transactionHistory",
    limit: { count: 2, perMs: 1000 },
    run: transactionHistory,
  },
  { ...v3, method: "GET", path: "/v3/trade/transaction", run: transaction },
  {
    method: "GET",
    path: "/v1/order/{oid}/trades",
    access: "v1",
    limit: TEN_A_SECOND,
    timestamp: "none",
    run: orderTrades,
  },
];
