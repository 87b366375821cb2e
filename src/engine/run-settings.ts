// What a backtest is asked to do beside strategy and instrument. Plain data; parsed and defaulted by
// the service that reads the run document.
import type { EpochMs } from "../model/time.ts";

export type FillModel = "path" | "pessimistic";
export type EntryFill = "next_open" | "close";

/** Window [from, to) in ms UTC; fees and maintenance margin are fractions, slippage basis points. */
export type RunSettings = {
  readonly timeframeMin: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly initialBalance: number;
  readonly fillModel: FillModel;
  readonly entryFill: EntryFill;
  readonly touchFills: boolean;
  readonly makerFee: number;
  readonly takerFee: number;
  readonly slippageBps: number;
  readonly leverage: number;
  readonly maintenanceMarginRate: number;
};
