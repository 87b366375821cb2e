// Whole candle series in shared memory for backtests: loaded from the store once, kept while used. Called by
// the runs; a series that changed has another key, so nothing stale is ever found.
import { InputError, InvariantError } from "../../model/result.ts";
import { formatTimeframe } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleStore, CandleSummary, SeriesId } from "../../ports/candle-store.ts";
import type { Market } from "../../ports/market-data.ts";
import { aggregateCandles, type SharedCandles, seriesIn, shareCandles } from "./shared-candles.ts";
import { createWeighedCache } from "./weighed-cache.ts";

/** Candle series for backtests. */
export type CandleCache = {
  /**
   * The stored series that candles of a timeframe come from: that timeframe's own, else the one of
   * the largest timeframe that divides it; null when there is neither.
   * @param preferred this series when it still serves
   */
  find(
    scope: Scope,
    market: Market,
    timeframeMin: number,
    preferred?: SeriesId,
  ): Promise<CandleSummary | null>;
  /**
   * The candles of a timeframe out of a found series; asked twice at the same time, loaded once.
   * @throws InputError when the series was deleted meanwhile
   */
  load(scope: Scope, source: CandleSummary, timeframeMin: number): Promise<SharedCandles>;
};

const CACHE_BYTES_MAX = 256 * 2 ** 20;

/** An empty cache over the store. */
export function createCandleCache(
  store: Pick<CandleStore, "listSeries" | "loadSeries">,
  bytesMax = CACHE_BYTES_MAX,
): CandleCache {
  const kept = createWeighedCache<SharedCandles>(bytesMax, ({ memory }) => memory.byteLength);
  const loading = new Map<string, Promise<SharedCandles>>();

  function once(key: string, make: () => Promise<SharedCandles>): Promise<SharedCandles> {
    const found = kept.get(key);
    if (found) return Promise.resolve(found);
    const running = loading.get(key);
    if (running) return running;
    const made = make()
      .then((candles) => {
        kept.set(key, candles);
        return candles;
      })
      .finally(() => loading.delete(key));
    loading.set(key, made);
    return made;
  }

  async function stored(scope: Scope, source: CandleSummary): Promise<SharedCandles> {
    const key = keyOf(source);
    return await once(key, async () => shareCandles(key, await loadStored(store, scope, source)));
  }

  return {
    async find(scope, market, timeframeMin, preferred) {
      const fitting = (await store.listSeries(scope)).filter(
        (each) =>
          each.exchangeId === market.exchangeId &&
          each.symbol === market.symbol &&
          each.kind === market.kind &&
          timeframeMin % each.timeframeMin === 0,
      );
      const own = fitting.find(({ id }) => id === preferred);
      fitting.sort((a, b) => b.timeframeMin - a.timeframeMin);
      return own ?? fitting[0] ?? null;
    },
    async load(scope, source, timeframeMin) {
      if (source.timeframeMin === timeframeMin) return await stored(scope, source);
      const key = `${keyOf(source)}>${timeframeMin}`;
      return await once(key, async () => {
        const base = seriesIn(await stored(scope, source));
        return shareCandles(key, aggregateCandles(base, source.timeframeMin, timeframeMin));
      });
    },
  };
}

/** Series ids are unique in the instance, and a merge that changes something moves `updatedAt`. */
function keyOf({ id, updatedAt, items }: CandleSummary): string {
  return `${id}@${updatedAt}/${items}`;
}

async function loadStored(
  store: Pick<CandleStore, "loadSeries">,
  scope: Scope,
  { id, symbol, timeframeMin }: CandleSummary,
) {
  try {
    return await store.loadSeries(scope, id);
  } catch (error) {
    if (!(error instanceof InvariantError)) throw error;
    const what = `${symbol} ${formatTimeframe(timeframeMin)}`;
    throw new InputError(`candles: the series of ${what} was deleted while it was loaded`);
  }
}
