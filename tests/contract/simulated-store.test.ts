// What the simulated store can do beyond the contract: lose uncommitted work, fail on order, and put writes
// that come at once one after the other.
import { expect, test } from "bun:test";
import { decimal } from "../../src/model/decimal.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import type { Scope, WorkspaceId } from "../../src/ports/access-store.ts";
import { createSimulatedStore } from "../support/simulated-store.ts";
import { TTL_MS } from "../support/store-world.ts";
import {
  aFill,
  aHistory,
  arrive,
  BTC,
  dice,
  hashes,
  live,
  placed,
  reordered,
  START,
} from "../support/trading.ts";

const scope: Scope = { workspaceId: 1 as WorkspaceId, userId: null, role: "owner" };

async function world() {
  const simulated = createSimulatedStore(nextStatus, () => START);
  const { store } = simulated;
  const lease = await store.takeLease(
    scope,
    simulated.addAccount(scope),
    "worker-1",
    TTL_MS,
    false,
  );
  if (!lease.ok) throw new Error(lease.detail);
  return { ...simulated, lease: lease.value };
}

test("a crash loses what was not committed and keeps what was", async () => {
  const { store, crash, lease } = await world();
  await store.recordFill(scope, lease, aFill({ tradeId: "1" }));
  const lost = store.recordFill(scope, lease, aFill({ tradeId: "2" }));
  crash();
  await expect(lost).rejects.toThrow("crashed");
  const kept = await store.fills(scope, lease.accountId, BTC);
  expect(kept.map(({ tradeId }) => tradeId)).toEqual(["1"]);
  expect(await store.recordFill(scope, lease, aFill({ tradeId: "2" }))).toMatchObject({
    value: "booked",
  });
});

test("a commit that fails leaves nothing, and one whose answer is lost is there", async () => {
  const { store, failNext, lease } = await world();
  failNext("before_commit");
  await expect(store.recordFill(scope, lease, aFill())).rejects.toThrow("failed");
  expect(await store.fills(scope, lease.accountId, BTC)).toEqual([]);
  failNext("after_commit");
  await expect(store.recordFill(scope, lease, aFill())).rejects.toThrow("lost");
  expect(await store.fills(scope, lease.accountId, BTC)).toHaveLength(1);
  expect(await store.recordFill(scope, lease, aFill())).toEqual({ ok: true, value: "known" });
});

test("writes that come at once are carried out one after the other", async () => {
  const { store, lease } = await world();
  const tradeIds = [...Array(50).keys()].map(String);
  const half = { fee: null, qty: decimal("0.5") };
  await Promise.all(
    tradeIds.map((tradeId) => store.recordFill(scope, lease, aFill({ ...half, tradeId }))),
  );
  expect(await store.holdings(scope, lease.accountId)).toMatchObject([
    { holder: "account", position: { qty: "25" } },
    { holder: "foreign", position: { qty: "25" } },
  ]);
});

test("a failure at any write, and offering everything again, changes no figure", async () => {
  const history = aHistory(42, 6);
  const { orders } = history;
  const straight = await world();
  await live(straight.store, scope, straight.lease, orders, history.arrivals);
  const expected = await hashes(straight.store, scope, straight.lease, orders.length);
  for (let n = 0; n < history.arrivals.length; n++) {
    const { store, failNext, lease } = await world();
    const intents = await placed(store, scope, lease, orders);
    const arrivals = reordered(history.arrivals, dice(n));
    await arrive(store, scope, lease, intents, arrivals.slice(0, n));
    failNext(n % 2 === 0 ? "before_commit" : "after_commit");
    const failing = arrive(store, scope, lease, intents, arrivals.slice(n, n + 1));
    await expect(failing).rejects.toThrow("commit");
    await arrive(store, scope, lease, intents, history.arrivals);
    expect(await hashes(store, scope, lease, orders.length)).toEqual(expected);
  }
});
