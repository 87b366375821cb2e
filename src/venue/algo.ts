// Algo orders: stops, trailing stops, take-profit and stop-loss of a position, brackets. They watch a
// price and enter plain orders through trading.ts. Called by the handlers and by aftermath.ts.
import { type Account, closableLots, heldLots, HISTORY_MAX } from "./account.ts";
import { type Algo, type AlgoType, isAlgoOpen } from "./algo-order.ts";
import { VenueError } from "./errors.ts";
import type { Draft } from "./order-rules.ts";
import type { Order, OrderType, Side } from "./order.ts";
import { accountOf, type Exchange, type Market, marketFor, record } from "./state.ts";
import { placeOrder } from "./trading.ts";

/** Everything a new algo order needs; see `Algo` for the fields. */
export type AlgoPlan = Pick<
  Algo,
  | "instrument"
  | "clientId"
  | "tag"
  | "algoType"
  | "side"
  | "positionSide"
  | "type"
  | "reduceOnly"
  | "triggerPriceType"
  | "triggerTicks"
  | "firesAbove"
  | "ticks"
  | "lots"
  | "activationTicks"
  | "callbackTicks"
  | "callbackPpm"
>;

/** Where a new algo order belongs. */
type Place = { readonly parent: Algo | null; readonly isArmed: boolean };

/** The price an algo order watches. */
export function watchedTicks(market: Market, type: Algo["triggerPriceType"]): number {
  return type === "MARK_PRICE" ? market.markTicks : market.lastTicks;
}

/** A stop that an earlier venue watched goes on under its id. */
export function restoreAlgo(
  x: Exchange,
  account: Account,
  { id, createdAt }: { readonly id: number; readonly createdAt: number },
  stop: Omit<
    AlgoPlan,
    "tag" | "algoType" | "triggerPriceType" | "activationTicks" | "callbackTicks" | "callbackPpm"
  >,
): Algo {
  const plan: AlgoPlan = {
    ...stop,
    tag: "default",
    algoType: stopKind(stop.side, stop.firesAbove),
    triggerPriceType: "MARKET_PRICE",
    activationTicks: null,
    callbackTicks: null,
    callbackPpm: null,
  };
  x.ids.algo = Math.max(x.ids.algo, id);
  return watch(x, account, plan, { parent: null, isArmed: true, id, createdAt });
}

/** Makes an algo order and starts to watch; a container only holds its children. */
export function openAlgo(x: Exchange, account: Account, plan: AlgoPlan, place: Place): Algo {
  return watch(x, account, plan, { ...place, id: ++x.ids.algo, createdAt: x.now });
}

function watch(
  x: Exchange,
  account: Account,
  plan: AlgoPlan,
  { parent, isArmed, id, createdAt }: Place & { readonly id: number; readonly createdAt: number },
): Algo {
  const algo: Algo = {
    ...plan,
    id,
    accountId: account.id,
    rootId: parent?.rootId ?? id,
    parentId: parent?.id ?? 0,
    createdAt,
    isArmed,
    isActivated: plan.activationTicks === null,
    extremeTicks: null,
    status: "NEW",
    triggeredAt: 0,
    updatedAt: x.now,
    order: null,
    children: [],
    reason: "",
  };
  parent?.children.push(algo);
  account.algos.set(id, algo);
  if (account.algos.size > HISTORY_MAX) forgetOldest(account);
  x.liveAlgos.add(algo);
  const { algoType, side, lots, triggerTicks } = algo;
  record(x, "algo_new", { account: account.name, id, algoType, side, lots, triggerTicks });
  x.listener.onAlgo(account, algo);
  return algo;
}

function forgetOldest(account: Account): void {
  for (const algo of account.algos.values()) {
    if (isAlgoOpen(algo)) continue;
    account.algos.delete(algo.id);
    return;
  }
}

/** Places the entry of a bracket at once; its children wait until the position is there. */
export function enterBracket(x: Exchange, account: Account, algo: Algo): void {
  algo.triggeredAt = x.now;
  enter(x, account, algo);
}

/** Cancels an algo order with its children; a plain order it became is left alone. */
export function cancelAlgo(x: Exchange, account: Account, algo: Algo, reason: string): void {
  if (!isAlgoOpen(algo)) throw new VenueError(-1006);
  endAlgo(x, account, algo, "CANCELLED", reason);
}

function endAlgo(
  x: Exchange,
  account: Account,
  algo: Algo,
  status: Algo["status"],
  reason: string,
): void {
  if (!isAlgoOpen(algo)) return;
  setStatus(x, account, algo, status, reason);
  for (const child of algo.children) endAlgo(x, account, child, status, reason);
}

function setStatus(
  x: Exchange,
  account: Account,
  algo: Algo,
  status: Algo["status"],
  reason: string,
): void {
  algo.status = status;
  algo.reason = reason;
  algo.updatedAt = x.now;
  if (!isAlgoOpen(algo)) x.liveAlgos.delete(algo);
  record(x, "algo", { id: algo.id, status, reason });
  x.listener.onAlgo(account, algo);
}

/**
 * Looks at every live algo order once: follows plain orders it became, arms brackets, drops what lost
 * its position, sets off what reached its price.
 * @returns true when something changed
 */
export function tendAlgos(x: Exchange): boolean {
  let hasChanged = false;
  for (const algo of [...x.liveAlgos]) {
    if (!isAlgoOpen(algo)) continue;
    const account = accountOf(x, algo.accountId);
    if (algo.order) hasChanged = follow(x, account, algo, algo.order) || hasChanged;
    else if (algo.algoType === "POSITIONAL_TP_SL")
      hasChanged = tendPositional(x, account, algo) || hasChanged;
    else if (algo.isArmed && isReached(x, algo)) {
      setOff(x, account, algo);
      hasChanged = true;
    }
  }
  return hasChanged;
}

/** Copies the status of the plain order; an entry that filled arms the children of its bracket. */
function follow(x: Exchange, account: Account, algo: Algo, order: Order): boolean {
  if (algo.status === order.status) return false;
  setStatus(x, account, algo, order.status, order.reason);
  if (algo.algoType !== "BRACKET") return true;
  if (order.executedLots > 0) for (const child of algo.children) arm(child);
  else if (!isAlgoOpen(algo)) {
    for (const child of algo.children)
      endAlgo(x, account, child, "CANCELLED", "entry did not fill");
  }
  return true;
}

function arm(algo: Algo): void {
  algo.isArmed = true;
  for (const child of algo.children) arm(child);
}

/** A positional container ends with its position, or when one of its children went off. */
function tendPositional(x: Exchange, account: Account, algo: Algo): boolean {
  if (!algo.isArmed) return false;
  const done = algo.children.find((child) => child.order !== null);
  if (done && !isAlgoOpen(done)) {
    for (const child of algo.children) {
      if (child !== done) endAlgo(x, account, child, "CANCELLED", "the other leg was triggered");
    }
    endAlgo(x, account, algo, done.status, done.reason);
    return true;
  }
  if (!done && heldLots(account, algo.instrument, algo.positionSide) === 0) {
    endAlgo(x, account, algo, "CANCELLED", "the position is closed");
    return true;
  }
  return false;
}

function isReached(x: Exchange, algo: Algo): boolean {
  const market = marketFor(x, algo.instrument);
  const ticks = watchedTicks(market, algo.triggerPriceType);
  if (algo.algoType === "TRAILING_STOP") return isTrailReached(algo, ticks);
  if (algo.triggerTicks === null) return false;
  return algo.firesAbove ? ticks >= algo.triggerTicks : ticks <= algo.triggerTicks;
}

/** Follows the best price since activation; reached when it came back by the callback. */
function isTrailReached(algo: Algo, ticks: number): boolean {
  const isSell = algo.side === "SELL";
  if (!algo.isActivated) {
    const start = algo.activationTicks ?? ticks;
    algo.isActivated = isSell ? ticks >= start : ticks <= start;
    if (!algo.isActivated) return false;
  }
  const best = algo.extremeTicks ?? ticks;
  algo.extremeTicks = isSell ? Math.max(best, ticks) : Math.min(best, ticks);
  const extreme = algo.extremeTicks;
  const back = algo.callbackTicks ?? Math.ceil((extreme * (algo.callbackPpm ?? 0)) / 1e6);
  algo.triggerTicks = isSell ? extreme - back : extreme + back;
  return isSell ? ticks <= algo.triggerTicks : ticks >= algo.triggerTicks;
}

function setOff(x: Exchange, account: Account, algo: Algo): void {
  algo.triggeredAt = x.now;
  record(x, "algo_triggered", { id: algo.id, ticks: algo.triggerTicks });
  enter(x, account, algo);
}

/** Enters the plain order of an algo order; a refusal ends it REJECTED. */
function enter(x: Exchange, account: Account, algo: Algo): void {
  const market = marketFor(x, algo.instrument);
  const isWhole = algo.type === "CLOSE_POSITION";
  const lots = isWhole
    ? closableLots(account, algo.instrument, algo.positionSide, algo.side)
    : algo.lots;
  const type: OrderType = algo.type === "CLOSE_POSITION" ? "MARKET" : algo.type;
  const closes = algo.positionSide === (algo.side === "BUY" ? "SHORT" : "LONG");
  const draft: Draft = {
    market,
    side: algo.side,
    type,
    positionSide: algo.positionSide,
    clientOrderId: "0",
    tag: algo.tag,
    ticks: type === "MARKET" ? null : algo.ticks,
    lots,
    amount: null,
    displayLots: null,
    reduceOnly: algo.reduceOnly || isWhole,
    isClosing: algo.reduceOnly || isWhole || closes,
    isAdjusted: false,
    bidAskLevel: null,
  };
  try {
    algo.order = placeOrder(x, account, draft);
    setStatus(x, account, algo, algo.order.status, algo.order.reason);
    if (algo.algoType === "BRACKET" && algo.order.executedLots > 0) {
      for (const child of algo.children) arm(child);
    }
  } catch (error) {
    if (!(error instanceof VenueError)) throw error;
    endAlgo(x, account, algo, "REJECTED", error.message);
  }
}

/** STOP by price: above the market a buy is a stop-loss, a sell a take-profit, below the reverse. */
export function stopKind(
  side: Side,
  firesAbove: boolean,
): AlgoType & ("STOP_LOSS" | "TAKE_PROFIT") {
  return (side === "BUY") === firesAbove ? "STOP_LOSS" : "TAKE_PROFIT";
}
