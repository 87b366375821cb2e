// What the exchange refuses, with which code, and that a refusal changes nothing.
import { afterEach, expect, test } from "bun:test";
import { rawNumber } from "../../src/venue/wire.ts";
import { codeOf, startLab, stopLabs } from "./lab.ts";

afterEach(stopLabs);

const ORDER = { symbol: "PERP_BTC_USDT", type: "LIMIT", side: "BUY", price: "99", quantity: "1" };

const REFUSED: [why: string, change: Record<string, unknown>, code: number][] = [
  ["no symbol", { symbol: undefined }, 317148],
  ["an unknown symbol", { symbol: "PERP_DOGE_USDT" }, 302101],
  ["an unknown side", { side: "buy" }, -1005],
  ["an unknown type", { type: "STOP" }, -1005],
  ["a type for market makers", { type: "RPI" }, -1005],
  ["a text client id", { clientOrderId: "DRAGON-42" }, -1005],
  ["a client id above 2^63", { clientOrderId: "9223372036854775808" }, -1005],
  ["a negative client id", { clientOrderId: "-1" }, -1005],
  ["no quantity", { quantity: undefined }, -1005],
  ["both a quantity and an amount", { amount: "100" }, -1005],
  ["an amount for a limit", { quantity: undefined, amount: "100" }, -1005],
  ["an amount of nothing", { type: "MARKET", quantity: undefined, amount: "0" }, -1005],
  ["an amount below one step", { type: "MARKET", quantity: undefined, amount: "1" }, -1104],
  ["a limit without a price", { price: undefined }, -1005],
  ["a price off the tick", { price: "99.3" }, -1103],
  ["a price above the maximum", { side: "SELL", price: "100000.5" }, -1103],
  ["a price that is no number", { price: "abc" }, -1103],
  ["a quantity off the step", { quantity: "1.005" }, -1104],
  ["a quantity of nothing", { quantity: "0" }, -1104],
  ["a negative quantity", { quantity: "-1" }, -1104],
  ["a quantity above the maximum", { quantity: "1000.01" }, -1104],
  ["too small a value", { quantity: "0.01", price: "95" }, 302164],
  ["a buy above the cap", { price: "111" }, -1105],
  ["a sell below the floor", { side: "SELL", price: "89" }, -1105],
  ["a hedge side in one-way mode", { positionSide: "LONG" }, 302186],
  ["an invented position side", { positionSide: "UP" }, 302195],
  ["isolated margin, which this venue has not", { marginMode: "ISOLATED" }, -1005],
  ["a queue level of 0", { type: "BID", bidAskLevel: 0 }, -1005],
  ["a queue level of 6", { type: "ASK", bidAskLevel: 6 }, -1005],
  ["more visible than there is", { visibleQuantity: "2" }, -1005],
  ["a tag of 65 characters", { orderTag: "x".repeat(65) }, -1005],
  ["a word for a boolean", { reduceOnly: "maybe" }, -1005],
  ["reduce-only without a position", { side: "SELL", price: "101", reduceOnly: true }, 302138],
  ["more than the largest position", { quantity: "50.01", price: "99" }, 302172],
];

for (const [why, change, code] of REFUSED) {
  test(`an order with ${why} is refused with ${code}`, async () => {
    const lab = startLab({ account: { deposit: "100000" } });
    const before = lab.x.ids.order;
    const reply = await lab.call("POST", "/v3/trade/order", { ...ORDER, ...change });
    expect([reply.status, codeOf(reply)]).toEqual([400, code]);
    expect(lab.x.ids.order).toBe(before);
    expect([lab.account.open.size, lab.account.orders.size]).toEqual([0, 0]);
  });
}

test("a market order by amount buys the whole steps that the amount pays at the best price", async () => {
  const lab = startLab({ house: { levelLotsMax: 500 } });
  const best = Number(lab.market.lastTicks + 1) / 2;
  const id = await lab.place({ type: "MARKET", quantity: undefined, amount: "7.04" });
  const { quantity, executed, amount, averageExecutedPrice } = await lab.order(id);
  expect([amount, averageExecutedPrice] as unknown[]).toEqual(["7.04", best]);
  expect([quantity, executed] as unknown[]).toEqual([0.07, 0.07]);
});

test("an order beyond the margin is refused, the largest that fits is taken", async () => {
  const lab = startLab({ account: { deposit: "100" } });
  const placed = (quantity: string) => lab.call("POST", "/v3/trade/order", { ...ORDER, quantity });
  // Leverage 10: 1,000 of notional at the mark price of 100, hence 10 BTC.
  expect(codeOf(await placed("10.01"))).toBe(302104);
  expect(codeOf(await placed("10"))).toBe(0);
  expect(codeOf(await placed("0.1"))).toBe(302104);
});

test("the notional limit of an account counts what open orders could add", async () => {
  const lab = startLab({ spec: { maxOpenNotional: "1000" } });
  await lab.place({ price: "99", quantity: "6" });
  const more = await lab.call("POST", "/v3/trade/order", { ...ORDER, quantity: "5" });
  expect(codeOf(more)).toBe(302188);
  // The other side could not fill together with it and adds nothing.
  expect(
    codeOf(
      await lab.call("POST", "/v3/trade/order", {
        ...ORDER,
        side: "SELL",
        price: "101",
        quantity: "5",
      }),
    ),
  ).toBe(0);
});

test("reduce-only must fit the position and at most twenty rest", async () => {
  const lab = startLab({ house: { levelLotsMax: 100 } });
  await lab.fault("manual_trade", { params: { quantity: "1", side: "BUY" } });
  const close = { ...ORDER, side: "SELL", price: "105", reduceOnly: true };
  const sent = (quantity: string) => lab.call("POST", "/v3/trade/order", { ...close, quantity });
  expect(codeOf(await sent("1.01"))).toBe(302125);
  for (let i = 0; i < 20; i++) expect(codeOf(await sent("1"))).toBe(0);
  expect(codeOf(await sent("1"))).toBe(302303);
});

test("a suspended contract, a suspended account and a switching mode refuse orders", async () => {
  const lab = startLab();
  const placed = async () => codeOf(await lab.call("POST", "/v3/trade/order", ORDER));
  await lab.admin("POST", "market", { symbol: ORDER.symbol, isSuspended: true });
  expect(await placed()).toBe(317158);
  await lab.admin("POST", "market", { symbol: ORDER.symbol, isSuspended: false });
  await lab.admin("POST", "deposit", { account: "ann", amount: "0", isSuspended: true });
  expect(await placed()).toBe(302307);
  await lab.admin("POST", "deposit", { account: "ann", amount: "0", isSuspended: false });
  await lab.fault("mode_flip", { params: { ms: 1000 } });
  expect(await placed()).toBe(302185);
  await lab.step(1000);
  expect(await placed()).toBe(302186);
});

test("unknown keys pass unless the dialect refuses them; the broker tag always passes", async () => {
  const order = { ...ORDER, broker_id: "x" };
  const loose = startLab();
  expect(codeOf(await loose.call("POST", "/v3/trade/order", { ...order, hedged: true }))).toBe(0);
  const dialect = { refusesUnknownKeys: true } as never;
  const strict = startLab({ dialect });
  expect(codeOf(await strict.call("POST", "/v3/trade/order", { ...order, hedged: true }))).toBe(
    -1004,
  );
  expect(codeOf(await strict.call("POST", "/v3/trade/order", order))).toBe(0);
});

test("numbers in a body are read digit by digit", async () => {
  const lab = startLab();
  const clientOrderId = "1954766344355779057";
  const id = await lab.place({
    price: 99.5,
    quantity: 0.3,
    clientOrderId: rawNumber(clientOrderId),
  });
  expect(await lab.order(id)).toMatchObject({ price: 99.5, quantity: 0.3 });
  const shown = await lab.call("GET", "/v3/trade/order", { orderId: id });
  expect(shown.text).toContain(`"clientOrderId":${clientOrderId},`);
});

const MALFORMED: [what: string, method: string, path: string, code: number, status: number][] = [
  ["an address that does not exist", "GET", "/v3/public/nothing", 317171, 404],
  ["a bad page", "GET", "/v3/trade/orders?page=0", -1005, 400],
  ["an unknown timeframe", "GET", "/v3/public/kline?symbol=PERP_BTC_USDT&type=7m", -1005, 400],
  [
    "a limit above 1000",
    "GET",
    "/v3/public/klineHistory?symbol=PERP_BTC_USDT&type=1m&limit=1001",
    -1005,
    400,
  ],
  ["an order without a name", "GET", "/v3/trade/order", -1005, 400],
  ["an unknown order", "GET", "/v3/trade/order?orderId=5", 317152, 400],
  ["a cancel without a symbol", "DELETE", "/v3/trade/order?orderId=5", 317148, 400],
  ["a start after the end", "GET", "/v3/trade/orders?startTime=5&endTime=4", -1005, 400],
];

for (const [what, method, target, code, status] of MALFORMED) {
  test(`${what} is answered ${code}, never with a 5xx`, async () => {
    const lab = startLab();
    const [path = "", query = ""] = target.split("?");
    const reply = await lab.call(method, path, Object.fromEntries(new URLSearchParams(query)));
    expect([codeOf(reply), reply.status]).toEqual([code, status]);
  });
}

test("cancel-all-after is a right an account may lack", async () => {
  const lab = startLab({ account: { hasDeadMan: false } });
  const reply = await lab.call("POST", "/v3/trade/cancelAllAfter", { triggerAfter: 1000 });
  expect([reply.status, codeOf(reply)]).toEqual([401, -1002]);
});
