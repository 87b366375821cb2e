// Reconciliation: what is asked, told and shown for each way our view and the exchange's can differ.
import { describe, expect, test } from "bun:test";
import { reconcile, settle } from "../../src/execution/reconcile.ts";
import {
  FRESH_MEMORY,
  type ReconcileMemory,
  type SeenOrder,
} from "../../src/execution/reconcile-view.ts";
import { formatClientOrderId } from "../../src/model/client-order-id.ts";
import { decimal } from "../../src/model/decimal.ts";
import { look, nothing, ours, SENT, SYMBOL, seen, view, zero } from "../support/reconcile.ts";

describe("an order that both sides show", () => {
  test("brings nothing", () => {
    const result = reconcile(view({ orders: [ours()] }), look({ orders: [seen()] }), FRESH_MEMORY);
    expect(result).toMatchObject(nothing);
  });

  test("is matched by the exchange's id when the list has no client id", () => {
    const orders = [seen({ clientOrderId: null })];
    expect(reconcile(view({ orders: [ours()] }), look({ orders }), FRESH_MEMORY)).toMatchObject(
      nothing,
    );
  });

  for (const status of ["sending", "unverified"] as const) {
    test(`is told as listed while it is ${status} here`, () => {
      const order = ours({ status, exchangeOrderId: null });
      const result = reconcile(view({ orders: [order] }), look({ orders: [seen()] }), FRESH_MEMORY);
      expect(result.news).toEqual([
        { clientOrderId: "c1", event: "listed", exchangeOrderId: "x1", reportedFilledQty: zero },
      ]);
      expect(result.inquiries).toEqual([]);
    });
  }

  test("is adopted when it was abandoned here", () => {
    const order = ours({ status: "abandoned" });
    const result = reconcile(view({ orders: [order] }), look({ orders: [seen()] }), FRESH_MEMORY);
    expect(result.findings).toEqual([{ kind: "order_adopted", clientOrderId: "c1" }]);
    expect(result.news).toMatchObject([{ event: "listed" }]);
  });

  for (const status of ["cancelled", "refused", "expired", "filled"] as const) {
    test(`is asked about when it is ${status} here, because the list may be old`, () => {
      const order = ours({ status });
      const result = reconcile(view({ orders: [order] }), look({ orders: [seen()] }), FRESH_MEMORY);
      const inquiries = [{ kind: "order", clientOrderId: "c1" }];
      expect(result).toMatchObject({ news: [], inquiries, findings: [] });
    });
  }

  test("asks for the trade records it lacks, and shows nothing while they may still come", () => {
    const orders = [seen({ status: "partly_filled", filledQty: decimal("0.5") })];
    const first = reconcile(view({ orders: [ours()] }), look({ orders }), FRESH_MEMORY);
    const trades = [{ kind: "trades", symbol: SYMBOL, sinceAt: SENT }] as const;
    expect(first).toMatchObject({ inquiries: trades, findings: [] });
    expect(first.news).toMatchObject([{ event: "listed", reportedFilledQty: "0.5" }]);
    const told = ours({ reportedFilledQty: decimal("0.5") });
    const second = reconcile(view({ orders: [told] }), look({ orders }), first.memory);
    expect(second).toMatchObject({ news: [], inquiries: trades, findings: [] });
  });
});

describe("an execution whose trade record does not come", () => {
  const LATE = 30_000;
  const lacking = ours({ filledQty: decimal("0.2"), reportedFilledQty: decimal("0.5") });
  const orders = [seen({ status: "partly_filled", filledQty: decimal("0.5") })];
  const lookAt = (askedAt: number, memory: ReconcileMemory, order = lacking) =>
    reconcile(view({ orders: [order] }), look({ orders, askedAt }), memory);
  const missed = [{ kind: "missed_fill", clientOrderId: "c1", qty: decimal("0.3") }] as const;

  test("is shown once, half a minute after it was first seen to lack", () => {
    const first = lookAt(5000, FRESH_MEMORY);
    const soon = lookAt(4999 + LATE, first.memory);
    expect([first.findings, soon.findings]).toEqual([[], []]);
    const late = lookAt(5000 + LATE, soon.memory);
    expect(late.findings).toEqual([...missed]);
    expect(lookAt(6000 + LATE * 9, late.memory).findings).toEqual([]);
  });

  test("is forgotten as soon as it is booked, and a later one is waited for anew", () => {
    const first = lookAt(5000, FRESH_MEMORY);
    const booked = lookAt(5000 + LATE, first.memory, ours({ filledQty: decimal("0.5") }));
    expect(booked).toMatchObject({ findings: [], memory: { lacks: {} } });
    expect(lookAt(5000 + LATE * 2, booked.memory).findings).toEqual([]);
  });

  test("is still counted from the first look when the clock was set back meanwhile", () => {
    const first = lookAt(5_000_000, FRESH_MEMORY);
    const before = lookAt(5000, first.memory);
    expect(lookAt(5000 + LATE, before.memory).findings).toEqual([...missed]);
  });
});

describe("an order that vanished from the list", () => {
  test("is asked about at the first look", () => {
    const result = reconcile(view({ orders: [ours()] }), look(), FRESH_MEMORY);
    expect(result.inquiries).toEqual([{ kind: "order", clientOrderId: "c1" }]);
    expect(result).toMatchObject({ news: [], findings: [] });
  });

  test("is left alone when it was sent after the look began", () => {
    const orders = [ours({ sentAt: 5000 })];
    expect(reconcile(view({ orders }), look(), FRESH_MEMORY)).toMatchObject(nothing);
  });

  for (const status of ["planned", "parked", "sending", "unverified"] as const) {
    test(`is left alone while it is ${status} here`, () => {
      const orders = [ours({ status })];
      expect(reconcile(view({ orders }), look(), FRESH_MEMORY)).toMatchObject(nothing);
    });
  }

  test("is left alone when the list was not read", () => {
    const orders = [ours()];
    expect(reconcile(view({ orders }), look({ orders: null }), FRESH_MEMORY)).toMatchObject(
      nothing,
    );
  });

  const ends = [
    ["filled", "reported_filled"],
    ["cancelled", "cancelled"],
    ["expired", "expired"],
    ["rejected", "refused"],
  ] as const;
  for (const [status, event] of ends) {
    test(`ends as ${status} when the exchange answers so`, () => {
      const result = settle(ours(), seen({ status, filledQty: decimal(1) }), FRESH_MEMORY);
      expect(result.news).toMatchObject([{ event, reportedFilledQty: "1" }]);
      expect(result.inquiries).toMatchObject([{ kind: "trades" }]);
    });
  }

  test("goes on when the exchange answers that it works, or with a word we do not know", () => {
    for (const status of ["open", "partly_filled", "unknown"] as const) {
      expect(settle(ours(), seen({ status }), FRESH_MEMORY)).toMatchObject(nothing);
    }
  });

  test("is found working again after it was believed gone", () => {
    for (const status of ["cancelled", "refused", "expired", "abandoned"] as const) {
      const { news } = settle(ours({ status }), seen(), FRESH_MEMORY);
      expect(news).toMatchObject([{ event: "found_working" }]);
    }
  });

  const trades = [{ kind: "trades", symbol: SYMBOL, sinceAt: SENT }] as const;
  const MINUTE = 60_000;

  for (const [status, event] of ends) {
    test(`ends as ${status} after all when it had been abandoned`, () => {
      const lost = ours({ status: "abandoned", exchangeOrderId: null });
      const { news } = settle(lost, seen({ status, filledQty: decimal(1) }), FRESH_MEMORY);
      expect(news).toMatchObject([{ event, exchangeOrderId: "x1" }]);
    });
  }

  test("is given up at the third answer in a row that there is none, trades asked before", () => {
    const first = settle(ours(), null, FRESH_MEMORY, 5);
    expect(first).toMatchObject({ news: [], findings: [], inquiries: trades });
    const second = settle(ours(), null, first.memory, MINUTE + 5);
    expect(second).toMatchObject({ news: [], findings: [], inquiries: trades });
    const third = settle(ours(), null, second.memory, MINUTE + 5);
    expect(third.news).toMatchObject([{ event: "not_found" }]);
    expect(third.findings).toEqual([{ kind: "order_missing_cancelled", clientOrderId: "c1" }]);
    expect(third.memory.strikes).toEqual({});
  });

  test("is not given up within a minute, however often it is not found", () => {
    let memory = FRESH_MEMORY;
    for (let look = 0; look < 20; look++) {
      const answer = settle(ours(), null, memory, 5 + look * 3000);
      expect(answer).toMatchObject({ news: [], findings: [], inquiries: trades });
      memory = answer.memory;
    }
    expect(settle(ours(), null, memory, 5 + MINUTE).news).toMatchObject([{ event: "not_found" }]);
    expect(settle(ours(), null, memory).news).toEqual([]);
  });

  test("begins again at no strikes when it was seen in between", () => {
    const struck = (memory: ReconcileMemory, at: number) => settle(ours(), null, memory, at);
    const twice = struck(struck(FRESH_MEMORY, 0).memory, MINUTE).memory;
    const list = look({ orders: [seen()] });
    const listed = reconcile(view({ orders: [ours()] }), list, twice).memory;
    expect(struck(listed, 2 * MINUTE).news).toEqual([]);
    const found = settle(ours(), seen(), twice, MINUTE).memory;
    expect(struck(found, 2 * MINUTE).news).toEqual([]);
  });

  test("keeps its strikes while it stays away, and loses them when it ended", () => {
    const { memory } = settle(ours(), null, FRESH_MEMORY, 7);
    const away = reconcile(view({ orders: [ours()] }), look(), memory).memory;
    expect(away.strikes).toEqual({ c1: { count: 1, firstAt: 7 } });
    const orders = [ours({ status: "filled" })];
    expect(reconcile(view({ orders }), look(), memory).memory.strikes).toEqual({});
  });
});

describe("an order that ended", () => {
  for (const status of ["filled", "cancelled", "expired"] as const) {
    test(`asks for its trade records until they are all there (${status})`, () => {
      const lacking = ours({ status, reportedFilledQty: decimal("0.5") });
      const { inquiries } = reconcile(view({ orders: [lacking] }), look(), FRESH_MEMORY);
      expect(inquiries).toEqual([
        { kind: "order", clientOrderId: "c1" },
        { kind: "trades", symbol: SYMBOL, sinceAt: SENT },
      ]);
      const whole = ours({ status, reportedFilledQty: decimal("0.5"), filledQty: decimal("0.5") });
      expect(reconcile(view({ orders: [whole] }), look(), FRESH_MEMORY)).toMatchObject(nothing);
    });
  }
});

describe("what a trigger order became", () => {
  const trigger = ours({ terms: { kind: "trigger" }, side: "sell" });
  const both = (found: Partial<SeenOrder>) => {
    const child = seen({ clientOrderId: null, exchangeOrderId: "x2", side: "sell", ...found });
    return look({ orders: [seen({ side: "sell" }), child] });
  };

  test("is no stranger", () => {
    const result = reconcile(view({ orders: [trigger] }), both({}), FRESH_MEMORY);
    expect(result).toMatchObject(nothing);
  });

  for (const [what, found] of [
    ["another side", { side: "buy" }],
    ["another quantity", { qty: decimal("0.9") }],
    ["an unknown quantity", { qty: null }],
    ["another symbol", { symbol: "ETH/USDT:USDT" }],
    ["a client id", { clientOrderId: "theirs" }],
  ] as const) {
    test(`is not an order of ${what}`, () => {
      const { findings } = reconcile(view({ orders: [trigger] }), both(found), FRESH_MEMORY);
      expect(findings).toMatchObject([{ kind: "stranger", exchangeOrderId: "x2" }]);
    });
  }

  test("is a stranger when our order does not trigger or has ended", () => {
    for (const change of [{ terms: { kind: "limit" } }, { status: "cancelled" }] as const) {
      const orders = [{ ...trigger, ...change }];
      const { findings } = reconcile(view({ orders }), both({}), FRESH_MEMORY);
      expect(findings).toMatchObject([{ kind: "stranger" }]);
    }
  });
});

describe("an order nobody here knows", () => {
  test("is shown once and never touched", () => {
    const orders = [seen({ clientOrderId: "theirs", exchangeOrderId: "x9" })];
    const first = reconcile(view(), look({ orders }), FRESH_MEMORY);
    expect(first.findings).toEqual([{ kind: "stranger", symbol: SYMBOL, exchangeOrderId: "x9" }]);
    expect(first).toMatchObject({ news: [], inquiries: [] });
    expect(reconcile(view(), look({ orders }), first.memory)).toMatchObject(nothing);
    const gone = reconcile(view(), look(), first.memory);
    expect(gone.memory.strangers).toEqual([]);
  });
});

describe("an order in our writing that is not in our rows", () => {
  const clientOrderId = formatClientOrderId({ stampS: 190e6, instance: 8, bot: 3, sequence: 1 });
  const orders = [seen({ clientOrderId, exchangeOrderId: "x9" })];

  test("shows another instance, once while it is there", () => {
    const first = reconcile(view(), look({ orders }), FRESH_MEMORY);
    const where = { symbol: SYMBOL, exchangeOrderId: "x9" };
    expect(first.findings).toEqual([
      { kind: "second_instance", ...where, clientOrderId, instance: 8 },
    ]);
    expect(first.memory).toMatchObject({ rivals: [`${SYMBOL}#x9`], strangers: [] });
    expect(reconcile(view(), look({ orders }), first.memory)).toMatchObject(nothing);
    expect(reconcile(view(), look(), first.memory).memory.rivals).toEqual([]);
  });

  test("stays known while the list is not read", () => {
    const { memory } = reconcile(view(), look({ orders }), FRESH_MEMORY);
    const unread = reconcile(view(), look({ orders: null }), memory);
    expect(unread.memory.rivals).toEqual([`${SYMBOL}#x9`]);
  });

  test("is a stranger when no bot has the number 0", () => {
    const zeroth = formatClientOrderId({ stampS: 190e6, instance: 8, bot: 0, sequence: 1 });
    const list = look({ orders: [seen({ clientOrderId: zeroth, exchangeOrderId: "x9" })] });
    expect(reconcile(view(), list, FRESH_MEMORY).findings).toMatchObject([{ kind: "stranger" }]);
  });
});
