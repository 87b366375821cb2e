// The invented market: the same seed gives the same candles, every candle is one, and they move like a
// market does.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { createPrng } from "../../src/engine/prng.ts";
import { sampleCandles } from "../../src/engine/sample-candles.ts";
import { qualityReport } from "../../src/analytics/candle-quality.ts";
import { CANDLE_COLUMNS } from "../../src/model/candle.ts";
import { DAY_MS, MINUTE_MS } from "../../src/model/time.ts";

const from = Date.UTC(2026, 0, 1);
const request = {
  seed: 2,
  timeframeMin: 5,
  from,
  to: from + 60 * DAY_MS,
  startPrice: 30_000,
  tick: 0.1,
};

test("the same seed gives the same candles, another seed gives others", () => {
  const a = sampleCandles(request);
  const b = sampleCandles(request);
  for (const name of CANDLE_COLUMNS) expect(a[name]).toEqual(b[name]);
  expect(sampleCandles({ ...request, seed: 3 }).close).not.toEqual(a.close);
});

test("every candle is complete, on the grid of price and time, and follows the one before", () => {
  const candles = fc.record({ seed: fc.integer(), days: fc.integer({ min: 1, max: 3 }) });
  fc.assert(
    fc.property(candles, ({ seed, days }) => {
      const series = sampleCandles({ ...request, seed, to: from + days * DAY_MS });
      expect(series.length).toBe(days * 288);
      expect(qualityReport(series, 5 * MINUTE_MS).missingBars).toBe(0);
      for (let i = 0; i < series.length; i++) {
        const [o, h, l, c] = [series.open[i]!, series.high[i]!, series.low[i]!, series.close[i]!];
        expect(l <= Math.min(o, c) && h >= Math.max(o, c) && l > 0).toBe(true);
        expect(Math.abs(c * 10 - Math.round(c * 10))).toBeLessThan(1e-6);
        if (i > 0) expect(o).toBe(series.close[i - 1]!);
      }
    }),
    { numRuns: 20 },
  );
});

test("returns have fat tails and calm and wild spells, as markets have", () => {
  const { close, length } = sampleCandles(request);
  const returns = Array.from({ length: length - 1 }, (_, i) => Math.log(close[i + 1]! / close[i]!));
  const mean = returns.reduce((sum, r) => sum + r, 0) / returns.length;
  const moment = (n: number) =>
    returns.reduce((sum, r) => sum + (r - mean) ** n, 0) / returns.length;
  expect(moment(4) / moment(2) ** 2).toBeGreaterThan(4);
  const sizes = returns.map(Math.abs);
  const level = sizes.reduce((sum, r) => sum + r, 0) / sizes.length;
  const joint = sizes.slice(1).reduce((sum, r, i) => sum + (r - level) * (sizes[i]! - level), 0);
  expect(joint / sizes.reduce((sum, r) => sum + (r - level) ** 2, 0)).toBeGreaterThan(0.05);
});

test("random numbers are uniform and normal enough, and the stream depends on the seed alone", () => {
  const random = createPrng(7);
  const units = Array.from({ length: 50_000 }, () => random.unit());
  expect(Math.abs(units.reduce((sum, u) => sum + u, 0) / units.length - 0.5)).toBeLessThan(0.01);
  expect(units.every((u) => u >= 0 && u < 1)).toBe(true);
  const normals = Array.from({ length: 50_000 }, () => random.normal());
  const variance = normals.reduce((sum, z) => sum + z * z, 0) / normals.length;
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  expect(createPrng(7).unit()).toBe(units[0] as number);
  expect(createPrng(8).unit()).not.toBe(units[0] as number);
});
