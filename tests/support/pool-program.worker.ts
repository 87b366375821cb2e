// A thread's program for the tests of the worker pool: each task says what the thread shall do.
import type { TaskOrder, TaskReport } from "../../src/ports/worker-pool.ts";

/** What a test asks of the thread. */
export type PoolTask =
  | { readonly do: "answer"; readonly value: unknown }
  /** Adds 1 to the first double of the shared memory. */
  | { readonly do: "touch"; readonly memory: SharedArrayBuffer }
  /** Works until the flag is raised, reporting shares meanwhile. */
  | { readonly do: "work"; readonly began: SharedArrayBuffer }
  /** Never ends, whatever the flag says. */
  | { readonly do: "deaf"; readonly began: SharedArrayBuffer }
  | { readonly do: "refuse"; readonly name: string; readonly message: string }
  | { readonly do: "die" };

declare const self: Worker;

/** Distinguishes the threads of a pool. */
const identity = crypto.randomUUID();
const report = (message: TaskReport) => self.postMessage(message);

function perform(id: number, task: PoolTask, flag: Int32Array): unknown {
  switch (task.do) {
    case "answer":
      return { value: task.value, thread: identity };
    case "touch": {
      const memory = new Float64Array(task.memory);
      memory[0] = (memory[0] ?? 0) + 1;
      return null;
    }
    case "work":
      Atomics.store(new Int32Array(task.began), 0, 1);
      for (let turn = 0; Atomics.load(flag, 0) === 0; turn++) {
        report({ id, kind: "progress", share: turn });
        Atomics.wait(flag, 0, 0, 5);
      }
      return "stopped";
    case "deaf":
      Atomics.store(new Int32Array(task.began), 0, 1);
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    case "refuse": {
      const error = new Error(task.message);
      error.name = task.name;
      throw error;
    }
    case "die":
      return process.exit(7);
  }
}

self.addEventListener("message", ({ data: { id, task, cancelled } }: MessageEvent<TaskOrder>) => {
  try {
    const value = perform(id, task as PoolTask, new Int32Array(cancelled));
    report({ id, kind: "done", value });
  } catch (error) {
    const { name, message, stack = "" } = error as Error;
    report({ id, kind: "failed", name, message, stack });
  }
});
