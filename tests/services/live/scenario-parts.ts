// What scenarios of reconciliation are made of, and the things that can be done to an account. Used by
// the scenarios alone.
import { formatClientOrderId } from "../../../src/model/client-order-id.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { PositionMode } from "../../../src/ports/broker.ts";
import { limit, type ReconcileLab, type Wish } from "../../support/reconcile-lab.ts";

/** One scenario; it begins with an empty account at price 100. */
export type Scenario = {
  readonly name: string;
  /** Both when absent. */
  readonly modes?: readonly PositionMode[];
  /** Also on PostgreSQL. */
  readonly inDatabase?: true;
  readonly run: (lab: ReconcileLab) => Promise<void>;
  /** Kinds of events, in any order, each as often as it stands here. */
  readonly told?: readonly string[];
  /** What blocks the contract in the end; nothing when absent. */
  readonly blocked?: RegExp;
  /** What differs in the end; nothing when absent. */
  readonly differs?: RegExp;
};

/** An order for one contract at the market. */
export const AT_100: Wish = { qty: "1" };
/** An order for one contract that rests. */
export const RESTING: Wish = { terms: limit("95") };

/** A trade by hand. */
export const hand = (
  lab: ReconcileLab,
  side: "BUY" | "SELL",
  quantity: string,
  positionSide = "LONG",
) => lab.lab.fault("manual_trade", { params: { side, quantity, positionSide } });

/** A fault switch of the exchange, or a deed. */
export const deed = (lab: ReconcileLab, name: string, params: object = {}) =>
  lab.lab.fault(name, { params });

/** An order that another program sends with an id in our writing. */
export const rival = (lab: ReconcileLab, change: object = {}) => {
  const parts = { stampS: 190_000_000, instance: 8, bot: 3, sequence: 1 };
  const clientOrderId = formatClientOrderId(parts);
  const positionSide = lab.deps.account.positionMode === "hedge" ? { positionSide: "LONG" } : {};
  return lab.lab.place({ price: "90", ...positionSide, clientOrderId, ...change });
};

/** A reduce-only sell of the whole position below the market. */
export function stop(triggerPrice: string, price: string | null = null): Wish {
  return {
    ...{ side: "sell", isReduceOnly: true },
    terms: {
      ...{ kind: "trigger", direction: "falling", triggerPrice: decimal(triggerPrice) },
      price: price === null ? null : decimal(price),
    },
  };
}

/** The long leg where there are legs. */
export function legOf(lab: ReconcileLab) {
  return lab.deps.account.positionMode === "hedge" ? { positionSide: "LONG" } : {};
}
