// How rows are written: which fields are numbers, which text, how instants look. Exact decimals go out
// as JSON numbers digit by digit. The drift switch makes the same fields change their type.
import type { Random } from "./random.ts";

/** Writes the fields of one reply. */
export type Wire = {
  /** A decimal that is published as a JSON number. */
  num(text: string): unknown;
  /** An id that is published as a JSON number. */
  id(value: number | string): unknown;
  /** An instant published as text `seconds.milliseconds`. */
  time(at: number): string;
};

/** How a drifting exchange writes numbers and instants. */
export type DriftStyle = "strings" | "numbers" | "mixed";

type RawJson = { rawJSON(text: string): unknown };
type SourcedParse = (
  text: string,
  reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
) => unknown;

/** A JSON number with exactly these digits. */
export function rawNumber(text: string): unknown {
  return (JSON as unknown as RawJson).rawJSON(text);
}

/** `seconds.milliseconds`, as in "1752049062.496". */
function secondsText(at: number): string {
  return `${Math.floor(at / 1000)}.${String(at % 1000).padStart(3, "0")}`;
}

/** The published style: numbers as numbers. */
export const PUBLISHED: Wire = {
  num: rawNumber,
  id: (value) => rawNumber(String(value)),
  time: secondsText,
};

/** A style that drifts; `mixed` decides field by field. */
export function driftingWire(style: DriftStyle, random: Random): Wire {
  const asText = () => style === "strings" || (style === "mixed" && random() < 0.5);
  const number = (text: string) => (asText() ? text : rawNumber(text));
  return {
    num: number,
    id: (value) => number(String(value)),
    time: (at) => (asText() ? String(at) : secondsText(at)),
  };
}

/** A JSON value in which every number is the text that was sent. */
export type TextJson = string | boolean | null | readonly TextJson[] | TextObject;
/** A JSON object of that kind. */
export type TextObject = { readonly [key: string]: TextJson };

/** Parses JSON without losing a digit: numbers become their own text. @throws SyntaxError */
export function parseExact(text: string): TextJson {
  const parse = JSON.parse as SourcedParse;
  return parse(text, (_key, value, { source }) =>
    typeof value === "number" ? (source ?? String(value)) : value,
  ) as TextJson;
}

/** The scalar members of an object as text; nested ones and nulls are left out. */
export function scalarsOf(object: TextObject): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [key, value] of Object.entries(object)) {
    if (typeof value === "string") found[key] = value;
    else if (typeof value === "boolean") found[key] = String(value);
  }
  return found;
}

/** True for a JSON object. */
export function isObject(value: TextJson | undefined): value is TextObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
