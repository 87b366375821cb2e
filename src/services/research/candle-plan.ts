// Which stretches of history still have to be asked for. Used by candle-download.ts. Pure: stored
// candles and ranges already answered in, ranges to ask for out.
import { firstAtOrAfter } from "../../model/candle.ts";
import { MINUTE_MS } from "../../model/time.ts";
import { gridCeil } from "../../model/timeframe-grid.ts";
import type { TimeRange } from "../../ports/candle-store.ts";

/** The parts of a range that no known range covers; `known` is ascending and apart. */
export function withoutRanges(range: TimeRange, known: readonly TimeRange[]): TimeRange[] {
  const left: TimeRange[] = [];
  let from = range.from;
  for (const each of known) {
    if (each.to <= from || each.from >= range.to) continue;
    if (each.from > from) left.push({ from, to: each.from });
    from = each.to;
  }
  if (from < range.to) left.push({ from, to: range.to });
  return left;
}

/** The parts of a range in which candles are neither stored nor known to be absent. */
export function missingRanges(
  range: TimeRange,
  timeframeMin: number,
  openAt: Float64Array,
  fetched: readonly TimeRange[],
): TimeRange[] {
  const aligned = {
    from: gridCeil(range.from, timeframeMin),
    to: gridCeil(range.to, timeframeMin),
  };
  return withoutRanges(aligned, fetched).flatMap((part) => {
    const from = gridCeil(part.from, timeframeMin);
    return holesIn({ from, to: gridCeil(part.to, timeframeMin) }, timeframeMin, openAt);
  });
}

function holesIn(range: TimeRange, timeframeMin: number, openAt: Float64Array): TimeRange[] {
  const stepMs = timeframeMin * MINUTE_MS;
  const holes: TimeRange[] = [];
  let from = range.from;
  for (let i = firstAtOrAfter(openAt, range.from); i < openAt.length; i++) {
    const at = openAt[i]!;
    if (at >= range.to) break;
    if (at > from) holes.push({ from, to: at });
    from = at + stepMs;
  }
  if (from < range.to) holes.push({ from, to: range.to });
  return holes;
}

/** Joins neighbouring ranges where asking for both at once takes fewer requests. */
export function joinForPaging(
  ranges: readonly TimeRange[],
  timeframeMin: number,
  pageBars: number,
): TimeRange[] {
  const pageMs = pageBars * timeframeMin * MINUTE_MS;
  const pages = (range: TimeRange) => Math.ceil((range.to - range.from) / pageMs);
  const joined: TimeRange[] = [];
  for (const range of ranges) {
    const last = joined.at(-1);
    const both = last && { from: last.from, to: range.to };
    if (last && both && pages(both) < pages(last) + pages(range)) joined[joined.length - 1] = both;
    else joined.push(range);
  }
  return joined;
}

/** Length of all ranges together in ms. */
export function totalMs(ranges: readonly TimeRange[]): number {
  return ranges.reduce((sum, range) => sum + range.to - range.from, 0);
}
