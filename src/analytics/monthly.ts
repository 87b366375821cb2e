// Returns of calendar months (UTC) out of an equity curve. Called once per run, after it.
import type { EpochMs } from "../model/time.ts";

/** Equity of one UTC month; the return is a fraction of the equity at the month's start. */
export type MonthReturn = {
  readonly year: number;
  /** 1..12 */
  readonly month: number;
  readonly return: number;
};

/** Months since year 0, so that neighbours differ by one. */
function monthOf(at: EpochMs): number {
  const date = new Date(at);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/**
 * The return of every month from the first sample to the last, oldest first. A sample belongs to the
 * month of its close less one ms, as with days (E58); a month without samples returns 0. Nothing can
 * be earned on no capital: the list ends where a month would start without any.
 * @param openAt open time of the candle of each sample, ascending
 */
export function monthlyReturns(
  initialBalance: number,
  openAt: Float64Array,
  equity: Float64Array,
  timeframeMs: number,
): MonthReturn[] {
  const found: MonthReturn[] = [];
  const count = Math.min(openAt.length, equity.length);
  let base = initialBalance;
  let month = count === 0 ? 0 : monthOf(openAt[0]! + timeframeMs - 1);
  let i = 0;
  while (i < count && base > 0) {
    // Samples of a month are found by its end, not by taking every instant apart.
    const endAt = Date.UTC(Math.floor((month + 1) / 12), (month + 1) % 12);
    while (i < count && openAt[i]! + timeframeMs <= endAt) i += 1;
    const last = i === 0 ? base : equity[i - 1]!;
    found.push({ year: Math.floor(month / 12), month: (month % 12) + 1, return: last / base - 1 });
    base = last;
    month += 1;
  }
  return found;
}
