// A stored run as the plain props of its page. Pure: run, record and query in, props out.
import type { Bound } from "../../../views/components/run-bounds.tsx";
import type { RunChartsProps } from "../../../views/components/run-charts.tsx";
import type { RunHeadProps } from "../../../views/components/run-head.tsx";
import { duration, percent, quoteOf } from "../../../views/format.ts";
import type { Metrics } from "../../analytics/summary.ts";
import type { Run } from "../../ports/run-store.ts";
import type { RunRecord } from "../../services/research/run-artifact.ts";
import { detailsOf } from "../../services/research/run-details.ts";
import type { WindowQuery } from "./run-query.ts";

/** Decimals of a price, from the instrument's tick. */
export function priceDecimalsOf({ instrument }: Pick<Run, "instrument">): number {
  const tick =
    typeof instrument === "object" && instrument !== null && "price_tick" in instrument
      ? Number(instrument.price_tick)
      : Number.NaN;
  if (!(tick > 0)) return 2;
  const [digits = "", exponent = "0"] = tick.toString().split("e");
  const decimals = (digits.split(".")[1]?.length ?? 0) - Number(exponent);
  return Math.min(12, Math.max(0, decimals));
}

/** Fewer closed cycles than this say little about win rate and profit factor. */
const FEW_CYCLES = 30;

/** What a reader should know before believing the figures. */
export function resultWarnings(run: Run, metrics: Metrics): string[] {
  const details = detailsOf(run);
  const found: string[] = [];
  if (metrics.liquidated) {
    found.push("The position was liquidated or the balance used up; the run ends there.");
  }
  if (details?.warmup.short) {
    found.push(
      `The history before the window is shorter than the indicators want: ${details.warmup.bars} candles ` +
        "of warm-up were there. The first entries may differ from those with more history.",
    );
  }
  if (metrics.fills === 0) {
    found.push('Nothing was traded. "Why no entry?" below tells the reason for every candle.');
  } else if (metrics.cycles < FEW_CYCLES) {
    found.push(
      `Only ${metrics.cycles} closed ${metrics.cycles === 1 ? "cycle" : "cycles"}: win rate, ` +
        "profit factor and ratios rest on little.",
    );
  }
  if (metrics.open_cycles > 0) {
    found.push("A position was still open at the end; it is valued at the last close.");
  }
  return [...found, ...(details?.warnings ?? []).map(asSentence)];
}

function asSentence(text: string): string {
  const head = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return /[.!?]$/.test(head) ? head : `${head}.`;
}

function fillModelOf({ runSettings }: Run): string {
  const isDocument = typeof runSettings === "object" && runSettings !== null;
  return isDocument && "fill_model" in runSettings ? String(runSettings.fill_model) : "path";
}

/** Both fill models, `path` first; only this run's own where the other is not known. */
export function boundsOf(run: Run, metrics: Metrics): Bound[] {
  const other = detailsOf(run)?.other_fill_model;
  const own: Bound = {
    model: fillModelOf(run),
    isShown: true,
    netProfit: metrics.net_profit,
    netReturn: metrics.net_return,
    maxDrawdown: metrics.max_drawdown,
  };
  if (!other) return [own];
  const beside: Bound = {
    model: other.fill_model,
    isShown: false,
    netProfit: other.net_profit,
    netReturn: other.net_return,
    maxDrawdown: other.max_drawdown,
  };
  return [own, beside].sort((a, b) => a.model.localeCompare(b.model));
}

/** What the head of the page tells about the run itself. */
export function headOf(
  run: Run,
): Omit<RunHeadProps, "csrf" | "timeZone" | "mayTrade" | "limits" | "problem"> {
  return {
    id: run.id,
    name: run.name,
    exchangeId: run.exchangeId,
    symbol: run.symbol,
    strategy: `${run.strategyName} ${run.strategyVersion}`,
    timeframeMin: run.timeframeMin,
    direction: run.direction,
    fromAt: run.fromAt,
    toAt: run.toAt,
    createdAt: run.createdAt,
    candles: detailsOf(run)?.candles.count ?? null,
    isShortlisted: run.isShortlisted,
    note: run.note,
    isFinished: run.status === "finished",
    hasEnded: run.status !== "queued" && run.status !== "running",
  };
}

/** Rows of the equity curve in words. */
const POINTS_MAX = 24;

function pointsOf(record: RunRecord | null): RunChartsProps["points"] {
  if (!record) return [];
  const { at, value, drawdown } = record.equity;
  const rows = Math.min(POINTS_MAX, at.length);
  return Array.from({ length: rows }, (_, k) => {
    const from = Math.floor((k * at.length) / rows);
    const to = Math.floor(((k + 1) * at.length) / rows);
    return {
      at: at[to - 1] ?? 0,
      equity: value[to - 1] ?? 0,
      drawdown: Math.max(...drawdown.slice(from, to)),
    };
  });
}

/** What the charts begin with. */
export function chartsOf(
  run: Run,
  metrics: Metrics,
  record: RunRecord | null,
  window: WindowQuery | null,
  timeZone: string,
): RunChartsProps {
  const { drawdown_duration_s: longest } = metrics;
  const grew = metrics.net_profit >= 0 ? "grew" : "fell";
  return {
    runId: run.id,
    timeZone,
    quote: quoteOf(run.symbol),
    priceDecimals: priceDecimalsOf(run),
    fromAt: run.fromAt,
    toAt: run.toAt,
    window,
    points: pointsOf(record),
    summary:
      `Equity ${grew} by ${percent(Math.abs(metrics.net_return))} over ` +
      `${duration(run.toAt - run.fromAt)}; the deepest drawdown was ` +
      `${percent(metrics.max_drawdown)}, the longest lasted ${duration(longest * 1000)}.`,
  };
}
