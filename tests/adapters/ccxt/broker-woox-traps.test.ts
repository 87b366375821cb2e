// The twenty things that bite at WOO X (its documents and the client's habits), one test each, through
// the real client against a loopback double.
import { afterAll, beforeEach, expect, test } from "bun:test";
import { createMarketData } from "../../../src/adapters/ccxt/market-data.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { decimal } from "../../../src/model/decimal.ts";
import { roundPrice, roundQty } from "../../../src/model/order-rules.ts";
import { InputError } from "../../../src/model/result.ts";
import type { Broker, CallOptions, NewOrder, OrderTerms } from "../../../src/ports/broker.ts";
import { openWooxBroker } from "../../contract/woox-broker.ts";
import { SYMBOL } from "../../contract/woox-double-book.ts";
import { startWooxDouble } from "../../contract/woox-double.ts";
import { startWoo } from "../../support/fake-exchange/woo.ts";
import { closedCandles, makeWorld } from "../../support/fake-exchange/world.ts";
import { silentLog } from "../../support/silent-log.ts";

const double = await startWooxDouble();
const broker: Broker = await openWooxBroker(double.url);
const options: CallOptions = { signal: new AbortController().signal };
let sequence = 1_954_766_344_355_779_056n;

afterAll(() => double.stop());
beforeEach(async () => {
  double.fault = null;
  double.isHedge = false;
  double.idsAreNumbers = false;
  await broker.cancelAll(SYMBOL, options);
  double.requests.length = 0;
});

const limit: OrderTerms = { kind: "limit", price: decimal("49000.1") };
function order(terms: OrderTerms, change: Partial<NewOrder> = {}): NewOrder {
  return {
    clientOrderId: String(sequence++),
    symbol: SYMBOL,
    side: "buy",
    positionSide: null,
    terms,
    qty: decimal("0.003"),
    isReduceOnly: false,
    visibleQty: null,
    leverage: null,
    ...change,
  };
}
const ref = (id: string) => ({ symbol: SYMBOL, by: "client", id, isTrigger: false }) as const;
const place = (wanted: NewOrder) => broker.place(wanted, options);
const sent = (method: string, path: string) =>
  double.requests.filter((each) => each.method === method && each.path === path);

test("1: client ids are whole numbers below 2^63, kept as text to the last digit", async () => {
  expect(await place(order(limit, { clientOrderId: "DRAGON-42" }))).toMatchObject({
    outcome: "refused",
    reason: "BAD_REQUEST",
  });
  expect(double.requests).toHaveLength(0);
  const clientOrderId = "9223372036854775807";
  await place(order(limit, { clientOrderId }));
  expect(sent("POST", "/v3/trade/order")[0]?.params.clientOrderId).toBe(clientOrderId);
  const found = await broker.order(ref(clientOrderId), options);
  expect(found?.clientOrderId).toBe(clientOrderId);
});

test("2: an id is unique only among open orders, so a lost market order is never sent again", async () => {
  const wanted = order({ kind: "market" });
  double.fault = ({ method }, handle) => {
    if (method !== "POST") return null;
    handle();
    return "drop";
  };
  const answer = await place(wanted);
  double.fault = null;
  expect(answer).toMatchObject({ outcome: "unverified", cause: "connection_lost" });
  expect(sent("POST", "/v3/trade/order")).toHaveLength(1);
  expect(await broker.order(ref(wanted.clientOrderId), options)).toMatchObject({
    status: "filled",
  });
  // The exchange itself would take the id once more: nothing but our not sending protects us.
  expect((await place(wanted)).outcome).toBe("accepted");
  expect(broker.capabilities.reusesClientIds).toBe(true);
});

test("3: an unknown code with HTTP 400 is a refusal, not an outage to be retried", async () => {
  const body = { success: false, code: -987_654, message: "new rule" };
  double.fault = () => ({ status: 400, body });
  expect(await place(order(limit))).toMatchObject({ outcome: "refused", reason: "UNKNOWN_CODE" });
  await expect(broker.balances(options)).rejects.toMatchObject({ kind: "refused" });
  expect(double.requests).toHaveLength(2);
});

test("4: HTTP 200 that reads like no success settles nothing", async () => {
  const bodies: unknown[] = [
    { success: false, code: -987_654, message: "?" },
    { success: true, data: {} },
    { success: true, data: { orderId: "" } },
    "<html>back soon</html>",
    "",
  ];
  for (const body of bodies) {
    double.fault = () => ({ status: 200, body });
    expect((await place(order(limit))).outcome).toBe("unverified");
    await expect(broker.balances(options)).rejects.toMatchObject({ name: "BrokerError" });
  }
});

test("5: hedge legs go out as positionSide, never as a flag", async () => {
  double.isHedge = true;
  await place(order(limit, { positionSide: "long" }));
  await place(order(limit, { side: "sell", positionSide: "short" }));
  const bodies = sent("POST", "/v3/trade/order").map(({ params }) => params);
  expect(bodies.map(({ positionSide }) => positionSide)).toEqual(["LONG", "SHORT"]);
  for (const body of bodies) expect(body).not.toHaveProperty("hedged");
});

test("6: queue orders carry a level and neither a price nor post-only", async () => {
  await place(order({ kind: "queue", level: 3 }));
  await place(order({ kind: "queue", level: 1 }, { side: "sell" }));
  const [bid, ask] = sent("POST", "/v3/trade/order").map(({ params }) => params);
  expect(bid).toMatchObject({ type: "BID", bidAskLevel: 3 });
  expect(ask).toMatchObject({ type: "ASK", bidAskLevel: 1 });
  for (const body of [bid, ask]) {
    expect(body).not.toHaveProperty("price");
    expect(body).not.toHaveProperty("postOnly");
  }
});

test("7: prices are rounded by us and leave as they are", async () => {
  const rules = await broker.orderRules(SYMBOL, options);
  const price = roundPrice(rules, "entry", "buy", decimal("49999.97"));
  const qty = roundQty(rules, decimal("0.00327"), null);
  expect([price, qty as string]).toEqual(["49999.9", "0.0032"]);
  const terms = { kind: "limit", price } as const;
  await place(order(terms, { qty: qty ?? decimal(0) }));
  // Even what is off the grid is not silently changed on its way: the exchange says no.
  const off = { kind: "limit", price: decimal("49999.97") } as const;
  expect(await place(order(off))).toMatchObject({ reason: "PRICE_OFF_FILTER" });
  const bodies = sent("POST", "/v3/trade/order").map(({ params }) => params);
  expect(bodies).toMatchObject([{ price: "49999.9", quantity: "0.0032" }, { price: "49999.97" }]);
});

test("8: a cancel that was taken is not a cancelled order, and a late fill is seen", async () => {
  const wanted = order(limit);
  const answer = await place(wanted);
  const id = answer.outcome === "accepted" ? answer.value.exchangeOrderId : "";
  double.fault = ({ method }) => {
    if (method !== "DELETE") return null;
    return { status: 200, body: { success: true, data: { status: "CANCEL_SENT" } } };
  };
  const cancelled = await broker.cancel(ref(wanted.clientOrderId), options);
  expect(cancelled).toEqual({ outcome: "accepted", value: null });
  double.fault = null;
  expect(await broker.order(ref(wanted.clientOrderId), options)).toMatchObject({ status: "open" });
  double.fill(id, "0.003", "49000.1");
  expect(await broker.order(ref(wanted.clientOrderId), options)).toMatchObject({
    status: "filled",
    filledQty: "0.003",
  });
});

test("9: a slow call holds up no cancel", async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  double.fault = ({ path }) => (path === "/v3/futures/leverage" ? "hang" : null);
  const slow = broker.setLeverage(SYMBOL, 5, null, options).then(() => release());
  const started = performance.now();
  await broker.positionMode(SYMBOL, options);
  await broker.cancel(ref("1"), options);
  expect(performance.now() - started).toBeLessThan(1000);
  await slow;
  await held;
});

test("10: fills are read from trade records, every one, however slowly we look", async () => {
  const answer = await place(order(limit, { qty: decimal("0.012") }));
  const id = answer.outcome === "accepted" ? answer.value.exchangeOrderId : "";
  const sinceAt = Date.now() - 1000;
  for (let i = 0; i < 12; i++) double.fill(id, "0.001", "49000.1");
  const trades = await broker.tradesSince({ symbol: SYMBOL, sinceAt }, options);
  expect(trades.filter(({ exchangeOrderId }) => exchangeOrderId === id)).toHaveLength(12);
});

test("11: trades of a hedge account name leg and side in two words", async () => {
  const words = ["OPEN LONG", "CLOSE SHORT", "OPEN SHORT", "CLOSE LONG", "BUY", "SELL"];
  const rows = words.map((side, index) => ({
    id: String(index),
    orderId: "1",
    symbol: SYMBOL,
    side,
    executedPrice: "1",
    executedQuantity: "1",
    executedTimestamp: String(Date.now() - 1000 + index),
  }));
  const meta = { total: rows.length, recordsPerPage: 500, currentPage: 1 };
  double.fault = () => ({ status: 200, body: { success: true, data: { rows, meta } } });
  const trades = await broker.tradesSince({ symbol: SYMBOL, sinceAt: 0 }, options);
  expect(trades.map(({ side, positionSide }) => [side, positionSide])).toEqual([
    ["buy", "long"],
    ["buy", "short"],
    ["sell", "short"],
    ["sell", "long"],
    ["buy", null],
    ["sell", null],
  ]);
});

test("12: the broker takes ccxt class by class, never the package that cannot be compiled", async () => {
  const files = new Bun.Glob("src/adapters/**/*.ts").scanSync(".");
  for (const file of files) {
    expect(await Bun.file(file).text()).not.toMatch(/from "ccxt"|import\("ccxt"\)/);
  }
});

test("13: candles are asked for without an end, so that none are left out", async () => {
  const from = Date.UTC(2024, 0, 1);
  const world = makeWorld({ seed: 13, from, bars: 500 });
  const woo = startWoo(world);
  const market = { exchangeId: "woox", symbol: SYMBOL, kind: "perps" } as const;
  const clock = createClock();
  const data = createMarketData({ clock, log: silentLog, loopbackUrls: { woox: woo.url } });
  let bars = 0;
  const range = { from, to: from + 500 * 60_000 };
  const request = { market, timeframeMin: 1, range, signal: options.signal };
  for await (const page of data.candles(request)) bars += page.series.length;
  woo.stop();
  expect(bars).toBe(closedCandles(world, from, range.to).length);
  for (const { params } of woo.history()) expect(params).not.toHaveProperty("before");
});

test("14: all pages of working orders are read, and a list cut off is an error", async () => {
  for (let i = 0; i < 30; i++) await place(order(limit));
  // A server that sends at most 25 rows a page whatever is asked.
  double.fault = (request, handle) => {
    if (request.path !== "/v3/trade/orders") return null;
    const { size: _size, ...params } = request.params as Record<string, string>;
    return handlePage(double.orders(), Number(params.page), handle);
  };
  expect(await broker.openOrders(SYMBOL, options)).toHaveLength(30);
  const rows: unknown[] = [];
  const meta = { total: 30, recordsPerPage: 25, currentPage: 1 };
  double.fault = () => ({ status: 200, body: { success: true, data: { rows, meta } } });
  await expect(broker.openOrders(SYMBOL, options)).rejects.toMatchObject({ kind: "incomplete" });
});

function handlePage(
  orders: ReturnType<typeof double.orders>,
  page: number,
  handle: () => unknown,
): { status: number; body: unknown } {
  expect(handle()).toMatchObject({ status: 200 });
  const open = orders.filter(({ status }) => status === "NEW");
  const rows = open.slice((page - 1) * 25, page * 25);
  const meta = { total: open.length, recordsPerPage: 25, currentPage: page };
  return { status: 200, body: { success: true, data: { rows, meta } } };
}

test("15: the row of a closed position is no position", async () => {
  const row = { symbol: SYMBOL, averageOpenPrice: "1", markPrice: "1", positionSide: "BOTH" };
  const positions = [
    { ...row, holding: "0" },
    { ...row, holding: 0, positionSide: "LONG" },
    { ...row, holding: "-0.7" },
    { ...row, holding: "-0.2", positionSide: "LONG" },
    { ...row, holding: "0.3", positionSide: "SHORT" },
  ];
  double.fault = () => ({ status: 200, body: { success: true, data: { positions } } });
  const told = await broker.positions(null, options);
  expect(told).toHaveLength(3);
  expect(told).toMatchObject([
    { mode: "one_way", positionSide: "short", qty: "0.7" },
    { mode: "hedge", positionSide: "long", qty: "0.2" },
    { mode: "hedge", positionSide: "short", qty: "0.3" },
  ]);
});

test("16: no tag of the client goes out with an order", async () => {
  await place(order(limit));
  const trigger = {
    kind: "trigger",
    triggerPrice: decimal("48000"),
    direction: "falling",
  } as const;
  await place(order({ ...trigger, price: null }));
  for (const { params } of double.requests) {
    expect(params).not.toHaveProperty("broker_id");
    expect(params).not.toHaveProperty("brokerId");
  }
  expect(double.requests).toHaveLength(2);
});

test("17: the private stream opens over a plain loopback address", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request, self) {
      resolve(new URL(request.url).pathname);
      const body = { success: true, data: { applicationId: "app-1" } };
      return self.upgrade(request) ? undefined : Response.json(body);
    },
    websocket: { message: () => undefined },
  });
  const { createSecret } = await import("../../../src/adapters/vault/secret.ts");
  const secret = createSecret("x");
  const credentials = {
    apiKey: secret,
    apiSecret: secret,
    passphrase: null,
    uid: createSecret("app-1"),
  };
  const streaming = await openWooxBroker(`http://127.0.0.1:${server.port}`, { credentials });
  const stream = streaming.listen(() => undefined);
  expect(await promise).toBe("/v2/ws/private/stream/app-1");
  stream?.stop();
  await server.stop(true);
});

test("18: cancelling everything takes the address that reaches algo orders too", async () => {
  await broker.cancelAll(SYMBOL, options);
  expect(sent("DELETE", "/v3/trade/allOrders")).toHaveLength(1);
  expect(sent("DELETE", "/v3/trade/orders")).toHaveLength(0);
});

test("19: a test environment is refused where there is none, and used where there is one", async () => {
  for (const exchangeId of ["kucoin", "upbit"]) {
    const kind = exchangeId === "upbit" ? "spot" : "perps";
    const opening = openWooxBroker(double.url, { exchangeId, kind, mode: "live", isTestnet: true });
    await expect(opening).rejects.toBeInstanceOf(InputError);
  }
  for (const exchangeId of ["woox", "binance", "bybit", "okx"]) {
    await openWooxBroker(double.url, { exchangeId, mode: "live", isTestnet: true });
  }
});

test("20: REST needs no application id", async () => {
  expect((await broker.balances(options))[0]).toMatchObject({ asset: "USDT", total: "1000.5" });
});
