// Rounding by purpose and the check of filters: exact, on the grid, and never on the wrong side.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { add, compare, type Decimal, decimal, multiply } from "../../src/model/decimal.ts";
import type { OrderPurpose, OrderSide } from "../../src/model/order.ts";
import { checkOrder, type OrderRules, roundPrice, roundQty } from "../../src/model/order-rules.ts";
import { InputError } from "../../src/model/result.ts";

const RULES: OrderRules = {
  symbol: "PERP_BTC_USDT",
  priceTick: decimal("0.5"),
  priceMin: decimal("0.2"),
  priceMax: decimal("1000000.2"),
  qtyStep: decimal("0.001"),
  qtyMin: decimal("0.002"),
  qtyMax: decimal("500"),
  minNotional: decimal("10"),
  contractSize: decimal("1"),
  bidCapRatio: decimal("1.05"),
  askFloorRatio: decimal("0.95"),
  isTrading: true,
};
const PURPOSES: readonly OrderPurpose[] = [
  "entry",
  "rung",
  "take_profit",
  "protective_stop",
  "exit",
];
const SIDES: readonly OrderSide[] = ["buy", "sell"];

test("each purpose rounds to its own side of the price", () => {
  const price = decimal("100.4");
  const rounded = (purpose: OrderPurpose) =>
    SIDES.map((side) => String(roundPrice(RULES, purpose, side, price)));
  // The grid is 0.2, 0.7, 1.2 …: it starts at the least price.
  expect(rounded("entry")).toEqual(["100.2", "100.7"]);
  expect(rounded("rung")).toEqual(["100.2", "100.7"]);
  expect(rounded("take_profit")).toEqual(["100.2", "100.7"]);
  // A stop triggers earlier: below the market for a long, above it for a short.
  expect(rounded("protective_stop")).toEqual(["100.2", "100.7"]);
  expect(rounded("exit")).toEqual(["100.7", "100.2"]);
});

test("a price on the grid never moves, whatever it is for", () => {
  for (const purpose of PURPOSES) {
    for (const side of SIDES) {
      for (const price of ["0.2", "0.7", "99999.7", "1000000.2"].map(decimal)) {
        expect(roundPrice(RULES, purpose, side, price)).toBe(price);
      }
    }
  }
});

test("a price with no legal neighbour is refused with field, value and range", () => {
  for (const price of ["0", "-5", "0.1", "1000000.3"].map(decimal)) {
    const isAbove = compare(price, decimal("1")) > 0;
    const side = isAbove ? "sell" : "buy";
    expect(() => roundPrice(RULES, "entry", side, price)).toThrow(InputError);
    expect(() => roundPrice(RULES, "entry", side, price)).toThrow(/price: .* 0\.2 and 1000000\.2/);
  }
});

test("quantities go down, never above the maximum or what is held, and dust is told", () => {
  const round = (qty: string, held: string | null = null) =>
    roundQty(RULES, decimal(qty), held === null ? null : decimal(held)) as string | null;
  expect(round("0.0059")).toBe("0.005");
  expect(round("0.005")).toBe("0.005");
  expect(round("900.0004")).toBe("500");
  expect(round("0.5", "0.2345")).toBe("0.234");
  expect(round("0.1", "0.2345")).toBe("0.1");
  expect(round("0.0019")).toBeNull();
  expect(round("1", "0.0019")).toBeNull();
  expect(round("0")).toBeNull();
  expect(round("-1")).toBeNull();
});

const CASES: [name: string, change: Partial<Parameters<typeof checkOrder>[1]>, reason: string][] = [
  ["a price off the tick", { price: decimal("100.4") }, "PRICE_OFF_FILTER"],
  ["a price below the least", { price: decimal("0.1") }, "PRICE_OFF_FILTER"],
  ["a price above the most", { price: decimal("1000000.7") }, "PRICE_OFF_FILTER"],
  ["a quantity off the step", { qty: decimal("0.1005") }, "QTY_OFF_FILTER"],
  ["a quantity below the least", { qty: decimal("0.001") }, "QTY_OFF_FILTER"],
  ["a quantity above the most", { qty: decimal("500.001") }, "QTY_OFF_FILTER"],
  ["too small a value", { qty: decimal("0.099") }, "NOTIONAL_TOO_SMALL"],
  ["a bid too far above the market", { price: decimal("105.7") }, "PRICE_OUT_OF_BAND"],
  ["an ask too far below it", { side: "sell", price: decimal("94.7") }, "PRICE_OUT_OF_BAND"],
];

for (const [name, change, reason] of CASES) {
  test(`the check refuses ${name}`, () => {
    const fine = {
      side: "buy",
      price: decimal("100.2"),
      qty: decimal("0.1"),
      referencePrice: decimal("100"),
    } as const;
    expect(checkOrder(RULES, fine).ok).toBe(true);
    expect(checkOrder(RULES, { ...fine, ...change })).toMatchObject({ ok: false, reason });
  });
}

test("a market order is valued at the reference, and an unknown reference defers the value", () => {
  const market = { side: "buy", price: null, qty: decimal("0.05") } as const;
  const valued = checkOrder(RULES, { ...market, referencePrice: decimal("100") });
  expect(valued).toMatchObject({ ok: false, reason: "NOTIONAL_TOO_SMALL" });
  expect(checkOrder(RULES, { ...market, referencePrice: null }).ok).toBe(true);
  expect(checkOrder({ ...RULES, isTrading: false }, { ...market, referencePrice: null })).toEqual({
    ok: false,
    reason: "MARKET_CLOSED",
    detail: "PERP_BTC_USDT is not trading",
  });
});

/** A decimal with the given count of units and places. */
const scaled = (units: number, places: number): Decimal => {
  const digits = String(units).padStart(places + 1, "0");
  const cut = digits.length - places;
  return decimal(places === 0 ? digits : `${digits.slice(0, cut)}.${digits.slice(cut)}`);
};
const anyRules = fc
  .record({
    tick: fc.integer({ min: 1, max: 250 }),
    tickPlaces: fc.integer({ min: 0, max: 9 }),
    minTicks: fc.integer({ min: 0, max: 50 }),
    offset: fc.integer({ min: 0, max: 3 }),
    step: fc.integer({ min: 1, max: 125 }),
    stepPlaces: fc.integer({ min: 0, max: 8 }),
    minSteps: fc.integer({ min: 1, max: 20 }),
    contractPlaces: fc.integer({ min: 0, max: 4 }),
  })
  .map((d): OrderRules => {
    const qtyStep = scaled(d.step, d.stepPlaces);
    return {
      ...RULES,
      priceTick: scaled(d.tick, d.tickPlaces),
      priceMin: scaled(d.tick * d.minTicks + d.offset, d.tickPlaces),
      priceMax: null,
      qtyStep,
      qtyMin: multiply(qtyStep, decimal(d.minSteps)),
      qtyMax: multiply(qtyStep, decimal(1_000_000)),
      minNotional: null,
      contractSize: scaled(1, d.contractPlaces),
    };
  });

test("100,000 random sizes and prices under random rules break no filter once rounded", () => {
  let rounded = 0;
  let broken = 0;
  const value = fc.tuple(fc.integer({ min: 1, max: 2 ** 31 }), fc.integer({ min: 0, max: 10 }));
  const property = fc.property(
    anyRules,
    value,
    value,
    fc.constantFrom(...PURPOSES),
    fc.constantFrom(...SIDES),
    fc.option(value),
    (rules, rawPrice, rawQty, purpose, side, rawHeld) => {
      const wanted = scaled(...rawPrice);
      const held = rawHeld === null ? null : scaled(...rawHeld);
      const qty = roundQty(rules, scaled(...rawQty), held);
      if (qty === null) return;
      if (held !== null) expect(compare(qty, held)).toBeLessThanOrEqual(0);
      let price: Decimal;
      try {
        price = roundPrice(rules, purpose, side, wanted);
      } catch (error) {
        // Only a price below the first legal one, rounded down, has no legal neighbour.
        expect(error).toBeInstanceOf(InputError);
        const first = add(rules.priceMin ?? rules.priceTick, rules.priceTick);
        expect(compare(wanted, first)).toBe(-1);
        return;
      }
      rounded++;
      const checked = checkOrder(rules, { side, price, qty, referencePrice: null });
      if (!checked.ok) broken++;
      const isUp = purpose === "exit" ? side === "buy" : side === "sell";
      expect(compare(price, wanted)).not.toBe(isUp ? -1 : 1);
      expect(roundPrice(rules, purpose, side, price)).toBe(price);
    },
  );
  fc.assert(property, { numRuns: 100_000 });
  expect(broken).toBe(0);
  expect(rounded).toBeGreaterThan(50_000);
}, 120_000);
