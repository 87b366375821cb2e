// What the list of runs shows, from what the service found: rows of cells, headings, chips, fields of
// the bar. Used by runs.tsx alone; it asks nobody.
import type { GridHead } from "../../../views/components/data-grid.tsx";
import type { BarField, Chip } from "../../../views/components/grid-filters.tsx";
import type { GridNext, GridRowHtml } from "../../../views/components/grid-rows.tsx";
import { type RunCellContext, runCell } from "../../../views/components/run-cells.ts";
import type { RunsProps } from "../../../views/pages/runs.tsx";
import type { GridPage, GridValue } from "../../ports/grid.ts";
import { includesRole } from "../../services/desk/tokens.ts";
import {
  type GridAddress,
  type GridAsked,
  writeGridAddress,
} from "../../services/grid/grid-address.ts";
import { writeCursor } from "../../services/grid/grid-cursor.ts";
import type { GridEntry } from "../../services/grid/grid-entry.ts";
import type { GridLayout } from "../../services/grid/grid-layout.ts";
import { entryText, filterChoice } from "../../services/grid/grid-words.ts";
import {
  RUN_COLUMNS,
  RUN_SHAPE,
  type RunChoices,
  type RunColumn,
} from "../../services/research/run-list.ts";
import type { Visitor } from "../route.ts";

/** Everything the page is made of. */
type Found = {
  readonly wanted: GridAsked;
  readonly layout: GridLayout;
  readonly page: GridPage;
  /** Rows of this page that were sent before. */
  readonly have: number;
  readonly visitor: Visitor;
};

/** What cells need beside the columns shown. */
const CONTEXT_COLUMNS = ["symbol", "error", "liquidated"] as const;
const COLUMNS = new Map(RUN_COLUMNS.map((column) => [column.key, column]));

/** The columns to ask for: those shown, then what their cells need. */
export function columnsOf(layout: GridLayout): string[] {
  return [...layout.map(({ key }) => key), ...CONTEXT_COLUMNS];
}

function addressOf(address: Partial<GridAddress>, path = "/runs"): string {
  const query = writeGridAddress(RUN_SHAPE, address);
  return query === "" ? path : `${path}?${query}`;
}

/** Rows of cells, and where the next ones are. */
export function runRows(found: Found): {
  readonly rows: readonly GridRowHtml[];
  readonly next: GridNext | null;
} {
  const { layout, page, visitor } = found;
  const { timeZone } = visitor.session.user;
  const writers = layout.map(({ key }) => runCell(key));
  const rows = page.rows.map(({ id, cells }) => {
    const context = contextOf(id, cells.slice(layout.length), timeZone);
    return { id, cells: writers.map((write, index) => write(cells[index] ?? null, context)) };
  });
  return { rows, next: nextOf(found) };
}

function contextOf(id: number, values: readonly GridValue[], timeZone: string): RunCellContext {
  const [symbol, error, liquidated] = values;
  return {
    id,
    timeZone,
    symbol: String(symbol),
    error: typeof error === "string" ? error : null,
    isLiquidated: liquidated === true,
  };
}

function nextOf({ wanted, page, have }: Found): GridNext | null {
  const { address, query } = wanted;
  if (!page.next) return null;
  const after = writeCursor(query.sort, page.next);
  const sent = have + page.rows.length;
  const isWhole = page.lookedAt === null || sent >= query.limit;
  const rowsHref = addressOf({ ...address, after }, "/runs/rows");
  return {
    href: addressOf({ ...address, after }),
    rowsHref: isWhole ? rowsHref : `${rowsHref}&have=${sent}`,
    size: query.limit,
    lookedAt: isWhole ? null : page.lookedAt,
  };
}

/** The whole page but its frame. */
export function runsProps(
  found: Found & { readonly choices: RunChoices },
): Omit<RunsProps, "frame" | "done"> {
  const { wanted, layout, choices, visitor } = found;
  const { address } = wanted;
  const isLater = address.after !== null;
  const fields = barFields(address, choices);
  return {
    csrf: visitor.csrf,
    mayTrade: includesRole(visitor.session.role, "trader"),
    fields,
    kept: keptOf(address, fields),
    chips: chipsOf(address),
    columns: choicesOf(layout),
    data: RUN_COLUMNS.map(filterChoice),
    query: writeGridAddress(RUN_SHAPE, { ...address, after: null }),
    isLater,
    grid: { ...runRows(found), heads: layout.flatMap((shown) => headOf(shown, address)) },
  };
}

function headOf({ key, width }: GridLayout[number], address: GridAddress): GridHead[] {
  const column = COLUMNS.get(key);
  if (!column) return [];
  const { sort } = address;
  const isSorted = sort.column === key;
  const isDown = isSorted && sort.direction === "desc";
  // The first click on figures brings the largest, on words the first of the alphabet.
  const isFirstDown = column.kind === "number" || column.kind === "date" || column.kind === "flag";
  const turned = isDown ? "asc" : "desc";
  const direction = isSorted ? turned : isFirstDown ? "desc" : "asc";
  return [
    {
      key,
      label: column.label,
      about: column.about,
      isNumber: column.kind === "number" || column.kind === "date",
      width,
      sorted: isSorted ? (isDown ? "descending" : "ascending") : null,
      isFiltered: address.entries.some((entry) => entry.column === key),
      isPinned: key === "symbol",
      href: addressOf({ ...address, sort: { column: key, direction }, after: null }),
    },
  ];
}

function choicesOf(layout: GridLayout) {
  const shown = new Map(layout.map(({ key, width }) => [key, width]));
  const rest = RUN_COLUMNS.filter(({ key }) => !shown.has(key)).map(({ key }) => key);
  return [...shown.keys(), ...rest].map((key) => ({
    key,
    label: COLUMNS.get(key)?.label ?? key,
    isShown: shown.has(key),
    width: shown.get(key) ?? null,
  }));
}

function chipsOf(address: GridAddress): Chip[] {
  const { entries, search, either } = address;
  const chips = entries.map((entry, index) => {
    const isSecond = entries.findIndex(({ column }) => column === entry.column) < index;
    const text = entryText(COLUMNS.get(entry.column) as RunColumn, entry);
    const rest = { ...address, entries: entries.toSpliced(index, 1), after: null };
    const word = isSecond && either.includes(entry.column) ? "or " : "";
    return { text: `${word}${text}`, href: addressOf(rest) };
  });
  if (search === null) return chips;
  const href = addressOf({ ...address, search: null, after: null });
  return [{ text: `Search: ${search}`, href }, ...chips];
}

const CREATED = [
  ["7d", "Last week"],
  ["30d", "Last 30 days"],
  ["90d", "Last 90 days"],
  ["180d", "Last 180 days"],
] as const;
const TIMEFRAMES = [
  ["1", "1m"],
  ["3", "3m"],
  ["5", "5m"],
  ["15", "15m"],
  ["60", "1h"],
  ["240", "4h"],
  ["1440", "1d"],
] as const;
const DIRECTIONS = [
  ["long", "Long"],
  ["short", "Short"],
  ["both", "Both"],
] as const;

function barFields({ entries, search }: GridAddress, choices: RunChoices): BarField[] {
  const textOf = (name: string) =>
    entries.find((entry) => `${entry.column}.${entry.operator}` === name)?.text ?? "";
  const choice = (
    id: string,
    name: string,
    label: string,
    offered: readonly (readonly [value: string, label: string])[],
  ): BarField => {
    const value = textOf(name);
    const isOffered = value === "" || offered.some(([each]) => each === value);
    const all = isOffered ? offered : [...offered, [value, value.replaceAll("|", ", ")] as const];
    return {
      id,
      name,
      label,
      value,
      options: all.map(([each, text]) => ({ value: each, label: text })),
    };
  };
  const same = (words: readonly string[]) => words.map((word) => [word, word] as const);
  return [
    {
      id: "filter-q",
      name: "q",
      label: "Search",
      value: search ?? "",
      placeholder: "Name, number, symbol…",
    },
    choice("filter-symbol", "symbol.in", "Symbol", same(choices.symbols)),
    choice("filter-timeframe", "timeframeMin.equals", "Timeframe", TIMEFRAMES),
    choice("filter-direction", "direction.in", "Direction", DIRECTIONS),
    choice("filter-strategy", "strategyName.in", "Strategy", same(choices.strategies)),
    {
      id: "filter-return",
      name: "netReturn.gte",
      label: "Min return %",
      value: textOf("netReturn.gte"),
      type: "number",
    },
    choice("filter-created", "createdAt.within", "Created", CREATED),
  ];
}

/** Parameters of the address that no field of the bar stands for, one of each name at most. */
function keptOf(
  { entries, either, sort, size }: GridAddress,
  fields: readonly BarField[],
): [name: string, value: string][] {
  const inBar = new Set(fields.map(({ name }) => name));
  const kept: GridEntry[] = [];
  for (const entry of entries) {
    if (!inBar.delete(`${entry.column}.${entry.operator}`)) kept.push(entry);
  }
  const rest = writeGridAddress(RUN_SHAPE, { entries: kept, either, sort, size });
  return [...new URLSearchParams(rest)];
}
