// The folders of the bundled PostgreSQL inside a data folder: made, owned and checked here. Every
// refusal is one sentence with the path and the cure. Called by database.ts and embedded.ts.
import { createHash } from "node:crypto";
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  lstatSync,
  mkdirSync,
  realpathSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Log } from "../../ports/log.ts";
import { DatabaseError, errorCode } from "./errors.ts";
import { canReach, closedFolder, type ServerUser } from "./server-user.ts";

/** The socket's file name; the port is part of it although no port is opened. */
export const SOCKET_PORT = 5432;

/** sun_path holds 108 bytes with its end mark; PostgreSQL adds `.lock` to a second file. */
const SOCKET_PATH_BYTES_MAX = 100;

/** The places inside a data folder. */
export type Folders = {
  readonly dataDir: string;
  /** The cluster (PGDATA). */
  readonly cluster: string;
  /** Log file and, when its path is short enough, the socket. */
  readonly run: string;
  /** Copies of the programs. */
  readonly programs: string;
  readonly log: string;
};

/**
 * Makes the data folder and proves that this process can write in it.
 * @returns its real path
 * @throws DatabaseError naming folder, reason and cure
 */
export function prepareDataDir(dataDir: string): string {
  const cure = "set DRAGON_DATA_DIR to a folder this user can write, or change its permissions";
  try {
    // Root's folder must let the server's user pass, not look.
    mkdirSync(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  } catch (error) {
    const code = errorCode(error);
    throw new DatabaseError(`the data folder ${dataDir} cannot be created (${code}): ${cure}`, {
      cause: error,
    });
  }
  try {
    if (!statSync(dataDir).isDirectory()) {
      throw new DatabaseError(`the data folder ${dataDir} is not a folder: ${cure}`);
    }
    accessSync(dataDir, constants.W_OK | constants.X_OK);
    return realpathSync(dataDir);
  } catch (error) {
    if (error instanceof DatabaseError) throw error;
    const code = errorCode(error);
    throw new DatabaseError(`the data folder ${dataDir} is not writable (${code}): ${cure}`, {
      cause: error,
    });
  }
}

/** The places inside a data folder; nothing is created. */
export function foldersOf(dataDir: string): Folders {
  const run = join(dataDir, "run");
  return {
    dataDir,
    cluster: join(dataDir, "db"),
    run,
    programs: join(dataDir, "pg"),
    log: join(run, "postgres.log"),
  };
}

/** Owner of the existing cluster, null when there is none yet. */
export function clusterOwner(folders: Folders): { uid: number; gid: number } | null {
  const stats = statSync(folders.cluster, { throwIfNoEntry: false });
  return stats ? { uid: stats.uid, gid: stats.gid } : null;
}

/**
 * Opens the way for the server's user to the data folder.
 * @throws DatabaseError when a folder above it is closed to that user
 */
export function openWay(folders: Folders, user: ServerUser, log: Log): void {
  let closed = closedFolder(folders.dataDir, user);
  if (closed === folders.dataDir) {
    chmodSync(closed, statSync(closed).mode | 0o011);
    log.info(`made ${closed} passable for ${user.name}, who runs PostgreSQL`);
    closed = closedFolder(folders.dataDir, user);
  }
  if (closed === null || canReach(folders.dataDir, user)) return;
  const mode = (statSync(closed).mode & 0o777).toString(8).padStart(3, "0");
  throw new DatabaseError(
    `the data folder ${folders.dataDir} cannot be reached by ${user.name}, who runs PostgreSQL ` +
      `when Dragon runs as root, because ${closed} is closed to others (mode ${mode}): ` +
      "set DRAGON_DATA_DIR to a folder such as /var/lib/dragon",
  );
}

/** Makes a folder that only the server's user can enter. */
export function makePrivate(folder: string, user: ServerUser): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  own(folder, user);
}

/** Gives a file or folder to the server's user. */
export function own(path: string, user: ServerUser): void {
  if (!user.isSelf && statSync(path).uid !== user.uid) chownSync(path, user.uid, user.gid);
}

/**
 * The folder for the socket: `run`, or a short one when the path would not fit a socket address.
 * @param runtimeDir what the system offers for sockets, e.g. $XDG_RUNTIME_DIR
 * @throws DatabaseError when the short folder is somebody else's
 */
export function socketFolder(folders: Folders, user: ServerUser, runtimeDir?: string): string {
  const hash = createHash("sha256").update(folders.dataDir).digest("hex").slice(0, 12);
  const choices = [folders.run, join("/tmp", `dragon-${user.uid}-${hash}`)];
  if (runtimeDir) choices.splice(1, 0, join(runtimeDir, `dragon-${hash}`));
  const fits = choices.find((folder) => {
    const path = join(folder, `.s.PGSQL.${SOCKET_PORT}`);
    const isOpen = folder === folders.run || canReach(dirname(folder), user);
    return Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX && isOpen;
  });
  const folder = fits ?? join("/tmp", `dragon-${user.uid}-${hash}`);
  if (folder !== folders.run) claimShared(folder, user);
  return folder;
}

// In a folder open to everybody somebody else could have been here first, with a link or with
// permissions that let others answer in PostgreSQL's place.
function claimShared(folder: string, user: ServerUser): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
    own(folder, user);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  const stats = lstatSync(folder);
  if (stats.isDirectory() && stats.uid === user.uid && (stats.mode & 0o077) === 0) return;
  throw new DatabaseError(
    `the socket folder ${folder} exists and is not a private folder of ${user.name}: ` +
      "remove it, or set DRAGON_DATA_DIR to a folder with a shorter path",
  );
}
