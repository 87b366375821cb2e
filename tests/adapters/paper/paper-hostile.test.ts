// A market that misbehaves: prices that stop or grow old, answers out of order, books that cross, vanish or
// run dry, and gaps nobody watched. Nothing is filled that could not have been, and nothing is made up.
import { expect, test } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import type { OrderTerms } from "../../../src/ports/broker.ts";
import type { FeedPrice, PriceFeed } from "../../../src/ports/price-feed.ts";
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
const stopAt = (price: string) =>
  anOrder(
    { kind: "trigger", triggerPrice: decimal(price), direction: "falling", price: null },
    { side: "sell", isReduceOnly: true },
  );

test("without prices nothing fills, nothing is taken, and what is known is still told", async () => {
  const bench = paperBench();
  await placed(bench.broker, anOrder(limit(99)));
  bench.failure = new Error("the exchange is down");
  await bench.look(1000);
  expect(await bench.broker.openOrders(null, OPTIONS)).toHaveLength(1);
  expect(await bench.broker.place(anOrder(market), OPTIONS)).toMatchObject({
    outcome: "refused",
    reason: "BUSY",
    advice: "back_off",
  });
  for (const read of [bench.broker.markPrice, bench.broker.topOfBook]) {
    await expect(read(BTC, OPTIONS)).rejects.toMatchObject({
      name: "BrokerError",
      kind: "transport",
    });
  }
  const [order] = await bench.broker.openOrders(null, OPTIONS);
  const ref = { symbol: BTC, by: "exchange", id: order?.exchangeOrderId ?? "", isTrigger: false };
  expect(await bench.broker.cancel({ ...ref, by: "exchange" }, OPTIONS)).toMatchObject({
    outcome: "accepted",
  });
});

test("a price that grew old is not traded on, whoever still sends it", async () => {
  const bench = paperBench();
  await placed(bench.broker, anOrder(limit(99)));
  bench.price(90);
  bench.now += 10_001;
  await bench.broker.openOrders(null, OPTIONS);
  expect(await fillsOf(bench.broker)).toEqual([]);
  expect(await bench.broker.place(anOrder(market), OPTIONS)).toMatchObject({ reason: "BUSY" });
  await expect(bench.broker.markPrice(BTC, OPTIONS)).rejects.toThrow(/no price of/);
  await bench.look();
  expect(await fillsOf(bench.broker)).toEqual([["buy", "99", "1", "maker"]] as never);
});

test("a symbol the feed does not know cannot be traded", async () => {
  const bench = paperBench();
  const wanted = anOrder(market, { symbol: "NONE/USDT:USDT" });
  expect(await bench.broker.place(wanted, OPTIONS)).toMatchObject({ reason: "BUSY" });
});

test("a book that crosses or vanishes fills nothing until it is back", async () => {
  const bench = paperBench();
  bench.book("99.9", "100");
  await placed(bench.broker, anOrder(market));
  await placed(bench.broker, stopAt("98"));
  await placed(bench.broker, anOrder(limit("99"), { qty: decimal("2") }));
  bench.book("97", "90");
  await bench.look(1000);
  bench.price(90);
  await bench.look(1000);
  expect(await fillsOf(bench.broker)).toHaveLength(1);
  await expect(bench.broker.topOfBook(BTC, OPTIONS)).resolves.toMatchObject({ bid: "99.9" });
  bench.book("97", "97.2");
  await bench.look(1000);
  expect((await fillsOf(bench.broker)).slice(1)).toEqual([
    ["buy", "99", "2", "maker"],
    ["sell", "97", "1", "taker"],
  ] as never);
});

test("the same book again has nothing more to give", async () => {
  const bench = paperBench();
  bench.book("99.9", "100", "5", "0.4");
  await placed(bench.broker, anOrder(market));
  await bench.broker.openOrders(null, OPTIONS);
  await bench.broker.openOrders(null, OPTIONS);
  expect((await fillsOf(bench.broker)).map(([, , qty]) => qty)).toEqual(["0.4"] as never);
});

test("a gap nobody watched: the stop pays the price found, the limit its own", async () => {
  const bench = paperBench();
  await placed(bench.broker, anOrder(market));
  await placed(bench.broker, stopAt("95"));
  await placed(bench.broker, anOrder(limit(97)));
  bench.now += 3_600_000;
  bench.price(90);
  await bench.look();
  expect((await fillsOf(bench.broker)).slice(1)).toEqual([
    ["buy", "97", "1", "maker"],
    ["sell", "90", "1", "taker"],
  ] as never);
});

test("an answer that was overtaken by a later one is not the present", async () => {
  const answers: ((price: number) => void)[] = [];
  const prices: PriceFeed = {
    exchangeId: "bybit",
    read: () =>
      new Promise((resolve) => {
        answers.push((price) => {
          const mark = { price: decimal(price), at: bench.now };
          const quote: FeedPrice = { mark, source: "ticker", top: null };
          resolve(new Map([[BTC, quote]]));
        });
      }),
  };
  const bench = paperBench({ prices });
  const settle = async (work: Promise<unknown>, ...prices: readonly number[]) => {
    await Bun.sleep(1);
    for (const price of prices) answers.shift()?.(price);
    await work;
  };
  await settle(placed(bench.broker, anOrder(limit(99))), 100);
  const slow = bench.broker.openOrders(null, OPTIONS);
  await Bun.sleep(1);
  const late = answers.shift();
  await settle(bench.broker.openOrders(null, OPTIONS), 101);
  late?.(90);
  await slow;
  const trades = bench.broker.tradesSince({ symbol: BTC, sinceAt: 0 }, OPTIONS);
  await settle(trades, 101);
  expect(await trades).toEqual([]);
});

test("a look costs nothing while nothing rests or is held, and is not repeated at once", async () => {
  let looks = 0;
  const prices: PriceFeed = {
    exchangeId: "bybit",
    async read(symbols) {
      looks += 1;
      const mark = { price: decimal(100), at: bench.now };
      return new Map(symbols.map((symbol) => [symbol, { mark, source: "ticker", top: null }]));
    },
  };
  const bench = paperBench({ prices, lookEveryMs: 500 });
  await bench.broker.openOrders(null, OPTIONS);
  expect(looks).toBe(0);
  await placed(bench.broker, anOrder(limit(99)));
  await bench.broker.openOrders(null, OPTIONS);
  await bench.broker.positions(null, OPTIONS);
  expect(looks).toBe(1);
  await bench.look(500);
  expect(looks).toBe(2);
});

test("rules that cannot be read end a read and refuse an order", async () => {
  const bench = paperBench({ rules: () => Promise.reject(new Error("no rules")) });
  expect(await bench.broker.place(anOrder(market), OPTIONS)).toMatchObject({ reason: "BUSY" });
  await expect(bench.broker.markPrice(BTC, OPTIONS)).rejects.toMatchObject({ kind: "transport" });
});
