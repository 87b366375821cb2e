// Limiter, breaker and retries together: what reaches the exchange, how often, and in which order.
import { expect, test } from "bun:test";
import { BrokerError } from "../../../src/adapters/ccxt/error-types.ts";
import { createRateLimiter } from "../../../src/adapters/resilience/rate-limiter.ts";
import { createResilientBroker } from "../../../src/adapters/resilience/resilient-broker.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { CallOptions, NewOrder, OrderRef } from "../../../src/ports/broker.ts";
import { silentLog } from "../../support/silent-log.ts";
import {
  accepted,
  type Call,
  lost,
  refusal,
  type Script,
  scriptedBroker,
  transport,
} from "./scripted-broker.ts";
import { virtualClock } from "./virtual-clock.ts";

const options: CallOptions = { signal: new AbortController().signal };
const ORDER: NewOrder = {
  clientOrderId: "1",
  symbol: "PERP_BTC_USDT",
  side: "buy",
  positionSide: null,
  terms: { kind: "market" },
  qty: decimal("1"),
  isReduceOnly: false,
  visibleQty: null,
  leverage: null,
};
const REF: OrderRef = { symbol: "PERP_BTC_USDT", by: "client", id: "1", isTrigger: false };

function setup(script: Script) {
  const clock = virtualClock();
  const calls: (Call & { readonly at: number })[] = [];
  const limiter = createRateLimiter({ clock });
  const inner = scriptedBroker("woox", (call) => {
    calls.push({ ...call, at: clock.now() });
    return script(call);
  });
  const deps = { clock, log: silentLog, limiter, accountKey: "7", random: () => 0.5 };
  return { clock, calls, limiter, broker: createResilientBroker(deps, inner) };
}

/** Waits for a promise while the clock runs. */
async function during<T>(
  clock: ReturnType<typeof virtualClock>,
  work: Promise<T>,
  forMs = 600_000,
): Promise<T> {
  const settled = Promise.allSettled([work]);
  await clock.runUntil(clock.now() + forMs);
  await settled;
  return work;
}
/** Opens the account's breaker. */
async function outage(
  broker: ReturnType<typeof setup>["broker"],
  clock: ReturnType<typeof virtualClock>,
) {
  for (let i = 0; i < 5; i++) {
    const work = broker.place(ORDER, options);
    await clock.runUntil(clock.now() + 2000);
    await work;
  }
}

test("a read that fails on the way is asked three times, further and further apart", async () => {
  const { broker, clock, calls } = setup(() => Promise.reject(transport()));
  const work = broker.balances(options);
  await expect(during(clock, work)).rejects.toMatchObject({ kind: "transport" });
  expect(calls.map(({ at }) => at)).toEqual([0, 250, 750]);
});

test("a read that the exchange refuses is asked once", async () => {
  for (const kind of ["refused", "auth", "permission", "not_supported", "clock"] as const) {
    const { broker, clock, calls } = setup(() => Promise.reject(new BrokerError(kind, kind)));
    await expect(during(clock, broker.positions(null, options))).rejects.toMatchObject({ kind });
    expect(calls).toHaveLength(1);
  }
});

test("no write is ever sent twice, whatever becomes of it", async () => {
  for (const answer of [lost, refusal("RATE_LIMITED", 1000), refusal("BUSY"), accepted]) {
    const { broker, clock, calls } = setup(() => Promise.resolve(answer));
    expect(await during(clock, broker.place(ORDER, options))).toEqual(answer as never);
    expect(
      await during(clock, broker.amend(REF, { side: "buy", price: null, qty: null }, options)),
    ).toEqual(answer as never);
    expect(await during(clock, broker.cancel(REF, options))).toEqual(answer as never);
    expect(await during(clock, broker.cancelAll("X", options))).toEqual(answer as never);
    expect(await during(clock, broker.setDeadMan(1, options))).toEqual(answer as never);
    expect(await during(clock, broker.setLeverage("X", 1, null, options))).toEqual(answer as never);
    expect(await during(clock, broker.setPositionMode("X", "hedge", options))).toEqual(
      answer as never,
    );
    expect(calls).toHaveLength(7);
  }
});

test("after five lost writes entries are refused unsent, cancels and closes still go", async () => {
  const { broker, clock, calls } = setup(() => Promise.resolve(lost));
  await outage(broker, clock);
  expect(broker.breakers.account.state()).toBe("open");
  calls.length = 0;
  expect(await broker.place(ORDER, options)).toMatchObject({ reason: "BREAKER_OPEN" });
  await expect(broker.balances(options)).rejects.toMatchObject({ kind: "breaker_open" });
  expect(calls).toHaveLength(0);
  await during(clock, broker.cancel(REF, options));
  await during(clock, broker.cancelAll("X", options));
  await during(clock, broker.place({ ...ORDER, isReduceOnly: true }, options));
  await during(clock, broker.place(ORDER, { ...options, isFlatten: true }));
  expect(calls.map(({ operation }) => operation)).toEqual([
    "cancel",
    "cancelAll",
    "place",
    "place",
  ]);
});

test("public data has a breaker of its own", async () => {
  const { broker, clock } = setup(({ operation }) =>
    operation === "topOfBook" ? Promise.reject(transport()) : Promise.resolve(accepted),
  );
  for (let i = 0; i < 2; i++) {
    const work = broker.topOfBook("X", options);
    await expect(during(clock, work, 5000)).rejects.toMatchObject({ name: "BrokerError" });
  }
  expect(broker.breakers.publicData.state()).toBe("open");
  expect(broker.breakers.account.state()).toBe("closed");
  expect(await during(clock, broker.place(ORDER, options))).toEqual(accepted as never);
});

test("refusals of orders do not count against the exchange's health", async () => {
  const { broker, clock } = setup(() => Promise.resolve(refusal("INSUFFICIENT_MARGIN")));
  for (let i = 0; i < 20; i++) await during(clock, broker.place(ORDER, options));
  expect(broker.breakers.account.state()).toBe("closed");
});

test("a probe that is throttled releases its place: the next call probes", async () => {
  let isThrottled = false;
  const { broker, clock } = setup(async ({ operation, options: { beforeNextRequest } }) => {
    if (operation !== "tradesSince") return isThrottled ? accepted : lost;
    // The second page of the probe finds no token in time.
    for (let page = 0; page < 100; page++) await beforeNextRequest?.();
    return [];
  });
  await outage(broker, clock);
  await clock.runUntil(clock.now() + 20_000);
  isThrottled = true;
  const probe = broker.tradesSince({ symbol: "X", sinceAt: 0 }, options);
  const flood = Array.from({ length: 60 }, () =>
    broker.tradesSince({ symbol: "X", sinceAt: 0 }, { ...options, isFlatten: true }).catch(() => 0),
  );
  await expect(during(clock, probe)).rejects.toMatchObject({ kind: "queue_full" });
  await Promise.all(flood);
  expect(broker.breakers.account.state()).toBe("open");
  expect(await during(clock, broker.place(ORDER, options))).toEqual(accepted as never);
  expect(broker.breakers.account.state()).toBe("closed");
});

test("the limiter comes before the breaker: a probe waits for its token without holding the slot", async () => {
  const { broker, clock, calls } = setup(() => Promise.resolve(lost));
  await outage(broker, clock);
  await clock.runUntil(clock.now() + 20_000);
  // Four of the symbol's five tokens are there for entries; they are gone for a window.
  const first = broker.place(ORDER, options);
  await clock.runUntil(clock.now());
  await first;
  expect(broker.breakers.account.state()).toBe("open");
  expect(calls).toHaveLength(6);
});

test("a 429 empties the bucket: the next request of that kind waits its window", async () => {
  let isFirst = true;
  const { broker, clock, calls } = setup(async () => {
    if (!isFirst) return [];
    isFirst = false;
    throw new BrokerError("rate_limit", "too many", 7000);
  });
  await during(clock, broker.balances(options));
  expect(calls.map(({ at }) => at)).toEqual([0, 7000]);
});

test("further pages of one call take tokens too", async () => {
  const { broker, clock, calls, limiter } = setup(async ({ options: { beforeNextRequest } }) => {
    for (let page = 0; page < 4; page++) await beforeNextRequest?.();
    return [];
  });
  await during(clock, broker.tradesSince({ symbol: "X", sinceAt: 0 }, options));
  expect(calls).toHaveLength(1);
  expect(limiter.metrics().requests).toBe(5);
  expect(limiter.metrics().throttled).toBe(2);
});

test("two accounts share what is counted per address and nothing else", async () => {
  const clock = virtualClock();
  const limiter = createRateLimiter({ clock });
  const at: string[] = [];
  const wrap = (accountKey: string) =>
    createResilientBroker(
      { clock, log: silentLog, limiter, accountKey, random: () => 0.5 },
      scriptedBroker("woox", async ({ operation }) => {
        at.push(`${accountKey} ${operation} ${clock.now()}`);
        return [];
      }),
    );
  const [a, b] = [wrap("a"), wrap("b")];
  const work = [
    ...Array.from({ length: 8 }, () => a.topOfBook("X", options)),
    b.topOfBook("X", options),
    a.tradesSince({ symbol: "X", sinceAt: 0 }, options),
    a.tradesSince({ symbol: "X", sinceAt: 0 }, options),
    b.tradesSince({ symbol: "X", sinceAt: 0 }, options),
  ];
  await clock.runUntil(0);
  expect(at.filter((line) => line.includes("topOfBook"))).toHaveLength(8);
  expect(at.filter((line) => line.includes("tradesSince"))).toHaveLength(3);
  await clock.runUntil(10_000);
  await Promise.all(work);
  expect(at.at(-1)).toBe("b topOfBook 1250");
});

test("a write whose gate closed while it waited for its turn never leaves", async () => {
  const { broker, clock, calls } = setup(async () => accepted);
  let isOpen = true;
  const mayLeave = () => isOpen;
  // More than a second's worth for one symbol: the last ones wait.
  const all = Array.from({ length: 20 }, () => broker.place(ORDER, { ...options, mayLeave }));
  await clock.runUntil(clock.now() + 1);
  const left = calls.length;
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(20);
  isOpen = false;
  const answers = await during(clock, Promise.all(all));
  expect(answers.at(-1)).toMatchObject({ outcome: "refused" });
  expect(calls).toHaveLength(left);
  isOpen = true;
  await during(clock, broker.cancel(REF, { ...options, mayLeave }));
  expect(calls).toHaveLength(left + 1);
});
