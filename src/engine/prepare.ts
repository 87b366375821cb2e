// From whole candle history to what a run is fed: warm-up, window, indicator columns, entry bits. Prepared
// once and run many times; a run never changes what is in here.
import { historyStart, type WarmupNeed, warmupMinutes } from "../indicators/warmup.ts";
import {
  type CandleSeries,
  firstAtOrAfter,
  type FundingSeries,
  sliceSeries,
} from "../model/candle.ts";
import type { Instrument } from "../model/instrument.ts";
import { InputError } from "../model/result.ts";
import { type EpochMs, isoUtc } from "../model/time.ts";
import { checkIntervals, type DcaAtrConfig } from "../strategy/dca-atr/config.ts";
import type { EntryBits } from "../strategy/dca-atr/signal-bits.ts";
import type { SignalColumns } from "../strategy/dca-atr/signal-columns.ts";
import { type ColumnCache, makeColumns } from "./column-cache.ts";
import type { RunSettings } from "./run-settings.ts";

/** Everything one backtest is asked for. */
export type BacktestRequest = {
  readonly candles: CandleSeries;
  readonly funding: FundingSeries | null;
  readonly config: DcaAtrConfig;
  readonly instrument: Instrument;
  readonly run: RunSettings;
};

/** How much history was wanted and found (rule E11). */
export type Warmup = {
  readonly wantedFrom: EpochMs;
  readonly candles: number;
  readonly isShort: boolean;
  readonly firstReadyAt: EpochMs | null;
};

/** A request with its columns; `first` is the index of the first traded candle in `candles`. */
export type PreparedBacktest = {
  readonly request: BacktestRequest;
  readonly candles: CandleSeries;
  readonly first: number;
  readonly warmup: Warmup;
  readonly columns: SignalColumns;
  readonly bits: EntryBits;
};

/** The indicators of a configuration as warm-up needs. */
export function warmupNeeds(config: DcaAtrConfig, timeframeMin: number): WarmupNeed[] {
  const { trend, bbands, macd, rsi, exits, general } = config;
  const needs: WarmupNeed[] = [
    {
      kind: "bollinger",
      type: bbands.ma_type,
      length: bbands.length,
      intervalMin: bbands.interval_min,
    },
    { kind: "macd", slow: macd.slow, signal: macd.signal, intervalMin: macd.interval_min },
    { kind: "rsi", length: rsi.length, intervalMin: rsi.interval_min },
    { kind: "atr", length: exits.atr_period },
  ];
  if (trend.enabled) {
    const { ma_type: type, ma_len: length, ma_interval_min: intervalMin } = trend;
    needs.push({ kind: "average", type, length, intervalMin });
  }
  if (general.use_ma_direction) {
    const intervalMin = general.ma_interval_min || timeframeMin;
    const { ma_type: type, ma_length: length } = general;
    needs.push({ kind: "average", type, length, intervalMin });
  }
  return needs;
}

/** Where the history of a run must begin: midnight, or Monday when an interval exceeds a day. */
export function wantedFrom(
  config: DcaAtrConfig,
  run: Pick<RunSettings, "timeframeMin" | "from">,
): EpochMs {
  const needs = warmupNeeds(config, run.timeframeMin);
  let largest = 0;
  for (const need of needs) {
    if ("intervalMin" in need) largest = Math.max(largest, need.intervalMin);
  }
  return historyStart(run.from, warmupMinutes(needs, run.timeframeMin), largest);
}

/**
 * Checks the request against its candles and computes every column.
 * @param cache keeps columns for later runs over the same candles
 * @throws InputError when an interval does not fit the timeframe or the window holds no candle (rule E65)
 */
export function prepareBacktest(request: BacktestRequest, cache?: ColumnCache): PreparedBacktest {
  const { candles: all, config, run } = request;
  checkIntervals(config, run.timeframeMin);
  const wanted = wantedFrom(config, run);
  const start = firstAtOrAfter(all.openAt, wanted);
  const end = firstAtOrAfter(all.openAt, run.to);
  const first = firstAtOrAfter(all.openAt, run.from);
  if (end <= first) {
    throw new InputError(
      `run: the window from ${isoUtc(run.from)} to ${isoUtc(run.to)} holds no candles; ` +
        (all.length === 0
          ? "the candle file is empty"
          : `they span ${isoUtc(all.openAt[0]!)} to ${isoUtc(all.openAt[all.length - 1]!)}`),
    );
  }
  const candles = sliceSeries(all, start, end);
  const { columns, bits } = cache
    ? cache.get(all, candles, start, end, config, run.timeframeMin)
    : makeColumns(config, candles, run.timeframeMin);
  const ready = columns.firstReady();
  return {
    request,
    candles,
    first: first - start,
    warmup: {
      wantedFrom: wanted,
      candles: first - start,
      isShort: all.openAt[0]! > wanted,
      firstReadyAt: ready < 0 ? null : candles.openAt[ready]!,
    },
    columns,
    bits,
  };
}
