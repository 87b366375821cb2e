// When a person hears of an execution that was not booked: never in the normal course, where an order is known to be
// filled a moment before its trade record is read, and once when the record stays away. Real exchange over loopback.
import { afterEach, expect, test } from "bun:test";
import { limit, startReconcileLab } from "../../support/reconcile-lab.ts";
import { stopLabs } from "../../venue/lab.ts";

afterEach(stopLabs);

const missed = (kinds: readonly string[]) => kinds.filter((kind) => kind === "missed_fill");

test("an order that was filled since the last look is booked by the next one without a word", async () => {
  const lab = await startReconcileLab();
  const market = await lab.send();
  const resting = await lab.send({ terms: limit("1"), qty: "2" });
  await lab.settle();
  expect((await lab.find(market)).status).toBe("filled");
  expect((await lab.find(resting)).status).toBe("open");
  expect(missed(lab.kinds())).toEqual([]);
  expect(await lab.differences()).toEqual([]);
});

test("an execution whose record the exchange keeps back is told of once, and booked when it comes", async () => {
  let isKeptBack = true;
  const lab = await startReconcileLab({
    broker: (real) => ({
      ...real,
      tradesSince: async (...call) => (isKeptBack ? [] : await real.tradesSince(...call)),
    }),
  });
  const { id, clientOrderId } = await lab.send({ bot: 3 });
  const passFor = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 5) {
      await lab.pass();
      await lab.lab.step(5000);
    }
  };
  await passFor(30);
  expect(missed(lab.kinds())).toEqual([]);
  await passFor(60);
  expect(missed(lab.kinds())).toHaveLength(1);
  const [told] = lab.events.filter(({ kind }) => kind === "missed_fill");
  expect(told).toMatchObject({ botId: 3, fields: { clientOrderId, qty: "1" } });
  expect(told?.sentence).toContain("the exchange says that 1 more was executed");
  isKeptBack = false;
  await lab.settle();
  const [booked] = await lab.store.orders(lab.scope, lab.accountId, [id]);
  expect(booked?.fills).toHaveLength(1);
  expect(missed(lab.kinds())).toHaveLength(1);
  expect(await lab.differences()).toEqual([]);
});
