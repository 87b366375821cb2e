// The program of a worker thread: takes an order, computes, answers. Started by the worker pool; it lies
// beside main.ts because a compiled executable finds it nowhere else. It must never touch a store or a file.
import type { TaskOrder, TaskReport } from "./ports/worker-pool.ts";
import { createTaskHandler } from "./services/research/compute-task.ts";

/** Least time between two reports of progress. */
const REPORT_EVERY_MS = 400;

declare const self: Worker;

const handle = createTaskHandler();
const report = (message: TaskReport) => self.postMessage(message);

self.addEventListener("message", ({ data: { id, task, cancelled } }: MessageEvent<TaskOrder>) => {
  const flag = new Int32Array(cancelled);
  let reportedAtMs = performance.now();
  try {
    const value = handle(task, (share) => {
      const nowMs = performance.now();
      if (nowMs - reportedAtMs >= REPORT_EVERY_MS) {
        reportedAtMs = nowMs;
        report({ id, kind: "progress", share });
      }
      return Atomics.load(flag, 0) === 0;
    });
    report({ id, kind: "done", value });
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    report({ id, kind: "failed", name, message, stack: stack ?? "" });
  }
});
