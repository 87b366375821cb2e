// The paper account's eyes: rules and live prices of its symbols, and which of them can be trusted. Used
// by paper-broker.ts. A price that is old, or a market that lost its book, fills nothing: the path goes
// on at the next price that can be trusted.
import { gridOf } from "../../model/instrument.ts";
import type { OrderRules } from "../../model/order-rules.ts";
import type { EpochMs } from "../../model/time.ts";
import type { FeedPrice, PriceFeed } from "../../ports/price-feed.ts";
import { BrokerError } from "../ccxt/error-types.ts";
import { marketOf, type PaperBook, type PaperOrder } from "./paper-book.ts";
import { createFunding, type FundingDeps } from "./paper-funding.ts";
import { applyLook, ordersOf, type PaperLook } from "./paper-matching.ts";
import { restoreOrder } from "./paper-orders.ts";

/** Where the market comes from. */
export type PaperMarketDeps = FundingDeps & {
  readonly prices: PriceFeed;
  readonly rules: (symbol: string, signal: AbortSignal) => Promise<OrderRules>;
  /** A look is not repeated within this time, ms; 0 looks at every call. */
  readonly lookEveryMs?: number;
};

/** Looks at markets and lets the account feel it. */
export type PaperEyes = {
  /** Reads the rules of symbols that were not met yet. @throws BrokerError when they cannot be read */
  learn(symbols: readonly string[], signal: AbortSignal): Promise<void>;
  /** One look at these symbols. @throws what the price feed throws */
  look(symbols: readonly string[], signal: AbortSignal): Promise<void>;
  /** Settles the funding of a symbol that is due and known. */
  settleFunding(symbol: string, signal: AbortSignal): Promise<void>;
  /** Whether the last usable look is young enough to trade on. */
  isFresh(symbol: string): boolean;
};

/** A price older than this is not traded on. */
export const PRICE_AGE_MAX_MS = 10_000;
/** Between looks further apart the price may have been anywhere. */
const GAP_MS = 10_000;
const LOOK_EVERY_MS = 500;

/** @param unplaced orders of the rows that have no place in the market yet */
export function createEyes(
  deps: PaperMarketDeps,
  book: PaperBook,
  unplaced: Set<PaperOrder>,
): PaperEyes {
  const { clock, prices, lookEveryMs = LOOK_EVERY_MS } = deps;
  const lookedAt = new Map<string, number>();
  const answered = new Map<string, number>();
  const funding = createFunding(deps, book, (symbol, signal) => learn([symbol], signal));
  let asked = 0;

  async function learn(symbols: readonly string[], signal: AbortSignal): Promise<void> {
    for (const symbol of symbols) {
      if (!book.markets.has(symbol))
        book.markets.set(symbol, await readMarket(deps, symbol, signal));
    }
  }

  async function look(symbols: readonly string[], signal: AbortSignal): Promise<void> {
    await learn(symbols, signal);
    const now = clock.monotonicMs();
    const due = symbols.filter((symbol) => {
      const last = lookedAt.get(symbol);
      return last === undefined || now - last >= lookEveryMs;
    });
    if (due.length === 0) return;
    const question = ++asked;
    const found = await prices.read(due, { signal, needsTop: true });
    for (const [symbol, price] of found) {
      // An answer that was overtaken by a later one is not the present any more.
      if (question < (answered.get(symbol) ?? 0) || !due.includes(symbol)) continue;
      answered.set(symbol, question);
      lookedAt.set(symbol, now);
      see(deps, book, unplaced, symbol, price);
    }
    // Orders and stops do not wait for rates.
    for (const symbol of due) void funding.settle(symbol, signal);
  }

  return {
    learn,
    look,
    settleFunding: funding.settle,
    isFresh(symbol) {
      const market = book.markets.get(symbol);
      return market?.path != null && clock.now() - market.pathAt <= PRICE_AGE_MAX_MS;
    },
  };
}

async function readMarket({ rules: read }: PaperMarketDeps, symbol: string, signal: AbortSignal) {
  const rules = await read(symbol, signal);
  return {
    rules,
    prices: gridOf(Number(rules.priceTick), "priceTick"),
    lots: gridOf(Number(rules.qtyStep), "qtyStep"),
    path: null,
    pathAt: 0,
    mark: null,
    top: null,
    shown: { buy: null, sell: null },
  };
}

/** Lets the account feel a price, when it can be trusted. */
function see(
  { clock }: PaperMarketDeps,
  book: PaperBook,
  unplaced: Set<PaperOrder>,
  symbol: string,
  price: FeedPrice,
): void {
  const market = marketOf(book, symbol);
  const now = clock.now();
  if (now - price.mark.at > PRICE_AGE_MAX_MS) return;
  const top = usableTop(price, now);
  market.mark = price.mark;
  // A market that showed a book and shows none now cannot be traded on.
  if (top === null && market.top !== null) return;
  for (const order of ordersOf(book, symbol)) {
    if (unplaced.delete(order)) restoreOrder(book, order, top);
  }
  const isGap = market.path === null || now - market.pathAt > GAP_MS;
  const look: PaperLook = { mark: price.mark, top, at: now, isGap };
  applyLook(book, symbol, look);
}

function usableTop({ top }: FeedPrice, now: EpochMs): FeedPrice["top"] {
  if (top === null || now - top.at > PRICE_AGE_MAX_MS) return null;
  return Number(top.bid) < Number(top.ask) ? top : null;
}

/** What stands for a price that is missing or too old. */
export function noPrice(symbol: string): BrokerError {
  const seconds = PRICE_AGE_MAX_MS / 1000;
  return new BrokerError("transport", `there is no price of ${symbol} from the last ${seconds} s`);
}
