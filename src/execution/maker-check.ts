// Whether an order meant to rest took after all. Pure; asked for every fill that is booked, because
// acceptance of an order by an exchange does not promise that it rests.
import type { Decimal } from "../model/decimal.ts";
import type { Liquidity, OrderSide } from "../model/order.ts";

/** An order of ours, as far as it matters here. */
export type MeantOrder = {
  readonly reason: string;
  readonly side: OrderSide;
  readonly symbol: string;
  readonly terms: { readonly kind: string };
};

/** An execution of it. */
export type TakenFill = {
  readonly qty: Decimal;
  readonly price: Decimal;
  readonly liquidity: Liquidity | null;
};

/** A sentence when a fill of a resting order was executed as taker; null for every other fill. */
export function takerSentence(order: MeantOrder, fill: TakenFill): string | null {
  const { kind } = order.terms;
  if (kind !== "queue" && kind !== "post_only") return null;
  if (fill.liquidity !== "taker") return null;
  const { reason, side, symbol } = order;
  const what = `${side} ${fill.qty} ${symbol} at ${fill.price}`;
  return `${reason}: ${what} was meant to rest (${kind}) and was executed as taker`;
}
