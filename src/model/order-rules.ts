// An instrument's rules as the exchange states them, exact, and the rounding of prices and quantities
// by what the order is for. Used wherever a price or size of our own becomes an order. Everything is
// exact: a value on the grid never moves.
import Big from "big.js";
import { compare, type Decimal, multiply } from "./decimal.ts";
import type { OrderPurpose, OrderSide } from "./order.ts";
import { InputError, ok, refuse, type Result } from "./result.ts";

/**
 * Filters of one symbol. Legal prices are `priceMin + n * priceTick`, legal quantities
 * `n * qtyStep` within `qtyMin` to `qtyMax`; a null limit does not exist. Quantities are in the
 * instrument's units, `contractSize` of the base currency each.
 */
export type OrderRules = {
  readonly symbol: string;
  readonly priceTick: Decimal;
  readonly priceMin: Decimal | null;
  readonly priceMax: Decimal | null;
  readonly qtyStep: Decimal;
  readonly qtyMin: Decimal;
  readonly qtyMax: Decimal | null;
  /** Price × quantity × contract size, in quote currency. */
  readonly minNotional: Decimal | null;
  readonly contractSize: Decimal;
  /** Bids above mark × this are refused; null when there is no such rule. */
  readonly bidCapRatio: Decimal | null;
  /** Asks below mark × this are refused; null when there is no such rule. */
  readonly askFloorRatio: Decimal | null;
  readonly isTrading: boolean;
};

/** What is checked. A null price is a market order; `referencePrice` stands in for its notional. */
export type OrderSize = {
  readonly side: OrderSide;
  readonly price: Decimal | null;
  readonly qty: Decimal;
  readonly referencePrice: Decimal | null;
};

/** The filter an order breaks. */
export type RuleBreach =
  | "MARKET_CLOSED"
  | "PRICE_OFF_FILTER"
  | "PRICE_OUT_OF_BAND"
  | "QTY_OFF_FILTER"
  | "NOTIONAL_TOO_SMALL";

const ZERO = "0" as Decimal;

/**
 * The legal price for an order's purpose. Entries, rungs and take-profits stay passive: a buy moves
 * down, a sell up. A protective stop moves towards safety, so that it triggers earlier: a sell stop
 * moves up, a buy stop down. An exit must get out and moves across: a buy up, a sell down. The result
 * lies within `priceMin` and `priceMax`.
 * @throws InputError when the price is not above 0 or no legal price is on that side of it
 */
export function roundPrice(
  rules: OrderRules,
  purpose: OrderPurpose,
  side: OrderSide,
  price: Decimal,
): Decimal {
  const isUp = purpose === "exit" ? side === "buy" : side === "sell";
  const above = remainder(price, rules.priceMin ?? ZERO, rules.priceTick);
  const down = new Big(price).minus(above);
  const rounded = (isUp && above.gt(0) ? down.plus(rules.priceTick) : down).toFixed() as Decimal;
  if (compare(rounded, ZERO) > 0 && isWithin(rounded, rules.priceMin, rules.priceMax)) {
    return rounded;
  }
  throw new InputError(
    `price: ${price} must lie between ${rules.priceMin ?? "0"} and ${rules.priceMax ?? "any"}`,
  );
}

/**
 * The largest legal quantity that is not above `qty`, nor above `held` for a reduce-only order, nor
 * above the maximum; null when that is below the minimum. A remainder smaller than the minimum is
 * therefore reported, never rounded up.
 * @param held what the leg holds, for reduce-only orders; null for others
 */
export function roundQty(rules: OrderRules, qty: Decimal, held: Decimal | null): Decimal | null {
  const wanted = lesser(lesser(qty, held), rules.qtyMax);
  const legal = new Big(wanted).minus(remainder(wanted, ZERO, rules.qtyStep)).toFixed() as Decimal;
  return compare(legal, ZERO) > 0 && compare(legal, rules.qtyMin) >= 0 ? legal : null;
}

/** Whether an order passes every filter; the detail names field, value and what is allowed. */
export function checkOrder(rules: OrderRules, order: OrderSize): Result<null, RuleBreach> {
  const { symbol } = rules;
  if (!rules.isTrading) return refuse("MARKET_CLOSED", `${symbol} is not trading`);
  const { price, qty, referencePrice } = order;
  if (!remainder(qty, ZERO, rules.qtyStep).eq(0)) {
    return refuse("QTY_OFF_FILTER", `qty: ${qty} must be a multiple of ${rules.qtyStep}`);
  }
  if (!isWithin(qty, rules.qtyMin, rules.qtyMax)) {
    const range = `between ${rules.qtyMin} and ${rules.qtyMax ?? "any"}`;
    return refuse("QTY_OFF_FILTER", `qty: ${qty} must be ${range}`);
  }
  const priced = price === null ? ok(null) : checkPrice(rules, order.side, price, referencePrice);
  if (!priced.ok) return priced;
  const valued = price ?? referencePrice;
  if (rules.minNotional !== null && valued !== null) {
    const notional = multiply(multiply(valued, qty), rules.contractSize);
    if (compare(notional, rules.minNotional) < 0) {
      const least = `at least ${rules.minNotional}`;
      return refuse("NOTIONAL_TOO_SMALL", `notional: ${notional} must be ${least}`);
    }
  }
  return ok(null);
}

function checkPrice(
  rules: OrderRules,
  side: OrderSide,
  price: Decimal,
  reference: Decimal | null,
): Result<null, RuleBreach> {
  if (compare(price, ZERO) <= 0 || !isWithin(price, rules.priceMin, rules.priceMax)) {
    const range = `between ${rules.priceMin ?? "0"} and ${rules.priceMax ?? "any"}`;
    return refuse("PRICE_OFF_FILTER", `price: ${price} must be ${range}`);
  }
  if (!remainder(price, rules.priceMin ?? ZERO, rules.priceTick).eq(0)) {
    return refuse("PRICE_OFF_FILTER", `price: ${price} must be on the tick ${rules.priceTick}`);
  }
  if (reference === null) return ok(null);
  const ratio = side === "buy" ? rules.bidCapRatio : rules.askFloorRatio;
  if (ratio === null) return ok(null);
  const bound = multiply(reference, ratio);
  const isOutside = compare(price, bound) === (side === "buy" ? 1 : -1);
  if (!isOutside) return ok(null);
  const word = side === "buy" ? "at most" : "at least";
  return refuse("PRICE_OUT_OF_BAND", `price: ${price} must be ${word} ${bound} now`);
}

function isWithin(value: Decimal, min: Decimal | null, max: Decimal | null): boolean {
  return !(min !== null && compare(min, value) > 0) && !(max !== null && compare(value, max) > 0);
}

function lesser(value: Decimal, limit: Decimal | null): Decimal {
  return limit !== null && compare(value, limit) > 0 ? limit : value;
}

/** What `value` lies above the grid of `step` that starts at `base`; 0 on the grid. */
function remainder(value: Decimal, base: Decimal, step: Decimal): Big {
  const left = new Big(value).minus(base).mod(step);
  return left.lt(0) ? left.plus(step) : left;
}
