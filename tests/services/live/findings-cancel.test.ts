// Cancelling an order nobody here placed, through the door: looked at first, asked for once, gone only when the
// exchange says so, and nothing at all while trading is frozen or the lease is short.
import { afterEach, expect, test } from "bun:test";
import type { Broker, OrderRef } from "../../../src/ports/broker.ts";
import {
  type AccountDispatcher,
  createOrderDispatcher,
} from "../../../src/services/live/order-dispatcher.ts";
import { stopLabs } from "../../venue/lab.ts";
import { openWorld, SYMBOL, type World } from "./dispatch-world.ts";

afterEach(stopLabs);

type Door = {
  readonly world: World;
  readonly door: AccountDispatcher;
  readonly ref: OrderRef;
  /** The stranger's order at the exchange. */
  status(): Promise<string>;
  /** Cancels that left. */
  asked(): number;
};

/** A door, and an order of a stranger that rests. */
async function openDoor(around: (broker: Broker) => Partial<Broker> = () => ({})): Promise<Door> {
  let cancels = 0;
  const world = await openWorld({
    around: (broker) => {
      const changed = { ...broker, ...around(broker) };
      const cancel: Broker["cancel"] = (ref, options) => {
        cancels += 1;
        return changed.cancel(ref, options);
      };
      return { ...changed, cancel };
    },
  });
  const { live, resolver, lab } = world;
  const id = await lab.place({ price: "95" });
  return {
    world,
    door: createOrderDispatcher({ ...live, resolver }),
    ref: { symbol: SYMBOL, by: "exchange", id, isTrigger: false },
    status: () => lab.status(id),
    asked: () => cancels,
  };
}

test("it is asked for once and proven gone", async () => {
  const { door, ref, status, asked } = await openDoor();
  expect(await door.cancelStranger(ref)).toMatchObject({
    ...{ outcome: "gone", order: { status: "cancelled", exchangeOrderId: ref.id } },
  });
  expect([await status(), asked()]).toEqual(["CANCELLED", 1]);
});

test("an order that is over is not asked for", async () => {
  const { world, door, ref, asked } = await openDoor();
  await world.lab.price("90");
  expect(await door.cancelStranger(ref)).toMatchObject({
    ...{ outcome: "gone", order: { status: "filled" } },
  });
  expect(asked()).toBe(0);
});

test("a lost answer is looked after: what was carried out is gone", async () => {
  const { world, door, ref, status, asked } = await openDoor();
  await world.lab.fault("accept_then_drop", {
    times: 1,
    match: { endpoint: "DELETE trade/order" },
  });
  expect(await door.cancelStranger(ref)).toMatchObject({ outcome: "gone" });
  expect([await status(), asked()]).toEqual(["CANCELLED", 1]);
});

test("a lost wish is not repeated by itself, and a second decision is carried out", async () => {
  const { world, door, ref, status, asked } = await openDoor();
  await world.lab.fault("reject_then_drop", {
    times: 1,
    match: { endpoint: "DELETE trade/order" },
  });
  expect(await door.cancelStranger(ref)).toEqual({
    ...{ outcome: "asked", sentence: "the exchange was asked and does not show it gone yet" },
  });
  expect([await status(), asked()]).toEqual(["NEW", 1]);
  expect(await door.cancelStranger(ref)).toMatchObject({ outcome: "gone" });
  expect([await status(), asked()]).toEqual(["CANCELLED", 2]);
});

test("a call that fails without an answer is looked after", async () => {
  const { door, ref, asked } = await openDoor((broker) => ({
    cancel: async (wanted, options) => {
      await broker.cancel(wanted, options);
      throw new Error("the wire broke");
    },
  }));
  expect(await door.cancelStranger(ref)).toMatchObject({ outcome: "gone" });
  expect(asked()).toBe(1);
});

test("an order nobody can see is left alone", async () => {
  const { door, ref, status, asked } = await openDoor((_broker) => ({
    order: () => Promise.reject(new Error("no answer")),
  }));
  expect(await door.cancelStranger(ref)).toMatchObject({ outcome: "withheld" });
  expect([await status(), asked()]).toEqual(["NEW", 0]);
  const unknown = await openDoor();
  expect(await unknown.door.cancelStranger({ ...unknown.ref, id: "999" })).toMatchObject({
    outcome: "withheld",
  });
  expect(unknown.asked()).toBe(0);
});

test("a refusal is told, and the order stays", async () => {
  const { door, ref, status } = await openDoor(() => ({
    cancel: () =>
      Promise.resolve({
        ...{ outcome: "refused", reason: "MAINTENANCE", advice: "pause", retryAfterMs: null },
        sentence: "the exchange is in maintenance",
      } as const),
  }));
  expect(await door.cancelStranger(ref)).toEqual({
    ...{ outcome: "withheld", sentence: "the exchange is in maintenance" },
  });
  expect(await status()).toBe("NEW");
});

test("nothing leaves while trading is frozen, the lease is short, or the account is let go", async () => {
  const { world, door, ref, status, asked } = await openDoor();
  world.hands.state = "frozen";
  expect(await door.cancelStranger(ref)).toEqual({
    ...{ outcome: "withheld", sentence: "trading is frozen: a test" },
  });
  world.hands.state = "halted";
  world.hands.leaseMs = 4000;
  expect(await door.cancelStranger(ref)).toEqual({
    ...{ outcome: "withheld", sentence: "the lease of the account ends too soon" },
  });
  world.hands.leaseMs = 30_000;
  expect([await status(), asked()]).toEqual(["NEW", 0]);
  await door.stop();
  expect(await door.cancelStranger(ref)).toMatchObject({ outcome: "withheld" });
  expect([await status(), asked()]).toEqual(["NEW", 0]);
});

test("what is frozen while the wish waits for its turn does not leave", async () => {
  const { world, door, ref, status } = await openDoor((broker) => ({
    cancel: (wanted, options) => {
      world.hands.state = "frozen";
      return options.mayLeave?.() === false
        ? Promise.resolve({
            ...{ outcome: "refused", reason: "BUSY", advice: "decide_again", retryAfterMs: null },
            sentence: "it did not leave",
          } as const)
        : broker.cancel(wanted, options);
    },
  }));
  expect(await door.cancelStranger(ref)).toEqual({
    ...{ outcome: "withheld", sentence: "it did not leave" },
  });
  expect(await status()).toBe("NEW");
});

test("it takes its turn among the batches of the account", async () => {
  const { world, door, ref } = await openDoor();
  const order: string[] = [];
  const batch = { cancel: [], park: [], send: [], step: null, isFlatten: false };
  await Promise.all([
    door.dispatch({ ...batch, place: [world.order()] }).then(() => order.push("placed")),
    door.cancelStranger(ref).then(({ outcome }) => order.push(outcome)),
    door.dispatch({ ...batch, place: [], isFlatten: true }).then(() => order.push("flattened")),
  ]);
  expect(order).toEqual(["placed", "flattened", "gone"]);
});
