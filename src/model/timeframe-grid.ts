// Where the candles of a timeframe may open. Used by CSV reading, the candle store and downloads;
// the bins of higher timeframes inside a strategy are indicators/timeframe-bins.ts.
import { InputError } from "./result.ts";
import { DAY_MS, type EpochMs, formatTimeframe, MINUTE_MS, WEEK_MS } from "./time.ts";

const DAY_MIN = 1440;
const WEEK_MIN = 10_080;
/** Monday 1970-01-05: weekly candles open on Mondays. */
const FIRST_MONDAY = 4 * DAY_MS;

/**
 * Checks that candles of a timeframe can be stored.
 * @throws InputError unless it divides a day or is one week
 */
export function checkTimeframe(timeframeMin: number): void {
  if (Number.isInteger(timeframeMin) && timeframeMin > 0) {
    if (timeframeMin === WEEK_MIN || DAY_MIN % timeframeMin === 0) return;
  }
  throw new InputError(
    `timeframe: ${timeframeMin} minutes do not divide a day; ` +
      "allowed are 1m to 1d without remainder (e.g. 5m, 1h, 4h) and 1w",
  );
}

/** The last open time at or before the instant. */
export function gridFloor(at: EpochMs, timeframeMin: number): EpochMs {
  const step = timeframeMin * MINUTE_MS;
  const anchor = step % WEEK_MS === 0 ? FIRST_MONDAY : 0;
  return Math.floor((at - anchor) / step) * step + anchor;
}

/** The first open time at or after the instant. */
export function gridCeil(at: EpochMs, timeframeMin: number): EpochMs {
  const floor = gridFloor(at, timeframeMin);
  return floor === at ? at : floor + timeframeMin * MINUTE_MS;
}

/**
 * The timeframe of a series whose author did not say: its smallest spacing.
 * @throws InputError when that is not a timeframe, does not divide every other spacing, or the
 *   opens are off its grid
 */
export function inferTimeframeMin(openAt: Float64Array): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = 1; i < openAt.length; i++) {
    smallest = Math.min(smallest, openAt[i]! - openAt[i - 1]!);
  }
  if (openAt.length < 2) {
    throw new InputError("timeframe: it cannot be told from fewer than two candles; name it");
  }
  const minutes = smallest / MINUTE_MS;
  if (!Number.isInteger(minutes) || (DAY_MIN % minutes !== 0 && minutes !== WEEK_MIN)) {
    throw new InputError(
      `timeframe: the smallest spacing of the candles is ${smallest / 1000} s, which is not a ` +
        "timeframe that divides a day",
    );
  }
  for (let i = 0; i < openAt.length; i++) {
    if (gridFloor(openAt[i]!, minutes) === openAt[i]!) continue;
    throw new InputError(
      `timeframe: the smallest spacing of the candles is ${formatTimeframe(minutes)}, ` +
        `but the open time ${openAt[i]} is not a multiple of it; name the timeframe`,
    );
  }
  return minutes;
}
