// What a page of the list of runs may cost on real servers: rows read, counted by PostgreSQL itself,
// at any depth and for any filter.
import { expect } from "bun:test";
import { connect, type Sql } from "../../../src/adapters/postgres/connect.ts";
import { createRunRepository } from "../../../src/adapters/postgres/run-repository.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { GridCondition, GridFilter, GridPage, GridQuery } from "../../../src/ports/grid.ts";
import { databaseTest } from "../../support/database-test.ts";
import { testScope } from "../../support/test-database.ts";

const BASE: GridQuery = {
  columns: ["symbol"],
  sort: { column: "createdAt", direction: "desc" },
  filters: [],
  search: null,
  limit: 200,
  after: null,
};

const one = (column: string, condition: GridCondition): GridFilter => ({
  ...{ column, join: "and", conditions: [condition] },
});
const text = (operator: "contains" | "equals", word: string) =>
  ({ kind: "text", operator, text: word }) as const;
const number = (operator: "equals" | "lt" | "gt" | "gte", value: number) =>
  ({ kind: "number", operator, value }) as const;

/** Many finished runs; one in `rare` has the symbol R, one in `rare` of those has no Sharpe ratio. */
async function manyRuns(sql: Sql, scope: Scope, count: number, rare: number): Promise<void> {
  await sql`
    insert into runs (workspace_id, status, created_at, finished_at, strategy_name, exchange_id,
      symbol, kind, timeframe_min, direction, from_at, to_at, net_profit, net_return, sharpe)
    select ${scope.workspaceId}, 'finished', now(), now(), 's', 'woox',
      case when n % ${rare}::integer = 0 then 'R' else 'S' end, 'perps', 5, 'long',
      now() - interval '1 day', now(), n, n % 2, n
    from generate_series(1, ${count}::integer) as n`;
  await sql`vacuum analyze runs`;
}

/** Rows that statements on a single connection read from the tables' indexes and heap. */
async function counted(single: Sql, work: () => Promise<void>) {
  const read = async () => {
    await single`select pg_stat_force_next_flush()`;
    const [counts] = await single<{ rows: number; scans: number }[]>`
      select idx_tup_fetch as rows, seq_scan as scans
      from pg_stat_user_tables where relname = 'runs'`;
    return counts!;
  };
  const before = await read();
  await work();
  const after = await read();
  return { rows: after.rows - before.rows, scans: after.scans - before.scans };
}

databaseTest(
  "a deep page reads no more rows than it shows, without a filter",
  async ({ sql, target }) => {
    const scope = await testScope(sql, "one");
    await manyRuns(sql, scope, 5000, 50);
    const [middle] = await sql<{ id: number }[]>`select id from runs where sharpe = 2500`;
    // One connection, because the counters of a session are published when it asks for it.
    const single = connect(target, { max: 1 });
    try {
      const store = createRunRepository(single);
      for (const direction of ["asc", "desc"] as const) {
        const used = await counted(single, async () => {
          const after = { part: 0, value: "2500", id: middle!.id };
          const sort = { column: "sharpe", direction };
          const page = await store.list(scope, {
            ...BASE,
            sort,
            limit: 50,
            after,
          });
          expect(page.rows.length).toBe(50);
        });
        expect(used.scans).toBe(0);
        expect(used.rows).toBeGreaterThanOrEqual(50);
        expect(used.rows).toBeLessThanOrEqual(60);
      }
    } finally {
      await single.end();
    }
  },
);

databaseTest(
  "no filter, however rare, makes one page read more than its share",
  async ({ sql, target }) => {
    const scope = await testScope(sql, "one");
    await manyRuns(sql, scope, 60_000, 20_000);
    const single = connect(target, { max: 1 });
    try {
      const store = createRunRepository(single);
      const filters: GridFilter[][] = [
        [one("symbol", text("equals", "R"))],
        [one("name", text("contains", "nobody"))],
        [one("netReturn", number("gte", 1)), one("sharpe", number("lt", 0))],
        [
          one("netReturn", number("equals", 1)),
          one("netProfit", number("gt", 59_000)),
          one("symbol", text("equals", "R")),
        ],
      ];
      for (const each of filters) {
        for (const column of ["sharpe", "createdAt", "note"]) {
          const sort = { column, direction: "desc" } as const;
          const query = { ...BASE, sort, filters: each, limit: 100 };
          let after: GridQuery["after"] = null;
          let pages = 0;
          do {
            let next: GridQuery["after"] = null;
            const used = await counted(single, async () => {
              const page: GridPage = await store.list(scope, { ...query, after });
              next = page.next;
              if (page.next && page.rows.length < 100) expect(page.lookedAt).toBeGreaterThan(1000);
            });
            expect(used.scans).toBe(0);
            expect(used.rows).toBeLessThanOrEqual(20_000);
            after = next;
            pages += 1;
          } while (after && pages < 30);
          expect(pages).toBeLessThan(30);
        }
      }
    } finally {
      await single.end();
    }
  },
);

/** Blocks of the indexes of runs that statements on a single connection look at. */
async function indexBlocks(single: Sql, work: () => Promise<void>): Promise<number> {
  const read = async () => {
    await single`select pg_stat_force_next_flush()`;
    const [counts] = await single<{ blocks: number }[]>`
      select sum(idx_blks_read + idx_blks_hit)::bigint as blocks
      from pg_statio_user_indexes where relname = 'runs'`;
    return counts!.blocks;
  };
  const before = await read();
  await work();
  return (await read()) - before;
}

databaseTest(
  "a filter on the sorted column does not make a deep page walk the index to its place",
  async ({ sql, target }) => {
    const scope = await testScope(sql, "one");
    await manyRuns(sql, scope, 60_000, 20_000);
    const [middle] = await sql<{ id: number }[]>`select id from runs where sharpe = 30000`;
    const single = connect(target, { max: 1 });
    try {
      const store = createRunRepository(single);
      const cases: [filter: GridFilter, value: string][] = [
        [one("strategyName", text("equals", "s")), "s"],
        [one("timeframeMin", number("equals", 5)), "5"],
        [one("status", { kind: "in", words: ["finished"] }), "finished"],
      ];
      for (const [filter, value] of cases) {
        for (const direction of ["asc", "desc"] as const) {
          const sort = { column: filter.column, direction };
          const query = { ...BASE, sort, filters: [filter], limit: 50 };
          const page = (after: GridQuery["after"]) => async () => {
            expect((await store.list(scope, { ...query, after })).rows.length).toBe(50);
          };
          await page(null)();
          const first = await indexBlocks(single, page(null));
          const deep = await indexBlocks(single, page({ part: 0, value, id: middle!.id }));
          expect(deep).toBeLessThanOrEqual(first + 20);
        }
      }
    } finally {
      await single.end();
    }
  },
);
