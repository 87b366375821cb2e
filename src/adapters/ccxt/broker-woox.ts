// WOO X for the broker: its V3 requests and the judging of its answers. ccxt signs and sends; what is
// asked and how answers are read is ours, because its unified calls lose facts we need (levels, legs,
// pages, position mode). Source: the exchange's V3 documents.
import type { PositionSide } from "../../model/order.ts";
import type { NewOrder, OrderRef, PositionMode } from "../../ports/broker.ts";
import type { Client, Row } from "./broker-client.ts";
import { decimalOf, instantOf, rowOf, rowsOf, textOrNull, unreadable } from "./broker-fields.ts";
import { allPages, inOrder, type Page, wholeWindow } from "./broker-pages.ts";
import type { AccountCalls, BrokerProfile, Dialect, Next } from "./broker-profile.ts";
import type { Sent } from "./broker-wire.ts";
import { BrokerError, type CodeMeaning } from "./error-types.ts";
import { WOOX_ERRORS } from "./woox-errors.ts";
import {
  balanceOf,
  feeRatio,
  fundingOf,
  leverageOf,
  modeOf,
  orderOf,
  permissionsOf,
  positionOf,
  rulesOf,
  tradeOf,
} from "./woox-rows.ts";

type Params = Record<string, unknown>;
type Method = "GET" | "POST" | "PUT" | "DELETE";
type Ask = (method: Method, path: string, params: Params) => Promise<Row>;

const PAGE_ROWS = 500;
/** The longest dead-man time the exchange takes. */
const DEAD_MAN_MAX_MS = 900_000;
const ORDER_TAG = "dragon";
const LEG: Readonly<Record<PositionSide, string>> = { long: "LONG", short: "SHORT" };
const MODE: Readonly<Record<PositionMode, string>> = { hedge: "HEDGE_MODE", one_way: "ONE_WAY" };

/** WOO X perpetuals and spot. */
export const WOOX_PROFILE: BrokerProfile = {
  exchangeId: "woox",
  hasTestnet: true,
  // Makes ccxt leave its own broker tag out of our orders; addresses stay as they are.
  options: { sandboxMode: true },
  marketParams: {},
  capabilities: {
    hedge: true,
    queueLevels: true,
    postOnlyAdjust: true,
    visibleQty: true,
    triggerOrders: true,
    amend: true,
    cancelAll: true,
    deadMan: true,
    leverage: true,
    leverageWithOrder: false,
    positionMode: true,
    switchesPositionMode: true,
    fundingPayments: true,
    markPrice: true,
    tradeRecords: true,
    tradesOfAll: true,
    reusesClientIds: true,
  },
  saysFailed,
  meaningOf,
  dialect: createDialect,
};

function saysFailed(body: unknown): boolean {
  return typeof body === "object" && body !== null && "success" in body && body.success !== true;
}

/** A known code decides, whatever the HTTP status and ccxt's class of error say. */
function meaningOf({ body }: Sent): CodeMeaning | null {
  if (!saysFailed(body)) return null;
  const code = Number((body as Row).code);
  return WOOX_ERRORS.get(code) ?? null;
}

function createDialect({ exchange }: Client): Dialect {
  const asker =
    (access: "public" | "private"): Ask =>
    async (method, path, params) =>
      rowOf(await exchange.request(path, ["v3", access], method, params), "envelope");
  const ask = asker("private");
  const askPublic = asker("public");
  return { ...orderCalls(ask), ...accountCalls(ask, keyOf(exchange)), ...marketCalls(askPublic) };
}

/** The key ccxt signs with. */
function keyOf(exchange: Client["exchange"]): string {
  return "apiKey" in exchange ? String(exchange.apiKey) : "";
}

type OrderCalls = Pick<
  Dialect,
  "order" | "openOrders" | "tradesSince" | "place" | "amend" | "cancel" | "cancelAll" | "setDeadMan"
>;

function orderCalls(ask: Ask): OrderCalls {
  async function openPages(path: string, symbol: string | null, next: Next) {
    const page = async (number: number): Promise<Page<Row>> => {
      const params = { status: "INCOMPLETE", page: number, size: PAGE_ROWS, ...of(symbol) };
      return pageOf(await ask("GET", path, params));
    };
    const rows = await allPages("open orders", next, page, (row) => orderOf(row).exchangeOrderId);
    return rows.map(orderOf);
  }
  return {
    async order(ref) {
      const path = ref.isTrigger ? "trade/algoOrder" : "trade/order";
      return orderOf(dataOf(await ask("GET", path, idOf(ref))));
    },
    async openOrders(symbol, next) {
      const plain = await openPages("trade/orders", symbol, next);
      await next();
      return [...plain, ...(await openPages("trade/algoOrders", symbol, next))];
    },
    async tradesSince({ symbol, sinceAt }, now, next) {
      const window = async (from: number, to: number) =>
        pageOf(
          await ask("GET", "trade/transactionHistory", {
            ...of(symbol),
            startTime: from,
            endTime: to,
            limit: PAGE_ROWS,
          }),
        );
      const range = { from: sinceAt, to: Math.max(sinceAt, now) };
      const id = (row: Row) => tradeOf(row).tradeId;
      const rows = await wholeWindow("trades", next, range, PAGE_ROWS, window, id);
      return inOrder(rows.map(tradeOf), ({ tradeId }) => tradeId);
    },
    async place(order) {
      const isTrigger = order.terms.kind === "trigger";
      const path = isTrigger ? "trade/algoOrder" : "trade/order";
      const data = dataOf(await ask("POST", path, orderBody(order)));
      const [first = data] = data.rows === undefined ? [] : rowsOf(data.rows, "rows");
      return textOrNull(first, "orderId");
    },
    amend(ref, { price, qty }) {
      const path = ref.isTrigger ? "trade/algoOrder" : "trade/order";
      const change = {
        ...(price === null ? {} : { price }),
        ...(qty === null ? {} : { quantity: qty }),
      };
      return ask("PUT", path, { ...idOf(ref), ...change });
    },
    cancel(ref) {
      if (ref.isTrigger) return ask("DELETE", "trade/algoOrder", idOf(ref));
      return ask("DELETE", "trade/order", { symbol: ref.symbol, ...idOf(ref) });
    },
    cancelAll: (symbol) => ask("DELETE", "trade/allOrders", { symbol }),
    setDeadMan(afterMs) {
      if (afterMs > DEAD_MAN_MAX_MS) {
        const range = `0 to ${DEAD_MAN_MAX_MS} ms`;
        throw new BrokerError("refused", `the dead-man time: ${afterMs} ms must be ${range}`);
      }
      return ask("POST", "trade/cancelAllAfter", { triggerAfter: afterMs });
    },
  };
}

function accountCalls(ask: Ask, apiKey: string): AccountCalls {
  return {
    async positions(symbol) {
      const data = dataOf(await ask("GET", "futures/positions", of(symbol)));
      return rowsOf(data.positions, "positions").flatMap((row) => positionOf(row) ?? []);
    },
    async balances() {
      const data = dataOf(await ask("GET", "asset/balances", {}));
      return rowsOf(data.holding, "balances").map(balanceOf);
    },
    async leverage(symbol) {
      const params = { symbol, marginMode: "CROSS" };
      return leverageOf(dataOf(await ask("GET", "futures/leverage", params)));
    },
    async positionMode() {
      return modeOf(dataOf(await ask("GET", "account/info", {})));
    },
    async feeRates(symbol) {
      const data = dataOf(await ask("GET", "trade/tradingFee", { symbol }));
      return { makerRatio: feeRatio(data, "makerFee"), takerRatio: feeRatio(data, "takerFee") };
    },
    async fundingSince({ symbol, sinceAt }, _now, next) {
      const page = async (number: number) => {
        const params = { symbol, startTime: sinceAt, page: number, size: PAGE_ROWS };
        return pageOf(await ask("GET", "futures/fundingFee/history", params));
      };
      const rows = await allPages("funding payments", next, page, (row) => String(row.id));
      return inOrder(
        rows.flatMap((row) => fundingOf(row) ?? []),
        (payment) => payment.id,
      );
    },
    async permissions() {
      const data = dataOf(await ask("GET", "account/credentials", { page: 1, size: PAGE_ROWS }));
      return permissionsOf(data.rows, apiKey);
    },
    setLeverage: (symbol, leverage, positionSide) =>
      ask("PUT", "futures/leverage", {
        symbol,
        leverage,
        marginMode: "CROSS",
        ...leg(positionSide),
      }),
    setPositionMode: (_symbol, mode) =>
      ask("PUT", "futures/positionMode", { positionMode: MODE[mode] }),
  };
}

type MarketCalls = Pick<Dialect, "orderRules" | "markPrice" | "topOfBook" | "serverTime">;

function marketCalls(ask: Ask): MarketCalls {
  return {
    async orderRules(symbol) {
      const { rows } = pageOf(await ask("GET", "instruments", {}));
      const row = rows.find((each) => each.symbol === symbol);
      if (row === undefined) throw new BrokerError("refused", `woox: there is no ${symbol}`);
      return rulesOf(row);
    },
    async markPrice(symbol) {
      const envelope = await ask("GET", "futures", { symbol });
      const [row] = pageOf(envelope).rows;
      if (row === undefined) throw unreadable("mark price");
      return { price: decimalOf(row, "markPrice"), at: instantOf(envelope, "timestamp") };
    },
    async topOfBook(symbol) {
      const envelope = await ask("GET", "orderbook", { symbol, maxLevel: 1 });
      const data = dataOf(envelope);
      const [bid] = rowsOf(data.bids, "bids");
      const [ask1] = rowsOf(data.asks, "asks");
      if (bid === undefined || ask1 === undefined) throw unreadable("best bid and ask");
      return {
        bid: decimalOf(bid, "price"),
        bidQty: decimalOf(bid, "quantity"),
        ask: decimalOf(ask1, "price"),
        askQty: decimalOf(ask1, "quantity"),
        at: instantOf(envelope, "timestamp"),
      };
    },
    async serverTime() {
      return instantOf(await ask("GET", "systemInfo", {}), "timestamp");
    },
  };
}

/** The order as the exchange wants it; the type word carries post-only, IOC, FOK and queue levels. */
function orderBody(order: NewOrder): Params {
  const { terms, symbol, side, clientOrderId } = order;
  const common = {
    symbol,
    side: side.toUpperCase(),
    quantity: order.qty,
    ...leg(order.positionSide),
    ...(order.isReduceOnly ? { reduceOnly: true } : {}),
  };
  if (terms.kind === "trigger") {
    return {
      ...common,
      algoType: "STOP",
      clientAlgoOrderId: clientOrderId,
      triggerPrice: terms.triggerPrice,
      ...(terms.price === null ? { type: "MARKET" } : { type: "LIMIT", price: terms.price }),
    };
  }
  const shown = order.visibleQty === null ? {} : { visibleQuantity: order.visibleQty };
  return { ...common, ...shown, clientOrderId, orderTag: ORDER_TAG, ...typeOf(order) };
}

function typeOf({ terms, side }: NewOrder): Params {
  switch (terms.kind) {
    case "post_only": {
      const adjusted = terms.mayAdjust ? { postOnlyAdjusted: true } : {};
      return { type: "POST_ONLY", price: terms.price, ...adjusted };
    }
    case "queue":
      return { type: side === "buy" ? "BID" : "ASK", bidAskLevel: terms.level };
    case "market":
    case "trigger":
      return { type: "MARKET" };
    default:
      return { type: terms.kind.toUpperCase(), price: terms.price };
  }
}

function idOf({ by, id, isTrigger }: OrderRef): Params {
  if (isTrigger) return by === "client" ? { clientAlgoOrderId: id } : { algoOrderId: id };
  return by === "client" ? { clientOrderId: id } : { orderId: id };
}

function of(symbol: string | null): Params {
  return symbol === null ? {} : { symbol };
}

function leg(positionSide: PositionSide | null): Params {
  return positionSide === null ? {} : { positionSide: LEG[positionSide] };
}

function dataOf(envelope: Row): Row {
  return rowOf(envelope.data, "data");
}

function pageOf(envelope: Row): Page<Row> {
  const data = dataOf(envelope);
  const total = data.meta === undefined ? null : Number(rowOf(data.meta, "meta").total);
  return { rows: rowsOf(data.rows, "rows"), total: Number.isFinite(total) ? total : null };
}
