// What stored series hold and lack: coverage bars and quality, for the candles page and for `dragon
// candles list --gaps`. Looks at one series after the other, so that memory holds one at a time.
import { type QualityReport, qualityReport } from "../../analytics/candle-quality.ts";
import { type EpochMs, MINUTE_MS } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleStore, CandleSummary, SeriesId } from "../../ports/candle-store.ts";

/** Findings in one stored series. */
export type SeriesQuality = QualityReport;

/** Neighbouring stretches of a coverage bar that look alike. */
export type CoverageSegment = {
  /** Place and width on the bar, in stretches. */
  readonly start: number;
  readonly length: number;
  readonly from: EpochMs;
  /** Not included. */
  readonly to: EpochMs;
  /** Candles present over candles possible, 0..1. */
  readonly presentRatio: number;
  /** `full` only when no candle is missing, `most` from nine tenths on. */
  readonly fill: "full" | "most" | "some" | "none";
};

/** The time from the first to the last candle as a bar of equal stretches. */
export type CoverageBar = {
  /** Stretches of the whole bar, at most `COVERAGE_STRETCHES_MAX`. */
  readonly stretches: number;
  readonly segments: readonly CoverageSegment[];
};

/** What is known of one series after looking at all of it. */
export type SeriesOverview = { readonly bar: CoverageBar; readonly quality: SeriesQuality };

/** Overviews of series, remembered until the series changes. */
export type Overviews = {
  /** Null when the series vanished meanwhile. */
  of(scope: Scope, summary: CandleSummary): Promise<SeriesOverview | null>;
  /** The bar when it is known without reading the series. */
  knownBar(summary: CandleSummary): CoverageBar | null;
};

/** Stretches of a bar. */
export const COVERAGE_STRETCHES_MAX = 400;
const KEPT_MAX = 200;
const MOST_RATIO = 0.9;

/** Overviews over a store. */
export function createOverviews(store: CandleStore): Overviews {
  const kept = new Map<string, SeriesOverview>();
  let queue: Promise<unknown> = Promise.resolve();

  const look = async (scope: Scope, summary: CandleSummary): Promise<SeriesOverview | null> => {
    const known = kept.get(keyOf(summary));
    if (known) return known;
    const { id, timeframeMin } = summary;
    if ((await store.findCandles(scope, summary)) !== id) return null;
    const series = await store.loadSeries(scope, id);
    const stepMs = timeframeMin * MINUTE_MS;
    const found = {
      bar: coverageBar(series.openAt, stepMs),
      quality: qualityReport(series, stepMs),
    };
    kept.set(keyOf(summary), found);
    const [oldest] = kept.keys();
    if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest);
    return found;
  };

  return {
    of(scope, summary) {
      const next = queue.then(() => look(scope, summary));
      queue = next.catch(() => undefined);
      return next;
    },
    knownBar: (summary) => kept.get(keyOf(summary))?.bar ?? fullBar(summary),
  };
}

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

/** The bar of open times that lie on a grid of `stepMs`. */
export function coverageBar(openAt: Float64Array, stepMs: number): CoverageBar {
  const first = openAt[0];
  const last = openAt[openAt.length - 1];
  if (first === undefined || last === undefined) return { stretches: 0, segments: [] };
  const possible = Math.round((last - first) / stepMs) + 1;
  const stretches = Math.min(possible, COVERAGE_STRETCHES_MAX);
  const present = new Uint32Array(stretches);
  for (let i = 0; i < openAt.length; i++) {
    const place = Math.round((openAt[i]! - first) / stepMs);
    const stretch = Math.floor((place * stretches) / possible);
    present[stretch] = present[stretch]! + 1;
  }
  /** The first candle place of a stretch. */
  const begin = (stretch: number) => Math.ceil((stretch * possible) / stretches);
  const segments: CoverageSegment[] = [];
  let start = 0;
  let sum = 0;
  for (let k = 0; k < stretches; k++) {
    sum += present[k]!;
    const fill = fillOf(present[k]!, begin(k + 1) - begin(k));
    const isLast = k + 1 === stretches;
    if (!isLast && fill === fillOf(present[k + 1]!, begin(k + 2) - begin(k + 1))) continue;
    segments.push({
      start,
      length: k + 1 - start,
      from: first + begin(start) * stepMs,
      to: first + begin(k + 1) * stepMs,
      presentRatio: sum / (begin(k + 1) - begin(start)),
      fill,
    });
    start = k + 1;
    sum = 0;
  }
  return { stretches, segments };
}

function fillOf(present: number, possible: number): CoverageSegment["fill"] {
  if (present === possible) return "full";
  if (present === 0) return "none";
  return present >= possible * MOST_RATIO ? "most" : "some";
}

/** A series without a gap needs no look. */
function fullBar({ firstAt, lastAt, missingBars, timeframeMin }: CandleSummary) {
  if (firstAt === null || lastAt === null) return { stretches: 0, segments: [] };
  if (missingBars > 0) return null;
  const to = lastAt + timeframeMin * MINUTE_MS;
  const whole = { start: 0, length: 1, from: firstAt, to, presentRatio: 1, fill: "full" } as const;
  return { stretches: 1, segments: [whole] };
}

function keyOf({ id, updatedAt, items }: CandleSummary): string {
  return `${id} ${updatedAt} ${items}`;
}
