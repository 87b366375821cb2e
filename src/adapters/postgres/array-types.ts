// One-dimensional arrays as parameters and results. Used by connect.ts alone: naming the types here
// spares each new connection a query, whose failure the driver would report to nobody.
import { InvariantError } from "../../model/result.ts";

/** How one type travels as text. */
export type TextType = {
  serialize(value: unknown): string;
  parse(text: string): unknown;
};

/** The same for an array, as the driver wants it. */
export type ArrayType = {
  readonly to: number;
  readonly from: number[];
  serialize(values: unknown): string;
  parse(text: string): unknown;
};

/** Type numbers of arrays (pg_type.typarray) by the name of their element. */
export const ARRAY_OID = {
  bool: 1000,
  int2: 1005,
  int4: 1007,
  text: 1009,
  varchar: 1015,
  int8: 1016,
  float4: 1021,
  float8: 1022,
  timestamptz: 1185,
  numeric: 1231,
  jsonb: 3807,
} as const;

/** The array of a type; elements may be null, nested arrays are refused. */
export function arrayType(oid: number, element: TextType): ArrayType {
  return {
    to: oid,
    from: [oid],
    serialize: (values) => serializeArray(values, element),
    parse: (text) => parseArray(text, element),
  };
}

function serializeArray(values: unknown, element: TextType): string {
  // Text is an array literal already, as the driver also accepts.
  if (typeof values === "string") return values;
  if (!Array.isArray(values)) throw new InvariantError(`${String(values)} is not a list`);
  const parts = values.map((value: unknown) => {
    if (value === null || value === undefined) return "NULL";
    if (Array.isArray(value)) throw new InvariantError("a list in a list is not supported");
    return `"${element.serialize(value).replace(/["\\]/g, "\\$&")}"`;
  });
  return `{${parts.join(",")}}`;
}

// A quoted element with escapes, or a bare one.
const ELEMENT = /"((?:[^"\\]|\\.)*)"|([^,{}]+)/gs;

function parseArray(text: string, element: TextType): unknown[] {
  if (!text.startsWith("{") || text.startsWith("{{")) {
    throw new InvariantError(`${text.slice(0, 40)} is not a list`);
  }
  return [...text.slice(1, -1).matchAll(ELEMENT)].map(([, quoted, bare]) => {
    if (quoted !== undefined) return element.parse(quoted.replace(/\\(.)/gs, "$1"));
    return bare === "NULL" ? null : element.parse(bare ?? "");
  });
}
