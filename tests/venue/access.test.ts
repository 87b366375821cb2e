// Who may call and how often: signatures over the bytes as sent, the timestamp window, request limits.
import { afterEach, expect, test } from "bun:test";
import { venueSettings } from "../../src/venue/settings.ts";
import { codeOf, type Lab, send, sign, START, startLab, stopLabs } from "./lab.ts";

afterEach(stopLabs);

type Forgery = {
  readonly method?: string;
  readonly target?: string;
  readonly signedTarget?: string;
  readonly body?: string;
  readonly signedBody?: string;
  readonly skewMs?: number;
  readonly headers?: Record<string, string>;
};

/** A request in which single parts differ from what was signed. */
function forged(lab: Lab, forgery: Forgery) {
  const { method = "GET", target = "/v3/asset/balances", body = "" } = forgery;
  const { signedTarget = target, signedBody = body, skewMs = 0 } = forgery;
  const timestamp = String(lab.x.now + skewMs);
  return send(`${lab.venue.url}${target}`, {
    method,
    headers: {
      "x-api-key": lab.account.apiKey,
      "x-api-timestamp": timestamp,
      "x-api-signature": sign(
        lab.account.secret,
        `${timestamp}${method}${signedTarget}${signedBody}`,
      ),
      ...forgery.headers,
    },
    ...(body === "" ? {} : { body }),
  });
}

test("a right signature passes, also over a query with escapes, and over exactly these body bytes", async () => {
  const lab = startLab();
  expect(codeOf(await forged(lab, {}))).toBe(0);
  const target = "/v3/trade/orders?orderTag=a%20b%2Fc&symbol=PERP_BTC_USDT";
  expect(codeOf(await forged(lab, { target }))).toBe(0);
  const body = `{ "triggerAfter" : 0 }`;
  expect(
    codeOf(await forged(lab, { method: "POST", target: "/v3/trade/cancelAllAfter", body })),
  ).toBe(0);
});

const WRONG: [why: string, forgery: Forgery, code: number][] = [
  ["another path was signed", { signedTarget: "/v3/account/info" }, -1002],
  [
    "the query was not signed",
    { target: "/v3/trade/orders?page=1", signedTarget: "/v3/trade/orders" },
    -1002,
  ],
  [
    "the body has other spaces than what was signed",
    {
      ...{ method: "POST", target: "/v3/trade/cancelAllAfter" },
      ...{ body: `{"triggerAfter":0}`, signedBody: `{"triggerAfter": 0}` },
    },
    -1002,
  ],
  ["the key is unknown", { headers: { "x-api-key": "nobody" } }, -1002],
  ["the signature is missing", { headers: { "x-api-signature": "" } }, -1001],
  ["the timestamp is no number", { headers: { "x-api-timestamp": "soon" } }, -1001],
];

for (const [why, forgery, code] of WRONG) {
  test(`a request is refused with ${code} when ${why}`, async () => {
    const reply = await forged(startLab(), forgery);
    expect([reply.status, codeOf(reply)]).toEqual([401, code]);
  });
}

test("a timestamp may be 300 seconds off and not a millisecond more", async () => {
  const lab = startLab();
  for (const side of [1, -1]) {
    expect(codeOf(await forged(lab, { skewMs: side * 300_000 }))).toBe(0);
    const late = await forged(lab, { skewMs: side * 300_001 });
    expect([late.status, codeOf(late)]).toEqual([400, 317179]);
  }
  const other = startLab({ dialect: { staleTimestampCode: -1002 } as never });
  expect((await forged(other, { skewMs: 400_000 })).status).toBe(401);
});

test("with the wall clock for signatures, virtual time may be anywhere", async () => {
  const lab = startLab({ authClock: "wall" });
  expect(codeOf(await forged(lab, {}))).toBe(317179);
  expect(codeOf(await forged(lab, { skewMs: Date.now() - lab.x.now }))).toBe(0);
});

test("V1 requests are signed over their sorted parameters, a bar and the timestamp", async () => {
  const lab = startLab();
  const id = await lab.place({ type: "MARKET", quantity: "0.05" });
  const timestamp = String(lab.x.now);
  const call = (signature: string) =>
    send(`${lab.venue.url}/v1/order/${id}/trades?b=2&a=1`, {
      headers: {
        "x-api-key": lab.account.apiKey,
        "x-api-timestamp": timestamp,
        "x-api-signature": signature,
      },
    });
  const right = await call(sign(lab.account.secret, `a=1&b=2|${timestamp}`));
  expect(right.json.rows as unknown).toHaveLength(5);
  expect(codeOf(await call(sign(lab.account.secret, `b=2&a=1|${timestamp}`)))).toBe(-1002);
});

const limited = () => startLab({ enforcesLimits: true, account: { deposit: "100000" } });
const codes = async (calls: readonly Promise<{ json: unknown; status: number; text: string }>[]) =>
  (await Promise.all(calls)).map((reply) => codeOf(reply as never));

test("five orders a second per symbol pass, the sixth is 429 with -1003, the next second is free again", async () => {
  const lab = limited();
  const order = {
    symbol: "PERP_BTC_USDT",
    type: "LIMIT",
    side: "BUY",
    price: "95",
    quantity: "0.1",
  };
  const many = () => Array.from({ length: 6 }, () => lab.call("POST", "/v3/trade/order", order));
  const first = await Promise.all(many());
  expect(first.map((reply) => reply.status).sort()).toEqual([200, 200, 200, 200, 200, 429]);
  expect(await codes([lab.call("POST", "/v3/trade/order", order)])).toEqual([-1003]);
  // Cancels have a window of their own.
  expect(await codes([lab.call("DELETE", "/v3/trade/orders", { symbol: order.symbol })])).toEqual([
    0,
  ]);
  await lab.step(1000);
  expect(await codes([lab.call("POST", "/v3/trade/order", order)])).toEqual([0]);
});

test("orders are limited per symbol: another symbol has its own five", async () => {
  const lab = startLab(venueSettings({ seed: 1, startAt: START, enforcesLimits: true }));
  const codesOf = (symbol: string, price: string) =>
    codes(
      Array.from({ length: 6 }, () =>
        lab.call("POST", "/v3/trade/order", {
          ...{ symbol, price, type: "LIMIT", side: "BUY", quantity: "0.01" },
        }),
      ),
    );
  const wanted = [-1003, 0, 0, 0, 0, 0];
  expect((await codesOf("PERP_BTC_USDT", "58000")).sort()).toEqual(wanted);
  expect((await codesOf("PERP_ETH_USDT", "2900")).sort()).toEqual(wanted);
});

const LIMITS: [method: string, path: string, params: object, count: number, perMs: number][] = [
  ["GET", "/v3/trade/transactionHistory", {}, 2, 1000],
  ["GET", "/v3/trade/tradingFee", { symbol: "PERP_BTC_USDT" }, 2, 1000],
  ["GET", "/v3/futures/positions", {}, 30, 10_000],
  ["GET", "/v3/account/info", {}, 10, 60_000],
  ["PUT", "/v3/futures/leverage", { symbol: "PERP_BTC_USDT", leverage: 10 }, 10, 60_000],
  ["PUT", "/v3/futures/positionMode", { positionMode: "ONE_WAY" }, 5, 60_000],
  ["GET", "/v3/futures/fundingFee/history", {}, 20, 60_000],
  ["POST", "/v3/account/listenKey", { type: "WEBSOCKET" }, 5, 10_000],
  ["GET", "/v3/public/systemInfo", {}, 10, 1000],
  ["GET", "/v3/trade/orders", {}, 10, 1000],
];

for (const [method, path, params, count, perMs] of LIMITS) {
  test(`${method} ${path} takes ${count} requests in ${perMs} ms`, async () => {
    const lab = limited();
    for (let i = 0; i < count; i++) {
      expect(codeOf(await lab.call(method, path, params as never))).toBe(0);
    }
    expect(codeOf(await lab.call(method, path, params as never))).toBe(-1003);
    await lab.step(perMs);
    expect(codeOf(await lab.call(method, path, params as never))).toBe(0);
  });
}

test("limits are per account: another account still has its own window", async () => {
  const lab = limited();
  await lab.admin("POST", "accounts", { name: "bob", deposit: "5" });
  const bob = [...lab.x.accounts.values()].find((account) => account.name === "bob")!;
  for (let i = 0; i < 3; i++) await lab.call("GET", "/v3/trade/transactionHistory");
  const reply = await lab.callAs(bob, "GET", "/v3/trade/transactionHistory");
  expect(codeOf(reply)).toBe(0);
});

test("the admin interface wants its token and answers nonsense with one sentence and 400", async () => {
  const lab = startLab();
  expect((await send(`${lab.venue.url}/__venue__/state`, {})).status).toBe(401);
  expect((await lab.admin("GET", "nothing")).status).toBe(404);
  for (const [path, body] of [
    ["advance", { ms: -1 }],
    ["faults", { name: "nope" }],
    ["faults", { name: "slow", times: "x" }],
    ["faults", { name: "manual_trade", params: { quantity: "0.001" } }],
    ["faults", { name: "adl", match: { account: "nobody" }, params: { quantity: "1" } }],
    ["faults", { name: "funding_charge", params: { rate: "x" } }],
    ["price", { symbol: "PERP_BTC_USDT", price: "0.3" }],
    ["accounts", { name: "ann", deposit: "1" }],
    ["accounts", { name: "carl", deposit: "lots" }],
    ["speed", { speed: -1 }],
  ] as const) {
    const before = lab.x.log.hash();
    const reply = await lab.admin("POST", path, body);
    expect(reply.status).toBe(400);
    expect(String(reply.json.error)).toMatch(/^\S+ .{5,}/);
    expect(lab.x.log.hash()).toBe(before);
  }
});
