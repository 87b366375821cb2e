// What a worker shows of its bots and accounts: collected from every account loop and written in one batch
// at most every ten seconds, at once when a status changed. Best effort: a failure is a warning and the
// next batch has newer figures anyway.
import type { Scope, WorkspaceId } from "../../ports/access-store.ts";
import type { BotStore, EquitySample, Snapshot } from "../../ports/bot-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";

/** Takes figures and writes them now and then. */
export type FiguresWriter = {
  /** The newest of each bot and account wins. */
  offer(scope: Scope, snapshot: Snapshot): void;
  sample(scope: Scope, sample: EquitySample): void;
  /** Writes at the next look instead of waiting. */
  hurry(): void;
  /** Writes when it is time; called once a tick by whoever owns the writer. */
  look(): Promise<void>;
};

/** What the writer works with. */
export type FiguresWriterDeps = {
  readonly bots: Pick<BotStore, "saveFigures">;
  readonly clock: Clock;
  readonly log: Log;
};

const EVERY_MS = 10_000;
/** Two changes of status closer than this are written together. */
const HURRY_MS = 1000;
const SAMPLES_MAX = 5000;

type Waiting = {
  readonly scope: Scope;
  readonly snapshots: Map<string, Snapshot>;
  samples: EquitySample[];
};

/** A writer with nothing to write. */
export function createFiguresWriter({ bots, clock, log }: FiguresWriterDeps): FiguresWriter {
  const waiting = new Map<WorkspaceId, Waiting>();
  let writtenAtMs = clock.monotonicMs();
  let isHurried = false;
  let isWriting = false;

  const of = (scope: Scope): Waiting => {
    const known = waiting.get(scope.workspaceId);
    if (known) return known;
    const fresh = { scope, snapshots: new Map<string, Snapshot>(), samples: [] };
    waiting.set(scope.workspaceId, fresh);
    return fresh;
  };

  return {
    offer(scope, snapshot) {
      of(scope).snapshots.set(`${snapshot.accountId} ${snapshot.botId ?? ""}`, snapshot);
    },
    sample(scope, sample) {
      const { samples } = of(scope);
      if (samples.length < SAMPLES_MAX) samples.push(sample);
    },
    hurry() {
      isHurried = true;
    },
    async look() {
      const sinceMs = clock.monotonicMs() - writtenAtMs;
      if (isWriting || sinceMs < (isHurried ? HURRY_MS : EVERY_MS)) return;
      isWriting = true;
      isHurried = false;
      writtenAtMs = clock.monotonicMs();
      try {
        for (const [workspaceId, { scope, snapshots, samples }] of waiting) {
          waiting.delete(workspaceId);
          await bots.saveFigures(scope, [...snapshots.values()], samples);
        }
      } catch (error) {
        log.warn("figures for the pages could not be written", { error });
      } finally {
        isWriting = false;
      }
    },
  };
}
