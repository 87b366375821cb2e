// Candles at whose close a first entry could be decided, as bit sets with next-set lookup: the wake source
// of the entry rule. Must agree with `SignalColumns.flagsAt` on every candle; a property test compares them.
import type { BinPlan } from "../../indicators/timeframe-bins.ts";
import { TOLERANCE } from "../../model/tolerance.ts";
import { LATCH_LONG, LATCH_SHORT, type SignalColumns } from "./signal-columns.ts";
import {
  macdVotes,
  rsiVotes,
  VOTE_MACD_LONG,
  VOTE_MACD_SHORT,
  VOTE_RSI_LONG,
  VOTE_RSI_SHORT,
} from "./signal-flags.ts";

/** A bit per candle. */
export type BitSet = Uint32Array;

/** First set bit at or after `from`, or `to` when there is none before `to`. */
export function nextSet(bits: BitSet, from: number, to: number): number {
  if (from >= to) return to;
  let word = from >>> 5;
  let value = bits[word]! & (-1 << (from & 31));
  const last = (to - 1) >>> 5;
  while (value === 0) {
    if (++word > last) return to;
    value = bits[word]!;
  }
  const index = (word << 5) + (31 - Math.clz32(value & -value));
  return index < to ? index : to;
}

/** What the close must satisfy within one span of unchanged bins; `low < close`, `close <= high`. */
type Bounds = { above: number; atMost: number; below: number; atLeast: number };

const NEVER = Number.POSITIVE_INFINITY;

/** Lowest and highest close that pass trend and gate, by the same expressions as isAbove and isBelow. */
function restrict(bounds: Bounds, value: number): void {
  const margin = TOLERANCE * Math.abs(value);
  if (!(value + margin <= bounds.above)) bounds.above = value + margin;
  if (!(value - margin >= bounds.below)) bounds.below = value - margin;
}

/** 0: no Bollinger vote can help, 1: it decides, 2: the other votes already decide. */
function bandRole(consensus: boolean, votes: number, macd: number, rsi: number): number {
  if (!consensus) return 1;
  return (votes & macd ? 1 : 0) + (votes & rsi ? 1 : 0);
}

/** Walks through the bins of one plan: which bin is visible from a candle on, and until which. */
class Span {
  readonly plan: BinPlan;
  bin = -1;

  constructor(plan: BinPlan) {
    this.plan = plan;
  }

  /** Moves to the bin visible at `from`; returns the candle at which the next one becomes visible. */
  advance(from: number): number {
    const { visibleAt, count, bars } = this.plan;
    let next = this.bin + 1;
    while (next < count && visibleAt[next]! <= from) next += 1;
    this.bin = next - 1;
    return next < count ? visibleAt[next]! : bars;
  }
}

/** Entry candidates of one configuration: ready, trend, signal and gate of a direction hold. */
export class EntryBits {
  readonly long: BitSet;
  readonly short: BitSet;
  private readonly columns: SignalColumns;
  private readonly spans: Span[] = [];
  private readonly bounds: Bounds = { above: 0, atMost: 0, below: 0, atLeast: 0 };

  /** Directions that are not allowed stay empty. */
  constructor(columns: SignalColumns) {
    this.columns = columns;
    const words = (columns.candles.length + 31) >>> 5;
    this.long = new Uint32Array(words);
    this.short = new Uint32Array(words);
    this.fill();
  }

  private fill(): void {
    const { columns, spans } = this;
    for (const plan of [
      columns.bandPlan,
      columns.macdPlan,
      columns.rsiPlan,
      columns.trendPlan,
      columns.gatePlan,
    ]) {
      if (plan && !spans.some((span) => span.plan === plan)) spans.push(new Span(plan));
    }
    const of = (plan: BinPlan | null) => spans.find((span) => span.plan === plan) ?? null;
    const band = of(columns.bandPlan);
    const macd = of(columns.macdPlan);
    const rsi = of(columns.rsiPlan);
    if (!band || !macd || !rsi) return;
    const trend = of(columns.trendPlan);
    const gate = of(columns.gatePlan);
    const end = columns.candles.length;
    let from = 0;
    while (from < end) {
      let to = end;
      for (let p = 0; p < spans.length; p++) {
        const next = spans[p]!.advance(from);
        if (next < to) to = next;
      }
      this.fillSpan(from, to, band.bin, macd.bin, rsi.bin, trend?.bin ?? -1, gate?.bin ?? -1);
      from = to;
    }
  }

  private fillSpan(
    from: number,
    to: number,
    k: number,
    m: number,
    r: number,
    t: number,
    g: number,
  ): void {
    const { columns, bounds } = this;
    const { config } = columns;
    if (k < 0 || m < 0 || r < 0) return;
    const histogram = columns.histogram[m]!;
    const rsi = columns.rsi[r]!;
    const votes = macdVotes(histogram, columns.histogramClose[m]!) | rsiVotes(config, rsi);
    const consensus = config.general.use_indicator_consensus;
    const { allow_long, allow_short } = config.general;
    const long = allow_long ? bandRole(consensus, votes, VOTE_MACD_LONG, VOTE_RSI_LONG) : 0;
    const short = allow_short ? bandRole(consensus, votes, VOTE_MACD_SHORT, VOTE_RSI_SHORT) : 0;
    if (long === 0 && short === 0) return;
    if (Number.isNaN(columns.bands.middle[k]! + histogram + rsi)) return;
    bounds.above = -NEVER;
    bounds.below = NEVER;
    if (!this.restrictBy(columns.trend, t) || !this.restrictBy(columns.gate, g)) return;
    const fcc = config.bbands.require_fcc;
    const lower = columns.bands.lower[k]!;
    const upper = columns.bands.upper[k]!;
    bounds.atMost = lower + TOLERANCE * Math.abs(lower);
    bounds.atLeast = upper - TOLERANCE * Math.abs(upper);
    if (fcc) {
      bounds.atMost = columns.bandHigh![k]! <= bounds.atMost ? NEVER : -NEVER;
      bounds.atLeast = columns.bandLow![k]! >= bounds.atLeast ? -NEVER : NEVER;
    }
    if (long > 0) this.fillLong(from, to, long === 2);
    if (short > 0) this.fillShort(from, to, short === 2);
  }

  /** Narrows the bounds by an average in use; false while it is not defined. */
  private restrictBy(column: Float64Array | null, k: number): boolean {
    if (!column) return true;
    const value = k < 0 ? Number.NaN : column[k]!;
    if (Number.isNaN(value)) return false;
    restrict(this.bounds, value);
    return true;
  }

  private fillLong(from: number, to: number, decided: boolean): void {
    const { close } = this.columns.candles;
    const { latches } = this.columns;
    const above = this.bounds.above;
    const atMost = decided || latches ? NEVER : this.bounds.atMost;
    for (let i = from; i < to; i++) {
      const price = close[i]!;
      if (price > above && price <= atMost) {
        if (decided || !latches || (latches[i]! & LATCH_LONG) !== 0) {
          this.long[i >>> 5]! |= 1 << (i & 31);
        }
      }
    }
  }

  private fillShort(from: number, to: number, decided: boolean): void {
    const { close } = this.columns.candles;
    const { latches } = this.columns;
    const below = this.bounds.below;
    const atLeast = decided || latches ? -NEVER : this.bounds.atLeast;
    for (let i = from; i < to; i++) {
      const price = close[i]!;
      if (price < below && price >= atLeast) {
        if (decided || !latches || (latches[i]! & LATCH_SHORT) !== 0) {
          this.short[i >>> 5]! |= 1 << (i & 31);
        }
      }
    }
  }
}
