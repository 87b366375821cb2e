// Margin of several positions at once: with one it is that of the simulator, and the others count in full.
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  accountEquity,
  fillFits,
  liquidationAt,
  type MarginHolding,
} from "../../src/engine/sim-margin.ts";
import { liquidationPrice, marginAllows } from "../../src/risk/margin.ts";

const holding = fc.record({
  sign: fc.constantFrom(1 as const, -1 as const),
  qty: fc.double({ min: 0.01, max: 50, noNaN: true }),
  average: fc.double({ min: 1, max: 1000, noNaN: true }),
  mark: fc.double({ min: 1, max: 1000, noNaN: true }),
  contractSize: fc.constantFrom(1, 0.01),
  leverage: fc.integer({ min: 1, max: 50 }),
});
const built = holding.map(({ sign, qty, average, ...rest }): MarginHolding => ({
  ...rest,
  position: { sign, lots: 0, qty, average },
}));
const money = fc.double({ min: 1, max: 20_000, noNaN: true });

test("with one position the answers are those of the simulator", () => {
  fc.assert(
    fc.property(built, money, money, (own, balance, price) => {
      const { position, contractSize, leverage } = own;
      const fill = { price, qty: 1.5, fee: 0.25 };
      expect(fillFits(own, [], balance, fill)).toBe(
        marginAllows(position, balance, price, 1.5, 0.25, contractSize, leverage),
      );
      expect(liquidationAt(own, [], balance, 0.005)).toBe(
        liquidationPrice(position, balance, contractSize, 0.005),
      );
    }),
  );
});

test("at its liquidation price the account's equity is its maintenance margin", () => {
  let met = 0;
  fc.assert(
    fc.property(built, fc.array(built, { maxLength: 3 }), money, (own, others, balance) => {
      const price = liquidationAt(own, others, balance, 0.005);
      if (price === 0) return;
      met += 1;
      const all = [{ ...own, mark: price }, ...others];
      const notional = all.reduce(
        (sum, { position, mark, contractSize }) => sum + position.qty * mark * contractSize,
        0,
      );
      const equity = accountEquity(balance, all);
      const scale = Math.max(1, notional, Math.abs(balance));
      expect(Math.abs(equity - notional * 0.005) / scale).toBeLessThan(1e-9);
    }),
  );
  expect(met).toBeGreaterThan(20);
});

test("what others bind leaves less room, what they have won leaves more", () => {
  const position = { sign: 1 as const, lots: 0, qty: 1, average: 100 };
  const own = {
    ...{ contractSize: 1, mark: 100, leverage: 10 },
    position: { ...position, sign: 0 as const, qty: 0 },
  };
  const other = { contractSize: 1, mark: 100, leverage: 10, position };
  const fill = { price: 100, qty: 1, fee: 0 };
  expect(fillFits(own, [], 10, fill)).toBe(true);
  expect(fillFits(own, [other], 10, fill)).toBe(false);
  expect(fillFits(own, [other], 20, fill)).toBe(true);
  expect(fillFits(own, [{ ...other, mark: 110 }], 10, fill)).toBe(true);
});
