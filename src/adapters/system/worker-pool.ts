// Worker threads for computing: started when the first task comes, kept warm, ended after a rest. Built by
// the composition with the address of the thread's program; it knows nothing of what a task means.
import { availableParallelism } from "node:os";
import { InputError } from "../../model/result.ts";
import type { Log } from "../../ports/log.ts";
import type { TaskOptions, TaskOrder, TaskReport, WorkerPool } from "../../ports/worker-pool.ts";

/** How a pool is made. */
export type WorkerPoolOptions = {
  /** The program of a thread. */
  readonly url: URL;
  readonly log: Log;
  /** One per core but one, at most four, when absent. */
  readonly threads?: number;
  /** A thread without work ends after so long; a minute when absent. */
  readonly idleMs?: number;
  /** An aborted task may go on for so long before its thread is ended; 5 s when absent. */
  readonly graceMs?: number;
};

const THREADS_MAX = 4;
const IDLE_MS = 60_000;
const GRACE_MS = 5000;
/** Words of affinity a thread is remembered by. */
const AFFINITIES_MAX = 8;

type Job = {
  readonly order: TaskOrder;
  readonly options: TaskOptions;
  /** Ends the promise of the caller, once. */
  settle(outcome: { readonly value: unknown } | { readonly error: unknown }): void;
};

type Thread = {
  readonly worker: Worker;
  job: Job | null;
  /** Newest last. */
  affinities: string[];
  timer: Timer | null;
  /** What it said before it ended. */
  lastWords: string;
};

/** The error of a thread that died; its task may be asked for again. */
function deadThread(words: string): Error {
  const error = new Error(`the computing thread ended unexpectedly${words && `: ${words}`}`);
  error.name = "WorkerThreadError";
  return error;
}

/** An error as it was on the other side. */
function revived(report: Extract<TaskReport, { kind: "failed" }>): Error {
  if (report.name === "InputError") return new InputError(report.message);
  const error = new Error(report.message);
  error.name = report.name;
  error.stack = report.stack;
  return error;
}

type Pool = {
  readonly options: WorkerPoolOptions;
  readonly size: number;
  readonly waiting: Job[];
  readonly threads: Set<Thread>;
  tasks: number;
  isClosed: boolean;
};

function stopTimer(thread: Thread): void {
  if (thread.timer) clearTimeout(thread.timer);
  thread.timer = null;
}

function end(pool: Pool, thread: Thread): void {
  stopTimer(thread);
  pool.threads.delete(thread);
  thread.worker.terminate();
}

function rest(pool: Pool, thread: Thread): void {
  thread.job = null;
  stopTimer(thread);
  thread.timer = setTimeout(() => end(pool, thread), pool.options.idleMs ?? IDLE_MS);
  thread.timer.unref();
}

function spawn(pool: Pool): Thread {
  const worker = new Worker(pool.options.url.href);
  const thread: Thread = { worker, job: null, affinities: [], timer: null, lastWords: "" };
  pool.threads.add(thread);
  worker.addEventListener("message", (event: MessageEvent<TaskReport>) => {
    hear(pool, thread, event.data);
  });
  worker.addEventListener("error", (event: ErrorEvent) => {
    event.preventDefault();
    thread.lastWords = event.message;
  });
  worker.addEventListener("close", () => bury(pool, thread));
  return thread;
}

function hear(pool: Pool, thread: Thread, report: TaskReport): void {
  const { job } = thread;
  if (job?.order.id !== report.id) return;
  if (report.kind === "progress") {
    if (!job.options.signal.aborted) job.options.onProgress?.(report.share);
    return;
  }
  rest(pool, thread);
  job.settle(report.kind === "done" ? { value: report.value } : { error: revived(report) });
  advance(pool);
}

/** A thread that ended by itself; those we end are not on the list any more. */
function bury(pool: Pool, thread: Thread): void {
  if (!pool.threads.delete(thread)) return;
  stopTimer(thread);
  const words = thread.lastWords;
  pool.options.log.error("a computing thread ended unexpectedly", { words });
  thread.job?.settle({ error: deadThread(words) });
  advance(pool);
}

/** A free thread: the one that knows the word, else one at rest, else a new one. */
function freeThread(pool: Pool, affinity: string | undefined): Thread | undefined {
  const free = [...pool.threads].filter((thread) => thread.job === null);
  const known = free.find((thread) => affinity && thread.affinities.includes(affinity));
  return known ?? free[0] ?? (pool.threads.size < pool.size ? spawn(pool) : undefined);
}

function advance(pool: Pool): void {
  const { waiting } = pool;
  for (let job = waiting[0]; job !== undefined; job = waiting[0]) {
    const thread = freeThread(pool, job.options.affinity);
    if (thread === undefined) return;
    waiting.shift();
    give(thread, job);
  }
}

function give(thread: Thread, job: Job): void {
  stopTimer(thread);
  thread.job = job;
  const { affinity } = job.options;
  if (affinity !== undefined) {
    const others = thread.affinities.filter((word) => word !== affinity);
    thread.affinities = [...others, affinity].slice(-AFFINITIES_MAX);
  }
  thread.worker.postMessage(job.order);
}

/** Takes a task back: out of the queue, or by the flag its thread reads now and then. */
function cancel(pool: Pool, job: Job): void {
  const place = pool.waiting.indexOf(job);
  if (place >= 0) pool.waiting.splice(place, 1);
  const thread = [...pool.threads].find((each) => each.job === job);
  if (!thread) return;
  Atomics.store(new Int32Array(job.order.cancelled), 0, 1);
  thread.timer = setTimeout(() => {
    end(pool, thread);
    advance(pool);
  }, pool.options.graceMs ?? GRACE_MS);
}

function begin(pool: Pool, task: unknown, options: TaskOptions): Promise<unknown> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      cancel(pool, job);
      reject(signal.reason);
    };
    pool.tasks += 1;
    const job: Job = {
      order: { id: pool.tasks, task, cancelled: new SharedArrayBuffer(4) },
      options,
      settle: (outcome) => {
        signal.removeEventListener("abort", onAbort);
        if ("error" in outcome) reject(outcome.error);
        else resolve(outcome.value);
      },
    };
    signal.addEventListener("abort", onAbort, { once: true });
    pool.waiting.push(job);
    advance(pool);
  });
}

/** A pool on threads of this process. */
export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const cores = Math.max(1, Math.min(THREADS_MAX, availableParallelism() - 1));
  const size = options.threads ?? cores;
  const threads = new Set<Thread>();
  const pool: Pool = { options, size, waiting: [], threads, tasks: 0, isClosed: false };
  return {
    threads: size,
    async run(task, taskOptions) {
      taskOptions.signal.throwIfAborted();
      if (pool.isClosed) throw new Error("the worker pool is closed");
      return await begin(pool, task, taskOptions);
    },
    async close() {
      pool.isClosed = true;
      const refused = { error: new Error("the worker pool was closed") };
      for (const job of pool.waiting.splice(0)) job.settle(refused);
      for (const thread of [...pool.threads]) {
        end(pool, thread);
        thread.job?.settle(refused);
      }
    },
  };
}
