// How far a run is: told by this process while it is busy with the run, looked up in the database while
// another one is, or nobody. Called by pages and their event streams through the runs.
import type { Scope } from "../../ports/access-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { JobStore } from "../../ports/job-store.ts";
import type { Log } from "../../ports/log.ts";
import type { RunId, RunStatus } from "../../ports/run-store.ts";
import type { RunClaims } from "./run-claims.ts";
import type { ActiveRun, RunBoard } from "./run-queue.ts";
import type { RunProgress, Runs } from "./runs.ts";

/** What following needs. */
export type FollowDeps = {
  readonly jobs: Pick<JobStore, "progress">;
  readonly clock: Pick<Clock, "sleep">;
  readonly log: Log;
};

type Listener = (progress: RunProgress) => void;

/** A run that is not computed here is looked up this often, and at every sign that some run changed. */
const LOOK_EVERY_MS = 1000;

/** Whether nothing more will happen to a run of this status. */
export function isEnded(status: RunStatus): boolean {
  return status === "finished" || status === "failed" || status === "cancelled";
}

/** The part of the runs that tells how far they are. */
export function createFollowing(
  { jobs, clock, log }: FollowDeps,
  board: RunBoard,
  claims: Pick<RunClaims, "news">,
): Pick<Runs, "progress" | "watch" | "settled"> {
  async function progress(scope: Scope, id: RunId): Promise<RunProgress | null> {
    return board.find(scope, id)?.progress ?? (await jobs.progress(scope, id));
  }

  /** Tells every change until the end, which it resolves at, or until the signal. */
  async function follow(
    scope: Scope,
    id: RunId,
    listener: Listener,
    signal: AbortSignal,
  ): Promise<void> {
    let last: RunProgress | null = null;
    const tell = (news: RunProgress) => {
      if (signal.aborted || isSame(last, news)) return;
      last = news;
      listener(news);
    };
    while (!signal.aborted) {
      const active = board.find(scope, id);
      if (active) await hear(active, tell, signal);
      const present = active?.progress.stage === "ended" ? null : await jobs.progress(scope, id);
      if (present === null || signal.aborted) return;
      // What was claimed here meanwhile tells more than its row.
      if (board.find(scope, id)) continue;
      tell(present);
      if (present.stage === "ended") return;
      await claims.news(LOOK_EVERY_MS, signal);
    }
  }

  function watch(scope: Scope, id: RunId, listener: Listener): () => void {
    const off = new AbortController();
    follow(scope, id, listener, off.signal).catch((error: unknown) =>
      log.error("the progress of a run could not be told", { error }),
    );
    return () => off.abort();
  }

  async function settled(scope: Scope, id: RunId, limitMs: number): Promise<RunProgress | null> {
    const giveUp = new AbortController();
    let last: RunProgress | null = null;
    const limit = clock.sleep(limitMs, giveUp.signal).catch(() => undefined);
    const ended = follow(scope, id, (news) => (last = news), giveUp.signal);
    await Promise.race([ended, limit]);
    giveUp.abort();
    return last ?? (await progress(scope, id));
  }

  return { progress, watch, settled };
}

/** Resolves when the run has ended, is not computed here any more, or nobody listens. */
async function hear(active: ActiveRun, tell: Listener, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let hasHeard = false;
  const stop = active.listen((news) => {
    hasHeard = true;
    tell(news);
    if (news.stage === "ended") resolve();
  });
  const onAbort = () => resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  // The present state comes first, after the caller knows how to call it off.
  await Promise.resolve();
  if (!hasHeard) tell(active.progress);
  if (active.progress.stage === "ended" || signal.aborted) resolve();
  await Promise.race([promise, active.over]);
  signal.removeEventListener("abort", onAbort);
  stop();
}

function isSame(last: RunProgress | null, news: RunProgress): boolean {
  return (
    last?.status === news.status &&
    last.stage === news.stage &&
    last.share === news.share &&
    last.error === news.error
  );
}
