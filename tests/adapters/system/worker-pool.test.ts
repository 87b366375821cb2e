// The worker pool over real threads: order, affinity, cancelling, death, rest.
import { afterEach, expect, test } from "bun:test";
import {
  createWorkerPool,
  type WorkerPoolOptions,
} from "../../../src/adapters/system/worker-pool.ts";
import { InputError } from "../../../src/model/result.ts";
import type { TaskOptions, WorkerPool } from "../../../src/ports/worker-pool.ts";
import type { PoolTask } from "../../support/pool-program.worker.ts";
import { silentLog } from "../../support/silent-log.ts";

const PROGRAM = new URL("../../support/pool-program.worker.ts", import.meta.url);

const made: WorkerPool[] = [];

function pool(options: Partial<WorkerPoolOptions> = {}): WorkerPool {
  const one = createWorkerPool({ url: PROGRAM, log: silentLog, threads: 2, ...options });
  made.push(one);
  return one;
}

afterEach(async () => {
  await Promise.all(made.splice(0).map((one) => one.close()));
});

/** The signal of somebody who never takes a task back. */
const patient = new AbortController().signal;
const run = (on: WorkerPool, task: PoolTask, options: Partial<TaskOptions> = {}) =>
  on.run(task, { signal: patient, ...options });

type Answer = { value: unknown; thread: string };
const answer = async (on: WorkerPool, value: unknown, affinity?: string) =>
  (await run(on, { do: "answer", value }, affinity ? { affinity } : {})) as Answer;

/** A task that works until it is told to end; resolves once a thread is at it. */
async function busy(
  on: WorkerPool,
  kind: "work" | "deaf" = "work",
  options: Partial<TaskOptions> = {},
) {
  const began = new SharedArrayBuffer(4);
  const controller = new AbortController();
  const ended = run(on, { do: kind, began }, { signal: controller.signal, ...options });
  ended.catch(() => undefined);
  await until(() => Atomics.load(new Int32Array(began), 0) === 1);
  return { controller, ended };
}

async function until(holds: () => boolean | Promise<boolean>, limitMs = 5000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error("it did not come to hold in time");
    await Bun.sleep(5);
  }
}

test("an answer comes back, and shared memory is the same memory on both sides", async () => {
  const one = pool();
  expect(await answer(one, { deep: [1, "two"] })).toMatchObject({ value: { deep: [1, "two"] } });
  const memory = new SharedArrayBuffer(8);
  await run(one, { do: "touch", memory });
  await run(one, { do: "touch", memory });
  expect(new Float64Array(memory)[0]).toBe(2);
});

test("a refused input stays one on this side, other errors keep name and message", async () => {
  const one = pool();
  const refused = run(one, { do: "refuse", name: "InputError", message: "config: no" });
  await expect(refused).rejects.toBeInstanceOf(InputError);
  await expect(refused).rejects.toThrow("config: no");
  const other = run(one, { do: "refuse", name: "InvariantError", message: "odd" });
  const error = await other.then(() => null).catch((caught: unknown) => caught as Error);
  expect([error?.name, error?.message]).toEqual(["InvariantError", "odd"]);
  expect(error).not.toBeInstanceOf(InputError);
});

test("tasks begin in the order they came", async () => {
  const one = pool({ threads: 1 });
  const { controller } = await busy(one);
  const order: number[] = [];
  const waiting = [1, 2, 3, 4].map((n) => answer(one, n).then(() => order.push(n)));
  controller.abort(new Error("enough"));
  await Promise.all(waiting);
  expect(order).toEqual([1, 2, 3, 4]);
});

test("a second thread begins only when the first is busy, and there are no more than allowed", async () => {
  const one = pool({ threads: 2 });
  const seen = new Set<string>();
  for (let n = 0; n < 5; n++) seen.add((await answer(one, n)).thread);
  expect(seen.size).toBe(1);
  const { controller } = await busy(one);
  seen.add((await answer(one, "beside")).thread);
  expect(seen.size).toBe(2);
  const { controller: second } = await busy(one);
  let isAnswered = false;
  const third = answer(one, "third").then(() => (isAnswered = true));
  await Bun.sleep(50);
  expect(isAnswered).toBe(false);
  controller.abort(new Error("enough"));
  second.abort(new Error("enough"));
  await third;
});

test("tasks of one word come to the thread that knows it", async () => {
  const one = pool({ threads: 2 });
  const { controller, ended } = await busy(one, "work", { affinity: "red" });
  const blue = (await answer(one, 1, "blue")).thread;
  controller.abort(new Error("enough"));
  await ended.catch(() => undefined);
  // The thread needs a moment to hear of it.
  await Bun.sleep(50);
  for (let n = 0; n < 4; n++) {
    const red = (await answer(one, n, "red")).thread;
    expect(red).not.toBe(blue);
    expect((await answer(one, n, "blue")).thread).toBe(blue);
  }
});

test("shares are heard while a task works, and none after it was taken back", async () => {
  const one = pool();
  const heard: number[] = [];
  const { controller } = await busy(one, "work", { onProgress: (share) => heard.push(share) });
  await until(() => heard.length >= 3);
  controller.abort(new Error("enough"));
  const count = heard.length;
  await answer(one, "after");
  await Bun.sleep(30);
  expect(heard.length).toBe(count);
});

test("a task taken back while it works ends with the reason, and its thread goes on", async () => {
  const one = pool({ threads: 1 });
  const before = (await answer(one, 1)).thread;
  const { controller, ended } = await busy(one);
  controller.abort(new Error("changed my mind"));
  await expect(ended).rejects.toThrow("changed my mind");
  expect((await answer(one, 2)).thread).toBe(before);
});

test("a task taken back while it waits never begins", async () => {
  const one = pool({ threads: 1 });
  const { controller } = await busy(one);
  const memory = new SharedArrayBuffer(8);
  const second = new AbortController();
  const waiting = run(one, { do: "touch", memory }, { signal: second.signal });
  second.abort(new Error("not any more"));
  await expect(waiting).rejects.toThrow("not any more");
  controller.abort(new Error("enough"));
  await answer(one, "after");
  expect(new Float64Array(memory)[0]).toBe(0);
  await expect(run(one, { do: "touch", memory }, { signal: second.signal })).rejects.toThrow(
    "not any more",
  );
});

test("a thread that does not hear that its task was taken back is replaced", async () => {
  const one = pool({ threads: 1, graceMs: 50 });
  const before = (await answer(one, 1)).thread;
  const { controller, ended } = await busy(one, "deaf");
  controller.abort(new Error("enough"));
  await expect(ended).rejects.toThrow("enough");
  expect((await answer(one, 2)).thread).not.toBe(before);
});

test("a thread that dies fails its task with a sentence, and those behind it are done by another", async () => {
  const one = pool({ threads: 1 });
  const before = (await answer(one, 1)).thread;
  const dying = run(one, { do: "die" });
  const behind = answer(one, 2);
  const error = await dying.then(() => null).catch((caught: unknown) => caught as Error);
  expect(error?.name).toBe("WorkerThreadError");
  expect(error?.message).toContain("ended unexpectedly");
  expect((await behind).thread).not.toBe(before);
});

test("a program that cannot be started fails the task instead of hanging", async () => {
  const one = pool({ url: new URL("./absent.worker.ts", import.meta.url) });
  await expect(run(one, { do: "answer", value: 1 })).rejects.toThrow("ended unexpectedly");
});

test("a thread at rest ends, and the next task gets a new one", async () => {
  const one = pool({ threads: 1, idleMs: 40 });
  const first = (await answer(one, 1)).thread;
  expect((await answer(one, 2)).thread).toBe(first);
  await Bun.sleep(150);
  expect((await answer(one, 3)).thread).not.toBe(first);
});

test("a thread that works longer than a rest may last is left alone", async () => {
  const one = pool({ threads: 1, idleMs: 30 });
  const first = (await answer(one, 1)).thread;
  const { controller } = await busy(one);
  await Bun.sleep(100);
  controller.abort(new Error("enough"));
  expect((await answer(one, 2)).thread).toBe(first);
});

test("a closed pool refuses what works, what waits and what comes", async () => {
  const one = pool({ threads: 1 });
  const { ended } = await busy(one);
  const waiting = answer(one, 1);
  waiting.catch(() => undefined);
  await one.close();
  await expect(ended).rejects.toThrow("closed");
  await expect(waiting).rejects.toThrow("closed");
  await expect(answer(one, 2)).rejects.toThrow("closed");
});

test("without a wish there is at least one thread and at most four", () => {
  const { threads } = createWorkerPool({ url: PROGRAM, log: silentLog });
  expect(threads).toBeGreaterThanOrEqual(1);
  expect(threads).toBeLessThanOrEqual(4);
});
