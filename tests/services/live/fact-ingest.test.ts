// Facts in: what is booked, from when it is asked for, and what becomes of records that cannot be booked.
// On the real simulated exchange; answers it cannot be made to give are put into the broker's mouth.
import { afterEach, describe, expect, test } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import type {
  Broker,
  FeeRates,
  FundingPayment,
  TradesQuery,
  TradeRecord,
} from "../../../src/ports/broker.ts";
import {
  limit,
  type ReconcileLab,
  type ReconcileLabOptions,
  startReconcileLab,
  SYMBOL,
} from "../../support/reconcile-lab.ts";
import { START, stopLabs } from "../../venue/lab.ts";

afterEach(stopLabs);

const SIGNAL = new AbortController().signal;
const MINUTE = 60_000;

const aRecord = (change: Partial<TradeRecord> = {}): TradeRecord => ({
  ...{ tradeId: "1", exchangeOrderId: "900", symbol: SYMBOL, side: "buy", positionSide: null },
  ...{ price: decimal("100"), qty: decimal("2"), fee: decimal("0.1"), feeAsset: "USDT" },
  ...{ liquidity: "taker", realisedPnl: null, at: START },
  ...change,
});

const aPayment = (change: Partial<FundingPayment> = {}): FundingPayment => ({
  ...{ id: "7", symbol: SYMBOL, amount: decimal("-0.5"), asset: "USDT", rate: null, at: START },
  ...change,
});

/** What the exchange says in place of its own answers, and what it was asked. */
type Mouth = {
  trades: TradeRecord[];
  payments: FundingPayment[];
  readonly asked: TradesQuery[];
  serverTime: number | null;
  fails: boolean;
};

async function labWith(
  change: Partial<Mouth> = {},
  options: ReconcileLabOptions = {},
): Promise<{ lab: ReconcileLab; mouth: Mouth }> {
  const mouth: Mouth = {
    ...{ trades: [], payments: [], asked: [], serverTime: null, fails: false },
    ...change,
  };
  const answer = <T>(query: TradesQuery, rows: readonly T[]): readonly T[] => {
    mouth.asked.push(query);
    if (mouth.fails) throw new Error("no answer");
    return rows;
  };
  const broker = (real: Broker): Broker => ({
    ...real,
    tradesSince: async (query) => answer(query, mouth.trades),
    fundingSince: async (query) => answer(query, mouth.payments),
    serverTime: async (call) => mouth.serverTime ?? (await real.serverTime(call)),
  });
  return { lab: await startReconcileLab({ broker, ...options }), mouth };
}

const trades = (lab: ReconcileLab, sinceAt: number | null = null) =>
  lab.ingest.trades(SYMBOL, sinceAt, SIGNAL);
const fillsOf = ({ store, scope, accountId }: ReconcileLab) =>
  store.fills(scope, accountId, SYMBOL);

describe("a trade", () => {
  test("is booked once, to its owner, with the exchange's fee, and whoever trades is told", async () => {
    const lab = await startReconcileLab();
    await lab.send({ qty: "0.5" });
    expect(await trades(lab)).toEqual({ booked: 1, corrected: 0, refused: [] });
    expect(await fillsOf(lab)).toMatchObject([
      { owner: "bot:1", qty: "0.5", leg: "net", settleAsset: "USDT", fee: { isEstimated: false } },
    ]);
    const writes = lab.writes();
    expect(await trades(lab)).toEqual({ booked: 0, corrected: 0, refused: [] });
    expect(lab.booked).toEqual([SYMBOL]);
    expect(lab.writes()).toBe(writes);
  });

  test("is known again after a restart, without a second booking", async () => {
    const lab = await startReconcileLab();
    await lab.send({ qty: "0.5" });
    await trades(lab);
    lab.restart();
    expect(await trades(lab)).toEqual({ booked: 0, corrected: 0, refused: [] });
    expect(await fillsOf(lab)).toHaveLength(1);
  });

  test("of nobody is booked as foreign", async () => {
    const { lab } = await labWith({ trades: [aRecord()] });
    expect((await trades(lab)).booked).toBe(1);
    expect(await fillsOf(lab)).toMatchObject([{ owner: "foreign", leg: "net" }]);
  });

  test("that took although its order was meant to rest is told with its bot", async () => {
    const { lab, mouth } = await labWith();
    const { exchangeOrderId } = await lab.send({ bot: 3, terms: { kind: "queue", level: 1 } });
    const record = { exchangeOrderId: exchangeOrderId ?? "", qty: decimal("0.4") };
    mouth.trades = [aRecord({ ...record, liquidity: "maker" })];
    await trades(lab);
    expect(lab.events).toEqual([]);
    mouth.trades = [aRecord({ ...record, tradeId: "2" })];
    await trades(lab);
    await trades(lab);
    expect(lab.events).toMatchObject([{ kind: "maker_expected", botId: 3 }]);
  });

  test("of a market whose rules are not known is not asked for", async () => {
    const { lab, mouth } = await labWith();
    const report = await lab.ingest.trades("PERP_ETH_USDT", null, SIGNAL);
    expect(report).toEqual({
      ...{ booked: 0, corrected: 0 },
      refused: ["PERP_ETH_USDT: the rules of this market are not known"],
    });
    expect(mouth.asked).toEqual([]);
  });

  test("is not booked without the lease: the look ends with an error", async () => {
    const { lab } = await labWith({ trades: [aRecord()] });
    await lab.store.takeLease(lab.scope, lab.accountId, "somebody", MINUTE, true);
    await expect(trades(lab)).rejects.toThrow("the lease is lost");
  });
});

describe("the fee of a trade", () => {
  const rates = { makerRatio: decimal("0.0002"), takerRatio: decimal("0.0005") };
  const untold = { fee: null, feeAsset: null } as const;
  const feeRates = async () => rates;

  for (const [liquidity, amount] of [
    ["maker", "0.04"],
    ["taker", "0.1"],
    [null, "0.1"],
  ] as const) {
    test(`is estimated by the rate while it is not told (${liquidity})`, async () => {
      const record = aRecord({ ...untold, liquidity });
      const { lab } = await labWith({ trades: [record] }, { ingest: { feeRates } });
      await trades(lab);
      const fee = { amount: decimal(amount), asset: "USDT", settleAmount: decimal(amount) };
      expect((await fillsOf(lab))[0]?.fee).toEqual({ ...fee, isEstimated: true });
    });
  }

  test("is replaced when it is told later", async () => {
    const { lab, mouth } = await labWith({ trades: [aRecord(untold)] }, { ingest: { feeRates } });
    await trades(lab);
    mouth.trades = [aRecord({ fee: decimal("0.11") })];
    expect(await trades(lab)).toEqual({ booked: 0, corrected: 1, refused: [] });
    expect(lab.booked).toEqual([SYMBOL, SYMBOL]);
    expect((await fillsOf(lab))[0]?.fee).toMatchObject({ amount: "0.11", isEstimated: false });
    expect((await trades(lab)).corrected).toBe(0);
  });

  test("stays missing, not 0, when neither it nor the rate is told", async () => {
    const none = async (): Promise<FeeRates | null> => null;
    const { lab } = await labWith({ trades: [aRecord(untold)] }, { ingest: { feeRates: none } });
    await trades(lab);
    expect((await fillsOf(lab))[0]?.fee).toBeNull();
    const { store, scope, accountId } = lab;
    expect(await store.totals(scope, accountId, { sinceAt: 0, owner: null })).toMatchObject({
      ...{ fees: "0", missing: 1 },
    });
  });

  test("is estimated at the next look when the rate did not come at the first", async () => {
    let isAway = true;
    const sometimes = async () => {
      if (isAway) throw Object.assign(new Error("away"), { name: "BrokerError" });
      return rates;
    };
    const ingest = { feeRates: sometimes };
    const { lab } = await labWith({ trades: [aRecord(untold)] }, { ingest });
    expect((await trades(lab)).booked).toBe(1);
    isAway = false;
    expect(await trades(lab)).toMatchObject({ booked: 0, corrected: 1 });
    expect((await fillsOf(lab))[0]?.fee).toMatchObject({ amount: "0.1", isEstimated: true });
    const writes = lab.writes();
    await trades(lab);
    expect(lab.writes()).toBe(writes);
  });

  test("is not estimated while it is told: the rates are not asked for", async () => {
    const refuse = () => Promise.reject(new Error("asked for rates"));
    const { lab } = await labWith({ trades: [aRecord()] }, { ingest: { feeRates: refuse } });
    expect((await trades(lab)).booked).toBe(1);
  });

  test("in another currency is worth what its price says, and nothing known without one", async () => {
    const priceOf = (asset: string, settle: string) =>
      asset === "WOO" && settle === "USDT" ? decimal("0.25") : null;
    const both = [
      aRecord({ fee: decimal("4"), feeAsset: "WOO" }),
      aRecord({ tradeId: "2", fee: decimal("4"), feeAsset: "BNB" }),
    ];
    const { lab } = await labWith({ trades: both }, { ingest: { priceOf } });
    await trades(lab);
    expect((await fillsOf(lab)).map(({ fee }) => fee)).toEqual([
      { ...{ amount: decimal(4), asset: "WOO", settleAmount: decimal(1) }, isEstimated: false },
      { ...{ amount: decimal(4), asset: "BNB", settleAmount: null }, isEstimated: false },
    ]);
  });

  test("without a currency is in the settle currency; a rebate stays negative", async () => {
    const { lab } = await labWith({ trades: [aRecord({ fee: decimal("-0.1"), feeAsset: null })] });
    await trades(lab);
    const fee = { amount: decimal("-0.1"), asset: "USDT", settleAmount: decimal("-0.1") };
    expect((await fillsOf(lab))[0]?.fee).toEqual({ ...fee, isEstimated: false });
  });
});

describe("a record that cannot be booked", () => {
  test("is refused at every look and told once", async () => {
    const { lab, mouth } = await labWith({ trades: [aRecord()] });
    await trades(lab);
    mouth.trades = [aRecord({ price: decimal("101") }), aRecord({ tradeId: "3" })];
    for (const booked of [1, 0, 0]) {
      const report = await trades(lab);
      expect(report.booked).toBe(booked);
      expect(report.refused).toHaveLength(1);
      expect(report.refused[0]).toContain("CONFLICTING_RECORD");
    }
    expect(lab.events).toMatchObject([
      { kind: "fill_conflict", fields: { tradeId: "1", reason: "CONFLICTING_RECORD" } },
    ]);
    expect((await fillsOf(lab)).map(({ price }) => String(price))).toEqual(["100", "100"]);
  });

  test("does not keep the others of its look from being booked", async () => {
    const bad = aRecord({ qty: decimal(0) });
    const { lab } = await labWith({ trades: [bad, aRecord({ tradeId: "2" })] });
    const report = await trades(lab);
    expect(report).toMatchObject({ booked: 1, refused: [expect.stringContaining("BAD_TRADE")] });
  });

  test("because nobody tells its leg is offered again until its order tells", async () => {
    const early = aRecord({ at: START - 20 * MINUTE });
    const late = aRecord({ tradeId: "2", positionSide: "long", at: START });
    const { lab, mouth } = await labWith({ trades: [early, late] }, { mode: "hedge" });
    const report = await trades(lab);
    expect(report).toMatchObject({ booked: 1, refused: [expect.stringContaining("LEG_UNKNOWN")] });
    await trades(lab);
    expect(mouth.asked.at(-1)?.sinceAt).toBe(START - 25 * MINUTE);
    const { exchangeOrderId } = await lab.send({ terms: limit("95") });
    mouth.trades = [aRecord({ exchangeOrderId: exchangeOrderId ?? "", at: START - 20 * MINUTE })];
    expect(await trades(lab)).toMatchObject({ booked: 1, refused: [] });
    mouth.trades = [late];
    await trades(lab);
    await trades(lab);
    expect(mouth.asked.at(-1)?.sinceAt).toBe(START - 5 * MINUTE);
  });

  test("holds the next look back for an hour at most", async () => {
    const early = aRecord({ at: START - 61 * MINUTE });
    const late = aRecord({ tradeId: "2", positionSide: "long" });
    const { lab, mouth } = await labWith({ trades: [early, late] }, { mode: "hedge" });
    await trades(lab);
    await trades(lab);
    expect(mouth.asked.at(-1)?.sinceAt).toBe(START - 5 * MINUTE);
  });
});

describe("a look at trades", () => {
  test("begins five minutes before the start, then before the newest record", async () => {
    const { lab, mouth } = await labWith();
    await trades(lab);
    mouth.trades = [aRecord({ at: START + 30 * MINUTE })];
    await trades(lab);
    await trades(lab);
    const instants = mouth.asked.map(({ sinceAt }) => sinceAt - START);
    expect(instants).toEqual([-5 * MINUTE, -5 * MINUTE, 25 * MINUTE]);
  });

  test("does not go forward with the clock: an exchange without trades is asked from the start", async () => {
    const { lab, mouth } = await labWith();
    await trades(lab);
    await lab.lab.step(3 * 60 * MINUTE);
    await trades(lab);
    expect(mouth.asked.map(({ sinceAt }) => sinceAt)).toEqual(Array(2).fill(START - 5 * MINUTE));
  });

  test("begins by the exchange's clock when ours is ahead", async () => {
    const { lab, mouth } = await labWith({ serverTime: START - 60 * MINUTE });
    await trades(lab);
    expect(mouth.asked[0]?.sinceAt).toBe(START - 65 * MINUTE);
  });

  test("begins with the oldest order that may still be filled, and with the newest fill", async () => {
    const { lab, mouth } = await labWith();
    await lab.send({ terms: limit("95") });
    await lab.lab.step(40 * MINUTE);
    lab.restart();
    await trades(lab);
    expect(mouth.asked.at(-1)?.sinceAt).toBe(START - 5 * MINUTE);
    mouth.trades = [aRecord({ at: START - 30 * MINUTE })];
    await trades(lab);
    lab.restart();
    await trades(lab);
    expect(mouth.asked.at(-1)?.sinceAt).toBe(START - 35 * MINUTE);
  });

  test("begins with orders that ended when nothing was ever booked", async () => {
    const { lab, mouth } = await labWith();
    const order = await lab.send({ terms: limit("95") });
    const { lease, clock } = lab.deps;
    const news = { event: "cancelled" } as const;
    await lab.store.recordNews(lab.scope, lease.guard, order.id, news, clock.now());
    await lab.lab.step(40 * MINUTE);
    lab.restart();
    await trades(lab);
    expect(mouth.asked.at(-1)?.sinceAt).toBe(START - 5 * MINUTE);
  });

  test("goes back when it is asked to, and never forward", async () => {
    const { lab, mouth } = await labWith();
    await trades(lab, START - 60 * MINUTE);
    await trades(lab, START + 60 * MINUTE);
    const instants = mouth.asked.map(({ sinceAt }) => sinceAt - START);
    expect(instants).toEqual([-60 * MINUTE, -5 * MINUTE]);
  });

  test("that failed is thrown, and the next one begins at the same instant", async () => {
    const { lab, mouth } = await labWith({ fails: true });
    await expect(trades(lab)).rejects.toThrow("no answer");
    mouth.fails = false;
    mouth.trades = [aRecord()];
    expect((await trades(lab)).booked).toBe(1);
    expect(mouth.asked.map(({ sinceAt }) => sinceAt)).toEqual(Array(2).fill(START - 5 * MINUTE));
  });

  test("waits for the one before it: ten at once book and tell once", async () => {
    const { lab } = await labWith({ trades: [aRecord()] });
    const reports = await Promise.all(Array.from({ length: 10 }, () => trades(lab)));
    expect(reports.map(({ booked }) => booked)).toEqual([1, ...Array(9).fill(0)]);
    expect(lab.booked).toEqual([SYMBOL]);
  });
});

describe("funding", () => {
  const funding = (lab: ReconcileLab) => lab.ingest.funding(SYMBOL, SIGNAL);

  test("is booked and told once per payment, in the settle currency unless told", async () => {
    const both = [aPayment(), aPayment({ id: "8", asset: null, amount: decimal("0.2") })];
    const { lab } = await labWith({ payments: both });
    expect(await funding(lab)).toEqual({ booked: 2, corrected: 0, refused: [] });
    const writes = lab.writes();
    expect(await funding(lab)).toEqual({ booked: 0, corrected: 0, refused: [] });
    expect(lab.writes()).toBe(writes);
    lab.restart();
    expect(await funding(lab)).toEqual({ booked: 0, corrected: 0, refused: [] });
    expect(lab.events).toMatchObject([
      { kind: "funding_booked", fields: { paymentId: "7", amount: "-0.5", asset: "USDT" } },
      { kind: "funding_booked", fields: { paymentId: "8", amount: "0.2", asset: "USDT" } },
    ]);
    const { store, scope, accountId } = lab;
    const totals = await store.totals(scope, accountId, { sinceAt: 0, owner: null });
    expect(totals.funding).toBe(decimal("-0.3"));
    expect(lab.booked).toEqual([SYMBOL]);
  });

  test("is asked for from the first fill, then from the newest payment", async () => {
    const { lab, mouth } = await labWith({ trades: [aRecord({ at: START - 90 * MINUTE })] });
    await trades(lab, START - 100 * MINUTE);
    mouth.payments = [aPayment({ at: START - 10 * MINUTE })];
    mouth.asked.length = 0;
    await funding(lab);
    await funding(lab);
    const instants = mouth.asked.map(({ sinceAt }) => sinceAt - START);
    expect(instants).toEqual([-95 * MINUTE, -15 * MINUTE]);
  });

  test("with other figures than before is refused, and told once", async () => {
    const { lab, mouth } = await labWith({ payments: [aPayment()] });
    await funding(lab);
    mouth.payments = [aPayment({ amount: decimal("-0.6") })];
    for (let look = 0; look < 2; look++) {
      const { refused } = await funding(lab);
      expect(refused).toEqual([expect.stringContaining("CONFLICTING_RECORD")]);
    }
    expect(lab.kinds()).toEqual(["funding_booked", "fill_conflict"]);
  });

  test("is not asked for where the exchange does not tell", async () => {
    const lab = await startReconcileLab({
      broker: (real) => ({
        ...real,
        capabilities: { ...real.capabilities, fundingPayments: false },
        fundingSince: () => Promise.reject(new Error("asked for funding")),
      }),
    });
    expect(await funding(lab)).toEqual({ booked: 0, corrected: 0, refused: [] });
  });
});
