// Comparisons of strategy values with the relative tolerance of rule E4. Path prices against order
// prices are compared exactly and never go through here.

/** Relative tolerance of strategy comparisons. */
export const TOLERANCE = 1e-9;

/** a <= b */
export function isAtMost(a: number, b: number): boolean {
  return a <= b + TOLERANCE * Math.abs(b);
}

/** a >= b */
export function isAtLeast(a: number, b: number): boolean {
  return a >= b - TOLERANCE * Math.abs(b);
}

/** a > b */
export function isAbove(a: number, b: number): boolean {
  return a > b + TOLERANCE * Math.abs(b);
}

/** a < b */
export function isBelow(a: number, b: number): boolean {
  return a < b - TOLERANCE * Math.abs(b);
}
