// What must hold in every run whatever befalls it, checked from outside: the venue's own books, the rows
// and the requests as they left, never what a worker says about itself. Called by the world at every write,
// after every step and at the end.
import { formatClientOrderId, parseClientOrderId } from "../../src/model/client-order-id.ts";
import type { OrderPurpose } from "../../src/model/order.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { StoredIntent, TradingStore } from "../../src/ports/trading-store.ts";
import { permits, strictest, type TradingState } from "../../src/risk/trading-state.ts";
import { isOpen, type Order } from "../../src/venue/order.ts";
import { type Algo, isAlgoOpen } from "../../src/venue/algo-order.ts";
import { booksDiffer } from "../support/venue-books.ts";
import type { SimClock } from "./sim-clock.ts";
import type { SimExchange } from "./sim-exchange.ts";
import type { WireWrite } from "./sim-network.ts";
import type { Trace } from "./trace.ts";

/** Who had the account from when on. */
export type LeaseTaken = { readonly incarnation: number; readonly at: number };
/** Which states held from when on. */
export type StatesSet = { readonly states: readonly TradingState[]; readonly at: number };

/** What the checks look at. */
export type InvariantDeps = {
  readonly clock: SimClock;
  readonly exchange: () => SimExchange;
  /** The rows as they are, without a connection in between. */
  readonly store: TradingStore;
  readonly scope: Scope;
  readonly accountId: AccountId;
  readonly trace: Trace;
  readonly leases: readonly LeaseTaken[];
  readonly states: readonly StatesSet[];
};

/** The checks. */
export type Invariants = {
  /** A request is about to leave a worker. */
  onWrite(write: WireWrite): void;
  afterStep(): Promise<void>;
  /** After everything has come to rest. */
  atEnd(): Promise<void>;
};

/** How long a new state may take to reach the door. */
const KILL_MS = 1000;
const ALIVE_MAX = 60;
const WAITING_MAX = 400;

/** Checks that have seen nothing yet. */
export function createInvariants(deps: InvariantDeps): Invariants {
  const unprotected = createProtectionWatch(deps);
  return {
    onWrite: (write) => void judgeWrite(deps, write),
    async afterStep() {
      await noOrderTwice(deps);
      unprotected();
      const alive = await deps.store.aliveIntents(deps.scope, deps.accountId);
      if (alive.length > ALIVE_MAX) violate(deps, `${alive.length} orders are alive`);
      const waiting = deps.clock.waiting();
      if (waiting > WAITING_MAX) violate(deps, `${waiting} timers wait`);
    },
    async atEnd() {
      await everyTradeBooked(deps);
      const { store, scope, accountId } = deps;
      const differences = await booksDiffer(deps.exchange().x, deps.exchange().account, {
        ...{ store, scope, accountId },
      });
      for (const difference of differences) violate(deps, `books: ${difference}`);
      const alive = await deps.store.aliveIntents(deps.scope, deps.accountId);
      for (const { clientOrderId, status } of alive) {
        violate(deps, `${clientOrderId} is still ${status} at the end`);
      }
      const { account, x } = deps.exchange();
      for (const order of account.open) violate(deps, `order ${nameOf(order)} rests at the end`);
      for (const algo of x.liveAlgos) violate(deps, `stop ${algo.clientId} waits at the end`);
    },
  };
}

/** Our row of an order at the exchange; null when the id is none of ours. */
async function rowOf(
  { store, scope, accountId }: InvariantDeps,
  id: string | null,
): Promise<StoredIntent | null> {
  const parts = id === null ? null : parseClientOrderId(id);
  return parts === null ? null : store.findIntent(scope, accountId, formatClientOrderId(parts));
}

function violate({ trace, clock }: InvariantDeps, sentence: string): void {
  trace.violate(clock.now(), sentence);
}

const nameOf = ({ clientOrderId, id }: Order) => `${clientOrderId} (${id})`;

/** The right to write, the states and the row, at the moment a request leaves. */
async function judgeWrite(deps: InvariantDeps, write: WireWrite): Promise<void> {
  const { clientOrderId, incarnation, sentAt } = write;
  const owner = deps.leases.findLast(({ at }) => at <= sentAt);
  if (owner?.incarnation !== incarnation) {
    violate(
      deps,
      `${write.method} of worker ${incarnation} under a lease of ${owner?.incarnation}`,
    );
  }
  const isPlacing = write.method === "POST";
  const intent = await rowOf(deps, clientOrderId);
  if (isPlacing && intent === null) violate(deps, `${clientOrderId} was sent without a row`);
  if (isPlacing && intent !== null && intent.status !== "sending") {
    violate(deps, `${clientOrderId} was sent while its row was ${intent.status}`);
  }
  if (!isAllowed(deps, sentAt, isPlacing ? (intent?.purpose ?? null) : null)) {
    const what = isPlacing ? `${intent?.purpose} ${clientOrderId}` : write.method;
    violate(deps, `${what} was sent more than a second after the state forbade it`);
  }
}

/** Whether at some moment of the last second the states allowed it; null is a cancel. */
function isAllowed({ states }: InvariantDeps, at: number, purpose: OrderPurpose | null): boolean {
  const allows = (set: StatesSet | undefined) => {
    const state = strictest(set?.states ?? []);
    return purpose === null ? state !== "frozen" : permits(state, purpose);
  };
  const before = states.findLast((set) => set.at <= at - KILL_MS);
  const since = states.filter((set) => set.at > at - KILL_MS && set.at <= at);
  return [before, ...since].some(allows);
}

type Mark = { readonly clientOrderId: string; readonly isWorking: boolean };

function marksOf({ account }: SimExchange): Mark[] {
  const orders = [...account.orders.values()].map((order: Order) => ({
    clientOrderId: order.clientOrderId,
    isWorking: isOpen(order),
  }));
  const algos = [...account.algos.values()].map((algo: Algo) => ({
    clientOrderId: algo.clientId,
    isWorking: isAlgoOpen(algo),
  }));
  return [...orders, ...algos].filter(({ clientOrderId }) => clientOrderId !== "0");
}

/**
 * One order per client id, one intent per order, one working order per slot. A protective stop is given up
 * after seconds, because a position without one is worse: such a one may turn up beside the next.
 */
async function noOrderTwice(deps: InvariantDeps): Promise<void> {
  const marks = marksOf(deps.exchange());
  const ids = new Set<string>();
  const slots = new Map<string, string>();
  const doubled = new Set<string>();
  for (const { clientOrderId, isWorking } of marks) {
    if (ids.has(clientOrderId)) violate(deps, `${clientOrderId} was accepted twice`);
    ids.add(clientOrderId);
    if (!isWorking) continue;
    const intent = await rowOf(deps, clientOrderId);
    if (intent === null) {
      violate(deps, `${clientOrderId} is at the exchange without a row`);
      continue;
    }
    const slot = `${intent.owner} ${intent.symbol} ${intent.targetKey}`;
    const rival = slots.get(slot);
    const isStop = intent.purpose === "protective_stop" && intent.isReduceOnly;
    const hasTwin = isStop && !doubled.has(slot);
    if (rival !== undefined && hasTwin) doubled.add(slot);
    else if (rival !== undefined) violate(deps, `${slot}: ${rival} and ${clientOrderId} both work`);
    slots.set(slot, clientOrderId);
  }
}

/** Every execution is booked exactly once, and to whom it belongs. */
async function everyTradeBooked(deps: InvariantDeps): Promise<void> {
  const { store, scope, accountId } = deps;
  const { account, x } = deps.exchange();
  const children = new Map<Order, Algo>();
  for (const algo of account.algos.values()) if (algo.order) children.set(algo.order, algo);
  const booked = new Map<string, { owner: string; clientOrderId: string | null; times: number }>();
  for (const symbol of x.markets.keys()) {
    for (const { tradeId, owner, clientOrderId } of await store.fills(scope, accountId, symbol)) {
      const times = (booked.get(tradeId)?.times ?? 0) + 1;
      booked.set(tradeId, { owner, clientOrderId, times });
    }
  }
  for (const trade of account.trades) {
    const algo = children.get(trade.order);
    const id = algo?.clientId ?? trade.order.clientOrderId;
    const intent: StoredIntent | null = await rowOf(deps, id);
    const found = booked.get(String(trade.id));
    const due = intent?.owner ?? "foreign";
    if (found === undefined) violate(deps, `trade ${trade.id} of ${id} (${due}) was never booked`);
    else if (found.times > 1) violate(deps, `trade ${trade.id} was booked ${found.times} times`);
    else if (found.owner !== due) {
      violate(
        deps,
        `trade ${trade.id} of ${id} belongs to ${due} and was booked to ${found.owner}`,
      );
    }
  }
  if (booked.size > account.trades.length) violate(deps, "fills were booked that never happened");
}

/** Measures how long bots held a position without a stop at the exchange. */
function createProtectionWatch(deps: InvariantDeps): () => void {
  let since: number | null = null;
  return () => {
    const { account, x } = deps.exchange();
    const holds = [...account.legs.values()].some(
      (leg) =>
        leg.lots !== 0 &&
        ![...x.liveAlgos].some((algo) => algo.instrument === leg.instrument && algo.reduceOnly),
    );
    const now = deps.clock.now();
    if (!holds) {
      since = null;
      return;
    }
    if (since !== null) deps.trace.count("seconds without a stop", (now - since) / 1000);
    since = now;
  };
}
