// How paper orders fill: without a book by the rules of a backtest, with one by what it shows.
import { expect, test } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import type { OrderRef, OrderTerms } from "../../../src/ports/broker.ts";
import {
  anOrder,
  BTC,
  fillsOf,
  limit,
  OPTIONS,
  paperBench,
  placed,
} from "../../support/paper-market.ts";

const market: OrderTerms = { kind: "market" };
const refOf = (id: string): OrderRef => ({ symbol: BTC, by: "client", id, isTrigger: false });
const trigger = (price: number, direction: "rising" | "falling", then: string | null = null) => ({
  kind: "trigger" as const,
  triggerPrice: decimal(price),
  direction,
  price: then === null ? null : decimal(then),
});

test("a resting limit needs the price beyond it, not only at it, and pays its own price", async () => {
  const bench = paperBench();
  await placed(bench.broker, anOrder(limit(99)));
  bench.price(99);
  await bench.look(1000);
  expect(await fillsOf(bench.broker)).toEqual([]);
  bench.price(98.5);
  await bench.look(1000);
  expect(await fillsOf(bench.broker)).toEqual([["buy", "99", "1", "maker"]] as never);
});

test("a limit the price has passed already takes at the price; at its price it rests", async () => {
  const bench = paperBench();
  await placed(bench.broker, anOrder(limit(101)));
  expect(await fillsOf(bench.broker)).toEqual([["buy", "100", "1", "taker"]] as never);
  await placed(bench.broker, anOrder(limit(100)));
  expect(await bench.broker.openOrders(BTC, OPTIONS)).toHaveLength(1);
});

test("with a book a limit takes what is shown and rests with the remainder", async () => {
  const bench = paperBench();
  bench.book("99.9", "100", "5", "0.4");
  await placed(bench.broker, anOrder(limit("100")));
  expect(await fillsOf(bench.broker)).toEqual([["buy", "100", "0.4", "taker"]] as never);
  const [rest] = await bench.broker.openOrders(BTC, OPTIONS);
  expect(rest).toMatchObject({ status: "partly_filled", filledQty: "0.4", averagePrice: "100" });
});

test("a resting limit waits until the other side itself is beyond its price", async () => {
  const bench = paperBench();
  bench.book("99", "101");
  await placed(bench.broker, anOrder(limit("100.5")));
  bench.book("98", "100.5");
  await bench.look(1000);
  expect(await fillsOf(bench.broker)).toEqual([]);
  bench.book("98", "100.4");
  await bench.look(1000);
  expect(await fillsOf(bench.broker)).toEqual([["buy", "100.5", "1", "maker"]] as never);
});

test("a market order pays the book and slippage, gets what is shown, and the rest later", async () => {
  const bench = paperBench({ terms: { slippageBps: 10 } });
  bench.book("99.9", "100", "5", "0.4");
  await placed(bench.broker, anOrder(market));
  expect(await fillsOf(bench.broker)).toEqual([["buy", "100.1", "0.4", "taker"]] as never);
  await bench.broker.openOrders(null, OPTIONS);
  expect(await fillsOf(bench.broker)).toHaveLength(1);
  bench.book("101", "102", "5", "5");
  await bench.look(1000);
  expect(await fillsOf(bench.broker)).toEqual([
    ["buy", "100.1", "0.4", "taker"],
    ["buy", "102.2", "0.6", "taker"],
  ] as never);
  const trades = await bench.broker.tradesSince({ symbol: BTC, sinceAt: 0 }, OPTIONS);
  expect(trades[0]?.fee).toBe(decimal("0.02002"));
});

test("orders of one look share what the book shows", async () => {
  const bench = paperBench();
  bench.book("99.9", "100", "5", "1.5");
  await placed(bench.broker, anOrder(market));
  await placed(bench.broker, anOrder(market));
  expect((await fillsOf(bench.broker)).map(([, , qty]) => qty)).toEqual(["1", "0.5"] as never);
});

test("IOC takes what it can and ends, FOK takes all or nothing", async () => {
  const bench = paperBench();
  bench.book("99.9", "100", "5", "0.4");
  const ioc = await placed(bench.broker, anOrder({ kind: "ioc", price: decimal("100") }));
  const found = await bench.broker.order(refOf(ioc.clientOrderId), OPTIONS);
  expect(found).toMatchObject({ status: "cancelled", filledQty: "0.4" });
  bench.book("99.9", "100", "5", "0.9");
  await bench.look(1000);
  const fok = await placed(bench.broker, anOrder({ kind: "fok", price: decimal("100") }));
  expect(await bench.broker.order(refOf(fok.clientOrderId), OPTIONS)).toMatchObject({
    status: "cancelled",
    filledQty: "0",
  });
  const far = await placed(bench.broker, anOrder({ kind: "ioc", price: decimal("99") }));
  expect(await bench.broker.order(refOf(far.clientOrderId), OPTIONS)).toMatchObject({
    status: "cancelled",
    filledQty: "0",
  });
});

test("post-only is moved next to the book when it may, and refused when it may not", async () => {
  const bench = paperBench();
  bench.book("99.9", "100");
  const wish = { kind: "post_only", price: decimal("101") } as const;
  await placed(bench.broker, anOrder({ ...wish, mayAdjust: true }));
  await placed(
    bench.broker,
    anOrder({ ...wish, price: decimal("99"), mayAdjust: true }, { side: "sell" }),
  );
  const open = await bench.broker.openOrders(BTC, OPTIONS);
  expect(open.map(({ side, price }) => [side, price])).toEqual([
    ["buy", "99.9"],
    ["sell", "100"],
  ] as never);
  const answer = await bench.broker.place(anOrder({ ...wish, mayAdjust: false }), OPTIONS);
  expect(answer).toMatchObject({ outcome: "refused", reason: "WOULD_TAKE" });
});

test("a place in the queue is a price of the own side; without a book there is none", async () => {
  const bench = paperBench();
  const queue = anOrder({ kind: "queue", level: 3 });
  expect(await bench.broker.place(queue, OPTIONS)).toMatchObject({
    outcome: "refused",
    advice: "back_off",
  });
  bench.book("99.9", "100");
  await placed(bench.broker, anOrder({ kind: "queue", level: 3 }));
  await placed(bench.broker, anOrder({ kind: "queue", level: 1 }, { side: "sell" }));
  const open = await bench.broker.openOrders(BTC, OPTIONS);
  expect(open.map(({ price }) => price)).toEqual(["99.7", "100"] as never);
});

test("a stop waits outside of the book and fills as taker where it is met", async () => {
  const bench = paperBench({ terms: { slippageBps: 10 } });
  await placed(bench.broker, anOrder(market));
  const stop = anOrder(trigger(98, "falling"), { side: "sell", isReduceOnly: true });
  await placed(bench.broker, stop);
  expect(await bench.broker.order(refOf(stop.clientOrderId), OPTIONS)).toMatchObject({
    isTrigger: true,
    status: "open",
    triggerPrice: "98",
  });
  bench.price(97);
  await bench.look(1000);
  expect((await fillsOf(bench.broker)).at(-1)).toEqual(["sell", "97.9", "1", "taker"] as never);
  expect(await bench.broker.positions(null, OPTIONS)).toEqual([]);
});

test("where a book is shown a stop pays the worse of its price and the book", async () => {
  const bench = paperBench();
  bench.book("99.9", "100.1");
  await placed(bench.broker, anOrder(market));
  const stop = anOrder(trigger(98, "falling"), { side: "sell", isReduceOnly: true });
  await placed(bench.broker, stop);
  bench.book("95", "95.2");
  await bench.look(1000);
  expect((await fillsOf(bench.broker)).at(-1)).toEqual(["sell", "95", "1", "taker"] as never);
});

test("a trigger with a price becomes a limit order", async () => {
  const bench = paperBench();
  const order = await placed(bench.broker, anOrder(trigger(102, "rising", "101")));
  bench.price(103);
  await bench.look(1000);
  const found = await bench.broker.order(refOf(order.clientOrderId), OPTIONS);
  expect(found).toMatchObject({ isTrigger: false, status: "open", price: "101" });
  bench.price(100.5);
  await bench.look(1000);
  expect(await fillsOf(bench.broker)).toEqual([["buy", "101", "1", "maker"]] as never);
});

test("a trigger that is met when it arrives goes off at once", async () => {
  const bench = paperBench();
  await placed(bench.broker, anOrder(trigger(99, "rising")));
  expect(await fillsOf(bench.broker)).toEqual([["buy", "100", "1", "taker"]] as never);
});

test("nearest first: a rung on the way is bought before the stop below sells", async () => {
  const bench = paperBench();
  await placed(bench.broker, anOrder(market));
  await placed(bench.broker, anOrder(trigger(97, "falling"), { side: "sell", isReduceOnly: true }));
  await placed(bench.broker, anOrder(limit(98)));
  bench.price(96);
  await bench.look(1000);
  expect((await fillsOf(bench.broker)).map(([side, price]) => [side, price])).toEqual([
    ["buy", "100"],
    ["buy", "98"],
    ["sell", "97"],
  ] as never);
});

test("at one price the stop comes before the rung", async () => {
  const bench = paperBench();
  await placed(bench.broker, anOrder(market));
  await placed(bench.broker, anOrder(limit(98)));
  await placed(bench.broker, anOrder(trigger(98, "falling"), { side: "sell", isReduceOnly: true }));
  bench.price(97);
  await bench.look(1000);
  expect((await fillsOf(bench.broker)).map(([side]) => side)).toEqual(["buy", "sell", "buy"]);
});

test("reduce-only never turns a position over and ends with it", async () => {
  const bench = paperBench();
  await placed(bench.broker, anOrder(market));
  const closing = { side: "sell", isReduceOnly: true } as const;
  const first = await placed(bench.broker, anOrder(limit(101), closing));
  const second = await placed(bench.broker, anOrder(limit(102), closing));
  bench.price(103);
  await bench.look(1000);
  expect(await bench.broker.positions(null, OPTIONS)).toEqual([]);
  expect(await bench.broker.order(refOf(first.clientOrderId), OPTIONS)).toMatchObject({
    status: "filled",
  });
  expect(await bench.broker.order(refOf(second.clientOrderId), OPTIONS)).toMatchObject({
    status: "cancelled",
    filledQty: "0",
  });
});

test("an amended order moves; below what is filled it is refused", async () => {
  const bench = paperBench();
  bench.book("99.9", "100", "5", "0.4");
  const order = await placed(bench.broker, anOrder(limit("100")));
  const change = { side: "buy", price: null, qty: decimal("0.3") } as const;
  expect(await bench.broker.amend(refOf(order.clientOrderId), change, OPTIONS)).toMatchObject({
    outcome: "refused",
    reason: "BAD_REQUEST",
  });
  const moved = { side: "buy", price: decimal("95"), qty: decimal("2") } as const;
  await bench.broker.amend(refOf(order.clientOrderId), moved, OPTIONS);
  expect(await bench.broker.order(refOf(order.clientOrderId), OPTIONS)).toMatchObject({
    price: "95",
    qty: "2",
    filledQty: "0.4",
  });
  const up = { side: "buy", price: decimal("100"), qty: null } as const;
  bench.book("99.9", "100", "5", "5");
  await bench.look(1000);
  await bench.broker.amend(refOf(order.clientOrderId), up, OPTIONS);
  expect((await fillsOf(bench.broker)).at(-1)).toEqual(["buy", "100", "1.6", "taker"] as never);
});

test("a waiting trigger changes its quantity and the price it will have, and goes on waiting", async () => {
  const bench = paperBench();
  const order = await placed(bench.broker, anOrder(trigger(102, "rising", "101")));
  const change = { side: "buy", price: decimal("101.5"), qty: decimal("2") } as const;
  expect(await bench.broker.amend(refOf(order.clientOrderId), change, OPTIONS)).toMatchObject({
    outcome: "accepted",
  });
  expect(await bench.broker.order(refOf(order.clientOrderId), OPTIONS)).toMatchObject({
    ...{ isTrigger: true, price: "101.5", triggerPrice: "102", qty: "2" },
  });
  bench.price(103);
  await bench.look(1000);
  bench.price(101);
  await bench.look(1000);
  expect(await fillsOf(bench.broker)).toEqual([["buy", "101.5", "2", "maker"]] as never);
});

test("an amendment passes the same checks as an order, and one without a change is refused", async () => {
  const bench = paperBench();
  const order = await placed(bench.broker, anOrder(limit(99)));
  const ref = refOf(order.clientOrderId);
  const nothing = { side: "buy", price: null, qty: null } as const;
  const wrong = [
    [nothing, "BAD_REQUEST"],
    [{ ...nothing, price: decimal("99.05") }, "PRICE_OFF_FILTER"],
    [{ ...nothing, qty: decimal("0.01") }, "NOTIONAL_TOO_SMALL"],
    [{ ...nothing, qty: decimal("5000") }, "INSUFFICIENT_MARGIN"],
  ] as const;
  for (const [change, reason] of wrong) {
    expect(await bench.broker.amend(ref, change, OPTIONS)).toMatchObject({ reason });
  }
  expect(await bench.broker.order(ref, OPTIONS)).toMatchObject({ price: "99", qty: "1" });
});

test("the dead-man time cancels everything unless it is put off", async () => {
  const bench = paperBench();
  await placed(bench.broker, anOrder(limit(90)));
  await bench.broker.setDeadMan(5000, OPTIONS);
  await bench.look(4999);
  await bench.broker.setDeadMan(5000, OPTIONS);
  await bench.look(4999);
  expect(await bench.broker.openOrders(null, OPTIONS)).toHaveLength(1);
  await bench.look(1);
  expect(await bench.broker.openOrders(null, OPTIONS)).toEqual([]);
  await placed(bench.broker, anOrder(limit(90)));
  await bench.broker.setDeadMan(5000, OPTIONS);
  await bench.broker.setDeadMan(0, OPTIONS);
  await bench.look(9000);
  expect(await bench.broker.openOrders(null, OPTIONS)).toHaveLength(1);
});

test("trade ids come from the client id and a counter, and no two fills share an instant", async () => {
  const bench = paperBench();
  bench.book("99.9", "100", "5", "0.4");
  const order = await placed(bench.broker, anOrder(market));
  bench.book("99.9", "100", "5", "5");
  await bench.look(0);
  await placed(bench.broker, anOrder(market));
  const trades = await bench.broker.tradesSince({ symbol: BTC, sinceAt: 0 }, OPTIONS);
  const id = order.clientOrderId;
  expect(trades.slice(0, 2).map(({ tradeId }) => tradeId)).toEqual([`${id}-1`, `${id}-2`]);
  expect(new Set(trades.map(({ at }) => at)).size).toBe(3);
});
