// The trading store in memory, for simulations and as the second opinion of the contract: it keeps facts
// only and derives everything else from the first fact on at every read. Commits are one after the
// other and all or nothing; a crash loses what was not committed; failures can be ordered.
import { compare } from "../../src/model/decimal.ts";
import { nextStamp } from "../../src/model/client-order-id.ts";
import { compareEntries, type LedgerEntry, ledgerTotals } from "../../src/model/ledger.ts";
import type { OrderTransition } from "../../src/model/order-status.ts";
import { ok, refuse } from "../../src/model/result.ts";
import { applyFacts, emptyBook, sortedHoldings } from "../../src/model/symbol-book.ts";
import type { EpochMs } from "../../src/model/time.ts";
import {
  betterFee,
  type BookFact,
  checkFill,
  checkFunding,
  compareKeys,
  compareText,
  FOREIGN,
  factKey,
  fillRef,
  isSameExecution,
  type OwnedFill,
} from "../../src/model/trade-record.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { LeaseGuard, StoredCycle, TradingStore } from "../../src/ports/trading-store.ts";
import { commitIntents, countFills, recordNews } from "./simulated-intents.ts";
import {
  type Book,
  copyOf,
  draftOf,
  emptyBookOf,
  leaseLost,
  type StoredFill,
  type World,
} from "./simulated-rows.ts";

/** When an ordered failure strikes: the caller cannot tell which of the two it was. */
export type Strike = "before_commit" | "after_commit";

/** A store and the strings to pull. */
export type SimulatedStore = {
  readonly store: TradingStore;
  addAccount(scope: Scope): AccountId;
  /** Writes in progress fail and are lost; what was committed stays. */
  crash(): void;
  /** The next write fails so. */
  failNext(strike: Strike): void;
};

/** An empty store. @param now the clock of the store */
export function createSimulatedStore(next: OrderTransition, now: () => EpochMs): SimulatedStore {
  const world: World = { accounts: new Map(), epochs: new Map() };
  let accounts = 0;
  let generation = 0;
  let ordered: Strike | null = null;
  let queue: Promise<unknown> = Promise.resolve();

  const write = <T>(work: (draft: World) => T): Promise<T> => {
    const born = generation;
    const run = async () => {
      await null;
      if (born !== generation) throw new Error("the process crashed before the commit");
      const draft = draftOf(world);
      const answer = work(draft);
      await null;
      if (born !== generation) throw new Error("the process crashed before the commit");
      const strike = ordered;
      ordered = null;
      if (strike === "before_commit") throw new Error("the commit failed");
      draft.commit();
      if (strike === "after_commit") throw new Error("the connection was lost after the commit");
      return answer;
    };
    const done = queue.then(run);
    queue = done.catch(() => undefined);
    return done;
  };

  /** A write under the lease: the account's rows are copied first. */
  const guarded = <T>(scope: Scope, guard: LeaseGuard, work: (book: Book, draft: World) => T) =>
    write((draft) => {
      const known = draft.accounts.get(guard.accountId);
      const isOurs = known?.workspaceId === scope.workspaceId && known.lease?.token === guard.token;
      if (!known || !isOurs) return leaseLost();
      const book = copyOf(known);
      draft.accounts.set(guard.accountId, book);
      return work(book, draft);
    });

  const seen = (scope: Scope, accountId: AccountId): Book => {
    const book = world.accounts.get(accountId);
    return book?.workspaceId === scope.workspaceId ? book : emptyBookOf(scope.workspaceId);
  };

  const store: TradingStore = {
    ...leases(write, guarded, world, now),
    commitIntents: (scope, guard, seenEpoch, batch, at) =>
      guarded(scope, guard, (book, draft) => {
        if ((draft.epochs.get(scope.workspaceId) ?? 1) !== seenEpoch) {
          return refuse("epoch_moved", `the trading states changed after epoch ${seenEpoch}`);
        }
        return commitIntents(book, next, batch, at);
      }),
    recordNews: (scope, guard, id, news, at) =>
      guarded(scope, guard, (book) => recordNews(book, next, id, news, at)),
    ...facts(guarded, next),
    ...reads(seen),
    rebuild: (scope, guard) =>
      guarded(scope, guard, (book) => {
        const symbols = new Set([...book.fills.values()].map(({ fill }) => fill.symbol));
        for (const payment of book.funding.values()) symbols.add(payment.symbol);
        const facts = book.fills.size + book.funding.size;
        return ok({ symbols: symbols.size, facts, differences: [] });
      }),
  };
  return {
    store,
    addAccount: ({ workspaceId }) => {
      accounts += 1;
      const id = accounts as AccountId;
      world.accounts.set(id, emptyBookOf(workspaceId));
      return id;
    },
    crash: () => {
      generation += 1;
    },
    failNext: (strike) => {
      ordered = strike;
    },
  };
}

type Write = <T>(work: (draft: World) => T) => Promise<T>;
type Guarded = <T>(
  scope: Scope,
  guard: LeaseGuard,
  work: (book: Book, draft: World) => T,
) => Promise<T | ReturnType<typeof leaseLost>>;

function leases(
  write: Write,
  guarded: Guarded,
  world: World,
  now: () => EpochMs,
): Pick<
  TradingStore,
  "takeLease" | "renewLease" | "releaseLease" | "freshStamp" | "epoch" | "raiseEpoch"
> {
  return {
    takeLease: (scope, accountId, holder, ttlMs) =>
      write((draft) => {
        const known = draft.accounts.get(accountId);
        if (known?.workspaceId !== scope.workspaceId) {
          return refuse("unknown_account", "there is no such account");
        }
        const held = known.lease;
        if (held && held.expiresAt > now() && held.holder !== null && held.holder !== holder) {
          return refuse("held", `the account is traded by ${held.holder}`);
        }
        const token = (held?.token ?? 0) + 1;
        const stampS = nextStamp(now(), held?.stampS ?? null);
        const expiresAt = now() + ttlMs;
        const lease = { token, stampS, expiresAt, holder };
        draft.accounts.set(accountId, { ...copyOf(known), lease });
        return ok({ accountId, token, stampS, expiresAt });
      }),
    renewLease: async (scope, guard, ttlMs) => {
      const renewed = await guarded(scope, guard, (book) => {
        const expiresAt = now() + ttlMs;
        if (book.lease) book.lease = { ...book.lease, expiresAt };
        return expiresAt;
      });
      return typeof renewed === "number" ? renewed : null;
    },
    releaseLease: async (scope, guard) => {
      const released = await guarded(scope, guard, (book) => {
        if (!book.lease) return false;
        const { token, stampS } = book.lease;
        book.lease = { token: token + 1, stampS, holder: null, expiresAt: now() };
        return true;
      });
      return released === true;
    },
    freshStamp: async (scope, guard) => {
      const fresh = await guarded(scope, guard, (book) => {
        const stampS = nextStamp(now(), book.lease?.stampS ?? null);
        if (book.lease) book.lease = { ...book.lease, stampS };
        return stampS;
      });
      return typeof fresh === "number" ? fresh : null;
    },
    epoch: async ({ workspaceId }) => world.epochs.get(workspaceId) ?? 1,
    raiseEpoch: ({ workspaceId }) =>
      write((draft) => {
        const raised = (draft.epochs.get(workspaceId) ?? 1) + 1;
        draft.epochs.set(workspaceId, raised);
        return raised;
      }),
  };
}

function facts(
  guarded: Guarded,
  next: OrderTransition,
): Pick<TradingStore, "recordFill" | "recordFunding" | "recordTransfer"> {
  return {
    recordFill: (scope, guard, record) =>
      guarded(scope, guard, (book) => {
        const intent = [...book.intents.values()].findLast(
          ({ exchangeOrderId, symbol }) =>
            exchangeOrderId === record.exchangeOrderId && symbol === record.symbol,
        );
        const ref = fillRef(record);
        const known = book.fills.get(ref);
        const leg = record.leg ?? intent?.leg ?? known?.fill.leg;
        if (leg === undefined) return refuse("LEG_UNKNOWN", `trade ${record.tradeId}: no leg`);
        const fill = { ...record, leg };
        const checked = checkFill(fill);
        if (!checked.ok) return checked;
        if (known && !isSameExecution(known.fill, fill)) {
          return refuse("CONFLICTING_RECORD", `trade ${record.tradeId} has other figures`);
        }
        if (known) {
          const fee = betterFee(known.fill.fee, fill.fee);
          if (fee === known.fill.fee) return ok("known");
          book.fills.set(ref, { ...known, fill: { ...known.fill, fee } });
          return ok("fee_replaced");
        }
        book.fills.set(ref, { fill, intentId: intent?.id ?? null });
        if (intent) countFills(book, next, intent.id, fill.at);
        return ok("booked");
      }),
    recordFunding: (scope, guard, funding) =>
      guarded(scope, guard, (book) => {
        const checked = checkFunding(funding);
        if (!checked.ok) return checked;
        const ref = `${funding.symbol}#${funding.paymentId}`;
        const known = book.funding.get(ref);
        if (!known) {
          book.funding.set(ref, funding);
          return ok("booked");
        }
        const isSame = compare(known.amount, funding.amount) === 0 && known.at === funding.at;
        return isSame ? ok("known") : refuse("CONFLICTING_RECORD", `funding ${ref} differs`);
      }),
    recordTransfer: (scope, guard, transfer) =>
      guarded(scope, guard, (book) => {
        const known = book.transfers.get(transfer.ref);
        if (!known) {
          book.transfers.set(transfer.ref, transfer);
          return ok("booked");
        }
        const isSame = compare(known.amount, transfer.amount) === 0 && known.at === transfer.at;
        return isSame ? ok("known") : refuse("CONFLICTING_RECORD", "the transfer differs");
      }),
  };
}

type Seen = (scope: Scope, accountId: AccountId) => Book;

function reads(
  seen: Seen,
): Pick<
  TradingStore,
  "findIntent" | "aliveIntents" | "holdings" | "fills" | "cycles" | "ledger" | "totals"
> {
  return {
    findIntent: async (scope, accountId, clientOrderId) =>
      [...seen(scope, accountId).intents.values()].find(
        (intent) => intent.clientOrderId === clientOrderId,
      ) ?? null,
    aliveIntents: async (scope, accountId) => {
      const final = ["filled", "cancelled", "refused", "expired", "abandoned"];
      const all = [...seen(scope, accountId).intents.values()];
      return all.filter(({ status }) => !final.includes(status));
    },
    holdings: async (scope, accountId) => derived(seen(scope, accountId)).holdings,
    fills: async (scope, accountId, symbol) =>
      derived(seen(scope, accountId)).facts.flatMap((fact) =>
        fact.kind === "fill" && fact.fill.symbol === symbol ? [fact.fill] : [],
      ),
    cycles: async (scope, accountId, limit) =>
      derived(seen(scope, accountId))
        .cycles.map((cycle): StoredCycle => ({ ...cycle, worstRatio: null, bestRatio: null }))
        .sort((a, b) => b.openedAt - a.openedAt)
        .slice(0, limit),
    ledger: async (scope, accountId, limit) =>
      entriesOf(seen(scope, accountId)).sort(compareEntries).reverse().slice(0, limit),
    totals: async (scope, accountId, { sinceAt, owner }) => {
      const book = seen(scope, accountId);
      const isMeant = (one: { owner: string; at: EpochMs }) =>
        one.at >= sinceAt && (owner === null || one.owner === owner);
      const summed = ledgerTotals(entriesOf(book).filter(isMeant));
      const feeless = [...book.fills.values()]
        .map((stored) => owned(book, stored))
        .filter((fill) => isMeant(fill) && fill.fee === null);
      return { ...summed, missing: summed.missing + feeless.length };
    },
  };
}

function owned(book: Book, { fill, intentId }: StoredFill): OwnedFill {
  const intent = intentId === null ? undefined : book.intents.get(intentId);
  if (!intent) return { ...fill, ...FOREIGN };
  const { owner, clientOrderId, purpose, reason } = intent;
  return { ...fill, owner, clientOrderId, purpose, reason };
}

const DERIVED = new WeakMap<Book, ReturnType<typeof derive>>();

/** Committed books never change, so deriving once is enough. */
function derived(book: Book): ReturnType<typeof derive> {
  const known = DERIVED.get(book) ?? derive(book);
  DERIVED.set(book, known);
  return known;
}

/** Everything that follows from the facts, from the first one on. */
function derive(book: Book) {
  const facts: BookFact[] = [
    ...[...book.fills.values()].map((stored): BookFact => ({
      kind: "fill",
      fill: owned(book, stored),
    })),
    ...[...book.funding.values()].map((funding): BookFact => ({ kind: "funding", funding })),
  ].sort((a, b) => compareKeys(factKey(a), factKey(b)));
  const symbolOf = (fact: BookFact) =>
    fact.kind === "fill" ? fact.fill.symbol : fact.funding.symbol;
  const symbols = [...new Set(facts.map(symbolOf))].sort(compareText);
  const books = symbols.map((symbol) => {
    const state = emptyBook(symbol);
    const outcome = applyFacts(
      state,
      facts.filter((fact) => symbolOf(fact) === symbol),
    );
    return { symbol, holdings: sortedHoldings(state), outcome };
  });
  return {
    facts,
    holdings: books.flatMap(({ symbol, holdings }) =>
      holdings.map(({ holder, leg, position }) => ({ symbol, leg, holder, position })),
    ),
    cycles: books.flatMap(({ holdings, outcome }) => [
      ...outcome.closed,
      ...holdings.flatMap(({ cycle }) => (cycle ? [cycle] : [])),
    ]),
    entries: books.flatMap(({ outcome }) => outcome.entries),
  };
}

function entriesOf(book: Book): LedgerEntry[] {
  const transfers = [...book.transfers.values()].map((transfer): LedgerEntry => ({
    ...transfer,
    ...{ kind: "transfer", owner: "account", symbol: null, leg: null, isEstimated: false },
  }));
  return [...derived(book).entries, ...transfers];
}
