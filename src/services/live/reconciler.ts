// Compares one account with the exchange and carries out what follows. Called by the account loop at the
// start, every few ticks, after reconnects and after doubtful orders. It asks, books and tells; it never
// sends or cancels an order, and concludes nothing from what it could not read.
import { reconcile, settle } from "../../execution/reconcile.ts";
import {
  driftOf,
  type Finding,
  FRESH_MEMORY,
  type Inquiry,
  type OrderNews,
  type ReconcileMemory,
  type ReconcileOutcome,
} from "../../execution/reconcile-view.ts";
import { compare } from "../../model/decimal.ts";
import type { EpochMs } from "../../model/time.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import type { FactMarket } from "./fact-records.ts";
import { blocksOf, type Found, foundOf } from "./findings-found.ts";
import { adoptForeign, foreignNotes } from "./foreign-trades.ts";
import type { FactIngest, LiveDeps, Reconciler, ReconcileReport } from "./live-types.ts";
import { askFor, tell } from "./order-news.ts";
import {
  type ExchangeSide,
  failure,
  isInFlight,
  isTooFar,
  type OwnSide,
  readExchange,
  readOwn,
  readPositions,
} from "./reconcile-reads.ts";
import { createTransferWatch, type TransferWatch } from "./transfer-watch.ts";

/** What the reconciler works with. */
export type ReconcilerDeps = LiveDeps & {
  readonly ingest: FactIngest;
  /** Whether an order of the symbol is in doubt: the resolver settles it first. */
  readonly isInDoubt: (symbol: string) => boolean;
  /** Markets that are compared, by symbol. */
  readonly markets: ReadonlyMap<string, FactMarket>;
  /** Called after an order or a position of a symbol changed. */
  readonly onBooked: (symbol: string) => void;
};

/** Orders asked about in one pass; the others wait for the next one. */
const INQUIRIES_MAX = 20;
/** An order is waited for so long: the others, and their stops, do not wait for its turn. */
const PATIENCE_MS = 300;
/** Before a difference is shown, trades are asked for from so long ago. */
const DEEP_LOOK_MS = 24 * 3_600_000;
const SENTENCE_MAX = 500;

/** Findings that the second comparison of a pass makes anew. */
const COMPARED_AGAIN: ReadonlySet<Finding["kind"]> = new Set([
  "position_drift",
  "position_drift_solved",
  "taken_away",
]);

/** A reconciler that also tells what a person has to decide about. */
export type AccountReconciler = Reconciler & {
  /** What the last pass found, and positions of a person. */
  found(): readonly Found[];
};

/** Nothing is clean before the first complete pass. */
export function createReconciler(deps: ReconcilerDeps): AccountReconciler {
  const state: State = {
    memory: FRESH_MEMORY,
    known: new Set(),
    askedIn: new Map(),
    passes: 0,
    found: [],
    blocks: new Map(),
    isClean: false,
    isFailing: false,
    transfers: createTransferWatch(deps),
  };
  let running: Promise<unknown> = Promise.resolve();
  return {
    pass(signal) {
      const done = running.then(
        () => pass(deps, state, signal),
        () => pass(deps, state, signal),
      );
      running = done;
      return done;
    },
    blocks: () => state.blocks,
    found: () => state.found,
    isClean: () => state.isClean,
  };
}

type State = {
  memory: ReconcileMemory;
  /** Client ids of the last pass. */
  known: ReadonlySet<string>;
  /** The pass in which an order was asked about last. */
  askedIn: Map<string, number>;
  passes: number;
  found: readonly Found[];
  blocks: ReadonlyMap<string, string>;
  isClean: boolean;
  /** The last pass could not read everything. */
  isFailing: boolean;
  readonly transfers: TransferWatch;
};

/** A pass in the making; nothing of it is remembered when it throws. */
type Pass = {
  memory: ReconcileMemory;
  /** What strangers had taken before this pass; what the first look saw when there was none. */
  takenBefore: ReconcileMemory["taken"];
  own: OwnSide;
  exchange: ExchangeSide;
  writes: number;
  booked: number;
  /** Questions that were not answered. */
  open: number;
  /** Positions wait for a later pass. */
  isDeferred: boolean;
  readonly findings: Finding[];
  readonly failures: string[];
  /** When the exchange says our orders of a symbol were made, as far as it was asked. */
  readonly createdAt: Map<string, EpochMs>;
};

async function pass(
  deps: ReconcilerDeps,
  state: State,
  signal: AbortSignal,
): Promise<ReconcileReport> {
  state.passes += 1;
  const exchange = await readExchange(deps, signal);
  const own = await readOwn(deps, exchange, state.known);
  const first = reconcile(own.view, exchange, state.memory);
  const now: Pass = {
    takenBefore: state.memory.taken ?? first.memory.taken,
    ...{ memory: state.memory, own, exchange, writes: 0, booked: 0, open: 0 },
    isDeferred: exchange.isDeferred,
    ...{ findings: [], failures: [...exchange.failures], createdAt: new Map() },
  };
  for (const order of exchange.orders ?? []) {
    const intent = own.intents.get(order.clientOrderId ?? "");
    if (intent && compare(order.filledQty, intent.filledQty) > 0) noteCreated(now, order);
  }
  await take(deps, now, first);
  await inquire(deps, state, now, first.inquiries, signal);
  await lookAgain(deps, state, now, signal);
  const adopted = await adoptForeign(deps, now.findings, signal);
  now.writes += adopted;
  if (adopted > 0) await compareAgain(deps, state, now, signal);
  const notes = await foreignNotes(deps, now, signal);
  state.memory = now.memory;
  state.known = new Set(now.own.intents.keys());
  state.found = foundOf({ ...now, before: state.found });
  state.blocks = blocksOf(state.found, deps.markets.keys());
  const isComplete = !hasGaps(now) && !now.isDeferred;
  if (isComplete && Object.keys(now.memory.strikes).length === 0) state.isClean = true;
  for (const note of notes) deps.note({ ...note, at: deps.clock.now() });
  const transfers = isQuiet(now, isComplete) ? await state.transfers.look(signal) : null;
  if (transfers !== null) {
    now.writes += transfers.writes;
    now.failures.push(...transfers.failures);
  }
  noteFailure(deps, state, now.failures);
  return {
    isComplete: !hasGaps(now) && !now.isDeferred,
    isDeferred: !hasGaps(now) && now.isDeferred,
    writes: now.writes,
    findings: notes.map(({ sentence }) => sentence),
    failures: now.failures,
  };
}

/** Whether a question failed or was left open. */
function hasGaps({ failures, open }: Pass): boolean {
  return failures.length > 0 || open > 0;
}

/** Told when comparing begins to fail, and again only after it worked in between. */
function noteFailure(deps: ReconcilerDeps, state: State, failures: readonly string[]): void {
  const hasFailed = failures.length > 0;
  if (hasFailed && !state.isFailing) {
    const sentence = failures.join("; ").slice(0, SENTENCE_MAX);
    const failed = { kind: "reconcile_failed", botId: null, sentence } as const;
    deps.note({ ...failed, at: deps.clock.now(), fields: { failures: failures.length } });
  }
  state.isFailing = hasFailed;
}

/** Takes over an outcome and records its news. */
async function take(deps: ReconcilerDeps, now: Pass, outcome: ReconcileOutcome): Promise<void> {
  now.memory = outcome.memory;
  now.findings.push(...outcome.findings);
  for (const news of outcome.news) await record(deps, now, news);
}

async function record(
  deps: ReconcilerDeps,
  now: Pass,
  { clientOrderId, event, exchangeOrderId, reportedFilledQty }: OrderNews,
): Promise<void> {
  const intent = now.own.intents.get(clientOrderId);
  if (!intent) return;
  const told = await tell(deps, intent, {
    event,
    ...(exchangeOrderId === null ? {} : { exchangeOrderId }),
    ...(reportedFilledQty === null ? {} : { reportedFilledQty }),
  });
  if (isSame(told, intent)) return;
  now.writes += 1;
  deps.onBooked(intent.symbol);
}

/** News that cannot happen to a row leave it as it is. */
function isSame(a: StoredIntent, b: StoredIntent): boolean {
  return (
    a.status === b.status &&
    a.exchangeOrderId === b.exchangeOrderId &&
    a.reportedFilledQty === b.reportedFilledQty
  );
}

/** Asks about orders first, because their answers say since when trades are missing. */
async function inquire(
  deps: ReconcilerDeps,
  state: State,
  now: Pass,
  inquiries: readonly Inquiry[],
  signal: AbortSignal,
): Promise<void> {
  const orders = inquiries.flatMap((one) => (one.kind === "order" ? [one.clientOrderId] : []));
  const longest = [...orders].sort(
    (a, b) => (state.askedIn.get(a) ?? 0) - (state.askedIn.get(b) ?? 0),
  );
  const asked = longest.slice(0, INQUIRIES_MAX);
  now.open += longest.length - asked.length;
  const since = new Map<string, EpochMs | null>();
  const want = (more: readonly Inquiry[]) => {
    for (const one of more) {
      if (one.kind === "trades") since.set(one.symbol, earlier(since, one.symbol, one.sinceAt));
    }
  };
  want(inquiries);
  // Which orders rest was not told in time: their fills are not to wait for that.
  if (now.exchange.orders === null && deps.broker.capabilities.tradesOfAll) {
    for (const symbol of deps.markets.keys()) want([{ kind: "trades", symbol, sinceAt: null }]);
  }
  // A record that comes late explains what the exchange holds: it is asked for as long as that differs.
  for (const name of Object.keys(now.memory.drifts)) {
    const { between, symbol } = driftOf(name);
    if (between === "exchange") want([{ kind: "trades", symbol, sinceAt: null }]);
  }
  const before = state.askedIn;
  state.askedIn = new Map(
    orders.map((id) => [id, asked.includes(id) ? state.passes : (before.get(id) ?? 0)]),
  );
  for (const clientOrderId of asked) {
    want(await askAboutOrder(deps, now, clientOrderId, signal));
  }
  for (const [symbol, sinceAt] of since) {
    const createdAt = now.createdAt.get(symbol) ?? null;
    since.set(symbol, sinceAt === null ? null : Math.min(sinceAt, createdAt ?? sinceAt));
  }
  await askForTrades(deps, now, since, signal);
}

/** The earlier of two instants; null asks from where the last look ended and gives way to an instant. */
function earlier(
  since: ReadonlyMap<string, EpochMs | null>,
  symbol: string,
  sinceAt: EpochMs | null,
): EpochMs | null {
  const known = since.get(symbol) ?? null;
  if (known === null || sinceAt === null) return known ?? sinceAt;
  return Math.min(known, sinceAt);
}

async function askAboutOrder(
  deps: ReconcilerDeps,
  now: Pass,
  clientOrderId: string,
  signal: AbortSignal,
): Promise<readonly Inquiry[]> {
  const intent = now.own.intents.get(clientOrderId);
  const order = now.own.view.orders.find((one) => one.clientOrderId === clientOrderId);
  if (!intent || !order) return [];
  let answer: Awaited<ReturnType<typeof askFor>>;
  try {
    answer = await askFor(deps, intent, { signal, patienceMs: PATIENCE_MS });
  } catch (error) {
    now.open += 1;
    if (!isTooFar(error)) now.failures.push(failure(`order ${clientOrderId}`, error, signal));
    return [];
  }
  if (answer !== null) noteCreated(now, answer);
  const settled = settle(order, answer, now.memory, deps.clock.monotonicMs());
  await take(deps, now, settled);
  return settled.inquiries;
}

function noteCreated(
  { createdAt }: Pass,
  order: { readonly symbol: string; readonly createdAt: EpochMs | null },
): void {
  if (order.createdAt === null) return;
  const known = createdAt.get(order.symbol) ?? order.createdAt;
  createdAt.set(order.symbol, Math.min(known, order.createdAt));
}

async function askForTrades(
  deps: ReconcilerDeps,
  now: Pass,
  since: ReadonlyMap<string, EpochMs | null>,
  signal: AbortSignal,
): Promise<void> {
  const known = new Map([...since].filter(([symbol]) => deps.markets.has(symbol)));
  for (const [symbol, look] of await deps.ingest.tradesOf(known, signal)) {
    if ("error" in look) {
      now.open += 1;
      now.failures.push(failure(`trades of ${symbol}`, look.error, signal));
    } else {
      now.booked += look.report.booked;
      now.writes += look.report.booked + look.report.corrected;
    }
  }
}

/**
 * Compares again after facts were booked, with positions read anew: a fill between two reads is no
 * difference. Before one is shown, trades of the last day are asked for.
 */
async function lookAgain(
  deps: ReconcilerDeps,
  state: State,
  now: Pass,
  signal: AbortSignal,
): Promise<void> {
  const isDifferent = () => Object.keys(now.memory.drifts).length > 0;
  if (now.booked > 0 || isDifferent()) await compareAgain(deps, state, now, signal);
  const shown = now.findings.flatMap((finding) =>
    finding.kind === "position_drift" && finding.between === "exchange" ? [finding.symbol] : [],
  );
  if (shown.length === 0) return;
  const before = now.booked;
  const since = now.exchange.askedAt - DEEP_LOOK_MS;
  await askForTrades(deps, now, new Map(shown.map((symbol) => [symbol, since])), signal);
  if (now.booked > before) await compareAgain(deps, state, now, signal);
}

async function compareAgain(
  deps: ReconcilerDeps,
  state: State,
  now: Pass,
  signal: AbortSignal,
): Promise<void> {
  let { positions } = now.exchange;
  try {
    positions = positions && (await readPositions(deps, signal));
  } catch (error) {
    if (isTooFar(error)) now.isDeferred = true;
    else now.failures.push(failure("positions", error, signal));
    return;
  }
  now.exchange = { ...now.exchange, positions };
  now.own = await readOwn(deps, now.exchange, state.known);
  // The same look once more: it does not count twice.
  const memory = { ...now.memory, drifts: state.memory.drifts, taken: now.takenBefore };
  const again = reconcile(now.own.view, { ...now.exchange, orders: null }, memory);
  const kept = now.findings.filter(({ kind }) => !COMPARED_AGAIN.has(kind));
  now.findings.splice(0, now.findings.length, ...kept, ...again.findings);
  now.memory = again.memory;
}

/** Whether nothing moved and nothing is in flight, so that balances can be compared. */
function isQuiet(now: Pass, isComplete: boolean): boolean {
  const { own, exchange } = now;
  const isMoving = [...own.intents.values()].some(isInFlight);
  return (
    isComplete &&
    !isMoving &&
    now.writes === 0 &&
    exchange.positions?.length === 0 &&
    own.holdings.length === 0
  );
}
