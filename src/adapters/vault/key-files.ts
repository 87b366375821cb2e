// Files that hold a master key: the one in use, those kept from before, and the one a change of the
// key is about to put in place. Each is complete or absent, and readable by its owner alone.
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { KeyId } from "../../ports/vault.ts";

/** A problem with the key, as one sentence for the operator. */
export class MasterKeyError extends Error {
  override readonly name = "MasterKeyError";
}

/** Reads the text of a key file. @throws when it is not a key */
export type ParseKey = (text: string, source: string) => Uint8Array;

/** Where the key of former days is kept after a change, beside the key file. */
export function formerKeyPath(path: string, keyId: KeyId): string {
  return `${path}.${keyId}`;
}

/** Where a new key waits until the database belongs to it. */
export function nextKeyPath(path: string, keyId: KeyId): string {
  return `${formerKeyPath(path, keyId)}.next`;
}

/** New keys that are waiting beside the key file, after a change that was interrupted. */
export function waitingKeyPaths(path: string): string[] {
  const folder = dirname(path);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const start = `${basename(path)}.`;
  return names
    .filter((name) => name.startsWith(start) && WAITING.test(name.slice(start.length)))
    .map((name) => join(folder, name));
}

const WAITING = /^[0-9a-f]{16}\.next$/;

/**
 * The key in a file, undefined when there is no such file.
 * @throws MasterKeyError when the file is readable by others: a copy may already be in foreign hands,
 *   so the operator has to look, and a warning in a log would not make anybody look
 */
export function readKeyFile(path: string, parse: ParseKey): Uint8Array | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return undefined;
  if ((stat.mode & 0o077) !== 0) {
    const mode = (stat.mode & 0o777).toString(8).padStart(3, "0");
    throw new MasterKeyError(
      `the master key ${path} can be read by other users (mode ${mode}): check who had access, then run chmod 600 ${path}`,
    );
  }
  return parse(readFileSync(path, "utf8").trim(), path);
}

/**
 * Writes a key to a new file: aside first, flushed, then linked into place. A power cut leaves no half
 * key, and an existing file is never overwritten because link() refuses to replace one.
 * @throws Error with code EEXIST when there is such a file
 */
export function writeKeyFile(path: string, key: Uint8Array): void {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const file = openSync(draft, "wx", 0o600);
  try {
    fchmodSync(file, 0o600);
    writeSync(file, `${Buffer.from(key).toString("base64")}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(draft, path);
  } finally {
    unlinkSync(draft);
  }
  flushFolder(dirname(path));
}

/** The same, content with a file that already holds this key. */
export function keepKeyFile(path: string, key: Uint8Array, parse: ParseKey): void {
  const present = readKeyFile(path, parse);
  if (!present) writeKeyFile(path, key);
  else if (!Buffer.from(present).equals(key)) {
    throw new MasterKeyError(`the file ${path} holds another key: move it away and try again`);
  }
}

/**
 * Puts a waiting key in the place of the key file, which is there at every moment. Without a waiting
 * key nothing happens: a start that came in between has put it there already.
 */
export function promoteKeyFile(waiting: string, path: string): void {
  try {
    renameSync(waiting, path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  flushFolder(dirname(path));
}

/** Whether something was refused because the file is already there. */
export function isTaken(error: unknown): boolean {
  return hasCode(error, "EEXIST");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function flushFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
