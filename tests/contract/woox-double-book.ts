// What a small WOO X keeps for the contract and the traps: orders, trades, positions, and the rules an
// order must pass. Used by woox-double.ts. It matches nothing by itself but market orders.
import { add, compare, type Decimal, decimal, subtract } from "../../src/model/decimal.ts";

type Params = Readonly<Record<string, unknown>>;
/** An order as the double keeps it. */
export type Order = {
  readonly orderId: string;
  readonly clientOrderId: string;
  readonly isAlgo: boolean;
  readonly symbol: string;
  readonly side: string;
  readonly type: string;
  readonly positionSide: string;
  readonly reduceOnly: boolean;
  readonly triggerPrice: string | null;
  readonly createdTime: string;
  quantity: Decimal;
  price: string | null;
  executed: Decimal;
  status: string;
};
type Trade = Record<string, unknown> & { readonly id: string; readonly at: number };

export const SYMBOL = "PERP_BTC_USDT";
export const MARKET = { bid: "49999.9", ask: "50000.1", mark: "50000" };
/** Ids far above 2^53, as the exchange's are. */
const FIRST_ID = 9_100_000_000_000_000_001n;
const OPEN = new Set(["NEW", "PARTIAL_FILLED"]);
const ZERO = decimal(0);

/** A request that is refused, with the exchange's code. */
export class Refusal extends Error {
  readonly code: number;
  readonly status: number;
  constructor(code: number, status = 400) {
    super(`refused with ${code}`);
    this.code = code;
    this.status = status;
  }
}

/** The state of a double. */
export type Book = {
  leverage: number;
  readonly orders: readonly Readonly<Order>[];
  place(params: Params, isAlgo: boolean): Order;
  /** The order the ids of a request name. @throws Refusal when there is none */
  named(params: Params, isAlgo: boolean): Order;
  cancel(order: Order): void;
  cancelAll(): void;
  amend(order: Order, params: Params): void;
  fill(orderId: string, qty: string, price: string, isMaker?: boolean): void;
  hasOpenOrders(): boolean;
  /** Rows as the exchange sends them. */
  rowOf(order: Order): Record<string, unknown>;
  openRows(isAlgo: boolean, symbol: unknown): unknown[];
  /** Newest first. */
  tradeRows(from: number, to: number): unknown[];
  positionRows(): unknown[];
};

/** An empty book. @param now its clock, ms */
export function createBook(now: () => number, isHedge: () => boolean): Book {
  const orders: Order[] = [];
  const trades: Trade[] = [];
  let nextId = FIRST_ID;
  const latest = (id: unknown, isAlgo: boolean) =>
    orders.findLast((order) => order.clientOrderId === String(id) && order.isAlgo === isAlgo);

  function holding(side: string): Decimal {
    return trades
      .filter(({ leg }) => leg === side)
      .reduce((sum, { signed }) => add(sum, signed as Decimal), ZERO);
  }

  function named(params: Params, isAlgo: boolean): Order {
    const id = isAlgo ? params.algoOrderId : params.orderId;
    const clientId = isAlgo ? params.clientAlgoOrderId : params.clientOrderId;
    const found =
      id === undefined
        ? latest(clientId, isAlgo)
        : orders.find((order) => order.orderId === String(id) && order.isAlgo === isAlgo);
    if (found === undefined) throw new Refusal(-1006);
    return found;
  }

  function place(params: Params, isAlgo: boolean): Order {
    const clientOrderId = String((isAlgo ? params.clientAlgoOrderId : params.clientOrderId) ?? "0");
    if (!/^\d{1,19}$/.test(clientOrderId)) throw new Refusal(-1005);
    if (orders.some((o) => o.clientOrderId === clientOrderId && OPEN.has(o.status))) {
      throw new Refusal(302117);
    }
    const positionSide = String(params.positionSide ?? "BOTH");
    if ((positionSide !== "BOTH") !== isHedge()) throw new Refusal(302186);
    const quantity = decimal(String(params.quantity));
    const type = String(params.type);
    const price = typeof params.price === "string" ? params.price : null;
    checkFilters(quantity, price);
    const reduceOnly = params.reduceOnly === true;
    if (reduceOnly) checkReducing(quantity, positionSide);
    const order: Order = {
      orderId: String(nextId++),
      clientOrderId,
      isAlgo,
      symbol: String(params.symbol),
      side: String(params.side),
      type,
      positionSide,
      reduceOnly,
      triggerPrice: typeof params.triggerPrice === "string" ? params.triggerPrice : null,
      createdTime: (now() / 1000).toFixed(3),
      quantity,
      price,
      executed: ZERO,
      status: "NEW",
    };
    orders.push(order);
    if (type === "POST_ONLY" && wouldTake(order)) order.status = "REJECTED";
    if (type === "MARKET" && !isAlgo) {
      fill(order.orderId, quantity, order.side === "BUY" ? MARKET.ask : MARKET.bid, false);
    }
    return order;
  }

  function checkFilters(quantity: Decimal, price: string | null): void {
    if ((Number(quantity) * 10_000) % 1 !== 0 || Number(quantity) < 0.0001)
      throw new Refusal(-1104);
    if (price !== null && Math.round(Number(price) * 10) / 10 !== Number(price)) {
      throw new Refusal(-1103);
    }
    if (Number(quantity) * Number(price ?? MARKET.mark) < 10) throw new Refusal(302164);
  }

  function checkReducing(quantity: Decimal, leg: string): void {
    const held = holding(leg);
    const size = held.startsWith("-") ? subtract(ZERO, held) : held;
    if (compare(quantity, size) > 0) throw new Refusal(302138);
  }

  const rowOf = (order: Order) => {
    const { isAlgo, orderId, clientOrderId, executed, status, ...rest } = order;
    const shared = { ...rest, averageExecutedPrice: 0, totalFee: 0, feeAsset: "USDT" };
    return isAlgo
      ? {
          ...shared,
          algoOrderId: orderId,
          clientAlgoOrderId: clientOrderId,
          algoStatus: status,
          totalExecutedQuantity: executed,
        }
      : { ...shared, orderId, clientOrderId, executed, status };
  };

  function positions(): unknown[] {
    return ["BOTH", "LONG", "SHORT"].flatMap((positionSide) => {
      const held = holding(positionSide);
      if (!trades.some(({ leg }) => leg === positionSide)) return [];
      return [
        {
          symbol: SYMBOL,
          holding: held,
          averageOpenPrice: "50000",
          markPrice: MARKET.mark,
          estLiqPrice: "0",
          leverage: book.leverage,
          positionSide,
          marginMode: "CROSS",
        },
      ];
    });
  }

  function cancel(order: Order): void {
    if (!OPEN.has(order.status)) throw new Refusal(-1006);
    order.status = "CANCELLED";
  }

  function amend(order: Order, params: Params): void {
    if (!OPEN.has(order.status)) throw new Refusal(317161);
    if (typeof params.price === "string") order.price = params.price;
    if (typeof params.quantity === "string") order.quantity = decimal(params.quantity);
  }

  function fill(orderId: string, qty: string, price: string, isMaker = true): void {
    const order = orders.find((each) => each.orderId === orderId);
    if (order === undefined) throw new Error(`the double has no order ${orderId}`);
    order.executed = add(order.executed, decimal(qty));
    order.status = compare(order.executed, order.quantity) >= 0 ? "FILLED" : "PARTIAL_FILLED";
    const at = now();
    const signed = order.side === "BUY" ? decimal(qty) : subtract(ZERO, decimal(qty));
    trades.push({
      id: String(nextId++),
      symbol: order.symbol,
      orderId,
      executedPrice: price,
      executedQuantity: qty,
      fee: "0.0123456789012345678",
      feeAsset: "USDT",
      isMaker: isMaker ? 1 : 0,
      side: tradeSide(order),
      realizedPnl: null,
      executedTimestamp: (at / 1000).toFixed(3),
      at,
      leg: order.positionSide,
      signed,
    });
  }

  const book: Book = {
    leverage: 10,
    orders,
    place,
    named,
    cancel,
    amend,
    fill,
    rowOf,
    cancelAll() {
      for (const order of orders) if (OPEN.has(order.status)) order.status = "CANCELLED";
    },
    hasOpenOrders: () => orders.some(({ status }) => OPEN.has(status)),
    openRows: (isAlgo, symbol) =>
      orders
        .filter((o) => o.isAlgo === isAlgo && OPEN.has(o.status))
        .filter((o) => symbol === undefined || o.symbol === symbol)
        .map((o) => rowOf(o)),
    tradeRows: (from, to) =>
      trades
        .filter(({ at }) => at >= from && at <= to)
        .reverse()
        .map(({ at: _at, leg: _leg, signed: _signed, ...row }) => row),
    positionRows: positions,
  };
  return book;
}

/** In hedge mode a trade says what it did to which leg. */
function tradeSide({ side, positionSide }: Order): string {
  if (positionSide === "BOTH") return side;
  const isOpening = (side === "BUY") === (positionSide === "LONG");
  return `${isOpening ? "OPEN" : "CLOSE"} ${positionSide}`;
}

function wouldTake({ side, price }: Order): boolean {
  return side === "BUY" ? Number(price) >= Number(MARKET.ask) : Number(price) <= Number(MARKET.bid);
}
