// Who computes which run. Interfaces only. A run that is queued or running belongs to the process whose claim
// is the last one, as long as that claim is renewed; times are those of the database alone.
import type { EpochMs } from "../model/time.ts";
import type { Scope } from "./access-store.ts";
import type { RunId, RunStatus } from "./run-store.ts";

/** What a run is busy with; `ended` covers every final status. */
export type RunStage = "waiting" | "downloading" | "loading" | "computing" | "storing" | "ended";

/** A run in the hands of this process. */
export type RunClaim = {
  readonly id: RunId;
  /** Its workspace and who asked for it; the role is the least that may ask for a run. */
  readonly scope: Scope;
  /** Rises with every claim of the run: writes with an older one are refused. */
  readonly token: number;
  /** Claims of the run that were never given back, this one included. */
  readonly tries: number;
};

/** How far a claimed run is, as told with a renewal. */
export type RunBeat = Pick<RunClaim, "id" | "token"> & {
  readonly stage: Exclude<RunStage, "ended">;
  /** 0..1 within the stage; null when it cannot be told. */
  readonly share: number | null;
};

/** Whose a claim is and how long it lasts without a renewal. */
export type Claimer = { readonly holder: string; readonly ttlMs: number };

/** How far a run is as the database knows it. */
export type StoredProgress = {
  readonly status: RunStatus;
  readonly stage: RunStage;
  readonly share: number | null;
  readonly error: string | null;
};

/** A run that waits or is computed. */
export type OpenRun = {
  readonly id: RunId;
  readonly name: string | null;
  readonly symbol: string;
  readonly timeframeMin: number;
  readonly status: RunStatus;
  readonly stage: RunStage;
  readonly share: number | null;
  /** Null while nobody works on it. */
  readonly holder: string | null;
  /** 0 before the first claim. */
  readonly tries: number;
};

/** A run that ended. */
export type EndedRun = {
  readonly id: RunId;
  readonly name: string | null;
  readonly symbol: string;
  readonly timeframeMin: number;
  readonly status: RunStatus;
  /** One sentence when it failed. */
  readonly error: string | null;
  readonly createdAt: EpochMs;
  readonly finishedAt: EpochMs;
};

/** Claims of runs. Those without a scope are tasks of the program itself and see every workspace. */
export type JobStore = {
  /** Claims runs that nobody works on, oldest first; they are queued then. @param limit 1 or more */
  claim(claimer: Claimer, limit: number): Promise<readonly RunClaim[]>;
  /** Claims one run; null when somebody works on it, it has ended, or the workspace has no such run. */
  claimOne(scope: Scope, id: RunId, claimer: Claimer): Promise<RunClaim | null>;
  /** Renews claims. @returns the runs that are still ours and have not ended */
  beat(beats: readonly RunBeat[], ttlMs: number): Promise<ReadonlySet<RunId>>;
  /** Puts a run back into the queue, as if it had not been tried; false when the claim is lost. */
  giveBack(scope: Scope, claim: Pick<RunClaim, "id" | "token">): Promise<boolean>;
  /** Runs that are queued or running, of all workspaces. */
  openCount(): Promise<number>;
  /** Null when the workspace has no such run. */
  progress(scope: Scope, id: RunId): Promise<StoredProgress | null>;
  /** Runs of a workspace that are queued or running, oldest first. @param limit 1 or more */
  open(scope: Scope, limit: number): Promise<readonly OpenRun[]>;
  /** Runs of a workspace that ended, the latest request first. @param limit 1 or more */
  ended(scope: Scope, limit: number): Promise<readonly EndedRun[]>;
};
