// What the candles service knows, turned into the plain props of its views: rows, sentences, tiles.
// Used by candles.tsx and candle-series.tsx.
import type { Kpi } from "../../../views/components/parts.tsx";
import { age, bytes, count, date, percent, timeframe } from "../../../views/format.ts";
import type { ExchangeGroups } from "../../../views/pages/candle-fields.ts";
import type { JobRow } from "../../../views/pages/candle-jobs.tsx";
import type { CandleRow, SeriesListProps } from "../../../views/pages/candle-list.tsx";
import type { QualityProps } from "../../../views/pages/candle-quality.tsx";
import { type EpochMs, isoUtc, MINUTE_MS } from "../../model/time.ts";
import type { CandleSummary } from "../../ports/candle-store.ts";
import type { Session } from "../../ports/access-store.ts";
import type { CandleJob, JobState } from "../../services/research/candle-jobs.ts";
import type { SeriesOverview } from "../../services/research/candle-overview.ts";
import type { Candles, StoredSeries } from "../../services/research/candles.ts";
import { includesRole } from "../../services/desk/tokens.ts";

/** Exchanges with profiles of their own, before the rest of the alphabet. */
const KNOWN_WELL = ["woox", "binance", "bybit", "okx", "kraken", "kucoin", "upbit"];
/** From here on the pill is green; yellow and blue below. */
const LONG_MIN = 240;
const MIDDLE_MIN = 15;

/** All exchanges, those we know well first. */
export function exchangeGroups(candles: Pick<Candles, "exchangeIds">): ExchangeGroups {
  const all = candles.exchangeIds();
  return {
    first: KNOWN_WELL.filter((id) => all.includes(id)),
    others: all.filter((id) => !KNOWN_WELL.includes(id)),
  };
}

/** True for those who may import, download and delete. */
export function canChange({ role }: Session): boolean {
  return includesRole(role, "trader");
}

/** Never rounds up to a whole: 100% means that no candle is missing. */
export function coverageText(summary: CandleSummary): string {
  const { coverageRatio, gapCount, missingBars, items } = summary;
  if (items === 0) return "empty";
  if (missingBars === 0) return "complete";
  return `${percent(Math.floor(coverageRatio * 1000) / 1000)}, ${many(gapCount, "gap")}`;
}

function many(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** A candle series as a row. */
function candleRow(candles: Pick<Candles, "knownBar">, summary: CandleSummary): CandleRow {
  const { timeframeMin } = summary;
  return {
    ...summary,
    pillTone: timeframeMin >= LONG_MIN ? "green" : timeframeMin >= MIDDLE_MIN ? "amber" : "blue",
    coverage: coverageText(summary),
    bar: candles.knownBar(summary),
  };
}

/** All series as rows. */
export async function seriesRows(candles: Candles, session: Session): Promise<SeriesListProps> {
  const found = await candles.list({
    workspaceId: session.workspace.id,
    userId: session.user.id,
    role: session.role,
  });
  return {
    candles: found.candles.map((summary) => candleRow(candles, summary)),
    funding: found.funding,
    timeZone: session.user.timeZone,
    now: candles.now(),
    canChange: canChange(session),
  };
}

/** The figures above a series. */
export function tilesOf(series: StoredSeries, timeZone: string, now: EpochMs): Kpi[] {
  const tiles: Kpi[] = [
    { label: series.content === "candles" ? "Candles" : "Rates", value: count(series.items) },
    { label: "From", value: date(series.firstAt, timeZone) },
    { label: "To", value: date(series.lastAt, timeZone) },
  ];
  if (series.content === "candles") tiles.push(coverageTile(series));
  const note = `updated ${age(series.updatedAt, now)}`;
  return [...tiles, { label: "Size", value: bytes(series.bytes), note }];
}

function coverageTile(series: CandleSummary): Kpi {
  const { missingBars, items } = series;
  const [value = ""] = coverageText(series).split(",");
  if (items === 0) return { label: "Coverage", value };
  if (missingBars === 0) return { label: "Coverage", value, note: "no candle is missing" };
  return { label: "Coverage", value, tone: "warn", note: `${many(missingBars, "candle")} missing` };
}

/** Findings of a series with what the page writes beside them. */
export function qualityProps(
  { bar, quality }: SeriesOverview,
  series: CandleSummary,
  timeZone: string,
): QualityProps {
  const stepMs = series.timeframeMin * MINUTE_MS;
  const { gapCount, badPrints, badPrintCount, jumps, jumpCount, zeroVolumeBars } = quality;
  const missing = series.missingBars;
  const label =
    missing > 0
      ? `${coverageText(series)}, ${many(missing, "candle")} missing.`
      : "No candle is missing between the first and the last.";
  return {
    bar: { ...bar, timeZone, label },
    timeZone,
    gaps: quality.longestGaps.map((gap) => ({ ...gap, lengthMs: gap.missingBars * stepMs })),
    jumps: jumps.map((jump) => ({
      ...jump,
      change: percent(jump.close / jump.closeBefore - 1, { signed: true }),
    })),
    ...{ gapCount, badPrints, badPrintCount, jumpCount, zeroVolumeBars },
  };
}

/** Jobs as rows; a job is only cancelled by those who may begin one. */
export function jobRows(
  jobs: readonly CandleJob[],
  now: EpochMs,
  mayCancel: boolean,
): readonly JobRow[] {
  return jobs.map((job) => jobRow(job, now, mayCancel));
}

function jobRow(job: CandleJob, now: EpochMs, mayCancel: boolean): JobRow {
  const { id, kind, market, content, timeframeMin, file, state } = job;
  const what =
    content === "funding" ? "funding" : timeframeMin === null ? "" : timeframe(timeframeMin);
  const isRunning = job.endedAt === null;
  const reported = "report" in state ? state.report : undefined;
  const refused = state.is === "refused" ? state : undefined;
  const more = refused ? refused.problemCount - refused.problems.length : 0;
  return {
    id,
    kind: kind === "import" ? `Import${file === null ? "" : ` of ${file} into`}` : "Download",
    title: `${market.exchangeId} ${market.symbol} ${what}`.trim(),
    when: age(job.endedAt ?? job.startedAt, now),
    ...STATES[state.is],
    text: textOf(job),
    notes: reported ? notesOf(reported) : [],
    ...(isRunning ? { share: shareOf(state) } : {}),
    canCancel: mayCancel && isRunning && state.is !== "storing",
    seriesId: reported?.seriesId ?? null,
    problems: (refused?.problems ?? []).map(({ line, reason }) => ({ line: count(line), reason })),
    moreProblems: more > 0 ? `and ${count(more)} more` : null,
  };
}

const STATES: Readonly<Record<JobState["is"], Pick<JobRow, "state" | "tone">>> = {
  waiting: { state: "waiting", tone: "blue" },
  receiving: { state: "receiving", tone: "blue" },
  storing: { state: "storing", tone: "blue" },
  downloading: { state: "downloading", tone: "blue" },
  imported: { state: "✓ stored", tone: "green" },
  downloaded: { state: "✓ stored", tone: "green" },
  refused: { state: "! refused", tone: "red" },
  failed: { state: "! failed", tone: "red" },
  cancelled: { state: "cancelled", tone: "" },
};

function shareOf(state: JobState): number | null {
  if (state.is === "receiving") return ratio(state.bytes, state.bytesTotal);
  if (state.is !== "downloading" || state.progress === null) return null;
  return ratio(state.progress.done, state.progress.total);
}

function ratio(done: number, total: number | null): number | null {
  return total === null || total === 0 ? null : Math.min(1, done / total);
}

function textOf({ kind, state }: CandleJob): string {
  switch (state.is) {
    case "waiting":
      return "Begins as soon as another one has ended.";
    case "receiving": {
      const of = state.bytesTotal === null ? "" : ` of ${bytes(state.bytesTotal)}`;
      return `${bytes(state.bytes)}${of} have arrived and are good so far.`;
    }
    case "storing":
      return `All ${count(state.items)} lines are good; they are being stored.`;
    case "downloading":
      return state.progress === null
        ? "The exchange is being asked."
        : `${count(state.progress.bars)} received.`;
    case "imported":
    case "downloaded":
      return storedText(state);
    case "refused":
      return kind === "import" ? `${refusalOf(state)}. Nothing was stored.` : `${state.sentence}.`;
    case "failed":
      return kind === "import"
        ? state.sentence
        : `${state.sentence.replace(/\.$/, "")}. What had arrived is stored and stays.`;
    case "cancelled":
      return kind === "import"
        ? "Nothing was stored."
        : "What had arrived is stored and stays; the same download goes on from there.";
  }
}

/** The lines themselves stand below. */
function refusalOf(state: Extract<JobState, { readonly is: "refused" }>): string {
  const { problemCount, sentence } = state;
  return problemCount > 1 ? `${count(problemCount)} things are wrong with the file` : sentence;
}

function storedText({ report }: Extract<JobState, { readonly report: unknown }>): string {
  const { added, replaced, unchanged } = report;
  if ("asked" in report && report.asked.length === 0) return "Nothing was missing.";
  return `${count(added)} added, ${count(replaced)} replaced, ${count(unchanged)} unchanged.`;
}

type Report = Extract<JobState, { readonly report: unknown }>["report"];

function notesOf(report: Report): string[] {
  const notes: string[] = [];
  if ("quality" in report) {
    const { gapCount, missingBars, zeroVolumeBars, badPrintCount, jumpCount } = report.quality;
    notes.push(
      `${many(gapCount, "gap")} with ${many(missingBars, "candle")} missing, ` +
        `${count(zeroVolumeBars)} without volume, ${many(badPrintCount, "bad print")}, ` +
        `${many(jumpCount, "jump")}.`,
    );
  }
  if ("rejected" in report && report.rejectedCount > 0) {
    notes.push(`${count(report.rejectedCount)} left out, for they cannot be stored:`);
    for (const { openAt, reason } of report.rejected) notes.push(`${isoUtc(openAt)} ${reason}`);
  }
  return notes;
}
