// Backtest runs as people use them: asked for on a page, computed on a worker thread, kept, looked
// at, compared and deleted. Called by the pages; the command line computes without it.
import type { EpochMs } from "../../model/time.ts";
import type { Result } from "../../model/result.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { Market } from "../../ports/market-data.ts";
import type { Run, RunId, RunStatus } from "../../ports/run-store.ts";
import type { Actor } from "../desk/actor.ts";
import type { ChartData, ChartWindow } from "./chart-data.ts";
import type { DecisionRecord } from "./decision-record.ts";
import type { RunRecord } from "./run-artifact.ts";

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

/** What a run is busy with; `ended` covers every final status. */
export type RunStage = "waiting" | "downloading" | "loading" | "computing" | "storing" | "ended";

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
  /** Hears every change of progress until it is called off; the last one says `ended`. */
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
