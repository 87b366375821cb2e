// What goes into a row comes out unchanged: amounts, instants, ids, documents, names.
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  at,
  jsonb,
  parseInt8,
  parseTimestamptz,
  serializeTimestamptz,
} from "../../../src/adapters/postgres/rows.ts";
import { databaseTest } from "../../support/database-test.ts";

databaseTest("an instant comes back to the millisecond", async ({ sql }) => {
  await sql`create table instants (id bigint generated always as identity, moment timestamptz)`;
  const edges = [0, 1, -1, 1_720_000_000_123, -62_135_596_800_000, 253_402_300_799_999];
  const random = fc.sample(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), 300);
  const moments = [...edges, ...random];
  await sql`insert into instants (moment) select unnest(${moments}::timestamptz[])`;
  for (const moment of edges) await sql`insert into instants (moment) values (${moment})`;
  const rows = await sql<{ moment: number }[]>`select moment from instants order by id`;
  expect(rows.map((row) => row.moment)).toEqual([...moments, ...edges]);
});

databaseTest("a number compared with an instant means milliseconds", async ({ sql }) => {
  const [row] = await sql<{ early: boolean; late: boolean }[]>`
    select timestamptz '2024-01-01 00:00:00.5+00' > ${Date.UTC(2024, 0, 1)} as early,
      timestamptz '2024-01-01 00:00:00.5+00' > ${at(Date.UTC(2024, 0, 1) + 501)} as late`;
  expect(row).toEqual({ early: true, late: false });
});

databaseTest("a decimal keeps every digit", async ({ sql }) => {
  const amounts = [
    "0.1",
    "-0.000000000000000001",
    "123456789012345678901234567890.123456789012345678",
    "1.10",
    "0",
  ];
  const rows = await sql<{ amount: string }[]>`
    select amount from unnest(${amounts}::numeric[]) as amount`;
  expect(rows.map((row) => row.amount)).toEqual(amounts);
});

databaseTest("a float comes back to the last bit, only -0 becomes 0", async ({ sql }) => {
  const floats = fc.sample(fc.double({ noNaN: true }), 500);
  const rows = await sql<{ value: number }[]>`
    select value from unnest(${floats}::float8[]) with ordinality as t (value, place)
    order by place`;
  const isSame = rows.every((row, index) => Object.is(row.value, (floats[index] ?? 0) + 0));
  expect(rows.length).toBe(500);
  expect(isSame).toBe(true);
});

databaseTest("a float stored as decimal comes back to the last bit", async ({ sql }) => {
  const floats = fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), 300);
  const texts = floats.map(String);
  const rows = await sql<{ value: string }[]>`
    select value from unnest(${texts}::numeric[]) with ordinality as t (value, place)
    order by place`;
  expect(rows.map((row) => Number(row.value) + 0)).toEqual(floats.map((value) => value + 0));
});

databaseTest("an identity is a number, and one too large is refused", async ({ sql }) => {
  const [row] = await sql<{ big: number }[]>`select 9007199254740991::bigint as big`;
  expect(row?.big).toBe(9_007_199_254_740_991);
  expect(sql`select 9007199254740993::bigint as big`.execute()).rejects.toThrow(
    "bigint 9007199254740993 does not fit a number exactly",
  );
});

databaseTest("the keys of a stored document keep their spelling", async ({ sql }) => {
  const document = { snake_case: 1, camelCase: [null, "x", { deep_key: -0.5 }] };
  const [row] = await sql<{ theDocument: unknown }[]>`
    select ${jsonb(sql, document)} as the_document`;
  expect(row?.theDocument).toEqual(document);
});

databaseTest("null, text and lists are documents too", async ({ sql }) => {
  for (const value of [null, "text", '"quoted"', [1, 2], [], true, 0]) {
    const [row] = await sql<{ value: unknown; kind: string }[]>`
      select ${jsonb(sql, value)} as value, jsonb_typeof(${jsonb(sql, value)}) as kind`;
    expect(row?.value).toEqual(value);
    expect(row?.kind).toBe(
      value === null ? "null" : Array.isArray(value) ? "array" : (typeof value as string),
    );
  }
});

databaseTest("lists come back, awkward text included", async ({ sql }) => {
  const texts = ["a,b", '"', "\\", "NULL", "", "{}", "ü\n", " x "];
  const days = [0, Date.UTC(2024, 1, 29)];
  const [row] = await sql`
    select ${texts}::text[] as texts, ${[]}::text[] as none,
      ${[1, -2]}::integer[] as counts, ${[9_007_199_254_740_991]}::bigint[] as ids,
      ${[0.1, 1e300]}::float8[] as floats, ${["0.10"]}::numeric[] as amounts,
      ${days}::timestamptz[] as days`;
  expect({ ...row }).toEqual({
    texts,
    none: [],
    counts: [1, -2],
    ids: [9_007_199_254_740_991],
    floats: [0.1, 1e300],
    amounts: ["0.10"],
    days,
  });
  const found = await sql<{ n: number }[]>`
    select n from generate_series(1, 9) as n where n = any(${[2, 4, 99]})`;
  expect(found.map((item) => item.n)).toEqual([2, 4]);
});

databaseTest("a session has the limits of a Dragon connection", async ({ sql }) => {
  const [row] = await sql<Record<string, string>[]>`
    select current_setting('application_name') as name, current_setting('TimeZone') as zone,
      current_setting('statement_timeout') as statement,
      current_setting('idle_in_transaction_session_timeout') as idle`;
  expect(row).toEqual({ name: "dragon", zone: "UTC", statement: "30s", idle: "30s" });
});

test("instants with a zone, microseconds and without a fraction are read", () => {
  expect(parseTimestamptz("2024-02-29 12:00:00+00")).toBe(Date.UTC(2024, 1, 29, 12));
  expect(parseTimestamptz("2024-02-29 12:00:00.123999+00")).toBe(
    Date.UTC(2024, 1, 29, 12, 0, 0, 123),
  );
  expect(parseTimestamptz("2024-02-29 12:00:00.5+05:30")).toBe(
    Date.UTC(2024, 1, 29, 6, 30, 0, 500),
  );
  expect(parseTimestamptz("2024-02-29 12:00:00-08")).toBe(Date.UTC(2024, 1, 29, 20));
});

test("what is no instant is refused in both directions", () => {
  expect(() => parseTimestamptz("infinity")).toThrow("timestamptz infinity is not an instant");
  expect(() => serializeTimestamptz(Number.NaN)).toThrow("NaN is not an instant in milliseconds");
  expect(() => serializeTimestamptz(8.64e15)).toThrow("outside the years 1 to 9999");
});

test("a bigint beyond the exact range of a number is refused", () => {
  expect(parseInt8("-9007199254740991")).toBe(-9_007_199_254_740_991);
  expect(() => parseInt8("9007199254740992")).toThrow("does not fit a number exactly");
});
