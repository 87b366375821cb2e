// Trade records of a bot's orders as facts in lots: reading them, telling new ones from known ones, and forgetting what
// no decision depends on any more. Used by live-news.ts and live-body.ts only.
import type { Grid } from "../model/instrument.ts";
import { ok, refuse, type Result } from "../model/result.ts";
import type { LiveFill, LiveOrder, OrderNews } from "./live-bot.ts";
import type { LiveCore } from "./live-core.ts";
import { compareFacts, heldBy, type TradeFact } from "./live-position.ts";

/** Orders remembered although nothing of them was executed. */
const UNFILLED_ORDERS_MAX = 200;

/** The wish of the strategy an order carries out. */
export function wishOf(intent: Pick<LiveOrder, "targetKey" | "decidedAt">): string {
  return `${intent.targetKey}@${intent.decidedAt}`;
}

/** Whole lots of a quantity; null when it is not a multiple of the step. */
export function lotsOf(grid: Grid, qty: number): number | null {
  const lots = Math.round(qty / grid.step);
  return Math.abs(qty / grid.step - lots) <= 1e-6 * Math.max(1, lots) ? lots : null;
}

/** The refusal of a quantity that is not a multiple of the step. */
export function offStep(intent: LiveOrder, qty: string) {
  const sentence = `order ${intent.id}: qty ${qty} is not a multiple of the step`;
  return refuse("QTY_OFF_STEP", sentence);
}

/** A trade record as a fact; null when its quantity is off the step. */
export function factOf(grid: Grid, intent: LiveOrder, fill: LiveFill): TradeFact | null {
  const lots = lotsOf(grid, Number(fill.qty));
  if (lots === null) return null;
  return {
    at: fill.at,
    tradeId: fill.tradeId,
    side: intent.side,
    positionSide: intent.positionSide,
    lots,
    price: Number(fill.price),
    intentId: intent.id,
    wish: wishOf(intent),
  };
}

/** The records of an order that were not applied yet, in the order in which they count. */
export function newFacts<S>(
  core: LiveCore<S>,
  { intent, fills }: OrderNews,
): Result<TradeFact[], "QTY_OFF_STEP"> {
  const applied = new Set<string>();
  for (const fact of core.facts) if (fact.intentId === intent.id) applied.add(fact.tradeId);
  const found: TradeFact[] = [];
  for (const fill of fills) {
    const fact = factOf(core.lots, intent, fill);
    if (fact === null) return offStep(intent, fill.qty);
    const isOld = core.keptSince !== null && compareFacts(fact, core.keptSince) < 0;
    if (isOld || applied.has(fill.tradeId)) continue;
    applied.add(fill.tradeId);
    found.push(fact);
  }
  return ok(found.sort(compareFacts));
}

/** Forgets cycles before the previous one when a new one begins. */
export function forgetCycles<S>(core: LiveCore<S>, openedWith: number): void {
  const dropped = core.facts.slice(0, core.previousFrom);
  const { lots, unexplainedLots } = heldBy(dropped, core.lots);
  if (lots > 0 || unexplainedLots > 0) return;
  core.facts = core.facts.slice(core.previousFrom);
  core.previousFrom = openedWith - core.previousFrom;
  const [first] = core.facts;
  if (first && dropped.length > 0) {
    core.keptSince = { at: first.at, tradeId: first.tradeId, side: first.side };
  }
  const kept = new Set(core.facts.map(({ intentId }) => intentId));
  for (const { intentId } of dropped) {
    const order = core.known.get(intentId);
    if (order?.isEnded && !kept.has(intentId)) core.known.delete(intentId);
  }
}

/** Forgets the oldest of many orders that came to nothing; their late records would still be heard. */
export function forgetUnfilled<S>(core: LiveCore<S>): void {
  if (core.known.size <= UNFILLED_ORDERS_MAX) return;
  const idle = [...core.known.values()].filter(({ isEnded, lots }) => isEnded && lots === 0);
  idle.sort((a, b) => a.id - b.id);
  for (const { id } of idle.slice(0, Math.ceil(idle.length / 2))) core.known.delete(id);
}

/** News in the order in which a bot that was away hears it: by first record, then by number. */
export function inOrderOfEvents(news: readonly OrderNews[]): OrderNews[] {
  const firstAt = ({ fills }: OrderNews) =>
    fills.reduce((first, { at }) => Math.min(first, at), Number.POSITIVE_INFINITY);
  return [...news].sort((a, b) => {
    const [left, right] = [firstAt(a), firstAt(b)];
    if (left !== right) return left < right ? -1 : 1;
    return a.intent.id - b.intent.id;
  });
}
