// The shared look behind live pages: one reading per workspace, failures are tried again, nobody is read for who
// has left.
import { expect, test } from "bun:test";
import type { Scope, WorkspaceId } from "../../../src/ports/access-store.ts";
import { createWatch } from "../../../src/services/desk/bot-watch.ts";
import { silentLog } from "../../support/silent-log.ts";

const scopeOf = (id: number): Scope => ({
  workspaceId: id as WorkspaceId,
  userId: null,
  role: "viewer",
});

/** A watch whose looks come when the test says so; `read` counts by workspace. */
function watchCase() {
  const asleep: (() => void)[] = [];
  const reads: number[] = [];
  let isBroken = false;
  const watch = createWatch<number>({
    read: async ({ workspaceId }) => {
      reads.push(workspaceId);
      if (isBroken) throw new Error("the database is away");
      return reads.length;
    },
    clock: {
      sleep: (_durationMs, signal) =>
        new Promise((resolve, reject) => {
          asleep.push(resolve);
          signal?.addEventListener("abort", () => reject(signal.reason));
        }),
    },
    log: silentLog,
  });
  return {
    watch,
    reads,
    asleep,
    breakReads(broken: boolean) {
      isBroken = broken;
    },
    /** One look of everybody who waits, and everything that follows from it. */
    async look() {
      for (const wake of asleep.splice(0)) wake();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("each workspace is read once for everybody in it", async () => {
  const { watch, reads, look } = watchCase();
  const seen: string[] = [];
  const leave = [1, 1, 2].map((id, who) => watch(scopeOf(id), () => seen.push(`${id}:${who}`)));
  await look();
  expect(reads).toEqual([1, 2]);
  expect(seen.sort()).toEqual(["1:0", "1:1", "2:2"]);
  for (const stop of leave) stop();
});

test("a read that fails tells nobody anything and is tried again", async () => {
  const { watch, reads, look, breakReads } = watchCase();
  const seen: number[] = [];
  const leave = watch(scopeOf(1), (value) => seen.push(value));
  breakReads(true);
  await look();
  expect([reads.length, seen]).toEqual([1, []]);
  breakReads(false);
  await look();
  expect(seen).toEqual([2]);
  leave();
});

test("the last one to leave ends the reading, and who comes later begins it anew", async () => {
  const { watch, reads, look, asleep } = watchCase();
  const seen: string[] = [];
  const first = watch(scopeOf(1), () => seen.push("first"));
  const second = watch(scopeOf(1), () => seen.push("second"));
  first();
  await look();
  expect(seen).toEqual(["second"]);
  second();
  second();
  await look();
  expect(reads.length).toBe(1);
  const third = watch(scopeOf(1), () => seen.push("third"));
  expect(asleep.length).toBe(1);
  await look();
  expect(seen).toEqual(["second", "third"]);
  third();
});
