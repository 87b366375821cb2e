// Whose the trades of a triggered order are: they come under an id nobody here knows. Our rows and the
// exchange's answers are given by hand, so that every order of arrival can be played.
import { describe, expect, test } from "bun:test";
import { type Decimal, decimal } from "../../../src/model/decimal.ts";
import { fillRef } from "../../../src/model/trade-record.ts";
import type { Broker, OrderReport, TradeRecord } from "../../../src/ports/broker.ts";
import type { IntentId, StoredIntent } from "../../../src/ports/trading-store.ts";
import { createTriggerFills } from "../../../src/services/live/trigger-fills.ts";
import { silentLog } from "../../support/silent-log.ts";
import { anIntent, BTC, START } from "../../support/trading.ts";
import { virtualClock } from "../../adapters/resilience/virtual-clock.ts";

const SIGNAL = new AbortController().signal;

const aStop = (exchangeOrderId: string, change: Partial<StoredIntent> = {}): StoredIntent => ({
  ...anIntent({
    ...{ side: "sell", isReduceOnly: true, purpose: "protective_stop", qty: decimal(2) },
    terms: { kind: "trigger", triggerPrice: decimal(95), direction: "falling", price: null },
  }),
  ...{ id: 1 as IntentId, status: "open", exchangeOrderId, filledQty: decimal(0) },
  ...{ reportedFilledQty: null, detail: null, sentAt: START, updatedAt: START },
  ...change,
});

const aTrade = (tradeId: string, change: Partial<TradeRecord> = {}): TradeRecord => ({
  ...{ tradeId, exchangeOrderId: "child", symbol: BTC, side: "sell", positionSide: null },
  ...{ price: decimal(95), qty: decimal(2), fee: decimal(0), feeAsset: "USDT" },
  ...{ liquidity: "taker", realisedPnl: null, at: START },
  ...change,
});

/** A lab of one symbol: what the trigger orders say was executed of them, by exchange id. */
function world(executed: Record<string, string>) {
  const asked: string[] = [];
  const said = new Map(Object.entries(executed));
  const order = async ({ id }: { readonly id: string }): Promise<OrderReport | null> => {
    asked.push(id);
    const filled = said.get(id);
    if (filled === "fails") throw Object.assign(new Error("away"), { name: "BrokerError" });
    if (filled === undefined) return null;
    return { filledQty: decimal(filled), averagePrice: decimal(95) } as OrderReport;
  };
  const clock = virtualClock();
  const booked = new Map<string, string>();
  const broker = { order } as unknown as Broker;
  const fills = createTriggerFills({ broker, clock, log: silentLog });
  return {
    ...{ asked, said, clock, booked },
    attribute: async (records: readonly TradeRecord[], intents: readonly StoredIntent[]) => {
      const own = { intents, booked: async () => booked };
      const { records: given, waiting } = await fills.attribute(records, own, SIGNAL);
      return {
        given: given.map(({ record, exchangeOrderId }) => [record.tradeId, exchangeOrderId]),
        waiting: waiting.map(({ tradeId }) => tradeId),
      };
    },
  };
}

describe("trades of an order nobody knows", () => {
  test("belong to the trigger order that says as much was executed", async () => {
    const { attribute } = world({ stop: "2", other: "0" });
    const result = await attribute([aTrade("1")], [aStop("other"), aStop("stop")]);
    expect(result).toEqual({ given: [["1", "stop"]], waiting: [] });
  });

  test("are somebody else's when as much was executed at another price", async () => {
    const { attribute } = world({ stop: "2" });
    const elsewhere = [aTrade("1", { price: decimal("95.1") })];
    expect((await attribute(elsewhere, [aStop("stop")])).given).toEqual([]);
  });

  test("are counted together", async () => {
    const { attribute } = world({ stop: "2" });
    const parts = ["0.5", "0.7", "0.8"].map((qty, n) => aTrade(`${n}`, { qty: decimal(qty) }));
    expect((await attribute(parts, [aStop("stop")])).given.map(([, id]) => id)).toEqual([
      ...["stop", "stop", "stop"],
    ]);
  });

  test("that come later go to the same order, also after part of them was booked", async () => {
    const { attribute, said } = world({ stop: "0.5" });
    const first = aTrade("1", { qty: decimal("0.5") });
    await attribute([first], [aStop("stop")]);
    said.set("stop", "2");
    const stop = aStop("stop", { filledQty: decimal("0.5") });
    const second = aTrade("2", { qty: decimal("1.5") });
    expect((await attribute([first, second], [stop])).given).toEqual([
      ["1", "stop"],
      ["2", "stop"],
    ]);
  });

  test("are known again after a restart by what was booked", async () => {
    const { attribute, booked, asked } = world({});
    const [first, second] = [aTrade("1"), aTrade("2")];
    booked.set(fillRef(first), "stop");
    expect((await attribute([first, second], [])).given).toEqual([
      ["1", "stop"],
      ["2", "stop"],
    ]);
    expect(asked).toEqual([]);
  });

  test("are nobody's at once without a trigger order they could come from", async () => {
    const others: Partial<StoredIntent>[] = [
      { side: "buy" },
      { symbol: "ETH/USDT:USDT" },
      { exchangeOrderId: null, status: "abandoned" },
      { exchangeOrderId: null, status: "parked" },
      { filledQty: decimal(2) },
      { terms: { kind: "limit", price: decimal(95) } },
      { leg: "short" },
    ];
    for (const change of others) {
      const { attribute, asked } = world({ stop: "2" });
      const trade = aTrade("1", { positionSide: "long" });
      expect(await attribute([trade], [aStop("stop", change)])).toEqual({
        ...{ given: [["1", "child"]], waiting: [] },
      });
      expect(asked).toEqual([]);
    }
  });

  test("wait while a trigger order may still say that they are its own, a minute at most", async () => {
    const { attribute, clock, said } = world({ stop: "0" });
    const stop = [aStop("stop")];
    expect(await attribute([aTrade("1")], stop)).toEqual({ given: [], waiting: ["1"] });
    await clock.runUntil(59_999);
    expect((await attribute([aTrade("1")], stop)).waiting).toEqual(["1"]);
    await clock.runUntil(60_000);
    expect((await attribute([aTrade("1")], stop)).given).toEqual([["1", "child"]]);
    said.set("stop", "2");
    expect((await attribute([aTrade("1")], stop)).given).toEqual([["1", "child"]]);
  });

  test("wait for a trigger order in doubt and go to it when it is found", async () => {
    const { attribute, asked } = world({ stop: "2" });
    const lost = aStop("stop", { exchangeOrderId: null, status: "unverified" });
    expect(await attribute([aTrade("1")], [lost])).toEqual({ given: [], waiting: ["1"] });
    expect(asked).toEqual([]);
    expect((await attribute([aTrade("1")], [aStop("stop")])).given).toEqual([["1", "stop"]]);
  });

  test("wait when the trigger order could not be asked about; the others are given", async () => {
    const { attribute, said } = world({ stop: "fails" });
    const own = aTrade("2", { exchangeOrderId: "known" });
    const intents = [aStop("stop"), aStop("known", { terms: { kind: "market" } })];
    expect(await attribute([aTrade("1"), own], intents)).toEqual({
      ...{ given: [["2", "known"]], waiting: ["1"] },
    });
    said.set("stop", "2");
    expect((await attribute([aTrade("1")], intents)).given).toEqual([["1", "stop"]]);
  });

  test("of the same size are not both given to one trigger order", async () => {
    const { attribute } = world({ stop: "2" });
    const hand = aTrade("2", { exchangeOrderId: "hand" });
    const result = await attribute([aTrade("1"), hand], [aStop("stop")]);
    expect(result.given).toEqual([["1", "stop"]]);
    expect(result.waiting).toEqual(["2"]);
  });

  test("are not asked about again once they are decided", async () => {
    const { attribute, asked } = world({ stop: "2" });
    for (let look = 0; look < 3; look++) await attribute([aTrade("1")], [aStop("stop")]);
    expect(asked).toEqual(["stop"]);
  });
});

test("an error that is not the exchange's ends the look", async () => {
  const broker = { order: () => Promise.reject(new Error("a mistake")) } as unknown as Broker;
  const fills = createTriggerFills({ broker, clock: virtualClock(), log: silentLog });
  const own = { intents: [aStop("stop")], booked: async () => new Map<string, string>() };
  await expect(fills.attribute([aTrade("1")], own, SIGNAL)).rejects.toThrow("a mistake");
});

test("quantities are compared exactly", async () => {
  const { attribute } = world({ stop: "0.3" });
  const parts = ["0.1", "0.2"].map((qty, n) => aTrade(`${n}`, { qty: qty as Decimal }));
  expect((await attribute(parts, [aStop("stop")])).given).toHaveLength(2);
});
