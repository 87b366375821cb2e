// A place in a list as it travels in an address: opaque to people, checked before it is believed. It
// holds nothing of a row but its id and its sort value. Pure; called by grid-address.ts.
import type { GridColumn, GridCursor, GridSort } from "../../ports/grid.ts";

/** Longer ones are not ours. */
const CURSOR_CHARS_MAX = 4000;
const PART_MAX = 9;

/** Writes a place of the sort. */
export function writeCursor({ column, direction }: GridSort, cursor: GridCursor): string {
  const place = [column, direction, cursor.part, cursor.value, cursor.id];
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** Reads a place of this very sort; null for anything that no page of it gave out. */
export function readCursor(text: string, column: GridColumn, sort: GridSort): GridCursor | null {
  if (text.length > CURSOR_CHARS_MAX || !/^[\w-]+$/.test(text)) return null;
  let place: unknown;
  try {
    place = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    return null;
  }
  if (!Array.isArray(place) || place.length !== 5) return null;
  const [key, direction, part, value, id] = place as readonly unknown[];
  if (key !== sort.column || direction !== sort.direction) return null;
  if (!isWhole(part, 0, PART_MAX) || !isWhole(id, 1, Number.MAX_SAFE_INTEGER)) return null;
  if (value === null) return { part, value, id };
  return typeof value === "string" && isValue(column, value) ? { part, value, id } : null;
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
}

/** Whether the text is something the store could have written for a value of the column. */
function isValue({ kind, isWhole: isInteger }: GridColumn, text: string): boolean {
  switch (kind) {
    case "number":
      return isInteger ? /^-?\d{1,15}$/.test(text) : isNumber(text);
    case "date":
      return isInstant(text);
    case "text":
    case "word":
    case "set":
      // A stored name may hold a line break; only NUL is no text for PostgreSQL.
      return text.length <= 400 && !text.includes("\0");
    case "flag":
      return false;
  }
}

function isNumber(text: string): boolean {
  if (/^-?Infinity$/.test(text)) return true;
  if (!/^-?\d{1,40}(\.\d{1,40})?(e[+-]\d{1,3})?$/.test(text)) return false;
  const value = Number(text);
  return Number.isFinite(value) && (value !== 0 || /^[-0.]+(e[+-]\d+)?$/.test(text));
}

function isInstant(text: string): boolean {
  const match = /^([2-9]\d{3}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d{1,6})?\+00$/.exec(text);
  const at = match ? Date.parse(`${match[1]}T${match[2]}Z`) : Number.NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(`${match?.[1]}T${match?.[2]}`);
}
