// Brings candles from an exchange into the store: plans what is missing, fetches it page by page,
// stores each page at once. Called by the command line and pages. What was stored stays, whatever
// happens next.
import { type QualityReport, qualityReport } from "../../analytics/candle-quality.ts";
import { InputError } from "../../model/result.ts";
import { isoUtc, MINUTE_MS } from "../../model/time.ts";
import { checkTimeframe, gridFloor } from "../../model/timeframe-grid.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleStore, MergeCounts, SeriesId, TimeRange } from "../../ports/candle-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { HistoryPage, Market, MarketData, RejectedCandle } from "../../ports/market-data.ts";
import { joinForPaging, missingRanges, totalMs } from "./candle-plan.ts";

/** What a download works with. */
export type DownloadDeps = {
  readonly store: CandleStore;
  readonly market: MarketData;
  readonly clock: Clock;
};

/** How far a download is; `done` and `total` in ms of history, `bars` received so far. */
export type DownloadProgress = {
  readonly done: number;
  readonly total: number;
  readonly bars: number;
};

/** What to download. */
export type DownloadRequest = {
  readonly scope: Scope;
  readonly market: Market;
  readonly range: TimeRange;
  readonly signal: AbortSignal;
  onProgress?(progress: DownloadProgress): void;
};

/** What every download reports. */
export type DownloadReport = MergeCounts & {
  readonly seriesId: SeriesId;
  /** What was asked for, in joined stretches; empty when nothing was missing. */
  readonly asked: readonly TimeRange[];
  readonly pages: number;
  readonly rejectedCount: number;
  /** The first of what the exchange sent that cannot be stored. */
  readonly rejected: readonly RejectedCandle[];
};

/** A report on candles; `quality` looks at everything stored within the range. */
export type CandleDownloadReport = DownloadReport & { readonly quality: QualityReport };

/** Rejected items a report names. */
const REJECTED_LISTED_MAX = 20;

/**
 * Downloads the closed candles of a range that are not stored yet.
 * @throws InputError for a range, market or timeframe that cannot be
 * @throws an error named MarketDataError when the exchange does not deliver
 * @throws the signal's reason when aborted
 */
export async function downloadCandles(
  deps: DownloadDeps,
  request: DownloadRequest & { readonly timeframeMin: number },
): Promise<CandleDownloadReport> {
  const { store, market: exchange, clock } = deps;
  const { scope, market, timeframeMin, range, signal } = request;
  checkTimeframe(timeframeMin);
  checkRange(range, clock);
  const key = { ...market, timeframeMin };
  const missing = async (id: SeriesId, within: TimeRange) => {
    const stored = await store.loadSeries(scope, id, within);
    return missingRanges(within, timeframeMin, stored.openAt, await store.fetchedRanges(scope, id));
  };
  const known = await store.findCandles(scope, key);
  if (known !== null && (await missing(known, range)).length === 0) {
    return withQuality(deps, request, emptyReport(known));
  }
  const pageBars = await exchange.pageBars(market, timeframeMin, signal);
  const now = await exchange.exchangeTime(market, signal);
  const closed = { from: range.from, to: Math.min(range.to, gridFloor(now, timeframeMin)) };
  const id = await store.openCandles(scope, key, clock.now());
  const report = await store.whileFetching(scope, id, signal, async () => {
    const asked = joinForPaging(await missing(id, closed), timeframeMin, pageBars);
    return drain(request, id, asked, {
      pages: (part) => exchange.candles({ market, timeframeMin, range: part, signal }),
      store: (page) => store.mergeCandles(scope, id, mergeOf(page), clock.now()),
    });
  });
  return withQuality(deps, request, report);
}

/** Refuses what cannot be a range of history. */
export function checkRange(range: TimeRange, clock: Clock): void {
  if (range.from < 0) {
    throw new InputError(`from: ${isoUtc(range.from)} must not be before 1970-01-01`);
  }
  if (range.to <= range.from) {
    throw new InputError(`to: ${isoUtc(range.to)} must be after from (${isoUtc(range.from)})`);
  }
  if (range.from >= clock.now()) {
    throw new InputError(`from: ${isoUtc(range.from)} must be in the past`);
  }
}

/** A report on nothing asked. */
export function emptyReport(seriesId: SeriesId): DownloadReport {
  const counts = { added: 0, replaced: 0, unchanged: 0 };
  return { seriesId, asked: [], pages: 0, rejectedCount: 0, rejected: [], ...counts };
}

/** A page as the store takes it. */
export function mergeOf<Series>(page: HistoryPage<Series>) {
  const { series, settled } = page;
  return settled.from < settled.to ? { series, fetched: settled } : { series };
}

/** Where pages come from and where they go. */
export type PageFlow<Series> = {
  pages(range: TimeRange): AsyncIterable<HistoryPage<Series>>;
  store(page: HistoryPage<Series>): Promise<MergeCounts>;
};

/** Fetches and stores all pages of the ranges, one after the other. */
export async function drain<Series extends { readonly length: number }>(
  request: DownloadRequest,
  id: SeriesId,
  asked: readonly TimeRange[],
  flow: PageFlow<Series>,
): Promise<DownloadReport> {
  let report = { ...emptyReport(id), asked };
  const total = totalMs(asked);
  let done = 0;
  let bars = 0;
  for (const range of asked) {
    for await (const page of flow.pages(range)) {
      const counts = await flow.store(page);
      report = {
        ...report,
        added: report.added + counts.added,
        replaced: report.replaced + counts.replaced,
        unchanged: report.unchanged + counts.unchanged,
        pages: report.pages + 1,
        rejectedCount: report.rejectedCount + page.rejected.length,
        rejected: [...report.rejected, ...page.rejected].slice(0, REJECTED_LISTED_MAX),
      };
      done += page.covered.to - page.covered.from;
      bars += page.series.length;
      request.onProgress?.({ done, total, bars });
      request.signal.throwIfAborted();
    }
  }
  return report;
}

async function withQuality(
  { store }: DownloadDeps,
  { scope, range, timeframeMin }: DownloadRequest & { readonly timeframeMin: number },
  report: DownloadReport,
): Promise<CandleDownloadReport> {
  const series = await store.loadSeries(scope, report.seriesId, range);
  return { ...report, quality: qualityReport(series, timeframeMin * MINUTE_MS) };
}
