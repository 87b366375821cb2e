// The small rest of a finished run beside its metrics: warm-up, refusals, ledger, warnings, the other fill
// model. Made on the worker thread, stored as JSON, read by pages and by whoever computes the run again.
import type { BacktestRun } from "../../engine/backtest.ts";
import type { FillModel } from "../../engine/run-settings.ts";
import { type EpochMs, MINUTE_MS } from "../../model/time.ts";
import type { Run } from "../../ports/run-store.ts";
import { configWarnings } from "../../strategy/dca-atr/warnings.ts";
import type { ResultDocument } from "./backtest-result.ts";

/** Figures under the other fill model: neither bounds the other, so pages show both (rule E66). */
export type OtherFillModel = {
  readonly fill_model: FillModel;
  readonly net_profit: number;
  readonly net_return: number;
  readonly max_drawdown: number;
  readonly fills: number;
  readonly cycles: number;
  readonly liquidated: boolean;
};

/** What the thread that computed the run knows. */
export type ComputedDetails = {
  /** Traded candles: count, first open, last close. */
  readonly candles: ResultDocument["candles"];
  readonly warmup: ResultDocument["warmup"];
  readonly rejections: ResultDocument["rejections"];
  /** Pending entries taken back: waited too long, or signal or trend turned. */
  readonly withdrawn: { readonly timeout: number; readonly flipped: number };
  readonly ledger: ResultDocument["ledger"];
  readonly equity_end: number;
  /** Sentences without a full stop. */
  readonly warnings: readonly string[];
  readonly other_fill_model: OtherFillModel;
};

/** Everything stored in `details`. */
export type RunDetails = ComputedDetails & {
  /** The series the candles came from; its timeframe may be a divisor of the run's. */
  readonly series: { readonly id: number; readonly timeframe_min: number };
  /** The rates within the window; null when the run was asked for without funding. */
  readonly funding: { readonly rates: number; readonly fingerprint: string } | null;
};

/** The details of a finished run; null for any other. */
export function detailsOf(run: Pick<Run, "status" | "details">): RunDetails | null {
  return run.status === "finished" ? (run.details as RunDetails | null) : null;
}

/** Details of a run and of its twin under the other fill model. */
export function computedDetails(
  run: BacktestRun,
  result: ResultDocument,
  other: BacktestRun,
): ComputedDetails {
  const { candles, warmup, rejections, ledger, equity_end } = result;
  return {
    candles,
    warmup,
    rejections,
    withdrawn: { ...run.state.strategy.withdrawn },
    ledger,
    equity_end,
    warnings: warningsOf(run),
    other_fill_model: otherFigures(other),
  };
}

function otherFigures({ prepared, equity, recorder }: BacktestRun): OtherFillModel {
  const { fillModel, initialBalance } = prepared.request.run;
  const { finalEquity, maxDrawdown } = equity.result();
  const netProfit = finalEquity - initialBalance;
  return {
    fill_model: fillModel,
    net_profit: netProfit,
    net_return: netProfit / initialBalance,
    max_drawdown: maxDrawdown,
    fills: recorder.fills.length,
    cycles: recorder.cycleNets.length,
    liquidated: recorder.isLiquidated,
  };
}

function warningsOf({ prepared, candles }: BacktestRun): string[] {
  const { request, warmup } = prepared;
  const minutesTo = (from: EpochMs) => Math.max(0, candles.from - from) / MINUTE_MS;
  const presentFrom = Math.max(warmup.wantedFrom, request.candles.openAt[0] ?? candles.from);
  const history = { wantedMin: minutesTo(warmup.wantedFrom), presentMin: minutesTo(presentFrom) };
  return configWarnings(request.config, warmup.isShort ? history : null);
}
