// A backtest told step by step, and the same steps told to a live bot: what the simulator fills, touches and refuses
// comes as news of orders, its path as prices. After every step both must wish for the same orders.
import type { LiveInput } from "../../src/engine/live-bot.ts";
import { type PreparedBacktest, prepareBacktest } from "../../src/engine/prepare.ts";
import { Recorder } from "../../src/engine/recorder.ts";
import type { SimSettings } from "../../src/engine/sim-fill.ts";
import { Simulator } from "../../src/engine/simulator.ts";
import { initialState } from "../../src/engine/state.ts";
import type { Candle, CandleSeries } from "../../src/model/candle.ts";
import type { Fill } from "../../src/model/fill.ts";
import type { TargetOrder } from "../../src/model/order.ts";
import { parseInstrument, parseRun } from "../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { createDcaAtr, type DcaAtr } from "../../src/strategy/dca-atr/dca-atr.ts";
import type { DcaAtrState } from "../../src/strategy/dca-atr/state.ts";
import { type CaseDocuments, columnsOf } from "./engine-case.ts";
import { ledgerOf, LiveWorld } from "./live-world.ts";

/** What the strategy wished for in a slot, as far as two ways to get there must agree. */
export type Wish = string | null;

/** One step of a backtest: what happened, and every wish after it. */
export type SimStep =
  | { readonly kind: "fill"; readonly at: number; readonly fill: Fill; readonly wishes: Wish[] }
  | { readonly kind: "refused"; readonly at: number; readonly slot: number }
  | { readonly kind: "touched"; readonly at: number; readonly slot: number }
  | { readonly kind: "candle"; readonly candle: Candle; readonly wishes: Wish[] };

/** A candle of the backtest with its path and its steps. */
export type SimCandle = {
  readonly corners: readonly { readonly at: number; readonly price: number }[];
  readonly mayEnter: boolean;
  /** realised balance before the close of the candle is told */
  readonly balance: number;
  readonly steps: readonly SimStep[];
};

/** A told backtest. */
export type SimStory = {
  readonly prepared: PreparedBacktest;
  readonly candles: readonly SimCandle[];
  readonly fills: number;
};

/** A wish in words. */
export function wishWords(target: TargetOrder | null): Wish {
  if (!target) return null;
  const { key, kind, side, priceTicks, qtyLots, reason, liveFrom } = target;
  return `${key} ${side} ${kind} ${priceTicks} x ${qtyLots} ${reason} ${liveFrom}`;
}

function candleOf(series: CandleSeries, i: number): Candle {
  return {
    openAt: series.openAt[i]!,
    open: series.open[i]!,
    high: series.high[i]!,
    low: series.low[i]!,
    close: series.close[i]!,
    volume: series.volume[i]!,
  };
}

/** Every closed candle of the history and the window up to an index. */
export function candlesUpTo(series: CandleSeries, end: number): Candle[] {
  return Array.from({ length: end }, (_, i) => candleOf(series, i));
}

/** The corners of a candle's path as the simulator walks it (rule E23). */
function cornersOf(candle: Candle, sign: number, isPessimistic: boolean, stepMs: number) {
  const { openAt, open, high, low, close } = candle;
  const isTie = Math.abs(high + low - 2 * open) <= 1e-9 * open;
  const adverse = sign >= 0 ? low : high;
  const nearer = high - open < open - low ? high : low;
  const first = isPessimistic || isTie ? adverse : nearer;
  const second = first === high ? low : high;
  return [open, first, second, close].map((price, n) => ({ at: openAt + (n * stepMs) / 4, price }));
}

/** The strategy of a case that writes down what it is told, and every wish after it. */
function spiedStrategy(prepared: PreparedBacktest, recorder: Recorder, told: SimStep[]): DcaAtr {
  const strategy = createDcaAtr(prepared.request.config, prepared.request.instrument);
  return {
    ...strategy,
    onEvent: (state, event, view, book) => {
      strategy.onEvent(state, event, view, book);
      const wishes = book.targets.map(wishWords);
      const { kind, at } = event;
      const fill = recorder.fills.at(-1);
      if (kind === "order_filled" && fill) told.push({ kind: "fill", at, fill, wishes });
      else if (kind === "order_refused") told.push({ kind: "refused", at, slot: event.slot });
      else if (kind === "order_touched") told.push({ kind: "touched", at, slot: event.slot });
    },
  };
}

function settingsOf({ request: { run } }: PreparedBacktest): SimSettings {
  return {
    timeframeMs: run.timeframeMin * 60_000,
    isPessimistic: run.fillModel === "pessimistic",
    touchFills: run.touchFills,
    makerFee: run.makerFee,
    takerFee: run.takerFee,
    slippageRatio: run.slippageBps / 10_000,
    leverage: run.leverage,
    maintenanceRate: run.maintenanceMarginRate,
  };
}

/** Runs a case through the simulator and writes down every step; null when it cannot be told. */
export function simStory(documents: CaseDocuments): SimStory | null {
  const run = parseRun(documents.run);
  if (run.entryFill === "close") return null;
  const config = parseConfig(documents.config);
  const instrument = parseInstrument(documents.instrument);
  const request = { candles: columnsOf(documents.candles), funding: null, config, instrument, run };
  const prepared = prepareBacktest(request);
  const { candles: series, columns, first } = prepared;
  const told: SimStep[] = [];
  const recorder = new Recorder();
  const strategy = spiedStrategy(prepared, recorder, told);
  const settings = settingsOf(prepared);
  const { timeframeMs } = settings;
  const state = initialState<DcaAtrState>(strategy, run.initialBalance);
  const contract = { lots: strategy.context.lots, contractSize: instrument.contractSize };
  const context = { strategy, contract };
  const sim = new Simulator(context, state, series, settings, strategy.context, recorder);
  const candles: SimCandle[] = [];
  for (let i = first; i < series.length; i++) {
    const candle = candleOf(series, i);
    const { openAt, close } = candle;
    const sign = state.position.sign || state.strategy.pendingSign;
    told.length = 0;
    sim.walk(i, null, columns.atrAt(i - 1));
    if (sim.isRuined) break;
    const { balance } = state;
    const mayEnter = i < series.length - 1;
    const { reachedHigh, reachedLow } = sim;
    sim.dispatch({
      ...{
        kind: "candle_closed",
        at: openAt + timeframeMs,
        openAt,
        close,
        reachedHigh,
        reachedLow,
      },
      ...{ signals: columns.flagsAt(i), atr: columns.atrAt(i), mayEnter },
    });
    const wishes = state.book.targets.map(wishWords);
    const corners = cornersOf(candle, sign, settings.isPessimistic, timeframeMs);
    candles.push({
      corners,
      mayEnter,
      balance,
      steps: [...told, { kind: "candle", candle, wishes }],
    });
  }
  return { prepared, candles, fills: recorder.fills.length };
}

/** A live bot that was fed the history before the window of a story. */
export function worldOf(
  story: SimStory,
  wrap?: ConstructorParameters<typeof LiveWorld>[1],
): LiveWorld {
  const { request, candles, first } = story.prepared;
  const { config, instrument, run } = request;
  const settings = { config, instrument, timeframeMin: run.timeframeMin };
  const world = new LiveWorld(settings, wrap);
  if (first > 0) world.tell({ kind: "history", candles: candlesUpTo(candles, first) });
  return world;
}

/** Tells one candle of a story to a live bot; the differences of wishes, a sentence each. */
export function tellCandle(world: LiveWorld, told: SimCandle, afterEach?: () => void): string[] {
  const found: string[] = [];
  const tell = (input: LiveInput) => {
    world.tell(input);
    afterEach?.();
  };
  const compare = (wishes: readonly Wish[], what: string) => {
    const own = world.bot.view().slots.map(({ wanted }) => wishWords(wanted));
    wishes.forEach((wish, slot) => {
      if (wish !== own[slot]) found.push(`${what}: wished ${wish}, live ${own[slot]}`);
    });
  };
  let corner = 0;
  const walkTo = (at: number) => {
    for (let next = told.corners[corner]; next && next.at < at; next = told.corners[corner]) {
      tell({ kind: "price", ...next });
      corner += 1;
    }
  };
  for (const step of told.steps) {
    if (step.kind === "candle") {
      walkTo(Number.POSITIVE_INFINITY);
      tell(ledgerOf(told.balance));
      world.tell({
        kind: "candle",
        candle: step.candle,
        mayEnter: told.mayEnter,
        isGapKnown: true,
      });
      afterEach?.();
      compare(step.wishes, `close ${step.candle.openAt}`);
      continue;
    }
    // The open is told before what happens at it, every other corner after what happens on the way.
    walkTo(step.at === told.corners[0]?.at ? step.at + 1 : step.at);
    const key = step.kind === "fill" ? keyOf(step.fill.reason, world) : keyAt(world, step.slot);
    if (step.kind === "touched") {
      const { priceTicks } = world.working(key).target;
      const price = priceTicks * world.settings.instrument.priceTick;
      tell({ kind: "price", at: step.at, price: Number(price.toPrecision(15)) });
    } else if (step.kind === "refused") {
      world.end(world.working(key), "refused", "INSUFFICIENT_MARGIN");
      afterEach?.();
    } else {
      tell({ kind: "price", at: step.at, price: step.fill.pathPrice });
      world.fillWhole(key, step.fill.price, step.at);
      afterEach?.();
      compare(step.wishes, `fill ${step.fill.reason} at ${step.at}`);
    }
  }
  return found;
}

function keyAt(world: LiveWorld, slot: number): string {
  const order = world.bot.view().slots[slot]?.working;
  if (!order) throw new Error(`nothing works in slot ${slot}`);
  return order.key;
}

/** The key of the order that was filled: a market exit carries the reason of what it stands for. */
function keyOf(reason: string, world: LiveWorld): string {
  const working = world.bot.view().slots.flatMap(({ working: order }) => (order ? [order] : []));
  const market = working.find(({ key, reason: own }) => key === "exit" && own === reason);
  const found = market ?? working.find((order) => order.reason === reason);
  if (!found) throw new Error(`nothing works under ${reason}`);
  return found.key;
}
