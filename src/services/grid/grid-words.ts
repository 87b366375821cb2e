// A filter in the words of people: `Net return ≥ 20 %`. Used by the pages of lists for the chips above
// them and the choices of a column's filter. Pure.
import type { GridColumn, GridUnit } from "../../ports/grid.ts";
import { GRID_OPERATORS, type GridEntry } from "./grid-entry.ts";

/** How an operator reads between the column and what was typed. */
const OPERATORS: Readonly<Record<string, string>> = {
  contains: "contains",
  equals: "is",
  notEqual: "is not",
  startsWith: "starts with",
  endsWith: "ends with",
  blank: "has no value",
  notBlank: "has a value",
  lt: "<",
  lte: "≤",
  gt: ">",
  gte: "≥",
  inRange: "from",
  within: "within the last",
  in: "is",
  is: "",
};

const UNITS: Readonly<Record<GridUnit, string>> = { percent: "%", hours: "hours", days: "days" };

type Labelled = GridColumn & { readonly label: string };

function valueText({ kind, unit }: Labelled, { operator, text }: GridEntry): string {
  if (operator === "blank" || operator === "notBlank") return "";
  if (operator === "in") return text.split("|").join(" or ");
  if (operator === "within") return `${text.slice(0, -1)} days`;
  if (operator === "inRange") {
    const range = text.replace("..", " to ");
    return unit ? `${range} ${UNITS[unit]}` : range;
  }
  return kind === "number" && unit ? `${text} ${UNITS[unit]}` : text;
}

/** One filter as a short text. */
export function entryText(column: Labelled, entry: GridEntry): string {
  if (column.kind === "flag") return `${column.label}: ${entry.text}`;
  const words = [column.label, OPERATORS[entry.operator] ?? entry.operator];
  return [...words, valueText(column, entry)].filter((word) => word !== "").join(" ");
}

/** What the filter of a column may be made of. */
export type FilterChoice = {
  readonly key: string;
  readonly label: string;
  readonly kind: GridColumn["kind"];
  /** What numbers are counted in; empty for plain ones. */
  readonly unit: string;
  readonly vocabulary: readonly string[];
  readonly operators: readonly (readonly [operator: string, label: string])[];
};

/** The choices of a column. */
export function filterChoice({ key, label, kind, unit, vocabulary }: Labelled): FilterChoice {
  return {
    key,
    label,
    kind,
    unit: unit ? UNITS[unit] : "",
    vocabulary: vocabulary ?? [],
    operators: GRID_OPERATORS[kind].map((operator) => [operator, OPERATORS[operator] ?? operator]),
  };
}
