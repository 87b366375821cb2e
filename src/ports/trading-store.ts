// Trading as rows: leases, write-ahead intents, fills, funding, transfers, and what is derived from them.
// Interfaces only. Every write of trading carries the lease, so that a worker that lost it writes
// nothing; intents carry the epoch their sender has seen. One call is one transaction.
import type { ClientOrderId } from "../model/client-order-id.ts";
import type { Decimal } from "../model/decimal.ts";
import type { LedgerEntry, LedgerTotals } from "../model/ledger.ts";
import type { IntentStatus, OrderEvent } from "../model/order-status.ts";
import type { OrderPurpose, OrderSide, PositionSide } from "../model/order.ts";
import type { Result } from "../model/result.ts";
import type { Holding } from "../model/symbol-book.ts";
import type { TradeCycle } from "../model/trade-cycle.ts";
import type { EpochMs } from "../model/time.ts";
import type { ExactFill, ExactFunding, Leg, OwnedFill, Owner } from "../model/trade-record.ts";
import type { Id, Scope } from "./access-store.ts";
import type { AccountId } from "./account-store.ts";
import type { BotId, NewEvent } from "./bot-store.ts";
import type { OrderTerms } from "./broker.ts";
import type { Json } from "./settings-store.ts";

export type IntentId = Id<"intent">;

/** The right to write for an account. */
export type Lease = {
  readonly accountId: AccountId;
  /** Rises whenever the lease changes hands. */
  readonly token: number;
  /** For client order ids; above every stamp the account had before. */
  readonly stampS: number;
  readonly expiresAt: EpochMs;
  /** Who had it and did not give it back; absent when nobody did. */
  readonly takenFrom?: string;
};

/** Names a lease in a write. */
export type LeaseGuard = Pick<Lease, "accountId" | "token">;

/** An order about to be sent or parked. */
export type NewIntent = {
  readonly status: "planned" | "parked" | "sending";
  /** Present when sending, null before. */
  readonly clientOrderId: ClientOrderId | null;
  readonly owner: Exclude<Owner, "foreign">;
  readonly symbol: string;
  readonly leg: Leg;
  /** What the order is meant for, also on a one-way account. */
  readonly positionSide: PositionSide;
  readonly side: OrderSide;
  readonly purpose: OrderPurpose;
  /** ENTRY, DCA_1, TP_PCT … */
  readonly reason: string;
  /** `entry`, `dca:3`, `tp` … */
  readonly targetKey: string;
  readonly terms: OrderTerms;
  readonly isReduceOnly: boolean;
  readonly qty: Decimal;
  readonly decidedAt: EpochMs;
};

/** An intent as it is kept. */
export type StoredIntent = Omit<NewIntent, "status"> & {
  readonly id: IntentId;
  readonly status: IntentStatus;
  readonly exchangeOrderId: string | null;
  /** The sum of its trade records. */
  readonly filledQty: Decimal;
  /** What the exchange says is filled; above `filledQty` while trade records are missing. */
  readonly reportedFilledQty: Decimal | null;
  readonly detail: string | null;
  readonly sentAt: EpochMs | null;
  readonly updatedAt: EpochMs;
};

/**
 * One write-ahead commit: new intents, parked ones that go to the exchange now, and the step of a bot that
 * decided them.
 */
export type IntentBatch = {
  readonly place: readonly NewIntent[];
  readonly send: readonly { readonly id: IntentId; readonly clientOrderId: ClientOrderId }[];
  /** Planned or parked ones that are not wanted any more: they become cancelled. */
  readonly withdraw?: readonly IntentId[];
  readonly step?: StepRecord;
};

/** What a step changed beside orders; an absent version of the state is 0. */
export type StepRecord = {
  readonly botId: BotId;
  /** The version the step began with; `state_moved` when another one is stored. */
  readonly seenVersion: number;
  readonly state: Json;
  readonly events: readonly NewEvent[];
};

/** An order of ours with what was executed of it, oldest fill first. */
export type OrderFills = { readonly intent: StoredIntent; readonly fills: readonly OwnedFill[] };

/** What happened to an intent apart from its fills. */
export type IntentNews = {
  readonly event: Exclude<OrderEvent, "send" | "fill_part" | "fill_rest">;
  /** Never erases a known one. */
  readonly exchangeOrderId?: string;
  /** Only ever rises. */
  readonly reportedFilledQty?: Decimal;
  /** One sentence, at most 500 characters. */
  readonly detail?: string;
};

/** A trade record to book. */
export type NewFill = Omit<ExactFill, "leg"> & {
  /** Null on a hedge account whose exchange does not tell: the leg of our order is taken. */
  readonly leg: Leg | null;
};

/** Money that came into or left the account; never profit or loss. */
export type NewTransfer = {
  /** The exchange's id. */
  readonly ref: string;
  /** Positive came in. */
  readonly amount: Decimal;
  readonly asset: string;
  /** The same in the settle asset; null when not known. */
  readonly settleAmount: Decimal | null;
  readonly at: EpochMs;
};

/**
 * What became of a fact: booked now, known before, or known and its fee better known now.
 */
export type Booked = "booked" | "known" | "fee_replaced";

/** Why trading rows were not written. `lease_lost` also for accounts of other workspaces. */
export type CommitRefusal =
  "lease_lost" | "epoch_moved" | "duplicate_id" | "not_waiting" | "state_moved";

/** Why a trade record was not booked; nothing was written and it may be offered again. */
export type FillRefusal = "lease_lost" | "BAD_TRADE_RECORD" | "LEG_UNKNOWN" | "CONFLICTING_RECORD";

/** A cycle as it is kept; fractions of the average entry, null until marks were seen. */
export type StoredCycle = TradeCycle & {
  readonly worstRatio: number | null;
  readonly bestRatio: number | null;
};

/** A position of a symbol. */
export type SymbolHolding = Pick<Holding, "holder" | "leg" | "position"> & {
  readonly symbol: string;
};

/** How derived rows compared with what follows from the facts. */
export type RebuildReport = {
  readonly symbols: number;
  readonly facts: number;
  /** One sentence per difference found, at most 100; everything was put right. */
  readonly differences: readonly string[];
};

/** Trading rows of a workspace. */
export type TradingStore = {
  /**
   * Takes the account, by the clock of the store. A holder may take its own lease again, which
   * fences its former self. A lease of another holder is taken when it has run out, and at once by
   * whoever owns the lock of the account (account-locks.ts) that this holder owned: then its process
   * is gone.
   */
  takeLease(
    scope: Scope,
    accountId: AccountId,
    holder: string,
    ttlMs: number,
    ownsLock: boolean,
  ): Promise<Result<Lease, "held" | "unknown_account">>;
  /** The new end; null when the lease is no longer ours. @param ownsLock whether we own the lock now */
  renewLease(
    scope: Scope,
    guard: LeaseGuard,
    ttlMs: number,
    ownsLock: boolean,
  ): Promise<EpochMs | null>;
  /** False when the lease was not ours. */
  releaseLease(scope: Scope, guard: LeaseGuard): Promise<boolean>;
  /** A new stamp when a sequence is used up; null when the lease is no longer ours. */
  freshStamp(scope: Scope, guard: LeaseGuard): Promise<number | null>;

  /** The epoch of the trading states; 1 at first. It rises with `setStates` of control-store.ts. */
  epoch(scope: Scope): Promise<number>;

  /** All or nothing. Answers the new intents first, then the sent ones, in the order given. */
  commitIntents(
    scope: Scope,
    guard: LeaseGuard,
    seenEpoch: number,
    batch: IntentBatch,
    at: EpochMs,
  ): Promise<Result<readonly StoredIntent[], CommitRefusal>>;
  /** Fills that came before their order was known are given to it here. */
  recordNews(
    scope: Scope,
    guard: LeaseGuard,
    id: IntentId,
    news: IntentNews,
    at: EpochMs,
  ): Promise<Result<StoredIntent, "lease_lost" | "unknown_intent" | "impossible">>;
  /** Books a fill with its fee, what it realised, positions and cycle; again changes nothing. */
  recordFill(scope: Scope, guard: LeaseGuard, fill: NewFill): Promise<Result<Booked, FillRefusal>>;
  recordFunding(
    scope: Scope,
    guard: LeaseGuard,
    funding: ExactFunding,
  ): Promise<Result<Booked, "lease_lost" | "BAD_FUNDING" | "CONFLICTING_RECORD">>;
  recordTransfer(
    scope: Scope,
    guard: LeaseGuard,
    transfer: NewTransfer,
  ): Promise<Result<Booked, "lease_lost" | "CONFLICTING_RECORD">>;

  findIntent(
    scope: Scope,
    accountId: AccountId,
    clientOrderId: ClientOrderId,
  ): Promise<StoredIntent | null>;
  /** Intents that are not final, oldest first. */
  aliveIntents(scope: Scope, accountId: AccountId): Promise<readonly StoredIntent[]>;
  /** Orders by their ids, whatever their status; unknown ids are left out. @param ids at most 500 */
  orders(
    scope: Scope,
    accountId: AccountId,
    ids: readonly IntentId[],
  ): Promise<readonly OrderFills[]>;
  /** Newest first. @param limit at most 1000 */
  recentIntents(
    scope: Scope,
    accountId: AccountId,
    query: { readonly owner: Owner | null; readonly limit: number },
  ): Promise<readonly StoredIntent[]>;
  /** Holdings that are not flat, by symbol, leg and holder. */
  holdings(scope: Scope, accountId: AccountId): Promise<readonly SymbolHolding[]>;
  /** Oldest first, in the order they count. */
  fills(scope: Scope, accountId: AccountId, symbol: string): Promise<readonly OwnedFill[]>;
  /** Newest first. @param limit at most 1000 */
  cycles(scope: Scope, accountId: AccountId, limit: number): Promise<readonly StoredCycle[]>;
  /** Newest first. @param limit at most 1000 */
  ledger(scope: Scope, accountId: AccountId, limit: number): Promise<readonly LedgerEntry[]>;
  /** Sums since an instant, of everything or of one owner; fills without any fee count as missing. */
  totals(
    scope: Scope,
    accountId: AccountId,
    query: { readonly sinceAt: EpochMs; readonly owner: Owner | null },
  ): Promise<LedgerTotals>;

  /** Derives positions, cycles, ledger and filled quantities again from the facts and compares. */
  rebuild(scope: Scope, guard: LeaseGuard): Promise<Result<RebuildReport, "lease_lost">>;
};
