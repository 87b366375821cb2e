// The paper account as the trading rows tell it: working orders, legs, money. Read once when the account
// is taken over. What was accepted or filled but is not in the rows never happened.
import { add, type Decimal, decimal, multiply, subtract } from "../../model/decimal.ts";
import type { LedgerEntry } from "../../model/ledger.ts";
import type { EpochMs } from "../../model/time.ts";
import type { OwnedFill } from "../../model/trade-record.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId } from "../../ports/account-store.ts";
import type { IntentId, OrderFills, TradingStore } from "../../ports/trading-store.ts";
import type { HeldLeg, PaperMove, PaperOrder } from "./paper-book.ts";
import { exchangeIdOf } from "./paper-orders.ts";

/** What a paper broker begins with. */
export type PaperSeed = {
  readonly balance: Decimal;
  /** Oldest first; they get their place at the first look. */
  readonly orders: readonly PaperOrder[];
  readonly legs: readonly HeldLeg[];
  /** The newest fact of all, 0 without any. */
  readonly lastAt: EpochMs;
  /** Up to when funding of a symbol is in the rows; 0 where none is. */
  readonly fundedAt: ReadonlyMap<string, EpochMs>;
  /** What fills changed since then, by symbol, oldest first. */
  readonly moves: ReadonlyMap<string, readonly PaperMove[]>;
};

/** Ids of one question. */
const IDS_MAX = 500;
const ENTRIES_MAX = 1000;
const ZERO = decimal("0");
const WORKING: ReadonlySet<string> = new Set(["open", "partly_filled"]);

/** A seed of an account that never traded. */
export function emptySeed(balance: Decimal): PaperSeed {
  return { balance, orders: [], legs: [], lastAt: 0, fundedAt: new Map(), moves: new Map() };
}

/**
 * Reads the seed of an account.
 * @param startingBalance what the account was opened with, in its settle asset
 */
export async function paperSeed(
  store: TradingStore,
  scope: Scope,
  accountId: AccountId,
  startingBalance: Decimal,
): Promise<PaperSeed> {
  const alive = await store.aliveIntents(scope, accountId);
  const ids = alive.filter(({ status }) => WORKING.has(status)).map(({ id }) => id);
  const orders: OrderFills[] = [];
  for (let from = 0; from < ids.length; from += IDS_MAX) {
    const page: readonly IntentId[] = ids.slice(from, from + IDS_MAX);
    orders.push(...(await store.orders(scope, accountId, page)));
  }
  const { net, transfers } = await store.totals(scope, accountId, { sinceAt: 0, owner: null });
  const holdings = await store.holdings(scope, accountId);
  const entries = await store.ledger(scope, accountId, ENTRIES_MAX);
  const traded = new Set([...entries, ...holdings].flatMap(({ symbol }) => symbol ?? []));
  const fundedAt = new Map([...traded].map((symbol) => [symbol, paidAt(entries, symbol)]));
  const moves = new Map<string, readonly PaperMove[]>();
  for (const [symbol, at] of fundedAt) {
    const fills = await store.fills(scope, accountId, symbol);
    moves.set(symbol, fills.filter((fill) => fill.at > at).map(moveOf));
  }
  return {
    balance: add(startingBalance, add(net, transfers)),
    orders: orders
      .sort((a, b) => a.intent.id - b.intent.id)
      .flatMap((told, n) => seededOrder(told, n + 1) ?? []),
    legs: holdings.filter(({ holder }) => holder === "account"),
    lastAt: entries.reduce((last, { at }) => Math.max(last, at), 0),
    ...{ fundedAt, moves },
  };
}

/** The newest payment of a symbol in the rows; what is older than all entries read counts as settled. */
function paidAt(entries: readonly LedgerEntry[], symbol: string): EpochMs {
  const paid = entries.filter((entry) => entry.kind === "funding" && entry.symbol === symbol);
  const told = entries.length < ENTRIES_MAX ? paid : [...paid, ...entries.slice(-1)];
  return told.reduce((last, { at }) => Math.max(last, at), 0);
}

function moveOf({ at, side, qty }: OwnedFill): PaperMove {
  return { at, qty: side === "buy" ? qty : subtract(ZERO, qty) };
}

/** An order as its row and its fills tell it; null without the id it was sent under. */
function seededOrder({ intent, fills }: OrderFills, rank: number): PaperOrder | null {
  const { clientOrderId, terms, leg, filledQty } = intent;
  if (clientOrderId === null) return null;
  const value = fills.reduce((sum, { price, qty }) => add(sum, multiply(price, qty)), ZERO);
  return {
    clientOrderId,
    exchangeOrderId: exchangeIdOf(clientOrderId),
    symbol: intent.symbol,
    side: intent.side,
    positionSide: leg === "net" ? null : leg,
    isReduceOnly: intent.isReduceOnly,
    terms,
    createdAt: intent.sentAt ?? intent.decidedAt,
    rank,
    // A trigger order that has a fill was set off before.
    isWaiting: terms.kind === "trigger" && fills.length === 0,
    price: "price" in terms ? terms.price : null,
    qty: intent.qty,
    filledQty,
    value,
    fills: fills.length,
    status: fills.length === 0 ? "open" : "partly_filled",
    sim: null,
  };
}
