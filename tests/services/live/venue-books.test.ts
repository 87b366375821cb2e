// The comparison of books by which scenarios and simulation are judged: it must see every kind of
// difference, down to the last unit.
import { afterEach, expect, test } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import type { OwnedFill } from "../../../src/model/trade-record.ts";
import type { StoredIntent } from "../../../src/ports/trading-store.ts";
import { limit, type ReconcileLab, startReconcileLab } from "../../support/reconcile-lab.ts";
import { booksDiffer, type OurBooks } from "../../support/venue-books.ts";
import { stopLabs } from "../../venue/lab.ts";

afterEach(stopLabs);

/** A lab with a reduced position, a resting order and funding, all of it booked. */
async function busyLab(): Promise<ReconcileLab> {
  const lab = await startReconcileLab({ mode: "hedge" });
  await lab.send({ qty: "0.7" });
  await lab.lab.price("103");
  await lab.send({ side: "sell", qty: "0.3", isReduceOnly: true });
  await lab.send({ terms: limit("95") });
  await lab.lab.fault("funding_charge", { params: { rate: "0.0003" } });
  await lab.settle();
  await lab.ingest.funding("PERP_BTC_USDT", new AbortController().signal);
  return lab;
}

const compared = (lab: ReconcileLab, change: Partial<OurBooks["store"]>) => {
  const { store, scope, accountId } = lab;
  const ours = { scope, accountId, store: { ...store, ...change } };
  return booksDiffer(lab.lab.x, lab.lab.account, ours);
};

test("equal books differ in nothing", async () => {
  expect(await (await busyLab()).differences()).toEqual([]);
});

const FILLS: Readonly<Record<string, (fills: readonly OwnedFill[]) => OwnedFill[]>> = {
  "is not booked": (fills) => fills.slice(1),
  "is booked twice": (fills) => [...fills, ...fills.slice(0, 1)],
  "does not exist there": (fills) => [...fills, { ...one(fills), tradeId: "5" }],
  "bot:2": (fills) => changed(fills, { owner: "bot:2" }),
  "sell long": (fills) => changed(fills, { side: "sell" }),
  "buy short": (fills) => changed(fills, { leg: "short" }),
  "0.69": (fills) => changed(fills, { qty: decimal("0.69") }),
  "99.5": (fills) => changed(fills, { price: decimal("99.5") }),
  "fee none": (fills) => changed(fills, { fee: null }),
  "fee 0.000000000001": (fills) => changed(fills, { fee: fee("0.000000000001") }),
};

for (const [what, change] of Object.entries(FILLS)) {
  test(`a wrong execution is seen (${what})`, async () => {
    const lab = await busyLab();
    const { fills } = lab.store;
    const differences = await compared(lab, {
      fills: async (...call) => change(await fills(...call)),
    });
    expect(differences.join("\n")).toContain(what);
  });
}

for (const name of ["fees", "funding", "realised"] as const) {
  test(`a wrong sum is seen (${name})`, async () => {
    const lab = await busyLab();
    const wrong = decimal("0.000000000001");
    const differences = await compared(lab, {
      totals: async (...call) => ({ ...(await lab.store.totals(...call)), [name]: wrong }),
    });
    expect(differences).toHaveLength(1);
    expect(differences[0]).toStartWith(name);
  });
}

for (const name of ["missing", "estimated"] as const) {
  test(`an amount that is ${name} is seen`, async () => {
    const lab = await busyLab();
    const differences = await compared(lab, {
      totals: async (...call) => ({ ...(await lab.store.totals(...call)), [name]: 1 }),
    });
    expect(differences).toHaveLength(1);
  });
}

for (const [who, of] of [
  ["account", "0.4 there, 0 here"],
  ["bot:1", "its owners 0"],
] as const) {
  test(`a position that is gone is seen (${who})`, async () => {
    const lab = await busyLab();
    const differences = await compared(lab, {
      holdings: async (...call) =>
        (await lab.store.holdings(...call)).filter(({ holder }) => holder !== who),
    });
    expect(differences.join("\n")).toContain(of);
  });
}

const INTENTS: Readonly<Record<string, Partial<StoredIntent>>> = {
  "works, here cancelled": { status: "cancelled" },
  "0 executed, here 0.2": { filledQty: decimal("0.2") },
  "here null": { exchangeOrderId: null },
};

for (const [what, change] of Object.entries(INTENTS)) {
  test(`a wrong order is seen (${what})`, async () => {
    const lab = await busyLab();
    const differences = await compared(lab, {
      findIntent: async (...call) => {
        const intent = await lab.store.findIntent(...call);
        return intent?.status === "open" ? { ...intent, ...change } : intent;
      },
    });
    expect(differences.join("\n")).toContain(what);
  });
}

test("an order that works here alone is seen", async () => {
  const lab = await busyLab();
  const differences = await compared(lab, {
    aliveIntents: async (...call) => {
      const alive = await lab.store.aliveIntents(...call);
      return alive.map((intent) => ({ ...intent, clientOrderId: null }));
    },
  });
  expect(differences).toEqual(["order null: open here, not there"]);
});

function one(fills: readonly OwnedFill[]): OwnedFill {
  const [first] = fills;
  if (!first) throw new Error("nothing is booked");
  return first;
}

function changed(fills: readonly OwnedFill[], change: Partial<OwnedFill>): OwnedFill[] {
  return [{ ...one(fills), ...change }, ...fills.slice(1)];
}

function fee(amount: string): OwnedFill["fee"] {
  const settleAmount = decimal(amount);
  return { amount: settleAmount, asset: "USDT", settleAmount, isEstimated: false };
}
