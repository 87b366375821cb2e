// Isolated margin of one linear position: what an expanding fill needs (rule E51) and where the
// position is liquidated (rule E52). Float64, quote units.
import type { Position } from "../model/position.ts";
import { isAtMost } from "../model/tolerance.ts";

/**
 * Whether an expanding fill fits: margin of the grown position against the equity at the fill price,
 * before the fill, less the fill's fee.
 */
export function marginAllows(
  position: Position,
  balance: number,
  price: number,
  qty: number,
  fee: number,
  contractSize: number,
  leverage: number,
): boolean {
  const needed = ((position.qty * position.average + qty * price) * contractSize) / leverage;
  const gain = position.sign * position.qty * contractSize * (price - position.average);
  return isAtMost(needed, balance + gain - fee);
}

/** The price at which equity meets the maintenance margin; 0 when there is none. */
export function liquidationPrice(
  position: Position,
  balance: number,
  contractSize: number,
  maintenanceRate: number,
): number {
  if (position.sign === 0) return 0;
  const units = position.qty * contractSize;
  const price =
    (position.average * units - position.sign * balance) /
    (units * (1 - position.sign * maintenanceRate));
  return price > 0 ? price : 0;
}
