// What every trading store must book: worked out by hand first, then shuffled histories from seeds. Run on
// the simulated store and on real PostgreSQL by trading-store.test.ts.
import { expect } from "bun:test";
import { add, compare, decimal, multiply, subtract } from "../../src/model/decimal.ts";
import { averageEntry, signedQty } from "../../src/model/leg-position.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import type { Scope, WorkspaceId } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { NewIntent, StoredIntent, TradingStore } from "../../src/ports/trading-store.ts";
import { createSimulatedStore } from "../support/simulated-store.ts";
import { committed, leased, type StoreTest, TTL_MS } from "../support/store-world.ts";
import {
  aFill,
  aHistory,
  anIntent,
  type Arrival,
  arrive,
  BTC,
  dice,
  ETH,
  hashes,
  idOf,
  live,
  placed,
  reordered,
  START,
} from "../support/trading.ts";

const fee = (amount: string, isEstimated = false) => ({
  ...{ amount: decimal(amount), settleAmount: decimal(amount), asset: "USDT", isEstimated },
});

/** Facts and what follows from them. @param shuffles reorderings of one history for each of four seeds */
export function tradingBookingContract(register: StoreTest, shuffles: number): void {
  booking(register);
  reorderings(register, shuffles);
}

function booking(register: StoreTest): void {
  register("a round trip is booked to the last unit", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const { accountId } = lease;
    const exit = anIntent({
      ...{ clientOrderId: idOf(lease, 1), side: "sell", isReduceOnly: true },
      ...{ purpose: "take_profit", reason: "TP_PCT", targetKey: "tp", qty: decimal("3") },
    });
    const entry = anIntent({ clientOrderId: idOf(lease, 0), qty: decimal("3") });
    const [opened, closed] = await committed(world, lease, entry, exit);
    const ack = (intent: StoredIntent | undefined, exchangeOrderId: string) =>
      store.recordNews(scope, lease, intent!.id, { event: "accepted", exchangeOrderId }, START);
    await ack(opened, "x1");
    await ack(closed, "x2");
    const size = { contractSize: decimal("0.1") };
    const book = (change: Parameters<typeof aFill>[0]) =>
      store.recordFill(scope, lease, aFill({ ...size, ...change }));
    await book({ tradeId: "1", price: decimal("100"), qty: decimal("1") });
    await book({ tradeId: "2", price: decimal("101"), qty: decimal("2"), at: START + 2000 });
    const [whole, own] = await store.holdings(scope, accountId);
    expect(whole).toMatchObject({ symbol: BTC, holder: "account", leg: "net" });
    expect(own?.position).toMatchObject({ positionSide: "long", qty: "3", cost: "302" });
    expect(averageEntry(own!.position)).toBe(decimal("100.666666666666666667"));
    const funding = { symbol: BTC, paymentId: "f1", amount: decimal("-0.25"), asset: "USDT" };
    await store.recordFunding(scope, lease, { ...funding, at: START + 2500 });
    const out = { exchangeOrderId: "x2", side: "sell", price: decimal("102") } as const;
    await book({ ...out, tradeId: "3", qty: decimal("1"), at: START + 3000 });
    const [firstPart] = (await store.ledger(scope, accountId, 10)).filter(
      ({ kind }) => kind === "realised",
    );
    // 0.1 × (102 − 302 / 3), the rest of the cost stays for the second part.
    expect(firstPart).toMatchObject({ amount: "0.1333333333333333333", owner: "bot:1" });
    await book({ ...out, tradeId: "4", qty: decimal("2"), at: START + 4000 });
    expect(await store.holdings(scope, accountId)).toEqual([]);
    const totals = await store.totals(scope, accountId, { sinceAt: 0, owner: "bot:1" });
    // 0.1 × (3 × 102 − 302) = 0.4; four fees of 0.05; funding −0.25.
    expect(totals).toMatchObject({ realised: "0.4", fees: "-0.2", funding: "-0.25", net: "-0.05" });
    expect(await store.cycles(scope, accountId, 10)).toMatchObject([
      {
        ...{ owner: "bot:1", positionSide: "long", openedAt: START + 1000, fills: 4 },
        ...{ closedAt: START + 4000, exitReason: "TP_PCT", maxQty: "3", entryQty: "3" },
        ...{ entryCost: "302", exitCost: "306", realised: "0.4", fees: "-0.2", funding: "-0.25" },
        ...{ worstRatio: null, bestRatio: null, feesMissing: 0 },
      },
    ]);
    const since = { sinceAt: START + 3500, owner: null };
    expect(await store.totals(scope, accountId, since)).toMatchObject({ fees: "-0.05" });
  });

  register("a fact that is offered again changes nothing", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const funding = { symbol: BTC, paymentId: "f", amount: decimal(1), asset: "USDT", at: START };
    const transfer = {
      ...{ ref: "t", amount: decimal("500"), settleAmount: decimal("500"), asset: "USDT" },
      at: START,
    };
    const offer = async () => [
      await store.recordFill(scope, lease, aFill()),
      await store.recordFunding(scope, lease, funding),
      await store.recordTransfer(scope, lease, transfer),
    ];
    const answers = (value: string) => [1, 2, 3].map(() => ({ ok: true, value }));
    expect(await offer()).toEqual(answers("booked") as Awaited<ReturnType<typeof offer>>);
    const before = await hashes(store, scope, lease, 0);
    expect(await offer()).toEqual(answers("known") as Awaited<ReturnType<typeof offer>>);
    expect(await hashes(store, scope, lease, 0)).toEqual(before);
    const totals = await store.totals(scope, lease.accountId, { sinceAt: 0, owner: null });
    expect(totals).toMatchObject({ transfers: "500", net: "0.95", funding: "1" });
    const other = { reason: "CONFLICTING_RECORD" };
    const fill = aFill({ price: decimal("101") });
    expect(await store.recordFill(scope, lease, fill)).toMatchObject(other);
    const more = { ...funding, amount: decimal(2) };
    expect(await store.recordFunding(scope, lease, more)).toMatchObject(other);
    const moved = { ...transfer, amount: decimal(2) };
    expect(await store.recordTransfer(scope, lease, moved)).toMatchObject(other);
    expect(await hashes(store, scope, lease, 0)).toEqual(before);
  });

  register("an estimated fee gives way to the one the exchange tells", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const { accountId } = lease;
    const totals = () => store.totals(scope, accountId, { sinceAt: 0, owner: null });
    await store.recordFill(scope, lease, aFill({ fee: null }));
    expect(await totals()).toMatchObject({ fees: "0", missing: 1, estimated: 0 });
    expect(await store.cycles(scope, accountId, 1)).toMatchObject([{ feesMissing: 1 }]);
    await store.recordFill(scope, lease, aFill({ fee: fee("0.06", true) }));
    expect(await totals()).toMatchObject({ fees: "-0.06", missing: 0, estimated: 1 });
    await store.recordFill(scope, lease, aFill({ tradeId: "2", at: START + 5000 }));
    const replaced = await store.recordFill(scope, lease, aFill({ fee: fee("0.04") }));
    expect(replaced).toEqual({ ok: true, value: "fee_replaced" });
    expect(await totals()).toMatchObject({ fees: "-0.09", missing: 0, estimated: 0 });
    const back = await store.recordFill(scope, lease, aFill({ fee: fee("0.06", true) }));
    expect(back).toEqual({ ok: true, value: "known" });
    expect(await store.cycles(scope, accountId, 1)).toMatchObject([{ fees: "-0.09", fills: 2 }]);
  });

  register(
    "a fee in another currency is counted as missing until its worth is known",
    async (w) => {
      const { store, scope } = w;
      const lease = await leased(w);
      const inCoin = { amount: decimal("0.0005"), asset: "WOO", isEstimated: false };
      const totals = () => store.totals(scope, lease.accountId, { sinceAt: 0, owner: null });
      await store.recordFill(scope, lease, aFill({ fee: { ...inCoin, settleAmount: null } }));
      expect(await totals()).toMatchObject({ fees: "0", missing: 1 });
      const worth = { ...inCoin, settleAmount: decimal("0.02") };
      await store.recordFill(scope, lease, aFill({ fee: worth }));
      expect(await totals()).toMatchObject({ fees: "-0.02", missing: 0 });
      expect(await store.ledger(scope, lease.accountId, 9)).toMatchObject([
        { kind: "fee", amount: "-0.0005", asset: "WOO", settleAmount: "-0.02" },
      ]);
    },
  );

  register("a record that cannot be booked is refused with the field", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const offer = (change: Parameters<typeof aFill>[0]) =>
      store.recordFill(scope, lease, aFill(change));
    const bad = { ok: false, reason: "BAD_TRADE_RECORD" };
    expect(await offer({ price: decimal(0) })).toMatchObject(bad);
    expect(await offer({ qty: decimal(-1) })).toMatchObject(bad);
    expect(await offer({ tradeId: "" })).toMatchObject(bad);
    expect(await offer({ leg: null })).toMatchObject({ reason: "LEG_UNKNOWN" });
    const order = anIntent({ clientOrderId: idOf(lease, 0), symbol: ETH, leg: "short" });
    const [intent] = await committed(world, lease, order);
    const news = { event: "accepted", exchangeOrderId: "x9" } as const;
    await store.recordNews(scope, lease, intent!.id, news, START);
    const told = { symbol: ETH, exchangeOrderId: "x9", side: "sell", leg: null } as const;
    expect(await offer(told)).toEqual({ ok: true, value: "booked" });
    expect((await store.fills(scope, lease.accountId, ETH))[0]?.leg).toBe("short");
    expect(await store.fills(scope, lease.accountId, BTC)).toEqual([]);
  });

  register("two bots against each other share one net position and its funding", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    const { accountId } = lease;
    const short = anIntent({
      ...{ clientOrderId: idOf(lease, 1), owner: "bot:2", side: "sell", positionSide: "short" },
    });
    const long = anIntent({ clientOrderId: idOf(lease, 0), qty: decimal("3") });
    const made = await committed(world, lease, long, short);
    for (const [n, intent] of made.entries()) {
      const news = { event: "accepted", exchangeOrderId: `x${n}` } as const;
      await store.recordNews(scope, lease, intent.id, news, START);
    }
    const three = { exchangeOrderId: "x0", qty: decimal("3") };
    await store.recordFill(scope, lease, aFill(three));
    // The account trades with itself: one trade id on both sides.
    const one = { exchangeOrderId: "x1", side: "sell", price: decimal("110") } as const;
    await store.recordFill(scope, lease, aFill(one));
    const held = await store.holdings(scope, accountId);
    expect(
      held.map((each) => [each.holder, each.position.positionSide, each.position.qty]),
    ).toEqual([
      ["account", "long", decimal(2)],
      ["bot:1", "long", decimal(3)],
      ["bot:2", "short", decimal(1)],
    ]);
    const paid = { symbol: BTC, paymentId: "f1", amount: decimal("-1"), asset: "USDT" };
    await store.recordFunding(scope, lease, { ...paid, at: START + 2000 });
    const of = async (owner: "bot:1" | "bot:2") =>
      (await store.totals(scope, accountId, { sinceAt: 0, owner })).funding;
    expect([await of("bot:1"), await of("bot:2")]).toEqual([decimal("-1.5"), decimal("0.5")]);
  });

  register("a position that turns over closes one cycle and opens the next", async (world) => {
    const { store, scope } = world;
    const lease = await leased(world);
    await store.recordFill(scope, lease, aFill({ fee: fee("0.1") }));
    const turn = aFill({
      ...{ tradeId: "2", side: "sell", price: decimal("110"), qty: decimal("3"), fee: fee("0.3") },
      at: START + 2000,
    });
    await store.recordFill(scope, lease, turn);
    expect(await store.cycles(scope, lease.accountId, 10)).toMatchObject([
      { positionSide: "short", entryQty: "2", fees: "-0.2", closedAt: null, realised: "0" },
      { positionSide: "long", exitQty: "1", fees: "-0.2", exitReason: "MANUAL", realised: "10" },
    ]);
  });

  register(
    "a reduction whose entry is not seen yet realises nothing until it is",
    async (world) => {
      const { store, scope } = world;
      const lease = await leased(world);
      const leg = { symbol: ETH, leg: "long" } as const;
      const out = aFill({
        ...leg,
        tradeId: "2",
        side: "sell",
        price: decimal("120"),
        at: START + 9,
      });
      await store.recordFill(scope, lease, out);
      expect(await store.holdings(scope, lease.accountId)).toMatchObject([
        { holder: "account", position: { positionSide: null, unmatchedQty: "1" } },
        { holder: "foreign", position: { positionSide: null, unmatchedQty: "1" } },
      ]);
      const totals = () => store.totals(scope, lease.accountId, { sinceAt: 0, owner: null });
      expect((await totals()).realised).toBe(decimal(0));
      await store.recordFill(scope, lease, aFill({ ...leg, at: START + 5 }));
      expect((await totals()).realised).toBe(decimal(20));
      expect(await store.holdings(scope, lease.accountId)).toEqual([]);
    },
  );
}

function reorderings(register: StoreTest, shuffles: number): void {
  const ORDERS = 10;
  /** Accounts that are written at the same time. */
  const AT_ONCE = 4;
  for (const seed of [7, 8, 9, 10]) {
    const name = `${shuffles} reorderings of one history give one ledger and one position`;
    register(`${name}, seed ${seed}`, async (world) => {
      const { store, scope } = world;
      const { orders, arrivals } = aHistory(20260105, ORDERS);
      const expected = await secondOpinion(orders, arrivals);
      const roll = dice(seed);
      const once = async (reordering: number) => {
        const shuffled = reordered(arrivals, roll);
        const lease = await leased(world);
        await live(store, scope, lease, orders, shuffled);
        const found = await hashes(store, scope, lease, orders.length);
        if (found.ledger !== expected.ledger || found.positions !== expected.positions) {
          throw new Error(`reordering ${reordering} of seed ${seed} gives another result`);
        }
      };
      for (let n = 0; n < shuffles; n += AT_ONCE) {
        await Promise.all([...Array(AT_ONCE).keys()].map((k) => once(n + k)));
      }
    });
  }

  register("other histories in other orders give what they give in order", async (world) => {
    const { store, scope } = world;
    for (let seed = 100; seed < 110; seed++) {
      const { orders, arrivals } = aHistory(seed, ORDERS);
      const lease = await leased(world);
      await live(store, scope, lease, orders, reordered(arrivals, dice(seed)));
      const found = await hashes(store, scope, lease, orders.length);
      expect([seed, found]).toEqual([seed, await secondOpinion(orders, arrivals)]);
    }
  });

  register("what arrives at once is booked once and together", async (world) => {
    const { store, scope } = world;
    const { orders, arrivals } = aHistory(77, ORDERS);
    const lease = await leased(world);
    const intents = await placed(store, scope, lease, orders);
    const twice = [...arrivals, ...arrivals];
    await Promise.all(twice.map((arrival) => arrive(store, scope, lease, intents, [arrival])));
    const found = await hashes(store, scope, lease, orders.length);
    expect(found).toEqual(await secondOpinion(orders, arrivals));
  });

  register("everything is derivable again, and holdings add up to the fills", async (world) => {
    const { store, scope } = world;
    for (let seed = 1; seed <= 12; seed++) {
      const lease = await leased(world);
      const history = aHistory(seed, ORDERS);
      await live(store, scope, lease, history.orders, reordered(history.arrivals, dice(seed)));
      const before = await hashes(store, scope, lease, history.orders.length);
      const rebuilt = await store.rebuild(scope, lease);
      expect(rebuilt).toMatchObject({ ok: true, value: { differences: [] } });
      expect(await hashes(store, scope, lease, history.orders.length)).toEqual(before);
      await addsUp(store, scope, lease.accountId);
    }
  });
}

/** The same history, in order, in a store that derives everything from the first fact on. */
async function secondOpinion(orders: readonly NewIntent[], arrivals: readonly Arrival[]) {
  const { store, addAccount } = createSimulatedStore(nextStatus, () => START);
  const scope = { workspaceId: 1 as WorkspaceId, userId: null, role: "owner" } as const;
  const taken = await store.takeLease(scope, addAccount(scope), "worker-1", TTL_MS, false);
  if (!taken.ok) throw new Error(taken.detail);
  await live(store, scope, taken.value, orders, arrivals);
  return await hashes(store, scope, taken.value, orders.length);
}

/** Quantities by side of every fill against what is held, and cash against what was realised. */
async function addsUp(store: TradingStore, scope: Scope, accountId: AccountId): Promise<void> {
  const zero = decimal(0);
  const holdings = await store.holdings(scope, accountId);
  const ledger = await store.ledger(scope, accountId, 1000);
  for (const symbol of [BTC, ETH]) {
    const fills = await store.fills(scope, accountId, symbol);
    let bought = zero;
    let cash = zero;
    for (const { side, qty, price, contractSize } of fills) {
      const worth = multiply(multiply(price, qty), contractSize);
      bought = side === "buy" ? add(bought, qty) : subtract(bought, qty);
      cash = side === "buy" ? subtract(cash, worth) : add(cash, worth);
    }
    const held = holdings.filter((each) => each.symbol === symbol && each.holder === "account");
    const isWhole = held.every(({ position }) => compare(position.unmatchedQty, zero) === 0);
    const signed = held.reduce((sum, { position }) => add(sum, signedQty(position)), zero);
    const owned = holdings.filter((each) => each.symbol === symbol && each.holder !== "account");
    const sum = owned.reduce((all, { position }) => add(all, signedQty(position)), zero);
    const unmatched = [...held, ...owned].some(
      ({ position }) => compare(position.unmatchedQty, zero) > 0,
    );
    if (isWhole) expect(signed).toBe(bought);
    if (unmatched) continue;
    expect(sum).toBe(bought);
    const size = decimal(symbol === BTC ? "1" : "0.01");
    const invested = owned.reduce((all, { position }) => {
      const cost = multiply(position.cost, size);
      return position.positionSide === "short" ? subtract(all, cost) : add(all, cost);
    }, zero);
    const realised = ledger
      .filter((entry) => entry.kind === "realised" && entry.symbol === symbol)
      .reduce((all, entry) => add(all, entry.amount), zero);
    expect(subtract(realised, invested)).toBe(cash);
  }
}
