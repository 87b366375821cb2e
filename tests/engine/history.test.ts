// Rules E6 to E13 in whole runs: which higher-timeframe bin a decision sees, how averages start, how much
// history is fed, where the window begins and ends, and what a missing candle means.
import { describe, expect, test } from "bun:test";
import { wantedFrom } from "../../src/engine/prepare.ts";
import { parseRun } from "../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { type Bar, barAt, flat, flats, play, type Scene, START } from "../support/scenario.ts";

/** Bins closing at 100, 110 and 105: 105 is no vote under the first two (lower band 102.5), but is one under
 * the last two (mean 107.5, half of sigma 2.5 below it: 106.25). The entry shows when the third bin is seen. */
const THIRD_BIN = 105;

describe("visibility of bins", () => {
  const hours = (third: (Bar | null)[]): Scene => ({
    startAt: START - 2 * 3_600_000, // 10:00
    history: [...flats(12, 100), ...flats(12, 110)],
    signal: null,
    bars: third,
    bbands: { interval_min: 60 },
  });

  test("E6 the 10:00-11:00 bin is first used at the close of the bar opened 10:55", () => {
    const { fills, decisions } = play(hours([...flats(12, THIRD_BIN), ...flats(2, 105)]));
    expect(decisions.indexOf("entry_long")).toBe(11);
    expect(fills).toEqual(["bar 12 open: buy 0.952 at 105 maker ENTRY"]); // 100 / 105 in steps of 0.001
  });

  test("E6 without its 10:55 bar it becomes visible at the close of the next existing bar", () => {
    const { decisions } = play(hours([...flats(11, THIRD_BIN), null, ...flats(2, 105)]));
    // Bar 11 is missing, so the decision of the bar opened 11:00 is the twelfth of the list.
    expect(decisions.slice(0, 11)).toEqual(Array(11).fill("no_signal"));
    expect(decisions[11]).toBe("entry_long");
  });

  test("E6 a bin without candles does not exist: the two before it are still compared", () => {
    const nothing = Array<null>(12).fill(null);
    const { decisions } = play(hours([...nothing, ...flats(12, THIRD_BIN), ...flats(2, 105)]));
    expect(decisions.indexOf("entry_long")).toBe(11);
  });
});

describe("borders of bins", () => {
  test("E7 of 420-minute bins the last ends at midnight", () => {
    // 7-14 h, 14-21 h and the three hours to midnight
    const { decisions } = play({
      startAt: Date.UTC(2024, 0, 10, 21),
      history: [...flats(7, 100), ...flats(7, 110)],
      signal: null,
      bars: flats(5, THIRD_BIN),
      bbands: { interval_min: 420 },
      run: { timeframe_min: 60 },
    });
    expect(decisions.slice(0, 3)).toEqual(["no_signal", "no_signal", "entry_long"]);
  });

  test("E7 weeks start on Monday: the third is seen at the close of its Sunday", () => {
    const { fills } = play({
      startAt: Date.UTC(2024, 0, 15), // a Monday
      history: [...flats(7, 100), ...flats(7, 110)],
      signal: null,
      bars: flats(9, THIRD_BIN),
      bbands: { interval_min: 10_080 },
      run: { timeframe_min: 1440 },
    });
    expect(fills).toEqual(["bar 7 open: buy 0.952 at 105 maker ENTRY"]);
  });

  test("E7 other multiples of a day count from 1970-01-01", () => {
    // 2024-01-01 is day 19723, odd: two-day bins begin on Jan 2, so Jan 6-7 is the third of them.
    const { decisions } = play({
      startAt: Date.UTC(2024, 0, 6),
      history: [...flats(2, 100), ...flats(2, 110)],
      signal: null,
      bars: flats(4, THIRD_BIN),
      bbands: { interval_min: 2880 },
      run: { timeframe_min: 1440 },
    });
    expect(decisions.slice(0, 2)).toEqual(["no_signal", "entry_long"]);
  });
});

describe("which price meets which value", () => {
  /** 11:00 to 12:00 closes at 100, then bars of the running hour. */
  const hourly = (bars: Bar[], more: Partial<Scene>): Scene => ({
    history: [...flats(12, 102), ...flats(12, 100)],
    signal: null,
    bars: [...bars, flat(bars.at(-1)?.[3] ?? 0)],
    ...more,
  });

  test("E8 the trend filter compares the base close with the average of the last closed bin", () => {
    const trend = { enabled: true, ma_interval_min: 60, ma_len: 1 };
    const decide = (close: number) =>
      play(hourly([[101, 101, close, close]], { signals: "always", trend })).decisions[0];
    expect(decide(100.5)).toBe("entry_long");
    expect(decide(99.5)).toBe("trend");
  });

  test("E8 MACD and RSI votes use their own bins, whatever the base close does", () => {
    const scene = hourly([flat(103), flat(104), [104, 104, 103.5, 103.5]], {
      general: { use_indicator_consensus: true },
      rsi: { interval_min: 60 },
      // Bands that vote at every close, MACD that never does: the RSI decides.
      bbands: { length: 1 },
    });
    // The last closed hour fell from 102 to 100: RSI 0, although the base closes rise.
    expect(play(scene).decisions[0]).toBe("entry_long");
    const based = { ...scene, rsi: { interval_min: 5 } };
    expect(play(based).decisions.slice(0, 3)).toEqual(["no_signal", "no_signal", "entry_long"]);
  });
});

test("E9 averages and signal line start at plain means: the fourth close votes short", () => {
  // Closes 100, 100, 103, 104. Slow mean 101: lines 2 (third close) and 104 - 102.5 = 1.5 (fourth); the signal
  // starts at 1.75, so the histogram is -0.25. Seeded with first values it would be positive. RSI 100 votes too.
  const { fills, result } = play({
    short: true,
    history: [flat(100), flat(100), flat(103)],
    signal: [103, 104, 103, 104],
    bars: [flat(104)],
    general: { use_indicator_consensus: true },
    bbands: { dev_up: 2 }, // two different closes never reach two deviations
    macd: { slow: 3, signal: 2 },
    rsi: { length: 3, sell_level: 100 },
  });
  expect(fills).toEqual(["bar 0 open: sell 0.961 at 104 maker ENTRY"]);
  expect(result.warmup.first_ready_at).toBe(barAt(-1));
});

test("E9 RSI of length n has its first value on close n + 1", () => {
  const ready = (length: number) =>
    play({ history: flats(3, 100), bars: flats(9, 100), rsi: { length } }).result.warmup;
  // Seven closes are needed; the history has three and the signal candle is the fourth.
  expect(ready(6).first_ready_at).toBe(barAt(2));
  expect(ready(1).first_ready_at).toBe(barAt(-3));
});

describe("the average true range", () => {
  const scene = (bars: Bar[], exits: object): Scene => ({
    bars,
    exits: { ...exits },
    bbands: { interval_min: 5 },
  });

  test("E10 inside a bar the range of the last closed bar counts, not that of the bar itself", () => {
    // The signal candle's range is 1: target 100 + 2, although bar 0 itself ranges over 3.5.
    const { fills } = play(scene([[100, 103, 99.5, 103]], { tp_mode: "ATR", tp_atr_mult: 2 }));
    expect(fills).toEqual([
      "bar 0 open: buy 1 at 100 maker ENTRY",
      "bar 0 2nd: sell 1 at 102 maker TP_ATR",
    ]);
  });

  test("E10 the bar in progress contributes after its close", () => {
    // Stop 100 - 2 * 1 = 98; after bar 0 (range 0.5) it is 100 - 2 * 0.5 = 99.
    const exits = { sl_mode: "ATR", sl_atr_mult: 2 };
    const { resting } = play(scene([[100, 100.3, 99.8, 100]], exits));
    expect(resting["protective_stop"]).toBe(99);
  });

  test("E10 it uses base bars, whatever intervals the indicators have", () => {
    const exits = { tp_mode: "ATR", tp_atr_mult: 2 };
    const more = { trend: { enabled: false, ma_interval_min: 60 }, rsi: { interval_min: 10 } };
    const story = { ...scene([flat(100)], exits), ...more, history: flats(10, 101) };
    expect(play(story).resting["take_profit"]).toBe(102);
  });
});

describe("warm-up", () => {
  const run = (from: number) => parseRun({ timeframe_min: 5, from, to: from + 1 });
  const june = Date.UTC(2024, 5, 1);

  test("E11 by default the daily RSI asks for 120 days and a bar, from 00:00 of that day", () => {
    // 15 * 1440 * 8 = 172,800 min; 2024-02-02 00:00 less one bar lies on February 1
    expect(wantedFrom(parseConfig({}), run(june))).toBe(Date.UTC(2024, 1, 1));
  });

  test("E11 the gate counts only when it is on", () => {
    const gate = { ma_length: 1000, ma_interval_min: 1440, ma_type: "Sma" };
    const off = parseConfig({ general: gate });
    const on = parseConfig({ general: { ...gate, use_ma_direction: true } });
    expect(wantedFrom(off, run(june))).toBe(Date.UTC(2024, 1, 1));
    // 1000 days and a bar
    expect(wantedFrom(on, run(june))).toBe(june - 1001 * 86_400_000);
  });

  test("E11 an interval above a day moves the start to the Monday of that week", () => {
    const config = parseConfig({ bbands: { interval_min: 2880 } });
    expect(wantedFrom(config, run(june))).toBe(Date.UTC(2024, 0, 29)); // Monday before February 1
  });

  test("E11 exactly the candles from there on are fed, and it says what it found", () => {
    // Needed before 01:55: the RSI's 2 * 5 * 8 = 80 min and a bar. 00:30 lies in the same day.
    const day = Date.UTC(2024, 0, 10);
    const story = (history: Bar[]): Scene => ({
      startAt: day + 2 * 3_600_000,
      history,
      bars: flats(2, 100),
    });
    const short = play(story(flats(10, 101))).result.warmup;
    expect(short).toMatchObject({ wanted_from: day, bars: 10, short: true });
    const long = play(story(flats(40, 101))).result.warmup;
    // 23 candles from 00:00 to 01:55, the last of which is the signal candle.
    expect(long).toMatchObject({ wanted_from: day, bars: 23, short: false });
  });

  test("E11 first_ready_at waits for all indicators, and for the gate when it is on", () => {
    const ready = (general: Record<string, unknown>) =>
      play({ bars: flats(6, 100), general }).result.warmup.first_ready_at;
    expect(ready({})).toBe(barAt(-2)); // two closes for bands, MACD and RSI
    expect(ready({ use_ma_direction: true, ma_length: 5 })).toBe(barAt(1));
    expect(ready({ use_ma_direction: true, ma_length: 50 })).toBeNull();
  });
});

describe("the window", () => {
  test("E12 holds the bars with from <= t < to", () => {
    const { result } = play({ bars: flats(4, 100), run: { from: barAt(0), to: barAt(3) } });
    expect(result.candles).toEqual({ count: 3, from: barAt(0), to: barAt(3) });
    const odd = play({ bars: flats(4, 100), run: { from: barAt(0) + 1, to: barAt(2) + 1 } });
    expect(odd.result.candles).toEqual({ count: 2, from: barAt(1), to: barAt(3) });
  });

  test("E12 nothing is decided before it: the first fill can be at its second bar", () => {
    const { fills, decisions } = play({
      history: flats(20, 100),
      signal: null,
      bars: flats(3, 100),
      signals: "always",
      general: { entry_order_style: "market" },
    });
    expect(decisions[0]).toBe("entry_long");
    expect(fills).toEqual(["bar 1 open: buy 1 at 100 taker ENTRY"]);
  });

  test("E12 the band latch advances during the warm-up", () => {
    // Closes 110, 110, 100 set it (lower band 104.3); at 102 the condition no longer holds (101.8).
    const story: Scene = {
      history: [flat(110), flat(110), flat(100)],
      signal: flat(102),
      bars: [flat(102)],
      bbands: { length: 3, reset_middle: true },
    };
    expect(play(story).decisions[0]).toBe("entry_long");
    expect(play({ ...story, bbands: { length: 3 } }).decisions[0]).toBe("no_signal");
  });

  test("E12 at the close of the last traded bar no new entry is decided", () => {
    const { decisions } = play({ bars: [], signals: "always" });
    expect(decisions).toEqual(["no_new_entries"]);
    const two = play({ bars: flats(1, 100), signals: "always", run: { entry_fill: "close" } });
    expect(two.decisions).toEqual(["entry_long", "in_position"]);
  });
});

describe("missing candles", () => {
  test("E13 the next bar is the next candle present", () => {
    const { fills } = play({
      bars: [null, null, flat(99.5)],
      general: { entry_order_style: "market" },
    });
    expect(fills).toEqual(["bar 2 open: buy 1 at 99.5 taker ENTRY"]);
  });

  test("E13 true range uses the last existing close", () => {
    // Bar 2 ranges over 1 but opens 3 above the close of bar 0: range 104 - 100 = 4, rung 100 - 4 / 2.
    const { resting } = play({
      bars: [flat(100), null, [103, 104, 103, 104]],
      general: { max_entries: 2 },
      dca: { deviation_mode: "ATR", base_deviation_atr_mult: 0.5 },
    });
    expect(resting["rung"]).toBe(98);
  });

  test("E13 time limits are real time: one late close ends an entry of 10 minutes", () => {
    const story = (first: Bar | null): Scene => ({
      bars: [first, [101, 101, 100.5, 100.5], [100.5, 100.5, 99, 99]],
      signals: "always",
      general: { entry_timeout_min: 10 },
    });
    // Cancelled at 12:10 with or without the bar of 12:00, and quoted again at 100.5.
    const wanted = ["bar 2 open: buy 0.995 at 100.5 maker ENTRY"]; // 100 / 100.5
    expect(play(story([101, 101, 100.6, 101])).fills).toEqual(wanted);
    expect(play(story(null)).fills).toEqual(wanted);
  });
});
