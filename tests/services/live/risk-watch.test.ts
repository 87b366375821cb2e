// The risk of an account as it is watched: losses that are open or booked, limits that stay reached over restarts and
// midnight, room for orders, and what happens while something cannot be read. The real simulated exchange and rows.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { DAY_MS } from "../../../src/model/time.ts";
import { resetLatch } from "../../../src/services/live/limit-latch.ts";
import type { RiskWatch } from "../../../src/services/live/risk-watch.ts";
import { type TestDatabase, testDatabase } from "../../support/test-database.ts";
import { SYMBOL } from "../../support/reconcile-lab.ts";
import { stopLabs } from "../../venue/lab.ts";
import { entryIntent, type RiskCase, riskCase, usd } from "./risk-case.ts";

const TIMEOUT_MS = 60_000;
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
}, TIMEOUT_MS);
afterAll(() => database.drop());
afterEach(stopLabs);

const blockOf = (watch: RiskWatch, { bot }: RiskCase) => watch.block(bot.id);
const signal = new AbortController().signal;

/** A long of 10 at 100 that lost about 20. */
async function losing(one: RiskCase): Promise<void> {
  await one.trade({ qty: "10" });
  await one.lab.lab.price("98");
}

describe("before anything was read", () => {
  test("everything is blocked and nothing has room", async () => {
    const one = await riskCase(database);
    const watch = await one.watch();
    expect(blockOf(watch, one)).toContain("not looked at yet");
    expect(watch.check(one.bot, entryIntent(1))).toBe("ACCOUNT_UNKNOWN");
    expect(watch.figures()).toBeNull();
  });
});

describe("a loss", () => {
  test("that is only open reaches the limit of the day, once, and the room comes back at midnight", async () => {
    const one = await riskCase(database);
    const watch = await one.watch();
    await one.limit({ maxDailyLossUsd: usd("15") });
    await one.look(watch);
    expect(blockOf(watch, one)).toBeNull();
    await losing(one);
    await one.look(watch, true);
    await one.look(watch, true);
    expect(blockOf(watch, one)).toContain("of 15 allowed: nothing is opened until 00:00 UTC");
    expect(one.lab.kinds().filter((kind) => kind === "account_risk_block")).toHaveLength(1);
    await one.lab.lab.price("100");
    await one.look(watch, true);
    expect(blockOf(watch, one)).toContain("of 15 allowed");
    await one.lab.lab.step(DAY_MS);
    await one.look(watch);
    expect(blockOf(watch, one)).toBeNull();
    const { sentence } = one.lab.events.at(-1) ?? {};
    expect(sentence).toBe("Main: the limit on daily loss holds nothing back any more.");
  });

  test("that was booked counts with its fees, and equity, balance and gross exposure are told", async () => {
    const one = await riskCase(database);
    const watch = await one.watch();
    await losing(one);
    await one.trade({ side: "sell", qty: "4", isReduceOnly: true });
    await one.look(watch, true);
    const { store, scope, accountId } = one.lab;
    const { net, fees } = await store.totals(scope, accountId, { sinceAt: 0, owner: null });
    expect(Number(fees)).toBeLessThan(0);
    const figures = watch.figures();
    const open = Number(figures?.unrealised);
    expect(Number(figures?.pnlToday)).toBeCloseTo(Number(net) + open, 8);
    expect(figures?.pnlTotal).toBe(figures?.pnlToday ?? usd("0"));
    expect(Number(figures?.equity)).toBeCloseTo(10_000 + Number(net) + open, 6);
    expect(Number(figures?.walletBalance)).toBeCloseTo(10_000 + Number(net), 6);
    expect(Number(figures?.grossExposure)).toBeCloseTo(6 * 98, 0);
    expect(figures?.asset).toBe("USDT");
  });

  test("in total outlives a restart and a better price, and ends when a person resets it", async () => {
    const one = await riskCase(database);
    await one.limit({ maxTotalLossUsd: usd("15") });
    await losing(one);
    await one.look(await one.watch());
    await one.lab.lab.price("100");
    await one.lab.lab.step(2 * DAY_MS);
    const watch = await one.watch();
    await one.look(watch);
    expect(blockOf(watch, one)).toContain("until somebody resets it");
    const { scope, accountId } = one.lab;
    const kinds = ["total_loss"] as const;
    const reset = { accountId, botId: null, kinds };
    expect((await resetLatch(one.settings, scope, reset, 1)).ok).toBe(true);
    watch.hurry();
    await one.look(watch);
    expect(blockOf(watch, one)).toBeNull();
    expect(one.lab.kinds().filter((kind) => kind === "account_risk_block")).toHaveLength(2);
  });

  test("that could not be written down blocks all the same and is written later", async () => {
    const one = await riskCase(database);
    await one.limit({ maxTotalLossUsd: usd("15") });
    await losing(one);
    let isAway = true;
    const { settings } = one;
    const watch = await one.watch({
      settings: {
        read: settings.read,
        write: (...call) => (isAway ? Promise.reject(new Error("away")) : settings.write(...call)),
      },
    });
    await one.look(watch);
    expect(blockOf(watch, one)).toContain("USD of 15 allowed");
    await one.lab.lab.price("100");
    isAway = false;
    await one.look(watch);
    const again = await one.watch();
    await one.look(again);
    expect(blockOf(again, one)).toContain("USD of 15 allowed");
  });

  test("that is reached right after a new high is written down at once", async () => {
    const one = await riskCase(database);
    await one.limit({ maxTotalLossUsd: usd("15") });
    const watch = await one.watch();
    await one.trade({ qty: "10" });
    await one.lab.lab.price("105");
    await one.look(watch, true);
    await one.lab.lab.price("98");
    await one.look(watch);
    await one.lab.lab.price("100");
    const again = await one.watch();
    await one.look(again);
    expect(blockOf(again, one)).toContain("USD of 15 allowed");
  });

  test("is known again at once when a new day begins", async () => {
    const one = await riskCase(database);
    await one.limit({ maxDailyLossUsd: usd("15") });
    const watch = await one.watch();
    const { lab } = one.lab;
    await lab.step(DAY_MS - (lab.x.now % DAY_MS) - 2000);
    await one.look(watch);
    await lab.step(4000);
    await one.look(watch);
    expect(blockOf(watch, one)).toBeNull();
  });

  test("of one bot blocks that bot alone", async () => {
    const limits = { maxOrderQty: null, maxOrderNotional: null, maxOpenOrders: null };
    const config = {
      allocation: usd("100"),
      limits: { ...limits, maxPositionNotional: null, maxDrawdownPct: usd("15") },
    };
    const one = await riskCase(database, { config });
    const watch = await one.watch();
    await losing(one);
    await one.look(watch, true);
    expect(blockOf(watch, one)).toContain("below its highest, 15 % allowed");
    expect(watch.isTripped(one.bot.id)).toBe(true);
    const other = (one.bot.id + 1) as typeof one.bot.id;
    expect(watch.block(other)).toBeNull();
    expect(watch.isTripped(other)).toBe(false);
    expect(one.lab.kinds()).toContain("risk_limit_trip");
    const again = await one.watch();
    await one.lab.lab.price("100");
    await one.look(again);
    expect(blockOf(again, one)).toContain("below its highest");
  });
});

describe("what cannot be read", () => {
  test("blocks once the figures are a minute old, only where a limit asks for them", async () => {
    const one = await riskCase(database);
    const watch = await one.watch();
    await one.look(watch);
    await one.lab.lab.step(61_000);
    await watch.look(new Map(), false, signal);
    expect(blockOf(watch, one)).toBeNull();
    await one.limit({ maxTotalLossUsd: usd("15") });
    await losing(one);
    await one.look(watch, true);
    expect(blockOf(watch, one)).toContain("USD of 15 allowed");
  });

  test("is the loss of a position without a price", async () => {
    const one = await riskCase(database);
    const watch = await one.watch();
    await one.limit({ maxTotalLossUsd: usd("500") });
    await one.trade({ qty: "1" });
    await watch.look(new Map(), true, signal);
    expect(blockOf(watch, one)).toContain(`no price of ${SYMBOL} is known`);
    expect(watch.isTripped(one.bot.id)).toBe(false);
    await one.look(watch);
    expect(blockOf(watch, one)).toBeNull();
  });

  test("is a database that went away: the watch goes on and blocks by age", async () => {
    const one = await riskCase(database);
    await one.limit({ maxTotalLossUsd: usd("500") });
    let isAway = false;
    const { store } = one.lab.deps;
    const watch = await one.watch({
      store: {
        ...store,
        totals: (...call) => (isAway ? Promise.reject(new Error("away")) : store.totals(...call)),
      },
    });
    await one.look(watch);
    isAway = true;
    await one.lab.lab.step(59_000);
    await one.look(watch, true);
    expect(blockOf(watch, one)).toBeNull();
    await one.lab.lab.step(2_000);
    await one.look(watch, true);
    expect(blockOf(watch, one)).toContain("is not known at the moment");
    expect(watch.check(one.bot, entryIntent(1))).toBe("ACCOUNT_UNKNOWN");
    isAway = false;
    await one.look(watch, true);
    expect(blockOf(watch, one)).toBeNull();
  });

  test("is a loss with bookings whose worth nobody knows", async () => {
    const one = await riskCase(database);
    await one.limit({ maxTotalLossUsd: usd("500") });
    const { store } = one.lab.deps;
    const totals: typeof store.totals = async (...call) => ({
      ...(await store.totals(...call)),
      missing: 2,
    });
    const watch = await one.watch({ store: { ...store, totals } });
    await one.look(watch);
    expect(blockOf(watch, one)).toContain("2 bookings have no known worth");
  });

  test("is a balance that got old", async () => {
    const one = await riskCase(database);
    let isAway = false;
    const { broker } = one.lab.deps;
    const balances: typeof broker.balances = (...call) =>
      isAway ? Promise.reject(new Error("no balance")) : broker.balances(...call);
    const watch = await one.watch({ broker: { ...broker, balances } });
    await one.look(watch);
    isAway = true;
    await one.lab.lab.step(60_000);
    await one.look(watch);
    expect(watch.check(one.bot, entryIntent(1))).toBeNull();
    await one.lab.lab.step(1000);
    await one.look(watch);
    expect(watch.check(one.bot, entryIntent(1))).toBe("MARGIN_UNKNOWN");
    expect(watch.freeCollateral()).toBeNull();
  });

  test("is a balance: orders have no room without one", async () => {
    const { broker: spare } = (await riskCase(database)).lab.deps;
    const one = await riskCase(database);
    const balances = () => Promise.reject(new Error("no balance"));
    const watch = await one.watch({ broker: { ...spare, balances } });
    await one.look(watch);
    expect(watch.freeCollateral()).toBeNull();
    expect(watch.check(one.bot, entryIntent(1))).toBe("MARGIN_UNKNOWN");
    expect(watch.check(one.bot, entryIntent(1, { isReduceOnly: true }))).toBeNull();
  });
});

describe("an order", () => {
  test("has room up to the exposure of the account, and the next one has what is left", async () => {
    const one = await riskCase(database);
    await one.limit({ maxGrossExposureUsd: usd("300") });
    const watch = await one.watch();
    await one.look(watch);
    expect(watch.check(one.bot, entryIntent(200))).toBeNull();
    expect(watch.check(one.bot, entryIntent(101, { key: "dca:1" }))).toBe(
      "GROSS_EXPOSURE_ABOVE_ACCOUNT_LIMIT",
    );
    expect(watch.check(one.bot, entryIntent(100, { key: "dca:1" }))).toBeNull();
  });

  test("that rests counts until it is gone, whoever remembers it", async () => {
    const one = await riskCase(database);
    await one.limit({ maxGrossExposureUsd: usd("300") });
    const terms = { kind: "limit", price: usd("90") } as const;
    const resting = await one.lab.send({ bot: one.bot.id, qty: "2", terms });
    const watch = await one.watch();
    await one.look(watch);
    const wish = entryIntent(150, { key: "dca:1" });
    expect(watch.check(one.bot, wish)).toBe("GROSS_EXPOSURE_ABOVE_ACCOUNT_LIMIT");
    watch.released(resting.id);
    expect(watch.check(one.bot, wish)).toBeNull();
  });

  test("that is kept back is told once, and again after it had room in between", async () => {
    const one = await riskCase(database);
    await one.limit({ maxGrossExposureUsd: usd("300") });
    const watch = await one.watch();
    await one.look(watch);
    const told = () => one.lab.kinds().filter((kind) => kind === "risk_limit_trip").length;
    watch.check(one.bot, entryIntent(400));
    watch.check(one.bot, entryIntent(400));
    expect(told()).toBe(1);
    const { sentence } = one.lab.events.at(-1) ?? {};
    expect(sentence).toContain("exposure of the account 400.00 of 300 allowed");
    expect(watch.denial(one.bot.id)).toBe("exposure of the account 400.00 of 300 allowed");
    watch.check(one.bot, entryIntent(100));
    expect(watch.denial(one.bot.id)).toBeNull();
    watch.check(one.bot, entryIntent(400));
    expect(told()).toBe(2);
  });

  test("never uses more margin than is free", async () => {
    const one = await riskCase(database, { venue: { account: { deposit: "100" } } });
    const watch = await one.watch();
    await one.look(watch);
    // The bot's leverage is 5: a value of 500 uses all of it.
    expect(watch.check(one.bot, entryIntent(501))).toBe("MARGIN_ABOVE_FREE");
    expect(one.lab.kinds()).toEqual(["margin_block"]);
    expect(watch.check(one.bot, entryIntent(500))).toBeNull();
    expect(watch.freeCollateral()).toBe(usd("100"));
  });

  test("sees limits its owner changed meanwhile", async () => {
    const one = await riskCase(database);
    const watch = await one.watch();
    await one.look(watch);
    await one.limit({ maxSymbolExposureUsd: usd("50") });
    watch.hurry();
    await one.look(watch);
    expect(watch.account().limits.maxSymbolExposureUsd).toBe(usd("50"));
    expect(watch.check(one.bot, entryIntent(60))).toBe("SYMBOL_EXPOSURE_ABOVE_ACCOUNT_LIMIT");
  });
});
