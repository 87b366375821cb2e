// Rules E57 to E60 through whole runs: samples, daily returns, drawdown and what counts as a cycle. The formulas
// themselves are tested in tests/analytics.
import { describe, expect, test } from "bun:test";
import { type Bar, flat, flats, play, type Scene } from "../support/scenario.ts";

const metricsOf = (scene: Scene) => play(scene).result.metrics;
/** The whole balance of 1000 in 10 contracts, so that 1 point is 1 %. */
const ALL_IN = { initial_entry_fixed_usd: 1000 };

describe("samples", () => {
  test("E57 are taken once per traded bar at its close, not at its extremes", () => {
    // 90 inside the bar is not seen, 99 at its close is.
    const metrics = metricsOf({ bars: [flat(100), [100, 100, 90, 99]], general: ALL_IN });
    expect(metrics.max_drawdown_abs).toBeCloseTo(10, 9);
    expect(metrics.max_drawdown).toBeCloseTo(0.01, 12);
  });

  test("E57 come after a fill at the close of that bar", () => {
    // 1 % of fee on 100 at the close of the signal candle: the first sample is already 999.
    const metrics = metricsOf({
      bars: [flat(101)],
      general: { entry_order_style: "market" },
      run: { entry_fill: "close", taker_fee: 0.01 },
    });
    expect(metrics.max_drawdown_abs).toBeCloseTo(1, 9);
    expect(metrics.drawdown_recovery_s).toBe(300);
  });

  test("E57 stand behind the initial balance, stamped with the first bar's open", () => {
    // Below water from the first sample on: 12:00 (first close) to the open at 11:55 is the start.
    const metrics = metricsOf({
      bars: [flat(100), flat(100)],
      general: { entry_order_style: "market" },
      run: { entry_fill: "close", taker_fee: 0.01 },
    });
    expect(metrics.drawdown_duration_s).toBe(900);
    // Samples 1000, 999, 999, 999
    expect(metrics.ulcer_index).toBeCloseTo(Math.sqrt((3 * 0.001 ** 2) / 4), 12);
  });
});

describe("daily returns", () => {
  /** Hourly candles around midnight; bar 0 opens at 22:00. */
  const night = (bars: (Bar | null)[]): Scene => ({
    startAt: Date.UTC(2024, 0, 10, 22),
    bars,
    general: ALL_IN,
    run: { timeframe_min: 60 },
  });

  test("E58 the bar closing at midnight ends the old day", () => {
    expect(metricsOf(night([flat(100), flat(101)])).days).toBe(1);
    expect(metricsOf(night([flat(100), flat(101), flat(102)])).days).toBe(2);
  });

  test("E58 run from last sample to last sample, the first from the initial balance", () => {
    // Day 1 ends at 990 (-1 %), day 2 at 1010: gain to pain is the sum of the gains over that of the losses.
    const metrics = metricsOf(night([flat(100), flat(99), flat(101)]));
    expect(metrics.gain_to_pain).toBeCloseTo((1010 / 990 - 1) / 0.01, 9);
  });

  test("E58 days without bars are skipped", () => {
    const gap = Array<null>(48).fill(null);
    expect(metricsOf(night([flat(100), flat(99), ...gap, flat(101)])).days).toBe(2);
  });

  /** One candle a day; every other day one point up. */
  const daily = (days: number): Scene => ({
    startAt: Date.UTC(2024, 0, 10),
    bars: Array.from({ length: days }, (_, i) => flat(100 + (i % 2))),
    general: ALL_IN,
    run: { timeframe_min: 1440 },
  });

  test("E58 Sharpe and Sortino need 30 returns", () => {
    const few = metricsOf(daily(28)); // and the signal day
    expect([few.days, few.sharpe, few.sortino]).toEqual([29, null, null]);
    const enough = metricsOf(daily(29));
    expect(enough.days).toBe(30);
    // Returns 0, 0, then +1 % and 1 / 1.01 - 1 fourteen times each: 28, and the last up again makes 30.
    const up = 0.01;
    const down = 1 / 1.01 - 1;
    const returns = [0, 0, ...Array.from({ length: 28 }, (_, i) => (i % 2 === 0 ? up : down))];
    const mean = returns.reduce((sum, r) => sum + r, 0) / 30;
    const squares = returns.reduce((sum, r) => sum + (r - mean) ** 2, 0);
    const sharpe = (mean / Math.sqrt(squares / 29)) * Math.sqrt(365);
    expect(enough.sharpe).toBeCloseTo(sharpe, 9);
    const below = returns.reduce((sum, r) => sum + Math.min(0, r) ** 2, 0);
    expect(enough.sortino).toBeCloseTo((mean / Math.sqrt(below / 30)) * Math.sqrt(365), 9);
  });

  test("E58 without a deviation they are null however many days there are", () => {
    const idle = metricsOf({ ...daily(40), bars: flats(40, 100) });
    expect([idle.days, idle.sharpe, idle.sortino]).toEqual([41, null, null]);
  });
});

describe("drawdown", () => {
  test("E59 the absolute and the relative maximum are found independently", () => {
    // Equity 1000, 500, 2000, 1400: lost 500 of 1000, then 600 of 2000.
    const metrics = metricsOf({
      bars: [flat(100), flat(50), flat(200), flat(140)],
      general: ALL_IN,
      run: { leverage: 2 },
    });
    expect(metrics.max_drawdown_abs).toBeCloseTo(600, 9);
    expect(metrics.max_drawdown).toBeCloseTo(0.5, 12);
  });

  test("E59 duration goes from the peak to the first sample back at it, recovery from the depth", () => {
    // Peak at the close of bar 1 (12:10); below in bars 2 to 4, deepest first in bar 3; back in bar 5.
    const metrics = metricsOf({
      bars: [100, 105, 103, 102, 102, 105, 106].map(flat),
      general: ALL_IN,
    });
    expect(metrics.drawdown_duration_s).toBe(20 * 60);
    expect(metrics.drawdown_recovery_s).toBe(10 * 60);
  });

  test("E59 not made good it has no recovery and lasts to the last sample", () => {
    const metrics = metricsOf({ bars: [100, 105, 103, 104].map(flat), general: ALL_IN });
    expect(metrics.drawdown_recovery_s).toBeNull();
    expect(metrics.drawdown_duration_s).toBe(10 * 60);
  });

  test("E59 a run that only rises has none", () => {
    const metrics = metricsOf({ bars: [100, 101, 101, 102].map(flat), general: ALL_IN });
    expect(metrics).toMatchObject({
      max_drawdown: 0,
      drawdown_duration_s: 0,
      drawdown_recovery_s: null,
    });
  });
});

describe("cycles", () => {
  /** A cycle of 10 contracts per two bars: in at the open, out at the close of the same price or away from it. */
  const trades = (bars: Bar[]): Scene => ({
    bars,
    signals: "always",
    general: { ...ALL_IN, entry_cooldown_min: 0 },
    exits: { tp_pct: 1, sl_pct: 2 },
    run: { leverage: 2 },
  });

  test("E60 only closed cycles count for win rate, sums and times", () => {
    // In at 12:00, +1 % at 12:05; in at 101 at 12:10 and still open.
    const metrics = metricsOf(trades([flat(100), flat(101), flat(101), flat(100.5)]));
    expect(metrics).toMatchObject({
      cycles: 1,
      open_cycles: 1,
      win_rate: 1,
      gross_loss: 0,
      profit_factor: null,
      no_losses: true,
      max_position_time_s: 300,
    });
    expect(metrics.gross_profit).toBeCloseTo(10, 9);
  });

  test("E60 gross loss is a negative sum", () => {
    // +10 at 101; 9.9 of 1000 / 101 -> the fixed 1000 at 101 is 9.900: out at 98.98, -2.02 each.
    const metrics = metricsOf(trades([flat(100), flat(101), flat(101), [101, 101, 98, 98]]));
    expect(metrics.gross_loss).toBeCloseTo(-9.9 * 2.02, 6);
    expect(metrics.profit_factor).toBeCloseTo(10 / (9.9 * 2.02), 6);
    expect(metrics.win_rate).toBe(0.5);
    expect(metrics.no_losses).toBe(false);
  });

  test("E60 a net of exactly 0 is neither win nor loss", () => {
    // Bar 0 has a range of 0, so at its close the ATR stop moves to the entry itself.
    const metrics = metricsOf({
      bars: [flat(100), flat(100), flat(100)],
      exits: { sl_mode: "ATR", sl_atr_mult: 1 },
    });
    expect(metrics).toMatchObject({
      cycles: 1,
      win_rate: 0,
      gross_profit: 0,
      gross_loss: 0,
      no_losses: true,
    });
  });

  test("E60 a bar is exposed if a position was open at its open or opened on its path", () => {
    // Signal bar, entry in bar 0, exit at the open of bar 1, two idle bars: 2 of 5.
    const idle = { bars: [flat(100), flat(101), flat(101), flat(101)], exits: { tp_pct: 1 } };
    expect(metricsOf(idle).exposure).toBeCloseTo(2 / 5, 12);
    // An entry at a close does not expose that bar.
    const atClose = metricsOf({
      bars: [flat(100)],
      general: { entry_order_style: "market" },
      run: { entry_fill: "close" },
    });
    expect(atClose.exposure).toBeCloseTo(1 / 2, 12);
  });

  test("E60 the median of position times interpolates linearly", () => {
    // 12:00 to 12:05, and 12:10 to 12:20: 300 and 600 seconds.
    const metrics = metricsOf(
      trades([flat(100), flat(101), flat(101), [101, 101.5, 101, 101], flat(103), flat(103)]),
    );
    expect(metrics.cycles).toBe(2);
    expect(metrics.median_position_time_s).toBe(450);
    expect(metrics.avg_position_time_s).toBe(450);
  });
});
