// One holding in exact decimals and what a fill does to it. Used by symbol-book.ts for the account's
// legs and for every owner's virtual position alike. Cost is price × quantity without the contract
// size; what leaves and what stays always adds up to what was there.
import Big from "big.js";
import { add, compare, type Decimal, multiply, subtract } from "./decimal.ts";
import type { OrderSide, PositionSide } from "./order.ts";
import type { Leg } from "./trade-record.ts";

/** A holding; flat when `positionSide` is null. */
export type LegPosition = {
  readonly positionSide: PositionSide | null;
  /** Never negative. */
  readonly qty: Decimal;
  /** Entry price × quantity of what is held. */
  readonly cost: Decimal;
  /**
   * Reductions of a hedge leg that held too little: fills we have not seen, or somebody else's
   * position. Nothing is realised for them.
   */
  readonly unmatchedQty: Decimal;
};

/** The part of a fill that takes from, and the part that adds to a holding. */
export type LegChange = {
  readonly position: LegPosition;
  readonly reducedQty: Decimal;
  readonly expandedQty: Decimal;
  /** Profit or loss of the reduced part before costs, in the settle asset; null when there is none. */
  readonly realised: Decimal | null;
};

const ZERO = "0" as Decimal;
const PLACES = 18;

const Exact = Big();
Exact.DP = PLACES;
Exact.RM = Big.roundHalfEven;

/** A holding of nothing. */
export const FLAT_LEG: LegPosition = {
  positionSide: null,
  qty: ZERO,
  cost: ZERO,
  unmatchedQty: ZERO,
};

/**
 * `amount * part / whole`, rounded half-even to 18 places. The caller keeps `amount` minus the share,
 * so that nothing is lost.
 */
export function shareOf(amount: Decimal, part: Decimal, whole: Decimal): Decimal {
  return new Exact(amount).times(part).div(whole).toFixed() as Decimal;
}

/** The average entry price; null when flat. */
export function averageEntry(position: LegPosition): Decimal | null {
  return position.positionSide === null
    ? null
    : shareOf(position.cost, "1" as Decimal, position.qty);
}

/** Positive for a long, negative for a short holding, zero when flat. */
export function signedQty(position: LegPosition): Decimal {
  return position.positionSide === "short" ? subtract(ZERO, position.qty) : position.qty;
}

/** What a fill at `price` does to the holding. */
export function applyToLeg(
  leg: Leg,
  position: LegPosition,
  side: OrderSide,
  price: Decimal,
  qty: Decimal,
  contractSize: Decimal,
): LegChange {
  const opens: PositionSide =
    leg === "net" ? (position.positionSide ?? (side === "buy" ? "long" : "short")) : leg;
  if ((side === "buy") === (opens === "long")) {
    return expanded(position, opens, price, qty);
  }
  const held = compare(qty, position.qty) > 0 ? position.qty : qty;
  const rest = subtract(qty, held);
  const reducing = reduced(position, price, held, contractSize);
  if (compare(rest, ZERO) === 0) return reducing;
  if (leg !== "net") {
    const unmatchedQty = add(reducing.position.unmatchedQty, rest);
    return { ...reducing, position: { ...reducing.position, unmatchedQty } };
  }
  // A one-way position that is sold beyond nothing turns over at once.
  const turned = expanded(reducing.position, side === "buy" ? "long" : "short", price, rest);
  return { ...turned, reducedQty: held, realised: reducing.realised };
}

function expanded(
  position: LegPosition,
  positionSide: PositionSide,
  price: Decimal,
  qty: Decimal,
): LegChange {
  return {
    position: {
      positionSide,
      qty: add(position.qty, qty),
      cost: add(position.cost, multiply(price, qty)),
      unmatchedQty: position.unmatchedQty,
    },
    reducedQty: ZERO,
    expandedQty: qty,
    realised: null,
  };
}

function reduced(
  position: LegPosition,
  price: Decimal,
  qty: Decimal,
  contractSize: Decimal,
): LegChange {
  const nothing = { position, reducedQty: ZERO, expandedQty: ZERO, realised: null };
  if (position.positionSide === null || compare(qty, ZERO) === 0) return nothing;
  const isAll = compare(qty, position.qty) === 0;
  const cost = isAll ? position.cost : shareOf(position.cost, qty, position.qty);
  const gain = subtract(multiply(price, qty), cost);
  const signed = position.positionSide === "long" ? gain : subtract(ZERO, gain);
  const { unmatchedQty } = position;
  const left: LegPosition = isAll
    ? { ...FLAT_LEG, unmatchedQty }
    : {
        positionSide: position.positionSide,
        qty: subtract(position.qty, qty),
        cost: subtract(position.cost, cost),
        unmatchedQty,
      };
  const realised = multiply(signed, contractSize);
  return { position: left, reducedQty: qty, expandedQty: ZERO, realised };
}
