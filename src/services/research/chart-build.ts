// Turns a run that kept its trace into the columns its page draws. Called on the worker thread; it reads
// half a million candles in a few ms and answers with at most so many buckets.
import type { BacktestRun } from "../../engine/backtest.ts";
import type { BacktestTrace } from "../../engine/trace.ts";
import { firstAtOrAfter } from "../../model/candle.ts";
import type { Fill } from "../../model/fill.ts";
import { gridOf } from "../../model/instrument.ts";
import { assert, InputError } from "../../model/result.ts";
import { type EpochMs, isoUtc, MINUTE_MS } from "../../model/time.ts";
import type { ChartData, ChartFill, ChartWindow } from "./chart-data.ts";

/** Buckets a chart may be asked in. */
export const BUCKETS = { min: 50, max: 2000 } as const;
/**
 * Marks a chart shows at most: where buckets hold more, the fills of several buckets share a mark,
 * which keeps a chart of 2000 buckets under 300 KB of JSON.
 */
const MARKS_MAX = 700;
/** Digits an equity has before and after its point together, and the decimals that allows. */
const EQUITY_DIGITS = 7;
const EQUITY_DECIMALS = { min: 2, max: 8 } as const;
const DRAWDOWN_SCALE = 1e5;
/** Largest distance from 1970 that a date can have. */
const INSTANT_MAX = 8.64e15;

/** A part of a run: traded candles `first` to `end`, in buckets from `from` on. */
type Frame = {
  readonly run: BacktestRun;
  readonly trace: BacktestTrace;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly first: number;
  readonly end: number;
  readonly timeframeMs: number;
  readonly bucketMs: number;
  readonly price: (value: number) => number;
  readonly money: (value: number) => number;
};

type Columns = ReturnType<typeof emptyColumns>;

/**
 * Checks what a chart is asked for.
 * @throws InputError naming the field
 */
export function checkWindow({ from, to, buckets }: ChartWindow): void {
  if (!Number.isInteger(buckets) || buckets < BUCKETS.min || buckets > BUCKETS.max) {
    throw new InputError(
      `buckets: ${buckets} must be a whole number from ${BUCKETS.min} to ${BUCKETS.max}`,
    );
  }
  for (const [name, at] of Object.entries({ from, to })) {
    if (at === undefined || (Number.isInteger(at) && Math.abs(at) <= INSTANT_MAX)) continue;
    throw new InputError(`${name}: ${at} must be an instant in whole ms`);
  }
  if (from !== undefined && to !== undefined && to <= from) {
    throw new InputError(`to: ${isoUtc(to)} must be after from (${isoUtc(from)})`);
  }
}

function rounder(decimals: number): (value: number) => number {
  const scale = 10 ** decimals;
  return (value) => Math.round(value * scale) / scale;
}

function equityDecimals(initialBalance: number): number {
  const digits = EQUITY_DIGITS - 1 - Math.floor(Math.log10(initialBalance));
  return Math.min(EQUITY_DECIMALS.max, Math.max(EQUITY_DECIMALS.min, digits));
}

function frameOf(run: BacktestRun, window: ChartWindow, priceDecimals: number): Frame {
  const { prepared, candles, trace } = run;
  assert(trace !== null, "a chart needs the trace of its run");
  const { timeframeMin, initialBalance } = prepared.request.run;
  const timeframeMs = timeframeMin * MINUTE_MS;
  const grid = (at: EpochMs) => Math.floor(at / timeframeMs) * timeframeMs;
  const from = Math.max(candles.from, grid(window.from ?? candles.from));
  const to = Math.min(candles.to, window.to ?? candles.to);
  const { openAt } = prepared.candles;
  const most = prepared.first + candles.count;
  const perBucket = Math.max(1, Math.ceil((to - from) / timeframeMs / window.buckets));
  return {
    run,
    trace,
    from,
    to,
    first: Math.min(most, firstAtOrAfter(openAt, from)),
    end: Math.min(most, firstAtOrAfter(openAt, to)),
    timeframeMs,
    bucketMs: perBucket * timeframeMs,
    price: rounder(priceDecimals),
    money: rounder(equityDecimals(initialBalance)),
  };
}

/** Highest equity from the start up to but not including a traded candle. */
function peakBefore({ run, trace }: Frame, traded: number): number {
  let peak = run.prepared.request.run.initialBalance;
  for (let k = 0; k < traded; k++) if (trace.equity[k]! > peak) peak = trace.equity[k]!;
  return peak;
}

function emptyColumns() {
  const numbers = (): number[] => [];
  const levels = (): (number | null)[] => [];
  return {
    at: numbers(),
    open: numbers(),
    high: numbers(),
    low: numbers(),
    close: numbers(),
    trend: levels(),
    averageEntry: levels(),
    nextDca: levels(),
    takeProfit: levels(),
    stop: levels(),
    equity: numbers(),
    drawdown: numbers(),
    hold: numbers(),
  };
}

/** Candles, equity and drawdown bucket by bucket; `ends` gets the last candle of each. */
function fillBuckets(frame: Frame, out: Columns, ends: number[]): void {
  const { run, trace, price, money, bucketMs } = frame;
  const { candles, first: window, request } = run.prepared;
  const { openAt, open, high, low, close } = candles;
  const held = request.run.initialBalance / open[window]!;
  let peak = peakBefore(frame, frame.first - window);
  let i = frame.first;
  while (i < frame.end) {
    const at = frame.from + Math.floor((openAt[i]! - frame.from) / bucketMs) * bucketMs;
    const start = i;
    let highest = high[i]!;
    let lowest = low[i]!;
    let deepest = 0;
    for (; i < frame.end && openAt[i]! < at + bucketMs; i++) {
      if (high[i]! > highest) highest = high[i]!;
      if (low[i]! < lowest) lowest = low[i]!;
      const equity = trace.equity[i - window]!;
      if (equity > peak) peak = equity;
      if (1 - equity / peak > deepest) deepest = 1 - equity / peak;
    }
    ends.push(i - 1);
    out.at.push(at);
    out.open.push(price(open[start]!));
    out.high.push(price(highest));
    out.low.push(price(lowest));
    out.close.push(price(close[i - 1]!));
    out.equity.push(money(trace.equity[i - 1 - window]!));
    out.drawdown.push(Math.round(deepest * DRAWDOWN_SCALE) / DRAWDOWN_SCALE);
    out.hold.push(money(held * close[i - 1]!));
  }
}

/** Trend average and levels as they stand at the end of each bucket. */
function fillLevels({ run, trace, price }: Frame, out: Columns, ends: readonly number[]): void {
  const { levels } = trace;
  const { columns } = run.prepared;
  let step = -1;
  const level = (column: Float64Array) =>
    step < 0 || column[step]! < 0 ? null : price(column[step]!);
  for (const end of ends) {
    while (step + 1 < levels.count && levels.candle[step + 1]! <= end) step += 1;
    const { trend } = columns.valuesAt(end);
    out.trend.push(Number.isFinite(trend) ? price(trend) : null);
    out.averageEntry.push(level(levels.average));
    out.nextDca.push(level(levels.nextDca));
    out.takeProfit.push(level(levels.takeProfit));
    out.stop.push(level(levels.stop));
  }
}

/** Marks by stretches of so many ms, one per side and stretch. */
function marksOf(frame: Frame, fills: readonly Fill[], stretchMs: number): ChartFill[] {
  const marks = new Map<string, { first: Fill; count: number; qty: number; notional: number }>();
  for (const fill of fills) {
    const key = `${Math.floor((fill.candleOpenAt - frame.from) / stretchMs)} ${fill.side}`;
    const mark = marks.get(key) ?? { first: fill, count: 0, qty: 0, notional: 0 };
    mark.count += 1;
    mark.qty += fill.qty;
    mark.notional += fill.qty * fill.price;
    marks.set(key, mark);
  }
  return Array.from(marks.values(), ({ first, count, qty, notional }) => ({
    at: first.at,
    side: first.side,
    price: frame.price(notional / qty),
    count,
    reason: first.reason,
    cycle: first.cycle,
  }));
}

function fillMarks(frame: Frame): ChartFill[] {
  const fills = frame.run.recorder.fills.filter(
    ({ candleOpenAt }) => candleOpenAt >= frame.from && candleOpenAt < frame.to,
  );
  let stretchMs = frame.bucketMs;
  let marks = marksOf(frame, fills, stretchMs);
  while (marks.length > MARKS_MAX) {
    stretchMs *= 2;
    marks = marksOf(frame, fills, stretchMs);
  }
  return marks;
}

/**
 * The columns of a window of a run.
 * @param window checked; at least a part of it lies within the run
 */
export function chartData(run: BacktestRun, window: ChartWindow): ChartData {
  const { instrument } = run.prepared.request;
  const { decimals } = gridOf(instrument.priceTick, "instrument: price_tick");
  const frame = frameOf(run, window, decimals);
  assert(frame.to > frame.from, "the window lies within the run");
  const out = emptyColumns();
  const ends: number[] = [];
  fillBuckets(frame, out, ends);
  fillLevels(frame, out, ends);
  return {
    ...out,
    timeframeMs: frame.timeframeMs,
    bucketMs: frame.bucketMs,
    from: run.candles.from,
    to: run.candles.to,
    priceDecimals: decimals,
    fills: fillMarks(frame),
  };
}
