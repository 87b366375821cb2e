// How answers are judged: what settles a write and what does not, what a read throws, the error table,
// the clock, and what never leaves this machine or gets into a sentence.
import { afterAll, beforeEach, expect, test } from "bun:test";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createCcxtBroker } from "../../../src/adapters/ccxt/broker.ts";
import { parseExact } from "../../../src/adapters/ccxt/exact-json.ts";
import { WOOX_ERRORS } from "../../../src/adapters/ccxt/woox-errors.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import { decimal } from "../../../src/model/decimal.ts";
import { InputError } from "../../../src/model/result.ts";
import type { CallOptions, NewOrder, OrderRef } from "../../../src/ports/broker.ts";
import type { Log } from "../../../src/ports/log.ts";
import { openWooxBroker } from "../../contract/woox-broker.ts";
import { SYMBOL } from "../../contract/woox-double-book.ts";
import { type DoubleAnswer, startWooxDouble } from "../../contract/woox-double.ts";
import { testIf } from "../../support/needs.ts";
import { silentLog } from "../../support/silent-log.ts";

const double = await startWooxDouble();
const said: string[] = [];
const note = (sentence: string, fields?: unknown) =>
  void said.push(`${sentence} ${JSON.stringify(fields ?? {})}`);
const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
const broker = await openWooxBroker(double.url, { log, timeoutMs: 300 });
const options: CallOptions = { signal: new AbortController().signal };
const ORDER: NewOrder = {
  clientOrderId: "1954766344355779056",
  symbol: SYMBOL,
  side: "buy",
  positionSide: null,
  terms: { kind: "limit", price: decimal("49000.1") },
  qty: decimal("0.003"),
  isReduceOnly: false,
  visibleQty: null,
  leverage: null,
};
const REF: OrderRef = { symbol: SYMBOL, by: "exchange", id: "77", isTrigger: false };

afterAll(() => double.stop());
beforeEach(() => {
  double.fault = null;
  double.clockAheadMs = 0;
  double.requests.length = 0;
  said.length = 0;
});

const answers = (answer: DoubleAnswer) => {
  double.fault = () => answer;
};
const failure = (code: number | string, status = 400): DoubleAnswer => ({
  status,
  body: { success: false, code, message: "the words of the exchange" },
});

const UNSETTLED: [name: string, answer: DoubleAnswer, cause: string][] = [
  ["no answer in time", "hang", "timeout"],
  ["a connection that dies", "drop", "connection_lost"],
  ["HTTP 500", { status: 500, body: { success: false, code: -1000 } }, "server_error"],
  ["HTTP 502 with a page", { status: 502, body: "<html>bad gateway</html>" }, "server_error"],
  ["HTTP 503 with a known refusal", failure(302_102, 503), "server_error"],
  ["HTTP 403 with a page", { status: 403, body: "<html>blocked</html>" }, "unreadable_answer"],
  ["an answer cut in half", { status: 200, body: '{"success":true,"da' }, "unreadable_answer"],
  ["a redirect", { status: 302, body: "", headers: { location: "/x" } }, "connection_lost"],
  ["the exchange's own timeout", failure(302_159), "said_unknown"],
  ["maintenance", failure("-1011"), "said_unknown"],
];

for (const [name, answer, cause] of UNSETTLED) {
  test(`${name} leaves a write unverified, sent once, and a read failed`, async () => {
    answers(answer);
    expect(await broker.place(ORDER, options)).toMatchObject({ outcome: "unverified", cause });
    expect(await broker.cancel(REF, options)).toMatchObject({ outcome: "unverified", cause });
    const change = { side: "buy", price: decimal("49000"), qty: null } as const;
    expect(await broker.amend(REF, change, options)).toMatchObject({
      outcome: "unverified",
      cause,
    });
    expect(double.requests.map(({ method }) => method)).toEqual(["POST", "DELETE", "PUT"]);
    const kind = name === "maintenance" ? "maintenance" : "transport";
    await expect(broker.balances(options)).rejects.toMatchObject({ name: "BrokerError", kind });
  });
}

const SETTLED: [code: number, reason: string, advice: string][] = [
  [-1003, "RATE_LIMITED", "back_off"],
  [-1001, "KEY_REFUSED", "stop_account"],
  [302_307, "ACCOUNT_SUSPENDED", "stop_account"],
  [302_102, "INSUFFICIENT_MARGIN", "decide_again"],
  [-1102, "NOTIONAL_TOO_SMALL", "decide_again"],
  [-1105, "PRICE_OUT_OF_BAND", "decide_again"],
  [302_172, "POSITION_LIMIT", "decide_again"],
  [302_186, "POSITION_MODE", "block_entries"],
  [302_185, "POSITION_MODE", "block_entries"],
  [302_117, "DUPLICATE_CLIENT_ID", "adopt"],
  [-1007, "DUPLICATE_CLIENT_ID", "adopt"],
  [-1006, "ORDER_NOT_FOUND", "ask"],
  [317_177, "ORDER_FINISHED", "ask"],
];

for (const [code, reason, advice] of SETTLED) {
  test(`code ${code} refuses a write: ${reason}, ${advice}`, async () => {
    answers(failure(code));
    const answer = await broker.place(ORDER, options);
    expect(answer).toMatchObject({ outcome: "refused", reason, advice });
    expect(JSON.stringify(answer)).not.toContain("words of the exchange");
  });
}

testIf("data", "every code the exchange is known to send has a meaning", async () => {
  const path = join(import.meta.dir, "../../../../shared/data/woox/woo-errors.json");
  const { errors } = await Bun.file(path).json();
  const missing = errors.filter(({ code }: { code: number }) => !WOOX_ERRORS.has(code));
  expect(missing).toEqual([]);
  expect(errors.length).toBeGreaterThan(150);
});

test("only an order that is not there is null; any other read says that it failed", async () => {
  answers(failure(-1006));
  expect(await broker.order(REF, options)).toBeNull();
  await expect(broker.positions(null, options)).rejects.toMatchObject({ kind: "refused" });
  await expect(broker.openOrders(null, options)).rejects.toMatchObject({ kind: "refused" });
  answers(failure(-1006, 500));
  await expect(broker.order(REF, options)).rejects.toMatchObject({ kind: "transport" });
});

test("a code we do not know is a refusal that is shouted about", async () => {
  answers(failure(-424_242));
  expect(await broker.place(ORDER, options)).toMatchObject({ reason: "UNKNOWN_CODE" });
  expect(said.join()).toMatch(/unknown code/);
});

test("a refusal tells how long the exchange wants us away", async () => {
  const answer = failure(-1003, 429) as Exclude<DoubleAnswer, string>;
  answers({ ...answer, headers: { "retry-after": "7" } });
  expect(await broker.place(ORDER, options)).toMatchObject({
    reason: "RATE_LIMITED",
    retryAfterMs: 7000,
  });
  await expect(broker.balances(options)).rejects.toMatchObject({
    kind: "rate_limit",
    retryAfterMs: 7000,
  });
});

test("an id sent as a bare number keeps all of its digits", async () => {
  double.idsAreNumbers = true;
  const answer = await broker.place({ ...ORDER, clientOrderId: "42" }, options);
  double.idsAreNumbers = false;
  if (answer.outcome !== "accepted") throw new Error(answer.sentence);
  expect(answer.value.exchangeOrderId).toMatch(/^91000000000000000\d\d$/);
  expect(double.orders().at(-1)?.orderId).toBe(answer.value.exchangeOrderId);
  await broker.cancelAll(SYMBOL, options);
});

test("numbers that a double would change stay text, all others are numbers", () => {
  const text =
    '{"a":9100000000000000001,"b":0.12345678901234567890,"c":1.50,"d":-3e-7,"e":"7","f":12}';
  expect(parseExact(text)).toEqual({
    a: "9100000000000000001",
    b: "0.12345678901234567890",
    c: 1.5,
    d: -3e-7,
    e: "7",
    f: 12,
  });
  for (const broken of ["", "null", "12", "<html>", '{"a":', "[1,"]) {
    expect(parseExact(broken)).toBeUndefined();
  }
});

test("an amount sent as a bare number keeps all of its digits", async () => {
  const qty = "0.12345678901234567891";
  const row = `{"id":1,"orderId":2,"symbol":"${SYMBOL}","side":"BUY","executedPrice":1`;
  const rows = `[${row},"executedQuantity":${qty},"executedTimestamp":"1752055173630"}]`;
  const body = `{"success":true,"data":{"rows":${rows},"meta":{"total":1}}}`;
  answers({ status: 200, body });
  const [trade] = await broker.tradesSince({ symbol: SYMBOL, sinceAt: Date.now() }, options);
  expect<string | undefined>(trade?.qty).toBe(qty);
});

test("times in seconds and in milliseconds, numbers and texts, mean the same", async () => {
  const at = 1_752_055_173_630;
  for (const executedTimestamp of [at, String(at), "1752055173.630", 1_752_055_173.63]) {
    for (const executedQuantity of ["0.1", 0.1]) {
      const row = { id: 1, orderId: 2, symbol: SYMBOL, side: "BUY", fee: 2.1e-7, isMaker: "1" };
      const rows = [{ ...row, executedTimestamp, executedQuantity, executedPrice: 87.86 }];
      answers({ status: 200, body: { success: true, data: { rows, meta: { total: 1 } } } });
      const [trade] = await broker.tradesSince({ symbol: SYMBOL, sinceAt: 0 }, options);
      expect(trade).toMatchObject({ at, tradeId: "1", price: "87.86", qty: "0.1" });
      expect(trade).toMatchObject({ fee: "0.00000021", liquidity: "maker" });
    }
  }
});

test("a list of trades longer than a page is read in parts until nothing is missing", async () => {
  const start = Date.now() - 100_000;
  const all = Array.from({ length: 1700 }, (_, index) => ({
    id: String(1000 + index),
    orderId: "2",
    symbol: SYMBOL,
    side: "BUY",
    executedPrice: "1",
    executedQuantity: "1",
    executedTimestamp: String(start + Math.floor(index / 3)),
  }));
  double.fault = ({ params }) => {
    const [from, to] = [Number(params.startTime), Number(params.endTime)];
    const inside = all.filter(
      (row) => Number(row.executedTimestamp) >= from && Number(row.executedTimestamp) <= to,
    );
    const meta = { total: inside.length, recordsPerPage: 500, currentPage: 1 };
    const rows = inside.reverse().slice(0, Number(params.limit));
    return { status: 200, body: { success: true, data: { rows, meta } } };
  };
  let pages = 1;
  const trades = await broker.tradesSince(
    { symbol: SYMBOL, sinceAt: start },
    { ...options, beforeNextRequest: async () => void pages++ },
  );
  expect(trades.map(({ tradeId }) => tradeId)).toEqual(all.map(({ id }) => id));
  expect(double.requests).toHaveLength(pages);
});

test("more trades in one millisecond than a page holds are an error, not a loss", async () => {
  const row = { orderId: "2", symbol: SYMBOL, side: "BUY", executedPrice: "1" };
  const rows = Array.from({ length: 500 }, (_, id) => ({
    ...row,
    id,
    executedQuantity: "1",
    executedTimestamp: "1752055173630",
  }));
  answers({ status: 200, body: { success: true, data: { rows, meta: { total: 501 } } } });
  const reading = broker.tradesSince({ symbol: SYMBOL, sinceAt: Date.now() }, options);
  await expect(reading).rejects.toMatchObject({ kind: "incomplete" });
});

test("a clock that is off is set right once for all, and reads are asked again", async () => {
  const fresh = await openWooxBroker(double.url);
  double.clockAheadMs = 60_000;
  const told = await Promise.all(Array.from({ length: 10 }, () => fresh.balances(options)));
  expect(told.every(([first]) => first?.asset === "USDT")).toBe(true);
  const asked = double.requests.map(({ path }) => path);
  expect(asked.filter((path) => path === "/v3/public/systemInfo")).toHaveLength(1);
  expect(asked.filter((path) => path === "/v3/asset/balances")).toHaveLength(20);
});

test("a request refused after the clock was set right is asked again, the clock is not", async () => {
  double.clockAheadMs = 60_000;
  const isBalances = (path: string) => path === "/v3/asset/balances";
  for (let attempt = 0; attempt < 20; attempt++) {
    const fresh = await openWooxBroker(double.url);
    double.requests.length = 0;
    // Answers to the later ones come when the first one has set the clock right, or before.
    const asked = Array.from({ length: 6 }, async (_, n) => {
      await Bun.sleep(n * 0.5);
      return fresh.balances(options);
    });
    expect((await Promise.all(asked)).every(([first]) => first?.asset === "USDT")).toBe(true);
    const paths = double.requests.map(({ path }) => path);
    expect(paths.filter((path) => path === "/v3/public/systemInfo")).toHaveLength(1);
    expect(paths.filter(isBalances).length).toBeGreaterThanOrEqual(7);
  }
});

test("a write refused for the clock is not sent again, but the next one is right", async () => {
  const fresh = await openWooxBroker(double.url);
  double.clockAheadMs = -60_000;
  const order = { ...ORDER, clientOrderId: "43" };
  expect(await fresh.place(order, options)).toMatchObject({
    outcome: "refused",
    reason: "CLOCK_SKEW",
  });
  expect(double.requests.filter(({ method }) => method === "POST")).toHaveLength(1);
  expect((await fresh.place(order, options)).outcome).toBe("accepted");
  await fresh.cancelAll(SYMBOL, options);
});

test("a refused key is a refused key when the clock is right, and asked about once", async () => {
  const wrong = await openWooxBroker(double.url, { apiSecret: "another" });
  await expect(wrong.balances(options)).rejects.toMatchObject({ kind: "auth" });
  expect(double.requests.map(({ path }) => path)).toEqual([
    "/v3/asset/balances",
    "/v3/public/systemInfo",
  ]);
});

test("neither keys nor answers nor addresses get into sentences and logs", async () => {
  const canary = "canary-7f3a";
  const body = `{"success":false,"code":-1005,"message":"${canary}"}`;
  const bodies = [canary, `{"${canary}":1}`, `<p>${canary}</p>`, body];
  const leaks: string[] = [];
  for (const status of [200, 400, 401, 404, 429, 500]) {
    for (const text of bodies) {
      answers({ status, body: text });
      const answer = await broker.place(ORDER, options);
      leaks.push(JSON.stringify(answer));
      await broker.balances(options).catch((error: unknown) => {
        leaks.push(`${String(error)} ${Bun.inspect(error)}`);
      });
    }
  }
  const everything = [...leaks, ...said].join("\n");
  expect(leaks).toHaveLength(48);
  for (const secret of [canary, "double-key", "double-secret", double.url, "x-api"]) {
    expect(everything).not.toContain(secret);
  }
});

test("the runtime does not repeat an amendment or a cancel on a dead connection", async () => {
  const writes: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      const [method = ""] = data.toString().split(" ");
      if (method === "GET") {
        const body = JSON.stringify({ success: true, data: { holding: [] }, timestamp: 1 });
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      } else {
        writes.push(method);
        socket.destroy();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const fragile = await openWooxBroker(`http://127.0.0.1:${port}`);
  const change = { side: "buy", price: decimal("49000"), qty: null } as const;
  const sends = [
    () => fragile.place(ORDER, options),
    () => fragile.amend(REF, change, options),
    () => fragile.cancel(REF, options),
  ];
  for (const send of sends) {
    // A read first, so that a kept connection is there to be reused.
    await fragile.balances(options);
    expect((await send()).outcome).toBe("unverified");
  }
  server.close();
  expect(writes).toEqual(["POST", "PUT", "DELETE"]);
});

test("a demo account opens on loopback only", async () => {
  const account = { mode: "demo" } as const;
  for (const url of ["http://api.woox.io", "http://10.0.0.1:80", "nonsense"]) {
    await expect(openWooxBroker(url, account)).rejects.toBeInstanceOf(InputError);
  }
  const secret = createSecret("x");
  const opening = createCcxtBroker(
    { clock: createClock(), log: silentLog, loopbackUrl: null, timeoutMs: 100 },
    {
      exchangeId: "woox",
      kind: "perps",
      mode: "demo",
      credentials: { apiKey: secret, apiSecret: secret, passphrase: null, uid: null },
      isTestnet: false,
    },
  );
  await expect(opening).rejects.toBeInstanceOf(InputError);
});

test("a request of a demo account stays on this machine even behind a proxy and a forgotten address", async () => {
  const program = `
    import { openWooxBroker } from ${JSON.stringify(join(import.meta.dir, "../../contract/woox-broker.ts"))};
    const broker = await openWooxBroker(${JSON.stringify(double.url)});
    const options = { signal: new AbortController().signal };
    console.log((await broker.balances(options)).length);
  `;
  const child = Bun.spawn([process.execPath, "-e", program], {
    env: { ...process.env, HTTP_PROXY: "http://127.0.0.1:1", http_proxy: "http://127.0.0.1:1" },
    stdout: "pipe",
    stderr: "inherit",
  });
  expect((await new Response(child.stdout).text()).trim()).toBe("1");
  expect(await child.exited).toBe(0);
});

test("an exchange that cannot be traded is named with those that can", async () => {
  const opening = openWooxBroker(double.url, { exchangeId: "kraken" });
  await expect(opening).rejects.toThrow(/"kraken" cannot be traded; choose woox, binance/);
});
