// What the parts of an account's live loop hand to each other: the lease, the cell of the trading states,
// markets, and the questions and answers of the order dispatcher. Types only.
import type { Decimal } from "../../model/decimal.ts";
import type { ApprovedIntent } from "../../model/order.ts";
import type { OrderRules } from "../../model/order-rules.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId, AccountMode } from "../../ports/account-store.ts";
import type { BotId, NewEvent } from "../../ports/bot-store.ts";
import type { Broker, PositionMode, QueueLevel, RefusalReason } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type {
  IntentId,
  LeaseGuard,
  NewIntent,
  StepRecord,
  StoredIntent,
  TradingStore,
} from "../../ports/trading-store.ts";
import type { IntentCheck } from "../../risk/pre-trade.ts";
import type { TradingState } from "../../risk/trading-state.ts";

/** The account this process trades. */
export type LiveAccount = {
  readonly scope: Scope;
  readonly accountId: AccountId;
  readonly mode: AccountMode;
  readonly positionMode: PositionMode;
  /** 0..99: this installation, in client order ids. */
  readonly instance: number;
};

/** The lease as long as it is ours. */
export type HeldLease = {
  readonly guard: LeaseGuard;
  /** For client order ids. */
  stampS(): number;
  /** Takes a new stamp when the ids of this one are used up; null when the lease is lost. */
  freshStamp(): Promise<number | null>;
  /** Time left by the monotonic clock; 0 or less when it is over or lost. */
  remainingMs(): number;
};

/** The trading state that holds for an order right now. */
export type ControlCell = {
  /** 0 while nothing was read yet: nothing can be committed under it. */
  readonly epoch: number;
  readonly state: TradingState;
  readonly reason: string;
  readonly since: EpochMs;
};

/** Reads the cells in memory; never waits. */
export type ControlCells = {
  /** @param botId null for what concerns the account alone */
  cell(
    account: Pick<LiveAccount, "scope" | "accountId" | "mode">,
    botId: BotId | null,
  ): ControlCell;
};

/** How an order meant to rest looks for its place. */
export type MakerPolicy = {
  /** The level of the own side that is tried first; null begins with post-only. */
  readonly queueLevel: QueueLevel | null;
  /** Whether a plain limit order may follow when resting was refused. */
  readonly mayTake: boolean;
};

/** A market as the live loop trades it. */
export type LiveMarket = {
  readonly rules: OrderRules;
  /** Sent with orders where the exchange wants it; null elsewhere. */
  readonly leverage: number | null;
  readonly maker: MakerPolicy;
};

/** What every part of the loop of one account works with. */
export type LiveDeps = {
  readonly account: LiveAccount;
  readonly lease: HeldLease;
  readonly cells: ControlCells;
  readonly store: TradingStore;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Log;
  /** Durable events outside of a step; kept and written in order, never throws. */
  readonly note: (event: NewEvent) => void;
};

/** Room of an account for the orders of a bot. */
export type OrderRoom = {
  /** Reserves room for an order, or says what keeps it back. */
  readonly check: IntentCheck;
  /** An order is proven gone: its room is free. */
  released(intentId: IntentId): void;
};

/** An order that risk approved, on its way to the exchange. */
export type PlaceOrder = {
  readonly approved: ApprovedIntent;
  readonly owner: NewIntent["owner"];
  /** For the client order id and the trading state of the bot. */
  readonly botId: BotId;
  readonly market: LiveMarket;
  /** Mark price for checks that need one; null when it is not known. */
  readonly referencePrice: Decimal | null;
  /** What the leg holds, for reduce-only orders; null otherwise. */
  readonly heldQty: Decimal | null;
};

/** What one step wants done; carried out in the order of the fields. */
export type DispatchBatch = {
  /** Resting or waiting orders to take back. */
  readonly cancel: readonly StoredIntent[];
  /** Orders to send now. */
  readonly place: readonly PlaceOrder[];
  /** Orders to keep here until the price comes near. */
  readonly park: readonly PlaceOrder[];
  /** Parked orders to send now. */
  readonly send: readonly { readonly intent: StoredIntent; readonly order: PlaceOrder }[];
  /** Committed together with the intents. */
  readonly step: StepRecord | null;
  /** An emergency: goes first and passes an open breaker. */
  readonly isFlatten: boolean;
};

/** Why an order was not sent; nothing of it is at the exchange. */
export type WithheldReason =
  | "TRADING_STATE"
  | "LEASE_SHORT"
  | "UNVERIFIED_PENDING"
  | "RULES"
  | "NO_BOOK"
  | "CANCEL_PENDING"
  | "TRIGGERS_BUSY"
  | "STOPPING";

/** What became of one order of a batch. `targetKey` names it. */
export type Dispatched = { readonly targetKey: string } & (
  | { readonly outcome: "open" | "parked" | "unverified"; readonly intent: StoredIntent }
  | {
      readonly outcome: "refused";
      readonly intent: StoredIntent;
      readonly reason: RefusalReason;
      readonly advice: string;
      readonly sentence: string;
    }
  | {
      readonly outcome: "withheld";
      /** Null when it was never written down. */
      readonly intent: StoredIntent | null;
      readonly reason: WithheldReason;
      readonly sentence: string;
    }
);

/** What became of one cancel: `gone` is proven by the exchange; `asked` is not known yet. */
export type Cancelled = {
  readonly intentId: IntentId;
  readonly outcome: "gone" | "asked" | "withheld";
  readonly intent: StoredIntent;
};

/** The answer to a batch. */
export type DispatchReport =
  | {
      readonly ok: true;
      readonly cancelled: readonly Cancelled[];
      readonly dispatched: readonly Dispatched[];
    }
  | {
      /** No new order was written or sent, cancels may have been: the step has to be made again. */
      readonly ok: false;
      readonly reason: "lease_lost" | "epoch_moved" | "state_moved" | "not_waiting" | "stopping";
      readonly detail: string;
    };

/** The one door every order of an account passes. */
export type OrderDispatcher = {
  /**
   * Writes ahead in one transaction, then sends. Batches of one account are carried out one after the
   * other. @throws when the database is not there: nothing of the batch was sent, or it is `sending`
   * and belongs to the resolver
   */
  dispatch(batch: DispatchBatch): Promise<DispatchReport>;
  /** Ids of intents this process is sending right now; the resolver leaves them alone. */
  inFlight(): ReadonlySet<IntentId>;
  /** Takes no more batches and waits for the present one. */
  stop(): Promise<void>;
};

/** Finds out about orders nobody is sure of. */
export type UnverifiedResolver = {
  /** Asks about everything that is due; safe to call at every fast tick. @returns how many are left */
  settle(signal: AbortSignal): Promise<number>;
  /** Whether an order of this symbol is in doubt: no entries until it is settled. */
  isInDoubt(symbol: string): boolean;
};

/** Books trade records and funding payments from the exchange. */
export type FactIngest = {
  /** Asks from `sinceAt`, or from where it stopped last time with an overlap when null. */
  trades(symbol: string, sinceAt: EpochMs | null, signal: AbortSignal): Promise<IngestReport>;
  /** The same for several markets, in one request where the exchange can; nothing of it throws. */
  tradesOf(
    wants: ReadonlyMap<string, EpochMs | null>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, MarketLook>>;
  funding(symbol: string, signal: AbortSignal): Promise<IngestReport>;
};

/** What a look brought. */
export type IngestReport = {
  readonly booked: number;
  /** Fees told later or better than before. */
  readonly corrected: number;
  /** Records that were not booked, one sentence each. */
  readonly refused: readonly string[];
};

/** What looking at one of several markets brought, or why it could not be looked at. */
export type MarketLook = { readonly report: IngestReport } | { readonly error: unknown };

/** Compares the account with the exchange. */
export type Reconciler = {
  /**
   * One pass: snapshot, comparison, questions, bookings. Reads that fail defer what needs them and make
   * the pass incomplete; nothing is concluded from what was not read.
   */
  pass(signal: AbortSignal): Promise<ReconcileReport>;
  /** Symbols whose entries are blocked until a person or the next pass settles them, with the reason. */
  blocks(): ReadonlyMap<string, string>;
  /** True once a pass since the start was complete. */
  isClean(): boolean;
};

/** What a pass did. */
export type ReconcileReport = {
  readonly isComplete: boolean;
  /** Everything was compared but positions, whose turn to be asked for was far. */
  readonly isDeferred: boolean;
  /** Rows written; the second pass over the same state writes none. */
  readonly writes: number;
  readonly findings: readonly string[];
  /** Sentences of reads that failed. */
  readonly failures: readonly string[];
};
