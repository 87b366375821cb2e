// The trading store in memory, for simulations and as the second opinion of the contract: it keeps facts
// only and derives everything else from the first fact on at every read. Commits are one after the
// other and all or nothing; a crash loses what was not committed; failures can be ordered.
import { compare } from "../../src/model/decimal.ts";
import { nextStamp } from "../../src/model/client-order-id.ts";
import type { OrderTransition } from "../../src/model/order-status.ts";
import { ok, refuse } from "../../src/model/result.ts";
import type { EpochMs } from "../../src/model/time.ts";
import {
  betterFee,
  checkFill,
  checkFunding,
  fillRef,
  isSameExecution,
} from "../../src/model/trade-record.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId, NewAccount } from "../../src/ports/account-store.ts";
import type { LeaseGuard, TradingStore } from "../../src/ports/trading-store.ts";
import { commitIntents, countFills, recordNews } from "./simulated-intents.ts";
import { reads } from "./simulated-reads.ts";
import {
  type Book,
  type Committed,
  copyOf,
  draftOf,
  emptyBookOf,
  leaseLost,
  type World,
} from "./simulated-rows.ts";

const PAPER: NewAccount = { name: "Account", exchangeId: "woox", mode: "paper" };

/** When an ordered failure strikes: the caller cannot tell which of the two it was. */
export type Strike = "before_commit" | "after_commit";

/** A write as the only one at its time; its draft is committed as a whole. */
export type Write = <T>(work: (draft: World) => T) => Promise<T>;

/** A write under the lease of an account, on a copy of its rows. */
export type Guarded = <T>(
  scope: Scope,
  guard: LeaseGuard,
  work: (book: Book, draft: World) => T,
) => Promise<T | ReturnType<typeof leaseLost>>;

/** A store and the strings to pull. */
export type SimulatedStore = {
  readonly store: TradingStore;
  /** What other stores over the same rows work with. */
  readonly inside: {
    readonly world: Committed;
    readonly write: Write;
    readonly guarded: Guarded;
  };
  /** @param account a paper account at WOO X when absent */
  addAccount(scope: Scope, account?: NewAccount): AccountId;
  /** Writes in progress fail and are lost; what was committed stays. */
  crash(): void;
  /** The next write fails so. */
  failNext(strike: Strike): void;
};

/** An empty store. @param now the clock of the store */
export function createSimulatedStore(next: OrderTransition, now: () => EpochMs): SimulatedStore {
  const accounts = new Map<AccountId, Book>();
  const world: Committed = {
    accounts,
    epochs: new Map(),
    homes: new Map(),
    numbers: new Map(),
  };
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
    const isOurs = book?.workspaceId === scope.workspaceId;
    return isOurs ? book : emptyBookOf(accountId, scope.workspaceId, PAPER);
  };

  const store: TradingStore = {
    ...leases(write, guarded, world, now),
    commitIntents: (scope, guard, seenEpoch, batch, at) =>
      guarded(scope, guard, (book, draft) => {
        if ((draft.epochs.get(scope.workspaceId) ?? 1) !== seenEpoch) {
          return refuse("epoch_moved", `the trading states changed after epoch ${seenEpoch}`);
        }
        return commitIntents(draft, book, next, batch, at);
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
    inside: { world, write, guarded },
    addAccount: ({ workspaceId }, account) => {
      const id = (accounts.size + 1) as AccountId;
      const name = `Account ${id}`;
      accounts.set(id, emptyBookOf(id, workspaceId, account ?? { ...PAPER, name }));
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

function leases(
  write: Write,
  guarded: Guarded,
  world: World,
  now: () => EpochMs,
): Pick<TradingStore, "takeLease" | "renewLease" | "releaseLease" | "freshStamp" | "epoch"> {
  return {
    takeLease: (scope, accountId, holder, ttlMs, ownsLock) =>
      write((draft) => {
        const known = draft.accounts.get(accountId);
        if (known?.workspaceId !== scope.workspaceId) {
          return refuse("unknown_account", "there is no such account");
        }
        const held = known.lease;
        const isRunning = held && held.expiresAt > now() && held.holder !== null;
        if (isRunning && held.holder !== holder && !(ownsLock && held.ownsLock)) {
          return refuse("held", `the account is traded by ${held.holder}`);
        }
        const token = (held?.token ?? 0) + 1;
        const stampS = nextStamp(now(), held?.stampS ?? null);
        const expiresAt = now() + ttlMs;
        const lease = { token, stampS, expiresAt, holder, ownsLock };
        draft.accounts.set(accountId, { ...copyOf(known), lease });
        return ok({ accountId, token, stampS, expiresAt });
      }),
    renewLease: async (scope, guard, ttlMs, ownsLock) => {
      const renewed = await guarded(scope, guard, (book) => {
        const expiresAt = now() + ttlMs;
        if (book.lease) book.lease = { ...book.lease, expiresAt, ownsLock };
        return expiresAt;
      });
      return typeof renewed === "number" ? renewed : null;
    },
    releaseLease: async (scope, guard) => {
      const released = await guarded(scope, guard, (book) => {
        if (!book.lease) return false;
        const { token, stampS } = book.lease;
        const nobodys = { holder: null, expiresAt: now(), ownsLock: false };
        book.lease = { token: token + 1, stampS, ...nobodys };
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
