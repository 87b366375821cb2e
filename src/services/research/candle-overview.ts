// What is wrong in stored series, for `dragon candles list --gaps` and the candles page. Reads one
// series after the other, so that memory holds one at a time.
import { type QualityReport, qualityReport } from "../../analytics/candle-quality.ts";
import { MINUTE_MS } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleStore, CandleSummary, SeriesId } from "../../ports/candle-store.ts";

/** Findings in one stored series. */
export type SeriesQuality = QualityReport;

/** Findings by series. */
export async function listGaps(
  store: CandleStore,
  scope: Scope,
  summaries: readonly CandleSummary[],
): Promise<Map<SeriesId, SeriesQuality>> {
  const found = new Map<SeriesId, SeriesQuality>();
  for (const { id, timeframeMin } of summaries) {
    const series = await store.loadSeries(scope, id);
    found.set(id, qualityReport(series, timeframeMin * MINUTE_MS));
  }
  return found;
}
