// What a pass may and may not conclude: failed reads, bounded questions, blocks at once, doubts, restarts.
// The exchange is the real simulated one; reads fail because the test lets them.
import { afterEach, describe, expect, test } from "bun:test";
import type { Broker } from "../../../src/ports/broker.ts";
import {
  limit,
  type ReconcileLab,
  startReconcileLab,
  SYMBOL,
} from "../../support/reconcile-lab.ts";
import { stopLabs } from "../../venue/lab.ts";

afterEach(stopLabs);

type Read = "order" | "openOrders" | "positions" | "tradesSince" | "balances";

/** What a read throws when the exchange does not answer. */
const fault = (message: string) => Object.assign(new Error(message), { name: "BrokerError" });

/** A lab whose reads fail by name and are counted. */
async function labWithReads(): Promise<{
  lab: ReconcileLab;
  failing: Set<Read>;
  asked: Read[];
}> {
  const failing = new Set<Read>();
  const asked: Read[] = [];
  const watch = <Call extends (...args: never[]) => unknown>(name: Read, call: Call): Call =>
    ((...args: Parameters<Call>) => {
      asked.push(name);
      return failing.has(name) ? Promise.reject(fault(`${name} failed`)) : call(...args);
    }) as Call;
  const broker = (real: Broker): Broker => ({
    ...real,
    order: watch("order", real.order),
    openOrders: watch("openOrders", real.openOrders),
    positions: watch("positions", real.positions),
    tradesSince: watch("tradesSince", real.tradesSince),
    balances: watch("balances", real.balances),
  });
  return { lab: await startReconcileLab({ broker }), failing, asked };
}

const block = (lab: ReconcileLab) => lab.reconciler().blocks().get(SYMBOL) ?? null;

describe("a read that failed", () => {
  test("of orders ends none of them and leaves the pass incomplete", async () => {
    const { lab, failing } = await labWithReads();
    const order = await lab.send({ terms: limit("95") });
    await lab.lab.step(1000);
    await lab.cancel(order);
    failing.add("openOrders");
    const report = await lab.pass();
    expect(report).toMatchObject({ isComplete: false, writes: 0 });
    expect(report.failures).toEqual(["open orders: openOrders failed"]);
    expect((await lab.find(order)).status).toBe("open");
    expect(lab.reconciler().isClean()).toBe(false);
    failing.clear();
    await lab.pass();
    expect((await lab.find(order)).status).toBe("cancelled");
    expect(lab.reconciler().isClean()).toBe(true);
  });

  test("of positions shows no difference and blocks nothing", async () => {
    const { lab, failing } = await labWithReads();
    await lab.send();
    await lab.settle();
    failing.add("positions");
    for (let look = 0; look < 3; look++) {
      expect(await lab.pass()).toMatchObject({ isComplete: false, findings: [] });
    }
    expect(block(lab)).toBeNull();
  });

  test("of positions keeps a difference that was there", async () => {
    const { lab, failing } = await labWithReads();
    await lab.lab.fault("manual_trade", { params: { side: "BUY", quantity: "0.5" } });
    await lab.settle();
    const before = block(lab);
    expect(before).not.toBeNull();
    failing.add("positions");
    await lab.pass();
    expect(block(lab)).toBe(before);
  });

  test("of one order leaves it working, and the others are settled", async () => {
    const { lab, failing, asked } = await labWithReads();
    const order = await lab.send({ terms: limit("95") });
    await lab.lab.step(1000);
    await lab.cancel(order);
    failing.add("order");
    for (let look = 0; look < 5; look++) {
      const report = await lab.pass();
      expect(report.failures).toEqual([`order ${order.clientOrderId}: order failed`]);
      await lab.lab.step(60_000);
    }
    expect((await lab.find(order)).status).toBe("open");
    expect(asked.filter((name) => name === "order")).toHaveLength(5);
    expect(lab.reconciler().isClean()).toBe(false);
  });

  test("of trades is asked again until every fill is booked; entries wait meanwhile", async () => {
    const { lab, failing } = await labWithReads();
    const order = await lab.send({ terms: limit("95") });
    await lab.lab.step(1000);
    await lab.lab.price("94");
    failing.add("tradesSince");
    for (let look = 0; look < 2; look++) {
      const report = await lab.pass();
      expect(report.isComplete).toBe(false);
      expect(report.failures).toContain(`trades of ${SYMBOL}: tradesSince failed`);
    }
    expect(await lab.find(order)).toMatchObject({ status: "filled", filledQty: "0" });
    expect(block(lab)).not.toBeNull();
    failing.clear();
    await lab.settle();
    expect(await lab.find(order)).toMatchObject({ status: "filled", filledQty: "1" });
    expect(await lab.differences()).toEqual([]);
    expect(block(lab)).toBeNull();
  });

  test("of trades blocks entries also while positions are not known", async () => {
    const { lab, failing } = await labWithReads();
    const order = await lab.send({ terms: limit("95") });
    await lab.lab.step(1000);
    await lab.lab.price("94");
    failing.add("tradesSince").add("positions");
    await lab.pass();
    await lab.pass();
    expect(block(lab)).toBe(`the trade records of order ${order.clientOrderId} are not complete`);
  });

  test("is an event when it begins, and again only after a pass that was complete", async () => {
    const { lab, failing } = await labWithReads();
    failing.add("openOrders").add("positions");
    await lab.pass();
    await lab.pass();
    const sentence = "open orders: openOrders failed; positions: positions failed";
    expect(lab.events).toMatchObject([{ kind: "reconcile_failed", sentence }]);
    failing.clear();
    await lab.pass();
    failing.add("positions");
    await lab.pass();
    expect(lab.kinds()).toEqual(["reconcile_failed", "reconcile_failed"]);
  });

  test("of balances is told and concludes nothing", async () => {
    const { lab, failing } = await labWithReads();
    failing.add("balances");
    const report = await lab.pass();
    expect(report).toMatchObject({ isComplete: false, failures: ["balances: balances failed"] });
  });

  test("is thrown when the pass was called off", async () => {
    const { lab } = await labWithReads();
    const stopped = AbortSignal.abort(new Error("stopping"));
    await expect(lab.reconciler().pass(stopped)).rejects.toThrow("stopping");
  });
});

describe("questions", () => {
  test("are at most twenty in a pass, and everybody's turn comes", async () => {
    const { lab, asked } = await labWithReads();
    const orders = [];
    for (let n = 0; n < 45; n++) {
      orders.push(await lab.send({ terms: limit(`${75 + n / 2}`), qty: "0.1" }));
    }
    await lab.lab.step(1000);
    for (const order of orders) await lab.cancel(order);
    for (const [left, isComplete] of [
      [25, false],
      [5, false],
      [0, true],
    ] as const) {
      asked.length = 0;
      expect((await lab.pass()).isComplete).toBe(isComplete);
      expect(asked.filter((name) => name === "order").length).toBeLessThanOrEqual(20);
      const alive = await lab.store.aliveIntents(lab.scope, lab.accountId);
      expect(alive).toHaveLength(left);
    }
  });

  test("go to those who waited longest when answers bring nothing new", async () => {
    const { lab, failing, asked } = await labWithReads();
    const orders = [];
    for (let n = 0; n < 30; n++) {
      orders.push(await lab.send({ terms: limit(`${75 + n / 2}`), qty: "0.1" }));
    }
    await lab.lab.step(1000);
    for (const order of orders) await lab.cancel(order);
    failing.add("order");
    const failures = [...(await lab.pass()).failures, ...(await lab.pass()).failures];
    expect(failures).toHaveLength(40);
    expect(new Set(failures).size).toBe(30);
    failing.clear();
    asked.length = 0;
    await lab.pass();
    await lab.pass();
    expect(await lab.store.aliveIntents(lab.scope, lab.accountId)).toHaveLength(0);
    expect(asked.filter((name) => name === "order")).toHaveLength(30);
  });

  test("about an order are asked although our clock went back after it was sent", async () => {
    const { lab } = await labWithReads();
    const order = await lab.send({ terms: limit("95") });
    await lab.pass();
    await lab.cancel(order);
    // The instant of the look is the one of sending: only having been seen before tells.
    expect(lab.deps.clock.now()).toBe(order.sentAt ?? 0);
    await lab.pass();
    expect((await lab.find(order)).status).toBe("cancelled");
  });
});

describe("a difference", () => {
  test("blocks entries in the pass that sees it and is told at the next one", async () => {
    const { lab, failing } = await labWithReads();
    await lab.lab.fault("manual_trade", { params: { side: "BUY", quantity: "0.5" } });
    failing.add("tradesSince");
    await lab.pass();
    expect(block(lab)).toMatch(/the exchange and we do not agree/);
    const told = () => lab.kinds().filter((kind) => kind !== "reconcile_failed");
    expect(told()).toEqual([]);
    await lab.pass();
    expect(told()).toEqual(["position_drift"]);
    await lab.pass();
    expect(told()).toEqual(["position_drift"]);
    expect(lab.events[1]).toMatchObject({
      botId: null,
      sentence: `${SYMBOL}: the exchange holds 0.5, we hold 0; affected: nobody`,
      fields: { between: "exchange", ours: "0", theirs: "0.5" },
    });
  });

  test("names the one bot it concerns", async () => {
    const { lab } = await labWithReads();
    await lab.send({ bot: 4 });
    await lab.settle();
    await lab.lab.fault("manual_trade", { params: { side: "SELL", quantity: "0.4" } });
    await lab.settle();
    const drifts = lab.events.filter(({ kind }) => kind === "position_drift");
    expect(drifts).toMatchObject([
      { botId: 4, sentence: expect.stringContaining("placed by hand") },
      { botId: 4, fields: { between: "owners", ours: "1", theirs: "0.6", affected: "bot:4" } },
    ]);
  });

  test("that old trade records explain is never shown", async () => {
    const { lab } = await labWithReads();
    await lab.lab.fault("manual_trade", { params: { side: "BUY", quantity: "0.5" } });
    await lab.lab.step(40 * 60_000);
    lab.restart();
    await lab.pass();
    await lab.pass();
    const between = lab.events.map(({ fields }) => fields.between);
    expect(between).not.toContain("exchange");
    expect(await lab.differences()).toEqual([]);
  });

  test("of a symbol with an order in doubt waits for the resolver", async () => {
    const { lab } = await labWithReads();
    lab.doubts.add(SYMBOL);
    await lab.lab.fault("manual_trade", { params: { side: "BUY", quantity: "0.5" } });
    for (let look = 0; look < 3; look++) await lab.pass();
    expect(lab.events).toEqual([]);
    lab.doubts.clear();
    await lab.settle();
    expect(lab.kinds()).toEqual(["position_drift"]);
  });

  test("that an order in doubt made is neither a liquidation nor another instance", async () => {
    const { lab, failing } = await labWithReads();
    await lab.send();
    await lab.settle();
    lab.doubts.add(SYMBOL);
    const close = { side: "sell", isReduceOnly: true, isAnswerLost: true } as const;
    const lost = await lab.send(close);
    for (let look = 0; look < 3; look++) await lab.pass();
    await lab.ingest.trades(SYMBOL, null, new AbortController().signal);
    for (let look = 0; look < 3; look++) await lab.pass();
    expect(lab.kinds()).toEqual([]);
    // The row says that it is in flight: nothing is concluded until somebody settles it.
    lab.doubts.clear();
    failing.add("order");
    for (let look = 0; look < 3; look++) await lab.pass();
    expect(lab.kinds()).toEqual([]);
    const { clock, lease } = lab.deps;
    const news = { event: "unverified" } as const;
    await lab.store.recordNews(lab.scope, lease.guard, lost.id, news, clock.now());
    for (let look = 0; look < 3; look++) await lab.pass();
    expect(lab.kinds()).toEqual([]);
  });

  for (const parts of [[], [0.4]]) {
    test(`that a given-up order made finds its owner (${parts.length === 0 ? "all" : "part"})`, async () => {
      const { lab } = await labWithReads();
      if (parts.length > 0) await lab.lab.fault("partial_fill", { params: { parts } });
      const lost = await lab.send({ bot: 5, isAnswerLost: true });
      const { clock, lease } = lab.deps;
      for (const event of ["unverified", "not_found"] as const) {
        await lab.store.recordNews(lab.scope, lease.guard, lost.id, { event }, clock.now());
      }
      await lab.settle();
      expect(await lab.differences()).toEqual([]);
      expect(block(lab)).toBeNull();
      expect(lab.kinds()).toEqual([]);
      expect((await lab.find(lost)).status).toBe(parts.length === 0 ? "filled" : "cancelled");
    });
  }

  test("that is left at a restart is told again", async () => {
    const { lab } = await labWithReads();
    await lab.lab.fault("manual_trade", { params: { side: "BUY", quantity: "0.5" } });
    await lab.settle();
    lab.restart();
    await lab.settle();
    expect(lab.kinds()).toEqual(["position_drift", "position_drift"]);
  });
});

describe("another instance", () => {
  test("blocks every market within the pass that sees its order", async () => {
    const { lab } = await labWithReads();
    await lab.lab.place({ price: "90", clientOrderId: "1900000000800030001" });
    await lab.pass();
    expect([...lab.reconciler().blocks().keys()]).toEqual([SYMBOL]);
    expect(lab.events).toMatchObject([
      { kind: "second_instance", fields: { instance: 8, clientOrderId: "1900000000800030001" } },
    ]);
  });

  test("with our own digits is another one too: the order is not in our rows", async () => {
    const { lab } = await labWithReads();
    await lab.lab.place({ price: "90", clientOrderId: "1900000000700030001" });
    await lab.pass();
    expect(lab.events).toMatchObject([{ kind: "second_instance", fields: { instance: 7 } }]);
  });
});

describe("a pass", () => {
  test("asks for nothing but the two lists while both sides agree", async () => {
    const { lab, asked } = await labWithReads();
    await lab.send();
    await lab.send({ terms: limit("95") });
    await lab.settle();
    asked.length = 0;
    await lab.pass();
    expect(asked).toEqual(["openOrders", "positions"]);
  });

  test("waits for the one before it", async () => {
    const { lab } = await labWithReads();
    await lab.send({ terms: limit("95"), isAnswerLost: true });
    const reports = await Promise.all([lab.pass(), lab.pass(), lab.pass()]);
    expect(reports.map(({ writes }) => writes)).toEqual([1, 0, 0]);
  });

  test("that threw is made again from what was remembered before", async () => {
    const { lab } = await labWithReads();
    await lab.lab.fault("manual_trade", { params: { side: "BUY", quantity: "0.5" } });
    await lab.pass();
    const blocks = lab.reconciler().blocks();
    await lab.lab.fault("manual_trade", { params: { side: "BUY", quantity: "0.5" } });
    await lab.store.takeLease(lab.scope, lab.accountId, "somebody", 60_000, true);
    await expect(lab.pass()).rejects.toThrow("the lease is lost");
    expect(lab.reconciler().blocks()).toBe(blocks);
    expect(lab.kinds()).toEqual([]);
  });
});
