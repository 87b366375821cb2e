// Who gives way to stops that are owed, with an exchange that takes two trigger orders in 1.25 s.
import { expect, test } from "bun:test";
import type { ExactOrder } from "../../../src/execution/exact-order.ts";
import { decimal } from "../../../src/model/decimal.ts";
import { createStopRoom } from "../../../src/services/live/stop-room.ts";

const WAITS_MS = [0, 0, 1250, 1250, 2500, 2500, 3750];

function setup(spent = 0) {
  const at = { ms: 0 };
  const triggerWaitMs = (ahead: number) => WAITS_MS[ahead + spent] ?? 5000;
  const clock = { monotonicMs: () => at.ms };
  return { at, room: createStopRoom({ broker: { triggerWaitMs }, clock }) };
}

const order = (symbol: string, change: Partial<ExactOrder> = {}): ExactOrder => ({
  ...{ symbol, leg: "long", positionSide: "long", side: "buy", purpose: "entry", reason: "ENTRY" },
  ...{ targetKey: "entry", terms: { kind: "market" }, isReduceOnly: false, qty: decimal(1) },
  ...{ decidedAt: 0 },
  ...change,
});
const TRIGGER = { kind: "trigger", price: decimal(1), triggerPrice: decimal(1) } as never;
const rung = (symbol: string) => order(symbol, { purpose: "rung", terms: TRIGGER });
const stop = (symbol: string) =>
  order(symbol, { purpose: "protective_stop", side: "sell", terms: TRIGGER, isReduceOnly: true });

test("entries at the market go until the stop of the next one would come after a second", () => {
  const { room } = setup();
  const gone = ["A", "B", "C", "D", "E", "F"].filter((symbol) => {
    if (room.givesWay(order(symbol), 0)) return false;
    room.sends(order(symbol));
    return true;
  });
  expect(gone).toEqual(["A", "B"]);
  room.sends(stop("B"));
  expect(room.givesWay(order("C"), 0)).toBe(false);
});

test("an opening that nobody guarded is forgotten after a while", () => {
  const { at, room } = setup();
  for (const symbol of ["A", "B"]) room.sends(order(symbol));
  expect(room.givesWay(order("E"), 0)).toBe(true);
  at.ms = 8000;
  expect(room.givesWay(order("E"), 0)).toBe(false);
});

test("a trigger that opens leaves a turn for a stop, and waits for the stop of its own batch", () => {
  expect(setup().room.givesWay(rung("A"), 0)).toBe(false);
  expect(setup().room.givesWay(rung("A"), 1)).toBe(true);
  expect(setup(1).room.givesWay(rung("A"), 0)).toBe(true);
  const { room } = setup();
  room.sends(order("B"));
  expect(room.givesWay(rung("A"), 0)).toBe(true);
});

test("what reduces, what rests and what nobody counts never waits", () => {
  const { room } = setup(6);
  expect(room.givesWay(stop("A"), 0)).toBe(false);
  expect(room.givesWay(order("A", { terms: { kind: "limit", price: decimal(1) } }), 0)).toBe(false);
  const free = createStopRoom({ broker: {}, clock: { monotonicMs: () => 0 } });
  expect(free.givesWay(rung("A"), 5)).toBe(false);
});
