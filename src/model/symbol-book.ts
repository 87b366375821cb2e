// Everything that follows from the fills and funding payments of one symbol of one account: holdings of
// the account and of every owner, cycles, ledger entries. Used by the trading stores, which hand over
// facts in the order of compareKeys; the same facts always give the same book, whenever they arrived.
import { add, compare, type Decimal, subtract } from "./decimal.ts";
import {
  applyToLeg,
  FLAT_LEG,
  type LegChange,
  type LegPosition,
  shareOf,
  signedQty,
} from "./leg-position.ts";
import type { LedgerEntry } from "./ledger.ts";
import {
  cycleCharged,
  cycleEntered,
  cycleFunded,
  cycleReduced,
  openCycle,
  type TradeCycle,
} from "./trade-cycle.ts";
import {
  type BookFact,
  compareText,
  type ExactFunding,
  type FactKey,
  factKey,
  fillRef,
  type Leg,
  type OwnedFill,
  type Owner,
} from "./trade-record.ts";

/** The whole account, or one owner's virtual position in it. */
export type Holder = Owner | "account";

/** What one holder has on one leg; cycles are kept for owners only. */
export type Holding = {
  readonly holder: Holder;
  readonly leg: Leg;
  readonly position: LegPosition;
  readonly cycle: TradeCycle | null;
};

/** Holdings that are not flat, by holder and leg. */
export type SymbolBook = { readonly symbol: string; readonly holdings: Map<string, Holding> };

/** What a run of facts brought besides the new book. */
export type BookOutcome = {
  readonly entries: LedgerEntry[];
  /** Cycles that ended. */
  readonly closed: TradeCycle[];
  /** Facts after which nobody held anything: a book may be derived from there on alone. */
  readonly quietAfter: FactKey[];
};

const ZERO = "0" as Decimal;

/** A book in which nobody holds anything. */
export function emptyBook(symbol: string): SymbolBook {
  return { symbol, holdings: new Map() };
}

/** A book from stored holdings. */
export function bookOf(symbol: string, holdings: Iterable<Holding>): SymbolBook {
  const book = emptyBook(symbol);
  for (const holding of holdings) book.holdings.set(holdingKey(holding), holding);
  return book;
}

/** Books facts, oldest first, into `book`. The order is the caller's duty: see compareKeys. */
export function applyFacts(book: SymbolBook, facts: Iterable<BookFact>): BookOutcome {
  const outcome: BookOutcome = { entries: [], closed: [], quietAfter: [] };
  for (const fact of facts) {
    if (fact.kind === "fill") bookFill(book, fact.fill, outcome);
    else bookFunding(book, fact.funding, outcome);
    if (book.holdings.size === 0) outcome.quietAfter.push(factKey(fact));
  }
  return outcome;
}

/** The holdings of a book in one order: leg, then holder. */
export function sortedHoldings(book: SymbolBook): Holding[] {
  return [...book.holdings.values()].sort((a, b) => compareText(holdingKey(a), holdingKey(b)));
}

function holdingKey(holding: Pick<Holding, "leg" | "holder">): string {
  return `${holding.leg}/${holding.holder}`;
}

function holdingOf(book: SymbolBook, leg: Leg, holder: Holder): Holding {
  const known = book.holdings.get(holdingKey({ leg, holder }));
  return known ?? { holder, leg, position: FLAT_LEG, cycle: null };
}

/** A flat holding with nothing left to explain is forgotten. */
function keep(book: SymbolBook, holding: Holding): void {
  const { positionSide, unmatchedQty } = holding.position;
  const isOver = positionSide === null && compare(unmatchedQty, ZERO) === 0;
  if (isOver) book.holdings.delete(holdingKey(holding));
  else book.holdings.set(holdingKey(holding), holding);
}

function bookFill(book: SymbolBook, fill: OwnedFill, outcome: BookOutcome): void {
  const { leg, side, price, qty, contractSize } = fill;
  const whole = holdingOf(book, leg, "account");
  const { position } = applyToLeg(leg, whole.position, side, price, qty, contractSize);
  keep(book, { ...whole, position });

  const own = holdingOf(book, leg, fill.owner);
  const change = applyToLeg(leg, own.position, side, price, qty, contractSize);
  const cycle = turnCycle(own.cycle, fill, change, outcome.closed);
  keep(book, { ...own, position: change.position, cycle });
  noteEntries(fill, change, outcome.entries);
}

/** The owner's open cycle after the fill; one that ended goes to `closed`. */
function turnCycle(
  before: TradeCycle | null,
  fill: OwnedFill,
  change: LegChange,
  closed: TradeCycle[],
): TradeCycle | null {
  const { reducedQty, expandedQty, realised, position } = change;
  const isTurned = compare(expandedQty, ZERO) > 0 && compare(reducedQty, ZERO) > 0;
  const fee = feeOf(fill);
  const feeOut = isTurned && fee !== null ? shareOf(fee, reducedQty, fill.qty) : fee;
  let cycle = before;
  if (cycle && realised !== null) {
    const isOver = isTurned || position.positionSide === null;
    const reduced = cycleReduced(cycle, fill, reducedQty, realised, isOver);
    cycle = cycleCharged(reduced, feeOut);
    if (isOver) {
      closed.push(cycle);
      cycle = null;
    }
  }
  if (position.positionSide === null || compare(expandedQty, ZERO) === 0) return cycle;
  const feeIn = isTurned && fee !== null && feeOut !== null ? subtract(fee, feeOut) : fee;
  const open = cycle ?? openCycle(fill, position.positionSide);
  return cycleCharged(cycleEntered(open, fill, expandedQty, position.qty), feeIn);
}

/** The fee in the settle asset, negative when paid; null when not known. */
function feeOf(fill: OwnedFill): Decimal | null {
  const worth = fill.fee?.settleAmount ?? null;
  return worth === null ? null : subtract(ZERO, worth);
}

function noteEntries(fill: OwnedFill, change: LegChange, entries: LedgerEntry[]): void {
  const { owner, symbol, leg, at, fee } = fill;
  const common = { ref: fillRef(fill), owner, symbol, leg, at };
  if (change.realised !== null) {
    entries.push({
      ...common,
      kind: "realised",
      amount: change.realised,
      asset: fill.settleAsset,
      settleAmount: change.realised,
      isEstimated: false,
    });
  }
  if (fee === null) return;
  entries.push({
    ...common,
    kind: "fee",
    amount: subtract(ZERO, fee.amount),
    asset: fee.asset,
    settleAmount: feeOf(fill),
    isEstimated: fee.isEstimated,
  });
}

/**
 * Splits a payment over the owners by what each holds, long positive and short negative, so that on
 * one net position the shorts receive what the longs pay. Where that cannot be told (nobody holds
 * anything, or longs and shorts are equal) it stays with the account.
 */
function bookFunding(book: SymbolBook, funding: ExactFunding, outcome: BookOutcome): void {
  const holdings = sortedHoldings(book).filter(
    ({ holder, position }) => holder !== "account" && position.positionSide !== null,
  );
  const net = holdings.reduce((sum, { position }) => add(sum, signedQty(position)), ZERO);
  if (compare(net, ZERO) === 0) {
    outcome.entries.push(fundingEntry(funding, "account", null, funding.amount));
    return;
  }
  let left = funding.amount;
  holdings.forEach((holding, i) => {
    const isLast = i === holdings.length - 1;
    const share = isLast ? left : shareOf(funding.amount, signedQty(holding.position), net);
    left = subtract(left, share);
    const entry = fundingEntry(funding, holding.holder, holding.leg, share);
    outcome.entries.push(entry);
    const cycle = holding.cycle && cycleFunded(holding.cycle, share);
    keep(book, { ...holding, cycle });
  });
}

function fundingEntry(
  funding: ExactFunding,
  owner: Holder,
  leg: Leg | null,
  amount: Decimal,
): LedgerEntry {
  const { symbol, paymentId, at, asset } = funding;
  const ref = `${symbol}#${paymentId}#${leg ?? ""}${leg === null ? "" : "/"}${owner}`;
  return {
    ...{ kind: "funding", ref, owner, symbol, leg, at, amount, asset },
    settleAmount: amount,
    isEstimated: false,
  };
}
