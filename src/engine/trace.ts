// What a run leaves behind for charts: the equity of every traded candle and, as steps, the price levels
// of its position. Written by the backtest loop when it is asked to; it decides nothing.
import { type Grid, gridValue } from "../model/instrument.ts";
import type { TargetOrder } from "../model/order.ts";
import type { DcaAtrState } from "../strategy/dca-atr/state.ts";
import { NONE, RUNG, STOP, TAKE_PROFIT } from "../strategy/dca-atr/state.ts";
import type { EngineState } from "./state.ts";

/**
 * Levels as they stand from the close of candle `candle[k]` (an index into the prepared candles) to
 * the next step; ascending. Prices in quote units, -1 while there is no such order or no position.
 */
export type LevelSteps = {
  readonly count: number;
  readonly candle: Int32Array;
  readonly average: Float64Array;
  readonly nextDca: Float64Array;
  readonly takeProfit: Float64Array;
  readonly stop: Float64Array;
};

/** `equity[k]` is the sample of traded candle `k`; there are as many as candles were traded. */
export type BacktestTrace = { readonly equity: Float64Array; readonly levels: LevelSteps };

/** Steps that fit before the columns grow for the first time. */
const STEPS_AT_FIRST = 256;

function grown<Column extends Int32Array | Float64Array>(column: Column, into: Column): Column {
  into.set(column);
  return into;
}

/** Takes the levels after each handled candle and keeps those that differ from the ones before. */
export class LevelTrace {
  private readonly prices: Grid;
  private count = 0;
  private candle = new Int32Array(STEPS_AT_FIRST);
  private average = new Float64Array(STEPS_AT_FIRST);
  private nextDca = new Float64Array(STEPS_AT_FIRST);
  private takeProfit = new Float64Array(STEPS_AT_FIRST);
  private stop = new Float64Array(STEPS_AT_FIRST);
  private lastAverage = NONE;
  private lastRung: TargetOrder | null = null;
  private lastProfit: TargetOrder | null = null;
  private lastStop: TargetOrder | null = null;

  constructor(prices: Grid) {
    this.prices = prices;
  }

  /** Notes the levels at the close of a candle; candles come in ascending order. */
  note(candle: number, state: EngineState<DcaAtrState>): void {
    const { targets } = state.book;
    const average = state.position.sign === 0 ? NONE : state.position.average;
    // Without a position the strategy wants none of these.
    const rung = targets[RUNG] ?? null;
    const profit = targets[TAKE_PROFIT] ?? null;
    const stop = targets[STOP] ?? null;
    // Targets are values: the same object is the same level.
    if (average === this.lastAverage && rung === this.lastRung) {
      if (profit === this.lastProfit && stop === this.lastStop) return;
    }
    this.lastAverage = average;
    this.lastRung = rung;
    this.lastProfit = profit;
    this.lastStop = stop;
    this.push(candle, average, this.priceOf(rung), this.priceOf(profit), this.priceOf(stop));
  }

  private priceOf(order: TargetOrder | null): number {
    return order ? gridValue(this.prices, order.priceTicks) : NONE;
  }

  private push(
    candle: number,
    average: number,
    nextDca: number,
    takeProfit: number,
    stop: number,
  ): void {
    const last = this.count - 1;
    const isSame =
      last >= 0 &&
      average === this.average[last] &&
      nextDca === this.nextDca[last] &&
      takeProfit === this.takeProfit[last] &&
      stop === this.stop[last];
    if (isSame) return;
    if (this.count === this.candle.length) this.grow();
    const k = this.count;
    this.candle[k] = candle;
    this.average[k] = average;
    this.nextDca[k] = nextDca;
    this.takeProfit[k] = takeProfit;
    this.stop[k] = stop;
    this.count = k + 1;
  }

  private grow(): void {
    const room = this.count * 2;
    this.candle = grown(this.candle, new Int32Array(room));
    this.average = grown(this.average, new Float64Array(room));
    this.nextDca = grown(this.nextDca, new Float64Array(room));
    this.takeProfit = grown(this.takeProfit, new Float64Array(room));
    this.stop = grown(this.stop, new Float64Array(room));
  }

  /** Everything noted so far, cut to size. */
  steps(): LevelSteps {
    const { count } = this;
    return {
      count,
      candle: this.candle.slice(0, count),
      average: this.average.slice(0, count),
      nextDca: this.nextDca.slice(0, count),
      takeProfit: this.takeProfit.slice(0, count),
      stop: this.stop.slice(0, count),
    };
  }
}
