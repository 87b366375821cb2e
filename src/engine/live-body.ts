// A live bot as it is stored with every step, and back. Position and balance are not in it: they follow from the orders
// and the ledger. Without the part that says what works where, that is found again from the orders too.
import { isFinal } from "../execution/order-machine.ts";
import { gridValue } from "../model/instrument.ts";
import type { TargetOrder } from "../model/order.ts";
import { ok, refuse, type Result } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";
import type { TradingState } from "../risk/trading-state.ts";
import type { LiveOutput, OrderNews, Plain, RestoreRefusal } from "./live-bot.ts";
import {
  type KnownOrder,
  type LiveCore,
  send,
  type SlotOrder,
  slotOrder,
  takeOutput,
} from "./live-core.ts";
import { asTarget, hearOrder } from "./live-news.ts";
import { compareFacts, heldBy, type TradeFact } from "./live-position.ts";
import { factOf, inOrderOfEvents, lotsOf, wishOf } from "./live-records.ts";
import {
  anything,
  anyNumber,
  fields,
  listOf,
  numberFrom,
  oneOf,
  orNull,
  text,
  truth,
  wholeFrom,
} from "./plain-check.ts";
import type { CycleTally } from "./state.ts";

const FORMAT = 1;
const SLOTS_MAX = 30;
const ORDERS_MAX = 10_000;

type LiveBody = {
  readonly format: typeof FORMAT;
  readonly strategy: { readonly name: string; readonly version: string; readonly state: unknown };
  readonly tradingState: TradingState;
  readonly targets: (TargetOrder | null)[];
  readonly owedAtPrice: number;
  readonly owedAtCandle: number;
  readonly cycle: CycleTally;
  readonly orders: KnownOrder[];
  readonly keptSince: Pick<TradeFact, "at" | "tradeId" | "side"> | null;
  readonly previousFrom: number;
  readonly candleOpenAt: EpochMs;
  readonly reachedHigh: number;
  readonly reachedLow: number;
  readonly lastPrice: number;
  readonly net: number | null;
  readonly freeCollateral: number | null;
  /** null: to be found again from the orders */
  readonly slots: {
    readonly working: (TargetOrder | null)[];
    readonly orders: (SlotOrder | null)[];
    readonly leaving: number;
  } | null;
};

const target = fields({
  key: text,
  purpose: oneOf("entry", "rung", "take_profit", "protective_stop", "exit"),
  kind: oneOf("market", "limit", "post_only", "trigger_market", "stop_market"),
  side: oneOf("buy", "sell"),
  positionSide: oneOf("long", "short"),
  isReduceOnly: truth,
  priceTicks: wholeFrom(0),
  qtyLots: wholeFrom(1),
  bandPct: numberFrom(0),
  decidedAt: wholeFrom(0),
  liveFrom: numberFrom(0),
  replacePct: numberFrom(0),
  reason: text,
});

const slotted = fields({
  intentId: orNull(wholeFrom(1)),
  isParked: truth,
  isParking: truth,
  isUnverified: truth,
  isTouched: truth,
  cancelAskedAt: wholeFrom(-1),
});

const known = fields({
  id: wholeFrom(1),
  slot: wholeFrom(-1),
  wish: text,
  lots: wholeFrom(0),
  isEnded: truth,
  isCounted: truth,
  strayAskedAt: wholeFrom(-1),
});

const cycle = fields({
  number: wholeFrom(0),
  sign: oneOf(-1, 0, 1),
  openedAt: wholeFrom(0),
  entries: wholeFrom(0),
  qty: numberFrom(0),
  averageEntry: numberFrom(0),
  realised: anyNumber,
  fees: anyNumber,
  funding: anyNumber,
  pathLow: numberFrom(0),
  pathHigh: numberFrom(0),
  mae: anyNumber,
  mfe: anyNumber,
});

const body = fields({
  format: oneOf(FORMAT),
  strategy: fields({ name: text, version: text, state: anything }),
  tradingState: oneOf("active", "reducing", "halted", "frozen"),
  targets: listOf(orNull(target), SLOTS_MAX),
  owedAtPrice: wholeFrom(0),
  owedAtCandle: wholeFrom(0),
  cycle,
  orders: listOf(known, ORDERS_MAX),
  keptSince: orNull(fields({ at: wholeFrom(0), tradeId: text, side: oneOf("buy", "sell") })),
  previousFrom: wholeFrom(0),
  candleOpenAt: wholeFrom(-1),
  reachedHigh: numberFrom(-1),
  reachedLow: numberFrom(-1),
  lastPrice: numberFrom(-1),
  net: orNull(anyNumber),
  freeCollateral: orNull(anyNumber),
  slots: orNull(
    fields({
      working: listOf(orNull(target), SLOTS_MAX),
      orders: listOf(orNull(slotted), SLOTS_MAX),
      leaving: wholeFrom(0),
    }),
  ),
});

/** The bot as plain JSON; a copy. */
export function writeBody<S>(core: LiveCore<S>): Plain {
  const { state, deps } = core;
  const written: LiveBody = {
    format: FORMAT,
    strategy: {
      name: deps.strategy.name,
      version: deps.strategy.version,
      state: state.strategy,
    },
    tradingState: state.tradingState,
    targets: state.book.targets,
    owedAtPrice: state.owedAtPrice,
    owedAtCandle: state.owedAtCandle,
    cycle: state.cycle,
    orders: [...core.known.values()],
    keptSince: core.keptSince,
    previousFrom: core.previousFrom,
    candleOpenAt: core.candleOpenAt,
    reachedHigh: core.reachedHigh,
    reachedLow: core.reachedLow,
    lastPrice: core.lastPrice,
    net: core.net,
    freeCollateral: core.freeCollateral,
    slots: { working: state.working, orders: core.slots, leaving: state.leaving },
  };
  return JSON.parse(JSON.stringify(written)) as Plain;
}

function readBody(stored: unknown): Result<LiveBody, "BODY_CORRUPT"> {
  const problem = body(stored, "body");
  return problem === null ? ok(stored as LiveBody) : refuse("BODY_CORRUPT", problem);
}

/**
 * The orders a stored bot needs to go on: those with these ids, every order of the bot with a greater id, and every
 * one that is not final.
 */
export function ordersNeeded(stored: unknown): Result<readonly number[], "BODY_CORRUPT"> {
  if (stored === null) return ok([]);
  const read = readBody(stored);
  return read.ok ? ok(read.value.orders.map(({ id }) => id)) : read;
}

/** Brings a fresh core to where the stored body and the orders say it is, and hears what happened since. */
export function restoreCore<S>(
  core: LiveCore<S>,
  stored: unknown,
  orders: readonly OrderNews[],
): Result<LiveOutput, RestoreRefusal> {
  const isNew = stored === null;
  if (!isNew) {
    const read = readBody(stored);
    if (!read.ok) return read;
    const taken = take(core, structuredClone(read.value), orders);
    if (!taken.ok) return taken;
  }
  const at = core.candleOpenAt < 0 ? 0 : core.candleOpenAt + core.timeframeMs;
  for (const news of inOrderOfEvents(orders)) {
    const heard = hearOrder(core, Math.max(at, news.intent.decidedAt), news);
    if (!heard.ok) return heard;
  }
  for (let slot = 0; slot < core.slots.length; slot++) {
    // Decided and never written down: it is planned again.
    if (core.slots[slot]?.intentId !== null) continue;
    send(core, { kind: "order_withheld", at, slot, op: "place", untilCandle: false });
  }
  return ok(takeOutput(core));
}

function take<S>(
  core: LiveCore<S>,
  read: LiveBody,
  orders: readonly OrderNews[],
): Result<null, RestoreRefusal> {
  const { state, deps } = core;
  const { name } = deps.strategy;
  if (read.strategy.name !== name) {
    const sentence = `body: strategy is ${read.strategy.name}; it must be ${name}`;
    return refuse("STRATEGY_DIFFERS", sentence);
  }
  if (read.targets.length !== state.working.length) {
    return refuse("BODY_CORRUPT", `body: ${read.targets.length} targets for other slots`);
  }
  const restored = deps.strategy.restoreState(read.strategy.version, read.strategy.state);
  if (!restored.ok) return refuse("BODY_CORRUPT", restored.detail);
  state.strategy = restored.value;
  state.tradingState = read.tradingState;
  state.book.targets.splice(0, read.targets.length, ...read.targets);
  state.owedAtPrice = read.owedAtPrice;
  state.owedAtCandle = read.owedAtCandle;
  state.cycle = read.cycle;
  core.keptSince = read.keptSince;
  core.previousFrom = read.previousFrom;
  core.candleOpenAt = read.candleOpenAt;
  core.reachedHigh = read.reachedHigh;
  core.reachedLow = read.reachedLow;
  core.lastPrice = read.lastPrice;
  core.net = read.net;
  core.freeCollateral = read.freeCollateral;
  const derived = takeFacts(core, read, orders);
  if (!derived.ok) return derived;
  return takeSlots(core, read, orders);
}

/** The records that were applied when the body was written, and the position that follows from them. */
function takeFacts<S>(
  core: LiveCore<S>,
  read: LiveBody,
  orders: readonly OrderNews[],
): Result<null, RestoreRefusal> {
  const byId = new Map(orders.map((news) => [news.intent.id, news]));
  for (const order of read.orders) {
    const news = byId.get(order.id);
    if (!news) {
      if (order.isEnded && order.lots === 0) continue;
      return refuse("ORDERS_MISSING", `order ${order.id} is not among the orders given`);
    }
    core.known.set(order.id, { ...order, lots: takeApplied(core, order, news) });
  }
  core.facts.sort(compareFacts);
  const { sign, lots, average, unexplainedLots } = heldBy(core.facts, core.lots);
  const { position } = core.state;
  position.sign = sign;
  position.lots = lots;
  position.qty = gridValue(core.lots, lots);
  position.average = average;
  core.unexplainedLots = unexplainedLots;
  return ok(null);
}

/** Takes the first records of an order up to what was applied of it; returns how much that is. */
function takeApplied<S>(
  core: LiveCore<S>,
  order: KnownOrder,
  { intent, fills }: OrderNews,
): number {
  const facts = fills.flatMap((fill) => factOf(core.lots, intent, fill) ?? []).sort(compareFacts);
  let lots = 0;
  for (const fact of facts) {
    const isOld = core.keptSince !== null && compareFacts(fact, core.keptSince) < 0;
    if (lots + fact.lots > order.lots) break;
    lots += fact.lots;
    if (!isOld) core.facts.push(fact);
  }
  return lots;
}

function takeSlots<S>(
  core: LiveCore<S>,
  read: LiveBody,
  orders: readonly OrderNews[],
): Result<null, RestoreRefusal> {
  const { state } = core;
  if (read.slots !== null) {
    const { working, orders: held, leaving } = read.slots;
    if (working.length !== state.working.length || held.length !== working.length) {
      return refuse("BODY_CORRUPT", `body: ${working.length} orders for other slots`);
    }
    if (working.some((order, slot) => (order === null) !== (held[slot] === null))) {
      return refuse("BODY_CORRUPT", "body: a slot works without an order, or the other way round");
    }
    state.working.splice(0, working.length, ...working);
    core.slots = held;
    state.leaving = leaving;
    return ok(null);
  }
  for (const news of orders) findSlot(core, news);
  // Whatever differs from the wishes is planned again; nothing of it was asked to leave yet.
  state.owedAtPrice = (1 << state.working.length) - 1;
  return ok(null);
}

/** Puts an order that was not over back where it works; of several the one that is wished for. */
function findSlot<S>(core: LiveCore<S>, { intent }: OrderNews): void {
  const order = core.known.get(intent.id);
  const slot = core.deps.strategy.slots.indexOf(intent.purpose);
  const lots = lotsOf(core.lots, Number(intent.qty));
  if (slot < 0 || lots === null || order?.isEnded) return;
  const wanted = core.state.book.targets[slot] ?? null;
  const isWished = wanted !== null && `${wanted.key}@${wanted.decidedAt}` === wishOf(intent);
  const applied = order?.lots ?? 0;
  if (lots <= applied) return;
  if (!isWished && (isFinal(intent.status) || core.slots[slot])) return;
  const isParked = intent.status === "parked" || intent.status === "planned";
  // One that was never heard of is joined with the slot by its news, as one just decided would be.
  core.slots[slot] = slotOrder(order ? intent.id : null, isParked);
  core.state.working[slot] = asTarget(core, intent, wanted, lots - applied);
}
