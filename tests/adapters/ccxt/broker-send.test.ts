// The way in for the wire: a given sender carries every request after the address was judged, and the time
// limit of the clock question is the clock's own.
import { describe, expect, test } from "bun:test";
import { createCcxtBroker } from "../../../src/adapters/ccxt/broker.ts";
import { createWire, type Send } from "../../../src/adapters/ccxt/broker-wire.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { NewOrder } from "../../../src/ports/broker.ts";
import { createSimClock, type SimClock } from "../../simulation/sim-clock.ts";
import { silentLog } from "../../support/silent-log.ts";

const LOOPBACK = "http://127.0.0.1:1";
const TIMEOUT_MS = 5000;
const { signal } = new AbortController();

function openBroker(clock: SimClock, send: Send) {
  const credentials = {
    ...{ apiKey: createSecret("key"), apiSecret: createSecret("secret") },
    ...{ passphrase: null, uid: null },
  };
  return createCcxtBroker(
    { clock: clock.machine, log: silentLog, loopbackUrl: LOOPBACK, timeoutMs: TIMEOUT_MS, send },
    { exchangeId: "woox", kind: "perps", mode: "demo", isTestnet: false, credentials },
  );
}

describe("a given sender", () => {
  test("carries the requests in place of the network", async () => {
    const addresses: string[] = [];
    const broker = await openBroker(createSimClock(0), async (address) => {
      addresses.push(address);
      return Response.json({ success: true, timestamp: 1_767_571_200_000 });
    });
    expect(await broker.serverTime({ signal })).toBe(1_767_571_200_000);
    expect(addresses).toEqual([`${LOOPBACK}/v3/public/systemInfo`]);
  });

  test("is not asked for an address of another machine when only loopback is allowed", async () => {
    let asked = 0;
    const wire = createWire(createSimClock(0).machine, true, async () => {
      asked += 1;
      return new Response("{}");
    });
    const call = wire.run({ sent: [], signal }, () => wire.fetch("https://example.com/", {}));
    expect(call).rejects.toThrow("another machine");
    expect(asked).toBe(0);
  });
});

test("the question for the exchange's time ends by the clock when nobody answers", async () => {
  const clock = createSimClock(Date.UTC(2026, 0, 5));
  const stale = { success: false, code: 317179, message: "receive window exceeded" };
  const ended: unknown[] = [];
  const broker = await openBroker(clock, (address, init) => {
    if (!address.endsWith("systemInfo")) {
      return Promise.resolve(Response.json(stale, { status: 400 }));
    }
    const { promise, reject } = Promise.withResolvers<never>();
    init.signal?.addEventListener("abort", () => {
      ended.push(clock.now());
      reject(init.signal?.reason);
    });
    return promise;
  });
  const answers: unknown[] = [];
  const order: NewOrder = {
    ...{ clientOrderId: "1", symbol: "PERP_BTC_USDT", positionSide: null, qty: decimal("1") },
    ...{ isReduceOnly: false, visibleQty: null, leverage: null },
    side: "buy",
    terms: { kind: "market" },
  };
  void broker.place(order, { signal }).then((answer) => answers.push(answer));
  await clock.runUntil(clock.now() + TIMEOUT_MS - 1);
  expect(answers).toEqual([]);
  await clock.runUntil(clock.now() + 1);
  expect(ended).toEqual([clock.now()]);
  expect(answers).toMatchObject([{ outcome: "refused", reason: "CLOCK_SKEW" }]);
});
