// The ccxt broker on the venue keeps the broker contract, one-way and hedge: two parts that were
// written apart from the same documents agree.
import { afterEach, describe, expect, test } from "bun:test";
import type { CallOptions, NewOrder } from "../../src/ports/broker.ts";
import {
  type BrokerLab,
  fillResting,
  loseNextAnswer,
  openBrokerLab,
  TERMS,
} from "./broker-lab.ts";
import { stopLabs } from "../venue/lab.ts";
import { brokerContract } from "./broker.contract.ts";

afterEach(stopLabs);

brokerContract("the ccxt broker on the venue", async () => {
  const { lab, broker } = await openBrokerLab();
  return {
    ...TERMS,
    broker,
    symbol: lab.market.instrument.symbol,
    fill: async (id, qty) => fillResting(lab, id, qty),
    loseNextAnswer: (isCarriedOut) => loseNextAnswer(lab, isCarriedOut),
    close: () => lab.stop(),
  };
});

describe("the ccxt broker on a hedge account of the venue:", () => {
  const options: CallOptions = { signal: new AbortController().signal };
  const openHedge = () => openBrokerLab({ account: { mode: "HEDGE_MODE" } });
  let sequence = 1_964_766_344_355_779_000n;

  function order({ lab }: BrokerLab, change: Partial<NewOrder>): NewOrder {
    return {
      clientOrderId: String(sequence++),
      symbol: lab.market.instrument.symbol,
      side: "buy",
      positionSide: "long",
      terms: { kind: "market" },
      qty: TERMS.qty,
      isReduceOnly: false,
      visibleQty: null,
      leverage: null,
      ...change,
    };
  }
  async function place(at: BrokerLab, change: Partial<NewOrder>): Promise<string> {
    const answer = await at.broker.place(order(at, change), options);
    if (answer.outcome !== "accepted") throw new Error(answer.sentence);
    return answer.value.exchangeOrderId;
  }
  const closeLong = { side: "sell", isReduceOnly: true } as const;
  const short = { side: "sell", positionSide: "short" } as const;

  test("an order is told with its leg, resting, partly filled and filled", async () => {
    const at = await openHedge();
    const { lab, broker } = at;
    const terms = { kind: "limit", price: TERMS.restingBid } as const;
    const id = await place(at, { terms, qty: TERMS.doubleQty });
    const [listed, ...others] = await broker.openOrders(null, options);
    expect(others).toEqual([]);
    expect(listed).toMatchObject({ exchangeOrderId: id, positionSide: "long", status: "open" });
    fillResting(lab, id, TERMS.qty);
    const [half] = await broker.openOrders(null, options);
    expect(half).toMatchObject({ status: "partly_filled", filledQty: TERMS.qty });
    fillResting(lab, id, TERMS.qty);
    expect(await broker.openOrders(null, options)).toEqual([]);
    const { symbol } = lab.market.instrument;
    const records = await broker.tradesSince({ symbol, sinceAt: 0 }, options);
    expect(records.map(({ positionSide, liquidity }) => [positionSide, liquidity])).toEqual([
      ["long", "maker"],
      ["long", "maker"],
    ]);
  });

  test("a trigger order keeps its leg and closes that leg alone", async () => {
    const at = await openHedge();
    await place(at, {});
    await place(at, short);
    const terms = {
      kind: "trigger",
      triggerPrice: TERMS.restingBid,
      direction: "falling",
      price: null,
    } as const;
    await place(at, { ...closeLong, terms });
    const [waiting] = await at.broker.openOrders(null, options);
    expect(waiting).toMatchObject({ isTrigger: true, positionSide: "long", side: "sell" });
    await at.lab.price(TERMS.restingBid);
    const left = await at.broker.positions(null, options);
    expect(left.map(({ positionSide, qty }) => [positionSide, qty])).toEqual([
      ["short", TERMS.qty],
    ]);
    expect(await at.broker.openOrders(null, options)).toEqual([]);
  });

  test("a close beyond its leg is refused although the other leg is large enough", async () => {
    const at = await openHedge();
    await place(at, {});
    await place(at, { ...short, qty: TERMS.doubleQty });
    const wanted = order(at, { ...closeLong, qty: TERMS.doubleQty });
    const answer = await at.broker.place(wanted, options);
    expect(answer).toMatchObject({ outcome: "refused", reason: "REDUCE_ONLY_EXCEEDS" });
    expect(await at.broker.positions(null, options)).toHaveLength(2);
  });

  test("legs have their own leverage, and the mode stays while anything is open", async () => {
    const at = await openHedge();
    const { broker } = at;
    const { symbol } = at.lab.market.instrument;
    expect((await broker.setLeverage(symbol, 7, "long", options)).outcome).toBe("accepted");
    expect((await broker.setLeverage(symbol, 3, "short", options)).outcome).toBe("accepted");
    expect(await broker.leverage(symbol, options)).toEqual({ long: 7, short: 3 });
    await place(at, {});
    const kept = await broker.setPositionMode(symbol, "one_way", options);
    expect(kept).toMatchObject({ outcome: "refused" });
    await place(at, closeLong);
    const switched = await broker.setPositionMode(symbol, "one_way", options);
    expect(switched.outcome).toBe("accepted");
    expect(await broker.positionMode(symbol, options)).toBe("one_way");
  });

  test("a queue order rests at its level of the own side, on its leg", async () => {
    const at = await openHedge();
    await place(at, { terms: { kind: "queue", level: 2 } });
    const { bid } = await at.broker.topOfBook(at.lab.market.instrument.symbol, options);
    const [resting] = await at.broker.openOrders(null, options);
    expect(resting).toMatchObject({ positionSide: "long", status: "open" });
    expect(Number(resting?.price)).toBe(Number(bid) - 0.5);
  });
});
