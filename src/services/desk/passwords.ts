// The rules a password must meet and its hash (Argon2id). Called when an owner or user is made or a
// password is reset. Never stores, logs or returns a password.
import { InputError } from "../../model/result.ts";
import { isCommonPassword } from "./common-passwords.ts";

export const PASSWORD_CHARS_MIN = 12;
export const PASSWORD_CHARS_MAX = 256;

/** Why a password is refused, as a sentence without the password; undefined when it is good. */
export function passwordProblem(password: string, email: string): string | undefined {
  const length = [...password].length;
  if (length < PASSWORD_CHARS_MIN || length > PASSWORD_CHARS_MAX) {
    return `password: ${length} characters, allowed are ${PASSWORD_CHARS_MIN} to ${PASSWORD_CHARS_MAX}`;
  }
  if (new Set(password.toLowerCase()).size < 5) {
    return "password: it repeats a few characters; use at least 5 different ones";
  }
  const [name = ""] = email.toLowerCase().split("@");
  const rest = password.toLowerCase().replaceAll(email.toLowerCase(), "");
  const withoutName = name.length >= 4 ? rest.replaceAll(name, "") : rest;
  if (withoutName.length < length - 3 && [...withoutName].length < 8) {
    return "password: it is made of the e-mail address; use something else";
  }
  if (isCommonPassword(password)) {
    return "password: it is one of the first that guessing programs try; use several unrelated words";
  }
  return undefined;
}

/**
 * Argon2id hash in PHC form.
 * @throws InputError when the password does not meet the rules
 */
export async function hashPassword(password: string, email: string): Promise<string> {
  const problem = passwordProblem(password, email);
  if (problem) throw new InputError(problem);
  return Bun.password.hash(password.normalize("NFKC"), {
    algorithm: "argon2id",
    memoryCost: 19_456,
    timeCost: 2,
  });
}

/** Compares a typed password with a stored hash. */
export type VerifyPassword = (password: string, hash: string) => Promise<boolean>;

/** The real comparison: Argon2id at the cost stored in the hash. */
export const verifyPassword: VerifyPassword = (password, hash) =>
  Bun.password.verify(password.normalize("NFKC"), hash);
