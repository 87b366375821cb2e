// Where the master key comes from and whether it is the right one. Called at the start of `serve`,
// by `doctor` and by commands that need secrets. A wrong key stops the program; the key is
// written once, to a file only its owner can read, and never shown.
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { SettingsStore } from "../../ports/settings-store.ts";
import { createVault } from "./vault.ts";

/** A problem with the key, as one sentence for the operator. */
export class MasterKeyError extends Error {
  override readonly name = "MasterKeyError";
}

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
  /** Reads the text of the key file. @throws when it is not a key */
  parse(text: string, source: string): Uint8Array;
};

const CHECK_SETTING = "vault.key_check";
const CHECK_PURPOSE = "key-check";
const CHECK_TEXT = "dragon master key";

/** The path of the key file in a data folder. */
export function keyFilePath(dataDir: string): string {
  return join(dataDir, "master.key");
}

/**
 * The key of the environment or the key file; undefined when there is neither.
 * @throws MasterKeyError when the file is readable by others: a copy may already be in foreign hands,
 *   so the operator has to look, and a warning in a log would not make anybody look
 */
export function findMasterKey(deps: MasterKeyDeps): MasterKey | undefined {
  const path = keyFilePath(deps.dataDir);
  if (deps.fromEnvironment) return { bytes: deps.fromEnvironment, from: "environment", path };
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return undefined;
  if ((stat.mode & 0o077) !== 0) {
    const mode = (stat.mode & 0o777).toString(8).padStart(3, "0");
    throw new MasterKeyError(
      `the master key ${path} can be read by other users (mode ${mode}): check who had access, then run chmod 600 ${path}`,
    );
  }
  return { bytes: deps.parse(readFileSync(path, "utf8").trim(), path), from: "file", path };
}

/** The existing key, or a new one written to the data folder (mode 0600, complete or not at all). */
export function findOrCreateMasterKey(deps: MasterKeyDeps): MasterKey {
  const found = findMasterKey(deps);
  if (found) return found;
  const path = keyFilePath(deps.dataDir);
  const bytes = new Uint8Array(randomBytes(32));
  try {
    writeWhole(path, `${Buffer.from(bytes).toString("base64")}\n`);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    // Another start was quicker: its key is the one.
    const made = findMasterKey(deps);
    if (!made) throw error;
    return made;
  }
  return { bytes, from: "created", path };
}

// Written aside, flushed, then linked into place: a power cut leaves no half key, and an existing
// key is never overwritten because link() refuses to replace a file.
function writeWhole(path: string, text: string): void {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const file = openSync(draft, "wx", 0o600);
  try {
    fchmodSync(file, 0o600);
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(draft, path);
  } finally {
    unlinkSync(draft);
  }
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
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
  if (typeof stored.value !== "string") return "differs";
  try {
    const clear = createVault(key).open(stored.value, CHECK_PURPOSE);
    return clear.reveal() === CHECK_TEXT ? "matches" : "differs";
  } catch {
    // A failed decryption is the answer "another key", not a fault.
    return "differs";
  }
}

/**
 * The key this database belongs to: found, or made when neither key nor check value exists.
 * Stores the check value at the first start.
 * @throws MasterKeyError when the key is missing or another one; nothing is changed then
 */
export async function settleMasterKey(
  deps: MasterKeyDeps,
  settings: Pick<SettingsStore, "readInstance" | "writeInstance">,
  at: number,
): Promise<MasterKey> {
  const present = findMasterKey(deps);
  if ((await compareMasterKey(present?.bytes, settings)) === "absent") {
    throw new MasterKeyError(
      `this database was set up with a master key, and there is none: put it back as ${keyFilePath(deps.dataDir)} or DRAGON_MASTER_KEY`,
    );
  }
  const key = present ?? findOrCreateMasterKey(deps);
  if ((await compareMasterKey(key.bytes, settings)) === "no-check") {
    const value = createVault(key.bytes).seal(CHECK_TEXT, CHECK_PURPOSE);
    // Another start may have stored its check value meanwhile: then that one decides.
    await settings.writeInstance({ key: CHECK_SETTING, value, expectedRevision: 0 }, null, at);
  }
  if ((await compareMasterKey(key.bytes, settings)) !== "matches") {
    const source = key.from === "environment" ? "DRAGON_MASTER_KEY" : key.path;
    throw new MasterKeyError(
      `the master key (${source}) is not the one this database was set up with: put the right one back`,
    );
  }
  return key;
}
