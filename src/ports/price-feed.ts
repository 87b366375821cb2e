// Live prices of one exchange, public and without a key. Interfaces only. Asked by whoever values
// positions or fills simulated orders; every price says how old it is and where it comes from.
import type { MarkPrice, TopOfBook } from "./broker.ts";

/**
 * Where a price comes from, best first: the mark price of the exchange's ticker, the middle of its
 * book, or the last trade, which is the close of the running candle.
 */
export type PriceSource = "ticker" | "book" | "candle";

/** What is known of one symbol; instants are the exchange's by our clock, or those of asking where it tells none. */
export type FeedPrice = {
  readonly mark: MarkPrice;
  readonly source: PriceSource;
  /** Null when it was not asked for and did not come by itself, or when a side is empty or crossed. */
  readonly top: TopOfBook | null;
};

/** What a look is for. */
export type PriceWish = {
  readonly signal: AbortSignal;
  /** Asks for the book too where the prices do not bring it: one more request per symbol. */
  readonly needsTop?: boolean;
};

/** Prices of one exchange and one kind of market. */
export type PriceFeed = {
  readonly exchangeId: string;
  /**
   * One look at all symbols; those without a price are absent, and nothing is kept from earlier
   * looks. Asks once: the next look is the retry. Throws an Error named `MarketDataError` when the
   * exchange did not answer, and a BrokerFault when too many requests wait already.
   * @param symbols at most 200, in our spelling
   */
  read(symbols: readonly string[], wish: PriceWish): Promise<ReadonlyMap<string, FeedPrice>>;
};
