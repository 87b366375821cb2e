// What Binance USD-M futures must be sent, written by hand from its documents. Parameters of POST and
// PUT travel form-encoded in the body.
import { CLIENT_ID, type Expected, type ExpectedByOperation, SINCE } from "./operations.ts";

const symbol = "BTCUSDT";
const limit = {
  symbol,
  side: "BUY",
  type: "LIMIT",
  quantity: "0.003",
  price: "50000.1",
  newClientOrderId: CLIENT_ID,
  newOrderRespType: "RESULT",
};
const market = {
  symbol,
  side: "SELL",
  type: "MARKET",
  quantity: "0.003",
  newClientOrderId: CLIENT_ID,
  newOrderRespType: "RESULT",
};
const stop = {
  symbol,
  side: "SELL",
  algoType: "CONDITIONAL",
  quantity: "0.003",
  clientAlgoId: CLIENT_ID,
  newOrderRespType: "RESULT",
  reduceOnly: "true",
};
const post = (path: string, body: unknown): Expected[] => [
  { method: "POST", path: `/fapi/v1/${path}`, body },
];
const get = (path: string, query: Record<string, string> = {}): Expected[] => [
  { method: "GET", path: `/fapi/${path}`, query },
];
const remove = (path: string, query: Record<string, string>): Expected[] => [
  { method: "DELETE", path: `/fapi/v1/${path}`, query },
];
const amended = { symbol, side: "BUY", quantity: "0.003", price: "50000.2" };

export const BINANCE: ExpectedByOperation = {
  placeLimit: post("order", { ...limit, timeInForce: "GTC" }),
  placeMarketClose: post("order", { ...market, reduceOnly: "true" }),
  placePostOnly: post("order", { ...limit, timeInForce: "GTX" }),
  placePostOnlyAdjusted: [],
  placeIoc: post("order", { ...limit, timeInForce: "IOC" }),
  placeFok: post("order", { ...limit, timeInForce: "FOK" }),
  placeQueueBid: [],
  placeQueueAskClose: [],
  placeHidden: [],
  placeOpenLong: post("order", { ...limit, timeInForce: "GTC", positionSide: "LONG" }),
  placeCloseLong: post("order", { ...market, positionSide: "LONG" }),
  placeOpenShort: post("order", {
    ...limit,
    side: "SELL",
    timeInForce: "GTC",
    positionSide: "SHORT",
  }),
  placeStop: post("algoOrder", { ...stop, type: "STOP_MARKET", triggerPrice: "49000" }),
  placeStopLimit: post("algoOrder", {
    ...stop,
    type: "STOP",
    triggerPrice: "49000",
    price: "48900",
  }),
  placeTakeProfit: post("algoOrder", {
    ...stop,
    type: "TAKE_PROFIT_MARKET",
    triggerPrice: "51000",
  }),
  amendById: [{ method: "PUT", path: "/fapi/v1/order", body: { ...amended, orderId: "77" } }],
  amendByClientId: [
    { method: "PUT", path: "/fapi/v1/order", body: { ...amended, origClientOrderId: CLIENT_ID } },
  ],
  cancelById: remove("order", { symbol, orderId: "77" }),
  cancelByClientId: remove("order", { symbol, origClientOrderId: CLIENT_ID }),
  cancelTriggerById: remove("algoOrder", { symbol, algoId: "77" }),
  cancelAll: [...remove("allOpenOrders", { symbol }), ...remove("algoOpenOrders", { symbol })],
  setDeadMan: [],
  setLeverage: post("leverage", { symbol, leverage: "10" }),
  setHedgeMode: post("positionSide/dual", { dualSidePosition: "true" }),
  orderById: get("v1/order", { symbol, orderId: "77" }),
  orderByClientId: get("v1/order", { symbol, origClientOrderId: CLIENT_ID }),
  triggerByClientId: get("v1/algoOrder", { symbol, clientAlgoId: CLIENT_ID }),
  openOrders: [...get("v1/openOrders", { symbol }), ...get("v1/openAlgoOrders", { symbol })],
  openOrdersOfAll: [...get("v1/openOrders"), ...get("v1/openAlgoOrders")],
  tradesSince: get("v1/userTrades", {
    symbol,
    startTime: String(SINCE),
    endTime: "1760000600000",
    limit: "1000",
  }),
  tradesOfAll: [],
  positions: get("v3/positionRisk"),
  positionsOfAll: get("v3/positionRisk"),
  balances: get("v3/account"),
  leverage: get("v1/symbolConfig"),
  positionMode: get("v1/positionSide/dual"),
  feeRates: get("v1/commissionRate", { symbol }),
  fundingSince: get("v1/income", {
    symbol,
    incomeType: "FUNDING_FEE",
    startTime: String(SINCE),
    endTime: "1760000600000",
    limit: "1000",
  }),
  markPrice: get("v1/premiumIndex", { symbol }),
  topOfBook: get("v1/depth", { symbol, limit: "5" }),
  serverTime: get("v1/time"),
  permissions: [{ method: "GET", path: "/sapi/v1/account/apiRestrictions", query: {} }],
};
