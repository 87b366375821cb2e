// What is wrong with a candle series: gaps, bars without volume, bad prints, jumps. Used by candle
// import and the candles page; it reports and never repairs, drops or fills anything.
import type { CandleSeries } from "../model/candle.ts";
import type { EpochMs } from "../model/time.ts";

/** Longest lists a report carries; the counts beside them are always complete. */
export const QUALITY_LIST_MAX = 100;

/** A price further than this from both neighbouring closes is suspicious. */
const DEVIATION_RATIO = 0.2;

/** The neighbouring closes must be this near each other, else the market itself was moving. */
const AGREEMENT_RATIO = 0.1;

/** Candles that are absent; `firstMissingAt` is the open time the first of them would have. */
export type Gap = {
  readonly firstMissingAt: EpochMs;
  readonly missingBars: number;
};

/** A price no neighbour confirms; `kind` says which price of the bar it is. */
export type BadPrint = {
  readonly openAt: EpochMs;
  readonly kind: "close" | "low" | "high";
  readonly price: number;
  readonly closeBefore: number;
  readonly closeAfter: number;
};

/** A large move that the next bars do not take back at once. */
export type Jump = {
  readonly openAt: EpochMs;
  readonly closeBefore: number;
  readonly close: number;
};

/** Findings of one series; lists hold at most `QUALITY_LIST_MAX` entries. */
export type QualityReport = {
  readonly bars: number;
  readonly gapCount: number;
  readonly missingBars: number;
  /** Longest first; equal ones oldest first. */
  readonly longestGaps: readonly Gap[];
  readonly zeroVolumeBars: number;
  readonly badPrintCount: number;
  /** Oldest first. */
  readonly badPrints: readonly BadPrint[];
  readonly jumpCount: number;
  /** Oldest first. */
  readonly jumps: readonly Jump[];
};

/** Looks through a series once; the timeframe is that of the candles. */
export function qualityReport(candles: CandleSeries, timeframeMs: number): QualityReport {
  let zeroVolumeBars = 0;
  for (let i = 0; i < candles.length; i++) if (candles.volume[i] === 0) zeroVolumeBars += 1;
  return {
    bars: candles.length,
    ...findGaps(candles.openAt, timeframeMs),
    zeroVolumeBars,
    ...findOutliers(candles),
  };
}

function findGaps(openAt: Float64Array, timeframeMs: number) {
  const gaps: Gap[] = [];
  let missingBars = 0;
  for (let i = 1; i < openAt.length; i++) {
    const expected = openAt[i - 1]! + timeframeMs;
    const missing = Math.round((openAt[i]! - expected) / timeframeMs);
    if (missing < 1) continue;
    missingBars += missing;
    gaps.push({ firstMissingAt: expected, missingBars: missing });
  }
  const gapCount = gaps.length;
  gaps.sort((a, b) => b.missingBars - a.missingBars || a.firstMissingAt - b.firstMissingAt);
  return {
    gapCount,
    missingBars,
    longestGaps: gaps.slice(0, QUALITY_LIST_MAX),
  };
}

/**
 * A bad print is a close, low or high more than 20 % beyond both the close before and the close
 * after, while these two lie within 10 % of each other; the close is tried first and a bar is named
 * once. A jump is a close more than 20 % from the last close that was no bad print.
 */
function findOutliers(candles: CandleSeries) {
  const badPrints: BadPrint[] = [];
  const jumps: Jump[] = [];
  let badPrintCount = 0;
  let jumpCount = 0;
  let trusted = candles.close[0] ?? 0;
  for (let i = 1; i < candles.length; i++) {
    const print = badPrintAt(candles, i);
    if (print !== null) {
      badPrintCount += 1;
      if (badPrints.length < QUALITY_LIST_MAX) badPrints.push(print);
      if (print.kind === "close") continue;
    }
    const close = candles.close[i]!;
    if (isBeyond(close, trusted, trusted)) {
      jumpCount += 1;
      const jump = { openAt: candles.openAt[i]!, closeBefore: trusted, close };
      if (jumps.length < QUALITY_LIST_MAX) jumps.push(jump);
    }
    trusted = close;
  }
  return { badPrintCount, badPrints, jumpCount, jumps };
}

function badPrintAt(candles: CandleSeries, i: number): BadPrint | null {
  if (i + 1 >= candles.length) return null;
  const closeBefore = candles.close[i - 1]!;
  const closeAfter = candles.close[i + 1]!;
  const lower = Math.min(closeBefore, closeAfter);
  const upper = Math.max(closeBefore, closeAfter);
  if (upper > lower * (1 + AGREEMENT_RATIO)) return null;
  for (const kind of ["close", "low", "high"] as const) {
    const price = candles[kind][i]!;
    if (!isBeyond(price, lower, upper)) continue;
    return { openAt: candles.openAt[i]!, kind, price, closeBefore, closeAfter };
  }
  return null;
}

function isBeyond(price: number, lower: number, upper: number): boolean {
  return price < lower * (1 - DEVIATION_RATIO) || price > upper * (1 + DEVIATION_RATIO);
}
