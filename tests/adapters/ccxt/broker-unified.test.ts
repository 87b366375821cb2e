// What the exchanges driven through ccxt's unified calls answer, in our words: orders, trades,
// positions, modes and refusals, from answers written by hand from their documents.
import { afterAll, expect, test } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import { createCcxtBroker } from "../../../src/adapters/ccxt/broker.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import type { Broker, CallOptions, NewOrder } from "../../../src/ports/broker.ts";
import { silentLog } from "../../support/silent-log.ts";
import { ANSWERS } from "./broker-expected/answers.ts";
import { CLIENT_ID } from "./broker-expected/operations.ts";

type Told = { readonly status: number; readonly body: unknown };
const options: CallOptions = { signal: new AbortController().signal };
const SYMBOL = "BTC/USDT:USDT";
const ORDER: NewOrder = {
  clientOrderId: CLIENT_ID,
  symbol: SYMBOL,
  side: "buy",
  positionSide: null,
  terms: { kind: "limit", price: decimal("50000.1") },
  qty: decimal("0.003"),
  isReduceOnly: false,
  visibleQty: null,
  leverage: null,
};
const stops: (() => void)[] = [];
afterAll(() => {
  for (const stop of stops) stop();
});

/** A broker on an exchange that answers everything but its markets with `body`. */
async function brokerTold(exchangeId: string, body: unknown, status = 200): Promise<Broker> {
  const told: Told = { status, body };
  const setup = ANSWERS[exchangeId]?.setup ?? {};
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch({ url }) {
      const known = setup[new URL(url).pathname];
      return known === undefined
        ? Response.json(told.body, { status: told.status })
        : Response.json(known);
    },
  });
  stops.push(() => void server.stop(true));
  return openAt(`http://127.0.0.1:${server.port}`, exchangeId);
}

function openAt(loopbackUrl: string, exchangeId: string): Promise<Broker> {
  const secret = createSecret("x");
  return createCcxtBroker(
    { clock: createClock(), log: silentLog, loopbackUrl, timeoutMs: 1000 },
    {
      exchangeId,
      kind: exchangeId === "upbit" ? "spot" : "perps",
      mode: "demo",
      credentials: { apiKey: secret, apiSecret: secret, passphrase: secret, uid: null },
      isTestnet: false,
    },
  );
}

const bybit = (list: unknown) => ({ retCode: 0, retMsg: "OK", result: { list } });
const okx = (...data: unknown[]) => ({ code: "0", msg: "", data });
const kucoin = (data: unknown) => ({ code: "200000", data });

const ORDERS: Record<string, unknown> = {
  binance: {
    orderId: 8886774,
    clientOrderId: CLIENT_ID,
    symbol: "BTCUSDT",
    status: "PARTIALLY_FILLED",
    side: "SELL",
    positionSide: "LONG",
    type: "LIMIT",
    timeInForce: "GTC",
    price: "50000.10",
    origQty: "0.003",
    executedQty: "0.001",
    avgPrice: "50000.10",
    reduceOnly: true,
    stopPrice: "0",
    time: 1_760_000_000_000,
    updateTime: 1_760_000_000_001,
  },
  bybit: bybit([
    {
      orderId: "fd4300ae-7847-404e-b947-b46980a4d140",
      orderLinkId: CLIENT_ID,
      symbol: "BTCUSDT",
      orderStatus: "PartiallyFilled",
      side: "Sell",
      positionIdx: 1,
      orderType: "Limit",
      timeInForce: "GTC",
      price: "50000.10",
      qty: "0.003",
      cumExecQty: "0.001",
      cumExecValue: "50.0001",
      avgPrice: "50000.1",
      reduceOnly: true,
      triggerPrice: "0",
      createdTime: "1760000000000",
      updatedTime: "1760000000001",
    },
  ]),
  okx: okx({
    ordId: "312269865356374016",
    clOrdId: CLIENT_ID,
    instId: "BTC-USDT-SWAP",
    instType: "SWAP",
    state: "partially_filled",
    side: "sell",
    posSide: "long",
    ordType: "limit",
    px: "50000.1",
    sz: "0.3",
    accFillSz: "0.1",
    avgPx: "50000.1",
    reduceOnly: "true",
    cTime: "1760000000000",
    uTime: "1760000000001",
  }),
  kucoin: kucoin({
    id: "5cdfc138b21023a909e5ad55",
    clientOid: CLIENT_ID,
    symbol: "XBTUSDTM",
    isActive: true,
    cancelExist: false,
    status: "open",
    side: "sell",
    positionSide: "LONG",
    type: "limit",
    price: "50000.1",
    size: 3,
    filledSize: 1,
    filledValue: "50.0001",
    reduceOnly: true,
    createdAt: 1_760_000_000_000,
  }),
};

for (const [exchangeId, body] of Object.entries(ORDERS)) {
  test(`${exchangeId}: a partly filled order of a leg is told exactly`, async () => {
    const broker = await brokerTold(exchangeId, body);
    const ref = { symbol: SYMBOL, by: "client", id: CLIENT_ID, isTrigger: false } as const;
    const [qty, filledQty] = { okx: ["0.3", "0.1"], kucoin: ["3", "1"] }[exchangeId] ?? [
      "0.003",
      "0.001",
    ];
    expect(await broker.order(ref, options)).toMatchObject({
      clientOrderId: CLIENT_ID,
      symbol: SYMBOL,
      side: "sell",
      positionSide: "long",
      status: "partly_filled",
      isReduceOnly: true,
      price: "50000.1",
      triggerPrice: null,
      qty,
      filledQty,
      createdAt: 1_760_000_000_000,
    });
  });
}

const TRADES: Record<string, unknown> = {
  binance: [
    {
      id: 698759,
      orderId: 25851813,
      symbol: "BTCUSDT",
      side: "SELL",
      positionSide: "SHORT",
      price: "7819.01",
      qty: "0.002",
      quoteQty: "15.63802",
      commission: "-0.07819010",
      commissionAsset: "USDT",
      realizedPnl: "-0.91539999",
      maker: true,
      buyer: false,
      time: 1_760_000_000_000,
    },
  ],
  bybit: bybit([
    {
      execId: "698759",
      orderId: "25851813",
      symbol: "BTCUSDT",
      side: "Sell",
      execPrice: "7819.01",
      execQty: "0.002",
      execFee: "-0.07819010",
      feeCurrency: "USDT",
      execType: "Trade",
      isMaker: true,
      execTime: "1760000000000",
    },
  ]),
  okx: okx({
    tradeId: "698759",
    ordId: "25851813",
    instId: "BTC-USDT-SWAP",
    instType: "SWAP",
    side: "sell",
    posSide: "short",
    fillPx: "7819.01",
    fillSz: "0.02",
    fee: "0.0781901",
    feeCcy: "USDT",
    execType: "M",
    ts: "1760000000000",
  }),
  kucoin: kucoin({
    items: [
      {
        tradeId: "698759",
        orderId: "25851813",
        symbol: "XBTUSDTM",
        side: "sell",
        liquidity: "maker",
        price: "7819.01",
        size: 2,
        fee: "-0.0781901",
        feeCurrency: "USDT",
        createdAt: 1_760_000_000_000,
        tradeTime: 1_760_000_000_000_000_000,
        tradeType: "trade",
      },
    ],
  }),
};

for (const [exchangeId, body] of Object.entries(TRADES)) {
  test(`${exchangeId}: a trade with a rebate is told exactly`, async () => {
    const broker = await brokerTold(exchangeId, body);
    const query = { symbol: SYMBOL, sinceAt: Date.now() - 1000 };
    const sinceAt = 1_759_999_999_000;
    const trades = await broker.tradesSince({ ...query, sinceAt }, options);
    expect(new Set(trades.map(({ tradeId }) => tradeId))).toEqual(new Set(["698759"]));
    expect(trades[0]).toMatchObject({
      exchangeOrderId: "25851813",
      symbol: SYMBOL,
      side: "sell",
      price: "7819.01",
      qty: { okx: "0.02", kucoin: "2" }[exchangeId] ?? "0.002",
      fee: "-0.0781901",
      feeAsset: "USDT",
      liquidity: "maker",
      at: 1_760_000_000_000,
    });
  });
}

const REFUSALS: [exchangeId: string, status: number, body: unknown, expected: object][] = [
  [
    "binance",
    400,
    { code: -2019, msg: "Margin is insufficient." },
    { reason: "INSUFFICIENT_MARGIN" },
  ],
  ["binance", 400, { code: -4116, msg: "ClientOrderId is duplicated" }, { advice: "adopt" }],
  ["binance", 408, { code: -1007, msg: "Timeout waiting" }, { outcome: "unverified" }],
  ["binance", 400, { code: -1021, msg: "Timestamp outside" }, { reason: "CLOCK_SKEW" }],
  ["binance", 429, { code: -1003, msg: "Too many requests" }, { reason: "RATE_LIMITED" }],
  ["binance", 418, { code: -1003, msg: "Banned until" }, { reason: "RATE_LIMITED" }],
  ["binance", 401, { code: -2015, msg: "Invalid API-key, IP" }, { reason: "KEY_REFUSED" }],
  ["bybit", 200, { retCode: 110_007, retMsg: "balance" }, { reason: "INSUFFICIENT_MARGIN" }],
  ["bybit", 200, { retCode: 10_006, retMsg: "Too many visits" }, { reason: "RATE_LIMITED" }],
  ["bybit", 200, { retCode: 987_654, retMsg: "?" }, { reason: "UNKNOWN_CODE" }],
  [
    "okx",
    200,
    { code: "1", data: [{ ordId: "", sCode: "51008", sMsg: "Insufficient" }] },
    { reason: "INSUFFICIENT_MARGIN" },
  ],
  ["okx", 429, { code: "50011", msg: "Too Many Requests" }, { reason: "RATE_LIMITED" }],
  ["kucoin", 200, { code: "300003", msg: "not enough" }, { reason: "INSUFFICIENT_MARGIN" }],
  [
    "upbit",
    400,
    { error: { name: "insufficient_funds_bid", message: "?" } },
    { outcome: "refused" },
  ],
  ["upbit", 500, { error: { name: "server_error", message: "?" } }, { outcome: "unverified" }],
];

for (const [exchangeId, status, body, expected] of REFUSALS) {
  test(`${exchangeId}: ${JSON.stringify(body).slice(0, 48)} is ${JSON.stringify(expected)}`, async () => {
    const broker = await brokerTold(exchangeId, body, status);
    const qty = decimal({ okx: "0.3", kucoin: "3" }[exchangeId] ?? "0.003");
    const symbol = exchangeId === "upbit" ? "BTC/KRW" : SYMBOL;
    const order: NewOrder = { ...ORDER, symbol, side: "sell", qty, leverage: 10 };
    expect(await broker.place(order, options)).toMatchObject(expected);
  });
}

test("what ccxt would round or cut is refused before it leaves", async () => {
  const broker = await brokerTold("binance", { orderId: 1 });
  const order: NewOrder = { ...ORDER, terms: { kind: "limit", price: decimal("50000.16") } };
  const price = await broker.place(order, options);
  expect(price).toMatchObject({ outcome: "refused", reason: "BAD_REQUEST" });
  expect(JSON.stringify(price)).toContain("price: 50000.16 is off the exchange's grid");
  const terms = { kind: "market" } as const;
  const qty = await broker.place({ ...order, terms, qty: decimal("0.0035") }, options);
  expect(JSON.stringify(qty)).toContain("qty: 0.0035 is off the exchange's grid");
});

test("without markets nothing is sent, and the next call tries again", async () => {
  let isDown = true;
  const paths: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch({ method, url }) {
      const { pathname } = new URL(url);
      paths.push(`${method} ${pathname}`);
      if (isDown) return Response.json({ code: -1000, msg: "?" }, { status: 503 });
      return Response.json(ANSWERS.binance?.setup[pathname] ?? { orderId: 1 });
    },
  });
  stops.push(() => void server.stop(true));
  const broker = await openAt(`http://127.0.0.1:${server.port}`, "binance");
  const place = () => broker.place(ORDER, options);
  const answers = await Promise.all([place(), place(), place()]);
  for (const answer of answers) {
    expect(answer).toMatchObject({ outcome: "refused", reason: "BUSY", advice: "back_off" });
  }
  await expect(broker.positionMode(SYMBOL, options)).rejects.toMatchObject({ kind: "transport" });
  expect(paths).toEqual(["GET /fapi/v1/exchangeInfo", "GET /fapi/v1/exchangeInfo"]);
  isDown = false;
  expect(await place()).toEqual({ outcome: "accepted", value: { exchangeOrderId: "1" } });
});

test("a page of HTML is no empty list", async () => {
  for (const exchangeId of Object.keys(ORDERS)) {
    const broker = await brokerTold(exchangeId, "<html>back soon</html>");
    for (const read of [
      () => broker.openOrders(SYMBOL, options),
      () => broker.positions(null, options),
      () => broker.tradesSince({ symbol: SYMBOL, sinceAt: Date.now() - 1000 }, options),
    ]) {
      await expect(read()).rejects.toMatchObject({ kind: "transport" });
    }
  }
});

test("the position mode is read, never assumed", async () => {
  const modes: [string, unknown, string | null][] = [
    ["binance", { dualSidePosition: true }, "hedge"],
    ["binance", { dualSidePosition: false }, "one_way"],
    ["binance", {}, null],
    ["bybit", bybit([{ symbol: "BTCUSDT", positionIdx: 1, size: "0" }]), "hedge"],
    ["bybit", bybit([{ symbol: "BTCUSDT", positionIdx: 0, size: "0" }]), "one_way"],
    ["bybit", bybit([]), null],
    ["okx", okx({ posMode: "long_short_mode" }), "hedge"],
    ["okx", okx({ posMode: "net_mode" }), "one_way"],
    ["okx", okx({}), null],
    ["kucoin", kucoin({ positionMode: "1" }), "hedge"],
    ["kucoin", kucoin({ positionMode: 0 }), "one_way"],
    ["kucoin", kucoin({}), null],
  ];
  for (const [exchangeId, body, expected] of modes) {
    const broker = await brokerTold(exchangeId, body);
    const reading = broker.positionMode(SYMBOL, options);
    if (expected === null) await expect(reading).rejects.toMatchObject({ kind: "transport" });
    else expect(`${exchangeId} ${await reading}`).toBe(`${exchangeId} ${expected}`);
  }
});
