// An account of one bot (or two) on the venue in this thread and on virtual time, with the real parts of the live loop
// and a network that loses what the test says. Used by the tests of closing everything.
import { createCcxtBroker } from "../../../src/adapters/ccxt/broker.ts";
import type { Send } from "../../../src/adapters/ccxt/broker-wire.ts";
import { createRateLimiter } from "../../../src/adapters/resilience/rate-limiter.ts";
import { createResilientBroker } from "../../../src/adapters/resilience/resilient-broker.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { TargetOrder } from "../../../src/model/order.ts";
import type { Scope, WorkspaceId } from "../../../src/ports/access-store.ts";
import type { BotId, NewEvent } from "../../../src/ports/bot-store.ts";
import type { Broker } from "../../../src/ports/broker.ts";
import type { TradingState } from "../../../src/risk/trading-state.ts";
import { createAccountParts } from "../../../src/services/live/account-parts.ts";
import { flattening } from "../../../src/services/live/flatten.ts";
import type { FlattenReport } from "../../../src/services/live/flatten-report.ts";
import type { FlattenWish } from "../../../src/services/live/flatten-look.ts";
import type { Dispatched, LiveDeps } from "../../../src/services/live/live-types.ts";
import { createRandom } from "../../../src/venue/random.ts";
import { createSimExchange } from "../../simulation/sim-exchange.ts";
import { CALM, type Weather } from "../../simulation/sim-network.ts";
import { createSimClock } from "../../simulation/sim-clock.ts";
import { silentLog } from "../../support/silent-log.ts";
import { createSimulatedStore } from "../../support/simulated-store.ts";
import { approved } from "./dispatch-world.ts";

export const BTC = "PERP_BTC_USDT";
export const ONE = 1 as BotId;
export const TWO = 2 as BotId;

const START = Date.UTC(2026, 0, 5, 8, 10);
const SCOPE: Scope = { workspaceId: 1 as WorkspaceId, userId: null, role: "owner" };
const TIMEOUT_MS = 10_000;
const NEVER_MS = 3_600_000;
const LEASE_TTL_MS = 3_600_000_000;

/** What a test may choose. */
export type FlattenWorldOptions = {
  readonly seed?: number;
  readonly isHedge?: boolean;
  /** Stands between the parts and the broker. */
  readonly around?: (broker: Broker) => Partial<Broker>;
};

/** A network that loses, before or after it was carried out, so many of a thousand requests. */
export function lossy(perMille: number): Weather {
  const half = Math.floor(perMille / 2);
  const answeredLate = Math.floor(perMille / 10);
  return { ...CALM, lostBefore: half, lostAfter: perMille - half - answeredLate, answeredLate };
}

/** The world of a test. */
export type FlattenWorld = Awaited<ReturnType<typeof openFlattenWorld>>;

/** Opens an account that holds nothing. */
export async function openFlattenWorld(options: FlattenWorldOptions = {}) {
  const { seed = 1, isHedge = false, around } = options;
  const clock = createSimClock(START);
  const exchange = createSimExchange({
    ...{ clock, seed, isHedge, timeoutMs: TIMEOUT_MS },
    onRequest: () => undefined,
    onWrite: () => undefined,
  });
  const simulated = createSimulatedStore(nextStatus, () => clock.now());
  const { store } = simulated;
  const accountId = simulated.addAccount(SCOPE);
  const taken = await store.takeLease(SCOPE, accountId, "worker", LEASE_TTL_MS, false);
  if (!taken.ok) throw new Error(taken.detail);
  const hands = { state: "active" as TradingState, leaseMs: 30_000 };
  const events: NewEvent[] = [];
  const { machine } = clock;
  const real = await openBroker(machine, exchange.sendOf(1), seed);
  const live: LiveDeps = {
    account: {
      ...{ scope: SCOPE, accountId, mode: "demo", instance: 7 },
      positionMode: isHedge ? "hedge" : "one_way",
    },
    lease: {
      guard: taken.value,
      stampS: () => taken.value.stampS,
      freshStamp: () => store.freshStamp(SCOPE, taken.value),
      remainingMs: () => hands.leaseMs,
    },
    cells: { cell: () => ({ state: hands.state, epoch: 1, reason: "a test", since: START }) },
    broker: { ...real, ...around?.(real) },
    ...{ store, clock: machine, log: silentLog, note: (event) => void events.push(event) },
  };
  const parts = createAccountParts(live);
  const { signal } = new AbortController();

  /** Lets time pass until the work is done. */
  async function driven<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    work.then(over, over);
    for (let n = 0; !isOver; n++) {
      if (n > 20_000) throw new Error("it does not end");
      await clock.runUntil(clock.now() + 50);
    }
    return work;
  }

  async function place(botId: BotId, change: Partial<TargetOrder>): Promise<Dispatched> {
    const { rules } = await parts.openMarket(BTC, signal);
    const report = await parts.dispatcher.dispatch({
      ...{ cancel: [], park: [], send: [], step: null, isFlatten: false },
      place: [
        {
          ...{ approved: approved(change), owner: `bot:${botId}`, botId, referencePrice: null },
          market: { rules, leverage: 10, maker: { queueLevel: null, mayTake: true } },
          heldQty: change.isReduceOnly === true ? decimal("1000") : null,
        },
      ],
    });
    const [one] = report.ok ? report.dispatched : [];
    if (one === undefined) throw new Error("nothing was dispatched");
    return one;
  }
  await driven(parts.resolver.settle(signal));
  await driven(parts.openMarket(BTC, signal));
  return {
    ...{ clock, exchange, store, parts, live, hands, events, accountId, driven },
    /** Places one order; a market order is waited for until its trades are booked. */
    order: (botId: BotId, change: Partial<TargetOrder>) =>
      driven(
        place(botId, change).then(async (placed) => {
          await machine.sleep(1000);
          await parts.ingest.trades(BTC, START - 60_000, signal);
          return placed;
        }),
      ),
    weather: exchange.setWeather,
    flatten: (what: FlattenWish): Promise<FlattenReport> =>
      driven(flattening(parts, live)(what, signal)),
    holdings: () => store.holdings(SCOPE, accountId),
    alive: () => store.aliveIntents(SCOPE, accountId),
    fills: () => store.fills(SCOPE, accountId, BTC),
    /** What the exchange says is held, in lots, by leg. */
    atExchange: () =>
      [...exchange.account.legs.entries()].map(([leg, { lots }]) => ({ leg, lots })),
    openAtExchange: () => [...exchange.account.open],
    close: () => exchange.close(),
  };
}

async function openBroker(clock: LiveDeps["clock"], send: Send, seed: number): Promise<Broker> {
  const credentials = {
    ...{ apiKey: createSecret("key"), apiSecret: createSecret("secret") },
    ...{ passphrase: null, uid: null },
  };
  const adapter = await createCcxtBroker(
    { clock, log: silentLog, loopbackUrl: "http://127.0.0.1:1", timeoutMs: NEVER_MS, send },
    { exchangeId: "woox", kind: "perps", mode: "demo", isTestnet: false, credentials },
  );
  return createResilientBroker(
    {
      ...{ clock, log: silentLog, accountKey: "1", limiter: createRateLimiter({ clock }) },
      random: createRandom(seed, "retries"),
    },
    adapter,
  );
}
