// The packed form of candles and funding rates: what goes in comes out, to the last bit.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { decodeCandles, encodeCandles } from "../../../src/adapters/postgres/candle-chunk.ts";
import { decodeFunding, encodeFunding } from "../../../src/adapters/postgres/funding-chunk.ts";
import {
  CANDLE_COLUMNS,
  type CandleSeries,
  emptySeries,
  sliceSeries,
} from "../../../src/model/candle.ts";
import { InvariantError } from "../../../src/model/result.ts";

const bitsOf = (column: Float64Array) => [...new BigUint64Array(column.slice().buffer)];

function expectSameBits(a: CandleSeries, b: CandleSeries): void {
  for (const name of CANDLE_COLUMNS) expect(bitsOf(a[name])).toEqual(bitsOf(b[name]));
}

/** Columns of any values at all: the form must not depend on what is sensible. */
function seriesFrom(rows: readonly (readonly number[])[], steps: readonly number[]): CandleSeries {
  const series = emptySeries(rows.length);
  let openAt = 1_364_774_820_000;
  rows.forEach((row, i) => {
    openAt += steps[i % steps.length] ?? 1;
    series.openAt[i] = openAt;
    const [open = 0, high = 0, low = 0, close = 0, volume = 0] = row;
    Object.assign(series.open, { [i]: open });
    Object.assign(series.high, { [i]: high });
    Object.assign(series.low, { [i]: low });
    Object.assign(series.close, { [i]: close });
    Object.assign(series.volume, { [i]: volume });
  });
  return series;
}

const steps = fc.array(fc.integer({ min: 1, max: 3e9 }), { minLength: 1, maxLength: 4 });
const rowsOf = (value: fc.Arbitrary<number>) =>
  fc.array(fc.array(value, { minLength: 5, maxLength: 5 }), { maxLength: 60 });
const cents = fc.integer({ min: -(2 ** 51), max: 2 ** 51 }).map((whole) => whole / 100);
const tiny = fc.integer({ min: 1, max: 10 ** 9 }).map((whole) => whole / 1e12);
const anything = fc.double({ noNaN: false });

for (const [what, value] of [
  ["prices of two decimals", cents],
  ["prices of twelve decimals", tiny],
  ["any doubles, infinities, NaN and minus zero included", anything],
  ["a mixture", fc.oneof(cents, tiny, anything, fc.constant(-0))],
] as const) {
  test(`candles of ${what} come back bit by bit`, () => {
    fc.assert(
      fc.property(rowsOf(value), steps, (rows, spacing) => {
        const series = seriesFrom(rows, spacing);
        const out = emptySeries(series.length);
        expect(decodeCandles(encodeCandles(series), out, 0)).toBe(series.length);
        expectSameBits(out, series);
      }),
      { numRuns: 300 },
    );
  });
}

test("a chunk is unpacked at an offset and leaves the rest alone", () => {
  const series = seriesFrom(
    [
      [1.5, 2, 1, 1.75, 3],
      [1.75, 2, 1, 1.25, 4],
    ],
    [60_000],
  );
  const out = emptySeries(5);
  expect(decodeCandles(encodeCandles(series), out, 2)).toBe(2);
  expectSameBits(sliceSeries(out, 2, 4), series);
  expect([out.close[0], out.close[1], out.close[4]]).toEqual([0, 0, 0]);
  expect(() => decodeCandles(encodeCandles(series), emptySeries(1), 0)).toThrow(InvariantError);
});

test("funding rates come back bit by bit", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true }), { maxLength: 50 }),
      steps,
      (rates, spacing) => {
        let at = 1_568_102_400_000;
        const instants = Float64Array.from(rates, (_, i) => {
          at += spacing[i % spacing.length] ?? 1;
          return at;
        });
        const series = { length: rates.length, at: instants, rate: Float64Array.from(rates) };
        const out = {
          length: rates.length,
          at: new Float64Array(rates.length),
          rate: new Float64Array(rates.length),
        };
        decodeFunding(encodeFunding(series), out, 0);
        expect(bitsOf(out.at)).toEqual(bitsOf(series.at));
        expect(bitsOf(out.rate)).toEqual(bitsOf(series.rate));
      },
    ),
  );
});

test("the version byte comes first and another version is refused", () => {
  const stored = encodeCandles(seriesFrom([[1, 1, 1, 1, 1]], [60_000]));
  expect(stored[0]).toBe(1);
  const other = Uint8Array.from([2, ...stored.subarray(1)]);
  expect(() => decodeCandles(other, emptySeries(1), 0)).toThrow("has format 2; only 1 is known");
});

test("real-looking candles take less than a third of their plain size", () => {
  let close = 5_000_000;
  const rows = Array.from({ length: 4096 }, (_, i) => {
    const open = close;
    close = open + ((i * 7919) % 2001) - 1000;
    return [
      open,
      Math.max(open, close) + 100,
      Math.min(open, close) - 100,
      close,
      (i * 104_729) % 1e6,
    ].map((value) => value / 100);
  });
  expect(encodeCandles(seriesFrom(rows, [60_000])).length).toBeLessThan((4096 * 48) / 3);
});
