// Rules E46 to E50: take-profit, fixed stop, trailing stop, and which of the two stops counts.
import { describe, expect, test } from "bun:test";
import { type Bar, flat, play, type Scene } from "../support/scenario.ts";

/** Down to the first rung at 99: average 99.5. */
const TO_RUNG: Bar = [100, 100, 99, 99];

describe("the take-profit", () => {
  const two = { max_entries: 2 };

  test("E46 is made anew after every expanding fill: new average, full size", () => {
    const story: Scene = {
      bars: [flat(100), TO_RUNG, [99, 103, 99, 103]],
      general: two,
      exits: { tp_pct: 2, tp_replace_threshold_pct: 5 },
    };
    expect(play({ ...story, bars: [flat(100)] }).resting["take_profit"]).toBe(102);
    // 99.5 * 1.02 = 101.49; a threshold of 5 % changes nothing in a backtest.
    expect(play(story).fills[2]).toBe("bar 2 2nd: sell 2 at 101.49 maker TP_PCT");
  });

  test("E46 in ATR mode has the distance of the last bar closed before the first fill", () => {
    // Decided at the signal candle (range 1), filled in bar 1; bar 0 ranges over 3: 100 + 2 * 3.
    const { resting } = play({
      bars: [
        [102, 103, 100.5, 101],
        [101, 101, 100, 100],
      ],
      signals: "always",
      exits: { tp_mode: "ATR", tp_atr_mult: 2 },
    });
    expect(resting["take_profit"]).toBe(106);
  });

  test("E46 in ATR mode keeps that distance for the cycle", () => {
    // Range 1 at the entry; bar 0 ranges over 4, then a rung: 99.5 + 2 * 1.
    const { resting } = play({
      bars: [[100, 101.5, 99.2, 100], TO_RUNG],
      general: two,
      exits: { tp_mode: "ATR", tp_atr_mult: 2 },
    });
    expect(resting["take_profit"]).toBe(101.5);
  });

  test("E46 for an entry filled at a close that bar's own range counts", () => {
    // The signal candle ranges over 3: 100 + 2 * 3.
    const { resting } = play({
      signal: [101, 102, 99, 100],
      bars: [flat(100)],
      general: { entry_order_style: "market" },
      exits: { tp_mode: "ATR", tp_atr_mult: 2 },
      run: { entry_fill: "close" },
    });
    expect(resting["take_profit"]).toBe(106);
  });

  test("E46 without an ATR takes that of the first later close that has one", () => {
    // ATR 4 at the close of bar 0: mean of 0, 0, 1 and 3; bar 1 (range 5) changes nothing.
    const exits = { tp_mode: "ATR", tp_atr_mult: 10, atr_period: 4 };
    const wide: Bar = [100, 102, 99, 100];
    expect(play({ bars: [wide], exits }).resting["take_profit"]).toBe(110);
    const later = play({ bars: [wide, [100, 103, 98, 100]], exits });
    expect(later.resting["take_profit"]).toBe(110);
  });

  test("E46 a value of 0 or a target of 0 or below is none", () => {
    const none = (exits: object, short = false) =>
      play({ bars: [flat(100)], exits: { ...exits }, short }).resting["take_profit"];
    expect(none({ tp_pct: 0 })).toBeUndefined();
    expect(none({ tp_mode: "ATR", tp_atr_mult: 0 })).toBeUndefined();
    expect(none({ tp_pct: 100 }, true)).toBeUndefined();
    expect(none({ tp_pct: 99 }, true)).toBe(1);
    expect(none({ tp_mode: "ATR", tp_atr_mult: 100 }, true)).toBeUndefined();
  });
});

describe("the fixed stop", () => {
  const stop = (bars: Bar[], exits: object, general: object = {}) =>
    play({ bars, exits: { ...exits }, general: { ...general } }).resting["protective_stop"];

  test("E47 in percent follows the current average", () => {
    expect(stop([flat(100)], { sl_pct: 5 })).toBe(95);
    // 99.5 * 0.95 = 94.525, up
    expect(stop([flat(100), TO_RUNG], { sl_pct: 5 }, { max_entries: 2 })).toBe(94.53);
  });

  const atr = { sl_mode: "ATR", sl_atr_mult: 3 };
  /** Ranges of 2 and of a half that touch neither 97 nor 99. */
  const WIDE: Bar = [100, 101.2, 99.2, 100];
  const CALM: Bar = [100, 100.3, 99.8, 100];

  test("E47 in ATR mode has the last closed bar's distance", () => {
    // Signal candle: 1. Bar 0 ranges over 1 as well.
    expect(stop([[100, 100.5, 99.5, 100]], atr)).toBe(97);
  });

  test("E47 at a close it is moved only if the new level is tighter", () => {
    expect(stop([WIDE], atr)).toBe(97); // 94 would be looser
    expect(stop([CALM], atr)).toBe(98.5); // 100 - 3 * 0.5
    expect(stop([CALM, [100, 100.2, 98.6, 99]], atr)).toBe(98.5);
  });

  test("E47 an expanding fill sets it anew, even looser", () => {
    // Range 2 after bar 0: 99.5 - 6 at the rung; bar 1 itself ranges over 1, so 96.5 at its close.
    const story = (bar: Bar) => stop([WIDE, bar], atr, { max_entries: 2 });
    expect(story(TO_RUNG)).toBe(96.5);
    // With a range of 3 in bar 1 the close has nothing tighter than 93.5 to offer.
    expect(story([100, 102, 99, 99])).toBe(93.5);
  });

  test("E47 locked, the ATR of the first fill is used throughout", () => {
    const locked = { ...atr, sl_atr_lock: true };
    expect(stop([CALM], locked)).toBe(97);
    expect(stop([WIDE, TO_RUNG], locked, { max_entries: 2 })).toBe(96.5); // 99.5 - 3 * 1
    expect(stop([WIDE, [100, 102, 99, 99]], locked, { max_entries: 2 })).toBe(96.5);
  });

  test("E47 0 is none", () => {
    expect(stop([flat(100)], { sl_pct: 0 })).toBeUndefined();
    expect(stop([flat(100)], { ...atr, sl_atr_mult: 0 })).toBeUndefined();
  });

  test("E47 of a short lies above and tightens downwards", () => {
    const short = (bars: Bar[]) => play({ bars, short: true, exits: atr }).resting;
    expect(short([[100, 100.5, 99.5, 100]])["protective_stop"]).toBe(103);
    expect(short([[100, 100.2, 99.7, 100]])["protective_stop"]).toBe(101.5);
  });
});

describe("arming the trailing stop", () => {
  const armed = (bars: Bar[], exits: object = {}, more: Partial<Scene> = {}) =>
    play({
      bars,
      ...more,
      exits: { trail_activation_pct: 2, trail_distance_pct: 1, ...exits },
    });

  test("E48 happens at a close with the gain, reached exactly, and never inside a path", () => {
    // 103 inside the bar is not enough when it closes at 101.99.
    expect(armed([[100, 103, 100, 101.99]]).resting).toEqual({});
    expect(armed([[100, 103, 100, 102]]).resting["protective_stop"]).toBe(101.97); // 103 * 0.99
  });

  test("E48 the peak is the best price of the whole bar when it had no expanding fill", () => {
    const { resting } = armed([flat(100), [100, 104, 99.8, 102]]);
    expect(resting["protective_stop"]).toBe(102.96); // 104 * 0.99
  });

  test("E48 after an expanding fill in the bar only the path since then counts", () => {
    // Up to 104, then the quote at 100 fills on the way down; back up to 102.
    const { fills, resting } = armed([[103, 104, 99.9, 102]], {}, { signals: "always" });
    expect(fills).toEqual(["bar 0 2nd: buy 1 at 100 maker ENTRY"]);
    expect(resting["protective_stop"]).toBe(100.98); // 102 * 0.99
  });

  test("E48 activation 0 arms at the first close, whatever the gain", () => {
    const { resting } = armed([[100, 100.5, 98, 98]], {
      trail_activation_pct: 0,
      trail_distance_pct: 5,
    });
    expect(resting["protective_stop"]).toBe(95.48); // 100.5 * 0.95 = 95.475, up
  });

  test("E48 does not happen at the close that opened the position", () => {
    const story = (bars: Bar[]) =>
      armed(
        bars,
        { trail_activation_pct: 0, trail_distance_pct: 5 },
        {
          signal: [101, 110, 100, 100],
          general: { entry_order_style: "market" },
          run: { entry_fill: "close" },
        },
      );
    // Armed at the signal candle the peak would be 110 and its stop 104.5 would fill at the next open.
    expect(story([flat(100)]).fills).toHaveLength(1);
    expect(story([flat(100)]).resting["protective_stop"]).toBe(95);
  });

  test("E48 in ATR mode asks for a multiple of the ATR of that close", () => {
    // A range of 2 asks for a gain of 1.5 * 2; then the distance is 1 * 2 from the peak.
    const exits = {
      sl_mode: "ATR",
      trail_activation_atr_mult: 1.5,
      trail_distance_atr_mult: 1,
    };
    const calm: Bar = [100, 100.5, 99.5, 100];
    const short = armed([calm, [100, 102, 100, 102]], exits);
    expect([short.fills.length, short.resting]).toEqual([1, {}]);
    const reached = armed([calm, [100, 102, 100, 101], [102, 103, 101, 103]], exits);
    expect(reached.resting["protective_stop"]).toBe(101);
  });

  test("E48 distance 0 turns it off", () => {
    expect(armed([[100, 110, 100, 110]], { trail_distance_pct: 0 }).resting).toEqual({});
    const atr = { sl_mode: "ATR", trail_distance_atr_mult: 0 };
    expect(armed([[100, 110, 100, 110]], atr).resting).toEqual({});
  });
});

describe("trailing", () => {
  const trail = (bars: Bar[], exits: object = {}, more: Partial<Scene> = {}) =>
    play({ bars, ...more, exits: { trail_distance_pct: 1, ...exits } });

  test("E49 the peak follows the path from the next open", () => {
    // Armed at 100 (stop 99). Bar 1 opens at 104: stop 102.96 at once, met on the way to the low.
    const { fills } = trail([flat(100), [104, 104.5, 102, 103]]);
    expect(fills[1]).toBe("bar 1 2nd: sell 1 at 103.46 taker TRAILING_EXIT"); // 104.5 * 0.99 = 103.455
  });

  test("E49 already crossed at an open it fills there", () => {
    const { fills } = trail([flat(100), flat(97)], {}, { run: { slippage_bps: 100 } });
    expect(fills[1]).toBe("bar 1 open: sell 1 at 96.03 taker TRAILING_EXIT"); // 97 * 0.99
  });

  test("E49 a short's stop follows the trough down", () => {
    const { fills } = trail([flat(100), [97, 98, 96, 96]], {}, { short: true });
    // 97 -> 98 or 96, equally near: adverse first. Stop 97 * 1.01 = 97.97 is met on the way to 98.
    expect(fills[1]).toBe("bar 1 1st: buy 1 at 97.97 taker TRAILING_EXIT");
  });

  test("E49 a change of the ATR never loosens it", () => {
    const exits = { sl_mode: "ATR", trail_distance_pct: 0, trail_distance_atr_mult: 1 };
    const stop = (bars: Bar[]) => trail(bars, exits).resting["protective_stop"];
    const first: Bar = [100, 103, 100, 103]; // range 3, stop 100
    expect(stop([first])).toBe(100);
    expect(stop([first, [103, 103, 100.5, 103]])).toBe(100.5); // range 2.5: tighter
    // Range 0.5, then a gap to 106: 105.5 in that bar, and its own range of 3 would ask for 103.
    expect(stop([first, [103, 103, 102.5, 103], flat(106)])).toBe(105.5);
  });

  test("E49 an expanding fill disarms it", () => {
    // Armed at the close of bar 0 with 2 %: stop 98.59; the rung at 99 comes first, then the fall goes on.
    const story = (bars: Bar[]): Scene => ({
      bars,
      general: { max_entries: 2 },
      exits: { trail_distance_pct: 2 },
    });
    const { fills } = play(
      story([
        [100, 100.6, 99.5, 100],
        [100, 100, 98, 98.2],
      ]),
    );
    expect(fills.slice(1)).toEqual(["bar 1 2nd: buy 1 at 99 maker DCA_1"]);
    // Armed anew at the close of bar 1, with the best price since the rung, 99: 97.02.
    const { resting } = play(
      story([
        [100, 100.6, 99.5, 100],
        [100, 100, 98, 98.2],
      ]),
    );
    expect(resting["protective_stop"]).toBe(97.02);
  });
});

describe("the effective stop", () => {
  const out = (bars: Bar[], exits: object, short = false) =>
    play({ bars, exits: { ...exits }, short }).fills[1];

  test("E50 is the tighter of both, under its own reason", () => {
    const fall: Bar = [100, 100, 90, 90];
    const trailing = { sl_pct: 5, trail_distance_pct: 2 };
    expect(out([flat(100), fall], trailing)).toBe("bar 1 2nd: sell 1 at 98 taker TRAILING_EXIT");
    const fixed = { sl_pct: 2, trail_distance_pct: 5 };
    expect(out([flat(100), fall], fixed)).toBe("bar 1 2nd: sell 1 at 98 taker SL_PCT");
    const rise: Bar = [100, 110, 100, 110];
    expect(out([flat(100), rise], trailing, true)).toBe(
      "bar 1 2nd: buy 1 at 102 taker TRAILING_EXIT",
    );
  });

  test("E50 gives the fixed stop's reason when both are equal", () => {
    const equal = { sl_pct: 2, trail_distance_pct: 2 };
    const fall: Bar = [100, 100, 90, 90];
    expect(out([flat(100), fall], equal)).toBe("bar 1 2nd: sell 1 at 98 taker SL_PCT");
  });

  test("E50 an ATR stop is called SL_ATR", () => {
    const exits = { sl_mode: "ATR", sl_atr_mult: 2 };
    expect(out([[100, 100, 97, 97]], exits)).toBe("bar 0 2nd: sell 1 at 98 taker SL_ATR");
  });
});
