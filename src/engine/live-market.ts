// What a market tells a live bot: closed candles, history for its indicators, prices. Candles are told to the strategy
// exactly once and in order; prices move orders between here and the exchange, follow an armed stop and start the
// clock of a touched take-profit. Used by live-bot.ts only.
import type { Candle } from "../model/candle.ts";
import { ok, refuse, type Result } from "../model/result.ts";
import { type EpochMs, isoUtc } from "../model/time.ts";
import { notePathPrice } from "./accounting.ts";
import {
  approveOne,
  askCancel,
  askStrays,
  CANCEL_AGAIN_MS,
  type LiveCore,
  send,
} from "./live-core.ts";
import { isAtOrBeyond, orderMove } from "./live-orders.ts";

type CandleRefusal = "CANDLE_REPEATED" | "CANDLE_GAP" | "CANDLE_OFF_GRID";

/** Feeds the indicators alone; what closed while nobody watched is never told to the strategy. */
export function hearHistory<S>(
  core: LiveCore<S>,
  candles: readonly Candle[],
): Result<null, CandleRefusal> {
  let last = core.fedOpenAt;
  for (const { openAt } of candles) {
    const refused = checkOpen(core, openAt, last);
    if (refused) return refused;
    last = openAt;
  }
  for (const candle of candles) {
    core.signals.push(candle);
    core.fedOpenAt = candle.openAt;
    if (candle.openAt <= core.candleOpenAt) continue;
    core.candleOpenAt = candle.openAt;
    forgetExtremes(core);
  }
  return ok(null);
}

function checkOpen<S>(core: LiveCore<S>, openAt: EpochMs, last: EpochMs) {
  if (openAt % core.timeframeMs !== 0) {
    return refuse("CANDLE_OFF_GRID", `candle: ${isoUtc(openAt)} opens no candle of this timeframe`);
  }
  if (openAt > last) return null;
  return refuse(
    "CANDLE_REPEATED",
    `candle: ${isoUtc(openAt)} was seen, the last is ${isoUtc(last)}`,
  );
}

/** A candle that closed just now. */
export function hearCandle<S>(
  core: LiveCore<S>,
  candle: Candle,
  mayEnter: boolean,
  isGapKnown: boolean,
): Result<null, CandleRefusal> {
  const { openAt, close, high, low } = candle;
  const last = Math.max(core.candleOpenAt, core.fedOpenAt);
  const refused = checkOpen(core, openAt, last);
  if (refused) return refused;
  const isFed = core.fedOpenAt === last;
  if (last >= 0 && (!isFed || (openAt > last + core.timeframeMs && !isGapKnown))) {
    const since = isoUtc(Math.max(core.fedOpenAt, 0));
    return refuse("CANDLE_GAP", `candle: ${isoUtc(openAt)} comes, the last one is ${since}`);
  }
  const signals = core.signals.push(candle);
  core.fedOpenAt = openAt;
  core.candleOpenAt = openAt;
  const at = openAt + core.timeframeMs;
  const balance = sizingBalance(core);
  if (balance !== null) send(core, { kind: "balance_told", at, balance });
  const isSince = core.reachedHigh > 0;
  send(core, {
    kind: "candle_closed",
    at,
    openAt,
    close,
    reachedHigh: isSince ? Math.max(core.reachedHigh, close) : high,
    reachedLow: isSince ? Math.min(core.reachedLow, close) : low,
    signals,
    atr: core.signals.atr,
    mayEnter: mayEnter && balance !== null && isClear(core),
  });
  forgetExtremes(core);
  return ok(null);
}

function forgetExtremes<S>(core: LiveCore<S>): void {
  core.reachedHigh = -1;
  core.reachedLow = -1;
}

/** Allocation plus what was realised, less costs; null until the ledger was heard of. */
export function realisedBalance<S>(core: LiveCore<S>): number | null {
  return core.net === null ? null : Number(core.deps.allocation) + core.net;
}

/** What a new entry is sized by: never above the cap, never above what is free at the exchange. */
function sizingBalance<S>(core: LiveCore<S>): number | null {
  const realised = realisedBalance(core);
  if (realised === null) return null;
  const { balanceCap } = core.deps;
  const capped = balanceCap === null ? realised : Math.min(realised, Number(balanceCap));
  return core.freeCollateral === null ? capped : Math.min(capped, core.freeCollateral);
}

/** Whether nothing of an earlier position is left: all records known, no order of it that may still work. */
function isClear<S>(core: LiveCore<S>): boolean {
  const { working } = core.state;
  if (core.unexplainedLots > 0) return false;
  return working.every((order) => !order || order.purpose === "entry");
}

/** A price of the market now. */
export function hearPrice<S>(core: LiveCore<S>, at: EpochMs, price: number): void {
  core.lastPrice = price;
  const { state } = core;
  if (core.reachedHigh > 0) {
    core.reachedHigh = Math.max(core.reachedHigh, price);
    core.reachedLow = Math.min(core.reachedLow, price);
  }
  if (state.position.sign !== 0) notePathPrice(state.cycle, price);
  noteTouches(core, at, price);
  send(core, { kind: "price_ticked", at, price });
  for (let slot = 0; slot < core.slots.length; slot++) move(core, at, slot, price);
  askStrays(core, at);
}

/** The clock of an exit timeout starts when the market first is at or beyond a resting order (rules E39, E63). */
function noteTouches<S>(core: LiveCore<S>, at: EpochMs, price: number): void {
  core.slots.forEach((order, slot) => {
    const target = core.state.working[slot];
    if (!order || !target || order.isTouched || order.isParked || order.isUnverified) return;
    if (order.intentId === null || (target.kind !== "limit" && target.kind !== "post_only")) return;
    if (!isAtOrBeyond(target, core.prices, price)) return;
    order.isTouched = true;
    send(core, { kind: "order_touched", at, slot });
  });
}

/** Parks, activates, or asks again for a cancel that was not confirmed. */
function move<S>(core: LiveCore<S>, at: EpochMs, slot: number, price: number): void {
  const order = core.slots[slot];
  const target = core.state.working[slot];
  if (!order || !target || order.intentId === null) return;
  const { intentId } = order;
  const { isParking } = order;
  if (isParking || (core.state.leaving & (1 << slot)) !== 0) {
    const isDue = at - order.cancelAskedAt >= CANCEL_AGAIN_MS;
    if (!isDue || !approveOne(core, { op: "cancel", slot, target })) return;
    askCancel(core, slot, at);
    order.isParking = isParking;
    return;
  }
  if (order.isUnverified) return;
  const wanted = orderMove(target, order.isParked, core.prices, price, at);
  if (wanted === "stay") return;
  const op = wanted === "park" ? "cancel" : "place";
  const approved = approveOne(core, { op, slot, target });
  if (!approved) return;
  if (wanted === "park") {
    askCancel(core, slot, at);
    order.isParking = true;
  } else {
    order.isParked = false;
    core.commands.push({ op: "activate", slot, intentId, approved });
  }
}

/** Something that never left us: a place makes room, an activation or a cancel is tried again at the next price. */
export function hearNotSent<S>(
  core: LiveCore<S>,
  at: EpochMs,
  op: "place" | "park" | "activate" | "cancel",
  targetKey: string,
  reason: string,
): void {
  const slot = core.state.working.findIndex((order) => order?.key === targetKey);
  const order = core.slots[slot];
  if (!order) return;
  if (op === "activate") order.isParked = true;
  else if (op === "cancel" && order.isParking) order.isParking = false;
  else {
    const untilCandle = reason === "RULES";
    const what = op === "cancel" ? "cancel" : "place";
    send(core, { kind: "order_withheld", at, slot, op: what, untilCandle });
  }
}
