// What reconciliation compares and what it answers. Shared by reconcile.ts, position-drift.ts and
// their callers; reports of the broker port fit the exchange's side as they are.
import type { Decimal } from "../model/decimal.ts";
import type { IntentStatus, OrderEvent } from "../model/order-status.ts";
import type { OrderSide, PositionSide } from "../model/order.ts";
import type { EpochMs } from "../model/time.ts";
import type { Leg, Owner } from "../model/trade-record.ts";

/** An intent that was sent, as far as reconciliation looks at it. */
export type OrderView = {
  readonly clientOrderId: string;
  readonly exchangeOrderId: string | null;
  readonly symbol: string;
  readonly side: OrderSide;
  readonly qty: Decimal;
  /** What a `trigger` order becomes in the book has another id and no client id. */
  readonly terms: { readonly kind: string };
  readonly status: IntentStatus;
  /** The sum of its trade records. */
  readonly filledQty: Decimal;
  /** The most the exchange said before; null when it never did. */
  readonly reportedFilledQty: Decimal | null;
  readonly sentAt: EpochMs;
};

/** An order as the exchange shows it; `unknown` is a word we do not know and counts as working. */
export type SeenOrder = {
  readonly exchangeOrderId: string;
  readonly clientOrderId: string | null;
  readonly symbol: string;
  readonly side: OrderSide;
  /** Null when the exchange does not tell. */
  readonly qty: Decimal | null;
  readonly status:
    "open" | "partly_filled" | "filled" | "cancelled" | "rejected" | "expired" | "unknown";
  readonly filledQty: Decimal;
};

/** A position as the exchange shows it; `qty` is never negative. */
export type SeenPosition = {
  readonly symbol: string;
  readonly mode: "one_way" | "hedge";
  readonly positionSide: PositionSide;
  readonly qty: Decimal;
};

/** What we hold: shorts are negative on every leg. */
export type HeldView = {
  readonly symbol: string;
  readonly leg: Leg;
  readonly holder: Owner | "account";
  readonly signedQty: Decimal;
  /** Reductions of a hedge leg beyond what the holder had on it. */
  readonly unmatchedQty: Decimal;
};

/** Our side of the comparison. Finished orders belong here too while they may still be listed. */
export type AccountView = {
  readonly orders: readonly OrderView[];
  readonly held: readonly HeldView[];
  readonly mode: "one_way" | "hedge";
  /** By symbol; a symbol without a step is not checked for drift. */
  readonly qtySteps: ReadonlyMap<string, Decimal>;
};

/** The exchange's side. Null parts were not read this time and nothing is concluded from them. */
export type AccountSnapshot = {
  /** When the first question was asked: orders sent later may be missing rightly. */
  readonly askedAt: EpochMs;
  readonly orders: readonly SeenOrder[] | null;
  readonly positions: readonly SeenPosition[] | null;
};

/** "Not found" answers in a row and when the first of them came. */
export type Strikes = { readonly count: number; readonly firstAt: number };

/** An execution without its trade record: since which look, and whether a person was told. */
export type Lack = { readonly sinceAt: EpochMs; readonly isTold: boolean };

/** What is remembered between looks; plain JSON, and only of what is not settled. */
export type ReconcileMemory = {
  /** "Not found" answers in a row, by client order id. */
  readonly strikes: Readonly<Record<string, Strikes>>;
  /** Orders whose trade records are late, by client order id. */
  readonly lacks: Readonly<Record<string, Lack>>;
  /** Strangers already reported, as `symbol#exchange order id`. */
  readonly strangers: readonly string[];
  /** Orders of other instances, written likewise. */
  readonly rivals: readonly string[];
  /** Looks in a row at which a leg differed, by `driftKey`. */
  readonly drifts: Readonly<Record<string, number>>;
  /**
   * What strangers took from owners, by leg and symbol, as far as it was reported; null before the
   * first look, which only takes notice.
   */
  readonly taken: Readonly<Record<string, Decimal>> | null;
  readonly isModeReported: boolean;
};

/** Something a person should see. */
export type Finding =
  | {
      /** The exchange says so much more is filled, and its trade records do not come. */
      readonly kind: "missed_fill";
      readonly clientOrderId: string;
      readonly qty: Decimal;
    }
  | { readonly kind: "order_adopted"; readonly clientOrderId: string }
  | { readonly kind: "order_missing_cancelled"; readonly clientOrderId: string }
  | { readonly kind: "stranger"; readonly symbol: string; readonly exchangeOrderId: string }
  | {
      /** An order in our writing that is not in our rows: somebody else sends them too. */
      readonly kind: "second_instance";
      readonly symbol: string;
      readonly exchangeOrderId: string;
      readonly clientOrderId: string;
      readonly instance: number;
    }
  | {
      /** Trades that belong to nobody took from what owners hold. */
      readonly kind: "taken_away";
      readonly symbol: string;
      readonly leg: Leg;
      readonly qty: Decimal;
      readonly affected: readonly Owner[];
    }
  | {
      /** `owners`: what the owners hold, strangers left out, does not add up to the account. */
      readonly kind: "position_drift";
      readonly between: "exchange" | "owners";
      readonly symbol: string;
      readonly leg: Leg;
      readonly ours: Decimal;
      readonly theirs: Decimal;
      /** Who holds something on the leg. */
      readonly affected: readonly Owner[];
    }
  | {
      readonly kind: "position_drift_solved";
      readonly between: "exchange" | "owners";
      readonly symbol: string;
      readonly leg: Leg;
    }
  | { readonly kind: "position_mode_changed"; readonly mode: "one_way" | "hedge" };

/** A question whose answer decides. */
export type Inquiry =
  | { readonly kind: "order"; readonly clientOrderId: string }
  | { readonly kind: "trades"; readonly symbol: string; readonly sinceAt: EpochMs | null };

/** What happened to an intent. */
export type OrderNews = {
  readonly clientOrderId: string;
  readonly event: Exclude<OrderEvent, "send" | "fill_part" | "fill_rest">;
  readonly exchangeOrderId: string | null;
  readonly reportedFilledQty: Decimal | null;
};

/** What a leg's drift is remembered under. */
export function driftKey(between: "exchange" | "owners", symbol: string, leg: Leg): string {
  return `${between} ${leg} ${symbol}`;
}

/** The drift remembered under a key. */
export function driftOf(key: string): {
  readonly between: "exchange" | "owners";
  readonly leg: Leg;
  readonly symbol: string;
} {
  const [between, leg, ...symbol] = key.split(" ");
  return {
    between: between as "exchange" | "owners",
    leg: leg as Leg,
    symbol: symbol.join(" "),
  };
}

/** The result of a look. */
export type ReconcileOutcome = {
  readonly memory: ReconcileMemory;
  readonly news: readonly OrderNews[];
  readonly inquiries: readonly Inquiry[];
  readonly findings: readonly Finding[];
};

/** An outcome in the making. */
export type Draft = {
  strikes: Record<string, Strikes>;
  lacks: Record<string, Lack>;
  strangers: string[];
  rivals: string[];
  drifts: Record<string, number>;
  taken: Record<string, Decimal> | null;
  isModeReported: boolean;
  news: OrderNews[];
  inquiries: Inquiry[];
  findings: Finding[];
};

/** Nothing is known yet. */
export const FRESH_MEMORY: ReconcileMemory = {
  strikes: {},
  lacks: {},
  strangers: [],
  rivals: [],
  drifts: {},
  taken: null,
  isModeReported: false,
};
