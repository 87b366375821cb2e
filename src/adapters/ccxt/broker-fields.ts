// Reads fields of an exchange's answer. Used by the dialects. A field that must be there and is not,
// or is something else, ends the read: a made-up 0 or "" would be taken for a fact.
import Big from "big.js";
import { type Decimal, decimal } from "../../model/decimal.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Row } from "./broker-client.ts";
import { BrokerError } from "./error-types.ts";

/** Instants before this many ms would lie in 1973: such a number counts seconds. */
const SECONDS_BELOW = 1e11;
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d{1,3})?$/i;

/** An answer without a field, or with one of another shape. */
export function unreadable(field: string): BrokerError {
  return new BrokerError("transport", `the answer has no readable ${field}`);
}

/** The value as an object. @throws BrokerError when it is none */
export function rowOf(value: unknown, field: string): Row {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Row;
  throw unreadable(field);
}

/** The value as a list of objects. @throws BrokerError when it is none */
export function rowsOf(value: unknown, field: string): Row[] {
  if (!Array.isArray(value)) throw unreadable(field);
  return value.map((each) => rowOf(each, field));
}

/** A text or number as text; null when absent or empty. */
export function textOrNull(row: Row, field: string): string | null {
  const value = row[field];
  if (typeof value === "string") return value === "" ? null : value;
  return typeof value === "number" ? String(value) : null;
}

/** A text or number as text. @throws BrokerError when absent or empty */
export function textOf(row: Row, field: string): string {
  const text = textOrNull(row, field);
  if (text === null) throw unreadable(field);
  return text;
}

/** An exact decimal; null when absent. @throws BrokerError when it is no number */
export function decimalOrNull(row: Row, field: string): Decimal | null {
  const text = textOrNull(row, field);
  if (text === null) return null;
  if (!NUMBER.test(text)) throw unreadable(field);
  return decimal(new Big(text).toFixed());
}

/** An exact decimal. @throws BrokerError when absent or no number */
export function decimalOf(row: Row, field: string): Decimal {
  const value = decimalOrNull(row, field);
  if (value === null) throw unreadable(field);
  return value;
}

/** An exact decimal; null when absent or 0, where 0 means "none". */
export function positiveOrNull(row: Row, field: string): Decimal | null {
  const value = decimalOrNull(row, field);
  return value === null || Number(value) === 0 ? null : value;
}

/** A whole or broken number for people and settings, not for money. */
export function numberOrNull(row: Row, field: string): number | null {
  const value = decimalOrNull(row, field);
  return value === null ? null : Number(value);
}

/** An instant given in ms, or in seconds with a fraction; null when absent or 0. */
export function instantOrNull(row: Row, field: string): EpochMs | null {
  const value = numberOrNull(row, field);
  if (value === null || value <= 0) return null;
  return Math.round(value < SECONDS_BELOW ? value * 1000 : value);
}

/** An instant. @throws BrokerError when absent */
export function instantOf(row: Row, field: string): EpochMs {
  const at = instantOrNull(row, field);
  if (at === null) throw unreadable(field);
  return at;
}

/** True, "true", 1 and "1"; null when absent. */
export function flagOrNull(row: Row, field: string): boolean | null {
  const value = row[field];
  if (value === undefined || value === null) return null;
  return value === true || value === 1 || value === "1" || value === "true";
}
