// Encryption of small texts under the master key: XChaCha20-Poly1305 with a random nonce and the
// purpose as associated data. Used for the key check value and for credentials. A key itself is
// never written, logged or returned.
import { createHash } from "node:crypto";
import { managedNonce } from "@noble/ciphers/utils.js";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import type { KeyId, Sealed, Secret, Vault } from "../../ports/vault.ts";
import { createSecret } from "./secret.ts";

/** Texts without a key id, as the first version sealed them; they are read but no longer made. */
const WITHOUT_ID = "v1.";
const SEALED = /^v2\.([0-9a-f]{16})\.([A-Za-z0-9_-]*)$/;

/** The id of a 32-byte key: the start of its hash, from which nothing of the key can be told. */
export function keyIdOf(key: Uint8Array): KeyId {
  return createHash("sha256").update("dragon/key-id").update(key).digest("hex").slice(0, 16);
}

/** Which key sealed a text; undefined for texts of the first version and for other texts. */
export function keyIdIn(sealed: Sealed): KeyId | undefined {
  return SEALED.exec(sealed)?.[1];
}

/**
 * A vault under a 32-byte key.
 * @param older keys that seal no more; what they sealed still opens
 */
export function createVault(key: Uint8Array, older: readonly Uint8Array[] = []): Vault {
  const keyId = keyIdOf(key);
  const ring = new Map([...older, key].map((each) => [keyIdOf(each), each]));
  return {
    keyId,
    conceal: createSecret,
    seal(clear, purpose) {
      const start = `v2.${keyId}.`;
      const sealed = cipher(key, start + purpose).encrypt(new TextEncoder().encode(clear));
      return start + Buffer.from(sealed).toString("base64url");
    },
    open(sealed, purpose) {
      if (sealed.startsWith(WITHOUT_ID)) return openWithoutId([...ring.values()], sealed, purpose);
      const [, sealer, body = ""] = SEALED.exec(sealed) ?? [];
      if (sealer === undefined) throw new Error("the sealed text has an unknown version");
      const fitting = ring.get(sealer);
      if (!fitting) {
        throw new Error(`the text was sealed with the master key ${sealer}, which is not here`);
      }
      const clear = attempt(fitting, `v2.${sealer}.${purpose}`, body);
      if (!clear) throw new Error("the sealed text does not open with this master key");
      return clear;
    },
  };
}

function cipher(key: Uint8Array, associated: string) {
  return managedNonce(xchacha20poly1305)(key, new TextEncoder().encode(`dragon/${associated}`));
}

function attempt(key: Uint8Array, associated: string, body: string): Secret | undefined {
  let clear: Uint8Array;
  try {
    clear = cipher(key, associated).decrypt(new Uint8Array(Buffer.from(body, "base64url")));
  } catch {
    // Whatever the cipher says, the answer is the same: it does not open.
    return undefined;
  }
  return createSecret(new TextDecoder().decode(clear));
}

function openWithoutId(keys: readonly Uint8Array[], sealed: Sealed, purpose: string): Secret {
  const body = sealed.slice(WITHOUT_ID.length);
  for (const key of keys) {
    const clear = attempt(key, WITHOUT_ID + purpose, body);
    if (clear) return clear;
  }
  throw new Error("the sealed text does not open with this master key");
}
