// Approved targets as exact orders, whether an order found can be ours, and fills that should have rested.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  atPrice,
  atQueueLevel,
  checkAgain,
  exactOrder,
  type OrderSituation,
  parkedOrder,
} from "../../src/execution/exact-order.ts";
import { takerSentence } from "../../src/execution/maker-check.ts";
import { type FoundOrder, isOwnReport, type SentOrder } from "../../src/execution/own-report.ts";
import { compare, decimal, multiply } from "../../src/model/decimal.ts";
import type { OrderRules } from "../../src/model/order-rules.ts";
import type { ApprovedIntent, TargetOrder } from "../../src/model/order.ts";
import { approve } from "../../src/risk/pre-trade.ts";

const RULES: OrderRules = {
  symbol: "BTC",
  ...{ priceTick: decimal("0.5"), priceMin: decimal("0"), priceMax: decimal("100000") },
  ...{ qtyStep: decimal("0.01"), qtyMin: decimal("0.01"), qtyMax: decimal("1000") },
  ...{ minNotional: decimal("10"), contractSize: decimal("1"), isTrading: true },
  ...{ bidCapRatio: decimal("1.1"), askFloorRatio: decimal("0.9") },
};
const situation = (change: Partial<OrderSituation> = {}): OrderSituation => ({
  ...{ rules: RULES, positionMode: "one_way", heldQty: null, referencePrice: decimal("100") },
  ...change,
});

function target(change: Partial<TargetOrder> = {}): ApprovedIntent {
  const wanted: TargetOrder = {
    ...{ key: "entry", purpose: "entry", kind: "limit", side: "buy", positionSide: "long" },
    ...{ isReduceOnly: false, priceTicks: 199, qtyLots: 50, bandPct: 0, decidedAt: 7 },
    ...{ liveFrom: 0, replacePct: 0, reason: "ENTRY" },
    ...change,
  };
  const approved: ApprovedIntent[] = [];
  approve([{ op: "place", slot: 0, target: wanted }], "active", approved, []);
  const [one] = approved;
  if (!one) throw new Error("it was denied");
  return one;
}

const CLOSE = { side: "sell", isReduceOnly: true, purpose: "take_profit" } as const;

test("ticks and lots become exact prices and quantities", () => {
  expect(exactOrder(target(), situation())).toEqual({
    ok: true,
    value: {
      ...{ symbol: "BTC", leg: "net", positionSide: "long", side: "buy", purpose: "entry" },
      ...{ reason: "ENTRY", targetKey: "entry", isReduceOnly: false, decidedAt: 7 },
      terms: { kind: "limit", price: decimal("99.5") },
      qty: decimal("0.5"),
    },
  });
});

test("no tick and no lot ever moves, whatever the size of the step", () => {
  const step = fc.tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 0, max: 12 }));
  const count = fc.integer({ min: 1, max: 2 ** 40 });
  fc.assert(
    fc.property(step, step, count, count, (tick, lot, priceTicks, qtyLots) => {
      const size = ([units, places]: [number, number]) =>
        multiply(decimal(units), decimal((10 ** -places).toFixed(places)));
      const [priceTick, qtyStep] = [size(tick), size(lot)];
      const open = { minNotional: null, priceMax: null, qtyMax: null, qtyMin: qtyStep };
      const rules = { ...RULES, ...open, priceTick, qtyStep };
      const made = exactOrder(
        target({ priceTicks, qtyLots }),
        situation({ rules, referencePrice: null }),
      );
      const price = multiply(decimal(priceTicks), priceTick);
      const qty = multiply(decimal(qtyLots), qtyStep);
      expect(made).toMatchObject({ ok: true, value: { terms: { price }, qty } });
    }),
  );
});

describe("the kind of a target decides the terms:", () => {
  const cases: [Partial<TargetOrder>, object][] = [
    [{ kind: "market", priceTicks: 0 }, { kind: "market" }],
    [{ kind: "post_only" }, { kind: "post_only", price: decimal("99.5"), mayAdjust: false }],
    [{ kind: "trigger_market" }, { kind: "trigger", direction: "falling" }],
    [
      { kind: "trigger_market", side: "sell" },
      { kind: "trigger", direction: "rising" },
    ],
    [
      { kind: "stop_market", side: "sell" },
      { kind: "trigger", direction: "falling" },
    ],
    [
      { kind: "stop_market", side: "buy" },
      { kind: "trigger", direction: "rising", price: null },
    ],
  ];
  for (const [change, terms] of cases) {
    test(`${change.side ?? "buy"} ${change.kind}`, () => {
      const made = exactOrder(target(change), situation());
      expect(made).toMatchObject({ ok: true, value: { terms } });
    });
  }
});

test("a hedge account names the leg", () => {
  const made = exactOrder(target({ positionSide: "short" }), situation({ positionMode: "hedge" }));
  expect(made).toMatchObject({ value: { leg: "short", positionSide: "short" } });
});

describe("a reduce-only order", () => {
  const of = (held: string | null, lots = 50) =>
    exactOrder(
      target({ ...CLOSE, priceTicks: 220, qtyLots: lots }),
      situation({ heldQty: held === null ? null : decimal(held) }),
    );

  test("is never above what is held, and on the step", () => {
    expect(of("0.235")).toMatchObject({ value: { qty: "0.23" } });
    expect(of("9")).toMatchObject({ value: { qty: "0.5" } });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 99 }),
        (h, lots) => {
          const held = multiply(decimal(h), decimal("0.001"));
          const made = of(held, lots);
          if (made.ok) expect(compare(made.value.qty, held)).toBeLessThanOrEqual(0);
          else expect(compare(held, decimal("0.01"))).toBe(-1);
        },
      ),
    );
  });

  test("waits when what is held is not known", () => {
    expect(of(null)).toMatchObject({ ok: false, reason: "QTY_OFF_FILTER" });
    expect(of("0.009")).toMatchObject({ ok: false, reason: "QTY_OFF_FILTER" });
  });

  test("may close less than the least value of an order", () => {
    expect(of("0.01")).toMatchObject({ ok: true, value: { qty: "0.01" } });
    expect(exactOrder(target({ qtyLots: 1 }), situation())).toMatchObject({
      reason: "NOTIONAL_TOO_SMALL",
    });
  });
});

describe("rules:", () => {
  test("an order outside the band is refused, a trigger and a parked one are not", () => {
    const far = { priceTicks: 300 };
    expect(exactOrder(target(far), situation())).toMatchObject({ reason: "PRICE_OUT_OF_BAND" });
    expect(parkedOrder(target(far), situation())).toMatchObject({ ok: true });
    const stop = { ...far, kind: "stop_market" } as const;
    expect(exactOrder(target(stop), situation())).toMatchObject({ ok: true });
  });

  test("a market order is valued by the reference price", () => {
    const small = target({ kind: "market", priceTicks: 0, qtyLots: 9 });
    expect(exactOrder(small, situation())).toMatchObject({ reason: "NOTIONAL_TOO_SMALL" });
  });

  test("a closed market takes nothing", () => {
    const rules = { ...RULES, isTrading: false };
    expect(exactOrder(target(), situation({ rules }))).toMatchObject({ reason: "MARKET_CLOSED" });
  });

  test("a priced order without a price is a slip of the program", () => {
    expect(() => exactOrder(target({ priceTicks: 0 }), situation())).toThrow("needs a price");
  });

  test("what was written down earlier is checked again", () => {
    const made = exactOrder(
      target({ ...CLOSE, priceTicks: 220, qtyLots: 4 }),
      situation({ heldQty: decimal("0.04") }),
    );
    if (!made.ok) throw new Error(made.detail);
    const again = (held: string | null) =>
      checkAgain(made.value, situation({ heldQty: held === null ? null : decimal(held) })).ok;
    expect([again("0.04"), again("0.03"), again(null)]).toEqual([true, false, false]);
  });

  test("another price is checked as well, a level has none", () => {
    const made = exactOrder(target(), situation());
    if (!made.ok) throw new Error(made.detail);
    const at = (text: string) =>
      atPrice(made.value, { kind: "limit", price: decimal(text) }, situation());
    expect(at("100")).toMatchObject({ ok: true, value: { terms: { price: "100" } } });
    expect(at("100.2")).toMatchObject({ ok: false, reason: "PRICE_OFF_FILTER" });
    expect(atQueueLevel(made.value, 3).terms).toEqual({ kind: "queue", level: 3 });
  });
});

describe("an order found under our client id", () => {
  const SENT: SentOrder & { readonly sentAt: number } = {
    symbol: "BTC",
    side: "buy",
    leg: "long",
    qty: decimal("2"),
    isReduceOnly: false,
    sentAt: 1_000_000_000,
  };
  const FOUND: FoundOrder = {
    symbol: "BTC",
    side: "buy",
    positionSide: "long",
    qty: decimal("2"),
    createdAt: 1_000_000_050,
  };

  test("is ours when everything fits or is not told", () => {
    expect(isOwnReport(SENT, FOUND)).toBe(true);
    expect(isOwnReport(SENT, { ...FOUND, positionSide: null, qty: null, createdAt: null })).toBe(
      true,
    );
    expect(isOwnReport({ ...SENT, sentAt: null }, FOUND)).toBe(true);
    expect(isOwnReport({ ...SENT, leg: "net" }, { ...FOUND, positionSide: "short" })).toBe(true);
    expect(isOwnReport({ ...SENT, isReduceOnly: true }, { ...FOUND, qty: decimal("1") })).toBe(
      true,
    );
  });

  test("is not ours when one thing cannot be", () => {
    const others = [
      { symbol: "ETH" },
      { side: "sell" as const },
      { positionSide: "short" as const },
      { qty: decimal("1") },
      { qty: decimal("3") },
      { createdAt: SENT.sentAt - 7 * 3_600_000 },
    ];
    for (const other of others) expect(isOwnReport(SENT, { ...FOUND, ...other })).toBe(false);
    const closing = { ...SENT, isReduceOnly: true };
    expect(isOwnReport(closing, { ...FOUND, qty: decimal("3") })).toBe(false);
  });
});

test("a fill as taker of an order meant to rest is told in one sentence", () => {
  const fill = { qty: decimal("1"), price: decimal("100"), liquidity: "taker" } as const;
  const of = (kind: string) =>
    ({ reason: "ENTRY", side: "buy", symbol: "BTC", terms: { kind } }) as const;
  expect(takerSentence(of("queue"), fill)).toBe(
    "ENTRY: buy 1 BTC at 100 was meant to rest (queue) and was executed as taker",
  );
  expect(takerSentence(of("post_only"), fill)).not.toBeNull();
  expect(takerSentence(of("limit"), fill)).toBeNull();
  expect(takerSentence(of("queue"), { ...fill, liquidity: "maker" })).toBeNull();
  expect(takerSentence(of("queue"), { ...fill, liquidity: null })).toBeNull();
});
