// Figures over closed cycles (rule E60). Used by the run summary; open cycles never enter here.
import { assert } from "../model/result.ts";
import { mean, quantileOfSorted, sorted } from "./statistics.ts";

/**
 * Money in quote units, times in seconds, rates as fractions; null where a figure does not exist.
 */
export type CycleStats = {
  readonly closed: number;
  readonly winRate: number | null;
  readonly grossProfit: number;
  /** A negative number, or 0 without a losing cycle. */
  readonly grossLoss: number;
  readonly profitFactor: number | null;
  /** True when at least one cycle closed and none of them lost. */
  readonly noLosses: boolean;
  readonly rewardRisk: number | null;
  readonly cpcIndex: number | null;
  readonly avgPositionTimeS: number | null;
  readonly medianPositionTimeS: number | null;
  readonly maxPositionTimeS: number | null;
};

/**
 * Figures of the closed cycles; a net of exactly 0 is neither a win nor a loss.
 * @param nets net result of each cycle after fees and funding
 * @param durationsMs time from first fill to exit of each, in the same order
 */
export function cycleStats(nets: ArrayLike<number>, durationsMs: ArrayLike<number>): CycleStats {
  const closed = nets.length;
  assert(durationsMs.length === closed, `${closed} cycles have ${durationsMs.length} durations`);
  let wins = 0;
  let losses = 0;
  let grossProfit = 0;
  let grossLoss = 0;
  for (let i = 0; i < closed; i++) {
    const net = nets[i]!;
    if (net > 0) {
      wins += 1;
      grossProfit += net;
    } else if (net < 0) {
      losses += 1;
      grossLoss += net;
    }
  }
  const winRate = closed > 0 ? wins / closed : null;
  const profitFactor = losses > 0 ? grossProfit / -grossLoss : null;
  const rewardRisk = wins > 0 && losses > 0 ? grossProfit / wins / (-grossLoss / losses) : null;
  return {
    closed,
    winRate,
    grossProfit,
    grossLoss,
    profitFactor,
    noLosses: closed > 0 && losses === 0,
    rewardRisk,
    cpcIndex: product(profitFactor, winRate, rewardRisk),
    ...positionTimes(durationsMs),
  };
}

type PositionTimes = Pick<
  CycleStats,
  "avgPositionTimeS" | "medianPositionTimeS" | "maxPositionTimeS"
>;

function positionTimes(durationsMs: ArrayLike<number>): PositionTimes {
  const ascending = sorted(durationsMs);
  return {
    avgPositionTimeS: seconds(mean(ascending)),
    medianPositionTimeS: seconds(quantileOfSorted(ascending, 0.5)),
    maxPositionTimeS: seconds(ascending.at(-1) ?? null),
  };
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

function product(...factors: readonly (number | null)[]): number | null {
  let result = 1;
  for (const factor of factors) {
    if (factor === null) return null;
    result *= factor;
  }
  return result;
}
