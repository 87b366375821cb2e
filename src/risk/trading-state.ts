// The trading-state table: which purpose may be placed in which state. One table for every mode;
// the dispatcher and the step both read it.
import type { OrderPurpose } from "../model/order.ts";

export type TradingState = "active" | "reducing" | "halted" | "frozen";

const TABLE: Record<TradingState, Record<OrderPurpose, boolean>> = {
  active: { entry: true, rung: true, take_profit: true, exit: true, protective_stop: true },
  reducing: { entry: false, rung: false, take_profit: true, exit: true, protective_stop: true },
  halted: { entry: false, rung: false, take_profit: false, exit: false, protective_stop: true },
  frozen: { entry: false, rung: false, take_profit: false, exit: false, protective_stop: false },
};

const ORDER: readonly TradingState[] = ["active", "reducing", "halted", "frozen"];

/** Whether an order of this purpose may be placed in the given state. */
export function permits(state: TradingState, purpose: OrderPurpose): boolean {
  return TABLE[state][purpose];
}

/** The strictest of the states of all scopes (global, live, account, bot). */
export function strictest(states: readonly TradingState[]): TradingState {
  let rank = 0;
  for (const state of states) rank = Math.max(rank, ORDER.indexOf(state));
  return ORDER[rank] ?? "frozen";
}
