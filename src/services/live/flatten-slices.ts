// How much of a holding goes into one market order when everything is closed: parts the book can take, none too
// small to be sent. Pure; used by flatten.ts alone.
import { compare, type Decimal } from "../../model/decimal.ts";
import { gridOf, stepsDown } from "../../model/instrument.ts";
import type { OrderRules } from "../../model/order-rules.ts";

/** A part takes this many times what stands at the best price of the other side. */
const TOUCHES = 4;
/** A holding is closed in about so many parts, however thin the book is: being flat comes first. */
const PARTS = 8;
/** Orders of one holding in one round, when the exchange allows small ones only. */
const SLICES_MAX = 20;

/**
 * Lots of the market orders that close a quantity, in the order they are sent. Their sum is at most the
 * quantity; what an exchange with small largest orders does not allow now is left for the next round.
 * @param touchQty what stands at the best price; null when the book could not be read
 * @returns nothing when the quantity is below the smallest order
 */
export function slicesOf(
  qty: Decimal,
  { qtyStep, qtyMin, qtyMax }: Pick<OrderRules, "qtyStep" | "qtyMin" | "qtyMax">,
  touchQty: Decimal | null,
): readonly number[] {
  if (compare(qty, qtyMin) < 0) return [];
  const grid = gridOf(Number(qtyStep), "qtyStep");
  const lotsOf = (value: Decimal) => stepsDown(grid, Number(value));
  const minLots = Math.max(1, Math.ceil(Number(qtyMin) / Number(qtyStep) - 1e-9));
  const maxLots = qtyMax === null ? Number.POSITIVE_INFINITY : lotsOf(qtyMax);
  const total = lotsOf(qty);
  const taken = touchQty === null ? total : lotsOf(touchQty) * TOUCHES;
  const wanted = Math.max(taken, Math.ceil(total / PARTS), minLots);
  const size = Math.max(1, Math.min(wanted, maxLots));
  const slices: number[] = [];
  for (let left = total; left >= minLots && slices.length < SLICES_MAX;) {
    const next = sizeOfNext(left, size, minLots, maxLots);
    slices.push(next);
    left -= next;
  }
  return slices;
}

/** The next part; it leaves nothing behind that would be too small for an order of its own. */
function sizeOfNext(left: number, size: number, minLots: number, maxLots: number): number {
  if (left <= size) return left;
  if (left - size >= minLots) return size;
  return left <= maxLots ? left : Math.max(minLots, left - minLots);
}
