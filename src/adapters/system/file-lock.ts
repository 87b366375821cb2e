// Locks on files that end with the process, however it ends (flock through bun:ffi). Used by
// adapters/postgres to share a data folder; never by the core. Linux and glibc or musl only.
import { dlopen } from "bun:ffi";
import { closeSync, fchmodSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A held lock. */
export type FileLock = {
  /** Replaces the file's text, e.g. by the pid of the holder. */
  write(text: string): void;
  /**
   * Turns a shared lock into an exclusive one; false when others hold it too.
   * After false nothing is held any more: the kernel gives the old lock up first.
   */
  tryExclusive(): boolean;
  /** Gives the lock up; a second call does nothing. */
  release(): void;
};

export type LockMode = "exclusive" | "shared";

const LOCK_SHARED = 1;
const LOCK_EXCLUSIVE = 2;
const LOCK_NO_WAIT = 4;
const POLL_MS = 10;

const LIBRARIES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

type Flock = (file: number, operation: number) => number;

let flockOfLibc: Flock | undefined;

function flock(file: number, operation: number): boolean {
  flockOfLibc ??= loadFlock();
  return flockOfLibc(file, operation | LOCK_NO_WAIT) === 0;
}

function loadFlock(): Flock {
  const failures: unknown[] = [];
  for (const library of LIBRARIES) {
    try {
      const { symbols } = dlopen(library, { flock: { args: ["int", "int"], returns: "int" } });
      return (file, operation) => Number(symbols.flock(file, operation));
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, "file locks need the C library of Linux");
}

/**
 * Locks a file, created when absent; null when others hold it.
 * @throws Error with a system code (EACCES, EROFS …) when the file cannot be opened
 */
export function tryLock(path: string, mode: LockMode): FileLock | null {
  const file = openSync(path, "a+", 0o600);
  if (!flock(file, mode === "exclusive" ? LOCK_EXCLUSIVE : LOCK_SHARED)) {
    closeSync(file);
    return null;
  }
  let isHeld = true;
  return {
    write: (text) => {
      fchmodSync(file, 0o600);
      ftruncateSync(file, 0);
      writeSync(file, text);
    },
    tryExclusive: () => isHeld && flock(file, LOCK_EXCLUSIVE),
    release: () => {
      if (isHeld) closeSync(file);
      isHeld = false;
    },
  };
}

/**
 * Waits for a lock by asking again and again, so that the event loop keeps turning.
 * @returns null when it was not free within the time
 */
export async function waitForLock(
  path: string,
  mode: LockMode,
  waitMs: number,
): Promise<FileLock | null> {
  const endAt = performance.now() + waitMs;
  for (;;) {
    const lock = tryLock(path, mode);
    if (lock || performance.now() >= endAt) return lock;
    await sleep(POLL_MS);
  }
}

/** The text of a lock file, empty when there is none. */
export function readLockText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}
