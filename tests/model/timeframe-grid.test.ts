// Where candles may open, and what timeframe a file has that does not say.
import { expect, test } from "bun:test";
import {
  checkTimeframe,
  gridCeil,
  gridFloor,
  inferTimeframeMin,
} from "../../src/model/timeframe-grid.ts";

const MINUTE = 60_000;
const MONDAY = Date.UTC(2024, 0, 1);
const opens = (...minutes: number[]) => Float64Array.from(minutes, (minute) => minute * MINUTE);

test("days and shorter open on multiples since midnight, weeks on Mondays", () => {
  expect(gridFloor(MONDAY + 7 * MINUTE, 5)).toBe(MONDAY + 5 * MINUTE);
  expect(gridCeil(MONDAY + 7 * MINUTE, 5)).toBe(MONDAY + 10 * MINUTE);
  expect(gridCeil(MONDAY, 5)).toBe(MONDAY);
  expect(gridFloor(MONDAY + 3 * 1440 * MINUTE, 10_080)).toBe(MONDAY);
  expect(gridCeil(MONDAY - MINUTE, 10_080)).toBe(MONDAY);
});

test("only timeframes that divide a day, and the week, can be stored", () => {
  for (const minutes of [1, 5, 60, 90, 240, 1440, 10_080]) checkTimeframe(minutes);
  for (const minutes of [0, -5, 7, 1.5, 420, 2880, 4320, Number.NaN]) {
    expect(() => checkTimeframe(minutes)).toThrow(/do not divide a day/);
  }
});

test("the timeframe is the smallest spacing, holes or not", () => {
  expect(inferTimeframeMin(opens(0, 5, 10, 30, 35))).toBe(5);
  expect(inferTimeframeMin(opens(0, 60, 180))).toBe(60);
  expect(inferTimeframeMin(opens(0, 1440))).toBe(1440);
});

test("nonsense spacings are refused with a sentence", () => {
  expect(() => inferTimeframeMin(opens(5))).toThrow(/fewer than two candles/);
  expect(() => inferTimeframeMin(opens(0, 7, 14))).toThrow(/spacing of the candles is 420 s/);
  expect(() => inferTimeframeMin(opens(0, 0.5, 1))).toThrow(/is 30 s/);
  expect(() => inferTimeframeMin(opens(0, 120, 300))).toThrow(/smallest spacing .* is 2h, but/);
  expect(() => inferTimeframeMin(opens(3, 8, 13))).toThrow(/is 5m, but the open time 180000/);
});
