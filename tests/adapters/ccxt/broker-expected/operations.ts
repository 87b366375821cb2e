// The operations every exchange is asked to do in the request tests, with the same values everywhere.
import { decimal } from "../../../../src/model/decimal.ts";
import type { Broker, CallOptions, NewOrder, OrderRef } from "../../../../src/ports/broker.ts";

/** One request as it must leave; queries and bodies without time, window and signature. */
export type Expected = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};
/** What an operation must send; nothing at all where the exchange does not offer it. */
export type ExpectedByOperation = Readonly<Record<OperationName, readonly Expected[]>>;

export const CLIENT_ID = "1954766344355779056";
export const SINCE = 1_759_999_000_000;
const QTY: Readonly<Record<string, string>> = { okx: "0.3", kucoin: "3" };
const SYMBOL: Readonly<Record<string, string>> = { woox: "PERP_BTC_USDT", upbit: "BTC/KRW" };
const options: CallOptions = { signal: new AbortController().signal };

const symbolOf = (broker: Broker) => SYMBOL[broker.exchangeId] ?? "BTC/USDT:USDT";

function order(broker: Broker, change: Partial<NewOrder> & Pick<NewOrder, "terms">): NewOrder {
  return {
    clientOrderId: CLIENT_ID,
    symbol: symbolOf(broker),
    side: "buy",
    positionSide: null,
    qty: decimal(QTY[broker.exchangeId] ?? "0.003"),
    isReduceOnly: false,
    visibleQty: null,
    leverage: broker.capabilities.leverageWithOrder ? 10 : null,
    ...change,
  };
}

function ref(broker: Broker, by: OrderRef["by"], isTrigger = false): OrderRef {
  return { symbol: symbolOf(broker), by, id: by === "client" ? CLIENT_ID : "77", isTrigger };
}

const price = decimal("50000.1");
const place =
  (change: Partial<NewOrder> & Pick<NewOrder, "terms">) =>
  (broker: Broker): Promise<unknown> =>
    broker.place(order(broker, change), options);
const closing = { side: "sell", isReduceOnly: true } as const;
const trigger = (at: string, direction: "rising" | "falling", limit: string | null = null) =>
  ({
    kind: "trigger",
    triggerPrice: decimal(at),
    direction,
    price: limit === null ? null : decimal(limit),
  }) as const;
const change = { side: "buy", price: decimal("50000.2") } as const;

export const OPERATIONS = {
  placeLimit: place({ terms: { kind: "limit", price } }),
  placeMarketClose: place({ ...closing, terms: { kind: "market" } }),
  placePostOnly: place({ terms: { kind: "post_only", price, mayAdjust: false } }),
  placePostOnlyAdjusted: place({ terms: { kind: "post_only", price, mayAdjust: true } }),
  placeIoc: place({ terms: { kind: "ioc", price } }),
  placeFok: place({ terms: { kind: "fok", price } }),
  placeQueueBid: place({ terms: { kind: "queue", level: 2 } }),
  placeQueueAskClose: place({ ...closing, terms: { kind: "queue", level: 5 } }),
  placeHidden: place({ terms: { kind: "limit", price }, visibleQty: decimal("0") }),
  placeOpenLong: place({ positionSide: "long", terms: { kind: "limit", price } }),
  placeCloseLong: place({ ...closing, positionSide: "long", terms: { kind: "market" } }),
  placeOpenShort: place({ side: "sell", positionSide: "short", terms: { kind: "limit", price } }),
  placeStop: place({ ...closing, terms: trigger("49000", "falling") }),
  placeStopLimit: place({ ...closing, terms: trigger("49000", "falling", "48900") }),
  placeTakeProfit: place({ ...closing, terms: trigger("51000", "rising") }),
  amendById: (b: Broker) =>
    b.amend(
      ref(b, "exchange"),
      { ...change, qty: order(b, { terms: { kind: "market" } }).qty },
      options,
    ),
  amendByClientId: (b: Broker) =>
    b.amend(
      ref(b, "client"),
      { ...change, qty: order(b, { terms: { kind: "market" } }).qty },
      options,
    ),
  cancelById: (b: Broker) => b.cancel(ref(b, "exchange"), options),
  cancelByClientId: (b: Broker) => b.cancel(ref(b, "client"), options),
  cancelTriggerById: (b: Broker) => b.cancel(ref(b, "exchange", true), options),
  cancelAll: (b: Broker) => b.cancelAll(symbolOf(b), options),
  setDeadMan: (b: Broker) => b.setDeadMan(60_000, options),
  setLeverage: (b: Broker) => b.setLeverage(symbolOf(b), 10, null, options),
  setHedgeMode: (b: Broker) => b.setPositionMode(symbolOf(b), "hedge", options),
  orderById: (b: Broker) => b.order(ref(b, "exchange"), options),
  orderByClientId: (b: Broker) => b.order(ref(b, "client"), options),
  triggerByClientId: (b: Broker) => b.order(ref(b, "client", true), options),
  openOrders: (b: Broker) => b.openOrders(symbolOf(b), options),
  openOrdersOfAll: (b: Broker) => b.openOrders(null, options),
  tradesSince: (b: Broker) => b.tradesSince({ symbol: symbolOf(b), sinceAt: SINCE }, options),
  tradesOfAll: (b: Broker) => b.tradesSince({ symbol: null, sinceAt: SINCE }, options),
  positions: (b: Broker) => b.positions(symbolOf(b), options),
  positionsOfAll: (b: Broker) => b.positions(null, options),
  balances: (b: Broker) => b.balances(options),
  leverage: (b: Broker) => b.leverage(symbolOf(b), options),
  positionMode: (b: Broker) => b.positionMode(symbolOf(b), options),
  feeRates: (b: Broker) => b.feeRates(symbolOf(b), options),
  fundingSince: (b: Broker) => b.fundingSince({ symbol: symbolOf(b), sinceAt: SINCE }, options),
  markPrice: (b: Broker) => b.markPrice(symbolOf(b), options),
  topOfBook: (b: Broker) => b.topOfBook(symbolOf(b), options),
  serverTime: (b: Broker) => b.serverTime(options),
  permissions: (b: Broker) => b.permissions(options),
} satisfies Record<string, (broker: Broker) => Promise<unknown>>;

export type OperationName = keyof typeof OPERATIONS;
