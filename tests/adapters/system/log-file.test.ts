// The log on disk: kept small by renaming, shared by processes, and never a reason to stop.
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogFile, type LogFileOptions } from "../../../src/adapters/system/log-file.ts";

let folder: string;
let nowMs: number;
let troubles: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dragon-log-"));
  nowMs = 0;
  troubles = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function options(change: Partial<LogFileOptions> = {}): LogFileOptions {
  return {
    path: join(folder, "logs", "dragon.jsonl"),
    ...{ bytesMax: 1000, filesMax: 3, nowMs: () => nowMs },
    onTrouble: (sentence) => troubles.push(sentence),
    ...change,
  };
}

const linesOf = (path: string) => readFileSync(path, "utf8").trimEnd().split("\n");

/** A line of 100 bytes with its end. */
const line = (n: number) => String(n).padEnd(99, ".");

test("lines go to a file and folder that only their owner reads, after what was there", () => {
  for (const text of ["one", "two"]) {
    const file = createLogFile(options());
    file.write(text);
    file.close();
    file.write("after the end");
  }
  const { path } = options();
  expect(linesOf(path)).toEqual(["one", "two"]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "logs")).mode & 0o777).toBe(0o700);
});

test("a full file is renamed, never larger than allowed, and the oldest goes", () => {
  const file = createLogFile(options());
  for (let n = 0; n < 45; n++) file.write(line(n));
  const { path } = options();
  const numbers = (name: string) => linesOf(name).map((text) => Number.parseInt(text, 10));
  expect(numbers(path)).toEqual([40, 41, 42, 43, 44]);
  expect(numbers(`${path}.1`)).toEqual([30, 31, 32, 33, 34, 35, 36, 37, 38, 39]);
  expect(numbers(`${path}.2`)).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
  expect(existsSync(`${path}.3`)).toBe(false);
  expect(statSync(`${path}.1`).size).toBe(1000);
});

test("two that write to one file lose no line and rename it once", () => {
  const [one, two] = [createLogFile(options()), createLogFile(options())];
  for (let n = 0; n < 14; n++) {
    (n % 2 === 0 ? one : two).write(line(n));
    nowMs += 2000;
  }
  const { path } = options();
  expect(linesOf(`${path}.1`)).toHaveLength(10);
  expect(linesOf(path)).toHaveLength(4);
  expect(existsSync(`${path}.2`)).toBe(false);
});

test("a file renamed by somebody else is begun anew", () => {
  const file = createLogFile(options());
  const { path } = options();
  file.write("one");
  renameSync(path, `${path}.old`);
  nowMs += 2000;
  file.write("two");
  expect(linesOf(path)).toEqual(["two"]);
});

test("what cannot be written is told once and counted, and writing goes on when it can", () => {
  const blocked = join(folder, "logs");
  // A file where the folder should be: every open fails, also for root.
  writeFileSync(blocked, "");
  const file = createLogFile(options());
  for (let n = 0; n < 5; n++) file.write(line(n));
  nowMs += 6000;
  file.write(line(5));
  expect(troubles).toHaveLength(1);
  expect(troubles[0]).toContain("dragon.jsonl");
  rmSync(blocked);
  nowMs += 6000;
  file.write("again");
  const [first, second] = linesOf(options().path);
  expect(JSON.parse(first ?? "").message).toContain("6 lines");
  expect(second).toBe("again");
});

test("a full disk costs lines and nothing else, also when the trouble itself is logged", () => {
  const onTrouble = (sentence: string) => {
    troubles.push(sentence);
    file.write(sentence);
  };
  const file = createLogFile(options({ path: "/dev/full", onTrouble }));
  for (let n = 0; n < 3; n++) file.write(line(n));
  expect(troubles).toHaveLength(1);
  expect(troubles[0]).toContain("ENOSPC");
});
