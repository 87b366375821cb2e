// What a holding is worth at a price, exact. Pure; used by whoever watches the risk of an account.
import { type Decimal, multiply, subtract } from "../model/decimal.ts";
import type { LegPosition } from "../model/leg-position.ts";

/** Quote currency; `unrealised` is negative for a loss. */
export type HoldingWorth = { readonly notional: Decimal; readonly unrealised: Decimal };

const ZERO = "0" as Decimal;

/** Value and open profit before costs; both 0 when flat. @param contractSize base currency per unit */
export function worthOf(
  { positionSide, qty, cost }: LegPosition,
  price: Decimal,
  contractSize: Decimal,
): HoldingWorth {
  if (positionSide === null) return { notional: ZERO, unrealised: ZERO };
  const notional = multiply(multiply(price, qty), contractSize);
  const gain = subtract(notional, multiply(cost, contractSize));
  return { notional, unrealised: positionSide === "long" ? gain : subtract(ZERO, gain) };
}
