// The same indicators one closed candle at a time, for live bots and paper: what `SignalColumns` says of a
// whole series, said as it grows. A property test compares the two on every candle.
import { Atr } from "../../indicators/atr.ts";
import { Bollinger } from "../../indicators/bollinger.ts";
import { Macd } from "../../indicators/macd.ts";
import { createMovingAverage } from "../../indicators/moving-average.ts";
import { Rsi } from "../../indicators/rsi.ts";
import { sourceOf } from "../../indicators/source.ts";
import { type Bin, BinAggregator } from "../../indicators/timeframe-bins.ts";
import type { Candle } from "../../model/candle.ts";
import { MINUTE_MS } from "../../model/time.ts";
import type { DcaAtrConfig } from "./config.ts";
import { usesAtr } from "./signal-columns.ts";
import {
  advanceLatch,
  evaluate,
  type Latch,
  noSignalValues,
  type SignalValues,
} from "./signal-flags.ts";

/** Bins of one interval and who is fed with them. */
type Listener = { readonly bins: BinAggregator; take(bin: Bin): void };

/** Indicators of one configuration on one market. Feed every closed candle exactly once, in order. */
export class SignalFeed {
  private readonly config: DcaAtrConfig;
  private readonly values: SignalValues = noSignalValues();
  private readonly latch: Latch = { long: false, short: false };
  private readonly listeners: Listener[] = [];
  private readonly trueRange: Atr | null;
  /** ATR of the last closed candle, -1 while not defined */
  atr = -1;

  constructor(config: DcaAtrConfig, timeframeMin: number) {
    this.config = config;
    this.trueRange = usesAtr(config) ? new Atr(config.exits.atr_period) : null;
    const on = (minutes: number, take: (bin: Bin) => void) => {
      const bins = new BinAggregator(timeframeMin * MINUTE_MS, minutes * MINUTE_MS);
      this.listeners.push({ bins, take });
    };
    const { trend, bbands, macd, rsi, general } = config;
    const { values } = this;
    if (trend.enabled) {
      const average = createMovingAverage(trend.ma_type, trend.ma_len);
      on(trend.ma_interval_min, (bin) => {
        values.trend = average.push(bin.close);
      });
    }
    const bands = new Bollinger(bbands.length, bbands.dev_up, bbands.dev_down, bbands.ma_type);
    on(bbands.interval_min, (bin) => {
      bands.push(bin.close);
      values.middle = bands.middle;
      values.upper = bands.upper;
      values.lower = bands.lower;
      values.binHigh = bin.high;
      values.binLow = bin.low;
    });
    const lines = new Macd(macd.fast, macd.slow, macd.signal);
    on(macd.interval_min, (bin) => {
      values.histogram = lines.push(bin.close);
      values.histogramClose = bin.close;
    });
    const strength = new Rsi(rsi.length);
    on(rsi.interval_min, (bin) => {
      values.rsi = strength.push(bin.close);
    });
    if (general.use_ma_direction) {
      const average = createMovingAverage(general.ma_type, general.ma_length);
      on(general.ma_interval_min || timeframeMin, (bin) => {
        const { open, high, low, close } = bin;
        values.gate = average.push(sourceOf(general.ma_source, open, high, low, close));
      });
    }
  }

  /** Takes a closed candle and returns the signal flags of its close. */
  push(candle: Candle): number {
    const { openAt, open, high, low, close } = candle;
    for (const { bins, take } of this.listeners) {
      const completed = bins.push(openAt, open, high, low, close);
      for (let k = 0; k < completed; k++) take(bins.completed(k));
    }
    if (this.trueRange) {
      const value = this.trueRange.push(high, low, close);
      this.atr = value >= 0 ? value : -1;
    }
    advanceLatch(this.config, this.values, close, this.latch);
    return evaluate(this.config, this.values, close, this.latch);
  }
}
