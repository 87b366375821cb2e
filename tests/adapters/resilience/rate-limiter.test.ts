// The limiter: never more than the limit in any window, order by priority, bounded waiting, figures.
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { BrokerError } from "../../../src/adapters/ccxt/error-types.ts";
import type { Limit } from "../../../src/adapters/resilience/limits.ts";
import {
  createRateLimiter,
  type LimiterDeps,
  PRIORITIES,
  type Priority,
  type RateLimiter,
} from "../../../src/adapters/resilience/rate-limiter.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

const TEN: Limit = { bucket: "ten", scope: "account", count: 10, windowMs: 1000 };
const unlimited = new AbortController().signal;

type Setup = { readonly clock: VirtualClock; readonly limiter: RateLimiter };
function setup(more: Partial<LimiterDeps> = {}): Setup {
  const clock = virtualClock();
  return { clock, limiter: createRateLimiter({ clock, ...more }) };
}

/** Asks for one token and notes who got it and when. */
function ask(
  { limiter, clock }: Setup,
  granted: [string, number][],
  name: string,
  priority: Priority = "place",
  key = "account",
  limit = TEN,
): Promise<void> {
  return limiter
    .acquire({ key, limit, priority, signal: unlimited })
    .then(() => void granted.push([name, clock.monotonicMs()]));
}

test("no window of a second, wherever it begins, sees more requests than the limit", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 6000 }), fc.constantFrom(...PRIORITIES)), {
        minLength: 20,
        maxLength: 80,
      }),
      async (arrivals) => {
        const at = setup();
        const granted: [string, number][] = [];
        const all = arrivals.map(async ([delayMs, priority]) => {
          await at.clock.sleep(delayMs);
          await ask(at, granted, priority, priority).catch(() => undefined);
        });
        await at.clock.runUntil(120_000);
        await Promise.all(all);
        const times = granted.map(([, time]) => time);
        times.forEach((time, index) => {
          const eleventh = times[index + TEN.count];
          if (eleventh !== undefined) expect(eleventh - time).toBeGreaterThanOrEqual(TEN.windowMs);
        });
      },
    ),
    { numRuns: 200 },
  );
});

test("a thousand at once are let out one after the other, and nobody twice", async () => {
  const at = setup({ queueMax: 1000, waitMaxMs: waits(1e9) });
  const granted: [string, number][] = [];
  for (let i = 0; i < 1000; i++) void ask(at, granted, String(i), "cancel");
  await at.clock.runUntil(10_000);
  // Ten at once, then ten per window of a second and its margin for bunching.
  expect(granted.length).toBe(90);
  await at.clock.runUntil(1e9);
  expect(granted.map(([name]) => name)).toEqual(
    Array.from({ length: 1000 }, (_, index) => String(index)),
  );
  expect(at.limiter.metrics().queued).toBe(0);
});

test("flatten goes before cancel, place, query and data, whoever came first", async () => {
  const at = setup();
  const granted: [string, number][] = [];
  for (let i = 0; i < 10; i++) await ask(at, [], "first", "flatten");
  for (const priority of [...PRIORITIES].reverse()) {
    void ask(at, granted, priority, priority);
  }
  await at.clock.runUntil(60_000);
  expect(granted.map(([name]) => name)).toEqual([...PRIORITIES]);
});

test("the last tokens of a bucket are kept for cancels and flattening", async () => {
  const at = setup();
  const granted: [string, number][] = [];
  for (let i = 0; i < 12; i++) void ask(at, granted, "data", "data");
  await at.clock.runUntil(0);
  expect(granted).toHaveLength(8);
  void ask(at, granted, "cancel", "cancel");
  void ask(at, granted, "flatten", "flatten");
  await at.clock.runUntil(1);
  expect(granted.slice(8)).toEqual([
    ["cancel", 0],
    ["flatten", 0],
  ]);
});

test("what waits for one bucket holds up no other", async () => {
  const at = setup();
  const granted: [string, number][] = [];
  for (let i = 0; i < 30; i++) void ask(at, [], "busy", "place", "PERP_BTC_USDT");
  void ask(at, granted, "other", "data", "PERP_ETH_USDT");
  await at.clock.runUntil(0);
  expect(granted).toEqual([["other", 0]]);
});

test("a full queue and a long wait are told, not endured", async () => {
  const at = setup({ queueMax: 5, waitMaxMs: waits(700) });
  const refused: unknown[] = [];
  for (let i = 0; i < 14; i++) ask(at, [], "x").catch((error: unknown) => refused.push(error));
  await at.clock.runUntil(0);
  expect(refused).toMatchObject([{ kind: "queue_full", message: "5 requests wait already" }]);
  await at.clock.runUntil(5000);
  expect(refused).toHaveLength(6);
  expect(refused.at(-1)).toMatchObject({ kind: "queue_full" });
  expect(String(refused.at(-1))).toMatch(/waited 1 s/);
  expect(at.limiter.metrics()).toMatchObject({ requests: 8, refused: 6, queued: 0 });
});

test("who has little patience gives up after it, at once where the bucket is closed for longer", async () => {
  const at = setup();
  const impatient = () => {
    const need = { key: "account", limit: TEN, priority: "query", signal: unlimited } as const;
    return at.limiter.acquire({ ...need, patienceMs: 400 }).then(
      () => ["granted", at.clock.monotonicMs()],
      (error: BrokerError) => [error.kind, at.clock.monotonicMs()],
    );
  };
  for (let i = 0; i < 10; i++) await ask(at, [], "first", "flatten");
  const waited = impatient();
  await at.clock.runUntil(1000);
  expect(await waited).toEqual(["queue_full", 400]);
  at.limiter.penalise({ key: "account", limit: TEN }, 5000);
  const closed = impatient();
  await at.clock.runUntil(2000);
  expect(await closed).toEqual(["queue_full", 1000]);
  const near = at.clock.sleep(3700).then(impatient);
  await at.clock.runUntil(7000);
  expect(await near).toEqual(["granted", 6000]);
});

test("who stops waiting leaves the queue and takes no token", async () => {
  const at = setup();
  for (let i = 0; i < 10; i++) await ask(at, [], "first", "flatten");
  const stopping = new AbortController();
  const waiting = at.limiter.acquire({
    key: "account",
    limit: TEN,
    priority: "flatten",
    signal: stopping.signal,
  });
  stopping.abort(new Error("stopped"));
  await expect(waiting).rejects.toThrow("stopped");
  await at.clock.runUntil(10_000);
  expect(at.limiter.metrics()).toMatchObject({ requests: 10, queued: 0 });
});

test("after a 429 a bucket stays empty for a window, or as long as the exchange asks", async () => {
  for (const [askedMs, expectedMs] of [
    [null, 1250],
    [5000, 5000],
  ] as const) {
    const at = setup();
    const granted: [string, number][] = [];
    at.limiter.penalise({ key: "account", limit: TEN }, askedMs);
    void ask(at, granted, "later", "flatten");
    await at.clock.runUntil(60_000);
    expect(granted).toEqual([["later", expectedMs]]);
  }
});

test("the wait of a turn counts what is spent, who waits, and who is to come before it", async () => {
  const at = setup();
  const need = { key: "stops", limit: { ...TEN, count: 2 } };
  const turns = () => [0, 1, 2, 3, 4].map((ahead) => at.limiter.waitMs(need, ahead));
  expect(turns()).toEqual([0, 0, 1250, 1250, 2500]);
  const ask2 = () => ask(at, [], "stop", "cancel", "stops", need.limit).catch(() => undefined);
  void ask2();
  await at.clock.runUntil(1000);
  expect(turns()).toEqual([0, 250, 1250, 1500, 2500]);
  for (let i = 0; i < 3; i++) void ask2();
  expect(turns()).toEqual([1500, 2500, 2750, 3750, 4000]);
  await at.clock.runUntil(60_000);
  expect(turns()).toEqual([0, 0, 1250, 1250, 2500]);
  at.limiter.penalise(need, 3000);
  expect(turns()).toEqual([3000, 3000, 4250, 4250, 5500]);
});

test("the figures tell requests, throttled ones, their waits and the rate", async () => {
  const at = setup();
  for (let i = 0; i < 11; i++) void ask(at, [], "x", "flatten");
  await at.clock.runUntil(1250);
  expect(at.limiter.metrics()).toEqual({
    requests: 11,
    throttled: 1,
    refused: 0,
    waitMs: 1250,
    queued: 0,
    ratePerS: 11 / 60,
  });
  await at.clock.runUntil(200_000);
  expect(at.limiter.metrics().ratePerS).toBe(0);
});

function waits(ms: number): Record<Priority, number> {
  return { flatten: ms, cancel: ms, place: ms, query: ms, data: ms };
}
