// The mutable account of the reference backtest and its bookings: opening and growing a position,
// closing it, funding, ruin (E30, E41, E51-E55). Used by rules.ts, walk.ts and oracle.ts.

import type { Order } from "./orders.ts";
import { atMost, snap } from "./rounding.ts";
import type { Settings } from "./settings.ts";
import type {
  Bar,
  Cycle,
  Decisions,
  Dir,
  Fill,
  Liquidity,
  Rejections,
} from "./types.ts";

/** The open position with its orders; `best` is the best path price this bar (E48). */
export type Position = {
  dir: Dir;
  cycle: number;
  openedAt: number;
  size: number;
  avg: number;
  entries: number;
  baseQty: number;
  firstPrice: number;
  lastExpandAt: number;
  atrAtEntry: number | null;
  level: number;
  ladderOpen: boolean;
  rung: Order | null;
  tp: Order | null;
  fixedStop: number | null;
  trail: { peak: number; stop: number } | null;
  best: number;
  fees: number;
  funding: number;
  mae: number;
  mfe: number;
};

/** A decided entry that is not filled yet; `order` is null for a market entry at the next open. */
export type PendingEntry = {
  dir: Dir;
  decidedAt: number;
  qty: number;
  order: Order | null;
};

/** Everything that changes during a run; `now` and `path` are the place the walk has reached. */
export type Sim = {
  settings: Settings;
  bar: Bar;
  now: number;
  path: number;
  atr: number | null;
  balance: number;
  position: Position | null;
  entry: PendingEntry | null;
  exitAtOpen: string | null;
  barOver: boolean;
  exposed: boolean;
  ruined: boolean;
  lastEntryAt: number | null;
  lastExitAt: number | null;
  fills: Fill[];
  cycles: Cycle[];
  rejections: Rejections;
  decisions: Decisions;
  ledger: {
    realised: number;
    feeCost: number;
    funding: number;
    writeoff: number;
  };
  slippageCost: number;
  maxNotional: number;
};

/** A flat account at the start of a run. */
export function createSim(settings: Settings): Sim {
  return {
    settings,
    bar: { t: 0, o: 0, h: 0, l: 0, c: 0 },
    now: 0,
    path: 0,
    atr: null,
    balance: settings.run.initial_balance,
    position: null,
    entry: null,
    exitAtOpen: null,
    barOver: false,
    exposed: false,
    ruined: false,
    lastEntryAt: null,
    lastExitAt: null,
    fills: [],
    cycles: [],
    rejections: {
      entry_margin: 0,
      entry_below_min: 0,
      rung_margin: 0,
      rung_below_min: 0,
    },
    decisions: {
      entry_long: 0,
      entry_short: 0,
      cooldown: 0,
      no_balance: 0,
      not_ready: 0,
      trend: 0,
      no_signal: 0,
      ma_gate: 0,
      below_min: 0,
      entry_timeout: 0,
      entry_flipped: 0,
    },
    ledger: { realised: 0, feeCost: 0, funding: 0, writeoff: 0 },
    slippageCost: 0,
    maxNotional: 0,
  };
}

/** Unrealised profit of the open position at a price (E5). */
export function unrealised(sim: Sim, price: number): number {
  const position = sim.position;
  if (position === null) return 0;
  const contract = sim.settings.instrument.contract_size;
  return position.dir * (price - position.avg) * position.size * contract;
}

/** Balance plus unrealised profit at a price. */
export function equityAt(sim: Sim, price: number): number {
  return sim.balance + unrealised(sim, price);
}

/** Price at which the position is liquidated, or null when it cannot be (E52). */
export function liquidationPrice(sim: Sim): number | null {
  const position = sim.position;
  if (position === null) return null;
  const { dir, avg, size } = position;
  const q = size * sim.settings.instrument.contract_size;
  const rate = sim.settings.run.maintenance_margin_rate;
  const price = (avg * q - dir * sim.balance) / (q * (1 - dir * rate));
  return price > 0 ? price : null;
}

/** Lowest and highest gain over the path so far, against the average in force (E30). */
export function noteExcursion(position: Position, price: number): void {
  const gain = position.dir * (price / position.avg - 1);
  position.mae = Math.min(position.mae, gain);
  position.mfe = Math.max(position.mfe, gain);
}

/** A fill about to happen at the current place of the walk. */
export type Execution = {
  price: number;
  qty: number;
  liquidity: Liquidity;
  reason: string;
};

// E55, and the result's fill list.
function book(
  sim: Sim,
  exec: Execution,
  dir: Dir,
  opening: boolean,
  cycle: number,
): number {
  const { instrument } = sim.settings;
  const fee = feeOf(sim, exec);
  sim.balance -= fee;
  sim.ledger.feeCost += fee;
  if (exec.liquidity === "taker") {
    const slipped = Math.abs(exec.price - sim.path);
    sim.slippageCost += slipped * exec.qty * instrument.contract_size;
  }
  sim.fills.push({
    t: sim.now,
    bar_open_at: sim.bar.t,
    side: (dir === 1) === opening ? "BUY" : "SELL",
    position_side: dir === 1 ? "LONG" : "SHORT",
    price: exec.price,
    qty: exec.qty,
    fee,
    liquidity: exec.liquidity,
    reason: exec.reason,
    cycle,
  });
  return fee;
}

function feeOf(sim: Sim, exec: Execution): number {
  const { run, instrument } = sim.settings;
  const rate = exec.liquidity === "maker" ? run.maker_fee : run.taker_fee;
  return exec.price * exec.qty * instrument.contract_size * rate;
}

// E51: before the fill, at the fill price, less the fill's fee.
function marginAllows(sim: Sim, exec: Execution): boolean {
  const { run, instrument } = sim.settings;
  const held = sim.position === null ? 0 : sim.position.size * sim.position.avg;
  const notional = (held + exec.qty * exec.price) * instrument.contract_size;
  return atMost(
    notional / run.leverage,
    equityAt(sim, exec.price) - feeOf(sim, exec),
  );
}

/**
 * Books an entry or a rung; returns the position, or null when margin refuses it (E51).
 * The caller creates the orders that follow from it.
 */
export function expand(sim: Sim, dir: Dir, exec: Execution): Position | null {
  if (!marginAllows(sim, exec)) return null;
  const position = sim.position ?? newPosition(sim, dir, exec);
  const opened = sim.position === null;
  sim.position = position;
  position.fees += book(sim, exec, dir, true, position.cycle);
  if (!opened) {
    const cost = position.avg * position.size + exec.price * exec.qty; // E3
    position.avg = cost / (position.size + exec.qty);
    position.size = snap(sim.settings.step, position.size + exec.qty); // E2
    position.entries += 1;
  }
  position.lastExpandAt = sim.now;
  position.trail = null; // E49
  position.best = sim.path; // E48
  noteExcursion(position, sim.path);
  sim.lastEntryAt = sim.now;
  const notional =
    position.size * position.avg * sim.settings.instrument.contract_size;
  sim.maxNotional = Math.max(sim.maxNotional, notional);
  return position;
}

function newPosition(sim: Sim, dir: Dir, exec: Execution): Position {
  return {
    dir,
    cycle: sim.cycles.length + 1,
    openedAt: sim.now,
    size: exec.qty,
    avg: exec.price,
    entries: 1,
    baseQty: exec.qty, // E41
    firstPrice: exec.price, // E41
    lastExpandAt: sim.now,
    atrAtEntry: sim.atr, // E43, E46, E47
    level: 0,
    ladderOpen: true,
    rung: null,
    tp: null,
    fixedStop: null,
    trail: null,
    best: sim.path,
    fees: 0,
    funding: 0,
    mae: 0,
    mfe: 0,
  };
}

/** Closes the whole position in one fill (E2), ends the bar (E29) and tests for ruin (E53). */
export function close(sim: Sim, exec: Omit<Execution, "qty">): void {
  const position = sim.position;
  if (position === null) return;
  const pnl = unrealised(sim, exec.price);
  const { dir, size, cycle } = position;
  position.fees += book(sim, { ...exec, qty: size }, dir, false, cycle);
  sim.balance += pnl;
  sim.ledger.realised += pnl;
  sim.cycles.push(cycleOf(position, sim.now, exec.price, exec.reason, pnl));
  sim.position = null;
  sim.exitAtOpen = null;
  sim.lastExitAt = sim.now;
  sim.barOver = true;
  if (exec.reason !== "LIQUIDATION" && sim.balance > 0) return;
  sim.ruined = true;
  if (sim.balance < 0) {
    sim.ledger.writeoff -= sim.balance;
    sim.balance = 0;
  }
}

/** The cycle record of a position; `pnl` is realised, or unrealised when still open (E56). */
export function cycleOf(
  position: Position,
  closedAt: number | null,
  exitPrice: number | null,
  reason: string,
  pnl: number,
): Cycle {
  return {
    cycle: position.cycle,
    position_side: position.dir === 1 ? "LONG" : "SHORT",
    opened_at: position.openedAt,
    closed_at: closedAt,
    entries: position.entries,
    qty: position.size,
    avg_entry: position.avg,
    exit_price: exitPrice,
    exit_reason: reason,
    net: pnl - position.fees + position.funding,
    fees: position.fees,
    funding: position.funding,
    mae: position.mae,
    mfe: position.mfe,
  };
}

/** Exchanges the funding of one stamp at the open of the current bar (E54). */
export function payFunding(sim: Sim, rate: number): void {
  const position = sim.position;
  if (position === null) return;
  const notional =
    position.size * sim.settings.instrument.contract_size * sim.bar.o;
  const payment = -position.dir * notional * rate;
  sim.balance += payment;
  sim.ledger.funding += payment;
  position.funding += payment;
}
