// A session of every operation through the unmodified ccxt client, REST and streams: what it sends passes
// our signature check and what it gets back it can read.
import { afterEach, expect, test } from "bun:test";
import { AuthenticationError, DuplicateOrderId, InsufficientFunds } from "ccxt-src/base/errors.js";
import { depthOf } from "../../src/venue/book.ts";
import { type WooClient, wooClient } from "./ccxt-woo.ts";
import { type Lab, type LabOptions, startLab, stopLabs } from "./lab.ts";

const clients: WooClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await stopLabs();
});

const S = "BTC/USDT:USDT";

/** A venue in real time with deep quotes, and a client on it. */
async function session(options: LabOptions = {}): Promise<{ lab: Lab; ex: WooClient }> {
  const house = { levelLotsMax: 300 };
  const lab = startLab({ startAt: Date.now(), speed: 1, house, ...options });
  const ex = await wooClient(lab.venue, lab.account);
  clients.push(ex);
  await ex.loadMarkets();
  return { lab, ex };
}

/** Nothing was refused: no signature, no parameter. */
function expectNoRefusal(lab: Lab): void {
  const refused = lab.x.log.since(0).filter(({ kind }) => kind === "refused");
  expect(refused.map(({ fields }) => fields)).toEqual([]);
}

test("market data: status, time, markets, ticker, book, tape, candles, funding", async () => {
  const { lab, ex } = await session();
  await lab.place({ type: "MARKET", quantity: "0.1" });
  expect(await ex.fetchStatus()).toMatchObject({ status: "ok" });
  expect(Math.abs(Number(await ex.fetchTime()) - Date.now())).toBeLessThan(5000);
  const market = ex.market(S);
  expect(market).toMatchObject({ id: "PERP_BTC_USDT", swap: true, linear: true, contractSize: 1 });
  expect(market.precision).toMatchObject({ amount: 0.01, price: 0.5 });
  expect(await ex.fetchTicker(S)).toMatchObject({ symbol: S, open: 100 });
  expect(Object.keys(await ex.fetchTickers())).toEqual([S]);
  const book = await ex.fetchOrderBook(S, 3);
  expect([book.bids.length, book.asks.length]).toEqual([3, 3]);
  expect(Number(book.bids[0]?.[0])).toBeLessThan(Number(book.asks[0]?.[0]));
  const [trade] = await ex.fetchTrades(S);
  expect(trade).toMatchObject({ side: "buy", symbol: S });
  const candles = await ex.fetchOHLCV(S, "1m", undefined, 10);
  expect(candles.at(-1)).toHaveLength(6);
  expect(await ex.fetchFundingRate(S)).toMatchObject({ symbol: S });
  expect(Object.keys(await ex.fetchFundingRates())).toEqual([S]);
  await lab.fault("funding_charge", { params: { rate: "0.0001" } });
  expect((await ex.fetchFundingRateHistory(S))[0]).toMatchObject({ fundingRate: 0.0001 });
  expect(Object.keys((await ex.fetchCurrencies()) ?? {})).toContain("USDT");
  expectNoRefusal(lab);
});

test("every order type is created, read back and ended", async () => {
  const { lab, ex } = await session();
  const kinds = [
    ["limit", 95, {}, "open"],
    ["limit", 95, { postOnly: true }, "open"],
    ["POST_ONLY", 101, { postOnlyAdjusted: true, orderTag: "dragon" }, "open"],
    ["BID", undefined, { bidAskLevel: 2 }, "open"],
    ["market", undefined, {}, "closed"],
    ["limit", 105, { timeInForce: "IOC" }, "closed"],
    ["limit", 105, { timeInForce: "FOK" }, "closed"],
  ] as const;
  for (const [type, price, params, status] of kinds) {
    const created = await ex.createOrder(S, type, "buy", 0.5, price, { ...params });
    const read = await ex.fetchOrder(String(created.id), S);
    expect([type, read.id, read.side, read.status]).toEqual([type, created.id, "buy", status]);
    if (status === "open") {
      expect(await ex.cancelOrder(String(created.id), S)).toMatchObject({ id: created.id });
      expect((await ex.fetchOrder(String(created.id), S)).status).toBe("canceled");
    } else expect(read.filled).toBe(0.5);
  }
  await ex.createOrder(S, "market", "sell", 0.5, undefined, { reduceOnly: true });
  expectNoRefusal(lab);
});

test("client ids of 19 digits survive; edit, cancel and fetch by them; duplicates are told", async () => {
  const { lab, ex } = await session();
  const clientOrderId = "1954766344355779056";
  const created = await ex.createOrder(S, "limit", "buy", 1, 95, { clientOrderId });
  expect(created.clientOrderId).toBe(clientOrderId);
  const again = ex.createOrder(S, "limit", "buy", 1, 95, { clientOrderId });
  await expect(again).rejects.toBeInstanceOf(DuplicateOrderId);
  await ex.editOrder("", S, "limit", "buy", 2, 94, { clientOrderId });
  const read = await ex.fetchOrder("", S, { clientOrderId });
  expect(read).toMatchObject({ id: created.id, clientOrderId, price: 94, amount: 2 });
  await ex.cancelOrder("", S, { clientOrderId });
  expect((await ex.fetchClosedOrders(S))[0]).toMatchObject({ clientOrderId, status: "canceled" });
  const codes = lab.x.log.since(0).filter(({ kind }) => kind === "refused");
  expect(codes.map(({ fields }) => fields.code)).toEqual([302117]);
});

test("lists, fills, balance, positions, leverage, fees and funding", async () => {
  const { lab, ex } = await session();
  await ex.createOrder(S, "limit", "buy", 1, 95);
  const bought = await ex.createOrder(S, "market", "buy", 0.5);
  expect(await ex.fetchOpenOrders(S)).toHaveLength(1);
  expect(await ex.fetchOrders(S)).toHaveLength(2);
  const fills = await ex.fetchMyTrades(S);
  const sum = fills.reduce((total, { amount }) => total + Number(amount), 0);
  expect(sum).toBeCloseTo(0.5, 9);
  const ofOrder = await ex.fetchOrderTrades(String(bought.id), S);
  expect(ofOrder.map(({ order }) => order)).toEqual(fills.map(() => bought.id));
  const balance = await ex.fetchBalance();
  expect(Number(balance.USDT?.total)).toBeLessThan(10_000);
  expect(Number(balance.USDT?.free)).toBeLessThan(Number(balance.USDT?.total));
  expect((await ex.fetchPositions([S]))[0]).toMatchObject({ contracts: 0.5, side: "long" });
  expect(await ex.fetchPosition(S)).toMatchObject({ symbol: S, leverage: 10 });
  await ex.setLeverage(20, S);
  expect(await ex.fetchLeverage(S)).toMatchObject({ longLeverage: 20, marginMode: "cross" });
  expect(await ex.fetchTradingFee(S)).toMatchObject({ symbol: S });
  expect((await ex.fetchTradingFees())[S]).toMatchObject({ maker: 0.0002, taker: 0.0005 });
  expect((await ex.fetchAccounts())[0]).toMatchObject({ id: lab.account.applicationId });
  await lab.fault("funding_charge", { params: { rate: "0.0001" } });
  const [paid] = await ex.fetchFundingHistory(S);
  expect(Number(paid?.amount)).toBeLessThan(0);
  const after = await ex.cancelAllOrdersAfter(60_000);
  expect(JSON.stringify(after)).toContain("expectedTriggerTime");
  await ex.cancelAllOrders(S);
  expect(await ex.fetchOpenOrders(S)).toEqual([]);
  expectNoRefusal(lab);
});

test("hedge mode: switched, both legs opened and closed, sides in the exchange's words", async () => {
  const { lab, ex } = await session();
  await ex.setPositionMode(true);
  const info = (await ex.v3PrivateGetAccountInfo()) as { data: { positionMode: string } };
  expect(info.data.positionMode).toBe("HEDGE_MODE");
  for (const [side, positionSide] of [
    ["buy", "LONG"],
    ["sell", "SHORT"],
  ] as const) {
    await ex.setLeverage(5, S, { positionSide });
    await ex.createOrder(S, "market", side, 0.5, undefined, { positionSide });
  }
  const open = (await ex.fetchPositions()).filter((position) => Number(position.contracts) > 0);
  expect(open).toHaveLength(2);
  const close = { positionSide: "LONG", reduceOnly: true };
  await ex.createOrder(S, "market", "sell", 0.5, undefined, close);
  const sides = (await ex.fetchMyTrades(S)).map(({ side }) => String(side));
  expect(sides).toContain("open long");
  expect(sides).toContain("close long");
  expectNoRefusal(lab);
});

test("algo orders: stop, trailing, take-profit with stop-loss; listed, edited, cancelled", async () => {
  const { lab, ex } = await session();
  const stop = await ex.createOrder(S, "market", "sell", 0.5, undefined, { triggerPrice: 90 });
  await ex.editOrder(String(stop.id), S, "market", "sell", 0.6, undefined, {
    triggerPrice: 89,
    trigger: true,
  });
  const read = await ex.fetchOrder(String(stop.id), S, { trigger: true });
  expect(read).toMatchObject({ id: stop.id, triggerPrice: 89, amount: 0.6 });
  const trailing = { trailingPercent: 1, trailingTriggerPrice: 110 };
  await ex.createOrder(S, "market", "sell", 0.5, undefined, trailing);
  const pair = { takeProfit: { triggerPrice: 110 }, stopLoss: { triggerPrice: 90 } };
  await ex.createOrder(S, "limit", "buy", 0.5, 95, pair);
  // Stop, trailing stop, bracket, its pair, two legs.
  expect(await ex.fetchOpenOrders(S, undefined, 100, { trigger: true })).toHaveLength(6);
  await ex.cancelOrder(String(stop.id), S, { trigger: true });
  await ex.cancelAllOrders(S);
  expect(await ex.fetchOpenOrders(S, undefined, 100, { trigger: true })).toEqual([]);
  expectNoRefusal(lab);
});

test("streams: book, ticker, candles, best prices, orders, fills, balance, positions", async () => {
  const { lab, ex } = await session();
  const [book, ticker, candles, bests] = [
    ex.watchOrderBook(S),
    ex.watchTicker(S),
    ex.watchOHLCV(S, "1m"),
    ex.watchBidsAsks([S]),
  ];
  const [orders, balance] = [ex.watchOrders(S), ex.watchBalance()];
  const nudge = setInterval(() => void lab.place({ type: "MARKET", quantity: "0.05" }), 100);
  try {
    expect((await book).bids.length).toBeGreaterThan(0);
    expect((await ticker).close).toBeGreaterThan(90);
    expect((await candles).at(-1)).toHaveLength(6);
    expect(Object.keys(await bests)).toContain(S);
    expect((await orders)[0]).toMatchObject({ symbol: S, side: "buy" });
    expect(Number((await balance).USDT?.total)).toBeGreaterThan(9000);
    expect((await ex.watchPositions([S]))[0]).toMatchObject({ symbol: S });
  } finally {
    clearInterval(nudge);
  }
  expectNoRefusal(lab);
}, 30_000);

test("the book built from a snapshot and changes is the venue's book", async () => {
  const { lab, ex } = await session();
  const nudge = setInterval(() => void lab.place({ type: "MARKET", quantity: "0.05" }), 50);
  let book = await ex.watchOrderBook(S, undefined, { method: "orderbookupdate" });
  for (let i = 0; i < 5; i++) {
    book = await ex.watchOrderBook(S, undefined, { method: "orderbookupdate" });
  }
  clearInterval(nudge);
  await ex.fetchTime();
  const truth = depthOf(lab.market.book, "SELL", 100).map(({ ticks, lots }) => [
    ticks / 2,
    lots / 100,
  ]);
  expect(book.asks.map(([price, amount]) => [price, amount])).toEqual(truth);
}, 30_000);

test("a wrong secret is an authentication error, too little money insufficient funds", async () => {
  const { lab } = await session({ account: { deposit: "5" } });
  const poor = await wooClient(lab.venue, lab.account);
  const forger = await wooClient(lab.venue, lab.account, "not the secret");
  clients.push(poor, forger);
  await expect(poor.createOrder(S, "limit", "buy", 5, 95)).rejects.toBeInstanceOf(
    InsufficientFunds,
  );
  await expect(forger.fetchBalance()).rejects.toBeInstanceOf(AuthenticationError);
  await expect(forger.watchBalance()).rejects.toBeInstanceOf(AuthenticationError);
});
