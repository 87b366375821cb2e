// Which workspaces have a demo account, in memory: the frame of every page asks, and a page must not wait
// for one more query. Part of demo.ts; others make and remove accounts too, so it looks again by itself.
import type { WorkspaceId } from "../../ports/access-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DemoStore } from "../../ports/demo-store.ts";
import type { Log } from "../../ports/log.ts";

/** What is remembered. */
export type Presence = {
  /** As last read; an answer older than two seconds has it read again. */
  isPresent(workspaceId: WorkspaceId): boolean;
  isAnywhere(): boolean;
  /** Reads now; what was known stays when that fails. */
  refresh(): Promise<void>;
};

const FRESH_MS = 2000;

/** Nothing is remembered before the first `refresh`. */
export function createPresence(deps: {
  readonly store: DemoStore;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Log;
}): Presence {
  const { store, clock, log } = deps;
  let known: ReadonlySet<WorkspaceId> = new Set();
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reads = 0;

  async function refresh(): Promise<void> {
    readAtMs = clock.monotonicMs();
    const mine = ++reads;
    try {
      const found = new Set(await store.workspaces());
      // A slow read must not undo what a later one found.
      if (mine === reads) known = found;
    } catch (error) {
      log.warn("where demo accounts are could not be read", { error });
    }
  }

  return {
    refresh,
    isAnywhere: () => known.size > 0,
    isPresent(workspaceId) {
      if (clock.monotonicMs() - readAtMs > FRESH_MS) void refresh();
      return known.has(workspaceId);
    },
  };
}
