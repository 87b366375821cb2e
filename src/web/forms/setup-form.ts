// The set-up form: strings in, a request or one sentence per field out. Used by routes/setup.tsx.
import { z } from "zod";
import type { SetupFields, SetupProblems } from "../../../views/pages/setup.tsx";

/** A complete request to create the owner. */
export type OwnerRequest = {
  readonly email: string;
  readonly password: string;
  readonly timeZone: string;
};

const text = (max: number) => z.string().max(max).catch("");
const FORM = z.object({
  email: text(1000),
  password: text(2000),
  repeat: text(2000),
  timeZone: text(100),
});

/** Reads the posted fields; `request` is absent when something is missing. */
export function readSetupForm(posted: Record<string, unknown>): {
  fields: SetupFields;
  problems: SetupProblems;
  request?: OwnerRequest;
} {
  const { email, password, repeat, timeZone } = FORM.parse(posted);
  const fields = { email: email.trim(), timeZone: timeZone.trim() };
  const problems: { -readonly [K in keyof SetupProblems]: SetupProblems[K] } = {};
  if (fields.email === "") problems.email = "The e-mail is missing.";
  if (password === "") problems.password = "The password is missing.";
  else if (repeat !== password) problems.repeat = "The two passwords differ.";
  if (fields.timeZone === "") problems.timeZone = "The time zone is missing.";
  if (Object.keys(problems).length > 0) return { fields, problems };
  return { fields, problems, request: { ...fields, password } };
}
