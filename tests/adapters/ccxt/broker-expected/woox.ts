// What WOO X must be sent, written by hand from its V3 documents.
import { CLIENT_ID, type Expected, type ExpectedByOperation, SINCE } from "./operations.ts";

const symbol = "PERP_BTC_USDT";
const buy = {
  symbol,
  side: "BUY",
  quantity: "0.003",
  clientOrderId: CLIENT_ID,
  orderTag: "dragon",
};
const sell = { ...buy, side: "SELL", reduceOnly: true };
const stop = {
  symbol,
  side: "SELL",
  quantity: "0.003",
  reduceOnly: true,
  clientAlgoOrderId: CLIENT_ID,
  algoType: "STOP",
};
const post = (body: unknown): Expected[] => [{ method: "POST", path: "/v3/trade/order", body }];
const algo = (body: unknown): Expected[] => [{ method: "POST", path: "/v3/trade/algoOrder", body }];
const get = (path: string, query: Record<string, string> = {}): Expected[] => [
  { method: "GET", path: `/v3/${path}`, query },
];
const open = (query: Record<string, string>): Expected[] => [
  ...get("trade/orders", { status: "INCOMPLETE", page: "1", size: "500", ...query }),
  ...get("trade/algoOrders", { status: "INCOMPLETE", page: "1", size: "500", ...query }),
];

export const WOOX: ExpectedByOperation = {
  placeLimit: post({ ...buy, type: "LIMIT", price: "50000.1" }),
  placeMarketClose: post({ ...sell, type: "MARKET" }),
  placePostOnly: post({ ...buy, type: "POST_ONLY", price: "50000.1" }),
  placePostOnlyAdjusted: post({
    ...buy,
    type: "POST_ONLY",
    price: "50000.1",
    postOnlyAdjusted: true,
  }),
  placeIoc: post({ ...buy, type: "IOC", price: "50000.1" }),
  placeFok: post({ ...buy, type: "FOK", price: "50000.1" }),
  placeQueueBid: post({ ...buy, type: "BID", bidAskLevel: 2 }),
  placeQueueAskClose: post({ ...sell, type: "ASK", bidAskLevel: 5 }),
  placeHidden: post({ ...buy, type: "LIMIT", price: "50000.1", visibleQuantity: "0" }),
  placeOpenLong: post({ ...buy, type: "LIMIT", price: "50000.1", positionSide: "LONG" }),
  placeCloseLong: post({ ...sell, type: "MARKET", positionSide: "LONG" }),
  placeOpenShort: post({
    ...buy,
    side: "SELL",
    type: "LIMIT",
    price: "50000.1",
    positionSide: "SHORT",
  }),
  placeStop: algo({ ...stop, type: "MARKET", triggerPrice: "49000" }),
  placeStopLimit: algo({ ...stop, type: "LIMIT", triggerPrice: "49000", price: "48900" }),
  placeTakeProfit: algo({ ...stop, type: "MARKET", triggerPrice: "51000" }),
  amendById: [
    {
      method: "PUT",
      path: "/v3/trade/order",
      body: { orderId: "77", price: "50000.2", quantity: "0.003" },
    },
  ],
  amendByClientId: [
    {
      method: "PUT",
      path: "/v3/trade/order",
      body: { clientOrderId: CLIENT_ID, price: "50000.2", quantity: "0.003" },
    },
  ],
  cancelById: [{ method: "DELETE", path: "/v3/trade/order", query: { symbol, orderId: "77" } }],
  cancelByClientId: [
    { method: "DELETE", path: "/v3/trade/order", query: { symbol, clientOrderId: CLIENT_ID } },
  ],
  cancelTriggerById: [
    { method: "DELETE", path: "/v3/trade/algoOrder", query: { algoOrderId: "77" } },
  ],
  cancelAll: [{ method: "DELETE", path: "/v3/trade/allOrders", query: { symbol } }],
  setDeadMan: [
    { method: "POST", path: "/v3/trade/cancelAllAfter", body: { triggerAfter: 60_000 } },
  ],
  setLeverage: [
    {
      method: "PUT",
      path: "/v3/futures/leverage",
      body: { symbol, leverage: 10, marginMode: "CROSS" },
    },
  ],
  setHedgeMode: [
    { method: "PUT", path: "/v3/futures/positionMode", body: { positionMode: "HEDGE_MODE" } },
  ],
  orderById: get("trade/order", { orderId: "77" }),
  orderByClientId: get("trade/order", { clientOrderId: CLIENT_ID }),
  triggerByClientId: get("trade/algoOrder", { clientAlgoOrderId: CLIENT_ID }),
  openOrders: open({ symbol }),
  openOrdersOfAll: open({}),
  tradesSince: get("trade/transactionHistory", {
    symbol,
    startTime: String(SINCE),
    endTime: "1760000600000",
    limit: "500",
  }),
  tradesOfAll: get("trade/transactionHistory", {
    startTime: String(SINCE),
    endTime: "1760000600000",
    limit: "500",
  }),
  positions: get("futures/positions", { symbol }),
  positionsOfAll: get("futures/positions"),
  balances: get("asset/balances"),
  leverage: get("futures/leverage", { symbol, marginMode: "CROSS" }),
  positionMode: get("account/info"),
  feeRates: get("trade/tradingFee", { symbol }),
  fundingSince: get("futures/fundingFee/history", {
    symbol,
    startTime: String(SINCE),
    page: "1",
    size: "500",
  }),
  markPrice: get("public/futures", { symbol }),
  topOfBook: get("public/orderbook", { symbol, maxLevel: "1" }),
  serverTime: get("public/systemInfo"),
  permissions: get("account/credentials", { page: "1", size: "500" }),
};
