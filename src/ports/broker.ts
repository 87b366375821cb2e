// The door to one account at one exchange, in our words. Interfaces only. Implemented over ccxt, by
// the paper broker and by the simulator; called by the order dispatcher (writes) and by pollers,
// reconciler and pre-flight (reads). Prices and quantities are exact decimals, ids are strings.
import type { Decimal } from "../model/decimal.ts";
import type { Liquidity, OrderSide, PositionSide } from "../model/order.ts";
import type { OrderRules } from "../model/order-rules.ts";
import type { EpochMs } from "../model/time.ts";

/** One net position per symbol, or a long and a short leg side by side. */
export type PositionMode = "one_way" | "hedge";

/** Place in the queue of the own side of the book: 1 is the best price. */
export type QueueLevel = 1 | 2 | 3 | 4 | 5;

/**
 * How an order executes. `queue` rests at a level of the own side whatever its price is then;
 * `trigger` waits outside the book until the market reaches `triggerPrice` from the other side and
 * then becomes a limit order at `price`, or a market order when that is null.
 */
export type OrderTerms =
  | { readonly kind: "market" }
  | { readonly kind: "limit" | "ioc" | "fok"; readonly price: Decimal }
  | {
      readonly kind: "post_only";
      readonly price: Decimal;
      /** Moved next to the book instead of refused when it would take. */
      readonly mayAdjust: boolean;
    }
  | { readonly kind: "queue"; readonly level: QueueLevel }
  | {
      readonly kind: "trigger";
      readonly triggerPrice: Decimal;
      readonly direction: "rising" | "falling";
      readonly price: Decimal | null;
    };

/** An order to send; quantities in the instrument's units (contracts where it has them). */
export type NewOrder = {
  /** 19 digits, ours; unique for ever on our side whatever the exchange asks for. */
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: OrderSide;
  /** The leg on a hedge account; null on a one-way account and on spot. */
  readonly positionSide: PositionSide | null;
  readonly terms: OrderTerms;
  readonly qty: Decimal;
  readonly isReduceOnly: boolean;
  /** Shown in the book; null shows everything, zero nothing. */
  readonly visibleQty: Decimal | null;
  /** Needed only where the exchange takes it with the order (`capabilities.leverageWithOrder`). */
  readonly leverage: number | null;
};

/** An order by one of its ids; `isTrigger` while it waits outside the book. */
export type OrderRef = {
  readonly symbol: string;
  readonly by: "client" | "exchange";
  readonly id: string;
  readonly isTrigger: boolean;
};

/** New price or quantity of a working order; null leaves it. */
export type Amendment = {
  readonly side: OrderSide;
  readonly price: Decimal | null;
  readonly qty: Decimal | null;
};

/** Why a write was refused; the exchange, or we before sending, did not accept it. */
export type RefusalReason =
  | "RATE_LIMITED"
  | "QUEUE_FULL"
  | "BREAKER_OPEN"
  | "KEY_REFUSED"
  | "PERMISSION_MISSING"
  | "ADDRESS_REFUSED"
  | "CLOCK_SKEW"
  | "ACCOUNT_SUSPENDED"
  | "MAINTENANCE"
  | "INSUFFICIENT_MARGIN"
  | "PRICE_OFF_FILTER"
  | "PRICE_OUT_OF_BAND"
  | "QTY_OFF_FILTER"
  | "NOTIONAL_TOO_SMALL"
  | "POSITION_LIMIT"
  | "REDUCE_ONLY_EXCEEDS"
  | "POSITION_MODE"
  | "LEVERAGE_REFUSED"
  | "DUPLICATE_CLIENT_ID"
  | "ORDER_NOT_FOUND"
  | "ORDER_FINISHED"
  | "WOULD_TAKE"
  | "MARKET_CLOSED"
  | "BUSY"
  | "BAD_REQUEST"
  | "NOT_SUPPORTED"
  | "UNKNOWN_CODE";

/**
 * What a refusal asks of whoever sent the write: wait and try something new, stop the account, let
 * the strategy decide again, block entries until the mode is right, look for the order that already
 * has this id, ask what became of the order, wait for the maintenance to end.
 */
export type RefusalAdvice =
  "back_off" | "stop_account" | "decide_again" | "block_entries" | "adopt" | "ask" | "pause";

/** Why nobody knows yet whether a write was accepted. */
export type UnverifiedCause =
  "timeout" | "connection_lost" | "server_error" | "unreadable_answer" | "said_unknown";

/**
 * The answer to a write. `accepted` means the exchange took the request: an order may still be
 * cancelled by it, and a cancel is only asked for until the order says so. `unverified` is settled by
 * asking for the order, never by sending again. Sentences hold no secret and no raw answer.
 */
export type WriteAnswer<Accepted> =
  | { readonly outcome: "accepted"; readonly value: Accepted }
  | {
      readonly outcome: "refused";
      readonly reason: RefusalReason;
      readonly advice: RefusalAdvice;
      readonly sentence: string;
      /** How long the exchange asks us to stay away; null when it does not say. */
      readonly retryAfterMs: number | null;
    }
  | {
      readonly outcome: "unverified";
      readonly cause: UnverifiedCause;
      readonly sentence: string;
    };

/** What kind of trouble ended a read; `refused` is an answer about the request itself. */
export type BrokerFaultKind =
  | "transport"
  | "rate_limit"
  | "auth"
  | "permission"
  | "address"
  | "clock"
  | "maintenance"
  | "refused"
  | "not_supported"
  | "incomplete"
  | "queue_full"
  | "breaker_open";

/** What a read throws. */
export type BrokerFault = Error & {
  readonly name: "BrokerError";
  readonly kind: BrokerFaultKind;
  readonly retryAfterMs: number | null;
};

/** `unknown` is a word of the exchange we do not know: such an order counts as still working. */
export type OrderStatus =
  "open" | "partly_filled" | "filled" | "cancelled" | "rejected" | "expired" | "unknown";

/** An order as the exchange tells it; its fills are in the trade records only. */
export type OrderReport = {
  readonly exchangeOrderId: string;
  /** Null when the order was placed without one. */
  readonly clientOrderId: string | null;
  readonly symbol: string;
  readonly side: OrderSide;
  /** Null on a one-way account and on spot. */
  readonly positionSide: PositionSide | null;
  readonly status: OrderStatus;
  readonly isTrigger: boolean;
  readonly isReduceOnly: boolean | null;
  /** Null for market orders. */
  readonly price: Decimal | null;
  readonly triggerPrice: Decimal | null;
  /** Null for market orders placed by cost. */
  readonly qty: Decimal | null;
  readonly filledQty: Decimal;
  readonly averagePrice: Decimal | null;
  readonly createdAt: EpochMs | null;
};

/** One execution; the only source of fills. */
export type TradeRecord = {
  readonly tradeId: string;
  readonly exchangeOrderId: string;
  readonly symbol: string;
  readonly side: OrderSide;
  /** Null when the exchange does not tell. */
  readonly positionSide: PositionSide | null;
  readonly price: Decimal;
  readonly qty: Decimal;
  /** A positive cost, a negative rebate; null when the exchange does not tell. */
  readonly fee: Decimal | null;
  readonly feeAsset: string | null;
  readonly liquidity: Liquidity | null;
  readonly realisedPnl: Decimal | null;
  readonly at: EpochMs;
};

/** One leg that holds something; `qty` is never negative. */
export type PositionReport = {
  readonly symbol: string;
  readonly mode: PositionMode;
  readonly positionSide: PositionSide;
  readonly qty: Decimal;
  readonly averagePrice: Decimal | null;
  readonly markPrice: Decimal | null;
  /** Null when there is none. */
  readonly liquidationPrice: Decimal | null;
  readonly leverage: number | null;
};

/** What is held of one currency. */
export type BalanceReport = {
  readonly asset: string;
  readonly total: Decimal;
  /** Null when the exchange does not tell. */
  readonly free: Decimal | null;
};

/** Leverage of one symbol; both sides are equal on a one-way account. */
export type LeverageReport = { readonly long: number; readonly short: number };

/** Fees as fractions of the notional: 0.0002 is 0.02 %. */
export type FeeRates = { readonly makerRatio: Decimal; readonly takerRatio: Decimal };

/** One funding payment; positive was received, negative was paid. */
export type FundingPayment = {
  readonly id: string;
  readonly symbol: string;
  readonly amount: Decimal;
  /** Null when the exchange does not tell: it is the settle currency of the symbol then. */
  readonly asset: string | null;
  readonly rate: Decimal | null;
  readonly at: EpochMs;
};

/** The price positions are valued and liquidated at. */
export type MarkPrice = { readonly price: Decimal; readonly at: EpochMs };

/** The best of each side of the book. */
export type TopOfBook = {
  readonly bid: Decimal;
  readonly bidQty: Decimal;
  readonly ask: Decimal;
  readonly askQty: Decimal;
  readonly at: EpochMs;
};

/** What the key may do; null where the exchange does not tell. */
export type KeyPermissions = {
  readonly mayTrade: boolean | null;
  readonly mayWithdraw: boolean | null;
  /** Whether the key works from listed addresses only. */
  readonly isAddressBound: boolean | null;
};

/** What this exchange can do; everything else is refused before it is sent. */
export type BrokerCapabilities = {
  readonly hedge: boolean;
  readonly queueLevels: boolean;
  readonly postOnlyAdjust: boolean;
  readonly visibleQty: boolean;
  readonly triggerOrders: boolean;
  readonly amend: boolean;
  readonly cancelAll: boolean;
  readonly deadMan: boolean;
  readonly leverage: boolean;
  /** New orders need `leverage` unless they are reduce-only. */
  readonly leverageWithOrder: boolean;
  readonly positionMode: boolean;
  readonly switchesPositionMode: boolean;
  readonly fundingPayments: boolean;
  readonly markPrice: boolean;
  readonly tradeRecords: boolean;
  /** Trade records of all symbols come in one list. */
  readonly tradesOfAll: boolean;
  /** A client order id may be used again once its order has ended: it proves nothing. */
  readonly reusesClientIds: boolean;
};

/** How a call is made. */
export type CallOptions = {
  readonly signal: AbortSignal;
  /** The call belongs to an emergency: it goes first and passes an open breaker. */
  readonly isFlatten?: boolean;
  /** How long it may wait for its turn, then it throws `queue_full`; as long as others of its kind when absent. */
  readonly patienceMs?: number;
  /** Asked right before a write leaves, after any wait for its turn; false keeps it here, refused. */
  readonly mayLeave?: () => boolean;
  /** Awaited before every request after the first of one call (further pages). */
  readonly beforeNextRequest?: () => Promise<void>;
};

/** From an instant on, inclusive. */
export type SinceQuery = { readonly symbol: string; readonly sinceAt: EpochMs };

/** The same for trade records; of all symbols when null (`capabilities.tradesOfAll`). */
export type TradesQuery = { readonly symbol: string | null; readonly sinceAt: EpochMs };

/** What changed somewhere; never a fact to book, only a reason to ask. */
export type BrokerHint =
  | {
      readonly kind: "order";
      readonly symbol: string;
      readonly exchangeOrderId: string;
      readonly clientOrderId: string | null;
    }
  | { readonly kind: "position"; readonly symbol: string }
  | { readonly kind: "balance" }
  | {
      /** Something may have been missed: ask for everything. */
      readonly kind: "resync";
      readonly cause: "connected" | "disconnected" | "gap" | "silent" | "unreadable";
    };

/** A stream of hints; `stop` ends it and its connection. */
export type HintStream = { stop(): void };

/**
 * One account at one exchange. Reads throw a BrokerFault; `order` answers null only when the exchange
 * says there is no such order. Lists are complete: when a page is missing the read throws.
 */
export type Broker = {
  readonly exchangeId: string;
  readonly capabilities: BrokerCapabilities;

  order(ref: OrderRef, options: CallOptions): Promise<OrderReport | null>;
  /** Working orders, trigger orders included; of all symbols when `symbol` is null. */
  openOrders(symbol: string | null, options: CallOptions): Promise<readonly OrderReport[]>;
  /** Oldest first. */
  tradesSince(query: TradesQuery, options: CallOptions): Promise<readonly TradeRecord[]>;
  positions(symbol: string | null, options: CallOptions): Promise<readonly PositionReport[]>;
  balances(options: CallOptions): Promise<readonly BalanceReport[]>;
  leverage(symbol: string, options: CallOptions): Promise<LeverageReport>;
  positionMode(symbol: string, options: CallOptions): Promise<PositionMode>;
  orderRules(symbol: string, options: CallOptions): Promise<OrderRules>;
  feeRates(symbol: string, options: CallOptions): Promise<FeeRates>;
  /** Oldest first. */
  fundingSince(query: SinceQuery, options: CallOptions): Promise<readonly FundingPayment[]>;
  markPrice(symbol: string, options: CallOptions): Promise<MarkPrice>;
  topOfBook(symbol: string, options: CallOptions): Promise<TopOfBook>;
  serverTime(options: CallOptions): Promise<EpochMs>;
  permissions(options: CallOptions): Promise<KeyPermissions>;

  place(order: NewOrder, options: CallOptions): Promise<WriteAnswer<{ exchangeOrderId: string }>>;
  amend(ref: OrderRef, change: Amendment, options: CallOptions): Promise<WriteAnswer<null>>;
  cancel(ref: OrderRef, options: CallOptions): Promise<WriteAnswer<null>>;
  /** Every working order of the symbol, trigger orders included. */
  cancelAll(symbol: string, options: CallOptions): Promise<WriteAnswer<null>>;
  /** The exchange cancels everything unless this is repeated within `afterMs`; 0 switches it off. */
  setDeadMan(afterMs: number, options: CallOptions): Promise<WriteAnswer<null>>;
  /** @param positionSide the leg on a hedge account, null otherwise */
  setLeverage(
    symbol: string,
    leverage: number,
    positionSide: PositionSide | null,
    options: CallOptions,
  ): Promise<WriteAnswer<null>>;
  setPositionMode(
    symbol: string,
    mode: PositionMode,
    options: CallOptions,
  ): Promise<WriteAnswer<null>>;

  /**
   * How long a trigger order would wait for its turn, ms, if so many others were placed before it: the stops of
   * other positions go before orders that open one. Absent where nothing is counted.
   */
  readonly triggerWaitMs?: (ahead: number) => number;

  /** Hints as they come; null when this exchange has no stream here. */
  listen(onHint: (hint: BrokerHint) => void): HintStream | null;
};
