// Every reply and every streamed message against the published samples: the same keys, the same JSON
// types. What a reply carries beyond its sample is named here, with the reason.
import { afterEach, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { testIf } from "../support/needs.ts";
import { type Lab, send, sign, startLab, stopLabs } from "./lab.ts";
import { subscribed } from "./stream-client.ts";

afterEach(stopLabs);

const FOLDER = join(import.meta.dir, "../../../shared/data/woox");
type Sample = { method: string; json: Json };
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The samples of a method, in the order they are published. */
function samplesOf(file: string, method: string): Json[] {
  const { samples } = JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as { samples: Sample[] };
  return samples.filter((sample) => sample.method === method).map((sample) => sample.json);
}

function sample(method: string, index = 0, file = "samples.json"): Json {
  const found = samplesOf(file, method)[index];
  if (found === undefined) throw new Error(`no sample ${index} of ${method}`);
  return found;
}

const kindOf = (value: Json) =>
  value === null ? "null" : Array.isArray(value) ? "list" : typeof value;

type Allowed = {
  /** Keys a reply has beyond its sample. */
  readonly extra?: readonly string[];
  /** Keys that may be null, or whose sample is null. */
  readonly nullable?: readonly string[];
  /** Objects whose keys are names, such as positions by symbol. */
  readonly named?: readonly string[];
};

/** One line per difference of shape. */
function differences(given: Json, wanted: Json, allowed: Allowed, path = "$"): string[] {
  const key = path.split(".").at(-1)?.replace(/\[\]$/, "") ?? "";
  const kinds = [kindOf(given), kindOf(wanted)];
  if (kinds[0] !== kinds[1]) {
    const isNull = kinds.includes("null") && allowed.nullable?.includes(key);
    return isNull ? [] : [`${path} is ${kinds[0]}, published as ${kinds[1]}`];
  }
  if (Array.isArray(given) && Array.isArray(wanted)) {
    const first = wanted[0];
    if (first === undefined) return [];
    if (given.length === 0) return [`${path} is empty: nothing to compare`];
    return given.flatMap((item) => differences(item, first, allowed, `${path}[]`));
  }
  if (kinds[0] !== "object") return [];
  const [a, b] = [given as Record<string, Json>, wanted as Record<string, Json>];
  if (allowed.named?.includes(key)) {
    const [first] = Object.values(b);
    return Object.values(a).flatMap((item) =>
      differences(item, first ?? null, allowed, `${path}.*`),
    );
  }
  const missing = Object.keys(b).filter((name) => !(name in a));
  const surplus = Object.keys(a).filter((name) => !(name in b) && !allowed.extra?.includes(name));
  return [
    ...missing.map((name) => `${path}.${name} is missing`),
    ...surplus.map((name) => `${path}.${name} is not published`),
    ...Object.keys(b)
      .filter((name) => name in a)
      .flatMap((name) => differences(a[name] ?? null, b[name] ?? null, allowed, `${path}.${name}`)),
  ];
}

const symbol = "PERP_BTC_USDT";

/** A lab in which every list has a row: fills, payments, open and algo orders, a position. */
async function lived(): Promise<{ lab: Lab; orderId: string; algoId: string }> {
  const lab = startLab();
  await lab.place({ type: "MARKET", quantity: "0.03" });
  const orderId = await lab.place({ price: "95" });
  const stop = { symbol, algoType: "STOP", type: "LIMIT", side: "BUY", quantity: "1" };
  const algo = await lab.call("POST", "/v3/trade/algoOrder", {
    ...stop,
    triggerPrice: "97",
    price: "96",
  });
  await lab.fault("funding_charge", { params: { rate: "0.0001" } });
  await lab.step(60_000);
  return { lab, orderId, algoId: String(algo.json.data?.rows?.[0]?.orderId) };
}

type Case = {
  readonly method: string;
  readonly path: string;
  readonly params?: Record<string, unknown>;
  readonly sample: readonly [name: string, index?: number];
  readonly allowed?: Allowed;
};

const order = {
  extra: ["marginMode", "leverage"],
  nullable: ["amount", "realizedPnl", "bidAskLevel"],
};
const trade = { nullable: ["realizedPnl"] };
const info = { extra: ["makerFeeRate", "takerFeeRate"], nullable: ["referrerID"] };
const ratios = { nullable: ["bidFloorRatio", "askCapRatio", "bidCapRatio", "askFloorRatio"] };
const kline = { symbol, type: "1m" };

const CASES: readonly Case[] = [
  { method: "GET", path: "/v3/public/systemInfo", sample: ["fetchStatus"] },
  { method: "GET", path: "/v3/public/instruments", sample: ["fetchMarkets"], allowed: ratios },
  { method: "GET", path: "/v3/public/marketTrades", params: { symbol }, sample: ["fetchTrades"] },
  { method: "GET", path: "/v3/trade/tradingFee", params: { symbol }, sample: ["fetchTradingFee"] },
  { method: "GET", path: "/v3/account/info", sample: ["fetchTradingFees"], allowed: info },
  { method: "GET", path: "/v3/account/info", sample: ["fetchLeverage"], allowed: info },
  { method: "GET", path: "/v1/public/token", sample: ["fetchCurrencies"] },
  { method: "GET", path: "/v1/public/token_network", sample: ["fetchCurrencies", 1] },
  {
    ...{ method: "POST", path: "/v3/trade/algoOrder", sample: ["createOrder"] as const },
    params: {
      symbol,
      algoType: "STOP",
      type: "MARKET",
      side: "SELL",
      quantity: "0.1",
      triggerPrice: "90",
    },
  },
  {
    ...{ method: "POST", path: "/v3/trade/order", sample: ["createOrder", 1] as const },
    params: { symbol, type: "LIMIT", side: "BUY", price: "90", quantity: "0.1" },
    allowed: { nullable: ["bidAskLevel", "amount"] },
  },
  { method: "PUT", path: "/v3/trade/order", params: { price: "94" }, sample: ["editOrder"] },
  { method: "GET", path: "/v3/trade/order", sample: ["fetchOrder", 1], allowed: order },
  {
    method: "GET",
    path: "/v3/trade/orders",
    params: { status: "INCOMPLETE" },
    sample: ["fetchOrders", 1],
    allowed: order,
  },
  { method: "GET", path: "/v3/trade/algoOrder", sample: ["fetchOrder"] },
  { method: "GET", path: "/v3/trade/algoOrders", sample: ["fetchOrders"] },
  {
    method: "GET",
    path: "/v3/trade/transactionHistory",
    sample: ["fetchMyTrades"],
    allowed: trade,
  },
  {
    method: "POST",
    path: "/v3/trade/cancelAllAfter",
    params: { triggerAfter: 9000 },
    sample: ["cancelAllOrdersAfter"],
  },
  { method: "GET", path: "/v3/public/orderbook", params: { symbol }, sample: ["fetchOrderBook"] },
  { method: "GET", path: "/v3/public/futures", params: { symbol }, sample: ["fetchTicker"] },
  { method: "GET", path: "/v3/public/klineHistory", params: kline, sample: ["fetchOHLCV"] },
  { method: "GET", path: "/v3/public/kline", params: kline, sample: ["fetchOHLCV"] },
  { method: "GET", path: "/v3/asset/balances", sample: ["fetchBalance"] },
  { method: "GET", path: "/v3/futures/fundingFee/history", sample: ["fetchFundingHistory"] },
  {
    method: "GET",
    path: "/v3/public/fundingRate",
    params: { symbol },
    sample: ["fetchFundingRate"],
  },
  {
    method: "GET",
    path: "/v3/public/fundingRateHistory",
    params: { symbol },
    sample: ["fetchFundingRateHistory"],
  },
  {
    method: "PUT",
    path: "/v3/futures/positionMode",
    params: { positionMode: "ONE_WAY" },
    sample: ["setPositionMode"],
  },
  {
    method: "GET",
    path: "/v3/futures/leverage",
    params: { symbol, marginMode: "CROSS" },
    sample: ["fetchLeverage", 2],
  },
  { method: "GET", path: "/v3/futures/positions", params: { symbol }, sample: ["fetchPositions"] },
  { method: "DELETE", path: "/v3/trade/order", params: { symbol }, sample: ["cancelOrder"] },
  { method: "DELETE", path: "/v3/trade/orders", params: { symbol }, sample: ["cancelAllOrders"] },
  { method: "DELETE", path: "/v3/trade/allOrders", sample: ["cancelAllOrders"] },
  {
    method: "DELETE",
    path: "/v3/trade/algoOrders",
    params: { symbol },
    sample: ["cancelAllOrders"],
  },
];

/** Whether a request names an order by an id of the lab. */
const NAMES_ORDER = /^(PUT|GET|DELETE) \/v3\/trade\/order$/;

for (const one of CASES) {
  const [name, index = 0] = one.sample;
  testIf("data", `${one.method} ${one.path} has the shape of sample ${name} ${index}`, async () => {
    const { lab, orderId, algoId } = await lived();
    const id = NAMES_ORDER.test(`${one.method} ${one.path}`)
      ? { orderId }
      : one.path === "/v3/trade/algoOrder" && one.method === "GET"
        ? { algoOrderId: algoId }
        : {};
    const reply = await lab.call(one.method, one.path, { ...one.params, ...id });
    expect(reply.status).toBe(200);
    expect(differences(reply.json as never, sample(name, index), one.allowed ?? {})).toEqual([]);
  });
}

testIf("data", "the V1 list of an order's fills has the shape of its sample", async () => {
  const lab = startLab();
  const id = await lab.place({ type: "MARKET", quantity: "0.05" });
  const timestamp = String(lab.x.now);
  const reply = await send(`${lab.venue.url}/v1/order/${id}/trades`, {
    headers: {
      "x-api-key": lab.account.apiKey,
      "x-api-timestamp": timestamp,
      "x-api-signature": sign(lab.account.secret, `|${timestamp}`),
    },
  });
  expect(differences(reply.json as never, sample("fetchOrderTrades"), {})).toEqual([]);
});

testIf(
  "data",
  "a refusal has the shape of the published one, and every code we use is published",
  async () => {
    const lab = startLab();
    const reply = await lab.call("GET", "/v3/trade/order", { orderId: 1 });
    const extra = ["timestamp"];
    expect(differences(reply.json as never, sample("handleErrors"), { extra })).toEqual([]);
    const published = JSON.parse(readFileSync(join(FOLDER, "woo-errors.json"), "utf8")) as {
      errors: { code: number }[];
    };
    const known = new Set(published.errors.map((error) => error.code));
    const sources = [...new Bun.Glob("src/venue/*.ts").scanSync(join(import.meta.dir, "../.."))];
    let found = 0;
    for (const file of sources) {
      const text = readFileSync(join(import.meta.dir, "../..", file), "utf8");
      for (const [, code] of text.matchAll(/VenueError\((-?\d{4,6})/g)) {
        found++;
        // -1011 stands in the note of the table, not in its list.
        if (code !== "-1011") expect([file, known.has(Number(code))]).toEqual([file, true]);
      }
    }
    expect(found).toBeGreaterThan(40);
  },
);

const orderNews = {
  extra: ["msgType", "avgPrice", "feeCurrency", "totalRebate", "rebateCurrency", "positionSide"],
};
const STREAMED: [topic: string, sample: string, index: number, allowed: Allowed][] = [
  [`${symbol}@orderbookupdate`, "handleOrderBook", 0, {}],
  [`${symbol}@ticker`, "handleTicker", 0, {}],
  ["tickers", "handleTickers", 0, {}],
  ["bbos", "handleBidAsk", 0, {}],
  [`${symbol}@kline_1m`, "handleOHLCV", 0, {}],
  [`${symbol}@trade`, "handleTrade", 0, {}],
  [`${symbol}@estfundingrate`, "handleFundingRate", 0, {}],
  ["executionreport", "handleOrderUpdate", 0, orderNews],
  ["position", "handlePositions", 0, { named: ["positions"] }],
];

for (const [topic, name, index, allowed] of STREAMED) {
  testIf("data", `messages of ${topic} have the shape of sample ${name}`, async () => {
    const lab = startLab();
    const stream = await subscribed(lab, [topic]);
    await lab.place({ type: "MARKET", quantity: "0.03" });
    await lab.price("101");
    await stream.settled();
    const messages = stream.about(topic);
    expect(messages.length).toBeGreaterThan(0);
    for (const message of messages) {
      expect(differences(message as Json, sample(name, index, "samples-ws.json"), allowed)).toEqual(
        [],
      );
    }
    stream.close();
  });
}

testIf(
  "data",
  "fills and algo orders in the private stream have the shape of their samples",
  async () => {
    const lab = startLab();
    const stream = await subscribed(lab, ["executionreport", "algoexecutionreportv2"]);
    await lab.place({ type: "MARKET", quantity: "0.05" });
    const stop = { symbol, algoType: "STOP", type: "MARKET", side: "BUY", quantity: "0.1" };
    await lab.call("POST", "/v3/trade/algoOrder", { ...stop, triggerPrice: "110" });
    await stream.settled();
    const fills = stream
      .about("executionreport")
      .filter((message) => Number(message.data?.tradeId) > 0);
    expect(fills).toHaveLength(5);
    const wanted = sample("handleMyTrade", 0, "samples-ws.json");
    for (const { data } of fills) {
      expect(differences(data as never, wanted, { extra: ["positionSide"] })).toEqual([]);
    }
    const [algo] = stream.about("algoexecutionreportv2");
    const algoSample = sample("parseWsOrder", 1, "samples-ws.json");
    expect(differences(algo?.data?.[0] as never, algoSample, {})).toEqual([]);
    stream.close();
  },
);

testIf(
  "data",
  "the comparison itself sees a missing key, a surplus key, another type and an empty list",
  () => {
    const shape = (given: Json, wanted: Json) => differences(given, wanted, {}).length;
    expect(shape({ a: 1 }, { a: 1, b: 1 })).toBe(1);
    expect(shape({ a: 1, b: 1 }, { a: 1 })).toBe(1);
    expect(shape({ a: "1" }, { a: 1 })).toBe(1);
    expect(shape({ a: [] }, { a: [1] })).toBe(1);
    expect(shape({ a: [{ b: 1 }, { b: "x" }] }, { a: [{ b: 2 }] })).toBe(1);
    expect(shape({ a: null }, { a: "x" })).toBe(1);
  },
);
