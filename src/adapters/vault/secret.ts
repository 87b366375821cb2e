// A text that does not show itself: printing, logging, spreading or JSON give a placeholder.
// Used wherever a password, key or token travels; only `reveal()` reads it.
import type { Secret } from "../../ports/vault.ts";

const PLACEHOLDER = "[secret]";

/** Wraps a text so that it prints as a placeholder. */
export function createSecret(text: string): Secret {
  return Object.freeze({
    reveal: () => text,
    toString: () => PLACEHOLDER,
    toJSON: () => PLACEHOLDER,
    [Symbol.toPrimitive]: () => PLACEHOLDER,
    [Symbol.for("nodejs.util.inspect.custom")]: () => PLACEHOLDER,
  });
}
