// The change of the master key on PostgreSQL: every sealed row of the instance in one transaction.
// Called through adapters/vault/rotate-key.ts. Nothing is changed unless everything opens afterwards.
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { KeyChange, KeyRotationStore } from "../../ports/account-store.ts";
import { CHECK_SETTING, keyIdOfCheck } from "../vault/key-check.ts";
import type { Sql, Transaction } from "./connect.ts";
import { at, firstOrNull, jsonb } from "./rows.ts";
import { type SealedRow, sealedColumns, sealedCredential } from "./sealed-rows.ts";

/** The rotation store on a migrated database. */
export function createKeyRotationRepository(sql: Sql): KeyRotationStore {
  return { rotate: (change, now) => sql.begin((tx) => rotate(tx, change, now)) };
}

async function rotate(
  tx: Transaction,
  change: KeyChange,
  now: EpochMs,
): Promise<Result<number, "key_changed">> {
  const check = firstOrNull(
    await tx<{ value: string }[]>`
      select value #>> '{}' as value from settings
      where workspace_id is null and key = ${CHECK_SETTING} for update`,
  );
  if (!check || keyIdOfCheck(check.value) !== change.fromKeyId) {
    return refuse("key_changed", "the master key was changed by somebody else meanwhile");
  }
  const rows = await sealedRows(tx);
  for (const row of rows) {
    const parts = change.reseal(sealedCredential(row));
    await tx`
      update credentials set key_id = ${change.toKeyId}, sealed_api_key = ${parts.apiKey},
        sealed_api_secret = ${parts.apiSecret}, sealed_passphrase = ${parts.passphrase},
        sealed_uid = ${parts.uid}
      where id = ${row.id}`;
  }
  for (const row of await sealedRows(tx)) change.verify(sealedCredential(row));
  // The former check value is not kept as the one to go back to: its key opens nothing any more.
  await tx`
    update settings set value = ${jsonb(tx, change.check)}, previous = 'null',
      revision = revision + 1, updated_by = null, updated_at = ${at(now)}
    where workspace_id is null and key = ${CHECK_SETTING}`;
  return ok(rows.length);
}

async function sealedRows(tx: Transaction): Promise<SealedRow[]> {
  return await tx<SealedRow[]>`
    select ${sealedColumns(tx)} from credentials where revoked_at is null order by id for update`;
}
