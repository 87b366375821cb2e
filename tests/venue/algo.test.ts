// Algo orders: stops on both sides, trailing stops, take-profit and stop-loss of a position, brackets.
import { afterEach, expect, test } from "bun:test";
import { codeOf, type Lab, type Row, startLab, stopLabs } from "./lab.ts";

afterEach(stopLabs);

const symbol = "PERP_BTC_USDT";

async function placeAlgo(lab: Lab, body: object): Promise<string> {
  const reply = await lab.call("POST", "/v3/trade/algoOrder", { symbol, ...body });
  if (codeOf(reply) !== 0) throw new Error(reply.text);
  return String(reply.json.data?.rows?.[0]?.orderId);
}

const algo = async (lab: Lab, id: string): Promise<Row> => {
  const found = await lab.call("GET", "/v3/trade/algoOrder", { algoOrderId: id });
  if (!found.json.data) throw new Error(found.text);
  return found.json.data;
};

const holding = async (lab: Lab) =>
  (await lab.call("GET", "/v3/futures/positions")).json.data?.positions?.[0]?.holding as unknown;

const hold = (lab: Lab, side: string, quantity: string) =>
  lab.fault("manual_trade", { params: { side, quantity } });

const STOPS: [side: string, trigger: string, kind: string, quiet: string, fires: string][] = [
  ["SELL", "95", "STOP_LOSS", "95.5", "95"],
  ["SELL", "105", "TAKE_PROFIT", "104.5", "105"],
  ["BUY", "105", "STOP_LOSS", "104.5", "105"],
  ["BUY", "95", "TAKE_PROFIT", "95.5", "95"],
];

for (const [side, triggerPrice, kind, quiet, fires] of STOPS) {
  test(`a ${side} stop at ${triggerPrice} is a ${kind} and goes off at its price, not before`, async () => {
    const lab = startLab();
    const stop = { algoType: "STOP", type: "MARKET", side, quantity: "0.05", triggerPrice };
    const id = await placeAlgo(lab, stop);
    expect(await algo(lab, id)).toMatchObject({
      ...{ algoType: kind, algoStatus: "NEW", isTriggered: false, triggerStatus: "USELESS" },
    });
    await lab.price(quiet);
    expect((await algo(lab, id)).isTriggered as unknown).toBe(false);
    await lab.price(fires);
    expect(await algo(lab, id)).toMatchObject({
      ...{ algoStatus: "FILLED", isTriggered: true, totalExecutedQuantity: 0.05 },
      triggerStatus: "SUCCESS",
    });
    expect(await holding(lab)).toBe(side === "BUY" ? "0.05" : "-0.05");
  });
}

test("a stop-limit rests at its limit once it went off", async () => {
  const lab = startLab();
  const stop = { algoType: "STOP", type: "LIMIT", side: "SELL", quantity: "1" };
  const id = await placeAlgo(lab, { ...stop, triggerPrice: "95", price: "97" });
  await lab.price("95");
  expect(await algo(lab, id)).toMatchObject({ algoStatus: "NEW", isTriggered: true });
  const open = await lab.call("GET", "/v3/trade/orders", { status: "INCOMPLETE" });
  expect(open.json.data?.rows?.[0]).toMatchObject({ type: "LIMIT", price: 97, quantity: 1 });
  await lab.price("98");
  expect(await algo(lab, id)).toMatchObject({ algoStatus: "FILLED", averageExecutedPrice: 97 });
});

test("a stop may watch the mark price instead of the last", async () => {
  const lab = startLab({ house: { markBasisTicks: 4 } });
  // One lot fills at 103.5; more would walk the book up to the other trigger.
  const stop = { algoType: "STOP", type: "MARKET", side: "BUY", quantity: "0.01" };
  const last = await placeAlgo(lab, { ...stop, triggerPrice: "105" });
  const mark = await placeAlgo(lab, {
    ...stop,
    triggerPrice: "105",
    triggerPriceType: "MARK_PRICE",
  });
  await lab.price("103");
  expect((await algo(lab, mark)).isTriggered as unknown).toBe(true);
  expect((await algo(lab, last)).isTriggered as unknown).toBe(false);
  const index = { ...stop, triggerPrice: "105", triggerPriceType: "INDEX_PRICE" };
  expect(codeOf(await lab.call("POST", "/v3/trade/algoOrder", { symbol, ...index }))).toBe(317144);
});

test("a trailing stop starts at its activation, follows the best price and goes off at the callback", async () => {
  const lab = startLab({ house: { levelLotsMax: 100 } });
  const trail = { algoType: "TRAILING_STOP", type: "MARKET", side: "SELL", quantity: "0.05" };
  const id = await placeAlgo(lab, { ...trail, activatedPrice: "110", callbackValue: "5" });
  for (const [price, fires] of [
    ["104", false],
    ["98", false],
    ["110", false],
    ["120", false],
    ["115.5", false],
    ["115", true],
  ] as const) {
    await lab.price(price);
    expect((await algo(lab, id)).isTriggered as unknown).toBe(fires);
  }
  const share = await placeAlgo(lab, { ...trail, side: "BUY", callbackRate: "0.1" });
  await lab.price("100");
  await lab.price("109.5");
  expect((await algo(lab, share)).isTriggered as unknown).toBe(false);
  await lab.price("110");
  expect((await algo(lab, share)).isTriggered as unknown).toBe(true);
});

const leg = (algoType: string, triggerPrice: string, side = "SELL") => ({
  ...{ algoType, triggerPrice, side, type: "CLOSE_POSITION", reduceOnly: true },
});

test("take-profit and stop-loss of a position: one closes the whole leg, the other is cancelled", async () => {
  const lab = startLab({ house: { levelLotsMax: 1000 } });
  await hold(lab, "BUY", "1");
  const id = await placeAlgo(lab, {
    algoType: "POSITIONAL_TP_SL",
    childOrders: [leg("TAKE_PROFIT", "110"), leg("STOP_LOSS", "95")],
  });
  await hold(lab, "BUY", "0.5");
  await lab.price("110");
  expect(await holding(lab)).toBe("0");
  expect(await algo(lab, id)).toMatchObject({ algoStatus: "FILLED", algoType: "POSITIONAL_TP_SL" });
  const rows = (await lab.call("GET", "/v3/trade/algoOrders")).json.data?.rows as never as {
    algoType: string;
    algoStatus: string;
    rootAlgoOrderId: number;
  }[];
  expect(rows.map((row) => [row.algoType, row.algoStatus])).toEqual([
    ["STOP_LOSS", "CANCELLED"],
    ["TAKE_PROFIT", "FILLED"],
    ["POSITIONAL_TP_SL", "FILLED"],
  ]);
  expect(new Set(rows.map((row) => row.rootAlgoOrderId))).toEqual(new Set([Number(id)]));
});

test("a market order that walks the book sets off the stops it passes", async () => {
  const lab = startLab();
  const stop = { algoType: "STOP", type: "MARKET", side: "BUY", quantity: "0.01" };
  const id = await placeAlgo(lab, { ...stop, triggerPrice: "102" });
  await lab.place({ type: "MARKET", quantity: "0.04" });
  expect((await algo(lab, id)).isTriggered as unknown).toBe(true);
});

test("a position's take-profit ends with the position, and needs one to begin with", async () => {
  const lab = startLab();
  const body = { algoType: "POSITIONAL_TP_SL", childOrders: [leg("TAKE_PROFIT", "110")] };
  expect(codeOf(await lab.call("POST", "/v3/trade/algoOrder", { symbol, ...body }))).toBe(302118);
  await hold(lab, "BUY", "1");
  const id = await placeAlgo(lab, body);
  await hold(lab, "SELL", "1");
  expect((await algo(lab, id)).algoStatus as unknown).toBe("CANCELLED");
});

test("legs on the wrong side of the market are refused and leave nothing behind", async () => {
  const lab = startLab();
  await hold(lab, "BUY", "1");
  const sent = (child: object) =>
    lab.call("POST", "/v3/trade/algoOrder", {
      ...{ symbol, algoType: "POSITIONAL_TP_SL" },
      childOrders: [leg("TAKE_PROFIT", "120"), child],
    });
  expect(codeOf(await sent(leg("TAKE_PROFIT", "99")))).toBe(317150);
  expect(codeOf(await sent(leg("STOP_LOSS", "101")))).toBe(317151);
  expect(lab.account.algos.size).toBe(0);
});

test("a bracket enters at once and its legs live only after the entry filled", async () => {
  const lab = startLab({ house: { levelLotsMax: 1000 } });
  const children = [
    {
      symbol,
      algoType: "POSITIONAL_TP_SL",
      childOrders: [leg("TAKE_PROFIT", "104"), leg("STOP_LOSS", "90")],
    },
  ];
  const id = await placeAlgo(lab, {
    ...{ algoType: "BRACKET", type: "LIMIT", side: "BUY", quantity: "1", price: "98" },
    childOrders: children,
  });
  // The take-profit price is passed while there is no position.
  await lab.price("105");
  expect(await holding(lab)).toBeUndefined();
  await lab.price("97");
  expect((await algo(lab, id)).algoStatus as unknown).toBe("FILLED");
  expect(await holding(lab)).toBe("1");
  await lab.price("104");
  expect(await holding(lab)).toBe("0");
});

test("a bracket whose entry is cancelled takes its legs along", async () => {
  const lab = startLab();
  const id = await placeAlgo(lab, {
    ...{ algoType: "BRACKET", type: "LIMIT", side: "BUY", quantity: "1", price: "98" },
    childOrders: [{ algoType: "POSITIONAL_TP_SL", childOrders: [leg("STOP_LOSS", "90")] }],
  });
  await lab.call("DELETE", "/v3/trade/orders", { symbol });
  expect((await algo(lab, id)).algoStatus as unknown).toBe("CANCELLED");
  const left = await lab.call("GET", "/v3/trade/algoOrders", { status: "INCOMPLETE" });
  expect(left.json.data?.meta?.total as unknown).toBe(0);
});

test("amend, cancel, client ids and lists of algo orders", async () => {
  const lab = startLab();
  const clientAlgoOrderId = "1954766344355779056";
  const stop = { algoType: "STOP", type: "MARKET", side: "BUY", quantity: "0.05" };
  const id = await placeAlgo(lab, { ...stop, triggerPrice: "110", clientAlgoOrderId });
  const again = { symbol, ...stop, triggerPrice: "111", clientAlgoOrderId };
  expect(codeOf(await lab.call("POST", "/v3/trade/algoOrder", again))).toBe(302117);
  await lab.call("PUT", "/v3/trade/algoOrder", { clientAlgoOrderId, triggerPrice: "120" });
  expect((await algo(lab, id)).triggerPrice as unknown).toBe(120);
  await lab.price("115");
  expect((await algo(lab, id)).isTriggered as unknown).toBe(false);
  const gone = await lab.call("DELETE", "/v3/trade/algoOrder", { clientAlgoOrderId });
  expect(gone.json.data).toEqual({ status: "CANCEL_SENT" } as never);
  const cancel = { algoOrderId: id };
  expect(codeOf(await lab.call("DELETE", "/v3/trade/algoOrder", cancel))).toBe(-1006);
  await placeAlgo(lab, { ...stop, triggerPrice: "130" });
  const all = await lab.call("DELETE", "/v3/trade/algoOrders", { symbol });
  expect(all.json.data).toEqual({ status: "CANCEL_ALL_SENT" } as never);
  expect(lab.x.liveAlgos.size).toBe(0);
});

test("a stop of the old position mode is rejected when it goes off", async () => {
  const lab = startLab();
  const stop = { algoType: "STOP", type: "MARKET", side: "BUY", quantity: "0.05" };
  const id = await placeAlgo(lab, { ...stop, triggerPrice: "105" });
  await lab.fault("mode_flip");
  await lab.price("105");
  expect((await algo(lab, id)).algoStatus as unknown).toBe("REJECTED");
  expect(await holding(lab)).toBeUndefined();
});

test("an algo order whose plain order is refused ends REJECTED with the reason", async () => {
  const lab = startLab({ account: { deposit: "20" } });
  const stop = {
    algoType: "STOP",
    type: "MARKET",
    side: "BUY",
    quantity: "30",
    triggerPrice: "105",
  };
  const id = await placeAlgo(lab, stop);
  await lab.price("105");
  expect(await algo(lab, id)).toMatchObject({ algoStatus: "REJECTED", triggerStatus: "FAILED" });
  expect(codeOf(await lab.call("POST", "/v3/trade/algoOrder", { symbol, algoType: "OCO" }))).toBe(
    317167,
  );
});
