// Backtest runs: summary, settings and metrics of each, an optional heavy artifact, and every
// user's shortlist. Interfaces only. A finished run never changes.
import type { Metrics } from "../analytics/summary.ts";
import type { EpochMs } from "../model/time.ts";
import type { Id, Scope, UserId } from "./access-store.ts";
import type { InstrumentKind } from "./instrument-store.ts";
import type { Json } from "./settings-store.ts";

export type RunId = Id<"run">;

/** Where a run stands; the last three are final. */
export type RunStatus = "queued" | "running" | "finished" | "failed" | "cancelled";

/** Everything that decides a run's outcome. */
export type NewRun = {
  readonly name: string | null;
  readonly strategyName: string;
  readonly strategyVersion: string;
  readonly exchangeId: string;
  readonly symbol: string;
  readonly kind: InstrumentKind;
  readonly timeframeMin: number;
  /** First candle open and end of the window. */
  readonly fromAt: EpochMs;
  readonly toAt: EpochMs;
  /** The stored candle series; null when the candles came from a file. */
  readonly seriesId: number | null;
  readonly engineVersion: string;
  /** SHA-256 of the candles used, hex. */
  readonly candlesFingerprint: string;
  /** SHA-256 of the canonical config, hex. */
  readonly configHash: string;
  readonly config: Json;
  readonly runSettings: Json;
  readonly instrument: Json;
};

/** How a run ended well. */
export type RunOutcome = {
  readonly metrics: Metrics;
  readonly fillsSha256: string;
  /** The small rest of the result: warm-up, rejections, ledger, warnings. */
  readonly details: Json;
};

/** A run as lists show it. */
export type RunSummary = Omit<NewRun, "config" | "runSettings" | "instrument"> & {
  readonly id: RunId;
  readonly status: RunStatus;
  /** One sentence when it failed. */
  readonly error: string | null;
  readonly createdBy: UserId | null;
  readonly createdAt: EpochMs;
  readonly finishedAt: EpochMs | null;
  /** Null until finished. */
  readonly metrics: Metrics | null;
  /** Of the asking user. */
  readonly isShortlisted: boolean;
  readonly note: string | null;
};

/** A run with its documents. */
export type Run = RunSummary & {
  readonly config: Json;
  readonly runSettings: Json;
  readonly instrument: Json;
  readonly fillsSha256: string | null;
  readonly details: Json;
  /** Null when no artifact is kept. */
  readonly artifact: { readonly encoding: string; readonly bytes: number } | null;
};

/** Columns a list can be sorted by; `id` is the order of creation. */
export type RunSort =
  | "id"
  | "net_profit"
  | "net_return"
  | "max_drawdown"
  | "sharpe"
  | "sortino"
  | "calmar"
  | "win_rate"
  | "profit_factor";

/** Where the next page begins; opaque to everybody but the store. */
export type RunCursor = { readonly value: string | number | null; readonly id: RunId };

/** Which runs, in which order. Rows without a value come last; equal values by id. */
export type RunQuery = {
  readonly sort: RunSort;
  readonly direction: "asc" | "desc";
  /** 1..200 */
  readonly limit: number;
  readonly after?: RunCursor;
  readonly strategyName?: string;
  readonly exchangeId?: string;
  readonly symbol?: string;
  readonly timeframeMin?: number;
  readonly status?: RunStatus;
  readonly shortlistedOnly?: boolean;
};

/** One page; `next` is null on the last one. */
export type RunPage = {
  readonly runs: readonly RunSummary[];
  readonly next: RunCursor | null;
};

/** Equity curve, fills and the like in one packed block. */
export type RunArtifact = { readonly encoding: string; readonly data: Uint8Array };

/** Runs of a workspace. */
export type RunStore = {
  create(scope: Scope, run: NewRun, at: EpochMs): Promise<RunId>;
  /** False when the run is not queued. */
  start(scope: Scope, id: RunId, at: EpochMs): Promise<boolean>;
  /** False when the run already ended. */
  finish(
    scope: Scope,
    id: RunId,
    outcome: RunOutcome,
    artifact: RunArtifact | null,
    at: EpochMs,
  ): Promise<boolean>;
  /** False when the run already ended. */
  fail(scope: Scope, id: RunId, error: string, at: EpochMs): Promise<boolean>;
  /** False when the run already ended. */
  cancel(scope: Scope, id: RunId, at: EpochMs): Promise<boolean>;
  find(scope: Scope, id: RunId): Promise<Run | null>;
  findArtifact(scope: Scope, id: RunId): Promise<RunArtifact | null>;
  list(scope: Scope, query: RunQuery): Promise<RunPage>;
  /** Renames a run; false when the workspace has no such run. */
  rename(scope: Scope, id: RunId, name: string | null): Promise<boolean>;
  /**
   * Sets the asking user's mark and note; false when the workspace has no such run.
   * @throws InvariantError without a user
   */
  shortlist(
    scope: Scope,
    id: RunId,
    mark: { readonly isShortlisted: boolean; readonly note: string | null },
    at: EpochMs,
  ): Promise<boolean>;
  /** Deletes runs with everything that belongs to them. @returns how many */
  remove(scope: Scope, ids: readonly RunId[]): Promise<number>;
};
