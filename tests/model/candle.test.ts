// Candle columns: built from objects, cut without copying, searched by open time.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Candle,
  CANDLE_COLUMNS,
  emptySeries,
  firstAtOrAfter,
  seriesOf,
  sliceSeries,
} from "../../src/model/candle.ts";
import { InvariantError } from "../../src/model/result.ts";

const candle = (n: number): Candle => ({
  openAt: n * 60_000,
  open: n + 0.1,
  high: n + 0.4,
  low: n + 0.0,
  close: n + 0.3,
  volume: n * 10,
});

const series = seriesOf([1, 2, 3, 5].map(candle));

describe("a candle series", () => {
  test("holds each part of each candle in its own column", () => {
    expect(series.length).toBe(4);
    expect(Array.from(series.openAt)).toEqual([60_000, 120_000, 180_000, 300_000]);
    expect(Array.from(series.open)).toEqual([1.1, 2.1, 3.1, 5.1]);
    expect(Array.from(series.high)).toEqual([1.4, 2.4, 3.4, 5.4]);
    expect(Array.from(series.low)).toEqual([1, 2, 3, 5]);
    expect(Array.from(series.close)).toEqual([1.3, 2.3, 3.3, 5.3]);
    expect(Array.from(series.volume)).toEqual([10, 20, 30, 50]);
  });

  test("is cut as a view: every column, no copy", () => {
    const part = sliceSeries(series, 1, 3);
    expect(part.length).toBe(2);
    for (const name of CANDLE_COLUMNS) {
      expect(part[name]).toHaveLength(2);
      expect(part[name].buffer).toBe(series[name].buffer);
      expect(part[name][0]).toBe(series[name][1] ?? Number.NaN);
    }
    expect(sliceSeries(series, 4, 4).length).toBe(0);
  });

  test("refuses to be cut outside of itself", () => {
    expect(() => sliceSeries(series, 1, 5)).toThrow(InvariantError);
    expect(() => sliceSeries(series, -1, 2)).toThrow(InvariantError);
    expect(() => sliceSeries(series, 3, 2)).toThrow(InvariantError);
  });

  test("of length 0 has empty columns", () => {
    expect(CANDLE_COLUMNS.map((name) => emptySeries(0)[name].length)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe("the first candle at or after an instant", () => {
  test("is the one that opens there, else the next, else none", () => {
    const ask = (at: number) => firstAtOrAfter(series.openAt, at);
    expect([0, 60_000, 60_001, 180_001, 300_000, 300_001].map(ask)).toEqual([0, 0, 1, 3, 3, 4]);
    expect(firstAtOrAfter(new Float64Array(0), 5)).toBe(0);
  });

  test("equals counting the candles before it", () => {
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { size: "max", maxLength: 200 });
    fc.assert(
      fc.property(times, fc.integer({ min: -1, max: 501 }), (unsorted, at) => {
        const openAt = Float64Array.from(unsorted).sort();
        expect(firstAtOrAfter(openAt, at)).toBe(unsorted.filter((t) => t < at).length);
      }),
    );
  });
});
