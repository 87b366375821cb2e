// Small total functions on positions, orders and outcomes.
import { expect, test } from "bun:test";
import { orderSide } from "../../src/model/order.ts";
import { flatPosition, unrealised } from "../../src/model/position.ts";
import { assert, InvariantError, ok, refuse } from "../../src/model/result.ts";

test("a long gains with the price, a short against it, a flat position never", () => {
  const long = { sign: 1 as const, lots: 20, qty: 2, average: 100 };
  expect(unrealised(long, 103, 10)).toBe(60);
  expect(unrealised({ ...long, sign: -1 }, 103, 10)).toBe(-60);
  expect(unrealised(flatPosition(), 103, 10)).toBe(0);
});

test("a long is opened by buying and closed by selling, a short the other way", () => {
  expect([orderSide(1, false), orderSide(1, true)]).toEqual(["buy", "sell"]);
  expect([orderSide(-1, false), orderSide(-1, true)]).toEqual(["sell", "buy"]);
});

test("an outcome says whether it is one, and why not", () => {
  expect(ok(5)).toEqual({ ok: true, value: 5 });
  expect(refuse("TOO_BIG", "too big")).toEqual({ ok: false, reason: "TOO_BIG", detail: "too big" });
});

test("a broken assumption throws with its sentence", () => {
  expect(() => assert(1 > 2, "one is above two")).toThrow(InvariantError);
  expect(() => assert(1 > 2, "one is above two")).toThrow("one is above two");
  assert(true, "never said");
});
