// The arithmetic of the charts as the browser gets it: windows, buckets, addresses, price ranges.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { readPanel, readWindow } from "../../src/web/routes/run-query.ts";
import chartWindowJs from "../../static/chart-window.js" with { type: "text" };

type Span = { from: number; to: number };
type ChartTools = {
  fit(window: Span, limits: Span, leastMs: number): Span;
  scaled(window: Span, factor: number): Span;
  moved(window: Span, share: number): Span;
  partOf(window: Span, limits: Span): Span | null;
  bucketsFor(widthPx: number, ratio: number): number;
  logTicks(low: number, high: number): number[];
  queryOf(part: Span | null, panel: string): string;
  priceRange(
    columns: { low: number[]; high: number[] },
    levels: (number | null)[][],
    first: number,
    last: number,
  ): [number, number];
};

function chartTools(): ChartTools {
  const page: { dragonCharts?: ChartTools } = {};
  new Function("window", chartWindowJs)(page);
  if (!page.dragonCharts) throw new Error("the script defines nothing");
  return page.dragonCharts;
}

test("whatever is zoomed or moved, a window stays within the run and wide enough", () => {
  const { fit, scaled, moved } = chartTools();
  const limits = { from: 1000, to: 1_001_000 };
  const place = fc.double({ min: -2e6, max: 2e6, noNaN: true });
  fc.assert(
    fc.property(place, place, fc.double({ min: 0.01, max: 100, noNaN: true }), (a, b, factor) => {
      const window = { from: Math.min(a, b), to: Math.max(a, b) };
      for (const wished of [window, scaled(window, factor), moved(window, factor)]) {
        const found = fit(wished, limits, 500);
        expect(found.from).toBeGreaterThanOrEqual(limits.from);
        expect(found.to).toBeLessThanOrEqual(limits.to + 1);
        expect(found.to - found.from).toBeGreaterThanOrEqual(499);
      }
    }),
  );
  expect(fit({ from: 5000, to: 9000 }, limits, 500)).toEqual({ from: 5000, to: 9000 });
});

test("the chart's address is the one the server reads", () => {
  const { queryOf, partOf, bucketsFor } = chartTools();
  const limits = { from: 1_704_067_200_000, to: 1_704_153_600_000 };
  const part = { from: 1_704_070_800_000, to: 1_704_074_400_000 };
  const query = queryOf(partOf(part, limits), "tab=fills&page=2");
  const asked = Object.fromEntries(new URLSearchParams(query));
  expect(readWindow(asked)).toEqual(part);
  expect(readPanel(asked).page).toBe(2);
  expect(queryOf(partOf(limits, limits), "tab=fills")).toBe("tab=fills");
  expect([0, 996, 1e6].map((width) => bucketsFor(width, 1))).toEqual([50, 498, 2000]);
});

test("the price axis holds every candle, and only levels that leave the candles half of it", () => {
  const { priceRange } = chartTools();
  const columns = { low: [90, 95, 1], high: [110, 105, 999] };
  const [low, high] = priceRange(
    columns,
    [
      [null, 115, 5000],
      [1, 1, 1],
    ],
    0,
    1,
  );
  expect(low).toBeLessThan(90);
  expect(low).toBeGreaterThan(80);
  expect(high).toBeGreaterThan(115);
  expect(high).toBeLessThan(125);
});

test("a logarithmic axis has several ascending marks, all on it, however narrow or wide", () => {
  const { logTicks } = chartTools();
  const span = fc.tuple(
    fc.double({ min: 1e-3, max: 1e7, noNaN: true }),
    fc.double({ min: 1.01, max: 1e4, noNaN: true }),
  );
  fc.assert(
    fc.property(span, ([low, factor]) => {
      const ticks = logTicks(low, low * factor);
      expect(ticks.length).toBeGreaterThanOrEqual(3);
      expect(ticks).toEqual([...ticks].sort((a, b) => a - b));
      for (const tick of ticks) expect(tick >= low && tick <= low * factor).toBe(true);
    }),
  );
});
