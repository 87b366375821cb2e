// The one door: what is written before it is sent, what an answer makes of it, and what happens when the
// database or the answer is lost. On the real venue with the real broker.
import { afterEach, describe, expect, test } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import { createOrderDispatcher } from "../../../src/services/live/order-dispatcher.ts";
import type { FaultName } from "../../../src/venue/faults.ts";
import { stopLabs } from "../../venue/lab.ts";
import { BOT, openWorld, SYMBOL, type World } from "./dispatch-world.ts";

afterEach(stopLabs);

const atVenue = ({ lab }: World) => [...lab.account.orders.values()];
const MARKET = { kind: "market", priceTicks: 0, qtyLots: 1 } as const;

test("an order is written down first, sent once, and open with the exchange's id", async () => {
  let seen: readonly string[] = [];
  const world: World = await openWorld({
    around: (broker) => ({
      place: async (order, options) => {
        const rows = await world.rows();
        const flying = world.dispatcher.inFlight();
        seen = rows.map(({ id, status }) => `${status} ${flying.has(id)}`);
        return broker.place(order, options);
      },
    }),
  });
  const result = await world.place();
  expect(seen).toEqual(["sending true"]);
  expect(result).toMatchObject({ targetKey: "entry", outcome: "open" });
  const [row] = await world.rows();
  expect(row).toMatchObject({ status: "open", symbol: SYMBOL, qty: "1", owner: "bot:1" });
  const order = world.lab.account.byClientId.get(row?.clientOrderId ?? "");
  expect(String(order?.id)).toBe(row?.exchangeOrderId ?? "none");
  expect(world.kinds()).toEqual(["order_placed"]);
  expect(world.dispatcher.inFlight().size).toBe(0);
});

test("a hedge account sends the leg, a one-way account does not", async () => {
  const world = await openWorld({ positionMode: "hedge" });
  await world.place({ side: "sell", positionSide: "short", priceTicks: 204 });
  expect(atVenue(world)).toMatchObject([{ positionSide: "SHORT", side: "SELL" }]);
  expect(await world.rows()).toMatchObject([{ leg: "short", positionSide: "short" }]);
});

test("cancels come first, then one commit of everything, then the wire", async () => {
  const calls: string[] = [];
  const world = await openWorld({
    around: (broker) => ({
      place: (order, options) => {
        calls.push("place");
        return broker.place(order, options);
      },
      cancel: (ref, options) => {
        calls.push("cancel");
        return broker.cancel(ref, options);
      },
    }),
    aroundStore: (store) => ({
      commitIntents: (scope, guard, epoch, batch, at) => {
        calls.push(`commit ${batch.place.length} ${batch.withdraw?.length ?? 0}`);
        return store.commitIntents(scope, guard, epoch, batch, at);
      },
    }),
  });
  const { order, done } = world;
  const first = await done({ place: [order()], park: [order({ key: "dca:1", purpose: "rung" })] });
  const [resting, parked] = first.dispatched;
  expect(parked).toMatchObject({ outcome: "parked", intent: { status: "parked" } });
  if (!resting?.intent || !parked?.intent) throw new Error("nothing was written");
  calls.length = 0;
  const report = await done({
    cancel: [parked.intent, resting.intent],
    place: [order({ priceTicks: 196 })],
    park: [order({ key: "dca:1", purpose: "rung", priceTicks: 190 })],
  });
  expect(calls).toEqual(["cancel", "commit 2 1", "place"]);
  expect(report.cancelled.map(({ outcome }) => outcome)).toEqual(["gone", "gone"]);
  expect(report.dispatched.map(({ outcome }) => outcome)).toEqual(["open", "parked"]);
  const statuses = (await world.rows()).map(({ status }) => status).sort();
  expect(statuses).toEqual(["cancelled", "cancelled", "open", "parked"]);
});

test("a stop waits for the stop before it, and not for other orders that are not proven gone", async () => {
  let hidden = "";
  const world = await openWorld({
    house: { levelLotsMax: 1000 },
    around: (broker) => ({
      // Nobody hears for long that the take-profit is gone.
      order: async (ref, options) => {
        const told = await broker.order(ref, options);
        return told?.clientOrderId === hidden ? { ...told, status: "open" } : told;
      },
    }),
  });
  await world.place({ kind: "market", priceTicks: 0, qtyLots: 200 });
  await world.clock.advance(1000);
  const exit = { side: "sell", isReduceOnly: true, qtyLots: 200 } as const;
  const held = { heldQty: decimal(2) };
  const stopTarget = { key: "stop", purpose: "protective_stop", kind: "stop_market" } as const;
  const stop = (priceTicks: number) => world.order({ ...exit, ...stopTarget, priceTicks }, held);
  const profitTarget = { key: "tp", purpose: "take_profit" } as const;
  const profit = (priceTicks: number) =>
    world.order({ ...exit, ...profitTarget, priceTicks }, held);
  const before = await world.done({ place: [stop(150), profit(206)] });
  const resting = before.dispatched.flatMap(({ intent }) => intent ?? []);
  expect(resting.map(({ status }) => status)).toEqual(["open", "open"]);
  hidden = resting[1]?.clientOrderId ?? "";
  const beganMs = world.clock.monotonicMs();
  const after = await world.done({ cancel: resting, place: [stop(151), profit(207)] });
  expect(after.cancelled.map(({ outcome }) => outcome)).toEqual(["gone", "asked"]);
  expect(after.dispatched).toMatchObject([
    { targetKey: "stop", outcome: "open" },
    { targetKey: "tp", outcome: "withheld", reason: "CANCEL_PENDING" },
  ]);
  expect(world.clock.monotonicMs() - beganMs).toBe(150);
});

test("a parked order is sent as it was written down, under an id of its own", async () => {
  const world = await openWorld();
  const order = world.order({ key: "dca:1", purpose: "rung", priceTicks: 190 });
  const [parked] = (await world.done({ park: [order] })).dispatched;
  if (!parked?.intent) throw new Error("it was not parked");
  expect(atVenue(world)).toEqual([]);
  const report = await world.done({ send: [{ intent: parked.intent, order }] });
  expect(report.dispatched).toMatchObject([{ targetKey: "dca:1", outcome: "open" }]);
  expect(atVenue(world)).toMatchObject([{ ticks: 190, status: "NEW" }]);
  const again = await world.dispatch({ send: [{ intent: parked.intent, order }] });
  expect(again).toMatchObject({ ok: false, reason: "not_waiting" });
  expect(atVenue(world)).toHaveLength(1);
});

describe("an answer nobody can be sure of is unverified and never sent again:", () => {
  const cases: [name: FaultName, params: object, isThere: boolean][] = [
    ["accept_then_drop", {}, true],
    ["reject_then_drop", {}, false],
    ["unknown_code_200", { accept: true }, true],
    ["unknown_code_200", {}, false],
    ["html_200", { accept: true }, true],
    ["html_200", {}, false],
    ["empty_200", { accept: true }, true],
    ["dup_client_id", {}, true],
  ];
  for (const [name, params, isThere] of cases) {
    test(`${name}, ${isThere ? "carried out" : "not carried out"}`, async () => {
      const world = await openWorld();
      const match = name === "dup_client_id" ? {} : { endpoint: "POST trade/order" };
      await world.lab.fault(name, { times: 1, params, match });
      expect(await world.place()).toMatchObject({ outcome: "unverified" });
      expect(await world.rows()).toMatchObject([{ status: "unverified" }]);
      expect(atVenue(world)).toHaveLength(isThere ? 1 : 0);
      expect(world.resolver.isInDoubt(SYMBOL)).toBe(true);
      expect(world.kinds()).toEqual(["order_unverified"]);
      await world.settle();
      expect(atVenue(world)).toHaveLength(isThere ? 1 : 0);
      expect(await world.rows()).toMatchObject([{ status: isThere ? "open" : "abandoned" }]);
      expect(world.resolver.isInDoubt(SYMBOL)).toBe(false);
    });
  }
});

test("a call that fails by itself counts as an answer nobody can be sure of", async () => {
  const world = await openWorld({
    around: () => ({ place: () => Promise.reject(new TypeError("a slip")) }),
  });
  expect(await world.place()).toMatchObject({ outcome: "unverified" });
});

describe("a refusal is the end of that order alone:", () => {
  const cases: [name: FaultName, advice: string][] = [
    ["insufficient_margin", "decide_again"],
    ["rate_429", "back_off"],
    ["unknown_code_400", "decide_again"],
  ];
  for (const [name, advice] of cases) {
    test(name, async () => {
      const world = await openWorld();
      await world.lab.fault(name, { times: 1 });
      const result = await world.place();
      expect(result).toMatchObject({ outcome: "refused", advice, intent: { status: "refused" } });
      expect(world.kinds()).toEqual(["order_refused"]);
      expect(world.resolver.isInDoubt(SYMBOL)).toBe(false);
      expect(await world.place()).toMatchObject({ outcome: "open" });
    });
  }
});

test("an answer that cannot be written down leaves the row sending and in doubt, and throws", async () => {
  const world: World = await openWorld({
    around: (broker) => ({
      place: async (order, options) => {
        const answer = await broker.place(order, options);
        world.simulated.failNext("before_commit");
        return answer;
      },
    }),
  });
  const { order } = world;
  const both = world.dispatch({ place: [order(MARKET), order({ ...MARKET, key: "exit" })] });
  await expect(both).rejects.toThrow("the commit failed");
  expect((await world.rows()).map(({ status }) => status)).toEqual(["sending", "sending"]);
  expect(world.dispatcher.inFlight().size).toBe(0);
  expect(world.resolver.isInDoubt(SYMBOL)).toBe(true);
  await world.settle();
  expect((await world.rows()).map(({ status }) => status)).toEqual(["abandoned", "filled"]);
  expect(atVenue(world)).toHaveLength(1);
});

test("a commit nobody knows the end of sends nothing, and what it left is found out about", async () => {
  const world = await openWorld();
  world.simulated.failNext("after_commit");
  await expect(world.place()).rejects.toThrow("lost after the commit");
  expect(world.resolver.isInDoubt(SYMBOL)).toBe(true);
  expect(await world.settle()).toBeGreaterThanOrEqual(60_000);
  expect(await world.rows()).toMatchObject([{ status: "abandoned" }]);
  expect(atVenue(world)).toEqual([]);
});

test("batches are carried out one after the other, an emergency before those that wait", async () => {
  const order: string[] = [];
  const world = await openWorld({
    around: (broker) => ({
      place: async (wanted, options) => {
        order.push(`begin ${wanted.qty}`);
        const answer = await broker.place(wanted, options);
        order.push(`end ${wanted.qty}`);
        return answer;
      },
    }),
  });
  const batch = (qtyLots: number, isFlatten = false) =>
    world.done({ place: [world.order({ key: `k${qtyLots}`, qtyLots })], isFlatten });
  await Promise.all([batch(2), batch(3), batch(4, true)]);
  const expected = ["0.02", "0.04", "0.03"].flatMap((qty) => [`begin ${qty}`, `end ${qty}`]);
  expect(order).toEqual(expected);
});

test("stopping waits for the present batch and carries out no other", async () => {
  const world = await openWorld();
  const present = world.dispatch({ place: [world.order()] });
  const waiting = world.dispatch({ place: [world.order({ key: "k2" })] });
  await world.dispatcher.stop();
  expect(await world.rows()).toMatchObject([{ status: "open", targetKey: "entry" }]);
  expect(await present).toMatchObject({ ok: true });
  expect(await waiting).toMatchObject({ ok: false, reason: "stopping" });
  expect(await world.dispatch({ place: [world.order()] })).toMatchObject({ reason: "stopping" });
  expect(atVenue(world)).toHaveLength(1);
});

test("ids that were used before are replaced by those of a fresh stamp", async () => {
  const world = await openWorld();
  for (const key of ["k1", "k2", "k3"]) await world.place({ key });
  const second = createOrderDispatcher({ ...world.live, resolver: world.resolver });
  const place = [world.order({ key: "dca:1", purpose: "rung" })];
  const report = await second.dispatch({
    ...{ cancel: [], place, park: [], send: [], step: null, isFlatten: false },
  });
  expect(report).toMatchObject({ ok: true, dispatched: [{ outcome: "open" }] });
  const ids = (await world.rows()).map(({ clientOrderId }) => clientOrderId);
  expect(new Set(ids).size).toBe(4);
});

test("the step of the bot is written with its orders; a state that moved sends nothing", async () => {
  const steps: unknown[] = [];
  const world = await openWorld({
    aroundStore: (store) => ({
      commitIntents: (scope, guard, epoch, { step, ...batch }, at) => {
        steps.push([step?.seenVersion, batch.place.length]);
        if (steps.length > 1) {
          return Promise.resolve({ ok: false, reason: "state_moved", detail: "it moved" });
        }
        return store.commitIntents(scope, guard, epoch, batch, at);
      },
    }),
  });
  const step = { botId: BOT, seenVersion: 0, state: { n: 1 }, events: [] };
  expect(await world.dispatch({ place: [world.order()], step })).toMatchObject({ ok: true });
  const again = await world.dispatch({ place: [world.order({ key: "k2" })], step });
  expect(again).toEqual({ ok: false, reason: "state_moved", detail: "it moved" });
  expect(steps).toEqual([
    [0, 1],
    [0, 1],
  ]);
  expect(atVenue(world)).toHaveLength(1);
});
