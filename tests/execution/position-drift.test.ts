// Positions at the exchange against ours and against their owners': what is shown, when, and whom it
// concerns.
import { describe, expect, test } from "bun:test";
import { reconcile } from "../../src/execution/reconcile.ts";
import { FRESH_MEMORY, type HeldView } from "../../src/execution/reconcile-view.ts";
import { decimal } from "../../src/model/decimal.ts";
import { held, look, nothing, position, SYMBOL, view } from "../support/reconcile.ts";

describe("trades that belong to nobody", () => {
  const look_ = look({ positions: null });
  const after = (heldNow: readonly HeldView[], before: readonly HeldView[] = []) => {
    const { memory } = reconcile(view({ held: before }), look_, FRESH_MEMORY);
    return reconcile(view({ held: heldNow }), look_, memory);
  };
  const long = { leg: "long" } as const;

  test("are shown when they took from a net position, with what they took", () => {
    const mine = [held("0.6"), held("1", "bot:1"), held("-0.4", "foreign")];
    const first = after(mine);
    const taken = { kind: "taken_away", qty: decimal("0.4") } as const;
    expect(first.findings).toEqual([{ ...taken, affected: ["bot:1"], symbol: SYMBOL, leg: "net" }]);
    expect(reconcile(view({ held: mine }), look_, first.memory).findings).toEqual([]);
    const more = [held("0.5"), held("1", "bot:1"), held("-0.5", "foreign")];
    const second = reconcile(view({ held: more }), look_, first.memory);
    expect(second.findings).toMatchObject([{ kind: "taken_away", qty: "0.1" }]);
  });

  test("took at most what owners hold on a net position", () => {
    const turned = [held("-1"), held("1", "bot:1"), held("-2", "foreign")];
    expect(after(turned).findings).toMatchObject([{ qty: "1" }]);
    const short = [held("0.5"), held("-1", "bot:1"), held("1.5", "foreign")];
    expect(after(short).findings).toMatchObject([{ qty: "1" }]);
  });

  test("are shown when they closed a hedge leg of others", () => {
    const unmatchedQty = decimal("0.4");
    const foreign = held("0", "foreign", { ...long, unmatchedQty });
    const mine = [held("0.6", "account", long), held("1", "bot:2", long), foreign];
    expect(after(mine).findings).toMatchObject([
      { kind: "taken_away", leg: "long", qty: "0.4", affected: ["bot:2"] },
    ]);
  });

  test("are not judged without the step: an order in doubt may be behind them", () => {
    const qtySteps = new Map();
    const mine = [held("0.6"), held("1", "bot:1"), held("-0.4", "foreign")];
    const { memory } = reconcile(view(), look_, FRESH_MEMORY);
    const doubted = reconcile(view({ held: mine, qtySteps }), look_, memory);
    expect(doubted.findings).toEqual([]);
    const shown = reconcile(view({ held: mine }), look_, doubted.memory);
    expect(shown.findings).toHaveLength(1);
    const again = reconcile(view({ held: mine, qtySteps }), look_, shown.memory);
    expect(reconcile(view({ held: mine }), look_, again.memory).findings).toEqual([]);
  });

  test("are not shown when they add, or were there before the first look", () => {
    expect(after([held("1.4"), held("1", "bot:1"), held("0.4", "foreign")]).findings).toEqual([]);
    expect(after([held("0.4"), held("0.4", "foreign")]).findings).toEqual([]);
    const before = [held("0.6"), held("1", "bot:1"), held("-0.4", "foreign")];
    expect(after(before, before).findings).toEqual([]);
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
        ...{ ours: decimal(1), theirs: decimal("1.5"), affected: ["bot:1"] },
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

  test("that agrees again is told once, and only when the difference was", () => {
    const mine = view({ held: [held("1"), held("1", "bot:1")] });
    const right = look({ positions: [position("1")] });
    const { first, second, third } = passes("1", "1.5");
    const solved = { kind: "position_drift_solved", between: "exchange" } as const;
    expect(reconcile(mine, right, first.memory).findings).toEqual([]);
    for (const { memory } of [second, third]) {
      const result = reconcile(mine, right, memory);
      expect(result.findings).toEqual([{ ...solved, symbol: SYMBOL, leg: "net" }]);
      expect(result.memory.drifts).toEqual({});
    }
  });

  test("that both sides gave up is told as solved too", () => {
    const { second } = passes("1", "1.5");
    expect(reconcile(view(), look(), second.memory).findings).toMatchObject([
      { kind: "position_drift_solved" },
    ]);
  });

  test("of strangers beside or against owners is shown with the owners it concerns", () => {
    const beside = view({ held: [held("1.5"), held("1", "bot:1"), held("0.5", "foreign")] });
    const snapshot = look({ positions: [position("1.5")] });
    const { memory } = reconcile(beside, snapshot, FRESH_MEMORY);
    expect(reconcile(beside, snapshot, memory).findings).toMatchObject([
      { between: "owners", ours: "1", theirs: "1.5", affected: ["bot:1"] },
    ]);
  });

  test("is not compared while it is kept in another mode", () => {
    const mine = view({ mode: "hedge", held: [held("1", "account", { leg: "long" })] });
    const merged = look({ positions: [position("1")] });
    const first = reconcile(mine, merged, FRESH_MEMORY);
    const second = reconcile(mine, merged, first.memory);
    expect(second).toMatchObject({ findings: [], inquiries: [], memory: { drifts: {} } });
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
