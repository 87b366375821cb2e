// Backtest runs: summary, settings and metrics of each, an optional heavy artifact, and every
// user's shortlist. Interfaces only. A finished run never changes.
import type { Metrics } from "../analytics/summary.ts";
import type { EpochMs } from "../model/time.ts";
import type { Id, Scope, UserId } from "./access-store.ts";
import type { GridPage, GridQuery } from "./grid.ts";
import type { InstrumentKind } from "./instrument-store.ts";
import type { Json } from "./settings-store.ts";

export type RunId = Id<"run">;

/** Where a run stands; the last three are final. */
export type RunStatus = "queued" | "running" | "finished" | "failed" | "cancelled";

/** Position sides a run may open. */
export type RunDirection = "long" | "short" | "both";

/** Everything that decides a run's outcome. */
export type NewRun = {
  readonly name: string | null;
  readonly strategyName: string;
  readonly strategyVersion: string;
  readonly exchangeId: string;
  readonly symbol: string;
  readonly kind: InstrumentKind;
  readonly timeframeMin: number;
  /** Which position sides the config may open. */
  readonly direction: RunDirection;
  /** First candle open and end of the window. */
  readonly fromAt: EpochMs;
  readonly toAt: EpochMs;
  /** The stored candle series; null when the candles came from a file. */
  readonly seriesId: number | null;
  readonly engineVersion: string;
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
  /** SHA-256 of the candles used, warm-up included, hex. */
  readonly candlesFingerprint: string;
  /** The small rest of the result: warm-up, rejections, ledger, warnings. */
  readonly details: Json;
};

/** The metrics a list shows, sorts and filters by; a run's own page has all of them. */
export type ListMetric =
  | "net_return"
  | "net_profit"
  | "cagr"
  | "max_drawdown"
  | "sharpe"
  | "sortino"
  | "calmar"
  | "profit_factor"
  | "no_losses"
  | "win_rate"
  | "cpc_index"
  | "common_sense_ratio"
  | "roi_on_margin"
  | "cycles"
  | "fills"
  | "fees_total"
  | "funding_total"
  | "exposure"
  | "avg_position_time_s"
  | "liquidated";

/** A run with its documents. */
export type Run = NewRun & {
  readonly id: RunId;
  readonly status: RunStatus;
  /** One sentence when it failed. */
  readonly error: string | null;
  readonly createdBy: UserId | null;
  readonly createdAt: EpochMs;
  readonly finishedAt: EpochMs | null;
  /** Null until finished, like the two hashes and the details. */
  readonly metrics: Metrics | null;
  readonly candlesFingerprint: string | null;
  readonly fillsSha256: string | null;
  readonly details: Json;
  /** Of the asking user. */
  readonly isShortlisted: boolean;
  readonly note: string | null;
  /** Null when no artifact is kept. */
  readonly artifact: { readonly encoding: string; readonly bytes: number } | null;
};

/** Columns of the list with few different values. */
export type RunWord = "symbol" | "exchangeId" | "strategyName";

/** What a user notes about a run; what is absent stays as it is. */
export type RunMark = {
  readonly isShortlisted?: boolean;
  /** 1..2000 characters, null for none. */
  readonly note?: string | null;
};

/** Equity curve, fills and the like in one packed block. */
export type RunArtifact = { readonly encoding: string; readonly data: Uint8Array };

/** Runs of a workspace. */
export type RunStore = {
  create(scope: Scope, run: NewRun, at: EpochMs): Promise<RunId>;
  /** False when the run is not queued, or the claim with this token is lost. */
  start(scope: Scope, id: RunId, at: EpochMs, token?: number): Promise<boolean>;
  /** False when the run already ended, or the claim with this token is lost. */
  finish(
    scope: Scope,
    id: RunId,
    outcome: RunOutcome,
    artifact: RunArtifact | null,
    at: EpochMs,
    token?: number,
  ): Promise<boolean>;
  /** False when the run already ended, or the claim with this token is lost. */
  fail(scope: Scope, id: RunId, error: string, at: EpochMs, token?: number): Promise<boolean>;
  /** False when the run already ended. */
  cancel(scope: Scope, id: RunId, at: EpochMs): Promise<boolean>;
  find(scope: Scope, id: RunId): Promise<Run | null>;
  findArtifact(scope: Scope, id: RunId): Promise<RunArtifact | null>;
  /**
   * One page of the list of runs; columns are those of services/research/run-list.ts.
   * @throws InvariantError for a column the list does not have
   */
  list(scope: Scope, query: GridQuery): Promise<GridPage>;
  /** The different values of a column, sorted; none when there are more than 1000. */
  words(scope: Scope, column: RunWord): Promise<readonly string[]>;
  /** Renames a run; false when the workspace has no such run. */
  rename(scope: Scope, id: RunId, name: string | null): Promise<boolean>;
  /**
   * Sets the asking user's mark or note; false when the workspace has no such run.
   * @throws InvariantError without a user
   */
  shortlist(scope: Scope, id: RunId, mark: RunMark, at: EpochMs): Promise<boolean>;
  /** Deletes runs with everything that belongs to them. @returns how many */
  remove(scope: Scope, ids: readonly RunId[]): Promise<number>;
};
