// What becomes of a demo account's orders when the exchange inside the product begins anew: those the rows tell
// rest again under their ids, the others end as an exchange ends them, and the bot places again.
import { expect, onTestFinished, test } from "bun:test";
import { createCcxtBroker } from "../../../src/adapters/ccxt/broker.ts";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { connect } from "../../../src/adapters/postgres/connect.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { createDemoVenue } from "../../../src/adapters/system/demo-venue.ts";
import { createSecret } from "../../../src/adapters/vault/secret.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import { composeLive } from "../../../src/live.ts";
import { add, type Decimal, decimal, multiply } from "../../../src/model/decimal.ts";
import type { Scope, WorkspaceId } from "../../../src/ports/access-store.ts";
import type { Broker, CallOptions, OrderTerms, PositionMode } from "../../../src/ports/broker.ts";
import type { DemoExchange } from "../../../src/ports/demo-venue.ts";
import type { Json } from "../../../src/ports/settings-store.ts";
import type { IntentNews, NewIntent, StoredIntent } from "../../../src/ports/trading-store.ts";
import {
  bookLostFills,
  demoAccount,
  demoIdsAbove,
  giveOpeningDeposit,
} from "../../../src/services/live/demo-opening.ts";
import { demoConfig } from "../../../src/strategy/dca-atr/demo-config.ts";
import { moneyText } from "../../../src/venue/decimal.ts";
import { botConfig, eagerStrategy, openSession } from "../../support/live-session.ts";
import { silentLog } from "../../support/silent-log.ts";
import { createSimulatedStore } from "../../support/simulated-store.ts";
import { testDatabase, testScope } from "../../support/test-database.ts";
import { aFill, anIntent, idOf } from "../../support/trading.ts";
import { takeOversAt } from "./demo-take-over.ts";

const SYMBOL = "PERP_BTC_USDT";
const OPTIONS: CallOptions = { signal: new AbortController().signal };
const PROGRAM = new URL("../../../src/venue.worker.ts", import.meta.url);
const clock = createClock();
const LIVES_MAX = 8;
const FEES = { makerRatio: decimal("0.0002"), takerRatio: decimal("0.0005") };

/** A demo account in the rows, and the real exchange in its thread. */
async function demoCase(mode: PositionMode = "one_way") {
  const database = await testDatabase();
  const scope = await testScope(database.sql, "ann");
  const account = { name: "Demo", exchangeId: "woox", mode: "demo" } as const;
  const made = await createAccountRepository(database.sql).create(scope, account, null, 1000);
  if (!made.ok) throw new Error(made.detail);
  const store = createTradingRepository(database.sql, nextStatus);
  const { id: accountId } = made.value;
  const taken = await store.takeLease(scope, accountId, "w", 600_000, false);
  if (!taken.ok) throw new Error(taken.detail);
  const lease = taken.value;
  await giveOpeningDeposit(store, scope, lease, 1000);
  const venue = createDemoVenue({ url: PROGRAM, log: silentLog, createSecret });
  let exchange: DemoExchange | null = null;
  onTestFinished(async () => {
    await exchange?.stop();
    await database.drop();
  });
  let sent = 0;
  const prices: Decimal[] = [];

  /** The exchange begins anew, and the account is taken over. */
  async function takeOver(): Promise<Broker> {
    await exchange?.stop();
    const idsAbove = demoIdsAbove(clock.now());
    exchange = await venue.start({ seed: 3, idsAbove, accounts: [] }, () => undefined);
    const priceAt = async () => prices.shift() ?? null;
    const market = { fees: FEES, priceAt, contractSizeOf: async () => decimal(1) };
    const takeOver = { ...market, store, scope, guard: lease };
    const opened = await demoAccount(takeOver, mode, clock.now());
    const keys = await exchange.openAccount(opened);
    return createCcxtBroker(
      { clock, log: silentLog, loopbackUrl: exchange.url, timeoutMs: 5000 },
      {
        ...{ exchangeId: "woox", kind: "perps", mode: "demo", isTestnet: false },
        credentials: { ...keys, passphrase: null, uid: null },
      },
    );
  }

  /** Writes an order ahead, sends it, and writes down that it was taken. */
  async function send(broker: Broker, terms: OrderTerms, change: Partial<NewIntent> = {}) {
    const clientOrderId = idOf(lease, sent);
    const names = { clientOrderId, symbol: SYMBOL, terms, targetKey: `k${sent++}` };
    const plan = anIntent({ ...names, qty: decimal("0.01"), ...change });
    const batch = { place: [plan], send: [] };
    const epoch = await store.epoch(scope);
    const written = await store.commitIntents(scope, lease, epoch, batch, clock.now());
    const [row] = written.ok ? written.value : [];
    if (!row) throw new Error("the order was not written");
    const { symbol, side, qty, isReduceOnly, leg } = row;
    const none = { visibleQty: null, leverage: null };
    const positionSide = leg === "net" ? null : leg;
    const order = { clientOrderId, symbol, side, qty, isReduceOnly, terms, positionSide, ...none };
    const answer = await broker.place(order, OPTIONS);
    if (answer.outcome !== "accepted") throw new Error(answer.sentence);
    const news = { event: "accepted", ...answer.value } as const;
    const told = await store.recordNews(scope, lease, row.id, news, clock.now());
    if (!told.ok) throw new Error(told.detail);
    return told.value;
  }

  /** Books everything the exchange has executed. */
  async function book(broker: Broker) {
    for (const trade of await broker.tradesSince({ symbol: SYMBOL, sinceAt: 0 }, OPTIONS)) {
      const { realisedPnl, positionSide, feeAsset: _, fee, ...fact } = trade;
      const amount = fee ?? decimal(0);
      const booked = await store.recordFill(scope, lease, {
        ...{ ...fact, leg: positionSide ?? "net", contractSize: decimal(1), settleAsset: "USDT" },
        fee: { amount, asset: "USDT", settleAmount: amount, isEstimated: false },
        exchangeRealised: realisedPnl,
      });
      if (!booked.ok) throw new Error(booked.detail);
    }
  }

  const rowOf = async ({ id }: StoredIntent) =>
    (await store.orders(scope, accountId, [id]))[0]?.intent;
  const alive = async () =>
    (await store.aliveIntents(scope, accountId)).map(({ id }) => id).sort((a, b) => a - b);
  const totals = () => store.totals(scope, accountId, { sinceAt: 0, owner: null });
  const tell = async ({ id }: StoredIntent, news: IntentNews) =>
    expect((await store.recordNews(scope, lease, id, news, clock.now())).ok).toBe(true);
  return { takeOver, send, book, rowOf, alive, totals, prices, tell };
}

test("after a restart limits and stops rest under their ids, a place in the queue was cancelled", async () => {
  const demo = await demoCase();
  const first = await demo.takeOver();
  await demo.send(first, { kind: "market" });
  await demo.book(first);
  const { bid } = await first.topOfBook(SYMBOL, OPTIONS);
  const near = (share: string) => decimal(Math.round(Number(multiply(bid, decimal(share)))));
  const limit = await demo.send(first, { kind: "limit", price: near("0.97") });
  const post = { kind: "post_only", price: near("0.96"), mayAdjust: false } as const;
  const posted = await demo.send(first, post);
  const queued = await demo.send(first, { kind: "queue", level: 5 });
  const stopTerms = { kind: "trigger", triggerPrice: near("0.9"), direction: "falling" } as const;
  const closing = { side: "sell", isReduceOnly: true } as const;
  const stop = await demo.send(first, { ...stopTerms, price: null }, closing);
  const ids = ({ exchangeOrderId }: { exchangeOrderId: string | null }) => exchangeOrderId;
  expect(await first.openOrders(null, OPTIONS)).toHaveLength(4);

  const second = await demo.takeOver();
  const row = await demo.rowOf(queued);
  expect(row).toMatchObject({ status: "cancelled", filledQty: "0" });
  expect(row?.detail).toContain("began anew");
  expect(await demo.alive()).toEqual([limit.id, posted.id, stop.id]);
  const resting = await second.openOrders(null, OPTIONS);
  expect(resting.map(ids).sort()).toEqual([limit, posted, stop].map(ids).sort());
  expect(await second.positions(null, OPTIONS)).toMatchObject([
    { qty: "0.01", positionSide: "long" },
  ]);
  const { net, transfers } = await demo.totals();
  expect((await second.balances(OPTIONS))[0]?.total).toBe(add(net, transfers));

  const third = await demo.takeOver();
  expect(await demo.alive()).toEqual([limit.id, posted.id, stop.id]);
  expect((await third.openOrders(null, OPTIONS)).map(ids).sort()).toEqual(resting.map(ids).sort());
}, 30_000);

test("legs of an account in hedge mode are apart again after a restart, each with its stop", async () => {
  const demo = await demoCase("hedge");
  const first = await demo.takeOver();
  const legs = { long: "buy", short: "sell" } as const;
  for (const leg of ["long", "short"] as const) {
    await demo.send(first, { kind: "market" }, { leg, positionSide: leg, side: legs[leg] });
  }
  await demo.book(first);
  const { bid } = await first.topOfBook(SYMBOL, OPTIONS);
  for (const leg of ["long", "short"] as const) {
    const share = decimal(leg === "long" ? "0.9" : "1.1");
    const triggerPrice = decimal(Math.round(Number(multiply(bid, share))));
    const direction = leg === "long" ? "falling" : "rising";
    const terms = { kind: "trigger", triggerPrice, direction, price: null } as const;
    const side = leg === "long" ? "sell" : "buy";
    await demo.send(first, terms, { leg, positionSide: leg, side, isReduceOnly: true });
  }
  const shown = async (broker: Broker) => [
    (await broker.positions(null, OPTIONS))
      .map(({ mode, positionSide, qty, averagePrice }) => [mode, positionSide, qty, averagePrice])
      .sort(),
    (await broker.openOrders(null, OPTIONS))
      .map(({ exchangeOrderId, positionSide, triggerPrice }) => [
        ...[exchangeOrderId, positionSide, triggerPrice],
      ])
      .sort(),
  ];
  const before = await shown(first);
  const second = await demo.takeOver();
  expect(await second.positionMode(SYMBOL, OPTIONS)).toBe("hedge");
  expect(await shown(second)).toEqual(before);
}, 30_000);

test("what was reported as executed and never told is booked before the account is opened", async () => {
  const demo = await demoCase();
  const first = await demo.takeOver();
  const bought = await demo.send(first, { kind: "market" });
  const reported = { event: "reported_filled", reportedFilledQty: bought.qty } as const;
  await demo.tell(bought, reported);
  // Without the price of its minute nothing is opened; it is tried again later.
  await expect(demo.takeOver()).rejects.toThrow("is not known yet");
  demo.prices.push(decimal("60000.123456789123"));
  const second = await demo.takeOver();
  expect(await second.positions(null, OPTIONS)).toMatchObject([
    { qty: "0.01", positionSide: "long", averagePrice: "60000.12346" },
  ]);
  // It counts fewer places than shares of money in the rows have.
  expect((await second.balances(OPTIONS))[0]?.total).toBe(decimal("9999.699999382716"));
  expect(await demo.rowOf(bought)).toMatchObject({ status: "filled", filledQty: "0.01" });
  expect(await demo.totals()).toMatchObject({ fees: "-0.300000617283945615", estimated: 1 });
  await demo.takeOver();
  expect(await demo.totals()).toMatchObject({ fees: "-0.300000617283945615", estimated: 1 });
}, 30_000);

test("a lost execution is booked at the order's own price, of what it lacks, and only once it is over", async () => {
  const store = createSimulatedStore(nextStatus, () => 1000);
  const scope: Scope = { workspaceId: 1 as WorkspaceId, userId: null, role: "owner" };
  const rows = store.store;
  const taken = await rows.takeLease(scope, store.addAccount(scope), "w", 60_000, false);
  if (!taken.ok) throw new Error(taken.detail);
  const guard = taken.value;
  const limit = { kind: "limit", price: decimal("100") } as const;
  const place = [0, 1, 2].map((n) =>
    anIntent({ clientOrderId: idOf(guard, n), targetKey: `k${n}`, terms: limit, qty: decimal(2) }),
  );
  const batch = { place, send: [] };
  const written = await rows.commitIntents(scope, guard, await rows.epoch(scope), batch, 1000);
  if (!written.ok) throw new Error(written.detail);
  const [filled, cut, open] = written.value;
  const tell = async (intent: StoredIntent | undefined, news: IntentNews) => {
    if (!intent) throw new Error("an order is missing");
    expect((await rows.recordNews(scope, guard, intent.id, news, 2000)).ok).toBe(true);
  };
  for (const [n, intent] of [filled, cut, open].entries()) {
    await tell(intent, { event: "accepted", exchangeOrderId: `x${n}` });
  }
  const one = aFill({ exchangeOrderId: "x0", tradeId: "7", price: decimal("99"), at: 1500 });
  expect((await rows.recordFill(scope, guard, one)).ok).toBe(true);
  await tell(filled, { event: "reported_filled", reportedFilledQty: decimal(2) });
  await tell(cut, { event: "cancelled", reportedFilledQty: decimal("0.5") });
  await tell(open, { event: "listed", reportedFilledQty: decimal("0.3") });
  const takeOver = {
    ...{ store: rows, scope, guard, fees: FEES },
    priceAt: () => Promise.reject(new Error("the order tells its price")),
    contractSizeOf: async () => decimal("0.1"),
  };
  for (let count = 0; count < 2; count++) await bookLostFills(takeOver);
  const fills = await rows.fills(scope, guard.accountId, filled?.symbol ?? "");
  expect(fills.map(({ tradeId, price, qty, fee }) => [tradeId, price, qty, fee?.amount])).toEqual([
    ["7", decimal("99"), decimal(1), decimal("0.05")],
    [`lost-${filled?.id}`, decimal("100"), decimal(1), decimal("0.002")],
    [`lost-${cut?.id}`, decimal("100"), decimal("0.5"), decimal("0.001")],
  ]);
});

test("a bot whose place in the queue was lost places again, and the books agree", async () => {
  const session = await openSession();
  try {
    const { database, clock, trading, scope, accountId, venue } = session;
    const { exchange, opened } = takeOversAt(venue);
    const { general, ...rest } = demoConfig();
    const maker = { entry_order_style: "maker_or_cancel", bbo_queue_level: 5 } as const;
    const strategy: Json = eagerStrategy({ ...rest, general: { ...general, ...maker } });
    const bot = await session.addBot({ config: botConfig(strategy), sides: ["long", "short"] });
    const start = async (name: string) => {
      const sql = connect(database.target);
      const live = composeLive({
        ...{ sql, target: database.target, clock, log: silentLog, instance: 7, name },
        key: new Uint8Array(32).fill(7),
        lease: { ttlMs: 240_000, renewEveryMs: 60_000 },
        demo: async () => exchange,
        loopbackUrls: { demo: venue.url, woox: venue.url },
      });
      live.start();
      return async () => {
        await live.stop();
        await sql.end({ timeout: 1 });
      };
    };
    const queued = async () => {
      const recent = await trading.recentIntents(scope, accountId, { owner: null, limit: 50 });
      return recent.filter(({ terms }) => terms.kind === "queue");
    };
    // Stopped while one rests; it may be executed in the last moment.
    let lost: StoredIntent | undefined;
    for (let life = 1; life <= LIVES_MAX && lost === undefined; life++) {
      const stop = await start(`before ${life}`);
      const resting = async () => (await queued()).find(({ status }) => status === "open");
      await session.until(
        "an order rests in the queue",
        async () => (await resting()) !== undefined,
      );
      await stop();
      lost = await resting();
    }
    if (lost === undefined) throw new Error("no order was resting at any stop");
    const { id } = lost;
    const stop = await start("after");
    await session.until("another one is placed", async () =>
      (await queued()).some((intent) => intent.id > id),
    );
    await session.bots.wish(scope, bot.id, { action: "flatten" }, clock.now());
    await session.until("it is paused", async () => {
      return (await session.bots.find(scope, bot.id))?.status === "paused";
    });
    await stop();
    const ended = (await queued()).find((intent) => intent.id === id);
    expect(ended).toMatchObject({ status: "cancelled", filledQty: "0" });
    expect(ended?.detail).toContain("began anew");
    const account = opened.at(-1);
    if (!account) throw new Error("no account was opened");
    const { net, transfers } = await trading.totals(scope, accountId, { sinceAt: 0, owner: null });
    expect(await trading.holdings(scope, accountId)).toEqual([]);
    expect([...account.legs.values()].filter(({ lots }) => lots !== 0)).toEqual([]);
    expect(decimal(moneyText(account.wallet))).toBe(add(net, transfers));
  } finally {
    await session.close();
  }
}, 60_000);
