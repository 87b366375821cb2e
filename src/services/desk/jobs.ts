// Who does what: processes, runs in their hands, accounts they trade, and what ended lately. Called by the page
// of jobs and its stream; it only reads.
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EndedRun, JobStore, OpenRun } from "../../ports/job-store.ts";
import type { Log } from "../../ports/log.ts";
import type { LeasedAccount, WorkerRow, WorkerStore } from "../../ports/worker-store.ts";

/** Everything the page shows, as a workspace sees it. */
export type JobsOverview = {
  readonly workers: readonly WorkerRow[];
  readonly runs: readonly OpenRun[];
  readonly accounts: readonly LeasedAccount[];
  readonly history: readonly EndedRun[];
  /** The epoch of the trading states as the database has it; null before the first look at them. */
  readonly epoch: number | null;
  readonly now: EpochMs;
};

/** The desk of jobs. */
export type JobsDesk = {
  overview(scope: Scope): Promise<JobsOverview>;
  /** Tells the overview again every 2 s until called off. */
  watch(scope: Scope, listener: (overview: JobsOverview) => void): () => void;
};

/** What the desk is built from. */
export type JobsDeps = {
  readonly workers: Pick<WorkerStore, "list" | "leases" | "epoch">;
  readonly jobs: Pick<JobStore, "open" | "ended">;
  readonly clock: Pick<Clock, "now" | "sleep">;
  readonly log: Log;
};

const OPEN_MAX = 50;
const HISTORY_MAX = 20;
const LOOK_EVERY_MS = 2000;

/** The desk over its stores. */
export function createJobsDesk({ workers, jobs, clock, log }: JobsDeps): JobsDesk {
  async function overview(scope: Scope): Promise<JobsOverview> {
    const [list, runs, accounts, history, epoch] = await Promise.all([
      workers.list(scope),
      jobs.open(scope, OPEN_MAX),
      workers.leases(scope),
      jobs.ended(scope, HISTORY_MAX),
      workers.epoch(scope),
    ]);
    return { workers: list, runs, accounts, history, epoch, now: clock.now() };
  }

  async function tell(
    scope: Scope,
    listener: (overview: JobsOverview) => void,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      const present = await overview(scope).catch((error: unknown) => {
        log.warn("the jobs could not be read", { error });
        return null;
      });
      if (present !== null && !signal.aborted) listener(present);
    }
  }

  return {
    overview,
    watch(scope, listener) {
      const off = new AbortController();
      void tell(scope, listener, off.signal);
      return () => off.abort();
    },
  };
}
