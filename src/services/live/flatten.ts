// Closes what an owner, or every bot of an account, holds: takes back the orders, sells (buys back) at the market,
// reduce-only, and looks again until the trade records say that nothing is left. Called by the account loop for a
// person's wish and by limits that demand it. It never orders more than is held and tells what it could not close.
import { compare, type Decimal, subtract } from "../../model/decimal.ts";
import type { ApprovedIntent, OrderIntent } from "../../model/order.ts";
import { assert } from "../../model/result.ts";
import { approve } from "../../risk/pre-trade.ts";
import {
  type BotHolding,
  concerns,
  type FlattenLook,
  type FlattenParts,
  type FlattenRun,
  type FlattenWish,
  holdingKey,
  isClose,
  leavingQty,
  lookAt,
} from "./flatten-look.ts";
import { type FlattenReport, isFlat, reportOf } from "./flatten-report.ts";
import { slicesOf } from "./flatten-slices.ts";
import type { Dispatched, LiveDeps, PlaceOrder } from "./live-types.ts";

const ZERO = "0" as Decimal;
/** Waits before each round of taking back, looking and closing; the last one goes on. */
const ROUNDS_AFTER_MS = [0, 500, 1000, 2000, 3000, 5000];
const ROUNDS_MAX = 40;
/** No round begins after this; it is only needed where most requests end without an answer. */
const LIMIT_MS = 180_000;
/** Trade records are asked for from this long before closing began. */
const BEFORE_MS = 60_000;

/** Binds closing to the parts of an account. */
export function flattening(parts: FlattenParts, live: LiveDeps) {
  return async (what: FlattenWish, signal: AbortSignal): Promise<FlattenReport> => {
    const botId = what.owner === null ? null : what.botId;
    const { state, reason } = live.cells.cell(live.account, botId);
    if (state === "frozen") {
      const sentence = `Nothing was sent: the trading state is frozen: ${reason}.`;
      return { isDone: false, sentence, rows: [] };
    }
    return close({
      ...{ parts, live, what, signal, sinceAt: live.clock.now() - BEFORE_MS, markets: new Map() },
      ...{ touched: new Set(), placed: new Set(), before: new Map(), refusals: new Map() },
    });
  };
}

async function close(run: FlattenRun): Promise<FlattenReport> {
  const { live, signal, markets } = run;
  const { clock, store, account } = live;
  const untilMs = clock.monotonicMs() + LIMIT_MS;
  const isDust = ({ symbol, qty }: BotHolding) => {
    const market = markets.get(symbol);
    return market !== undefined && compare(qty, market.rules.qtyMin) < 0;
  };
  let look: FlattenLook | null = null;
  let end: string | null = null;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const waitMs = ROUNDS_AFTER_MS[Math.min(round, ROUNDS_AFTER_MS.length - 1)] ?? 0;
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    signal.throwIfAborted();
    end = await takeBack(run);
    look = await lookAt(run);
    for (const holding of look.holdings) end ??= await closeHolding(run, look, holding);
    if (look.holdings.length > 0) look = await lookAt(run);
    if (isFlat(look, isDust) || end !== null || clock.monotonicMs() > untilMs) break;
  }
  assert(look !== null, "closing has at least one round");
  const ids = [...run.placed];
  const placed = ids.length === 0 ? [] : await store.orders(account.scope, account.accountId, ids);
  return reportOf({
    ...{ look, end, isDust, refusals: run.refusals, before: [...run.before.values()] },
    placed: placed.map(({ intent }) => intent),
  });
}

/** Cancels what works, parked orders too. @returns why no round may follow; null when one may */
async function takeBack({ live, parts, what, touched }: FlattenRun): Promise<string | null> {
  const { store, account } = live;
  const alive = await store.aliveIntents(account.scope, account.accountId);
  const wanted = alive.filter((intent) => concerns(what, intent.owner) && !isClose(intent));
  if (wanted.length === 0) return null;
  for (const { id } of wanted) touched.add(id);
  const batch = { place: [], park: [], send: [], step: null, isFlatten: true };
  const report = await parts.dispatcher.dispatch({ ...batch, cancel: wanted });
  return report.ok ? null : endOf(report);
}

function endOf({ reason, detail }: { readonly reason: string; readonly detail: string }) {
  return reason === "lease_lost" || reason === "stopping" ? `It ended early: ${detail}` : null;
}

/** Sends the orders that close a holding. @returns why no round may follow; null when one may */
async function closeHolding(
  run: FlattenRun,
  look: FlattenLook,
  holding: BotHolding,
): Promise<string | null> {
  const { parts, live, touched, placed, refusals } = run;
  const key = holdingKey(holding);
  refusals.delete(key);
  const orders = await ordersFor(run, look, holding);
  if (typeof orders === "string") {
    refusals.set(key, orders);
    return null;
  }
  if (orders.length === 0) return null;
  const batch = { cancel: [], park: [], send: [], step: null, isFlatten: true };
  const report = await parts.dispatcher.dispatch({ ...batch, place: orders });
  if (!report.ok) {
    live.log.warn(`closing ${key} was not written down: ${report.detail}`);
    return endOf(report);
  }
  for (const result of report.dispatched) {
    if (result.intent !== null) {
      touched.add(result.intent.id);
      placed.add(result.intent.id);
    }
    const refusal = refusalOf(result);
    if (refusal !== null) refusals.set(key, refusal);
  }
  return null;
}

function refusalOf(result: Dispatched): string | null {
  if (result.outcome === "refused" || result.outcome === "withheld") return result.sentence;
  return result.outcome === "unverified" ? "nobody knows yet whether the order arrived" : null;
}

/** The closing orders that may be sent now, or the sentence that says why none may. */
async function ordersFor(
  run: FlattenRun,
  look: FlattenLook,
  holding: BotHolding,
): Promise<readonly PlaceOrder[] | string> {
  const { live, markets } = run;
  const { symbol, side, owner, botId } = holding;
  const market = markets.get(symbol);
  if (market === undefined) return "the rules of the market could not be read";
  const { state, reason } = live.cells.cell(live.account, botId);
  const qty = await orderable(run, look, holding);
  if (compare(qty, ZERO) <= 0) return "orders nobody is sure of may still close it";
  const touch = await touchOf(run, holding);
  const orders: PlaceOrder[] = [];
  for (const qtyLots of slicesOf(qty, market.rules, touch)) {
    const approved = approvedClose(holding, qtyLots, state, live.clock.now());
    if (approved === null) return `the trading state is ${state}: ${reason}`;
    orders.push({
      ...{ approved, owner, botId, referencePrice: null, heldQty: qty },
      market: { rules: market.rules, leverage: null, maker: { queueLevel: null, mayTake: true } },
    });
  }
  if (orders.length > 0) return orders;
  return `${qty} ${symbol} ${side} is below the smallest order, ${market.rules.qtyMin}`;
}

/**
 * What may be ordered without closing more than is held, whatever becomes of orders in doubt. A leg that is
 * the bot's alone and still stands at the exchange may be ordered again: reduce-only holds it at zero.
 */
async function orderable(
  { live, signal }: FlattenRun,
  look: FlattenLook,
  holding: BotHolding,
): Promise<Decimal> {
  const { symbol, side, qty } = holding;
  const leaving = leavingQty(look, holding);
  if (compare(leaving, ZERO) === 0) return qty;
  const sure = subtract(qty, leaving);
  if (compare(sure, ZERO) > 0 || look.isShared(holding)) return sure;
  try {
    const legs = await live.broker.positions(symbol, { signal, isFlatten: true });
    const leg = legs.find(({ positionSide }) => positionSide === side);
    return leg !== undefined && compare(leg.qty, qty) <= 0 ? leg.qty : ZERO;
  } catch (error) {
    signal.throwIfAborted();
    live.log.warn(`the position of ${symbol} could not be read while closing`, { error });
    return ZERO;
  }
}

/** What stands at the best price of the other side; null when it cannot be read: closing does not wait. */
async function touchOf({ live, signal }: FlattenRun, { symbol, side }: BotHolding) {
  try {
    const book = await live.broker.topOfBook(symbol, { signal, isFlatten: true });
    return side === "long" ? book.bidQty : book.askQty;
  } catch (error) {
    signal.throwIfAborted();
    live.log.warn(`the book of ${symbol} could not be read while closing`, { error });
    return null;
  }
}

function approvedClose(
  { side }: BotHolding,
  qtyLots: number,
  state: Parameters<typeof approve>[1],
  at: number,
): ApprovedIntent | null {
  const intent: OrderIntent = {
    op: "place",
    slot: -1,
    target: {
      key: "flatten",
      purpose: "flatten",
      kind: "market",
      side: side === "long" ? "sell" : "buy",
      positionSide: side,
      isReduceOnly: true,
      priceTicks: 0,
      qtyLots,
      bandPct: 0,
      decidedAt: at,
      liveFrom: 0,
      replacePct: 0,
      reason: "FLATTEN",
    },
  };
  const approved: ApprovedIntent[] = [];
  approve([intent], state, approved, []);
  return approved[0] ?? null;
}
