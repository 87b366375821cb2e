// Funding of a paper account: exchanged once per instant on what was held then, at the price of then; put off
// while rate or price are not known, whatever happens meanwhile, a restart included.
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { FundingRate, FundingSource } from "../../../src/adapters/paper/paper-funding.ts";
import { paperSeed } from "../../../src/adapters/paper/paper-seed.ts";
import { add, type Decimal, decimal, multiply, subtract } from "../../../src/model/decimal.ts";
import { HOUR_MS, MINUTE_MS } from "../../../src/model/time.ts";
import type { Broker, NewOrder, OrderTerms } from "../../../src/ports/broker.ts";
import type { Log } from "../../../src/ports/log.ts";
import {
  anOrder,
  BTC,
  limit,
  OPTIONS,
  type PaperBench,
  paperBench,
  placed,
  START,
} from "../../support/paper-market.ts";
import { silentLog } from "../../support/silent-log.ts";
import { bookkeeper, inMemory, MONEY } from "./paper-rows.ts";

const market: OrderTerms = { kind: "market" };
const ONE_PM = START + HOUR_MS;
const TWO_PM = START + 2 * HOUR_MS;

/** An exchange that tells rates and prices when the test says so. */
function mouth(rates: FundingRate[] = []) {
  const state = {
    rates,
    prices: new Map<number, Decimal>(),
    /** Nothing before this instant is told late. */
    completeTo: 0,
    asked: [] as number[],
    failure: null as Error | null,
  };
  const source: FundingSource = {
    async rates(_symbol, { from, to }) {
      state.asked.push(from);
      if (state.failure !== null) throw state.failure;
      const told = state.rates.filter(({ at }) => at >= from && at < to);
      return { rates: told, completeTo: Math.max(from, state.completeTo) };
    },
    priceAt: async (_symbol, at) => state.prices.get(at) ?? null,
  };
  return { source, state };
}

const fixing = (at: number, rate: string): FundingRate => ({ at, rate: decimal(rate) });

async function payments(broker: Broker) {
  const told = await broker.fundingSince({ symbol: BTC, sinceAt: 0 }, OPTIONS);
  return told.map(({ id, amount }) => [id, amount]);
}

async function total(broker: Broker) {
  return (await broker.balances(OPTIONS))[0]?.total;
}

const sell = (qty: string): NewOrder => anOrder(market, { side: "sell", qty: decimal(qty) });

/** Time passes, the price moves with it. */
async function pass(bench: PaperBench, toAt: number, price: number): Promise<void> {
  bench.now = toAt;
  bench.price(price);
  await bench.look();
}

test("it is exchanged once per instant, on what was held then and at the price of then", async () => {
  const { source, state } = mouth([fixing(ONE_PM, "0.001"), fixing(TWO_PM, "-0.002")]);
  state.prices.set(ONE_PM, decimal("101")).set(TWO_PM, decimal("110"));
  const bench = paperBench({ funding: source });
  await placed(bench.broker, anOrder(market));
  await pass(bench, ONE_PM + 5000, 150);
  await placed(bench.broker, sell("3"));
  await pass(bench, TWO_PM + MINUTE_MS, 150);
  const expected = [
    [`funding-${ONE_PM}`, decimal("-0.101")],
    [`funding-${TWO_PM}`, decimal("-0.44")],
  ];
  expect(await payments(bench.broker)).toEqual(expected as never);
  await bench.look(10 * MINUTE_MS);
  expect(await payments(bench.broker)).toEqual(expected as never);
  // Bought at 100, sold three at 150: 50 won, fees of 0.05 and 0.225, 0.541 of funding.
  expect(await total(bench.broker)).toBe(decimal("10049.184"));
});

test("a rate that is not there yet is waited for, and paid on what was held, not on what is", async () => {
  const { source, state } = mouth();
  state.prices.set(ONE_PM, decimal("100"));
  const bench = paperBench({ funding: source });
  await placed(bench.broker, anOrder(market, { qty: decimal("2") }));
  await pass(bench, ONE_PM + 1000, 100);
  await placed(bench.broker, sell("2"));
  const before = await total(bench.broker);
  await pass(bench, ONE_PM + 2 * MINUTE_MS, 100);
  expect(await payments(bench.broker)).toEqual([]);
  expect(await total(bench.broker)).toBe(before as Decimal);
  state.rates.push(fixing(ONE_PM, "0.001"));
  bench.now += 5 * MINUTE_MS;
  expect(await payments(bench.broker)).toEqual([[`funding-${ONE_PM}`, decimal("-0.2")]] as never);
  expect(await total(bench.broker)).toBe(subtract(before as Decimal, decimal("0.2")));
});

test("a price that is not known holds back its payment and all later ones", async () => {
  const { source, state } = mouth([fixing(ONE_PM, "0.001"), fixing(TWO_PM, "0.001")]);
  state.prices.set(TWO_PM, decimal("100"));
  const bench = paperBench({ funding: source });
  await placed(bench.broker, anOrder(market));
  await pass(bench, TWO_PM + 1000, 100);
  expect(await payments(bench.broker)).toEqual([]);
  state.prices.set(ONE_PM, decimal("90"));
  bench.now += 5 * MINUTE_MS;
  expect((await payments(bench.broker)).map(([, amount]) => amount)).toEqual([
    decimal("-0.09"),
    decimal("-0.1"),
  ]);
});

test("while nobody answers everything else goes on, it is told once, and paid when the answer comes", async () => {
  const told: string[] = [];
  const log: Log = { ...silentLog, warn: (line: string) => void told.push(line) };
  const { source, state } = mouth([fixing(ONE_PM, "0.001")]);
  state.prices.set(ONE_PM, decimal("100"));
  state.failure = new Error("it is down");
  const bench = paperBench({ funding: source, log });
  await placed(bench.broker, anOrder(market));
  for (let minutes = 0; minutes < 30; minutes++) {
    await pass(bench, ONE_PM + minutes * MINUTE_MS, 100);
    await payments(bench.broker);
  }
  expect(told).toEqual(["funding did not arrive; it is asked for again"]);
  await placed(bench.broker, anOrder(limit(90)));
  expect(await bench.broker.openOrders(BTC, OPTIONS)).toHaveLength(1);
  state.failure = null;
  bench.now += 15 * MINUTE_MS;
  expect(await payments(bench.broker)).toHaveLength(1);
});

test("orders, stops and reads do not wait for a source that never answers", async () => {
  const { source } = mouth();
  const hanging: FundingSource = { ...source, rates: () => new Promise(() => undefined) };
  const bench = paperBench({ funding: hanging });
  await placed(bench.broker, anOrder(market));
  await pass(bench, ONE_PM, 100);
  await placed(bench.broker, sell("1"));
  expect(await bench.broker.positions(null, OPTIONS)).toEqual([]);
});

test("nothing is asked while nothing was held over a full hour, and less and less within one", async () => {
  const { source, state } = mouth();
  const bench = paperBench({ funding: source });
  for (let hour = 0; hour < 3; hour++) {
    await placed(bench.broker, anOrder(market));
    await pass(bench, START + hour * HOUR_MS + 50 * MINUTE_MS, 100);
    await placed(bench.broker, sell("1"));
    await pass(bench, START + (hour + 1) * HOUR_MS + MINUTE_MS, 100);
    await payments(bench.broker);
  }
  expect(state.asked).toEqual([]);
  await placed(bench.broker, anOrder(market));
  const openedAt = bench.now;
  for (let minute = 0; minute < 180; minute++) {
    state.completeTo = bench.now - HOUR_MS;
    await pass(bench, openedAt + minute * MINUTE_MS, 100);
  }
  expect(state.asked.length).toBeGreaterThan(10);
  expect(state.asked.length).toBeLessThan(30);
  // What was answered for good is not asked for again.
  expect(state.asked.at(-1)).toBeGreaterThan(openedAt + HOUR_MS);
});

test("legs of a hedge account pay on what they are together, and nothing when they cancel out", async () => {
  const { source, state } = mouth([fixing(ONE_PM, "0.001"), fixing(TWO_PM, "0.001")]);
  state.prices.set(ONE_PM, decimal("100")).set(TWO_PM, decimal("100"));
  const bench = paperBench({ funding: source, terms: { positionMode: "hedge" } });
  const short = { side: "sell", positionSide: "short" } as const;
  await placed(bench.broker, anOrder(market, { positionSide: "long", qty: decimal("3") }));
  await placed(bench.broker, anOrder(market, short));
  await pass(bench, ONE_PM + 2 * MINUTE_MS, 100);
  await placed(bench.broker, anOrder(market, { ...short, qty: decimal("2") }));
  await pass(bench, TWO_PM + 2 * MINUTE_MS, 100);
  expect(await payments(bench.broker)).toEqual([[`funding-${ONE_PM}`, decimal("-0.2")]] as never);
});

test("a market without funding says so and exchanges nothing", async () => {
  const bench = paperBench();
  await placed(bench.broker, anOrder(market));
  await pass(bench, TWO_PM, 100);
  expect(bench.broker.capabilities.fundingPayments).toBe(false);
  expect(await payments(bench.broker)).toEqual([]);
});

test("a list of payments that lost its oldest is not told as a whole one", async () => {
  const rates = Array.from({ length: 20_010 }, (_, n) => fixing(ONE_PM + n, "0.0000001"));
  const { source } = mouth(rates);
  const priced = { ...source, priceAt: async () => decimal("100") };
  const bench = paperBench({ funding: priced });
  await placed(bench.broker, anOrder(market));
  await pass(bench, ONE_PM + MINUTE_MS, 100);
  const last = rates.at(-1)?.at ?? 0;
  const since = (sinceAt: number) => bench.broker.fundingSince({ symbol: BTC, sinceAt }, OPTIONS);
  expect((await since(last)).map(({ at }) => at)).toEqual([last]);
  await expect(since(0)).rejects.toMatchObject({ kind: "incomplete" });
  // Trades are another list.
  expect(await bench.broker.tradesSince({ symbol: BTC, sinceAt: 0 }, OPTIONS)).toHaveLength(1);
});

test("started again after an unpaid instant, the position of then pays, also when it was closed since", async () => {
  for (const isClosed of [false, true]) {
    const rows = await inMemory();
    const { source, state } = mouth([fixing(ONE_PM, "0.001")]);
    state.prices.set(ONE_PM, decimal("100")).set(TWO_PM, decimal("100"));
    const bench = paperBench({ funding: source, balance: MONEY });
    const keeper = bookkeeper(rows);
    await keeper.send(bench.broker, anOrder(market), bench.now);
    await pass(bench, ONE_PM + 2 * MINUTE_MS, 100);
    expect(await keeper.noteFunding(bench.broker)).toBe(1);
    await pass(bench, TWO_PM + 1000, 100);
    await keeper.send(bench.broker, sell(isClosed ? "1" : "0.4"), bench.now);
    await keeper.note(bench.broker, bench.now);
    const { store, scope, lease } = rows;
    const again = bench.restarted(await paperSeed(store, scope, lease.accountId, decimal(MONEY)));
    state.rates.push(fixing(TWO_PM, "0.002"));
    bench.now += 2 * MINUTE_MS;
    bench.price(100);
    expect(await payments(again)).toEqual([[`funding-${TWO_PM}`, decimal("-0.2")]] as never);
    expect(await keeper.noteFunding(again)).toBe(1);
    expect(await keeper.noteFunding(again)).toBe(0);
    const third = bench.restarted(await paperSeed(store, scope, lease.accountId, decimal(MONEY)));
    bench.now += 10 * MINUTE_MS;
    bench.price(100);
    expect(await payments(third)).toEqual([]);
    expect(await total(third)).toBe((await total(again)) as Decimal);
  }
});

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("trade" as const),
        side: fc.constantFrom("buy" as const, "sell" as const),
        tenths: fc.integer({ min: 1, max: 30 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("wait" as const),
        minutes: fc.integer({ min: 1, max: 90 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
  ),
  { minLength: 5, maxLength: 40 },
);

test("whatever is traded, told late and started again, the rows hold exactly what was due", async () => {
  const rateAt = (hour: number) => decimal((((hour * 7) % 11) - 5) / 10_000);
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 0, max: 50 }), async (life, lateMin) => {
      const rows = await inMemory();
      const { store, scope, lease } = rows;
      const keeper = bookkeeper(rows);
      const source: FundingSource = {
        async rates(_symbol, { from, to }) {
          const told: FundingRate[] = [];
          const untilAt = Math.min(to, bench.now - lateMin * MINUTE_MS);
          for (let hour = Math.ceil(from / HOUR_MS); hour * HOUR_MS < untilAt; hour++) {
            // Every second hour is no instant of this exchange.
            if (hour % 2 === 0) told.push({ at: hour * HOUR_MS, rate: rateAt(hour) });
          }
          return { rates: told, completeTo: Math.max(from, untilAt) };
        },
        priceAt: async () => decimal("100"),
      };
      const bench = paperBench({ funding: source, balance: MONEY, terms: { leverage: 100 } });
      bench.now = START + 7 * MINUTE_MS;
      let broker = bench.broker;
      let held = decimal(0);
      let due = decimal(0);
      const wait = async (minutes: number) => {
        for (let n = 0; n < minutes; n++) {
          const before = Math.floor(bench.now / HOUR_MS);
          bench.now += MINUTE_MS;
          const hour = Math.floor(bench.now / HOUR_MS);
          if (hour === before || hour % 2 !== 0) continue;
          due = subtract(due, multiply(multiply(held, decimal("100")), rateAt(hour)));
        }
        bench.price(100);
        await keeper.note(broker, bench.now);
        await keeper.noteFunding(broker);
      };
      for (const step of life) {
        if (step.kind === "wait") await wait(step.minutes);
        else if (step.kind === "restart") {
          const seed = await paperSeed(store, scope, lease.accountId, decimal(MONEY));
          broker = bench.restarted(seed);
        } else {
          const qty = decimal(step.tenths / 10);
          bench.now += 1;
          bench.price(100);
          await keeper.send(broker, anOrder(market, { side: step.side, qty }), bench.now);
          await keeper.note(broker, bench.now);
          held = step.side === "buy" ? add(held, qty) : subtract(held, qty);
        }
      }
      // More than an hour after the last instant everything that was put off has come.
      const isOver = () => (bench.now / HOUR_MS) % 2 > 1.2;
      for (let n = 0; n < 20 || !isOver(); n++) await wait(7);
      const totals = await store.totals(scope, lease.accountId, { sinceAt: 0, owner: null });
      expect(totals.funding).toBe(due);
    }),
    { numRuns: 60, seed: 4 },
  );
}, 20_000);
