// Entry decisions at the close of a bar (E12, E14-E19). Used by oracle.ts after the walk; it must
// see nothing but the snapshot of that close and the account.

import { createOrder } from "./orders.ts";
import { below, passive, roundDown } from "./rounding.ts";
import { entrySide } from "./rules.ts";
import {
  gateHolds,
  isReady,
  signalHolds,
  type Snapshot,
  trendHolds,
} from "./signals.ts";
import type { Sim } from "./sim.ts";
import type { Decisions, Dir } from "./types.ts";
import { fillMarketEntry } from "./walk.ts";

/** Cancels a pending entry that timed out (E18) or lost its signal (E19). */
export function reviewPendingEntry(sim: Sim, snapshot: Snapshot): void {
  const entry = sim.entry;
  if (entry === null) return;
  const { config } = sim.settings;
  const timeoutMs = config.general.entry_timeout_min * 60_000;
  if (timeoutMs > 0 && closeAt(sim) - entry.decidedAt >= timeoutMs) {
    sim.entry = null;
    sim.decisions.entry_timeout += 1;
    return;
  }
  const holds =
    trendHolds(snapshot, entry.dir, config) &&
    signalHolds(snapshot, entry.dir, config);
  if (holds) return;
  sim.entry = null;
  sim.decisions.entry_flipped += 1;
}

/** Takes one decision while flat with no entry pending, and counts its outcome (E14). */
export function decideEntry(sim: Sim, snapshot: Snapshot): void {
  const choice = chooseDirection(sim, snapshot);
  if (choice !== 1 && choice !== -1) {
    sim.decisions[choice] += 1;
    return;
  }
  const qty = entryQty(sim, snapshot.close);
  if (qty === null) {
    sim.rejections.entry_below_min += 1;
    sim.decisions.below_min += 1;
    return;
  }
  sim.decisions[choice === 1 ? "entry_long" : "entry_short"] += 1;
  placeEntry(sim, choice, qty);
}

function closeAt(sim: Sim): number {
  return sim.bar.t + sim.settings.barMs;
}

function chooseDirection(sim: Sim, snapshot: Snapshot): Dir | keyof Decisions {
  const { config } = sim.settings;
  const { general } = config;
  const allowed: Dir[] = [];
  if (general.allow_long) allowed.push(1); // long is tested first
  if (general.allow_short) allowed.push(-1);
  const times = [sim.lastEntryAt, sim.lastExitAt].filter((at) => at !== null);
  const cooldownMs = general.entry_cooldown_min * 60_000;
  if (times.length > 0 && closeAt(sim) - Math.max(...times) < cooldownMs)
    return "cooldown"; // E15
  if (!(sim.balance > 0)) return "no_balance";
  if (!isReady(snapshot, config)) return "not_ready";
  const trending = allowed.filter((dir) => trendHolds(snapshot, dir, config));
  if (trending.length === 0) return "trend";
  const signalled = trending.find((dir) => signalHolds(snapshot, dir, config));
  if (signalled === undefined) return "no_signal";
  return gateHolds(snapshot, signalled, config) ? signalled : "ma_gate";
}

// E16: null when the order would be too small.
function entryQty(sim: Sim, close: number): number | null {
  const { config, instrument, step } = sim.settings;
  const { general } = config;
  const notional =
    general.initial_entry_sizing_mode === "pct_balance"
      ? (sim.balance * general.initial_entry_balance_pct) / 100
      : Math.min(general.initial_entry_fixed_usd, sim.balance);
  const qty = roundDown(step, notional / (close * instrument.contract_size));
  if (qty <= 0 || qty < instrument.min_qty) return null;
  const value = qty * close * instrument.contract_size;
  return below(value, instrument.min_notional) ? null : qty;
}

// E17 for market entries, E18 for everything that rests.
function placeEntry(sim: Sim, dir: Dir, qty: number): void {
  const { config, run, tick } = sim.settings;
  const { entry_order_style: style, dynamic_activation } = config.general;
  const bandPct = dynamic_activation.entry_pct;
  const decidedAt = closeAt(sim);
  if (style === "market" && bandPct === 0) {
    sim.entry = { dir, decidedAt, qty, order: null };
    if (run.entry_fill !== "close") return;
    sim.now = decidedAt; // E31
    fillMarketEntry(sim, false);
    return;
  }
  const side = entrySide(dir);
  const order = createOrder({
    kind: "entry",
    side,
    style,
    target: passive(tick, side, sim.bar.c),
    qty,
    bandPct,
    live: false,
    liveFrom: decidedAt,
  });
  sim.entry = { dir, decidedAt, qty, order };
}
