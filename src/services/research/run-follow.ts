// How far a run is: told by this process while it is busy with the run, read from its row otherwise.
// Called by pages and their event streams through the runs.
import type { Scope } from "../../ports/access-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Run, RunId, RunStatus, RunStore } from "../../ports/run-store.ts";
import type { RunBoard } from "./run-queue.ts";
import type { RunProgress, Runs } from "./runs.ts";

/** Whether nothing more will happen to a run of this status. */
export function isEnded(status: RunStatus): boolean {
  return status === "finished" || status === "failed" || status === "cancelled";
}

function progressOf({ status, error }: Run): RunProgress {
  return { status, stage: isEnded(status) ? "ended" : "waiting", share: null, error };
}

/** The part of the runs that tells how far they are. */
export function createFollowing(
  store: Pick<RunStore, "find">,
  board: RunBoard,
  { clock, log }: { readonly clock: Pick<Clock, "sleep">; readonly log: Log },
): Pick<Runs, "progress" | "watch" | "settled"> {
  async function progress(scope: Scope, id: RunId): Promise<RunProgress | null> {
    const active = board.find(scope, id);
    if (active) return active.progress;
    const run = await store.find(scope, id);
    return run && progressOf(run);
  }

  function watch(scope: Scope, id: RunId, listener: (progress: RunProgress) => void): () => void {
    let isOn = true;
    let hasHeard = false;
    const tell = (news: RunProgress) => {
      hasHeard = true;
      if (isOn) listener(news);
    };
    const active = board.find(scope, id);
    const stopListening = active?.listen(tell);
    // The present state comes first, unless something happened while it was looked up.
    progress(scope, id)
      .then((present) => {
        if (present && !hasHeard) tell(present);
      })
      .catch((error: unknown) => log.error("the progress of a run could not be told", { error }));
    return () => {
      isOn = false;
      stopListening?.();
    };
  }

  async function settled(scope: Scope, id: RunId, limitMs: number): Promise<RunProgress | null> {
    const active = board.find(scope, id);
    if (active && active.progress.stage !== "ended") {
      const giveUp = new AbortController();
      const { promise, resolve } = Promise.withResolvers<void>();
      const stop = active.listen(({ stage }) => {
        if (stage === "ended") resolve();
      });
      const limit = clock.sleep(limitMs, giveUp.signal).catch(() => undefined);
      await Promise.race([promise, active.over, limit]);
      giveUp.abort();
      stop();
    }
    return active ? active.progress : await progress(scope, id);
  }

  return { progress, watch, settled };
}
