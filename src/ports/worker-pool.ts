// Threads for computing, so that pages stay quick while a backtest runs. Interfaces only. What a task
// means is agreed between the service that sends it and the worker entry that receives it.

/** How one task is run. */
export type TaskOptions = {
  /** Tasks with the same word prefer the same thread, which may have kept something for them. */
  readonly affinity?: string;
  /** Aborting ends the task at its next report of progress. */
  readonly signal: AbortSignal;
  /** Share done, 0..1, about twice a second. */
  onProgress?(share: number): void;
};

/** A fixed number of threads with one queue; tasks begin in the order they came. */
export type WorkerPool = {
  readonly threads: number;
  /**
   * Runs a task: anything that can be cloned to another thread, memory marked as shared is shared.
   * @throws InputError when the worker refused the input, the signal's reason when aborted,
   *   another Error when the thread failed; the pool replaces a thread that died
   */
  run(task: unknown, options: TaskOptions): Promise<unknown>;
  /** Ends all threads; running tasks are refused. */
  close(): Promise<void>;
};

/** What a thread is sent; the first 32-bit word of `cancelled` becomes 1 when the task shall end. */
export type TaskOrder = {
  readonly id: number;
  readonly task: unknown;
  readonly cancelled: SharedArrayBuffer;
};

/** What a thread answers: any number of shares, then one end. */
export type TaskReport =
  | { readonly id: number; readonly kind: "progress"; readonly share: number }
  | { readonly id: number; readonly kind: "done"; readonly value: unknown }
  | {
      readonly id: number;
      readonly kind: "failed";
      /** `InputError` stays one on the other side. */
      readonly name: string;
      readonly message: string;
      readonly stack: string;
    };
