// Seeds and formulas of every indicator on inputs small enough to compute by hand, and the
// properties all of them share: incremental = columnar, the future changes nothing.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Atr, atrColumn } from "../../src/indicators/atr.ts";
import { Bollinger, bollingerColumns } from "../../src/indicators/bollinger.ts";
import { createEma, emaColumn } from "../../src/indicators/ema.ts";
import { Macd, macdColumns } from "../../src/indicators/macd.ts";
import {
  createMovingAverage,
  movingAverageColumn,
  type MovingAverageType,
} from "../../src/indicators/moving-average.ts";
import { createRma, rmaColumn } from "../../src/indicators/rma.ts";
import { Rsi, rsiColumn } from "../../src/indicators/rsi.ts";
import { Sma, smaColumn } from "../../src/indicators/sma.ts";
import { type CandleSource, sourceColumn, sourceOf } from "../../src/indicators/source.ts";

const NONE = Number.NaN;

function expectClose(actual: Float64Array, expected: readonly number[]) {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    const got = actual[i] ?? Number.POSITIVE_INFINITY;
    const same = Number.isNaN(value) ? Number.isNaN(got) : Math.abs(got - value) <= 1e-9;
    expect(same, `place ${i}: ${got}, expected ${value}`).toBe(true);
  });
}

describe("seeds by hand", () => {
  const inputs = Float64Array.of(1, 2, 6, 4, 8);

  test("the simple average is the mean of the last 3 inputs", () => {
    expectClose(smaColumn(inputs, 3), [NONE, NONE, 3, 4, 6]);
  });

  test("E9 the EMA starts at the plain mean and moves by 2/(n+1)", () => {
    expectClose(emaColumn(inputs, 3), [NONE, NONE, 3, 3.5, 5.75]);
  });

  test("E9 the RMA starts at the plain mean and moves by 1/n", () => {
    expectClose(rmaColumn(inputs, 3), [NONE, NONE, 3, 10 / 3, 44 / 9]);
  });

  test("an average of length 1 is its input", () => {
    for (const type of ["Sma", "Ema"] as const) {
      expectClose(movingAverageColumn(type, inputs, 1), [1, 2, 6, 4, 8]);
    }
  });

  test("E9 RSI 2 has its first value on close 3", () => {
    // changes +2 -1 +3: gains 1 then 2, losses 0.5 then 0.25
    const closes = Float64Array.of(10, 12, 11, 14);
    expectClose(rsiColumn(closes, 2), [NONE, NONE, 100 - 100 / 3, 100 - 100 / 9]);
  });

  test("E9 without losses the RSI is 100, even without gains; without gains it is 0", () => {
    expectClose(rsiColumn(Float64Array.of(1, 2, 3), 2), [NONE, NONE, 100]);
    expectClose(rsiColumn(Float64Array.of(5, 5, 5), 2), [NONE, NONE, 100]);
    expectClose(rsiColumn(Float64Array.of(3, 2, 1), 2), [NONE, NONE, 0]);
  });

  test("E9 the first true range is high - low, later ones reach back to the previous close", () => {
    // ranges: 12-10 = 2; gap up 20-11 = 9; gap down 17-4 = 13
    const column = atrColumn(
      Float64Array.of(12, 20, 5),
      Float64Array.of(10, 16, 4),
      Float64Array.of(11, 17, 5),
      1,
    );
    expectClose(column, [2, 9, 13]);
  });

  test("E9 the MACD line starts on input `slow`, its signal on the mean of the first lines", () => {
    const { line, signal, histogram } = macdColumns(inputs, 2, 3, 2);
    // fast 1.5, 4.5, 25/6, 121/18; slow 3, 3.5, 5.75
    expectClose(line, [NONE, NONE, 3 / 2, 2 / 3, 35 / 36]);
    expectClose(signal, [NONE, NONE, NONE, 13 / 12, 109 / 108]);
    expectClose(histogram, [NONE, NONE, NONE, -5 / 12, -1 / 27]);
  });

  test("E9 sigma is taken about the simple mean even when the basis is an EMA", () => {
    const { middle, upper, lower } = bollingerColumns(inputs.subarray(0, 4), 3, 2, 1, "Ema");
    const first = Math.sqrt(14 / 3);
    const second = Math.sqrt(8 / 3);
    expectClose(middle, [NONE, NONE, 3, 3.5]);
    expectClose(upper, [NONE, NONE, 3 + 2 * first, 3.5 + 2 * second]);
    expectClose(lower, [NONE, NONE, 3 - first, 3.5 - second]);
  });
});

const price = fc.double({ min: 0.01, max: 1e5, noNaN: true });
const prices = fc
  .array(price, { maxLength: 120, size: "max" })
  .map((list) => Float64Array.from(list));
const length = fc.integer({ min: 1, max: 25 });
const type = fc.constantFrom<MovingAverageType>("Sma", "Ema");

describe("independent formulas", () => {
  test("the simple average and the bands equal the plain formulas on every window", () => {
    fc.assert(
      fc.property(prices, length, (src, n) => {
        const average = smaColumn(src, n);
        const { upper } = bollingerColumns(src, n, 2, 2, "Sma");
        for (let i = n - 1; i < src.length; i++) {
          const window = [...src.subarray(i - n + 1, i + 1)];
          const mean = window.reduce((sum, x) => sum + x, 0) / n;
          const sigma = Math.sqrt(window.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n);
          expect(Math.abs((average[i] ?? NONE) - mean)).toBeLessThanOrEqual(1e-7);
          expect(Math.abs((upper[i] ?? NONE) - mean - 2 * sigma)).toBeLessThanOrEqual(1e-6);
        }
      }),
    );
  });

  test("the running sum forgets a huge input within 4096 pushes", () => {
    const sma = new Sma(3);
    sma.push(1e20);
    for (let i = 0; i < 4096 + 3; i++) sma.push(0.1);
    expect(sma.value).toBeCloseTo(0.1, 12);
  });

  test("a price scale changes ATR and MACD in proportion and leaves the RSI alone", () => {
    fc.assert(
      fc.property(prices, length, (src, n) => {
        const twice = src.map((x) => x * 2);
        expect([...rsiColumn(twice, n)]).toEqual([...rsiColumn(src, n)]);
        expect([...atrColumn(twice, twice, twice, n)]).toEqual(
          [...atrColumn(src, src, src, n)].map((x) => x * 2),
        );
      }),
    );
  });
});

/** Every column the room offers, as plain arrays, from one list of closes. */
function allColumns(src: Float64Array, n: number, kind: MovingAverageType): number[][] {
  const macd = macdColumns(src, n, n + 3, 4);
  const bands = bollingerColumns(src, n, 2, 1.5, kind);
  return [
    smaColumn(src, n),
    emaColumn(src, n),
    rmaColumn(src, n),
    movingAverageColumn(kind, src, n),
    rsiColumn(src, n),
    atrColumn(
      src.map((x) => x * 1.01),
      src.map((x) => x * 0.98),
      src,
      n,
    ),
    macd.line,
    macd.signal,
    macd.histogram,
    bands.middle,
    bands.upper,
    bands.lower,
  ].map((column) => [...column]);
}

describe("properties of every indicator", () => {
  test("pushing one input at a time gives the columns bit for bit", () => {
    fc.assert(
      fc.property(prices, length, type, (src, n, kind) => {
        const columns = allColumns(src, n, kind);
        const averages = [new Sma(n), createEma(n), createRma(n), createMovingAverage(kind, n)];
        const rsi = new Rsi(n);
        const atr = new Atr(n);
        const macd = new Macd(n, n + 3, 4);
        const bands = new Bollinger(n, 2, 1.5, kind);
        src.forEach((x, i) => {
          const pushed = averages.map((average) => average.push(x));
          pushed.push(rsi.push(x), atr.push(x * 1.01, x * 0.98, x));
          const histogram = macd.push(x);
          const isReady = bands.push(x);
          const stored = [...averages.map((average) => average.value), rsi.value, atr.value];
          expect(stored).toEqual(pushed);
          expect(isReady).toBe(!Number.isNaN(bands.middle));
          const now = [...pushed, macd.line, macd.signal, histogram];
          now.push(bands.middle, bands.upper, bands.lower);
          expect(now).toEqual(columns.map((column) => column[i] ?? Number.POSITIVE_INFINITY));
        });
      }),
    );
  });

  test("appending future inputs never changes a past value", () => {
    fc.assert(
      fc.property(prices, prices, length, type, (past, future, n, kind) => {
        const whole = Float64Array.of(...past, ...future);
        const before = allColumns(past, n, kind);
        const after = allColumns(whole, n, kind).map((column) => column.slice(0, past.length));
        expect(after).toEqual(before);
      }),
    );
  });

  test("lengths that are not whole numbers of at least 1 are refused", () => {
    for (const bad of [0, -1, 2.5, Number.NaN]) {
      expect(() => new Sma(bad)).toThrow("must be 1 or more");
      expect(() => createEma(bad)).toThrow("must be 1 or more");
      expect(() => createRma(bad)).toThrow("must be 1 or more");
    }
    expect(() => new Macd(26, 12, 9)).toThrow("fast 26 must be below slow 12");
    expect(() => createMovingAverage("Wma" as MovingAverageType, 3)).toThrow("Wma");
  });
});

describe("sources", () => {
  const candles = {
    open: Float64Array.of(1, 10),
    high: Float64Array.of(4, 14),
    low: Float64Array.of(0, 8),
    close: Float64Array.of(3, 13),
  };

  test("composed sources are plain means, plain ones the column itself", () => {
    expect([...sourceColumn("hl2", candles)]).toEqual([2, 11]);
    expect([...sourceColumn("hlc3", candles)]).toEqual([7 / 3, 35 / 3]);
    expect([...sourceColumn("ohlc4", candles)]).toEqual([2, 45 / 4]);
    expect(sourceColumn("low", candles)).toBe(candles.low);
  });

  test("one candle at a time gives the same source", () => {
    const names: CandleSource[] = ["open", "high", "low", "close", "hl2", "hlc3", "ohlc4"];
    for (const name of names) {
      expect(sourceOf(name, 10, 14, 8, 13)).toBe(sourceColumn(name, candles)[1] ?? NONE);
    }
    expect(() => sourceOf("vwap" as CandleSource, 1, 1, 1, 1)).toThrow("vwap");
  });
});
