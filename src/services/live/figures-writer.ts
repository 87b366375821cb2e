// What a worker shows of its bots and accounts: collected from every account loop and written in one batch
// at most every ten seconds, at once when a status changed; figures that only ticked on every five minutes while
// nobody looks. Best effort: a failure is a warning and the next batch has newer figures anyway.
import { hasAccountChanged, hasBotChanged } from "../../model/figure-changes.ts";
import type { AccountFigures, BotFigures } from "../../model/live-figures.ts";
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
  /** Somebody looks at pages: for half a minute everything is written with each batch, the first one at once. */
  isWatched(): void;
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
/** Figures that tell nothing new; pages call them stale after 330 s (bot-overview.ts). */
const UNCHANGED_EVERY_MS = 300_000;
/** Whoever looks is heard of every ten seconds (onlookers.ts). */
const WATCHED_MS = 30_000;
/** Two changes of status closer than this are written together. */
const HURRY_MS = 1000;
const SAMPLES_MAX = 5000;

type Waiting = {
  readonly scope: Scope;
  /** By account and bot. */
  readonly snapshots: Map<string, Snapshot>;
  samples: EquitySample[];
};

/** The newest snapshot of a bot or account that was written, and when, by the monotonic clock. */
type Written = { readonly snapshot: Snapshot; readonly atMs: number };

/** A writer with nothing to write. */
export function createFiguresWriter({ bots, clock, log }: FiguresWriterDeps): FiguresWriter {
  const waiting = new Map<WorkspaceId, Waiting>();
  const written = new Map<string, Written>();
  let writtenAtMs = clock.monotonicMs();
  let isHurried = false;
  let isWriting = false;
  let watchedUntilMs = Number.NEGATIVE_INFINITY;

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
    isWatched() {
      const nowMs = clock.monotonicMs();
      if (watchedUntilMs < nowMs) isHurried = true;
      watchedUntilMs = nowMs + WATCHED_MS;
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
          const atMs = clock.monotonicMs();
          const isSeen = watchedUntilMs >= atMs;
          const due = [...snapshots].filter(
            ([key, each]) => isSeen || isDue(each, written.get(key), atMs),
          );
          if (due.length === 0 && samples.length === 0) continue;
          await bots.saveFigures(
            scope,
            Array.from(due, ([, each]) => each),
            samples,
          );
          for (const [key, snapshot] of due) written.set(key, { snapshot, atMs });
        }
      } catch (error) {
        log.warn("figures for the pages could not be written", { error });
      } finally {
        isWriting = false;
        forget(written, clock.monotonicMs());
      }
    },
  };
}

function isDue(snapshot: Snapshot, last: Written | undefined, nowMs: number): boolean {
  return (
    last === undefined ||
    nowMs - last.atMs >= UNCHANGED_EVERY_MS ||
    last.snapshot.worker !== snapshot.worker ||
    hasChanged(last.snapshot, snapshot)
  );
}

/** Snapshots hold what services/live made of a bot or an account. */
function hasChanged({ botId, body: before }: Snapshot, { body: after }: Snapshot): boolean {
  return botId === null
    ? hasAccountChanged(before as unknown as AccountFigures, after as unknown as AccountFigures)
    : hasBotChanged(before as unknown as BotFigures, after as unknown as BotFigures);
}

/** Whatever is due anyway need not be remembered; so bots that are gone are not kept. */
function forget(written: Map<string, Written>, nowMs: number): void {
  for (const [key, { atMs }] of written) {
    if (nowMs - atMs >= UNCHANGED_EVERY_MS) written.delete(key);
  }
}
