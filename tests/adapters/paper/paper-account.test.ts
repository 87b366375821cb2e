// Money of a paper account: margin, liquidation, legs, balances; and every filter of the exchange.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { compare, decimal, multiply } from "../../../src/model/decimal.ts";
import { roundPrice, roundQty } from "../../../src/model/order-rules.ts";
import { liquidationPrice } from "../../../src/risk/margin.ts";
import type { OrderTerms } from "../../../src/ports/broker.ts";
import {
  anOrder,
  BTC,
  fillsOf,
  limit,
  OPTIONS,
  paperBench,
  placed,
  rulesOf,
} from "../../support/paper-market.ts";

const ETH = "ETH/USDT:USDT";
const market: OrderTerms = { kind: "market" };

test("the balance is what was realised less exact fees", async () => {
  const bench = paperBench();
  await placed(bench.broker, anOrder(market));
  bench.price(110);
  await bench.look(1000);
  await placed(bench.broker, anOrder(market, { side: "sell", isReduceOnly: true }));
  expect(await bench.broker.balances(OPTIONS)).toEqual([
    { asset: "USDT", total: decimal("10009.895"), free: decimal("10009.895") },
  ]);
});

test("an order beyond the margin is refused, one within it is taken", async () => {
  const bench = paperBench({ balance: "100", terms: { leverage: 10 } });
  const tooMuch = await bench.broker.place(anOrder(limit(99), { qty: decimal("11") }), OPTIONS);
  expect(tooMuch).toMatchObject({ outcome: "refused", reason: "INSUFFICIENT_MARGIN" });
  await placed(bench.broker, anOrder(limit(99), { qty: decimal("9") }));
  await bench.broker.setLeverage(BTC, 20, null, OPTIONS);
  await placed(bench.broker, anOrder(limit(99), { qty: decimal("11") }));
});

test("an order that no longer fits when it fills is cancelled without a fill", async () => {
  const bench = paperBench({ balance: "100" });
  await placed(bench.broker, anOrder(limit(98), { qty: decimal("6") }));
  await placed(bench.broker, anOrder(limit(97), { qty: decimal("6") }));
  bench.price(96.5);
  await bench.look(1000);
  expect(await fillsOf(bench.broker)).toEqual([["buy", "98", "6", "maker"]] as never);
  expect(await bench.broker.openOrders(null, OPTIONS)).toEqual([]);
});

test("a position that turns over gives its margin back first", async () => {
  const bench = paperBench({ balance: "100" });
  await placed(bench.broker, anOrder(market, { qty: decimal("5") }));
  await placed(bench.broker, anOrder(market, { side: "sell", qty: decimal("12") }));
  const [position] = await bench.broker.positions(BTC, OPTIONS);
  expect(position).toMatchObject({ positionSide: "short", qty: "7" });
  await placed(bench.broker, anOrder(market, { qty: decimal("20") }));
  expect((await bench.broker.positions(BTC, OPTIONS))[0]).toMatchObject({ qty: "7" });
});

test("what other symbols bind is not there twice", async () => {
  const bench = paperBench({ balance: "100" });
  bench.price(100, ETH);
  await placed(bench.broker, anOrder(market, { qty: decimal("6") }));
  const second = anOrder(market, { qty: decimal("6"), symbol: ETH });
  expect(await bench.broker.place(second, OPTIONS)).toMatchObject({
    reason: "INSUFFICIENT_MARGIN",
  });
  await placed(bench.broker, anOrder(market, { qty: decimal("3"), symbol: ETH }));
});

test("a lone position is told and liquidated where the simulator would", async () => {
  const bench = paperBench({ balance: "100" });
  await placed(bench.broker, anOrder(market, { qty: decimal("8") }));
  await placed(bench.broker, anOrder(limit(80), { qty: decimal("0.5") }));
  const position = { sign: 1 as const, lots: 8000, qty: 8, average: 100 };
  const at = liquidationPrice(position, 100 - 0.4, 1, 0.005);
  const [told] = await bench.broker.positions(BTC, OPTIONS);
  expect(Math.abs(Number(told?.liquidationPrice) - at)).toBeLessThanOrEqual(0.1);
  bench.price(Math.ceil(at * 10) / 10);
  await bench.look(1000);
  expect(await bench.broker.positions(null, OPTIONS)).toHaveLength(1);
  bench.price(80);
  await bench.look(1000);
  expect(await bench.broker.positions(null, OPTIONS)).toEqual([]);
  expect(await bench.broker.openOrders(null, OPTIONS)).toEqual([]);
  const price = decimal((Math.floor(at * 10) / 10).toFixed(1));
  expect((await fillsOf(bench.broker)).at(-1)).toEqual(["sell", price, "8", "taker"] as never);
});

test("a liquidation closes every symbol, each at its own price", async () => {
  const bench = paperBench({ balance: "100" });
  bench.price(50, ETH);
  await placed(bench.broker, anOrder(market, { qty: decimal("7") }));
  await placed(bench.broker, anOrder(market, { qty: decimal("2"), symbol: ETH, side: "sell" }));
  bench.price(60, BTC);
  bench.price(51, ETH);
  await bench.look(1000);
  expect(await bench.broker.positions(null, OPTIONS)).toEqual([]);
  expect((await fillsOf(bench.broker, ETH)).at(-1)?.slice(0, 2)).toEqual(["buy", "50"]);
});

test("legs that cancel each other out bind nothing and are never liquidated", async () => {
  const bench = paperBench({ balance: "100", terms: { positionMode: "hedge" } });
  const long = { positionSide: "long", qty: decimal("5") } as const;
  const short = { positionSide: "short", qty: decimal("5"), side: "sell" } as const;
  await placed(bench.broker, anOrder(market, long));
  bench.price(110);
  await bench.look(1000);
  await placed(bench.broker, anOrder(market, short));
  const [balance] = await bench.broker.balances(OPTIONS);
  expect(Number(balance?.free)).toBeCloseTo(100 + 50 - 5 * 100 * 0.0005 - 5 * 110 * 0.0005, 8);
  bench.price(1);
  await bench.look(1000);
  expect(await bench.broker.positions(null, OPTIONS)).toHaveLength(2);
});

test("closing a leg of a hedge account never exceeds it, flagged or not", async () => {
  const bench = paperBench({ terms: { positionMode: "hedge" } });
  await placed(bench.broker, anOrder(market, { positionSide: "long" }));
  const closing = { side: "sell", positionSide: "long", qty: decimal("2") } as const;
  expect(await bench.broker.place(anOrder(market, closing), OPTIONS)).toMatchObject({
    reason: "REDUCE_ONLY_EXCEEDS",
  });
  await placed(bench.broker, anOrder(market, { ...closing, qty: decimal("1") }));
  expect(await bench.broker.positions(null, OPTIONS)).toEqual([]);
});

test("the position mode stays while something rests or is held", async () => {
  const bench = paperBench();
  await placed(bench.broker, anOrder(limit(90)));
  expect(await bench.broker.setPositionMode(BTC, "hedge", OPTIONS)).toMatchObject({
    outcome: "refused",
    advice: "block_entries",
  });
  await bench.broker.cancelAll(BTC, OPTIONS);
  await bench.broker.setPositionMode(BTC, "hedge", OPTIONS);
  expect(await bench.broker.positionMode(BTC, OPTIONS)).toBe("hedge");
});

test("10,000 sizes on random rules: rounded ones are never refused by a filter", async () => {
  const filters = new Set([
    ...["PRICE_OFF_FILTER", "PRICE_OUT_OF_BAND", "QTY_OFF_FILTER", "NOTIONAL_TOO_SMALL"],
  ]);
  const steps = fc.constantFrom("1", "0.5", "0.1", "0.05", "0.01", "0.001", "0.0001");
  const size = fc.record({
    price: fc.double({ min: 20, max: 400, noNaN: true }),
    qty: fc.double({ min: 0.0002, max: 60, noNaN: true }),
    side: fc.constantFrom("buy" as const, "sell" as const),
    kind: fc.constantFrom("limit", "market", "trigger"),
  });
  const cases = fc.record({
    priceTick: steps,
    qtyStep: steps,
    minNotional: fc.constantFrom("1", "5", "100"),
    contractSize: fc.constantFrom("1", "0.01", "10"),
    sizes: fc.array(size, { minLength: 100, maxLength: 100 }),
  });
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(cases, async ({ sizes, ...rules }) => {
      const change = {
        priceTick: decimal(rules.priceTick),
        priceMin: decimal(rules.priceTick),
        qtyStep: decimal(rules.qtyStep),
        qtyMin: decimal(rules.qtyStep),
        minNotional: decimal(rules.minNotional),
        contractSize: decimal(rules.contractSize),
      };
      const full = rulesOf(BTC, change);
      const bench = paperBench({
        rulesChange: change,
        balance: "100000000",
        terms: { leverage: 50 },
      });
      for (const { price, qty, side, kind } of sizes) {
        const exact = roundPrice(full, "entry", side, decimal(price.toFixed(8)));
        const legal = roundQty(full, decimal(qty.toFixed(8)), null);
        if (legal === null) continue;
        const valued = kind === "market" ? decimal(100) : exact;
        const notional = multiply(multiply(valued, legal), full.contractSize);
        if (compare(notional, decimal(rules.minNotional)) < 0) continue;
        const direction = side === "buy" ? ("falling" as const) : ("rising" as const);
        const trigger = { kind: "trigger", triggerPrice: exact, direction, price: null } as const;
        const terms = kind === "limit" ? limit(exact) : kind === "market" ? market : trigger;
        const answer = await bench.broker.place(anOrder(terms, { side, qty: legal }), OPTIONS);
        if (answer.outcome === "accepted") sent += 1;
        else if (answer.outcome === "refused") expect(filters.has(answer.reason)).toBe(false);
      }
    }),
    { numRuns: 300, seed: 7 },
  );
  expect(sent).toBeGreaterThan(10_000);
}, 60_000);

test("off the filters an order is refused by name and leaves nothing", async () => {
  const bench = paperBench({ rulesChange: { bidCapRatio: decimal("1.05") } });
  const wrong = [
    [limit("99.05"), {}, "PRICE_OFF_FILTER"],
    [limit("106"), {}, "PRICE_OUT_OF_BAND"],
    [limit("99"), { qty: decimal("0.0005") }, "QTY_OFF_FILTER"],
    [limit("99"), { qty: decimal("0.05") }, "NOTIONAL_TOO_SMALL"],
    [market, { qty: decimal("0.04") }, "NOTIONAL_TOO_SMALL"],
    [limit("99"), { qty: decimal("0") }, "BAD_REQUEST"],
    [limit("99"), { visibleQty: decimal("0") }, "NOT_SUPPORTED"],
    [limit("99"), { positionSide: "long" }, "POSITION_MODE"],
  ] as const;
  for (const [terms, change, reason] of wrong) {
    const answer = await bench.broker.place(anOrder(terms, change), OPTIONS);
    expect(answer).toMatchObject({ outcome: "refused", reason });
  }
  expect(await bench.broker.openOrders(null, OPTIONS)).toEqual([]);
});
