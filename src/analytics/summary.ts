// The metrics document of a run: every key of the result format, with its null rules. Called once
// per run with what the engine counted; it computes nothing from prices and never rounds.
import type { EpochMs } from "../model/time.ts";
import { cycleStats } from "./cycles.ts";
import type { EquityResult } from "./equity.ts";
import { cagr, calmar, gainToPain, ratioOf, sharpe, sortino, tailRatio } from "./ratios.ts";

/**
 * What the engine counted over one run; money in quote units, fees and slippage as positive costs.
 */
export type SummaryInput = {
  readonly initialBalance: number;
  readonly leverage: number;
  readonly firstOpenAt: EpochMs;
  readonly lastCloseAt: EpochMs;
  readonly equity: EquityResult;
  /** Net results of the closed cycles, after fees and funding. */
  readonly cycleNets: ArrayLike<number>;
  /** First fill to exit of the same cycles. */
  readonly cycleDurationsMs: ArrayLike<number>;
  readonly openCycles: number;
  readonly fills: number;
  readonly entries: number;
  readonly dcaFills: number;
  /** A rebate makes a fee negative. */
  readonly feesMaker: number;
  readonly feesTaker: number;
  readonly slippageCost: number;
  /** Signed: received is positive. */
  readonly fundingTotal: number;
  /** Bars with a position open at the open or opened on the path (E60). */
  readonly exposedBars: number;
  readonly maxMarginUsed: number;
  readonly maxNotional: number;
  /** Cycles by depth (expanding fills - 1), the open cycle included; index = depth. */
  readonly dcaHistogram: ArrayLike<number>;
  /** Filled notional of the very first entry; null when nothing was ever filled. */
  readonly firstEntryNotional: number | null;
  readonly liquidated: boolean;
};

/** The metrics of the result format: fractions, seconds, quote units; null when undefined. */
export type Metrics = {
  readonly final_equity: number;
  readonly net_profit: number;
  readonly net_return: number;
  readonly cagr: number | null;
  readonly max_drawdown_abs: number;
  readonly max_drawdown: number;
  readonly drawdown_duration_s: number;
  readonly drawdown_recovery_s: number | null;
  readonly ulcer_index: number;
  readonly sharpe: number | null;
  readonly sortino: number | null;
  readonly calmar: number | null;
  readonly days: number;
  readonly gain_to_pain: number | null;
  readonly tail_ratio: number | null;
  readonly common_sense_ratio: number | null;
  readonly win_rate: number | null;
  readonly gross_profit: number;
  readonly gross_loss: number;
  readonly profit_factor: number | null;
  readonly no_losses: boolean;
  readonly reward_risk: number | null;
  readonly cpc_index: number | null;
  readonly recovery_factor: number | null;
  readonly fills: number;
  readonly cycles: number;
  readonly open_cycles: number;
  readonly entries: number;
  readonly dca_fills: number;
  readonly avg_position_time_s: number | null;
  readonly median_position_time_s: number | null;
  readonly max_position_time_s: number | null;
  readonly fees_total: number;
  readonly fees_maker: number;
  readonly fees_taker: number;
  readonly slippage_cost: number;
  readonly funding_total: number;
  readonly exposure: number | null;
  readonly max_margin_used: number;
  readonly max_notional: number;
  readonly max_dca_depth: number;
  readonly dca_histogram: Readonly<Record<string, number>>;
  readonly roi_on_margin: number | null;
  readonly roi_on_peak_margin: number | null;
  readonly liquidated: boolean;
};

/** Puts a run's counts into the metrics document. */
export function summarise(input: SummaryInput): Metrics {
  const netProfit = input.equity.finalEquity - input.initialBalance;
  const firstMargin =
    input.firstEntryNotional === null ? 0 : input.firstEntryNotional / input.leverage;
  return {
    ...growthMetrics(input, netProfit),
    ...dailyMetrics(input.equity.dailyReturns),
    ...cycleMetrics(input),
    ...depthMetrics(input.dcaHistogram),
    recovery_factor: ratioOf(netProfit, input.equity.maxDrawdownAbs),
    fills: input.fills,
    open_cycles: input.openCycles,
    entries: input.entries,
    dca_fills: input.dcaFills,
    fees_total: input.feesMaker + input.feesTaker,
    fees_maker: input.feesMaker,
    fees_taker: input.feesTaker,
    slippage_cost: input.slippageCost,
    funding_total: input.fundingTotal,
    exposure: ratioOf(input.exposedBars, input.equity.samples),
    max_margin_used: input.maxMarginUsed,
    max_notional: input.maxNotional,
    roi_on_margin: ratioOf(netProfit, firstMargin),
    roi_on_peak_margin: ratioOf(netProfit, input.maxMarginUsed),
    liquidated: input.liquidated,
  };
}

function growthMetrics(input: SummaryInput, netProfit: number) {
  const { equity, initialBalance } = input;
  const seconds = (input.lastCloseAt - input.firstOpenAt) / 1000;
  const growth = cagr(initialBalance, equity.finalEquity, seconds);
  const recoveryMs = equity.drawdownRecoveryMs;
  return {
    final_equity: equity.finalEquity,
    net_profit: netProfit,
    net_return: netProfit / initialBalance,
    cagr: growth,
    max_drawdown_abs: equity.maxDrawdownAbs,
    max_drawdown: equity.maxDrawdown,
    drawdown_duration_s: equity.drawdownDurationMs / 1000,
    drawdown_recovery_s: recoveryMs === null ? null : recoveryMs / 1000,
    ulcer_index: equity.ulcerIndex,
    calmar: calmar(growth, equity.maxDrawdown),
  };
}

function dailyMetrics(dailyReturns: readonly number[]) {
  const pain = gainToPain(dailyReturns);
  const tail = tailRatio(dailyReturns);
  return {
    sharpe: sharpe(dailyReturns),
    sortino: sortino(dailyReturns),
    days: dailyReturns.length,
    gain_to_pain: pain,
    tail_ratio: tail,
    common_sense_ratio: pain === null || tail === null ? null : pain * tail,
  };
}

function cycleMetrics(input: SummaryInput) {
  const stats = cycleStats(input.cycleNets, input.cycleDurationsMs);
  return {
    win_rate: stats.winRate,
    gross_profit: stats.grossProfit,
    gross_loss: stats.grossLoss,
    profit_factor: stats.profitFactor,
    no_losses: stats.noLosses,
    reward_risk: stats.rewardRisk,
    cpc_index: stats.cpcIndex,
    cycles: stats.closed,
    avg_position_time_s: stats.avgPositionTimeS,
    median_position_time_s: stats.medianPositionTimeS,
    max_position_time_s: stats.maxPositionTimeS,
  };
}

/** Depths that never occurred are left out; without any cycle the depth is 0. */
function depthMetrics(histogram: ArrayLike<number>) {
  const byDepth: Record<string, number> = {};
  let deepest = 0;
  for (let depth = 0; depth < histogram.length; depth++) {
    const cycles = histogram[depth]!;
    if (cycles === 0) continue;
    byDepth[String(depth)] = cycles;
    deepest = depth;
  }
  return { max_dca_depth: deepest, dca_histogram: byDepth };
}
