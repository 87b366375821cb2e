// The bundled PostgreSQL as a process: found through /proc, started detached, stopped by signal.
// Called by embedded.ts while it holds the start lock; signals only processes it has recognised.
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  truncateSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { serverEnvironment } from "./cluster.ts";
import { DatabaseError, errorCode } from "./errors.ts";
import { type Folders, own, SOCKET_PORT } from "./folders.ts";
import type { ServerUser } from "./server-user.ts";

/** A running server of a cluster, as its own pid file describes it. */
export type RunningServer = {
  readonly pid: number;
  readonly port: number;
  readonly socketFolder: string;
  /** True when it answers queries. */
  readonly isReady: boolean;
};

const LOG_BYTES_MAX = 10 * 1024 * 1024;
const FAST_STOP_MS = 30_000;
const QUICK_STOP_MS = 10_000;
const ORPHANS_MS = 10_000;
const ORPHANS_KILL_AFTER_MS = 5_000;
const POLL_MS = 5;

/** Settings of the bundled server: durable, small, no network, no dependence on /dev/shm. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "",
  port: String(SOCKET_PORT),
  unix_socket_permissions: "0700",
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  shared_buffers: "32MB",
  max_connections: "40",
  work_mem: "8MB",
  maintenance_work_mem: "32MB",
  max_wal_size: "256MB",
  min_wal_size: "32MB",
  // Memory cards wear out by what is written: fewer images of whole pages, and smaller ones.
  checkpoint_timeout: "15min",
  wal_compression: "pglz",
  autovacuum_analyze_threshold: "1000",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_worker_processes: "2",
  max_parallel_workers: "1",
  max_parallel_workers_per_gather: "0",
  max_logical_replication_workers: "0",
  autovacuum_max_workers: "1",
  io_method: "sync",
  jit: "off",
  huge_pages: "off",
  dynamic_shared_memory_type: "mmap",
  logging_collector: "off",
  log_checkpoints: "off",
  // Refused statements are reported by the program that sent them.
  log_min_messages: "fatal",
};

/** The running server of a cluster; null when its pid file is missing or stale. */
export function findServer(cluster: string): RunningServer | null {
  const lines = readPidFile(cluster);
  if (!lines) return null;
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || !isServerOf(pid, cluster)) return null;
  return {
    pid,
    port: Number(lines[3]) || SOCKET_PORT,
    socketFolder: lines[4] ?? "",
    isReady: lines[7]?.trim() === "ready",
  };
}

function readPidFile(cluster: string): string[] | null {
  try {
    return readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
}

/**
 * True when the process is a PostgreSQL that lives in the cluster: its name is postgres, its
 * working folder is the cluster, and it is no zombie (a zombie has no working folder any more).
 */
function isServerOf(pid: number, cluster: string): boolean {
  try {
    return (
      readlinkSync(`/proc/${pid}/cwd`) === cluster &&
      readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "postgres"
    );
  } catch (error) {
    // Gone, a zombie, or another user's process: in no case our server.
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(errorCode(error))) return false;
    throw error;
  }
}

/** Every PostgreSQL process of a cluster, the postmaster included. */
export function serverProcesses(cluster: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isServerOf(pid, cluster));
}

/**
 * Removes what a dead server left: ends processes without a postmaster, then deletes the stale pid
 * file, which PostgreSQL itself would believe when its number was given to another process.
 * @throws DatabaseError when such processes do not end
 */
export async function clearDeadServer(cluster: string): Promise<void> {
  const startedAt = performance.now();
  let isAsked = false;
  for (;;) {
    const orphans = serverProcesses(cluster);
    if (orphans.length === 0) break;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs > ORPHANS_MS) {
      throw new DatabaseError(
        `processes ${orphans.join(", ")} of an ended PostgreSQL still use ${cluster}: end them`,
      );
    }
    if (!isAsked || waitedMs > ORPHANS_KILL_AFTER_MS) {
      const name = waitedMs > ORPHANS_KILL_AFTER_MS ? "SIGKILL" : "SIGQUIT";
      for (const pid of orphans) signal(pid, name);
    }
    isAsked = true;
    await sleep(20);
  }
  try {
    unlinkSync(join(cluster, "postmaster.pid"));
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

/** A server that was just started. */
export type StartedServer = {
  readonly pid: number;
  /** Null while it runs. */
  exitCode(): number | null;
  /** What it wrote to its log since this start. */
  said(): string;
};

/** Starts the server in a session of its own: a Ctrl-C at our terminal does not reach it. */
export function startServer(
  folders: Folders,
  socketFolder: string,
  user: ServerUser,
  root: string,
): StartedServer {
  boundLog(folders.log);
  const log = openSync(folders.log, "a", 0o600);
  own(folders.log, user);
  const from = statSync(folders.log).size;
  const settings = { ...SETTINGS, unix_socket_directories: socketFolder };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  try {
    const child = Bun.spawn([join(root, "bin/postgres"), "-D", folders.cluster, ...flags], {
      ...(user.isSelf ? {} : { uid: user.uid, gid: user.gid }),
      env: serverEnvironment(folders.run),
      cwd: folders.run,
      detached: true,
      stdin: "ignore",
      stdout: log,
      stderr: log,
    });
    child.unref();
    return {
      pid: child.pid,
      exitCode: () => child.exitCode ?? (child.signalCode === null ? null : -1),
      said: () => readFileSync(folders.log).subarray(from).toString("utf8").trim(),
    };
  } finally {
    closeSync(log);
  }
}

function boundLog(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats && stats.size > LOG_BYTES_MAX) truncateSync(path, 0);
}

/**
 * Stops the server of a cluster: fast first, without a checkpoint when that takes too long.
 * @throws DatabaseError when it is still there after both
 */
export async function stopServer(cluster: string, pid: number): Promise<void> {
  for (const [name, waitMs] of [
    ["SIGINT", FAST_STOP_MS],
    ["SIGQUIT", QUICK_STOP_MS],
  ] as const) {
    if (!isServerOf(pid, cluster)) return;
    signal(pid, name);
    const endAt = performance.now() + waitMs;
    while (performance.now() < endAt) {
      if (!isServerOf(pid, cluster)) return;
      await sleep(POLL_MS);
    }
  }
  throw new DatabaseError(`PostgreSQL (process ${pid}) in ${cluster} did not stop: end it by hand`);
}

function signal(pid: number, name: "SIGINT" | "SIGQUIT" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}
