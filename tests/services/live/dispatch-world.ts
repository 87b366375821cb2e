// The order door of one account on the real venue over loopback, with the real broker, the simulated store
// and a clock in the test's hands: waiting takes no time, but moves the venue on. Used by the tests of the
// dispatcher, its ladder and the resolver.
import { createCcxtBroker } from "../../../src/adapters/ccxt/broker.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { ApprovedIntent, TargetOrder } from "../../../src/model/order.ts";
import type { Scope, WorkspaceId } from "../../../src/ports/access-store.ts";
import type { AccountId } from "../../../src/ports/account-store.ts";
import type { BotId, NewEvent } from "../../../src/ports/bot-store.ts";
import type { Broker, PositionMode } from "../../../src/ports/broker.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { StoredIntent, TradingStore } from "../../../src/ports/trading-store.ts";
import { approve } from "../../../src/risk/pre-trade.ts";
import type { TradingState } from "../../../src/risk/trading-state.ts";
import { createFactIngest } from "../../../src/services/live/fact-ingest.ts";
import type {
  DispatchBatch,
  Dispatched,
  DispatchReport,
  FactIngest,
  LiveDeps,
  OrderDispatcher,
  PlaceOrder,
} from "../../../src/services/live/live-types.ts";
import { createOrderDispatcher } from "../../../src/services/live/order-dispatcher.ts";
import { createUnverifiedResolver } from "../../../src/services/live/unverified-resolver.ts";
import { silentLog } from "../../support/silent-log.ts";
import { createSimulatedStore, type SimulatedStore } from "../../support/simulated-store.ts";
import { type Lab, type LabOptions, START, startLab } from "../../venue/lab.ts";

/** The market of every world. */
export const SYMBOL = "PERP_BTC_USDT";
/** The bot of every world. */
export const BOT = 1 as BotId;

/** A clock whose waiting is over at once; waits that can be stopped last until time has passed. */
export type HandClock = Clock & { advance(ms: number): Promise<void> };

/** @param onAdvance told how far time goes, before anybody wakes */
export function handClock(start: number, onAdvance: (ms: number) => Promise<void>): HandClock {
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  let now = start;
  async function advance(ms: number): Promise<void> {
    await onAdvance(ms);
    now += ms;
    for (const sleeper of sleepers) {
      if (sleeper.at > now) continue;
      sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
  return {
    now: () => now,
    monotonicMs: () => now - start,
    advance,
    sleep: (ms, signal) => {
      if (signal === undefined) return advance(ms);
      return new Promise((resolve, reject) => {
        const sleeper = { at: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal.addEventListener("abort", () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      });
    },
  };
}

/** What a test may choose. */
export type WorldOptions = LabOptions & {
  readonly positionMode?: PositionMode;
  /** Another store than the simulated one. */
  readonly store?: { readonly store: TradingStore; readonly scope: Scope; readonly id: AccountId };
  /** Stands between the door and the broker. */
  readonly around?: (broker: Broker) => Partial<Broker>;
  /** Stands between the door and the store. */
  readonly aroundStore?: (store: TradingStore) => Partial<TradingStore>;
};

/** A world. */
export type World = {
  readonly lab: Lab;
  readonly clock: HandClock;
  readonly broker: Broker;
  readonly live: LiveDeps;
  readonly simulated: SimulatedStore;
  readonly dispatcher: OrderDispatcher;
  readonly resolver: ReturnType<typeof createUnverifiedResolver>;
  readonly events: NewEvent[];
  /** The strings to pull. */
  readonly hands: { state: TradingState; epoch: number; leaseMs: number; stampS: number };
  /** Carries out a batch of the given parts. */
  dispatch(batch: Partial<DispatchBatch>): Promise<DispatchReport>;
  /** The same for a batch that is written down. @throws when it is not */
  done(batch: Partial<DispatchBatch>): Promise<Extract<DispatchReport, { ok: true }>>;
  /** Places one order. */
  place(target?: Partial<TargetOrder>, order?: Partial<PlaceOrder>): Promise<Dispatched>;
  order(target?: Partial<TargetOrder>, order?: Partial<PlaceOrder>): PlaceOrder;
  /** Goes on until no doubt is left. @returns the milliseconds it took */
  settle(): Promise<number>;
  /** What the rows say now. */
  rows(): Promise<StoredIntent[]>;
  kinds(): string[];
};

const signal = new AbortController().signal;

/** Opens a world; the lab is stopped by `stopLabs`. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const { positionMode = "one_way", store: given, around, aroundStore, ...labOptions } = options;
  const isHedge = positionMode === "hedge";
  const account = isHedge ? { mode: "HEDGE_MODE" as const } : {};
  const lab = startLab({ ...labOptions, account: { ...account, ...labOptions.account } });
  const clock = handClock(START, (ms) => lab.step(ms));
  const simulated = createSimulatedStore(nextStatus, clock.now);
  const scope: Scope = given?.scope ?? {
    workspaceId: 1 as WorkspaceId,
    userId: null,
    role: "owner",
  };
  const kept = given?.store ?? simulated.store;
  const store: TradingStore = { ...kept, ...aroundStore?.(kept) };
  const accountId = given?.id ?? simulated.addAccount(scope);
  const taken = await store.takeLease(scope, accountId, "worker-1", 3_600_000, false);
  if (!taken.ok) throw new Error(taken.detail);
  const hands = {
    state: "active" as TradingState,
    epoch: await store.epoch(scope),
    leaseMs: 30_000,
    stampS: taken.value.stampS,
  };
  const real = await openBroker(lab, clock);
  const broker: Broker = { ...real, ...around?.(real) };
  const events: NewEvent[] = [];
  const live: LiveDeps = {
    account: { scope, accountId, mode: "demo", positionMode, instance: 7 },
    lease: {
      guard: { accountId, token: taken.value.token },
      stampS: () => hands.stampS,
      freshStamp: () => store.freshStamp(scope, taken.value),
      remainingMs: () => hands.leaseMs,
    },
    cells: { cell: () => ({ ...hands, reason: "a test", since: START }) },
    ...{ store, broker, clock, log: silentLog },
    note: (event) => events.push(event),
  };
  const resolver = createUnverifiedResolver({
    ...live,
    ingest: openIngest(live),
    inFlight: () => dispatcher.inFlight(),
  });
  const dispatcher = createOrderDispatcher({ ...live, resolver });
  await resolver.settle(signal);
  const rules = await broker.orderRules(SYMBOL, { signal });
  const order: World["order"] = (target, change) => ({
    approved: approved(target),
    owner: `bot:${BOT}`,
    botId: BOT,
    market: { rules, leverage: null, maker: { queueLevel: null, mayTake: false } },
    referencePrice: null,
    heldQty: null,
    ...change,
  });
  const dispatch: World["dispatch"] = (batch) =>
    dispatcher.dispatch({
      ...{ cancel: [], place: [], park: [], send: [], step: null, isFlatten: false },
      ...batch,
    });
  const done: World["done"] = async (batch) => {
    const report = await dispatch(batch);
    if (!report.ok) throw new Error(`${report.reason}: ${report.detail}`);
    return report;
  };
  return {
    ...{ lab, clock, broker, live, simulated, dispatcher, resolver, events, hands },
    ...{ order, dispatch, done },
    async place(target, change) {
      const { dispatched } = await done({ place: [order(target, change)] });
      const [one] = dispatched;
      if (one === undefined) throw new Error("nothing was dispatched");
      return one;
    },
    async settle() {
      const began = clock.monotonicMs();
      for (let n = 0; n < 400 && (await resolver.settle(signal)) > 0; n++) await clock.advance(500);
      return clock.monotonicMs() - began;
    },
    rows: async () => [
      ...(await store.recentIntents(scope, accountId, { owner: null, limit: 1000 })),
    ],
    kinds: () => events.map(({ kind }) => kind),
  };
}

/** A target that was approved; a limit bid of 1 BTC at 99 unless changed. */
export function approved(change: Partial<TargetOrder> = {}): ApprovedIntent {
  const target: TargetOrder = {
    ...{ key: "entry", purpose: "entry", kind: "limit", side: "buy", positionSide: "long" },
    ...{ isReduceOnly: false, priceTicks: 198, qtyLots: 100, bandPct: 0, decidedAt: START },
    ...{ liveFrom: 0, replacePct: 0, reason: "ENTRY" },
    ...change,
  };
  const passed: ApprovedIntent[] = [];
  approve([{ op: "place", slot: 0, target }], "active", passed, []);
  const [one] = passed;
  if (one === undefined) throw new Error("it was denied");
  return one;
}

async function openBroker(lab: Lab, clock: Clock): Promise<Broker> {
  const real = createClock();
  const mixed: Clock = { ...real, now: clock.now };
  const { apiKey, secret } = lab.account;
  const credentials = {
    apiKey: createSecret(apiKey),
    apiSecret: createSecret(secret),
    passphrase: null,
    uid: null,
  };
  return createCcxtBroker(
    { clock: mixed, log: silentLog, loopbackUrl: lab.venue.url, timeoutMs: 2000 },
    { exchangeId: "woox", kind: "perps", mode: "demo", credentials, isTestnet: false },
  );
}

/** The real ingest; fees in other assets than the settle asset do not come up here. */
export function openIngest(live: LiveDeps): FactIngest {
  const rules = { contractSize: decimal(1), qtyStep: decimal("0.01") };
  return createFactIngest({
    ...live,
    markets: new Map([[SYMBOL, { rules, settleAsset: "USDT" }]]),
    feeRates: () => Promise.resolve(null),
    priceOf: () => null,
    onBooked: () => undefined,
  });
}
