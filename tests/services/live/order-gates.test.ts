// What holds an order back: trading states, the lease, doubts, rules and cancels that are not proven.
// Every gate is tried before the commit and between the commit and the wire.
import { afterEach, describe, expect, test } from "bun:test";
import type { Decimal } from "../../../src/model/decimal.ts";
import type { OrderPurpose } from "../../../src/model/order.ts";
import { createUnverifiedResolver } from "../../../src/services/live/unverified-resolver.ts";
import { stopLabs } from "../../venue/lab.ts";
import { openWorld, SYMBOL, type World, type WorldOptions } from "./dispatch-world.ts";

afterEach(stopLabs);

const atVenue = ({ lab }: World) => [...lab.account.orders.values()];
const qty = (text: string) => text as Decimal;

/** A world in which something happens between the commit and the wire. */
function openWorldWith(meanwhile: (world: World) => void): Promise<World> {
  let world: World | null = null;
  const options: WorldOptions = {
    aroundStore: (store) => ({
      commitIntents: async (...given) => {
        const made = await store.commitIntents(...given);
        if (world) meanwhile(world);
        return made;
      },
    }),
  };
  return openWorld(options).then((opened) => {
    world = opened;
    return opened;
  });
}

describe("trigger orders, of which an exchange takes few:", () => {
  const rung = { key: "rung:1", purpose: "rung", kind: "trigger_market", priceTicks: 300 } as const;
  const stop = {
    ...rung,
    key: "stop",
    purpose: "protective_stop",
    kind: "stop_market",
    isReduceOnly: true,
  } as const;

  test("while they are scarce what opens is kept back without a row or an event", async () => {
    const world = await openWorld({ around: () => ({ triggerWaitMs: () => 900 }) });
    const result = await world.place(rung);
    expect(result).toMatchObject({ outcome: "withheld", reason: "TRIGGERS_BUSY", intent: null });
    expect([await world.rows(), world.kinds()]).toEqual([[], []]);
    expect((await world.place()).outcome).toBe("open");
  });

  test("a stop goes whatever waits, and so does what opens once there is room", async () => {
    const hands = { waitMs: 900 };
    const world = await openWorld({ around: () => ({ triggerWaitMs: () => hands.waitMs }) });
    const protective = await world.place(stop, { heldQty: qty("1") });
    expect(protective.outcome).not.toBe("withheld");
    hands.waitMs = 0;
    expect((await world.place(rung)).outcome).toBe("open");
  });
});

describe("trading states:", () => {
  test("a state that forbids an order withholds it before anything is written", async () => {
    const world = await openWorld();
    world.hands.state = "reducing";
    const result = await world.place();
    expect(result).toMatchObject({ outcome: "withheld", reason: "TRADING_STATE", intent: null });
    expect(await world.rows()).toEqual([]);
    expect(world.kinds()).toEqual(["kill_switch_block"]);
    await world.place();
    expect(world.kinds()).toEqual(["kill_switch_block"]);
  });

  test("a state that changes after the commit stops the order before the wire", async () => {
    const world = await openWorldWith(({ hands }) => {
      hands.state = "halted";
    });
    const result = await world.place();
    expect(result).toMatchObject({ outcome: "withheld", reason: "TRADING_STATE" });
    expect(await world.rows()).toMatchObject([{ status: "refused", exchangeOrderId: null }]);
    expect(world.kinds()).toEqual(["kill_switch_block"]);
    expect(atVenue(world)).toEqual([]);
  });

  test("a state that changes while the write waits for its turn stops it", async () => {
    const world: World = await openWorld({
      around: (broker) => ({
        place: async (order, options) => {
          world.hands.state = "halted";
          await world.clock.advance(300);
          return broker.place(order, options);
        },
      }),
    });
    const result = await world.place();
    expect(result).toMatchObject({ outcome: "refused", intent: { status: "refused" } });
    expect(atVenue(world)).toEqual([]);
  });

  test("an epoch that moved writes and sends nothing", async () => {
    const world = await openWorld();
    world.hands.epoch -= 1;
    const report = await world.dispatch({ place: [world.order()] });
    expect(report).toMatchObject({ ok: false, reason: "epoch_moved" });
    expect(await world.rows()).toEqual([]);
    expect(atVenue(world)).toEqual([]);
  });

  const purposes: [purpose: OrderPurpose, reducing: boolean, halted: boolean, frozen: boolean][] = [
    ["entry", false, false, false],
    ["rung", false, false, false],
    ["take_profit", true, false, false],
    ["exit", true, false, false],
    ["protective_stop", true, true, false],
    ["flatten", true, true, false],
  ];
  for (const [purpose, ...allowed] of purposes) {
    test(`${purpose} passes the door where the table allows it`, async () => {
      const world = await openWorld();
      for (const [n, state] of (["reducing", "halted", "frozen"] as const).entries()) {
        world.hands.state = state;
        const { outcome } = await world.place({ purpose, key: state });
        expect(outcome).toBe(allowed[n] ? "open" : "withheld");
      }
    });
  }

  test("cancels pass when halted and are withheld when frozen", async () => {
    const world = await openWorld();
    const { intent } = await world.place();
    if (!intent) throw new Error("nothing was written");
    world.hands.state = "frozen";
    const frozen = await world.done({ cancel: [intent] });
    expect(frozen.cancelled).toMatchObject([{ outcome: "withheld" }]);
    expect(atVenue(world)).toMatchObject([{ status: "NEW" }]);
    world.hands.state = "halted";
    const halted = await world.done({ cancel: [intent] });
    expect(halted.cancelled).toMatchObject([{ outcome: "gone", intent: { status: "cancelled" } }]);
  });

  test("parking is withheld by a state that forbids the order", async () => {
    const world = await openWorld();
    world.hands.state = "reducing";
    const report = await world.done({ park: [world.order()] });
    expect(report.dispatched).toMatchObject([{ outcome: "withheld", reason: "TRADING_STATE" }]);
    expect(await world.rows()).toEqual([]);
  });
});

describe("the lease:", () => {
  test("less than five seconds of it withhold an order before anything is written", async () => {
    const world = await openWorld();
    world.hands.leaseMs = 4999;
    const result = await world.place();
    expect(result).toMatchObject({ outcome: "withheld", reason: "LEASE_SHORT", intent: null });
    world.hands.leaseMs = 5000;
    expect(await world.place()).toMatchObject({ outcome: "open" });
  });

  test("a lease that runs down after the commit stops the order before the wire", async () => {
    const world = await openWorldWith(({ hands }) => {
      hands.leaseMs = 4999;
    });
    const result = await world.place();
    expect(result).toMatchObject({ outcome: "withheld", reason: "LEASE_SHORT" });
    expect(await world.rows()).toMatchObject([{ status: "refused" }]);
    expect(atVenue(world)).toEqual([]);
  });

  test("a lease that ends while the write waits for its turn stops it", async () => {
    const world: World = await openWorld({
      around: (broker) => ({
        place: async (order, options) => {
          world.hands.leaseMs = 0;
          await world.clock.advance(300);
          return broker.place(order, options);
        },
      }),
    });
    expect(await world.place()).toMatchObject({ outcome: "refused" });
    expect(atVenue(world)).toEqual([]);
  });

  test("cancels need it too", async () => {
    const world = await openWorld();
    const { intent } = await world.place();
    if (!intent) throw new Error("nothing was written");
    world.hands.leaseMs = 4999;
    const report = await world.done({ cancel: [intent] });
    expect(report.cancelled).toMatchObject([{ outcome: "withheld" }]);
    expect(atVenue(world)).toMatchObject([{ status: "NEW" }]);
  });
});

describe("doubts:", () => {
  test("entries and rungs of the symbol wait, everything else goes on", async () => {
    const world = await openWorld();
    await world.lab.fault("accept_then_drop", { times: 1 });
    expect(await world.place({ key: "tp", purpose: "take_profit" })).toMatchObject({
      outcome: "unverified",
    });
    for (const purpose of ["entry", "rung"] as const) {
      const held = await world.place({ purpose, key: purpose });
      expect(held).toMatchObject({ reason: "UNVERIFIED_PENDING", intent: null });
    }
    const stop = await world.place({ purpose: "protective_stop", key: "stop" });
    expect(stop).toMatchObject({ outcome: "open" });
    await world.settle();
    expect(await world.place()).toMatchObject({ outcome: "open" });
  });

  test("an order in doubt stops the rungs that were committed behind it", async () => {
    const world = await openWorld();
    await world.lab.fault("accept_then_drop", { times: 1 });
    const rungs = [1, 2, 3].map((n) =>
      world.order({ key: `dca:${n}`, purpose: "rung", priceTicks: 190 - n }),
    );
    const { dispatched } = await world.done({ place: rungs });
    expect(dispatched).toMatchObject([
      { outcome: "unverified" },
      { outcome: "withheld", reason: "UNVERIFIED_PENDING", intent: { status: "refused" } },
      { outcome: "withheld", reason: "UNVERIFIED_PENDING", intent: { status: "refused" } },
    ]);
    expect(atVenue(world)).toHaveLength(1);
  });
});

describe("rules:", () => {
  test("an order that breaks a filter is withheld with the sentence", async () => {
    const world = await openWorld();
    const result = await world.place({ qtyLots: 200_000 });
    expect(result).toMatchObject({ outcome: "withheld", reason: "RULES", intent: null });
    expect(result).toMatchObject({ sentence: expect.stringContaining("qty: 2000 must be") });
    expect(await world.rows()).toEqual([]);
  });

  test("a reduce-only order is sent with what is held, at most", async () => {
    const world = await openWorld();
    await world.place({ kind: "market", priceTicks: 0, qtyLots: 2 });
    const close = { key: "exit", purpose: "exit", side: "sell", isReduceOnly: true } as const;
    await world.place({ ...close, priceTicks: 210 }, { heldQty: qty("0.02") });
    expect(atVenue(world).at(-1)).toMatchObject({ lots: 2, reduceOnly: true });
    const unknown = await world.place(close, { heldQty: null });
    expect(unknown).toMatchObject({ outcome: "withheld", reason: "RULES" });
  });

  test("a parked reduce-only order above what is held now is not sent", async () => {
    const world = await openWorld();
    const target = { key: "tp", purpose: "take_profit", side: "sell", isReduceOnly: true } as const;
    const order = world.order({ ...target, priceTicks: 210, qtyLots: 4 }, { heldQty: qty("0.04") });
    const [parked] = (await world.done({ park: [order] })).dispatched;
    if (!parked?.intent) throw new Error("it was not parked");
    const now = { ...order, heldQty: qty("0.03") };
    const report = await world.done({ send: [{ intent: parked.intent, order: now }] });
    expect(report.dispatched).toMatchObject([{ outcome: "withheld", reason: "RULES" }]);
    expect(await world.rows()).toMatchObject([{ status: "parked" }]);
    expect(atVenue(world)).toEqual([]);
  });
});

describe("cancels:", () => {
  async function replaced(world: World) {
    const { intent } = await world.place();
    if (!intent) throw new Error("nothing was written");
    const place = [world.order({ priceTicks: 196 }), world.order({ key: "other" })];
    return world.done({ cancel: [intent], place });
  }

  test("the successor of an order that is proven gone is placed", async () => {
    const world = await openWorld();
    const report = await replaced(world);
    expect(report.cancelled).toMatchObject([{ outcome: "gone" }]);
    expect(report.dispatched.map(({ outcome }) => outcome)).toEqual(["open", "open"]);
    expect(world.kinds()).toContain("order_cancelled");
  });

  test("an order that may still rest has no successor; other slots go on", async () => {
    const world = await openWorld();
    await world.lab.fault("cancel_delay", { params: { ms: 60_000 } });
    const report = await replaced(world);
    expect(report.cancelled).toMatchObject([{ outcome: "asked", intent: { status: "open" } }]);
    expect(report.dispatched).toMatchObject([
      { targetKey: "other", outcome: "open" },
      { targetKey: "entry", outcome: "withheld", reason: "CANCEL_PENDING", intent: null },
    ]);
    expect(atVenue(world)).toHaveLength(2);
    expect(world.clock.monotonicMs()).toBe(2050);
  });

  test("a cancel that takes a moment is proven at a later look", async () => {
    const world = await openWorld();
    await world.lab.fault("cancel_delay", { params: { ms: 500 } });
    const report = await replaced(world);
    expect(report.cancelled).toMatchObject([{ outcome: "gone" }]);
    expect(report.dispatched.map(({ outcome }) => outcome)).toEqual(["open", "open"]);
  });

  test("a cancel that revealed a fill has no successor", async () => {
    const world = await openWorld();
    await world.lab.fault("fill_during_cancel", { params: { ms: 100, share: 0.5 } });
    const report = await replaced(world);
    expect(report.cancelled).toMatchObject([
      { outcome: "gone", intent: { status: "cancelled", reportedFilledQty: "0.5" } },
    ]);
    const entry = report.dispatched.find(({ targetKey }) => targetKey === "entry");
    expect(entry).toMatchObject({ outcome: "withheld", reason: "CANCEL_PENDING" });
  });

  test("a cancel that lost the race asks, and the executed order has no successor", async () => {
    const world = await openWorld();
    const { intent } = await world.place();
    if (!intent) throw new Error("nothing was written");
    await world.lab.price("98");
    expect(atVenue(world)).toMatchObject([{ status: "FILLED" }]);
    const report = await world.done({ cancel: [intent], place: [world.order()] });
    expect(report.cancelled).toMatchObject([{ outcome: "gone", intent: { status: "filled" } }]);
    expect(report.dispatched).toMatchObject([{ outcome: "withheld", reason: "CANCEL_PENDING" }]);
    expect(atVenue(world)).toHaveLength(1);
  });

  test("a cancel whose answer is lost is found out about by asking", async () => {
    const world = await openWorld();
    const match = { endpoint: "DELETE trade/order" };
    await world.lab.fault("accept_then_drop", { times: 1, match });
    const report = await replaced(world);
    expect(report.cancelled).toMatchObject([{ outcome: "gone" }]);
  });

  test("a cancel that fails by itself is found out about by asking", async () => {
    const world: World = await openWorld({
      around: (broker) => ({
        cancel: async (ref, options) => {
          await broker.cancel(ref, options);
          throw new TypeError("a slip");
        },
      }),
    });
    expect((await replaced(world)).cancelled).toMatchObject([{ outcome: "gone" }]);
  });

  test("a cancel that never left is not looked at, and its slot stays closed", async () => {
    const world = await openWorld();
    const { intent } = await world.place();
    if (!intent) throw new Error("nothing was written");
    await world.lab.fault("rate_429", { times: 1 });
    const report = await world.done({ cancel: [intent], place: [world.order()] });
    expect(report.cancelled).toMatchObject([{ outcome: "asked" }]);
    expect(report.dispatched).toMatchObject([{ reason: "CANCEL_PENDING" }]);
    expect(world.clock.monotonicMs()).toBe(0);
  });

  test("trigger orders are cancelled as such", async () => {
    const world = await openWorld();
    const stop = { key: "stop", purpose: "protective_stop", kind: "stop_market" } as const;
    const placed = await world.place({ ...stop, side: "sell", priceTicks: 180 });
    if (!placed.intent) throw new Error("nothing was written");
    const report = await world.done({ cancel: [placed.intent] });
    expect(report.cancelled).toMatchObject([{ outcome: "gone", intent: { status: "cancelled" } }]);
    const [algo] = world.lab.account.algos.values();
    expect(algo).toMatchObject({ status: "CANCELLED" });
  });

  test("what has ended already needs no cancel", async () => {
    const world = await openWorld();
    const { intent } = await world.place();
    if (!intent) throw new Error("nothing was written");
    const [first] = (await world.done({ cancel: [intent] })).cancelled;
    if (!first) throw new Error("nothing was cancelled");
    const again = await world.done({ cancel: [first.intent] });
    expect(again.cancelled).toMatchObject([{ outcome: "gone" }]);
    expect(world.clock.monotonicMs()).toBe(150);
  });
});

test("before the rows were read once, every symbol is in doubt", async () => {
  const world = await openWorld();
  const ingest = {
    trades: () => Promise.reject(),
    tradesOf: () => Promise.reject(),
    funding: () => Promise.reject(),
  };
  const fresh = createUnverifiedResolver({ ...world.live, ingest, inFlight: () => new Set() });
  expect(fresh.isInDoubt(SYMBOL)).toBe(true);
  await fresh.settle(new AbortController().signal);
  expect(fresh.isInDoubt(SYMBOL)).toBe(false);
});
