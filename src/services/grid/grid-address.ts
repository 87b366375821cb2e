// Reads what an address asks of a list and writes such addresses: `?sort=-sharpe&netReturn.gte=20`.
// Called by the routes of every list; anything it does not know is refused by name. Pure.
import { InputError } from "../../model/result.ts";
import type {
  GridColumn,
  GridCondition,
  GridCursor,
  GridFilter,
  GridQuery,
  GridSort,
} from "../../ports/grid.ts";
import { readCursor } from "./grid-cursor.ts";
import { type GridEntry, readEntry } from "./grid-entry.ts";

/** What a list allows. */
export type GridShape = {
  readonly columns: readonly GridColumn[];
  readonly sort: GridSort;
  readonly sizes: readonly number[];
  readonly size: number;
};

/** A list as somebody asked for it, still in their words. */
export type GridAddress = {
  readonly sort: GridSort;
  readonly entries: readonly GridEntry[];
  /** Columns whose two conditions are alternatives. */
  readonly either: readonly string[];
  readonly search: string | null;
  readonly size: number;
  /** A place as text; null for the first page. */
  readonly after: string | null;
};

/** The same as a query; the route adds the columns it wants to show. */
export type GridAsked = {
  readonly address: GridAddress;
  readonly query: Omit<GridQuery, "columns">;
};

const FILTERS_MAX = 20;
const CONDITIONS_MAX = 2;
const SEARCH_CHARS_MAX = 100;
const PLAIN: readonly string[] = ["sort", "q", "size", "after"];

/**
 * Reads the parameters of an address; empty ones count as absent, as forms send them.
 * @param now epoch milliseconds, for filters relative to it
 * @throws InputError naming the parameter and what is allowed
 */
export function readGridAddress(
  shape: GridShape,
  params: Iterable<readonly [string, string]>,
  now: number,
): GridAsked {
  const plain = new Map<string, string>();
  const typed: GridEntry[] = [];
  const either = new Set<string>();
  for (const [name, text] of params) {
    if (text === "") continue;
    const [column = "", operator, ...rest] = name.split(".");
    if (operator === undefined && PLAIN.includes(name)) plain.set(name, text);
    else if (operator === undefined || rest.length > 0) throw noParameter(name);
    else if (operator === "join") readJoin(shape, column, text, either);
    else typed.push({ column, operator, text });
  }
  const entries = merged(typed);
  const sort = readSort(shape, plain.get("sort"));
  const filters = readFilters(shape, entries, either, now);
  const search = readSearch(plain.get("q"));
  const size = readSize(shape, plain.get("size"));
  const after = readAfter(shape, sort, plain.get("after"));
  return {
    address: {
      sort,
      entries,
      either: [...either].filter((key) => entries.some(({ column }) => column === key)),
      search,
      size,
      after: plain.get("after") ?? null,
    },
    query: { sort, filters, search, limit: size, after },
  };
}

/** The query string of a list, without its question mark; what is usual is left out. */
export function writeGridAddress(shape: GridShape, address: Partial<GridAddress>): string {
  const { entries = [], either = [], search = null, size = shape.size, after = null } = address;
  const { column, direction } = address.sort ?? shape.sort;
  const params = new URLSearchParams();
  if (search !== null) params.append("q", search);
  for (const entry of entries) params.append(`${entry.column}.${entry.operator}`, entry.text);
  for (const key of either) params.append(`${key}.join`, "or");
  if (column !== shape.sort.column || direction !== shape.sort.direction) {
    params.append("sort", direction === "asc" ? column : `-${column}`);
  }
  if (size !== shape.size) params.append("size", String(size));
  if (after !== null) params.append("after", after);
  return params.toString();
}

/** What somebody sent, short enough to be repeated to them. */
function shown(text: string): string {
  const plain = text.replace(/\p{Cc}/gu, " ");
  return plain.length <= 60 ? plain : `${plain.slice(0, 57)}...`;
}

function noParameter(name: string): InputError {
  const known = `${PLAIN.join(", ")} and filters such as sharpe.gt are allowed`;
  return new InputError(`${shown(name)}: there is no such parameter; ${known}`);
}

/** @throws InputError naming every column there is */
function columnOf({ columns }: GridShape, place: string, key: string): GridColumn {
  const column = columns.find((each) => each.key === key);
  if (column) return column;
  const known = columns.map((each) => each.key).join(", ");
  throw new InputError(
    `${shown(place)}: there is no column "${shown(key)}"; the columns are ${known}`,
  );
}

function readJoin(shape: GridShape, key: string, text: string, either: Set<string>): void {
  const column = columnOf(shape, `${key}.join`, key);
  if (text !== "or" && text !== "and") {
    throw new InputError(`${key}.join is "${shown(text)}"; and or or is allowed`);
  }
  if (text === "or") either.add(column.key);
}

function readSort(shape: GridShape, text: string | undefined): GridSort {
  if (text === undefined) return shape.sort;
  const isDown = text.startsWith("-");
  const { key } = columnOf(shape, "sort", isDown ? text.slice(1) : text);
  return { column: key, direction: isDown ? "desc" : "asc" };
}

function readSearch(text: string | undefined): string | null {
  const wanted = text?.trim() ?? "";
  if (wanted.length > SEARCH_CHARS_MAX || /\p{Cc}/u.test(wanted)) {
    throw new InputError(`q: up to ${SEARCH_CHARS_MAX} characters of plain text are allowed`);
  }
  return wanted === "" ? null : wanted;
}

function readSize(shape: GridShape, text: string | undefined): number {
  const size = text === undefined ? shape.size : Number(text);
  if (shape.sizes.includes(size)) return size;
  throw new InputError(`size is "${shown(text ?? "")}"; ${shape.sizes.join(", ")} are allowed`);
}

function readAfter(shape: GridShape, sort: GridSort, text: string | undefined): GridCursor | null {
  if (text === undefined) return null;
  const cursor = readCursor(text, columnOf(shape, "sort", sort.column), sort);
  if (cursor) return cursor;
  throw new InputError(
    "after: this is no place in a list sorted like this one; begin again at its first page",
  );
}

/** Several `in` of one column are one list, as a form with a choice of several sends them. */
function merged(entries: readonly GridEntry[]): readonly GridEntry[] {
  const made = new Map<string, GridEntry>();
  for (const [index, entry] of entries.entries()) {
    const key = entry.operator === "in" ? entry.column : `${index}`;
    const known = made.get(key);
    made.set(key, known ? { ...known, text: `${known.text}|${entry.text}` } : entry);
  }
  return [...made.values()];
}

function readFilters(
  shape: GridShape,
  entries: readonly GridEntry[],
  either: ReadonlySet<string>,
  now: number,
): GridFilter[] {
  const found = new Map<string, GridCondition[]>();
  for (const entry of entries) {
    const place = `${entry.column}.${entry.operator}`;
    const column = columnOf(shape, place, entry.column);
    const conditions = found.get(column.key) ?? [];
    conditions.push(readAt(place, () => readEntry(column, entry, now)));
    if (conditions.length > CONDITIONS_MAX) {
      throw new InputError(`${place}: a column may have ${CONDITIONS_MAX} conditions, not more`);
    }
    found.set(column.key, conditions);
  }
  if (found.size > FILTERS_MAX) {
    throw new InputError(`${found.size} columns are filtered; ${FILTERS_MAX} are allowed`);
  }
  return [...found].map(([column, conditions]) => ({
    column,
    join: either.has(column) ? "or" : "and",
    conditions,
  }));
}

function readAt<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${shown(place)}: ${error.message}`);
    throw error;
  }
}
