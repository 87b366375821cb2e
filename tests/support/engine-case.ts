// Runs a generated case (documents as a user writes them) through the production engine.
import { type BacktestOptions, type BacktestRun, runBacktest } from "../../src/engine/backtest.ts";
import { prepareBacktest } from "../../src/engine/prepare.ts";
import type { CandleSeries, FundingSeries } from "../../src/model/candle.ts";
import { parseInstrument, parseRun } from "../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";

/** Candles as plain arrays, documents as JSON. */
export type CaseDocuments = {
  candles: { t: number[]; o: number[]; h: number[]; l: number[]; c: number[]; v: number[] };
  funding?: { t: number[]; rate: number[] } | undefined;
  config: object;
  instrument: object;
  run: object;
};

/** Plain arrays as columns. */
export function columnsOf(candles: CaseDocuments["candles"]): CandleSeries {
  return {
    length: candles.t.length,
    openAt: Float64Array.from(candles.t),
    open: Float64Array.from(candles.o),
    high: Float64Array.from(candles.h),
    low: Float64Array.from(candles.l),
    close: Float64Array.from(candles.c),
    volume: Float64Array.from(candles.v),
  };
}

/** Runs a case from its documents. */
export function runCase(documents: CaseDocuments, options: BacktestOptions = {}): BacktestRun {
  const { funding } = documents;
  const series: FundingSeries | null = funding
    ? {
        length: funding.t.length,
        at: Float64Array.from(funding.t),
        rate: Float64Array.from(funding.rate),
      }
    : null;
  const prepared = prepareBacktest({
    candles: columnsOf(documents.candles),
    funding: series,
    config: parseConfig(documents.config),
    instrument: parseInstrument(documents.instrument),
    run: parseRun(documents.run),
  });
  return runBacktest(prepared, options);
}
