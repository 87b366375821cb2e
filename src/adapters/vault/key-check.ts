// The check value: a known text sealed under the master key and kept in the settings of the instance,
// which tells whose key a database has. Used by master-key.ts, rotate-key.ts and the repositories.
import type { Json } from "../../ports/settings-store.ts";
import type { KeyId, Sealed } from "../../ports/vault.ts";
import { createVault, keyIdIn } from "./vault.ts";

/** The setting that holds it. */
export const CHECK_SETTING = "vault.key_check";
const CHECK_PURPOSE = "key-check";
const CHECK_TEXT = "dragon master key";

/** A check value under a key. */
export function sealCheck(key: Uint8Array): Sealed {
  return createVault(key).seal(CHECK_TEXT, CHECK_PURPOSE);
}

/** Whether a stored check value was made with this key. */
export function isCheckOf(key: Uint8Array, value: Json): boolean {
  if (typeof value !== "string") return false;
  try {
    return createVault(key).open(value, CHECK_PURPOSE).reveal() === CHECK_TEXT;
  } catch {
    // A failed decryption is the answer "another key", not a fault.
    return false;
  }
}

/** The id of the key a check value was made with; undefined for one of the first version. */
export function keyIdOfCheck(value: Json): KeyId | undefined {
  return typeof value === "string" ? keyIdIn(value) : undefined;
}
