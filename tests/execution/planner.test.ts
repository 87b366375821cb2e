// The planner: only differences, cancels before places, nothing twice, and the threshold under which a working
// order is left alone (rule E63).
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isSameOrder, type OrderSlots, plan } from "../../src/execution/planner.ts";
import type { OrderIntent, TargetOrder } from "../../src/model/order.ts";

const order = (changes: Partial<TargetOrder> = {}): TargetOrder => ({
  key: "tp",
  purpose: "take_profit",
  kind: "post_only",
  side: "sell",
  positionSide: "long",
  isReduceOnly: true,
  priceTicks: 10_000,
  qtyLots: 10,
  bandPct: 0,
  decidedAt: 1,
  liveFrom: 0,
  replacePct: 0,
  reason: "TP_PCT",
  ...changes,
});

const ALL = 0xff;

function planned(targets: OrderSlots, working: OrderSlots, touched = ALL): OrderIntent[] {
  const intents: OrderIntent[] = [];
  plan(targets, working, touched, intents);
  return intents;
}

/** Carries intents out the way an exchange that accepts everything does. */
function carryOut(working: OrderSlots, intents: readonly OrderIntent[]): OrderSlots {
  const after = [...working];
  for (const { op, slot, target } of intents) after[slot] = op === "place" ? target : null;
  return after;
}

const said = (intents: readonly OrderIntent[]) => intents.map(({ op, slot }) => `${op} ${slot}`);

describe("planning", () => {
  test("places what is wanted and missing, cancels what is not wanted", () => {
    expect(said(planned([order(), null], [null, order()]))).toEqual(["cancel 1", "place 0"]);
  });

  test("leaves alone what already works", () => {
    expect(planned([order(), null], [order(), null])).toEqual([]);
  });

  test("replaces by cancelling all that has to go, then placing", () => {
    const wanted = [order({ priceTicks: 1 }), order({ qtyLots: 1 })];
    expect(said(planned(wanted, [order(), order()]))).toEqual([
      "cancel 0",
      "cancel 1",
      "place 0",
      "place 1",
    ]);
  });

  test("cancels the order that works, and places the one that is wanted", () => {
    const [cancel, place] = planned([order({ priceTicks: 1 })], [order()]);
    expect(cancel?.target.priceTicks).toBe(10_000);
    expect(place?.target.priceTicks).toBe(1);
  });

  test("looks only at the slots that were touched", () => {
    const wanted = [order(), order(), order()];
    expect(said(planned(wanted, [null, null, null], 0b101))).toEqual(["place 0", "place 2"]);
    expect(planned(wanted, [null, null, null], 0)).toEqual([]);
  });

  for (const change of [
    { key: "dca:2" },
    { kind: "limit" },
    { side: "buy" },
    { bandPct: 1 },
    { liveFrom: 5 },
    { priceTicks: 10_001 },
    { qtyLots: 11 },
    { decidedAt: 2 },
  ] satisfies Partial<TargetOrder>[]) {
    test(`replaces an order whose ${Object.keys(change)[0]} changed`, () => {
      expect(said(planned([order(change)], [order()]))).toEqual(["cancel 0", "place 0"]);
    });
  }
});

describe("the replace threshold", () => {
  const near = (changes: Partial<TargetOrder>) =>
    isSameOrder(order({ decidedAt: 2, replacePct: 0.05, ...changes }), order());

  test("E63 an order of the same quantity closer than the threshold is left alone", () => {
    expect(near({ priceTicks: 10_004 })).toBe(true);
    expect(near({ priceTicks: 9_996 })).toBe(true);
    expect(near({})).toBe(true);
  });

  test("E63 it is replaced when the price differs by at least the threshold", () => {
    // 50 of 100,000 ticks are exactly 0.05 %.
    const present = order({ priceTicks: 99_950 });
    const wanted = order({ decidedAt: 2, replacePct: 0.05, priceTicks: 100_000 });
    expect(isSameOrder(wanted, present)).toBe(false);
    expect(isSameOrder(wanted, order({ priceTicks: 99_951 }))).toBe(true);
    expect(isSameOrder(wanted, order({ priceTicks: 100_050 }))).toBe(false);
  });

  test("E63 it is replaced when the quantity differs by at least one step", () => {
    expect(near({ qtyLots: 11 })).toBe(false);
    expect(near({ qtyLots: 9 })).toBe(false);
  });

  test("E63 a threshold of 0 replaces at every change of the price", () => {
    expect(near({ replacePct: 0, priceTicks: 10_001 })).toBe(false);
  });

  test("E63 an order left alone keeps its price and quantity at the exchange", () => {
    expect(
      planned([order({ decidedAt: 2, replacePct: 0.05, priceTicks: 10_004 })], [order()]),
    ).toEqual([]);
  });
});

const anOrder = fc
  .record({
    key: fc.constantFrom("tp", "dca:1", "dca:2"),
    kind: fc.constantFrom("limit" as const, "post_only" as const, "market" as const),
    priceTicks: fc.integer({ min: 9_990, max: 10_010 }),
    qtyLots: fc.integer({ min: 1, max: 3 }),
    bandPct: fc.constantFrom(0, 0.5),
    decidedAt: fc.integer({ min: 0, max: 3 }),
    liveFrom: fc.constantFrom(0, 60_000),
    replacePct: fc.constantFrom(0, 0.05),
  })
  .map(order);
const slots = fc.array(fc.option(anOrder), { minLength: 5, maxLength: 5, size: "max" });
const touched = fc.integer({ min: 0, max: 31 });

describe("whatever is wanted and works", () => {
  test("planning again after the intents were carried out plans nothing", () => {
    let intentsSeen = 0;
    fc.assert(
      fc.property(slots, slots, touched, (targets, working, mask) => {
        const intents = planned(targets, working, mask);
        intentsSeen += intents.length;
        expect(planned(targets, carryOut(working, intents), mask)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
    expect(intentsSeen).toBeGreaterThan(2000);
  });

  test("every cancel comes before every place, and names the order that works", () => {
    fc.assert(
      fc.property(slots, slots, touched, (targets, working, mask) => {
        const intents = planned(targets, working, mask);
        const places = intents.map(({ op }) => op).indexOf("place");
        const cancels = intents.map(({ op }) => op).lastIndexOf("cancel");
        expect(places === -1 || cancels < places).toBe(true);
        for (const { op, slot, target } of intents) {
          expect((mask & (1 << slot)) !== 0).toBe(true);
          expect(target).toBe((op === "cancel" ? working : targets)[slot] as TargetOrder);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("a new decision at the same price is a new order, unless the threshold keeps the old one", () => {
    fc.assert(
      fc.property(anOrder, fc.integer({ min: 4, max: 9 }), (present, decidedAt) => {
        const wanted = { ...present, decidedAt };
        const intents = said(planned([wanted], [present]));
        expect(intents).toEqual(present.replacePct > 0 ? [] : ["cancel 0", "place 0"]);
      }),
    );
  });

  test("no slot is placed or cancelled twice", () => {
    fc.assert(
      fc.property(slots, slots, touched, (targets, working, mask) => {
        const named = said(planned(targets, working, mask));
        expect(new Set(named).size).toBe(named.length);
      }),
    );
  });
});
