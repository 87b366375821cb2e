// What every broker must do, whatever is behind it: run by the tests of the ccxt broker, the simulated
// exchange, the paper broker and the simulator. A venue is how a test reaches behind the broker.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { add, compare, type Decimal, decimal } from "../../src/model/decimal.ts";
import type {
  Broker,
  CallOptions,
  NewOrder,
  OrderRef,
  OrderTerms,
} from "../../src/ports/broker.ts";

/** One broker on an empty one-way account with enough money, and hands on its market. */
export type ContractVenue = {
  readonly broker: Broker;
  readonly symbol: string;
  /** A legal bid far below the market, and one above it that would take. */
  readonly restingBid: Decimal;
  readonly takingBid: Decimal;
  /** A legal size well above the minimum at these prices, and twice as much. */
  readonly qty: Decimal;
  readonly doubleQty: Decimal;
  /** A size below the minimum notional at the resting bid. */
  readonly dustQty: Decimal;
  /** Lets a resting order execute. */
  fill(exchangeOrderId: string, qty: Decimal, price: Decimal): Promise<void>;
  /** The answer to the next write is lost; null when the venue cannot lose answers. */
  readonly loseNextAnswer: ((isCarriedOut: boolean) => void) | null;
  close(): Promise<void>;
};

let sequence = 1_954_766_344_355_779_000n;
const options: CallOptions = { signal: new AbortController().signal };

/** Declares the contract's tests for one kind of broker. */
export function brokerContract(name: string, open: () => Promise<ContractVenue>): void {
  describe(`${name} keeps the broker contract:`, () => {
    let venue: ContractVenue;
    beforeEach(async () => {
      venue = await open();
    });
    afterEach(() => venue.close());

    const order = (terms: OrderTerms, change: Partial<NewOrder> = {}): NewOrder => ({
      clientOrderId: String(sequence++),
      symbol: venue.symbol,
      side: "buy",
      positionSide: null,
      terms,
      qty: venue.qty,
      isReduceOnly: false,
      visibleQty: null,
      leverage: null,
      ...change,
    });
    const resting = (change: Partial<NewOrder> = {}) =>
      order({ kind: "limit", price: venue.restingBid }, change);
    const place = async (wanted: NewOrder): Promise<string> => {
      const answer = await venue.broker.place(wanted, options);
      if (answer.outcome !== "accepted") throw new Error(`${answer.outcome}: ${answer.sentence}`);
      return answer.value.exchangeOrderId;
    };
    const byClient = ({ clientOrderId: id }: NewOrder): OrderRef => ({
      symbol: venue.symbol,
      by: "client",
      id,
      isTrigger: false,
    });
    const byExchange = (id: string): OrderRef => ({
      symbol: venue.symbol,
      by: "exchange",
      id,
      isTrigger: false,
    });
    const trades = (sinceAt = 0) =>
      venue.broker.tradesSince({ symbol: venue.symbol, sinceAt }, options);

    test("a placed order is found by both its ids and in the list, with its exact values", async () => {
      const wanted = resting();
      const id = await place(wanted);
      const found = await venue.broker.order(byClient(wanted), options);
      expect(found).toMatchObject({
        exchangeOrderId: id,
        clientOrderId: wanted.clientOrderId,
        symbol: venue.symbol,
        side: "buy",
        positionSide: null,
        status: "open",
        price: venue.restingBid,
        qty: venue.qty,
        filledQty: "0",
      });
      expect(await venue.broker.order(byExchange(id), options)).toEqual(found);
      expect(await venue.broker.openOrders(venue.symbol, options)).toEqual([found as never]);
      expect(await venue.broker.openOrders(null, options)).toEqual([found as never]);
    });

    test("an order that never was is answered with null", async () => {
      expect(await venue.broker.order(byClient(resting()), options)).toBeNull();
      expect(await venue.broker.order(byExchange("123456789"), options)).toBeNull();
    });

    test("a cancelled order is cancelled and no longer listed", async () => {
      const wanted = resting();
      await place(wanted);
      const answer = await venue.broker.cancel(byClient(wanted), options);
      expect(answer).toEqual({ outcome: "accepted", value: null });
      const found = await venue.broker.order(byClient(wanted), options);
      expect(found).toMatchObject({ status: "cancelled", filledQty: "0" });
      expect(await venue.broker.openOrders(venue.symbol, options)).toEqual([]);
    });

    test("cancelling what is not there is refused, not thrown", async () => {
      const wanted = resting();
      await place(wanted);
      await venue.broker.cancel(byClient(wanted), options);
      for (const ref of [byClient(wanted), byExchange("123456789")]) {
        const answer = await venue.broker.cancel(ref, options);
        expect(answer).toMatchObject({ outcome: "refused", advice: "ask" });
      }
    });

    test("an amended order keeps its ids and takes the new values", async () => {
      if (!venue.broker.capabilities.amend) return;
      const wanted = resting();
      const id = await place(wanted);
      const change = { side: "buy", price: venue.restingBid, qty: venue.doubleQty } as const;
      const answer = await venue.broker.amend(byClient(wanted), change, options);
      expect(answer.outcome).toBe("accepted");
      const found = await venue.broker.order(byExchange(id), options);
      expect(found).toMatchObject({ clientOrderId: wanted.clientOrderId, qty: venue.doubleQty });
    });

    test("fills are trade records, oldest first, that add up to what the order says", async () => {
      const wanted = resting({ qty: venue.doubleQty });
      const id = await place(wanted);
      await venue.fill(id, venue.qty, venue.restingBid);
      const half = await venue.broker.order(byClient(wanted), options);
      expect(half).toMatchObject({ status: "partly_filled", filledQty: venue.qty });
      await venue.fill(id, venue.qty, venue.restingBid);
      const whole = await venue.broker.order(byClient(wanted), options);
      expect(whole).toMatchObject({ status: "filled", filledQty: venue.doubleQty });
      const records = await trades();
      expect(records).toHaveLength(2);
      expect(records.map(({ exchangeOrderId }) => exchangeOrderId)).toEqual([id, id]);
      expect(new Set(records.map(({ tradeId }) => tradeId)).size).toBe(2);
      const filled = records.reduce((sum, { qty }) => add(sum, qty), decimal(0));
      expect(filled).toBe(venue.doubleQty);
      for (const record of records) {
        expect(record).toMatchObject({ side: "buy", price: venue.restingBid, liquidity: "maker" });
        expect(record.fee).not.toBeNull();
      }
      const times = records.map(({ at }) => at);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    });

    test("trades are told from an instant on, that instant included", async () => {
      const id = await place(resting({ qty: venue.doubleQty }));
      await venue.fill(id, venue.qty, venue.restingBid);
      await Bun.sleep(5);
      await venue.fill(id, venue.qty, venue.restingBid);
      const [first, second] = await trades();
      expect(await trades(second?.at)).toEqual([second as never]);
      expect(await trades(first?.at)).toHaveLength(2);
      expect(await trades((second?.at ?? 0) + 1)).toEqual([]);
    });

    test("a market order fills as taker, and its position is told and goes again", async () => {
      await place(order({ kind: "market" }));
      const [position, ...others] = await venue.broker.positions(venue.symbol, options);
      expect(others).toEqual([]);
      expect(position).toMatchObject({ mode: "one_way", positionSide: "long", qty: venue.qty });
      await place(order({ kind: "market" }, { side: "sell", isReduceOnly: true }));
      expect(await venue.broker.positions(venue.symbol, options)).toEqual([]);
      expect(await venue.broker.positions(null, options)).toEqual([]);
      const records = await trades();
      expect(records.map(({ side }) => side)).toEqual(["buy", "sell"]);
      expect(records.every(({ liquidity }) => liquidity === "taker")).toBe(true);
    });

    test("a short position is told with its side and a quantity above zero", async () => {
      await place(order({ kind: "market" }, { side: "sell" }));
      const [position] = await venue.broker.positions(venue.symbol, options);
      expect(position).toMatchObject({ positionSide: "short", qty: venue.qty });
    });

    test("a reduce-only order without a position is refused and leaves nothing", async () => {
      const wanted = order({ kind: "market" }, { side: "sell", isReduceOnly: true });
      const answer = await venue.broker.place(wanted, options);
      expect(answer).toMatchObject({ outcome: "refused", reason: "REDUCE_ONLY_EXCEEDS" });
      expect(await venue.broker.positions(null, options)).toEqual([]);
    });

    test("an order below the minimum notional is refused and leaves nothing", async () => {
      const wanted = resting({ qty: venue.dustQty });
      const answer = await venue.broker.place(wanted, options);
      expect(answer).toMatchObject({ outcome: "refused", advice: "decide_again" });
      expect(await venue.broker.order(byClient(wanted), options)).toBeNull();
    });

    test("the client id of a working order is not accepted a second time", async () => {
      const wanted = resting();
      await place(wanted);
      const answer = await venue.broker.place(wanted, options);
      expect(answer).toMatchObject({
        outcome: "refused",
        reason: "DUPLICATE_CLIENT_ID",
        advice: "adopt",
      });
      expect(await venue.broker.openOrders(null, options)).toHaveLength(1);
    });

    test("a post-only order that would take does not take", async () => {
      const wanted = order({ kind: "post_only", price: venue.takingBid, mayAdjust: false });
      const answer = await venue.broker.place(wanted, options);
      if (answer.outcome === "accepted") {
        const found = await venue.broker.order(byClient(wanted), options);
        expect(["cancelled", "rejected"]).toContain(found?.status ?? "none");
      } else expect(answer).toMatchObject({ outcome: "refused", reason: "WOULD_TAKE" });
      expect(await trades()).toEqual([]);
    });

    test("cancelling everything reaches trigger orders too", async () => {
      if (!venue.broker.capabilities.cancelAll) return;
      await place(resting());
      if (venue.broker.capabilities.triggerOrders) {
        await place(
          order(
            {
              kind: "trigger",
              triggerPrice: venue.takingBid,
              direction: "rising",
              price: null,
            },
            {},
          ),
        );
        const waiting = (await venue.broker.openOrders(null, options)).filter((o) => o.isTrigger);
        expect(waiting).toHaveLength(1);
      }
      expect((await venue.broker.cancelAll(venue.symbol, options)).outcome).toBe("accepted");
      expect(await venue.broker.openOrders(null, options)).toEqual([]);
    });

    test("a long list of working orders is told completely", async () => {
      const wanted = Array.from({ length: 60 }, () => resting());
      for (const each of wanted) await place(each);
      const listed = await venue.broker.openOrders(venue.symbol, options);
      expect(new Set(listed.map(({ clientOrderId }) => clientOrderId ?? ""))).toEqual(
        new Set(wanted.map(({ clientOrderId }) => clientOrderId)),
      );
    });

    test("a lost answer is unverified, and the order that was taken is found", async () => {
      if (venue.loseNextAnswer === null) return;
      venue.loseNextAnswer(true);
      const wanted = resting();
      expect((await venue.broker.place(wanted, options)).outcome).toBe("unverified");
      expect(await venue.broker.order(byClient(wanted), options)).toMatchObject({ status: "open" });
    });

    test("a lost answer is unverified, and the order that was not taken is not there", async () => {
      if (venue.loseNextAnswer === null) return;
      venue.loseNextAnswer(false);
      const wanted = resting();
      expect((await venue.broker.place(wanted, options)).outcome).toBe("unverified");
      expect(await venue.broker.order(byClient(wanted), options)).toBeNull();
      expect(await venue.broker.openOrders(null, options)).toEqual([]);
    });

    test("a lost answer to a market order fills once", async () => {
      if (venue.loseNextAnswer === null) return;
      venue.loseNextAnswer(true);
      await venue.broker.place(order({ kind: "market" }), options);
      expect(await trades()).toHaveLength(1);
    });

    test("what the broker cannot do is refused without a trace", async () => {
      const { capabilities } = venue.broker;
      if (capabilities.queueLevels) return;
      const wanted = order({ kind: "queue", level: 1 });
      const answer = await venue.broker.place(wanted, options);
      expect(answer).toMatchObject({ outcome: "refused", reason: "NOT_SUPPORTED" });
      expect(await venue.broker.openOrders(null, options)).toEqual([]);
    });

    test("a client id that is no number below 2^63 is refused before it is sent", async () => {
      for (const clientOrderId of ["", "DRAGON-42", "0", "9223372036854775808", "-1", "1e3"]) {
        const answer = await venue.broker.place(resting({ clientOrderId }), options);
        expect(answer).toMatchObject({ outcome: "refused", reason: "BAD_REQUEST" });
      }
      expect(await venue.broker.openOrders(null, options)).toEqual([]);
    });

    test("the rules, the book and the mark price are exact and fit together", async () => {
      const rules = await venue.broker.orderRules(venue.symbol, options);
      for (const value of [rules.priceTick, rules.qtyStep, rules.qtyMin, rules.contractSize]) {
        expect(compare(value, decimal(0))).toBe(1);
      }
      const { bid, ask } = await venue.broker.topOfBook(venue.symbol, options);
      expect(compare(bid, ask)).toBe(-1);
      const mark = await venue.broker.markPrice(venue.symbol, options);
      expect(Math.abs(Number(mark.price) / Number(bid) - 1)).toBeLessThan(0.1);
      expect(Math.abs((await venue.broker.serverTime(options)) - mark.at)).toBeLessThan(60_000);
      const { makerRatio, takerRatio } = await venue.broker.feeRates(venue.symbol, options);
      expect(compare(takerRatio, makerRatio)).toBeGreaterThanOrEqual(0);
      expect(Number(takerRatio)).toBeLessThan(0.01);
    });

    test("leverage that was set is read back", async () => {
      if (!venue.broker.capabilities.leverage) return;
      const answer = await venue.broker.setLeverage(venue.symbol, 7, null, options);
      expect(answer.outcome).toBe("accepted");
      expect(await venue.broker.leverage(venue.symbol, options)).toEqual({ long: 7, short: 7 });
      for (const leverage of [0, -1, 1.5, Number.NaN]) {
        const refused = await venue.broker.setLeverage(venue.symbol, leverage, null, options);
        expect(refused).toMatchObject({ outcome: "refused", reason: "BAD_REQUEST" });
      }
    });

    test("on a hedge account both legs live side by side", async () => {
      const { broker, symbol } = venue;
      if (!broker.capabilities.hedge || !broker.capabilities.switchesPositionMode) return;
      expect(await broker.positionMode(symbol, options)).toBe("one_way");
      expect((await broker.setPositionMode(symbol, "hedge", options)).outcome).toBe("accepted");
      expect(await broker.positionMode(symbol, options)).toBe("hedge");
      const wrong = await broker.place(order({ kind: "market" }), options);
      expect(wrong).toMatchObject({ outcome: "refused", advice: "block_entries" });
      await place(order({ kind: "market" }, { positionSide: "long" }));
      await place(order({ kind: "market" }, { side: "sell", positionSide: "short" }));
      const legs = await broker.positions(symbol, options);
      expect(legs.map(({ mode, positionSide, qty }) => [mode, positionSide, qty]).sort()).toEqual([
        ["hedge", "long", venue.qty],
        ["hedge", "short", venue.qty],
      ]);
      const records = await trades();
      expect(records.map(({ side, positionSide }) => [side, positionSide])).toEqual([
        ["buy", "long"],
        ["sell", "short"],
      ]);
      const closing = { side: "sell", positionSide: "long", isReduceOnly: true } as const;
      await place(order({ kind: "market" }, closing));
      const left = await broker.positions(symbol, options);
      expect(left.map(({ positionSide }) => positionSide)).toEqual(["short"]);
      expect((await trades()).at(-1)).toMatchObject({ side: "sell", positionSide: "long" });
    });

    test("balances name their currency and are exact", async () => {
      const balances = await venue.broker.balances(options);
      expect(balances.length).toBeGreaterThan(0);
      for (const { asset, total } of balances) {
        expect(asset).toMatch(/^[A-Z0-9]+$/);
        expect(decimal(total)).toBe(total);
      }
    });

    test("a call that was stopped before it began sends nothing", async () => {
      const stopped: CallOptions = { signal: AbortSignal.abort(new Error("stopped")) };
      await expect(venue.broker.openOrders(null, stopped)).rejects.toThrow("stopped");
      const wanted = resting();
      const answer = await venue.broker.place(wanted, stopped);
      expect(answer.outcome).toBe("refused");
      expect(await venue.broker.order(byClient(wanted), options)).toBeNull();
    });
  });
}
