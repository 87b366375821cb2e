// Where the master key comes from and whether it is the right one. Called at the start of `serve`,
// by `doctor` and by commands that need secrets. A wrong key stops the program; the key is
// written once, to a file only its owner can read, and never shown.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Setting, SettingsStore } from "../../ports/settings-store.ts";
import { CHECK_SETTING, isCheckOf, keyIdOfCheck, sealCheck } from "./key-check.ts";
import {
  formerKeyPath,
  isTaken,
  MasterKeyError,
  type ParseKey,
  promoteKeyFile,
  readKeyFile,
  waitingKeyPaths,
  writeKeyFile,
} from "./key-files.ts";

/** The key and where it was found. */
export type MasterKey = {
  readonly bytes: Uint8Array;
  readonly from: "environment" | "file" | "created";
  readonly path: string;
};

/** What is needed to find or make the key. */
export type MasterKeyDeps = {
  readonly dataDir: string;
  /** The key of the environment, which wins over the file. */
  readonly fromEnvironment: Uint8Array | undefined;
  readonly parse: ParseKey;
};

/** The path of the key file in a data folder. */
export function keyFilePath(dataDir: string): string {
  return join(dataDir, "master.key");
}

/**
 * The key of the environment or the key file; undefined when there is neither.
 * @throws MasterKeyError when the file is readable by others
 */
export function findMasterKey(deps: MasterKeyDeps): MasterKey | undefined {
  const path = keyFilePath(deps.dataDir);
  if (deps.fromEnvironment) return { bytes: deps.fromEnvironment, from: "environment", path };
  const bytes = readKeyFile(path, deps.parse);
  return bytes && { bytes, from: "file", path };
}

/** The existing key, or a new one written to the data folder (mode 0600, complete or not at all). */
export function findOrCreateMasterKey(deps: MasterKeyDeps): MasterKey {
  const found = findMasterKey(deps);
  if (found) return found;
  const path = keyFilePath(deps.dataDir);
  const bytes = new Uint8Array(randomBytes(32));
  try {
    writeKeyFile(path, bytes);
  } catch (error) {
    if (!isTaken(error)) throw error;
    // Another start was quicker: its key is the one.
    const made = findMasterKey(deps);
    if (!made) throw error;
    return made;
  }
  return { bytes, from: "created", path };
}

/** What the check value in the database says about a key. */
export type KeyState = "no-check" | "matches" | "differs";

/** Compares a key with the stored check value; never writes. */
export async function compareMasterKey(
  key: Uint8Array | undefined,
  settings: Pick<SettingsStore, "readInstance">,
): Promise<KeyState | "absent"> {
  const stored = await settings.readInstance(CHECK_SETTING);
  if (!stored) return "no-check";
  if (!key) return "absent";
  return isCheckOf(key, stored.value) ? "matches" : "differs";
}

type KeySettings = Pick<SettingsStore, "readInstance" | "writeInstance">;

/**
 * The key this database belongs to: found, or made when neither key nor check value exists. A change
 * of the key that was interrupted after the database had moved on is finished here.
 * Stores the check value at the first start.
 * @throws MasterKeyError when the key is missing or another one; nothing is changed then
 */
export async function settleMasterKey(
  deps: MasterKeyDeps,
  settings: KeySettings,
  at: number,
): Promise<MasterKey> {
  const stored = await settings.readInstance(CHECK_SETTING);
  if (!stored) return settleFirst(deps, settings, at);
  const present = findMasterKey(deps);
  if (present && isCheckOf(present.bytes, stored.value)) {
    await giveId(present, stored, settings, at);
    return present;
  }
  const finished = deps.fromEnvironment ? undefined : finishChange(deps, stored);
  if (finished) return finished;
  throw new MasterKeyError(refusal(deps, present, stored));
}

async function settleFirst(deps: MasterKeyDeps, settings: KeySettings, at: number) {
  const key = findOrCreateMasterKey(deps);
  const value = sealCheck(key.bytes);
  // Another start may have stored its check value meanwhile: then that one decides.
  await settings.writeInstance({ key: CHECK_SETTING, value, expectedRevision: 0 }, null, at);
  const stored = await settings.readInstance(CHECK_SETTING);
  if (stored && isCheckOf(key.bytes, stored.value)) return key;
  throw new MasterKeyError(refusal(deps, key, stored));
}

/** A check value of the first version names no key; it is made anew so that it does. */
async function giveId(key: MasterKey, stored: Setting, settings: KeySettings, at: number) {
  if (keyIdOfCheck(stored.value) !== undefined) return;
  const value = sealCheck(key.bytes);
  const expectedRevision = stored.revision;
  await settings.writeInstance({ key: CHECK_SETTING, value, expectedRevision }, null, at);
}

function finishChange(deps: MasterKeyDeps, stored: Setting): MasterKey | undefined {
  const path = keyFilePath(deps.dataDir);
  for (const waiting of waitingKeyPaths(path)) {
    const bytes = readKeyFile(waiting, deps.parse);
    if (bytes && isCheckOf(bytes, stored.value)) {
      promoteKeyFile(waiting, path);
      return { bytes, from: "file", path };
    }
  }
  return undefined;
}

function refusal(
  { dataDir }: MasterKeyDeps,
  present: MasterKey | undefined,
  stored: Setting | null,
): string {
  const path = keyFilePath(dataDir);
  const keyId = stored ? keyIdOfCheck(stored.value) : undefined;
  const former = keyId === undefined ? undefined : formerKeyPath(path, keyId);
  const hint = former !== undefined && existsSync(former) ? ` (a copy is ${former})` : "";
  if (!present) {
    return `this database was set up with a master key, and there is none: put it back as ${path} or DRAGON_MASTER_KEY${hint}`;
  }
  const source = present.from === "environment" ? "DRAGON_MASTER_KEY" : present.path;
  return `the master key (${source}) is not the one this database was set up with: put the right one back${hint}`;
}
