// How values travel between rows and TypeScript: parsing and serialising, and small helpers for
// repositories. Amounts stay decimal text; instants are milliseconds; nothing is rounded silently.
import { decimal } from "../../model/decimal.ts";
import type { EpochMs } from "../../model/time.ts";
import { InvariantError } from "../../model/result.ts";
import type { Json } from "../../ports/settings-store.ts";
import type { Query } from "./connect.ts";

/** Type numbers of PostgreSQL (pg_type.oid). */
export const OID = { int8: 20, date: 1082, timestamptz: 1184 } as const;

/**
 * Reads a bigint as a number.
 * @throws InvariantError beyond 2^53: a rounded id would point at another row
 */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new InvariantError(`bigint ${text} does not fit a number exactly`);
  }
  return value;
}

const INSTANT = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?([+-]\d\d)(?::(\d\d))?$/;

/**
 * Reads a timestamptz in PostgreSQL's ISO style as epoch milliseconds, microseconds cut off.
 * @throws InvariantError for infinity and years outside 1 to 9999, which no column holds
 */
export function parseTimestamptz(text: string): EpochMs {
  const match = INSTANT.exec(text);
  if (!match) throw new InvariantError(`timestamptz ${text} is not an instant`);
  const [, day, time, fraction = "", zoneHours, zoneMinutes = "00"] = match;
  const ms = fraction.padEnd(3, "0").slice(0, 3);
  return Date.parse(`${day}T${time}.${ms}${zoneHours}:${zoneMinutes}`);
}

/**
 * Writes an instant for a timestamptz; accepts milliseconds, a Date, or text PostgreSQL reads.
 * @throws InvariantError when it is not an instant from the year 1 to 9999
 */
export function serializeTimestamptz(value: unknown): string {
  if (typeof value === "string") return value;
  const ms = value instanceof Date ? value.getTime() : value;
  if (typeof ms !== "number" || !(Math.abs(ms) <= 8.64e15)) {
    throw new InvariantError(`${String(value)} is not an instant in milliseconds`);
  }
  const text = new Date(ms).toISOString();
  if (!/^\d{4}-/.test(text) || text.startsWith("0000")) {
    throw new InvariantError(`the instant ${text} is outside the years 1 to 9999`);
  }
  return text;
}

/**
 * An instant as a parameter whose type is timestamptz wherever it stands in a query.
 * A list of instants goes as plain numbers: `${list}::timestamptz[]`.
 */
export function at(ms: EpochMs): Date;
export function at(ms: EpochMs | null): Date | null;
export function at(ms: EpochMs | null): Date | null {
  return ms === null ? null : new Date(ms);
}

/**
 * A JSON document as a jsonb value. Strings, null and arrays arrive as what they are, which a bare
 * parameter cannot do (null would be SQL null, an array an SQL array).
 */
export function jsonb(sql: Query, value: Json) {
  return sql`${JSON.stringify(value)}::text::jsonb`;
}

/** The only row of an answer. @throws InvariantError when there is none */
export function one<Row>(rows: readonly Row[]): Row {
  const row = rows[0];
  if (row === undefined) throw new InvariantError("a row was expected and none came");
  return row;
}

/** The first row of an answer, null when there is none. */
export function firstOrNull<Row>(rows: readonly Row[]): Row | null {
  return rows[0] ?? null;
}

/** The exact decimal text of a finite float: what was stored comes back as the same float. */
export function numericText(value: number): string {
  if (!Number.isFinite(value)) throw new InvariantError(`${value} is not an amount`);
  return decimal(value);
}

/** A stored amount as the float it was written from. */
export function parseNumeric(text: string): number {
  return Number(text);
}
