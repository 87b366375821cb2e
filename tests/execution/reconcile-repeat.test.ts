// Reconciliation over its own result: what it asks for is carried out as the live loop would, and soon there
// is nothing left to ask, tell or show.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { nextStatus } from "../../src/execution/order-machine.ts";
import { reconcile, settle } from "../../src/execution/reconcile.ts";
import {
  type AccountSnapshot,
  type AccountView,
  type Finding,
  FRESH_MEMORY,
  type OrderView,
  type ReconcileMemory,
  type ReconcileOutcome,
  type SeenOrder,
} from "../../src/execution/reconcile-view.ts";
import { add, compare, type Decimal, decimal } from "../../src/model/decimal.ts";
import type { IntentStatus } from "../../src/model/order-status.ts";
import { held, look, nothing, ours, position, seen, view, zero } from "../support/reconcile.ts";

/** What the exchange really has: an order it knows or has forgotten, and what was filled. */
type Truth = {
  readonly status: SeenOrder["status"];
  readonly filled: Decimal;
  readonly known: boolean;
};

const CASES = fc.array(
  fc.record({
    status: fc.constantFrom<IntentStatus>(
      ...(["sending", "unverified", "open", "partly_filled", "cancelled", "abandoned"] as const),
    ),
    truth: fc
      .tuple(
        fc.constantFrom(
          ...([
            ["open", zero],
            ["partly_filled", decimal("0.4")],
            ["filled", decimal(1)],
            ["cancelled", zero],
            ["cancelled", decimal("0.4")],
            ["rejected", zero],
            ["expired", decimal("0.4")],
          ] as const),
        ),
        fc.boolean(),
      )
      .map(([[status, filled], known]): Truth => ({ status, filled, known })),
    booked: fc.boolean(),
    hasExchangeId: fc.boolean(),
  }),
  { maxLength: 6 },
);

describe("reconciliation", () => {
  test("finds nothing in a pass over its own result", () => {
    const drift = fc.constantFrom("0", "7", "-7");
    fc.assert(
      fc.property(CASES, drift, (cases, unexplained) => {
        const truths = new Map<string, Truth>(cases.map(({ truth }, n) => [`c${n}`, truth]));
        let orders = cases.map(({ status, truth, booked, hasExchangeId }, n): OrderView => {
          const filledQty = booked ? truth.filled : zero;
          const exchangeOrderId = hasExchangeId ? `x${n}` : null;
          return ours({ clientOrderId: `c${n}`, exchangeOrderId, status, filledQty });
        });
        let memory: ReconcileMemory = FRESH_MEMORY;
        const shown: Finding[] = [];
        let last: ReconcileOutcome | null = null;
        for (let pass = 0; pass < 6; pass++) {
          const snapshot = snapshotOf(truths, unexplained);
          last = reconcile(viewOf(orders), snapshot, memory);
          const carried = carryOut(last, orders, truths, pass * 60_000);
          orders = carried.orders;
          memory = carried.memory;
          shown.push(...last.findings, ...carried.findings);
        }
        expect(last).toMatchObject(nothing);
        const names = shown.map((finding) => JSON.stringify(finding));
        expect(new Set(names).size).toBe(names.length);
        const drifts = shown.filter(({ kind }) => kind === "position_drift");
        expect(drifts).toHaveLength(unexplained === "0" ? 0 : 1);
      }),
      { numRuns: 1000 },
    );
  });
});

const isListed = ({ status }: Truth) => status === "open" || status === "partly_filled";

function seenOf(id: string, { status, filled }: Truth): SeenOrder {
  return seen({ clientOrderId: id, exchangeOrderId: `x${id.slice(1)}`, status, filledQty: filled });
}

function snapshotOf(truths: ReadonlyMap<string, Truth>, unexplained: string): AccountSnapshot {
  let qty = decimal(unexplained);
  for (const { filled } of truths.values()) qty = add(qty, filled);
  const isShort = compare(qty, zero) < 0;
  const positionSide = isShort ? "short" : "long";
  const size = decimal(qty.replace("-", ""));
  return look({
    orders: [...truths]
      .filter(([, truth]) => isListed(truth))
      .map(([id, each]) => seenOf(id, each)),
    positions: compare(qty, zero) === 0 ? [] : [position(size, { positionSide })],
  });
}

function viewOf(orders: readonly OrderView[]): AccountView {
  const sum = orders.reduce((all, { filledQty }) => add(all, filledQty), zero);
  return view({ orders, held: [held(sum), held(sum, "bot:1")] });
}

/** Does what an outcome asks for, as the live loop would: news, questions, trade records. */
function carryOut(
  outcome: ReconcileOutcome,
  before: readonly OrderView[],
  truths: ReadonlyMap<string, Truth>,
  at: number,
): { orders: OrderView[]; memory: ReconcileMemory; findings: Finding[] } {
  let orders = [...before];
  let { memory } = outcome;
  const findings: Finding[] = [];
  const change = (id: string, with_: (order: OrderView) => OrderView) => {
    orders = orders.map((order) => (order.clientOrderId === id ? with_(order) : order));
  };
  const takeNews = ({ news }: ReconcileOutcome) => {
    for (const { clientOrderId, event, exchangeOrderId, reportedFilledQty } of news) {
      change(clientOrderId, (order) => ({
        ...order,
        status: nextStatus(order.status, event) ?? order.status,
        exchangeOrderId: order.exchangeOrderId ?? exchangeOrderId,
        reportedFilledQty: reportedFilledQty ?? order.reportedFilledQty,
      }));
    }
  };
  const bookTrades = () => {
    for (const [id, { filled }] of truths) {
      change(id, (order) => {
        if (compare(filled, order.filledQty) <= 0) return order;
        const event = compare(filled, decimal(1)) === 0 ? "fill_rest" : "fill_part";
        const status = nextStatus(order.status, event) ?? order.status;
        return { ...order, filledQty: filled, status };
      });
    }
  };
  takeNews(outcome);
  for (const inquiry of outcome.inquiries) {
    if (inquiry.kind === "trades") bookTrades();
    else {
      const order = orders.find(({ clientOrderId }) => clientOrderId === inquiry.clientOrderId);
      const truth = truths.get(inquiry.clientOrderId);
      if (!order || !truth) throw new Error("a question about nothing");
      const answer = isListed(truth) || truth.known ? seenOf(inquiry.clientOrderId, truth) : null;
      const settled = settle(order, answer, memory, at);
      memory = settled.memory;
      findings.push(...settled.findings);
      takeNews(settled);
      if (settled.inquiries.length > 0) bookTrades();
    }
  }
  return { orders, memory, findings };
}
