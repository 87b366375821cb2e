// What can be read from the simulated store: everything beside intents is derived from the first fact on
// at every read. Used by simulated-store.ts.
import { compareEntries, type LedgerEntry, ledgerTotals } from "../../src/model/ledger.ts";
import { assert } from "../../src/model/result.ts";
import { applyFacts, emptyBook, sortedHoldings } from "../../src/model/symbol-book.ts";
import type { EpochMs } from "../../src/model/time.ts";
import {
  type BookFact,
  compareKeys,
  compareText,
  FOREIGN,
  factKey,
  type OwnedFill,
} from "../../src/model/trade-record.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { IntentId, StoredCycle, TradingStore } from "../../src/ports/trading-store.ts";
import type { Book, StoredFill } from "./simulated-rows.ts";

const ROWS_MAX = 1000;
const ORDERS_MAX = 500;

type Seen = (scope: Scope, accountId: AccountId) => Book;

/** The reading part of the store. @param seen the rows of an account, none of foreign ones */
export function reads(
  seen: Seen,
): Pick<
  TradingStore,
  | "findIntent"
  | "aliveIntents"
  | "orders"
  | "recentIntents"
  | "holdings"
  | "fills"
  | "cycles"
  | "ledger"
  | "totals"
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
    orders: async (scope, accountId, ids) => {
      assert(ids.length <= ORDERS_MAX, `ids: ${ids.length} orders are more than ${ORDERS_MAX}`);
      const book = seen(scope, accountId);
      const meant = [...book.intents.values()].filter(({ id }) => ids.includes(id));
      return meant.map((intent) => ({ intent, fills: fillsOf(book, intent.id) }));
    },
    recentIntents: async (scope, accountId, { owner, limit }) => {
      const fits = Number.isInteger(limit) && limit >= 1 && limit <= ROWS_MAX;
      assert(fits, `limit: ${limit} must be a whole number from 1 to ${ROWS_MAX}`);
      const all = [...seen(scope, accountId).intents.values()];
      const meant = all.filter((intent) => owner === null || intent.owner === owner);
      return meant.reverse().slice(0, limit);
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

/** In the order in which facts count. */
function fillsOf(book: Book, id: IntentId): OwnedFill[] {
  return [...book.fills.values()]
    .filter(({ intentId }) => intentId === id)
    .map((stored) => owned(book, stored))
    .map((fill) => ({ fill, key: factKey({ kind: "fill", fill }) }))
    .sort((a, b) => compareKeys(a.key, b.key))
    .map(({ fill }) => fill);
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
