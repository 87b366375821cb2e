// Every fault switch that concerns requests, orders and accounts, one test each; the streams' own are in
// stream-faults.test.ts. A last test makes sure that none is forgotten.
import { afterEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEEDS, SWITCHES } from "../../src/venue/faults.ts";
import { codeOf, type Lab, type Row, startLab, stopLabs } from "./lab.ts";

afterEach(stopLabs);

const symbol = "PERP_BTC_USDT";
const ORDER = { symbol, type: "LIMIT", side: "BUY", price: "99", quantity: "1" };
const MARKET = { symbol, type: "MARKET", side: "BUY", quantity: "0.03" };

const send = (lab: Lab, order: object = ORDER) =>
  lab.call("POST", "/v3/trade/order", order as never);
const isDropped = (lab: Lab, order: object) =>
  send(lab, order).then(
    () => false,
    (error: { code?: string }) => error.code === "ECONNRESET",
  );
const byClient = async (lab: Lab, clientOrderId: string) =>
  (await lab.call("GET", "/v3/trade/order", { clientOrderId })).json.data as Row | undefined;
const shownPosition = async (lab: Lab) =>
  (await lab.call("GET", "/v3/futures/positions")).json.data?.positions?.[0] as Row | undefined;

test("accept_then_drop: the order is there, its reply is not, and only as often as asked", async () => {
  const lab = startLab();
  await lab.fault("accept_then_drop", { times: 1 });
  expect(await isDropped(lab, { ...ORDER, clientOrderId: "7" })).toBe(true);
  expect(await byClient(lab, "7")).toMatchObject({ status: "NEW" });
  expect(codeOf(await send(lab))).toBe(0);
});

test("accept_then_drop with ms answers late instead, and may be aimed at another endpoint", async () => {
  const lab = startLab();
  await lab.fault("accept_then_drop", { times: 1, params: { ms: 80 } });
  const began = performance.now();
  expect(codeOf(await send(lab))).toBe(0);
  expect(performance.now() - began).toBeGreaterThan(75);
  // Without a number of times: a client may repeat a dropped DELETE by itself.
  await lab.fault("accept_then_drop", { match: { endpoint: "DELETE trade/orders" } });
  expect(codeOf(await send(lab))).toBe(0);
  await expect(lab.call("DELETE", "/v3/trade/orders", { symbol })).rejects.toThrow();
  expect(lab.account.open.size).toBe(0);
});

test("accept_then_drop_market: a market order fills without a reply and its id is free again", async () => {
  const lab = startLab();
  await lab.fault("accept_then_drop_market", { times: 1 });
  expect(codeOf(await send(lab))).toBe(0);
  expect(await isDropped(lab, { ...MARKET, clientOrderId: "8" })).toBe(true);
  expect(await byClient(lab, "8")).toMatchObject({ status: "FILLED" });
  await lab.price("100");
  expect(codeOf(await send(lab, { ...MARKET, clientOrderId: "8" }))).toBe(0);
  expect(await shownPosition(lab)).toMatchObject({ holding: "0.06" });
});

test("reject_then_drop: nothing arrives and nothing happened", async () => {
  const lab = startLab();
  await lab.fault("reject_then_drop", { times: 1, match: { endpoint: "POST trade/order" } });
  expect(await isDropped(lab, { ...ORDER, clientOrderId: "9" })).toBe(true);
  expect(await byClient(lab, "9")).toBeUndefined();
  expect(lab.account.orders.size).toBe(0);
});

test("visibility_delay: orders, fills and positions are read as they were", async () => {
  const lab = startLab();
  const before = await lab.place({ price: "99" });
  await lab.step(5000);
  await lab.fault("visibility_delay", { params: { ms: 2000 } });
  await lab.place(MARKET);
  await lab.call("DELETE", "/v3/trade/order", { symbol, orderId: before });
  const view = async () => ({
    status: (await lab.order(before)).status as unknown,
    orders: (await lab.call("GET", "/v3/trade/orders")).json.data?.rows?.length as unknown,
    fills: (await lab.call("GET", "/v3/trade/transactionHistory")).json.data?.rows
      ?.length as unknown,
    position: await shownPosition(lab),
  });
  expect(await view()).toEqual({ status: "NEW", orders: 1, fills: 0, position: undefined });
  await lab.step(2000);
  expect(await view()).toMatchObject({ status: "CANCELLED", orders: 2, fills: 3 });
});

test("snapshot_truncate: 25 rows a page whatever was asked, the total tells the truth", async () => {
  const lab = startLab({ account: { deposit: "100000" } });
  for (let i = 0; i < 30; i++) await lab.place({ price: "90", quantity: "0.2" });
  await lab.fault("snapshot_truncate");
  const page = async (page: number) =>
    (await lab.call("GET", "/v3/trade/orders", { size: 500, page })).json.data;
  expect((await page(1))?.meta).toEqual({ total: 30, recordsPerPage: 25, currentPage: 1 } as never);
  expect((await page(1))?.rows as unknown).toHaveLength(25);
  expect((await page(2))?.rows as unknown).toHaveLength(5);
});

test("rate_429: the next n requests of an endpoint, others go through", async () => {
  const lab = startLab();
  await lab.fault("rate_429", { times: 2, match: { endpoint: "GET asset/balances" } });
  const statuses: number[] = [];
  for (let i = 0; i < 3; i++) statuses.push((await lab.call("GET", "/v3/asset/balances")).status);
  expect(statuses).toEqual([429, 429, 200]);
  expect(codeOf(await send(lab))).toBe(0);
});

test("storm_418: one 429, then a ban from everything until it is over", async () => {
  const lab = startLab();
  await lab.fault("storm_418", { times: 1, params: { ms: 5000 } });
  expect((await send(lab)).status).toBe(429);
  expect((await send(lab)).status).toBe(418);
  expect((await lab.call("GET", "/v3/public/systemInfo")).status).toBe(418);
  await lab.step(5000);
  expect(codeOf(await send(lab))).toBe(0);
});

test("clock_skew: signatures fail with 317179, systemInfo tells the skewed time", async () => {
  const lab = startLab();
  await lab.fault("clock_skew", { params: { ms: -400_000 } });
  expect(codeOf(await send(lab))).toBe(317179);
  const info = await lab.call("GET", "/v3/public/systemInfo");
  expect(info.json.timestamp as unknown).toBe(lab.x.now - 400_000);
});

test("one_way_account: hedge sides are refused and positions say BOTH", async () => {
  const lab = startLab({ account: { mode: "HEDGE_MODE" } });
  await lab.fault("manual_trade", { params: { side: "BUY", quantity: "1", positionSide: "LONG" } });
  await lab.fault("one_way_account");
  expect(codeOf(await send(lab, { ...ORDER, positionSide: "LONG" }))).toBe(302186);
  expect(await shownPosition(lab)).toMatchObject({ positionSide: "BOTH", holding: "1" });
});

test("mode_flip: orders end, legs are carried over and netted, and back", async () => {
  const lab = startLab({ account: { mode: "HEDGE_MODE" } });
  const trade = (side: string, quantity: string, positionSide: string) =>
    lab.fault("manual_trade", { params: { side, quantity, positionSide } });
  await trade("BUY", "3", "LONG");
  await lab.price("110");
  await trade("SELL", "1", "SHORT");
  const id = await lab.place({ price: "105", positionSide: "LONG" });
  const before = lab.account.wallet;
  await lab.fault("mode_flip");
  expect(await lab.order(id)).toMatchObject({ status: "CANCELLED" });
  expect(await shownPosition(lab)).toMatchObject({ holding: "2", averageOpenPrice: "100" });
  // One BTC bought at 100 and sold at 110.
  expect(lab.account.wallet - before).toBe(10n * 10n ** 12n);
  await lab.fault("mode_flip");
  expect(await shownPosition(lab)).toMatchObject({ positionSide: "LONG", holding: "2" });
});

test("dup_client_id: the order is accepted but answered as a duplicate", async () => {
  const lab = startLab();
  await lab.fault("dup_client_id", { times: 1 });
  expect(codeOf(await send(lab, { ...ORDER, clientOrderId: "11" }))).toBe(302117);
  expect(await byClient(lab, "11")).toMatchObject({ status: "NEW" });
  await lab.fault("dup_client_id", { times: 1, params: { code: -1007 } });
  const old = await send(lab, { ...ORDER, clientOrderId: "12" });
  expect([old.status, codeOf(old)]).toEqual([409, -1007]);
});

const BROKEN: [name: string, status: number, body: RegExp][] = [
  ["unknown_code_400", 400, /"success":false,"code":399999/],
  ["unknown_code_200", 200, /"success":false,"code":399999/],
  ["html_200", 200, /^<!doctype html>/],
  ["empty_200", 200, /^$/],
];

for (const [name, status, body] of BROKEN) {
  test(`${name}: that reply, with the request done or not as asked`, async () => {
    const lab = startLab();
    await lab.fault(name, { times: 1 });
    const refused = await send(lab);
    expect(refused.status).toBe(status);
    expect(refused.text).toMatch(body);
    expect(lab.account.orders.size).toBe(0);
    await lab.fault(name, { times: 1, params: { accept: true } });
    expect((await send(lab)).text).toMatch(body);
    expect(lab.account.orders.size).toBe(1);
  });
}

test("partial_fill: a resting order fills piece by piece at its own price", async () => {
  const lab = startLab();
  await lab.fault("partial_fill", { times: 1, params: { parts: [0.25, 0.5], ms: 1000 } });
  const id = await lab.place({ price: "95" });
  const executed = async () => (await lab.order(id)).executed as unknown;
  await lab.step(1000);
  expect(await executed()).toBe(0.25);
  await lab.step(1000);
  expect(await lab.order(id)).toMatchObject({ status: "PARTIAL_FILLED", executed: 0.75 });
  await lab.step(10_000);
  expect(await executed()).toBe(0.75);
});

test("partial_fill: a market order fills its share and the rest is cancelled", async () => {
  const lab = startLab();
  await lab.fault("partial_fill", { times: 1, params: { parts: [0.5] } });
  const id = await lab.place({ ...MARKET, quantity: "0.04" });
  expect(await lab.order(id)).toMatchObject({ status: "CANCELLED", executed: 0.02 });
});

test("fill_during_cancel: acknowledged, then filled in part, then cancelled", async () => {
  const lab = startLab();
  await lab.fault("fill_during_cancel", { times: 1, params: { share: 0.4, ms: 1000 } });
  const id = await lab.place({ price: "95" });
  const sent = await lab.call("DELETE", "/v3/trade/order", { symbol, orderId: id });
  expect(sent.json.data).toEqual({ status: "CANCEL_SENT" } as never);
  expect(await lab.order(id)).toMatchObject({ status: "NEW", executed: 0 });
  await lab.step(500);
  expect(await lab.order(id)).toMatchObject({ status: "PARTIAL_FILLED", executed: 0.4 });
  await lab.step(500);
  expect(await lab.order(id)).toMatchObject({ status: "CANCELLED", executed: 0.4 });
});

test("cancel_delay: an acknowledged order stays open for a while", async () => {
  const lab = startLab();
  await lab.fault("cancel_delay", { params: { ms: 30_000 } });
  const id = await lab.place({ price: "95" });
  await lab.call("DELETE", "/v3/trade/orders", { symbol });
  await lab.step(29_999);
  expect(await lab.order(id)).toMatchObject({ status: "NEW" });
  await lab.step(1);
  expect(await lab.order(id)).toMatchObject({ status: "CANCELLED" });
});

test("post_only_reject: even a harmless POST_ONLY order is ended", async () => {
  const lab = startLab();
  await lab.fault("post_only_reject", { times: 1 });
  const post = { type: "POST_ONLY", price: "95", postOnlyAdjusted: true };
  expect(await lab.order(await lab.place(post))).toMatchObject({ status: "CANCELLED" });
  expect(await lab.order(await lab.place(post))).toMatchObject({ status: "NEW" });
});

test("bbo_reject and bbo_level_missing: REJECTED after acceptance, or refused with -1006", async () => {
  const lab = startLab();
  const bid = { ...ORDER, type: "BID", price: undefined, bidAskLevel: 2 };
  await lab.fault("bbo_reject", { times: 1 });
  expect(await lab.order(await lab.place(bid))).toMatchObject({ status: "REJECTED" });
  await lab.fault("bbo_level_missing", { times: 1 });
  expect(codeOf(await send(lab, bid))).toBe(-1006);
  const empty = startLab({ house: { levels: 1 } });
  expect(codeOf(await send(empty, bid))).toBe(-1006);
});

const FORCED: [name: string, code: number][] = [
  ["reduce_only_too_big", 302125],
  ["insufficient_margin", 302104],
  ["max_position", 302172],
  ["min_notional", 302164],
  ["price_band", -1105],
];

for (const [name, code] of FORCED) {
  test(`${name}: a good order is refused with ${code}, or with the code asked for`, async () => {
    const lab = startLab();
    await lab.fault(name, { times: 1 });
    await lab.fault(name, { times: 1, params: { code: -1102 } });
    expect(codeOf(await send(lab))).toBe(code);
    expect(codeOf(await send(lab))).toBe(-1102);
    expect(codeOf(await send(lab))).toBe(0);
  });
}

test("maintenance: everything is -1011 but systemInfo, which tells it", async () => {
  const lab = startLab();
  const { armed } = await lab.fault("maintenance");
  const reply = await send(lab);
  expect([reply.status, codeOf(reply)]).toEqual([503, -1011]);
  const info = await lab.call("GET", "/v3/public/systemInfo");
  expect(info.json.data?.status as unknown).not.toBe(0);
  await lab.admin("DELETE", `faults/${String(armed?.id)}`);
  expect(codeOf(await send(lab))).toBe(0);
});

test("trade_side_hedge_words: the words of hedge fills can be switched off", async () => {
  const lab = startLab({ account: { mode: "HEDGE_MODE" } });
  await lab.place({ ...MARKET, positionSide: "LONG" });
  const side = async () =>
    (await lab.call("GET", "/v3/trade/transactionHistory")).json.data?.rows?.[0]?.side as unknown;
  expect(await side()).toBe("OPEN LONG");
  await lab.fault("trade_side_hedge_words", { params: { words: false } });
  expect(await side()).toBe("BUY");
});

test("type_drift: numbers become text and instants change their form, the values stay", async () => {
  const lab = startLab();
  const id = await lab.place({ price: "99", clientOrderId: "1954766344355779056" });
  const published = await lab.order(id);
  await lab.fault("type_drift", { params: { style: "strings" } });
  const drifted = await lab.order(id);
  expect(drifted).toMatchObject({ orderId: id, price: "99", clientOrderId: "1954766344355779056" });
  expect(String(drifted.createdTime)).toMatch(/^\d{13}$/);
  expect(String(published.createdTime)).toMatch(/^\d{10}\.\d{3}$/);
  await lab.admin("DELETE", "faults");
  await lab.fault("type_drift", { params: { style: "mixed" } });
  const kinds = new Set<string>();
  for (let i = 0; i < 20; i++) kinds.add(typeof (await lab.order(id)).price);
  expect(kinds).toEqual(new Set(["string", "number"]));
});

test("manual_trade: a position and a fill that no client order explains", async () => {
  const lab = startLab();
  await lab.fault("manual_trade", { params: { side: "SELL", quantity: "2" } });
  expect(await shownPosition(lab)).toMatchObject({ holding: "-2" });
  const rows = (await lab.call("GET", "/v3/trade/transactionHistory")).json.data?.rows;
  expect(rows?.[0]).toMatchObject({ side: "SELL", executedQuantity: 2 });
  expect(await lab.order(String(rows?.[0]?.orderId))).toMatchObject({ clientOrderId: 0 });
});

test("liquidation and adl: positions shrink by the exchange's hand, at the mark price", async () => {
  const lab = startLab();
  await lab.fault("manual_trade", { params: { side: "BUY", quantity: "3" } });
  const id = await lab.place({ price: "95" });
  await lab.fault("adl", { params: { quantity: "1" } });
  expect(await shownPosition(lab)).toMatchObject({ holding: "2" });
  expect(await lab.order(id)).toMatchObject({ status: "NEW" });
  await lab.fault("liquidation");
  expect(await shownPosition(lab)).toMatchObject({ holding: "0" });
  expect(await lab.order(id)).toMatchObject({ status: "CANCELLED" });
});

test("funding_charge: a payment row and the wallet, at the asked rate", async () => {
  const lab = startLab();
  await lab.fault("manual_trade", { params: { side: "SELL", quantity: "2" } });
  const before = lab.account.wallet;
  await lab.fault("funding_charge", { params: { rate: "-0.0005" } });
  // A short pays when the rate is negative: 200 x 0.0005.
  expect(lab.account.wallet - before).toBe(-(10n ** 11n));
  const rows = (await lab.call("GET", "/v3/futures/fundingFee/history")).json.data?.rows;
  expect(rows?.[0]).toMatchObject({ fundingFee: "0.1", paymentType: "Pay", fundingRate: -0.0005 });
});

test("slow and jitter: replies come late in real time, the order is accepted before", async () => {
  const lab = startLab();
  await lab.fault("slow", { times: 1, params: { ms: 60 } });
  const began = performance.now();
  const reply = send(lab);
  await Bun.sleep(30);
  expect(lab.account.open.size).toBe(1);
  await reply;
  expect(performance.now() - began).toBeGreaterThan(55);
  await lab.fault("jitter", { params: { ms: 40 } });
  const times: number[] = [];
  for (let i = 0; i < 6; i++) {
    const start = performance.now();
    await lab.call("GET", "/v3/public/systemInfo");
    times.push(performance.now() - start);
  }
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(5);
});

test("skip, chance and match decide when a switch strikes; the same seed strikes the same way", async () => {
  const strikes = async () => {
    const lab = startLab({ account: { deposit: "100000" } });
    await lab.fault("price_band", { skip: 2, chance: 0.5 });
    const codes: number[] = [];
    for (let i = 0; i < 20; i++) codes.push(codeOf(await send(lab, { ...ORDER, quantity: "0.1" })));
    return codes;
  };
  const first = await strikes();
  expect(first.slice(0, 2)).toEqual([0, 0]);
  expect(new Set(first)).toEqual(new Set([0, -1105]));
  expect(await strikes()).toEqual(first);
  const lab = startLab();
  await lab.fault("price_band", { match: { type: "POST_ONLY" } });
  expect(codeOf(await send(lab))).toBe(0);
  expect(codeOf(await send(lab, { ...ORDER, type: "POST_ONLY" }))).toBe(-1105);
});

test("a fault may be planned for an instant, from the start or while running", async () => {
  const lab = startLab({
    faults: [{ name: "funding_charge", params: { rate: "0.0001" }, at: 1_767_600_605_000 }],
  });
  await lab.fault("maintenance", { at: lab.x.now + 2000 });
  expect(codeOf(await send(lab))).toBe(0);
  await lab.step(2000);
  expect(codeOf(await send(lab))).toBe(-1011);
  expect(lab.market.fixings).toHaveLength(0);
  await lab.step(3000);
  expect(lab.market.fixings).toHaveLength(1);
});

test("every switch and every deed has a test", () => {
  const texts = ["faults.test.ts", "stream-faults.test.ts"].map((file) =>
    readFileSync(join(import.meta.dir, file), "utf8"),
  );
  for (const name of [...Object.keys(SWITCHES), ...Object.keys(DEEDS)]) {
    const isUsed = texts.some((text) => text.includes(`"${name}"`));
    expect([name, isUsed]).toEqual([name, true]);
  }
});
