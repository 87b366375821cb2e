// What OKX must be sent for perpetual swaps, written by hand from its V5 documents. Sizes are contracts.
import { CLIENT_ID, type Expected, type ExpectedByOperation, SINCE } from "./operations.ts";

const instId = "BTC-USDT-SWAP";
const limit = {
  instId,
  tdMode: "cross",
  side: "buy",
  ordType: "limit",
  sz: "0.3",
  px: "50000.1",
  clOrdId: CLIENT_ID,
};
const market = {
  instId,
  tdMode: "cross",
  side: "sell",
  ordType: "market",
  sz: "0.3",
  clOrdId: CLIENT_ID,
};
const trigger = {
  instId,
  tdMode: "cross",
  side: "sell",
  ordType: "trigger",
  sz: "0.3",
  reduceOnly: true,
  algoClOrdId: CLIENT_ID,
  // ccxt's own; without it a random one and a broker tag would be added.
  clOrdId: CLIENT_ID,
};
const post = (path: string, body: unknown): Expected[] => [
  { method: "POST", path: `/api/v5/${path}`, body },
];
const get = (path: string, query: Record<string, string> = {}): Expected[] => [
  { method: "GET", path: `/api/v5/${path}`, query },
];
const open = (query: Record<string, string>): Expected[] => [
  ...get("trade/orders-pending", { limit: "100", ...query }),
  ...get("trade/orders-algo-pending", { limit: "100", ordType: "trigger", ...query }),
];

export const OKX: ExpectedByOperation = {
  placeLimit: post("trade/order", limit),
  placeMarketClose: post("trade/order", { ...market, reduceOnly: true }),
  placePostOnly: post("trade/order", { ...limit, ordType: "post_only" }),
  placePostOnlyAdjusted: [],
  placeIoc: post("trade/order", { ...limit, ordType: "ioc" }),
  placeFok: post("trade/order", { ...limit, ordType: "fok" }),
  placeQueueBid: [],
  placeQueueAskClose: [],
  placeHidden: [],
  placeOpenLong: post("trade/order", { ...limit, posSide: "long" }),
  placeCloseLong: post("trade/order", { ...market, posSide: "long" }),
  placeOpenShort: post("trade/order", { ...limit, side: "sell", posSide: "short" }),
  placeStop: post("trade/order-algo", { ...trigger, triggerPx: "49000", orderPx: "-1" }),
  placeStopLimit: post("trade/order-algo", { ...trigger, triggerPx: "49000", orderPx: "48900" }),
  placeTakeProfit: post("trade/order-algo", { ...trigger, triggerPx: "51000", orderPx: "-1" }),
  amendById: post("trade/amend-order", { instId, ordId: "77", newPx: "50000.2", newSz: "0.3" }),
  amendByClientId: post("trade/amend-order", {
    instId,
    clOrdId: CLIENT_ID,
    newPx: "50000.2",
    newSz: "0.3",
  }),
  cancelById: post("trade/cancel-order", { instId, ordId: "77" }),
  cancelByClientId: post("trade/cancel-order", { instId, clOrdId: CLIENT_ID }),
  cancelTriggerById: post("trade/cancel-algos", [{ instId, algoId: "77" }]),
  cancelAll: [],
  setDeadMan: post("trade/cancel-all-after", { timeOut: 60 }),
  setLeverage: post("account/set-leverage", { instId, lever: 10, mgnMode: "cross" }),
  setHedgeMode: post("account/set-position-mode", { posMode: "long_short_mode" }),
  orderById: get("trade/order", { instId, ordId: "77" }),
  orderByClientId: get("trade/order", { instId, clOrdId: CLIENT_ID }),
  triggerByClientId: get("trade/order-algo", { instId, algoClOrdId: CLIENT_ID }),
  openOrders: open({ instId }),
  openOrdersOfAll: open({}),
  tradesSince: get("trade/fills-history", {
    instType: "SWAP",
    instId,
    begin: String(SINCE),
    end: "1760000600000",
  }),
  tradesOfAll: [],
  positions: get("account/positions", { instId }),
  positionsOfAll: get("account/positions"),
  balances: get("account/balance"),
  leverage: get("account/leverage-info", { instId, mgnMode: "cross" }),
  positionMode: get("account/config"),
  feeRates: get("account/trade-fee", { instType: "SWAP", uly: "BTC-USDT" }),
  fundingSince: get("account/bills-archive", {
    instType: "SWAP",
    type: "8",
    ccy: "USDT",
    ctType: "linear",
    limit: "100",
    begin: String(SINCE),
    end: "1760000600000",
  }),
  markPrice: get("public/mark-price", { instId }),
  topOfBook: get("market/books", { instId, sz: "1" }),
  serverTime: get("public/time"),
  permissions: get("account/config"),
};
