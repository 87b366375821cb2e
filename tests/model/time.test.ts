// Instants and timeframes: reading what people write, the shortest text back, days and weeks in UTC.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InputError } from "../../src/model/result.ts";
import {
  DAY_MS,
  formatTimeframe,
  isoUtc,
  parseInstant,
  parseTimeframe,
  utcDayStart,
  utcWeekStart,
  WEEK_MS,
} from "../../src/model/time.ts";

describe("a timeframe", () => {
  test("is a number and a unit", () => {
    expect(["1m", "90m", "4h", "1d", "2w", " 5m "].map(parseTimeframe)).toEqual([
      1, 90, 240, 1440, 20_160, 5,
    ]);
  });

  test("is written with its largest whole unit", () => {
    const texts = [1, 60, 90, 1440, 2880, 10_080].map(formatTimeframe);
    expect(texts).toEqual(["1m", "1h", "90m", "1d", "2d", "1w"]);
  });

  test("reads back from its own text, whatever the minutes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99_999 }), (minutes) => {
        expect(parseTimeframe(formatTimeframe(minutes))).toBe(minutes);
      }),
    );
  });

  for (const wrong of ["", "5", "m", "0m", "-5m", "5M", "1.5h", "5 m", "05m", "1y", "123456m"]) {
    test(`refuses "${wrong}" and quotes it`, () => {
      expect(() => parseTimeframe(wrong)).toThrow(`timeframe: "${wrong}" is not`);
    });
  }
});

describe("an instant", () => {
  test("is a date, a date with a time, or epoch milliseconds; without a zone it is UTC", () => {
    const noon = Date.UTC(2024, 0, 31, 12);
    expect(parseInstant("2024-01-31", "from")).toBe(Date.UTC(2024, 0, 31));
    expect(parseInstant("2024-01-31T12:00", "from")).toBe(noon);
    expect(parseInstant("2024-01-31 12:00:00", "from")).toBe(noon);
    expect(parseInstant("2024-01-31T12:00:00.250Z", "from")).toBe(noon + 250);
    expect(parseInstant("2024-01-31T14:00+02:00", "from")).toBe(noon);
    expect(parseInstant(String(noon), "from")).toBe(noon);
  });

  for (const wrong of ["", "yesterday", "31.01.2024", "2024-13-01", "2024-01-31T25:00", "123"]) {
    test(`refuses "${wrong}", naming the field`, () => {
      expect(() => parseInstant(wrong, "run: from")).toThrow(InputError);
      expect(() => parseInstant(wrong, "run: from")).toThrow("run: from");
    });
  }

  test("is written as ISO 8601, with milliseconds only when there are some", () => {
    expect(isoUtc(Date.UTC(2019, 11, 31, 23, 59))).toBe("2019-12-31T23:59:00Z");
    expect(isoUtc(Date.UTC(2019, 11, 31) + 5)).toBe("2019-12-31T00:00:00.005Z");
  });

  test("reads back from its own text", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (at) => {
        expect(parseInstant(isoUtc(at), "from")).toBe(at);
      }),
    );
  });
});

describe("days and weeks", () => {
  test("start at midnight UTC and on Mondays, before 1970 too", () => {
    const wednesday = Date.UTC(2024, 0, 10, 13, 14, 15);
    expect(utcDayStart(wednesday)).toBe(Date.UTC(2024, 0, 10));
    expect(utcWeekStart(wednesday)).toBe(Date.UTC(2024, 0, 8));
    expect(utcWeekStart(Date.UTC(2024, 0, 8))).toBe(Date.UTC(2024, 0, 8));
    expect(utcWeekStart(0)).toBe(Date.UTC(1969, 11, 29));
  });

  test("contain the instant they were asked for", () => {
    fc.assert(
      fc.property(fc.integer({ min: -(10 ** 12), max: 4 * 10 ** 12 }), (at) => {
        const day = utcDayStart(at);
        const week = utcWeekStart(at);
        expect(day <= at && at < day + DAY_MS && day % DAY_MS === 0).toBe(true);
        expect(week <= at && at < week + WEEK_MS).toBe(true);
        expect(new Date(week).getUTCDay()).toBe(1);
      }),
    );
  });
});
