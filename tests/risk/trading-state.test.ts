// The trading-state table cell by cell, the strictest of several scopes, and what becomes of planned intents.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type {
  ApprovedIntent,
  OrderIntent,
  OrderPurpose,
  TargetOrder,
} from "../../src/model/order.ts";
import { approve, type DeniedIntent } from "../../src/risk/pre-trade.ts";
import {
  mustWithdraw,
  permits,
  strictest,
  type TradingState,
} from "../../src/risk/trading-state.ts";

const STATES: readonly TradingState[] = ["active", "reducing", "halted", "frozen"];
const PURPOSES: readonly OrderPurpose[] = [
  "entry",
  "rung",
  "take_profit",
  "exit",
  "protective_stop",
  "flatten",
];

/** The purposes that may be placed in each state. */
const ALLOWED: Record<TradingState, readonly OrderPurpose[]> = {
  active: PURPOSES,
  reducing: ["take_profit", "exit", "protective_stop", "flatten"],
  halted: ["protective_stop", "flatten"],
  frozen: [],
};

/** The purposes whose resting orders have to be taken back in each state. */
const WITHDRAWN: Record<TradingState, readonly OrderPurpose[]> = {
  active: [],
  reducing: ["entry", "rung"],
  halted: ["entry", "rung"],
  frozen: [],
};

const intent = (op: OrderIntent["op"], purpose: OrderPurpose): OrderIntent => {
  const target: TargetOrder = {
    key: purpose,
    purpose,
    kind: "limit",
    side: "buy",
    positionSide: "long",
    isReduceOnly: false,
    priceTicks: 100,
    qtyLots: 1,
    bandPct: 0,
    decidedAt: 0,
    liveFrom: 0,
    replacePct: 0,
    reason: purpose,
  };
  return { op, slot: PURPOSES.indexOf(purpose), target };
};

function sort(intents: readonly OrderIntent[], state: TradingState) {
  const approved: ApprovedIntent[] = [];
  const denied: DeniedIntent[] = [];
  approve(intents, state, approved, denied);
  return { approved, denied };
}

describe("the trading-state table", () => {
  for (const state of STATES) {
    for (const purpose of PURPOSES) {
      const may = ALLOWED[state].includes(purpose);
      test(`in state ${state} an order for ${purpose} may ${may ? "" : "not "}be placed`, () => {
        expect(permits(state, purpose)).toBe(may);
        const { approved, denied } = sort([intent("place", purpose)], state);
        expect([approved.length, denied.length]).toEqual(may ? [1, 0] : [0, 1]);
      });
      const goes = WITHDRAWN[state].includes(purpose);
      test(`in state ${state} a resting order for ${purpose} is ${goes ? "taken back" : "left"}`, () => {
        expect(mustWithdraw(state, purpose)).toBe(goes);
        // What has to go must be allowed to go.
        const { denied } = sort([intent("cancel", purpose)], state);
        expect(goes && denied.length > 0).toBe(false);
      });
    }
    const may = state !== "frozen";
    test(`in state ${state} an order of any purpose may ${may ? "" : "not "}be cancelled`, () => {
      const { approved, denied } = sort(
        PURPOSES.map((purpose) => intent("cancel", purpose)),
        state,
      );
      expect([approved.length, denied.length]).toEqual(
        may ? [PURPOSES.length, 0] : [0, PURPOSES.length],
      );
    });
  }

  test("each stricter state allows a part of what the one before allows", () => {
    STATES.slice(1).forEach((state, i) => {
      const milder = STATES[i] ?? "active";
      const allowed = PURPOSES.filter((purpose) => permits(state, purpose));
      expect(allowed.every((purpose) => permits(milder, purpose))).toBe(true);
    });
  });

  test("a denied intent names the rule; the order of the rest is kept", () => {
    const intents = [
      intent("cancel", "entry"),
      intent("place", "rung"),
      intent("place", "protective_stop"),
    ];
    const { approved, denied } = sort(intents, "halted");
    expect(approved as OrderIntent[]).toEqual([
      intent("cancel", "entry"),
      intent("place", "protective_stop"),
    ]);
    expect(denied).toEqual([{ intent: intent("place", "rung"), reason: "TRADING_STATE" }]);
  });
});

describe("the strictest state", () => {
  test("of two scopes is the one further down the table, in either order", () => {
    STATES.forEach((a, i) => {
      STATES.forEach((b, k) => {
        expect(strictest([a, b])).toBe(STATES[Math.max(i, k)] ?? "frozen");
      });
    });
  });

  test("of no scope is active", () => {
    expect(strictest([])).toBe("active");
  });

  test("is one of the given ones and permits nothing that any of them forbids", () => {
    const states = fc.array(fc.constantFrom(...STATES), {
      minLength: 1,
      size: "max",
      maxLength: 9,
    });
    fc.assert(
      fc.property(states, (scopes) => {
        const result = strictest(scopes);
        expect(scopes).toContain(result);
        for (const purpose of PURPOSES) {
          expect(permits(result, purpose)).toBe(scopes.every((scope) => permits(scope, purpose)));
        }
      }),
    );
  });
});
