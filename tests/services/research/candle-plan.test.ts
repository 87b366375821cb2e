// What still has to be asked for: exactly the bars that are neither stored nor known to be absent.
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  joinForPaging,
  missingRanges,
  totalMs,
  withoutRanges,
} from "../../../src/services/research/candle-plan.ts";

const MINUTE = 60_000;
const range = (from: number, to: number) => ({ from: from * MINUTE, to: to * MINUTE });
const minutes = (ranges: readonly { from: number; to: number }[]) =>
  ranges.map(({ from, to }) => [from / MINUTE, to / MINUTE]);

test("stored bars and answered ranges are left out", () => {
  const openAt = Float64Array.from([3, 4, 8], (minute) => minute * MINUTE);
  const missing = missingRanges(range(0, 20), 1, openAt, [range(1, 3), range(10, 15)]);
  expect(minutes(missing)).toEqual([
    [0, 1],
    [5, 8],
    [9, 10],
    [15, 20],
  ]);
});

test("a range is widened inwards to the grid", () => {
  const asked = { from: 1, to: 11 * MINUTE };
  expect(minutes(missingRanges(asked, 5, new Float64Array(0), []))).toEqual([[5, 15]]);
});

test("every missing bar is asked for and no known one, for any history", () => {
  const bars = fc.uniqueArray(fc.nat(120), { maxLength: 60 });
  const cuts = fc.uniqueArray(fc.nat(120), { maxLength: 10 });
  fc.assert(
    fc.property(bars, cuts, fc.nat(60), fc.nat(60), (stored, borders, start, length) => {
      const openAt = Float64Array.from(
        stored.sort((a, b) => a - b),
        (bar) => bar * MINUTE,
      );
      const sorted = borders.sort((a, b) => a - b);
      const fetched = [];
      for (let i = 0; i + 1 < sorted.length; i += 2)
        fetched.push(range(sorted[i] ?? 0, sorted[i + 1] ?? 0));
      const missing = missingRanges(range(start, start + length), 1, openAt, fetched);
      const asked = new Set<number>();
      for (const { from, to } of missing) {
        for (let at = from; at < to; at += MINUTE) asked.add(at / MINUTE);
      }
      for (let bar = 0; bar < 130; bar++) {
        const isKnown =
          stored.includes(bar) ||
          fetched.some(({ from, to }) => bar * MINUTE >= from && bar * MINUTE < to);
        const isInside = bar >= start && bar < start + length;
        expect(asked.has(bar)).toBe(isInside && !isKnown);
      }
    }),
  );
});

test("neighbouring holes become one request only where that saves one", () => {
  const near = [range(0, 1), range(5, 6), range(300, 301), range(2000, 2001)];
  expect(minutes(joinForPaging(near, 1, 500))).toEqual([
    [0, 301],
    [2000, 2001],
  ]);
  const full = [range(0, 600), range(1400, 2000)];
  expect(minutes(joinForPaging(full, 1, 500))).toEqual([
    [0, 600],
    [1400, 2000],
  ]);
});

test("joined ranges still cover everything, and never take more requests", () => {
  const pairs = fc.uniqueArray(fc.nat(3000), { maxLength: 40 });
  fc.assert(
    fc.property(pairs, fc.integer({ min: 1, max: 700 }), (borders, pageBars) => {
      const sorted = borders.sort((a, b) => a - b);
      const ranges: ReturnType<typeof range>[] = [];
      for (let i = 0; i + 1 < sorted.length; i += 2)
        ranges.push(range(sorted[i] ?? 0, sorted[i + 1] ?? 0));
      const joined = joinForPaging(ranges, 1, pageBars);
      const requests = (all: typeof ranges) =>
        all.reduce((sum, { from, to }) => sum + Math.ceil((to - from) / MINUTE / pageBars), 0);
      expect(requests(joined)).toBeLessThanOrEqual(requests(ranges));
      for (const each of ranges) expect(withoutRanges(each, joined)).toEqual([]);
      expect(totalMs(joined)).toBeGreaterThanOrEqual(totalMs(ranges));
    }),
  );
});
