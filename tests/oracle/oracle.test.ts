// Worked numbers of the specification through the reference backtest: Appendix D, the examples of
// the rules, the ladder check of section 1.5, and that equal input gives equal output.

import { describe, expect, test } from "bun:test";
import { generateCase } from "./cases.ts";
import { dailyMetrics, dailyReturns, drawdownOf } from "./metrics.ts";
import { type OracleInput, runOracle } from "./oracle.ts";
import { gridOf, roundDown, roundUp } from "./rounding.ts";
import { manageAtClose } from "./rules.ts";
import { binSpan, binsOf, lastClosedBin, rsi } from "./series.ts";
import { readSettings } from "./settings.ts";
import { snapshotsOf } from "./signals.ts";
import { createSim, liquidationPrice, type Position, type Sim } from "./sim.ts";
import type { Bar } from "./types.ts";
import { openAtClose, walkBar } from "./walk.ts";

const T0 = Date.UTC(2024, 0, 1);
const BAR_MS = 300_000;
const FREE = { maker_fee: 0, taker_fee: 0, slippage_bps: 0 };

type Parts = {
  general?: object;
  exits?: object;
  dca?: object;
  tick?: number;
  run?: object;
};

// Limit orders, TP 1%, SL 5%, rung 1% with m = v = 2: the setting of Appendix D.
function account(parts: Parts = {}): Sim {
  const general = {
    entry_order_style: "limit",
    exit_order_style: "limit",
    ...parts.general,
  };
  const trailOff = { trail_distance_pct: 0 };
  const exits = {
    tp_mode: "PCT",
    tp_pct: 1,
    sl_pct: 5,
    ...trailOff,
    ...parts.exits,
  };
  const run = {
    from: T0,
    to: T0 + BAR_MS,
    initial_balance: 100_000,
    ...FREE,
    ...parts.run,
  };
  const instrument = { price_tick: parts.tick ?? 1e-8, qty_step: 0.001 };
  return createSim(
    readSettings({ general, exits, dca: parts.dca ?? {} }, instrument, run),
  );
}

// The same, with one unit bought at 100 before the first bar.
function longAt100(parts: Parts = {}): Sim {
  const sim = account(parts);
  openAtClose(sim, 1, 1, 100);
  return sim;
}

function walk(
  sim: Sim,
  o: number,
  h: number,
  l: number,
  c: number,
  index = 0,
): void {
  walkBar(sim, { t: T0 + index * BAR_MS, o, h, l, c }, []);
}

function position(sim: Sim): Position {
  if (sim.position === null) throw new Error("no open position");
  return sim.position;
}

function shown(sim: Sim): (string | number)[][] {
  return sim.fills.slice(1).map((f) => [f.reason, f.price, f.qty, f.liquidity]);
}

describe("Appendix D", () => {
  test("1: a take-profit lowered by a rung is not hit by price travelled before it", () => {
    const sim = longAt100();
    walk(sim, 100, 100.6, 98.9, 99);
    expect(shown(sim)).toEqual([["DCA_1", 99, 1, "maker"]]);
    expect(position(sim).avg).toBeCloseTo(99.5, 12);
    expect(position(sim).tp?.target).toBe(100.495);
  });

  test("2: a tie goes to the adverse extreme, in both fill models", () => {
    for (const fill_model of ["path", "pessimistic"]) {
      const sim = longAt100({ run: { fill_model } });
      walk(sim, 100, 101.5, 98.5, 99);
      expect(shown(sim)).toEqual([
        ["DCA_1", 99, 1, "maker"],
        ["TP_PCT", 100.495, 2, "maker"],
      ]);
      expect(sim.ledger.realised).toBeCloseTo(1.99, 10);
    }
  });

  test("3: the nearer extreme decides, and pessimistic fills the whole ladder first", () => {
    const near = longAt100();
    walk(near, 100, 101.5, 94, 95);
    expect(shown(near)).toEqual([["TP_PCT", 101, 1, "maker"]]);
    const sim = longAt100({ run: { fill_model: "pessimistic" } });
    walk(sim, 100, 101.5, 94, 95);
    expect(shown(sim)).toEqual([
      ["DCA_1", 99, 1, "maker"],
      ["DCA_2", 97.51, 2, "maker"],
      ["DCA_3", 94.5648, 4, "maker"],
      ["TP_PCT", 97.500249, 8, "maker"],
    ]);
    expect(sim.ledger.realised).toBeCloseTo(7.7228, 4);
  });

  test("4: a gap below the stop fills at the open and drops the rung", () => {
    const sim = longAt100();
    walk(sim, 92, 93, 91, 92);
    expect(shown(sim)).toEqual([["SL_PCT", 92, 1, "taker"]]);
    expect(sim.ledger.realised).toBe(-8);
  });

  test("5: a trailing stop follows the peak and fills at its level", () => {
    const sim = longAt100({ exits: { tp_pct: 0, trail_distance_pct: 1 } });
    position(sim).trail = { peak: 105, stop: 103.95 };
    walk(sim, 105, 106, 103, 105.9);
    expect(shown(sim)).toEqual([["TRAILING_EXIT", 104.94, 1, "taker"]]);
    expect(sim.fills.at(-1)?.t).toBe(T0 + BAR_MS / 2); // second segment
  });

  test("6: a post-only entry crossed by the next open moves to it and fills as maker", () => {
    const result = runOracle(
      signalAt100([99.5, 100.2, 99.4, 100], "maker_or_cancel"),
    );
    expect(result.fills).toHaveLength(1);
    expect(result.fills[0]).toMatchObject({
      price: 99.5,
      liquidity: "maker",
      reason: "ENTRY",
    });
    expect(result.fills[0]?.t).toBe(result.fills[0]?.bar_open_at ?? 0);
  });
});

// Rising closes, then 100: the first close at which the lower band votes. One more bar follows.
function signalAt100(
  next: [number, number, number, number],
  style: string,
): OracleInput {
  const closes = [100.2, 100.4, 100.6, 100.8, 101, 101.2, 100];
  const rows: [number, number, number, number][] = closes.map((c) => [
    c,
    c,
    c,
    c,
  ]);
  rows.push(next);
  const column = (k: 0 | 1 | 2 | 3): number[] => rows.map((row) => row[k]);
  const t = rows.map((_, i) => T0 + i * BAR_MS);
  const [o, h, l, c] = [column(0), column(1), column(2), column(3)];
  const config = {
    general: {
      entry_order_style: style,
      use_indicator_consensus: false,
      max_entries: 1,
    },
    exits: { tp_pct: 0, tp_mode: "PCT", sl_pct: 0, trail_distance_pct: 0 },
    trend: { enabled: false },
    bbands: { interval_min: 5, length: 2, dev_up: 0.5, dev_down: 0.5 },
    macd: { interval_min: 5, fast: 1, slow: 2, signal: 1 },
    rsi: { interval_min: 5, length: 1 },
  };
  const run = { from: T0 + 3 * BAR_MS, to: T0 + 8 * BAR_MS, ...FREE };
  const candles = { t, o, h, l, c, v: t.map(() => 1) };
  return {
    candles,
    config,
    instrument: { price_tick: 0.01, qty_step: 0.001 },
    run,
  };
}

describe("worked numbers of the rules", () => {
  test("E1: 0.29 stays 0.29 both ways, 1.005 becomes 1.00 down and 1.01 up", () => {
    const cent = gridOf(0.01);
    expect([roundDown(cent, 0.29), roundUp(cent, 0.29)]).toEqual([0.29, 0.29]);
    expect([roundDown(cent, 1.005), roundUp(cent, 1.005)]).toEqual([1, 1.01]);
  });

  test("E6: the 10:00-11:00 bin is first visible at the close of the bar opened 10:55", () => {
    const bars = Array.from({ length: 36 }, (_, i) =>
      flatBar(T0 + 9 * 3_600_000 + i * BAR_MS),
    );
    const bins = binsOf(bars, 60, 5);
    const visible = lastClosedBin(
      bins,
      bars.map((bar) => bar.t + BAR_MS),
    );
    const at = (clock: string): number =>
      bars.findIndex((b) => b.t === Date.parse(clock));
    expect(visible[at("2024-01-01T10:50:00Z")]).toBe(0);
    expect(visible[at("2024-01-01T10:55:00Z")]).toBe(1);
  });

  test("E7: 420-minute bins end at midnight and weekly bins start on Mondays", () => {
    const hours = [0, 7, 14, 21].map((h) =>
      binSpan(T0 + h * 3_600_000 + 60_000, 420),
    );
    expect(hours.map((s) => (s.start - T0) / 3_600_000)).toEqual([
      0, 7, 14, 21,
    ]);
    expect(hours.map((s) => (s.end - T0) / 3_600_000)).toEqual([7, 14, 21, 24]);
    expect(
      new Date(binSpan(T0 + 3 * 86_400_000, 10_080).start).getUTCDay(),
    ).toBe(1);
  });

  test("E9: an RSI without any loss is 100 and starts on close n+1", () => {
    expect(rsi([1, 2, 3, 4], 3)).toEqual([null, null, null, 100]);
  });

  test("E18, E34, E35: signal at 100, next open 99.5", () => {
    const postOnly = runOracle(
      signalAt100([99.5, 100.2, 99.4, 100], "maker_or_cancel"),
    );
    expect(postOnly.fills[0]).toMatchObject({
      price: 99.5,
      liquidity: "maker",
    });
    const limit = runOracle(signalAt100([99.5, 100.2, 99.4, 100], "limit"));
    expect(limit.fills[0]).toMatchObject({ price: 99.5, liquidity: "taker" });
    const touch = runOracle(signalAt100([100, 100.2, 99.4, 100], "limit"));
    expect(touch.fills[0]).toMatchObject({ price: 100, liquidity: "maker" });
  });

  test("E40: a parked rung gapped over fills at the band edge on the way back", () => {
    for (const [style, liquidity] of [
      ["limit", "taker"],
      ["maker_or_cancel", "maker"],
    ]) {
      const sim = longAt100({
        general: {
          entry_order_style: style,
          dynamic_activation: { dca_pct: 0.5 },
        },
        exits: { sl_pct: 0 },
        tick: 0.01,
      });
      walk(sim, 95, 98.6, 94.9, 98.6);
      expect(shown(sim)).toEqual([["DCA_1", 98.51, 1, liquidity ?? ""]]);
    }
  });

  test("E40: a rung active at the previous close is filled by a gap open", () => {
    const general = { dynamic_activation: { dca_pct: 0.5 } };
    const sim = longAt100({ general, exits: { sl_pct: 0 }, tick: 0.01 });
    walk(sim, 100, 100, 99.2, 99.2, 0);
    walk(sim, 95, 95, 95, 95, 1);
    expect(shown(sim)).toEqual([
      ["DCA_1", 95, 1, "maker"], // E33
    ]);
    expect(position(sim).rung).toMatchObject({ target: 95.55, active: false }); // 0.58% away
  });

  test("E49, E48: arming happens at a close with the bar's best price as peak", () => {
    const sim = longAt100({
      exits: { tp_pct: 0, trail_activation_pct: 2, trail_distance_pct: 1 },
    });
    walk(sim, 101, 104, 100.5, 102.5);
    manageAtClose(sim, snapshotOf(sim));
    expect(position(sim).trail).toEqual({ peak: 104, stop: 102.96 });
    walk(sim, 102.6, 103, 102, 102.2, 1); // already below the stop at the open
    expect(shown(sim)).toEqual([["TRAILING_EXIT", 102.6, 1, "taker"]]);
  });

  test("E52, E53: liquidation at its price, and a negative balance is written off", () => {
    const run = {
      initial_balance: 20,
      leverage: 10,
      maintenance_margin_rate: 0.005,
    };
    const sim = longAt100({
      exits: { sl_pct: 0 },
      general: { max_entries: 1 },
      run,
    });
    expect(liquidationPrice(sim)).toBeCloseTo(80 / 0.995, 10);
    walk(sim, 70, 75, 60, 70);
    expect(shown(sim)).toEqual([["LIQUIDATION", 70, 1, "taker"]]);
    expect([sim.balance, sim.ledger.writeoff, sim.ruined]).toEqual([
      0,
      10,
      true,
    ]);
  });

  test("section 1.5: rungs 99.00 qty 1, 97.51 qty 2, 94.5648 qty 4", () => {
    const sim = longAt100({ exits: { sl_pct: 0, tp_pct: 0 } });
    const seen: number[][] = [];
    for (const low of [99, 97.51, 94.5648]) {
      const rung = position(sim).rung;
      seen.push([rung?.target ?? 0, rung?.qty ?? 0]);
      walk(sim, low + 0.4, low + 0.4, low, low + 0.4, seen.length);
      seen.push([Number(position(sim).avg.toFixed(9))]);
    }
    expect(seen).toEqual([
      [99, 1],
      [99.5],
      [97.51, 2],
      [98.505],
      [94.5648, 4],
      [96.5349],
    ]);
  });

  test("E58, E59: drawdown maxima are independent and a first loss counts", () => {
    const curve = [100, 50, 1000, 900].map((equity, t) => ({
      t: t * 1000,
      equity,
    }));
    expect(drawdownOf(curve)).toMatchObject({
      max_drawdown: 0.5,
      max_drawdown_abs: 100,
      drawdown_duration_s: 2,
      drawdown_recovery_s: 1,
    });
    const midnight = Date.UTC(2024, 0, 2);
    const samples = [
      { t: midnight, equity: 90 },
      { t: midnight + 1, equity: 99 },
    ];
    expect(dailyReturns(samples, 100).map((r) => r.toFixed(6))).toEqual([
      "-0.100000",
      "0.100000",
    ]);
    expect(dailyMetrics([-0.1, 0.1]).gain_to_pain).toBeCloseTo(1, 12);
  });
});

function flatBar(t: number): Bar {
  return { t, o: 1, h: 1, l: 1, c: 1 };
}

function snapshotOf(sim: Sim) {
  const snapshot = snapshotsOf([sim.bar], sim.settings)[0];
  if (snapshot === undefined) throw new Error("no snapshot");
  return snapshot;
}

describe("reproducibility", () => {
  test("equal seeds give equal cases and equal results, and the input stays untouched", () => {
    for (const seed of [3, 14, 159]) {
      const input = generateCase(seed);
      const before = JSON.stringify(input);
      const first = JSON.stringify(runOracle(input));
      expect(JSON.stringify(runOracle(generateCase(seed)))).toBe(first);
      expect(JSON.stringify(input)).toBe(before);
    }
  });

  test("candles from the end of the window on change nothing", () => {
    for (const seed of [4, 21, 33, 48]) {
      const input = generateCase(seed);
      const cut = Math.floor(input.candles.t.length * 0.8);
      const run = { ...input.run, to: input.candles.t[cut] };
      const head = (column: number[]): number[] => column.slice(0, cut);
      const { t, o, h, l, c, v } = input.candles;
      const prices = { o: head(o), h: head(h), l: head(l), c: head(c) };
      const candles = { t: head(t), ...prices, v: head(v) };
      expect(runOracle({ ...input, run, candles })).toEqual(
        runOracle({ ...input, run }),
      );
    }
  });

  test("an empty window and an unknown key are refused by name", () => {
    const input = generateCase(5);
    const run = { ...input.run, from: 1, to: 2 };
    expect(() => runOracle({ ...input, run })).toThrow("holds no candles");
    expect(() =>
      runOracle({ ...input, config: { dca: { depth: 1 } } }),
    ).toThrow("config.dca.depth");
  });
});
