// The simulated exchange of backtest and paper: walks a candle's price path, fills orders on the way and tells
// the step at once, so that orders born of a fill live on the rest of the path (rules E23 to E40). Never looks ahead.
import { activates, parks } from "../execution/activation.ts";
import type { CandleSeries } from "../model/candle.ts";
import type { Fill } from "../model/fill.ts";
import type { EpochMs } from "../model/time.ts";
import { liquidationPrice, marginAllows } from "../risk/margin.ts";
import { notePathPrice, writeOff } from "./accounting.ts";
import { type EngineEvent, type EngineFill, type EngineOutput, emptyOutput } from "./event.ts";
import { bestTrigger, LIQUIDATION, NO_TRIGGER, type Scene, type Trigger } from "./triggers.ts";
import { fillAt, type SimInstrument, type SimSettings } from "./sim-fill.ts";
import type { Recorder } from "./recorder.ts";
import { enterAt, isCrossed, isLimit, isMet, park, type SimOrder, simOrder } from "./sim-order.ts";
import type { EngineState } from "./state.ts";
import { type StepContext, step } from "./step.ts";

/** Whether both extremes are equally near to the open (rule E23). */
function isTie(open: number, high: number, low: number): boolean {
  return Math.abs(high + low - 2 * open) <= 1e-9 * open;
}

/** One instrument, one account, one bot. */
export class Simulator<S> {
  readonly orders: (SimOrder | null)[];
  readonly recorder: Recorder;
  /** orders and liquidation price as the path meets them */
  readonly scene: Scene;
  /** the run ended: liquidated or out of balance (rule E53) */
  isRuined = false;
  /** path extremes since the last expanding fill of this candle, for the close event */
  reachedHigh = 0;
  reachedLow = 0;
  private readonly context: StepContext<S>;
  private readonly state: EngineState<S>;
  private readonly candles: CandleSeries;
  private readonly settings: SimSettings;
  private readonly market: SimInstrument;
  private readonly contractSize: number;
  private readonly output: EngineOutput = emptyOutput();
  private readonly trigger: Trigger = { slot: -1, price: 0, isActivation: false };
  private readonly tick = { kind: "price_ticked" as const, at: 0, price: 0 };
  private openAt: EpochMs = 0;
  private at: EpochMs = 0;
  private pathPrice = 0;
  private atr = -1;
  /** orders placed now go live at once (inside a path) or at the next open (at a close) */
  private isOnPath = false;

  constructor(
    context: StepContext<S>,
    state: EngineState<S>,
    candles: CandleSeries,
    settings: SimSettings,
    market: SimInstrument,
    recorder: Recorder,
  ) {
    this.context = context;
    this.state = state;
    this.candles = candles;
    this.settings = settings;
    this.market = market;
    this.contractSize = market.instrument.contractSize;
    this.recorder = recorder;
    this.orders = state.working.map(() => null);
    const { touchFills } = settings;
    this.scene = {
      orders: this.orders,
      touchFills,
      liquidation: 0,
      liquidationFalls: true,
      isAtOpen: false,
    };
  }

  /** Sends an event through the step and carries out what it approved. */
  dispatch(event: EngineEvent): void {
    step(this.context, this.state, event, this.output);
    const { approved } = this.output;
    for (let n = 0; n < approved.length; n++) {
      const intent = approved[n]!;
      if (intent.op === "cancel") this.orders[intent.slot] = null;
      else this.accept(simOrder(intent.target, intent.slot, this.market.prices));
    }
  }

  private accept(order: SimOrder): void {
    this.orders[order.slot] = order;
    if (this.isOnPath && order.target.liveFrom === 0) this.goLive(order, this.pathPrice);
  }

  private goLive(order: SimOrder, price: number): void {
    order.live = true;
    if (order.bandPct > 0) {
      order.active = activates(order, price);
      if (!order.active) return;
    }
    enterAt(order, this.market.prices, price);
  }

  /** Marks orders waiting for this open as live without a look at the price: the candle is known to be quiet. */
  goLiveQuietly(openAt: EpochMs): void {
    for (const order of this.orders) {
      if (order && !order.live && order.target.liveFrom <= openAt) order.live = true;
    }
  }

  /** Walks candle `i`. @param funding rates stamped inside it @param atr of the candle before, -1 unknown */
  walk(i: number, fundingRate: number | null, atr: number): void {
    const { candles, state } = this;
    const open = candles.open[i]!;
    const high = candles.high[i]!;
    const low = candles.low[i]!;
    this.openAt = candles.openAt[i]!;
    this.at = this.openAt;
    this.atr = atr;
    this.reachedHigh = high;
    this.reachedLow = low;
    const sign = this.startSign();
    if (sign === 0) return;
    if (state.position.sign !== 0) this.recorder.exposedCandles += 1;
    this.isOnPath = true;
    this.walkPath(open, high, low, candles.close[i]!, sign, fundingRate);
    this.isOnPath = false;
  }

  /** Side whose adverse extreme decides a tie: the position, else the pending entry (rule E23). */
  private startSign(): number {
    if (this.state.position.sign !== 0) return this.state.position.sign;
    const side = this.context.strategy.pendingSide(this.state.strategy);
    return side === null ? 0 : side === "long" ? 1 : -1;
  }

  private walkPath(
    open: number,
    high: number,
    low: number,
    close: number,
    sign: number,
    fundingRate: number | null,
  ): void {
    const first = this.firstExtreme(open, high, low, sign);
    const second = first === high ? low : high;
    if (this.atOpen(open, fundingRate)) return;
    const quarter = this.settings.timeframeMs / 4;
    this.at = this.openAt + quarter;
    if (this.segment(open, first)) return;
    this.at = this.openAt + 2 * quarter;
    if (this.segment(first, second)) return;
    this.at = this.openAt + 3 * quarter;
    this.segment(second, close);
  }

  private firstExtreme(open: number, high: number, low: number, sign: number): number {
    if (this.settings.isPessimistic || isTie(open, high, low)) return sign > 0 ? low : high;
    return high - open < open - low ? high : low;
  }

  /** The open print (rule E24); true when the rest of the candle is to be ignored. */
  private atOpen(open: number, fundingRate: number | null): boolean {
    const { state } = this;
    this.pathPrice = open;
    if (state.position.sign !== 0) {
      this.noteMark(open);
      if (fundingRate !== null) this.payFunding(open, fundingRate);
    }
    for (const order of this.orders) {
      if (!order) continue;
      if (!order.live) {
        if (order.target.liveFrom <= this.openAt) this.goLive(order, open);
      } else this.refreshBand(order, open);
    }
    this.followPrice(open);
    this.scene.isAtOpen = true;
    const ended = this.serve(open, open);
    this.scene.isAtOpen = false;
    return ended;
  }

  private payFunding(open: number, rate: number): void {
    const { position } = this.state;
    const payment = -position.sign * position.qty * this.contractSize * open * rate;
    this.dispatch({ kind: "funding_paid", at: this.at, payment });
    this.updateLiquidation();
  }

  /** One straight piece of the path; true when the rest of the candle is to be ignored. */
  private segment(from: number, to: number): boolean {
    if (this.serve(from, to)) return true;
    this.pathPrice = to;
    if (this.state.position.sign !== 0) this.noteMark(to);
    for (const order of this.orders) if (order?.live) this.refreshBand(order, to);
    this.followPrice(to);
    // An order activated, or a stop rounded onto the price, right at this corner is served here.
    return this.serve(to, to);
  }

  /** Serves every order met between two prices, nearest first (rule E25). */
  private serve(from: number, to: number): boolean {
    let price = from;
    const { trigger } = this;
    for (;;) {
      bestTrigger(this.scene, price, to, trigger);
      // Whatever is met right here and does not fill has been touched before the path moves on.
      if (trigger.slot === NO_TRIGGER || trigger.price !== price) this.noteTouch(price);
      if (trigger.slot === NO_TRIGGER) break;
      price = trigger.price;
      this.pathPrice = price;
      if (trigger.isActivation) {
        const order = this.orders[trigger.slot]!;
        order!.active = true;
        enterAt(order!, this.market.prices, price);
        continue;
      }
      if (this.execute(trigger.slot, price)) return true;
    }
    return this.state.position.sign === 0 && !this.hasOrders();
  }

  private hasOrders(): boolean {
    for (const order of this.orders) if (order) return true;
    return false;
  }

  /** Moves a banded order between parked and active at an open or a corner (rule E40). */
  private refreshBand(order: SimOrder, price: number): void {
    if (order.bandPct <= 0) return;
    if (order.active) {
      if (parks(order, price) && !isCrossed(order, price)) park(order, this.market.prices);
    } else if (activates(order, price)) {
      order.active = true;
      enterAt(order, this.market.prices, price);
    }
  }

  private followPrice(price: number): void {
    if (!this.context.strategy.followsPrice(this.state.strategy)) return;
    this.tick.at = this.at;
    this.tick.price = price;
    this.dispatch(this.tick);
  }

  /** Reports the first time a live order is met without filling (rule E39). */
  private noteTouch(price: number): void {
    if (this.settings.touchFills) return;
    for (const order of this.orders) {
      if (!order?.live || !order.active || order.touched || !isLimit(order)) continue;
      if (!isMet(order, price)) continue;
      order.touched = true;
      this.dispatch({ kind: "order_touched", at: this.at, slot: order.slot });
    }
  }

  private noteMark(price: number): void {
    notePathPrice(this.state.cycle, price);
    if (price > this.reachedHigh) this.reachedHigh = price;
    if (price < this.reachedLow) this.reachedLow = price;
  }

  /** Market entries of mode `close` fill at the close of the deciding candle (rule E17). */
  fillAtClose(i: number, slot: number, atr: number): void {
    const order = this.orders[slot];
    if (order?.kind !== "market") return;
    this.openAt = this.candles.openAt[i]!;
    this.at = this.openAt + this.settings.timeframeMs;
    this.atr = atr;
    this.execute(slot, this.candles.close[i]!, true);
  }

  /** Fills (or refuses) the order of a slot at a path price; true when the rest of the candle is ignored. */
  private execute(slot: number, price: number, isAtClose = false): boolean {
    const order = slot === LIQUIDATION ? null : (this.orders[slot] ?? null);
    const { state, recorder } = this;
    const wasFlat = state.position.sign === 0;
    const place = {
      at: this.at,
      candleOpenAt: this.openAt,
      isAtOpen: this.scene.isAtOpen,
      cycle: wasFlat ? state.cycle.number + 1 : state.cycle.number,
    };
    const fill = fillAt(order, price, place, state.position, this.market, this.settings);
    const isExpanding = order !== null && !order.target.isReduceOnly;
    if (order) this.orders[slot] = null;
    if (isExpanding && !this.marginFits(fill)) {
      this.dispatch({ kind: "order_refused", at: this.at, slot, reason: "MARGIN" });
      return state.position.sign === 0;
    }
    const event: EngineFill = {
      kind: "order_filled",
      at: this.at,
      slot,
      fill,
      atr: this.atr,
      isAtClose,
    };
    if (isExpanding) {
      this.reachedHigh = price;
      this.reachedLow = price;
      if (wasFlat && !isAtClose) recorder.exposedCandles += 1;
    }
    recorder.fill(fill, this.contractSize);
    this.dispatch(event);
    this.updateLiquidation();
    if (isExpanding) {
      recorder.expansion(state.cycle, fill, this.contractSize);
      return false;
    }
    recorder.closed(state.cycle, fill);
    if (slot === LIQUIDATION || state.balance <= 0) {
      writeOff(state);
      this.isRuined = true;
      recorder.isLiquidated = true;
    }
    return true;
  }

  private marginFits(fill: Fill): boolean {
    const { position, balance } = this.state;
    const { leverage } = this.settings;
    return marginAllows(
      position,
      balance,
      fill.price,
      fill.qty,
      fill.fee,
      this.contractSize,
      leverage,
    );
  }

  private updateLiquidation(): void {
    const { position, balance } = this.state;
    this.scene.liquidationFalls = position.sign > 0;
    this.scene.liquidation = liquidationPrice(
      position,
      balance,
      this.contractSize,
      this.settings.maintenanceRate,
    );
  }
}
