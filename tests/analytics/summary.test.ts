// Cycle figures (E60) and the whole metrics document with its null rules.
import { describe, expect, test } from "bun:test";
import { cycleStats } from "../../src/analytics/cycles.ts";
import { EquityTracker } from "../../src/analytics/equity.ts";
import { type SummaryInput, summarise } from "../../src/analytics/summary.ts";
import { DAY_MS } from "../../src/model/time.ts";

describe("cycles", () => {
  test("E60 a net of exactly 0 is neither win nor loss but a closed cycle", () => {
    const stats = cycleStats([30, -10, 0, 10], [1000, 3000, 2000, 6000]);
    expect(stats).toEqual({
      closed: 4,
      winRate: 0.5,
      grossProfit: 40,
      grossLoss: -10,
      profitFactor: 4,
      noLosses: false,
      rewardRisk: 2,
      cpcIndex: 4,
      avgPositionTimeS: 3,
      medianPositionTimeS: 2.5,
      maxPositionTimeS: 6,
    });
  });

  test("E60 without a losing cycle profit_factor is null and no_losses true", () => {
    const stats = cycleStats([5, 0], [1000, 1000]);
    expect([stats.profitFactor, stats.noLosses, stats.rewardRisk, stats.cpcIndex]).toEqual([
      null,
      true,
      null,
      null,
    ]);
    expect([stats.winRate, stats.grossLoss]).toEqual([0.5, 0]);
  });

  test("E60 without a closed cycle nothing but the gross sums is defined", () => {
    const stats = cycleStats([], []);
    expect([stats.noLosses, stats.grossProfit, stats.grossLoss]).toEqual([false, 0, 0]);
    const { winRate, profitFactor, avgPositionTimeS, medianPositionTimeS, maxPositionTimeS } =
      stats;
    expect([
      winRate,
      profitFactor,
      avgPositionTimeS,
      medianPositionTimeS,
      maxPositionTimeS,
    ]).toEqual(Array(5).fill(null));
  });

  test("E60 with losses only the profit factor is 0 and there is no mean win to compare", () => {
    const stats = cycleStats([-5, -15], [1000, 1000]);
    expect([stats.winRate, stats.profitFactor, stats.rewardRisk]).toEqual([0, 0, null]);
  });
});

/** The metric keys of the result format, in its order. */
const KEYS = `final_equity net_profit net_return cagr max_drawdown_abs max_drawdown
  drawdown_duration_s drawdown_recovery_s ulcer_index sharpe sortino calmar days gain_to_pain
  tail_ratio common_sense_ratio win_rate gross_profit gross_loss profit_factor no_losses
  reward_risk cpc_index recovery_factor fills cycles open_cycles entries dca_fills
  avg_position_time_s median_position_time_s max_position_time_s fees_total fees_maker fees_taker
  slippage_cost funding_total exposure max_margin_used max_notional max_dca_depth dca_histogram
  roi_on_margin roi_on_peak_margin liquidated`.split(/\s+/);

/** Ten days with one sample each: 1000 falls to 900, then rises to 2500. */
function tenDays(): SummaryInput {
  const tracker = new EquityTracker(1000, 0);
  [900, 900, 1000, 1100, 1210, 1331, 1331, 1500, 2000, 2500].forEach((equity, day) => {
    tracker.mark(equity, (day + 1) * DAY_MS);
    tracker.endDay(equity);
  });
  return {
    initialBalance: 1000,
    leverage: 4,
    firstOpenAt: 0,
    lastCloseAt: 10 * DAY_MS,
    equity: tracker.result(),
    cycleNets: [1700, -200],
    cycleDurationsMs: [60_000, 180_000],
    openCycles: 1,
    fills: 8,
    entries: 3,
    dcaFills: 3,
    feesMaker: -2,
    feesTaker: 7,
    slippageCost: 1.5,
    fundingTotal: -3,
    exposedBars: 4,
    maxMarginUsed: 500,
    maxNotional: 2000,
    dcaHistogram: [1, 1, 0, 1, 0],
    firstEntryNotional: 1000,
    liquidated: false,
  };
}

describe("metrics", () => {
  test("the document has exactly the keys of the result format", () => {
    expect(Object.keys(summarise(tenDays())).sort()).toEqual([...KEYS].sort());
  });

  test("10.7 a profit of 150 % is stored as the fraction 1.5", () => {
    expect(summarise(tenDays()).net_return).toBe(1.5);
  });

  test("every figure of a ten-day run is the one computed by hand", () => {
    const metrics = summarise(tenDays());
    expect(metrics).toMatchObject({
      final_equity: 2500,
      net_profit: 1500,
      max_drawdown_abs: 100,
      max_drawdown: 0.1,
      drawdown_duration_s: (3 * DAY_MS) / 1000,
      drawdown_recovery_s: (2 * DAY_MS) / 1000,
      sharpe: null,
      sortino: null,
      days: 10,
      win_rate: 0.5,
      gross_profit: 1700,
      gross_loss: -200,
      profit_factor: 8.5,
      no_losses: false,
      reward_risk: 8.5,
      cpc_index: 8.5 * 0.5 * 8.5,
      recovery_factor: 15,
      fills: 8,
      cycles: 2,
      open_cycles: 1,
      entries: 3,
      dca_fills: 3,
      avg_position_time_s: 120,
      median_position_time_s: 120,
      max_position_time_s: 180,
      fees_total: 5,
      fees_maker: -2,
      fees_taker: 7,
      slippage_cost: 1.5,
      funding_total: -3,
      exposure: 0.4,
      max_margin_used: 500,
      max_notional: 2000,
      max_dca_depth: 3,
      dca_histogram: { "0": 1, "1": 1, "3": 1 },
      roi_on_margin: 6,
      roi_on_peak_margin: 3,
      liquidated: false,
    });
    const yearly = 2.5 ** 36.525 - 1;
    expect((metrics.cagr ?? 0) / yearly).toBeCloseTo(1, 10);
    expect((metrics.calmar ?? 0) / (yearly / 0.1)).toBeCloseTo(1, 10);
    expect(metrics.ulcer_index).toBeCloseTo(Math.sqrt(0.02 / 11), 12);
    // gains 1/9 + 0.1 * 3 + 169/1331 + 1/3 + 1/4 against one day of -10 %
    const gains = 1 / 9 + 0.3 + 169 / 1331 + 1 / 3 + 1 / 4;
    expect(metrics.gain_to_pain).toBeCloseTo(gains / 0.1, 10);
    // (n-1)q = 0.45 and 8.55: p5 between -10 % and 0, p95 between 1/4 and 1/3
    const tail = (1 / 4 + 0.55 * (1 / 3 - 1 / 4)) / (0.1 * 0.55);
    expect(metrics.tail_ratio).toBeCloseTo(tail, 10);
    expect(metrics.common_sense_ratio).toBeCloseTo((tail * gains) / 0.1, 8);
  });

  test("a run without fills or samples has nulls instead of zeros where nothing is defined", () => {
    const metrics = summarise({
      ...tenDays(),
      equity: new EquityTracker(1000, 0).result(),
      lastCloseAt: 0,
      cycleNets: [],
      cycleDurationsMs: [],
      openCycles: 0,
      exposedBars: 0,
      maxMarginUsed: 0,
      dcaHistogram: [],
      firstEntryNotional: null,
    });
    expect(metrics).toMatchObject({
      net_profit: 0,
      cagr: null,
      calmar: null,
      drawdown_recovery_s: null,
      gain_to_pain: null,
      tail_ratio: null,
      common_sense_ratio: null,
      win_rate: null,
      profit_factor: null,
      no_losses: false,
      recovery_factor: null,
      exposure: null,
      max_dca_depth: 0,
      dca_histogram: {},
      roi_on_margin: null,
      roi_on_peak_margin: null,
    });
  });
});
