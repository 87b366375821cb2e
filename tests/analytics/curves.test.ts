// Months and the thinned curve out of an equity curve, against plain counting.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { EquityTracker } from "../../src/analytics/equity.ts";
import { monthlyReturns } from "../../src/analytics/monthly.ts";
import { thinCurve } from "../../src/analytics/thin-curve.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test("a sample that closes at midnight belongs to the month that ends", () => {
  const openAt = Float64Array.of(
    Date.UTC(2024, 0, 31, 22),
    Date.UTC(2024, 0, 31, 23),
    Date.UTC(2024, 1, 1, 0),
  );
  const months = monthlyReturns(100, openAt, Float64Array.of(105, 110, 99), HOUR);
  expect(months.map(({ year, month }) => [year, month])).toEqual([
    [2024, 1],
    [2024, 2],
  ]);
  expect(months[0]?.return).toBeCloseTo(0.1, 12);
  expect(months[1]?.return).toBeCloseTo(-0.1, 12);
});

test("months without samples return nothing and are listed, over the turn of a year", () => {
  const openAt = Float64Array.of(Date.UTC(2023, 10, 5), Date.UTC(2024, 1, 5));
  const months = monthlyReturns(100, openAt, Float64Array.of(120, 60), DAY);
  expect(months).toEqual([
    { year: 2023, month: 11, return: 120 / 100 - 1 },
    { year: 2023, month: 12, return: 0 },
    { year: 2024, month: 1, return: 0 },
    { year: 2024, month: 2, return: 60 / 120 - 1 },
  ]);
});

test("the list ends with the month that lost everything, and is empty without samples", () => {
  const openAt = Float64Array.of(Date.UTC(2024, 0, 5), Date.UTC(2024, 1, 5), Date.UTC(2024, 2, 5));
  const months = monthlyReturns(100, openAt, Float64Array.of(50, 0, 0), DAY);
  expect(months.map((each) => each.return)).toEqual([-0.5, -1]);
  expect(monthlyReturns(100, new Float64Array(0), new Float64Array(0), DAY)).toEqual([]);
});

const curve = fc.record({
  values: fc.array(fc.double({ min: 1, max: 1000, noNaN: true }), { maxLength: 300 }),
  points: fc.integer({ min: 1, max: 80 }),
});

test("a thinned curve keeps the end, every low and at most so many points", () => {
  fc.assert(
    fc.property(curve, ({ values, points }) => {
      const openAt = Float64Array.from(values, (_, i) => i * HOUR);
      const thin = thinCurve(500, openAt, Float64Array.from(values), HOUR, points);
      expect(thin.at.length).toBeLessThanOrEqual(points);
      expect(thin.value.at(-1)).toBe(values.at(-1));
      expect(thin.at.at(-1)).toBe(values.length === 0 ? undefined : values.length * HOUR);
      const tracker = new EquityTracker(500, 0);
      values.forEach((value, i) => tracker.mark(value, (i + 1) * HOUR));
      expect(Math.max(0, ...thin.drawdown)).toBe(tracker.result().maxDrawdown);
      thin.at.forEach((at, k) => expect(thin.value[k]).toBe(values[at / HOUR - 1]!));
    }),
  );
});

test("a point tells the deepest drawdown of its own stretch, not of those before", () => {
  const openAt = Float64Array.from([0, 1, 2, 3], (i) => i * HOUR);
  const thin = thinCurve(100, openAt, Float64Array.of(80, 100, 95, 100), HOUR, 2);
  expect(thin.at).toEqual([2 * HOUR, 4 * HOUR]);
  expect(thin.value).toEqual([100, 100]);
  expect(thin.drawdown[0]).toBeCloseTo(0.2, 12);
  expect(thin.drawdown[1]).toBeCloseTo(0.05, 12);
});

test("months compound to the return of the whole", () => {
  fc.assert(
    fc.property(curve, ({ values }) => {
      const openAt = Float64Array.from(values, (_, i) => Date.UTC(2023, 4, 20) + i * DAY);
      const months = monthlyReturns(500, openAt, Float64Array.from(values), DAY);
      const whole = months.reduce((grown, each) => grown * (1 + each.return), 500);
      expect(whole).toBeCloseTo(values.at(-1) ?? 500, 6);
    }),
  );
});

test("a curve handed to the tracker is filled by single samples and by runs alike", () => {
  const one = new Float64Array(6);
  const two = new Float64Array(6);
  const single = new EquityTracker(100, 0, one);
  const runs = new EquityTracker(100, 0, two);
  for (const [i, value] of [100, 100, 90, 90, 90, 120].entries()) single.mark(value, i + 1);
  runs.markRun(100, 2, 1, 2);
  runs.markRun(90, 3, 3, 5);
  runs.mark(120, 6);
  expect(Array.from(one)).toEqual([100, 100, 90, 90, 90, 120]);
  expect(two).toEqual(one);
  expect(runs.result()).toEqual(single.result());
});
