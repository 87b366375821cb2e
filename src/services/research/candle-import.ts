// Brings candle and funding files into the store: the whole file is checked, then stored in one
// transaction. Called by the command line and pages; a refused file leaves everything as it was.
import { type QualityReport, qualityReport } from "../../analytics/candle-quality.ts";
import { InputError } from "../../model/result.ts";
import { MINUTE_MS } from "../../model/time.ts";
import { inferTimeframeMin } from "../../model/timeframe-grid.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleStore, MergeCounts, SeriesId } from "../../ports/candle-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Market } from "../../ports/market-data.ts";
import { readCandleFile, readFundingFile } from "./candle-files.ts";

/** What an import works with. */
export type ImportDeps = { readonly store: CandleStore; readonly clock: Clock };

/** Which file goes into which series. */
export type ImportRequest = {
  readonly scope: Scope;
  readonly path: string;
  readonly market: Market;
};

/** What an import did; the instants are the first and last of the file. */
export type ImportReport = MergeCounts & {
  readonly seriesId: SeriesId;
  readonly items: number;
  readonly firstAt: number;
  readonly lastAt: number;
};

/** A report on candles; `quality` looks at the candles of the file. */
export type CandleImportReport = ImportReport & {
  readonly timeframeMin: number;
  readonly quality: QualityReport;
};

/**
 * Imports a candle file; without a timeframe it is told from the spacing of the candles.
 * @throws InputError naming file, line and field of what is wrong
 */
export async function importCandles(
  { store, clock }: ImportDeps,
  request: ImportRequest & { readonly timeframeMin?: number },
): Promise<CandleImportReport> {
  const { scope, path, market } = request;
  const series = await readCandleFile(path, request.timeframeMin);
  const extent = extentOf(path, series.openAt);
  const timeframeMin = request.timeframeMin ?? inferFor(path, series.openAt);
  const now = clock.now();
  const seriesId = await store.openCandles(scope, { ...market, timeframeMin }, now);
  const counts = await store.mergeCandles(scope, seriesId, { series }, now);
  const quality = qualityReport(series, timeframeMin * MINUTE_MS);
  return { seriesId, timeframeMin, ...extent, ...counts, quality };
}

/** Imports a funding file. @throws InputError naming file, line and field of what is wrong */
export async function importFunding(
  { store, clock }: ImportDeps,
  { scope, path, market }: ImportRequest,
): Promise<ImportReport> {
  if (market.kind !== "perps") {
    throw new InputError(`symbol: ${market.symbol} is a spot market; only perpetuals have funding`);
  }
  const series = await readFundingFile(path);
  const extent = extentOf(path, series.at);
  const now = clock.now();
  const seriesId = await store.openFunding(scope, market, now);
  const counts = await store.mergeFunding(scope, seriesId, { series }, now);
  return { seriesId, ...extent, ...counts };
}

function inferFor(path: string, openAt: Float64Array): number {
  try {
    return inferTimeframeMin(openAt);
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${path}: ${error.message}`);
    throw error;
  }
}

function extentOf(path: string, at: Float64Array) {
  const firstAt = at[0];
  const lastAt = at[at.length - 1];
  if (firstAt === undefined || lastAt === undefined) {
    throw new InputError(`${path}: it holds no line below the header`);
  }
  return { items: at.length, firstAt, lastAt };
}
