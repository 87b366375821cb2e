// How the secrets of an account are sealed: each part under a purpose that names its workspace, its row
// and itself, so that a part copied to another workspace, row or column does not open. Used by
// trading-accounts.ts and by the change of the master key.
import type { Credentials } from "../../ports/account-probe.ts";
import type { SealedCredential, SealedParts } from "../../ports/account-store.ts";
import type { Sealed, Secret, Vault } from "../../ports/vault.ts";

type Row = Pick<SealedCredential, "id" | "workspaceId">;
type Part = keyof SealedParts;

function purposeOf({ workspaceId, id }: Row, part: Part): string {
  return `credential/${workspaceId}/${id}/${part}`;
}

/** Seals all parts for a row. */
export function sealCredentials(vault: Vault, row: Row, clear: Credentials): SealedParts {
  const seal = (secret: Secret, part: Part) => vault.seal(secret.reveal(), purposeOf(row, part));
  const { apiKey, apiSecret, passphrase, uid } = clear;
  return {
    apiKey: seal(apiKey, "apiKey"),
    apiSecret: seal(apiSecret, "apiSecret"),
    passphrase: passphrase && seal(passphrase, "passphrase"),
    uid: uid && seal(uid, "uid"),
  };
}

/** Opens all parts of a row. @throws Error when one was sealed for another place or key */
export function openCredentials(vault: Vault, row: SealedCredential): Credentials {
  const open = (sealed: Sealed, part: Part) => vault.open(sealed, purposeOf(row, part));
  const { apiKey, apiSecret, passphrase, uid } = row.parts;
  return {
    apiKey: open(apiKey, "apiKey"),
    apiSecret: open(apiSecret, "apiSecret"),
    passphrase: passphrase === null ? null : open(passphrase, "passphrase"),
    uid: uid === null ? null : open(uid, "uid"),
  };
}

/** Opens a row with any key of the vault and seals it with the present one. @throws like opening */
export function resealCredentials(vault: Vault, row: SealedCredential): SealedParts {
  return sealCredentials(vault, row, openCredentials(vault, row));
}
