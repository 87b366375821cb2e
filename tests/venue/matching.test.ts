// Invariants of the book and the accounts under random orders, cancels, amendments and price moves by
// three accounts: what must hold after every single operation, whatever happened.
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Account } from "../../src/venue/account.ts";
import { bestTicks, ordersInLine } from "../../src/venue/book.ts";
import { VenueError } from "../../src/venue/errors.ts";
import { act, advance, createExchange } from "../../src/venue/exchange.ts";
import { stepMarket } from "../../src/venue/house.ts";
import { settle } from "../../src/venue/aftermath.ts";
import { ceilDivide } from "../../src/venue/decimal.ts";
import { notional } from "../../src/venue/instrument.ts";
import { draftOf } from "../../src/venue/order-rules.ts";
import { isOpen, remainingLots } from "../../src/venue/order.ts";
import { payFunding } from "../../src/venue/funding.ts";
import type { Exchange, Market } from "../../src/venue/state.ts";
import { amendOrder, cancelOrder, placeOrder } from "../../src/venue/trading.ts";
import { labSettings } from "./lab.ts";

type Op =
  | { kind: "place"; who: number; order: Record<string, string> }
  | { kind: "cancel" | "shrink" | "reprice"; who: number; pick: number; offset: number }
  | { kind: "step"; ticks: number; lots: number }
  | { kind: "funding"; rate: number };

const who = fc.nat(2);
const place = fc.record({
  kind: fc.constant("place" as const),
  who,
  order: fc
    .record({
      side: fc.constantFrom("BUY", "SELL"),
      type: fc.constantFrom("LIMIT", "LIMIT", "MARKET", "IOC", "FOK", "POST_ONLY", "BID", "ASK"),
      ticks: fc.integer({ min: 190, max: 210 }),
      lots: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 900 })),
      reduceOnly: fc.boolean(),
      visible: fc.option(fc.nat(50)),
      adjusted: fc.boolean(),
      leg: fc.constantFrom("LONG", "SHORT"),
    })
    .map(({ side, type, ticks, lots, reduceOnly, visible, adjusted, leg }) => ({
      ...{ symbol: "PERP_BTC_USDT", side, type, price: String(ticks / 2) },
      ...{ quantity: String(lots / 100), reduceOnly: String(reduceOnly), positionSide: leg },
      ...{ postOnlyAdjusted: String(adjusted) },
      ...(visible === null ? {} : { visibleQuantity: String(Math.min(visible, lots) / 100) }),
    })),
});
const change = fc.record({
  kind: fc.constantFrom("cancel" as const, "shrink" as const, "reprice" as const),
  who,
  pick: fc.nat(30),
  offset: fc.integer({ min: -6, max: 6 }),
});
const step = fc.record({
  kind: fc.constant("step" as const),
  ticks: fc.oneof(fc.integer({ min: 185, max: 215 }), fc.integer({ min: 120, max: 300 })),
  lots: fc.nat(600),
});
const funding = fc.record({
  kind: fc.constant("funding" as const),
  rate: fc.integer({ min: -99_999, max: 99_999 }),
});
const session: fc.Arbitrary<Op[]> = fc.array(
  fc.oneof({ arbitrary: place, weight: 6 }, change, step, { arbitrary: funding, weight: 1 }),
  { minLength: 30, maxLength: 120, size: "max" },
);

function world(): { x: Exchange; market: Market; accounts: Account[] } {
  const accounts = [
    { name: "one", deposit: "1000", mode: "ONE_WAY" as const },
    { name: "two", deposit: "60", mode: "HEDGE_MODE" as const },
    { name: "three", deposit: "25", mode: "ONE_WAY" as const },
  ];
  const house = { levelLotsMax: 50, touchPpm: 500_000 };
  const x = createExchange(labSettings({ accounts, house }));
  const [market] = x.markets.values();
  if (!market) throw new Error("no market");
  return { x, market, accounts: [...x.accounts.values()] };
}

function run(x: Exchange, market: Market, accounts: readonly Account[], op: Op): void {
  advance(x, x.now + 1);
  try {
    if (op.kind === "step") {
      stepMarket(x, market, { at: x.now, ticks: op.ticks, lots: op.lots });
      settle(x);
    } else if (op.kind === "funding") payFunding(x, market, BigInt(op.rate));
    else if (op.kind === "place") {
      const account = accounts[op.who]!;
      const { positionSide, ...rest } = op.order;
      const order = account.mode === "HEDGE_MODE" ? { ...rest, positionSide } : rest;
      act(x, market, () => placeOrder(x, account, draftOf(x, account, order)));
    } else {
      const account = accounts[op.who]!;
      const open = [...account.open];
      const order = open[op.pick % Math.max(1, open.length)];
      if (!order) return;
      const ticks = order.ticks === null ? null : order.ticks + op.offset;
      const lots = Math.max(order.executedLots + 1, Math.floor(order.lots / 2));
      act(x, market, () => {
        if (op.kind === "cancel") cancelOrder(x, order);
        else if (op.kind === "shrink") amendOrder(x, account, order, { ticks: null, lots });
        else amendOrder(x, account, order, { ticks, lots: null });
      });
    }
  } catch (error) {
    // A refusal is a decision; whatever it leaves behind is checked like everything else.
    if (!(error instanceof VenueError)) throw error;
  }
}

function checkBook(x: Exchange, market: Market): void {
  const bid = bestTicks(market.book, "BUY");
  const ask = bestTicks(market.book, "SELL");
  if (bid !== null && ask !== null) expect(bid).toBeLessThan(ask);
  const resting = new Set<unknown>();
  for (const side of ["BUY", "SELL"] as const) {
    for (const order of ordersInLine(market.book, side)) {
      expect(order.side).toBe(side);
      expect(isOpen(order)).toBe(true);
      expect(remainingLots(order)).toBeGreaterThan(0);
      resting.add(order);
    }
    for (const [ticks, level] of market.book[side].levels) {
      let shown = 0;
      for (let at = level.head; at; at = at.after) {
        shown += at.order.displayLots === 0 ? 0 : at.slice;
        expect(at.order.ticks).toBe(ticks);
      }
      expect(level.shownLots).toBe(shown);
    }
  }
  for (const account of x.accounts.values()) {
    for (const order of account.open) expect(resting.has(order)).toBe(true);
  }
}

function checkMoney(x: Exchange, market: Market): void {
  let lots = 0;
  let money = x.feePool + x.insurance;
  for (const account of [...x.accounts.values(), x.house]) {
    money += account.wallet;
    for (const leg of account.legs.values()) {
      lots += leg.lots;
      money += notional(market.instrument, market.markTicks, leg.lots) - leg.cost;
      if (leg.side === "LONG") expect(leg.lots).toBeGreaterThanOrEqual(0);
      if (leg.side === "SHORT") expect(leg.lots).toBeLessThanOrEqual(0);
    }
  }
  expect(lots).toBe(0);
  expect(money).toBe(x.deposits);
}

function checkOrders(x: Exchange, market: Market): void {
  for (const account of x.accounts.values()) {
    const filled = new Map<unknown, number>();
    const fees = new Map<unknown, bigint>();
    for (const trade of account.trades) {
      filled.set(trade.order, (filled.get(trade.order) ?? 0) + trade.lots);
      fees.set(trade.order, (fees.get(trade.order) ?? 0n) + trade.fee);
      const rate = trade.isMaker ? account.makerPpm : account.takerPpm;
      const value = notional(market.instrument, trade.ticks, trade.lots);
      expect(trade.fee).toBe(ceilDivide(value * rate, 1_000_000n));
    }
    let [buyLots, sellLots] = [0, 0];
    for (const order of account.orders.values()) {
      expect(order.executedLots).toBe(filled.get(order) ?? 0);
      expect(order.fee).toBe(fees.get(order) ?? 0n);
      expect(order.status === "FILLED").toBe(order.executedLots === order.lots);
      if (!isOpen(order) || order.isClosing) continue;
      if (order.side === "BUY") buyLots += remainingLots(order);
      else sellLots += remainingLots(order);
    }
    const pending = [...account.pending.values()];
    expect(pending.reduce((sum, each) => sum + each.buyLots, 0)).toBe(buyLots);
    expect(pending.reduce((sum, each) => sum + each.sellLots, 0)).toBe(sellLots);
  }
}

/** Absolute position of every leg. */
const sizes = (accounts: readonly Account[]) =>
  accounts.flatMap((account) => [...account.legs.values()].map((leg) => [leg, leg.lots] as const));

test("the book is never crossed; quantity and money are conserved with fees and funding; fills add up", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(session, (ops) => {
      const { x, market, accounts } = world();
      for (const op of ops) {
        run(x, market, accounts, op);
        checkBook(x, market);
        checkMoney(x, market);
        checkOrders(x, market);
      }
      for (const { kind } of x.log.since(0)) seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }),
    { numRuns: 300 },
  );
  // The sessions must reach what they are meant to judge.
  for (const kind of [
    "match",
    "order_amended",
    "cancel_requested",
    "funding_paid",
    "liquidation",
  ]) {
    expect([kind, (seen.get(kind) ?? 0) > 10]).toEqual([kind, true]);
  }
}, 120_000);

test("a reduce-only fill never enlarges a position and never flips it", () => {
  let reduced = 0;
  fc.assert(
    fc.property(session, (ops) => {
      const { x, market, accounts } = world();
      for (const op of ops) {
        const before = new Map(sizes(accounts));
        const known = accounts.map((account) => account.trades.length);
        run(x, market, accounts, op);
        for (const [i, account] of accounts.entries()) {
          const trades = account.trades.slice(known[i]);
          // Judged where nothing but closing orders moved the account in this operation.
          if (trades.length === 0 || !trades.every((trade) => trade.order.isClosing)) continue;
          reduced++;
          for (const leg of account.legs.values()) {
            const was = before.get(leg) ?? 0;
            expect(Math.abs(leg.lots)).toBeLessThanOrEqual(Math.abs(was));
            expect(leg.lots * was).toBeGreaterThanOrEqual(0);
          }
        }
      }
    }),
    { numRuns: 300 },
  );
  expect(reduced).toBeGreaterThan(100);
}, 120_000);

test("better prices fill first, and at one price the earlier order, whatever the arrival", () => {
  const queue = fc.array(
    fc.record({ ticks: fc.integer({ min: 190, max: 198 }), lots: fc.integer({ min: 2, max: 30 }) }),
    { minLength: 2, maxLength: 12 },
  );
  fc.assert(
    fc.property(queue, fc.integer({ min: 1, max: 200 }), (orders, taken) => {
      const { x, market, accounts } = world();
      const [maker, , taker] = accounts;
      const place = (account: Account, order: Record<string, string>) =>
        act(x, market, () =>
          placeOrder(x, account, draftOf(x, account, { symbol: "PERP_BTC_USDT", ...order })),
        );
      // Clients alone: nothing of the house in between.
      for (const quote of market.quotes) cancelOrder(x, quote);
      const placed = orders.map(({ ticks, lots }) =>
        place(maker!, {
          side: "BUY",
          type: "LIMIT",
          price: `${ticks / 2}`,
          quantity: `${lots / 100}`,
        }),
      );
      const sum = orders.reduce((total, { lots }) => total + lots, 0);
      const lots = Math.max(2, Math.min(taken, sum));
      place(taker!, { side: "SELL", type: "IOC", price: "95", quantity: `${lots / 100}` });
      // An independent reading of the rule: sort by price, keep arrival, fill from the front.
      const served = placed
        .map((order, arrival) => ({ order, arrival }))
        .sort((a, b) => b.order.ticks! - a.order.ticks! || a.arrival - b.arrival);
      let left = lots;
      for (const { order } of served) {
        expect(order.executedLots).toBe(Math.min(order.lots, left));
        left -= order.executedLots;
      }
      expect(left).toBe(0);
    }),
    { numRuns: 200 },
  );
});
