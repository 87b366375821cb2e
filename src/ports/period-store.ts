// Saved periods: named date ranges of a workspace that forms offer. Interfaces only.
import type { Result } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";
import type { Id, Scope } from "./access-store.ts";

export type PeriodId = Id<"period">;

/** A named range, `fromAt` inclusive, `toAt` exclusive. */
export type Period = {
  readonly id: PeriodId;
  readonly name: string;
  readonly fromAt: EpochMs;
  readonly toAt: EpochMs;
};

/** The parts a person chooses. */
export type NewPeriod = Omit<Period, "id">;

/** Saved periods of a workspace. */
export type PeriodStore = {
  /** By name. */
  list(scope: Scope): Promise<Period[]>;
  create(scope: Scope, period: NewPeriod, at: EpochMs): Promise<Result<Period, "name_taken">>;
  change(
    scope: Scope,
    id: PeriodId,
    period: NewPeriod,
    at: EpochMs,
  ): Promise<Result<Period, "name_taken" | "unknown_period">>;
  /** False when the workspace has no such period. */
  remove(scope: Scope, id: PeriodId): Promise<boolean>;
};
