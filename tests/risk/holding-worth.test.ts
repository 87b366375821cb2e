// Value and open profit of what is held, exact.
import { expect, test } from "bun:test";
import { decimal } from "../../src/model/decimal.ts";
import { FLAT_LEG, type LegPosition } from "../../src/model/leg-position.ts";
import { worthOf } from "../../src/risk/holding-worth.ts";

const held = (positionSide: "long" | "short"): LegPosition => ({
  positionSide,
  qty: decimal("3"),
  cost: decimal("300.3"),
  unmatchedQty: decimal("0"),
});

test("a long gains and a short loses what the price rises, per contract size", () => {
  const [price, size] = [decimal("101.1"), decimal("0.01")];
  expect(worthOf(held("long"), price, size)).toEqual({
    notional: decimal("3.033"),
    unrealised: decimal("0.03"),
  });
  expect(worthOf(held("short"), price, size)).toEqual({
    notional: decimal("3.033"),
    unrealised: decimal("-0.03"),
  });
});

test("nothing held is worth nothing", () => {
  const nothing = { notional: decimal("0"), unrealised: decimal("0") };
  expect(worthOf(FLAT_LEG, decimal("5"), decimal("1"))).toEqual(nothing);
});
