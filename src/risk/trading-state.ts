// The trading-state table: which purpose may be placed in which state, and which resting orders have to
// be taken back. One table for every mode; the dispatcher, the step and the live loop read it.
import type { OrderPurpose } from "../model/order.ts";

export type TradingState = "active" | "reducing" | "halted" | "frozen";

const ENTRIES = { entry: true, rung: true } as const;
const NO_ENTRIES = { entry: false, rung: false } as const;
const EXITS = { take_profit: true, exit: true } as const;
const NO_EXITS = { take_profit: false, exit: false } as const;

const TABLE: Record<TradingState, Record<OrderPurpose, boolean>> = {
  active: { ...ENTRIES, ...EXITS, protective_stop: true, flatten: true },
  reducing: { ...NO_ENTRIES, ...EXITS, protective_stop: true, flatten: true },
  halted: { ...NO_ENTRIES, ...NO_EXITS, protective_stop: true, flatten: true },
  frozen: { ...NO_ENTRIES, ...NO_EXITS, protective_stop: false, flatten: false },
};

const ORDER: readonly TradingState[] = ["active", "reducing", "halted", "frozen"];

/** Whether an order of this purpose may be placed in the given state. */
export function permits(state: TradingState, purpose: OrderPurpose): boolean {
  return TABLE[state][purpose];
}

/**
 * Whether a resting order of this purpose has to be taken back in the given state: entries that may not
 * be placed any more. Frozen touches nothing, so an entry that rests then may still fill.
 */
export function mustWithdraw(state: TradingState, purpose: OrderPurpose): boolean {
  const isEntry = purpose === "entry" || purpose === "rung";
  return isEntry && (state === "reducing" || state === "halted");
}

/** The strictest of the states of all scopes (global, live, account, bot). */
export function strictest(states: readonly TradingState[]): TradingState {
  let rank = 0;
  for (const state of states) rank = Math.max(rank, ORDER.indexOf(state));
  return ORDER[rank] ?? "frozen";
}
