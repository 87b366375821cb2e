// Which columns of a list somebody shows, in which order and how wide. Kept as a preference; whatever
// an older Dragon kept and this one does not know is left out. Pure; called by the lists' services.
import { InputError } from "../../model/result.ts";
import type { GridColumn } from "../../ports/grid.ts";
import type { Json } from "../../ports/settings-store.ts";

/** Narrowest and widest column, in steps of 8 px: each is a class of static/grid.css. */
const WIDTH_STEPS = { min: 7, max: 60 } as const;

/** A shown column. */
export type ShownColumn = {
  readonly key: string;
  /** In steps; null for the usual width. */
  readonly width: number | null;
};

/** The shown columns in order; at least one. */
export type GridLayout = readonly ShownColumn[];

function isWidth(value: unknown): value is number {
  return (
    Number.isInteger(value) && Number(value) >= WIDTH_STEPS.min && Number(value) <= WIDTH_STEPS.max
  );
}

/** The layout of a kept document; the usual one when it holds none. */
export function readLayout(
  columns: readonly GridColumn[],
  usual: readonly string[],
  kept: Json,
): GridLayout {
  const known = new Set(columns.map(({ key }) => key));
  const list = Array.isArray(kept) ? (kept as readonly Json[]) : [];
  const shown = list.flatMap((item) => {
    if (typeof item !== "object" || item === null || !("key" in item)) return [];
    const { key, width = null } = item as { key?: Json; width?: Json };
    if (typeof key !== "string" || !known.delete(key)) return [];
    return [{ key, width: isWidth(width) ? width : null }];
  });
  return shown.length > 0 ? shown : usual.map((key) => ({ key, width: null }));
}

/**
 * The layout of a posted form: `column` per shown one in order, `width` as `key:steps`.
 * @throws InputError naming what is wrong with it
 */
export function layoutOf(
  columns: readonly GridColumn[],
  posted: { readonly columns: readonly string[]; readonly widths: readonly string[] },
): GridLayout {
  if (posted.columns.length === 0) throw new InputError("column: choose at least one column");
  const known = new Set(columns.map(({ key }) => key));
  const widths = new Map(posted.widths.map((text) => widthOf(text)));
  return posted.columns.map((key) => {
    if (known.delete(key)) return { key, width: widths.get(key) ?? null };
    const list = columns.map((column) => column.key).join(", ");
    throw new InputError(`column: "${key.slice(0, 60)}" is not one of ${list}, each at most once`);
  });
}

function widthOf(text: string): readonly [string, number] {
  const [key = "", steps = ""] = text.split(":");
  if (/^\d{1,3}$/.test(steps) && isWidth(Number(steps))) return [key, Number(steps)];
  const { min, max } = WIDTH_STEPS;
  throw new InputError(`width: "${text.slice(0, 60)}" is not a column and ${min} to ${max} steps`);
}
