// A small WOO X over loopback for the contract and the traps: it checks signatures, keeps orders,
// fills them when told to, and can lose answers. Written from the exchange's V3 documents; answers have
// the shape of the published samples. It matches nothing by itself but market orders.
import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createBook, MARKET, type Order, Refusal, SYMBOL } from "./woox-double-book.ts";

/** A request as it arrived. */
export type DoubleRequest = {
  readonly method: string;
  readonly path: string;
  readonly params: Readonly<Record<string, unknown>>;
};
/** An answer; `drop` closes the connection, `hang` never answers. */
export type DoubleAnswer =
  | { readonly status: number; readonly body: unknown; readonly headers?: Record<string, string> }
  | "drop"
  | "hang";
/** Stands between a request and its handling; null lets it pass. */
export type Fault = (request: DoubleRequest, handle: () => DoubleAnswer) => DoubleAnswer | null;

const KEY = "double-key";
const SECRET = "double-secret";
export const DOUBLE_KEYS = { apiKey: KEY, apiSecret: SECRET };
const INSTRUMENT = {
  symbol: SYMBOL,
  status: "TRADING",
  baseAsset: "BTC",
  baseAssetMultiplier: 1,
  quoteAsset: "USDT",
  quoteMin: "0",
  quoteMax: "1000000",
  quoteTick: "0.1",
  baseMin: "0.0001",
  baseMax: "500",
  baseTick: "0.0001",
  minNotional: "10",
  bidCapRatio: "1.05",
  bidFloorRatio: null,
  askCapRatio: null,
  askFloorRatio: "0.95",
  orderMode: "NORMAL",
};
/** A running double. */
export type WooxDouble = {
  readonly url: string;
  readonly requests: DoubleRequest[];
  /** Milliseconds its clock is ahead of ours. */
  clockAheadMs: number;
  isHedge: boolean;
  fault: Fault | null;
  /** Where the next orders' ids go: numbers as the exchange once sent them, or texts. */
  idsAreNumbers: boolean;
  fill(orderId: string, qty: string, price: string, isMaker?: boolean): void;
  /** Raw rows of orders, for tests that look behind the broker. */
  orders(): readonly Readonly<Order>[];
  stop(): Promise<void>;
};

/** Starts a double on a free port. */
export async function startWooxDouble(): Promise<WooxDouble> {
  const now = () => Date.now() + double.clockAheadMs;
  const book = createBook(now, () => double.isHedge);
  const data = (body: unknown) => ({ success: true, data: body, timestamp: now() });
  const list = (rows: readonly unknown[], params: DoubleRequest["params"]) => {
    const size = Math.min(500, Number(params.size ?? 25));
    const page = Number(params.page ?? 1);
    const meta = { total: rows.length, recordsPerPage: size, currentPage: page };
    return data({ rows: rows.slice((page - 1) * size, page * size), meta });
  };
  const tradeList = (params: DoubleRequest["params"]) => {
    const to = Number(params.endTime ?? Number.MAX_SAFE_INTEGER);
    const found = book.tradeRows(Number(params.startTime ?? 0), to);
    const limit = Number(params.limit ?? 100);
    const meta = { total: found.length, recordsPerPage: limit, currentPage: 1 };
    return data({ rows: found.slice(0, limit), meta });
  };
  const cancel = (order: Order) => {
    book.cancel(order);
    return data({ status: "CANCEL_SENT" });
  };
  const amend = (order: Order, params: DoubleRequest["params"]) => {
    book.amend(order, params);
    return data({ status: "EDIT_SENT" });
  };

  function handle({ method, path, params }: DoubleRequest): unknown {
    switch (`${method} ${path.replace("/v3/", "")}`) {
      case "GET public/systemInfo":
        return data({ status: 0, msg: "System is functioning properly." });
      case "GET public/instruments":
        return data({ rows: [INSTRUMENT] });
      case "GET public/futures":
        return data({
          rows: [{ symbol: SYMBOL, markPrice: MARKET.mark, indexPrice: MARKET.mark }],
        });
      case "GET public/orderbook":
        return data({
          bids: [{ price: MARKET.bid, quantity: "1.5" }],
          asks: [{ price: MARKET.ask, quantity: "2.5" }],
        });
      case "POST trade/order": {
        const { orderId, clientOrderId, type, price, quantity } = book.place(params, false);
        const id = double.idsAreNumbers ? `#${orderId}#` : orderId;
        return data({ orderId: id, clientOrderId, type, price, quantity, amount: null });
      }
      case "POST trade/algoOrder": {
        const { orderId, clientOrderId, quantity } = book.place(params, true);
        return data({ rows: [{ orderId, clientOrderId, algoType: "STOP", quantity }] });
      }
      case "PUT trade/order":
        return amend(book.named(params, false), params);
      case "PUT trade/algoOrder":
        return amend(book.named(params, true), params);
      case "DELETE trade/order":
        return cancel(book.named(params, false));
      case "DELETE trade/algoOrder":
        return cancel(book.named(params, true));
      case "DELETE trade/allOrders":
        book.cancelAll();
        return data({ status: "CANCEL_ALL_SENT" });
      case "POST trade/cancelAllAfter":
        return data({ expectedTriggerTime: now() + Number(params.triggerAfter) });
      case "GET trade/order":
        return data(book.rowOf(book.named(params, false)));
      case "GET trade/algoOrder":
        return data(book.rowOf(book.named(params, true)));
      case "GET trade/orders":
        return list(book.openRows(false, params.symbol), params);
      case "GET trade/algoOrders":
        return list(book.openRows(true, params.symbol), params);
      case "GET trade/transactionHistory":
        return tradeList(params);
      case "GET trade/tradingFee":
        return data({ symbol: SYMBOL, makerFee: "2", takerFee: "5" });
      case "GET futures/positions":
        return data({ positions: book.positionRows() });
      case "GET futures/fundingFee/history":
        return list([], params);
      case "GET futures/leverage":
        return data({
          symbol: SYMBOL,
          positionMode: double.isHedge ? "HEDGE_MODE" : "ONE_WAY",
          details: [{ positionSide: "BOTH", leverage: book.leverage }],
        });
      case "PUT futures/leverage":
        book.leverage = Number(params.leverage);
        return { success: true, timestamp: now() };
      case "PUT futures/positionMode":
        if (book.hasOpenOrders()) throw new Refusal(302308);
        double.isHedge = params.positionMode === "HEDGE_MODE";
        return { success: true, timestamp: now() };
      case "GET asset/balances":
        return data({ holding: [{ token: "USDT", holding: 1000.5, availableBalance: 900.25 }] });
      case "GET account/info":
        return data({
          applicationId: "app-1",
          positionMode: double.isHedge ? "HEDGE_MODE" : "ONE_WAY",
        });
      default:
        throw new Refusal(-1004, 404);
    }
  }

  function answer(request: DoubleRequest): DoubleAnswer {
    try {
      return { status: 200, body: handle(request) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { code, status, message } = error;
      return { status, body: { success: false, code, message } };
    }
  }

  const server = createServer((raw, response) => void serve(raw, response));
  async function serve(raw: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await new Response(raw as unknown as ReadableStream).text();
    const url = new URL(raw.url ?? "", "http://double");
    const params = body === "" ? Object.fromEntries(url.searchParams) : JSON.parse(body);
    const request = { method: raw.method ?? "", path: url.pathname, params };
    double.requests.push(request);
    const sealed = sealOf(raw, request.method, url, body);
    const handled = () => sealed ?? answer(request);
    const told = double.fault?.(request, handled) ?? handled();
    if (told === "hang") return;
    if (told === "drop") {
      raw.socket.destroy();
      return;
    }
    const text = typeof told.body === "string" ? told.body : JSON.stringify(told.body);
    response.writeHead(told.status, { "content-type": "application/json", ...told.headers });
    response.end(text.replace(/"#(\d+)#"/g, "$1"));
  }

  /** The refusal of a request with a wrong key, time or signature; null for a good one. */
  function sealOf(
    raw: IncomingMessage,
    method: string,
    url: URL,
    body: string,
  ): DoubleAnswer | null {
    if (url.pathname.startsWith("/v3/public/")) return null;
    const at = String(raw.headers["x-api-timestamp"]);
    const text = at + method + url.pathname + url.search + body;
    const sign = createHmac("sha256", SECRET).update(text).digest("hex");
    const isKnown = raw.headers["x-api-key"] === KEY && raw.headers["x-api-signature"] === sign;
    const refusal = (code: number, status: number) => ({
      status,
      body: { success: false, code, message: `refused with ${code}` },
    });
    if (!isKnown) return refusal(-1002, 401);
    return Math.abs(Number(at) - now()) > 5000 ? refusal(317179, 400) : null;
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const double: WooxDouble = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    clockAheadMs: 0,
    isHedge: false,
    idsAreNumbers: false,
    fault: null,
    fill: book.fill,
    orders: () => book.orders,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return double;
}
