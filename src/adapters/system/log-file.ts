// The log on disk: lines appended to one file that is renamed away when it is full, the oldest deleted. Built by
// the composition root; several processes may write to one folder. A disk that is full or gone costs lines,
// never more: nothing here throws.
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { tryLock } from "./file-lock.ts";

/** Where and how much. */
export type LogFileOptions = {
  /** Missing folders above it are made, for this user alone. */
  readonly path: string;
  /** A file is renamed away before it grows beyond this. */
  readonly bytesMax: number;
  /** Files that are kept, the one being written included; 2 or more. */
  readonly filesMax: number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Told once when lines begin to be lost, and not again before some could be written. */
  readonly onTrouble: (sentence: string) => void;
};

/** A log file. */
export type LogFile = {
  /** Appends one line without its line end. */
  write(line: string): void;
  /** Later lines are dropped. */
  close(): void;
};

/** The size of one file and how many are kept: at most 50 MB for weeks of a busy installation. */
export const LOG_BYTES_MAX = 10_000_000;
export const LOG_FILES_MAX = 5;

/** After a failure the file is opened again not sooner than this. */
const RETRY_MS = 5000;
/** Another process may have renamed the file: looked at this often. */
const LOOK_EVERY_MS = 1000;

type Open = { readonly fd: number; readonly inode: number; bytes: number; lookAtMs: number };

/** The file; opened at the first line. */
export function createLogFile(options: LogFileOptions): LogFile {
  const { nowMs, onTrouble } = options;
  let file: Open | null = null;
  let retryAtMs = Number.NEGATIVE_INFINITY;
  let lost = 0;
  let isTorn = false;
  let isClosed = false;

  function leave(): void {
    const leaving = file;
    file = null;
    if (leaving) closed(leaving.fd);
  }

  function append(text: Buffer): void {
    file ??= open(options);
    file = present(options, file, text.byteLength);
    const written = writeSync(file.fd, text);
    file.bytes += written;
    isTorn = written < text.byteLength;
    if (isTorn) throw new Error("the disk took only a part of a line");
  }

  return {
    write(line) {
      if (isClosed || nowMs() < retryAtMs) {
        lost += 1;
        return;
      }
      try {
        if (lost > 0) append(Buffer.from(`${isTorn ? "\n" : ""}${lostLine(lost)}\n`));
        append(Buffer.from(`${line}\n`));
        lost = 0;
      } catch (error) {
        const isFirst = lost === 0;
        lost += 1;
        retryAtMs = nowMs() + RETRY_MS;
        leave();
        // Last: whoever is told may log it, which comes back here.
        if (isFirst) onTrouble(`the log file ${options.path} cannot be written: ${said(error)}`);
      }
    },
    close() {
      isClosed = true;
      leave();
    },
  };
}

function lostLine(lines: number): string {
  const message = `${lines} lines before this one could not be written`;
  return JSON.stringify({ at: new Date().toISOString(), level: "warning", message });
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The file is given up either way. @returns false when the system says that it was not open */
function closed(fd: number): boolean {
  try {
    closeSync(fd);
    return true;
  } catch {
    return false;
  }
}

function open({ path, nowMs }: LogFileOptions): Open {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fd = openSync(path, "a", 0o600);
  const { ino, size } = fstatSync(fd);
  return { fd, inode: ino, bytes: size, lookAtMs: nowMs() + LOOK_EVERY_MS };
}

/** The file that is to be written now: the same, or a new one when it is full or was renamed. */
function present(options: LogFileOptions, file: Open, more: number): Open {
  const isFull = file.bytes > 0 && file.bytes + more > options.bytesMax;
  if (!isFull && options.nowMs() < file.lookAtMs) return file;
  file.lookAtMs = options.nowMs() + LOOK_EVERY_MS;
  const there = statSync(options.path, { throwIfNoEntry: false });
  const isOurs = there?.ino === file.inode;
  // Others append too: the size on the disk counts.
  file.bytes = isOurs ? there.size : file.bytes;
  if (isOurs && file.bytes + more <= options.bytesMax) return file;
  if (isOurs && !rotate(options, file.inode)) return file;
  closed(file.fd);
  return open(options);
}

/** Renames every file one further; the oldest is overwritten. @returns false when another process does it */
function rotate({ path, filesMax }: LogFileOptions, inode: number): boolean {
  const lock = tryLock(`${path}.lock`, "exclusive");
  if (lock === null) return false;
  try {
    if (statSync(path, { throwIfNoEntry: false })?.ino !== inode) return true;
    for (let n = filesMax - 2; n >= 0; n--) {
      const from = n === 0 ? path : `${path}.${n}`;
      if (statSync(from, { throwIfNoEntry: false })) renameSync(from, `${path}.${n + 1}`);
    }
    return true;
  } finally {
    lock.release();
  }
}
