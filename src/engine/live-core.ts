// The state of a live bot between inputs and the one way an event reaches the step: what was approved becomes commands,
// and every working order keeps the intent it became. Used by the parts of live-bot.ts only.
import { type Grid, gridOf } from "../model/instrument.ts";
import type { ApprovedIntent, OrderIntent } from "../model/order.ts";
import { assert } from "../model/result.ts";
import { type EpochMs, MINUTE_MS } from "../model/time.ts";
import { approve, type DeniedIntent } from "../risk/pre-trade.ts";
import { type EngineEvent, type EngineOutput, emptyOutput } from "./event.ts";
import type { LiveBotDeps, LiveCommand, LiveOutput, LiveSignals } from "./live-bot.ts";
import { orderMove } from "./live-orders.ts";
import type { TradeFact } from "./live-position.ts";
import { type EngineState, initialState } from "./state.ts";
import { type StepContext, step } from "./step.ts";

/** What became of the order that works in a slot; -1 for "never". */
export type SlotOrder = {
  /** null until the intent was heard of */
  intentId: number | null;
  isParked: boolean;
  /** its cancel was asked for in order to park it again */
  isParking: boolean;
  isUnverified: boolean;
  isTouched: boolean;
  cancelAskedAt: EpochMs;
};

/** An intent the bot has heard of. */
export type KnownOrder = {
  readonly id: number;
  /** -1 for orders of no slot */
  readonly slot: number;
  readonly wish: string;
  /** of its trade records, applied */
  lots: number;
  /** the strategy was told that nothing more comes */
  isEnded: boolean;
  /** it counted as entry or rung */
  isCounted: boolean;
  /** it works beside the order of its slot: when it was asked to leave, 0 before, -1 when it does not */
  strayAskedAt: EpochMs;
};

/** Everything a live bot knows. */
export type LiveCore<S> = {
  readonly deps: LiveBotDeps<S>;
  readonly prices: Grid;
  readonly lots: Grid;
  readonly timeframeMs: number;
  readonly context: StepContext<S>;
  readonly state: EngineState<S>;
  readonly signals: LiveSignals;
  slots: (SlotOrder | null)[];
  readonly known: Map<number, KnownOrder>;
  /** in the order in which they count, of the open cycle and the one before */
  facts: TradeFact[];
  /** index of the first record of the cycle before */
  previousFrom: number;
  /** records that count before this one were forgotten */
  keptSince: Pick<TradeFact, "at" | "tradeId" | "side"> | null;
  unexplainedLots: number;
  /** last candle the indicators saw, and the last one the strategy was told of; -1 for none */
  fedOpenAt: EpochMs;
  candleOpenAt: EpochMs;
  /** extremes since the last expanding fill of the candle in progress; -1 for none */
  reachedHigh: number;
  reachedLow: number;
  /** -1 for none */
  lastPrice: number;
  net: number | null;
  freeCollateral: number | null;
  readonly output: EngineOutput;
  commands: LiveCommand[];
  denied: DeniedIntent[];
};

/** A bot before its first input. */
export function createCore<S>(deps: LiveBotDeps<S>): LiveCore<S> {
  const lots = gridOf(deps.qtyStep, "instrument: qty_step");
  const contract = { lots, contractSize: deps.contractSize };
  const state = initialState(deps.strategy, 0);
  return {
    deps,
    prices: gridOf(deps.priceTick, "instrument: price_tick"),
    lots,
    timeframeMs: deps.timeframeMin * MINUTE_MS,
    context: { strategy: deps.strategy, contract, awaitsCancels: true },
    state,
    signals: deps.createSignals(),
    slots: state.working.map(() => null),
    known: new Map(),
    facts: [],
    previousFrom: 0,
    keptSince: null,
    unexplainedLots: 0,
    fedOpenAt: -1,
    candleOpenAt: -1,
    reachedHigh: -1,
    reachedLow: -1,
    lastPrice: -1,
    net: null,
    freeCollateral: null,
    output: emptyOutput(),
    commands: [],
    denied: [],
  };
}

/** The price seen last; null while there is none. */
export function priceOf<S>(core: LiveCore<S>): number | null {
  return core.lastPrice > 0 ? core.lastPrice : null;
}

/** Sends an event through the step and turns what it approved into commands. */
export function send<S>(core: LiveCore<S>, event: EngineEvent): void {
  const { state, output } = core;
  step(core.context, state, event, output);
  for (const intent of output.approved) {
    if (intent.op === "cancel") askCancel(core, intent.slot, event.at);
    else place(core, intent, event.at);
  }
  core.denied.push(...output.denied);
  for (let slot = 0; slot < core.slots.length; slot++) {
    if (!state.working[slot]) core.slots[slot] = null;
  }
}

function place<S>(core: LiveCore<S>, approved: ApprovedIntent, at: EpochMs): void {
  const { slot, target } = approved;
  const isParked = orderMove(target, true, core.prices, priceOf(core), at) !== "activate";
  core.slots[slot] = slotOrder(null, isParked);
  core.commands.push({ op: isParked ? "park" : "place", slot, approved });
}

/** An order of a slot as it begins. */
export function slotOrder(intentId: number | null, isParked: boolean): SlotOrder {
  return {
    intentId,
    isParked,
    isParking: false,
    isUnverified: false,
    isTouched: false,
    cancelAskedAt: -1,
  };
}

/** Asks for the cancel of a slot's order; while its intent is not known, as soon as it is. */
export function askCancel<S>(core: LiveCore<S>, slot: number, at: EpochMs): void {
  const order = core.slots[slot];
  assert(order !== null && order !== undefined, `slot ${slot} has an order to cancel`);
  order.isParking = false;
  order.cancelAskedAt = at;
  const { intentId } = order;
  if (intentId !== null) core.commands.push({ op: "cancel", slot, intentId });
}

/** A cancel nobody confirmed is asked for again after this time. */
export const CANCEL_AGAIN_MS = 30_000;

/** Asks orders to leave that work beside the order of their slot; nothing is touched while frozen. */
export function askStrays<S>(core: LiveCore<S>, at: EpochMs): void {
  if (core.state.tradingState === "frozen") return;
  for (const order of core.known.values()) {
    const { strayAskedAt, slot, id } = order;
    if (strayAskedAt < 0 || order.isEnded || at - strayAskedAt < CANCEL_AGAIN_MS) continue;
    order.strayAskedAt = at;
    core.commands.push({ op: "cancel", slot, intentId: id });
  }
}

/** Checks something the step was not asked about against the trading state; null when it is denied. */
export function approveOne<S>(core: LiveCore<S>, intent: OrderIntent): ApprovedIntent | null {
  const approved: ApprovedIntent[] = [];
  approve([intent], core.state.tradingState, approved, []);
  return approved[0] ?? null;
}

const RANKS = { cancel: 0, place: 1, park: 2, activate: 3 } as const;

/** What the inputs since the last call want done: cancels first. */
export function takeOutput<S>(core: LiveCore<S>): LiveOutput {
  const { denied } = core;
  const commands = core.commands.sort((a, b) => RANKS[a.op] - RANKS[b.op]);
  core.commands = [];
  core.denied = [];
  return { commands, denied };
}
