// A thousand orders whose answers are all lost, half of them carried out by the venue: none is ever there
// twice, none of its executions is missed, and in the end everybody knows of every one.
import { afterEach, expect, test } from "bun:test";
import type { TargetOrder } from "../../../src/model/order.ts";
import { stopLabs } from "../../venue/lab.ts";
import { openWorld, SYMBOL, type World } from "./dispatch-world.ts";

afterEach(stopLabs);

const ROUNDS = 50;
const signal = new AbortController().signal;

/** One round: every kind of order; only the first of a batch may open while answers are lost. */
const KINDS: readonly Partial<TargetOrder>[] = [
  { kind: "market", priceTicks: 0, purpose: "exit" },
  { kind: "limit", priceTicks: 190, purpose: "take_profit" },
  { kind: "market", priceTicks: 0, purpose: "exit", side: "sell" },
  { kind: "post_only", priceTicks: 191, purpose: "take_profit" },
  { kind: "stop_market", priceTicks: 250, purpose: "protective_stop" },
];

function roundOf(world: World, round: number) {
  return Array.from({ length: 20 }, (_, n) => {
    const kind = n === 0 ? { kind: "limit" as const, priceTicks: 192 } : KINDS[n % KINDS.length];
    return world.order({ qtyLots: 2, ...kind, key: `${round}:${n}`, decidedAt: round });
  });
}

async function loseEveryAnswer(world: World): Promise<void> {
  for (const endpoint of ["POST trade/order", "POST trade/algoOrder"]) {
    const match = { endpoint };
    await world.lab.fault("reject_then_drop", { match, chance: 0.5 });
    for (const name of ["html_200", "empty_200", "unknown_code_200"]) {
      await world.lab.fault(name, { match, chance: 0.1, params: { accept: true } });
    }
    await world.lab.fault("accept_then_drop", { match });
  }
}

test("a thousand lost answers leave no order twice and no execution unknown", async () => {
  const world = await openWorld({ account: { deposit: "1000000" }, house: { levelLotsMax: 500 } });
  const { lab, resolver, clock, live } = world;
  await loseEveryAnswer(world);
  for (let round = 0; round < ROUNDS; round++) {
    await lab.price("100");
    const { dispatched } = await world.done({ place: roundOf(world, round) });
    const certain = dispatched.filter(({ outcome }) => outcome !== "unverified");
    expect(certain).toEqual([]);
    expect(resolver.isInDoubt(SYMBOL)).toBe(true);
    for (let n = 0; n < 60 && resolver.isInDoubt(SYMBOL); n++) {
      await clock.advance(5000);
      await resolver.settle(signal);
    }
  }
  const { scope, accountId } = live.account;
  const rows = await world.rows();
  expect(rows).toHaveLength(20 * ROUNDS);
  const there = [
    ...[...lab.account.orders.values()].map((order) => order.clientOrderId),
    ...[...lab.account.algos.values()].map((algo) => algo.clientId),
  ];
  expect(new Set(there).size).toBe(there.length);
  expect(there.length).toBeGreaterThan(8 * ROUNDS);
  expect(there.length).toBeLessThan(12 * ROUNDS);
  const found = rows.filter(({ status }) => status === "open" || status === "filled");
  expect(found.map(({ clientOrderId }) => String(clientOrderId)).sort()).toEqual(there.sort());
  const others = rows.filter(({ status }) => status !== "open" && status !== "filled");
  expect(others.every(({ status }) => status === "abandoned")).toBe(true);
  const fills = await live.store.fills(scope, accountId, SYMBOL);
  expect(fills).toHaveLength(lab.account.trades.length);
  expect(fills.length).toBeGreaterThan(2 * ROUNDS);
  expect(fills.every(({ owner }) => owner === "bot:1")).toBe(true);
}, 120_000);
