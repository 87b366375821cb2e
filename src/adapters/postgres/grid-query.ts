// Reads one page of a filtered, sorted list in bounded time, at any depth. Called by the grids of this
// folder. There is no OFFSET and no count: a page starts behind the last row of the one before it,
// and no statement reads more rows than the limits below, however rare the matching ones are.
import { InvariantError } from "../../model/result.ts";
import type { GridCursor, GridPage, GridQuery, GridRow, GridValue } from "../../ports/grid.ts";
import type { Query, Sql } from "./connect.ts";
import {
  columnOf,
  type Fragment,
  type GridBounds,
  joined,
  type SortPart,
  type SqlColumn,
} from "./grid-condition.ts";
import { one, parseNumeric } from "./rows.ts";

/** A table in which some rows of a grid have an entry of their own, e.g. a user's marks. */
export type Satellite = {
  readonly table: Fragment;
  /** Id of the grid's row. */
  readonly id: Fragment;
  readonly scope: Fragment;
};

/** What a grid is made of; `table` and `join` make up the row that columns and filters speak of. */
export type GridSource = {
  readonly table: Fragment;
  readonly id: Fragment;
  readonly join: Fragment;
  /** What the join brings in. */
  readonly satellite: Satellite;
  /** Which rows belong to the asking scope; every index of the grid begins with it. */
  readonly scope: Fragment;
  readonly columns: Readonly<Record<string, SqlColumn>>;
};

/** The filters of a query as SQL. */
export type GridConditions = {
  /** All of them in one condition. */
  readonly all: Fragment;
  /** The range of the index of the sort in which all matching rows lie. */
  readonly bounds: GridBounds;
  /** Parts of the sort in which no row can match. */
  readonly emptyParts: ReadonlySet<number>;
};

/** Rows read in the order of the sort before anything else is tried: enough for common values. */
const GLANCE_ROWS = 600;
/** Rows collected by the filters' own indexes and sorted afterwards. */
const GATHER_ROWS = 6_000;
/** PostgreSQL's estimate for collecting; the price of GATHER_ROWS scattered rows. */
const GATHER_COST = 17_000;
/** Rows read in the order of the sort when the filters are not selective enough to collect. */
const LOOK_ROWS = 4_000;

type Plan = {
  readonly source: GridSource;
  readonly conditions: GridConditions | null;
  readonly wanted: readonly SqlColumn[];
  readonly column: SqlColumn;
  readonly sorted: Fragment;
  readonly parts: readonly SortPart[];
  readonly isDown: boolean;
  /** Rows shown on a page; one more is read, to know whether another page follows. */
  readonly limit: number;
  readonly after: GridCursor | null;
};

/** A row and its place in the order. */
type Found = { readonly place: GridCursor; readonly row: GridRow };

/** One page of the grid, as it was at one instant. */
export function readGridPage(
  sql: Sql,
  source: GridSource,
  query: GridQuery,
  conditions: GridConditions | null,
): Promise<GridPage> {
  const { columns, sort, limit, after } = query;
  const column = columnOf(source.columns, sort.column);
  const plan: Plan = {
    source,
    conditions,
    wanted: columns.map((key) => columnOf(source.columns, key)),
    column,
    sorted: column.sorted ?? column.value,
    parts: partsOf(column, sort.direction),
    isDown: sort.direction === "desc",
    limit,
    after,
  };
  const isBeyond = after !== null && after.part >= plan.parts.length;
  const open = openParts(plan);
  if (isBeyond || open.length === 0) return Promise.resolve(EMPTY_PAGE);
  return sql.begin("isolation level repeatable read read only", async (tx) => {
    // A plan made for any value would not know which of these are rare, and one that reads the
    // whole table has no limit.
    const settings = tx`
      select set_config('plan_cache_mode', 'force_custom_plan', true),
        set_config('enable_seqscan', 'off', true)`.execute();
    const [page] = await Promise.all([conditions ? filtered(tx, plan) : whole(tx, plan), settings]);
    return page;
  });
}

const EMPTY_PAGE: GridPage = { rows: [], next: null, lookedAt: null };

/** Without filters every row read is a row shown. */
async function whole(sql: Query, plan: Plan): Promise<GridPage> {
  const found: Found[] = [];
  for (const part of openParts(plan)) {
    const missing = plan.limit + 1 - found.length;
    if (missing === 0) break;
    const stretch = { part, behind: behindIn(plan, part), rowsMax: missing };
    found.push(...(await walk(sql, plan, stretch, missing)));
  }
  return pageOf(found, plan.limit);
}

/**
 * A glance serves common values, collecting serves rare ones, and looking through serves the rest;
 * what the glance found tells whether looking will fill the page.
 */
async function filtered(sql: Query, plan: Plan): Promise<GridPage> {
  const [part = 0] = openParts(plan);
  const glance = { part, behind: behindIn(plan, part), rowsMax: GLANCE_ROWS };
  const glanced = await walk(sql, plan, glance, plan.limit + 1);
  if (glanced.length > plan.limit) return pageOf(glanced, plan.limit);
  const isDense = glanced.length * (LOOK_ROWS / GLANCE_ROWS) > 2 * plan.limit;
  const gathered = isDense ? null : await gather(sql, plan);
  return gathered ? pageOf(gathered, plan.limit) : look(sql, plan);
}

/** The stretches of a sort, in order. The values of a flag are its parts; no other part has values. */
export function partsOf(column: SqlColumn, direction: "asc" | "desc"): readonly SortPart[] {
  const isTurned = direction === "desc" && column.kind === "flag";
  return isTurned ? column.parts.toReversed() : column.parts;
}

function pageOf(found: readonly Found[], limit: number): GridPage {
  const next = found.length > limit ? (found[limit - 1]?.place ?? null) : null;
  return { rows: found.slice(0, limit).map(({ row }) => row), next, lookedAt: null };
}

/** Parts from where the page begins that can hold a matching row. */
function openParts({ parts, after, conditions }: Plan): number[] {
  return [...parts.keys()].filter(
    (part) => part >= (after?.part ?? 0) && !conditions?.emptyParts.has(part),
  );
}

function behindIn({ after }: Plan, part: number): GridCursor | null {
  return after?.part === part ? after : null;
}

/** The next so many rows of a part. */
type Stretch = {
  readonly part: number;
  readonly behind: GridCursor | null;
  readonly rowsMax: number;
};

/** Matching rows of a stretch, in order. */
async function walk(sql: Query, plan: Plan, stretch: Stretch, wanted: number): Promise<Found[]> {
  const { source, conditions } = plan;
  const { part } = stretch;
  const rows = await sql`
    select ${cells(sql, plan, sortValue(sql, plan, part))}
    from (${rowsOf(sql, plan, stretch)}) as ${source.table}
    ${source.join}
    where ${conditions?.all ?? sql`true`}
    order by ${order(sql, plan, part)}
    limit ${wanted}`.values();
  return rows.map((row) => foundOf(plan, part, row));
}

function cells(sql: Query, { source, wanted }: Plan, value: Fragment): Fragment {
  const columns = sql`${source.id}, ${value}`;
  return wanted.reduce((all, each) => sql`${all}, ${each.value}`, columns);
}

function foundOf({ wanted }: Plan, part: number, row: readonly unknown[]): Found {
  const [id, value, ...values] = row as readonly [number, string | null, ...GridValue[]];
  const exact = values.map((cell, index) =>
    wanted[index]?.type === "numeric" && typeof cell === "string" ? parseNumeric(cell) : cell,
  );
  return { place: { part, value, id }, row: { id, cells: exact } };
}

function partOf({ parts }: Plan, part: number): SortPart {
  const found = parts[part];
  if (!found) throw new InvariantError(`a sort of ${parts.length} parts has no part ${part}`);
  return found;
}

/** Whole rows of a stretch; one that lies in the satellite is read there first. */
function rowsOf(sql: Query, plan: Plan, stretch: Stretch): Fragment {
  const { table, id, satellite } = plan.source;
  const { isInSatellite } = partOf(plan, stretch.part);
  if (!isInSatellite) return keysOf(sql, plan, stretch, sql`${table}.*`);
  const keys = keysOf(sql, plan, stretch, sql`${satellite.id} as key`);
  return sql`select ${table}.* from (${keys}) as marked join ${table} on ${id} = marked.key`;
}

/** Columns of a stretch, as a range of the index of its sort. */
function keysOf(sql: Query, plan: Plan, stretch: Stretch, columns: Fragment): Fragment {
  const { source, conditions } = plan;
  const { part, behind, rowsMax } = stretch;
  const { isInSatellite, where, hasValue } = partOf(plan, part);
  const { table, id, scope } = isInSatellite ? source.satellite : source;
  const bounds = hasValue && conditions ? boundsBehind(plan, conditions.bounds, behind) : [];
  return sql`
    select ${columns}
    from ${table} ${plan.column.isJoined && !isInSatellite ? source.join : sql``}
    where ${scope} and ${where}
      and ${joined(sql, bounds, "and")}
      ${behind ? sql`and ${isPast(sql, plan, behind, id)}` : sql``}
    order by ${order(sql, plan, part, id)}
    limit ${rowsMax}`;
}

/**
 * The ends of the range that still count behind a place. The one that was passed is left out:
 * PostgreSQL would begin to read at it, however far away the place is.
 */
function boundsBehind({ isDown }: Plan, { low, high }: GridBounds, behind: GridCursor | null) {
  if (!behind) return [...low, ...high];
  return isDown ? low : high;
}

/** Either every row of a part has a value or none has, so this is where an index has its nulls. */
function order(sql: Query, plan: Plan, part: number, id: Fragment = plan.source.id): Fragment {
  const { sorted, isDown } = plan;
  if (partOf(plan, part).index === "id") return isDown ? sql`${id} desc` : sql`${id} asc`;
  return isDown
    ? sql`${sorted} desc nulls first, ${id} desc`
    : sql`${sorted} asc nulls last, ${id} asc`;
}

function sortValue(sql: Query, plan: Plan, part: number): Fragment {
  return partOf(plan, part).hasValue ? sql`${plan.sorted}::text` : sql`null::text`;
}

/** Whether a row comes behind a place in its part. */
function isPast(sql: Query, plan: Plan, place: GridCursor, id: Fragment): Fragment {
  const side = plan.isDown ? sql`<` : sql`>`;
  if (!partOf(plan, place.part).hasValue) return sql`${id} ${side} ${place.id}::bigint`;
  const value = typedValue(sql, plan, place);
  return sql`(${plan.sorted}, ${id}) ${side} (${value}, ${place.id}::bigint)`;
}

/** The value travels as text: a numeric keeps digits that a float would lose. */
function typedValue(sql: Query, { column }: Plan, { value }: GridCursor): Fragment {
  switch (column.type) {
    case "text":
      return sql`${value}::text`;
    case "integer":
      return sql`${value}::text::bigint`;
    case "float8":
      return sql`${value}::text::float8`;
    case "numeric":
      return sql`${value}::text::numeric`;
    case "timestamptz":
      return sql`${value}::text::timestamptz`;
    case "boolean":
      return sql`${value}::text::boolean`;
  }
}

/** Where a stretch ends, and how many rows it has; null for one without rows. */
async function endOf(
  sql: Query,
  plan: Plan,
  stretch: Stretch,
): Promise<{ readonly end: GridCursor; readonly count: number } | null> {
  const { part } = stretch;
  const { isInSatellite, hasValue } = partOf(plan, part);
  const { id } = isInSatellite ? plan.source.satellite : plan.source;
  const back = plan.isDown ? sql`asc` : sql`desc`;
  const columns = sql`${id} as key, ${plan.sorted} as value`;
  const [last] = await sql<{ key: number; value: string | null; count: number }[]>`
    select key, value::text as value, count(*) over () as count
    from (${keysOf(sql, plan, stretch, columns)}) as stretch
    order by ${hasValue ? sql`stretch.value ${back}, key ${back}` : sql`key ${back}`}
    limit 1`;
  if (!last) return null;
  return {
    end: { part, value: hasValue ? last.value : null, id: last.key },
    count: last.count,
  };
}

/** Looks through the next LOOK_ROWS rows of the sort. */
async function look(sql: Query, plan: Plan): Promise<GridPage> {
  const found: Found[] = [];
  let lookedAt = 0;
  for (const part of openParts(plan)) {
    const stretch = { part, behind: behindIn(plan, part), rowsMax: LOOK_ROWS - lookedAt };
    found.push(...(await walk(sql, plan, stretch, plan.limit + 1 - found.length)));
    if (found.length > plan.limit) break;
    const reach = await endOf(sql, plan, stretch);
    lookedAt += reach?.count ?? 0;
    if (reach && lookedAt >= LOOK_ROWS) {
      return { rows: found.map(({ row }) => row), next: reach.end, lookedAt };
    }
  }
  return pageOf(found, plan.limit);
}

type Estimate = { readonly Plan: { readonly "Plan Rows": number; readonly "Total Cost": number } };

/**
 * Collects the matching rows by the filters' own indexes and sorts them; null when there are, or
 * seem to be, too many for that.
 */
async function gather(sql: Query, plan: Plan): Promise<Found[] | null> {
  const { source, conditions, after } = plan;
  const matching = sql`
    from ${source.table} ${source.join}
    where ${source.scope} and ${conditions?.all ?? sql`true`}`;
  const [[guess] = []] = await sql`explain (format json) select ${source.id} ${matching}`.values();
  const [{ Plan: cost }] = guess as readonly [Estimate];
  if (cost["Plan Rows"] > GATHER_ROWS || cost["Total Cost"] > GATHER_COST) return null;
  const way = plan.isDown ? sql`desc` : sql`asc`;
  // Of a flag only the part counts: missing and false are the same.
  const value = plan.parts.some(({ hasValue }) => hasValue) ? plan.sorted : sql`null::text`;
  const rows = await sql`
    with found as materialized (
      select ${source.id} as key, ${partNumber(sql, plan)} as part, ${value} as value
      ${matching}
      limit ${GATHER_ROWS + 1}
    ), page as (
      select * from found
      where ${after ? isPastGathered(sql, plan, after) : sql`true`}
      order by part, value ${way}, key ${way}
      limit ${plan.limit + 1}
    )
    select (select count(*) from found), page.part, ${cells(sql, plan, sql`page.value::text`)}
    from (select) as always
    left join page on true
    left join ${source.table} on ${source.id} = page.key
    ${source.join}
    order by page.part, page.value ${way}, page.key ${way}`.values();
  const [count] = one(rows);
  if (Number(count) > GATHER_ROWS) return null;
  const isEmpty = one(rows)[2] === null;
  return isEmpty ? [] : rows.map(([, part, ...row]) => foundOf(plan, Number(part), row));
}

function partNumber(sql: Query, { parts }: Plan): Fragment {
  const cases = parts.map(({ where }, part) => sql`when ${where} then ${part}::integer`);
  return sql`case ${cases.reduce((all, each) => sql`${all} ${each}`, sql``)} end`;
}

function isPastGathered(sql: Query, plan: Plan, place: GridCursor): Fragment {
  const side = plan.isDown ? sql`<` : sql`>`;
  const isPastInPart = partOf(plan, place.part).hasValue
    ? sql`(value, key) ${side} (${typedValue(sql, plan, place)}, ${place.id}::bigint)`
    : sql`key ${side} ${place.id}::bigint`;
  return sql`(part > ${place.part}::integer or (part = ${place.part}::integer and ${isPastInPart}))`;
}
