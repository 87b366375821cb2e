// Markets and their trading rules for forms: what is stored, else asked from the exchange. Called by
// the pages. It never guesses a tick or a step.
import type { InstrumentKind, InstrumentRecord } from "../../ports/instrument-store.ts";
import type { Market } from "../../ports/market-data.ts";

/** Lookups for forms. */
export type Markets = {
  /** Our ids of all exchanges, sorted. */
  exchangeIds(): readonly string[];
  /**
   * The canonical market of what was typed.
   * @throws InputError when it is not understood
   */
  normalise(exchange: string, symbol: string, kind?: InstrumentKind): Market;
  /** Rules that are stored, however old; null when there are none. */
  known(market: Market): Promise<InstrumentRecord | null>;
  /**
   * Rules asked from the exchange now, stored for the next time.
   * @throws InputError when it lists no such market; an Error named MarketDataError when it does not answer
   */
  fetch(market: Market, signal: AbortSignal): Promise<InstrumentRecord>;
};
