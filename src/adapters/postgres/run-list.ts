// Pages of the run list by keyset: each page starts behind the last row of the one before it, so a
// deep page costs what the first costs. Called by run-repository.ts alone.
import { assert } from "../../model/result.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { RunCursor, RunPage, RunQuery, RunSort } from "../../ports/run-store.ts";
import type { Query, Sql } from "./connect.ts";
import { type SummaryRow, summaryColumns, toSummary } from "./run-columns.ts";

const PAGE_MAX = 200;

/** Column and type of each sort; each has an index on (workspace_id, column, id). */
const SORTS: Readonly<Record<RunSort, { column: string; type: "bigint" | "numeric" | "float8" }>> =
  {
    id: { column: "id", type: "bigint" },
    net_profit: { column: "net_profit", type: "numeric" },
    net_return: { column: "net_return", type: "float8" },
    max_drawdown: { column: "max_drawdown", type: "float8" },
    sharpe: { column: "sharpe", type: "float8" },
    sortino: { column: "sortino", type: "float8" },
    calmar: { column: "calmar", type: "float8" },
    win_rate: { column: "win_rate", type: "float8" },
    profit_factor: { column: "profit_factor_rank", type: "float8" },
  };

type ListRow = SummaryRow & { readonly sortValue: string | number | null };

/** One page of runs; rows without a value follow those with one. */
export async function listRuns(sql: Sql, scope: Scope, query: RunQuery): Promise<RunPage> {
  const { limit, after } = query;
  assert(limit >= 1 && limit <= PAGE_MAX, `limit ${limit} is not 1..${PAGE_MAX}`);
  const wanted = limit + 1;
  const rows: ListRow[] = [];
  if (after === undefined || after.value !== null) {
    rows.push(...(await part(sql, scope, query, "valued", wanted, after)));
  }
  if (rows.length < wanted && query.sort !== "id") {
    const behind = after?.value === null ? after : undefined;
    rows.push(...(await part(sql, scope, query, "empty", wanted - rows.length, behind)));
  }
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return {
    runs: shown.map(toSummary),
    next: last ? { value: last.sortValue, id: last.id } : null,
  };
}

/** Rows with a value or rows without one, as one range of one index. */
async function part(
  sql: Sql,
  scope: Scope,
  query: RunQuery,
  which: "valued" | "empty",
  limit: number,
  after: RunCursor | undefined,
): Promise<ListRow[]> {
  const column = sql(`runs.${SORTS[query.sort].column}`);
  // Without empty rows their place is free: this spelling is the one an index can be read in.
  const order =
    query.direction === "asc"
      ? sql`${column} asc nulls last, runs.id asc`
      : sql`${column} desc nulls first, runs.id desc`;
  return await sql<ListRow[]>`
    select ${summaryColumns(sql)}, ${column} as sort_value
    from runs
    left join run_shortlists
      on run_shortlists.run_id = runs.id and run_shortlists.user_id = ${scope.userId}
    where runs.workspace_id = ${scope.workspaceId}
      and ${column} is ${which === "empty" ? sql`null` : sql`not null`}
      ${after === undefined ? sql`` : behind(sql, query, after)}
      ${filters(sql, query)}
    order by ${order}
    limit ${limit}`;
}

function behind(sql: Query, query: RunQuery, after: RunCursor) {
  const { column, type } = SORTS[query.sort];
  const beyond = query.direction === "asc" ? sql`>` : sql`<`;
  if (after.value === null) return sql`and runs.id ${beyond} ${after.id}`;
  const value = String(after.value);
  // The value travels as text: a numeric keeps digits that a float would lose.
  const typed = {
    bigint: sql`${value}::text::bigint`,
    numeric: sql`${value}::text::numeric`,
    float8: sql`${value}::text::float8`,
  };
  return sql`and (${sql(`runs.${column}`)}, runs.id) ${beyond} (${typed[type]}, ${after.id})`;
}

function filters(sql: Query, query: RunQuery) {
  const { strategyName, exchangeId, symbol, timeframeMin, status } = query;
  return sql`
    ${strategyName === undefined ? sql`` : sql`and runs.strategy_name = ${strategyName}`}
    ${exchangeId === undefined ? sql`` : sql`and runs.exchange_id = ${exchangeId}`}
    ${symbol === undefined ? sql`` : sql`and runs.symbol = ${symbol}`}
    ${timeframeMin === undefined ? sql`` : sql`and runs.timeframe_min = ${timeframeMin}`}
    ${status === undefined ? sql`` : sql`and runs.status = ${status}`}
    ${query.shortlistedOnly ? sql`and run_shortlists.is_shortlisted` : sql``}`;
}
