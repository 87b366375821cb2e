// How much history indicators need before the first decision, and where reading starts (rule E11).
// Used alike by backtests, live start-up and charts; knows no strategy and reads no data.
import { assert } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";
import { DAY_MS, MINUTE_MS, utcDayStart, utcWeekStart } from "../model/time.ts";
import type { MovingAverageType } from "./moving-average.ts";

/** Spans after which the weight of the seed is small enough (about e^-8). */
const AVERAGE_SPANS: Record<MovingAverageType, number> = { Sma: 1, Ema: 4 };
const MACD_SPANS = 4;
const WILDER_SPANS = 8;

/**
 * One indicator in use; `average` also stands for a gate (interval 0 resolved) and Bollinger bands.
 */
export type WarmupNeed =
  | {
      readonly kind: "average" | "bollinger";
      readonly type: MovingAverageType;
      readonly length: number;
      readonly intervalMin: number;
    }
  | {
      readonly kind: "macd";
      readonly slow: number;
      readonly signal: number;
      readonly intervalMin: number;
    }
  | {
      readonly kind: "rsi";
      readonly length: number;
      readonly intervalMin: number;
    }
  | { readonly kind: "atr"; readonly length: number };

function minutesOf(need: WarmupNeed, timeframeMin: number): number {
  switch (need.kind) {
    case "average":
    case "bollinger":
      return need.length * need.intervalMin * AVERAGE_SPANS[need.type];
    case "macd":
      return (need.slow + need.signal) * need.intervalMin * MACD_SPANS;
    case "rsi":
      return (need.length + 1) * need.intervalMin * WILDER_SPANS;
    case "atr":
      return (need.length + 1) * timeframeMin * WILDER_SPANS;
  }
}

/**
 * Minutes of history before the window: the largest need plus one base bar.
 * @param timeframeMin base timeframe, on which the ATR runs
 */
export function warmupMinutes(needs: readonly WarmupNeed[], timeframeMin: number): number {
  assert(timeframeMin > 0, `base timeframe ${timeframeMin} min must be above 0`);
  let most = 0;
  for (const need of needs) {
    const minutes = minutesOf(need, timeframeMin);
    assert(minutes > 0, `the ${need.kind} warm-up of ${minutes} min must be above 0`);
    most = Math.max(most, minutes);
  }
  return most + timeframeMin;
}

/**
 * Where the history fed to the indicators starts: 00:00 UTC of the day that contains from - needed,
 * of the Monday of that week when an interval above one day is in use.
 */
export function historyStart(
  fromMs: EpochMs,
  neededMin: number,
  largestIntervalMin: number,
): EpochMs {
  const at = fromMs - neededMin * MINUTE_MS;
  return largestIntervalMin * MINUTE_MS > DAY_MS ? utcWeekStart(at) : utcDayStart(at);
}
