// Risk-adjusted ratios from daily returns and the equity's ends. Used by the run summary and pages;
// a ratio that does not exist is null, never 0 or infinite.
import { mean, quantileOfSorted, sampleDeviation, sorted } from "./statistics.ts";

const DAYS_PER_YEAR = 365;
const SECONDS_PER_YEAR = 31_557_600;
const CAGR_SECONDS_MIN = 7 * 86_400;
const RETURNS_MIN = 30;

/** A deviation this small beside the mean is rounding noise of equal returns, that is zero. */
const NOISE_RATIO = 1e-12;

function annualised(center: number, deviation: number): number | null {
  if (deviation <= Math.abs(center) * NOISE_RATIO) return null;
  return (center / deviation) * Math.sqrt(DAYS_PER_YEAR);
}

/**
 * Mean over sample deviation of daily returns, annualised; null below 30 returns or without spread
 * (E58).
 */
export function sharpe(dailyReturns: ArrayLike<number>): number | null {
  const center = mean(dailyReturns);
  const deviation = sampleDeviation(dailyReturns);
  if (center === null || deviation === null || dailyReturns.length < RETURNS_MIN) return null;
  return annualised(center, deviation);
}

/**
 * Mean over downside deviation (root of the mean of min(0, r)^2 over all days, target 0),
 * annualised; null below 30 returns or without a losing day (E58).
 */
export function sortino(dailyReturns: ArrayLike<number>): number | null {
  const center = mean(dailyReturns);
  const days = dailyReturns.length;
  if (center === null || days < RETURNS_MIN) return null;
  let squares = 0;
  for (let i = 0; i < days; i++) squares += Math.min(0, dailyReturns[i]!) ** 2;
  return annualised(center, Math.sqrt(squares / days));
}

/** Sum of winning days over the size of the sum of losing days; null without a losing day. */
export function gainToPain(dailyReturns: ArrayLike<number>): number | null {
  let gain = 0;
  let pain = 0;
  for (let i = 0; i < dailyReturns.length; i++) {
    const change = dailyReturns[i]!;
    if (change > 0) gain += change;
    else pain -= change;
  }
  return pain > 0 ? gain / pain : null;
}

/**
 * 95th over the size of the 5th percentile of daily returns; null below 2 returns or when p5 >= 0.
 */
export function tailRatio(dailyReturns: ArrayLike<number>): number | null {
  if (dailyReturns.length < 2) return null;
  const ascending = sorted(dailyReturns);
  const high = quantileOfSorted(ascending, 0.95);
  const low = quantileOfSorted(ascending, 0.05);
  return high === null || low === null || low >= 0 ? null : high / -low;
}

/**
 * Compound yearly growth as a fraction; null under 7 days, without capital at the end, or when the
 * yearly figure is beyond a double.
 * @param seconds from the first open to the last close
 */
export function cagr(initialEquity: number, finalEquity: number, seconds: number): number | null {
  if (seconds < CAGR_SECONDS_MIN || finalEquity <= 0) return null;
  const growth = (finalEquity / initialEquity) ** (SECONDS_PER_YEAR / seconds) - 1;
  return Number.isFinite(growth) ? growth : null;
}

/** Yearly growth over the largest relative drawdown; null when either is missing. */
export function calmar(yearlyGrowth: number | null, maxDrawdown: number): number | null {
  return yearlyGrowth === null ? null : ratioOf(yearlyGrowth, maxDrawdown);
}

/** A quotient, null when the denominator is 0. */
export function ratioOf(numerator: number, denominator: number): number | null {
  return denominator === 0 ? null : numerator / denominator;
}
