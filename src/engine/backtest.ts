// The backtest: candles to events to step to simulator, one synchronous loop. Quiet stretches are skipped
// through the wake sources; with `wake: false` every candle is walked, to the same last bit.
import { EquityTracker } from "../analytics/equity.ts";
import type { CandleSeries } from "../model/candle.ts";
import { gridValue } from "../model/instrument.ts";
import { unrealised } from "../model/position.ts";
import { DAY_MS, type EpochMs, MINUTE_MS, utcDayStart } from "../model/time.ts";
import { createDcaAtr, type DcaAtr } from "../strategy/dca-atr/dca-atr.ts";
import { stopTicksAfter } from "../strategy/dca-atr/exits.ts";
import { type DcaAtrState, ENTRY } from "../strategy/dca-atr/state.ts";
import {
  askWake,
  type DcaAtrWake,
  dcaAtrWake,
  type Wake,
  type WakeInput,
} from "../strategy/dca-atr/wake.ts";
import type { CandleClosed } from "../strategy/strategy.ts";
import { foldExcursions, notePathPrice } from "./accounting.ts";
import { candleFrom } from "./candle-search.ts";
import type { PreparedBacktest } from "./prepare.ts";
import { Recorder } from "./recorder.ts";
import { Simulator } from "./simulator.ts";
import { type EngineState, initialState } from "./state.ts";
import { type BacktestTrace, LevelTrace } from "./trace.ts";
import { FundingCursor, wakeAtLiquidation } from "./wake.ts";

/** How to run; none of it changes a result. */
export type BacktestOptions = {
  /** false walks every candle (the reference); default true */
  readonly wake?: boolean;
  /** wake sources to leave out, for tests that prove each one matters */
  readonly without?: ReadonlySet<string>;
  /** records the decision of every traded candle; implies walking every candle */
  readonly decisions?: boolean;
  /** keeps the equity of every traded candle and the steps of its levels; skipping goes on */
  readonly trace?: boolean;
  /** called about once per 2^16 handled candles with the share done; false stops the run */
  readonly onProgress?: (share: number) => boolean;
};

/** A finished run: engine state, lists and counts. `handled` of `candles` were looked at one by one. */
export type BacktestRun = {
  readonly prepared: PreparedBacktest;
  readonly state: EngineState<DcaAtrState>;
  readonly recorder: Recorder;
  readonly equity: EquityTracker;
  readonly candles: { readonly count: number; readonly from: EpochMs; readonly to: EpochMs };
  readonly handled: number;
  readonly equityEnd: number;
  readonly unrealised: number;
  readonly decisions: Uint8Array | null;
  readonly trace: BacktestTrace | null;
  readonly isStopped: boolean;
};

/** Candles between two calls of onProgress, as a mask. */
const PROGRESS_MASK = 0xffff;

class BacktestLoop {
  private readonly prepared: PreparedBacktest;
  private readonly candles: CandleSeries;
  private readonly strategy: DcaAtr;
  private readonly state: EngineState<DcaAtrState>;
  private readonly sim: Simulator<DcaAtrState>;
  private readonly recorder = new Recorder();
  private readonly equity: EquityTracker;
  private readonly funding: FundingCursor;
  private readonly options: BacktestOptions;
  private readonly sources: DcaAtrWake;
  private readonly wakeInput: WakeInput;
  private readonly found: Wake = { candle: 0, below: 0, above: 0 };
  private readonly wakes: boolean;
  private readonly watchesLiquidation: boolean;
  private readonly watchesFunding: boolean;
  private readonly timeframeMs: number;
  private readonly contractSize: number;
  private readonly fillsAtClose: boolean;
  private readonly readsSignalsInPosition: boolean;
  private readonly decisions: Uint8Array | null;
  private readonly curve: Float64Array | null;
  private readonly levels: LevelTrace | null;
  private readonly closed: CandleClosed = {
    kind: "candle_closed",
    at: 0,
    openAt: 0,
    close: 0,
    reachedHigh: 0,
    reachedLow: 0,
    signals: 0,
    atr: -1,
    mayEnter: true,
  };
  private dayEndAt: EpochMs;
  private lastEquity: number;
  private handled = 0;

  constructor(prepared: PreparedBacktest, options: BacktestOptions) {
    const { request, candles, columns, bits, first } = prepared;
    const { run, config, instrument } = request;
    this.prepared = prepared;
    this.candles = candles;
    this.options = options;
    this.timeframeMs = run.timeframeMin * MINUTE_MS;
    this.contractSize = instrument.contractSize;
    this.strategy = createDcaAtr(config, instrument);
    const { context } = this.strategy;
    this.state = initialState(this.strategy, run.initialBalance);
    const contract = { lots: context.lots, contractSize: instrument.contractSize };
    this.sim = new Simulator(
      { strategy: this.strategy, contract },
      this.state,
      candles,
      {
        timeframeMs: this.timeframeMs,
        isPessimistic: run.fillModel === "pessimistic",
        touchFills: run.touchFills,
        makerFee: run.makerFee,
        takerFee: run.takerFee,
        slippageRatio: run.slippageBps / 10_000,
        leverage: run.leverage,
        maintenanceRate: run.maintenanceMarginRate,
      },
      context,
      this.recorder,
    );
    this.curve = options.trace ? new Float64Array(candles.length - first) : null;
    this.levels = options.trace ? new LevelTrace(context.prices) : null;
    this.equity = new EquityTracker(run.initialBalance, candles.openAt[first]!, this.curve);
    this.funding = new FundingCursor(request.funding);
    this.lastEquity = run.initialBalance;
    this.dayEndAt = utcDayStart(candles.openAt[first]! + this.timeframeMs - 1) + DAY_MS;
    this.fillsAtClose = run.entryFill === "close";
    this.readsSignalsInPosition = config.exits.on_opposite_signal === "close";
    this.decisions = options.decisions ? new Uint8Array(candles.length - first) : null;
    this.wakes = options.wake !== false && !options.decisions;
    const without = options.without ?? new Set<string>();
    this.sources = dcaAtrWake(without);
    this.watchesFunding = !without.has("funding");
    this.watchesLiquidation = !without.has("liquidation");
    this.wakeInput = {
      context,
      columns,
      bits,
      timeframeMs: this.timeframeMs,
      state: this.state.strategy,
      position: this.state.position,
      targets: this.state.book.targets,
      from: 0,
      to: candles.length,
      candleAt: (at) => this.candleAt(at),
      priceOf: (order) => gridValue(context.prices, order.priceTicks),
    };
  }

  /** First candle at or after the present one with an open time at or after the instant. */
  private candleAt(at: EpochMs): number {
    return candleFrom(this.candles.openAt, this.wakeInput.from, at, this.timeframeMs);
  }

  run(): BacktestRun {
    const end = this.candles.length;
    let i = this.prepared.first;
    let stopped = false;
    while (i < end && !stopped) {
      if (this.wakes) {
        i = this.skip(i);
        if (i >= end) break;
      }
      this.handle(i);
      i += 1;
      if (this.sim.isRuined) break;
      if ((this.handled & PROGRESS_MASK) === 0) stopped = !this.reportProgress(i);
    }
    return this.finish(i, stopped);
  }

  private reportProgress(i: number): boolean {
    return this.options.onProgress?.(i / this.candles.length) ?? true;
  }

  /** Skips candles in which nothing can happen and returns the next one to handle. */
  private skip(from: number): number {
    const { wakeInput, found, state, sim } = this;
    wakeInput.from = from;
    askWake(this.sources, wakeInput, found);
    if (found.candle <= from) return from;
    if (state.position.sign === 0 && state.strategy.pendingSign === 0) {
      this.skipFlat(from, found.candle);
      return found.candle;
    }
    if (state.position.sign !== 0) {
      if (this.watchesFunding) {
        const due = this.funding.after(this.candles.openAt[from]!);
        if (due < Number.POSITIVE_INFINITY) {
          const candle = this.candleAt(due - this.timeframeMs + 1);
          if (candle < found.candle) found.candle = candle;
        }
      }
      if (this.watchesLiquidation) {
        wakeAtLiquidation(state.position.sign, sim.scene.liquidation, found);
      }
    }
    const next = this.skipQuiet(from, found.candle, found.below, found.above);
    if (next > from) sim.goLiveQuietly(this.candles.openAt[next - 1]!);
    return next;
  }

  /** Equal samples while flat, a run per UTC day. */
  private skipFlat(from: number, to: number): void {
    const { openAt } = this.candles;
    const { balance } = this.state;
    let i = from;
    while (i < to) {
      const closeAt = openAt[i]! + this.timeframeMs;
      if (closeAt > this.dayEndAt) this.turnDay(closeAt);
      this.wakeInput.from = i;
      const dayEnd = this.candleAt(this.dayEndAt - this.timeframeMs + 1);
      const next = Math.min(to, Math.max(dayEnd, i + 1));
      this.equity.markRun(balance, next - i, closeAt, openAt[next - 1]! + this.timeframeMs);
      this.lastEquity = balance;
      i = next;
    }
  }

  /** Samples candle by candle until one leaves (below, above); returns it. */
  private skipQuiet(from: number, to: number, below: number, above: number): number {
    const { openAt, high, low, close } = this.candles;
    const { position, cycle, balance } = this.state;
    const { equity, timeframeMs } = this;
    const units = position.sign * position.qty * this.contractSize;
    const average = position.average;
    let pathLow = cycle.pathLow;
    let pathHigh = cycle.pathHigh;
    let sample = this.lastEquity;
    let i = from;
    for (; i < to; i++) {
      const lowest = low[i]!;
      const highest = high[i]!;
      if (lowest <= below || highest >= above) break;
      if (lowest < pathLow) pathLow = lowest;
      if (highest > pathHigh) pathHigh = highest;
      const closeAt = openAt[i]! + timeframeMs;
      if (closeAt > this.dayEndAt) {
        this.lastEquity = sample;
        this.turnDay(closeAt);
      }
      sample = balance + units * (close[i]! - average);
      equity.mark(sample, closeAt);
    }
    this.lastEquity = sample;
    if (position.sign !== 0) {
      cycle.pathLow = pathLow;
      cycle.pathHigh = pathHigh;
      this.recorder.exposedCandles += i - from;
    }
    return i;
  }

  /** Ends the UTC day of the last sample (rule E58). */
  private turnDay(closeAt: EpochMs): void {
    this.equity.endDay(this.lastEquity);
    this.dayEndAt = utcDayStart(closeAt - 1) + DAY_MS;
  }

  /** One candle: path, close event, fills at the close, sample. */
  private handle(i: number): void {
    const { candles, sim, state, closed } = this;
    const columns = this.prepared.columns;
    const openAt = candles.openAt[i]!;
    const closeAt = openAt + this.timeframeMs;
    this.handled += 1;
    const funding = this.funding.take(openAt, closeAt);
    if (this.wakes && this.isQuiet(i, funding)) this.passQuietly(i);
    else sim.walk(i, funding, columns.atrAt(i - 1));
    if (!sim.isRuined) {
      const flat = state.position.sign === 0;
      closed.at = closeAt;
      closed.openAt = openAt;
      closed.close = candles.close[i]!;
      closed.reachedHigh = sim.reachedHigh;
      closed.reachedLow = sim.reachedLow;
      closed.signals = flat || this.readsSignalsInPosition ? columns.flagsAt(i) : 0;
      closed.atr = columns.atrAt(i);
      closed.mayEnter = i < candles.length - 1;
      sim.dispatch(closed);
      if (this.decisions) {
        this.decisions[i - this.prepared.first] = state.strategy.decision;
      }
      if (this.fillsAtClose && sim.orders[ENTRY]) sim.fillAtClose(i, ENTRY, closed.atr);
    }
    if (closeAt > this.dayEndAt) this.turnDay(closeAt);
    const open = unrealised(state.position, candles.close[i]!, this.contractSize);
    this.lastEquity = state.balance + open;
    this.equity.mark(this.lastEquity, closeAt);
    if (this.levels) this.levels.note(i, state);
  }

  /** Whether nothing at all can happen on this candle's path. */
  private isQuiet(i: number, funding: number | null): boolean {
    const { sim, state } = this;
    const low = this.candles.low[i]!;
    const high = this.candles.high[i]!;
    const sign = state.position.sign;
    if (sign !== 0) {
      if (funding !== null) return false;
      const { liquidation } = sim.scene;
      if (liquidation > 0 && (sign > 0 ? low <= liquidation : high >= liquidation)) return false;
    }
    const openAt = this.candles.openAt[i]!;
    const { orders } = sim;
    for (let slot = 0; slot < orders.length; slot++) {
      const order = orders[slot];
      if (!order || (!order.live && order.target.liveFrom > openAt)) continue;
      if (order.kind === "market" || order.crossing || order.target.bandPct > 0) return false;
      if (order.falls ? low <= order.price : high >= order.price) return false;
    }
    if (!state.strategy.isTrailing) return true;
    const { context } = this.strategy;
    const best = sign > 0 ? high : low;
    const ticks = stopTicksAfter(context, state.strategy, sign, best);
    const stop = gridValue(context.prices, ticks);
    return sign > 0 ? low > stop : high < stop;
  }

  /** Books a quiet candle without walking it. */
  private passQuietly(i: number): void {
    const { sim, state } = this;
    const high = this.candles.high[i]!;
    const low = this.candles.low[i]!;
    const openAt = this.candles.openAt[i]!;
    sim.reachedHigh = high;
    sim.reachedLow = low;
    sim.goLiveQuietly(openAt);
    const sign = state.position.sign;
    if (sign === 0) return;
    this.recorder.exposedCandles += 1;
    notePathPrice(state.cycle, low);
    notePathPrice(state.cycle, high);
    if (!state.strategy.isTrailing) return;
    const price = sign > 0 ? high : low;
    if (sign * (price - state.strategy.trailPeak) > 0) {
      sim.dispatch({ kind: "price_ticked", at: openAt, price });
    }
  }

  private finish(end: number, isStopped: boolean): BacktestRun {
    const { candles, state, recorder, prepared } = this;
    const { first } = prepared;
    this.equity.endDay(this.lastEquity);
    const { position } = state;
    const open = unrealised(position, candles.close[end - 1]!, this.contractSize);
    if (position.sign !== 0) {
      // The path up to the end belongs to the excursions of the open cycle too.
      foldExcursions(state.cycle, position.average);
      recorder.stillOpen(state, open);
    }
    return {
      prepared,
      state,
      recorder,
      equity: this.equity,
      candles: {
        count: end - first,
        from: candles.openAt[first]!,
        to: candles.openAt[end - 1]! + this.timeframeMs,
      },
      handled: this.handled,
      equityEnd: state.balance + open,
      unrealised: open,
      decisions: this.decisions?.subarray(0, end - first) ?? null,
      trace: this.traced(end - first),
      isStopped,
    };
  }

  private traced(count: number): BacktestTrace | null {
    const { curve, levels } = this;
    return curve && levels ? { equity: curve.subarray(0, count), levels: levels.steps() } : null;
  }
}

/** Runs a prepared backtest; the same request gives the same result to the last bit. */
export function runBacktest(
  prepared: PreparedBacktest,
  options: BacktestOptions = {},
): BacktestRun {
  return new BacktestLoop(prepared, options).run();
}
