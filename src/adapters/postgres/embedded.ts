// The bundled PostgreSQL: makes, starts, adopts and stops the server of a data folder. Called by
// database.ts, which holds the start lock meanwhile; everything above sees one connection target.
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../ports/log.ts";
import { type PostgresBinaries, sourceBinaries } from "./binaries.ts";
import { checkClusterVersion, hasCluster, makeCluster, SERVER_ROLE } from "./cluster.ts";
import { type ConnectTarget, connect, withDatabase } from "./connect.ts";
import { DatabaseError, errorCode, errorText } from "./errors.ts";
import {
  clusterOwner,
  type Folders,
  foldersOf,
  makePrivate,
  openWay,
  prepareDataDir,
  SOCKET_PORT,
  socketFolder,
} from "./folders.ts";
import {
  clearDeadServer,
  findServer,
  type StartedServer,
  startServer,
  stopServer,
} from "./server-process.ts";
import { canReach, chooseServerUser, type ServerUser } from "./server-user.ts";

/** What a bundled server needs. */
export type EmbeddedOptions = {
  readonly dataDir: string;
  readonly log: Log;
  /** The programs; those in node_modules when absent. */
  readonly binaries?: PostgresBinaries | undefined;
  /** An account root hands over to when it makes a new cluster. */
  readonly runAs?: { readonly uid: number; readonly gid: number } | undefined;
  /** A short folder for sockets offered by the system, e.g. $XDG_RUNTIME_DIR. */
  readonly runtimeDir?: string | undefined;
};

/** A server that answers. */
export type EmbeddedServer = {
  readonly target: ConnectTarget;
  /** The postmaster. */
  readonly pid: number;
  /** `adopted` when it was already running. */
  readonly how: "started" | "adopted";
  /** Stops it fast; connections still open are cut. */
  stop(): Promise<void>;
};

const DATABASE = "dragon";
const READY_MS = 60_000;
const RETRY_START_MS = 10_000;
const POLL_MS = 5;

/** Not yet, or just not any more: worth another try. */
const TRANSIENT = new Set([
  "57P03",
  "57P01",
  "ENOENT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "CONNECTION_CLOSED",
  "CONNECT_TIMEOUT",
]);

/** True for errors of a server that is starting, stopping or recovering. */
export function isTransient(error: unknown): boolean {
  return TRANSIENT.has(errorCode(error));
}

/**
 * Makes sure that the data folder's server runs and holds the database `dragon`.
 * The caller must hold the start lock of the folder.
 * @throws DatabaseError with one sentence for the operator
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const dataDir = prepareDataDir(options.dataDir);
  const folders = foldersOf(dataDir);
  const user = chooseServerUser(dataDir, clusterOwner(folders), options.runAs);
  openWay(folders, user, options.log);
  makePrivate(folders.run, user);
  const endAt = performance.now() + READY_MS;
  for (;;) {
    const running = hasCluster(folders) ? findServer(folders.cluster) : null;
    const adopted = running ? await adopt(folders, running.pid) : null;
    const up = adopted ?? (await start(folders, user, options));
    const target: ConnectTarget = {
      kind: "socket",
      folder: up.folder,
      port: up.port,
      user: SERVER_ROLE,
      database: DATABASE,
    };
    // A server may die between being found and being asked; then the next round starts another.
    const isAlive = () => findServer(folders.cluster)?.pid === up.pid;
    if (await ensureDatabase(target, isAlive, endAt)) {
      const how = adopted ? "adopted" : "started";
      options.log.debug(`PostgreSQL ${how}`, { pid: up.pid });
      return { target, pid: up.pid, how, stop: () => stopServer(folders.cluster, up.pid) };
    }
    if (performance.now() > endAt) throw notReady(folders);
  }
}

type Up = { readonly pid: number; readonly folder: string; readonly port: number };

/** Waits until the running server answers; null when it ended instead. */
async function adopt(folders: Folders, pid: number): Promise<Up | null> {
  const endAt = performance.now() + READY_MS;
  while (performance.now() < endAt) {
    const server = findServer(folders.cluster);
    if (server?.pid !== pid) return null;
    if (server.isReady) return { pid, folder: server.socketFolder, port: server.port };
    await sleep(POLL_MS);
  }
  throw notReady(folders);
}

async function start(folders: Folders, user: ServerUser, options: EmbeddedOptions): Promise<Up> {
  const binaries = options.binaries ?? sourceBinaries();
  const root = await binaries.place(folders.programs, (path) => canReach(path, user));
  if (!hasCluster(folders)) {
    options.log.info(`creating the database in ${folders.cluster}`);
    await makeCluster(folders, user, binaries, root);
  }
  checkClusterVersion(folders, binaries);
  const socket = socketFolder(folders, user, options.runtimeDir);
  const retryUntil = performance.now() + RETRY_START_MS;
  for (;;) {
    await clearDeadServer(folders.cluster);
    const child = startServer(folders, socket, user, root);
    const isUp = await waitUntilReady(folders, child);
    if (isUp) return { pid: child.pid, folder: socket, port: SOCKET_PORT };
    const said = child.said();
    // A dying predecessor may hold its lock file or shared memory a moment longer.
    const isHeld = /postmaster\.pid|shared memory block|socket lock file/.test(said);
    if (!isHeld || performance.now() > retryUntil) {
      throw new DatabaseError(
        `PostgreSQL did not start: ${lastComplaint(said)} (log: ${folders.log})`,
      );
    }
    await sleep(200);
  }
}

/** False when the server ended instead. */
async function waitUntilReady(folders: Folders, child: StartedServer): Promise<boolean> {
  const endAt = performance.now() + READY_MS;
  while (performance.now() < endAt) {
    if (child.exitCode() !== null) return false;
    const server = findServer(folders.cluster);
    if (server?.pid === child.pid && server.isReady) return true;
    await sleep(POLL_MS);
  }
  throw notReady(folders);
}

function notReady(folders: Folders): DatabaseError {
  return new DatabaseError(
    `PostgreSQL in ${folders.cluster} did not become ready within ${READY_MS / 1000} s ` +
      `(log: ${folders.log}): wait for its recovery to end and start again`,
  );
}

function lastComplaint(said: string): string {
  const lines = said.split("\n").filter((line) => line !== "");
  const complaint = lines.find((line) => /FATAL|PANIC/.test(line)) ?? lines.at(-1);
  return complaint?.replace(/^.*?(FATAL|PANIC):\s*/, "") ?? "it ended without a word";
}

/** Connects once, creating the database at the first start; false when the server ended instead. */
async function ensureDatabase(
  target: ConnectTarget,
  isAlive: () => boolean,
  endAt: number,
): Promise<boolean> {
  for (;;) {
    try {
      await ask(target, (sql) => sql`select 1`);
      return true;
    } catch (error) {
      if (errorCode(error) === "3D000") {
        await ask(withDatabase(target, "postgres"), (sql) => sql`create database ${sql(DATABASE)}`);
        continue;
      }
      if (!isTransient(error) || performance.now() > endAt) {
        throw new DatabaseError(`the bundled PostgreSQL does not answer: ${errorText(error)}`, {
          cause: error,
        });
      }
      if (!isAlive()) return false;
      await sleep(POLL_MS);
    }
  }
}

async function ask(
  target: ConnectTarget,
  question: (sql: ReturnType<typeof connect>) => PromiseLike<unknown>,
): Promise<void> {
  const sql = connect(target, { max: 1 });
  try {
    await question(sql);
  } finally {
    await sql.end({ timeout: 2 });
  }
}
