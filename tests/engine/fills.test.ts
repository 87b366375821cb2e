// Rules E32 to E39: at which price, as maker or taker, and when each kind of order fills.
import { describe, expect, test } from "bun:test";
import { type Bar, flat, flats, play, type Scene } from "../support/scenario.ts";

/** Slippage of 1 %, to be seen at once where it applies. */
const SLIPPAGE = { slippage_bps: 100 };

describe("market and stop orders", () => {
  test("E32 a stop fills at its price less slippage, as taker", () => {
    const { fills, result } = play({
      bars: [flat(100), [100, 100, 90, 90]],
      exits: { sl_pct: 5 },
      run: { ...SLIPPAGE, taker_fee: 0.001 },
    });
    expect(fills[1]).toBe("bar 1 2nd: sell 1 at 94.05 taker SL_PCT"); // 95 * 0.99
    expect(result.fills[1]?.fee).toBeCloseTo(0.09405, 12);
    expect(result.metrics.slippage_cost).toBeCloseTo(0.95, 12);
  });

  test("E32 a stop beyond which the bar opens fills at the open less slippage", () => {
    const story = (short: boolean, open: number): Scene => ({
      bars: [flat(100), flat(open)],
      short,
      exits: { sl_pct: 5 },
      run: SLIPPAGE,
    });
    expect(play(story(false, 90)).fills[1]).toBe("bar 1 open: sell 1 at 89.1 taker SL_PCT");
    expect(play(story(true, 110)).fills[1]).toBe("bar 1 open: buy 1 at 111.1 taker SL_PCT");
  });

  test("E32 the slipped price is rounded against the trader", () => {
    // 95 * 0.99985 = 94.98575 down; 105 * 1.00015 = 105.01575 up
    const stop = (short: boolean, bar: Bar) =>
      play({ bars: [flat(100), bar], short, exits: { sl_pct: 5 }, run: { slippage_bps: 1.5 } });
    expect(stop(false, [100, 100, 90, 90]).result.fills[1]?.price).toBe(94.98);
    expect(stop(true, [100, 110, 100, 110]).result.fills[1]?.price).toBe(105.02);
  });

  test("E32 limit-type fills never carry slippage", () => {
    const { fills } = play({
      bars: [flat(100), [100, 101, 99, 99], [99, 102, 99, 102]],
      general: { max_entries: 2 },
      exits: { tp_pct: 1 },
      run: SLIPPAGE,
    });
    expect(fills).toEqual([
      "bar 0 open: buy 1 at 100 maker ENTRY",
      "bar 1 1st: buy 1 at 99 maker DCA_1",
      "bar 1 2nd: sell 2 at 100.5 maker TP_PCT", // 99.5 * 1.01 = 100.495, up
    ]);
  });
});

describe("a resting limit", () => {
  const RUNG = { general: { max_entries: 2 } };

  test("E33 reached on a segment fills at its price, as maker", () => {
    const { fills } = play({ ...RUNG, bars: [flat(100), [100, 100, 98, 98]] });
    expect(fills[1]).toBe("bar 1 2nd: buy 1 at 99 maker DCA_1");
  });

  test("E33 crossed by the open of a later bar fills at the open, as maker", () => {
    const rung = play({ ...RUNG, bars: [flat(100), flat(97)] });
    expect(rung.fills[1]).toBe("bar 1 open: buy 1 at 97 maker DCA_1");
    const target = play({ bars: [flat(100), flat(105)], exits: { tp_pct: 1 } });
    expect(target.fills[1]).toBe("bar 1 open: sell 1 at 105 maker TP_PCT");
  });

  test("E33 an open off the grid is rounded against the trader, never beyond the order's price", () => {
    const rung = (open: number) => play({ ...RUNG, bars: [flat(100), flat(open)] }).fills[1];
    expect(rung(97.001)).toBe("bar 1 open: buy 1 at 97.01 maker DCA_1");
    expect(rung(98.999)).toBe("bar 1 open: buy 1 at 99 maker DCA_1");
    const target = play({ bars: [flat(100), flat(105.009)], exits: { tp_pct: 1 } });
    expect(target.fills[1]).toBe("bar 1 open: sell 1 at 105 maker TP_PCT");
  });

  test("E34 strictly crossed when it goes live fills at the path price, taker, without slippage", () => {
    const entry = (bar: Bar, more: Partial<Scene> = {}) =>
      play({ bars: [bar], run: SLIPPAGE, ...more }).fills;
    expect(entry(flat(99.5))).toEqual(["bar 0 open: buy 1 at 99.5 taker ENTRY"]);
    expect(entry(flat(99.501))).toEqual(["bar 0 open: buy 1 at 99.51 taker ENTRY"]);
    const short = entry(flat(100.5), { short: true });
    expect(short).toEqual(["bar 0 open: sell 1 at 100.5 taker ENTRY"]);
  });

  test("E34 equality is a touch, at its price, as maker", () => {
    expect(play({ bars: [flat(100)], run: SLIPPAGE }).fills).toEqual([
      "bar 0 open: buy 1 at 100 maker ENTRY",
    ]);
  });

  test("E34 holds for a rung born beyond the path price inside a bar", () => {
    // Gap to 95: the first rung was resting; the second, 97.5 * 0.98 = 95.55, is born beyond the price.
    const { fills } = play({ bars: [flat(100), flat(95)], general: { max_entries: 3 } });
    expect(fills.slice(1)).toEqual([
      "bar 1 open: buy 1 at 95 maker DCA_1",
      "bar 1 open: buy 2 at 95 taker DCA_2",
    ]);
  });
});

describe("maker_or_cancel strictly crossed at that moment", () => {
  const MAKER = { general: { entry_order_style: "maker_or_cancel" } };

  test("E35 signal at 100, next open 99.5: filled 99.5 as maker at the open", () => {
    const { fills } = play({ ...MAKER, bars: [flat(99.5)] });
    expect(fills).toEqual(["bar 0 open: buy 1 at 99.5 maker ENTRY"]);
  });

  test("E35 an open off the grid is rounded passively, and then must be touched", () => {
    // 99.505 -> 99.50, touched on the way to the low
    const { fills } = play({ ...MAKER, bars: [[99.505, 100, 99.4, 99.6]] });
    expect(fills).toEqual(["bar 0 1st: buy 1 at 99.5 maker ENTRY"]);
    expect(play({ ...MAKER, bars: [[99.505, 100, 99.502, 99.6]] }).fills).toEqual([]);
    const short = play({ ...MAKER, short: true, bars: [[100.505, 100.6, 100, 100.2]] });
    expect(short.fills).toEqual(["bar 0 1st: sell 1 at 100.51 maker ENTRY"]);
  });

  test("E35 the new price stays for later bars", () => {
    const story: Scene = {
      ...MAKER,
      bars: [
        [99.505, 99.9, 99.502, 99.8],
        [99.8, 99.8, 99, 99],
      ],
    };
    const { fills } = play({ ...story, signals: "always" });
    expect(fills).toEqual(["bar 1 2nd: buy 1 at 99.5 maker ENTRY"]);
  });

  test("E35 a rung born crossed moves to the path price too", () => {
    const general = { ...MAKER.general, max_entries: 3 };
    const { fills } = play({ bars: [flat(100), flat(95)], general });
    expect(fills.slice(1)).toEqual([
      "bar 1 open: buy 1 at 95 maker DCA_1",
      "bar 1 open: buy 2 at 95 maker DCA_2",
    ]);
  });
});

describe("without touch fills", () => {
  const strict = (bars: Bar[], more: Partial<Scene> = {}): Scene => ({
    bars: [flat(100), ...bars],
    ...more,
    general: { entry_order_style: "limit", ...more.general },
    run: { touch_fills: false, ...more.run },
  });
  /** In at 100 at the close of the signal candle, so that the position does not depend on a touch. */
  const held = (bars: Bar[], more: Partial<Scene> = {}): Scene =>
    strict(bars, {
      ...more,
      general: { entry_order_style: "market", ...more.general },
      run: { entry_fill: "close" },
    });

  test("E36 a limit fills only when the price moves strictly beyond it, then at its price", () => {
    const entry = (low: number) =>
      play(strict([[101, 101, low, 101]], { signals: "always" })).fills;
    expect(entry(100)).toEqual([]);
    expect(entry(99.99)).toEqual(["bar 1 2nd: buy 1 at 100 maker ENTRY"]);
  });

  test("E36 at an open strictly beyond it fills at the open", () => {
    const entry = (open: number) => play(strict([flat(open)], { signals: "always" })).fills;
    expect(entry(100)).toEqual([]);
    expect(entry(99.9)).toEqual(["bar 1 open: buy 1 at 99.9 maker ENTRY"]);
  });

  test("E36 a post-only entry moved to the open must be passed as well", () => {
    const entry = (low: number) =>
      play({
        bars: [[99.5, 100, low, 99.8]],
        general: { entry_order_style: "maker_or_cancel" },
        run: { touch_fills: false },
      }).fills;
    expect(entry(99.5)).toEqual([]);
    expect(entry(99.4)).toEqual(["bar 0 1st: buy 1 at 99.5 maker ENTRY"]);
  });

  test("E36 the take-profit must be passed too", () => {
    const exits = { tp_pct: 1 };
    expect(play(held([[100, 101, 100, 100]], { exits })).fills).toHaveLength(1);
    expect(play(held([[100, 101.01, 100, 100]], { exits })).fills[1]).toBe(
      "bar 1 2nd: sell 1 at 101 maker TP_PCT",
    );
  });

  test("E36 stops act on touch", () => {
    const { fills } = play(held([[100, 100, 95, 96]], { exits: { sl_pct: 5 } }));
    expect(fills[1]).toBe("bar 1 2nd: sell 1 at 95 taker SL_PCT");
  });

  test("E36 market-style triggers act on touch", () => {
    const general = { max_entries: 2, exit_order_style: "market" };
    const rung = play(held([[100, 100, 99, 99.2]], { general })).fills[1];
    expect(rung).toBe("bar 1 2nd: buy 1 at 99 taker DCA_1");
    const target = play(held([[100, 101, 100, 100]], { general, exits: { tp_pct: 1 } })).fills[1];
    expect(target).toBe("bar 1 2nd: sell 1 at 101 taker TP_PCT");
  });
});

describe("style market for rungs and take-profit", () => {
  const general = { entry_order_style: "market", exit_order_style: "market", max_entries: 2 };
  const market = (bar: Bar, exits: object = {}): Scene => ({
    bars: [flat(100), bar],
    general,
    exits: { ...exits },
    run: { entry_fill: "close", ...SLIPPAGE },
  });

  test("E37 is a trigger at the target: a market order there, with slippage", () => {
    // In at 100 * 1.01 = 101: rung 99.99 * 1.01 = 100.9899, up; target 102.01 * 0.99 = 100.9899, down.
    const rung = play(market([100, 100, 99, 99])).fills[1];
    expect(rung).toBe("bar 1 2nd: buy 1 at 100.99 taker DCA_1");
    const target = play(market([100, 103, 100, 103], { tp_pct: 1 })).fills[1];
    expect(target).toBe("bar 1 2nd: sell 1 at 100.98 taker TP_PCT");
  });

  test("E37 beyond which the bar opens it executes at the open, with slippage", () => {
    const bars = [flat(101), flat(104)];
    const { fills } = play({ ...market(flat(0), { tp_pct: 1 }), bars });
    expect(fills[1]).toBe("bar 1 open: sell 1 at 102.96 taker TP_PCT"); // 104 * 0.99
  });
});

describe("maker_or_cancel for rungs and take-profit", () => {
  const general = {
    entry_order_style: "maker_or_cancel",
    exit_order_style: "maker_or_cancel",
    max_entries: 2,
    entry_timeout_min: 5,
    exit_timeout_min: 5,
  };

  test("E38 is a post-only limit that rests until it is filled", () => {
    const waiting = Array<Bar>(9).fill([100, 100.5, 99.5, 100]);
    const rung = play({ bars: [flat(100), ...waiting, [100, 100, 98, 98]], general });
    expect(rung.fills[1]).toBe("bar 10 2nd: buy 1 at 99 maker DCA_1");
    const bars = [flat(100), ...waiting, flat(103)];
    const target = play({ bars, general, exits: { tp_pct: 1 } });
    expect(target.fills[1]).toBe("bar 10 open: sell 1 at 103 maker TP_PCT");
  });

  test("E38 is replaced by a fill and gone when the position ends", () => {
    const { fills, resting } = play({
      bars: [[100, 100, 99, 99], [99, 101, 99, 101], flat(90)],
      general: { ...general, max_entries: 3 },
      exits: { tp_pct: 1 },
    });
    // The target of 101 became 100.50; the second rung at 97.51 does not outlive the exit.
    expect(fills.slice(1)).toEqual([
      "bar 0 2nd: buy 1 at 99 maker DCA_1",
      "bar 1 2nd: sell 2 at 100.5 maker TP_PCT",
    ]);
    expect(resting).toEqual({});
  });
});

describe("exit timeout", () => {
  /** In at 100 as taker at 12:00; target 101 that must be passed. */
  const story = (bars: Bar[], minutes: number, more: Partial<Scene> = {}): Scene => ({
    bars,
    exits: { tp_pct: 1 },
    ...more,
    general: {
      entry_order_style: "market",
      exit_order_style: "maker_or_cancel",
      exit_timeout_min: minutes,
      ...more.general,
    },
    run: { touch_fills: false, ...more.run },
  });
  /** Low first, then exactly 101 on the second segment: 12:02:30. */
  const TOUCH: Bar = [100, 101, 99.9, 100.5];
  const REST = flats(4, 100.5);
  /** From 99.5 down to 99.4 and up to exactly 100.5. */
  const TOUCH_AGAIN: Bar = [99.5, 100.5, 99.4, 99.5];

  test("E39 sets a market exit for the next open that keeps the take-profit's reason", () => {
    const out = play(story([TOUCH, ...REST], 10)).fills[1];
    expect(out).toBe("bar 3 open: sell 1 at 100.5 taker TP_PCT");
    // With slippage: in at 101, target 102.01, out at 100.5 * 0.99 = 99.495, down.
    const slipped = story([[100, 102.01, 99.9, 100.5], ...REST], 10, { run: SLIPPAGE });
    expect(play(slipped).fills[1]).toBe("bar 3 open: sell 1 at 99.49 taker TP_PCT");
  });

  test("E39 the clock starts when the price is first at it, not at the close", () => {
    // Closes are 2.5, 7.5 and 12.5 minutes after the touch.
    const leaves = (minutes: number) => play(story([TOUCH, ...REST], minutes)).fills[1];
    expect(leaves(2.5)).toBe("bar 1 open: sell 1 at 100.5 taker TP_PCT");
    expect(leaves(2.6)).toBe("bar 2 open: sell 1 at 100.5 taker TP_PCT");
    expect(leaves(12.5)).toBe("bar 3 open: sell 1 at 100.5 taker TP_PCT");
  });

  test("E39 a second touch does not start it again", () => {
    const leaves = play(story([TOUCH, TOUCH, ...REST], 12)).fills[1];
    expect(leaves).toBe("bar 3 open: sell 1 at 100.5 taker TP_PCT");
  });

  test("E39 replacing the take-profit resets it", () => {
    // Touch at 12:02:30, rung at 99 in bar 1: the new target 100.5 is not touched any more.
    const start: Bar[] = [TOUCH, [100.5, 100.5, 98.9, 99.5]];
    const after = flats(4, 99.5);
    const ladder = { general: { max_entries: 2 } };
    expect(play(story([...start, ...after], 10, ladder)).fills).toHaveLength(2);
    // Touched in bar 2, at 12:12:30: due at the close of bar 4, 12:25, out at the open of bar 5.
    const again = play(story([...start, TOUCH_AGAIN, ...after], 10, ladder));
    expect(again.fills[2]).toBe("bar 5 open: sell 2 at 99.5 taker TP_PCT");
  });

  test("E39 is off with a timeout of 0, for other styles, and with touch fills", () => {
    expect(play(story([TOUCH, ...REST], 0)).fills).toHaveLength(1);
    const limit = { general: { exit_order_style: "limit" } };
    expect(play(story([TOUCH, ...REST], 5, limit)).fills).toHaveLength(1);
    const touching = play(story([TOUCH, ...REST], 5, { run: { touch_fills: true } }));
    expect(touching.fills[1]).toBe("bar 0 2nd: sell 1 at 101 maker TP_PCT");
  });

  test("E39 the take-profit stays in force until then", () => {
    const { fills } = play(story([TOUCH, [100.5, 102, 100.5, 101], ...REST], 10));
    expect(fills[1]).toBe("bar 1 2nd: sell 1 at 101 maker TP_PCT");
  });
});
