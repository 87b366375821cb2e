// A venue that takes over from an earlier one: positions, orders, stops, ids and totals are what they
// were, and what happens next is what would have happened.
import { afterEach, expect, test } from "bun:test";
import type { Account } from "../../src/venue/account.ts";
import { gridText, moneyText, unitsText } from "../../src/venue/decimal.ts";
import type { Leg } from "../../src/venue/position.ts";
import { addAccount } from "../../src/venue/exchange.ts";
import type { Opening, OpeningOrder } from "../../src/venue/settings.ts";
import type { Exchange } from "../../src/venue/state.ts";
import { codeOf, type Lab, SPEC, startLab, stopLabs } from "./lab.ts";

afterEach(stopLabs);

const EMPTY: Opening = {
  ...{ positions: [], orders: [], triggers: [], leverages: [] },
  ...{ feesPaid: "0", fundingReceived: "0" },
};
const SYMBOL = SPEC.symbol;
const BID: OpeningOrder = {
  orderId: 5,
  clientOrderId: "9",
  symbol: SYMBOL,
  side: "BUY",
  type: "LIMIT",
  price: "99",
  quantity: "1",
  executedQuantity: "0",
  reduceOnly: false,
  createdAt: 1,
};

/** The average entry price with eighteen decimals; lots of the lab are hundredths. */
function averageOf({ lots, cost }: Leg): string {
  return unitsText((cost * 10n ** 8n) / BigInt(lots), 18);
}

/** What somebody who kept the books of an account would hand to the next venue. */
function handover({ account, market }: Lab): Opening {
  const { price, qty } = market.instrument;
  const legs = [...account.legs.values()].filter((leg) => leg.lots !== 0);
  return {
    positions: legs.map((leg) => ({
      symbol: SYMBOL,
      side: leg.lots > 0 ? "LONG" : "SHORT",
      quantity: gridText(Math.abs(leg.lots), qty),
      averagePrice: averageOf(leg),
    })),
    orders: [...account.open].map((order) => ({
      orderId: order.id,
      clientOrderId: order.clientOrderId,
      symbol: SYMBOL,
      side: order.side,
      positionSide: order.positionSide,
      type: order.type as "LIMIT",
      price: gridText(order.ticks ?? 0, price),
      quantity: gridText(order.lots, qty),
      executedQuantity: gridText(order.executedLots, qty),
      reduceOnly: order.reduceOnly,
      createdAt: order.createdAt,
    })),
    triggers: [...account.algos.values()].flatMap((algo) =>
      algo.status === "NEW"
        ? {
            algoOrderId: algo.id,
            clientOrderId: algo.clientId,
            symbol: SYMBOL,
            side: algo.side,
            positionSide: algo.positionSide,
            triggerPrice: gridText(algo.triggerTicks ?? 0, price),
            firesAbove: algo.firesAbove,
            price: algo.ticks === null ? null : gridText(algo.ticks, price),
            quantity: gridText(algo.lots, qty),
            reduceOnly: algo.reduceOnly,
            createdAt: algo.createdAt,
          }
        : [],
    ),
    leverages: [...account.leverage].map(([key, leverage]) => ({
      symbol: SYMBOL,
      positionSide: key.split(" ")[1] as "BOTH",
      leverage,
    })),
    feesPaid: moneyText(account.feesPaid),
    fundingReceived: moneyText(account.fundingReceived),
  };
}

/** The venue that follows, at the same price. */
function successor(lab: Lab): Lab {
  const { account, x, market } = lab;
  const { apiKey, secret, mode } = account;
  const { order, trade, algo, payment } = x.ids;
  const steps = [{ at: x.now - 1, ticks: market.lastTicks, lots: 0 }];
  return startLab({
    startAt: x.now,
    idsAbove: { order, trade, algo, payment },
    account: {
      ...{ apiKey, secret, mode, deposit: moneyText(account.wallet) },
      opening: handover(lab),
    },
    markets: x.settings.markets.map((each) => ({ ...each, feed: { kind: "tape", steps } })),
  });
}

/** Replies of everything a client reads about its account, without the instant of the reply. */
async function told(lab: Lab): Promise<unknown[]> {
  const paths = ["asset/balances", "futures/positions", "trade/orders", "trade/algoOrders"];
  const open = { status: "INCOMPLETE" };
  const leverage = { symbol: SYMBOL, marginMode: "CROSS" };
  const replies = [
    ...(await Promise.all(paths.map((path) => lab.call("GET", `/v3/${path}`, open)))),
    await lab.call("GET", "/v3/futures/leverage", leverage),
  ];
  return replies.map((reply) => {
    expect(codeOf(reply)).toBe(0);
    const drop = new Set(["timestamp", "updatedTime", "pnl24H", "fee24H", "totalFee", "orderTag"]);
    const kept = JSON.stringify(reply.json.data, (key, value) =>
      drop.has(key) ? undefined : value,
    );
    return JSON.parse(kept);
  });
}

/** Money that is somewhere must have been paid in. */
function missing({ accounts, house, feePool, insurance, deposits, markets }: Exchange): bigint {
  let sum = house.wallet + feePool + insurance;
  for (const account of accounts.values()) sum += account.wallet;
  for (const { instrument } of markets.values()) {
    const all: Account[] = [...accounts.values(), house];
    for (const { legs } of all) {
      for (const leg of legs.values()) if (leg.instrument === instrument) sum -= leg.cost;
    }
  }
  return deposits - sum;
}

for (const mode of ["ONE_WAY", "HEDGE_MODE"] as const) {
  const leg = (side: string) => (mode === "ONE_WAY" ? {} : { positionSide: side });

  async function traded(): Promise<Lab> {
    const lab = startLab({ account: { mode } });
    await lab.call("PUT", "/v3/futures/leverage", { symbol: SYMBOL, leverage: 4, ...leg("LONG") });
    const market = { type: "MARKET", quantity: "0.03", ...leg("LONG") };
    await lab.place(market);
    await lab.price("103.5");
    await lab.place(market);
    if (mode === "HEDGE_MODE") await lab.place({ ...market, side: "SELL", ...leg("SHORT") });
    await lab.fault("funding_charge", { params: { rate: "0.0005" } });
    const half = await lab.place({ price: "101", quantity: "0.5", ...leg("LONG") });
    await lab.price("101", "0");
    await lab.price("100.5", "0.2");
    expect(await lab.status(half)).toBe("PARTIAL_FILLED");
    await lab.price("103.5", "0");
    await lab.place({
      ...{ side: "SELL", price: "110", quantity: "0.02", reduceOnly: true },
      ...{ clientOrderId: "77", ...leg("LONG") },
    });
    const stop = { symbol: SYMBOL, algoType: "STOP", type: "MARKET", quantity: "0.05" };
    const reply = await lab.call("POST", "/v3/trade/algoOrder", {
      ...{ ...stop, side: "SELL", triggerPrice: "99", reduceOnly: true },
      ...{ clientAlgoOrderId: "78", ...leg("LONG") },
    });
    expect(codeOf(reply)).toBe(0);
    return lab;
  }

  test(`${mode}: the next venue tells what the last one told, under the same ids and keys`, async () => {
    const lab = await traded();
    const next = successor(lab);
    expect(await told(next)).toEqual(await told(lab));
    const { account } = next;
    expect(account.feesPaid).toBe(lab.account.feesPaid);
    expect(account.fundingReceived).toBe(lab.account.fundingReceived);
    expect(account.fundingReceived).not.toBe(0n);
    expect(missing(lab.x)).toBe(0n);
    expect(missing(next.x)).toBe(0n);
  });

  test(`${mode}: what comes next is what would have come: fills, ids, stop and balance`, async () => {
    const lab = await traded();
    const next = successor(lab);
    const known = lab.account.trades.length;
    const lastId = lab.x.ids.order;
    for (const at of [lab, next]) {
      await at.price("110.5", "5");
      await at.price("98.5", "0.3");
      await at.price("98.5", "9");
    }
    const fills = ({ account }: Lab, from: number) =>
      account.trades.slice(from).map(({ id, order, ticks, lots, fee, isMaker }) => {
        // The house draws from the same ids, so new orders have others.
        const isOld = order.id <= lastId;
        return { id, order: isOld ? order.id : "new", ticks, lots, fee, isMaker };
      });
    expect(fills(next, 0)).toEqual(fills(lab, known));
    expect(next.account.trades.length).toBeGreaterThanOrEqual(3);
    expect(next.account.wallet).toBe(lab.account.wallet);
    expect([...next.account.algos.values()].map(({ status }) => status)).toEqual(["FILLED"]);
    expect(await told(next)).toEqual(await told(lab));
    expect(missing(next.x)).toBe(0n);
  });
}

test("an order that the price has left behind fills at its own price with the next step", async () => {
  const bid = { ...BID, price: "104" };
  const lab = startLab({ account: { opening: { ...EMPTY, orders: [bid] } } });
  const { bids = [], asks = [] } = (
    await lab.call("GET", "/v3/public/orderbook", { symbol: SYMBOL })
  ).json.data as never as Record<string, { price: string }[]>;
  expect(Number(bids[0]?.price)).toBeLessThan(Number(asks[0]?.price));
  await lab.price("100");
  expect(await lab.order("5")).toMatchObject({ status: "FILLED" } as never);
  expect(lab.account.trades.map(({ ticks, isMaker }) => [ticks, isMaker])).toEqual([[208, true]]);
});

test("ids go on above what was given before, whichever venue gave it", async () => {
  const above = { order: 70_000_000_000, trade: 2_000_000_000, algo: 30_000_000, payment: 40 };
  const lab = startLab({ idsAbove: above });
  const id = await lab.place({ type: "MARKET", quantity: "0.01" });
  expect(Number(id)).toBeGreaterThan(above.order);
  expect(lab.account.trades[0]?.id).toBeGreaterThan(above.trade);
  await lab.fault("funding_charge", { params: { rate: "0.0005" } });
  expect(lab.account.payments[0]?.id).toBe(41);
});

test("ids that an account brings with it are not given again either", async () => {
  const order = { ...BID, orderId: 80_000_000_000 };
  const { orderId: _, type: __, price: ___, executedQuantity: ____, ...terms } = order;
  const trigger = {
    ...{ ...terms, algoOrderId: 50_000_000, triggerPrice: "90", firesAbove: false, price: null },
  };
  const lab = startLab({
    account: { opening: { ...EMPTY, orders: [order], triggers: [trigger] } },
  });
  expect(Number(await lab.place({ price: "98", quantity: "1" }))).toBeGreaterThan(order.orderId);
  expect(lab.x.ids.algo).toBe(50_000_000);
});

test("an average with more digits than money has is taken to the nearest unit", () => {
  const position = { symbol: SYMBOL, side: "SHORT", quantity: "0.03" } as const;
  const averagePrice = "100.333333333333333333333";
  const lab = startLab({
    account: { opening: { ...EMPTY, positions: [{ ...position, averagePrice }] } },
  });
  const [leg] = lab.account.legs.values();
  expect([leg?.lots, leg?.cost]).toEqual([-3, -3_010_000_000_000n]);
  expect(missing(lab.x)).toBe(0n);
});

test("what does not fit is refused with its field, its value and what fits", () => {
  const position = { symbol: SYMBOL, side: "LONG", quantity: "1", averagePrice: "100" } as const;
  const wrong: [Partial<Opening>, RegExp][] = [
    [{ positions: [{ ...position, symbol: "PERP_X_USDT" }] }, /"PERP_X_USDT" is no instrument/],
    [{ positions: [{ ...position, quantity: "0.001" }] }, /quantity "0.001" .* step 0.01/],
    [{ positions: [{ ...position, quantity: "0" }] }, /quantity "0"/],
    [{ positions: [{ ...position, averagePrice: "-1" }] }, /averagePrice "-1" is no price/],
    [{ orders: [{ ...BID, price: "99.3" }] }, /price "99.3" .* tick 0.5/],
    [{ orders: [{ ...BID, executedQuantity: "1" }] }, /order 5 has ended/],
    [{ orders: [BID, BID] }, /an orderId is given twice/],
    [{ feesPaid: "much" }, /feesPaid "much" is no decimal/],
  ];
  for (const [change, sentence] of wrong) {
    expect(() => startLab({ account: { opening: { ...EMPTY, ...change } } })).toThrow(sentence);
  }
  const lab = startLab();
  const shape = ({ x }: Lab) => [x.accounts.size, x.deposits, x.house.legs.size, x.ids.order];
  const before = shape(lab);
  for (const [change, sentence] of wrong) {
    const opening = { ...EMPTY, positions: [position], orders: [BID], ...change };
    expect(() => addAccount(lab.x, { name: "bea", deposit: "1", opening })).toThrow(sentence);
    expect(shape(lab)).toEqual(before);
  }
  const hedge = { mode: "HEDGE_MODE", opening: { ...EMPTY, orders: [BID] } } as const;
  expect(() => startLab({ account: hedge })).toThrow(/must be LONG or SHORT in hedge mode/);
});
