// Positions, wallet, leverage, liquidation and funding against cases computed by hand: price 100, tick
// 0.5, step 0.01, taker fee 5 bps, maker fee 2 bps, house quotes one tick off the price.
import { afterEach, expect, test } from "bun:test";
import { codeOf, type Lab, startLab, stopLabs } from "./lab.ts";

afterEach(stopLabs);

const wallet = async (lab: Lab) =>
  (await lab.call("GET", "/v3/asset/balances")).json.data?.holding?.[0]?.holding as unknown;
const positions = async (lab: Lab) =>
  (await lab.call("GET", "/v3/futures/positions")).json.data?.positions as never as Record<
    string,
    unknown
  >[];
/** A trade at the present price, by the exchange's own hand, at taker fee. */
const trade = (lab: Lab, side: string, quantity: string, positionSide?: string) =>
  lab.fault("manual_trade", {
    params: { side, quantity, ...(positionSide ? { positionSide } : {}) },
  });

test("one-way: open, add, close in part, flip; average, profit and fees to the last unit", async () => {
  const lab = startLab();
  await trade(lab, "BUY", "2");
  // 200 of value, fee 0.1.
  expect(await wallet(lab)).toBe(9999.9);
  await lab.price("110");
  await trade(lab, "BUY", "1");
  // 110 of value, fee 0.055; average (200 + 110) / 3.
  expect((await positions(lab))[0]).toMatchObject({
    ...{ holding: "3", averageOpenPrice: "103.33333", positionSide: "BOTH", fee24H: "0.155" },
  });
  await lab.price("120");
  await trade(lab, "SELL", "1.5");
  // Half of the cost of 310 leaves: 180 - 155 = 25 of profit, fee 0.09.
  expect(await wallet(lab)).toBe(10024.755);
  expect((await positions(lab))[0]).toMatchObject({ holding: "1.5", pnl24H: "25" });
  await trade(lab, "SELL", "2.5");
  // 180 - 155 = 25 again, one BTC short at 120, fee 0.15.
  expect(await wallet(lab)).toBe(10049.605);
  expect((await positions(lab))[0]).toMatchObject({ holding: "-1", averageOpenPrice: "120" });
  await lab.price("115");
  await trade(lab, "BUY", "1");
  // 5 of profit, fee 0.0575; the closed row stays.
  expect(await wallet(lab)).toBe(10054.5475);
  expect((await positions(lab))[0]).toMatchObject({ holding: "0", averageOpenPrice: "0" });
});

test("hedge: legs are separate, close by their own side, and never flip", async () => {
  const lab = startLab({ account: { mode: "HEDGE_MODE" } });
  await trade(lab, "BUY", "2", "LONG");
  await trade(lab, "SELL", "1", "SHORT");
  await lab.price("110");
  const shown = await positions(lab);
  expect(shown).toHaveLength(2);
  expect(shown.find((row) => row.positionSide === "LONG")).toMatchObject({ holding: "2" });
  expect(shown.find((row) => row.positionSide === "SHORT")).toMatchObject({ holding: "-1" });
  const order = { symbol: "PERP_BTC_USDT", type: "MARKET", side: "SELL" };
  const close = (rest: object) => lab.call("POST", "/v3/trade/order", { ...order, ...rest });
  expect(codeOf(await close({ quantity: "2.01", positionSide: "LONG" }))).toBe(302314);
  expect(codeOf(await close({ quantity: "1", positionSide: "BOTH" }))).toBe(302186);
  expect(codeOf(await close({ quantity: "0.02", positionSide: "LONG", reduceOnly: true }))).toBe(0);
  const trades = await lab.call("GET", "/v3/trade/transactionHistory");
  const rows = trades.json.data?.rows as never as { side: string }[];
  const sides = rows.map((row) => row.side);
  expect(new Set(sides)).toEqual(new Set(["OPEN LONG", "OPEN SHORT", "CLOSE LONG"]));
  const long = (await positions(lab)).find((row) => row.positionSide === "LONG");
  expect(long).toMatchObject({ holding: "1.98" });
});

test("a SHORT leg may be published without its sign", async () => {
  const lab = startLab({
    account: { mode: "HEDGE_MODE" },
    dialect: { shortHolding: "absolute" } as never,
  });
  await trade(lab, "SELL", "1", "SHORT");
  expect((await positions(lab))[0]).toMatchObject({ holding: "1", positionSide: "SHORT" });
});

test("a resting reduce-only order is cut to the position and ends when the position is gone", async () => {
  const lab = startLab();
  await trade(lab, "BUY", "1");
  const close = { side: "SELL", reduceOnly: true };
  const near = await lab.place({ ...close, price: "105", quantity: "0.7" });
  const far = await lab.place({ ...close, price: "106", quantity: "0.7" });
  await lab.price("107");
  expect(await lab.order(near)).toMatchObject({ status: "FILLED", executed: 0.7 });
  expect(await lab.order(far)).toMatchObject({ status: "CANCELLED", executed: 0.3 });
  expect((await positions(lab))[0]).toMatchObject({ holding: "0" });
});

test("resting reduce-only orders end as soon as the position is closed elsewhere", async () => {
  const lab = startLab();
  await trade(lab, "BUY", "1");
  const close = { side: "SELL", reduceOnly: true };
  const far = await lab.place({ ...close, price: "109", quantity: "1" });
  await trade(lab, "SELL", "0.5");
  expect(await lab.status(far)).toBe("NEW");
  await trade(lab, "SELL", "0.5");
  expect(await lab.status(far)).toBe("CANCELLED");
});

test("leverage decides the margin; it is whole, bounded, per leg in hedge mode, and cannot starve a position", async () => {
  const lab = startLab();
  const set = async (leverage: unknown, rest = {}) =>
    codeOf(
      await lab.call("PUT", "/v3/futures/leverage", {
        ...{ symbol: "PERP_BTC_USDT", leverage, marginMode: "CROSS" },
        ...rest,
      }),
    );
  expect([await set(0), await set(51), await set(2.5), await set("x")]).toEqual(
    Array(4).fill(302306),
  );
  await trade(lab, "BUY", "40");
  const frozen = async () =>
    (await lab.call("GET", "/v3/asset/balances")).json.data?.holding?.[0]?.frozen as unknown;
  expect(await frozen()).toBe(400);
  expect(await set(20)).toBe(0);
  expect(await frozen()).toBe(200);
  await lab.admin("POST", "deposit", { account: "ann", amount: "-9000" });
  expect(await set(2)).toBe(302305);
  expect((await positions(lab))[0]).toMatchObject({ leverage: 20 });
  const hedge = startLab({ account: { mode: "HEDGE_MODE" } });
  const reply = await hedge.call("PUT", "/v3/futures/leverage", {
    ...{ symbol: "PERP_BTC_USDT", leverage: 7, positionSide: "SHORT" },
  });
  expect(codeOf(reply)).toBe(0);
  const shown = await hedge.call("GET", "/v3/futures/leverage", { symbol: "PERP_BTC_USDT" });
  expect(shown.json.data?.details).toEqual([
    { positionSide: "LONG", leverage: 10 },
    { positionSide: "SHORT", leverage: 7 },
  ] as never);
});

test("the liquidation price is where equity meets maintenance, and there the position is taken", async () => {
  const lab = startLab({ account: { deposit: "200", makerBps: "0", takerBps: "0" } });
  const resting = await lab.place({ price: "91", quantity: "0.5" });
  await trade(lab, "BUY", "19");
  // 200 + 19 (p - 100) = 19 p / 100, so p = 1700 / 18.81 = 90.377; the tick below is 90.
  expect((await positions(lab))[0]).toMatchObject({ estLiqPrice: "90" });
  await lab.call("DELETE", "/v3/trade/order", { symbol: "PERP_BTC_USDT", orderId: resting });
  const idle = await lab.place({ price: "89.5", quantity: "0.2" });
  await lab.price("90.5");
  expect((await positions(lab))[0]).toMatchObject({ holding: "19" });
  await lab.price("90");
  expect((await positions(lab))[0]).toMatchObject({ holding: "0" });
  expect(await lab.status(idle)).toBe("CANCELLED");
  expect(await wallet(lab)).toBe(10);
});

test("a gap through the bankruptcy price leaves an empty wallet and the insurance fund pays", async () => {
  const lab = startLab({ account: { deposit: "200", makerBps: "0", takerBps: "0" } });
  await trade(lab, "BUY", "19");
  await lab.price("80");
  expect(await wallet(lab)).toBe(0);
  // 19 x 20 = 380 lost, 200 were there.
  expect(lab.x.insurance).toBe(-180n * 10n ** 12n);
});

test("a short is liquidated upwards", async () => {
  const lab = startLab({ account: { deposit: "200", makerBps: "0", takerBps: "0" } });
  await trade(lab, "SELL", "19");
  // 200 + 19 (100 - p) = 19 p / 100, so p = 2100 / 19.19 = 109.43.
  expect((await positions(lab))[0]).toMatchObject({ estLiqPrice: "109.5" });
  await lab.price("109");
  expect((await positions(lab))[0]).toMatchObject({ holding: "-19" });
  await lab.price("109.5");
  expect((await positions(lab))[0]).toMatchObject({ holding: "0" });
});

test("funding at the interval: longs pay the rate on the mark value, shorts get it, rows and ledger agree", async () => {
  const lab = startLab();
  await lab.admin("POST", "accounts", { name: "bob", deposit: "10000" });
  await trade(lab, "BUY", "0.01");
  await lab.fault("manual_trade", {
    match: { account: "bob" },
    params: { side: "SELL", quantity: "4" },
  });
  await lab.fault("manual_trade", {
    match: { account: "ann" },
    params: { side: "BUY", quantity: "3" },
  });
  lab.market.nextRateE8 = 10_000n;
  const before = Number(await wallet(lab));
  const held = Number((await positions(lab))[0]?.holding);
  await lab.step(7 * 3_600_000 + 50 * 60_000 - 1);
  expect(await wallet(lab)).toBe(before);
  await lab.step(1);
  const owed = (held * 100) / 10_000;
  expect(Number(await wallet(lab))).toBeCloseTo(before - owed, 9);
  const rows = (await lab.call("GET", "/v3/futures/fundingFee/history")).json.data?.rows;
  expect(rows as unknown).toHaveLength(1);
  expect(rows?.[0]).toMatchObject({
    ...{ fundingRate: 0.0001, markPrice: "100", paymentType: "Pay", status: "COMPLETED" },
    fundingFee: String(owed),
  });
  const bob = [...lab.x.accounts.values()].find((account) => account.name === "bob")!;
  const got = (await lab.callAs(bob, "GET", "/v3/futures/fundingFee/history")).json.data?.rows?.[0];
  expect(got).toMatchObject({ paymentType: "Receive" });
  const history = await lab.call("GET", "/v3/public/fundingRateHistory", {
    symbol: "PERP_BTC_USDT",
  });
  expect(history.json.data?.rows?.[0]).toMatchObject({ fundingRate: "0.0001", markPrice: "100" });
});

test("the mode changes only when flat and idle", async () => {
  const lab = startLab();
  const set = async (positionMode: string) =>
    codeOf(await lab.call("PUT", "/v3/futures/positionMode", { positionMode }));
  const id = await lab.place({ price: "99" });
  expect(await set("HEDGE_MODE")).toBe(302308);
  await lab.call("DELETE", "/v3/trade/order", { symbol: "PERP_BTC_USDT", orderId: id });
  await trade(lab, "BUY", "1");
  expect(await set("HEDGE_MODE")).toBe(302308);
  await trade(lab, "SELL", "1");
  const stop = { symbol: "PERP_BTC_USDT", algoType: "STOP", type: "MARKET", side: "BUY" };
  await lab.call("POST", "/v3/trade/algoOrder", { ...stop, quantity: "1", triggerPrice: "109" });
  expect(await set("HEDGE_MODE")).toBe(302308);
  await lab.call("DELETE", "/v3/trade/algoOrders");
  expect(await set("HEDGE_MODE")).toBe(0);
  const info = await lab.call("GET", "/v3/account/info");
  expect(info.json.data?.positionMode as unknown).toBe("HEDGE_MODE");
  expect(await set("SIDEWAYS")).toBe(-1005);
});

test("fees: maker pays 2 bps, taker 5, and the rates are published in basis points", async () => {
  const lab = startLab();
  await lab.place({ price: "99", quantity: "1" });
  await lab.price("98");
  const rows = (await lab.call("GET", "/v3/trade/transactionHistory")).json.data?.rows;
  expect(rows?.[0]).toMatchObject({ isMaker: 1, fee: 0.0198, executedPrice: 99 });
  await trade(lab, "BUY", "1");
  const newest = (await lab.call("GET", "/v3/trade/transactionHistory")).json.data?.rows?.[0];
  expect(newest).toMatchObject({ isMaker: 0, fee: 0.049 });
  const fee = await lab.call("GET", "/v3/trade/tradingFee", { symbol: "PERP_BTC_USDT" });
  expect(fee.json.data).toMatchObject({ makerFee: "2", takerFee: "5" });
  const id = String(newest?.id);
  const one = await lab.call("GET", "/v3/trade/transaction", { tradeId: id });
  expect(one.json.data).toEqual(newest as never);
});
