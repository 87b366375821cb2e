// Both sides of a comparison: what the exchange shows and what our rows say. Called by reconciler.ts. A
// read that failed is null and says so; nothing here writes or concludes.
import { isFinal } from "../../execution/order-machine.ts";
import type { AccountSnapshot, AccountView, OrderView } from "../../execution/reconcile-view.ts";
import { formatClientOrderId, parseClientOrderId } from "../../model/client-order-id.ts";
import { signedQty } from "../../model/leg-position.ts";
import type { EpochMs } from "../../model/time.ts";
import type { OrderReport, PositionReport } from "../../ports/broker.ts";
import type { StoredIntent, SymbolHolding } from "../../ports/trading-store.ts";
import type { FactMarket } from "./fact-records.ts";
import type { LiveDeps } from "./live-types.ts";

/** Orders that ended so lately may still be listed. */
const ENDED_LATELY_MS = 10 * 60_000;
const RECENT_MAX = 500;
/** A turn is waited for so long: after "too many requests" that of positions may be ten seconds away. */
const PATIENCE_MS = 300;
/** Listed orders in our writing that are looked up one by one in a pass. */
const LOOKUPS_MAX = 50;

/** What the exchange showed. */
export type ExchangeSide = AccountSnapshot & {
  readonly orders: readonly OrderReport[] | null;
  readonly positions: readonly PositionReport[] | null;
  /** One of them was not asked for, because its turn was far. */
  readonly isDeferred: boolean;
  /** One sentence per read that failed. */
  readonly failures: readonly string[];
};

/** What our rows say. */
export type OwnSide = {
  readonly view: AccountView;
  /** The intents of the view, by client order id. */
  readonly intents: ReadonlyMap<string, StoredIntent>;
  readonly holdings: readonly SymbolHolding[];
};

/**
 * Asks for open orders and positions at once. What has its turn far off is left for a later pass: what trades and
 * the other one tell is not to wait for it.
 * @throws when the signal is aborted
 */
export async function readExchange(deps: LiveDeps, signal: AbortSignal): Promise<ExchangeSide> {
  const askedAt = deps.clock.now();
  const [orders, positions] = await Promise.allSettled([
    deps.broker.openOrders(null, { signal, patienceMs: PATIENCE_MS }),
    readPositions(deps, signal),
  ]);
  const isFar = (answer: PromiseSettledResult<unknown>) =>
    answer.status === "rejected" && isTooFar(answer.reason);
  return {
    askedAt,
    orders: orders.status === "fulfilled" ? orders.value : null,
    positions: positions.status === "fulfilled" ? positions.value : null,
    isDeferred: isFar(orders) || isFar(positions),
    failures: [
      ...failuresOf("open orders", orders, signal),
      ...failuresOf("positions", positions, signal),
    ],
  };
}

function failuresOf(what: string, answer: PromiseSettledResult<unknown>, signal: AbortSignal) {
  if (answer.status === "fulfilled" || isTooFar(answer.reason)) return [];
  return [failure(what, answer.reason, signal)];
}

/** Positions; none where the exchange keeps none. @throws what `isTooFar` knows when its turn is far */
export async function readPositions(
  { broker }: Pick<LiveDeps, "broker">,
  signal: AbortSignal,
): Promise<readonly PositionReport[]> {
  return broker.capabilities.leverage
    ? await broker.positions(null, { signal, patienceMs: PATIENCE_MS })
    : [];
}

/** Whether the turn of a question is too far to wait for it. */
export function isTooFar(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name === "BrokerError" &&
    "kind" in error &&
    error.kind === "queue_full"
  );
}

/**
 * What failed, in one sentence.
 * @throws the error when the signal is aborted, and whatever the exchange is not to blame for
 */
export function failure(what: string, error: unknown, signal: AbortSignal): string {
  signal.throwIfAborted();
  if (error instanceof Error && error.name === "BrokerError") return `${what}: ${error.message}`;
  throw error;
}

/**
 * Our rows, read after the exchange was asked: whatever is listed and ours is in them by then.
 * @param known client ids of the last pass: their orders were sent before this one, whatever the clock
 *   says
 */
export async function readOwn(
  deps: LiveDeps & {
    readonly markets: ReadonlyMap<string, FactMarket>;
    readonly isInDoubt: (symbol: string) => boolean;
  },
  { askedAt, orders }: Pick<ExchangeSide, "askedAt" | "orders">,
  known: ReadonlySet<string>,
): Promise<OwnSide> {
  const { store, account } = deps;
  const { scope, accountId } = account;
  const [alive, recent, holdings] = await Promise.all([
    store.aliveIntents(scope, accountId),
    store.recentIntents(scope, accountId, { owner: null, limit: RECENT_MAX }),
    store.holdings(scope, accountId),
  ]);
  const since = deps.clock.now() - ENDED_LATELY_MS;
  const ended = recent.filter(({ status, updatedAt }) => isFinal(status) && updatedAt >= since);
  const intents = new Map<string, StoredIntent>();
  for (const intent of [...ended, ...alive]) {
    if (intent.clientOrderId !== null) intents.set(intent.clientOrderId, intent);
  }
  for (const intent of await lookedUp(deps, orders ?? [], intents)) {
    if (intent.clientOrderId !== null) intents.set(intent.clientOrderId, intent);
  }
  const moving = new Set(alive.filter(isInFlight).map(({ symbol }) => symbol));
  const steps = [...deps.markets].filter(
    ([symbol]) => !deps.isInDoubt(symbol) && !moving.has(symbol),
  );
  return {
    intents,
    holdings,
    view: {
      orders: [...intents.values()].flatMap((intent) => viewOf(intent, askedAt, known)),
      held: holdings.map(({ symbol, leg, holder, position }) => ({
        ...{ symbol, leg, holder },
        signedQty: signedQty(position),
        unmatchedQty: position.unmatchedQty,
      })),
      mode: account.positionMode,
      // A symbol with an order in flight or in doubt may differ; what was known about it stays.
      qtySteps: new Map(steps.map(([symbol, { rules }]) => [symbol, rules.qtyStep])),
    },
  };
}

/** Whether nobody knows yet what became of the order. */
export function isInFlight({ status }: StoredIntent): boolean {
  return status === "sending" || status === "unverified";
}

/** Listed orders in our writing whose rows ended long ago. */
async function lookedUp(
  { store, account }: LiveDeps,
  orders: readonly OrderReport[],
  intents: ReadonlyMap<string, StoredIntent>,
): Promise<StoredIntent[]> {
  const byExchange = new Set(
    [...intents.values()].map(({ symbol, exchangeOrderId }) => `${symbol}#${exchangeOrderId}`),
  );
  const found: StoredIntent[] = [];
  let asked = 0;
  for (const { clientOrderId, symbol, exchangeOrderId } of orders) {
    if (clientOrderId === null || intents.has(clientOrderId)) continue;
    if (byExchange.has(`${symbol}#${exchangeOrderId}`)) continue;
    const parts = parseClientOrderId(clientOrderId);
    if (parts === null || asked >= LOOKUPS_MAX) continue;
    asked += 1;
    const id = formatClientOrderId(parts);
    const intent = await store.findIntent(account.scope, account.accountId, id);
    if (intent) found.push(intent);
  }
  return found;
}

function viewOf(intent: StoredIntent, askedAt: EpochMs, known: ReadonlySet<string>): OrderView[] {
  const { clientOrderId, sentAt } = intent;
  if (clientOrderId === null || sentAt === null) return [];
  const wasThere = known.has(clientOrderId);
  return [{ ...intent, clientOrderId, sentAt: wasThere ? Math.min(sentAt, askedAt - 1) : sentAt }];
}
