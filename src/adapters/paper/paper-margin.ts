// The paper account's margin: what its legs bind, whether a fill fits, where it is liquidated. Reads the
// book and asks engine/sim-margin.ts; doubles, as in a backtest. Legs of one symbol that cancel each
// other out bind no margin; what they have won or lost is locked in.
import {
  accountEquity,
  fillFits,
  liquidationAt,
  type MarginHolding,
  marginUsed,
} from "../../engine/sim-margin.ts";
import type { Decimal } from "../../model/decimal.ts";
import { stepsDown } from "../../model/instrument.ts";
import { averageEntry, type LegPosition } from "../../model/leg-position.ts";
import { flatPosition, type Position } from "../../model/position.ts";
import { feeOf, leverageOf, marketOf, type PaperBook, type PaperFill } from "./paper-book.ts";

/** Everything held, one net position per symbol, and the balance with what is locked in. */
type Margins = { readonly bySymbol: ReadonlyMap<string, MarginHolding>; readonly balance: number };

function marginsOf(book: PaperBook): Margins {
  const bySymbol = new Map<string, MarginHolding>();
  let balance = Number(book.balance);
  for (const symbol of new Set([...book.legs.values()].map((held) => held.symbol))) {
    const positions = [...book.legs.values()]
      .filter((held) => held.symbol === symbol)
      .map(({ position }) => positionOf(book, symbol, position))
      .sort((a, b) => b.qty - a.qty);
    const [big = flatPosition(), small] = positions;
    const { contractSize } = holdingOf(book, symbol, big);
    const matched = small?.qty ?? 0;
    // A long at 100 beside a short at 110 has won 10 whatever the price does.
    const gap = small === undefined ? 0 : small.sign * (big.average - small.average);
    balance += matched * gap * contractSize;
    const qty = big.qty - matched;
    const net = qty > 0 ? { ...big, qty, lots: big.lots - (small?.lots ?? 0) } : flatPosition();
    bySymbol.set(symbol, holdingOf(book, symbol, net));
  }
  return { bySymbol, balance };
}

function positionOf(book: PaperBook, symbol: string, leg: LegPosition): Position {
  const qty = Number(leg.qty);
  return {
    sign: leg.positionSide === "short" ? -1 : 1,
    lots: stepsDown(marketOf(book, symbol).lots, qty),
    qty,
    average: Number(averageEntry(leg) ?? 0),
  };
}

function holdingOf(book: PaperBook, symbol: string, position: Position): MarginHolding {
  const { rules, mark, path } = marketOf(book, symbol);
  return {
    position,
    contractSize: Number(rules.contractSize),
    // Without a price yet it is worth what it cost.
    mark: mark === null ? (path ?? position.average) : Number(mark.price),
    leverage: leverageOf(book, symbol),
  };
}

function apart({ bySymbol }: Margins, symbol: string): MarginHolding[] {
  return [...bySymbol].flatMap(([name, holding]) => (name === symbol ? [] : [holding]));
}

/** What the account could still bind or pay out, at the marks known; never below 0. */
export function freeMargin(book: PaperBook): number {
  const margins = marginsOf(book);
  const holdings = [...margins.bySymbol.values()];
  const used = holdings.reduce((sum, holding) => sum + marginUsed(holding), 0);
  return Math.max(0, accountEquity(margins.balance, holdings) - used);
}

/** What opening a quantity would bind and cost as a taker; resting orders bind nothing. */
export function marginNeeded(
  book: PaperBook,
  { symbol }: { readonly symbol: string },
  price: Decimal,
  qty: Decimal,
): number {
  const { contractSize } = marketOf(book, symbol).rules;
  const notional = Number(price) * Number(qty) * Number(contractSize);
  const fee = Number(feeOf(book, contractSize, { price, qty, liquidity: "taker" }));
  return notional / leverageOf(book, symbol) + fee;
}

/**
 * Whether an execution fits the margin.
 * @param expandingQty the part of it that opens or enlarges
 */
export function marginFits(
  book: PaperBook,
  order: { readonly symbol: string; readonly side: "buy" | "sell" },
  fill: Pick<PaperFill, "price" | "qty" | "liquidity">,
  expandingQty: Decimal,
): boolean {
  const { symbol, side } = order;
  const margins = marginsOf(book);
  const held = margins.bySymbol.get(symbol) ?? holdingOf(book, symbol, flatPosition());
  const isSame = held.position.sign === (side === "buy" ? 1 : -1);
  const own = isSame ? held : { ...held, position: flatPosition() };
  const fee = Number(feeOf(book, marketOf(book, symbol).rules.contractSize, fill));
  const wish = { price: Number(fill.price), qty: Number(expandingQty), fee };
  return fillFits(own, apart(margins, symbol), margins.balance, wish);
}

/** Where the exchange would liquidate, and whether a falling price meets it; price 0 is nowhere. */
export function liquidationOf(book: PaperBook, symbol: string): { price: number; falls: boolean } {
  const margins = marginsOf(book);
  const own = margins.bySymbol.get(symbol);
  if (own === undefined) return { price: 0, falls: true };
  const { maintenanceRate } = book.terms;
  const price = liquidationAt(own, apart(margins, symbol), margins.balance, maintenanceRate);
  return { price, falls: own.position.sign > 0 };
}
