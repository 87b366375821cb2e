// Margin of an account that holds several positions: everything it holds stands for each of them. Pure;
// used by the paper broker. With one position the answers are those of the simulator (rules E51, E52).
import { type Position, unrealised } from "../model/position.ts";
import { liquidationPrice, marginAllows } from "../risk/margin.ts";

/** A position with what its margin depends on; `mark` is the price it is valued at, quote units. */
export type MarginHolding = {
  readonly position: Position;
  readonly contractSize: number;
  readonly mark: number;
  readonly leverage: number;
};

/** Margin a position binds, quote units. */
export function marginUsed({ position, contractSize, leverage }: MarginHolding): number {
  return (position.qty * position.average * contractSize) / leverage;
}

/** What the account is worth with everything at its mark, quote units. */
export function accountEquity(balance: number, holdings: readonly MarginHolding[]): number {
  return holdings.reduce(
    (sum, { position, mark, contractSize }) => sum + unrealised(position, mark, contractSize),
    balance,
  );
}

/** Whether an expanding fill of `own` fits beside what the others bind. */
export function fillFits(
  own: MarginHolding,
  others: readonly MarginHolding[],
  balance: number,
  fill: { readonly price: number; readonly qty: number; readonly fee: number },
): boolean {
  const bound = others.reduce((sum, other) => sum + marginUsed(other), 0);
  const room = accountEquity(balance, others) - bound;
  const { position, contractSize, leverage } = own;
  return marginAllows(position, room, fill.price, fill.qty, fill.fee, contractSize, leverage);
}

/**
 * The price of `own` at which the account's equity meets its maintenance margin while the others stay
 * at their marks; 0 when there is none.
 */
export function liquidationAt(
  own: MarginHolding,
  others: readonly MarginHolding[],
  balance: number,
  maintenanceRate: number,
): number {
  const kept = others.reduce(
    (sum, { position, mark, contractSize }) =>
      sum + position.qty * mark * contractSize * maintenanceRate,
    0,
  );
  const room = accountEquity(balance, others) - kept;
  return liquidationPrice(own.position, room, own.contractSize, maintenanceRate);
}
