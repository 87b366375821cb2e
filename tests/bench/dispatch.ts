// From a decision to the wire: single-order batches through the door onto a durable PostgreSQL, with the
// venue in a process of its own and an idle limiter. Run by tests/bench/run.ts.
import { join } from "node:path";
import { createCcxtBroker } from "../../src/adapters/ccxt/broker.ts";
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { createRateLimiter } from "../../src/adapters/resilience/rate-limiter.ts";
import { createResilientBroker } from "../../src/adapters/resilience/resilient-broker.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { createSecret } from "../../src/adapters/vault/secret.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import type { BotId } from "../../src/ports/bot-store.ts";
import type { Broker } from "../../src/ports/broker.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { LiveDeps, PlaceOrder } from "../../src/services/live/live-types.ts";
import { createOrderDispatcher } from "../../src/services/live/order-dispatcher.ts";
import { approved } from "../services/live/dispatch-world.ts";
import { dataFolder, ROOT, serving } from "../support/dragon.ts";
import { silentLog } from "../support/silent-log.ts";
import { testDatabase, testScope } from "../support/test-database.ts";
import { type BenchRow, benchTable } from "./bench-row.ts";

const ORDERS = 500;
const WARMUP = 50;
const SYMBOL = "PERP_BTC_USDT";
const P50_MUST_MS = 3;
const P99_MUST_MS = 25;
/** The venue's own limits are counted in its time, which runs ahead of ours. */
const VENUE_SPEED = 500;
const signal = new AbortController().signal;

/** Milliseconds from the call of the door to the call of the broker, per order. */
async function latencies(): Promise<number[]> {
  const folder = dataFolder();
  const options = ["--speed", String(VENUE_SPEED), "--wall-auth", "--deposit", "1000000"];
  const command = [process.execPath, join(ROOT, "src/main.ts"), "venue", ...options];
  const venue = await serving(command, { env: { DRAGON_DATA_DIR: folder.path } });
  const database = await testDatabase("bundled");
  try {
    const [durable] = await database.sql<{ fsync: string }[]>`show fsync`;
    if (durable?.fsync !== "on") throw new Error("the database of the bench is not durable");
    const told = (name: string) =>
      new RegExp(`^ {2}${name} +(\\S+)$`, "m").exec(venue.output())?.[1] ?? "";
    const real = await createCcxtBroker(
      { clock: createClock(), log: silentLog, loopbackUrl: told("REST"), timeoutMs: 5000 },
      {
        ...{ exchangeId: "woox", kind: "perps", mode: "demo", isTestnet: false },
        credentials: {
          apiKey: createSecret(told("Key")),
          apiSecret: createSecret(told("Secret")),
          passphrase: null,
          uid: null,
        },
      },
    );
    const times: number[] = [];
    let beganMs = 0;
    const noting: Broker = {
      ...real,
      place: (order, options) => {
        times.push(performance.now() - beganMs);
        return real.place(order, options);
      },
    };
    const door = await openDoor(database.sql, noting);
    for (let n = 0; n < WARMUP + ORDERS; n++) {
      const place = [door.order(n)];
      beganMs = performance.now();
      const report = await door.dispatcher.dispatch({
        ...{ cancel: [], place, park: [], send: [], step: null, isFlatten: false },
      });
      const [one] = report.ok ? report.dispatched : [];
      if (one?.outcome !== "open") throw new Error(JSON.stringify(report));
    }
    return times.slice(WARMUP);
  } finally {
    await database.drop();
    await venue.stop();
    folder.remove();
  }
}

async function openDoor(sql: Parameters<typeof createTradingRepository>[0], noting: Broker) {
  const clock = createClock();
  // Its windows pass a thousand times faster: every order finds it idle.
  const hasty: Clock = { ...clock, monotonicMs: () => clock.monotonicMs() * 1000 };
  const limiter = createRateLimiter({ clock: hasty });
  const broker = createResilientBroker(
    { clock, log: silentLog, limiter, accountKey: "1", random: () => 0.5 },
    noting,
  );
  const scope = await testScope(sql, "bench");
  const wish = { name: "Main", exchangeId: "woox", mode: "demo" } as const;
  const made = await createAccountRepository(sql).create(scope, wish, null, clock.now());
  if (!made.ok) throw new Error(made.detail);
  const accountId = made.value.id;
  const store = createTradingRepository(sql, nextStatus);
  const lease = await store.takeLease(scope, accountId, "bench", 600_000, false);
  if (!lease.ok) throw new Error(lease.detail);
  const epoch = await store.epoch(scope);
  const live: LiveDeps = {
    account: { scope, accountId, mode: "demo", positionMode: "one_way", instance: 1 },
    lease: {
      guard: lease.value,
      stampS: () => lease.value.stampS,
      freshStamp: () => store.freshStamp(scope, lease.value),
      remainingMs: () => 30_000,
    },
    cells: { cell: () => ({ epoch, state: "active", reason: "", since: 0 }) },
    ...{ store, broker, clock, log: silentLog, note: () => undefined },
  };
  const resolver = { isInDoubt: () => false, suspect: () => undefined };
  const rules = await broker.orderRules(SYMBOL, { signal });
  const order = (n: number): PlaceOrder => ({
    approved: approved({ key: `k${n}`, priceTicks: 500_000, qtyLots: 10 }),
    owner: "bot:1",
    botId: 1 as BotId,
    market: { rules, leverage: null, maker: { queueLevel: null, mayTake: false } },
    referencePrice: null,
    heldQty: null,
  });
  return { dispatcher: createOrderDispatcher({ ...live, resolver }), order };
}

/** The door's figures. */
export async function benchDispatch(): Promise<readonly BenchRow[]> {
  const times = (await latencies()).sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
  const note = `${ORDERS} single-order batches, fsync on, venue in another process`;
  return [
    { name: "decision to wire, median", value: at(0.5), unit: "ms", must: P50_MUST_MS, note },
    { name: "decision to wire, 99th percentile", value: at(0.99), unit: "ms", must: P99_MUST_MS },
  ];
}

if (import.meta.main) for (const line of benchTable(await benchDispatch())) console.log(line);
