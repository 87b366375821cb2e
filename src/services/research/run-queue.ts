// Turns and news: how many runs do something at once, in the order they came, and who hears how far they
// are. Used by the runs; it computes and stores nothing. What is here was claimed by this process; all else
// that waits is rows in the store.
import type { Scope } from "../../ports/access-store.ts";
import type { Log } from "../../ports/log.ts";
import type { RunId } from "../../ports/run-store.ts";
import type { RunPlan } from "./run-request.ts";
import type { RunProgress } from "./runs.ts";

/** A limited number of turns, given in the order they were asked for. */
export type Turns = {
  /**
   * Resolves to the function that gives the turn back.
   * @throws the signal's reason when aborted while waiting
   */
  take(signal: AbortSignal): Promise<() => void>;
};

/** @param limit turns that may be taken at once, 1 or more */
export function createTurns(limit: number): Turns {
  const waiting: (() => void)[] = [];
  let free = limit;
  const next = () => {
    const first = waiting.shift();
    if (first) first();
    else free += 1;
  };
  const turn = () => {
    let isBack = false;
    return () => {
      if (!isBack) next();
      isBack = true;
    };
  };
  return {
    async take(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return turn();
      }
      await new Promise<void>((resolve, reject) => {
        const begin = () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        };
        const onAbort = () => {
          waiting.splice(waiting.indexOf(begin), 1);
          reject(signal.reason);
        };
        waiting.push(begin);
        signal.addEventListener("abort", onAbort, { once: true });
      });
      return turn();
    },
  };
}

/** A run that this process is busy with or will be. */
export type ActiveRun = {
  readonly id: RunId;
  readonly scope: Scope;
  readonly plan: RunPlan;
  /** Of this process's claim: what is written with it is refused once the claim is lost. */
  readonly token: number;
  readonly controller: AbortController;
  readonly progress: RunProgress;
  /** Resolves when nothing is done for it any more. */
  readonly over: Promise<void>;
  /** Tells everybody who listens; after an end nothing more is told. */
  tell(news: Partial<RunProgress>): void;
  listen(listener: (progress: RunProgress) => void): () => void;
};

/** What a run begins with. */
export type BegunRun = Pick<ActiveRun, "id" | "scope" | "plan" | "token">;

/** The active runs of this process. */
export type RunBoard = {
  readonly size: number;
  /** Puts a run on the board until its work is over; the work must not reject. */
  add(run: BegunRun, work: (active: ActiveRun) => Promise<void>): void;
  /** Null when it is not active, or not in this workspace. */
  find(scope: Scope, id: RunId): ActiveRun | null;
  has(id: RunId): boolean;
  all(): readonly ActiveRun[];
};

const AT_FIRST: RunProgress = { status: "queued", stage: "waiting", share: null, error: null };

/** An empty board. */
export function createRunBoard(log: Log): RunBoard {
  const runs = new Map<RunId, ActiveRun>();

  function activate(run: BegunRun, over: Promise<void>): ActiveRun {
    const listeners = new Set<(progress: RunProgress) => void>();
    let progress = AT_FIRST;
    return {
      ...run,
      over,
      controller: new AbortController(),
      get progress() {
        return progress;
      },
      tell(news) {
        if (progress.stage === "ended") return;
        progress = { ...progress, share: null, ...news };
        for (const listener of listeners) hear(listener, progress);
      },
      listen(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
  }

  /** Whoever listens must not be able to stop a run. */
  function hear(listener: (progress: RunProgress) => void, progress: RunProgress): void {
    try {
      listener(progress);
    } catch (error) {
      log.error("a listener to the progress of a run failed", { error });
    }
  }

  return {
    get size() {
      return runs.size;
    },
    add(run, work) {
      const { promise: over, resolve } = Promise.withResolvers<void>();
      const active = activate(run, over);
      runs.set(run.id, active);
      void work(active).finally(() => {
        runs.delete(run.id);
        resolve();
      });
    },
    find(scope, id) {
      const active = runs.get(id);
      return active?.scope.workspaceId === scope.workspaceId ? active : null;
    },
    has: (id) => runs.has(id),
    all: () => [...runs.values()],
  };
}
