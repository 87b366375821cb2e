// One incarnation of a worker for the account, made of the real parts of the live loop: lease, cells, door,
// resolver, ingest and reconciler over the real adapter, driven in ticks of three seconds, with a trader
// per contract in place of the strategies. Everything it reaches goes through its process.
import { createCcxtBroker } from "../../src/adapters/ccxt/broker.ts";
import type { Send } from "../../src/adapters/ccxt/broker-wire.ts";
import { createRateLimiter } from "../../src/adapters/resilience/rate-limiter.ts";
import { createResilientBroker } from "../../src/adapters/resilience/resilient-broker.ts";
import { createSecret } from "../../src/adapters/vault/secret.ts";
import { EVENT_KINDS } from "../../src/model/event-kinds.ts";
import { ok } from "../../src/model/result.ts";
import type { Broker } from "../../src/ports/broker.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Log } from "../../src/ports/log.ts";
import type { TradingStore } from "../../src/ports/trading-store.ts";
import { type AccountParts, createAccountParts } from "../../src/services/live/account-parts.ts";
import { type Control, createControl } from "../../src/services/live/control.ts";
import { createEventNotes, type EventNotes } from "../../src/services/live/event-notes.ts";
import { createLeaseKeeper, type KeptLease } from "../../src/services/live/lease-keeper.ts";
import type { LiveAccount } from "../../src/services/live/live-types.ts";
import { createRandom } from "../../src/venue/random.ts";
import { silentLog } from "../support/silent-log.ts";
import { STEP_MS, SYMBOLS } from "./schedule.ts";
import { createSimClock } from "./sim-clock.ts";
import type { SimProcess } from "./sim-process.ts";
import { createSimTrader, type SimTrader } from "./sim-trader.ts";
import { SCOPE, type World } from "./sim-world.ts";

const TIMING = { ttlMs: 30_000, renewEveryMs: 10_000 };
const TAKE_EVERY_MS = 2000;
const RECONCILE_EVERY = 5;
const FUNDING_EVERY = 20;
/** Real time no request of a simulation takes: what ends its requests is virtual. */
const NEVER_MS = 3_600_000;
/** This installation in client order ids. */
const INSTANCE = 7;

/** What a process holds in its hands. */
type Hands = {
  readonly world: World;
  readonly process: SimProcess;
  readonly clock: Clock;
  readonly store: TradingStore;
  readonly control: Control;
  readonly log: Log;
};

/** Runs a worker until it has lost the account. @returns why it ended; a killed one never returns */
export async function runWorker(world: World, process: SimProcess): Promise<string> {
  const { clock: simClock, services } = world;
  const { database } = services;
  const clock = process.hold("clock", simClock.machine, ["now", "monotonicMs"]);
  const store = process.hold("store", database.connect(services.simulated.store), []);
  const log = createLog(world, process);
  const control = createControl({
    store: process.hold("control", database.connect(services.control), []),
    bus: process.hold("bus", services.bus.bus, []),
    ...{ clock, log },
  });
  const stopped = new AbortController();
  void control.start(stopped.signal);
  const hands: Hands = { world, process, clock, store, control, log };
  const { lease, lost } = await takeLease(hands);
  void lease.run(stopped.signal).then(() => undefined);
  const isOver = await tradeUntil(hands, lease, lost, stopped.signal);
  stopped.abort();
  return isOver;
}

function createLog({ trace, clock }: World, { number }: SimProcess): Log {
  const line = (level: string) => (sentence: string) =>
    trace.note(clock.now(), `${number} ${level} ${sentence}`);
  const log: Log = {
    ...{ debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
    child: () => log,
  };
  return log;
}

async function takeLease(hands: Hands): Promise<{ lease: KeptLease; lost: () => string | null }> {
  const { world, process, clock, log } = hands;
  const { services, accountId } = world;
  const locks = process.hold("locks", services.locks.of(process.number), ["isHeld", "onLost"]);
  const holder = `worker-${process.number}`;
  // The moment at which the rows say that the account changed hands.
  const witnessed: TradingStore = process.hold(
    "store",
    services.database.connect({
      ...services.simulated.store,
      takeLease: async (...given) => {
        const taken = await services.simulated.store.takeLease(...given);
        if (taken.ok) world.tookLease(process.number);
        return taken;
      },
    }),
    [],
  );
  const deps = { store: witnessed, locks, clock, log };
  const keeper = createLeaseKeeper(deps, SCOPE, accountId, holder, TIMING);
  let why: string | null = null;
  for (;;) {
    const taken = await attempted(hands, () =>
      keeper.take((sentence) => {
        why = sentence;
      }),
    );
    if (taken?.ok) return { lease: taken.value, lost: () => why };
    await clock.sleep(TAKE_EVERY_MS);
  }
}

async function tradeUntil(
  hands: Hands,
  lease: KeptLease,
  lost: () => string | null,
  signal: AbortSignal,
): Promise<string> {
  const { world, process, clock, store, control, log } = hands;
  const { services, accountId, schedule, trace } = world;
  const account: LiveAccount = {
    ...{ scope: SCOPE, accountId, mode: "demo", instance: INSTANCE },
    positionMode: schedule.isHedge ? "hedge" : "one_way",
  };
  const bots = process.hold("bots", services.database.connect(services.bots), []);
  const notes = createEventNotes({
    ...{ scope: SCOPE, guard: lease.guard, bots, log },
    severityOf: (kind) => EVENT_KINDS[kind].severity,
  });
  const broker = await openBroker(hands);
  const note: EventNotes["note"] = (event) => {
    trace.count(`event ${event.kind}`);
    notes.note(event);
  };
  const live = { account, lease, store, broker, clock, log, note, cells: control };
  const parts = createAccountParts(live);
  const traders: SimTrader[] = [];
  for (let tick = 0; ; tick++) {
    const why = lost();
    if (why !== null) return why;
    await attempted(hands, async () => {
      if (traders.length === 0) traders.push(...(await openTraders(hands, parts, account, bots)));
      await lookAround(hands, parts, tick, signal);
      return ok(null);
    });
    for (const trader of traders) {
      await attempted(hands, async () => {
        if (parts.reconciler.isClean()) await trader.tick();
        return ok(null);
      });
    }
    await attempted(hands, async () => {
      await notes.flush();
      return ok(null);
    });
    await clock.sleep(STEP_MS);
  }
}

/** Facts first: orders in doubt, fills of what works, now and then everything. */
async function lookAround(
  { world, process, store }: Hands,
  { resolver, ingest, reconciler }: AccountParts,
  tick: number,
  signal: AbortSignal,
): Promise<void> {
  await resolver.settle(signal);
  const alive = await store.aliveIntents(SCOPE, world.accountId);
  const isWhole = tick % RECONCILE_EVERY === 0;
  for (const symbol of SYMBOLS) {
    const isTraded = alive.some((intent) => intent.symbol === symbol);
    if (isWhole || isTraded) await ingest.trades(symbol, null, signal);
    if (tick % FUNDING_EVERY === 0) await ingest.funding(symbol, signal);
  }
  if (!isWhole) return;
  const { isComplete, writes, findings } = await reconciler.pass(signal);
  world.trace.count("reconcile pass");
  world.trace.count("finding", findings.length);
  world.lastPasses.push({ isComplete, writes, incarnation: process.number });
}

async function openTraders(
  { world, store, control, clock }: Hands,
  parts: AccountParts,
  account: LiveAccount,
  bots: World["services"]["bots"],
): Promise<SimTrader[]> {
  const { botIds, exchange, schedule } = world;
  const traders: SimTrader[] = [];
  const { signal } = new AbortController();
  for (const [i, symbol] of SYMBOLS.entries()) {
    const botId = botIds[i];
    if (botId === undefined) throw new Error(`${symbol} has no bot`);
    const { rules } = await parts.openMarket(symbol, signal);
    const random = createRandom(schedule.seed, `whims ${symbol} ${world.processes.length}`);
    traders.push(
      createSimTrader({
        ...{ botId, symbol, account, store, bots, random, cells: control },
        market: { rules, leverage: null, maker: { queueLevel: 1, mayTake: random() < 0.5 } },
        dispatcher: parts.dispatcher,
        wishes: {
          isQuiet: () => world.isQuiet,
          takeFlatten: (id) => world.flattens.delete(id),
        },
        lastTicks: () => exchange.x.markets.get(symbol)?.lastTicks ?? 1,
        ...{ now: clock.now, step: world.step },
        script: schedule.script === undefined ? null : i === 0 ? schedule.script : [],
        isBlocked: () => parts.reconciler.blocks().has(symbol),
      }),
    );
  }
  return traders;
}

let loaded: Promise<unknown> | null = null;

/**
 * Loads what the adapter loads when it is first used: reading files takes real time, which no run may
 * depend on.
 */
export function loadAdapter(): Promise<unknown> {
  const answer = () => Promise.resolve(Response.json({ success: true, timestamp: 1 }));
  const clock = createSimClock(0).machine;
  const { signal } = new AbortController();
  loaded ??= openAdapter({ clock, log: silentLog }, answer).then((it) => it.serverTime({ signal }));
  return loaded;
}

function openAdapter({ clock, log }: Pick<Hands, "clock" | "log">, send: Send): Promise<Broker> {
  const credentials = {
    ...{ apiKey: createSecret("key"), apiSecret: createSecret("secret") },
    ...{ passphrase: null, uid: null },
  };
  return createCcxtBroker(
    { clock, log, loopbackUrl: "http://127.0.0.1:1", timeoutMs: NEVER_MS, send },
    { exchangeId: "woox", kind: "perps", mode: "demo", isTestnet: false, credentials },
  );
}

async function openBroker({ world, process, clock, log }: Hands): Promise<Broker> {
  const { exchange, schedule, trace } = world;
  const adapter = await openAdapter({ clock, log }, exchange.sendOf(process.number));
  const resilient = createResilientBroker(
    {
      ...{ clock, log, accountKey: "1", limiter: createRateLimiter({ clock }) },
      random: createRandom(schedule.seed, `retries ${process.number}`),
    },
    adapter,
  );
  const counted = <T extends { readonly outcome: string }>(what: string, answer: T): T => {
    trace.count(`${what} ${answer.outcome}`);
    return answer;
  };
  const broker: Broker = {
    ...resilient,
    place: async (order, to) => counted("place", await resilient.place(order, to)),
    cancel: async (ref, to) => counted("cancel", await resilient.cancel(ref, to)),
  };
  return process.hold("broker", broker, ["exchangeId", "capabilities", "listen"]);
}

/** What a bot loop does with failures: the next tick tries again. Anything else is a defect. */
async function attempted<T>(hands: Hands, work: () => Promise<T>): Promise<T | null> {
  const { world, process } = hands;
  try {
    return await work();
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    if (!EXPECTED.some((pattern) => pattern.test(text))) {
      world.trace.violate(world.clock.now(), `worker ${process.number}: ${text}`);
    }
    world.trace.note(world.clock.now(), `${process.number} tick failed: ${text}`);
    world.trace.count("tick failed");
    return null;
  }
}

const EXPECTED = [
  /^ConnectionLost: /,
  /^BrokerError: /,
  /the commit failed$/,
  /the connection was lost after the commit$/,
  /lease is lost/,
];
