// Nonsense on every address: never a 5xx, never a broken reply, and the books still balance afterwards.
import { afterEach, expect, test } from "bun:test";
import fc from "fast-check";
import { PUBLIC_ENDPOINTS } from "../../src/venue/rest-public.ts";
import { accountEndpoints, createListenKeys } from "../../src/venue/rest-account.ts";
import { ALGO_ENDPOINTS } from "../../src/venue/rest-algo.ts";
import { ORDER_ENDPOINTS } from "../../src/venue/rest-orders.ts";
import { type Lab, send, sign, startLab, stopLabs } from "./lab.ts";
import { connect } from "./stream-client.ts";

afterEach(stopLabs);

const ENDPOINTS = [
  ...PUBLIC_ENDPOINTS,
  ...ORDER_ENDPOINTS,
  ...ALGO_ENDPOINTS,
  ...accountEndpoints(createListenKeys(1, () => undefined)),
].filter(({ access }) => access !== "v1");

const NAMES = [
  ...["symbol", "side", "type", "price", "quantity", "amount", "clientOrderId", "orderId", "page"],
  ...[
    "size",
    "limit",
    "before",
    "after",
    "startTime",
    "endTime",
    "status",
    "positionSide",
    "fromId",
  ],
  ...["reduceOnly", "visibleQuantity", "bidAskLevel", "triggerAfter", "leverage", "positionMode"],
  ...[
    "algoType",
    "triggerPrice",
    "callbackRate",
    "childOrders",
    "algoOrderId",
    "tradeId",
    "maxLevel",
  ],
];
const GOOD = [
  "PERP_BTC_USDT",
  "BUY",
  "SELL",
  "LIMIT",
  "MARKET",
  "STOP",
  "BRACKET",
  "1m",
  "1",
  "99",
  "105",
];
const BAD = [
  "",
  "-1",
  "0",
  "1e5",
  "1e-9",
  "1e99",
  "NaN",
  "null",
  "9".repeat(40),
  "0x10",
  "%00",
  "é",
  "toString",
];
const value = fc.oneof(
  fc.constantFrom(...GOOD),
  fc.constantFrom(...BAD),
  fc.string({ maxLength: 8 }),
);
const nested: fc.Arbitrary<unknown> = fc.oneof(
  value,
  fc.constantFrom(null, true, 1.5, 1e21, -0, [], {}, [[]], [{}], [{ childOrders: [{}] }]),
);
const request = fc.record({
  endpoint: fc.constantFrom(...ENDPOINTS),
  params: fc.dictionary(fc.constantFrom(...NAMES, "__proto__", "constructor"), nested, {
    maxKeys: 9,
  }),
});

function expectBalanced(lab: Lab): void {
  const accounts = [...lab.x.accounts.values(), lab.x.house];
  const money = accounts.reduce((sum, account) => {
    const costs = [...account.legs.values()].reduce((cost, leg) => cost + leg.cost, 0n);
    return sum + account.wallet - costs;
  }, lab.x.feePool + lab.x.insurance);
  expect(money).toBe(lab.x.deposits);
}

test("random parameters on every endpoint are answered below 500 with the envelope", async () => {
  const lab = startLab();
  let served = 0;
  await fc.assert(
    fc.asyncProperty(request, async ({ endpoint, params }) => {
      const isBody = endpoint.method === "POST" || endpoint.method === "PUT";
      const given = isBody
        ? params
        : Object.fromEntries(Object.entries(params).map(([name, each]) => [name, String(each)]));
      const reply = await lab.call(endpoint.method, endpoint.path, given);
      expect(reply.status).toBeLessThan(500);
      expect(Object.keys(reply.json)).toContain("success");
      if (reply.status === 200) served++;
      expectBalanced(lab);
    }),
    { numRuns: 1500 },
  );
  expect(served).toBeGreaterThan(100);
}, 60_000);

const BODIES = [
  "",
  "[]",
  "1",
  `"x"`,
  "null",
  "{",
  `{"a":`,
  "\u0000",
  `{"a":${"[".repeat(5000)}`,
  "[".repeat(50_000),
];

test("bodies that are no JSON object are refused with 400", async () => {
  const lab = startLab();
  for (const body of BODIES) {
    const target = "/v3/trade/order";
    const timestamp = String(lab.x.now);
    const reply = await send(`${lab.venue.url}${target}`, {
      method: "POST",
      headers: {
        "x-api-key": lab.account.apiKey,
        "x-api-timestamp": timestamp,
        "x-api-signature": sign(lab.account.secret, `${timestamp}POST${target}${body}`),
      },
      body,
    });
    expect([body.slice(0, 10), reply.status]).toEqual([body.slice(0, 10), 400]);
  }
});

test("whatever a stream is told, it answers and lives on", async () => {
  const lab = startLab();
  const stream = await connect(`${lab.venue.wsUrl}/ws/stream`);
  for (const message of [
    [],
    1,
    null,
    "x",
    {},
    { event: 5 },
    { event: "auth" },
    { event: "subscribe" },
  ]) {
    stream.send(message as object);
  }
  stream.send({ event: "auth", params: { apikey: "__proto__", sign: "x", timestamp: "y" } });
  stream.send({ event: "subscribe", topic: "@@@" });
  await stream.settled();
  expect(stream.heard.length).toBeGreaterThan(9);
});
