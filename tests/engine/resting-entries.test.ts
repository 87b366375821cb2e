// Rules E18 to E22: limit entries while they rest, what takes them back, the band and gate options, and which
// style rules which order.
import { describe, expect, test } from "bun:test";
import { type Bar, flat, flats, play, type Scene } from "../support/scenario.ts";

/** A rise to 101 that stays above the entry at 100. */
const ABOVE: Bar = [101, 102, 100.5, 101];

describe("a limit entry", () => {
  test("E18 rests at the deciding close, rounded passively", () => {
    const signal: Bar = [101, 101, 100.004, 100.004];
    const long = play({ signal, bars: [[100.5, 100.5, 99, 99]] });
    expect(long.fills).toEqual(["bar 0 2nd: buy 0.999 at 100 maker ENTRY"]); // 100 / 100.004
    const rise: Bar = [99, 100.004, 99, 100.004];
    const short = play({ signal: rise, bars: [[99.5, 101, 99.5, 101]], short: true });
    expect(short.fills).toEqual(["bar 0 2nd: sell 0.999 at 100.01 maker ENTRY"]);
  });

  test("E18 is not met by the bar that decided it", () => {
    const { fills } = play({ signal: [101, 101, 90, 100], bars: [ABOVE] });
    expect(fills).toEqual([]);
  });

  test("E18 lives at least one whole bar, however short its timeout", () => {
    // Met on the second segment, 2:30 into the bar, with a timeout of one minute.
    const general = { entry_timeout_min: 1 };
    const met = play({ bars: [[101, 101.2, 100, 100]], general, signals: "always" });
    expect(met.fills).toEqual(["bar 0 2nd: buy 1 at 100 maker ENTRY"]);
    const late = play({ bars: [[101, 101.2, 100.5, 101], flat(100)], general, signals: "always" });
    // Cancelled at the close of bar 0 and quoted anew at 101, which the next open strictly crosses.
    expect(late.fills).toEqual(["bar 1 open: buy 0.99 at 100 taker ENTRY"]); // 100 / 101
  });

  test("E18 is cancelled at the first close at which its time is over, reached exactly", () => {
    const story = (minutes: number): Scene => ({
      bars: [ABOVE, [101, 102, 100.5, 101.5], [101.5, 101.5, 100, 100]],
      signals: "always",
      general: { entry_timeout_min: minutes },
    });
    // 10 minutes end with bar 1; the new quote at 101.5 fills at the next open.
    expect(play(story(10)).fills).toEqual(["bar 2 open: buy 0.985 at 101.5 maker ENTRY"]);
    // 10.5 minutes do not, so the quote at 100 is still there in bar 2.
    expect(play(story(10.5)).fills).toEqual(["bar 2 2nd: buy 1 at 100 maker ENTRY"]);
  });

  test("E18 with a timeout of 0 rests for ever, is not re-priced, and no second is decided", () => {
    const { fills, decisions } = play({
      bars: [...Array<Bar>(12).fill(ABOVE), [101, 101, 99, 99]],
      signals: "always",
    });
    expect(fills).toEqual(["bar 12 2nd: buy 1 at 100 maker ENTRY"]);
    expect(decisions.slice(1, 13)).toEqual(Array(12).fill("entry_pending"));
  });

  test("E18 is what any style rests as when there is an entry band", () => {
    const general = { entry_order_style: "market", dynamic_activation: { entry_pct: 2 } };
    const { fills } = play({ bars: [ABOVE, [101, 101, 99, 99]], signals: "always", general });
    expect(fills).toEqual(["bar 1 2nd: buy 1 at 100 maker ENTRY"]);
  });
});

describe("a pending entry at a close", () => {
  const DIP: Bar = [101, 101, 99, 99];

  test("E19 is cancelled when the vote is gone, and comes back only with a new signal", () => {
    // Bar 0 rises to 101, so the long vote is gone; the dip of bar 1 finds nothing to fill.
    const { fills, run } = play({ bars: [ABOVE, DIP] });
    expect(fills).toEqual([]);
    expect(run.state.strategy.withdrawn).toEqual({ timeout: 0, flipped: 1 });
  });

  test("E19 is cancelled when the consensus is gone, though one vote is left", () => {
    // Signal candle: bands and RSI 0. Bar 0 rises: the bands still vote, but the RSI is 100.
    const { fills, run } = play({
      bars: [ABOVE, DIP],
      signals: "always",
      general: { use_indicator_consensus: true },
    });
    expect(fills).toEqual([]);
    expect(run.state.strategy.withdrawn.flipped).toBe(1);
  });

  test("E19 is cancelled when the trend filter no longer holds", () => {
    // Average of two closes: the close must rise. Bar 0 does, bar 1 does not.
    const story: Scene = {
      history: flats(2, 99),
      signal: [99, 100, 99, 100],
      bars: [[101, 102, 100.5, 102], [102, 102, 100.5, 101], DIP],
      signals: "always",
    };
    const trend = { enabled: true, ma_len: 2 };
    const { fills, run } = play({ ...story, trend });
    expect(fills).toEqual([]);
    expect(run.state.strategy.withdrawn.flipped).toBe(1);
    expect(play(story).fills).toEqual(["bar 2 2nd: buy 1 at 100 maker ENTRY"]);
  });

  test("E19 is not tested against the MA gate again", () => {
    // Average of three closes: 100 > 99.33 at the decision; 101 < (100 + 103 + 101) / 3 at bar 1.
    const { fills, decisions } = play({
      history: flats(2, 99),
      signal: [99, 100, 99, 100],
      bars: [[101, 103, 101, 103], [103, 103, 101, 101], DIP],
      signals: "always",
      general: { use_ma_direction: true, ma_type: "Sma", ma_length: 3 },
    });
    expect(decisions.slice(0, 3)).toEqual(["entry_long", "entry_pending", "entry_pending"]);
    expect(fills).toEqual(["bar 2 2nd: buy 1 at 100 maker ENTRY"]);
  });

  test("E19 is tested for its timeout first", () => {
    const { run } = play({ bars: [ABOVE, DIP], general: { entry_timeout_min: 5 } });
    expect(run.state.strategy.withdrawn).toEqual({ timeout: 1, flipped: 0 });
  });

  test("E19 is decided anew at the same close: a still valid signal quotes at the new close", () => {
    const { fills, decisions } = play({
      bars: [ABOVE, [101, 101.5, 100.8, 101]],
      signals: "always",
      general: { entry_timeout_min: 5 },
    });
    expect(decisions[1]).toBe("entry_long");
    expect(fills).toEqual(["bar 1 open: buy 0.99 at 101 maker ENTRY"]); // 100 / 101
  });

  test("E19 after a flip the other direction may be entered at the same close", () => {
    const { fills, decisions } = play({
      bars: [ABOVE, [101, 101.5, 100.8, 101]],
      general: { allow_short: true },
    });
    expect(decisions[1]).toBe("entry_short");
    expect(fills).toEqual(["bar 1 open: sell 0.99 at 101 maker ENTRY"]);
  });
});

describe("band options", () => {
  const decide = (scene: Partial<Scene>) => play({ bars: flats(1, 100), ...scene }).decisions[0];

  test("E20 require_fcc asks for the whole last bin beyond its band", () => {
    // Closes 101 and 100: lower band 100.5 - 0.25.
    const bbands = { require_fcc: true };
    expect(decide({ bbands, signal: [100.2, 100.25, 100, 100] })).toBe("entry_long");
    expect(decide({ bbands, signal: [101, 101, 100, 100] })).toBe("no_signal");
    expect(decide({ signal: [101, 101, 100, 100] })).toBe("entry_long");
    // Closes 99 and 100: upper band 99.5 + 0.25.
    expect(decide({ bbands, short: true, signal: [99.8, 100, 99.75, 100] })).toBe("entry_short");
    expect(decide({ bbands, short: true, signal: [99, 100, 99, 100] })).toBe("no_signal");
  });

  /** 10-minute bins closing at 110 and 100 (lower 102.5, middle 105); bar 0 is half of the next. */
  const half = (close: number, bbands: object): Partial<Scene> => ({
    history: [...flats(2, 110), ...flats(2, 100)],
    signal: null,
    bars: [[close, close, close, close], flat(close)],
    bbands: { interval_min: 10, ...bbands },
  });

  test("E20 require_fcc looks at the bin instead of the base close", () => {
    expect(decide(half(104, {}))).toBe("no_signal");
    expect(decide(half(104, { require_fcc: true }))).toBe("entry_long");
  });

  test("E20 reset_middle latches the vote until the close is beyond the middle line", () => {
    expect(decide(half(104, { reset_middle: true }))).toBe("entry_long");
    expect(decide(half(105, { reset_middle: true }))).toBe("entry_long"); // on the line is not beyond
    expect(decide(half(105.01, { reset_middle: true }))).toBe("no_signal");
  });

  test("E20 the latch of a short is cleared by a close below the middle line", () => {
    const short = (close: number): Partial<Scene> => ({
      ...half(close, { reset_middle: true }),
      history: [...flats(2, 100), ...flats(2, 110)],
      short: true,
    });
    expect(decide(short(106))).toBe("entry_short");
    expect(decide(short(104.99))).toBe("no_signal");
  });

  test("E20 the latch is first set, then cleared, at one and the same close", () => {
    // The bin is wholly below its band at every close, and 106 is beyond the middle.
    expect(decide(half(106, { require_fcc: true, reset_middle: true }))).toBe("no_signal");
    expect(decide(half(106, { require_fcc: true }))).toBe("entry_long");
  });

  test("E20 allow_mid_sells and deviation have no effect", () => {
    const story: Scene = {
      bars: [ABOVE, [101, 101, 98, 98], [98, 103, 98, 103]],
      signals: "always",
      exits: { tp_pct: 1, on_opposite_signal: "close" },
    };
    const strange = { allow_mid_sells: true, deviation: 3 };
    expect(play({ ...story, bbands: strange }).result).toEqual(play(story).result);
  });
});

describe("the MA gate", () => {
  const gate = (general: object, bars: Bar[], short = false) =>
    play({
      history: flats(2, 100),
      signal: null,
      bars,
      short,
      signals: "always",
      general: { use_ma_direction: true, ma_length: 1, ...general },
    }).decisions;

  test("E21 is fed with ma_source of its bars", () => {
    const rises: Bar[] = [[100, 101, 99, 100.5], flat(101)];
    const first = (ma_source: string) => gate({ ma_source }, rises)[0];
    expect(first("open")).toBe("entry_long"); // 100
    expect(first("low")).toBe("entry_long"); // 99
    expect(first("hl2")).toBe("entry_long"); // 100
    expect(first("hlc3")).toBe("entry_long"); // 100.17
    expect(first("ohlc4")).toBe("entry_long"); // 100.125
    expect(first("high")).toBe("ma_gate"); // 101
    expect(first("close")).toBe("ma_gate"); // its own close: not strictly above
  });

  test("E21 asks a short for a close below the average", () => {
    const falls: Bar[] = [[100, 101, 99, 99.5], flat(99)];
    expect(gate({ ma_source: "open" }, falls, true)[0]).toBe("entry_short");
    expect(gate({ ma_source: "low" }, falls, true)[0]).toBe("ma_gate");
  });

  test("E21 uses confirmed bins only, and interval 0 is the base timeframe", () => {
    // 10-minute bins: at bar 0 the last closed one ended at 100; bar 1 closes its own bin.
    const bars = [flat(101), flat(102), flat(102)];
    expect(gate({ ma_interval_min: 10 }, bars)[0]).toBe("entry_long");
    const low: Bar[] = [flat(99), flat(102), flat(103), flat(103)];
    expect(gate({ ma_interval_min: 10 }, low).slice(0, 3)).toEqual([
      "ma_gate", // 99 against 100
      "ma_gate", // 102 against 102, its own bin
      "entry_long", // 103 against 102
    ]);
    expect(gate({ ma_interval_min: 0 }, bars)[0]).toBe("ma_gate"); // against itself
  });
});

describe("order styles", () => {
  const styled = (entry: string, exit: string, run: object = {}) =>
    play({
      bars: [flat(100), [100, 100, 98.5, 98.5], [98.5, 102, 98.5, 102]],
      general: { entry_order_style: entry, exit_order_style: exit, max_entries: 2 },
      exits: { tp_pct: 1 },
      run: { ...run },
    }).result.fills.map((fill) => `${fill.reason} ${fill.liquidity}`);

  test("E22 entry_order_style rules entry and rungs, exit_order_style the take-profit", () => {
    const maker = ["ENTRY maker", "DCA_1 maker", "TP_PCT maker"];
    expect(styled("limit", "maker_or_cancel")).toEqual(maker);
    expect(styled("maker_or_cancel", "limit")).toEqual(maker);
    expect(styled("market", "limit")).toEqual(["ENTRY taker", "DCA_1 taker", "TP_PCT maker"]);
    expect(styled("limit", "market")).toEqual(["ENTRY maker", "DCA_1 maker", "TP_PCT taker"]);
  });

  test("E22 stops and trailing stops are market orders under every style", () => {
    for (const style of ["limit", "maker_or_cancel"]) {
      const general = { entry_order_style: style, exit_order_style: style };
      const out = (exits: object) =>
        play({ bars: [[100, 103, 100, 103], flat(90)], general, exits: { ...exits } }).fills[1];
      expect(out({ sl_pct: 5 })).toBe("bar 1 open: sell 1 at 90 taker SL_PCT");
      expect(out({ trail_distance_pct: 1 })).toBe("bar 1 open: sell 1 at 90 taker TRAILING_EXIT");
    }
  });

  test("E22 entry timeouts do not apply to rungs", () => {
    const { fills } = play({
      bars: [...flats(9, 100), [100, 100, 98.5, 98.5]],
      general: { max_entries: 2, entry_timeout_min: 5 },
    });
    expect(fills.at(-1)).toBe("bar 9 2nd: buy 1 at 99 maker DCA_1");
  });
});
