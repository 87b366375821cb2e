// How several programs share one data folder: at most one `serve`, any number of commands, and the
// last one out stops the server. Called by database.ts; the locks end with their process.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type FileLock, readLockText, tryLock, waitForLock } from "../system/file-lock.ts";
import { DatabaseError, errorCode } from "./errors.ts";

/** Longer than a start with crash recovery or a slow stop takes. */
const GATE_WAIT_MS = 120_000;

/**
 * Takes the data folder for `serve` alone.
 * @throws DatabaseError naming the folder and the process that has it
 */
export async function claimDataDir(dataDir: string): Promise<FileLock> {
  const path = join(dataDir, "lock");
  const lock = await openLock(dataDir, () => tryLock(path, "exclusive"));
  if (lock) {
    lock.write(`${process.pid}\n`);
    return lock;
  }
  const holder = readLockText(path) || "unknown";
  throw new DatabaseError(
    `another "dragon serve" (process ${holder}) already uses the data folder ${dataDir}: ` +
      "stop it first, or set DRAGON_DATA_DIR to another folder",
  );
}

/** A place among the users of the folder's server. */
export type ServerShare<Server> = {
  readonly server: Server;
  /**
   * Leaves; the last one out stops the server.
   * @returns true when it was stopped
   */
  leave(): Promise<boolean>;
};

/**
 * Enters the users of the folder's server, starting it when it does not run.
 * Starting and stopping happen behind one gate, so two programs never do them under each other.
 */
export async function shareServer<Server extends { stop(): Promise<void> }>(
  dataDir: string,
  start: () => Promise<Server>,
): Promise<ServerShare<Server>> {
  mkdirSync(dataDir, { recursive: true });
  const gate = await passGate(dataDir);
  try {
    const path = join(dataDir, "lock.use");
    const use = await openLock(dataDir, () => tryLock(path, "shared"));
    if (!use) throw new DatabaseError(`${dataDir}/lock.use is held by a program other than Dragon`);
    try {
      const server = await start();
      return { server, leave: () => leave(dataDir, use, server) };
    } catch (error) {
      use.release();
      throw error;
    }
  } finally {
    gate.release();
  }
}

async function leave(
  dataDir: string,
  use: FileLock,
  server: { stop(): Promise<void> },
): Promise<boolean> {
  const gate = await passGate(dataDir);
  try {
    const isLast = use.tryExclusive();
    if (isLast) await server.stop();
    return isLast;
  } finally {
    use.release();
    gate.release();
  }
}

async function passGate(dataDir: string): Promise<FileLock> {
  const path = join(dataDir, "lock.start");
  const gate = await openLock(dataDir, () => waitForLock(path, "exclusive", GATE_WAIT_MS));
  if (gate) return gate;
  throw new DatabaseError(
    `another Dragon has been starting or stopping PostgreSQL in ${dataDir} for ` +
      `${GATE_WAIT_MS / 1000} s: end it and try again`,
  );
}

/** Runs an opening of a lock file with its failure told as a sentence. */
async function openLock<Lock>(dataDir: string, attempt: () => Lock | Promise<Lock>): Promise<Lock> {
  try {
    return await attempt();
  } catch (error) {
    const code = errorCode(error);
    if (code === "") throw error;
    throw new DatabaseError(
      `the data folder ${dataDir} cannot be used by this user (${code}): run Dragon as its ` +
        "owner, or set DRAGON_DATA_DIR to another folder",
      { cause: error },
    );
  }
}
