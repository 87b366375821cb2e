// The forms behind one-time links: fields in, a request or one sentence per field out. Used by
// routes/setup.tsx and routes/account.tsx.
import type { SetupFields, SetupProblems } from "../../../views/pages/setup.tsx";
import type { OwnerRequest } from "../../services/desk/setup.ts";

/** The posted fields of the set-up form. */
export type PostedOwner = Readonly<Record<"email" | "password" | "repeat" | "timeZone", string>>;

/** Why a new password and its repetition do not go together. */
export function passwordPairProblems(password: string, repeat: string): SetupProblems {
  if (password === "") return { password: "The password is missing." };
  return repeat === password ? {} : { repeat: "The two passwords differ." };
}

/** Reads the posted fields; `request` is absent when something is missing. */
export function readSetupForm(posted: PostedOwner): {
  fields: SetupFields;
  problems: SetupProblems;
  request?: OwnerRequest;
} {
  const { password, repeat } = posted;
  const fields = { email: posted.email.trim(), timeZone: posted.timeZone.trim() };
  const problems: SetupProblems = {
    ...(fields.email === "" ? { email: "The e-mail is missing." } : {}),
    ...passwordPairProblems(password, repeat),
    ...(fields.timeZone === "" ? { timeZone: "The time zone is missing." } : {}),
  };
  if (Object.keys(problems).length > 0) return { fields, problems };
  return { fields, problems, request: { ...fields, password } };
}
