// Posted forms as plain text fields. Used by every route that reads a form. Files, repeated names and
// absent fields all count as empty.
import { z } from "zod";
import type { WebContext } from "../route.ts";

/** Longest field that is read; longer ones count as empty. */
export const FIELD_CHARS_MAX = 2000;

// PostgreSQL refuses NUL in text, so no field may carry one into a query.
const FIELD = z
  .string()
  .max(FIELD_CHARS_MAX)
  .transform((text) => text.replaceAll("\0", ""))
  .catch("");

/** The named fields of the posted form. */
export async function readFields<Name extends string>(
  c: WebContext,
  ...names: readonly Name[]
): Promise<Record<Name, string>> {
  const posted = await c.req.parseBody();
  const entries = names.map((name) => [name, FIELD.parse(posted[name])] as const);
  return Object.fromEntries(entries) as Record<Name, string>;
}
