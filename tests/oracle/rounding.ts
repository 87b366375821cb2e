// Price and quantity grids (E1, E2) and tolerant comparisons (E4) of the reference backtest.
// Used by every rule file; the decimal result is built from integers, never by adding doubles.

import type { OrderSide } from "./types.ts";

/** A decimal grid: unit = mantissa * 10^-decimals, with the unit also kept as a double. */
export type Grid = { unit: number; mantissa: bigint; decimals: number };

/** Reads a tick or a step from its shortest decimal form; throws when it is not positive. */
export function gridOf(unit: number): Grid {
  const match = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(unit));
  if (match === null || !(unit > 0))
    throw new Error(`grid unit ${unit} must be above 0`);
  const fraction = match[2] ?? "";
  const digits = BigInt(`${match[1] ?? "0"}${fraction}`);
  const decimals = fraction.length - Number(match[3] ?? "0");
  return decimals >= 0
    ? { unit, mantissa: digits, decimals }
    : { unit, mantissa: digits * 10n ** BigInt(-decimals), decimals: 0 };
}

// E1: the double nearest to the decimal n * unit; Number() of a decimal text rounds correctly.
function nthOf(grid: Grid, n: number): number {
  return Number(`${BigInt(n) * grid.mantissa}e-${grid.decimals}`);
}

/** Largest grid value not above x, forgiving 1e-6 of a unit (E1). */
export function roundDown(grid: Grid, x: number): number {
  return nthOf(grid, Math.floor(x / grid.unit + 1e-6));
}

/** Smallest grid value not below x, forgiving 1e-6 of a unit (E1). */
export function roundUp(grid: Grid, x: number): number {
  return nthOf(grid, Math.ceil(x / grid.unit - 1e-6));
}

/** Order price: selling orders up, buying orders down (E1). */
export function passive(grid: Grid, side: OrderSide, price: number): number {
  return side === "SELL" ? roundUp(grid, price) : roundDown(grid, price);
}

/** Taker fill price: buys up, sells down (E1). */
export function adverse(grid: Grid, side: OrderSide, price: number): number {
  return side === "BUY" ? roundUp(grid, price) : roundDown(grid, price);
}

/** Sum of quantities snapped to the decimals of the step (E2). */
export function snap(grid: Grid, qty: number): number {
  return Number(qty.toFixed(grid.decimals));
}

/** "a <= b" of strategy comparisons (E4). */
export function atMost(a: number, b: number): boolean {
  return a <= b + 1e-9 * Math.abs(b);
}

/** "a >= b" of strategy comparisons (E4). */
export function atLeast(a: number, b: number): boolean {
  return a >= b - 1e-9 * Math.abs(b);
}

/** "a > b" of strategy comparisons (E4). */
export function above(a: number, b: number): boolean {
  return a > b + 1e-9 * Math.abs(b);
}

/** "a < b" of strategy comparisons (E4). */
export function below(a: number, b: number): boolean {
  return a < b - 1e-9 * Math.abs(b);
}
