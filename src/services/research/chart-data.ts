// What the charts of a run page are drawn from: columns of buckets, so that half a million candles
// arrive as a few hundred numbers. Made on a worker thread, sent as JSON; candles are aggregated,
// never dropped.
import type { EpochMs } from "../../model/time.ts";

/** A part of a run: `from` inclusive, `to` exclusive, absent for the whole run; 50..2000 buckets. */
export type ChartWindow = {
  readonly from?: EpochMs;
  readonly to?: EpochMs;
  readonly buckets: number;
};

/** Fills of one side in one bucket. */
export type ChartFill = {
  /** Of the first fill, ms UTC. */
  readonly at: EpochMs;
  readonly side: "buy" | "sell";
  /** Average by quantity. */
  readonly price: number;
  readonly count: number;
  /** Of the first fill, e.g. `ENTRY`, `DCA_1`, `TP_ATR`. */
  readonly reason: string;
  readonly cycle: number;
};

/** Columns of equal length, one entry per bucket that holds a candle, oldest first. */
export type ChartData = {
  /** Candle timeframe and bucket length in ms; equal when every candle is shown. */
  readonly timeframeMs: number;
  readonly bucketMs: number;
  /** The whole traded window. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** Decimals of the price tick. */
  readonly priceDecimals: number;
  /** Opening instant of each bucket. */
  readonly at: readonly number[];
  readonly open: readonly number[];
  readonly high: readonly number[];
  readonly low: readonly number[];
  readonly close: readonly number[];
  /** Trend average at the bucket's end; null while it is not defined or switched off. */
  readonly trend: readonly (number | null)[];
  /** Levels at the bucket's end; null while there is no such order or no position. */
  readonly averageEntry: readonly (number | null)[];
  readonly nextDca: readonly (number | null)[];
  readonly takeProfit: readonly (number | null)[];
  readonly stop: readonly (number | null)[];
  /** Equity at the bucket's end, quote units. */
  readonly equity: readonly number[];
  /** Deepest drawdown within the bucket as a fraction of the peak since the run's start, 0..1. */
  readonly drawdown: readonly number[];
  /** Equity of buying at the window's first open and holding, at the bucket's end. */
  readonly hold: readonly number[];
  readonly fills: readonly ChartFill[];
};
