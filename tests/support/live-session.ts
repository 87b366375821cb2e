// A whole live side on a fast clock: real rows, the real worker and adapter over loopback, and a venue whose
// prices move, all by one clock that runs many times faster. Used by tests of services/live that need bots
// to trade; workers can be started, killed and started again.
import { connect } from "../../src/adapters/postgres/connect.ts";
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createControlRepository } from "../../src/adapters/postgres/control-repository.ts";
import { createBotRepository } from "../../src/adapters/postgres/bot-repository.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { createSecret } from "../../src/adapters/vault/secret.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import { composeLive, type LiveSide, type LiveSideDeps } from "../../src/live.ts";
import { decimal } from "../../src/model/decimal.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { Bot, BotConfig, NewBot } from "../../src/ports/bot-store.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { DemoExchange } from "../../src/ports/demo-venue.ts";
import type { Log } from "../../src/ports/log.ts";
import type { Json } from "../../src/ports/settings-store.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import type { Account } from "../../src/venue/account.ts";
import { addAccount } from "../../src/venue/exchange.ts";
import { startVenue, type Venue } from "../../src/venue/server.ts";
import { DEFAULT_INSTRUMENTS, venueSettings } from "../../src/venue/settings.ts";
import { silentLog } from "./silent-log.ts";
import { testDatabase, testScope } from "./test-database.ts";
import { booksDiffer } from "./venue-books.ts";

/** What a session may choose. */
export type SessionOptions = {
  /** Virtual ms per real ms. */
  readonly speed?: number;
  readonly seed?: number;
  readonly volatilityPpm?: number;
  readonly log?: Log;
  /** Paper accounts take their prices from the venue and never send it an order. */
  readonly mode?: "demo" | "paper";
  readonly record?: LiveSideDeps["record"];
};

/** A worker of a session. */
export type SessionWorker = {
  readonly live: LiveSide;
  /** Ends it as a process does that is asked to. */
  stop(): Promise<void>;
  /** Ends it as a process does that is killed: nothing is given back, nothing more is written. */
  kill(): Promise<void>;
};

/** A running session. */
export type LiveSession = Awaited<ReturnType<typeof openSession>>;

const SPEED = 60;
const START = Date.UTC(2026, 0, 5, 8, 10);
/** Long, because a moment of the machine is many seconds of this clock. */
const LEASE = { ttlMs: 240_000, renewEveryMs: 60_000 };
export const SYMBOL = "PERP_BTC_USDT";

/** A configuration that enters within a few candles and leaves at small moves. */
export function eagerStrategy(change: Readonly<Record<string, Json>> = {}): Json {
  const config = parseConfig({
    general: {
      use_indicator_consensus: false,
      entry_order_style: "market",
      entry_cooldown_min: 0,
      initial_entry_balance_pct: 5,
      max_entries: 3,
    },
    trend: { enabled: false, ma_interval_min: 1 },
    bbands: { interval_min: 1, length: 5, dev_up: 0.1, dev_down: 0.1 },
    macd: { interval_min: 1, fast: 3, slow: 6, signal: 3 },
    rsi: { interval_min: 1, length: 5 },
    exits: { tp_mode: "PCT", tp_pct: 0.15, sl_pct: 2 },
    dca: { base_deviation_pct: 0.15, deviation_multiplier: 1.2 },
    ...change,
  });
  return config as unknown as Json;
}

/** The configuration of a bot around a strategy. */
export function botConfig(strategy: Json, change: Partial<BotConfig> = {}): BotConfig {
  return {
    strategy,
    allocation: decimal("5000"),
    balanceCap: null,
    leverage: 5,
    pauseMode: "exits_only",
    limits: {
      maxOrderQty: null,
      maxOrderNotional: null,
      maxOpenOrders: null,
      maxPositionNotional: null,
      maxDrawdownPct: null,
    },
    ...change,
  };
}

/** Opens database, venue and a demo account; nothing trades yet. */
export async function openSession(options: SessionOptions = {}) {
  const { speed = SPEED, seed = 5, volatilityPpm = 900, log = silentLog, mode = "demo" } = options;
  const database = await testDatabase();
  const scope = await testScope(database.sql, "ann");
  const venue = startSessionVenue(seed, speed, volatilityPpm);
  const clock = fastClock(venue, speed);
  const bots = createBotRepository(database.sql);
  const trading = createTradingRepository(database.sql, nextStatus);
  const control = createControlRepository(database.sql);
  const accounts = createAccountRepository(database.sql);
  const named = { name: "Account", exchangeId: "woox", mode };
  const made = await accounts.create(scope, named, null, clock.now());
  if (!made.ok) throw new Error(made.detail);
  const accountId = made.value.id;
  const account = addAccount(venue.exchange, { name: "demo", deposit: "10000" });
  const exchange = sessionExchange(venue, account);
  let workers = 0;
  const running = new Set<SessionWorker>();

  async function startWorker(): Promise<SessionWorker> {
    workers += 1;
    // A pool of its own: killing the worker cuts its connections as the end of a process does.
    const sql = connect(database.target);
    const live = composeLive({
      ...{ sql, target: database.target, clock, log },
      key: new Uint8Array(32).fill(7),
      instance: 7,
      name: `worker-${workers}`,
      lease: LEASE,
      demo: async () => exchange,
      loopbackUrls: { demo: venue.url, woox: venue.url },
      ...(options.record ? { record: options.record } : {}),
    });
    live.start();
    const worker: SessionWorker = {
      live,
      async stop() {
        running.delete(worker);
        await live.stop();
        await sql.end({ timeout: 1 });
      },
      async kill() {
        running.delete(worker);
        await sql.end({ timeout: 0 });
        await live.stop().catch(() => undefined);
      },
    };
    running.add(worker);
    return worker;
  }

  return {
    ...{ database, scope, venue, clock, bots, trading, control, accounts, accountId, account },
    startWorker,
    /** A bot that is to run. */
    async addBot(change: Partial<NewBot> = {}): Promise<Bot> {
      const wanted = { ...newBot(accountId), ...change };
      const bot = await bots.create(scope, wanted, "ann@example.org", clock.now());
      if (!bot.ok) throw new Error(bot.detail);
      const wished = await bots.wish(scope, bot.value.id, { status: "running" }, clock.now());
      if (!wished.ok) throw new Error(wished.detail);
      return wished.value;
    },
    /** Waits by the fast clock. @throws when it does not come true in time */
    async until(what: string, isTrue: () => Promise<boolean>, limitMs = 30 * 60_000) {
      const endMs = clock.monotonicMs() + limitMs;
      while (!(await isTrue())) {
        if (clock.monotonicMs() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`);
        await clock.sleep(1000);
      }
    },
    /** Differences between the venue's books and ours, the account at rest. */
    differences: () => booksDiffer(venue.exchange, account, { store: trading, scope, accountId }),
    async close() {
      for (const worker of [...running]) await worker.stop();
      await venue.stop();
      await database.drop();
    },
  };
}

function newBot(accountId: AccountId): NewBot {
  return {
    accountId,
    name: "Eager",
    symbol: SYMBOL,
    timeframeMin: 1,
    strategyName: "dca-atr",
    strategyVersion: "1.0.0",
    config: botConfig(eagerStrategy()),
    runId: null,
    sides: ["long"],
  };
}

function startSessionVenue(seed: number, speed: number, volatilityPpm: number): Venue {
  const [instrument] = DEFAULT_INSTRUMENTS;
  if (!instrument) throw new Error("the venue lists nothing");
  const feed = {
    kind: "generator" as const,
    ...{ startPrice: "60000", volatilityPpm, minuteQty: "12" },
  };
  const settings = venueSettings({
    ...{ seed, startAt: START, enforcesLimits: false, accounts: [] },
    markets: [{ instrument, feed }],
  });
  return startVenue({ settings, speed, port: 0 });
}

/** The venue's own time, and waiting by it. */
function fastClock(venue: Venue, speed: number): Clock {
  const startMs = performance.now();
  return {
    now: () => venue.clock.now(),
    monotonicMs: () => (performance.now() - startMs) * speed,
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const timer = setTimeout(() => {
          signal?.removeEventListener("abort", stop);
          resolve();
        }, durationMs / speed);
        const stop = () => {
          clearTimeout(timer);
          reject(signal?.reason);
        };
        signal?.addEventListener("abort", stop, { once: true });
      }),
  };
}

/** The venue as the exchange of demo accounts that goes on when a worker does not. */
function sessionExchange(venue: Venue, { apiKey, secret }: Account): DemoExchange {
  const keys = { apiKey: createSecret(apiKey), apiSecret: createSecret(secret) };
  return {
    url: venue.url,
    wsUrl: venue.wsUrl,
    adminToken: venue.adminToken,
    keys: [keys],
    openAccount: async () => keys,
    isLasting: true,
    stop: () => venue.stop(),
  };
}
