// A market in a test's hands for the paper broker: prices and book are what the test says, and the clock
// stands where the test puts it.
import { createPaperBroker, type PaperDeps } from "../../src/adapters/paper/paper-broker.ts";
import type { PaperTerms } from "../../src/adapters/paper/paper-book.ts";
import { emptySeed, type PaperSeed } from "../../src/adapters/paper/paper-seed.ts";
import { type Decimal, decimal } from "../../src/model/decimal.ts";
import type { OrderRules } from "../../src/model/order-rules.ts";
import type { Broker, CallOptions, NewOrder, OrderTerms } from "../../src/ports/broker.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { FeedPrice, PriceFeed } from "../../src/ports/price-feed.ts";
import { silentLog } from "./silent-log.ts";

/** An instant all examples count from. */
export const START = Date.UTC(2026, 0, 5, 12);
/** The market of the examples: tick 0.1, step 0.001, at least 5 USDT. */
export const BTC = "BTC/USDT:USDT";
/** Options of a call nobody stops. */
export const OPTIONS: CallOptions = { signal: new AbortController().signal };

/** Rules of a symbol; change what matters. */
export function rulesOf(symbol: string, change: Partial<OrderRules> = {}): OrderRules {
  return {
    symbol,
    priceTick: decimal("0.1"),
    priceMin: decimal("0.1"),
    priceMax: null,
    qtyStep: decimal("0.001"),
    qtyMin: decimal("0.001"),
    qtyMax: null,
    minNotional: decimal("5"),
    contractSize: decimal("1"),
    bidCapRatio: null,
    askFloorRatio: null,
    isTrading: true,
    ...change,
  };
}

/** Terms of an account; change what matters. */
export function termsOf(change: Partial<PaperTerms> = {}): PaperTerms {
  return {
    settleAsset: "USDT",
    fees: { makerRatio: decimal("0.0002"), takerRatio: decimal("0.0005") },
    slippageBps: 0,
    leverage: 10,
    maintenanceRate: 0.005,
    positionMode: "one_way",
    ...change,
  };
}

/** What a test may choose. */
export type BenchChoice = Partial<Omit<PaperDeps, "terms" | "clock">> & {
  readonly terms?: Partial<PaperTerms>;
  readonly rulesChange?: Partial<OrderRules>;
  readonly balance?: string;
  readonly clock?: Clock;
};

/** The market, and brokers on it. */
export type PaperBench = {
  readonly broker: Broker;
  now: number;
  /** What the feed answers; absent symbols have no price. */
  readonly quotes: Map<string, FeedPrice>;
  /** Throws when the feed is asked, when set. */
  failure: Error | null;
  /** Moves the price, without a book. */
  price(value: number | string, symbol?: string): void;
  /** Moves price and book: the middle is the mark. */
  book(bid: string, ask: string, bidQty?: string, askQty?: string, symbol?: string): void;
  /** Lets the broker look after `ms`. */
  look(ms?: number): Promise<void>;
  /** Another broker of the same market, from a seed. */
  restarted(seed: PaperSeed): Broker;
};

/** A broker on an account of 10,000 at a price of 100. */
export function paperBench(choice: BenchChoice = {}): PaperBench {
  const { terms, rulesChange, balance = "10000", clock, ...rest } = choice;
  const quotes = new Map<string, FeedPrice>();
  const feed: PriceFeed = {
    exchangeId: "bybit",
    async read(symbols) {
      if (bench.failure !== null) throw bench.failure;
      return new Map([...quotes].filter(([symbol]) => symbols.includes(symbol)));
    },
  };
  const still: Clock = {
    now: () => bench.now,
    monotonicMs: () => bench.now,
    sleep: () => Promise.resolve(),
  };
  const deps: PaperDeps = {
    clock: clock ?? still,
    log: silentLog,
    prices: feed,
    rules: async (symbol) => rulesOf(symbol, rulesChange),
    funding: null,
    lookEveryMs: 0,
    terms: termsOf(terms),
    ...rest,
  };
  const now = () => deps.clock.now();
  const bench: PaperBench = {
    broker: createPaperBroker(deps, emptySeed(decimal(balance))),
    now: START,
    quotes,
    failure: null,
    price(value, symbol = BTC) {
      quotes.set(symbol, {
        mark: { price: decimal(value), at: now() },
        source: "ticker",
        top: null,
      });
    },
    book(bid, ask, bidQty = "1000", askQty = "1000", symbol = BTC) {
      const price = decimal(String((Number(bid) + Number(ask)) / 2));
      const sides = { bid: decimal(bid), ask: decimal(ask) };
      const sizes = { bidQty: decimal(bidQty), askQty: decimal(askQty) };
      const top = { ...sides, ...sizes, at: now() };
      quotes.set(symbol, { mark: { price, at: now() }, source: "ticker", top });
    },
    async look(ms = 0) {
      bench.now += ms;
      for (const [symbol, quote] of quotes) {
        const top = quote.top && { ...quote.top, at: now() };
        quotes.set(symbol, { ...quote, mark: { ...quote.mark, at: now() }, top });
      }
      await bench.broker.openOrders(null, OPTIONS);
    },
    restarted: (seed) => createPaperBroker(deps, seed),
  };
  bench.price(100);
  return bench;
}

let sequence = 1_954_766_344_355_779_000n;

/** A buy of 1; change what matters. */
export function anOrder(terms: OrderTerms, change: Partial<NewOrder> = {}): NewOrder {
  return {
    clientOrderId: String(sequence++),
    symbol: BTC,
    side: "buy",
    positionSide: null,
    terms,
    qty: decimal("1"),
    isReduceOnly: false,
    visibleQty: null,
    leverage: null,
    ...change,
  };
}

/** Limit terms. */
export function limit(price: number | string): OrderTerms {
  return { kind: "limit", price: decimal(price) };
}

/** Places an order. @throws with the sentence when it is not taken */
export async function placed(broker: Broker, order: NewOrder): Promise<NewOrder> {
  const answer = await broker.place(order, OPTIONS);
  if (answer.outcome !== "accepted") throw new Error(`${answer.outcome}: ${answer.sentence}`);
  return order;
}

/** Fills of a symbol, short: side, price, quantity, liquidity. */
export async function fillsOf(
  broker: Broker,
  symbol = BTC,
): Promise<readonly (readonly [string, Decimal, Decimal, string | null])[]> {
  const trades = await broker.tradesSince({ symbol, sinceAt: 0 }, OPTIONS);
  return trades.map(({ side, price, qty, liquidity }) => [side, price, qty, liquidity]);
}
