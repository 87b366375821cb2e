// Turns the first problem a schema found into one sentence that names field, value and allowed range. Used
// wherever a document of a person is parsed; zod's own wording never reaches a person.
import { z } from "zod";

/** The part of a JSON schema that says what a leaf may be. */
type Leaf = {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly properties?: Readonly<Record<string, Leaf>>;
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function leafAt(schema: z.ZodType, path: readonly string[]): Leaf {
  let leaf = z.toJSONSchema(schema, { io: "input" }) as Leaf;
  for (const key of path) leaf = leaf.properties?.[key] ?? {};
  return leaf;
}

/** Bounds that zod writes for every whole number say nothing to a person. */
function isBound(value: number | undefined): value is number {
  return value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
}

function numberRange(leaf: Leaf): string {
  const noun = leaf.type === "integer" ? "a whole number" : "a number";
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = leaf;
  if (isBound(minimum) && isBound(maximum)) return `${noun} from ${minimum} to ${maximum}`;
  const parts: string[] = [];
  if (isBound(minimum)) parts.push(`of at least ${minimum}`);
  if (isBound(exclusiveMinimum)) parts.push(`above ${exclusiveMinimum}`);
  if (isBound(maximum)) parts.push(`of at most ${maximum}`);
  if (isBound(exclusiveMaximum)) parts.push(`below ${exclusiveMaximum}`);
  return [noun, parts.join(" and ")].filter((part) => part !== "").join(" ");
}

function allowed(leaf: Leaf): string {
  if (leaf.enum) return `one of ${leaf.enum.map(String).join(", ")}`;
  if (leaf.const !== undefined) return String(leaf.const);
  if (leaf.type === "number" || leaf.type === "integer") return numberRange(leaf);
  if (leaf.type === "boolean") return "true or false";
  if (leaf.type === "object") return "an object";
  return leaf.type === "string" ? "text" : "something else";
}

/**
 * One sentence for the first problem: `config: general.max_entries is 0; it must be a whole number from 1 to 50`.
 * @param document what the person calls the whole, e.g. `config`
 */
export function schemaSentence(
  schema: z.ZodType,
  error: z.ZodError,
  input: unknown,
  document: string,
): string {
  const issue = error.issues[0];
  if (!issue) return `${document}: not valid`;
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const names = issue.keys.map((key) => [...path, key].join("."));
    return `${document}: unknown key ${names.join(", ")}`;
  }
  let value: unknown = input;
  for (const key of path) value = isRecord(value) ? value[key] : undefined;
  const shown = value === undefined ? "missing" : JSON.stringify(value);
  const field = path.length === 0 ? document : `${document}: ${path.join(".")}`;
  return `${field} is ${shown}; it must be ${allowed(leafAt(schema, path))}`;
}
