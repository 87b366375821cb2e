// The whole ladder ahead of time: what a price that runs straight against a fresh position would fill. The step
// itself is fed with the fills, so prices, sizes and levels are those of a run. Called by forms while somebody types.
import type { Fill } from "../model/fill.ts";
import { gridValue, type Instrument, stepsDown, stepsUp } from "../model/instrument.ts";
import type { PositionSide } from "../model/order.ts";
import { unrealised } from "../model/position.ts";
import { assert } from "../model/result.ts";
import { liquidationPrice, marginAllows } from "../risk/margin.ts";
import type { DcaAtrConfig } from "../strategy/dca-atr/config.ts";
import { createDcaAtr, type DcaAtr } from "../strategy/dca-atr/dca-atr.ts";
import { entryLots } from "../strategy/dca-atr/entry.ts";
import { rungLots, rungTarget } from "../strategy/dca-atr/ladder.ts";
import {
  GATE_LONG,
  GATE_SHORT,
  READY,
  SIGNAL_LONG,
  SIGNAL_SHORT,
  TREND_LONG,
  TREND_SHORT,
} from "../strategy/dca-atr/signal-flags.ts";
import { type DcaAtrState, ENTRY, RUNG, STOP, TAKE_PROFIT } from "../strategy/dca-atr/state.ts";
import { type EngineOutput, emptyOutput } from "./event.ts";
import type { RunSettings } from "./run-settings.ts";
import { fillAt, type SimSettings } from "./sim-fill.ts";
import { enterAt, simOrder } from "./sim-order.ts";
import { type EngineState, initialState } from "./state.ts";
import { step } from "./step.ts";

/** What the account and the exchange charge, as a run states it. */
export type LadderAccount = Pick<
  RunSettings,
  "initialBalance" | "makerFee" | "takerFee" | "slippageBps" | "leverage" | "maintenanceMarginRate"
>;

/** What a ladder is previewed from; `atr` is -1 while unknown, `price` the close that decides. */
export type LadderRequest = {
  readonly config: DcaAtrConfig;
  readonly instrument: Instrument;
  readonly account: LadderAccount;
  readonly side: PositionSide;
  readonly price: number;
  readonly atr: number;
};

/**
 * What becomes of an order on the way: `after_stop` and `after_liquidation` lie behind the price at which the
 * position ends, `no_margin` is refused and ends the ladder (rule E45).
 */
export type RungFate = "fills" | "below_min" | "no_margin" | "after_stop" | "after_liquidation";

/** Position after a fill; money in quote units, distances as fractions of the entry price. */
export type LadderPosition = {
  readonly qty: number;
  readonly notional: number;
  readonly average: number;
  readonly margin: number;
  readonly takeProfit: number | null;
  readonly stop: number | null;
  readonly liquidation: number | null;
};

/** One order of the ladder, the entry first. */
export type LadderRow = {
  /** 0 for the entry, else the number of the rung. */
  readonly rung: number;
  readonly fate: RungFate;
  readonly price: number;
  /** Price over entry price less 1: negative below. */
  readonly distanceRatio: number;
  readonly qty: number;
  readonly notional: number;
  /** Null for orders that do not fill. Behind the stop: as if there were no stop. */
  readonly after: LadderPosition | null;
};

/** What ends the position on the way, and what is lost by then (a negative amount, before costs). */
export type LadderEnd = {
  readonly by: "stop" | "liquidation";
  readonly price: number;
  readonly distanceRatio: number;
  readonly result: number;
};

/** A ladder with what it comes to. */
export type LadderPreview = {
  readonly side: PositionSide;
  /** Decimals of a price on the instrument's grid. */
  readonly priceDecimals: number;
  /** Size the first entry would have; below the minimums when there are no rows. */
  readonly entryQty: number;
  readonly rows: readonly LadderRow[];
  /** The last row that fills before the position ends; null without any. */
  readonly deepest: LadderRow | null;
  readonly end: LadderEnd | null;
  /** The ladder stops early because its next price would be 0 or below (rule E42). */
  readonly isOutOfPrices: boolean;
  /** An ATR distance is asked for and none is known. */
  readonly needsAtr: boolean;
};

const SIGNALS = {
  long: READY | TREND_LONG | SIGNAL_LONG | GATE_LONG,
  short: READY | TREND_SHORT | SIGNAL_SHORT | GATE_SHORT,
};

/** One walk down the ladder. */
type Walk = {
  readonly request: LadderRequest;
  readonly strategy: DcaAtr;
  readonly state: EngineState<DcaAtrState>;
  readonly settings: SimSettings;
  readonly output: EngineOutput;
  readonly rows: LadderRow[];
  /** How far the price has come. */
  path: number;
  entryPrice: number;
  end: LadderEnd | null;
};

/**
 * Walks the ladder of one side from a price.
 * @throws InputError when tick or step of the instrument are not usable
 */
export function previewLadder(request: LadderRequest): LadderPreview {
  const walk = begin(request);
  const { state, strategy, rows } = walk;
  const { balance } = state;
  const lots = entryLots(strategy.context, balance, request.price);
  decide(walk);
  if (state.working[ENTRY] && fill(walk, ENTRY, "fills")) descend(walk);
  const deepest = rows.findLast(({ fate }) => fate === "fills") ?? null;
  return {
    side: request.side,
    priceDecimals: strategy.context.prices.decimals,
    entryQty: gridValue(strategy.context.lots, lots),
    rows,
    deepest,
    end: walk.end,
    isOutOfPrices: rows.length > 0 && state.strategy.isLadderClosed,
    needsAtr: request.atr < 0 && readsAtr(request.config),
  };
}

function begin(request: LadderRequest): Walk {
  const { account, side } = request;
  const general = {
    ...request.config.general,
    allow_long: side === "long",
    allow_short: side === "short",
  };
  const strategy = createDcaAtr({ ...request.config, general }, request.instrument);
  return {
    request,
    strategy,
    state: initialState(strategy, account.initialBalance),
    settings: {
      timeframeMs: 0,
      isPessimistic: false,
      touchFills: true,
      makerFee: account.makerFee,
      takerFee: account.takerFee,
      slippageRatio: account.slippageBps / 10_000,
      leverage: account.leverage,
      maintenanceRate: account.maintenanceMarginRate,
    },
    output: emptyOutput(),
    rows: [],
    path: request.price,
    entryPrice: request.price,
    end: null,
  };
}

/** A distance in force depends on the ATR. */
function readsAtr({ dca, exits, general }: DcaAtrConfig): boolean {
  const ladder = dca.deviation_mode === "ATR" && general.max_entries > 1;
  const stop = exits.sl_mode === "ATR" && exits.sl_atr_mult > 0;
  return ladder || stop || (exits.tp_mode === "ATR" && exits.tp_atr_mult > 0);
}

function contextOf({ strategy, request }: Walk) {
  const { contractSize } = request.instrument;
  return { strategy, contract: { lots: strategy.context.lots, contractSize } };
}

/** The close at which everything says: enter. */
function decide(walk: Walk): void {
  const { price, atr, side } = walk.request;
  const closed = {
    kind: "candle_closed",
    at: 0,
    openAt: 0,
    close: price,
    reachedHigh: price,
    reachedLow: price,
    signals: SIGNALS[side],
    atr,
    mayEnter: true,
  } as const;
  step(contextOf(walk), walk.state, closed, walk.output);
}

/** Rungs one after the other until there is none, or until no further one can be told. */
function descend(walk: Walk): void {
  const { state } = walk;
  let level = 0;
  for (;;) {
    const reached = state.strategy.level;
    while (level < reached) noteSkipped(walk, level++);
    level = reached + 1;
    const fate = fateOfRung(walk);
    if (fate === null || !fill(walk, RUNG, fate)) break;
  }
  walk.end ??= endOf(walk);
}

/** Whether the position still stands when the price comes to the next rung; null without a rung. */
function fateOfRung(walk: Walk): RungFate | null {
  const price = metAt(walk, priceOf(walk, RUNG));
  if (price === null) return null;
  const { sign } = walk.state.position;
  const end = endOf(walk);
  if (walk.end === null && end && sign * (end.price - price) >= 0) walk.end = end;
  if (walk.end === null) return "fills";
  return walk.end.by === "stop" ? "after_stop" : "after_liquidation";
}

/** Where a level is met on the way: at once when slippage has put it behind the price already. */
function metAt({ state, path }: Walk, level: number | null): number | null {
  if (level === null) return null;
  return state.position.sign > 0 ? Math.min(path, level) : Math.max(path, level);
}

/** What ends the present position first; liquidation goes before a stop at the same price (rule E52). */
function endOf(walk: Walk): LadderEnd | null {
  const { position } = walk.state;
  const stop = metAt(walk, priceOf(walk, STOP));
  const liquidation = metAt(walk, liquidationOf(walk));
  const isLiquidated =
    liquidation !== null && (stop === null || position.sign * (liquidation - stop) >= 0);
  const price = isLiquidated ? liquidation : stop;
  if (price === null) return null;
  return {
    by: isLiquidated ? "liquidation" : "stop",
    price,
    distanceRatio: distance(walk, price),
    result: unrealised(position, price, walk.request.instrument.contractSize),
  };
}

/** Fills the order of a slot where its price is met; false when the ladder goes no further. */
function fill(walk: Walk, slot: number, wanted: RungFate): boolean {
  const { state, request, rows, output } = walk;
  const made = fillOf(walk, slot);
  if (slot === ENTRY) walk.entryPrice = made.price;
  const { leverage } = request.account;
  const { contractSize } = request.instrument;
  const { position, balance } = state;
  const { price, qty, fee } = made;
  const fits = marginAllows(position, balance, price, qty, fee, contractSize, leverage);
  const fate = fits || wanted === "after_liquidation" ? wanted : "no_margin";
  const isFilled = fate === "fills" || fate === "after_stop";
  const row = rowOf(walk, rungNumber(walk, slot), fate, made);
  if (!isFilled) {
    rows.push(row);
    return false;
  }
  const { atr } = request;
  const event = { kind: "order_filled", at: 0, slot, fill: made, atr, isAtClose: false } as const;
  step(contextOf(walk), state, event, output);
  rows.push({ ...row, after: positionOf(walk) });
  return true;
}

/** The execution of a working order by the simulator's own rules, its price being met on the path. */
function fillOf(walk: Walk, slot: number): Fill {
  const { state, strategy, settings } = walk;
  const target = state.working[slot];
  assert(target !== null && target !== undefined, `slot ${slot} has an order to fill`);
  const { prices } = strategy.context;
  const order = simOrder(target, slot, prices);
  if (slot !== ENTRY) {
    enterAt(order, prices, walk.path);
    walk.path = metAt(walk, order.price) ?? walk.path;
  }
  const path = slot === ENTRY && target.kind !== "market" ? order.price : walk.path;
  const place = { at: 0, candleOpenAt: 0, isAtOpen: false, cycle: 1 };
  return fillAt(order, path, place, state.position, strategy.context, settings);
}

function rungNumber({ state }: Walk, slot: number): number {
  return slot === ENTRY ? 0 : state.strategy.level + 1;
}

function distance(walk: Walk, price: number): number {
  return price / walk.entryPrice - 1;
}

type Planned = { readonly price: number; readonly qty: number };

function rowOf(walk: Walk, rung: number, fate: RungFate, { price, qty }: Planned): LadderRow {
  const notional = price * qty * walk.request.instrument.contractSize;
  const distanceRatio = distance(walk, price);
  return { rung, fate, price, distanceRatio, qty, notional, after: null };
}

/** A level the strategy passed over because it is below the minimums (rule E42). */
function noteSkipped(walk: Walk, level: number): void {
  const { state, strategy, request, rows } = walk;
  const { context } = strategy;
  const { sign, average } = state.position;
  const isAverage = request.config.general.use_avg_entry_for_dca_base;
  const base = isAverage ? average : state.strategy.basePrice;
  const target = rungTarget(context, sign, base, level, request.atr);
  if (target === null) return;
  const ticks = sign > 0 ? stepsDown(context.prices, target) : stepsUp(context.prices, target);
  const price = gridValue(context.prices, ticks);
  const qty = gridValue(context.lots, rungLots(context, state.strategy.baseQty, level));
  rows.push(rowOf(walk, level + 1, "below_min", { price, qty }));
}

function priceOf({ state, strategy }: Walk, slot: number): number | null {
  const order = state.working[slot];
  return order ? gridValue(strategy.context.prices, order.priceTicks) : null;
}

function liquidationOf({ state, request }: Walk): number | null {
  const { contractSize } = request.instrument;
  const rate = request.account.maintenanceMarginRate;
  return liquidationPrice(state.position, state.balance, contractSize, rate) || null;
}

function positionOf(walk: Walk): LadderPosition {
  const { qty, average } = walk.state.position;
  const { instrument, account } = walk.request;
  const notional = qty * average * instrument.contractSize;
  return {
    qty,
    notional,
    average,
    margin: notional / account.leverage,
    takeProfit: priceOf(walk, TAKE_PROFIT),
    stop: priceOf(walk, STOP),
    liquidation: liquidationOf(walk),
  };
}
