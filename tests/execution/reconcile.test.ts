// Reconciliation: what is asked, told and shown for each way our view and the exchange's can differ.
import { describe, expect, test } from "bun:test";
import { reconcile, settle } from "../../src/execution/reconcile.ts";
import { FRESH_MEMORY } from "../../src/execution/reconcile-view.ts";
import { decimal } from "../../src/model/decimal.ts";
import {
  held,
  look,
  nothing,
  ours,
  position,
  SENT,
  SYMBOL,
  seen,
  view,
  zero,
} from "../support/reconcile.ts";

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

  test("asks for the trade records it lacks, and shows that once", () => {
    const orders = [seen({ status: "partly_filled", filledQty: decimal("0.5") })];
    const first = reconcile(view({ orders: [ours()] }), look({ orders }), FRESH_MEMORY);
    const trades = [{ kind: "trades", symbol: SYMBOL, sinceAt: SENT }] as const;
    expect(first.inquiries).toEqual([...trades]);
    expect(first.findings).toEqual([
      { kind: "missed_fill", clientOrderId: "c1", qty: decimal("0.5") },
    ]);
    expect(first.news).toMatchObject([{ event: "listed", reportedFilledQty: "0.5" }]);
    const told = ours({ reportedFilledQty: decimal("0.5") });
    const second = reconcile(view({ orders: [told] }), look({ orders }), first.memory);
    expect(second).toMatchObject({ news: [], inquiries: trades, findings: [] });
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

  test("is given up at the third answer in a row that there is none, trades asked before", () => {
    const first = settle(ours(), null, FRESH_MEMORY);
    const trades = [{ kind: "trades", symbol: SYMBOL, sinceAt: SENT }] as const;
    expect(first).toMatchObject({ news: [], findings: [], inquiries: trades });
    const second = settle(ours(), null, first.memory);
    expect(second).toMatchObject({ news: [], findings: [], inquiries: trades });
    const third = settle(ours(), null, second.memory);
    expect(third.news).toMatchObject([{ event: "not_found" }]);
    expect(third.findings).toEqual([{ kind: "order_missing_cancelled", clientOrderId: "c1" }]);
    expect(third.memory.strikes).toEqual({});
  });

  test("begins again at three strikes when it was seen in between", () => {
    let { memory } = settle(ours(), null, settle(ours(), null, FRESH_MEMORY).memory);
    memory = reconcile(view({ orders: [ours()] }), look({ orders: [seen()] }), memory).memory;
    expect(settle(ours(), null, memory).news).toEqual([]);
    const twice = settle(ours(), null, settle(ours(), null, FRESH_MEMORY).memory).memory;
    const found = settle(ours(), seen(), twice).memory;
    expect(settle(ours(), null, found).news).toEqual([]);
  });

  test("keeps its strikes while it stays away, and loses them when it ended", () => {
    const { memory } = settle(ours(), null, FRESH_MEMORY);
    const away = reconcile(view({ orders: [ours()] }), look(), memory).memory;
    expect(away.strikes).toEqual({ c1: 1 });
    const orders = [ours({ status: "filled" })];
    expect(reconcile(view({ orders }), look(), memory).memory.strikes).toEqual({});
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

describe("a position", () => {
  const passes = (ours_: string, theirs: string) => {
    const mine = view({ held: [held(ours_), held(ours_, "bot:1")] });
    const positions = [position(theirs)];
    const first = reconcile(mine, look({ positions }), FRESH_MEMORY);
    const second = reconcile(mine, look({ positions }), first.memory);
    const third = reconcile(mine, look({ positions }), second.memory);
    return { first, second, third };
  };

  test("that differs asks for trades at the first look, is shown at the second, once", () => {
    const { first, second, third } = passes("1", "1.5");
    expect(first).toMatchObject({
      ...{ findings: [], inquiries: [{ kind: "trades", symbol: SYMBOL, sinceAt: null }] },
    });
    expect(second.findings).toEqual([
      {
        ...{ kind: "position_drift", between: "exchange", symbol: SYMBOL, leg: "net" },
        ...{ ours: decimal(1), theirs: decimal("1.5") },
      },
    ]);
    expect(third).toMatchObject(nothing);
  });

  for (const [mine, theirs] of [
    ["1", "1.01"],
    ["1", "0.99"],
    ["1000", "1001"],
    ["1000", "999.5"],
  ] as const) {
    test(`of ${theirs} against ${mine} is within one step or 0.1 %`, () => {
      const { first, second } = passes(mine, theirs);
      expect([first.inquiries, second.findings]).toEqual([[], []]);
    });
  }

  test("beyond one step and 0.1 % is not", () => {
    expect(passes("1", "1.011").second.findings).toHaveLength(1);
    expect(passes("1000", "1001.1").second.findings).toHaveLength(1);
  });

  test("that was right again in between starts over", () => {
    const mine = view({ held: [held("1"), held("1", "bot:1")] });
    const off = look({ positions: [position("2")] });
    const first = reconcile(mine, off, FRESH_MEMORY);
    const right = reconcile(mine, look({ positions: [position("1")] }), first.memory);
    expect(right.memory.drifts).toEqual({});
    expect(reconcile(mine, off, right.memory).findings).toEqual([]);
  });

  test("that vanished from either side is a difference", () => {
    const mine = view({ held: [held("1"), held("1", "bot:1")] });
    const first = reconcile(mine, look(), FRESH_MEMORY);
    expect(reconcile(mine, look(), first.memory).findings).toMatchObject([{ theirs: "0" }]);
    const positions = [position("1", { positionSide: "short" })];
    const theirs = reconcile(view(), look({ positions }), FRESH_MEMORY);
    expect(reconcile(view(), look({ positions }), theirs.memory).findings).toMatchObject([
      { ours: "0", theirs: "-1" },
    ]);
  });

  test("is not judged without its step or without having been read", () => {
    const mine = view({ held: [held("1")], qtySteps: new Map() });
    const first = reconcile(mine, look(), FRESH_MEMORY);
    expect(first).toMatchObject(nothing);
    const unread = reconcile(view({ held: [held("1")] }), look({ positions: null }), FRESH_MEMORY);
    expect(unread).toMatchObject(nothing);
  });

  test("that owners do not add up to is shown apart", () => {
    const mine = view({ held: [held("2"), held("1", "bot:1")] });
    const snapshot = look({ positions: [position("2")] });
    const { memory } = reconcile(mine, snapshot, FRESH_MEMORY);
    expect(reconcile(mine, snapshot, memory).findings).toMatchObject([
      { kind: "position_drift", between: "owners", ours: "1", theirs: "2" },
    ]);
  });

  test("kept in another mode is shown once, until it is right again", () => {
    const mine = view({ mode: "hedge" });
    const tiny = [position("0.001")];
    const first = reconcile(mine, look({ positions: tiny }), FRESH_MEMORY);
    expect(first.findings).toEqual([{ kind: "position_mode_changed", mode: "one_way" }]);
    expect(reconcile(mine, look({ positions: tiny }), first.memory).findings).toEqual([]);
    const hedged = [position("0.001", { mode: "hedge" })];
    const right = reconcile(mine, look({ positions: hedged }), first.memory);
    expect(right.memory.isModeReported).toBe(false);
  });
});
