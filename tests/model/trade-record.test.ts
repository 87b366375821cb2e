// Facts of the exchange: their one order, their references, and which fee of a trade is the better one.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decimal } from "../../src/model/decimal.ts";
import {
  betterFee,
  compareKeys,
  estimatedFee,
  type FactKey,
  fillRef,
} from "../../src/model/trade-record.ts";

const key = (at: number, id: string, rank: 0 | 1 = 0, side: FactKey["side"] = "buy"): FactKey => ({
  ...{ at, rank, id, side },
});

describe("facts count in one order:", () => {
  const pairs: [name: string, first: FactKey, second: FactKey][] = [
    ["by instant", key(1, "9"), key(2, "1")],
    ["trade numbers as numbers", key(1, "9"), key(1, "10")],
    ["fills before funding of the same millisecond", key(1, "9", 0), key(1, "1", 1, "")],
    ["the buying side of a trade with oneself first", key(1, "1"), key(1, "1", 0, "sell")],
  ];
  for (const [name, first, second] of pairs) {
    test(name, () => {
      expect(compareKeys(first, second)).toBeLessThan(0);
      expect(compareKeys(second, first)).toBeGreaterThan(0);
    });
  }

  test("and only equal ones are equal, whatever they are", () => {
    const keys = fc.record({
      at: fc.integer({ min: 1, max: 3 }),
      rank: fc.constantFrom<0 | 1>(0, 1),
      id: fc.constantFrom("1", "2", "10", "a", "B"),
      side: fc.constantFrom<FactKey["side"]>("buy", "sell"),
    });
    fc.assert(
      fc.property(keys, keys, keys, (a, b, c) => {
        expect(compareKeys(a, b) === 0).toBe(JSON.stringify(a) === JSON.stringify(b));
        expect(Math.sign(compareKeys(a, b)) + Math.sign(compareKeys(b, a))).toBe(0);
        if (compareKeys(a, b) < 0 && compareKeys(b, c) < 0) {
          expect(compareKeys(a, c)).toBeLessThan(0);
        }
      }),
    );
  });
});

test("a reference tells symbols and sides with the same trade number apart", () => {
  const refs = ["BTC/USDT:USDT", "ETH/USDT:USDT"].flatMap((symbol) =>
    (["buy", "sell"] as const).map((side) => fillRef({ symbol, side, tradeId: "7" })),
  );
  expect(new Set(refs).size).toBe(4);
});

describe("of two fees of one trade", () => {
  const told = { amount: decimal(1), asset: "USDT", settleAmount: decimal(1), isEstimated: false };
  const guess = { ...told, isEstimated: true };
  const unpriced = { ...told, asset: "WOO", settleAmount: null };

  test("the told one is better than the estimated one, and any is better than none", () => {
    expect(betterFee(guess, told)).toBe(told);
    expect(betterFee(told, guess)).toBe(told);
    expect(betterFee(null, guess)).toBe(guess);
    expect(betterFee(guess, null)).toBe(guess);
    expect(betterFee(guess, unpriced)).toBe(unpriced);
    expect(betterFee(unpriced, told)).toBe(told);
  });

  test("the first of two equally good ones stays", () => {
    expect(betterFee(guess, { ...guess, amount: decimal(2) })).toBe(guess);
  });

  test("the estimated one is the rate of the notional in the settle asset", () => {
    const fill = {
      ...{ price: decimal("20000"), qty: decimal("3"), contractSize: decimal("0.01") },
      settleAsset: "USDT",
    };
    expect(estimatedFee(fill, decimal("0.0005"))).toEqual({
      ...{ amount: decimal("0.3"), settleAmount: decimal("0.3"), asset: "USDT" },
      isEstimated: true,
    });
  });
});
