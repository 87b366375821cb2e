// What KuCoin futures must be sent, written by hand from its documents. Sizes are whole contracts.
import { CLIENT_ID, type Expected, type ExpectedByOperation, SINCE } from "./operations.ts";

const symbol = "XBTUSDTM";
const base = { clientOid: CLIENT_ID, symbol, leverage: 10, marginMode: "CROSS", size: 3 };
const limit = { ...base, side: "buy", type: "limit", price: "50000.1" };
const market = { ...base, side: "sell", type: "market", reduceOnly: true };
const stop = { ...market, stop: "down", stopPrice: "49000", stopPriceType: "MP" };
const post = (path: string, body: unknown): Expected[] => [
  { method: "POST", path: `/api/${path}`, body },
];
const get = (path: string, query: Record<string, string> = {}): Expected[] => [
  { method: "GET", path: `/api/${path}`, query },
];
const remove = (path: string, query: Record<string, string> = {}): Expected[] => [
  { method: "DELETE", path: `/api/v1/${path}`, query },
];
const open = (query: Record<string, string>): Expected[] => [
  ...get("v1/orders", { status: "active", pageSize: "1000", ...query }),
  ...get("v1/stopOrders", { pageSize: "1000", ...query }),
];

export const KUCOIN: ExpectedByOperation = {
  placeLimit: post("v1/orders", limit),
  placeMarketClose: post("v1/orders", market),
  placePostOnly: post("v1/orders", { ...limit, postOnly: true }),
  placePostOnlyAdjusted: [],
  placeIoc: post("v1/orders", { ...limit, timeInForce: "IOC" }),
  placeFok: [],
  placeQueueBid: [],
  placeQueueAskClose: [],
  placeHidden: [],
  placeOpenLong: post("v1/orders", { ...limit, positionSide: "LONG" }),
  placeCloseLong: post("v1/orders", { ...market, positionSide: "LONG" }),
  placeOpenShort: post("v1/orders", { ...limit, side: "sell", positionSide: "SHORT" }),
  placeStop: post("v1/orders", stop),
  placeStopLimit: post("v1/orders", { ...stop, type: "limit", price: "48900" }),
  placeTakeProfit: post("v1/orders", { ...stop, stop: "up", stopPrice: "51000" }),
  amendById: [],
  amendByClientId: [],
  cancelById: remove("orders/77"),
  cancelByClientId: remove(`orders/client-order/${CLIENT_ID}`, { symbol }),
  cancelTriggerById: remove("orders/77"),
  cancelAll: [...remove("orders", { symbol }), ...remove("stopOrders", { symbol })],
  setDeadMan: [],
  setLeverage: post("v2/changeCrossUserLeverage", { symbol, leverage: "10" }),
  setHedgeMode: post("v2/position/switchPositionMode", { positionMode: "1" }),
  orderById: get("v1/orders/77"),
  orderByClientId: get("v1/orders/byClientOid", { clientOid: CLIENT_ID }),
  triggerByClientId: get("v1/orders/byClientOid", { clientOid: CLIENT_ID }),
  openOrders: open({ symbol }),
  openOrdersOfAll: open({}),
  tradesSince: get("v1/fills", {
    symbol,
    startAt: String(SINCE),
    endAt: "1760000600000",
    pageSize: "1000",
  }),
  tradesOfAll: [],
  positions: get("v1/positions"),
  positionsOfAll: get("v1/positions"),
  balances: get("v1/account-overview", { currency: "USDT" }),
  leverage: get("v2/getCrossUserLeverage", { symbol }),
  positionMode: get("v2/position/getPositionMode"),
  feeRates: get("v1/trade-fees", { symbol }),
  fundingSince: get("v1/funding-history", {
    symbol,
    startAt: String(SINCE),
    endAt: "1760000600000",
    maxCount: "1000",
  }),
  markPrice: get(`v1/mark-price/${symbol}/current`),
  topOfBook: get("v1/level2/depth20", { symbol }),
  serverTime: get("v1/timestamp"),
  permissions: get("v1/user/api-key"),
};
