// What is read of a whole account when turns are scarce: trade records of several markets in one request, and what
// goes on while orders or positions cannot be asked for in time. On the real simulated exchange.
import { afterEach, describe, expect, test } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import type { Broker, TradeRecord, TradesQuery } from "../../../src/ports/broker.ts";
import { startReconcileLab, SYMBOL } from "../../support/reconcile-lab.ts";
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

describe("a look at several markets", () => {
  const [ETH, SOL] = ["PERP_ETH_USDT", "PERP_SOL_USDT"];
  const rules = { contractSize: decimal(1), qtyStep: decimal("0.01") };
  const market = { rules, settleAsset: "USDT" };
  const markets = new Map([SYMBOL, ETH, SOL].map((symbol) => [symbol, market]));
  async function open(trades: readonly TradeRecord[] = []) {
    const mouth = { asked: [] as TradesQuery[], fails: false };
    const broker = (real: Broker): Broker => ({
      ...real,
      tradesSince: async (query) => {
        mouth.asked.push(query);
        if (mouth.fails) throw new Error("no answer");
        return trades;
      },
    });
    return { lab: await startReconcileLab({ ingest: { markets }, broker }), mouth };
  }
  const wants = (since: Readonly<Record<string, number | null>>) => new Map(Object.entries(since));

  test("asks once for all, books to each its own, and leaves markets nobody opened", async () => {
    const of = (symbol: string, tradeId: string) => aRecord({ symbol, tradeId });
    const { lab, mouth } = await open([of(SYMBOL, "1"), of(ETH, "2"), of("PERP_XRP_USDT", "3")]);
    const looks = await lab.ingest.tradesOf(wants({ [SYMBOL]: null, [ETH]: null }), SIGNAL);
    expect(mouth.asked).toEqual([{ symbol: null, sinceAt: START - 5 * MINUTE }]);
    for (const symbol of [SYMBOL, ETH]) {
      expect(looks.get(symbol)).toMatchObject({ report: { booked: 1, refused: [] } });
      expect(await lab.store.fills(lab.scope, lab.accountId, symbol)).toHaveLength(1);
    }
    expect(lab.booked).toEqual([SYMBOL, ETH]);
  });

  test("begins with the earliest of them, except those more than a day behind", async () => {
    const { lab, mouth } = await open();
    const since = { [SYMBOL]: null, [ETH]: START - 60 * MINUTE, [SOL]: START - 25 * 60 * MINUTE };
    await lab.ingest.tradesOf(wants(since), SIGNAL);
    expect(mouth.asked).toEqual([
      { symbol: null, sinceAt: START - 60 * MINUTE },
      { symbol: SOL, sinceAt: START - 25 * 60 * MINUTE },
    ]);
  });

  test("a market without a record follows the others an hour behind", async () => {
    const { lab, mouth } = await open([aRecord({ at: START + 180 * MINUTE })]);
    await lab.ingest.tradesOf(wants({ [SYMBOL]: null, [ETH]: null }), SIGNAL);
    await lab.ingest.trades(ETH, null, SIGNAL);
    await lab.ingest.trades(SYMBOL, null, SIGNAL);
    const instants = mouth.asked.slice(1).map(({ sinceAt }) => sinceAt - START);
    expect(instants).toEqual([115 * MINUTE, 175 * MINUTE]);
  });

  test("that failed is told of each, and the next one begins where it began", async () => {
    const { lab, mouth } = await open();
    mouth.fails = true;
    const both = wants({ [SYMBOL]: null, [ETH]: null });
    const looks = await lab.ingest.tradesOf(both, SIGNAL);
    for (const symbol of [SYMBOL, ETH]) {
      expect(looks.get(symbol)).toEqual({ error: new Error("no answer") });
    }
    mouth.fails = false;
    await lab.ingest.tradesOf(both, SIGNAL);
    expect(new Set(mouth.asked.map(({ sinceAt }) => sinceAt))).toEqual(
      new Set([START - 5 * MINUTE]),
    );
  });

  test("asks market by market where the exchange has no such list", async () => {
    const { lab, mouth } = await open();
    const { capabilities } = lab.deps.broker;
    Object.assign(lab.deps.broker, { capabilities: { ...capabilities, tradesOfAll: false } });
    await lab.ingest.tradesOf(wants({ [SYMBOL]: null, [ETH]: null }), SIGNAL);
    expect(mouth.asked.map(({ symbol }) => symbol)).toEqual([SYMBOL, ETH]);
  });
});

describe("what has its turn far off", () => {
  test("as positions, keeps nothing else back and is no failure", async () => {
    let isFar = true;
    const broker = (real: Broker): Broker => ({
      ...real,
      positions: (symbol, options) => {
        const tooFar = Object.assign(new Error("it waits"), { name: "BrokerError" });
        if (!isFar) return real.positions(symbol, options);
        return Promise.reject(Object.assign(tooFar, { kind: "queue_full" }));
      },
    });
    const lab = await startReconcileLab({ broker });
    const order = await lab.send();
    await lab.lab.step(1000);
    const report = await lab.pass();
    expect(report).toMatchObject({ isComplete: false, isDeferred: true, failures: [] });
    expect((await lab.find(order)).status).toBe("filled");
    expect(lab.kinds()).not.toContain("reconcile_failed");
    expect(lab.reconciler().isClean()).toBe(false);
    isFar = false;
    expect(await lab.pass()).toMatchObject({ isComplete: true, isDeferred: false });
  });

  test("as open orders, does not keep fills from being booked", async () => {
    const broker = (real: Broker): Broker => ({
      ...real,
      openOrders: () => {
        const tooFar = Object.assign(new Error("it waits"), { name: "BrokerError" });
        return Promise.reject(Object.assign(tooFar, { kind: "queue_full" }));
      },
    });
    const lab = await startReconcileLab({ broker });
    await lab.send();
    await lab.lab.step(1000);
    expect(await lab.pass()).toMatchObject({ isComplete: false, isDeferred: true, failures: [] });
    expect(await lab.store.fills(lab.scope, lab.accountId, SYMBOL)).toHaveLength(1);
  });
});
