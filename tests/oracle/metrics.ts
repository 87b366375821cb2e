// Metrics of the result document (E57-E60 and the formulas of the result format), each computed
// by its own small function over plain arrays. Used by oracle.ts only.

import type { Settings } from "./settings.ts";
import type { Cycle, Fill, Metrics } from "./types.ts";

const DAY_MS = 86_400_000;
const YEAR_S = 31_557_600;

/** Equity after all fills of a bar, stamped with its close in UTC ms (E57). */
export type Sample = { t: number; equity: number };

/** What the metrics are computed from. */
export type MetricsInput = {
  settings: Settings;
  samples: Sample[];
  cycles: Cycle[];
  fills: Fill[];
  firstOpenAt: number;
  exposedBars: number;
  funding: number;
  slippageCost: number;
  maxNotional: number;
  liquidated: boolean;
};

const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: number[]): number => sum(values) / values.length;
const ratio = (a: number | null, b: number | null): number | null =>
  a === null || b === null || b === 0 ? null : a / b;

/** Every metric of a run. */
export function metricsOf(input: MetricsInput): Metrics {
  const { settings, samples, fills } = input;
  const initial = settings.run.initial_balance;
  const final = samples.at(-1)?.equity ?? initial;
  const profit = final - initial;
  const seconds =
    ((samples.at(-1)?.t ?? input.firstOpenAt) - input.firstOpenAt) / 1000;
  const growth =
    seconds < 7 * 86_400 || final <= 0
      ? null
      : (final / initial) ** (YEAR_S / seconds);
  const cagr = growth === null ? null : growth - 1;
  const drawdown = drawdownOf([
    { t: input.firstOpenAt, equity: initial },
    ...samples,
  ]);
  const margin = input.maxNotional / settings.run.leverage;
  const entry = fills.find((fill) => fill.reason === "ENTRY");
  const firstMargin =
    entry === undefined
      ? null
      : (entry.price * entry.qty * settings.instrument.contract_size) /
        settings.run.leverage;
  return {
    final_equity: final,
    net_profit: profit,
    net_return: profit / initial,
    cagr,
    ...drawdown,
    ...dailyMetrics(dailyReturns(samples, initial)),
    calmar: ratio(cagr, drawdown.max_drawdown),
    recovery_factor: ratio(profit, drawdown.max_drawdown_abs),
    ...cycleMetrics(input.cycles),
    ...fillMetrics(fills),
    slippage_cost: input.slippageCost,
    funding_total: input.funding,
    exposure: input.exposedBars / samples.length, // E60
    max_margin_used: margin,
    max_notional: input.maxNotional,
    roi_on_margin: ratio(profit, firstMargin),
    roi_on_peak_margin: ratio(profit, margin),
    liquidated: input.liquidated,
  };
}

/** Drawdown figures over samples that start with the initial balance (E59). */
export function drawdownOf(curve: Sample[]) {
  let peak = { t: 0, equity: Number.NEGATIVE_INFINITY };
  let sawLower = false;
  let duration = 0;
  let deepest = { t: 0, depth: 0, peak: 0 };
  let worstAbs = 0;
  const depths: number[] = [];
  for (const sample of curve) {
    if (sample.equity >= peak.equity) {
      if (sawLower) duration = Math.max(duration, sample.t - peak.t);
      peak = sample;
      sawLower = false;
    } else {
      sawLower = true;
    }
    const drop = peak.equity - sample.equity;
    const depth = peak.equity > 0 ? drop / peak.equity : 0;
    worstAbs = Math.max(worstAbs, drop);
    if (depth > deepest.depth)
      deepest = { t: sample.t, depth, peak: peak.equity };
    depths.push(depth);
  }
  const end = curve.at(-1);
  if (sawLower && end !== undefined)
    duration = Math.max(duration, end.t - peak.t);
  const back = curve.find((s) => s.t > deepest.t && s.equity >= deepest.peak);
  const recovered = deepest.depth > 0 && back !== undefined;
  return {
    max_drawdown_abs: worstAbs,
    max_drawdown: deepest.depth,
    drawdown_duration_s: duration / 1000,
    drawdown_recovery_s: recovered ? (back.t - deepest.t) / 1000 : null,
    ulcer_index: Math.sqrt(mean(depths.map((d) => d * d))),
  };
}

/** Returns from day to day; a sample belongs to the UTC day of its close less 1 ms (E58). */
export function dailyReturns(samples: Sample[], initial: number): number[] {
  const lastOfDay = new Map<number, number>();
  for (const s of samples)
    lastOfDay.set(Math.floor((s.t - 1) / DAY_MS), s.equity);
  const levels = [initial, ...lastOfDay.values()];
  return levels
    .slice(1)
    .map((level, i) => level / (levels[i] ?? Number.NaN) - 1);
}

// Percentile with linear interpolation at (n-1)q (E60).
function percentile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * q;
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}

/** Metrics of daily returns. */
export function dailyMetrics(returns: number[]) {
  const enough = returns.length >= 30; // E58
  const average = mean(returns);
  const spread = Math.sqrt(
    sum(returns.map((r) => (r - average) ** 2)) / (returns.length - 1),
  );
  const downside = Math.sqrt(mean(returns.map((r) => Math.min(0, r) ** 2)));
  const gains = sum(returns.filter((r) => r > 0));
  const pains = sum(returns.filter((r) => r < 0));
  const gainToPain = pains < 0 ? gains / -pains : null;
  const p5 = percentile(returns, 0.05);
  const tail =
    returns.length >= 2 && p5 < 0
      ? percentile(returns, 0.95) / Math.abs(p5)
      : null;
  const scale = Math.sqrt(365);
  return {
    sharpe: enough && spread > 0 ? (average / spread) * scale : null,
    sortino: enough && downside > 0 ? (average / downside) * scale : null,
    days: returns.length,
    gain_to_pain: gainToPain,
    tail_ratio: tail,
    common_sense_ratio:
      tail === null || gainToPain === null ? null : tail * gainToPain,
  };
}

// Metrics of cycles; only the ladder depth looks at the open one (E60).
function cycleMetrics(cycles: Cycle[]) {
  const closed = cycles.filter((cycle) => cycle.closed_at !== null);
  const wins = closed.map((cycle) => cycle.net).filter((net) => net > 0);
  const losses = closed.map((cycle) => cycle.net).filter((net) => net < 0);
  const spans = closed.map(
    (cycle) => ((cycle.closed_at ?? 0) - cycle.opened_at) / 1000,
  );
  const winRate = closed.length === 0 ? null : wins.length / closed.length;
  const factor = losses.length === 0 ? null : sum(wins) / -sum(losses);
  const both = wins.length > 0 && losses.length > 0;
  const rewardRisk = both ? mean(wins) / -mean(losses) : null;
  const depths = cycles.map((cycle) => cycle.entries - 1);
  const histogram: Record<string, number> = {};
  for (const depth of depths) histogram[depth] = (histogram[depth] ?? 0) + 1;
  const known = winRate !== null && factor !== null && rewardRisk !== null;
  return {
    win_rate: winRate,
    gross_profit: sum(wins),
    gross_loss: sum(losses),
    profit_factor: factor,
    no_losses: closed.length > 0 && losses.length === 0,
    reward_risk: rewardRisk,
    cpc_index: known ? factor * winRate * rewardRisk : null,
    cycles: closed.length,
    open_cycles: cycles.length - closed.length,
    avg_position_time_s: spans.length === 0 ? null : mean(spans),
    median_position_time_s: spans.length === 0 ? null : percentile(spans, 0.5),
    max_position_time_s: spans.length === 0 ? null : Math.max(...spans),
    max_dca_depth: Math.max(0, ...depths),
    dca_histogram: histogram,
  };
}

function fillMetrics(fills: Fill[]) {
  const feesOf = (liquidity: string): number =>
    sum(
      fills
        .filter((fill) => fill.liquidity === liquidity)
        .map((fill) => fill.fee),
    );
  return {
    fills: fills.length,
    entries: fills.filter((fill) => fill.reason === "ENTRY").length,
    dca_fills: fills.filter((fill) => fill.reason.startsWith("DCA_")).length,
    fees_total: sum(fills.map((fill) => fill.fee)),
    fees_maker: feesOf("maker"),
    fees_taker: feesOf("taker"),
  };
}
