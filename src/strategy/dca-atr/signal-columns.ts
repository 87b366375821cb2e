// Indicator columns of a whole candle series and what they say at each close. Built once per run (or shared
// by runs with the same lengths); read by the strategy through `flagsAt` and by the wake sources through bit sets.
import { atrColumn } from "../../indicators/atr.ts";
import { bollingerColumns } from "../../indicators/bollinger.ts";
import { macdHistogramColumn } from "../../indicators/macd.ts";
import { movingAverageColumn } from "../../indicators/moving-average.ts";
import { rsiColumn } from "../../indicators/rsi.ts";
import { sourceColumn } from "../../indicators/source.ts";
import { BinCursor, type BinPlan, binColumn, resample } from "../../indicators/timeframe-bins.ts";
import { type CandleSeries, emptySeries } from "../../model/candle.ts";
import { MINUTE_MS } from "../../model/time.ts";
import type { DcaAtrConfig } from "./config.ts";
import { advanceLatch, evaluate, noSignalValues, type SignalValues } from "./signal-flags.ts";

/** Bin columns by interval; an interval used by several indicators is resampled once. */
type Bins = { readonly plan: BinPlan; readonly close: Float64Array };

/** Latch bits per candle. */
export const LATCH_LONG = 1;
export const LATCH_SHORT = 2;

/** Whether any rule of the configuration reads the average true range. */
export function usesAtr(config: DcaAtrConfig): boolean {
  const { exits, dca } = config;
  return exits.sl_mode === "ATR" || exits.tp_mode === "ATR" || dca.deviation_mode === "ATR";
}

function gateSource(config: DcaAtrConfig, candles: CandleSeries, plan: BinPlan): Float64Array {
  const bins = {
    ...emptySeries(0),
    length: plan.count,
    open: binColumn(plan, candles.open, "first"),
    high: binColumn(plan, candles.high, "max"),
    low: binColumn(plan, candles.low, "min"),
    close: binColumn(plan, candles.close, "last"),
  };
  return sourceColumn(config.general.ma_source, bins);
}

/** Columns of one series under one configuration. Values belong to bins; cursors map candles to bins. */
export class SignalColumns {
  readonly config: DcaAtrConfig;
  readonly candles: CandleSeries;
  /** ATR per base candle, NaN until ready; empty when no rule reads it */
  readonly atr: Float64Array;
  readonly trendPlan: BinPlan | null;
  readonly trend: Float64Array | null;
  readonly bandPlan: BinPlan;
  readonly bands: { middle: Float64Array; upper: Float64Array; lower: Float64Array };
  readonly bandHigh: Float64Array | null;
  readonly bandLow: Float64Array | null;
  readonly macdPlan: BinPlan;
  readonly histogram: Float64Array;
  readonly histogramClose: Float64Array;
  readonly rsiPlan: BinPlan;
  readonly rsi: Float64Array;
  readonly gatePlan: BinPlan | null;
  readonly gate: Float64Array | null;
  /** latch bits per candle when `reset_middle` is on: 1 long, 2 short */
  readonly latches: Uint8Array | null;
  private readonly bandBin: BinCursor;
  private readonly macdBin: BinCursor;
  private readonly rsiBin: BinCursor;
  private readonly trendBin: BinCursor | null;
  private readonly gateBin: BinCursor | null;
  private readonly values: SignalValues = noSignalValues();
  private readonly latch = { long: false, short: false };

  constructor(config: DcaAtrConfig, candles: CandleSeries, timeframeMin: number) {
    this.config = config;
    this.candles = candles;
    const cache = new Map<number, Bins>();
    const bins = (minutes: number): Bins => {
      const known = cache.get(minutes);
      if (known) return known;
      const plan = resample(candles.openAt, timeframeMin * MINUTE_MS, minutes * MINUTE_MS);
      const made = { plan, close: binColumn(plan, candles.close, "last") };
      cache.set(minutes, made);
      return made;
    };
    const { general, exits, trend, bbands, macd, rsi } = config;
    this.atr = usesAtr(config)
      ? atrColumn(candles.high, candles.low, candles.close, exits.atr_period)
      : new Float64Array(0);
    const trendBins = trend.enabled ? bins(trend.ma_interval_min) : null;
    this.trendPlan = trendBins?.plan ?? null;
    this.trend = trendBins && movingAverageColumn(trend.ma_type, trendBins.close, trend.ma_len);
    const band = bins(bbands.interval_min);
    this.bandPlan = band.plan;
    this.bands = bollingerColumns(
      band.close,
      bbands.length,
      bbands.dev_up,
      bbands.dev_down,
      bbands.ma_type,
    );
    this.bandHigh = bbands.require_fcc ? binColumn(band.plan, candles.high, "max") : null;
    this.bandLow = bbands.require_fcc ? binColumn(band.plan, candles.low, "min") : null;
    const macdBins = bins(macd.interval_min);
    this.macdPlan = macdBins.plan;
    this.histogramClose = macdBins.close;
    this.histogram = macdHistogramColumn(macdBins.close, macd.fast, macd.slow, macd.signal);
    const rsiBins = bins(rsi.interval_min);
    this.rsiPlan = rsiBins.plan;
    this.rsi = rsiColumn(rsiBins.close, rsi.length);
    this.gatePlan = null;
    this.gate = null;
    if (general.use_ma_direction) {
      this.gatePlan = bins(general.ma_interval_min || timeframeMin).plan;
      const source = gateSource(config, candles, this.gatePlan);
      this.gate = movingAverageColumn(general.ma_type, source, general.ma_length);
    }
    const cursor = (plan: BinPlan | null) => (plan ? new BinCursor(plan) : null);
    this.bandBin = new BinCursor(this.bandPlan);
    this.macdBin = new BinCursor(this.macdPlan);
    this.rsiBin = new BinCursor(this.rsiPlan);
    this.trendBin = cursor(this.trendPlan);
    this.gateBin = cursor(this.gatePlan);
    this.latches = bbands.reset_middle ? this.latchColumn() : null;
  }

  private latchColumn(): Uint8Array {
    const { close } = this.candles;
    const column = new Uint8Array(close.length);
    const latch = { long: false, short: false };
    for (let i = 0; i < close.length; i++) {
      const k = this.bandBin.at(i);
      if (k >= 0) {
        this.bandValues(k);
        advanceLatch(this.config, this.values, close[i]!, latch);
      }
      column[i] = (latch.long ? LATCH_LONG : 0) | (latch.short ? LATCH_SHORT : 0);
    }
    return column;
  }

  private bandValues(k: number): void {
    const v = this.values;
    const none = Number.NaN;
    v.middle = k < 0 ? none : this.bands.middle[k]!;
    v.upper = k < 0 ? none : this.bands.upper[k]!;
    v.lower = k < 0 ? none : this.bands.lower[k]!;
    v.binHigh = k < 0 || !this.bandHigh ? none : this.bandHigh[k]!;
    v.binLow = k < 0 || !this.bandLow ? none : this.bandLow[k]!;
  }

  /** Values visible at the close of candle `i`; the object is reused by the next call. */
  valuesAt(i: number): SignalValues {
    const v = this.values;
    const none = Number.NaN;
    this.bandValues(this.bandBin.at(i));
    const m = this.macdBin.at(i);
    v.histogram = m < 0 ? none : this.histogram[m]!;
    v.histogramClose = m < 0 ? none : this.histogramClose[m]!;
    const r = this.rsiBin.at(i);
    v.rsi = r < 0 ? none : this.rsi[r]!;
    const t = this.trendBin ? this.trendBin.at(i) : -1;
    v.trend = t < 0 || !this.trend ? none : this.trend[t]!;
    const g = this.gateBin ? this.gateBin.at(i) : -1;
    v.gate = g < 0 || !this.gate ? none : this.gate[g]!;
    return v;
  }

  /** What the indicators say at the close of candle `i`. */
  flagsAt(i: number): number {
    const bits = this.latches ? this.latches[i]! : 0;
    this.latch.long = (bits & LATCH_LONG) !== 0;
    this.latch.short = (bits & LATCH_SHORT) !== 0;
    return evaluate(this.config, this.valuesAt(i), this.candles.close[i]!, this.latch);
  }

  /** First candle at whose close every indicator in use is defined, ATR and gate included; -1 = never. */
  firstReady(): number {
    const defined = (plan: BinPlan | null, column: Float64Array | null): number => {
      if (!plan || !column) return 0;
      const k = column.findIndex((value) => !Number.isNaN(value));
      return k < 0 ? Number.POSITIVE_INFINITY : plan.visibleAt[k]!;
    };
    const first = Math.max(
      defined(this.trendPlan, this.trend),
      defined(this.bandPlan, this.bands.middle),
      defined(this.macdPlan, this.histogram),
      defined(this.rsiPlan, this.rsi),
      defined(this.gatePlan, this.gate),
      this.config.exits.atr_period - 1,
    );
    return first < this.candles.length ? first : -1;
  }

  /** ATR of the last closed candle `i`; -1 when it is not defined (or no rule reads it). */
  atrAt(i: number): number {
    const value = i < 0 || i >= this.atr.length ? -1 : this.atr[i]!;
    return value >= 0 ? value : -1;
  }
}
