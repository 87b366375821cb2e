// The dialect of exchanges driven through ccxt's unified calls; what differs between them is in their
// words. Used by broker-binance.ts, broker-bybit.ts, broker-okx.ts, broker-kucoin.ts and
// broker-upbit.ts. Values that ccxt would change on their way out are refused before they leave.
import { decimal, type Decimal } from "../../model/decimal.ts";
import type {
  BrokerCapabilities,
  KeyPermissions,
  NewOrder,
  OrderRef,
  PositionMode,
} from "../../ports/broker.ts";
import type { Client, PrivateExchange, Row } from "./broker-client.ts";
import { decimalOf, instantOrNull, rowOf, textOf, unreadable } from "./broker-fields.ts";
import { inOrder, type Page, wholeWindow } from "./broker-pages.ts";
import type { AccountCalls, Dialect, Next } from "./broker-profile.ts";
import { BrokerError, requireSupport } from "./error-types.ts";
import {
  balancesOf,
  fundingOf,
  infoOf,
  leverageOf,
  orderOf,
  positionOf,
  rulesOf,
  tradeOf,
} from "./unified-rows.ts";

/** Parameters beside ccxt's own arguments. */
export type Params = Record<string, unknown>;

/** One list of working orders, and how its next page is asked for. */
export type OpenList = {
  readonly isTrigger: boolean;
  readonly params: Params;
  /** Rows a page; a shorter page is the last. Null when the list comes in one piece. */
  readonly limit: number | null;
  /** Parameters of the page after `rows`; null when the answer says that there is none. */
  after(rows: readonly Row[], pages: number): Params | null;
};

/** Lists of one time span and size. */
export type HistoryWords = {
  readonly limit: number;
  /** The longest span one request may cover, ms. */
  readonly spanMs: number;
  /** Parameters of a span beyond its start, which ccxt takes itself. */
  span(from: number, to: number): Params;
};

/** What an exchange says differently. */
export type Words = {
  readonly exchangeId: string;
  readonly capabilities: BrokerCapabilities;
  /** Parameters of a new order beyond id, flags and time in force. */
  orderParams(order: NewOrder): Params;
  /** Parameters that name an order by its client id, per use. */
  clientIdParams(ref: OrderRef, use: "fetch" | "cancel" | "amend"): Params;
  /** Parameters of every request for an order in the trigger book. */
  readonly triggerParams: Params;
  /** The exchange takes an amendment only with both price and quantity. */
  readonly amendsTogether: boolean;
  /** Added to every request for one order. */
  readonly fetchParams: Params;
  readonly openLists: readonly OpenList[];
  /** One request per entry; together they reach every working order of a symbol. */
  readonly cancelAllParams: readonly Params[];
  readonly trades: HistoryWords;
  readonly funding: HistoryWords;
  readonly bookRows: number;
  readonly leverageParams: Params;
  /** False where ccxt makes up a price tick. */
  readonly statesTicks: boolean;
  positionMode(exchange: PrivateExchange, symbol: string): Promise<PositionMode>;
  permissions(exchange: PrivateExchange): Promise<KeyPermissions>;
  /** The mark price, where it is not in ccxt's own answer. */
  markPrice(exchange: PrivateExchange, symbol: string): Promise<Row>;
};

const LIST_PAGES_MAX = 20;

/** A list that always arrives whole. */
export function wholeList(isTrigger: boolean, params: Params = {}): OpenList {
  return { isTrigger, params, limit: null, after: () => null };
}

/** The parameters by which an order kind is told to ccxt in every exchange alike. */
function kindParams({ terms }: NewOrder): Params {
  if (terms.kind === "post_only") return { postOnly: true };
  return terms.kind === "ioc" || terms.kind === "fok"
    ? { timeInForce: terms.kind.toUpperCase() }
    : {};
}

/** A dialect over ccxt's unified calls. */
export function createUnifiedDialect({ exchange }: Client, words: Words): Dialect {
  return {
    ...orderCalls(exchange, words),
    ...accountCalls(exchange, words),
    ...marketCalls(exchange, words),
  };
}

type OrderCalls = Pick<
  Dialect,
  "order" | "openOrders" | "tradesSince" | "place" | "amend" | "cancel" | "cancelAll" | "setDeadMan"
>;

function orderCalls(exchange: PrivateExchange, words: Words): OrderCalls {
  const refParams = (ref: OrderRef, use: "fetch" | "cancel" | "amend"): Params => ({
    ...(ref.isTrigger ? words.triggerParams : {}),
    ...(ref.by === "client" ? words.clientIdParams(ref, use) : {}),
  });
  const idOf = (ref: OrderRef) => (ref.by === "exchange" ? ref.id : undefined);
  return {
    async order(ref) {
      const params = { ...words.fetchParams, ...refParams(ref, "fetch") };
      // ccxt wants an id in any case; parameters that name the order replace it.
      return orderOf(await exchange.fetchOrder(ref.id, ref.symbol, params), ref.isTrigger);
    },
    async openOrders(symbol, next) {
      const found = [];
      for (const [index, list] of words.openLists.entries()) {
        if (index > 0) await next();
        const rows = await openList(exchange, symbol, list, next);
        found.push(...rows.map((row) => orderOf(row, list.isTrigger)));
      }
      return found;
    },
    async tradesSince({ symbol, sinceAt }, now, next) {
      const window = (from: number, to: number, limit: number) =>
        exchange.fetchMyTrades(symbol ?? undefined, from, limit, words.trades.span(from, to));
      const range = { from: sinceAt, to: now };
      const rows = await history("trades", words.trades, range, next, window);
      return inOrder(rows.map(tradeOf), ({ tradeId }) => tradeId);
    },
    async place(order) {
      const { terms, symbol, side, qty } = order;
      const limit = "price" in terms ? terms.price : null;
      await exchange.loadMarkets();
      requireUnchanged("qty", qty, exchange.amountToPrecision(symbol, qty));
      if (limit !== null) {
        requireUnchanged("price", limit, exchange.priceToPrecision(symbol, limit));
      }
      const params = {
        clientOrderId: order.clientOrderId,
        ...kindParams(order),
        ...words.orderParams(order),
      };
      const type = limit === null ? "market" : "limit";
      const row = await exchange.createOrder(symbol, type, side, qty, limit ?? undefined, params);
      return typeof row.id === "string" && row.id !== "" ? row.id : null;
    },
    async amend(ref, { side, price, qty }) {
      if (words.amendsTogether && (price === null || qty === null)) {
        throw new BrokerError("refused", "price and quantity are amended together here");
      }
      const params = refParams(ref, "amend");
      return exchange.editOrder(
        idOf(ref),
        ref.symbol,
        "limit",
        side,
        qty ?? undefined,
        price ?? undefined,
        params,
      );
    },
    cancel: (ref) => exchange.cancelOrder(idOf(ref), ref.symbol, refParams(ref, "cancel")),
    async cancelAll(symbol, next) {
      for (const [index, params] of words.cancelAllParams.entries()) {
        if (index > 0) await next();
        await exchange.cancelAllOrders(symbol, { ...params });
      }
    },
    setDeadMan: (afterMs) => exchange.cancelAllOrdersAfter(afterMs),
  };
}

async function openList(
  exchange: PrivateExchange,
  symbol: string | null,
  list: OpenList,
  next: Next,
): Promise<Row[]> {
  const found = new Map<string, Row>();
  let params: Params | null = list.params;
  for (let pages = 1; params !== null; pages++) {
    if (pages > LIST_PAGES_MAX) {
      throw new BrokerError("incomplete", "the list of open orders did not arrive completely");
    }
    if (pages > 1) await next();
    const rows: Row[] = await exchange.fetchOpenOrders(
      symbol ?? undefined,
      undefined,
      list.limit ?? undefined,
      params,
    );
    for (const row of rows) found.set(textOf(row, "id"), row);
    params = list.limit !== null && rows.length >= list.limit ? list.after(rows, pages) : null;
  }
  return [...found.values()];
}

/** All rows of a stretch, in spans the exchange takes. */
async function history(
  what: string,
  words: HistoryWords,
  range: { readonly from: number; readonly to: number },
  next: Next,
  window: (from: number, to: number, limit: number) => Promise<Row[]>,
): Promise<Row[]> {
  const page = async (from: number, to: number): Promise<Page<Row>> => {
    const rows = await window(from, to, words.limit);
    return { rows, total: null };
  };
  const found = new Map<string, Row>();
  const id = (row: Row) => textOf(row, "id");
  for (let from = range.from; from <= Math.max(range.from, range.to); from += words.spanMs) {
    if (from > range.from) await next();
    const span = { from, to: Math.min(range.to, from + words.spanMs - 1) };
    const rows = await wholeWindow(what, next, span, words.limit, page, id);
    for (const row of rows) found.set(id(row), row);
  }
  return [...found.values()];
}

function accountCalls(exchange: PrivateExchange, words: Words): AccountCalls {
  return {
    async positions(symbol) {
      const rows = await exchange.fetchPositions(symbol === null ? undefined : [symbol]);
      return rows.flatMap((row) => positionOf(row) ?? []);
    },
    balances: async () => balancesOf(await exchange.fetchBalance()),
    leverage: async (symbol) =>
      leverageOf(await exchange.fetchLeverage(symbol, words.leverageParams)),
    async positionMode(symbol) {
      await exchange.loadMarkets();
      return words.positionMode(exchange, symbol);
    },
    async feeRates(symbol) {
      const row = await exchange.fetchTradingFee(symbol);
      return { makerRatio: decimalOf(row, "maker"), takerRatio: decimalOf(row, "taker") };
    },
    async fundingSince({ symbol, sinceAt }, now, next) {
      const window = (from: number, to: number, limit: number) =>
        exchange.fetchFundingHistory(symbol, from, limit, words.funding.span(from, to));
      const range = { from: sinceAt, to: now };
      const rows = await history("funding payments", words.funding, range, next, window);
      return inOrder(rows.map(fundingOf), (payment) => payment.id);
    },
    permissions: () => words.permissions(exchange),
    // Both legs of a symbol share one leverage on these exchanges in cross margin.
    setLeverage: (symbol, leverage) =>
      exchange.setLeverage(leverage, symbol, { ...words.leverageParams }),
    async setPositionMode(symbol, mode) {
      await exchange.loadMarkets();
      return exchange.setPositionMode(mode === "hedge", symbol);
    },
  };
}

type MarketCalls = Pick<Dialect, "orderRules" | "markPrice" | "topOfBook" | "serverTime">;

function marketCalls(exchange: PrivateExchange, words: Words): MarketCalls {
  const { exchangeId } = words;
  return {
    async orderRules(symbol) {
      requireSupport(words.statesTicks, exchangeId, "its price ticks");
      await exchange.loadMarkets();
      return rulesOf(exchange.market(symbol));
    },
    async markPrice(symbol) {
      const row = await words.markPrice(exchange, symbol);
      const at = instantOrNull(row, "timestamp") ?? exchange.milliseconds();
      return { price: decimalOf(row, "markPrice"), at };
    },
    async topOfBook(symbol) {
      const book = await exchange.fetchOrderBook(symbol, words.bookRows);
      const [bid, bidQty] = bestOf(book.bids);
      const [ask, askQty] = bestOf(book.asks);
      const at = instantOrNull(book, "timestamp") ?? exchange.milliseconds();
      return { bid, bidQty, ask, askQty, at };
    },
    async serverTime() {
      requireSupport(exchange.has.fetchTime === true, exchangeId, "its clock");
      const at = await exchange.fetchTime();
      if (at === undefined) throw unreadable("server time");
      return Number(at);
    },
  };
}

function bestOf(side: unknown): readonly [price: Decimal, qty: Decimal] {
  const best: unknown = Array.isArray(side) ? side[0] : undefined;
  if (!Array.isArray(best)) throw unreadable("best bid and ask");
  const level = rowOf({ price: best[0], qty: best[1] }, "best bid and ask");
  return [decimalOf(level, "price"), decimalOf(level, "qty")];
}

/** ccxt rounds prices and cuts quantities; an order must leave as it was decided. */
function requireUnchanged(field: string, ours: Decimal, theirs: string): void {
  if (decimal(theirs) === ours) return;
  throw new BrokerError(
    "refused",
    `${field}: ${ours} is off the exchange's grid (${theirs} is on)`,
  );
}

/** The raw mark price of a ticker. */
export async function tickerMark(exchange: PrivateExchange, symbol: string): Promise<Row> {
  const ticker = await exchange.fetchTicker(symbol);
  return { timestamp: ticker.timestamp, markPrice: infoOf(ticker).markPrice };
}
