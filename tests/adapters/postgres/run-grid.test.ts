// The list of runs on real servers: every sort, filter and page against the same rows sorted and
// filtered in the open. What a page may cost is in run-grid-cost.test.ts.
import { expect } from "bun:test";
import fc from "fast-check";
import { createRunRepository } from "../../../src/adapters/postgres/run-repository.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type {
  GridCondition,
  GridFilter,
  GridPage,
  GridQuery,
  GridValue,
} from "../../../src/ports/grid.ts";
import type { RunId } from "../../../src/ports/run-store.ts";
import { RUN_COLUMNS, type RunColumn } from "../../../src/services/research/run-list.ts";
import { databaseTest } from "../../support/database-test.ts";
import { aRun, someMetrics } from "../../support/runs.ts";
import { testScope } from "../../support/test-database.ts";

const NOW = Date.UTC(2024, 5, 1, 12);
const DAY_MS = 86_400_000;
const KEYS = RUN_COLUMNS.map(({ key }) => key);
const BASE: GridQuery = {
  columns: KEYS,
  sort: { column: "createdAt", direction: "desc" },
  filters: [],
  search: null,
  limit: 200,
  after: null,
};

type Store = ReturnType<typeof createRunRepository>;

/** Runs of every state, with equal values, missing values and values at the edge. */
async function someRuns(store: Store, scope: Scope, count: number): Promise<void> {
  const values = [3, null, 1, 1, -2.5, null, 1e-9, 1, 0.1 + 0.2, 7, null, -1e-300];
  for (let k = 0; k < count; k++) {
    const value = values[k % values.length] ?? null;
    const run = {
      ...aRun,
      name: k % 3 === 0 ? null : `Try 100%_${k % 4} \\ ${k % 5 === 0 ? "B" : "b"}`,
      symbol: ["PERP_ETH_USDT", "BTC/USDT:USDT", "btc/usdt"][k % 3] ?? "",
      timeframeMin: [1, 5, 60][k % 3] ?? 1,
      direction: (["long", "short", "both"] as const)[k % 3] ?? "long",
      toAt: aRun.fromAt + (1 + (k % 6)) * DAY_MS,
    };
    const id = await store.create(scope, run, NOW + Math.floor(k / 2));
    if (k % 7 === 5) await store.fail(scope, id, "no candles", NOW);
    else if (k % 7 !== 6) {
      const plain = { sharpe: value, sortino: value, calmar: value, win_rate: value, cagr: value };
      const money = { net_profit: value ?? 0, fees_total: k % 4, funding_total: -(k % 3) };
      const factor = { profit_factor: value, no_losses: k % 11 === 10, cycles: k % 5 };
      const metrics = { ...someMetrics, ...plain, ...money, ...factor };
      const hashes = { fillsSha256: "c".repeat(64), candlesFingerprint: "a".repeat(64) };
      await store.finish(scope, id, { metrics, ...hashes, details: {} }, null, NOW);
    }
    if (k % 4 === 1) await store.shortlist(scope, id, { isShortlisted: k % 8 === 1 }, NOW);
    if (k % 5 === 1) await store.shortlist(scope, id, { note: `note ${k % 3}` }, NOW);
  }
}

/** Every page of a query, one after the other. */
async function allPages(store: Store, scope: Scope, query: GridQuery) {
  const rows: GridPage["rows"][number][] = [];
  let after: GridQuery["after"] = null;
  for (let pages = 0; pages < 500; pages++) {
    const page: GridPage = await store.list(scope, { ...query, after });
    expect(page.rows.length).toBeLessThanOrEqual(query.limit);
    rows.push(...page.rows);
    if (!page.next) return rows;
    after = page.next;
  }
  throw new Error("the pages do not end");
}

/** Text in the order of its bytes, everything else by size. */
function compare(a: GridValue, b: GridValue): number {
  if (typeof a === "string" && typeof b === "string")
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Number(a) - Number(b);
}

type Placed = { readonly value: GridValue; readonly id: number; readonly status: GridValue };

/** The order the list promises: values, then rows without one; flags are values either way. */
function expectSorted(rows: readonly Placed[], column: RunColumn, isDown: boolean): void {
  const way = isDown ? -1 : 1;
  const sortValue = ({ value }: Placed) => (column.kind === "flag" ? value === true : value);
  // A metric that a finished run lacks comes before runs that have none yet.
  const rank = ({ value, status }: Placed) =>
    column.kind === "flag" || value !== null ? 0 : status === "finished" ? 1 : 2;
  const isText = column.kind === "text";
  for (const [index, row] of rows.entries()) {
    const before = rows[index - 1];
    if (!before) continue;
    const byRank = isText
      ? Math.min(1, rank(before)) - Math.min(1, rank(row))
      : rank(before) - rank(row);
    const isValued = rank(row) === 0 && rank(before) === 0;
    const byValue = isValued ? way * compare(sortValue(before), sortValue(row)) : 0;
    const order = byRank || byValue || way * (before.id - row.id);
    if (order >= 0) throw new Error(`${column.key}: ${before.id} stands before ${row.id}`);
  }
}

databaseTest("pages of every sort and direction hold each run once, in order", async ({ sql }) => {
  const store = createRunRepository(sql);
  const scope = await testScope(sql, "one");
  const other = await testScope(sql, "two");
  await someRuns(store, scope, 40);
  await someRuns(store, other, 3);
  const [{ collation } = { collation: "" }] = await sql<{ collation: string }[]>`
    select datcollate as collation from pg_database where datname = current_database()`;
  for (const column of RUN_COLUMNS) {
    for (const direction of ["asc", "desc"] as const) {
      const query = {
        ...BASE,
        columns: [column.key, "status"],
        sort: { column: column.key, direction },
      };
      const rows = await allPages(store, scope, { ...query, limit: 3 });
      expect(new Set(rows.map(({ id }) => id)).size).toBe(40);
      expect(rows).toEqual(await allPages(store, scope, { ...query, limit: 100 }));
      const placed = rows.map(({ id, cells: [value = null, status = null] }) => ({
        id,
        value,
        status,
      }));
      const isByBytes = column.kind !== "text" && column.kind !== "word";
      if (isByBytes || /^(C|POSIX)/.test(collation)) {
        expectSorted(placed, column, direction === "desc");
      }
    }
  }
});

const one = (column: string, condition: GridCondition): GridFilter => ({
  ...{ column, join: "and", conditions: [condition] },
});
const text = (
  operator: "contains" | "equals" | "notEqual" | "startsWith" | "endsWith",
  word: string,
) => ({ kind: "text", operator, text: word }) as const;
const number = (operator: "equals" | "notEqual" | "lt" | "lte" | "gt" | "gte", value: number) =>
  ({ kind: "number", operator, value }) as const;
const blank = { kind: "blank", isBlank: true } as const;

type Case = [filters: GridFilter[], keeps: (row: Readonly<Record<string, GridValue>>) => boolean];
const low = (value: GridValue) => String(value).toLowerCase();
const isNumber = (value: GridValue): value is number => typeof value === "number";

const CASES: readonly Case[] = [
  [[one("symbol", text("contains", "BTC"))], (row) => low(row.symbol ?? "").includes("btc")],
  [[one("symbol", text("notEqual", "btc/usdt"))], (row) => low(row.symbol ?? "") !== "btc/usdt"],
  [[one("symbol", { kind: "in", words: ["BTC/USDT", "x"] })], (row) => row.symbol === "btc/usdt"],
  [[one("symbol", { kind: "in", words: ["nothing"] })], () => false],
  [[one("name", text("contains", "%_1 \\"))], (row) => low(row.name ?? "").includes("%_1 \\")],
  [[one("name", text("contains", "_"))], (row) => low(row.name ?? "").includes("_")],
  [[one("name", text("endsWith", "B"))], (row) => low(row.name ?? "").endsWith("b")],
  [[one("name", text("startsWith", "TRY 1"))], (row) => low(row.name ?? "").startsWith("try 1")],
  [
    [one("name", text("equals", "try 100%_2 \\ b"))],
    (row) => low(row.name ?? "") === "try 100%_2 \\ b",
  ],
  [[one("name", blank)], (row) => row.name === null],
  [[one("name", { kind: "blank", isBlank: false })], (row) => row.name !== null],
  [
    [one("sharpe", number("gte", 1))],
    (row) => isNumber(row.sharpe ?? null) && Number(row.sharpe) >= 1,
  ],
  [[one("sharpe", number("equals", 0.1 + 0.2))], (row) => row.sharpe === 0.1 + 0.2],
  [
    [one("sharpe", number("notEqual", 1))],
    (row) => isNumber(row.sharpe ?? null) && row.sharpe !== 1,
  ],
  [
    [one("sharpe", { kind: "between", from: 1, to: 3 })],
    (row) => row.sharpe === 1 || row.sharpe === 3,
  ],
  [[one("sharpe", blank)], (row) => row.sharpe === null],
  [
    [{ column: "sharpe", join: "or", conditions: [blank, number("gt", 5)] }],
    (row) => row.sharpe === null || row.sharpe === 7,
  ],
  [
    [{ column: "sharpe", join: "and", conditions: [number("lt", 1), number("gt", 0)] }],
    (row) => row.sharpe === 1e-9 || row.sharpe === 0.1 + 0.2,
  ],
  [
    [one("profitFactor", number("gt", 1e300))],
    (row) => row.profitFactor === Number.POSITIVE_INFINITY,
  ],
  [
    [one("netProfit", number("lt", 0))],
    (row) => isNumber(row.netProfit ?? null) && Number(row.netProfit) < 0,
  ],
  [[one("feesTotal", number("equals", 2))], (row) => row.feesTotal === 2],
  [
    [one("cycles", number("gt", 2.5))],
    (row) => isNumber(row.cycles ?? null) && Number(row.cycles) > 2.5,
  ],
  [
    [one("cycles", number("lte", 1.5))],
    (row) => isNumber(row.cycles ?? null) && Number(row.cycles) <= 1.5,
  ],
  [[one("cycles", number("equals", 2.5))], () => false],
  [[one("cycles", number("lt", 1e300))], (row) => row.cycles !== null],
  [[one("timeframeMin", number("equals", 60))], (row) => row.timeframeMin === 60],
  [
    [one("status", { kind: "in", words: ["failed", "queued"] })],
    (row) => row.status !== "finished",
  ],
  [[one("isShortlisted", { kind: "flag", isSet: true })], (row) => row.isShortlisted === true],
  [[one("isShortlisted", { kind: "flag", isSet: false })], (row) => row.isShortlisted !== true],
  [[one("note", text("contains", "NOTE 1"))], (row) => row.note === "note 1"],
  [[one("note", blank)], (row) => row.note === null],
  [
    [one("createdAt", { kind: "span", from: NOW + 2, before: NOW + 5, isOutside: false })],
    (row) => Number(row.createdAt) >= NOW + 2 && Number(row.createdAt) < NOW + 5,
  ],
  [
    [one("createdAt", { kind: "span", from: NOW + 2, before: NOW + 5, isOutside: true })],
    (row) => Number(row.createdAt) < NOW + 2 || Number(row.createdAt) >= NOW + 5,
  ],
  [
    [one("direction", { kind: "in", words: ["short"] }), one("sharpe", number("lt", 2))],
    (row) => row.direction === "short" && isNumber(row.sharpe ?? null) && Number(row.sharpe) < 2,
  ],
];

databaseTest("every filter keeps exactly the runs it says, in every sort", async ({ sql }) => {
  const store = createRunRepository(sql);
  const scope = await testScope(sql, "one");
  await someRuns(store, scope, 40);
  const { rows } = await store.list(scope, BASE);
  const named = rows.map(({ id, cells }) => ({
    id,
    row: Object.fromEntries(KEYS.map((key, index) => [key, cells[index] ?? null])),
  }));
  const kept = new Map(named.map(({ id, row }) => [id, row]));
  for (const [filters, keeps] of CASES) {
    const first = filters[0]?.column ?? "";
    for (const column of ["createdAt", "sharpe", "name", "isShortlisted", "note", first]) {
      for (const direction of ["asc", "desc"] as const) {
        const query = { ...BASE, columns: [], sort: { column, direction } };
        const inOrder = await allPages(store, scope, query);
        const expected = inOrder.filter(({ id }) => keeps(kept.get(id) ?? {})).map(({ id }) => id);
        const found = await allPages(store, scope, { ...query, filters, limit: 4 });
        const label = `${JSON.stringify(filters)} ${column} ${direction}`;
        expect([label, found.map(({ id }) => id)]).toEqual([label, expected]);
      }
    }
  }
});

databaseTest("a search looks at name, symbol, strategy and number", async ({ sql }) => {
  const store = createRunRepository(sql);
  const scope = await testScope(sql, "one");
  const plain = { ...aRun, name: null };
  const first = await store.create(scope, { ...plain, name: "A%b" }, NOW);
  const second = await store.create(scope, { ...plain, symbol: "xyz/usdt" }, NOW);
  const third = await store.create(scope, { ...plain, strategyName: "Zebra" }, NOW);
  const find = async (search: string) => {
    const { rows } = await store.list(scope, { ...BASE, columns: [], search });
    return rows.map(({ id }) => id as RunId).toSorted((a, b) => a - b);
  };
  expect(await find("a%B")).toEqual([first]);
  expect(await find("%")).toEqual([first]);
  expect(await find("XYZ")).toEqual([second]);
  expect(await find("zebr")).toEqual([third]);
  expect(await find(`#${second}`)).toEqual([second]);
  expect(await find(String(third))).toEqual([third]);
  expect(await find("99999999999999999999")).toEqual([]);
});

databaseTest("the words of a column are those of the own workspace, each once", async ({ sql }) => {
  const store = createRunRepository(sql);
  const [scope, other] = [await testScope(sql, "one"), await testScope(sql, "two")];
  for (const symbol of ["b", "a", "b", "C"]) await store.create(scope, { ...aRun, symbol }, NOW);
  await store.create(other, { ...aRun, symbol: "theirs" }, NOW);
  expect((await store.words(scope, "symbol")).toSorted()).toEqual(["C", "a", "b"]);
  expect(await store.words(other, "symbol")).toEqual(["theirs"]);
});

databaseTest("a place that no page gave out leads nowhere and breaks nothing", async ({ sql }) => {
  const store = createRunRepository(sql);
  const scope = await testScope(sql, "one");
  await someRuns(store, scope, 10);
  for (const column of ["createdAt", "sharpe", "isShortlisted"]) {
    for (const part of [0, 1, 2, 9]) {
      const query = { ...BASE, sort: { column, direction: "desc" } as const };
      const page = await store.list(scope, { ...query, after: { part, value: null, id: 1 } });
      expect(page.rows.length).toBeLessThanOrEqual(10);
    }
  }
  expect(store.list(scope, { ...BASE, columns: ["password"] })).rejects.toThrow(
    "no column password",
  );
  expect(store.list(scope, { ...BASE, limit: 1001 })).rejects.toThrow("limit 1001");
});

databaseTest(
  "rows that come and go between two pages neither hide nor repeat others",
  async ({ sql }) => {
    const store = createRunRepository(sql);
    const scope = await testScope(sql, "one");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), async (deletes) => {
        await sql`delete from runs`;
        await someRuns(store, scope, 20);
        const query = {
          ...BASE,
          columns: [],
          sort: { column: "sharpe", direction: "desc" } as const,
        };
        const stable = new Set((await allPages(store, scope, query)).map(({ id }) => id));
        const seen: number[] = [];
        let after: GridQuery["after"] = null;
        do {
          const page: GridPage = await store.list(scope, { ...query, limit: 4, after });
          seen.push(...page.rows.map(({ id }) => id));
          after = page.next;
          if (deletes.pop()) {
            const victim = page.rows.at(-1)?.id;
            if (victim !== undefined) await store.remove(scope, [victim as RunId]);
          } else await store.create(scope, aRun, NOW);
        } while (after);
        expect(new Set(seen).size).toBe(seen.length);
        for (const id of stable) expect(seen).toContain(id);
      }),
      { numRuns: 5 },
    );
  },
);
