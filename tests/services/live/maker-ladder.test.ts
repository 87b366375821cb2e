// Orders meant to rest on the real venue: queue level, post-only at the top of the book, plain limit; each
// way an order of its own, and none of them taken by chance.
import { afterEach, expect, test } from "bun:test";
import type { Decimal } from "../../../src/model/decimal.ts";
import type { Broker } from "../../../src/ports/broker.ts";
import type { LiveMarket, PlaceOrder } from "../../../src/services/live/live-types.ts";
import { stopLabs } from "../../venue/lab.ts";
import { openWorld, type World } from "./dispatch-world.ts";

afterEach(stopLabs);

const price = (text: string) => text as Decimal;
const atVenue = ({ lab }: World) => [...lab.account.orders.values()];
const types = (world: World) => atVenue(world).map(({ type, status }) => `${type} ${status}`);
/** The venue quotes 99.5 to 100.5 around a mark of 100. */
const ENTRY = { kind: "post_only", priceTicks: 200 } as const;

const near = (
  world: World,
  maker: LiveMarket["maker"],
  change: Partial<PlaceOrder> = {},
): Partial<PlaceOrder> => ({
  market: { ...world.order().market, maker },
  referencePrice: price("100"),
  ...change,
});

test("the level of the own side is tried first and rests there", async () => {
  const world = await openWorld();
  const result = await world.place(ENTRY, near(world, { queueLevel: 2, mayTake: false }));
  expect(result).toMatchObject({ outcome: "open", intent: { status: "open" } });
  expect(types(world)).toEqual(["BID NEW"]);
  expect(atVenue(world)).toMatchObject([{ bidAskLevel: 2, ticks: 198 }]);
  expect(world.kinds()).toEqual(["order_placed"]);
});

test("without a level it begins post-only at the best price", async () => {
  const world = await openWorld();
  const sell = { ...ENTRY, side: "sell", positionSide: "short" } as const;
  expect(await world.place(sell, near(world, { queueLevel: null, mayTake: false }))).toMatchObject({
    outcome: "open",
    intent: { terms: { kind: "post_only", price: "100.5", mayAdjust: true } },
  });
  expect(types(world)).toEqual(["POST_ONLY NEW"]);
});

test("every way that is refused leads to the next, each with a row and an id of its own", async () => {
  const world = await openWorld();
  await world.lab.fault("bbo_reject", { times: 1 });
  const result = await world.place(ENTRY, near(world, { queueLevel: 1, mayTake: true }));
  expect(result).toMatchObject({ outcome: "open" });
  const rows = await world.rows();
  expect(rows.map(({ terms, status }) => `${terms.kind} ${status}`)).toEqual([
    "post_only open",
    "queue refused",
  ]);
  expect(new Set(rows.map(({ clientOrderId }) => clientOrderId)).size).toBe(2);
  expect(world.kinds().filter((kind) => kind === "maker_fallback")).toHaveLength(1);
  expect(types(world)).toEqual(["BID REJECTED", "POST_ONLY NEW"]);
});

const noAdjust = (broker: Broker): Partial<Broker> => ({
  capabilities: { ...broker.capabilities, postOnlyAdjust: false },
});

test("a plain limit order is the last way, for bots that allow it", async () => {
  const world = await openWorld({ around: noAdjust });
  await world.lab.fault("bbo_level_missing", { times: 1 });
  await world.lab.fault("post_only_reject", { times: 1 });
  const result = await world.place(ENTRY, near(world, { queueLevel: 1, mayTake: true }));
  expect(result).toMatchObject({ outcome: "open", intent: { terms: { kind: "limit" } } });
  const rows = await world.rows();
  expect(rows.map(({ terms, status }) => `${terms.kind} ${status}`)).toEqual([
    "limit open",
    "post_only cancelled",
    "queue refused",
  ]);
  expect(types(world)).toEqual(["POST_ONLY CANCELLED", "LIMIT NEW"]);
  expect(world.kinds().filter((kind) => kind === "maker_fallback")).toHaveLength(2);
});

test("a bot that never takes ends with the refusal and decides again", async () => {
  const world = await openWorld({ around: noAdjust });
  await world.lab.fault("bbo_level_missing", { times: 1 });
  await world.lab.fault("post_only_reject", { times: 1 });
  const result = await world.place(ENTRY, near(world, { queueLevel: 1, mayTake: false }));
  expect(result).toMatchObject({ outcome: "refused", advice: "decide_again" });
  expect(types(world)).toEqual(["POST_ONLY CANCELLED"]);
});

test("an exchange without levels begins post-only", async () => {
  const world = await openWorld({
    around: (broker) => ({ capabilities: { ...broker.capabilities, queueLevels: false } }),
  });
  await world.place(ENTRY, near(world, { queueLevel: 1, mayTake: false }));
  expect(types(world)).toEqual(["POST_ONLY NEW"]);
});

test("another refusal is no reason for the next way", async () => {
  const world = await openWorld();
  await world.lab.fault("insufficient_margin", { times: 1 });
  const result = await world.place(ENTRY, near(world, { queueLevel: 1, mayTake: true }));
  expect(result).toMatchObject({ outcome: "refused" });
  expect(await world.rows()).toHaveLength(1);
});

test("an answer nobody can be sure of ends the search", async () => {
  const world = await openWorld();
  await world.lab.fault("accept_then_drop", { times: 1 });
  const result = await world.place(ENTRY, near(world, { queueLevel: 1, mayTake: true }));
  expect(result).toMatchObject({ outcome: "unverified" });
  expect(types(world)).toEqual(["BID NEW"]);
});

test("an order of which a part was executed before it ended has no next way", async () => {
  const world: World = await openWorld({
    around: (broker) => ({
      order: async (ref, options) => {
        const symbol = world.lab.market.instrument.symbol;
        await world.lab.call("DELETE", "/v3/trade/order", { orderId: ref.id, symbol });
        return broker.order(ref, options);
      },
    }),
  });
  await world.lab.fault("partial_fill", { times: 1, params: { ms: 50, parts: [0.3] } });
  const result = await world.place(ENTRY, near(world, { queueLevel: 1, mayTake: true }));
  expect(result).toMatchObject({ outcome: "open", intent: { reportedFilledQty: "0.3" } });
  expect(await world.rows()).toMatchObject([{ status: "cancelled" }]);
  expect(types(world)).toEqual(["BID CANCELLED"]);
});

test("without a book nothing is sent", async () => {
  for (const book of [() => Promise.reject(new Error("no book")), crossed]) {
    const world = await openWorld({ around: () => ({ topOfBook: book }) });
    const result = await world.place(ENTRY, near(world, { queueLevel: null, mayTake: true }));
    expect(result).toMatchObject({ outcome: "withheld", reason: "NO_BOOK", intent: null });
    expect(atVenue(world)).toEqual([]);
  }
});

function crossed() {
  const [bid, ask] = [price("101"), price("100")];
  return Promise.resolve({ bid, ask, bidQty: price("1"), askQty: price("1"), at: 0 });
}

test("a gate that closes between two ways ends the search", async () => {
  const world: World = await openWorld({
    around: (broker) => ({
      topOfBook: (symbol, options) => {
        world.hands.state = "reducing";
        return broker.topOfBook(symbol, options);
      },
    }),
  });
  await world.lab.fault("bbo_level_missing", { times: 1 });
  const result = await world.place(ENTRY, near(world, { queueLevel: 1, mayTake: true }));
  expect(result).toMatchObject({ outcome: "withheld", reason: "TRADING_STATE" });
  expect(await world.rows()).toHaveLength(1);
  expect(atVenue(world)).toEqual([]);
});

test("a gate that closes while the book is read leaves nothing written", async () => {
  const world: World = await openWorld({
    around: (broker) => ({
      topOfBook: (symbol, options) => {
        world.hands.state = "reducing";
        return broker.topOfBook(symbol, options);
      },
    }),
  });
  const result = await world.place(ENTRY, near(world, { queueLevel: null, mayTake: false }));
  expect(result).toMatchObject({ outcome: "withheld", reason: "TRADING_STATE", intent: null });
  expect(await world.rows()).toEqual([]);
});

test("an epoch that moves between two ways ends the search", async () => {
  const world: World = await openWorld({
    around: (broker) => ({
      topOfBook: (symbol, options) => {
        world.hands.epoch -= 1;
        return broker.topOfBook(symbol, options);
      },
    }),
  });
  await world.lab.fault("bbo_level_missing", { times: 1 });
  const result = await world.place(ENTRY, near(world, { queueLevel: 1, mayTake: true }));
  expect(result).toMatchObject({ outcome: "withheld", reason: "TRADING_STATE" });
  expect(atVenue(world)).toEqual([]);
});

test("an order far from the market rests at its own price", async () => {
  const world = await openWorld();
  const maker = near(world, { queueLevel: 1, mayTake: true });
  await world.place({ ...ENTRY, priceTicks: 190 }, maker);
  await world.place({ ...ENTRY, key: "dca:1", purpose: "rung", priceTicks: 199 }, maker);
  const profit = { key: "tp", purpose: "take_profit", side: "sell", kind: "post_only" } as const;
  await world.place({ ...profit, priceTicks: 210 }, maker);
  const terms = (await world.rows()).map((row) => row.terms);
  expect(terms).toEqual([
    { kind: "post_only", price: price("105"), mayAdjust: false },
    { kind: "post_only", price: price("99.5"), mayAdjust: false },
    { kind: "post_only", price: price("95"), mayAdjust: false },
  ]);
});

test("a take-profit the price has reached looks for its place, never below its own price", async () => {
  const world = await openWorld();
  const profit = { key: "tp", purpose: "take_profit", side: "sell", kind: "post_only" } as const;
  const maker = near(world, { queueLevel: null, mayTake: false });
  await world.place({ ...profit, priceTicks: 198 }, maker);
  // The mark is stale: the book is already below the price of the order.
  await world.place({ ...profit, priceTicks: 203 }, { ...maker, referencePrice: price("102") });
  const prices = (await world.rows()).map(({ terms }) => "price" in terms && terms.price);
  expect(prices).toEqual([price("101.5"), price("100.5")]);
});
