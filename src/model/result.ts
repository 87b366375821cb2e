// Outcomes and invariants, used by every room. A decision is a value (Result); a broken
// assumption of the programmer is an InvariantError. Never used for infrastructure failures.

/** A decision: the value, or a reason code with a sentence. */
export type Result<T, R extends string = string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: R; readonly detail: string };

/** Wraps a value as a successful result. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Refuses with a reason code and a sentence for people. */
export function refuse<R extends string>(
  reason: R,
  detail: string,
): { readonly ok: false; readonly reason: R; readonly detail: string } {
  return { ok: false, reason, detail };
}

/** A programmer error: an assumption of the code does not hold. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/**
 * Bad input from a person or a file. The message is one sentence naming field, value and allowed range;
 * commands end with exit code 2, pages answer 422.
 */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** Throws InvariantError when the condition does not hold. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
