// Levels that belong to an open position: take-profit (E46), fixed and trailing stop (E47-E50),
// ladder (E41-E45), and what a bar close does to them (E27, E39, E62). Used by walk.ts and
// oracle.ts; it creates and moves orders but never fills them.

import { createOrder } from "./orders.ts";
import { atLeast, below, passive, roundDown } from "./rounding.ts";
import type { Snapshot } from "./signals.ts";
import { signalHolds } from "./signals.ts";
import { noteExcursion, type Position, type Sim } from "./sim.ts";
import type { Dir, OrderSide } from "./types.ts";

/** Side of the orders that grow a position. */
export function entrySide(dir: Dir): OrderSide {
  return dir === 1 ? "BUY" : "SELL";
}

/** Side of the orders that close a position. */
export function exitSide(dir: Dir): OrderSide {
  return dir === 1 ? "SELL" : "BUY";
}

function isTighter(dir: Dir, level: number, than: number): boolean {
  return dir * (level - than) > 0;
}

/** Moves the walk to a path price: excursions (E30), best price (E48), trailing peak (E49). */
export function visit(sim: Sim, price: number): void {
  sim.path = price;
  const position = sim.position;
  if (position === null) return;
  noteExcursion(position, price);
  if (isTighter(position.dir, price, position.best)) position.best = price;
  const trail = position.trail;
  if (trail === null) return;
  if (isTighter(position.dir, price, trail.peak)) trail.peak = price;
  ratchetTrail(sim, position);
}

// E49: follows the peak and the ATR of the last closed bar, never loosened.
function ratchetTrail(sim: Sim, position: Position): void {
  const trail = position.trail;
  if (trail === null) return;
  const level = trailLevel(sim, position, trail.peak);
  if (level !== null && isTighter(position.dir, level, trail.stop))
    trail.stop = level;
}

function trailLevel(sim: Sim, position: Position, peak: number): number | null {
  const { exits } = sim.settings.config;
  const { dir } = position;
  if (exits.sl_mode === "ATR" && sim.atr === null) return null;
  const gap =
    exits.sl_mode === "PCT"
      ? (peak * exits.trail_distance_pct) / 100
      : (sim.atr ?? 0) * exits.trail_distance_atr_mult;
  return passive(sim.settings.tick, exitSide(dir), peak - dir * gap); // E1
}

/** Tighter of fixed and trailing stop with its reason, or null (E50). */
export function effectiveStop(
  sim: Sim,
): { price: number; reason: string } | null {
  const position = sim.position;
  if (position === null) return null;
  const fixed = position.fixedStop;
  const trailing = position.trail?.stop ?? null;
  if (fixed === null && trailing === null) return null;
  if (
    fixed === null ||
    (trailing !== null && isTighter(position.dir, trailing, fixed))
  ) {
    return { price: trailing ?? 0, reason: "TRAILING_EXIT" };
  }
  return { price: fixed, reason: `SL_${sim.settings.config.exits.sl_mode}` };
}

/** Orders that an expanding fill creates; `live` is false for a fill at a bar close (E26, E27). */
export function ordersAfterExpand(
  sim: Sim,
  position: Position,
  live: boolean,
): void {
  placeTakeProfit(sim, position, live);
  position.fixedStop = fixedStopLevel(sim, position); // E47: may loosen at a fill
  placeRung(sim, position, live);
}

// E46: from the new average, with the ATR distance frozen for the cycle.
function placeTakeProfit(sim: Sim, position: Position, live: boolean): void {
  const { general, exits } = sim.settings.config;
  const { dir, avg, atrAtEntry } = position;
  position.tp = null;
  const isPct = exits.tp_mode === "PCT";
  const value = isPct ? exits.tp_pct : exits.tp_atr_mult;
  if (value === 0 || (!isPct && atrAtEntry === null)) return;
  const gap = isPct ? (avg * value) / 100 : (atrAtEntry ?? 0) * value;
  const side = exitSide(dir);
  const target = passive(sim.settings.tick, side, avg + dir * gap);
  if (target <= 0) return;
  position.tp = createOrder({
    kind: "tp",
    side,
    style: general.exit_order_style, // E22
    target,
    qty: position.size,
    bandPct: general.dynamic_activation.tp_pct,
    live,
    liveFrom: 0,
  });
}

// E47.
function fixedStopLevel(sim: Sim, position: Position): number | null {
  const { exits } = sim.settings.config;
  const { dir, avg } = position;
  const isPct = exits.sl_mode === "PCT";
  const range = exits.sl_atr_lock ? position.atrAtEntry : sim.atr;
  const value = isPct ? exits.sl_pct : exits.sl_atr_mult;
  if (value === 0 || (!isPct && range === null)) return null;
  const gap = isPct ? (avg * value) / 100 : (range ?? 0) * value;
  return passive(sim.settings.tick, exitSide(dir), avg - dir * gap);
}

// Rounded target of the current level, null while the ATR it needs is missing (E41, E43).
function rungTarget(sim: Sim, position: Position): number | null {
  const { general, dca } = sim.settings.config;
  const { dir, level } = position;
  const base = general.use_avg_entry_for_dca_base
    ? position.avg
    : position.firstPrice; // E41
  const stretch = dca.deviation_multiplier ** level;
  let raw: number;
  if (dca.deviation_mode === "PCT") {
    raw = base * (1 - (dir * dca.base_deviation_pct * stretch) / 100);
  } else {
    const range = general.lock_atr_on_entry_for_dca
      ? position.atrAtEntry
      : sim.atr;
    if (range === null) return null;
    raw = base - dir * dca.base_deviation_atr_mult * stretch * range;
  }
  return passive(sim.settings.tick, entrySide(dir), raw);
}

/** Creates the next rung, skipping levels that are too small for good (E28, E42). */
export function placeRung(sim: Sim, position: Position, live: boolean): void {
  const { config, instrument, step } = sim.settings;
  const most = config.general.max_entries;
  position.rung = null;
  while (
    position.ladderOpen &&
    position.entries < most &&
    position.level <= most - 2
  ) {
    const target = rungTarget(sim, position);
    if (target === null) return;
    if (target <= 0) {
      position.ladderOpen = false;
      return;
    }
    const growth = config.dca.volume_multiplier ** position.level;
    const qty = roundDown(step, position.baseQty * growth);
    const notional = qty * target * instrument.contract_size;
    const small = qty <= 0 || qty < instrument.min_qty;
    if (small || below(notional, instrument.min_notional)) {
      sim.rejections.rung_below_min += 1;
      position.level += 1;
      continue;
    }
    restRung(sim, position, target, qty, live);
    return;
  }
}

// E44: with a cooldown the rung exists but waits for a bar open.
function restRung(
  sim: Sim,
  position: Position,
  target: number,
  qty: number,
  live: boolean,
): void {
  const { general } = sim.settings.config;
  const cooldownMs = general.dca_cooldown_min * 60_000;
  position.rung = createOrder({
    kind: "rung",
    side: entrySide(position.dir),
    style: general.entry_order_style, // E22
    target,
    qty,
    bandPct: general.dynamic_activation.dca_pct,
    live: live && cooldownMs === 0,
    liveFrom: position.lastExpandAt + cooldownMs,
  });
}

/** Everything a bar close does to a position opened before it (E27). */
export function manageAtClose(sim: Sim, snapshot: Snapshot): void {
  const position = sim.position;
  if (position === null) return;
  const { exits } = sim.settings.config;
  if (position.atrAtEntry === null && sim.atr !== null) {
    position.atrAtEntry = sim.atr; // E43, E46: the first later close that has it
    if (exits.tp_mode === "ATR") placeTakeProfit(sim, position, false);
  }
  if (exits.sl_mode === "ATR") {
    const level = fixedStopLevel(sim, position);
    const { fixedStop } = position;
    if (
      level !== null &&
      (fixedStop === null || isTighter(position.dir, level, fixedStop))
    ) {
      position.fixedStop = level; // E47: only tighter at a close
    }
  }
  moveRungWithAtr(sim, position);
  if (position.trail === null) armTrailing(sim, position);
  else ratchetTrail(sim, position);
  decideMarketExit(sim, position, snapshot);
}

// E43: appears when the ATR does, and moves with it unless locked.
function moveRungWithAtr(sim: Sim, position: Position): void {
  const { dca, general } = sim.settings.config;
  if (dca.deviation_mode !== "ATR") return;
  if (position.rung === null) {
    placeRung(sim, position, false);
    return;
  }
  if (general.lock_atr_on_entry_for_dca) return;
  const target = rungTarget(sim, position);
  if (target === null || target === position.rung.target) return;
  if (target <= 0) {
    position.rung = null;
    position.ladderOpen = false;
    return;
  }
  restRung(sim, position, target, position.rung.qty, false);
}

// E48.
function armTrailing(sim: Sim, position: Position): void {
  const { exits } = sim.settings.config;
  const { dir, avg, best } = position;
  const isPct = exits.sl_mode === "PCT";
  const distance = isPct
    ? exits.trail_distance_pct
    : exits.trail_distance_atr_mult;
  if (distance === 0 || (!isPct && sim.atr === null)) return;
  const value = isPct
    ? exits.trail_activation_pct
    : exits.trail_activation_atr_mult;
  const needed = isPct ? (avg * value) / 100 : (sim.atr ?? 0) * value;
  const gain = dir * (sim.bar.c - avg);
  if (value !== 0 && !atLeast(gain, needed)) return;
  const stop = trailLevel(sim, position, best);
  if (stop !== null) position.trail = { peak: best, stop };
}

// E39 and E62; when both speak at one close, the exit timeout's reason wins.
function decideMarketExit(
  sim: Sim,
  position: Position,
  snapshot: Snapshot,
): void {
  const { config, barMs } = sim.settings;
  const closeAt = sim.bar.t + barMs;
  const timeoutMs = config.general.exit_timeout_min * 60_000;
  const touchedAt = position.tp?.touchedAt ?? null;
  if (timeoutMs > 0 && touchedAt !== null && closeAt - touchedAt >= timeoutMs) {
    sim.exitAtOpen = `TP_${config.exits.tp_mode}`;
    return;
  }
  const opposite: Dir = position.dir === 1 ? -1 : 1;
  if (config.exits.on_opposite_signal !== "close") return;
  if (signalHolds(snapshot, opposite, config))
    sim.exitAtOpen = "OPPOSITE_SIGNAL";
}
