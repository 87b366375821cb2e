// Markets and their trading rules for forms: what is stored, else asked from the exchange. Called by
// the pages. It never guesses a tick or a step.
import { assert } from "../../model/result.ts";
import type { Clock } from "../../ports/clock.ts";
import type {
  InstrumentKind,
  InstrumentRecord,
  InstrumentStore,
} from "../../ports/instrument-store.ts";
import type { Market, MarketData } from "../../ports/market-data.ts";

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

/** What the lookups need. */
export type MarketsDeps = {
  readonly instruments: Pick<InstrumentStore, "find" | "saveAll">;
  readonly marketData: Pick<
    MarketData,
    "exchangeIds" | "normaliseExchange" | "normaliseMarket" | "instrument"
  >;
  readonly clock: Clock;
};

/** Builds the lookups. */
export function createMarkets({ instruments, marketData, clock }: MarketsDeps): Markets {
  const known = ({ exchangeId, symbol, kind }: Market) =>
    instruments.find(exchangeId, symbol, kind);
  return {
    exchangeIds: () => marketData.exchangeIds(),
    normalise(exchange, symbol, kind) {
      return marketData.normaliseMarket(marketData.normaliseExchange(exchange), symbol, kind);
    },
    known,
    async fetch(market, signal) {
      const fetched = await marketData.instrument(market, signal);
      await instruments.saveAll([fetched], clock.now());
      const stored = await known(market);
      assert(stored !== null, `the rules of ${market.symbol} are stored after they were fetched`);
      return stored;
    },
  };
}
