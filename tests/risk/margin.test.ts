// The formulas of isolated margin (rules E51, E52) against their meaning: equity and maintenance margin meet
// at the liquidation price.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Position } from "../../src/model/position.ts";
import { liquidationPrice, marginAllows } from "../../src/risk/margin.ts";

const position = (sign: 1 | -1, qty: number, average: number): Position => ({
  sign,
  lots: 0,
  qty,
  average,
});
const FLAT: Position = { sign: 0, lots: 0, qty: 0, average: 0 };

describe("margin of an expanding fill", () => {
  test("E51 of a first entry: qty * price * contract / leverage <= balance - fee", () => {
    const fits = (balance: number, fee: number, leverage: number) =>
      marginAllows(FLAT, balance, 100, 10, fee, 1, leverage);
    expect(fits(1000, 0, 1)).toBe(true);
    expect(fits(1000, 0.01, 1)).toBe(false);
    expect(fits(999.99, 0, 1)).toBe(false);
    expect(fits(100, 0, 10)).toBe(true);
    expect(fits(100, 0, 9.9)).toBe(false);
  });

  test("E51 of a rung: the old average, the new price, and the loss at that price", () => {
    // (5 * 100 + 5 * 99) = 995 of 1000 - 5
    expect(marginAllows(position(1, 5, 100), 1000, 99, 5, 0, 1, 1)).toBe(true);
    expect(marginAllows(position(1, 5, 100), 999.9, 99, 5, 0, 1, 1)).toBe(false);
    // A short of 5 at 100, 5 more at 101: 1005 of 1010 - 5
    expect(marginAllows(position(-1, 5, 100), 1010, 101, 5, 0, 1, 1)).toBe(true);
    expect(marginAllows(position(-1, 5, 100), 1009.9, 101, 5, 0, 1, 1)).toBe(false);
  });

  test("E51 a gain of the position counts as equity", () => {
    expect(marginAllows(position(1, 5, 100), 1000, 110, 5, 0, 1, 1)).toBe(true); // 1050 of 1050
    expect(marginAllows(position(1, 5, 100), 999, 110, 5, 0, 1, 1)).toBe(false);
  });

  test("E51 contract size multiplies margin and gain", () => {
    expect(marginAllows(position(1, 0.5, 100), 1000, 99, 0.5, 0, 10, 1)).toBe(true);
    expect(marginAllows(position(1, 0.5, 100), 999.9, 99, 0.5, 0, 10, 1)).toBe(false);
  });

  test("E51 a relative error of 1e-9 is allowed", () => {
    expect(marginAllows(FLAT, 1000 * (1 - 0.9e-9), 100, 10, 0, 1, 1)).toBe(true);
    expect(marginAllows(FLAT, 1000 * (1 - 1.1e-9), 100, 10, 0, 1, 1)).toBe(false);
  });
});

describe("the liquidation price", () => {
  test("E52 is (average * Q - s * balance) / (Q * (1 - s * rate))", () => {
    expect(liquidationPrice(position(-1, 10, 100), 1000, 1, 0.005)).toBeCloseTo(2000 / 10.05, 12);
    expect(liquidationPrice(position(1, 10, 100), 500, 1, 0.005)).toBeCloseTo(500 / 9.95, 12);
    expect(liquidationPrice(position(1, 1, 100), 500, 10, 0.005)).toBeCloseTo(500 / 9.95, 12);
  });

  test("E52 is none when flat or where it would be 0 or below", () => {
    expect(liquidationPrice(FLAT, 1000, 1, 0.005)).toBe(0);
    expect(liquidationPrice(position(1, 10, 100), 1000, 1, 0.005)).toBe(0);
    expect(liquidationPrice(position(1, 10, 100), 5000, 1, 0.005)).toBe(0);
  });

  test("E52 is where equity equals size * price * contract * rate, for any position", () => {
    const amount = fc.double({ min: 0.01, max: 1e5, noNaN: true });
    const rate = fc.double({ min: 0, max: 0.2, noNaN: true });
    const contract = fc.constantFrom(0.001, 1, 10);
    const sign = fc.constantFrom(1 as const, -1 as const);
    let priced = 0;
    fc.assert(
      fc.property(
        sign,
        amount,
        amount,
        amount,
        rate,
        contract,
        (s, qty, average, share, r, size) => {
          const balance = (qty * average * size * share) / 1e5;
          const price = liquidationPrice(position(s, qty, average), balance, size, r);
          if (price === 0) return s > 0;
          priced += 1;
          const units = qty * size;
          const equity = balance + s * units * (price - average);
          const scale = Math.max(units * price, units * average, balance);
          return Math.abs(equity - units * price * r) <= 1e-9 * scale;
        },
      ),
      { numRuns: 2000 },
    );
    expect(priced).toBeGreaterThan(500);
  });
});
