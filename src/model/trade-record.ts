// What happened to an account's money at the exchange, as exact facts: fills and funding payments, who
// they belong to and in which order they count. Stores write these rows; everything else (positions,
// cycles, ledger) is derived from them by symbol-book.ts.
import type { ClientOrderId } from "./client-order-id.ts";
import { compare, type Decimal, multiply } from "./decimal.ts";
import type { Liquidity, OrderPurpose, OrderSide } from "./order.ts";
import { ok, refuse, type Result } from "./result.ts";
import type { EpochMs } from "./time.ts";

/** The place a fill lands in: a leg of a hedge account, or the one net position of a one-way one. */
export type Leg = "long" | "short" | "net";

/** Who a fill belongs to; `foreign` when nobody here asked for it. */
export type Owner = `bot:${number}` | `group:${number}` | "foreign";

/** What a fill cost. */
export type Fee = {
  /** A positive cost, a negative rebate. */
  readonly amount: Decimal;
  readonly asset: string;
  /** The same in the settle asset; null while no conversion is known. */
  readonly settleAmount: Decimal | null;
  /** Computed from the fee rate because the exchange has not told it yet. */
  readonly isEstimated: boolean;
};

/** One execution as the exchange recorded it. Quantities in the instrument's units. */
export type ExactFill = {
  readonly symbol: string;
  readonly tradeId: string;
  readonly exchangeOrderId: string;
  readonly side: OrderSide;
  readonly leg: Leg;
  readonly price: Decimal;
  readonly qty: Decimal;
  /** Base currency per unit of quantity. */
  readonly contractSize: Decimal;
  /** The currency profits and costs are counted in. */
  readonly settleAsset: string;
  /** Null while it is neither told nor estimated. */
  readonly fee: Fee | null;
  readonly liquidity: Liquidity | null;
  /** What the exchange says was realised; kept to compare, never booked. */
  readonly exchangeRealised: Decimal | null;
  readonly at: EpochMs;
};

/** What our own order says about its fills; nulls for foreign ones. */
export type FillOrigin = {
  readonly owner: Owner;
  readonly clientOrderId: ClientOrderId | null;
  readonly purpose: OrderPurpose | null;
  /** ENTRY, DCA_1, TP_PCT … */
  readonly reason: string | null;
};

/** A fill and whose it is. */
export type OwnedFill = ExactFill & FillOrigin;

/** One funding payment; positive was received. */
export type ExactFunding = {
  readonly symbol: string;
  readonly paymentId: string;
  readonly amount: Decimal;
  readonly asset: string;
  readonly at: EpochMs;
};

/** A fact that moves the book of one symbol. */
export type BookFact =
  | { readonly kind: "fill"; readonly fill: OwnedFill }
  | { readonly kind: "funding"; readonly funding: ExactFunding };

/** Where a fact stands among all facts of its symbol. */
export type FactKey = {
  readonly at: EpochMs;
  /** 0 for fills, 1 for funding: within a millisecond fills count first. */
  readonly rank: 0 | 1;
  readonly id: string;
  readonly side: OrderSide | "";
};

/** The origin of fills nobody here asked for. */
export const FOREIGN: FillOrigin = {
  owner: "foreign",
  clientOrderId: null,
  purpose: null,
  reason: null,
};

/**
 * The reference of a trade record, unique in an account: exchanges count trades per symbol, and an
 * account that trades with itself gets one id on both sides.
 */
export function fillRef(fill: Pick<ExactFill, "symbol" | "tradeId" | "side">): string {
  return `${fill.symbol}#${fill.tradeId}#${fill.side}`;
}

/** The key a fact is ordered by. */
export function factKey(fact: BookFact): FactKey {
  if (fact.kind === "funding") {
    return { at: fact.funding.at, rank: 1, id: fact.funding.paymentId, side: "" };
  }
  return { at: fact.fill.at, rank: 0, id: fact.fill.tradeId, side: fact.fill.side };
}

/** The one order of facts: instant, fills before funding, then the ids as numbers of text. */
export function compareKeys(a: FactKey, b: FactKey): number {
  return (
    a.at - b.at ||
    a.rank - b.rank ||
    a.id.length - b.id.length ||
    compareText(a.id, b.id) ||
    compareText(a.side, b.side)
  );
}

/** Order of code units, the same as the database's "C" collation for visible ASCII. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const ZERO = "0" as Decimal;
/** What ids may hold: the order of ids must be the same here and in the database. */
const ID_SHAPE = /^[!-~]{1,100}$/;

/** Whether a fill can be booked at all; the detail names the field. */
export function checkFill(fill: ExactFill): Result<null, "BAD_TRADE_RECORD"> {
  const bad = (sentence: string) => refuse("BAD_TRADE_RECORD", sentence);
  for (const [name, id] of [
    ["tradeId", fill.tradeId],
    ["exchangeOrderId", fill.exchangeOrderId],
  ]) {
    if (!ID_SHAPE.test(id ?? ""))
      return bad(`${name}: "${id}" must be 1 to 100 visible characters`);
  }
  for (const name of ["price", "qty", "contractSize"] as const) {
    if (compare(fill[name], ZERO) <= 0) return bad(`${name}: ${fill[name]} must be above 0`);
  }
  if (!Number.isSafeInteger(fill.at) || fill.at <= 0) {
    return bad(`at: ${fill.at} must be an instant in milliseconds`);
  }
  return ok(null);
}

/** Whether a funding payment can be booked at all. */
export function checkFunding(funding: ExactFunding): Result<null, "BAD_FUNDING"> {
  if (!ID_SHAPE.test(funding.paymentId)) {
    const sentence = `paymentId: "${funding.paymentId}" must be 1 to 100 visible characters`;
    return refuse("BAD_FUNDING", sentence);
  }
  if (!Number.isSafeInteger(funding.at) || funding.at <= 0) {
    return refuse("BAD_FUNDING", `at: ${funding.at} must be an instant in milliseconds`);
  }
  return ok(null);
}

/** Whether two records of one trade tell the same execution; only what the fee was may be new. */
export function isSameExecution(a: ExactFill, b: ExactFill): boolean {
  return (
    a.exchangeOrderId === b.exchangeOrderId &&
    a.at === b.at &&
    a.leg === b.leg &&
    compare(a.price, b.price) === 0 &&
    compare(a.qty, b.qty) === 0 &&
    compare(a.contractSize, b.contractSize) === 0
  );
}

/**
 * The better of two fees of one trade: told beats estimated beats none, and one whose worth in the
 * settle asset is known beats one without. Equally good ones leave the first.
 */
export function betterFee(known: Fee | null, told: Fee | null): Fee | null {
  return feeRank(told) > feeRank(known) ? told : known;
}

function feeRank(fee: Fee | null): number {
  if (fee === null) return 0;
  return (fee.isEstimated ? 1 : 3) + (fee.settleAmount === null ? 0 : 1);
}

/** A fee by the rate, until the exchange tells it; the rate is a fraction of the notional. */
export function estimatedFee(
  fill: Pick<ExactFill, "price" | "qty" | "contractSize" | "settleAsset">,
  rateRatio: Decimal,
): Fee {
  const amount = multiply(multiply(multiply(fill.price, fill.qty), fill.contractSize), rateRatio);
  return { amount, asset: fill.settleAsset, settleAmount: amount, isEstimated: true };
}
