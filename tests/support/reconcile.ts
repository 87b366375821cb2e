// Both sides of a reconciliation for tests: change what matters.
import type {
  AccountSnapshot,
  AccountView,
  HeldView,
  OrderView,
  SeenOrder,
  SeenPosition,
} from "../../src/execution/reconcile-view.ts";
import { decimal } from "../../src/model/decimal.ts";
import type { Holder } from "../../src/model/symbol-book.ts";

/** The market of the examples. */
export const SYMBOL = "BTC/USDT:USDT";
/** When the examples were sent. */
export const SENT = 1000;
/** Nothing. */
export const zero = decimal(0);

/** An order as we see it. */
export const ours = (change: Partial<OrderView> = {}): OrderView => ({
  clientOrderId: "c1",
  exchangeOrderId: "x1",
  symbol: SYMBOL,
  side: "buy",
  qty: decimal(1),
  terms: { kind: "limit" },
  status: "open",
  filledQty: zero,
  reportedFilledQty: null,
  sentAt: SENT,
  ...change,
});

/** The same as the exchange shows it. */
export const seen = (change: Partial<SeenOrder> = {}): SeenOrder => ({
  exchangeOrderId: "x1",
  clientOrderId: "c1",
  symbol: SYMBOL,
  side: "buy",
  qty: decimal(1),
  status: "open",
  filledQty: zero,
  ...change,
});

/** Our side. */
export const view = (change: Partial<AccountView> = {}): AccountView => ({
  orders: [],
  held: [],
  mode: "one_way",
  qtySteps: new Map([[SYMBOL, decimal("0.01")]]),
  ...change,
});

/** The exchange's side. */
export const look = (change: Partial<AccountSnapshot> = {}): AccountSnapshot => ({
  askedAt: 5000,
  orders: [],
  positions: [],
  ...change,
});

/** A long position at the exchange. */
export const position = (qty: string, change: Partial<SeenPosition> = {}): SeenPosition => ({
  ...{ symbol: SYMBOL, mode: "one_way", positionSide: "long", qty: decimal(qty) },
  ...change,
});

/** What we hold. */
export const held = (
  qty: string,
  holder: Holder = "account",
  change: Partial<HeldView> = {},
): HeldView => ({
  ...{ symbol: SYMBOL, leg: "net", holder, signedQty: decimal(qty), unmatchedQty: zero },
  ...change,
});

/** An outcome without content. */
export const nothing = { news: [], inquiries: [], findings: [] };
