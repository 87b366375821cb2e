// Instants, durations and timeframes. All instants are milliseconds since 1970 UTC; formatting for
// people happens in views/format.ts only.
import { InputError } from "./result.ts";

/** Milliseconds since 1970-01-01 UTC. */
export type EpochMs = number;

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
export const WEEK_MS = 7 * DAY_MS;

/** Start of the UTC day that contains the instant. */
export function utcDayStart(at: EpochMs): EpochMs {
  return Math.floor(at / DAY_MS) * DAY_MS;
}

/** Monday 00:00 UTC of the week that contains the instant (1970-01-05 was a Monday). */
export function utcWeekStart(at: EpochMs): EpochMs {
  const monday = 4 * DAY_MS;
  return Math.floor((at - monday) / WEEK_MS) * WEEK_MS + monday;
}

const UNIT_MINUTES: Record<string, number> = { m: 1, h: 60, d: 1440, w: 10080 };

/**
 * Minutes of a timeframe written as `5m`, `1h`, `1d` or `1w`.
 * @throws InputError naming the text when it is not a whole number followed by m, h, d or w
 */
export function parseTimeframe(text: string): number {
  const match = /^([1-9][0-9]{0,4})([mhdw])$/.exec(text.trim());
  const unit = match ? UNIT_MINUTES[match[2] ?? ""] : undefined;
  if (!match || unit === undefined) {
    throw new InputError(
      `timeframe: "${text}" is not a number followed by m, h, d or w, e.g. 5m or 1h`,
    );
  }
  return Number(match[1]) * unit;
}

/** The shortest text of a timeframe: 60 → `1h`, 90 → `90m`. */
export function formatTimeframe(minutes: number): string {
  for (const unit of ["w", "d", "h"]) {
    const size = UNIT_MINUTES[unit] ?? 1;
    if (minutes % size === 0) return `${minutes / size}${unit}`;
  }
  return `${minutes}m`;
}

/** ISO 8601 in UTC without milliseconds when they are zero: `2019-12-31T23:59:00Z`. */
export function isoUtc(at: EpochMs): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}

/**
 * Reads an instant given by a person: ISO date, ISO date-time (UTC when no zone is written) or epoch milliseconds.
 * @throws InputError naming the field and the text
 */
export function parseInstant(text: string, field: string): EpochMs {
  if (/^[0-9]{10,14}$/.test(text)) return Number(text);
  const iso =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/;
  const match = iso.exec(text.trim());
  const at = match
    ? Date.parse(`${match[1]}T${match[2] ?? "00:00"}${match[3] ?? "Z"}`)
    : Number.NaN;
  if (!Number.isFinite(at)) {
    throw new InputError(
      `${field}: "${text}" is not a date such as 2024-01-31 or 2024-01-31T12:00Z, nor epoch milliseconds`,
    );
  }
  return at;
}
