// The paper account is what its rows say: taken over at any point it goes on as if nothing had happened, and
// what did not reach the rows never did. On the simulated store, and once on the real database.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { paperSeed } from "../../../src/adapters/paper/paper-seed.ts";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import { parseClientOrderId } from "../../../src/model/client-order-id.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { Broker, NewOrder, OrderTerms, PositionMode } from "../../../src/ports/broker.ts";
import { databaseTest } from "../../support/database-test.ts";
import { anOrder, BTC, limit, OPTIONS, paperBench, START } from "../../support/paper-market.ts";
import { testScope } from "../../support/test-database.ts";
import { aFill, anIntent, dice, idOf } from "../../support/trading.ts";
import { bookkeeper, inMemory, MONEY, type Rows } from "./paper-rows.ts";

/**
 * An order a bot might want at this price. Not in the rows are queue places, adjusted prices, and that a
 * trigger went off while the book had nothing left: triggers come in deep markets only.
 */
function someOrder(
  roll: (sides: number) => number,
  price: number,
  isDeep: boolean,
  mode: PositionMode,
): NewOrder {
  const side = roll(2) === 0 ? "buy" : "sell";
  const away = (ticks: number) => ((price * 10 + ticks) / 10).toFixed(1);
  const triggerPrice = decimal(away(roll(61) - 30));
  const direction = Number(triggerPrice) > price ? "rising" : "falling";
  const terms: readonly OrderTerms[] = [
    { kind: "market" },
    limit(away(roll(61) - 30)),
    { kind: "post_only", price: decimal(away(roll(61) - 30)), mayAdjust: false },
    { kind: "ioc", price: decimal(away(roll(9) - 4)) },
    { kind: "trigger", triggerPrice, direction, price: null },
  ];
  const qty = decimal(["0.5", "1", "2.125"][roll(3)] ?? "1");
  const positionSide = mode === "one_way" ? null : roll(2) === 0 ? "long" : "short";
  const isOpening = positionSide !== null && (side === "buy") === (positionSide === "long");
  return anOrder(terms[roll(isDeep ? 5 : 4)] ?? limit(price), {
    ...{ side, qty, positionSide },
    isReduceOnly: roll(3) === 0 && !isOpening,
  });
}

/** A life of 60 steps; `restarts` says after which of them the broker is made again. */
async function aLife(seed: number, mode: PositionMode, restarts: (step: number) => boolean) {
  const rows = await inMemory();
  const bench = paperBench({ balance: MONEY, terms: { slippageBps: 3, positionMode: mode } });
  const keeper = bookkeeper(rows);
  const roll = dice(seed);
  const isDeep = seed % 2 === 0;
  let broker = bench.broker;
  let price = 1000;
  const story: unknown[] = [];
  for (let step = 0; step < 60; step++) {
    bench.now += 1000;
    price = Math.max(300, price + roll(31) - 15);
    const spread = 1 + roll(3);
    const text = (ticks: number) => (ticks / 10).toFixed(1);
    const sizes = isDeep ? ["50", "60", "70"] : ["0.4", "1.5", "50"];
    const size = () => sizes[roll(3)] ?? "1";
    bench.book(text(price - spread), text(price + spread), size(), size());
    await keeper.note(broker, bench.now);
    if (roll(2) === 0) {
      await keeper.send(broker, someOrder(roll, price / 10, isDeep, mode), bench.now);
    }
    const [oldest] = keeper.working();
    if (roll(6) === 0 && oldest !== undefined) {
      await broker.cancel({ symbol: BTC, by: "client", id: oldest, isTrigger: false }, OPTIONS);
    }
    await keeper.note(broker, bench.now);
    const orders = await broker.openOrders(null, OPTIONS);
    const [balance] = await broker.balances(OPTIONS);
    const positions = await broker.positions(null, OPTIONS);
    const bySide = positions.toSorted((a, b) => (a.positionSide < b.positionSide ? -1 : 1));
    story.push([orders, balance, bySide]);
    if (restarts(step)) {
      const { store, scope, lease } = rows;
      broker = bench.restarted(await paperSeed(store, scope, lease.accountId, decimal(MONEY)));
    }
  }
  const { store, scope, lease } = rows;
  const fills = await store.fills(scope, lease.accountId, BTC);
  return { story, fills: fills.map(({ owner: _, ...fill }) => fill) };
}

test("taken over from its rows at any point, the account goes on as if nothing had happened", async () => {
  let fills = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(1_000_000),
      fc.constantFrom("one_way" as const, "hedge" as const),
      fc.integer({ min: 1, max: 5 }),
      async (seed, mode, every) => {
        const whole = await aLife(seed, mode, () => false);
        const broken = await aLife(seed, mode, (step) => step % every === 0);
        expect(broken).toEqual(whole);
        fills += whole.fills.length;
      },
    ),
    { numRuns: 24, seed: 11 },
  );
  expect(fills).toBeGreaterThan(200);
}, 60_000);

test("what did not reach the rows never happened", async () => {
  const rows = await inMemory();
  const bench = paperBench({ balance: MONEY });
  const keeper = bookkeeper(rows);
  await keeper.send(bench.broker, anOrder(limit(99)), bench.now);
  bench.price(98);
  await bench.look(1000);
  expect(await bench.broker.positions(null, OPTIONS)).toHaveLength(1);
  const { store, scope, lease } = rows;
  const again = bench.restarted(await paperSeed(store, scope, lease.accountId, decimal(MONEY)));
  bench.price(100);
  expect(await again.positions(null, OPTIONS)).toEqual([]);
  expect(await again.openOrders(null, OPTIONS)).toMatchObject([{ status: "open", price: "99" }]);
  expect(await again.balances(OPTIONS)).toMatchObject([{ total: MONEY }]);
  bench.price(98);
  bench.now += 1000;
  bench.price(98);
  const [trade] = await again.tradesSince({ symbol: BTC, sinceAt: 0 }, OPTIONS);
  expect(trade?.tradeId).toBe(`${idOf(lease, 0)}-1`);
});

/** A position of two bots in the rows, and money that came in. */
async function heldByTwo(): Promise<Rows> {
  const rows = await inMemory();
  const { store, scope, lease } = rows;
  const epoch = await store.epoch(scope);
  for (const [n, owner] of (["bot:1", "bot:2"] as const).entries()) {
    const plan = anIntent({ owner, symbol: BTC, clientOrderId: idOf(lease, n), qty: decimal(2) });
    const place = [{ ...plan, terms: limit(100), targetKey: `k${n}` }];
    const made = await store.commitIntents(scope, lease, epoch, { place, send: [] }, START);
    const id = made.ok ? made.value[0]?.id : undefined;
    if (id === undefined) throw new Error("the intent was not written");
    const news = { event: "accepted", exchangeOrderId: `x${n}` } as const;
    await store.recordNews(scope, lease, id, news, START);
    const where = { tradeId: String(n), exchangeOrderId: `x${n}`, symbol: BTC };
    await store.recordFill(scope, lease, aFill({ ...where, qty: decimal(n + 1), at: START + n }));
  }
  const money = { amount: decimal(250), asset: "USDT", settleAmount: decimal(250), at: START };
  await store.recordTransfer(scope, lease, { ref: "deposit", ...money });
  return rows;
}

test("positions are the account's, whoever holds them, and transfers are money", async () => {
  const { store, scope, lease } = await heldByTwo();
  const seed = await paperSeed(store, scope, lease.accountId, decimal(MONEY));
  const broker = paperBench().restarted(seed);
  expect(await broker.positions(BTC, OPTIONS)).toMatchObject([{ positionSide: "long", qty: "3" }]);
  expect(await broker.balances(OPTIONS)).toMatchObject([{ total: decimal("10249.9") }]);
});

test("a fill after the start is later than every fill in the rows", async () => {
  const { store, scope, lease } = await heldByTwo();
  const bench = paperBench();
  bench.now = START;
  bench.price(100);
  const broker = bench.restarted(await paperSeed(store, scope, lease.accountId, decimal(MONEY)));
  await broker.place(anOrder({ kind: "market" }), OPTIONS);
  const [trade] = await broker.tradesSince({ symbol: BTC, sinceAt: 0 }, OPTIONS);
  expect(trade?.at).toBe(START + 2);
});

test("a stop that has begun to fill goes on, wherever the price is then", async () => {
  const rows = await inMemory();
  const bench = paperBench({ balance: MONEY });
  const keeper = bookkeeper(rows);
  bench.book("99.9", "100");
  await keeper.send(bench.broker, anOrder({ kind: "market" }), bench.now);
  const terms = { kind: "trigger", triggerPrice: decimal("98"), direction: "falling" } as const;
  const stop = anOrder({ ...terms, price: null }, { side: "sell", isReduceOnly: true });
  await keeper.send(bench.broker, stop, bench.now);
  bench.now += 1000;
  bench.book("97", "97.2", "0.4");
  await keeper.note(bench.broker, bench.now);
  const { store, scope, lease } = rows;
  const again = bench.restarted(await paperSeed(store, scope, lease.accountId, decimal(MONEY)));
  bench.now += 1000;
  bench.book("105", "105.2");
  expect(await again.positions(BTC, OPTIONS)).toEqual([]);
  const trades = await again.tradesSince({ symbol: BTC, sinceAt: 0 }, OPTIONS);
  expect(trades).toMatchObject([{ price: "105", qty: "0.6", tradeId: `${idOf(lease, 1)}-2` }]);
});

test("an order whose answer was never written is not there", async () => {
  const { store, scope, lease } = await inMemory();
  const place = [anIntent({ clientOrderId: idOf(lease, 0), symbol: BTC })];
  await store.commitIntents(scope, lease, await store.epoch(scope), { place, send: [] }, START);
  const bench = paperBench();
  const seed = await paperSeed(store, scope, lease.accountId, decimal(MONEY));
  const broker = bench.restarted(seed);
  const ref = { symbol: BTC, by: "client", id: idOf(lease, 0), isTrigger: false } as const;
  expect(await broker.order(ref, OPTIONS)).toBeNull();
});

test("a place in the queue is found again, one that finds no book is cancelled", async () => {
  for (const hasBook of [true, false]) {
    const rows = await inMemory();
    const bench = paperBench({ balance: MONEY });
    const keeper = bookkeeper(rows);
    bench.book("99.9", "100");
    await keeper.send(bench.broker, anOrder({ kind: "queue", level: 1 }), bench.now);
    const { store, scope, lease } = rows;
    const again = bench.restarted(await paperSeed(store, scope, lease.accountId, decimal(MONEY)));
    if (hasBook) bench.book("98.8", "99");
    else bench.price(98.9);
    const open = await again.openOrders(null, OPTIONS);
    expect(open.map(({ price }) => price)).toEqual(hasBook ? [decimal("98.8")] : []);
  }
});

databaseTest("the rows of the real database tell the same account", async ({ sql }) => {
  const store = createTradingRepository(sql, nextStatus);
  const scope = await testScope(sql, "mine");
  const account = { name: "Paper", exchangeId: "woox", mode: "paper" } as const;
  const made = await createAccountRepository(sql).create(scope, account, null, START);
  if (!made.ok) throw new Error(made.detail);
  const lease = await store.takeLease(scope, made.value.id, "w", 600_000, false);
  if (!lease.ok) throw new Error(lease.detail);
  const bench = paperBench({ balance: MONEY });
  bench.now = Date.now();
  const keeper = bookkeeper({ store, scope, lease: lease.value });
  bench.book("99.9", "100", "5", "0.4");
  await keeper.send(bench.broker, anOrder({ kind: "market" }), bench.now);
  await keeper.send(bench.broker, anOrder(limit(95)), bench.now);
  const trigger = { kind: "trigger", triggerPrice: decimal("90"), direction: "falling" } as const;
  const stop = anOrder({ ...trigger, price: null }, { side: "sell", isReduceOnly: true });
  await keeper.send(bench.broker, { ...stop, qty: decimal("0.4") }, bench.now);
  await keeper.note(bench.broker, bench.now);
  const seed = await paperSeed(store, scope, made.value.id, decimal(MONEY));
  const again = bench.restarted(seed);
  bench.now += 1000;
  bench.book("99.9", "100", "5", "0.1");
  const facts = async (broker: Broker) => [
    (await broker.openOrders(null, OPTIONS)).map(({ createdAt: _, ...order }) => order),
    await broker.balances(OPTIONS),
    await broker.positions(null, OPTIONS),
  ];
  expect(await facts(again)).toEqual(await facts(bench.broker));
  const ids = (await again.openOrders(null, OPTIONS)).map(({ clientOrderId }) => clientOrderId);
  expect(ids.every((id) => id !== null && parseClientOrderId(id) !== null)).toBe(true);
});
