// A finished run as files: the result document exactly as `dragon backtest --json` prints it, and its
// fills and cycles as CSV (RFC 4180). Pure. ISO 8601 UTC and plain decimals; no cell is a formula.
import type { Metrics } from "../../analytics/summary.ts";
import { plainNumber } from "../../model/decimal.ts";
import { isoUtc } from "../../model/time.ts";
import type { Run } from "../../ports/run-store.ts";
import type { ResultDocument } from "../../services/research/backtest-result.ts";
import type { RunRecord } from "../../services/research/run-artifact.ts";
import { detailsOf } from "../../services/research/run-details.ts";

/** The metrics in the order of the result format; the store keeps them in none. */
const METRIC_ORDER: Readonly<Record<keyof Metrics, true>> = {
  final_equity: true,
  net_profit: true,
  net_return: true,
  cagr: true,
  max_drawdown_abs: true,
  max_drawdown: true,
  drawdown_duration_s: true,
  drawdown_recovery_s: true,
  ulcer_index: true,
  calmar: true,
  sharpe: true,
  sortino: true,
  days: true,
  gain_to_pain: true,
  tail_ratio: true,
  common_sense_ratio: true,
  win_rate: true,
  gross_profit: true,
  gross_loss: true,
  profit_factor: true,
  no_losses: true,
  reward_risk: true,
  cpc_index: true,
  cycles: true,
  avg_position_time_s: true,
  median_position_time_s: true,
  max_position_time_s: true,
  max_dca_depth: true,
  dca_histogram: true,
  recovery_factor: true,
  fills: true,
  open_cycles: true,
  entries: true,
  dca_fills: true,
  fees_total: true,
  fees_maker: true,
  fees_taker: true,
  slippage_cost: true,
  funding_total: true,
  exposure: true,
  max_margin_used: true,
  max_notional: true,
  roi_on_margin: true,
  roi_on_peak_margin: true,
  liquidated: true,
};

function orderedMetrics(metrics: Metrics): Metrics {
  const keys = Object.keys(METRIC_ORDER) as (keyof Metrics)[];
  return Object.fromEntries(keys.map((key) => [key, metrics[key]])) as unknown as Metrics;
}

/** The result document of a finished run; null when a part of it is not kept. */
export function resultOf(run: Run, record: RunRecord | null): ResultDocument | null {
  const { metrics, fillsSha256 } = run;
  const details = detailsOf(run);
  if (!metrics || !details || fillsSha256 === null || !record) return null;
  const { candles, warmup, rejections, ledger } = details;
  return {
    engine: run.engineVersion,
    candles: { count: candles.count, from: candles.from, to: candles.to },
    warmup: {
      wanted_from: warmup.wanted_from,
      bars: warmup.bars,
      short: warmup.short,
      first_ready_at: warmup.first_ready_at,
    },
    metrics: orderedMetrics(metrics),
    rejections: {
      entry_margin: rejections.entry_margin,
      entry_below_min: rejections.entry_below_min,
      rung_margin: rejections.rung_margin,
      rung_below_min: rejections.rung_below_min,
    },
    ledger: {
      realised: ledger.realised,
      fees: ledger.fees,
      funding: ledger.funding,
      writeoff: ledger.writeoff,
    },
    fills_count: record.fills.length,
    fills_sha256: fillsSha256,
    fills: record.fills,
    cycles: record.cycles,
    equity_end: details.equity_end,
  };
}

type Cell = string | number | null;

/** Texts are words of the engine, so none needs quotes or begins like a formula. */
function cell(value: Cell): string {
  if (value === null) return "";
  return typeof value === "string" ? value : plainNumber(value);
}

function csv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** Every fill, oldest first. */
export function fillsCsv({ fills }: RunRecord): string {
  const heads = ["time", "side", "position_side", "price", "qty", "fee"];
  return csv([
    [...heads, "liquidity", "reason", "cycle"],
    ...fills.map((row) => [
      isoUtc(row.t),
      row.side,
      row.position_side,
      row.price,
      row.qty,
      row.fee,
      row.liquidity,
      row.reason,
      row.cycle,
    ]),
  ]);
}

const CYCLE_HEADS = [
  "cycle",
  "position_side",
  "opened_at",
  "closed_at",
  "entries",
  "qty",
  "avg_entry",
  "exit_price",
  "exit_reason",
  "net",
  "fees",
  "funding",
  "mae",
  "mfe",
];

/** Every cycle, oldest first; an open one has no closing time. */
export function cyclesCsv({ cycles }: RunRecord): string {
  return csv([
    CYCLE_HEADS,
    ...cycles.map((row) => [
      row.cycle,
      row.position_side,
      isoUtc(row.opened_at),
      row.closed_at === null ? null : isoUtc(row.closed_at),
      row.entries,
      row.qty,
      row.avg_entry,
      row.exit_price,
      row.exit_reason,
      row.net,
      row.fees,
      row.funding,
      row.mae,
      row.mfe,
    ]),
  ]);
}
