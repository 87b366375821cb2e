// Rules E61, E62 and E64 to E66 through whole runs and documents: the trend switch, the opposite signal, what is
// accepted and refused, and what the pessimistic model does not promise.
import { describe, expect, test } from "bun:test";
import { wantedFrom } from "../../src/engine/prepare.ts";
import { InputError } from "../../src/model/result.ts";
import { parseInstrument, parseRun } from "../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { type Bar, barAt, flat, flats, play, type Scene } from "../support/scenario.ts";

describe("trend.enabled", () => {
  /** Falling closes: below their average, which the strict filter of a long refuses. */
  const falling = { bars: [flat(99.5), flat(99)], signals: "always" } satisfies Scene;
  const trend = { ma_len: 2 };

  test("E61 is on by default, and false removes the filter from the entry decision", () => {
    expect(parseConfig({}).trend.enabled).toBe(true);
    expect(play({ ...falling, trend: { ...trend, enabled: true } }).decisions[0]).toBe("trend");
    expect(play({ ...falling, trend: { ...trend, enabled: false } }).decisions[0]).toBe(
      "entry_long",
    );
  });

  test("E61 false also removes it from what must be defined", () => {
    const long = { ma_len: 500 };
    const decide = (enabled: boolean) =>
      play({ ...falling, trend: { ...long, enabled } }).decisions[0];
    expect([decide(true), decide(false)]).toEqual(["not_ready", "entry_long"]);
  });

  test("E61 false removes it from the flip of a pending entry", () => {
    // The entry rests at 100; bar 1 falls from 102 to 101.
    const story = (enabled: boolean): Scene => ({
      history: flats(2, 99),
      signal: [99, 100, 99, 100],
      bars: [flat(102), flat(101), flat(101)],
      signals: "always",
      trend: { ...trend, enabled },
    });
    expect(play(story(true)).run.state.strategy.withdrawn.flipped).toBe(1);
    expect(play(story(false)).run.state.strategy.withdrawn.flipped).toBe(0);
  });

  test("E61 false removes its average from the warm-up", () => {
    const from = Date.UTC(2024, 5, 1);
    const run = parseRun({ timeframe_min: 5, from, to: from + 1 });
    const start = (enabled: boolean) =>
      wantedFrom(parseConfig({ trend: { enabled, ma_len: 3000, ma_interval_min: 120 } }), run);
    // 3000 * 120 min are 250 days; without it the daily RSI's 120 days remain. A bar more in both cases.
    expect(start(true)).toBe(from - 251 * 86_400_000);
    expect(start(false)).toBe(from - 121 * 86_400_000);
  });

  test("E61 false removes it from first_ready_at", () => {
    const ready = (enabled: boolean) =>
      play({ bars: flats(6, 100), trend: { enabled, ma_len: 5 } }).result.warmup.first_ready_at;
    expect([ready(true), ready(false)]).toEqual([barAt(1), barAt(-2)]);
  });
});

describe("exits.on_opposite_signal", () => {
  /** Rises: the vote for a short, at the close of bar 0. */
  const RISE: Bar = [100, 101, 100, 101];

  test("E62 is ignored by default", () => {
    expect(play({ bars: [RISE, flat(101), flat(101)] }).fills).toHaveLength(1);
  });

  test("E62 close sets a market exit for the next open, as taker with slippage", () => {
    const { fills, result } = play({
      bars: [RISE, flat(102), flat(103)],
      exits: { on_opposite_signal: "close" },
      run: { slippage_bps: 100 },
    });
    expect(fills[1]).toBe("bar 1 open: sell 1 at 100.98 taker OPPOSITE_SIGNAL"); // 102 * 0.99
    expect(result.cycles[0]?.exit_reason).toBe("OPPOSITE_SIGNAL");
  });

  test("E62 a short leaves on the long's signal", () => {
    const { fills } = play({
      bars: [[100, 100, 99, 99], flat(98)],
      short: true,
      exits: { on_opposite_signal: "close" },
    });
    expect(fills[1]).toBe("bar 1 open: buy 1 at 98 taker OPPOSITE_SIGNAL");
  });

  test("E62 needs no permission to trade the other direction, nor the trend of it", () => {
    const { fills } = play({
      bars: [RISE, flat(102)],
      exits: { on_opposite_signal: "close" },
      general: { allow_short: false },
    });
    expect(fills).toHaveLength(2);
  });

  test("E62 with consensus on, one opposite vote is not enough, two are", () => {
    const story = (sell_level: number): Scene => ({
      bars: [RISE, flat(102)],
      general: { use_indicator_consensus: true },
      exits: { on_opposite_signal: "close" },
      // Changes 0, -1, +1: gains 0.5, losses 0.25, RSI 66.67. The bands vote short, the RSI as its level says.
      rsi: { length: 2, buy_level: 49, sell_level },
    });
    expect(play(story(66)).fills[1]).toBe("bar 1 open: sell 1 at 102 taker OPPOSITE_SIGNAL");
    expect(play(story(67)).fills).toHaveLength(1);
  });

  test("E62 the protective orders stay in force until then", () => {
    // The exit is set at the close of bar 0; the stop lies beyond the next open and comes first.
    const { fills } = play({
      bars: [RISE, flat(94)],
      exits: { on_opposite_signal: "close", sl_pct: 5 },
    });
    expect(fills[1]).toBe("bar 1 open: sell 1 at 94 taker SL_PCT");
    const set = play({
      bars: [RISE],
      exits: { on_opposite_signal: "close", sl_pct: 5, tp_pct: 9 },
    });
    expect(set.resting).toMatchObject({ protective_stop: 95, take_profit: 109, exit: 0 });
  });
});

const RUN = { timeframe_min: 5, from: 0, to: 300_000 };

describe("accepted values", () => {
  test("E64 indicator_set and htf_mode accept only tv and confirmed", () => {
    expect(parseRun({ ...RUN, indicator_set: "tv", htf_mode: "confirmed" })).toBeDefined();
    expect(() => parseRun({ ...RUN, indicator_set: "upstream" })).toThrow(
      'run: indicator_set is "upstream"; it must be tv',
    );
    expect(() => parseRun({ ...RUN, htf_mode: "developing" })).toThrow(
      'run: htf_mode is "developing"; it must be confirmed',
    );
  });

  test("E64 fill_model accepts path and pessimistic, not legacy", () => {
    expect(parseRun(RUN).fillModel).toBe("path");
    expect(parseRun({ ...RUN, fill_model: "pessimistic" }).fillModel).toBe("pessimistic");
    expect(() => parseRun({ ...RUN, fill_model: "legacy" })).toThrow(
      'run: fill_model is "legacy"; it must be one of path, pessimistic',
    );
  });
});

describe("refusals before anything is computed", () => {
  test("E65 a window that holds no candles, or an empty file", () => {
    const outside = { run: { from: barAt(50), to: barAt(60) } };
    expect(() => play({ bars: flats(3, 100), ...outside })).toThrow(InputError);
    expect(() => play({ bars: flats(3, 100), ...outside })).toThrow("holds no candles");
    const hole = { run: { from: barAt(1), to: barAt(2) } };
    expect(() => play({ bars: [flat(100), null, flat(100)], ...hole })).toThrow("holds no candles");
    expect(() => play({ bars: [null], history: [], signal: null })).toThrow("empty");
  });

  for (const field of ["price_tick", "qty_step"]) {
    for (const value of [0, -0.01]) {
      test(`E65 an instrument whose ${field} is ${value}`, () => {
        const instrument = { price_tick: 0.01, qty_step: 0.001, [field]: value };
        expect(() => parseInstrument(instrument)).toThrow(`instrument: ${field} is ${value}`);
      });
    }
    test(`E65 an instrument without ${field}`, () => {
      const { [field]: _, ...rest } = { price_tick: 0.01, qty_step: 0.001 } as Record<
        string,
        number
      >;
      expect(() => parseInstrument(rest)).toThrow(`instrument: ${field} is missing`);
    });
  }
});

describe("the pessimistic model", () => {
  test("E66 means the adverse extreme first, not the worse result: a ladder can end better", () => {
    // Appendix D3: +1 on the path, +7.72 with three rungs bought first.
    const story = (fill_model: string): Scene => ({
      bars: [[100, 101.5, 94, 95]],
      general: { max_entries: 5 },
      exits: { tp_pct: 1, sl_pct: 5 },
      run: { fill_model },
    });
    const path = play(story("path")).result.equity_end;
    const pessimistic = play(story("pessimistic")).result.equity_end;
    expect(path).toBeCloseTo(1001, 9);
    expect(pessimistic).toBeGreaterThan(path + 6);
  });

  test("E66 without a ladder it is the worse one here", () => {
    const story = (fill_model: string): Scene => ({
      bars: [[100, 101.5, 94, 95]],
      exits: { tp_pct: 1, sl_pct: 5 },
      run: { fill_model },
    });
    expect(play(story("path")).result.equity_end).toBeCloseTo(1001, 9);
    expect(play(story("pessimistic")).result.equity_end).toBeCloseTo(995, 9);
  });
});
