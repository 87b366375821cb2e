// A finished run as the result document: the format scripts, exports and the stored run agree on. Adds
// nothing to what the engine found except names, order and the digest of the fills.
import { createHash } from "node:crypto";
import { type Metrics, summarise } from "../../analytics/summary.ts";
import type { BacktestRun } from "../../engine/backtest.ts";
import type { Cycle, Fill } from "../../model/fill.ts";
import { type Grid, gridOf, gridText } from "../../model/instrument.ts";
import { MINUTE_MS } from "../../model/time.ts";
import { DECISIONS } from "../../strategy/dca-atr/state.ts";

/** Engine name and version stored with every result; the version changes when results can. */
export const ENGINE = "dragon/1.0.0";

/** The result document; times are ms UTC, ratios fractions, fees of fills and cycles positive costs. */
export type ResultDocument = ReturnType<typeof resultDocument>;

function fillRow(fill: Fill) {
  return {
    t: fill.at,
    bar_open_at: fill.candleOpenAt,
    side: fill.side === "buy" ? ("BUY" as const) : ("SELL" as const),
    position_side: fill.positionSide === "long" ? ("LONG" as const) : ("SHORT" as const),
    price: fill.price,
    qty: fill.qty,
    fee: fill.fee,
    liquidity: fill.liquidity,
    reason: fill.reason,
    cycle: fill.cycle,
  };
}

function cycleRow(cycle: Cycle) {
  return {
    cycle: cycle.cycle,
    position_side: cycle.positionSide === "long" ? ("LONG" as const) : ("SHORT" as const),
    opened_at: cycle.openedAt,
    closed_at: cycle.closedAt,
    entries: cycle.entries,
    qty: cycle.qty,
    avg_entry: cycle.averageEntry,
    exit_price: cycle.exitPrice,
    exit_reason: cycle.exitReason,
    net: cycle.net,
    fees: cycle.fees,
    funding: cycle.funding,
    mae: cycle.mae,
    mfe: cycle.mfe,
  };
}

function fillLine(fill: Fill, prices: Grid, lots: Grid): string {
  const row = fillRow(fill);
  return [
    row.t,
    row.side,
    row.position_side,
    gridText(prices, fill.priceTicks),
    gridText(lots, fill.qtyLots),
    row.liquidity,
    row.reason,
    row.cycle,
  ].join("|");
}

/** SHA-256 over one line per fill, prices and quantities with exactly the decimals of tick and step. */
export function fillsDigest(fills: readonly Fill[], prices: Grid, lots: Grid): string {
  const lines = fills.map((fill) => fillLine(fill, prices, lots));
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}

function metricsOf(run: BacktestRun): Metrics {
  const { recorder, state } = run;
  const settings = run.prepared.request.run;
  return summarise({
    initialBalance: settings.initialBalance,
    leverage: settings.leverage,
    firstOpenAt: run.candles.from,
    lastCloseAt: run.candles.to,
    equity: run.equity.result(),
    cycleNets: recorder.cycleNets,
    cycleDurationsMs: recorder.cycleDurationsMs,
    openCycles: recorder.openCycles,
    fills: recorder.fills.length,
    entries: recorder.entries,
    dcaFills: recorder.dcaFills,
    feesMaker: recorder.feesMaker,
    feesTaker: recorder.feesTaker,
    slippageCost: recorder.slippageCost,
    fundingTotal: state.ledger.funding,
    exposedBars: recorder.exposedCandles,
    maxMarginUsed: recorder.maxNotional / settings.leverage,
    maxNotional: recorder.maxNotional,
    dcaHistogram: recorder.histogram(),
    firstEntryNotional: recorder.firstEntryNotional,
    liquidated: recorder.isLiquidated,
  });
}

/** How often each decision was taken at a candle close; only for runs that recorded decisions. */
export function decisionCounts(run: BacktestRun): Record<string, number> | null {
  if (!run.decisions) return null;
  const { timeout, flipped } = run.state.strategy.withdrawn;
  const counts: Record<string, number> = { entry_timeout: timeout, entry_flipped: flipped };
  for (const code of run.decisions) {
    const name = DECISIONS[code] ?? "none";
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Open of the first candle at whose close everything was defined; null when the run ended before. */
function firstReadyAt(run: BacktestRun): number | null {
  const at = run.prepared.warmup.firstReadyAt;
  const timeframeMs = run.prepared.request.run.timeframeMin * MINUTE_MS;
  // The close of a candle that ruined the account is never reached (rule E53).
  const lastClosed = run.candles.to - timeframeMs * (run.recorder.isLiquidated ? 2 : 1);
  return at !== null && at <= lastClosed ? at : null;
}

/** Puts a finished run into the result document. */
export function resultDocument(run: BacktestRun) {
  const { prepared, recorder, state } = run;
  const { instrument } = prepared.request;
  const prices = gridOf(instrument.priceTick, "instrument: price_tick");
  const lots = gridOf(instrument.qtyStep, "instrument: qty_step");
  const { rejections } = state.strategy;
  const decisions = decisionCounts(run);
  return {
    engine: ENGINE,
    candles: run.candles,
    warmup: {
      wanted_from: prepared.warmup.wantedFrom,
      bars: prepared.warmup.candles,
      short: prepared.warmup.isShort,
      first_ready_at: firstReadyAt(run),
    },
    metrics: metricsOf(run),
    rejections: {
      entry_margin: rejections.entryMargin,
      entry_below_min: rejections.entryBelowMin,
      rung_margin: rejections.rungMargin,
      rung_below_min: rejections.rungBelowMin,
    },
    ledger: { ...state.ledger },
    fills_count: recorder.fills.length,
    fills_sha256: fillsDigest(recorder.fills, prices, lots),
    fills: recorder.fills.map(fillRow),
    cycles: recorder.cycles.map(cycleRow),
    equity_end: run.equityEnd,
    ...(decisions ? { decisions } : {}),
  };
}
