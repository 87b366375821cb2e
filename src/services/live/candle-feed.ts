// Closed candles for live bots: the history a warm-up needs, then each candle once it has closed, by the exchange's
// clock. Called by the account loop; bots of one market share what is fetched. Candles since the start stay in
// memory: writing one row a minute and bot would wear out a memory card, and the next start fetches them again.
import type { Candle, CandleSeries } from "../../model/candle.ts";
import { type ClockReading, theirNow } from "../../model/their-clock.ts";
import { type EpochMs, MINUTE_MS } from "../../model/time.ts";
import { gridFloor } from "../../model/timeframe-grid.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleStore } from "../../ports/candle-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Market, MarketData } from "../../ports/market-data.ts";
import { downloadCandles } from "../research/candle-download.ts";

/** Candles as live bots need them. */
export type CandleFeed = {
  /**
   * Every closed candle with an open time from `from` on: what is stored, the rest downloaded.
   * @throws an error named MarketDataError when the exchange does not deliver
   */
  history(
    scope: Scope,
    market: Market,
    timeframeMin: number,
    from: EpochMs,
    signal: AbortSignal,
  ): Promise<CandleSeries>;
  /**
   * Closed candles with an open time from `from` on, oldest first, as far as they are known now; what is
   * missing is fetched meanwhile, one request per market and timeframe however many bots ask.
   */
  closedSince(market: Market, timeframeMin: number, from: EpochMs): readonly Candle[];
  /** The clock by which candles close: the exchange's; ours until it was read. */
  now(market: Market): EpochMs;
  /** Told when candles have come. @returns ends it */
  onNews(listener: () => void): () => void;
};

/** What the feed works with. */
export type CandleFeedDeps = {
  readonly store: CandleStore;
  readonly market: MarketData;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends what is being fetched. */
  readonly signal: AbortSignal;
};

/** Candles kept per market and timeframe for bots that lag behind. */
const KEPT_MAX = 1000;
/** A candle without trades may never come: the exchange is not asked at every tick. */
const RETRY_AFTER_MS = 2000;

/** What is known of one market and timeframe: every closed candle from an open time on. */
type Known = { from: EpochMs; candles: Candle[]; isAsking: boolean; retryAtMs: number };

/** A feed over one exchange's public data. */
export function createCandleFeed(deps: CandleFeedDeps): CandleFeed {
  const knownOf = new Map<string, Known>();
  const listeners = new Set<() => void>();
  /** By exchange. */
  const clocks = new Map<string, ClockReading>();

  async function readClock(market: Market): Promise<EpochMs> {
    const { clock, signal } = deps;
    const theirs = await deps.market.exchangeTime(market, signal);
    const monotonicMs = clock.monotonicMs();
    clocks.set(market.exchangeId, { theirs, ours: clock.now(), monotonicMs });
    return theirs;
  }

  /** The exchange's clock; null when it has to be read first. */
  function nowAt({ exchangeId }: Market): EpochMs | null {
    const read = clocks.get(exchangeId);
    return read ? theirNow(read, deps.clock.now(), deps.clock.monotonicMs()) : null;
  }

  async function extend(known: Known, market: Market, timeframeMin: number): Promise<void> {
    const { signal } = deps;
    const to = gridFloor(await readClock(market), timeframeMin);
    const last = known.candles.at(-1);
    const from = last ? last.openAt + timeframeMin * MINUTE_MS : known.from;
    if (to <= from) return;
    const range = { from, to };
    for await (const page of deps.market.candles({ market, timeframeMin, range, signal })) {
      known.candles.push(...candlesOf(page.series));
    }
    if (known.candles.length <= KEPT_MAX) return;
    known.candles = known.candles.slice(-KEPT_MAX);
    known.from = known.candles[0]?.openAt ?? known.from;
  }

  function fetchMissing(known: Known, market: Market, timeframeMin: number): void {
    known.isAsking = true;
    extend(known, market, timeframeMin)
      .then(() => {
        for (const listener of listeners) listener();
      })
      .catch((error: unknown) => {
        if (deps.signal.aborted) return;
        deps.log.warn(`candles of ${market.symbol} did not come; they are asked for again`, {
          error,
        });
      })
      .finally(() => {
        known.isAsking = false;
        known.retryAtMs = deps.clock.monotonicMs() + RETRY_AFTER_MS;
      });
  }

  return {
    async history(scope, market, timeframeMin, from, signal) {
      const range = { from, to: await readClock(market) };
      const report = await downloadCandles(deps, { scope, market, timeframeMin, range, signal });
      return await deps.store.loadSeries(scope, report.seriesId, range);
    },
    closedSince(market, timeframeMin, from) {
      const stepMs = timeframeMin * MINUTE_MS;
      const key = `${market.exchangeId} ${market.kind} ${market.symbol} ${timeframeMin}`;
      let known = knownOf.get(key);
      if (!known || known.from > from) {
        known = { from, candles: [], isAsking: false, retryAtMs: 0 };
        knownOf.set(key, known);
      }
      const newest = known.candles.at(-1)?.openAt ?? known.from - stepMs;
      const now = nowAt(market);
      const isMissing = now === null || newest + stepMs < gridFloor(now, timeframeMin);
      const isDue = isMissing && deps.clock.monotonicMs() >= known.retryAtMs;
      if (isDue && !known.isAsking) fetchMissing(known, market, timeframeMin);
      return known.candles.filter(({ openAt }) => openAt >= from);
    },
    now: (market) => nowAt(market) ?? deps.clock.now(),
    onNews(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function candlesOf(series: CandleSeries): Candle[] {
  const { openAt, open, high, low, close, volume } = series;
  return Array.from({ length: series.length }, (_, i) => ({
    openAt: openAt[i]!,
    open: open[i]!,
    high: high[i]!,
    low: low[i]!,
    close: close[i]!,
    volume: volume[i]!,
  }));
}
