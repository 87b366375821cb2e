// The list of runs: which of its columns may be sorted and filtered by, and how each is stored.
// Called by run-repository.ts alone; a column that is not here does not exist for a query.
import { assert } from "../../model/result.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { GridPage, GridQuery } from "../../ports/grid.ts";
import type { RunStore } from "../../ports/run-store.ts";
import type { Query, Sql } from "./connect.ts";
import {
  boundsSql,
  columnOf,
  filterSql,
  type Fragment,
  type GridWords,
  joined,
  mayHold,
  type SqlColumn,
  type SqlType,
} from "./grid-condition.ts";
import { type GridConditions, type GridSource, partsOf, readGridPage } from "./grid-query.ts";
import { readWords } from "./grid-words.ts";

const PAGE_MAX = 1000;
const SEARCHED_WORDS = ["symbol", "strategyName"];
/** What is longer is no id. */
const ID_TEXT = /^[1-9]\d{0,14}$/;
/** In the order of an index. */
const VOCABULARIES: GridWords = new Map([
  ["kind", ["perps", "spot"]],
  ["direction", ["both", "long", "short"]],
  ["status", ["cancelled", "failed", "finished", "queued", "running"]],
]);

/** The list part of the run store. */
export function createRunGrid(sql: Sql): Pick<RunStore, "list" | "words"> {
  const columns = runColumns(sql);
  return {
    list: (scope, query) => list(sql, runSource(sql, scope, columns), query),
    words: async (scope, column) => {
      const source = runSource(sql, scope, columns);
      return (await readWords(sql, source, columnOf(columns, column).value)) ?? [];
    },
  };
}

function runSource(sql: Query, scope: Scope, columns: GridSource["columns"]): GridSource {
  return {
    table: sql`runs`,
    id: sql`runs.id`,
    join: sql`
      left join run_shortlists on run_shortlists.run_id = runs.id
        and run_shortlists.user_id = ${scope.userId}`,
    satellite: {
      table: sql`run_shortlists`,
      id: sql`run_shortlists.run_id`,
      scope: sql`run_shortlists.workspace_id = ${scope.workspaceId}
        and run_shortlists.user_id = ${scope.userId}`,
    },
    scope: sql`runs.workspace_id = ${scope.workspaceId}`,
    columns,
  };
}

async function list(sql: Sql, source: GridSource, query: GridQuery): Promise<GridPage> {
  const { limit } = query;
  assert(limit >= 1 && limit <= PAGE_MAX, `limit ${limit} is not 1..${PAGE_MAX}`);
  const words = await wordsOf(sql, source, query);
  return readGridPage(sql, source, query, conditionsOf(sql, source, query, words));
}

/** The values of those word columns that the query asks about. */
async function wordsOf(
  sql: Sql,
  source: GridSource,
  { filters, search }: GridQuery,
): Promise<GridWords> {
  const searched = search === null ? [] : SEARCHED_WORDS;
  const asked = filters
    .map(({ column }) => column)
    .filter((key) => columnOf(source.columns, key).kind === "word");
  const found = await Promise.all(
    [...new Set([...searched, ...asked])].map(async (key) => {
      const { value } = columnOf(source.columns, key);
      return [key, await readWords(sql, source, value)] as const;
    }),
  );
  return new Map([
    ...VOCABULARIES,
    ...found.flatMap(([key, words]) => (words ? [[key, words] as const] : [])),
  ]);
}

function conditionsOf(
  sql: Query,
  { columns }: GridSource,
  { filters, search, sort }: GridQuery,
  words: GridWords,
): GridConditions | null {
  const sorted = columnOf(columns, sort.column);
  const onSorted = filters.filter(({ column }) => column === sort.column);
  const bounds = onSorted.map((filter) => boundsSql(sql, sorted, filter, words.get(filter.column)));
  const all = filters.map((filter) =>
    filterSql(sql, columnOf(columns, filter.column), filter, words.get(filter.column)),
  );
  if (search !== null) all.push(searchSql(sql, columns, search, words));
  if (all.length === 0) return null;
  const emptyParts = [...partsOf(sorted, sort.direction).entries()]
    .filter(([, part]) => onSorted.some((filter) => !mayHold(part, filter)))
    .map(([index]) => index);
  return {
    all: joined(sql, all, "and"),
    bounds: {
      low: bounds.flatMap(({ low }) => low),
      high: bounds.flatMap(({ high }) => high),
    },
    emptyParts: new Set(emptyParts),
  };
}

function searchSql(
  sql: Query,
  columns: Readonly<Record<string, SqlColumn>>,
  text: string,
  words: GridWords,
): Fragment {
  const conditions = [{ kind: "text", operator: "contains", text }] as const;
  const contains = (key: string) => {
    const filter = { column: key, join: "and", conditions } as const;
    return filterSql(sql, columnOf(columns, key), filter, words.get(key));
  };
  const ways = ["name", ...SEARCHED_WORDS].map(contains);
  const number = text.replace(/^#/, "");
  if (ID_TEXT.test(number)) ways.push(sql`runs.id = ${number}::text::bigint`);
  return sql`(${joined(sql, ways, "or")})`;
}

/** A column every run has. */
function always(sql: Query, kind: SqlColumn["kind"], type: SqlType, value: Fragment): SqlColumn {
  return { kind, type, value, parts: [{ where: sql`true`, hasValue: true, index: "value" }] };
}

/** A column of finished runs, where it may still be missing. */
function metric(sql: Query, type: SqlType, value: Fragment): SqlColumn {
  const given = sql`runs.status = 'finished'`;
  return {
    kind: "number",
    type,
    value,
    given,
    parts: [
      { where: sql`${given} and ${value} is not null`, hasValue: true, index: "value" },
      { where: sql`${given} and ${value} is null`, hasValue: false, index: "value" },
      { where: sql`runs.status <> 'finished'`, hasValue: false, index: "id" },
    ],
  };
}

function runColumns(sql: Query): Readonly<Record<string, SqlColumn>> {
  const mark = sql`run_shortlists.is_shortlisted`;
  const note = sql`run_shortlists.note`;
  return {
    createdAt: always(sql, "date", "timestamptz", sql`runs.created_at`),
    name: {
      kind: "text",
      type: "text",
      value: sql`runs.name`,
      parts: [
        { where: sql`runs.name is not null`, hasValue: true, index: "value" },
        { where: sql`runs.name is null`, hasValue: false, index: "value" },
      ],
    },
    symbol: always(sql, "word", "text", sql`runs.symbol`),
    exchangeId: always(sql, "word", "text", sql`runs.exchange_id`),
    kind: always(sql, "set", "text", sql`runs.kind`),
    timeframeMin: always(sql, "number", "integer", sql`runs.timeframe_min`),
    direction: always(sql, "set", "text", sql`runs.direction`),
    strategyName: always(sql, "word", "text", sql`runs.strategy_name`),
    fromAt: always(sql, "date", "timestamptz", sql`runs.from_at`),
    toAt: always(sql, "date", "timestamptz", sql`runs.to_at`),
    span: always(sql, "number", "float8", sql`runs.span_s`),
    netReturn: metric(sql, "float8", sql`runs.net_return`),
    netProfit: metric(sql, "numeric", sql`runs.net_profit`),
    cagr: metric(sql, "float8", sql`runs.cagr`),
    maxDrawdown: metric(sql, "float8", sql`runs.max_drawdown`),
    sharpe: metric(sql, "float8", sql`runs.sharpe`),
    sortino: metric(sql, "float8", sql`runs.sortino`),
    calmar: metric(sql, "float8", sql`runs.calmar`),
    // A run without losses has no profit factor and still stands above every other.
    profitFactor: metric(sql, "float8", sql`runs.profit_factor_rank`),
    winRate: metric(sql, "float8", sql`runs.win_rate`),
    cpcIndex: metric(sql, "float8", sql`runs.cpc_index`),
    commonSenseRatio: metric(sql, "float8", sql`runs.common_sense_ratio`),
    roiOnMargin: metric(sql, "float8", sql`runs.roi_on_margin`),
    cycles: metric(sql, "integer", sql`runs.cycles`),
    fills: metric(sql, "integer", sql`runs.fills`),
    feesTotal: metric(sql, "numeric", sql`runs.fees_total`),
    fundingTotal: metric(sql, "numeric", sql`runs.funding_total`),
    exposure: metric(sql, "float8", sql`runs.exposure`),
    avgPositionTime: metric(sql, "float8", sql`runs.avg_position_time_s`),
    status: always(sql, "set", "text", sql`runs.status`),
    // Only shown beside the others; there is no index to sort them by.
    error: { kind: "text", type: "text", value: sql`runs.error`, parts: [] },
    liquidated: { kind: "flag", type: "boolean", value: sql`runs.liquidated`, parts: [] },
    isShortlisted: {
      kind: "flag",
      type: "boolean",
      value: mark,
      isJoined: true,
      parts: [
        { where: sql`${mark} is not true`, hasValue: false, index: "id", flag: false },
        { where: mark, hasValue: false, index: "id", flag: true, isInSatellite: true },
      ],
    },
    note: {
      kind: "text",
      type: "text",
      value: note,
      // A whole note may be longer than a cursor should be.
      sorted: sql`left(${note}, 80)`,
      isJoined: true,
      parts: [
        { where: sql`${note} is not null`, hasValue: true, index: "value", isInSatellite: true },
        { where: sql`${note} is null`, hasValue: false, index: "id" },
      ],
    },
  };
}
