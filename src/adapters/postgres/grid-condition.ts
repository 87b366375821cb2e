// Turns the filters of a list into SQL. Called by the grids of this folder; columns come from their
// allow-lists, everything a person typed travels as a bound parameter and never as text.
import type postgres from "postgres";
import { InvariantError } from "../../model/result.ts";
import type {
  GridCondition,
  GridFilter,
  GridKind,
  NumberOperator,
  TextOperator,
} from "../../ports/grid.ts";
import type { Query } from "./connect.ts";
import { at } from "./rows.ts";

/** A piece of SQL with its parameters; it is never awaited. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** How a column is stored, which decides how parameters must be typed for its index to be used. */
export type SqlType = "text" | "integer" | "float8" | "numeric" | "timestamptz" | "boolean";

/** A stretch of a sort that one index can be read in. */
export type SortPart = {
  readonly where: Fragment;
  /** Whether its rows have a value to be sorted by; the others are sorted by id alone. */
  readonly hasValue: boolean;
  /** Whether the index it is read in holds the column, if only its nulls, or ids alone. */
  readonly index: "value" | "id";
  /** Its rows are those with an entry in the joined table, so it is read from there. */
  readonly isInSatellite?: true;
  /** The value of a flag in all its rows. */
  readonly flag?: boolean;
};

/** An entry of a grid's allow-list. */
export type SqlColumn = {
  readonly kind: GridKind;
  readonly type: SqlType;
  readonly value: Fragment;
  /** What it is sorted by, where that is not the value itself. */
  readonly sorted?: Fragment;
  /** Stretches of the ascending order, in order; together they are all rows. */
  readonly parts: readonly SortPart[];
  /** What every row with a value satisfies and its partial index wants to hear. */
  readonly given?: Fragment;
  /** The value comes from the joined table. */
  readonly isJoined?: true;
};

/** The different values of the word and set columns that a query asks about, in the index's order. */
export type GridWords = ReadonlyMap<string, readonly string[]>;

/** The column of an allow-list. @throws InvariantError when it has none of that name */
export function columnOf(columns: Readonly<Record<string, SqlColumn>>, key: string): SqlColumn {
  const column = Object.hasOwn(columns, key) ? columns[key] : undefined;
  if (!column) throw new InvariantError(`the grid has no column ${key}`);
  return column;
}

/** Glues conditions; all of them hold, or at least one. */
export function joined(sql: Query, parts: readonly Fragment[], how: "and" | "or"): Fragment {
  const [first, ...rest] = parts;
  if (!first) return how === "and" ? sql`true` : sql`false`;
  const glue = how === "and" ? sql`and` : sql`or`;
  return rest.reduce((all, next) => sql`${all} ${glue} ${next}`, sql`${first}`);
}

/** Whether a row that meets the filter may lie in the part. */
export function mayHold(part: SortPart, { conditions, join }: GridFilter): boolean {
  const may = (condition: GridCondition) => {
    if (condition.kind === "flag") return part.flag === condition.isSet;
    return part.hasValue || part.flag !== undefined
      ? condition.kind !== "blank" || !condition.isBlank
      : condition.kind === "blank" && condition.isBlank;
  };
  return join === "and" ? conditions.every(may) : conditions.some(may);
}

/** Ends of the range of a column's index in which matching rows lie; none is no end. */
export type GridBounds = { readonly low: readonly Fragment[]; readonly high: readonly Fragment[] };

const NO_BOUNDS: GridBounds = { low: [], high: [] };

/**
 * The range that a filter bounds, as far as an index can serve it; it may hold more rows than the
 * filter lets through. A single value is a range as well: PostgreSQL takes an equality out of the
 * order and then walks another index.
 */
export function boundsSql(
  sql: Query,
  column: SqlColumn,
  { conditions, join }: GridFilter,
  words: readonly string[] | undefined,
): GridBounds {
  if (join === "or" && conditions.length > 1) return NO_BOUNDS;
  const all = conditions.map((condition) => conditionBounds(sql, column, condition, words));
  return { low: all.flatMap(({ low }) => low), high: all.flatMap(({ high }) => high) };
}

function conditionBounds(
  sql: Query,
  column: SqlColumn,
  condition: GridCondition,
  words: readonly string[] | undefined,
): GridBounds {
  const number = (operator: NumberOperator, value: number) => [
    numberSql(sql, column, operator, value),
  ];
  switch (condition.kind) {
    case "number": {
      const { operator, value } = condition;
      if (operator === "notEqual") return NO_BOUNDS;
      if (operator === "gt" || operator === "gte")
        return { low: number(operator, value), high: [] };
      if (operator === "lt" || operator === "lte")
        return { low: [], high: number(operator, value) };
      return { low: number("gte", value), high: number("lte", value) };
    }
    case "between":
      return { low: number("gte", condition.from), high: number("lte", condition.to) };
    case "span":
      return spanBounds(sql, column, condition);
    case "text":
    case "in":
      return wordBounds(sql, column, wordsMet(condition, words));
    case "blank":
    case "flag":
      return NO_BOUNDS;
  }
}

function spanBounds(
  sql: Query,
  { value }: SqlColumn,
  { from, before, isOutside }: Extract<GridCondition, { kind: "span" }>,
): GridBounds {
  if (isOutside) return NO_BOUNDS;
  return {
    low: from === null ? [] : [sql`${value} >= ${at(from)}`],
    high: before === null ? [] : [sql`${value} < ${at(before)}`],
  };
}

/** From the first to the last of some words: a list would not keep the order of the index. */
function wordBounds(sql: Query, { value }: SqlColumn, words: readonly string[] | null): GridBounds {
  if (!words) return NO_BOUNDS;
  const [first, last] = [words[0], words.at(-1)];
  if (first === undefined || last === undefined) return { low: [sql`false`], high: [sql`false`] };
  return { low: [sql`${value} >= ${first}::text`], high: [sql`${value} <= ${last}::text`] };
}

/** One filter as a condition in brackets. */
export function filterSql(
  sql: Query,
  column: SqlColumn,
  filter: GridFilter,
  words: readonly string[] | undefined,
): Fragment {
  const conditions = filter.conditions.map((condition) =>
    conditionSql(sql, column, condition, words),
  );
  const all = joined(sql, conditions, filter.join);
  const mayBeBlank = filter.conditions.some((each) => each.kind === "blank" && each.isBlank);
  return column.given && !mayBeBlank ? sql`(${column.given} and (${all}))` : sql`(${all})`;
}

function conditionSql(
  sql: Query,
  column: SqlColumn,
  condition: GridCondition,
  words: readonly string[] | undefined,
): Fragment {
  const { value } = column;
  switch (condition.kind) {
    case "blank":
      return condition.isBlank ? sql`${value} is null` : sql`${value} is not null`;
    case "flag":
      return condition.isSet ? sql`${value}` : sql`${value} is not true`;
    case "text": {
      const known = wordsMet(condition, words);
      if (known) return sql`${value} = any(${[...known]}::text[])`;
      return textSql(sql, value, condition.operator, condition.text);
    }
    case "in": {
      const known = wordsMet(condition, words) ?? condition.words;
      return sql`${value} = any(${[...known]}::text[])`;
    }
    case "number":
      return numberSql(sql, column, condition.operator, condition.value);
    case "between": {
      const from = numberSql(sql, column, "gte", condition.from);
      return sql`(${from} and ${numberSql(sql, column, "lte", condition.to)})`;
    }
    case "span":
      return spanSql(sql, column, condition);
  }
}

/** Those of the column's words that meet the condition; null when its words are not at hand. */
function wordsMet(
  condition: Extract<GridCondition, { kind: "text" | "in" }>,
  words: readonly string[] | undefined,
): readonly string[] | null {
  if (condition.kind === "text") {
    return words?.filter(textTest(condition.operator, condition.text)) ?? null;
  }
  const wanted = new Set(condition.words.map((word) => word.toLowerCase()));
  return words?.filter((word) => wanted.has(word.toLowerCase())) ?? null;
}

/** The same comparison as `textSql`, for words that are at hand. */
function textTest(operator: TextOperator, text: string): (word: string) => boolean {
  const wanted = text.toLowerCase();
  const tests: Readonly<Record<TextOperator, (word: string) => boolean>> = {
    contains: (word) => word.includes(wanted),
    equals: (word) => word === wanted,
    notEqual: (word) => word !== wanted,
    startsWith: (word) => word.startsWith(wanted),
    endsWith: (word) => word.endsWith(wanted),
  };
  return (word) => tests[operator](word.toLowerCase());
}

function textSql(sql: Query, value: Fragment, operator: TextOperator, text: string): Fragment {
  const column = sql`lower(${value})`;
  const wanted = sql`lower(${text}::text)`;
  switch (operator) {
    case "contains":
      return sql`strpos(${column}, ${wanted}) > 0`;
    case "equals":
      return sql`${column} = ${wanted}`;
    case "notEqual":
      return sql`${column} <> ${wanted}`;
    case "startsWith":
      return sql`starts_with(${column}, ${wanted})`;
    case "endsWith":
      return sql`right(${column}, length(${wanted})) = ${wanted}`;
  }
}

/** Beyond every integer column, and exact as a bigint. */
const INTEGER_MAX = 9e15;

function numberSql(
  sql: Query,
  { type, value }: SqlColumn,
  operator: NumberOperator,
  wanted: number,
): Fragment {
  if (type === "integer") return integerSql(sql, value, operator, wanted);
  const text = String(wanted);
  const typed = type === "numeric" ? sql`${text}::text::numeric` : sql`${text}::text::float8`;
  return compared(sql, value, operator, typed);
}

/** An index of integers is of use only when the other side is one as well. */
function integerSql(sql: Query, value: Fragment, operator: NumberOperator, wanted: number) {
  const isUp = operator === "gte" || operator === "lt";
  const clamped = Math.max(-INTEGER_MAX, Math.min(INTEGER_MAX, wanted));
  if (!Number.isInteger(clamped)) {
    if (operator === "equals") return sql`false`;
    if (operator === "notEqual") return sql`${value} is not null`;
  }
  const whole = isUp ? Math.ceil(clamped) : Math.floor(clamped);
  return compared(sql, value, operator, sql`${String(whole)}::text::bigint`);
}

function compared(sql: Query, value: Fragment, operator: NumberOperator, to: Fragment): Fragment {
  switch (operator) {
    case "equals":
      return sql`${value} = ${to}`;
    case "notEqual":
      return sql`${value} <> ${to}`;
    case "lt":
      return sql`${value} < ${to}`;
    case "lte":
      return sql`${value} <= ${to}`;
    case "gt":
      return sql`${value} > ${to}`;
    case "gte":
      return sql`${value} >= ${to}`;
  }
}

function spanSql(
  sql: Query,
  column: SqlColumn,
  span: Extract<GridCondition, { kind: "span" }>,
): Fragment {
  const { low, high } = spanBounds(sql, column, { ...span, isOutside: false });
  const inside = joined(sql, [...low, ...high], "and");
  return span.isOutside ? sql`(not (${inside}))` : sql`(${inside})`;
}
