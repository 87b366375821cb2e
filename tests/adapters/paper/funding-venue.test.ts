// Funding of a paper account by the public data of a running exchange over loopback, booked into the rows of the
// real database by the ordinary way, and started again between an instant and its payment.
import { afterEach, expect, onTestFinished, test } from "bun:test";
import { createMarketData } from "../../../src/adapters/ccxt/market-data.ts";
import { createPriceFeeds } from "../../../src/adapters/ccxt/price-feed.ts";
import { createFundingSource } from "../../../src/adapters/paper/funding-source.ts";
import { createPaperBroker } from "../../../src/adapters/paper/paper-broker.ts";
import { paperSeed } from "../../../src/adapters/paper/paper-seed.ts";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import type { Sql } from "../../../src/adapters/postgres/connect.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { createRateLimiter } from "../../../src/adapters/resilience/rate-limiter.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import { add, type Decimal, decimal, multiply, subtract } from "../../../src/model/decimal.ts";
import type { FundingSeries } from "../../../src/model/candle.ts";
import { HOUR_MS, MINUTE_MS } from "../../../src/model/time.ts";
import type { Broker } from "../../../src/ports/broker.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { HistoryPage } from "../../../src/ports/market-data.ts";
import { rulesOf, termsOf } from "../../support/paper-market.ts";
import { type ReconcileLab, startReconcileLab, SYMBOL } from "../../support/reconcile-lab.ts";
import { silentLog } from "../../support/silent-log.ts";
import { testDatabase, testScope } from "../../support/test-database.ts";
import { START, stopLabs } from "../../venue/lab.ts";

const SIGNAL = new AbortController().signal;
const MONEY = decimal("10000");
const NINE = START + 50 * MINUTE_MS;
afterEach(stopLabs);

/** A paper account whose market is a running exchange that settles every hour. */
async function paperAtVenue(sql: Sql) {
  const scope = await testScope(sql, "ann");
  const account = { name: "Paper", exchangeId: "woox", mode: "paper" } as const;
  const made = await createAccountRepository(sql).create(scope, account, null, START);
  if (!made.ok) throw new Error(made.detail);
  const accountId = made.value.id;
  const store = createTradingRepository(sql, nextStatus);
  const loopbackUrls: Record<string, string> = {};
  const time = { at: START };
  const clock: Clock = {
    now: () => time.at,
    monotonicMs: () => time.at,
    sleep: () => Promise.resolve(),
  };
  const parts = { clock, log: silentLog, loopbackUrls };
  const data = createMarketData(parts);
  const limiter = createRateLimiter({ clock });
  const marketOf = (symbol: string) => data.normaliseMarket("woox", symbol, "perps");
  const open = async () =>
    createPaperBroker(
      {
        ...{ clock, log: silentLog, terms: termsOf(), lookEveryMs: 0 },
        prices: createPriceFeeds({ ...parts, limiter })("woox", "perps"),
        rules: async () => rulesOf(SYMBOL, { priceTick: decimal("0.5"), qtyStep: decimal("0.01") }),
        funding: createFundingSource({ data, marketOf }),
      },
      await paperSeed(store, scope, accountId, MONEY),
    );
  let broker = await open();
  const lab = await startReconcileLab({
    rows: { store, scope, accountId },
    venue: { spec: { fundingIntervalHours: 1 } },
    broker: () => doorTo(() => broker),
  });
  loopbackUrls.woox = lab.lab.venue.url;
  return {
    lab,
    totals: () => store.totals(scope, accountId, { sinceAt: 0, owner: null }),
    ledger: () => store.ledger(scope, accountId, 100),
    async goTo(at: number) {
      await lab.lab.step(at - lab.lab.x.now);
      time.at = at;
    },
    async restart() {
      broker = await open();
      lab.restart();
    },
    funding: async () => (await lab.ingest.funding(SYMBOL, SIGNAL)).booked,
    trade: (side: "buy" | "sell", qty: string) => traded(lab, side, qty),
  };
}

/** A broker that is always the present one. */
function doorTo(present: () => Broker): Broker {
  const first = present();
  return {
    ...first,
    place: (...call) => present().place(...call),
    tradesSince: (...call) => present().tradesSince(...call),
    fundingSince: (...call) => present().fundingSince(...call),
    serverTime: (...call) => present().serverTime(...call),
    feeRates: (...call) => present().feeRates(...call),
  };
}

async function traded(lab: ReconcileLab, side: "buy" | "sell", qty: string): Promise<void> {
  await lab.send({ side, qty, isReduceOnly: side === "sell" });
  expect((await lab.ingest.trades(SYMBOL, null, SIGNAL)).booked).toBe(1);
}

/** What a long pays by the exchange's own books. */
function dueOf({ lab }: ReconcileLab, at: number, qty: string, price: string): Decimal {
  const rateE8 = lab.market.fixings.find((fixing) => fixing.at === at)?.rateE8;
  if (rateE8 === undefined) throw new Error("the exchange did not settle then");
  const rate = multiply(decimal(String(rateE8)), decimal("0.00000001"));
  return subtract(decimal(0), multiply(multiply(decimal(qty), decimal(price)), rate));
}

test("funding is booked once by the exchange's rate, also over a restart", async () => {
  const database = await testDatabase();
  onTestFinished(() => database.drop());
  const paper = await paperAtVenue(database.sql);
  const { lab } = paper;
  await paper.trade("buy", "2");
  await paper.goTo(START + 10 * MINUTE_MS);
  await lab.lab.price("110");
  await paper.goTo(NINE + 30_000);
  // Its rate is published, the price of its minute is not known before the minute is over.
  expect(lab.lab.market.fixings.at(-1)?.at).toBe(NINE);
  expect(await paper.funding()).toBe(0);
  await paper.goTo(NINE + 2 * MINUTE_MS);
  expect(await paper.funding()).toBe(1);
  const first = dueOf(lab, NINE, "2", "110");
  expect((await paper.totals()).funding).toBe(first);
  await paper.goTo(NINE + 10 * MINUTE_MS);
  expect(await paper.funding()).toBe(0);

  await paper.goTo(NINE + HOUR_MS + 20_000);
  await paper.trade("sell", "2");
  await paper.restart();
  await paper.goTo(NINE + HOUR_MS + 2 * MINUTE_MS);
  expect(await paper.funding()).toBe(1);
  const second = dueOf(lab, NINE + HOUR_MS, "2", "110");
  expect((await paper.totals()).funding).toBe(add(first, second));
  const entries = (await paper.ledger()).filter(({ kind }) => kind === "funding");
  expect(entries.map(({ at, owner, amount }) => [at, owner, amount])).toEqual([
    [NINE + HOUR_MS, "bot:1", second],
    [NINE, "bot:1", first],
  ]);

  await paper.goTo(NINE + 4 * HOUR_MS);
  await paper.restart();
  expect(await paper.funding()).toBe(0);
}, 20_000);

const MARKET = { exchangeId: "woox", symbol: SYMBOL, kind: "perps" } as const;
const none = new Float64Array(0);
type Page = HistoryPage<FundingSeries>;

/** A page without rates. */
function aPage(change: Partial<Page> = {}): Page {
  const series = { length: 0, at: none, rate: none };
  const range = { from: 0, to: 10 };
  return { series, covered: range, settled: { from: 0, to: 5 }, rejected: [], ...change };
}

/** A source over these pages; its candles end a minute before what is asked for. */
function sourceOf(pages: readonly Page[]) {
  return createFundingSource({
    data: {
      async *funding() {
        yield* pages;
      },
      async *candles({ range }) {
        const columns = { open: none, high: none, low: none, close: none, volume: none };
        yield {
          series: { length: 0, openAt: none, ...columns },
          covered: { from: range.from, to: range.to - MINUTE_MS },
          settled: { from: range.from, to: range.from },
          rejected: [],
        };
      },
    },
    marketOf: () => MARKET,
  });
}

test("a rate that could not be read holds back all later ones", async () => {
  const at = Float64Array.of(1, 2, 4);
  const series = { length: 3, at, rate: Float64Array.of(0.1, 0.2, 0.4) };
  const rejected = [{ openAt: 3, reason: "no number" }];
  const later = aPage({ covered: { from: 10, to: 20 }, settled: { from: 10, to: 20 } });
  const source = sourceOf([aPage({ series, rejected }), later]);
  expect(await source.rates(SYMBOL, { from: 0, to: 20 }, SIGNAL)).toEqual({
    rates: [
      { at: 1, rate: decimal("0.1") },
      { at: 2, rate: decimal("0.2") },
    ],
    completeTo: 3,
  });
});

test("nothing is complete beyond the first stretch that may still be told", async () => {
  const later = aPage({ covered: { from: 10, to: 20 }, settled: { from: 10, to: 10 } });
  const answer = await sourceOf([aPage(), later]).rates(SYMBOL, { from: 0, to: 20 }, SIGNAL);
  expect(answer).toEqual({ rates: [], completeTo: 5 });
});

test("the price of a minute that is not over is not known", async () => {
  expect(await sourceOf([]).priceAt(SYMBOL, 5 * MINUTE_MS, SIGNAL)).toBeNull();
});
