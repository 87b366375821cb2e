// Changes the master key: everything sealed moves to the new key in one transaction, then the key
// file follows. Called by `dragon admin rotate-key`. Whatever step it is interrupted at, the old or
// the new key is in its place or waits beside it, and the next start takes the one that fits.
import { InputError } from "../../model/result.ts";
import type { KeyRotationStore, SealedCredential, SealedParts } from "../../ports/account-store.ts";
import type { SettingsStore } from "../../ports/settings-store.ts";
import type { KeyId, Vault } from "../../ports/vault.ts";
import { sealCheck } from "./key-check.ts";
import {
  formerKeyPath,
  keepKeyFile,
  MasterKeyError,
  nextKeyPath,
  promoteKeyFile,
} from "./key-files.ts";
import { compareMasterKey, type MasterKeyDeps, settleMasterKey } from "./master-key.ts";
import { createVault, keyIdOf } from "./vault.ts";

/** Steps in their order; a change can end before each of them. */
export type RotationStep = "keep_old" | "put_new_aside" | "reseal" | "replace_file";

/** What a change of the key needs. */
export type RotationDeps = MasterKeyDeps & {
  readonly settings: Pick<SettingsStore, "readInstance" | "writeInstance">;
  readonly store: KeyRotationStore;
  /** Opens every part of a row and seals it anew; the vault opens both keys and seals with the new. */
  reseal(vault: Vault, row: SealedCredential): SealedParts;
  /** Called before each step. */
  before?(step: RotationStep): void;
};

/** What was done. */
export type Rotated = {
  readonly fromKeyId: KeyId;
  readonly toKeyId: KeyId;
  /** How many credentials were sealed anew. */
  readonly credentials: number;
  /** The key file, null when the key comes from the environment and has to be changed there. */
  readonly path: string | null;
  /** Where the old key is kept; null when it came from the environment. */
  readonly formerPath: string | null;
};

/**
 * Moves everything to the new key.
 * @throws InputError when it is the present key; MasterKeyError when the present one does not fit or the
 *   database was lost on the way; nothing that was sealed is ever without its key
 */
export async function rotateMasterKey(
  deps: RotationDeps,
  next: Uint8Array,
  at: number,
): Promise<Rotated> {
  const { parse, before = () => undefined } = deps;
  const present = await settleMasterKey(deps, deps.settings, at);
  const fromKeyId = keyIdOf(present.bytes);
  const toKeyId = keyIdOf(next);
  if (fromKeyId === toKeyId) throw new InputError("the new master key is the present one");
  const isFile = present.from !== "environment";
  const { path } = present;
  const waiting = nextKeyPath(path, toKeyId);
  const formerPath = formerKeyPath(path, fromKeyId);
  if (isFile) {
    before("keep_old");
    keepKeyFile(formerPath, present.bytes, parse);
    before("put_new_aside");
    keepKeyFile(waiting, next, parse);
  }
  before("reseal");
  const credentials = await resealAll(deps, present.bytes, next, at);
  if (isFile) {
    before("replace_file");
    promoteKeyFile(waiting, path);
  }
  const files = isFile ? { path, formerPath } : { path: null, formerPath: null };
  return { fromKeyId, toKeyId, credentials, ...files };
}

async function resealAll(
  deps: RotationDeps,
  present: Uint8Array,
  next: Uint8Array,
  at: number,
): Promise<number> {
  const both = createVault(next, [present]);
  const only = createVault(next);
  let resealed = 0;
  try {
    const done = await deps.store.rotate(
      {
        fromKeyId: keyIdOf(present),
        toKeyId: only.keyId,
        check: sealCheck(next),
        reseal(row) {
          resealed += 1;
          return deps.reseal(both, row);
        },
        verify: (row) => void deps.reseal(only, row),
      },
      at,
    );
    if (!done.ok) throw new MasterKeyError(done.detail);
    return done.value;
  } catch (error) {
    // The answer to a commit may have been lost; the database says which key it belongs to now.
    if ((await stateAfter(deps, next, error)) === "matches") return resealed;
    throw error;
  }
}

async function stateAfter({ settings }: RotationDeps, next: Uint8Array, cause: unknown) {
  try {
    return await compareMasterKey(next, settings);
  } catch {
    throw new MasterKeyError(
      "the database was lost while the master key was being changed: keep the old and the new key; the next start finds out which one fits",
      { cause },
    );
  }
}
