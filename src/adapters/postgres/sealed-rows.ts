// Sealed credentials as rows. Used by the account repository and by the change of the master key.
import { assert } from "../../model/result.ts";
import type { WorkspaceId } from "../../ports/access-store.ts";
import type { CredentialId, SealedCredential } from "../../ports/account-store.ts";
import type { KeyId, Sealed } from "../../ports/vault.ts";
import type { Query } from "./connect.ts";

/** The columns of credentials in use. */
export type SealedRow = {
  readonly id: CredentialId;
  readonly workspaceId: WorkspaceId;
  readonly keyId: KeyId;
  readonly sealedApiKey: Sealed | null;
  readonly sealedApiSecret: Sealed | null;
  readonly sealedPassphrase: Sealed | null;
  readonly sealedUid: Sealed | null;
};

/** The columns as a fragment of a query. */
export function sealedColumns(sql: Query) {
  return sql`id, workspace_id, key_id, sealed_api_key, sealed_api_secret, sealed_passphrase,
    sealed_uid`;
}

/** A row as the ports see it. @throws InvariantError for revoked credentials, which have no secrets */
export function sealedCredential(row: SealedRow): SealedCredential {
  const { id, workspaceId, keyId, sealedApiKey, sealedApiSecret } = row;
  assert(sealedApiKey !== null && sealedApiSecret !== null, `credentials ${id} are revoked`);
  return {
    ...{ id, workspaceId, keyId },
    parts: {
      apiKey: sealedApiKey,
      apiSecret: sealedApiSecret,
      passphrase: row.sealedPassphrase,
      uid: row.sealedUid,
    },
  };
}
