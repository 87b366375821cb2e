// Tells the pages of every process what this one does: once at the start, every 10 s, and as soon as it goes by
// another epoch of the trading states. Built by the composition root; nothing decides on what it writes.
import type { WorkspaceId } from "../../ports/access-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { WorkerBeat, WorkerStore } from "../../ports/worker-store.ts";
import type { Control } from "./control.ts";

/** What a beat is made from. */
export type BeatDeps = {
  readonly store: Pick<WorkerStore, "beat" | "leave">;
  readonly control: Pick<Control, "onChange" | "acknowledgedEpoch">;
  readonly clock: Clock;
  readonly log: Log;
  readonly worker: Omit<WorkerBeat, "epochs">;
};

const BEAT_EVERY_MS = 10_000;
/** Changes of a burst are one beat. */
const BURST_MS = 50;

/** Beats until the signal, then leaves; never rejects. */
export async function keepBeating(deps: BeatDeps, signal: AbortSignal): Promise<void> {
  const { store, control, clock, log, worker } = deps;
  const seen = new Set<WorkspaceId>();
  let changed = new AbortController();
  const stopHearing = control.onChange((workspaceId) => {
    seen.add(workspaceId);
    changed.abort();
  });
  let isFailing = false;
  const ignore = () => undefined;
  while (!signal.aborted) {
    changed = new AbortController();
    const epochs = new Map(
      [...seen].map((workspaceId) => [workspaceId, control.acknowledgedEpoch({ workspaceId })]),
    );
    try {
      await store.beat({ ...worker, epochs });
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn("this process could not tell that it lives", { error });
      isFailing = true;
    }
    await clock.sleep(BURST_MS, signal).catch(ignore);
    await clock.sleep(BEAT_EVERY_MS, AbortSignal.any([signal, changed.signal])).catch(ignore);
  }
  stopHearing();
  await store
    .leave(worker.name)
    .catch((error: unknown) => log.debug("this process could not say that it ends", { error }));
}
