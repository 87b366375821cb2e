// From an approved target in ticks and lots to the exact order that is written down and sent. Pure; used
// by the order dispatcher and the maker ladder. It never rounds a price and never enlarges a quantity:
// what does not fit the exchange's rules is refused with the rule it breaks.
import { compare, type Decimal, decimal, multiply } from "../model/decimal.ts";
import { checkOrder, type OrderRules, roundQty, type RuleBreach } from "../model/order-rules.ts";
import type {
  ApprovedIntent,
  OrderPurpose,
  OrderSide,
  PositionSide,
  TargetOrder,
} from "../model/order.ts";
import { assert, ok, refuse, type Result } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";
import type { Leg } from "../model/trade-record.ts";

/** How an exact order executes; the terms of the broker port that a target can become. */
export type ExactTerms =
  | { readonly kind: "market" }
  | { readonly kind: "limit"; readonly price: Decimal }
  | { readonly kind: "post_only"; readonly price: Decimal; readonly mayAdjust: boolean }
  | { readonly kind: "queue"; readonly level: 1 | 2 | 3 | 4 | 5 }
  | {
      readonly kind: "trigger";
      readonly triggerPrice: Decimal;
      readonly direction: "rising" | "falling";
      readonly price: null;
    };

/** What the order meets at the exchange. */
export type OrderSituation = {
  readonly rules: OrderRules;
  readonly positionMode: "one_way" | "hedge";
  /** What the leg holds, for reduce-only orders; null for others. */
  readonly heldQty: Decimal | null;
  /** Mark price for checks that need one; null when it is not known. */
  readonly referencePrice: Decimal | null;
};

/** An order in the exchange's own units. */
export type ExactOrder = {
  readonly symbol: string;
  readonly leg: Leg;
  readonly positionSide: PositionSide;
  readonly side: OrderSide;
  readonly purpose: OrderPurpose;
  readonly reason: string;
  readonly targetKey: string;
  readonly terms: ExactTerms;
  readonly isReduceOnly: boolean;
  readonly qty: Decimal;
  readonly decidedAt: EpochMs;
};

/**
 * The order that is sent for an approved target. A reduce-only order shrinks to what is held.
 * @returns the rule it breaks; an unknown holding breaks the quantity's
 */
export function exactOrder(
  { target }: ApprovedIntent,
  situation: OrderSituation,
): Result<ExactOrder, RuleBreach> {
  const { rules, positionMode, heldQty } = situation;
  const wanted = multiply(decimal(target.qtyLots), rules.qtyStep);
  const sized = target.isReduceOnly ? heldPart(rules, wanted, heldQty) : ok(wanted);
  if (!sized.ok) return sized;
  const order: ExactOrder = {
    symbol: rules.symbol,
    leg: positionMode === "hedge" ? target.positionSide : "net",
    positionSide: target.positionSide,
    side: target.side,
    purpose: target.purpose,
    reason: target.reason,
    targetKey: target.key,
    terms: termsOf(target, rules),
    isReduceOnly: target.isReduceOnly,
    qty: sized.value,
    decidedAt: target.decidedAt,
  };
  return checked(order, situation);
}

/** The same to be kept here until the price comes near: no rule about the present price applies. */
export function parkedOrder(
  approved: ApprovedIntent,
  situation: OrderSituation,
): Result<ExactOrder, RuleBreach> {
  return exactOrder(approved, { ...situation, referencePrice: null });
}

/**
 * Whether an order that was written down earlier may be sent as it stands.
 * @returns the rule it breaks; a reduce-only one that is above what is held breaks the quantity's
 */
export function checkAgain<Order extends Sendable>(
  order: Order,
  { rules, heldQty, referencePrice }: OrderSituation,
): Result<Order, RuleBreach> {
  if (order.isReduceOnly && (heldQty === null || compare(order.qty, heldQty) > 0)) {
    const held = heldQty ?? "not known";
    return refuse("QTY_OFF_FILTER", `qty: ${order.qty} must be at most what is held, ${held}`);
  }
  return checked(order, { rules, referencePrice });
}

/** The order at a level of its own side of the book, whatever its price is then. */
export function atQueueLevel(order: ExactOrder, level: 1 | 2 | 3 | 4 | 5): ExactOrder {
  return { ...order, terms: { kind: "queue", level } };
}

/** The order at another price, resting alone or taking as well. */
export function atPrice(
  order: ExactOrder,
  terms: Extract<ExactTerms, { kind: "limit" | "post_only" }>,
  situation: Pick<OrderSituation, "rules" | "referencePrice">,
): Result<ExactOrder, RuleBreach> {
  return checked({ ...order, terms }, situation);
}

type Sendable = Pick<ExactOrder, "side" | "qty" | "isReduceOnly"> & {
  readonly terms: ExactTerms | { readonly kind: string; readonly price: Decimal | null };
};

function heldPart(
  rules: OrderRules,
  wanted: Decimal,
  held: Decimal | null,
): Result<Decimal, RuleBreach> {
  if (held === null) return refuse("QTY_OFF_FILTER", "qty: what the position holds is not known");
  const legal = roundQty(rules, wanted, held);
  if (legal !== null) return ok(legal);
  return refuse("QTY_OFF_FILTER", `qty: nothing of ${held} that is held can be closed by an order`);
}

function termsOf(target: TargetOrder, { priceTick }: OrderRules): ExactTerms {
  if (target.kind === "market") return { kind: "market" };
  assert(target.priceTicks > 0, `${target.key}: a ${target.kind} order needs a price`);
  const price = multiply(decimal(target.priceTicks), priceTick);
  switch (target.kind) {
    case "limit":
      return { kind: "limit", price };
    case "post_only":
      return { kind: "post_only", price, mayAdjust: false };
    default: {
      // A stop sells into a falling market; every other trigger sells into a rising one.
      const isFalling = (target.side === "sell") === (target.kind === "stop_market");
      const direction = isFalling ? "falling" : "rising";
      return { kind: "trigger", triggerPrice: price, direction, price: null };
    }
  }
}

function checked<Order extends Sendable>(
  order: Order,
  { rules, referencePrice }: Pick<OrderSituation, "rules" | "referencePrice">,
): Result<Order, RuleBreach> {
  const { terms, side, qty, isReduceOnly } = order;
  const isTrigger = "triggerPrice" in terms;
  const price = isTrigger ? terms.triggerPrice : "price" in terms ? terms.price : null;
  // The exchange decides whether a small rest may be closed: refused here, it would stay open for ever.
  const applied = isReduceOnly ? { ...rules, minNotional: null } : rules;
  // A trigger lies where the market is not; the band of bids and asks is not meant for it.
  const reference = isTrigger ? null : referencePrice;
  const passed = checkOrder(applied, { side, price, qty, referencePrice: reference });
  return passed.ok ? ok(order) : passed;
}
