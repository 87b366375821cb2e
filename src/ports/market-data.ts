// Public market data of the exchanges: instruments, candles, funding rates. Interfaces only; no key
// is ever needed. Ids and symbols are ours; what the exchange calls them stays in the adapter.
import type { CandleSeries, FundingSeries } from "../model/candle.ts";
import type { EpochMs } from "../model/time.ts";
import type { TimeRange } from "./candle-store.ts";
import type { InstrumentKind, NewInstrument } from "./instrument-store.ts";

/** A market by our names. */
export type Market = {
  readonly exchangeId: string;
  readonly symbol: string;
  readonly kind: InstrumentKind;
};

/** What history is asked for. */
export type HistoryRequest = {
  readonly market: Market;
  /** Open times of candles, or instants of funding. */
  readonly range: TimeRange;
  /** Ends the download between two requests and while waiting. */
  readonly signal: AbortSignal;
};

/** A candle the exchange sent that cannot be one, and why. */
export type RejectedCandle = { readonly openAt: EpochMs; readonly reason: string };

/**
 * One answer of an exchange. `covered` is what it answers completely: whatever `series` lacks
 * there, the exchange does not have. Pages come in ascending order and their covers join.
 */
export type HistoryPage<Series> = {
  readonly series: Series;
  readonly covered: TimeRange;
  /**
   * The part of `covered` old enough that nothing is published late any more; empty ones have
   * `from` = `to`. Only this may be remembered as answered for good.
   */
  readonly settled: TimeRange;
  readonly rejected: readonly RejectedCandle[];
};

/**
 * Market data over the network. Every function may throw an Error named `MarketDataError` whose
 * message is a sentence for the operator, and InputError when the exchange has no such market or
 * timeframe.
 */
export type MarketData = {
  /** Our ids of all exchanges, sorted. */
  exchangeIds(): readonly string[];
  /**
   * Our id for any accepted spelling (`woo-x` → `woox`); needs no network and accepts unknown
   * names.
   * @throws InputError when it cannot be the name of an exchange
   */
  normaliseExchange(text: string): string;
  /**
   * The canonical market for any accepted spelling of a symbol; needs no network.
   * @param kind what the user asked for; derived from the spelling when absent
   * @throws InputError when the spelling is not understood or contradicts the kind
   */
  normaliseMarket(exchangeId: string, symbol: string, kind?: InstrumentKind): Market;
  /** All instruments of a kind with their trading rules. */
  instruments(exchangeId: string, kind: InstrumentKind): Promise<NewInstrument[]>;
  /** One instrument. @throws InputError when the exchange does not list it */
  instrument(market: Market, signal?: AbortSignal): Promise<NewInstrument>;
  /** The exchange's clock, ours when it does not tell. */
  exchangeTime(market: Market, signal?: AbortSignal): Promise<EpochMs>;
  /**
   * Closed candles of the range, page by page; a page is worth storing before the next is asked
   * for.
   */
  candles(
    request: HistoryRequest & { readonly timeframeMin: number },
  ): AsyncIterable<HistoryPage<CandleSeries>>;
  /** Settled funding rates of the range, page by page. */
  funding(request: HistoryRequest): AsyncIterable<HistoryPage<FundingSeries>>;
  /**
   * Most candles one request brings.
   * @throws InputError when the exchange has no such market or timeframe
   */
  pageBars(market: Market, timeframeMin: number, signal?: AbortSignal): Promise<number>;
};
