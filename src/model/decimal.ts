// Exact decimals for the money zone: fills, fees and ledger amounts as they are stored and sent.
// A thin face of big.js; values travel as plain decimal strings, never in exponent form.
import Big from "big.js";
import { InputError } from "./result.ts";

declare const decimalBrand: unique symbol;

/** An exact decimal as text, e.g. `-0.00012`. */
export type Decimal = string & { readonly [decimalBrand]: true };

const PLAIN = /^-?\d+(\.\d+)?$/;

/**
 * Accepts a plain decimal text or a finite number.
 * @throws InputError when it is neither
 */
export function decimal(value: string | number): Decimal {
  const text = typeof value === "number" ? numberText(value) : value.trim();
  if (!PLAIN.test(text)) throw new InputError(`"${value}" is not a decimal number`);
  return new Big(text).toFixed() as Decimal;
}

function numberText(value: number): string {
  return Number.isFinite(value) ? new Big(value).toFixed() : String(value);
}

/** The shortest plain text that reads back as the same number; quick for the usual number. */
export function plainNumber(value: number): string {
  const text = String(value);
  return text.includes("e") ? decimal(value) : text;
}

/** Sum of two decimals. */
export function add(a: Decimal, b: Decimal): Decimal {
  return new Big(a).plus(b).toFixed() as Decimal;
}

/** Difference of two decimals. */
export function subtract(a: Decimal, b: Decimal): Decimal {
  return new Big(a).minus(b).toFixed() as Decimal;
}

/** Exact product of two decimals. */
export function multiply(a: Decimal, b: Decimal): Decimal {
  return new Big(a).times(b).toFixed() as Decimal;
}

/** -1, 0 or 1. */
export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  return new Big(a).cmp(b);
}
