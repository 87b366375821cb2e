// WOO X's private stream as hints, against a loopback server: signing in, every push passed on, and a
// resync after whatever may have made us miss something.
import { afterEach, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { createCcxtBroker } from "../../../src/adapters/ccxt/broker.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import type { BrokerHint, HintStream } from "../../../src/ports/broker.ts";
import { openWooxStream } from "../../../src/adapters/ccxt/woox-stream.ts";
import { openClient } from "../../../src/adapters/ccxt/broker-client.ts";
import { WOOX_PROFILE } from "../../../src/adapters/ccxt/broker-woox.ts";
import { silentLog } from "../../support/silent-log.ts";

type Peer = Bun.ServerWebSocket<undefined>;
type Exchange = {
  readonly url: string;
  readonly paths: string[];
  readonly received: Record<string, unknown>[];
  peer: Peer | null;
  /** What a sign-in is answered with. */
  takesKey: boolean;
  push(topic: string, data: unknown, ts?: number): void;
  stop(): void;
};

const KEY = "stream-key";
const SECRET = "stream-secret";
const running: { stop(): void }[] = [];
afterEach(() => {
  for (const each of running.splice(0).reverse()) each.stop();
});

function startExchange(): Exchange {
  const exchange: Exchange = {
    url: "",
    paths: [],
    received: [],
    peer: null,
    takesKey: true,
    push(topic, data, ts = Date.now()) {
      exchange.peer?.send(JSON.stringify({ topic, ts, data }));
    },
    stop: () => void server.stop(true),
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request, self) {
      exchange.paths.push(new URL(request.url).pathname);
      const body = { success: true, data: { applicationId: "app-1" } };
      return self.upgrade(request) ? undefined : Response.json(body);
    },
    websocket: {
      open(peer) {
        exchange.peer = peer;
      },
      message(peer, text) {
        const frame = JSON.parse(String(text));
        exchange.received.push(frame);
        if (frame.event === "auth") {
          peer.send(JSON.stringify({ event: "auth", success: exchange.takesKey }));
        }
        if (frame.event === "subscribe") {
          const { id, topic } = frame;
          peer.send(JSON.stringify({ id, event: "subscribe", success: true, data: topic }));
        }
      },
    },
  });
  const live = { ...exchange, url: `http://127.0.0.1:${server.port}` };
  // The handlers above write to `exchange`; both are one object.
  Object.assign(exchange, { url: live.url });
  running.push(exchange);
  return exchange;
}

async function listen(exchange: Exchange, silentMs = 5000) {
  const hints: BrokerHint[] = [];
  const deps = { clock: createClock(), loopbackUrl: exchange.url, timeoutMs: 1000 };
  const account = {
    exchangeId: "woox",
    kind: "perps",
    mode: "demo",
    credentials: {
      apiKey: createSecret(KEY),
      apiSecret: createSecret(SECRET),
      passphrase: null,
      uid: null,
    },
    isTestnet: false,
  } as const;
  const client = await openClient(deps, account, WOOX_PROFILE);
  const stream: HintStream = openWooxStream(
    { ...deps, log: silentLog, account, client, retryMs: { first: 20, most: 80 }, silentMs },
    (hint) => hints.push(hint),
  );
  running.push(stream);
  return { hints, stream };
}

/** Waits until the condition holds; the test fails when it never does. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !condition(); i++) await Bun.sleep(10);
  expect(condition()).toBe(true);
}
const causes = (hints: readonly BrokerHint[]) =>
  hints.flatMap((hint) => (hint.kind === "resync" ? hint.cause : []));
const report = (orderId: number, more: Record<string, unknown> = {}) => ({
  symbol: "PERP_BTC_USDT",
  clientOrderId: 0,
  orderId,
  side: "BUY",
  status: "PARTIAL_FILLED",
  ...more,
});

test("it signs in with key, time and signature, and subscribes to what is private", async () => {
  const exchange = startExchange();
  const { hints } = await listen(exchange);
  await until(() => exchange.received.length === 5);
  expect(exchange.paths).toEqual(["/v3/account/info", "/v2/ws/private/stream/app-1"]);
  const [auth, ...subscriptions] = exchange.received;
  const { apikey, timestamp, sign } = (auth?.params ?? {}) as Record<string, string>;
  expect(apikey).toBe(KEY);
  expect(sign).toBe(createHmac("sha256", SECRET).update(`|${timestamp}`).digest("hex"));
  expect(subscriptions.map(({ topic }) => topic)).toEqual([
    "executionreport",
    "algoexecutionreportv2",
    "position",
    "balance",
  ]);
  expect(hints).toEqual([{ kind: "resync", cause: "connected" }]);
});

test("every push becomes a hint, however slowly it is consumed", async () => {
  const exchange = startExchange();
  const { hints } = await listen(exchange);
  await until(() => exchange.received.length === 5);
  for (let i = 1; i <= 12; i++) exchange.push("executionreport", report(i));
  exchange.push("algoexecutionreportv2", [
    { symbol: "PERP_BTC_USDT", algoOrderId: 99, clientAlgoOrderId: "17" },
  ]);
  exchange.push("position", { positions: { PERP_LTC_USDT: { holding: 1, version: 7 } } });
  exchange.push("balance", { balances: {} });
  await until(() => hints.length === 16);
  const orders = hints.filter((hint) => hint.kind === "order");
  expect(orders).toHaveLength(13);
  expect(orders[0]).toEqual({
    kind: "order",
    symbol: "PERP_BTC_USDT",
    exchangeOrderId: "1",
    clientOrderId: null,
  });
  expect(orders.at(-1)).toMatchObject({ exchangeOrderId: "99", clientOrderId: "17" });
  expect(hints.slice(-2)).toEqual([
    { kind: "position", symbol: "PERP_LTC_USDT" },
    { kind: "balance" },
  ]);
  expect(causes(hints)).toEqual(["connected"]);
});

test("ids above 2^53 keep their digits", async () => {
  const exchange = startExchange();
  const { hints } = await listen(exchange);
  await until(() => exchange.received.length === 5);
  const order = '{"symbol":"P","orderId":9100000000000000001,"clientOrderId":1954766344355779057}';
  exchange.peer?.send(`{"topic":"executionreport","ts":1,"data":${order}}`);
  await until(() => hints.some(({ kind }) => kind === "order"));
  expect(hints.find(({ kind }) => kind === "order")).toMatchObject({
    exchangeOrderId: "9100000000000000001",
    clientOrderId: "1954766344355779057",
  });
});

test("a gap, a time that runs backwards and what cannot be read ask for a resync", async () => {
  const exchange = startExchange();
  const { hints } = await listen(exchange);
  await until(() => exchange.received.length === 5);
  const position = (version: number) => ({ positions: { P: { holding: 1, version } } });
  exchange.push("position", position(5), 1000);
  exchange.push("position", position(6), 1001);
  await until(() => hints.length === 3);
  expect(causes(hints)).toEqual(["connected"]);
  exchange.push("position", position(9), 1002);
  exchange.push("executionreport", report(1), 1003);
  exchange.push("executionreport", report(1), 900);
  exchange.push("executionreport", { symbol: "P" }, 1004);
  exchange.peer?.send("no json");
  exchange.peer?.send(JSON.stringify({ id: "1", event: "subscribe", success: false }));
  await until(() => causes(hints).length === 6);
  expect(causes(hints)).toEqual(["connected", "gap", "gap", "unreadable", "unreadable", "gap"]);
});

test("pings are answered", async () => {
  const exchange = startExchange();
  await listen(exchange);
  await until(() => exchange.received.length === 5);
  exchange.peer?.send(JSON.stringify({ event: "ping" }));
  await until(() => exchange.received.length === 6);
  expect(exchange.received.at(-1)).toMatchObject({ event: "pong" });
});

test("a dropped connection is told, made again and told again", async () => {
  const exchange = startExchange();
  const { hints } = await listen(exchange);
  for (let round = 1; round <= 5; round++) {
    await until(() => causes(hints).filter((cause) => cause === "connected").length === round);
    exchange.peer?.terminate();
  }
  await until(() => causes(hints).length === 11);
  expect(causes(hints)).toEqual([
    ...Array.from({ length: 5 }, () => ["connected", "disconnected"] as const).flat(),
    "connected",
  ]);
});

test("a connection that has gone silent is left for a new one", async () => {
  const exchange = startExchange();
  const { hints } = await listen(exchange, 60);
  await until(() => causes(hints).filter((cause) => cause === "connected").length === 2);
  expect(causes(hints).slice(0, 4)).toEqual(["connected", "silent", "disconnected", "connected"]);
});

test("a refused sign-in is tried again, not taken for a connection", async () => {
  const exchange = startExchange();
  exchange.takesKey = false;
  const { hints } = await listen(exchange);
  await until(() => causes(hints).length >= 3);
  expect(new Set(causes(hints))).toEqual(new Set(["disconnected"]));
  exchange.takesKey = true;
  await until(() => causes(hints).includes("connected"));
});

test("after stop nothing is told and nothing connects", async () => {
  const exchange = startExchange();
  const { hints, stream } = await listen(exchange);
  await until(() => exchange.received.length === 5);
  stream.stop();
  const told = hints.length;
  exchange.push("balance", {});
  await Bun.sleep(150);
  expect(hints).toHaveLength(told);
  expect(exchange.paths.filter((path) => path.includes("/ws/"))).toHaveLength(1);
});

test("an exchange without a stream here says so", async () => {
  const secret = createSecret("x");
  const broker = await createCcxtBroker(
    { clock: createClock(), log: silentLog, loopbackUrl: "http://127.0.0.1:1", timeoutMs: 100 },
    {
      exchangeId: "okx",
      kind: "perps",
      mode: "demo",
      credentials: { apiKey: secret, apiSecret: secret, passphrase: secret, uid: null },
      isTestnet: false,
    },
  );
  expect(broker.listen(() => undefined)).toBeNull();
});
