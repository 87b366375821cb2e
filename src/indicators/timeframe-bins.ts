// Higher timeframes out of base candles (rules E6, E7): where a bin begins and ends, which candles
// it holds, and from which base close on it may be looked at. Never fills gaps, never shows an open
// bin.
import type { EpochMs } from "../model/time.ts";
import { DAY_MS, utcDayStart, WEEK_MS } from "../model/time.ts";
import { assert, InvariantError } from "../model/result.ts";

/** Monday 1970-01-05, where intervals of whole weeks begin. */
const FIRST_MONDAY = 4 * DAY_MS;

// Runs once per bin: the sentence is built only when it is needed.
function assertInterval(intervalMs: number): void {
  if (Number.isInteger(intervalMs) && intervalMs > 0) {
    if (intervalMs <= DAY_MS || intervalMs % DAY_MS === 0) return;
  }
  throw new InvariantError(
    `interval ${intervalMs} ms must be above 0 and, above one day, a multiple of a day`,
  );
}

function tooClose(openAt: EpochMs): InvariantError {
  return new InvariantError(`the bar at ${openAt} opens within a timeframe of the bar before it`);
}

function assertTimeframe(timeframeMs: number, intervalMs: number): void {
  assertInterval(intervalMs);
  assert(
    timeframeMs > 0 && DAY_MS % timeframeMs === 0,
    `base timeframe ${timeframeMs} ms must divide a day`,
  );
  assert(
    intervalMs % timeframeMs === 0,
    `interval ${intervalMs} ms must be a multiple of the base timeframe ${timeframeMs} ms`,
  );
}

/** Start of the bin that contains the instant (rule E7). */
export function binStart(at: EpochMs, intervalMs: number): EpochMs {
  assertInterval(intervalMs);
  if (intervalMs < DAY_MS) {
    const day = utcDayStart(at);
    return day + Math.floor((at - day) / intervalMs) * intervalMs;
  }
  if (intervalMs === DAY_MS) return utcDayStart(at);
  const anchor = intervalMs % WEEK_MS === 0 ? FIRST_MONDAY : 0;
  return anchor + Math.floor((at - anchor) / intervalMs) * intervalMs;
}

/**
 * End (exclusive) of the bin that contains the instant; below one day the last bin ends at
 * midnight.
 */
export function binEnd(at: EpochMs, intervalMs: number): EpochMs {
  const end = binStart(at, intervalMs) + intervalMs;
  return intervalMs < DAY_MS ? Math.min(end, utcDayStart(at) + DAY_MS) : end;
}

/**
 * Which base bars form which closed bin: `firstBar`, `lastBar`, and `visibleAt`, the base bar at
 * whose close the bin is first visible. `bars` is the number of base bars.
 */
export type BinPlan = {
  readonly bars: number;
  readonly count: number;
  readonly firstBar: Int32Array;
  readonly lastBar: Int32Array;
  readonly visibleAt: Int32Array;
};

/**
 * Groups base bars into bins; a last bin that is still open is not part of the plan.
 * @param openAt open times on the grid of the base timeframe, strictly ascending
 * @param timeframeMs base timeframe, a divisor of one day
 * @param intervalMs a multiple of the base timeframe; above one day a multiple of a day
 */
export function resample(openAt: Float64Array, timeframeMs: number, intervalMs: number): BinPlan {
  assertTimeframe(timeframeMs, intervalMs);
  return intervalMs === timeframeMs
    ? oneBarBins(openAt.length)
    : groupBars(openAt, timeframeMs, intervalMs);
}

function oneBarBins(bars: number): BinPlan {
  const index = new Int32Array(bars);
  for (let i = 0; i < bars; i++) index[i] = i;
  return { bars, count: bars, firstBar: index, lastBar: index, visibleAt: index };
}

function groupBars(openAt: Float64Array, timeframeMs: number, intervalMs: number): BinPlan {
  const bars = openAt.length;
  const room = binsAtMost(openAt, intervalMs);
  // Bins of one length follow each other without a division; short last bins of a day do not.
  const step = intervalMs >= DAY_MS || DAY_MS % intervalMs === 0 ? intervalMs : 0;
  const firstBar = new Int32Array(room);
  const lastBar = new Int32Array(room);
  const visibleAt = new Int32Array(room);
  let count = 0;
  let end = Number.NEGATIVE_INFINITY;
  let first = 0;
  while (first < bars) {
    const at = openAt[first]!;
    end = at < end + step ? end + step : binEnd(at, intervalMs);
    const lastOpen = end - timeframeMs; // open time of the bar that closes the bin
    const last = lastBarOfBin(openAt, first, lastOpen, timeframeMs);
    const isWhole = openAt[last]! === lastOpen;
    if (!isWhole && last + 1 === bars) break;
    firstBar[count] = first;
    lastBar[count] = last;
    // When its last candles are missing it is seen one bar late (rule E6).
    visibleAt[count] = isWhole ? last : last + 1;
    count += 1;
    first = last + 1;
  }
  return {
    bars,
    count,
    firstBar: firstBar.subarray(0, count),
    lastBar: lastBar.subarray(0, count),
    visibleAt: visibleAt.subarray(0, count),
  };
}

/** Without gaps the last bar is found at once; missing bars move it to the left. */
function lastBarOfBin(
  openAt: Float64Array,
  first: number,
  lastOpen: EpochMs,
  timeframeMs: number,
): number {
  const guess = first + Math.round((lastOpen - openAt[first]!) / timeframeMs);
  let last = guess < openAt.length ? guess : openAt.length - 1;
  while (openAt[last]! > lastOpen) last -= 1;
  if (last < first) throw tooClose(openAt[first]!);
  if (last + 1 < openAt.length && openAt[last + 1]! < openAt[last]! + timeframeMs) {
    throw tooClose(openAt[last + 1]!);
  }
  return last;
}

/** Finds the newest bin visible at the close of a bar; cheap when asked in ascending order. */
export class BinCursor {
  private readonly visibleAt: Int32Array;
  private bin = -1;

  constructor(plan: BinPlan) {
    this.visibleAt = plan.visibleAt;
  }

  /** Index of the newest bin visible at the close of the bar, -1 for none. */
  at(bar: number): number {
    const { visibleAt } = this;
    let bin = this.bin;
    if (bin >= 0 && visibleAt[bin]! > bar) bin = -1;
    if (bin + GALLOP < visibleAt.length && visibleAt[bin + GALLOP]! <= bar) {
      bin = this.search(bin + GALLOP, bar);
    }
    while (bin + 1 < visibleAt.length && visibleAt[bin + 1]! <= bar) bin += 1;
    this.bin = bin;
    return bin;
  }

  /** Last bin at or after `low` that is visible at the bar; `low` itself is. */
  private search(low: number, bar: number): number {
    let found = low;
    let high = this.visibleAt.length;
    while (high - found > 1) {
      const middle = (found + high) >>> 1;
      if (this.visibleAt[middle]! <= bar) found = middle;
      else high = middle;
    }
    return found;
  }
}

/** Bins a cursor walks before it searches. */
const GALLOP = 16;

/** Upper bound of the bins these bars can touch; short last bins add at most one per day. */
function binsAtMost(openAt: Float64Array, intervalMs: number): number {
  if (openAt.length === 0) return 0;
  const span = openAt[openAt.length - 1]! - openAt[0]!;
  const bound = Math.ceil(span / intervalMs) + Math.ceil(span / DAY_MS) + 2;
  return Math.min(openAt.length, bound);
}

/**
 * One value per closed bin out of a base column: the open is `first`, the close `last`.
 * When every bin is a single bar this is the base column itself, not a copy.
 */
export function binColumn(
  plan: BinPlan,
  column: Float64Array,
  how: "last" | "max" | "min" | "first",
): Float64Array {
  const { count, firstBar, lastBar } = plan;
  if (count === column.length) return column;
  const out = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    const first = firstBar[k]!;
    const last = lastBar[k]!;
    let value = column[how === "last" ? last : first]!;
    if (how === "max") {
      for (let i = first + 1; i <= last; i++) if (column[i]! > value) value = column[i]!;
    } else if (how === "min") {
      for (let i = first + 1; i <= last; i++) if (column[i]! < value) value = column[i]!;
    }
    out[k] = value;
  }
  return out;
}

/** A closed bin; `start` is the border of the bin, not the open time of its first candle. */
export type Bin = {
  readonly start: EpochMs;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
};

type MutableBin = { -readonly [K in keyof Bin]: Bin[K] };

/** The same grouping one base bar at a time, for live use and for engines that keep no columns. */
export class BinAggregator {
  private readonly timeframeMs: number;
  private readonly intervalMs: number;
  private readonly running: MutableBin = {
    start: 0,
    open: 0,
    high: 0,
    low: 0,
    close: 0,
  };
  private readonly first: MutableBin = {
    start: 0,
    open: 0,
    high: 0,
    low: 0,
    close: 0,
  };
  private readonly second: MutableBin = {
    start: 0,
    open: 0,
    high: 0,
    low: 0,
    close: 0,
  };
  private count = 0;
  private filling = false;
  private end = Number.NEGATIVE_INFINITY;
  private lastOpen = Number.NEGATIVE_INFINITY;

  /** The same demands on the durations as `resample`. */
  constructor(timeframeMs: number, intervalMs: number) {
    assertTimeframe(timeframeMs, intervalMs);
    this.timeframeMs = timeframeMs;
    this.intervalMs = intervalMs;
  }

  /**
   * Takes the next closed base bar and returns how many bins became visible at its close: 0, 1 or
   * 2. Two when a bin left unfinished by missing bars is followed by one that this bar alone
   * completes.
   */
  push(openAt: EpochMs, open: number, high: number, low: number, close: number): number {
    this.count = 0;
    const running = this.running;
    if (openAt >= this.end) {
      if (this.filling) this.complete();
      this.begin(openAt);
      running.open = open;
      running.high = high;
      running.low = low;
    } else {
      if (!this.filling) throw tooClose(openAt);
      if (high > running.high) running.high = high;
      if (low < running.low) running.low = low;
    }
    running.close = close;
    if (openAt >= this.lastOpen) this.complete();
    return this.count;
  }

  /**
   * A bin the last push completed, oldest first; the object is reused, so read it before the next
   * push.
   */
  completed(index: number): Bin {
    if (index === 0 && this.count > 0) return this.first;
    if (index === 1 && this.count > 1) return this.second;
    throw new InvariantError(`bin ${index} of ${this.count} completed`);
  }

  private begin(openAt: EpochMs): void {
    this.running.start = binStart(openAt, this.intervalMs);
    this.end = binEnd(openAt, this.intervalMs);
    this.lastOpen = this.end - this.timeframeMs;
    this.filling = true;
  }

  private complete(): void {
    const target = this.count === 0 ? this.first : this.second;
    target.start = this.running.start;
    target.open = this.running.open;
    target.high = this.running.high;
    target.low = this.running.low;
    target.close = this.running.close;
    this.count += 1;
    this.filling = false;
  }
}
