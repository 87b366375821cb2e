// Money that comes or goes without a trade: booked when it was seen twice on a quiet, flat account, and
// never taken for it while a fill, a fee or funding may explain it. The real simulated exchange.
import { afterEach, describe, expect, test } from "bun:test";
import { MONEY_DECIMALS } from "../../../src/venue/decimal.ts";
import { credit } from "../../../src/venue/state.ts";
import { limit, type ReconcileLab, startReconcileLab } from "../../support/reconcile-lab.ts";
import { stopLabs } from "../../venue/lab.ts";

afterEach(stopLabs);

const MINUTE = 60_000;

/** Moves the wallet of the account as a deposit or withdrawal does. */
const moves = ({ lab }: ReconcileLab, thousandths: number) =>
  credit(lab.x, lab.account, BigInt(thousandths) * 10n ** BigInt(MONEY_DECIMALS - 3));

async function quiet(): Promise<ReconcileLab> {
  const lab = await startReconcileLab();
  await lab.pass();
  return lab;
}

/** Passes, a minute apart. */
async function passes(lab: ReconcileLab, count: number): Promise<number[]> {
  const writes: number[] = [];
  for (let n = 0; n < count; n++) {
    await lab.lab.step(MINUTE);
    writes.push((await lab.pass()).writes);
  }
  return writes;
}

const booked = async ({ store, scope, accountId }: ReconcileLab) =>
  (await store.ledger(scope, accountId, 100)).filter(({ kind }) => kind === "transfer");

describe("a transfer", () => {
  for (const [what, thousandths, amount] of [
    ["that came in", 250_000, "250"],
    ["that left", -99_990, "-99.99"],
  ] as const) {
    test(`${what} is booked at the second look, once`, async () => {
      const lab = await quiet();
      moves(lab, thousandths);
      expect(await passes(lab, 4)).toEqual([0, 1, 0, 0]);
      expect(await booked(lab)).toMatchObject([
        { amount, asset: "USDT", settleAmount: amount, owner: "account" },
      ]);
      expect(lab.events).toMatchObject([{ kind: "transfer_booked", fields: { amount } }]);
      moves(lab, thousandths);
      expect(await passes(lab, 3)).toEqual([0, 1, 0]);
      expect(await booked(lab)).toHaveLength(2);
    });
  }

  test("is never profit", async () => {
    const lab = await quiet();
    moves(lab, 250_000);
    await passes(lab, 2);
    const { store, scope, accountId } = lab;
    const totals = await store.totals(scope, accountId, { sinceAt: 0, owner: null });
    expect(totals).toMatchObject({ net: "0", transfers: "250" });
  });

  test("is not what was gone again at the second look", async () => {
    const lab = await quiet();
    moves(lab, 250_000);
    await passes(lab, 1);
    moves(lab, -250_000);
    expect(await passes(lab, 3)).toEqual([0, 0, 0]);
    expect(await booked(lab)).toEqual([]);
  });

  test("that grew meanwhile is booked whole when it stands still", async () => {
    const lab = await quiet();
    moves(lab, 100_000);
    await passes(lab, 1);
    moves(lab, 50_000);
    expect(await passes(lab, 3)).toEqual([0, 1, 0]);
    expect(await booked(lab)).toMatchObject([{ amount: "150" }]);
  });

  test("below a hundredth is rounding", async () => {
    const lab = await quiet();
    for (let n = 0; n < 5; n++) {
      moves(lab, 9);
      await passes(lab, 1);
    }
    expect(await passes(lab, 2)).toEqual([0, 0]);
    expect(await booked(lab)).toEqual([]);
  });
});

describe("no transfer is", () => {
  test("a trade with its fees, there and back", async () => {
    const lab = await quiet();
    await lab.send({ qty: "1" });
    await lab.lab.price("103");
    await lab.send({ side: "sell", qty: "1", isReduceOnly: true });
    await lab.settle();
    await passes(lab, 3);
    expect(await booked(lab)).toEqual([]);
    expect(await lab.differences()).toEqual([]);
  });

  test("funding that was not booked yet: it is asked for first", async () => {
    const lab = await quiet();
    await lab.send({ qty: "5" });
    await lab.settle();
    await lab.lab.fault("funding_charge", { params: { rate: "0.01" } });
    await lab.send({ side: "sell", qty: "5", isReduceOnly: true });
    await passes(lab, 5);
    expect(await booked(lab)).toEqual([]);
    expect(lab.kinds()).toContain("funding_booked");
    expect(await lab.differences()).toEqual([]);
  });

  test("anything while a position is held", async () => {
    const lab = await quiet();
    await lab.send({ qty: "1" });
    await lab.settle();
    moves(lab, 250_000);
    expect(await passes(lab, 3)).toEqual([0, 0, 0]);
    await lab.send({ side: "sell", qty: "1", isReduceOnly: true });
    await passes(lab, 4);
    expect(await booked(lab)).toMatchObject([{ amount: "250" }]);
  });

  test("anything while an order is in flight", async () => {
    const lab = await quiet();
    const { clientOrderId } = await lab.send({ terms: limit("95"), isAnswerLost: true });
    const { account } = lab.lab;
    for (const order of [...account.orders.values()]) {
      if (order.clientOrderId === clientOrderId) account.orders.delete(order.id);
    }
    moves(lab, 250_000);
    expect(await passes(lab, 3)).toEqual([0, 0, 0]);
  });

  test("anything while trades of strangers are not settled with the owners", async () => {
    const lab = await quiet();
    await lab.send({ qty: "1" });
    await lab.settle();
    await lab.lab.fault("liquidation");
    moves(lab, 250_000);
    await passes(lab, 4);
    expect(await booked(lab)).toEqual([]);
  });

  test("anything while a fee is estimated or missing", async () => {
    const lab = await startReconcileLab({
      broker: (real) => ({
        ...real,
        tradesSince: async (query, options) =>
          (await real.tradesSince(query, options)).map((one) => ({ ...one, fee: null })),
      }),
    });
    await lab.pass();
    await lab.send({ qty: "1" });
    await lab.send({ side: "sell", qty: "1", isReduceOnly: true });
    await lab.settle();
    moves(lab, 250_000);
    expect(await passes(lab, 3)).toEqual([0, 0, 0]);
  });

  test("what was there before the first look", async () => {
    const lab = await startReconcileLab();
    moves(lab, 250_000);
    expect(await passes(lab, 3)).toEqual([0, 0, 0]);
  });
});

test("balances are asked for once a minute, and at every pass while something is suspected", async () => {
  let asked = 0;
  const lab = await startReconcileLab({
    broker: (real) => ({
      ...real,
      balances: (options) => {
        asked += 1;
        return real.balances(options);
      },
    }),
  });
  for (let n = 0; n < 10; n++) {
    await lab.pass();
    await lab.lab.step(10_000);
  }
  expect(asked).toBe(2);
  moves(lab, 250_000);
  await lab.lab.step(MINUTE);
  await lab.pass();
  await lab.pass();
  expect(asked).toBe(4);
  expect(await booked(lab)).toHaveLength(1);
});

test("an order that rests does not keep a transfer from being booked", async () => {
  const lab = await quiet();
  await lab.send({ terms: limit("95") });
  await lab.settle();
  moves(lab, 250_000);
  await passes(lab, 2);
  expect(await booked(lab)).toHaveLength(1);
});
