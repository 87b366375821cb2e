// Encryption of small texts under the master key: XChaCha20-Poly1305 with a random nonce and the
// purpose as associated data. Used for the key check value and later for credentials. The key
// itself is never written, logged or returned.
import { managedNonce } from "@noble/ciphers/utils.js";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import type { Sealed, Vault } from "../../ports/vault.ts";
import { createSecret } from "./secret.ts";

const VERSION = "v1.";

/** A vault under a 32-byte key. */
export function createVault(key: Uint8Array): Vault {
  const cipherFor = (purpose: string) => {
    const associated = new TextEncoder().encode(`dragon/${VERSION}${purpose}`);
    return managedNonce(xchacha20poly1305)(key, associated);
  };
  return {
    seal(clear, purpose): Sealed {
      const sealed = cipherFor(purpose).encrypt(new TextEncoder().encode(clear));
      return VERSION + Buffer.from(sealed).toString("base64url");
    },
    open(sealed, purpose) {
      if (!sealed.startsWith(VERSION)) throw new Error("the sealed text has an unknown version");
      const bytes = new Uint8Array(Buffer.from(sealed.slice(VERSION.length), "base64url"));
      let clear: Uint8Array;
      try {
        clear = cipherFor(purpose).decrypt(bytes);
      } catch (cause) {
        throw new Error("the sealed text does not open with this master key", { cause });
      }
      return createSecret(new TextDecoder().decode(clear));
    },
  };
}
