// A filtered list as CSV, page by page, so that a long one never lies in memory whole (RFC 4180). Called
// by the lists' services. Text that a spreadsheet would run as a formula is made plain text.
import { plainNumber } from "../../model/decimal.ts";
import { type EpochMs, isoUtc } from "../../model/time.ts";
import type { GridColumn, GridPage, GridQuery, GridValue } from "../../ports/grid.ts";

/** Rows of one piece of the file. */
const PIECE_ROWS = 1000;
const LINE_END = "\r\n";
/** What spreadsheets take for the beginning of a formula, in either width. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/u;

function textCell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Numbers in stored units without exponents, instants in ISO 8601 UTC, nothing for no value. */
function csvCell({ kind }: GridColumn, value: GridValue): string {
  if (value === null) return kind === "flag" ? "false" : "";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return textCell(value);
  return kind === "date" ? isoUtc(value as EpochMs) : plainNumber(value);
}

/** The file: ids and the columns, then every row that the query finds from its first page on. */
export async function* gridCsv(
  columns: readonly GridColumn[],
  query: Omit<GridQuery, "columns" | "limit" | "after">,
  read: (query: GridQuery) => Promise<GridPage>,
): AsyncGenerator<string> {
  const keys = columns.map(({ key }) => key);
  yield `${["id", ...keys].join(",")}${LINE_END}`;
  let after: GridQuery["after"] = null;
  do {
    const page: GridPage = await read({ ...query, columns: keys, limit: PIECE_ROWS, after });
    const lines = page.rows.map(({ id, cells }) =>
      [id, ...columns.map((column, index) => csvCell(column, cells[index] ?? null))].join(","),
    );
    if (lines.length > 0) yield `${lines.join(LINE_END)}${LINE_END}`;
    after = page.next;
  } while (after);
}
