// The rows of a paper account and a bookkeeper who does with a broker what a live loop does: writes ahead, sends,
// books what it is told. Used by the tests of the paper account that start it again.
import { expect } from "bun:test";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { Scope, WorkspaceId } from "../../../src/ports/access-store.ts";
import type { Broker, NewOrder, TradeRecord } from "../../../src/ports/broker.ts";
import type { IntentId, Lease, NewFill, TradingStore } from "../../../src/ports/trading-store.ts";
import { BTC, OPTIONS, START } from "../../support/paper-market.ts";
import { createSimulatedStore } from "../../support/simulated-store.ts";
import { anIntent, idOf } from "../../support/trading.ts";

const scopeOne: Scope = { workspaceId: 1 as WorkspaceId, userId: null, role: "owner" };
/** What the account was opened with. */
export const MONEY = "10000";

/** Rows under a lease. */
export type Rows = { readonly store: TradingStore; readonly scope: Scope; readonly lease: Lease };

/** Rows of a fresh account in memory. */
export async function inMemory(): Promise<Rows> {
  const { store, addAccount } = createSimulatedStore(nextStatus, () => START);
  const lease = await store.takeLease(scopeOne, addAccount(scopeOne), "w", 30_000, false);
  if (!lease.ok) throw new Error(lease.detail);
  return { store, scope: scopeOne, lease: lease.value };
}

function fillOf(trade: TradeRecord): NewFill {
  const { realisedPnl, positionSide, fee, feeAsset: _, ...same } = trade;
  const amount = fee ?? decimal(0);
  return {
    ...same,
    leg: positionSide ?? "net",
    contractSize: decimal(1),
    settleAsset: "USDT",
    fee: { amount, asset: "USDT", settleAmount: amount, isEstimated: false },
    exchangeRealised: realisedPnl,
  };
}

/** Writes ahead, sends, and books what it is told. */
export function bookkeeper({ store, scope, lease }: Rows) {
  const intents = new Map<string, IntentId>();
  let sent = 0;
  let toldAt = 0;
  const must = async (answer: Promise<{ ok: boolean }>) => expect((await answer).ok).toBe(true);
  return {
    async send(broker: Broker, wanted: NewOrder, at: number) {
      const clientOrderId = idOf(lease, sent++);
      const order = { ...wanted, clientOrderId };
      const { side, terms, qty, isReduceOnly, positionSide } = order;
      const plan = anIntent({
        ...{ side, terms, qty, isReduceOnly, clientOrderId, symbol: BTC },
        ...(positionSide === null ? {} : { positionSide, leg: positionSide }),
      });
      const epoch = await store.epoch(scope);
      const place = [{ ...plan, targetKey: `k${sent}` }];
      const made = await store.commitIntents(scope, lease, epoch, { place, send: [] }, at);
      const id = made.ok ? made.value[0]?.id : undefined;
      if (id === undefined) throw new Error("the intent was not written");
      const answer = await broker.place(order, OPTIONS);
      if (answer.outcome === "accepted") {
        const { exchangeOrderId } = answer.value;
        await must(store.recordNews(scope, lease, id, { event: "accepted", exchangeOrderId }, at));
        intents.set(clientOrderId, id);
      } else await must(store.recordNews(scope, lease, id, { event: "refused" }, at));
    },
    async note(broker: Broker, at: number) {
      const trades = await broker.tradesSince({ symbol: BTC, sinceAt: toldAt }, OPTIONS);
      for (const trade of trades) {
        await must(store.recordFill(scope, lease, fillOf(trade)));
        toldAt = Math.max(toldAt, trade.at);
      }
      for (const [id, intent] of intents) {
        const ref = { symbol: BTC, by: "client", id, isTrigger: false } as const;
        const order = await broker.order(ref, OPTIONS);
        if (order?.status === "open" || order?.status === "partly_filled") continue;
        intents.delete(id);
        if (order?.status === "filled") continue;
        await must(store.recordNews(scope, lease, intent, { event: "cancelled" }, at));
      }
    },
    /** Books the payments since an instant. @returns how many were new to the rows */
    async noteFunding(broker: Broker, sinceAt = 0): Promise<number> {
      let booked = 0;
      for (const payment of await broker.fundingSince({ symbol: BTC, sinceAt }, OPTIONS)) {
        const { id: paymentId, symbol, amount, at } = payment;
        const fact = { symbol, paymentId, amount, asset: "USDT", at };
        const answer = await store.recordFunding(scope, lease, fact);
        if (!answer.ok) throw new Error(answer.detail);
        if (answer.value === "booked") booked += 1;
      }
      return booked;
    },
    working: () => [...intents.keys()],
  };
}
