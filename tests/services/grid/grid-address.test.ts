// Addresses of lists: what is read from them, what is refused, and that writing one and reading it
// again is the same list.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { InputError } from "../../../src/model/result.ts";
import type { GridColumn } from "../../../src/ports/grid.ts";
import {
  type GridShape,
  readGridAddress,
  writeGridAddress,
} from "../../../src/services/grid/grid-address.ts";
import { readCursor, writeCursor } from "../../../src/services/grid/grid-cursor.ts";

const NOW = Date.UTC(2024, 5, 15);
const DAY_MS = 86_400_000;
const COLUMNS: readonly GridColumn[] = [
  { key: "name", kind: "text" },
  { key: "symbol", kind: "word" },
  { key: "gain", kind: "number", unit: "percent" },
  { key: "held", kind: "number", unit: "hours" },
  { key: "length", kind: "number", unit: "days" },
  { key: "count", kind: "number", isWhole: true },
  { key: "at", kind: "date" },
  { key: "state", kind: "set", vocabulary: ["open", "closed"] },
  { key: "marked", kind: "flag" },
];
const SHAPE: GridShape = {
  columns: COLUMNS,
  sort: { column: "at", direction: "desc" },
  sizes: [25, 100],
  size: 100,
};

const read = (query: string) => readGridAddress(SHAPE, new URLSearchParams(query), NOW);
const conditionOf = (query: string) => read(query).query.filters[0]?.conditions[0];
const span = (from: number | null, before: number | null, isOutside = false) => ({
  ...{ kind: "span", from, before, isOutside },
});
const day = Date.UTC(2024, 0, 31);

const CONDITIONS: [query: string, condition: object][] = [
  ["name.contains=a%25_%5C", { kind: "text", operator: "contains", text: "a%_\\" }],
  ["name.blank=1", { kind: "blank", isBlank: true }],
  ["name.notBlank=1", { kind: "blank", isBlank: false }],
  ["symbol.in=A%7CB", { kind: "in", words: ["A", "B"] }],
  ["symbol.in=A&symbol.in=B", { kind: "in", words: ["A", "B"] }],
  ["state.in=OPEN", { kind: "in", words: ["open"] }],
  ["marked.is=no", { kind: "flag", isSet: false }],
  ["gain.gte=57", { kind: "number", operator: "gte", value: 0.57 }],
  ["gain.equals=-.5", { kind: "number", operator: "equals", value: -0.005 }],
  ["held.lt=1.5", { kind: "number", operator: "lt", value: 5400 }],
  ["length.inRange=1..2.5", { kind: "between", from: 86_400, to: 216_000 }],
  ["count.notEqual=1e3", { kind: "number", operator: "notEqual", value: 1000 }],
  ["at.equals=2024-01-31", span(day, day + DAY_MS)],
  ["at.notEqual=2024-01-31", span(day, day + DAY_MS, true)],
  ["at.lt=2024-01-31", span(null, day)],
  ["at.lte=2024-01-31", span(null, day + DAY_MS)],
  ["at.gt=2024-01-31", span(day + DAY_MS, null)],
  ["at.gte=2024-01-31T10:30Z", span(day + 37_800_000, null)],
  ["at.lte=2024-01-31T00:00:00.005Z", span(null, day + 6)],
  ["at.inRange=2024-01-31..2024-02-01", span(day, day + 2 * DAY_MS)],
  ["at.within=30d", span(NOW - 30 * DAY_MS, null)],
];

for (const [query, condition] of CONDITIONS) {
  test(`${query} is read as ${JSON.stringify(condition)}`, () => {
    expect(conditionOf(query)).toEqual(condition as never);
  });
}

const REFUSED: readonly string[] = [
  ...["at.equals=2023-02-29", "at.equals=1999-12-31", "at.equals=2100-01-01", "at.gt=yesterday"],
  ...["at.inRange=2024-01-01", "at.inRange=a..b", "at.within=0d", "at.within=9999d"],
  ...["gain.gt=", "gain.gt=1,5", "gain.gt=0x1", "gain.gt=Infinity", "gain.gt=1e400", "gain.in=1"],
  ...["gain.inRange=1..2..3", "state.in=ajar", "state.contains=o", "marked.is=1", "marked.blank=1"],
  ...["nothing.equals=1", "name=x", ".equals=x", "name.=x", "toString.equals=x", "name.equals=%00"],
  ...["sort=--at", "sort=nothing", "sort=-", "size=50", "size=1e2x", "after=%21", "name.join=nor"],
];

test("whatever cannot be read is refused with a sentence that names it", () => {
  for (const query of REFUSED) {
    // An empty value is what a form sends for a field left alone.
    if (query.endsWith("=")) expect(read(query).query.filters).toEqual([]);
    else expect(() => read(query)).toThrow(InputError);
  }
  expect(() => read("nothing.equals=1")).toThrow("the columns are name, symbol, gain");
  const long = `name.${"x".repeat(5000)}=1`;
  try {
    read(long);
    throw new Error("it was read");
  } catch (error) {
    expect((error as Error).message.length).toBeLessThan(700);
  }
});

test("at most 20 columns are filtered, and at most two conditions stand on one", () => {
  const many: GridColumn[] = Array.from({ length: 21 }, (_, k) => ({ key: `c${k}`, kind: "text" }));
  const shape = { ...SHAPE, columns: [...many, ...COLUMNS] };
  const params = (count: number) =>
    many.slice(0, count).map(({ key }) => [`${key}.blank`, "1"] as const);
  expect(readGridAddress(shape, params(20), NOW).query.filters.length).toBe(20);
  expect(() => readGridAddress(shape, params(21), NOW)).toThrow("21 columns are filtered");
  expect(() => read("gain.gt=1&gain.lt=2&gain.lt=3")).toThrow("2 conditions, not more");
});

test("two conditions hold together unless the address says or", () => {
  expect(read("gain.gt=1&gain.lt=2").query.filters[0]?.join).toBe("and");
  const either = read("gain.gt=1&gain.lt=2&gain.join=or");
  expect(either.query.filters[0]?.join).toBe("or");
  expect(either.address.either).toEqual(["gain"]);
  expect(read("gain.join=or").address.either).toEqual([]);
});

test("a list written as an address is read as the same list", () => {
  const entry = fc.oneof(
    fc.record({
      column: fc.constantFrom("name", "symbol"),
      operator: fc.constantFrom("contains", "equals", "startsWith"),
      text: fc.string({ minLength: 1, maxLength: 50 }).filter((text) => !/\p{Cc}/u.test(text)),
    }),
    fc.record({
      column: fc.constantFrom("gain", "count"),
      operator: fc.constantFrom("gt", "lte"),
      text: fc.integer().map(String),
    }),
  );
  const entries = fc.uniqueArray(entry, { maxLength: 4, selector: ({ column }) => column });
  const sort = fc.record({
    column: fc.constantFrom(...COLUMNS.map(({ key }) => key)),
    direction: fc.constantFrom("asc" as const, "desc" as const),
  });
  fc.assert(
    fc.property(entries, sort, fc.constantFrom(25, 100), (filters, order, size) => {
      const address = {
        ...{ sort: order, entries: filters, either: [], search: null, size, after: null },
      };
      expect(read(writeGridAddress(SHAPE, address)).address).toEqual(address);
    }),
  );
  expect(writeGridAddress(SHAPE, read("size=100&sort=-at&q=").address)).toBe("");
});

test("a place of a sort comes back, and only in that sort", () => {
  const at = { key: "at", kind: "date" } as const;
  const sort = { column: "at", direction: "desc" } as const;
  const place = { part: 0, value: "2024-01-31 10:30:00.123456+00", id: 7 };
  const text = writeCursor(sort, place);
  expect(readCursor(text, at, sort)).toEqual(place);
  expect(readCursor(text, at, { ...sort, direction: "asc" })).toBeNull();
  expect(readCursor(text, at, { ...sort, column: "gain" })).toBeNull();
});

const VALUES: [column: GridColumn, good: string[], bad: string[]][] = [
  [
    { key: "x", kind: "number" },
    ["1", "-1.5e-300", "0.30000000000000004", "Infinity", "-Infinity", "0", "1e+22"],
    ["NaN", "1e999", "1e-999", "1;", " 1", "0x1", "", "1.", "--1"],
  ],
  [{ key: "x", kind: "number", isWhole: true }, ["5", "-5"], ["5.5", "1e3", "9".repeat(19)]],
  [
    { key: "x", kind: "date" },
    ["2024-02-29 23:59:59+00", "2024-01-01 00:00:00.1+00"],
    ["2023-02-29 00:00:00+00", "2024-01-01", "2024-01-01 25:00:00+00", "infinity", "now"],
  ],
  [{ key: "x", kind: "text" }, ["", "a'b", "two\nlines", "🐉".repeat(200)], ["\0", "x".repeat(401)]],
  [{ key: "x", kind: "flag" }, [], ["true", "1"]],
];

test("a place holds only values that the column could have", () => {
  for (const [column, good, bad] of VALUES) {
    const sort = { column: "x", direction: "asc" } as const;
    const back = (value: string) =>
      readCursor(writeCursor(sort, { part: 1, value, id: 1 }), column, sort);
    for (const value of good) expect([value, back(value)?.value]).toEqual([value, value]);
    for (const value of bad) expect([value, back(value)]).toEqual([value, null]);
  }
});

test("no text at all makes reading a place throw", () => {
  const sort = { column: "gain", direction: "asc" } as const;
  const column = { key: "gain", kind: "number" } as const;
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json().map((text) => btoa(escape(text))),
      ),
      (text) => {
        const place = readCursor(text, column, sort);
        if (place) expect(place.id).toBeGreaterThan(0);
      },
    ),
  );
  const forged = (place: unknown) => Buffer.from(JSON.stringify(place)).toString("base64url");
  for (const place of [
    ...[null, [], {}, ["gain", "asc", 0, "1"], ["gain", "asc", -1, "1", 1]],
    ...[
      ["gain", "asc", 0, "1", 0],
      ["gain", "asc", 0, 1, 1],
      ["gain", "asc", 0, "1", 1.5],
    ],
    ...[
      ["gain", "asc", 10, "1", 1],
      ["gain", "asc", 0, "1", 2 ** 60],
    ],
  ]) {
    expect(readCursor(forged(place), column, sort)).toBeNull();
  }
});
