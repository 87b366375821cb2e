// Order types, the queue, amendments and cancels, over real HTTP against a stepped venue.
import { afterEach, expect, test } from "bun:test";
import { codeOf, startLab, stopLabs } from "./lab.ts";

afterEach(stopLabs);

const quotes = { house: { levels: 5, levelLotsMax: 1 } };

test("a limit order rests, fills when the path trades through it, and not when it is only touched", async () => {
  const lab = startLab();
  const id = await lab.place({ price: "99" });
  expect(await lab.order(id)).toMatchObject({ status: "NEW", executed: 0, price: 99 });
  await lab.price("99");
  expect(await lab.status(id)).toBe("NEW");
  await lab.price("98.5");
  expect(await lab.order(id)).toMatchObject({
    status: "FILLED",
    executed: 1,
    averageExecutedPrice: 99,
  });
});

test("a step fills no more than its volume, so an order fills in parts", async () => {
  const lab = startLab();
  const id = await lab.place({ price: "99" });
  await lab.price("98", "0.3");
  expect(await lab.order(id)).toMatchObject({ status: "PARTIAL_FILLED", executed: 0.3 });
  await lab.price("98", "5");
  expect(await lab.order(id)).toMatchObject({ status: "FILLED", executed: 1 });
});

test("a market order walks the levels and the rest beyond the depth is cancelled", async () => {
  const lab = startLab(quotes);
  const id = await lab.place({ type: "MARKET", quantity: "1" });
  // Five levels of 0.01: 100.5 to 102.5.
  expect(await lab.order(id)).toMatchObject({
    status: "CANCELLED",
    executed: 0.05,
    averageExecutedPrice: 101.5,
    price: null,
  });
});

test("IOC takes what there is within its limit, FOK all or nothing", async () => {
  const lab = startLab(quotes);
  const fok = await lab.place({ type: "FOK", price: "101", quantity: "0.1" });
  expect(await lab.order(fok)).toMatchObject({ status: "CANCELLED", executed: 0 });
  const ioc = await lab.place({ type: "IOC", price: "101", quantity: "0.1" });
  expect(await lab.order(ioc)).toMatchObject({ status: "CANCELLED", executed: 0.02 });
  await lab.price("100");
  const whole = await lab.place({ type: "FOK", price: "102.5", quantity: "0.05" });
  expect(await lab.order(whole)).toMatchObject({ status: "FILLED", executed: 0.05 });
});

test("POST_ONLY ends when it would take, is re-priced when it may be, and rests otherwise", async () => {
  const lab = startLab();
  const crossing = await lab.place({ type: "POST_ONLY", price: "101" });
  expect(await lab.order(crossing)).toMatchObject({ status: "CANCELLED", executed: 0 });
  const adjusted = await lab.place({ type: "POST_ONLY", price: "101", postOnlyAdjusted: true });
  expect(await lab.order(adjusted)).toMatchObject({ status: "NEW", price: 100 });
  const resting = await lab.place({ type: "POST_ONLY", price: "99", quantity: "0.2" });
  expect(await lab.order(resting)).toMatchObject({ status: "NEW", price: 99 });
});

test("the POST_ONLY outcome is a setting", async () => {
  const dialect = { postOnlyOutcome: "REJECTED" } as const;
  const lab = startLab({ dialect } as Parameters<typeof startLab>[0]);
  const id = await lab.place({ type: "POST_ONLY", price: "101" });
  expect(await lab.status(id)).toBe("REJECTED");
});

test("BID and ASK take their price from the n-th displayed level and ignore a price", async () => {
  const lab = startLab(quotes);
  for (const [type, side, level, price] of [
    ["BID", "BUY", 1, 99.5],
    ["BID", "BUY", 3, 98.5],
    ["ASK", "SELL", 5, 102.5],
  ] as const) {
    const id = await lab.place({ type, side, bidAskLevel: level, price: "55", quantity: "0.2" });
    expect(await lab.order(id)).toMatchObject({ type, status: "NEW", price, bidAskLevel: level });
  }
});

test("BUY with ASK crosses and fills as taker", async () => {
  const lab = startLab(quotes);
  const id = await lab.place({ type: "ASK", side: "BUY", bidAskLevel: 2, quantity: "0.2" });
  expect(await lab.order(id)).toMatchObject({
    status: "PARTIAL_FILLED",
    executed: 0.02,
    price: 101,
  });
});

test("at one price the earlier order fills first; a smaller quantity keeps the place, a larger loses it", async () => {
  const lab = startLab();
  const first = await lab.place({ price: "99" });
  const second = await lab.place({ price: "99" });
  await lab.call("PUT", "/v3/trade/order", { orderId: first, quantity: "0.5" });
  await lab.price("98", "0.5");
  expect(await lab.status(first)).toBe("FILLED");
  expect((await lab.order(second)).executed as unknown).toBe(0);
  const third = await lab.place({ price: "97" });
  const fourth = await lab.place({ price: "97" });
  await lab.call("PUT", "/v3/trade/order", { orderId: third, quantity: "2" });
  await lab.price("96.5", "2");
  expect(await lab.status(second)).toBe("FILLED");
  expect(await lab.status(fourth)).toBe("FILLED");
  expect((await lab.order(third)).executed as unknown).toBe(0);
});

test("an iceberg shows its slice and goes to the back of the queue, a hidden order shows nothing", async () => {
  const lab = startLab({ house: { levels: 0 } });
  const book = async () =>
    (await lab.call("GET", "/v3/public/orderbook", { symbol: "PERP_BTC_USDT" })).json.data?.bids;
  const iceberg = await lab.place({ price: "99", quantity: "1", visibleQuantity: "0.4" });
  const plain = await lab.place({ price: "99", quantity: "0.5" });
  await lab.place({ price: "98", quantity: "1", visibleQuantity: "0" });
  expect((await book()) as unknown).toEqual([{ price: "99", quantity: "0.9" }]);
  await lab.price("98.5", "0.6");
  expect((await lab.order(iceberg)).executed as unknown).toBe(0.4);
  expect((await lab.order(plain)).executed as unknown).toBe(0.2);
});

test("an amendment changes price and quantity, may take at once, and respects what is executed", async () => {
  const lab = startLab();
  const id = await lab.place({ price: "99" });
  const sent = await lab.call("PUT", "/v3/trade/order", { orderId: id, price: "100.5" });
  expect(sent.json.data).toEqual({ status: "EDIT_SENT" } as never);
  expect(await lab.order(id)).toMatchObject({
    status: "PARTIAL_FILLED",
    executed: 0.01,
    price: 100.5,
  });
  const low = await lab.call("PUT", "/v3/trade/order", { orderId: id, quantity: "0.01" });
  expect(codeOf(low)).toBe(302142);
  await lab.call("DELETE", "/v3/trade/order", { symbol: "PERP_BTC_USDT", orderId: id });
  expect(codeOf(await lab.call("PUT", "/v3/trade/order", { orderId: id, price: "98" }))).toBe(
    317177,
  );
});

test("a cancel says CANCEL_SENT, the second one -1006 with the exchange's sentence", async () => {
  const lab = startLab();
  const id = await lab.place({ price: "99" });
  const wanted = { symbol: "PERP_BTC_USDT", orderId: id };
  const sent = await lab.call("DELETE", "/v3/trade/order", wanted);
  expect(sent.json.data).toEqual({ status: "CANCEL_SENT" } as never);
  expect(await lab.status(id)).toBe("CANCELLED");
  const again = await lab.call("DELETE", "/v3/trade/order", wanted);
  expect([again.status, codeOf(again)]).toEqual([400, -1006]);
  expect(again.text).toContain("not valid or already canceled");
});

test("client ids are unique only while open; get and cancel mean the latest, order id wins", async () => {
  const lab = startLab();
  const clientOrderId = "9223372036854775807";
  const first = await lab.place({ price: "99", clientOrderId });
  const twice = await lab.call("POST", "/v3/trade/order", {
    ...{ symbol: "PERP_BTC_USDT", type: "LIMIT", side: "BUY", quantity: "1" },
    ...{ price: "98", clientOrderId },
  });
  expect(codeOf(twice)).toBe(302117);
  await lab.call("DELETE", "/v3/trade/order", { symbol: "PERP_BTC_USDT", clientOrderId });
  const second = await lab.place({ price: "98", clientOrderId });
  const found = await lab.call("GET", "/v3/trade/order", { clientOrderId });
  expect(found.text).toContain(`"clientOrderId":${clientOrderId}`);
  expect(found.json.data).toMatchObject({ orderId: Number(second), price: 98 });
  const byBoth = await lab.call("GET", "/v3/trade/order", { clientOrderId, orderId: first });
  expect(byBoth.json.data).toMatchObject({ orderId: Number(first), status: "CANCELLED" });
});

test("cancelling plain orders leaves algo orders, cancelling all takes both", async () => {
  const lab = startLab();
  const symbol = "PERP_BTC_USDT";
  const stop = { symbol, algoType: "STOP", type: "MARKET", side: "BUY", quantity: "1" };
  await lab.call("POST", "/v3/trade/algoOrder", { ...stop, triggerPrice: "110" });
  await lab.place({ price: "99" });
  const openOf = async (path: string) =>
    (await lab.call("GET", path, { status: "INCOMPLETE" })).json.data?.meta?.total as unknown;
  await lab.call("DELETE", "/v3/trade/orders", { symbol });
  expect([await openOf("/v3/trade/orders"), await openOf("/v3/trade/algoOrders")]).toEqual([0, 1]);
  await lab.place({ price: "99" });
  await lab.call("DELETE", "/v3/trade/allOrders");
  expect([await openOf("/v3/trade/orders"), await openOf("/v3/trade/algoOrders")]).toEqual([0, 0]);
});

test("the dead-man switch cancels when it is not renewed, and 0 switches it off", async () => {
  const lab = startLab();
  const arm = (triggerAfter: number) =>
    lab.call("POST", "/v3/trade/cancelAllAfter", { triggerAfter });
  const id = await lab.place({ price: "99" });
  expect((await arm(5000)).json.data?.expectedTriggerTime as unknown).toBe(lab.x.now + 5000);
  await lab.step(4999);
  await arm(5000);
  await lab.step(4999);
  expect(await lab.status(id)).toBe("NEW");
  await arm(0);
  await lab.step(60_000);
  expect(await lab.status(id)).toBe("NEW");
  await arm(1000);
  await lab.step(1000);
  expect(await lab.status(id)).toBe("CANCELLED");
  expect(codeOf(await arm(900_001))).toBe(317176);
});

test("order lists page by 25, at most 500, newest first, and filter by bundle, side, tag and time", async () => {
  const lab = startLab({ account: { deposit: "1000000" } });
  for (let i = 0; i < 30; i++) {
    await lab.place({ price: "90", quantity: "0.2", orderTag: i % 2 ? "odd" : "even" });
    await lab.step(1000);
  }
  await lab.place({ side: "SELL", price: "110" });
  const list = async (params: Record<string, unknown>) =>
    (await lab.call("GET", "/v3/trade/orders", params)).json.data as never as {
      rows: { createdTime: string; side: string }[];
      meta: object;
    };
  const first = await list({});
  expect(first.meta).toEqual({ total: 31, recordsPerPage: 25, currentPage: 1 });
  expect(first.rows[0]?.side).toBe("SELL");
  expect((await list({ page: 2 })).rows).toHaveLength(6);
  expect((await list({ size: 500 })).rows).toHaveLength(31);
  expect((await list({ orderTag: "odd", size: 500 })).rows).toHaveLength(15);
  expect((await list({ side: "SELL" })).rows).toHaveLength(1);
  expect((await list({ status: "COMPLETED" })).rows).toHaveLength(0);
  const from = lab.x.now - 5000;
  expect((await list({ startTime: from })).rows).toHaveLength(6);
  expect(codeOf(await lab.call("GET", "/v3/trade/orders", { size: 501 }))).toBe(-1005);
});
