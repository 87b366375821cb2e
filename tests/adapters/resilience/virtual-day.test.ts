// A day of fifty bots on one account against an exchange that counts strictly and bans: every request
// takes its time on the way, one in twenty fails, and not once may a limit be broken.
import { expect, test } from "bun:test";
import { BrokerError } from "../../../src/adapters/ccxt/error-types.ts";
import { limitOf, type Operation } from "../../../src/adapters/resilience/limits.ts";
import { createRateLimiter } from "../../../src/adapters/resilience/rate-limiter.ts";
import { createResilientBroker } from "../../../src/adapters/resilience/resilient-broker.ts";
import { decimal } from "../../../src/model/decimal.ts";
import { DAY_MS } from "../../../src/model/time.ts";
import type { CallOptions, NewOrder } from "../../../src/ports/broker.ts";
import { silentLog } from "../../support/silent-log.ts";
import { randomOf } from "../../support/fake-exchange/world.ts";
import { accepted, lost, refusal, scriptedBroker } from "./scripted-broker.ts";
import { virtualClock } from "./virtual-clock.ts";

const BOTS = 50;
const ERROR_RATIO = 0.05;
/** The exchange's own limits: what it publishes, not what we keep. */
const WOOX_PUBLISHED: Partial<Record<Operation, readonly [count: number, windowMs: number]>> = {
  place: [5, 1000],
  cancel: [10, 1000],
  order: [5, 1000],
  openOrders: [10, 1000],
  tradesSince: [2, 1000],
  positions: [30, 10_000],
  balances: [10, 1000],
  fundingSince: [20, 60_000],
  topOfBook: [10, 1000],
  markPrice: [10, 1000],
};
const options: CallOptions = { signal: new AbortController().signal };

/** Counts arrivals in sliding windows; more than the published limit is a ban. */
function strictExchange() {
  const arrivals = new Map<string, number[]>();
  let bans = 0;
  let requests = 0;
  return {
    bans: () => bans,
    requests: () => requests,
    arrive(operation: Operation, symbol: string, at: number): void {
      requests++;
      const limit = WOOX_PUBLISHED[operation];
      if (limit === undefined) throw new Error(`${operation} has no published limit here`);
      const [count, windowMs] = limit;
      const isPerSymbol = limitOf("woox", operation).scope === "symbol";
      const key = isPerSymbol ? `${operation} ${symbol}` : operation;
      const seen = (arrivals.get(key) ?? []).filter((time) => time > at - windowMs);
      seen.push(at);
      arrivals.set(key, seen);
      if (seen.length > count) bans++;
    },
  };
}

/** Runs the day; `isLimited` false shows that the exchange of this test does ban. */
async function day(durationMs: number, isLimited: boolean) {
  const clock = virtualClock();
  const random = randomOf(16);
  const exchange = strictExchange();
  const inner = scriptedBroker("woox", async ({ operation, symbol }) => {
    // On the way there; requests overtake each other.
    await clock.sleep(20 + 180 * random());
    exchange.arrive(operation, symbol, clock.now());
    await clock.sleep(20 + 180 * random());
    const isWrite = operation === "place" || operation === "cancel";
    if (random() >= ERROR_RATIO) return isWrite ? accepted : [];
    if (isWrite) return random() < 0.5 ? lost : refusal("INSUFFICIENT_MARGIN");
    throw new BrokerError("transport", "an error of the day");
  });
  const limiter = createRateLimiter({ clock });
  const deps = { clock, log: silentLog, limiter, accountKey: "1", random };
  const limited = createResilientBroker(deps, inner);
  const broker = isLimited ? limited : inner;
  const gaps: number[] = [];
  let lastCheck = 0;

  const quiet = (work: Promise<unknown>) => work.catch(() => undefined);
  async function every(periodMs: number, act: () => Promise<unknown>): Promise<void> {
    await clock.sleep(periodMs * random());
    while (clock.now() < durationMs) {
      await act();
      await clock.sleep(periodMs);
    }
  }
  // The account's poller asks once for all bots; each bot prices, replaces and asks for its own.
  const loops = [
    every(3000, () => quiet(broker.openOrders(null, options))),
    every(3000, () => quiet(broker.positions(null, options))),
    every(3000, () =>
      broker.balances(options).then(
        () => {
          gaps.push(clock.now() - lastCheck);
          lastCheck = clock.now();
        },
        () => undefined,
      ),
    ),
    every(60_000, () => quiet(broker.fundingSince({ symbol: "X", sinceAt: 0 }, options))),
    ...Array.from({ length: BOTS }, (_, bot) => {
      const symbol = `PERP_${bot % 20}_USDT`;
      const ref = { symbol, by: "client", id: "1", isTrigger: false } as const;
      // Once a minute, with the candle.
      return every(60_000, async () => {
        await quiet(broker.topOfBook(symbol, options));
        if (random() < 0.3) await quiet(broker.markPrice(symbol, options));
        if (random() < 0.2) {
          await quiet(broker.tradesSince({ symbol, sinceAt: 0 }, options));
        }
        if (random() < 0.25) {
          await quiet(broker.cancel(ref, options));
          // A ladder goes out at once.
          const rungs = Array.from({ length: 4 }, () =>
            quiet(broker.place(orderOf(symbol), options)),
          );
          await Promise.all(rungs);
          await quiet(broker.order(ref, options));
        }
      });
    }),
  ];
  await clock.runUntil(durationMs + 120_000);
  await Promise.all(loops);
  return { exchange, limiter, longestGapMs: Math.max(...gaps) };
}

function orderOf(symbol: string): NewOrder {
  return {
    clientOrderId: "1",
    symbol,
    side: "buy",
    positionSide: null,
    terms: { kind: "market" },
    qty: decimal("1"),
    isReduceOnly: false,
    visibleQty: null,
    leverage: null,
  };
}

test("a virtual day of fifty bots with errors earns no ban and no long silence", async () => {
  const { exchange, limiter, longestGapMs } = await day(DAY_MS, true);
  expect(exchange.bans()).toBe(0);
  expect(exchange.requests()).toBeGreaterThan(250_000);
  const { requests, throttled, queued } = limiter.metrics();
  expect(requests).toBeGreaterThanOrEqual(exchange.requests());
  expect(throttled).toBeGreaterThan(0);
  expect(queued).toBe(0);
  expect(longestGapMs).toBeLessThanOrEqual(10_000);
}, 120_000);

test("the same bots without the limiter are banned", async () => {
  const { exchange } = await day(DAY_MS / 48, false);
  expect(exchange.bans()).toBeGreaterThan(0);
}, 60_000);
