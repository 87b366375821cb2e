// Equity samples reduced to drawdown figures and daily returns while a backtest runs (rules
// E57-E59). Called by the engine once per bar, so it allocates nothing per sample; the curve itself
// is kept only by a caller that hands the room for it.
import { assert } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";

/** What the samples come to; relative figures are fractions, durations ms. */
export type EquityResult = {
  /** Samples marked, without the initial balance. */
  readonly samples: number;
  readonly finalEquity: number;
  readonly maxDrawdownAbs: number;
  readonly maxDrawdown: number;
  readonly drawdownDurationMs: number;
  /** Null when the deepest relative drawdown was not made good, or there was none. */
  readonly drawdownRecoveryMs: number | null;
  readonly ulcerIndex: number;
  readonly dailyReturns: readonly number[];
};

/**
 * Takes equity samples in time order. Equal consecutive samples are one run, whichever way they
 * arrive, so `markRun` gives exactly the bits that as many `mark` calls give.
 */
export class EquityTracker {
  private samples = 0;
  private level: number;
  private levelCount = 1;
  private lastAt: EpochMs;
  private drawdown = 0;
  private squares = 0;
  private peak: number;
  private peakAt: EpochMs = 0;
  private underwater = false;
  private longestMs = 0;
  private deepestAbs = 0;
  private deepest = 0;
  private deepestAt: EpochMs = 0;
  private deepestOpen = false;
  private recoveryMs: number | null = null;
  private dayBase: number;
  private readonly returns: number[] = [];
  private readonly curve: Float64Array | null;

  /**
   * The initial balance is the first sample of the drawdown figures, stamped with the first open
   * (E57).
   * @param curve filled with the samples as they come; as long as there can be samples
   */
  constructor(initialBalance: number, firstOpenAt: EpochMs, curve: Float64Array | null = null) {
    assert(initialBalance > 0, `initial balance ${initialBalance} must be above 0`);
    this.level = initialBalance;
    this.peak = initialBalance;
    this.dayBase = initialBalance;
    this.lastAt = firstOpenAt;
    this.curve = curve;
  }

  /** Takes the sample of one bar, stamped with its close. */
  mark(equity: number, closeAt: EpochMs): void {
    if (equity === this.level) this.levelCount += 1;
    else this.changeLevel(equity, closeAt);
    if (this.curve) this.curve[this.samples] = equity;
    this.samples += 1;
    this.lastAt = closeAt;
  }

  /** Takes `count` (1 or more) equal samples of consecutive bars at once. */
  markRun(equity: number, count: number, firstCloseAt: EpochMs, lastCloseAt: EpochMs): void {
    if (equity === this.level) this.levelCount += count;
    else {
      this.changeLevel(equity, firstCloseAt);
      this.levelCount = count;
    }
    this.curve?.fill(equity, this.samples, this.samples + count);
    this.samples += count;
    this.lastAt = lastCloseAt;
  }

  /**
   * Ends a UTC day that has samples; call it after the day's last one (E58).
   * A day that starts from no capital has no return.
   */
  endDay(equity: number): void {
    if (this.dayBase > 0) this.returns.push(equity / this.dayBase - 1);
    this.dayBase = equity;
  }

  /** The figures up to the last sample; reading them changes nothing. */
  result(): EquityResult {
    const squares = this.squares + this.levelCount * this.drawdown * this.drawdown;
    const runningMs = this.underwater ? this.lastAt - this.peakAt : 0;
    return {
      samples: this.samples,
      finalEquity: this.level,
      maxDrawdownAbs: this.deepestAbs,
      maxDrawdown: this.deepest,
      drawdownDurationMs: Math.max(this.longestMs, runningMs),
      drawdownRecoveryMs: this.recoveryMs,
      ulcerIndex: Math.sqrt(squares / (this.samples + 1)),
      dailyReturns: this.returns.slice(),
    };
  }

  /**
   * Closes the run of equal samples and starts the next; `lastAt` is still the last one's stamp.
   */
  private changeLevel(equity: number, at: EpochMs): void {
    const drawdown = this.drawdown;
    this.squares += this.levelCount * drawdown * drawdown;
    this.level = equity;
    this.levelCount = 1;
    if (equity >= this.peak) {
      if (this.underwater) this.surface(at);
      this.peak = equity;
      this.drawdown = 0;
      return;
    }
    if (!this.underwater) {
      this.underwater = true;
      this.peakAt = this.lastAt;
    }
    const lost = this.peak - equity;
    const ratio = lost / this.peak;
    this.drawdown = ratio;
    if (lost > this.deepestAbs) this.deepestAbs = lost;
    if (ratio > this.deepest) this.deepen(ratio, at);
  }

  private deepen(ratio: number, at: EpochMs): void {
    this.deepest = ratio;
    this.deepestAt = at;
    this.deepestOpen = true;
    this.recoveryMs = null;
  }

  private surface(at: EpochMs): void {
    this.underwater = false;
    this.longestMs = Math.max(this.longestMs, at - this.peakAt);
    if (!this.deepestOpen) return;
    this.deepestOpen = false;
    this.recoveryMs = at - this.deepestAt;
  }
}
