// One look at the bots of a workspace for everybody who has their page open. Used by bots.ts; it reads while
// somebody listens and stops with the last one.
import type { Scope, WorkspaceId } from "../../ports/access-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";

/** Hears until called off. */
export type Watch<T> = (scope: Scope, listener: (seen: T) => void) => () => void;

/** What looking needs. */
export type WatchDeps<T> = {
  /** Reads what the whole workspace may see. */
  read(scope: Scope): Promise<T>;
  readonly clock: Pick<Clock, "sleep">;
  readonly log: Log;
};

const EVERY_MS = 2000;

type Looking<T> = {
  readonly listeners: Set<(seen: T) => void>;
  readonly stopped: AbortController;
};

/** Shares one reading per workspace; a read that fails is tried again at the next look. */
export function createWatch<T>({ read, clock, log }: WatchDeps<T>): Watch<T> {
  const open = new Map<WorkspaceId, Looking<T>>();

  async function look(scope: Scope, { listeners, stopped: { signal } }: Looking<T>) {
    while (!signal.aborted) {
      try {
        await clock.sleep(EVERY_MS, signal);
        const seen = await read(scope);
        for (const listener of [...listeners]) listener(seen);
      } catch (error) {
        if (!signal.aborted) log.warn("what an open page shows could not be read", { error });
      }
    }
  }

  return (scope, listener) => {
    const { workspaceId } = scope;
    const looking = open.get(workspaceId) ?? {
      listeners: new Set(),
      stopped: new AbortController(),
    };
    if (!open.has(workspaceId)) {
      open.set(workspaceId, looking);
      void look(scope, looking);
    }
    looking.listeners.add(listener);
    return () => {
      looking.listeners.delete(listener);
      if (looking.listeners.size > 0 || looking.stopped.signal.aborted) return;
      looking.stopped.abort(new Error("nobody looks any more"));
      open.delete(workspaceId);
    };
  };
}
