// What Bybit must be sent for linear perpetuals, written by hand from its V5 documents.
import { CLIENT_ID, type Expected, type ExpectedByOperation, SINCE } from "./operations.ts";

const symbol = "BTCUSDT";
const category = "linear";
const limit = {
  category,
  symbol,
  side: "Buy",
  orderType: "Limit",
  qty: "0.003",
  price: "50000.1",
  orderLinkId: CLIENT_ID,
};
const market = {
  category,
  symbol,
  side: "Sell",
  orderType: "Market",
  qty: "0.003",
  orderLinkId: CLIENT_ID,
  reduceOnly: true,
};
const post = (path: string, body: unknown): Expected[] => [
  { method: "POST", path: `/v5/${path}`, body },
];
const get = (path: string, query: Record<string, string> = {}): Expected[] => [
  { method: "GET", path: `/v5/${path}`, query },
];
const history = { symbol, category, limit: "100", startTime: String(SINCE) };

export const BYBIT: ExpectedByOperation = {
  placeLimit: post("order/create", limit),
  placeMarketClose: post("order/create", market),
  placePostOnly: post("order/create", { ...limit, timeInForce: "PostOnly" }),
  placePostOnlyAdjusted: [],
  placeIoc: post("order/create", { ...limit, timeInForce: "IOC" }),
  placeFok: post("order/create", { ...limit, timeInForce: "FOK" }),
  placeQueueBid: [],
  placeQueueAskClose: [],
  placeHidden: [],
  placeOpenLong: post("order/create", { ...limit, positionIdx: 1 }),
  placeCloseLong: post("order/create", { ...market, positionIdx: 1 }),
  placeOpenShort: post("order/create", { ...limit, side: "Sell", positionIdx: 2 }),
  placeStop: post("order/create", { ...market, triggerPrice: "49000", triggerDirection: 2 }),
  placeStopLimit: post("order/create", {
    ...market,
    orderType: "Limit",
    price: "48900",
    triggerPrice: "49000",
    triggerDirection: 2,
  }),
  placeTakeProfit: post("order/create", { ...market, triggerPrice: "51000", triggerDirection: 1 }),
  amendById: post("order/amend", {
    category,
    symbol,
    orderId: "77",
    price: "50000.2",
    qty: "0.003",
  }),
  amendByClientId: post("order/amend", {
    category,
    symbol,
    orderLinkId: CLIENT_ID,
    price: "50000.2",
    qty: "0.003",
  }),
  cancelById: post("order/cancel", { category, symbol, orderId: "77" }),
  cancelByClientId: post("order/cancel", { category, symbol, orderLinkId: CLIENT_ID }),
  cancelTriggerById: post("order/cancel", { category, symbol, orderId: "77" }),
  cancelAll: post("order/cancel-all", { category, symbol }),
  setDeadMan: [],
  setLeverage: post("position/set-leverage", {
    category,
    symbol,
    buyLeverage: "10",
    sellLeverage: "10",
  }),
  setHedgeMode: post("position/switch-mode", { category, symbol, mode: 3 }),
  orderById: get("order/realtime", { category, symbol, orderId: "77" }),
  orderByClientId: get("order/realtime", { category, symbol, orderLinkId: CLIENT_ID }),
  triggerByClientId: get("order/realtime", { category, symbol, orderLinkId: CLIENT_ID }),
  openOrders: get("order/realtime", { category, symbol, limit: "50" }),
  openOrdersOfAll: get("order/realtime", { category, settleCoin: "USDT", limit: "50" }),
  tradesSince: get("execution/list", { ...history, execType: "Trade", endTime: "1760000600000" }),
  tradesOfAll: [],
  positions: get("position/list", { category, symbol, limit: "200" }),
  positionsOfAll: get("position/list", { category, settleCoin: "USDT", limit: "200" }),
  balances: get("account/wallet-balance", { accountType: "UNIFIED" }),
  leverage: get("position/list", { category, symbol }),
  positionMode: get("position/list", { category, symbol, limit: "200" }),
  feeRates: get("account/fee-rate", { category, symbol }),
  fundingSince: get("execution/list", {
    ...history,
    execType: "Funding",
    endTime: "1760000600000",
    // ccxt's own, unknown word for the limit; the documented one stands beside it.
    size: "100",
  }),
  markPrice: get("market/tickers", { category, symbol }),
  topOfBook: get("market/orderbook", { category, symbol, limit: "1" }),
  serverTime: get("market/time"),
  permissions: get("user/query-api"),
};
