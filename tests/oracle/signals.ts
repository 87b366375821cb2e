// What a decision at the close of each bar can see (E6, E8): indicator values, the BB vote with
// its options (E20), votes, consensus, trend filter and MA gate (E21). Used by oracle.ts.

import { above, atLeast, atMost, below } from "./rounding.ts";
import {
  atr,
  average,
  type Bin,
  binsOf,
  type Column,
  lastClosedBin,
  macdHistogram,
  rsi,
  sigma,
} from "./series.ts";
import { type Config, gateInterval, type Settings } from "./settings.ts";
import type { Bar, Dir } from "./types.ts";

/** Everything known at the close of one base bar. */
export type Snapshot = {
  close: number;
  trend: number | null;
  bands: {
    middle: number;
    upper: number;
    lower: number;
    high: number;
    low: number;
  } | null;
  histogram: number | null;
  rsi: number | null;
  atr: number | null;
  gate: number | null;
  bbLong: boolean;
  bbShort: boolean;
};

/** One snapshot per fed bar, in order; latches run from the first bar on (E20). */
export function snapshotsOf(bars: Bar[], settings: Settings): Snapshot[] {
  const { config, run } = settings;
  const closes = bars.map((bar) => bar.t + settings.barMs);
  const onBase = (
    intervalMin: number,
    compute: (bins: Bin[]) => Column,
  ): Column => {
    const bins = binsOf(bars, intervalMin, run.timeframe_min);
    const column = compute(bins);
    return lastClosedBin(bins, closes).map((k) => column[k] ?? null);
  };
  const { trend, macd } = config;
  const trendMa = onBase(trend.ma_interval_min, (bins) =>
    trend.enabled
      ? average(
          trend.ma_type,
          bins.map((b) => b.c),
          trend.ma_len,
        )
      : [],
  );
  const histogram = onBase(macd.interval_min, (bins) =>
    macdHistogram(
      bins.map((b) => b.c),
      macd.fast,
      macd.slow,
      macd.signal,
    ),
  );
  const strength = onBase(config.rsi.interval_min, (bins) =>
    rsi(
      bins.map((b) => b.c),
      config.rsi.length,
    ),
  );
  const gate = onBase(gateInterval(config, run), (bins) =>
    config.general.use_ma_direction
      ? average(
          config.general.ma_type,
          sourceOf(bins, config),
          config.general.ma_length,
        )
      : [],
  );
  const range = atr(bars, config.exits.atr_period);
  const bands = bandsOf(bars, closes, settings);
  const snapshots = bars.map((bar, i) => ({
    close: bar.c,
    trend: trendMa[i] ?? null,
    bands: bands[i] ?? null,
    histogram: histogram[i] ?? null,
    rsi: strength[i] ?? null,
    atr: range[i] ?? null,
    gate: gate[i] ?? null,
    bbLong: false,
    bbShort: false,
  }));
  setBandVotes(snapshots, config);
  return snapshots;
}

function sourceOf(bins: Bin[], config: Config): number[] {
  return bins.map(({ o, h, l, c }) => {
    switch (config.general.ma_source) {
      case "open":
        return o;
      case "high":
        return h;
      case "low":
        return l;
      case "close":
        return c;
      case "hl2":
        return (h + l) / 2;
      case "hlc3":
        return (h + l + c) / 3;
      case "ohlc4":
        return (o + h + l + c) / 4;
    }
  });
}

function bandsOf(
  bars: Bar[],
  closes: number[],
  settings: Settings,
): Snapshot["bands"][] {
  const { bbands } = settings.config;
  const bins = binsOf(bars, bbands.interval_min, settings.run.timeframe_min);
  const prices = bins.map((b) => b.c);
  const middles = average(bbands.ma_type, prices, bbands.length);
  const sigmas = sigma(prices, bbands.length);
  return lastClosedBin(bins, closes).map((k) => {
    const bin = bins[k];
    const middle = middles[k] ?? null;
    const spread = sigmas[k] ?? null;
    if (bin === undefined || middle === null || spread === null) return null;
    return {
      middle,
      upper: middle + bbands.dev_up * spread,
      lower: middle - bbands.dev_down * spread,
      high: bin.h,
      low: bin.l,
    };
  });
}

// E20: plain vote, full candle cross, and the latch that a close beyond the middle clears.
function setBandVotes(snapshots: Snapshot[], config: Config): void {
  const { require_fcc, reset_middle } = config.bbands;
  let latchLong = false;
  let latchShort = false;
  for (const snapshot of snapshots) {
    const { bands, close } = snapshot;
    if (bands === null) continue;
    const long = atMost(require_fcc ? bands.high : close, bands.lower);
    const short = atLeast(require_fcc ? bands.low : close, bands.upper);
    latchLong = (latchLong || long) && !above(close, bands.middle);
    latchShort = (latchShort || short) && !below(close, bands.middle);
    snapshot.bbLong = reset_middle ? latchLong : long;
    snapshot.bbShort = reset_middle ? latchShort : short;
  }
}

/** Whether the indicators an entry needs are defined; ATR and gate are not among them (E14). */
export function isReady(snapshot: Snapshot, config: Config): boolean {
  return (
    (snapshot.trend !== null || !config.trend.enabled) &&
    snapshot.bands !== null &&
    snapshot.histogram !== null &&
    snapshot.rsi !== null
  );
}

/** Whether every indicator in use is defined, ATR and gate included (E11). */
export function isComplete(snapshot: Snapshot, config: Config): boolean {
  const gateReady = snapshot.gate !== null || !config.general.use_ma_direction;
  return isReady(snapshot, config) && snapshot.atr !== null && gateReady;
}

/** Strict trend filter on the base close (E8); always true when switched off (E61). */
export function trendHolds(
  snapshot: Snapshot,
  dir: Dir,
  config: Config,
): boolean {
  if (!config.trend.enabled) return true;
  if (snapshot.trend === null) return false;
  return dir === 1
    ? above(snapshot.close, snapshot.trend)
    : below(snapshot.close, snapshot.trend);
}

/** Consensus of at least two of three votes, or the BB vote alone when consensus is off. */
export function signalHolds(
  snapshot: Snapshot,
  dir: Dir,
  config: Config,
): boolean {
  const bb = dir === 1 ? snapshot.bbLong : snapshot.bbShort;
  if (!config.general.use_indicator_consensus) return bb;
  const { histogram, rsi: strength, close } = snapshot;
  const macd = histogram !== null && dir * histogram > 1e-9 * close; // E4
  const { buy_level, sell_level } = config.rsi;
  const extreme =
    strength !== null &&
    (dir === 1 ? atMost(strength, buy_level) : atLeast(strength, sell_level));
  return Number(bb) + Number(macd) + Number(extreme) >= 2;
}

/** MA gate; an undefined gate refuses (E14, E21). */
export function gateHolds(
  snapshot: Snapshot,
  dir: Dir,
  config: Config,
): boolean {
  if (!config.general.use_ma_direction) return true;
  if (snapshot.gate === null) return false;
  return dir === 1
    ? above(snapshot.close, snapshot.gate)
    : below(snapshot.close, snapshot.gate);
}
