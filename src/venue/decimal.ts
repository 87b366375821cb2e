// Decimal text to integer counts and back, exactly. Used wherever the venue reads or writes a price,
// quantity or amount. Never goes through a floating point number.

/** Decimals of every amount of money inside the venue: one unit is 10^-12 of the quote coin. */
export const MONEY_DECIMALS = 12;

/** An amount of the quote coin in units of 10^-12. */
export type Money = bigint;

/** A step such as "0.5": values on it are whole counts of `units` at 10^-`decimals`. */
export type Grid = { readonly decimals: number; readonly units: bigint };

const DECIMAL = /^(-?)(\d{1,30})(?:\.(\d{1,30}))?(?:[eE]([+-]?\d{1,2}))?$/;

/** Digits and scale of a decimal text (also `1.5e-7`), trailing zeros dropped; null when it is none. */
function digitsOf(text: string): { digits: bigint; scale: number } | null {
  const match = DECIMAL.exec(text);
  if (!match) return null;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  let digits = BigInt(sign + whole + fraction);
  let scale = fraction.length - Number(exponent);
  while (scale > 0 && digits % 10n === 0n) {
    digits /= 10n;
    scale--;
  }
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : { digits, scale };
}

/** The text as a count of 10^-`decimals`; null when it is no decimal or has more decimals. */
export function toUnits(text: string, decimals: number): bigint | null {
  const found = digitsOf(text);
  if (!found || found.scale > decimals) return null;
  return found.digits * 10n ** BigInt(decimals - found.scale);
}

/** A count of 10^-`decimals` as plain decimal text without trailing zeros. */
export function unitsText(units: bigint, decimals: number): string {
  const sign = units < 0n ? "-" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, "0");
  const cut = digits.length - decimals;
  const fraction = digits.slice(cut).replace(/0+$/, "");
  return sign + digits.slice(0, cut) + (fraction === "" ? "" : `.${fraction}`);
}

/**
 * The grid of a positive step.
 * @throws RangeError when the text is no positive decimal
 */
export function gridOf(step: string): Grid {
  const found = digitsOf(step);
  if (!found || found.digits <= 0n) throw new RangeError(`step "${step}" is no positive decimal`);
  return { decimals: found.scale, units: found.digits };
}

/** How many steps the text is; null when it is no decimal, off the grid or beyond 2^53. */
export function gridCount(text: string, grid: Grid): number | null {
  const units = toUnits(text, grid.decimals);
  if (units === null || units % grid.units !== 0n) return null;
  const count = Number(units / grid.units);
  return Number.isSafeInteger(count) ? count : null;
}

/** A whole number of steps as decimal text. */
export function gridText(count: number, grid: Grid): string {
  return unitsText(BigInt(count) * grid.units, grid.decimals);
}

/** The nearest whole number of steps, halves upwards; null when the text is no decimal. */
export function nearestCount(text: string, grid: Grid): number | null {
  const found = digitsOf(text);
  if (!found) return null;
  const decimals = Math.max(found.scale, grid.decimals);
  const value = found.digits * 10n ** BigInt(decimals - found.scale);
  const step = grid.units * 10n ** BigInt(decimals - grid.decimals);
  const count = Number(floorDivide(2n * value + step, 2n * step));
  return Number.isSafeInteger(count) ? count : null;
}

/** The nearest count of 10^-`decimals`, halves upwards; null when the text is no decimal. */
export function nearestUnits(text: string, decimals: number): bigint | null {
  const found = digitsOf(text);
  if (!found) return null;
  if (found.scale <= decimals) return found.digits * 10n ** BigInt(decimals - found.scale);
  const divisor = 10n ** BigInt(found.scale - decimals);
  return floorDivide(2n * found.digits + divisor, 2n * divisor);
}

/** Money as decimal text. */
export function moneyText(money: Money): string {
  return unitsText(money, MONEY_DECIMALS);
}

/** Integer quotient rounded towards minus infinity; the divisor is positive. */
export function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

/** Integer quotient rounded towards plus infinity; the divisor is positive. */
export function ceilDivide(value: bigint, divisor: bigint): bigint {
  return -floorDivide(-value, divisor);
}
