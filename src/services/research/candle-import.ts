// Brings candle and funding files into the store: the whole file is checked, then stored in one
// transaction. Called by the command line and the candles page; a refused file leaves everything as
// it was.
import { type QualityReport, qualityReport } from "../../analytics/candle-quality.ts";
import type { CandleSeries, FundingSeries } from "../../model/candle.ts";
import { InputError } from "../../model/result.ts";
import { MINUTE_MS } from "../../model/time.ts";
import { inferTimeframeMin } from "../../model/timeframe-grid.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleStore, MergeCounts, SeriesId } from "../../ports/candle-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Market } from "../../ports/market-data.ts";
import { type FileBytes, readCandleFile, readFundingFile, readHistory } from "./candle-files.ts";

/** What an import works with. */
export type ImportDeps = { readonly store: CandleStore; readonly clock: Clock };

/** Which file goes into which series. */
export type ImportRequest = {
  readonly scope: Scope;
  readonly path: string;
  readonly market: Market;
};

/** What an import did; the instants are the first and last of the file. */
export type ImportReport = MergeCounts & Extent & { readonly seriesId: SeriesId };

/** A report on candles; `quality` looks at the candles of the file. */
export type CandleImportReport = ImportReport & {
  readonly timeframeMin: number;
  readonly quality: QualityReport;
};

type Extent = { readonly items: number; readonly firstAt: number; readonly lastAt: number };
type CheckedCandles = Extent & { readonly series: CandleSeries; readonly timeframeMin: number };
type CheckedFunding = Extent & { readonly series: FundingSeries };

/** A file that was read and found good; nothing of it is stored yet. */
export type CheckedFile =
  | (CheckedCandles & { readonly content: "candles" })
  | (CheckedFunding & { readonly content: "funding" });

/**
 * Imports a candle file; without a timeframe it is told from the spacing of the candles.
 * @throws InputError naming file, line and field of what is wrong
 */
export async function importCandles(
  deps: ImportDeps,
  { scope, path, market, timeframeMin }: ImportRequest & { readonly timeframeMin?: number },
): Promise<CandleImportReport> {
  const series = await readCandleFile(path, timeframeMin);
  return storeCandles(deps, scope, market, checkedCandles(path, series, timeframeMin));
}

/** Imports a funding file. @throws InputError naming file, line and field of what is wrong */
export async function importFunding(
  deps: ImportDeps,
  { scope, path, market }: ImportRequest,
): Promise<ImportReport> {
  checkPaysFunding(market);
  const series = await readFundingFile(path);
  return storeFunding(deps, scope, market, { series, ...extentOf(path, series.at) });
}

/**
 * Reads and checks a file of either kind while its bytes arrive.
 * @throws InputError like `importCandles`; what the bytes threw
 */
export async function checkFile(
  file: FileBytes,
  market: Market,
  timeframeMin?: number,
): Promise<CheckedFile> {
  const { content, series } = await readHistory(file, timeframeMin);
  if (content === "candles") {
    return { content, ...checkedCandles(file.name, series, timeframeMin) };
  }
  checkPaysFunding(market);
  return { content, series, ...extentOf(file.name, series.at) };
}

/** Stores a file that was found good. */
export function storeFile(
  deps: ImportDeps,
  scope: Scope,
  market: Market,
  file: CheckedFile,
): Promise<ImportReport | CandleImportReport> {
  return file.content === "candles"
    ? storeCandles(deps, scope, market, file)
    : storeFunding(deps, scope, market, file);
}

async function storeCandles(
  { store, clock }: ImportDeps,
  scope: Scope,
  market: Market,
  { series, timeframeMin, items, firstAt, lastAt }: CheckedCandles,
): Promise<CandleImportReport> {
  const now = clock.now();
  const seriesId = await store.openCandles(scope, { ...market, timeframeMin }, now);
  const counts = await store.mergeCandles(scope, seriesId, { series }, now);
  const quality = qualityReport(series, timeframeMin * MINUTE_MS);
  return { seriesId, timeframeMin, items, firstAt, lastAt, ...counts, quality };
}

async function storeFunding(
  { store, clock }: ImportDeps,
  scope: Scope,
  market: Market,
  { series, items, firstAt, lastAt }: CheckedFunding,
): Promise<ImportReport> {
  const now = clock.now();
  const seriesId = await store.openFunding(scope, market, now);
  const counts = await store.mergeFunding(scope, seriesId, { series }, now);
  return { seriesId, items, firstAt, lastAt, ...counts };
}

/** @throws InputError for a market that exchanges no funding */
export function checkPaysFunding({ kind, symbol }: Market): void {
  if (kind === "perps") return;
  throw new InputError(`symbol: ${symbol} is a spot market; only perpetuals have funding`);
}

function checkedCandles(
  name: string,
  series: CandleSeries,
  timeframeMin: number | undefined,
): CheckedCandles {
  const extent = extentOf(name, series.openAt);
  return { series, ...extent, timeframeMin: timeframeMin ?? inferFor(name, series.openAt) };
}

function inferFor(name: string, openAt: Float64Array): number {
  try {
    return inferTimeframeMin(openAt);
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${name}: ${error.message}`);
    throw error;
  }
}

function extentOf(name: string, at: Float64Array): Extent {
  const firstAt = at[0];
  const lastAt = at[at.length - 1];
  if (firstAt === undefined || lastAt === undefined) {
    throw new InputError(`${name}: it holds no line below the header`);
  }
  return { items: at.length, firstAt, lastAt };
}
