// The bridge between floats and the exchange's grid (rules E1, E2): ticks and lots of a value, and back.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { gridOf, gridText, gridValue, stepsDown, stepsUp } from "../../src/model/instrument.ts";
import { InputError } from "../../src/model/result.ts";

const CENT = gridOf(0.01, "tick");

const down = (value: number) => gridValue(CENT, stepsDown(CENT, value));
const up = (value: number) => gridValue(CENT, stepsUp(CENT, value));

/** Ticks as exchanges have them: a small whole number with up to 8 decimals. */
const steps = fc.record({
  units: fc.constantFrom(1, 2, 5, 25, 125),
  decimals: fc.integer({ min: 0, max: 8 }),
});

describe("the price grid", () => {
  test("E1 for tick 0.01, 0.29 stays 0.29 both ways", () => {
    expect([down(0.29), up(0.29)]).toEqual([0.29, 0.29]);
  });

  test("E1 for tick 0.01, 1.005 gives 1.00 down and 1.01 up", () => {
    expect([down(1.005), up(1.005)]).toEqual([1, 1.01]);
  });

  test("E1 a millionth of a tick off the grid is still on it, two millionths are not", () => {
    expect([down(0.3 - 0.9e-8), up(0.3 + 0.9e-8)]).toEqual([0.3, 0.3]);
    expect([down(0.3 - 2e-8), up(0.3 + 2e-8)]).toEqual([0.29, 0.31]);
  });

  test("E1 the result is the double nearest to the decimal, not a sum of binary residues", () => {
    expect(gridValue(gridOf(0.1, "tick"), 3)).toBe(0.3); // 3 * 0.1 is 0.30000000000000004
    expect(gridValue(gridOf(0.05, "tick"), 21)).toBe(1.05); // 21 * 0.05 is 1.05 and a residue
  });

  test("E1 a value on the grid never moves, on 100,000 random ticks and scales", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 10 ** 9 }), ({ units, decimals }, n) => {
        const grid = gridOf(Number(`${units}e-${decimals}`), "tick");
        const value = Number(`${n * units}e-${decimals}`);
        return (
          stepsDown(grid, value) === n && stepsUp(grid, value) === n && gridValue(grid, n) === value
        );
      }),
      { numRuns: 100_000 },
    );
  });

  test("E1 down is at or below and up at or above the value, at most one tick apart", () => {
    // Beyond 1e9 ticks a double no longer resolves a millionth of a tick.
    const ticks = fc.double({ min: 1e-3, max: 1e8, noNaN: true });
    fc.assert(
      fc.property(steps, ticks, ({ units, decimals }, k) => {
        const grid = gridOf(Number(`${units}e-${decimals}`), "tick");
        const x = k * grid.step;
        const low = stepsDown(grid, x);
        const high = stepsUp(grid, x);
        const slack = 2e-6 * grid.step;
        return (
          gridValue(grid, low) <= x + slack && gridValue(grid, high) >= x - slack && high - low <= 1
        );
      }),
      { numRuns: 20_000 },
    );
  });

  test("E2 a quantity a hair below a lot because of binary residues is that lot", () => {
    const lots = gridOf(0.1, "step");
    expect(stepsDown(lots, 0.7 / 0.1 / 10)).toBe(7); // 6.999999999999999 lots
    expect(stepsDown(lots, 0.69)).toBe(6);
  });
});

describe("a grid", () => {
  test("writes exactly the decimals of its step", () => {
    expect(gridText(CENT, 100)).toBe("1.00");
    expect(gridText(gridOf(0.5, "tick"), 3)).toBe("1.5");
    expect(gridText(gridOf(10, "tick"), 3)).toBe("30");
    expect(gridText(gridOf(0.00000001, "tick"), 1)).toBe("0.00000001");
  });

  test("E65 is refused for a step that is not above 0 or no decimal, naming field and value", () => {
    expect(() => gridOf(0, "instrument: price_tick")).toThrow("instrument: price_tick: 0 must be");
    expect(() => gridOf(-0.01, "tick")).toThrow(InputError);
    expect(() => gridOf(Number.NaN, "tick")).toThrow(InputError);
    expect(() => gridOf(Number.POSITIVE_INFINITY, "tick")).toThrow(InputError);
    expect(() => gridOf(1 / 3, "tick")).toThrow("at most 15 places");
  });
});
