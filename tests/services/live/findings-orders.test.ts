// A stranger's order that was executed in part, and what is refused: its parts are never given to different owners, and
// nothing is closed or cancelled while trading is frozen.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { FindingView } from "../../../src/model/live-figures.ts";
import { startReconcileLab } from "../../support/reconcile-lab.ts";
import { stopLabs } from "../../venue/lab.ts";
import {
  type CrashCase,
  type CrashWorker,
  type CrashWorld,
  openCrashWorld,
} from "./findings-crash-world.ts";

let world: CrashWorld;
beforeAll(async () => {
  world = await openCrashWorld();
});
afterAll(async () => {
  await stopLabs();
  await world.close();
});

/** A person decides, the worker ticks. @returns what came of it */
async function decide(
  one: CrashCase,
  worker: CrashWorker,
  kind: FindingView["kind"],
  choice: FindingView["choices"][number],
) {
  const finding = worker.found().find((each) => each.kind === kind);
  if (finding === undefined) throw new Error(`no ${kind} is found`);
  const command = await one.ask({ kind: "settle_finding", findingKey: finding.key, choice });
  await worker.tick();
  return await one.told(command);
}

const kinds = (worker: CrashWorker) => worker.found().map(({ kind }) => kind);

test("a part that was executed is taken over with its order, not without it", async () => {
  const one = await world.account();
  const worker = await one.worker();
  const orderId = await one.stranger({ type: "LIMIT", price: "95" });
  one.executes(orderId, "0.2");
  await worker.until("both are found", () => {
    return worker.found().some(({ sentence }) => sentence.includes("owners do not agree"));
  });
  expect(kinds(worker)).toEqual(["stranger_order", "position_drift"]);
  expect(worker.found()[0]?.sentence).toContain("(buy 0.5 at 95, 0.2 of it executed)");
  expect(await decide(one, worker, "position_drift", "adopt")).toMatchObject({
    isRefused: true,
    outcome: `It was not taken over: order ${orderId} still works: take it over or cancel it first.`,
  });
  expect(await one.held()).toEqual({ account: "0.2", foreign: "0.2" });
  expect(await decide(one, worker, "stranger_order", "adopt")).toMatchObject({ isRefused: false });
  await worker.until("it is known", () => !kinds(worker).includes("position_drift"));
  expect(await one.held()).toEqual({ account: "0.2", "group:0": "0.2" });
  expect(kinds(worker)).toEqual(["known_position", "known_order"]);
  // The order that still works does not keep what is held from being closed.
  expect(await decide(one, worker, "known_position", "flatten")).toMatchObject({
    isRefused: false,
  });
  expect([await one.held(), one.sold()]).toEqual([{}, 20]);
  one.executes(orderId, "0.3");
  await worker.until("the rest is a person's", async () => (await one.held())["group:0"] === "0.3");
  await worker.until("the order is over", () => !kinds(worker).includes("known_order"));
  expect(kinds(worker)).toEqual(["known_position"]);
});

test("what was executed before a cancel stays a difference", async () => {
  const one = await world.account();
  const worker = await one.worker();
  const orderId = await one.stranger({ type: "LIMIT", price: "95" });
  one.executes(orderId, "0.2");
  await worker.until("both are found", () => kinds(worker).length === 2);
  expect((await decide(one, worker, "stranger_order", "cancel"))?.outcome).toContain(
    `Order ${orderId} of PERP_BTC_USDT, placed by nobody here, is cancelled. 0.2 of it`,
  );
  await worker.until("the order is gone", () => !kinds(worker).includes("stranger_order"));
  expect(kinds(worker)).toEqual(["position_drift"]);
  expect(await decide(one, worker, "position_drift", "adopt")).toMatchObject({ isRefused: false });
  expect(await one.held()).toEqual({ account: "0.2", "group:0": "0.2" });
});

test("nothing is closed or cancelled while trading is frozen", async () => {
  const one = await world.account();
  const worker = await one.worker();
  await one.stranger({ type: "MARKET" });
  await worker.until("it is found", () => {
    return worker.found().some(({ choices }) => choices.includes("flatten"));
  });
  worker.freeze();
  expect(await decide(one, worker, "position_drift", "flatten")).toMatchObject({
    ...{ isRefused: true, outcome: "Nothing was sent: trading is frozen: a test." },
  });
  expect([await one.held(), one.sold()]).toEqual([{ account: "0.5", foreign: "0.5" }, 0]);
  const orderId = await one.stranger({ type: "LIMIT", price: "95" });
  await worker.until("the order is found", () => kinds(worker).includes("stranger_order"));
  expect(await decide(one, worker, "stranger_order", "cancel")).toMatchObject({ isRefused: true });
  expect(one.account.orders.get(Number(orderId))?.status).toBe("NEW");
});

test("a stranger's trade whose record comes late is found as what it is", async () => {
  let asked = 0;
  const lab = await startReconcileLab({
    broker: (broker) => ({
      ...broker,
      // The position is told at once, the record by the sixth answer only.
      tradesSince: async (query, options) => {
        const records = await broker.tradesSince(query, options);
        asked += 1;
        return asked > 5 ? records : [];
      },
    }),
  });
  await lab.pass();
  await lab.lab.place({ type: "MARKET", quantity: "0.5" });
  for (let passes = 0; passes < 8; passes++) {
    await lab.lab.step(60_000);
    await lab.pass();
  }
  const held = await lab.store.holdings(lab.scope, lab.accountId);
  expect(held.map(({ holder }) => holder).sort()).toEqual(["account", "foreign"]);
});
