// What Upbit must be sent for spot, written by hand from its documents.
import { CLIENT_ID, type Expected, type ExpectedByOperation } from "./operations.ts";

const market = "KRW-BTC";
const limit = {
  market,
  side: "bid",
  ord_type: "limit",
  price: "50000.1",
  volume: "0.003",
  identifier: CLIENT_ID,
};
const post = (body: unknown): Expected[] => [{ method: "POST", path: "/v1/orders", body }];
const get = (path: string, query: Record<string, string> = {}): Expected[] => [
  { method: "GET", path: `/v1/${path}`, query },
];

export const UPBIT: ExpectedByOperation = {
  placeLimit: post(limit),
  placeMarketClose: post({
    market,
    side: "ask",
    ord_type: "market",
    volume: "0.003",
    identifier: CLIENT_ID,
  }),
  placePostOnly: post({ ...limit, time_in_force: "post_only" }),
  placePostOnlyAdjusted: [],
  placeIoc: post({ ...limit, time_in_force: "ioc" }),
  placeFok: post({ ...limit, time_in_force: "fok" }),
  placeQueueBid: [],
  placeQueueAskClose: [],
  placeHidden: [],
  placeOpenLong: [],
  placeCloseLong: [],
  placeOpenShort: [],
  placeStop: [],
  placeStopLimit: [],
  placeTakeProfit: [],
  amendById: [],
  amendByClientId: [],
  cancelById: [{ method: "DELETE", path: "/v1/order", query: { uuid: "77" } }],
  cancelByClientId: [{ method: "DELETE", path: "/v1/order", query: { identifier: CLIENT_ID } }],
  cancelTriggerById: [],
  cancelAll: [],
  setDeadMan: [],
  setLeverage: [],
  setHedgeMode: [],
  orderById: get("order", { uuid: "77" }),
  orderByClientId: get("order", { identifier: CLIENT_ID }),
  triggerByClientId: [],
  openOrders: get("orders/open", { market, limit: "100" }),
  openOrdersOfAll: get("orders/open", { limit: "100" }),
  tradesSince: [],
  tradesOfAll: [],
  positions: [],
  positionsOfAll: [],
  balances: get("accounts"),
  leverage: [],
  positionMode: [],
  feeRates: get("orders/chance", { market }),
  fundingSince: [],
  markPrice: [],
  topOfBook: get("orderbook", { markets: market, count: "1" }),
  serverTime: [],
  permissions: [],
};
