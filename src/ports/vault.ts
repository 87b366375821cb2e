// Secrets and the master key, as the rest of the program sees them. The cryptography is
// adapters/vault; no implementation may print, log or store a secret in clear.

/** A text that prints as a placeholder everywhere; `reveal` is the one way to read it. */
export type Secret = {
  reveal(): string;
  toString(): string;
  toJSON(): string;
};

/** A sealed text: version, id of the key, and nonce with ciphertext as base64url, joined by dots. */
export type Sealed = string;

/** Names a master key without telling it: 16 hex digits. */
export type KeyId = string;

/** Encrypts small texts under the master key; `purpose` is bound to the ciphertext. */
export type Vault = {
  /** The key that seals. */
  readonly keyId: KeyId;
  /** Wraps a text somebody typed, so that it shows itself nowhere on its way. */
  conceal(clear: string): Secret;
  seal(clear: string, purpose: string): Sealed;
  /** @throws Error when the key is another one, the purpose differs or the text was changed */
  open(sealed: Sealed, purpose: string): Secret;
};
