// Which runs this process computes: it claims what nobody works on, keeps its claims alive while it computes
// and lets go of what it lost. Used by the runs. The claims are rows: what is known here is only what is
// under way in this process.
import type { Bus } from "../../ports/bus.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Claimer, JobStore, RunClaim } from "../../ports/job-store.ts";
import type { Log } from "../../ports/log.ts";
import type { RunId } from "../../ports/run-store.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { ActiveRun, RunBoard } from "./run-queue.ts";
import { CANCELLED, LOST } from "./run-work.ts";

/** How this process takes part. */
export type RunHands = Claimer & {
  /** False for a process that only asks for runs. */
  readonly isWorking: boolean;
};

/** What the claims are built from. */
export type ClaimDeps = {
  readonly jobs: JobStore;
  readonly bus: Pick<Bus, "listen" | "notify">;
  readonly clock: Clock;
  readonly log: Log;
  readonly hands: RunHands;
  readonly board: RunBoard;
  /** Runs that may be in hand at once, those that wait for a turn included. */
  readonly limit: number;
  /** Begins a run that was left by somebody else. */
  readonly goOn: (claim: RunClaim) => Promise<void>;
};

/** The claims of a process. */
export type RunClaims = {
  /** Claims a run that was stored just now; null leaves it to whoever has a hand free. */
  take(scope: Scope, id: RunId): Promise<RunClaim | null>;
  /** Claims what is there, and from now on whatever comes. */
  begin(): Promise<void>;
  /** Called when a run is over, so that the next one is claimed and everybody looks at it. */
  ended(id: RunId): void;
  /** Resolves at the next sign that some run changed, or after so long; never rejects. */
  news(limitMs: number, signal: AbortSignal): Promise<void>;
  /** Claims nothing more. */
  stop(): Promise<void>;
};

/** Without a wake-up what waits is looked for this often. */
const LOOK_EVERY_MS = 5000;
/** Claims in hand are renewed this often, together with how far each run is. */
const BEAT_EVERY_MS = 1000;

/** The claims; nothing is claimed before the first call. */
export function createRunClaims(deps: ClaimDeps): RunClaims {
  const { jobs, bus, clock, log, hands, board, limit } = deps;
  const stopped = new AbortController();
  const wakes = createWakes(clock);
  let looking: Promise<void> | null = null;

  const room = () => (hands.isWorking && !stopped.signal.aborted ? limit - board.size : 0);

  async function look(): Promise<void> {
    const free = room();
    if (free <= 0) return;
    for (const claim of await jobs.claim(hands, free)) await deps.goOn(claim);
  }

  async function lookAlways(): Promise<void> {
    const { signal } = stopped;
    const listening = await bus.listen("jobs", wakes.wake).catch((error: unknown) => {
      log.warn("runs are polled because nothing wakes us", { error });
      return null;
    });
    while (!signal.aborted) {
      await look().catch((error: unknown) => log.warn("no run could be claimed", { error }));
      await wakes.wait(LOOK_EVERY_MS, signal);
    }
    await listening?.stop().catch(() => undefined);
  }

  async function beatAlways(): Promise<void> {
    const { signal } = stopped;
    while (!signal.aborted) {
      await clock.sleep(BEAT_EVERY_MS, signal).catch(() => undefined);
      await beat(deps).catch((error: unknown) =>
        log.warn("claims of runs could not be renewed", { error }),
      );
    }
  }

  function start(): void {
    looking ??= Promise.all([lookAlways(), beatAlways()]).then(() => undefined);
  }

  return {
    async take(scope, id) {
      start();
      if (room() > 0) return await jobs.claimOne(scope, id, hands);
      await bus.notify("jobs", String(id));
      return null;
    },
    async begin() {
      await look();
      start();
    },
    ended(id) {
      wakes.wake();
      // Other processes show it; without the message they find out by looking.
      bus.notify("jobs", String(id)).catch((error: unknown) => {
        if (!stopped.signal.aborted) log.debug("nobody was told of a run's end", { error });
      });
    },
    news: (limitMs, signal) => wakes.wait(limitMs, signal),
    async stop() {
      stopped.abort(new Error("Dragon stops"));
      await looking;
    },
  };
}

/** Renews every claim in hand and aborts the work on those that are lost. */
async function beat({ jobs, hands, board }: ClaimDeps): Promise<void> {
  const active = board.all().filter(({ progress }) => progress.stage !== "ended");
  if (active.length === 0) return;
  const held = await jobs.beat(active.flatMap(beatOf), hands.ttlMs);
  for (const run of active) {
    if (held.has(run.id) || run.progress.stage === "ended") continue;
    const stored = await jobs.progress(run.scope, run.id);
    run.controller.abort(stored?.status === "cancelled" ? CANCELLED : LOST);
  }
}

function beatOf({ id, token, progress }: ActiveRun) {
  const { stage, share } = progress;
  return stage === "ended" ? [] : [{ id, token, stage, share }];
}

/** Many that wait for the same sign. */
function createWakes(clock: Pick<Clock, "sleep">) {
  let sign = new AbortController();
  return {
    wake() {
      sign.abort();
      sign = new AbortController();
    },
    async wait(limitMs: number, signal: AbortSignal): Promise<void> {
      const either = AbortSignal.any([signal, sign.signal]);
      await clock.sleep(limitMs, either).catch((error: unknown) => {
        if (!either.aborted) throw error;
      });
    },
  };
}
