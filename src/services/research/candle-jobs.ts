// Imports and downloads while they run, and the last ones that ended, for the candles page. Lives in
// this process only: what was stored stays, what had not ended is gone after a restart. Used by
// candles.ts; knows nothing of files or exchanges.
import { CsvError, type CsvProblem } from "../../model/csv-numbers.ts";
import { InputError } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Id, Scope, WorkspaceId } from "../../ports/access-store.ts";
import type { SeriesId } from "../../ports/candle-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Market } from "../../ports/market-data.ts";
import type { CandleDownloadReport, DownloadProgress, DownloadReport } from "./candle-download.ts";
import type { CandleImportReport, ImportReport } from "./candle-import.ts";

export type JobId = Id<"candle_job">;

/** Where a job stands. The last five are final. */
export type JobState =
  | { readonly is: "waiting" }
  | { readonly is: "receiving"; readonly bytes: number; readonly bytesTotal: number | null }
  | { readonly is: "storing"; readonly items: number }
  | { readonly is: "downloading"; readonly progress: DownloadProgress | null }
  | { readonly is: "imported"; readonly report: ImportReport | CandleImportReport }
  | { readonly is: "downloaded"; readonly report: DownloadReport | CandleDownloadReport }
  | {
      readonly is: "refused";
      readonly sentence: string;
      /** The first lines that are wrong; `problemCount` counts all. */
      readonly problems: readonly CsvProblem[];
      readonly problemCount: number;
    }
  | { readonly is: "failed"; readonly sentence: string }
  | { readonly is: "cancelled" };

/** What a job works on. */
export type JobSubject = {
  readonly kind: "import" | "download";
  readonly market: Market;
  /** Null until an import has read its file. */
  readonly content: "candles" | "funding" | null;
  /** Null for funding, and until an import has read its file. */
  readonly timeframeMin: number | null;
  /** Name of the imported file. */
  readonly file: string | null;
};

/** One import or download. */
export type CandleJob = JobSubject & {
  readonly id: JobId;
  readonly startedAt: EpochMs;
  readonly endedAt: EpochMs | null;
  readonly state: JobState;
};

/** How a job tells what it does. */
export type JobHandle = {
  /** Aborted by cancel and by the end of the program. */
  readonly signal: AbortSignal;
  /** Tells a new state, and what has become known of the subject. */
  tell(state: JobState, known?: Partial<JobSubject>): void;
};

/** A job that was begun; `ended` never rejects. */
export type StartedJob = { readonly id: JobId; readonly ended: Promise<CandleJob> };

/** All jobs of this process. A job of another workspace does not exist for the caller. */
export type CandleJobs = {
  /** Runs the work now, or, when `slots` of its kind run already, after one of them. */
  start(
    scope: Scope,
    subject: JobSubject,
    slots: number,
    work: (handle: JobHandle) => Promise<JobState>,
  ): StartedJob;
  /** Those that have not ended, of everybody. */
  active(): readonly CandleJob[];
  /** Newest first. */
  list(scope: Scope): readonly CandleJob[];
  /** Asks a job to end; false when there is none that could. */
  cancel(scope: Scope, id: JobId): boolean;
  /** Hears of every change until it is called off; progress within a state is thinned out. */
  watch(scope: Scope, listener: (job: CandleJob) => void): () => void;
  /** Drops ended jobs that wrote a series which is gone. */
  forget(seriesId: SeriesId): void;
  /** Ends everything that runs and waits for it. */
  stop(): Promise<void>;
};

/** Ended jobs kept for each workspace. */
export const ENDED_JOBS_MAX = 20;
const PROGRESS_EVERY_MS = 200;

type Entry = {
  job: CandleJob;
  readonly workspaceId: WorkspaceId;
  readonly slots: number;
  readonly controller: AbortController;
  readonly work: (handle: JobHandle) => Promise<JobState>;
  readonly tellEnded: (job: CandleJob) => void;
  toldMs: number;
};

type Registry = {
  readonly clock: Clock;
  readonly log: Log;
  readonly entries: Map<JobId, Entry>;
  readonly running: Map<Entry, Promise<void>>;
  readonly waiting: Set<Entry>;
  readonly listeners: Set<(entry: Entry) => void>;
  lastId: number;
};

/** An empty registry. */
export function createCandleJobs(deps: { readonly clock: Clock; readonly log: Log }): CandleJobs {
  const { clock, log } = deps;
  const collections = { entries: new Map(), running: new Map(), waiting: new Set<Entry>() };
  const registry: Registry = { clock, log, ...collections, listeners: new Set(), lastId: 0 };
  const { entries, running, listeners } = registry;
  return {
    start: (scope, subject, slots, work) => start(registry, scope, subject, slots, work),
    active: () => [...entries.values()].map(({ job }) => job).filter((job) => !hasEnded(job)),
    list: ({ workspaceId }) =>
      [...entries.values()]
        .filter((entry) => entry.workspaceId === workspaceId)
        .map(({ job }) => job)
        .reverse(),
    cancel({ workspaceId }, id) {
      const entry = entries.get(id);
      if (entry?.workspaceId !== workspaceId || hasEnded(entry.job)) return false;
      cancel(registry, entry);
      return true;
    },
    watch({ workspaceId }, listener) {
      const hear = (entry: Entry) => {
        if (entry.workspaceId === workspaceId) listener(entry.job);
      };
      listeners.add(hear);
      return () => void listeners.delete(hear);
    },
    forget(seriesId) {
      for (const [id, { job }] of entries) {
        if ("report" in job.state && job.state.report.seriesId === seriesId) entries.delete(id);
      }
    },
    async stop() {
      for (const entry of entries.values()) if (!hasEnded(entry.job)) cancel(registry, entry);
      await Promise.all(running.values());
    },
  };
}

function start(
  registry: Registry,
  { workspaceId }: Scope,
  subject: JobSubject,
  slots: number,
  work: Entry["work"],
): StartedJob {
  registry.lastId += 1;
  const id = registry.lastId as JobId;
  const { promise: ended, resolve: tellEnded } = Promise.withResolvers<CandleJob>();
  const startedAt = registry.clock.now();
  const entry: Entry = {
    job: { ...subject, id, startedAt, endedAt: null, state: { is: "waiting" } },
    ...{ workspaceId, slots, work, tellEnded },
    controller: new AbortController(),
    toldMs: Number.NEGATIVE_INFINITY,
  };
  registry.entries.set(id, entry);
  if (hasSlot(registry, entry)) begin(registry, entry);
  else {
    registry.waiting.add(entry);
    tell(registry, entry, entry.job.state);
  }
  return { id, ended };
}

function tell(
  { clock, listeners }: Registry,
  entry: Entry,
  state: JobState,
  known: Partial<JobSubject> = {},
): void {
  const isSame = entry.job.state.is === state.is;
  entry.job = { ...entry.job, ...known, state };
  const nowMs = clock.monotonicMs();
  if (isSame && nowMs - entry.toldMs < PROGRESS_EVERY_MS) return;
  entry.toldMs = nowMs;
  for (const listener of listeners) listener(entry);
}

function begin(registry: Registry, entry: Entry): void {
  const { running, waiting } = registry;
  const done = run(registry, entry).finally(() => {
    running.delete(entry);
    const next = [...waiting].find((each) => hasSlot(registry, each));
    if (!next) return;
    waiting.delete(next);
    begin(registry, next);
  });
  running.set(entry, done);
}

async function run(registry: Registry, entry: Entry): Promise<void> {
  const { signal } = entry.controller;
  const state = await settle(registry.log, entry, () =>
    entry.work({ signal, tell: (next, known) => tell(registry, entry, next, known) }),
  );
  entry.job = { ...entry.job, endedAt: registry.clock.now() };
  trim(registry.entries, entry.workspaceId);
  tell(registry, entry, state);
  entry.tellEnded(entry.job);
}

/** One that waits ends at once, without having begun. */
function cancel(registry: Registry, entry: Entry): void {
  entry.controller.abort(new Error("cancelled"));
  if (registry.waiting.delete(entry)) void run(registry, entry);
}

/** True when a job will change no more. */
function hasEnded(job: CandleJob): boolean {
  return job.endedAt !== null;
}

function hasSlot({ running }: Registry, { job, slots }: Entry): boolean {
  return [...running.keys()].filter((each) => each.job.kind === job.kind).length < slots;
}

/** Drops the oldest ended jobs of a workspace beyond the limit. */
function trim(entries: Map<JobId, Entry>, workspaceId: WorkspaceId): void {
  const ended = [...entries.values()].filter(
    (entry) => entry.workspaceId === workspaceId && hasEnded(entry.job),
  );
  ended.sort((a, b) => (b.job.endedAt ?? 0) - (a.job.endedAt ?? 0) || b.job.id - a.job.id);
  for (const { job } of ended.slice(ENDED_JOBS_MAX)) entries.delete(job.id);
}

/** The state in which work ends, whatever happens in it. */
async function settle(
  log: Log,
  { job, controller: { signal } }: Entry,
  work: () => Promise<JobState>,
): Promise<JobState> {
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    if (signal.aborted) return { is: "cancelled" };
    if (error instanceof CsvError) {
      const { message: sentence, problems, total: problemCount } = error;
      return { is: "refused", sentence, problems, problemCount };
    }
    if (error instanceof InputError) {
      return { is: "refused", sentence: error.message, problems: [], problemCount: 0 };
    }
    if (error instanceof Error && error.name === "MarketDataError") {
      return { is: "failed", sentence: error.message };
    }
    if (error instanceof Error && error.name === "AbortError") {
      const sentence = "The upload ended before the whole file had arrived; nothing was stored.";
      return { is: "failed", sentence };
    }
    log.error("a job on candles failed", { job: job.id, kind: job.kind, error });
    const sentence = "Something unexpected happened. The console of Dragon says what.";
    return { is: "failed", sentence };
  }
}
