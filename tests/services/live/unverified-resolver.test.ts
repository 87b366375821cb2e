// Orders nobody is sure of: when they are asked about, what counts as an answer, and how long "there is no
// such order" must be said before it is believed.
import { afterEach, expect, test } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import type { Broker } from "../../../src/ports/broker.ts";
import type { TargetOrder } from "../../../src/model/order.ts";
import { createUnverifiedResolver } from "../../../src/services/live/unverified-resolver.ts";
import { anIntent, idOf } from "../../support/trading.ts";
import { stopLabs } from "../../venue/lab.ts";
import { openWorld, openIngest, SYMBOL, type World } from "./dispatch-world.ts";

afterEach(stopLabs);

const signal = new AbortController().signal;
const atVenue = ({ lab }: World) => [...lab.account.orders.values()];
const MARKET = { kind: "market", priceTicks: 0, qtyLots: 1 } as const;

/** A world that counts the questions about orders. */
async function asking(around: (broker: Broker) => Partial<Broker> = () => ({})) {
  const askedAt: number[] = [];
  const world: World = await openWorld({
    around: (broker) => ({
      order: (ref, options) => {
        askedAt.push(world.clock.monotonicMs());
        return broker.order(ref, options);
      },
      ...around(broker),
    }),
  });
  return { world, askedAt };
}

async function lost(world: World, name: "accept_then_drop" | "reject_then_drop", order?: object) {
  await world.lab.fault(name, { times: 1, match: { endpoint: "POST trade/order" } });
  const result = await world.place(order as Partial<TargetOrder>);
  expect(result).toMatchObject({ outcome: "unverified" });
}

test("a market order that was taken is settled with its fill", async () => {
  const { world } = await asking();
  await lost(world, "accept_then_drop", MARKET);
  await world.settle();
  const [row] = await world.rows();
  expect(row).toMatchObject({ status: "filled", filledQty: "0.01" });
  expect(world.kinds()).toEqual(["order_unverified", "order_settled"]);
  const { scope, accountId } = world.live.account;
  const fills = await world.live.store.fills(scope, accountId, SYMBOL);
  expect(fills).toMatchObject([{ owner: "bot:1", clientOrderId: row?.clientOrderId ?? "none" }]);
});

test("questions come after half a second, then ever more seldom", async () => {
  const { world, askedAt } = await asking();
  await lost(world, "reject_then_drop");
  await world.settle();
  const gaps = askedAt.map((at, n) => at - (askedAt[n - 1] ?? 0));
  expect(gaps).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 30_000]);
  expect(await world.rows()).toMatchObject([{ status: "abandoned", exchangeOrderId: null }]);
  expect(world.kinds()).toEqual(["order_unverified", "order_abandoned"]);
});

test("questions that are not answered prove nothing, however long", async () => {
  let isDown = true;
  const { world } = await asking((broker) => ({
    order: (ref, options) =>
      isDown ? Promise.reject(new Error("no answer")) : broker.order(ref, options),
  }));
  await lost(world, "reject_then_drop");
  for (let n = 0; n < 50; n++) {
    await world.clock.advance(10_000);
    expect(await world.resolver.settle(signal)).toBe(1);
  }
  isDown = false;
  for (let n = 0; n < 4; n++) {
    await world.clock.advance(60_000);
    expect(await world.resolver.settle(signal)).toBe(1);
  }
  await world.clock.advance(60_000);
  expect(await world.resolver.settle(signal)).toBe(0);
});

test("an order is not given up while its trades cannot be read", async () => {
  let isDown = true;
  const { world } = await asking((broker) => ({
    tradesSince: (query, options) =>
      isDown ? Promise.reject(new Error("no answer")) : broker.tradesSince(query, options),
  }));
  await lost(world, "reject_then_drop");
  for (let n = 0; n < 20; n++) {
    await world.clock.advance(60_000);
    expect(await world.resolver.settle(signal)).toBe(1);
  }
  isDown = false;
  await world.clock.advance(60_000);
  expect(await world.resolver.settle(signal)).toBe(0);
});

test("an order that shows late is found, not given up", async () => {
  const { world } = await asking();
  await world.lab.fault("visibility_delay", { params: { ms: 40_000 } });
  await lost(world, "accept_then_drop");
  await world.settle();
  expect(await world.rows()).toMatchObject([{ status: "open" }]);
});

test("an order known by its trades alone is found by who traded", async () => {
  const { world } = await asking((broker) => ({
    order: (ref, options) =>
      ref.by === "client" ? Promise.resolve(null) : broker.order(ref, options),
  }));
  await world.lab.fault("manual_trade", { params: { quantity: "0.02", side: "BUY" } });
  await lost(world, "accept_then_drop", MARKET);
  await world.settle();
  expect(await world.rows()).toMatchObject([{ status: "filled", filledQty: "0.01" }]);
});

test("where client ids may be used again, an order that cannot be ours is not ours", async () => {
  const { world } = await asking((broker) => ({
    order: async (ref, options) => {
      const report = await broker.order(ref, options);
      return report && { ...report, clientOrderId: ref.id, qty: decimal("5") };
    },
  }));
  await lost(world, "accept_then_drop");
  await world.settle();
  expect(await world.rows()).toMatchObject([{ status: "abandoned", exchangeOrderId: null }]);
});

test("what a former owner left sending is asked about and never sent", async () => {
  const { world, askedAt } = await asking();
  const { store, account, lease } = world.live;
  const stamp = { accountId: account.accountId, token: 1, stampS: 1, expiresAt: 0 };
  const left = anIntent({ symbol: SYMBOL, clientOrderId: idOf(stamp, 1), qty: decimal("0.5") });
  const batch = { place: [left], send: [] };
  const made = await store.commitIntents(account.scope, lease.guard, 1, batch, world.clock.now());
  expect(made).toMatchObject({ ok: true });
  const next = createUnverifiedResolver({
    ...world.live,
    ingest: openIngest(world.live),
    inFlight: () => new Set(),
  });
  await next.settle(signal);
  expect(next.isInDoubt(SYMBOL)).toBe(true);
  expect(askedAt).toEqual([]);
  expect(await world.rows()).toMatchObject([{ status: "sending" }]);
  await world.clock.advance(500);
  await next.settle(signal);
  expect(await world.rows()).toMatchObject([{ status: "unverified" }]);
  for (let n = 0; n < 200 && next.isInDoubt(SYMBOL); n++) {
    await world.clock.advance(500);
    await next.settle(signal);
  }
  expect(world.clock.monotonicMs()).toBeGreaterThanOrEqual(60_000);
  expect(await world.rows()).toMatchObject([{ status: "abandoned" }]);
  expect(atVenue(world)).toEqual([]);
});

test("what this process is sending right now is left alone", async () => {
  let during: unknown[] = [];
  const { world, askedAt } = await asking((broker) => ({
    place: async (order, options) => {
      world.resolver.suspect("ANOTHER");
      await world.resolver.settle(signal);
      await world.clock.advance(5000);
      await world.resolver.settle(signal);
      during = [world.resolver.isInDoubt(SYMBOL), ...(await world.rows())];
      return broker.place(order, options);
    },
  }));
  await world.place();
  expect(during).toMatchObject([false, { status: "sending" }]);
  expect(askedAt).toEqual([]);
  expect(await world.resolver.settle(signal)).toBe(0);
});

test("quiet rows are not read again", async () => {
  let reads = 0;
  const world = await openWorld({
    aroundStore: (store) => ({
      aliveIntents: (...given) => {
        reads += 1;
        return store.aliveIntents(...given);
      },
    }),
  });
  expect(reads).toBe(1);
  await world.place();
  for (let n = 0; n < 5; n++) await world.resolver.settle(signal);
  expect(reads).toBe(1);
});

test("a protective stop nobody knows of is given up after seconds: the position needs one", async () => {
  const { world } = await asking();
  const { store, account, lease } = world.live;
  const stamp = { accountId: account.accountId, token: 1, stampS: 1, expiresAt: 0 };
  const change = { symbol: SYMBOL, qty: decimal("0.5"), isReduceOnly: true, side: "sell" } as const;
  const stop = anIntent({ ...change, purpose: "protective_stop", clientOrderId: idOf(stamp, 1) });
  const exit = anIntent({ ...change, purpose: "exit", clientOrderId: idOf(stamp, 2) });
  const batch = { place: [stop, exit], send: [] };
  const made = await store.commitIntents(account.scope, lease.guard, 1, batch, world.clock.now());
  expect(made).toMatchObject({ ok: true });
  const resolver = createUnverifiedResolver({
    ...world.live,
    ingest: openIngest(world.live),
    inFlight: () => new Set(),
  });
  for (let n = 0; n < 16; n++) {
    await resolver.settle(signal);
    await world.clock.advance(500);
  }
  const left = new Map((await world.rows()).map(({ purpose, status }) => [purpose, status]));
  expect(left.get("protective_stop")).toBe("abandoned");
  expect(left.get("exit")).toBe("unverified");
});
