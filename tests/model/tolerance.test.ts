// Comparisons with the relative tolerance of rule E4, at both sides of their border.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isAbove, isAtLeast, isAtMost, isBelow } from "../../src/model/tolerance.ts";

const NEAR = 100 * (1 + 0.9e-9);
const FAR = 100 * (1 + 1.1e-9);

describe("comparisons of strategy values", () => {
  test("E4 a <= b allows a relative error of 1e-9", () => {
    expect([isAtMost(100, 100), isAtMost(NEAR, 100), isAtMost(FAR, 100)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("E4 a > b asks for more than a relative 1e-9", () => {
    expect([isAbove(100, 100), isAbove(NEAR, 100), isAbove(FAR, 100)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  test("E4 a >= b and a < b mirror them", () => {
    const near = 100 * (1 - 0.9e-9);
    const far = 100 * (1 - 1.1e-9);
    expect([isAtLeast(100, 100), isAtLeast(near, 100), isAtLeast(far, 100)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([isBelow(100, 100), isBelow(near, 100), isBelow(far, 100)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  test("E4 the tolerance of a negative or zero bound is that of its size", () => {
    expect(isAtMost(-100 * (1 - 0.9e-9), -100)).toBe(true);
    expect(isAtMost(1e-300, 0)).toBe(false);
    expect(isAbove(1e-300, 0)).toBe(true);
  });

  test("E4 exactly one of <= and >, and one of >= and <, holds for any two numbers", () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 });
    const jitter = fc.double({ min: -3e-9, max: 3e-9, noNaN: true });
    fc.assert(
      fc.property(number, jitter, (b, shift) => {
        const a = b * (1 + shift);
        return isAtMost(a, b) !== isAbove(a, b) && isAtLeast(a, b) !== isBelow(a, b);
      }),
      { numRuns: 10_000 },
    );
  });
});
