// What a list may be asked: filters per column, one sort, one page by keyset. Interfaces only, the same
// for every list; web addresses are read into it by services/grid, adapters/postgres answers it.
import type { EpochMs } from "../model/time.ts";

/**
 * What a column holds. `word` is text with few different values over all rows (a symbol), `set` one
 * of a fixed vocabulary; numbers are in stored units, dates are instants.
 */
export type GridKind = "text" | "word" | "number" | "date" | "set" | "flag";

/** How a number in an address becomes the stored one. */
export type GridUnit = "percent" | "hours" | "days";

/** A column that can be filtered and sorted. */
export type GridColumn = {
  readonly key: string;
  readonly kind: GridKind;
  /** Of a number; stored as it is shown when absent. */
  readonly unit?: GridUnit;
  /** Of a number: only whole ones are stored. */
  readonly isWhole?: true;
  /** Of a set: everything it may be. */
  readonly vocabulary?: readonly string[];
};

/** How text is compared; letters of either case are equal, and nothing in the text is a wildcard. */
export type TextOperator = "contains" | "equals" | "notEqual" | "startsWith" | "endsWith";

/** How numbers are compared. */
export type NumberOperator = "equals" | "notEqual" | "lt" | "lte" | "gt" | "gte";

/** One condition on one column. Only `blank` is met by a row without a value. */
export type GridCondition =
  | { readonly kind: "blank"; readonly isBlank: boolean }
  | { readonly kind: "text"; readonly operator: TextOperator; readonly text: string }
  /** Of words and sets; letters of either case are equal. */
  | { readonly kind: "in"; readonly words: readonly string[] }
  | { readonly kind: "number"; readonly operator: NumberOperator; readonly value: number }
  /** Both ends belong to it. */
  | { readonly kind: "between"; readonly from: number; readonly to: number }
  /** From (inclusive) to before; null is open. `isOutside` turns it round. */
  | {
      readonly kind: "span";
      readonly from: EpochMs | null;
      readonly before: EpochMs | null;
      readonly isOutside: boolean;
    }
  | { readonly kind: "flag"; readonly isSet: boolean };

/** One or two conditions on one column. */
export type GridFilter = {
  readonly column: string;
  readonly join: "and" | "or";
  readonly conditions: readonly GridCondition[];
};

/** Rows without a value come last either way; equal values by id. */
export type GridSort = { readonly column: string; readonly direction: "asc" | "desc" };

/**
 * The row a page begins behind. `part` counts the stretches a sort consists of (rows with a value,
 * then rows without); `value` is the row's sort value as the store writes it, null where it has none.
 */
export type GridCursor = {
  readonly part: number;
  readonly value: string | null;
  readonly id: number;
};

/** Which rows, in which order, how many. All filters hold at once. */
export type GridQuery = {
  /** What each row brings, in this order. */
  readonly columns: readonly string[];
  readonly sort: GridSort;
  readonly filters: readonly GridFilter[];
  /** Looked for in the columns that the list searches, and as an id. */
  readonly search: string | null;
  /** 1..1000 */
  readonly limit: number;
  readonly after: GridCursor | null;
};

/** Amounts and metrics as numbers, instants as epoch milliseconds. */
export type GridValue = string | number | boolean | null;

/** A row with the values of the columns asked for. */
export type GridRow = { readonly id: number; readonly cells: readonly GridValue[] };

/**
 * One page; `next` is null on the last one. A page may hold fewer rows than asked for, even none, and
 * still have a next: the store looks through a bounded number of rows at a time.
 */
export type GridPage = {
  readonly rows: readonly GridRow[];
  readonly next: GridCursor | null;
  /** How many rows were looked through for a page that is not full; null for every other. */
  readonly lookedAt: number | null;
};
