// One holding: averages, reductions, turning over, and that no unit is ever lost to rounding.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  add,
  compare,
  type Decimal,
  decimal,
  multiply,
  subtract,
} from "../../src/model/decimal.ts";
import {
  applyToLeg,
  averageEntry,
  FLAT_LEG,
  type LegPosition,
  shareOf,
  signedQty,
} from "../../src/model/leg-position.ts";
import type { OrderSide } from "../../src/model/order.ts";
import type { Leg } from "../../src/model/trade-record.ts";

const one = decimal(1);
const zero = decimal(0);

type Trade = readonly [side: OrderSide, price: string, qty: string];

function after(leg: Leg, trades: readonly Trade[], contractSize = one) {
  let position: LegPosition = FLAT_LEG;
  let realised: Decimal = zero;
  for (const [side, price, qty] of trades) {
    const change = applyToLeg(leg, position, side, decimal(price), decimal(qty), contractSize);
    position = change.position;
    realised = add(realised, change.realised ?? zero);
  }
  return { position, realised };
}

describe("a holding", () => {
  test("averages its entries and keeps the average when reduced", () => {
    const entries = [
      ["buy", "100", "1"],
      ["buy", "90", "3"],
    ] as const;
    const { position } = after("long", entries);
    expect(averageEntry(position)).toBe(decimal("92.5"));
    const less = after("long", [...entries, ["sell", "95", "2"]]);
    expect(averageEntry(less.position)).toBe(decimal("92.5"));
    expect(less.realised).toBe(decimal(5));
  });

  test("gains on a short when the price falls, by the contract size", () => {
    const trades = [
      ["sell", "100", "2"],
      ["buy", "90", "2"],
    ] as const;
    expect(after("short", trades, decimal("0.1")).realised).toBe(decimal(2));
    expect(after("net", trades, decimal("0.1")).realised).toBe(decimal(2));
  });

  test("turns over on a net leg and stays on a hedged one", () => {
    const trades = [
      ["buy", "100", "1"],
      ["sell", "110", "3"],
    ] as const;
    expect(after("net", trades)).toMatchObject({
      realised: "10",
      position: { positionSide: "short", qty: "2", cost: "220", unmatchedQty: "0" },
    });
    expect(after("long", trades)).toMatchObject({
      realised: "10",
      position: { positionSide: null, qty: "0", cost: "0", unmatchedQty: "2" },
    });
  });

  test("has no average when flat and is negative when short", () => {
    expect(averageEntry(FLAT_LEG)).toBeNull();
    expect(signedQty(after("short", [["sell", "5", "2"]]).position)).toBe(decimal(-2));
  });

  const price = fc.integer({ min: 1, max: 10 ** 7 }).map((n) => decimal(n / 100));
  const qty = fc.integer({ min: 1, max: 10 ** 6 }).map((n) => decimal(n / 1000));
  const side = fc.constantFrom<OrderSide>("buy", "sell");
  const tape = fc.array(fc.tuple(side, price, qty), { minLength: 1, maxLength: 30 });

  test("on a net leg is the sum of its fills, and realised less invested is the cash that moved", () => {
    fc.assert(
      fc.property(tape, qty, (trades, contractSize) => {
        let position: LegPosition = FLAT_LEG;
        let [realised, bought, cash]: Decimal[] = [zero, zero, zero];
        for (const [each, at, amount] of trades) {
          const change = applyToLeg("net", position, each, at, amount, contractSize);
          position = change.position;
          realised = add(realised ?? zero, change.realised ?? zero);
          const worth = multiply(multiply(at, amount), contractSize);
          const isBuy = each === "buy";
          bought = isBuy ? add(bought ?? zero, amount) : subtract(bought ?? zero, amount);
          cash = isBuy ? subtract(cash ?? zero, worth) : add(cash ?? zero, worth);
          expect(add(change.reducedQty, change.expandedQty)).toBe(amount);
        }
        expect(signedQty(position)).toBe(bought ?? zero);
        const cost = multiply(position.cost, contractSize);
        const invested = position.positionSide === "short" ? subtract(zero, cost) : cost;
        expect(subtract(realised ?? zero, invested)).toBe(cash ?? zero);
      }),
    );
  });

  test("on a hedged leg is never below nothing, and what it lacks is counted", () => {
    fc.assert(
      fc.property(tape, (trades) => {
        let position: LegPosition = FLAT_LEG;
        let bought: Decimal = zero;
        for (const [each, at, amount] of trades) {
          position = applyToLeg("long", position, each, at, amount, one).position;
          bought = each === "buy" ? add(bought, amount) : subtract(bought, amount);
          expect(compare(position.qty, zero)).toBeGreaterThanOrEqual(0);
        }
        expect(subtract(position.qty, position.unmatchedQty)).toBe(bought);
      }),
    );
  });
});

test("a share is rounded half to even at 18 places", () => {
  expect(shareOf(decimal(1), decimal(1), decimal(3))).toBe(decimal("0.333333333333333333"));
  const half = decimal("0.000000000000000001");
  expect(shareOf(half, one, decimal(2))).toBe(zero);
  expect(shareOf(multiply(half, decimal(3)), one, decimal(2))).toBe(multiply(half, decimal(2)));
});
