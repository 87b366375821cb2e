// Rules E23 to E31: the way a price takes through a candle, who is served first, which orders are in force when,
// and what is measured on the way.
import { describe, expect, test } from "bun:test";
import { simOrder } from "../../src/engine/sim-order.ts";
import { bestTrigger, LIQUIDATION, type Trigger } from "../../src/engine/triggers.ts";
import { gridOf } from "../../src/model/instrument.ts";
import type { OrderKind, OrderPurpose } from "../../src/model/order.ts";
import { type Bar, barAt, flat, flats, play, type Scene } from "../support/scenario.ts";

const ENTRY = "bar 0 open: buy 1 at 100 maker ENTRY";
const PESSIMISTIC = { fill_model: "pessimistic" };

describe("the path of a bar", () => {
  /** A long at 100 with target 101 and stop 98: the first extreme decides. */
  const ends = (bar: Bar, more: Partial<Scene> = {}) =>
    play({ bars: [flat(100), bar], exits: { tp_pct: 1, sl_pct: 2 }, ...more }).fills[1];

  test("E23 goes to the extreme nearer to the open first", () => {
    expect(ends([100, 101.5, 98, 99])).toBe("bar 1 1st: sell 1 at 101 maker TP_PCT");
    expect(ends([100, 102, 97.9, 99])).toBe("bar 1 1st: sell 1 at 101 maker TP_PCT");
    expect(ends([100, 102.2, 97.9, 99])).toBe("bar 1 1st: sell 1 at 98 taker SL_PCT");
  });

  test("E23 a tie goes to the extreme adverse to the position", () => {
    expect(ends([100, 102, 98, 99])).toBe("bar 1 1st: sell 1 at 98 taker SL_PCT");
    // A difference of 2e-8 on an open of 100 is within 1e-9 of it, 2e-7 is not.
    expect(ends([100, 102 - 2e-8, 98, 99])).toBe("bar 1 1st: sell 1 at 98 taker SL_PCT");
    expect(ends([100, 102 - 2e-7, 98, 99])).toBe("bar 1 1st: sell 1 at 101 maker TP_PCT");
    const short = ends([100, 102, 98, 99], { short: true });
    expect(short).toBe("bar 1 1st: buy 1 at 102 taker SL_PCT");
  });

  test("E23 a tie while flat goes to the extreme adverse to the pending entry", () => {
    // Long quote at 100, bar around 101: low first, so the entry fills on the first segment.
    const long = play({ bars: [[101, 103, 99, 101]] });
    expect(long.fills).toEqual(["bar 0 1st: buy 1 at 100 maker ENTRY"]);
    const short = play({ bars: [[99, 101, 97, 99]], short: true });
    expect(short.fills).toEqual(["bar 0 1st: sell 1 at 100 maker ENTRY"]);
  });

  test("E23 pessimistic takes the adverse extreme first, however far it is", () => {
    const run = PESSIMISTIC;
    expect(ends([100, 101, 90, 99], { run })).toBe("bar 1 1st: sell 1 at 98 taker SL_PCT");
    const short = ends([100, 110, 99, 99], { run, short: true });
    expect(short).toBe("bar 1 1st: buy 1 at 102 taker SL_PCT");
  });

  test("E23 pessimistic does so even if the open equals the other extreme", () => {
    // 100 -> 98.9 -> 100 -> 99: after the rung at 99 the target 99.5 * 1.003 = 99.80 is met on the way up.
    const story: Scene = {
      bars: [flat(100), [100, 100, 98.9, 99]],
      general: { max_entries: 2 },
      exits: { tp_pct: 0.3 },
    };
    expect(play({ ...story, run: PESSIMISTIC }).fills.slice(1)).toEqual([
      "bar 1 1st: buy 1 at 99 maker DCA_1",
      "bar 1 2nd: sell 2 at 99.8 maker TP_PCT",
    ]);
    expect(play(story).fills.slice(1)).toEqual(["bar 1 2nd: buy 1 at 99 maker DCA_1"]);
  });
});

const grid = gridOf(1, "tick");
/** Orders of a long met at 100, or already crossed there. */
const order = (purpose: OrderPurpose, kind: OrderKind, slot: number, ticks: number) => ({
  ...simOrder(
    {
      key: purpose,
      purpose,
      kind,
      side: purpose === "entry" || purpose === "rung" ? "buy" : "sell",
      positionSide: "long",
      isReduceOnly: purpose !== "entry" && purpose !== "rung",
      priceTicks: ticks,
      qtyLots: 1,
      bandPct: 0,
      decidedAt: 0,
      liveFrom: 0,
      replacePct: 0,
      reason: purpose,
    },
    slot,
    grid,
  ),
  live: true,
});
const SERVED = [
  order("protective_stop", "stop_market", 0, 101),
  order("exit", "market", 1, 0),
  order("take_profit", "limit", 2, 99),
  order("rung", "limit", 3, 101),
  order("entry", "limit", 4, 101),
];
const served = (orders: (typeof SERVED)[number][], liquidation: number) => {
  const bySlot = SERVED.map((one) => (orders.includes(one) ? one : null));
  const found: Trigger = { slot: 0, price: 0, isActivation: false };
  const scene = { orders: bySlot, touchFills: true, liquidation, liquidationFalls: true };
  bestTrigger({ ...scene, isAtOpen: true }, 100, 100, found);
  expect(found.price).toBe(100);
  return found.slot;
};

describe("at one price", () => {
  test("E24 E25 stop, escalated exit, take-profit, rung and entry are served in this order", () => {
    for (let slot = 0; slot < SERVED.length; slot++) {
      expect(served(SERVED.slice(slot), 0)).toBe(slot);
    }
  });

  test("E24 E25 liquidation goes before all of them", () => {
    expect(served(SERVED, 100)).toBe(LIQUIDATION);
    expect(served(SERVED, 105)).toBe(LIQUIDATION);
  });
});

describe("at the open print", () => {
  test("E24 funding is paid before liquidation is looked at", () => {
    // 10 at 100 with 1000. Open 50: equity 500 stands, but a funding of 10 * 50 takes it all.
    const story: Scene = {
      bars: [flat(100), [50, 60, 50, 55]],
      general: { initial_entry_fixed_usd: 1000 },
    };
    expect(play(story).fills).toHaveLength(1);
    const { fills, result } = play({ ...story, funding: [[5, 1]] });
    expect(fills[1]).toBe("bar 1 open: sell 10 at 50 taker LIQUIDATION");
    expect(result.ledger.funding).toBe(-500);
  });

  test("E24 liquidation goes before a stop crossed by the same open", () => {
    // Short 10 at 100 with 1000: liquidation at 2000 / 10.05 = 199.0, stop at 105.
    const { fills } = play({
      bars: [flat(100), flat(250)],
      short: true,
      general: { initial_entry_fixed_usd: 1000 },
      exits: { sl_pct: 5 },
    });
    expect(fills[1]).toBe("bar 1 open: buy 10 at 250 taker LIQUIDATION");
  });

  test("E24 the protective stop goes before an exit that waited for this open", () => {
    // Bar 0 rises: the opposite vote sets a market exit, and the open of bar 1 lies below the stop.
    const story = (open: number): Scene => ({
      bars: [[100, 101, 100, 101], flat(open)],
      exits: { sl_pct: 5, on_opposite_signal: "close" },
    });
    expect(play(story(94)).fills[1]).toBe("bar 1 open: sell 1 at 94 taker SL_PCT");
    expect(play(story(96)).fills[1]).toBe("bar 1 open: sell 1 at 96 taker OPPOSITE_SIGNAL");
  });

  test("E24 such an exit goes before a take-profit crossed by the same open", () => {
    const { fills } = play({
      bars: [[100, 101, 100, 101], flat(110)],
      exits: { tp_pct: 5, on_opposite_signal: "close" },
    });
    expect(fills[1]).toBe("bar 1 open: sell 1 at 110 taker OPPOSITE_SIGNAL");
  });

  test("E24 the take-profit goes before a rung, both touched at the open", () => {
    // Never both crossed by one price in a run: the target lies beyond the average, the rung before it.
    expect(served(SERVED.slice(2), 0)).toBe(2);
  });

  test("E24 after a fill the orders it created are looked at again at the same price", () => {
    // Slippage 2 %: in at 102, so the rung lies at 100.98, above the open of 100.
    const { fills, resting } = play({
      bars: [flat(100)],
      general: { entry_order_style: "market", max_entries: 3 },
      run: { slippage_bps: 200 },
    });
    // Style market: the rung is bought at 100 with slippage, and the next one lies at 102 * 0.98 = 99.96.
    expect(fills).toEqual([
      "bar 0 open: buy 1 at 102 taker ENTRY",
      "bar 0 open: buy 1 at 102 taker DCA_1",
    ]);
    expect(resting["rung"]).toBe(99.96);
  });

  test("E24 a gap through several rungs fills them one after the other at the open", () => {
    // Fixed base: 99, 98, 96, 92. Open 95.5: the first was resting (maker), the others are born crossed (taker).
    const { fills, resting } = play({
      bars: [flat(100), flat(95.5)],
      general: { max_entries: 5, use_avg_entry_for_dca_base: false },
    });
    expect(fills.slice(1)).toEqual([
      "bar 1 open: buy 1 at 95.5 maker DCA_1",
      "bar 1 open: buy 2 at 95.5 taker DCA_2",
      "bar 1 open: buy 4 at 95.5 taker DCA_3",
    ]);
    expect(resting["rung"]).toBe(92);
  });
});

describe("on a segment", () => {
  test("E25 the nearest price in travel direction is served first", () => {
    const { fills } = play({
      bars: [flat(100), [100, 100, 90, 90]],
      general: { max_entries: 2 },
      exits: { sl_pct: 5 },
    });
    // Rung 99, then the stop of the new average: 99.5 * 0.95 = 94.525, up.
    expect(fills.slice(1)).toEqual([
      "bar 1 2nd: buy 1 at 99 maker DCA_1",
      "bar 1 2nd: sell 2 at 94.53 taker SL_PCT",
    ]);
  });

  test("E25 a stop goes before a rung at the same price", () => {
    const { fills } = play({
      bars: [flat(100), [100, 100, 97, 97]],
      general: { max_entries: 2 },
      exits: { sl_pct: 2 },
      dca: { base_deviation_pct: 2 },
    });
    expect(fills.slice(1)).toEqual(["bar 1 2nd: sell 1 at 98 taker SL_PCT"]);
  });

  test("E25 liquidation goes before a stop at the same price", () => {
    // Short 10 at 100 with 1000 and no maintenance: both at 200.
    const { fills } = play({
      bars: [flat(100), [100, 210, 100, 210]],
      short: true,
      general: { initial_entry_fixed_usd: 1000 },
      exits: { sl_pct: 100 },
      run: { maintenance_margin_rate: 0 },
    });
    expect(fills[1]).toBe("bar 1 2nd: buy 10 at 200 taker LIQUIDATION");
  });
});

describe("orders in force", () => {
  test("E26 those born by a fill are in force for the rest of the same path", () => {
    // In at the open, rungs 99 and 97.51 on the way down, target 98.505 * 1.01 = 99.49 on the way up.
    const { fills } = play({
      bars: [[100, 103, 97, 103]],
      general: { max_entries: 3 },
      exits: { tp_pct: 1 },
      run: PESSIMISTIC,
    });
    expect(fills).toEqual([
      ENTRY,
      "bar 0 1st: buy 1 at 99 maker DCA_1",
      "bar 0 1st: buy 2 at 97.51 maker DCA_2",
      "bar 0 2nd: sell 4 at 99.5 maker TP_PCT", // 99.49005, up
    ]);
  });

  test("E26 a stop may fill in the bar of its entry", () => {
    const { fills } = play({ bars: [[100, 100, 94, 94]], exits: { sl_pct: 5 } });
    expect(fills).toEqual([ENTRY, "bar 0 2nd: sell 1 at 95 taker SL_PCT"]);
  });

  test("E27 what belongs to an entry at a close goes live at the next open", () => {
    // The signal candle itself went down to 90; the stop at 95 meets only what follows.
    const story = (next: Bar): Scene => ({
      signal: [101, 101, 90, 100],
      bars: [next],
      general: { entry_order_style: "market", max_entries: 2 },
      exits: { sl_pct: 5 },
      run: { entry_fill: "close" },
    });
    const entry = "bar -1 close: buy 1 at 100 taker ENTRY";
    expect(play(story(flat(99.5))).fills).toEqual([entry]);
    expect(play(story(flat(94))).fills).toEqual([entry, "bar 0 open: sell 1 at 94 taker SL_PCT"]);
  });

  test("E27 a level moved at a close with the ATR goes live at the next open", () => {
    // Rung 100 - ATR. Signal candle: 1, rung 99. Bar 0 ranges over 0.5: rung moves to 99.5 at its close.
    const story = (dca: object): Scene => ({
      bars: [[100, 100.5, 100, 100.2], flat(98)],
      general: { max_entries: 2, ...dca },
      dca: { deviation_mode: "ATR" },
    });
    // New at this open, so strictly crossed when it goes live (E34); the locked one was resting (E33).
    expect(play(story({})).fills[1]).toBe("bar 1 open: buy 1 at 98 taker DCA_1");
    const locked = { lock_atr_on_entry_for_dca: true };
    expect(play(story(locked)).fills[1]).toBe("bar 1 open: buy 1 at 98 maker DCA_1");
  });

  test("E28 only the next rung exists; its successor comes with its fill and the new average", () => {
    const story = (bars: Bar[]): Scene => ({ bars, general: { max_entries: 3 } });
    expect(play(story([flat(100)])).resting).toEqual({ rung: 99 });
    expect(play(story([[100, 100, 99, 99]])).resting).toEqual({ rung: 97.51 }); // 99.5 * 0.98
    expect(play(story([[100, 100, 97.51, 98]])).resting).toEqual({});
  });

  test("E29 after an exit the rest of the bar is ignored", () => {
    const { fills, result } = play({
      bars: [flat(100), [100, 101, 90, 99]],
      general: { max_entries: 2 },
      exits: { tp_pct: 1, sl_pct: 5 },
    });
    expect(fills.slice(1)).toEqual(["bar 1 1st: sell 1 at 101 maker TP_PCT"]);
    expect(result.cycles[0]?.mae).toBe(0);
  });

  test("E29 the next entry is decided at the close of that same bar at the earliest", () => {
    const { fills, decisions } = play({
      bars: [[100, 101, 100, 100.5], flat(100.5), flat(100.5)],
      signals: "always",
      general: { entry_cooldown_min: 0 },
      exits: { tp_pct: 1 },
    });
    expect(decisions[1]).toBe("entry_long");
    expect(fills).toEqual([
      ENTRY,
      "bar 0 2nd: sell 1 at 101 maker TP_PCT",
      "bar 1 open: buy 0.995 at 100.5 maker ENTRY", // 100 / 100.5
    ]);
  });
});

describe("excursions", () => {
  const cycle = (scene: Scene) => play(scene).result.cycles[0];

  test("E30 are the extremes of the path since the first fill, starting from 0", () => {
    // 100.9 before the fill does not count; from 100 down to 99.5, up to 100.8.
    const filled = cycle({ bars: [[100.5, 100.9, 99.5, 100.8]] });
    expect(filled?.mae).toBeCloseTo(-0.005, 12);
    expect(filled?.mfe).toBeCloseTo(0.008, 12);
    expect(cycle({ bars: [[100, 101, 100, 101]] })).toMatchObject({ mae: 0 });
    expect(cycle({ bars: [[100, 100, 98, 98]] })).toMatchObject({ mfe: 0 });
  });

  test("E30 of a short have the opposite sign", () => {
    const short = cycle({ bars: [[100, 103, 98, 99]], short: true });
    expect(short?.mae).toBeCloseTo(-0.03, 12);
    expect(short?.mfe).toBeCloseTo(0.02, 12);
  });

  test("E30 are taken at the trigger price of the exit, not at the slipped price", () => {
    const stopped = cycle({
      bars: [flat(100), [100, 100, 90, 90]],
      exits: { sl_pct: 5 },
      run: { slippage_bps: 100 },
    });
    expect(stopped?.exit_price).toBe(94.05);
    expect(stopped?.mae).toBeCloseTo(-0.05, 12);
  });

  test("E30 are measured against the average in force", () => {
    // 99 against 100 is -1 %; after the rung 98.9 against 99.5 is -0.6 %, 100 against 99.5 is +0.5 %.
    const laddered = cycle({ bars: [[100, 100.2, 98.9, 100]], general: { max_entries: 2 } });
    expect(laddered?.mae).toBeCloseTo(-0.01, 12);
    expect(laddered?.mfe).toBeCloseTo(100 / 99.5 - 1, 12);
  });

  test("E30 start at the path price of the first fill against its slipped price", () => {
    // Filled at the close at 100, booked at 102; from then on the price is 101.
    const slipped = cycle({
      bars: [flat(101)],
      general: { entry_order_style: "market" },
      run: { slippage_bps: 200, entry_fill: "close" },
    });
    expect(slipped?.mae).toBeCloseTo(100 / 102 - 1, 12);
  });
});

describe("fill times", () => {
  test("E31 are the open, the three quarters on the segments, and the close", () => {
    const time = (scene: Scene, n = 0) => play(scene).result.fills[n];
    const quarter = 75_000;
    expect(time({ bars: [flat(100)] })).toMatchObject({ t: barAt(0), bar_open_at: barAt(0) });
    const at = (bar: Bar) => time({ bars: [flat(100), bar], exits: { tp_pct: 1, sl_pct: 2 } }, 1);
    expect(at([100, 101, 97, 99])).toMatchObject({ t: barAt(1) + quarter, bar_open_at: barAt(1) });
    expect(at([100, 105, 99.5, 102])).toMatchObject({ t: barAt(1) + 2 * quarter });
    const close = time({
      bars: flats(1, 100),
      general: { entry_order_style: "market" },
      run: { entry_fill: "close" },
    });
    expect(close).toMatchObject({ t: barAt(0), bar_open_at: barAt(-1) });
  });

  test("E31 the third segment is at three quarters", () => {
    // Trailing armed at the close of bar 0. Bar 1: low 99.4 (stop still 99), high 101, so the stop is 99.99
    // and is met on the way to the close.
    const { fills } = play({
      bars: [flat(100), [100, 101, 99.4, 99.4]],
      exits: { trail_distance_pct: 1 },
    });
    expect(fills[1]).toBe("bar 1 3rd: sell 1 at 99.99 taker TRAILING_EXIT");
  });
});
