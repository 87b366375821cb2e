// Plain statistics over a list of numbers. Used by ratios, cycle figures and pages;
// an empty list gives null where the figure does not exist, never 0.

/** Arithmetic mean; null for an empty list. */
export function mean(values: ArrayLike<number>): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Sample standard deviation (divisor n - 1), two-pass; null below two values. */
export function sampleDeviation(values: ArrayLike<number>): number | null {
  const center = mean(values);
  if (center === null || values.length < 2) return null;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - center) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

/** A sorted copy for `quantileOfSorted`. */
export function sorted(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).sort();
}

/**
 * Quantile by linear interpolation at position (n - 1) * q of ascending values (rule E60);
 * null for an empty list.
 * @param q fraction 0..1
 */
export function quantileOfSorted(ascending: ArrayLike<number>, q: number): number | null {
  if (ascending.length === 0) return null;
  const position = (ascending.length - 1) * q;
  const below = Math.floor(position);
  const low = ascending[below]!;
  const high = ascending[Math.ceil(position)]!;
  return low + (high - low) * (position - below);
}

/** Middle value, the mean of the two middle ones for an even count; null for an empty list. */
export function median(values: ArrayLike<number>): number | null {
  return quantileOfSorted(sorted(values), 0.5);
}
