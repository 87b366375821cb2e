// "Why no entry here?": what the indicators said at one candle close and what was decided, rebuilt from the
// columns of a run that recorded its decisions. Used by the command line and the run page.
import type { BacktestRun } from "../../engine/backtest.ts";
import { firstAtOrAfter } from "../../model/candle.ts";
import { InputError } from "../../model/result.ts";
import { type EpochMs, isoUtc } from "../../model/time.ts";
import * as flag from "../../strategy/dca-atr/signal-flags.ts";
import { DECISIONS, type Decision } from "../../strategy/dca-atr/state.ts";

/** What one direction saw; `signal` is the consensus, or the Bollinger vote when consensus is off. */
export type SideRecord = {
  readonly bollinger: boolean;
  readonly macd: boolean;
  readonly rsi: boolean;
  readonly trend: boolean;
  readonly signal: boolean;
  readonly gate: boolean;
};

/** One candle close; indicator values are null while they are not defined. */
export type DecisionRecord = {
  readonly openAt: EpochMs;
  readonly close: number;
  readonly decision: Decision;
  readonly ready: boolean;
  readonly long: SideRecord;
  readonly short: SideRecord;
  readonly values: Readonly<Record<string, number | null>>;
};

function side(flags: number, bits: Record<keyof SideRecord, number>): SideRecord {
  const has = (bit: number) => (flags & bit) !== 0;
  return {
    bollinger: has(bits.bollinger),
    macd: has(bits.macd),
    rsi: has(bits.rsi),
    trend: has(bits.trend),
    signal: has(bits.signal),
    gate: has(bits.gate),
  };
}

const LONG = {
  bollinger: flag.VOTE_BB_LONG,
  macd: flag.VOTE_MACD_LONG,
  rsi: flag.VOTE_RSI_LONG,
  trend: flag.TREND_LONG,
  signal: flag.SIGNAL_LONG,
  gate: flag.GATE_LONG,
};

const SHORT = {
  bollinger: flag.VOTE_BB_SHORT,
  macd: flag.VOTE_MACD_SHORT,
  rsi: flag.VOTE_RSI_SHORT,
  trend: flag.TREND_SHORT,
  signal: flag.SIGNAL_SHORT,
  gate: flag.GATE_SHORT,
};

/**
 * The record of the candle that was open at an instant.
 * @throws InputError when the run recorded no decisions or the instant lies outside its window
 */
export function decisionRecord(run: BacktestRun, at: EpochMs): DecisionRecord {
  const { prepared, decisions, candles: window } = run;
  if (!decisions) throw new InputError("explain: this run recorded no decisions");
  if (at < window.from || at >= window.to) {
    const range = `${isoUtc(window.from)} to ${isoUtc(window.to)}`;
    throw new InputError(`explain: ${isoUtc(at)} lies outside the window ${range}`);
  }
  const { candles, columns, first } = prepared;
  const i = Math.max(first, firstAtOrAfter(candles.openAt, at + 1) - 1);
  const flags = columns.flagsAt(i);
  const seen = columns.valuesAt(i);
  const shown = (value: number) => (Number.isFinite(value) ? value : null);
  return {
    openAt: candles.openAt[i]!,
    close: candles.close[i]!,
    decision: DECISIONS[decisions[i - first]!] ?? "none",
    ready: (flags & flag.READY) !== 0,
    long: side(flags, LONG),
    short: side(flags, SHORT),
    values: {
      trend_average: shown(seen.trend),
      bollinger_lower: shown(seen.lower),
      bollinger_middle: shown(seen.middle),
      bollinger_upper: shown(seen.upper),
      macd_histogram: shown(seen.histogram),
      rsi: shown(seen.rsi),
      gate_average: shown(seen.gate),
      atr: columns.atrAt(i) < 0 ? null : columns.atrAt(i),
    },
  };
}
