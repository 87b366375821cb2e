// Finds out about orders nobody is sure of: writes whose answer was lost, and orders a former owner of the
// account left half sent. Called at every fast tick. It asks and records; it never sends an order
// again, and only a long row of "there is no such order" ends one.
import type { EpochMs } from "../../model/time.ts";
import { compare } from "../../model/decimal.ts";
import type { CallOptions, OrderReport } from "../../ports/broker.ts";
import type { IntentId, StoredIntent } from "../../ports/trading-store.ts";
import type { FactIngest, LiveDeps, UnverifiedResolver } from "./live-types.ts";
import { askFor, noteOrder, tell, tellReport } from "./order-news.ts";
import type { Doubts } from "./order-sending.ts";

/** What the resolver needs beside the account's own. */
export type ResolverDeps = LiveDeps & {
  readonly ingest: FactIngest;
  /** What this process is sending right now: it is left alone. */
  readonly inFlight: () => ReadonlySet<IntentId>;
};

/** What is known about a doubt; instants are of the monotonic clock. */
type Doubt = {
  readonly intent: StoredIntent;
  readonly sinceMs: number;
  dueMs: number;
  asked: number;
  /** Answers in a row that there is no such order. */
  missed: number;
};

/** Waits before each question; the last one goes on for ever. */
const ASK_AFTER_MS = [500, 1000, 2000, 4000, 8000, 15_000, 30_000, 60_000];
/** "There is no such order" counts only after so many answers over so long a time. */
const MISSED_MIN = 5;
const DOUBT_MIN_MS = 60_000;
/**
 * For a protective stop: a position without one is worse than two of them. Both only reduce, and one that
 * turns up late is adopted.
 */
const STOP_MISSED_MIN = 3;
const STOP_DOUBT_MIN_MS = 3000;
/** Trade records are asked for from this long before the order was sent. */
const BEFORE_SENT_MS = 60_000;
/** Orders asked about in one call; the others are due at the next one. */
const ASKED_MAX = 20;
/** Unknown orders behind trade records that are asked about before one of ours is given up. */
const SUSPECTS_MAX = 20;

/** The resolver of one account, and the doubts as the dispatcher sees them. */
export function createUnverifiedResolver(deps: ResolverDeps): UnverifiedResolver & Doubts {
  const known: Known = { doubts: new Map(), suspected: new Map(), count: 0, wasRead: false };
  let present: Promise<number> | null = null;
  return {
    settle(signal) {
      present ??= settleAll(deps, known, signal).finally(() => {
        present = null;
      });
      return present;
    },
    isInDoubt(symbol) {
      if (!known.wasRead || known.suspected.has(symbol)) return true;
      const flying = deps.inFlight();
      return [...known.doubts.values()].some(
        ({ intent }) => intent.symbol === symbol && !flying.has(intent.id),
      );
    },
    suspect(symbol) {
      known.count += 1;
      known.suspected.set(symbol, known.count);
    },
  };
}

/** Everything a resolver remembers. */
type Known = {
  doubts: Map<IntentId, Doubt>;
  /** Symbols in doubt since the count of it, until the rows were read after that. */
  readonly suspected: Map<string, number>;
  count: number;
  wasRead: boolean;
};

async function readRows({ account, store, clock }: ResolverDeps, known: Known): Promise<void> {
  const upTo = known.count;
  const rows = await store.aliveIntents(account.scope, account.accountId);
  const nowMs = clock.monotonicMs();
  const read = new Map<IntentId, Doubt>();
  for (const intent of rows) {
    if (intent.status !== "unverified" && intent.status !== "sending") continue;
    const fresh = { sinceMs: nowMs, dueMs: nowMs + waitMs(0), asked: 0, missed: 0 };
    read.set(intent.id, { ...(known.doubts.get(intent.id) ?? fresh), intent });
  }
  known.doubts = read;
  known.wasRead = true;
  for (const [symbol, at] of known.suspected) if (at <= upTo) known.suspected.delete(symbol);
}

async function settleAll(deps: ResolverDeps, known: Known, signal: AbortSignal): Promise<number> {
  const { clock, inFlight } = deps;
  const isQuiet = known.wasRead && known.doubts.size === 0 && known.suspected.size === 0;
  if (isQuiet) return 0;
  await readRows(deps, known);
  const due = [...known.doubts.values()]
    .filter(({ dueMs, intent }) => dueMs <= clock.monotonicMs() && !inFlight().has(intent.id))
    .sort((a, b) => a.dueMs - b.dueMs)
    .slice(0, ASKED_MAX);
  for (const doubt of due) {
    signal.throwIfAborted();
    if (await isSettled(deps, doubt, signal)) known.doubts.delete(doubt.intent.id);
    else doubt.dueMs = clock.monotonicMs() + waitMs(++doubt.asked);
  }
  return [...known.doubts.keys()].filter((id) => !inFlight().has(id)).length;
}

function waitMs(asked: number): number {
  return ASK_AFTER_MS[Math.min(asked, ASK_AFTER_MS.length - 1)] ?? 0;
}

/** One question about one order, and what follows from its answer. */
async function isSettled(deps: ResolverDeps, doubt: Doubt, signal: AbortSignal): Promise<boolean> {
  const askedMs = deps.clock.monotonicMs();
  const row = await inDoubt(deps, doubt.intent);
  if (row.status !== "unverified") return true;
  const report = await answered(deps, row, () => askFor(deps, row, { signal }));
  // A question that was not answered proves nothing; it is asked again.
  if (report === UNANSWERED) return false;
  if (report !== null) {
    doubt.missed = 0;
    return settledBy(deps, row, report, signal);
  }
  doubt.missed += 1;
  const hasTrades = await asksTrades(deps, row, signal);
  const isStop = row.purpose === "protective_stop" && row.isReduceOnly;
  const doubtMs = isStop ? STOP_DOUBT_MIN_MS : DOUBT_MIN_MS;
  const missed = isStop ? STOP_MISSED_MIN : MISSED_MIN;
  const isLong = askedMs - doubt.sinceMs >= doubtMs && doubt.missed >= missed;
  if (!hasTrades || !isLong) return false;
  const traded = await answered(deps, row, () => tradedAs(deps, row, { signal }));
  if (traded === UNANSWERED) return false;
  if (traded !== null) return settledBy(deps, row, traded, signal);
  const detail = `the exchange did not know it for ${Math.round(doubtMs / 1000)} s`;
  const given = await tell(deps, row, { event: "not_found", detail });
  noteOrder(deps, "order_abandoned", given, detail);
  return true;
}

/** A row that is still `sending` without anybody sending it is in doubt from now on. */
async function inDoubt(deps: ResolverDeps, intent: StoredIntent): Promise<StoredIntent> {
  if (intent.status !== "sending") return intent;
  const detail = "what became of it was never written down";
  const row = await tell(deps, intent, { event: "unverified", detail });
  noteOrder(deps, "order_unverified", row, detail);
  return row;
}

/** Writes the answer down and fetches what was executed. @returns whether the doubt is over */
async function settledBy(
  deps: ResolverDeps,
  intent: StoredIntent,
  report: OrderReport,
  signal: AbortSignal,
): Promise<boolean> {
  const row = await tellReport(deps, intent, report);
  if (row.status === "unverified") return false;
  noteOrder(deps, "order_settled", row, `the exchange says it is ${report.status}`);
  // Should this fail, the row says that records are missing, and the reconciler asks for them.
  if (compare(report.filledQty, row.filledQty) > 0) await asksTrades(deps, row, signal);
  return true;
}

/** Whether the trade records since the order were fetched. */
async function asksTrades(
  deps: ResolverDeps,
  intent: StoredIntent,
  signal: AbortSignal,
): Promise<boolean> {
  const look = () => deps.ingest.trades(intent.symbol, sinceOf(intent), signal);
  return (await answered(deps, intent, look)) !== UNANSWERED;
}

function sinceOf({ sentAt, decidedAt }: StoredIntent): EpochMs {
  return (sentAt ?? decidedAt) - BEFORE_SENT_MS;
}

/** The order under which somebody unknown traded since, if it has our client id. */
async function tradedAs(
  deps: ResolverDeps,
  intent: StoredIntent,
  options: CallOptions,
): Promise<OrderReport | null> {
  const { account, store, broker } = deps;
  const { symbol, side, clientOrderId } = intent;
  const fills = await store.fills(account.scope, account.accountId, symbol);
  const unknown = fills.filter(
    (fill) => fill.owner === "foreign" && fill.side === side && fill.at >= sinceOf(intent),
  );
  const ids = [...new Set(unknown.map(({ exchangeOrderId }) => exchangeOrderId))];
  for (const id of ids.slice(0, SUSPECTS_MAX)) {
    const report = await broker.order({ symbol, by: "exchange", id, isTrigger: false }, options);
    if (report !== null && report.clientOrderId === clientOrderId) return report;
  }
  return null;
}

const UNANSWERED = Symbol("unanswered");

async function answered<T>(
  { log }: Pick<LiveDeps, "log">,
  { clientOrderId }: StoredIntent,
  ask: () => Promise<T>,
): Promise<T | typeof UNANSWERED> {
  try {
    return await ask();
  } catch (error) {
    log.warn(`an order in doubt could not be asked about: ${String(error)}`, { clientOrderId });
    return UNANSWERED;
  }
}
