// Funding of the paper account: what it held at the instants the exchange settles, times the exchange's own
// rate. Used by paper-market.ts. A rate or price that is not known yet is asked for again: a payment is
// never guessed, never left out, and nobody who places an order waits for it.
import { add, compare, type Decimal, decimal, multiply, subtract } from "../../model/decimal.ts";
import { signedQty } from "../../model/leg-position.ts";
import { type EpochMs, HOUR_MS, MINUTE_MS } from "../../model/time.ts";
import type { TimeRange } from "../../ports/candle-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { bookPayment, marketOf, type PaperBook, settleFundingTo } from "./paper-book.ts";

/** A funding rate of the exchange, as a fraction of the notional. */
export type FundingRate = { readonly at: EpochMs; readonly rate: Decimal };

/** What the exchange told about a range of instants. */
export type FundingAnswer = {
  /** Oldest first; whatever comes after one that could not be read is left out. */
  readonly rates: readonly FundingRate[];
  /** No rate before this instant will be told any more. */
  readonly completeTo: EpochMs;
};

/** Where rates and the prices of their instants come from; both throw when nobody answers. */
export type FundingSource = {
  rates(symbol: string, range: TimeRange, signal: AbortSignal): Promise<FundingAnswer>;
  /** The price at an instant; null while it is not known. */
  priceAt(symbol: string, at: EpochMs, signal: AbortSignal): Promise<Decimal | null>;
};

/** What settling needs. */
export type FundingDeps = {
  readonly clock: Clock;
  readonly log: Log;
  /** Null where nothing is exchanged, as on spot markets. */
  readonly funding: FundingSource | null;
};

/** Settles what fell due. */
export type PaperFunding = {
  /**
   * Settles what is due of a symbol, unless that is under way or was tried a moment ago. Never rejects: what
   * did not come is asked for again later.
   */
  settle(symbol: string, signal: AbortSignal): Promise<void>;
};

const ZERO = decimal("0");
/** Rates appear some time after their instant: asked for again after this, then after twice as long. */
const AGAIN_MS = MINUTE_MS;
const AGAIN_MAX_MS = 10 * MINUTE_MS;

type Turn = { readonly hour: number; readonly waitMs: number; readonly nextAtMs: number };

/** @param learn reads the rules of a symbol unless they are known */
export function createFunding(
  deps: FundingDeps,
  book: PaperBook,
  learn: (symbol: string, signal: AbortSignal) => Promise<void>,
): PaperFunding {
  const { clock, log, funding } = deps;
  const turns = new Map<string, Turn>();
  const running = new Map<string, Promise<void>>();
  const failing = new Set<string>();

  /** At once when an hour has begun, then less and less often. */
  function takesTurn(symbol: string): boolean {
    const [hour, nowMs] = [Math.floor(clock.now() / HOUR_MS), clock.monotonicMs()];
    const last = turns.get(symbol);
    const isSame = last?.hour === hour;
    if (isSame && nowMs < last.nextAtMs) return false;
    const waitMs = isSame ? Math.min(2 * last.waitMs, AGAIN_MAX_MS) : AGAIN_MS;
    turns.set(symbol, { hour, waitMs, nextAtMs: nowMs + waitMs });
    return true;
  }

  async function ask(source: FundingSource, symbol: string, from: EpochMs, signal: AbortSignal) {
    try {
      await learn(symbol, signal);
      await pay(source, book, symbol, { from, to: clock.now() + 1 }, signal);
      failing.delete(symbol);
    } catch (error) {
      if (signal.aborted || failing.has(symbol)) return;
      failing.add(symbol);
      log.warn("funding did not arrive; it is asked for again", { symbol, error });
    }
  }

  return {
    async settle(symbol, signal) {
      if (funding === null) return;
      const under = running.get(symbol);
      if (under !== undefined) return await under;
      const from = dueFrom(book, symbol, clock.now());
      if (from === null || !takesTurn(symbol)) return;
      const asked = ask(funding, symbol, from, signal).finally(() => running.delete(symbol));
      running.set(symbol, asked);
      await asked;
    },
  };
}

/**
 * The first instant from which something was held over a whole hour: exchanges settle at whole hours only.
 * Null when nothing can be due.
 */
function dueFrom(book: PaperBook, symbol: string, now: EpochMs): EpochMs | null {
  const fundedAt = book.fundedAt.get(symbol) ?? 0;
  const moves = (book.moves.get(symbol) ?? []).filter(({ at }) => at > fundedAt);
  let held = netQtyAt(book, symbol, fundedAt);
  let from = fundedAt + 1;
  for (const { at, qty } of [...moves, { at: now + 1, qty: ZERO }]) {
    const hourAt = Math.ceil(from / HOUR_MS) * HOUR_MS;
    if (hourAt < at && compare(held, ZERO) !== 0) return from;
    held = add(held, qty);
    from = at;
  }
  settleFundingTo(book, symbol, Math.floor(now / HOUR_MS) * HOUR_MS);
  return null;
}

/** What all legs of a symbol held at an instant: long positive, short negative. */
function netQtyAt(book: PaperBook, symbol: string, at: EpochMs): Decimal {
  let net = ZERO;
  for (const held of book.legs.values()) {
    if (held.symbol === symbol) net = add(net, signedQty(held.position));
  }
  for (const move of book.moves.get(symbol) ?? []) {
    if (move.at > at) net = subtract(net, move.qty);
  }
  return net;
}

/** Exchanges what is known of a range, in order; the first price that is not known holds back the rest. */
async function pay(
  source: FundingSource,
  book: PaperBook,
  symbol: string,
  range: TimeRange,
  signal: AbortSignal,
): Promise<void> {
  const { rates, completeTo } = await source.rates(symbol, range, signal);
  const { contractSize } = marketOf(book, symbol).rules;
  const asset = book.terms.settleAsset;
  for (const { at, rate } of rates) {
    if (at < range.from || at >= range.to) continue;
    const netQty = netQtyAt(book, symbol, at);
    if (compare(netQty, ZERO) !== 0) {
      const price = await source.priceAt(symbol, at, signal);
      if (price === null) return;
      // Longs pay shorts while the rate is positive.
      const worth = multiply(multiply(netQty, contractSize), multiply(price, rate));
      const amount = subtract(ZERO, worth);
      bookPayment(book, { id: `funding-${at}`, symbol, amount, asset, rate, at });
    }
    settleFundingTo(book, symbol, at);
  }
  settleFundingTo(book, symbol, Math.min(completeTo, range.to) - 1);
}
