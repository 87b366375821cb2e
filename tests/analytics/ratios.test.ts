// Ratios, statistics and their null rules (dragon 3.3, E58, E60) on numbers computed by hand.
import { describe, expect, test } from "bun:test";
import {
  cagr,
  calmar,
  gainToPain,
  sharpe,
  sortino,
  tailRatio,
} from "../../src/analytics/ratios.ts";
import {
  mean,
  median,
  quantileOfSorted,
  sampleDeviation,
  sorted,
} from "../../src/analytics/statistics.ts";

const DAY_S = 86_400;

describe("statistics", () => {
  test("the sample deviation divides by n - 1", () => {
    // mean 5, squares 9 1 1 1 0 0 4 16 = 32
    const values = [2, 4, 4, 4, 5, 5, 7, 9];
    expect(mean(values)).toBe(5);
    expect(sampleDeviation(values)).toBeCloseTo(Math.sqrt(32 / 7), 12);
  });

  test("E60 quantiles interpolate linearly at (n-1)q, medians too", () => {
    const ascending = sorted([40, 10, 30, 20]);
    expect([...ascending]).toEqual([10, 20, 30, 40]);
    expect(quantileOfSorted(ascending, 0)).toBe(10);
    expect(quantileOfSorted(ascending, 0.25)).toBe(17.5);
    expect(quantileOfSorted(ascending, 1)).toBe(40);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  test("an empty list has no mean, deviation, quantile or median", () => {
    expect([mean([]), sampleDeviation([]), sampleDeviation([1]), median([])]).toEqual(
      Array(4).fill(null),
    );
  });
});

/** 15 days of +2 % and 15 of -1 %, alternating: mean 0.005. */
const alternating = Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? 0.02 : -0.01));

describe("daily ratios", () => {
  test("E58 Sharpe is mean over sample deviation times sqrt(365)", () => {
    const deviation = Math.sqrt((30 * 0.015 ** 2) / 29);
    expect(sharpe(alternating)).toBeCloseTo((0.005 / deviation) * Math.sqrt(365), 10);
  });

  test("E58 Sortino divides by the root of the mean of min(0, r)^2 over all days", () => {
    const downside = Math.sqrt((15 * 0.01 ** 2) / 30);
    expect(sortino(alternating)).toBeCloseTo((0.005 / downside) * Math.sqrt(365), 10);
  });

  test("E58 both need 30 returns", () => {
    expect(sharpe(alternating.slice(1))).toBeNull();
    expect(sortino(alternating.slice(1))).toBeNull();
  });

  test("E58 both need a denominator, and rounding noise of equal returns is none", () => {
    expect(sharpe(Array(40).fill(0))).toBeNull();
    expect(sharpe(Array(40).fill(0.001))).toBeNull();
    expect(sortino(Array(40).fill(0.001))).toBeNull();
    expect(sharpe(Array.from({ length: 40 }, (_, i) => 1.1 ** (i + 1) / 1.1 ** i - 1))).toBeNull();
  });

  test("gain to pain is null without a losing day", () => {
    expect(gainToPain([0.03, -0.01, 0.02, -0.04])).toBeCloseTo(1, 12);
    expect(gainToPain([0.03, 0, 0.02])).toBeNull();
    expect(gainToPain([-0.1])).toBe(0);
    expect(gainToPain([])).toBeNull();
  });

  test("the tail ratio is p95 over |p5|, and null when p5 >= 0 or below 2 returns", () => {
    // 21 returns -10 % .. +10 %: position 20q, so p5 = -9 % and p95 = +9 %
    const even = Array.from({ length: 21 }, (_, i) => (i - 10) / 100);
    expect(tailRatio(even)).toBeCloseTo(1, 12);
    expect(tailRatio([-0.02, 0.04])).toBeCloseTo((0.04 - 0.003) / (0.02 - 0.003), 12);
    expect(tailRatio([0, 0.01, 0.02])).toBeNull();
    expect(tailRatio([-0.02])).toBeNull();
  });
});

describe("growth", () => {
  test("3.3 CAGR raises the growth to 31557600/seconds", () => {
    expect(cagr(1000, 1210, 2 * 31_557_600)).toBeCloseTo(0.1, 12);
    expect(cagr(1000, 500, 31_557_600)).toBeCloseTo(-0.5, 12);
  });

  test("3.3 CAGR is null under 7 days and without capital at the end", () => {
    expect(cagr(1000, 1100, 7 * DAY_S - 1)).toBeNull();
    expect(cagr(1000, 1100, 7 * DAY_S)).not.toBeNull();
    expect(cagr(1000, 0, 100 * DAY_S)).toBeNull();
    expect(cagr(1, 1e9, 7 * DAY_S)).toBeNull();
  });

  test("Calmar is CAGR over the largest relative drawdown, null without either", () => {
    expect(calmar(0.3, 0.1)).toBeCloseTo(3, 12);
    expect(calmar(0.3, 0)).toBeNull();
    expect(calmar(null, 0.1)).toBeNull();
  });
});
