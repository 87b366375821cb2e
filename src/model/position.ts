// The position of one bot in one instrument and its arithmetic in float64 (engine zone). The exact
// ledger is written elsewhere from exchange records.
import type { Sign } from "./order.ts";

/** `lots` is exact; `qty` is lots on the instrument grid; `average` stays a plain double (rule E3). */
export type Position = { sign: Sign; lots: number; qty: number; average: number };

/** A position of nothing. */
export function flatPosition(): Position {
  return { sign: 0, lots: 0, qty: 0, average: 0 };
}

/** Profit or loss in quote units of closing the position at `price`, before costs. */
export function unrealised(position: Position, price: number, contractSize: number): number {
  return position.sign * position.qty * contractSize * (price - position.average);
}
