// Backtest runs as people use them: asked for on a page, computed on a worker thread, kept, looked
// at, compared and deleted. Called by the pages; the command line computes without it.
import type { EpochMs } from "../../model/time.ts";
import { InputError, type Result } from "../../model/result.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { InstrumentStore } from "../../ports/instrument-store.ts";
import type { Bus } from "../../ports/bus.ts";
import type { RunClaim, RunStage } from "../../ports/job-store.ts";
import type { Market } from "../../ports/market-data.ts";
import type { NewRun, Run, RunId, RunStatus } from "../../ports/run-store.ts";
import { DCA_ATR } from "../../strategy/dca-atr/dca-atr.ts";
import { type Actor, noteAct } from "../desk/actor.ts";
import { ENGINE } from "./backtest-result.ts";
import type { ChartData, ChartWindow } from "./chart-data.ts";
import type { DecisionRecord } from "./decision-record.ts";
import type { RunRecord } from "./run-artifact.ts";
import { createRunChanges } from "./run-changes.ts";
import { createRunClaims, type RunHands } from "./run-claims.ts";
import { createFollowing } from "./run-follow.ts";
import { type BegunRun, createRunBoard, createTurns } from "./run-queue.ts";
import { checkRequest, planOfStored } from "./run-request.ts";
import { createRunViews } from "./run-views.ts";
import { STOPPED, type WorkDeps, workOn } from "./run-work.ts";

/** What a person asks for; the three documents are those of `dragon backtest`. */
export type RunRequest = {
  /** 1..200 characters, null for none. */
  readonly name: string | null;
  readonly market: Market;
  /** Strategy document: what differs from the defaults. */
  readonly config: unknown;
  readonly instrument: unknown;
  /** Run document; its timeframe may be any multiple of a stored one. */
  readonly run: unknown;
  /** Pays and receives the stored funding rates. */
  readonly withFunding: boolean;
  /** Asks the exchange for history that is not stored before computing. */
  readonly fetchMissing: boolean;
};

/** How far a run is. */
export type RunProgress = {
  readonly status: RunStatus;
  readonly stage: RunStage;
  /** 0..1 within the stage; null when it cannot be told. */
  readonly share: number | null;
  /** One sentence when it failed. */
  readonly error: string | null;
};

/** Why something about a run cannot be shown. */
export type RunGap =
  | "unknown_run"
  | "not_finished"
  /** The candle series was deleted or no longer covers the window. */
  | "candles_gone"
  /** The stored candles differ from those the run was computed from. */
  | "candles_changed";

/** Runs of a workspace. Nothing of another workspace is ever found. */
export type Runs = {
  /**
   * Checks the request, stores it and begins as soon as a thread is free.
   * @returns the new run, or every sentence that is wrong with it (`config: exits.sl_pct is -1; …`)
   */
  request(
    actor: Actor,
    request: RunRequest,
  ): Promise<
    | { readonly ok: true; readonly id: RunId }
    | { readonly ok: false; readonly sentences: readonly string[] }
  >;
  /** Waits until the run has ended, at most so long; null when there is no such run. */
  settled(scope: Scope, id: RunId, limitMs: number): Promise<RunProgress | null>;
  /** Null when there is no such run. */
  progress(scope: Scope, id: RunId): Promise<RunProgress | null>;
  /** Hears the present progress and every change until called off; the last one says `ended`. */
  watch(scope: Scope, id: RunId, listener: (progress: RunProgress) => void): () => void;
  /** False when the run has already ended or does not exist. */
  cancel(actor: Actor, id: RunId): Promise<boolean>;
  find(scope: Scope, id: RunId): Promise<Run | null>;
  /** Fills, cycles, equity and months of a finished run; null when none are kept. */
  record(scope: Scope, id: RunId): Promise<RunRecord | null>;
  /** Price, levels, equity and fills of a window, in at most so many buckets. */
  chart(scope: Scope, id: RunId, window: ChartWindow): Promise<Result<ChartData, RunGap>>;
  /** Why the candle open at an instant brought an entry or none. */
  explain(
    scope: Scope,
    id: RunId,
    at: EpochMs,
  ): Promise<Result<DecisionRecord, RunGap | "outside_window">>;
  rename(actor: Actor, id: RunId, name: string | null): Promise<boolean>;
  /** The asking user's own mark and note (at most 2000 characters). */
  shortlist(
    actor: Actor,
    id: RunId,
    mark: { readonly isShortlisted: boolean; readonly note: string | null },
  ): Promise<boolean>;
  /** Deletes runs that have ended, with an audit entry. @returns how many */
  remove(actor: Actor, ids: readonly RunId[]): Promise<number>;
};

/** What the runs are built from. */
export type RunsDeps = Omit<WorkDeps, "downloads" | "computing"> & {
  readonly instruments: Pick<InstrumentStore, "find">;
  readonly audit: Pick<AuditStore, "append">;
  readonly bus: Pick<Bus, "listen" | "notify">;
  readonly hands: RunHands;
};

/** The runs and their life within the process. */
export type RunService = {
  readonly runs: Runs;
  /** Begins to work on what waits, whoever asked for it and whoever left it. */
  resume(): Promise<void>;
  /** Begins nothing more and puts what is under way back into the queue for others. */
  stop(): Promise<void>;
};

/** Runs that may wait or be computed at the same time. */
const OPEN_RUNS_MAX = 1000;
/** Claims of a run that ends its process must not go on for ever. */
const TRIES_MAX = 3;
/** Exchanges answer slowly, and two downloads keep the line busy. */
const DOWNLOADS_AT_ONCE = 2;

/** The service over its stores; nothing runs before the first request or `resume`. */
export function createRuns(deps: RunsDeps): RunService {
  const { store, clock } = deps;
  const board = createRunBoard(deps.log);
  const views = createRunViews(deps);
  const work: WorkDeps = {
    ...deps,
    downloads: createTurns(DOWNLOADS_AT_ONCE),
    computing: createTurns(deps.compute.threads),
  };
  let isStopping = false;
  const claims = createRunClaims({
    ...deps,
    ...{ board, goOn },
    limit: 2 * deps.compute.threads + DOWNLOADS_AT_ONCE,
  });
  const begin = (run: BegunRun) =>
    board.add(run, async (active) => {
      await workOn(work, active);
      void active.over.then(() => claims.ended(run.id));
    });

  async function request(actor: Actor, asked: RunRequest) {
    if (isStopping) return refused("run: Dragon is stopping; ask again in a moment");
    const open = await deps.jobs.openCount();
    if (open >= OPEN_RUNS_MAX) {
      return refused(`run: ${open} runs are waiting already; at most ${OPEN_RUNS_MAX} may`);
    }
    const checked = await checkRequest(deps, actor.scope, asked);
    if (!checked.ok) return checked;
    const id = await store.create(actor.scope, checked.row, clock.now());
    const after = told(checked.row);
    await noteAct(deps, actor, { action: "run_requested", object: `run:${id}`, after });
    const claim = await claims.take(actor.scope, id);
    if (claim && isStopping) await deps.jobs.giveBack(actor.scope, claim);
    else if (claim) begin({ ...claim, scope: actor.scope, plan: checked.plan });
    return { ok: true, id } as const;
  }

  /** A run that was claimed: begun, or ended when it cannot be computed here. */
  async function goOn({ id, scope, token, tries }: RunClaim): Promise<void> {
    const run = await store.find(scope, id);
    if (!run) return;
    if (isStopping) return void (await deps.jobs.giveBack(scope, { id, token }));
    try {
      checkTries(tries);
      checkVersion(run);
      begin({ id, scope, token, plan: planOfStored(run) });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      await store.fail(scope, id, error.message, clock.now(), token);
      claims.ended(id);
    }
  }

  return {
    runs: {
      request,
      ...createRunChanges(deps, board, views.forget),
      ...createFollowing(deps, board, claims),
      find: views.find,
      record: views.record,
      chart: views.chart,
      explain: views.explain,
    },
    resume: () => claims.begin(),
    async stop() {
      isStopping = true;
      await claims.stop();
      for (const { controller } of board.all()) controller.abort(STOPPED);
      await Promise.all(board.all().map(({ over }) => over));
    },
  };
}

/** What the audit log keeps of a request. */
function told({ exchangeId, symbol, timeframeMin, configHash }: NewRun) {
  return { exchange: exchangeId, symbol, timeframe_min: timeframeMin, config_hash: configHash };
}

function refused(sentence: string) {
  return { ok: false, sentences: [sentence] } as const;
}

/** A run whose process ended every time it was computed is not given to another one. */
function checkTries(tries: number): void {
  if (tries <= TRIES_MAX) return;
  throw new InputError(
    `run: the process that computed it ended ${TRIES_MAX} times before the run did; it is not tried again`,
  );
}

/** A result must come from the versions its row names. */
function checkVersion({ engineVersion, strategyName, strategyVersion }: Run): void {
  const isSame =
    engineVersion === ENGINE &&
    strategyName === DCA_ATR.name &&
    strategyVersion === DCA_ATR.version;
  if (isSame) return;
  throw new InputError("run: Dragon was updated while it was waiting; ask for it again");
}
