// News of the bot's orders, worked out against what was applied before: binds intents to slots, books new trade records
// in the order in which they count, and ends orders once all their records are there. Idempotent: the same news twice
// changes nothing. Used by live-bot.ts only.
import { isFinal } from "../execution/order-machine.ts";
import { gridValue } from "../model/instrument.ts";
import type { Sign, TargetOrder } from "../model/order.ts";
import { ok, type Result } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";
import type { LiveFill, LiveOrder, OrderNews } from "./live-bot.ts";
import {
  approveOne,
  askCancel,
  askStrays,
  type KnownOrder,
  type LiveCore,
  priceOf,
  send,
  slotOrder,
} from "./live-core.ts";
import { isAtOrBeyond, refusalOf } from "./live-orders.ts";
import {
  compareFacts,
  executedOf,
  heldBy,
  type HeldPosition,
  type TradeFact,
} from "./live-position.ts";
import { forgetCycles, forgetUnfilled, lotsOf, newFacts, offStep, wishOf } from "./live-records.ts";

/** Takes the news of one order. */
export function hearOrder<S>(
  core: LiveCore<S>,
  at: EpochMs,
  news: OrderNews,
): Result<null, "QTY_OFF_STEP"> {
  const { intent } = news;
  const intentLots = lotsOf(core.lots, Number(intent.qty));
  const read = newFacts(core, news);
  if (!read.ok) return read;
  if (intentLots === null) return offStep(intent, intent.qty);
  const known = core.known.get(intent.id);
  const isForgotten = !known && isFinal(intent.status) && read.value.length === 0;
  if (isForgotten && !isAwaited(core, intent)) return ok(null);
  const order = known ?? know(core, intent);
  bind(core, at, order, intent, intentLots);
  if (read.value.length > 0) applyFacts(core, order, intent, intentLots, read.value, news.fills);
  if (!isFinal(intent.status)) follow(core, order, intent);
  else endOrder(core, at, order, news, intentLots);
  forgetUnfilled(core);
  return ok(null);
}

function know<S>(core: LiveCore<S>, intent: LiveOrder): KnownOrder {
  const order: KnownOrder = {
    id: intent.id,
    slot: core.deps.strategy.slots.indexOf(intent.purpose),
    wish: wishOf(intent),
    lots: 0,
    isEnded: false,
    isCounted: false,
    strayAskedAt: -1,
  };
  core.known.set(intent.id, order);
  return order;
}

/** Whether an order just decided is waiting for its intent, and this is it. */
function isAwaited<S>(core: LiveCore<S>, intent: LiveOrder): boolean {
  const slot = core.deps.strategy.slots.indexOf(intent.purpose);
  const working = core.state.working[slot];
  return core.slots[slot]?.intentId === null && !!working && sameWish(working, intent);
}

function sameWish(target: TargetOrder, intent: LiveOrder): boolean {
  return target.key === intent.targetKey && target.decidedAt === intent.decidedAt;
}

function isBound<S>(core: LiveCore<S>, order: KnownOrder): boolean {
  return core.slots[order.slot]?.intentId === order.id;
}

/** Joins an order with the slot it belongs to; one that turns up beside another is asked to leave. */
function bind<S>(
  core: LiveCore<S>,
  at: EpochMs,
  order: KnownOrder,
  intent: LiveOrder,
  intentLots: number,
): void {
  const { slot } = order;
  if (slot < 0 || isBound(core, order)) return;
  if (!order.isEnded && isAwaited(core, intent)) {
    const slotted = core.slots[slot];
    if (!slotted) return;
    slotted.intentId = order.id;
    if ((core.state.leaving & (1 << slot)) !== 0) askCancel(core, slot, at);
    return;
  }
  if (isFinal(intent.status) || intentLots <= order.lots) return;
  order.isEnded = false;
  if (core.state.working[slot]) {
    order.strayAskedAt = Math.max(order.strayAskedAt, 0);
    askStrays(core, at);
    return;
  }
  order.strayAskedAt = -1;
  core.slots[slot] = slotOrder(order.id, intent.status === "parked" || intent.status === "planned");
  const wanted = core.state.book.targets[slot] ?? null;
  const restLots = intentLots - order.lots;
  send(core, { kind: "order_found", at, slot, order: asTarget(core, intent, wanted, restLots) });
}

/**
 * The target an order at the exchange amounts to. What only the wish knows (band, threshold) is taken from it, and
 * its price when it is the same decision: the exchange may have been asked for the nearest place to rest.
 */
export function asTarget<S>(
  core: LiveCore<S>,
  intent: LiveOrder,
  wanted: TargetOrder | null,
  qtyLots: number,
): TargetOrder {
  const { terms, side, positionSide, isReduceOnly, purpose, reason, decidedAt } = intent;
  const same = wanted?.key === intent.targetKey ? wanted : null;
  const told = terms.triggerPrice ?? terms.price ?? null;
  const ticks = told === null ? 0 : Math.round(Number(told) / core.prices.step);
  return {
    key: intent.targetKey,
    purpose,
    kind: same?.kind ?? "limit",
    side,
    positionSide,
    isReduceOnly,
    priceTicks: same && same.decidedAt === decidedAt ? same.priceTicks : ticks,
    qtyLots,
    bandPct: same?.bandPct ?? 0,
    decidedAt,
    liveFrom: same?.liveFrom ?? 0,
    replacePct: same?.replacePct ?? 0,
    reason,
  };
}

function applyFacts<S>(
  core: LiveCore<S>,
  order: KnownOrder,
  intent: LiveOrder,
  intentLots: number,
  facts: readonly TradeFact[],
  fills: readonly LiveFill[],
): void {
  const { state } = core;
  const before = state.position.sign * state.position.lots;
  const wasFlat = before === 0;
  core.facts = [...core.facts, ...facts].sort(compareFacts);
  const held = heldBy(core.facts, core.lots);
  core.unexplainedLots = held.unexplainedLots;
  for (const fact of facts) order.lots += fact.lots;
  const sign: Sign = intent.positionSide === "long" ? 1 : -1;
  const expands = (intent.side === "buy") === sign > 0;
  // The part of the records that moves the position as it was known, in its own direction.
  const moved = sign * (held.sign * held.lots - before);
  const isOwn = sign * before >= 0 && sign * held.sign >= 0;
  const effect = isOwn ? (expands ? moved : -moved) : 0;
  const at = facts.reduce((last, fact) => Math.max(last, fact.at), 0);
  const restLots = Math.max(intentLots - order.lots, 0);
  const slotted = isBound(core, order);
  if (effect > 0) {
    tellFill(core, order, intent, { facts, fills, effect, at, held, restLots, slotted });
    if (expands) restartExtremes(core, facts);
  } else if (slotted && restLots === 0) {
    const { slot } = order;
    const { atr } = core.signals;
    send(core, { kind: "order_cancelled", at, slot, atr, lots: 0, price: 0 });
  }
  const { position } = state;
  if (
    position.sign !== held.sign ||
    position.lots !== held.lots ||
    position.average !== held.average
  ) {
    const { lots, average } = held;
    const { atr } = core.signals;
    send(core, { kind: "position_adjusted", at, atr, sign: held.sign, lots, average });
  }
  if (wasFlat && held.sign !== 0) forgetCycles(core, held.openedWith);
}

type Told = {
  readonly facts: readonly TradeFact[];
  readonly fills: readonly LiveFill[];
  readonly effect: number;
  readonly at: EpochMs;
  readonly held: HeldPosition;
  readonly restLots: number;
  readonly slotted: boolean;
};

function tellFill<S>(core: LiveCore<S>, order: KnownOrder, intent: LiveOrder, told: Told): void {
  const { facts, effect, at, held, restLots, slotted } = told;
  const part = executedOf(facts, 0, order.wish);
  const inCycle = executedOf(core.facts, held.openedWith, order.wish);
  const rest = order.isEnded ? 0 : restLots;
  const { isCounted } = order;
  const expands = (intent.side === "buy") === (intent.positionSide === "long");
  if (expands && rest === 0) order.isCounted = true;
  send(core, {
    kind: "order_filled",
    at,
    slot: order.slot,
    atr: core.signals.atr,
    isAtClose: false,
    fill: {
      at,
      candleOpenAt: core.candleOpenAt,
      side: intent.side,
      positionSide: intent.positionSide,
      priceTicks: Math.round(part.price / core.prices.step),
      qtyLots: effect,
      price: part.price,
      qty: gridValue(core.lots, effect),
      pathPrice: priceOf(core) ?? part.price,
      fee: feeOf(told.fills, facts) * (effect / part.lots),
      liquidity: told.fills[0]?.liquidity ?? "taker",
      reason: intent.reason,
      cycle: core.state.cycle.number,
    },
    order: {
      lots: inCycle.lots,
      price: inCycle.price,
      restLots: rest,
      isLate: !slotted,
      isCounted,
      held: { lots: held.lots, average: held.average },
    },
  });
}

/** What the new records cost in the settle asset, as far as it is known: for figures, never for sizes. */
function feeOf(fills: readonly LiveFill[], facts: readonly TradeFact[]): number {
  let sum = 0;
  for (const { tradeId } of facts) {
    const fee = fills.find((fill) => fill.tradeId === tradeId)?.fee?.settleAmount ?? null;
    if (fee !== null) sum += Number(fee);
  }
  return sum;
}

function restartExtremes<S>(core: LiveCore<S>, facts: readonly TradeFact[]): void {
  const price = priceOf(core) ?? facts.at(-1)?.price ?? -1;
  core.reachedHigh = price;
  core.reachedLow = price;
}

function follow<S>(core: LiveCore<S>, order: KnownOrder, { status }: LiveOrder): void {
  const slotted = core.slots[order.slot];
  if (!slotted || !isBound(core, order)) return;
  slotted.isUnverified = status === "unverified";
  if (status === "parked") slotted.isParked = true;
  else if (status !== "planned") slotted.isParked = false;
}

/** An order that is over, once every trade record the exchange speaks of is there. */
function endOrder<S>(
  core: LiveCore<S>,
  at: EpochMs,
  order: KnownOrder,
  news: OrderNews,
  intentLots: number,
): void {
  const { status, reportedFilledQty } = news.intent;
  if (order.isEnded) return;
  const reported = reportedFilledQty === null ? 0 : Number(reportedFilledQty) / core.lots.step;
  const expected = status === "filled" ? intentLots : Math.round(reported);
  if (order.lots < expected) return;
  order.isEnded = true;
  const slotted = core.slots[order.slot];
  if (!slotted || !isBound(core, order)) return;
  const { slot } = order;
  const { state } = core;
  const working = state.working[slot];
  if (slotted.isParking && status === "cancelled" && working) {
    parkAgain(core, at, slot, working);
    return;
  }
  const { openedWith } = heldBy(core.facts, core.lots);
  const { lots, price } = executedOf(core.facts, openedWith, order.wish);
  if (status === "refused" && lots === 0) {
    const lastPrice = priceOf(core);
    const isBeyond =
      !!working && lastPrice !== null && isAtOrBeyond(working, core.prices, lastPrice);
    const reason = refusalOf(news.refusal);
    send(core, { kind: "order_refused", at, slot, reason, isBeyond });
    return;
  }
  const expands = !news.intent.isReduceOnly && lots > 0;
  if (expands) order.isCounted = true;
  const kind = status === "expired" || status === "refused" ? "order_expired" : "order_cancelled";
  const { atr } = core.signals;
  send(core, { kind, at, slot, atr, lots: expands ? lots : 0, price: expands ? price : 0 });
}

/** The rest of an order the price went away from is kept here; it is a new intent under the same wish. */
function parkAgain<S>(core: LiveCore<S>, at: EpochMs, slot: number, working: TargetOrder): void {
  const approved = approveOne(core, { op: "place", slot, target: working });
  core.slots[slot] = slotOrder(null, true);
  if (approved) core.commands.push({ op: "park", slot, approved });
  else send(core, { kind: "order_withheld", at, slot, op: "place", untilCandle: false });
}
