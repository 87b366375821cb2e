// Secrets and the master key, as the rest of the program sees them. The cryptography is
// adapters/vault; no implementation may print, log or store a secret in clear.

/** A text that prints as a placeholder everywhere; `reveal` is the one way to read it. */
export type Secret = {
  reveal(): string;
  toString(): string;
  toJSON(): string;
};

/** A sealed text: version, nonce and ciphertext in one base64url word. */
export type Sealed = string;

/** Encrypts small texts under the master key; `purpose` is bound to the ciphertext. */
export type Vault = {
  seal(clear: string, purpose: string): Sealed;
  /** @throws Error when the key is another one, the purpose differs or the text was changed */
  open(sealed: Sealed, purpose: string): Secret;
};
