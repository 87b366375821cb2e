// What reconciliation compares and what it answers. Types shared by reconcile.ts, position-drift.ts and
// their callers; reports of the broker port fit the exchange's side as they are.
import type { Decimal } from "../model/decimal.ts";
import type { IntentStatus, OrderEvent } from "../model/order-status.ts";
import type { PositionSide } from "../model/order.ts";
import type { EpochMs } from "../model/time.ts";
import type { Leg, Owner } from "../model/trade-record.ts";

/** An intent that was sent, as far as reconciliation looks at it. */
export type OrderView = {
  readonly clientOrderId: string;
  readonly exchangeOrderId: string | null;
  readonly symbol: string;
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

/** What is remembered between looks; plain JSON, and only of what is not settled. */
export type ReconcileMemory = {
  /** "Not found" answers in a row, by client order id. */
  readonly strikes: Readonly<Record<string, number>>;
  /** Exchange order ids of strangers already reported. */
  readonly strangers: readonly string[];
  /** Looks in a row at which a leg differed. */
  readonly drifts: Readonly<Record<string, number>>;
  readonly isModeReported: boolean;
};

/** Something a person should see. */
export type Finding =
  | { readonly kind: "missed_fill"; readonly clientOrderId: string; readonly qty: Decimal }
  | { readonly kind: "order_adopted"; readonly clientOrderId: string }
  | { readonly kind: "order_missing_cancelled"; readonly clientOrderId: string }
  | { readonly kind: "stranger"; readonly symbol: string; readonly exchangeOrderId: string }
  | {
      /** `owners`: what owners hold does not add up to the account. */
      readonly kind: "position_drift";
      readonly between: "exchange" | "owners";
      readonly symbol: string;
      readonly leg: Leg;
      readonly ours: Decimal;
      readonly theirs: Decimal;
    }
  | { readonly kind: "position_mode_changed"; readonly mode: "one_way" | "hedge" };

/** A question whose answer decides. */
export type Inquiry =
  | { readonly kind: "order"; readonly clientOrderId: string }
  | { readonly kind: "trades"; readonly symbol: string; readonly sinceAt: EpochMs | null };

/** What happened to an intent. */
export type OrderNews = {
  readonly clientOrderId: string;
  readonly event: OrderEvent;
  readonly exchangeOrderId: string | null;
  readonly reportedFilledQty: Decimal | null;
};

/** The result of a look. */
export type ReconcileOutcome = {
  readonly memory: ReconcileMemory;
  readonly news: readonly OrderNews[];
  readonly inquiries: readonly Inquiry[];
  readonly findings: readonly Finding[];
};

/** An outcome in the making. */
export type Draft = {
  strikes: Record<string, number>;
  strangers: string[];
  drifts: Record<string, number>;
  isModeReported: boolean;
  news: OrderNews[];
  inquiries: Inquiry[];
  findings: Finding[];
};

/** Nothing is known yet. */
export const FRESH_MEMORY: ReconcileMemory = {
  strikes: {},
  strangers: [],
  drifts: {},
  isModeReported: false,
};
