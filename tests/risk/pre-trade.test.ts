// The check of the account on top of the trading state: asked only about orders the state permits, never about
// cancels, and what it denies is not approved.
import { expect, test } from "bun:test";
import type { ApprovedIntent, OrderIntent, OrderPurpose } from "../../src/model/order.ts";
import { approve, type DeniedIntent, type IntentCheck } from "../../src/risk/pre-trade.ts";
import type { TradingState } from "../../src/risk/trading-state.ts";

const intent = (op: OrderIntent["op"], purpose: OrderPurpose, slot: number): OrderIntent => ({
  op,
  slot,
  target: {
    ...{ key: purpose, purpose, kind: "limit", side: "buy", positionSide: "long" },
    ...{ isReduceOnly: false, priceTicks: 100, qtyLots: 1, bandPct: 0, decidedAt: 0 },
    ...{ liveFrom: 0, replacePct: 0, reason: purpose },
  },
});

const PLANNED = [
  intent("cancel", "entry", 0),
  intent("place", "entry", 1),
  intent("place", "rung", 2),
  intent("place", "exit", 3),
];

function sorted(state: TradingState, check?: IntentCheck) {
  const approved: ApprovedIntent[] = [];
  const denied: DeniedIntent[] = [];
  approve(PLANNED, state, approved, denied, check);
  return {
    approved: approved.map(({ slot }) => slot),
    denied: denied.map(({ intent: { slot }, reason }) => [slot, reason]),
  };
}

test("without a check everything the state permits is approved", () => {
  expect(sorted("active")).toEqual({ approved: [0, 1, 2, 3], denied: [] });
});

test("an order the check refuses is denied with its code, and the others go on", () => {
  const check: IntentCheck = ({ slot }) => (slot === 2 ? "MARGIN_ABOVE_FREE" : null);
  expect(sorted("active", check)).toEqual({
    approved: [0, 1, 3],
    denied: [[2, "MARGIN_ABOVE_FREE"]],
  });
});

test("the check reserves nothing for what the state forbids, and is not asked about cancels", () => {
  const asked: number[] = [];
  const check: IntentCheck = ({ slot }) => {
    asked.push(slot);
    return null;
  };
  expect(sorted("reducing", check)).toEqual({
    approved: [0, 3],
    denied: [
      [1, "TRADING_STATE"],
      [2, "TRADING_STATE"],
    ],
  });
  expect(asked).toEqual([3]);
});
