// An account on the simulated exchange with everything that reads it: the real ccxt broker over loopback,
// a store, ingest and reconciler. Time is the exchange's and moves by hand. Used by the tests of facts and
// reconciliation; orders are sent by the shortest way that writes ahead.
import { createCcxtBroker } from "../../src/adapters/ccxt/broker.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import { formatClientOrderId } from "../../src/model/client-order-id.ts";
import { type Decimal, decimal } from "../../src/model/decimal.ts";
import type { PositionSide } from "../../src/model/order.ts";
import type { Scope, WorkspaceId } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { BotId, NewEvent } from "../../src/ports/bot-store.ts";
import type { Broker, OrderTerms, PositionMode, WriteAnswer } from "../../src/ports/broker.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type {
  IntentNews,
  Lease,
  NewIntent,
  StoredIntent,
  TradingStore,
} from "../../src/ports/trading-store.ts";
import type { FactIngestDeps } from "../../src/services/live/fact-ingest.ts";
import { createFactIngest } from "../../src/services/live/fact-ingest.ts";
import type { FactIngest, LiveDeps, Reconciler } from "../../src/services/live/live-types.ts";
import { createReconciler } from "../../src/services/live/reconciler.ts";
import { brokerAccount } from "../contract/broker-lab.ts";
import { type Lab, type LabOptions, startLab } from "../venue/lab.ts";
import { silentLog } from "./silent-log.ts";
import { createSimulatedStore } from "./simulated-store.ts";
import { booksDiffer } from "./venue-books.ts";

/** The contract of the lab. */
export const SYMBOL = "PERP_BTC_USDT";
/** This installation in the lab's client order ids. */
export const INSTANCE = 7;

/** Rows of one account. */
export type Rows = {
  readonly store: TradingStore;
  readonly scope: Scope;
  readonly accountId: AccountId;
};

/** An order of a bot; everything has a default. */
export type Wish = {
  readonly bot?: number;
  readonly side?: "buy" | "sell";
  /** What it is meant for; long unless told. */
  readonly positionSide?: PositionSide;
  readonly terms?: OrderTerms;
  readonly qty?: string;
  readonly isReduceOnly?: boolean;
  /** Nobody tells our rows what the exchange answered. */
  readonly isAnswerLost?: boolean;
};

/** What a test may choose. */
export type ReconcileLabOptions = {
  readonly mode?: PositionMode;
  readonly venue?: LabOptions;
  readonly rows?: Rows;
  readonly ingest?: Partial<FactIngestDeps>;
  /** Stands before the broker. */
  readonly broker?: (broker: Broker) => Broker;
};

/** A running lab. */
export type ReconcileLab = Rows & {
  readonly lab: Lab;
  readonly deps: LiveDeps;
  readonly ingest: FactIngest;
  readonly events: NewEvent[];
  readonly booked: string[];
  /** Symbols whose orders are in doubt. */
  readonly doubts: Set<string>;
  /** Writes to the store since the lab began. */
  writes(): number;
  /** The reconciler; a new one after `restart`. */
  reconciler(): Reconciler;
  /** Forgets everything that is not a row. */
  restart(): void;
  /** Commits an order, sends it and records the answer. */
  send(wish?: Wish): Promise<StoredIntent>;
  /** Asks the exchange to cancel. */
  cancel(intent: StoredIntent): Promise<void>;
  find(intent: StoredIntent): Promise<StoredIntent>;
  /** One pass. */
  pass(): ReturnType<Reconciler["pass"]>;
  /** Passes, a second apart, until one is complete and writes nothing. @returns how many it took */
  settle(): Promise<number>;
  /** Kinds of the events noted so far, in their order. */
  kinds(): string[];
  differences(): Promise<string[]>;
};

const SIGNAL = new AbortController().signal;
const PASSES_MAX = 12;

/** Rows in memory. */
export function simulatedRows(now: () => number): Rows {
  const { store, addAccount } = createSimulatedStore(nextStatus, now);
  const scope: Scope = { workspaceId: 1 as WorkspaceId, userId: null, role: "owner" };
  return { store, scope, accountId: addAccount(scope) };
}

/** Starts an exchange and everything that reads it. */
export async function startReconcileLab(options: ReconcileLabOptions = {}): Promise<ReconcileLab> {
  const { mode = "one_way" } = options;
  const lab = startLab({
    ...options.venue,
    house: { levelLotsMax: 1000, ...options.venue?.house },
    account: { mode: mode === "hedge" ? "HEDGE_MODE" : "ONE_WAY", ...options.venue?.account },
  });
  let calls = 0;
  const clock: Clock = {
    now: () => lab.x.now,
    // The machine's counts parts of a millisecond.
    monotonicMs: () => lab.x.now + ++calls * 1e-3,
    sleep: () => Promise.resolve(),
  };
  const rows = options.rows ?? simulatedRows(clock.now);
  const counted = countWrites(rows.store);
  const real = await createCcxtBroker(
    { clock, log: silentLog, loopbackUrl: lab.venue.url, timeoutMs: 2000 },
    brokerAccount(lab),
  );
  const broker = options.broker?.(real) ?? real;
  const taken = await leaseOf(rows);
  const events: NewEvent[] = [];
  const booked: string[] = [];
  const doubts = new Set<string>();
  const { scope, accountId } = rows;
  const deps: LiveDeps = {
    account: { scope, accountId, mode: "demo", positionMode: mode, instance: INSTANCE },
    lease: {
      guard: taken,
      stampS: () => taken.stampS,
      freshStamp: async () => taken.stampS,
      remainingMs: () => 30_000,
    },
    cells: { cell: () => ({ epoch: 1, state: "active", reason: "", since: 0 }) },
    store: counted.store,
    broker,
    clock,
    log: silentLog,
    note: (event) => void events.push(event),
  };
  const parts = () => partsOf(deps, { booked, doubts }, options.ingest);
  let running = parts();
  const lab_: ReconcileLab = {
    ...{ ...rows, store: counted.store, lab, deps, events, booked, doubts },
    ingest: {
      trades: (...call) => running.ingest.trades(...call),
      tradesOf: (...call) => running.ingest.tradesOf(...call),
      funding: (...call) => running.ingest.funding(...call),
    },
    writes: counted.writes,
    reconciler: () => running.reconciler,
    restart: () => {
      running = parts();
    },
    ...orders(deps, taken),
    pass: () => running.reconciler.pass(SIGNAL),
    settle: async () => {
      for (let passes = 1; passes <= PASSES_MAX; passes++) {
        const { isComplete, writes } = await lab_.pass();
        await lab.step(1000);
        if (isComplete && writes === 0 && passes > 2) return passes;
      }
      throw new Error(`${PASSES_MAX} passes did not settle the account`);
    },
    kinds: () => events.map(({ kind }) => kind),
    differences: () => booksDiffer(lab.x, lab.account, rows),
  };
  return lab_;
}

async function leaseOf({ store, scope, accountId }: Rows): Promise<Lease> {
  const taken = await store.takeLease(scope, accountId, "lab", 3_600_000, true);
  if (!taken.ok) throw new Error(taken.detail);
  return taken.value;
}

function partsOf(
  deps: LiveDeps,
  heard: { readonly booked: string[]; readonly doubts: ReadonlySet<string> },
  change: Partial<FactIngestDeps> = {},
) {
  const rules = { contractSize: decimal(1), qtyStep: decimal("0.01") };
  const markets = new Map([[SYMBOL, { rules, settleAsset: "USDT" }]]);
  const onBooked = (symbol: string) => void heard.booked.push(symbol);
  const ingest = createFactIngest({
    ...{ ...deps, markets, onBooked, priceOf: () => null },
    feeRates: (symbol, signal) => deps.broker.feeRates(symbol, { signal }),
    ...change,
  });
  const isInDoubt = (symbol: string) => heard.doubts.has(symbol);
  const reconciler = createReconciler({ ...deps, ingest, isInDoubt, markets, onBooked });
  return { ingest, reconciler };
}

/** The store with its writes counted. */
function countWrites(store: TradingStore): { store: TradingStore; writes: () => number } {
  let writes = 0;
  const counting = <Call extends (...args: never[]) => unknown>(call: Call): Call =>
    ((...args: Parameters<Call>) => {
      writes += 1;
      return call(...args);
    }) as Call;
  return {
    writes: () => writes,
    store: {
      ...store,
      commitIntents: counting(store.commitIntents),
      recordNews: counting(store.recordNews),
      recordFill: counting(store.recordFill),
      recordFunding: counting(store.recordFunding),
      recordTransfer: counting(store.recordTransfer),
    },
  };
}

function orders(deps: LiveDeps, lease: Lease): Pick<ReconcileLab, "send" | "cancel" | "find"> {
  const { store, account, broker, clock } = deps;
  const { scope, accountId } = account;
  let sequence = 0;
  const tell = async ({ id }: StoredIntent, news: IntentNews): Promise<StoredIntent> => {
    const told = await store.recordNews(scope, lease, id, news, clock.now());
    if (!told.ok) throw new Error(told.detail);
    return told.value;
  };
  return {
    async send(wish = {}) {
      const bot = (wish.bot ?? 1) as BotId;
      const parts = { stampS: lease.stampS, instance: INSTANCE, bot, sequence };
      sequence += 1;
      const clientOrderId = formatClientOrderId(parts);
      const intent = intentOf(wish, bot, clientOrderId, deps);
      const epoch = await store.epoch(scope);
      const batch = { place: [intent], send: [] };
      const made = await store.commitIntents(scope, lease, epoch, batch, clock.now());
      const [stored] = made.ok ? made.value : [];
      if (!stored) throw new Error(made.ok ? "no intent" : made.detail);
      const { symbol, side, terms, qty, isReduceOnly } = stored;
      const answer = await broker.place(
        {
          ...{ clientOrderId, symbol, side, terms, qty, isReduceOnly },
          positionSide: stored.leg === "net" ? null : stored.leg,
          ...{ visibleQty: null, leverage: null },
        },
        { signal: SIGNAL },
      );
      if (answer.outcome === "refused") throw new Error(answer.sentence);
      return wish.isAnswerLost ? stored : await tell(stored, newsOf(answer));
    },
    async cancel({ symbol, exchangeOrderId, terms }) {
      const isTrigger = terms.kind === "trigger";
      const ref = { symbol, by: "exchange", id: exchangeOrderId ?? "", isTrigger } as const;
      const answer = await broker.cancel(ref, { signal: SIGNAL });
      if (answer.outcome !== "accepted") throw new Error(answer.sentence);
    },
    async find({ clientOrderId }) {
      const found = clientOrderId && (await store.findIntent(scope, accountId, clientOrderId));
      if (!found) throw new Error("there is no such order");
      return found;
    },
  };
}

function intentOf(
  wish: Wish,
  bot: BotId,
  clientOrderId: NewIntent["clientOrderId"],
  { account, clock }: LiveDeps,
): NewIntent {
  const { side = "buy", positionSide = "long", isReduceOnly = false } = wish;
  return {
    ...{ status: "sending", clientOrderId, owner: `bot:${bot}`, symbol: SYMBOL },
    leg: account.positionMode === "hedge" ? positionSide : "net",
    ...{ positionSide, side, isReduceOnly },
    purpose: isReduceOnly ? "take_profit" : "entry",
    reason: isReduceOnly ? "TP_PCT" : "ENTRY",
    targetKey: isReduceOnly ? "tp" : "entry",
    terms: wish.terms ?? { kind: "market" },
    qty: decimal(wish.qty ?? "1"),
    decidedAt: clock.now(),
  };
}

function newsOf(answer: WriteAnswer<{ exchangeOrderId: string }>): IntentNews {
  if (answer.outcome === "accepted") return { event: "accepted", ...answer.value };
  return { event: answer.outcome, detail: answer.sentence };
}

/** A limit order. */
export function limit(price: string): OrderTerms {
  return { kind: "limit", price: price as Decimal };
}
