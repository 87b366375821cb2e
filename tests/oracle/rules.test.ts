// Single rules of the specification, one small walk each, through the reference backtest: order
// styles at opens, exit timeout, ladder options, ATR levels, funding, opposite exits.

import { describe, expect, test } from "bun:test";
import { manageAtClose } from "./rules.ts";
import { readSettings } from "./settings.ts";
import type { Snapshot } from "./signals.ts";
import { createSim, type Sim } from "./sim.ts";
import { openAtClose, walkBar } from "./walk.ts";

const T0 = Date.UTC(2024, 0, 1);
const BAR_MS = 300_000;

type Parts = {
  general?: object;
  exits?: object;
  dca?: object;
  instrument?: object;
  run?: object;
  atr?: number;
};

// One unit bought at 100 at the close before the first bar; TP 1%, no stop, rung 1%, tick 0.01.
function longAt100(parts: Parts = {}): Sim {
  const general = {
    entry_order_style: "limit",
    exit_order_style: "limit",
    ...parts.general,
  };
  const exits = {
    tp_mode: "PCT",
    tp_pct: 1,
    sl_pct: 0,
    trail_distance_pct: 0,
    ...parts.exits,
  };
  const free = { maker_fee: 0, taker_fee: 0, initial_balance: 100_000 };
  const run = { from: T0, to: T0 + BAR_MS, ...free, ...parts.run };
  const instrument = { price_tick: 0.01, qty_step: 0.001, ...parts.instrument };
  const sim = createSim(
    readSettings({ general, exits, dca: parts.dca ?? {} }, instrument, run),
  );
  sim.atr = parts.atr ?? null;
  sim.now = T0;
  openAtClose(sim, 1, 1, 100);
  return sim;
}

const QUIET: Snapshot = {
  close: 100,
  trend: null,
  bands: null,
  histogram: null,
  rsi: null,
  atr: null,
  gate: null,
  bbLong: false,
  bbShort: false,
};

// Walks a bar and then applies its close, with the ATR that includes it.
function bar(
  sim: Sim,
  index: number,
  prices: number[],
  close: Partial<Snapshot> = {},
): void {
  const [o = 0, h = 0, l = 0, c = 0] = prices;
  walkBar(sim, { t: T0 + index * BAR_MS, o, h, l, c }, []);
  sim.atr = close.atr ?? sim.atr;
  manageAtClose(sim, { ...QUIET, ...close });
}

function shown(sim: Sim): (string | number)[][] {
  return sim.fills
    .slice(1)
    .map((f) => [f.reason, f.price, f.liquidity, (f.t - T0) / BAR_MS]);
}

describe("orders at opens", () => {
  test("E34, E35, E37: a rung strictly crossed when it goes live, by style", () => {
    const expected = {
      limit: [98.5, "taker"],
      maker_or_cancel: [98.5, "maker"],
    };
    for (const [style, [price, liquidity]] of Object.entries(expected)) {
      const sim = longAt100({
        general: { entry_order_style: style, max_entries: 2 },
      });
      bar(sim, 0, [98.5, 98.6, 98.4, 98.5]);
      expect(shown(sim)).toEqual([["DCA_1", price ?? 0, liquidity ?? "", 0]]);
    }
    const general = { entry_order_style: "market", max_entries: 2 };
    const sim = longAt100({ general, run: { slippage_bps: 10 } });
    bar(sim, 0, [98.5, 98.6, 98.4, 98.5]); // bought at 100.10, so the trigger is 99.09
    expect(shown(sim)).toEqual([["DCA_1", 98.6, "taker", 0]]);
  });

  test("E33, E26: a rung crossed by a later open fills there, then the next one too", () => {
    const sim = longAt100({ general: { max_entries: 3 } });
    bar(sim, 0, [100, 100, 99.5, 99.5]);
    bar(sim, 1, [96, 96, 96, 96]); // average 98, next rung 96.04 is crossed as it is born
    expect(shown(sim)).toEqual([
      ["DCA_1", 96, "maker", 1],
      ["DCA_2", 96, "taker", 1],
    ]);
  });

  test("E36: without touch fills a limit needs a price strictly beyond it", () => {
    const run = { touch_fills: false };
    const touched = longAt100({ run });
    bar(touched, 0, [100, 100, 99, 99.5]);
    expect(shown(touched)).toEqual([]);
    const passed = longAt100({ run });
    bar(passed, 0, [100, 100, 98.99, 99.5]);
    expect(shown(passed)).toEqual([["DCA_1", 99, "maker", 0.5]]); // the high equals the open
  });

  test("E39: a touched but unfilled post-only take-profit turns into a market exit", () => {
    const general = {
      exit_order_style: "maker_or_cancel",
      exit_timeout_min: 10,
    };
    const sim = longAt100({ general, run: { touch_fills: false } });
    bar(sim, 0, [100, 101, 100, 100.5]); // touched on the second segment, 2.5 minutes in
    bar(sim, 1, [100.5, 100.5, 100.5, 100.5]);
    expect(sim.exitAtOpen).toBeNull();
    bar(sim, 2, [100.5, 100.5, 100.5, 100.5]);
    bar(sim, 3, [100.4, 102, 100.4, 102]);
    expect(shown(sim)).toEqual([["TP_PCT", 100.4, "taker", 3]]);
  });

  test("E62: an opposite vote sets a market exit, and a stop at that open goes first", () => {
    const general = { use_indicator_consensus: false };
    const sim = longAt100({ general, exits: { on_opposite_signal: "close" } });
    bar(sim, 0, [100, 100, 100, 100], { bbShort: true });
    bar(sim, 1, [101.5, 101.5, 101.5, 101.5]);
    expect(shown(sim)).toEqual([["OPPOSITE_SIGNAL", 101.5, "taker", 1]]);
    const stopped = longAt100({
      general,
      exits: { on_opposite_signal: "close", sl_pct: 2 },
    });
    bar(stopped, 0, [100, 100, 100, 100], { bbShort: true });
    bar(stopped, 1, [97, 97, 97, 97]);
    expect(shown(stopped)).toEqual([["SL_PCT", 97, "taker", 1]]);
  });
});

describe("ladder", () => {
  test("E42: a level below the minimum is skipped for good and keeps its number", () => {
    const sim = longAt100({
      instrument: { min_notional: 99.5 },
      general: { max_entries: 3 },
    });
    expect(sim.rejections.rung_below_min).toBe(1); // 1 x 99 is below 99.5
    expect(sim.position?.rung).toMatchObject({ target: 98, qty: 2 });
    bar(sim, 0, [100, 100, 98, 98]);
    expect(shown(sim)).toEqual([["DCA_2", 98, "maker", 0.5]]);
    expect(sim.position?.rung).toBeNull();
  });

  test("E43: an unlocked ATR rung moves at closes, a locked one stays", () => {
    for (const [locked, target] of [
      [false, 97],
      [true, 98],
    ] as const) {
      const general = { lock_atr_on_entry_for_dca: locked };
      const sim = longAt100({
        general,
        dca: { deviation_mode: "ATR" },
        atr: 2,
      });
      expect(sim.position?.rung?.target).toBe(98);
      bar(sim, 0, [100, 100, 100, 100], { atr: 3 });
      expect(sim.position?.rung?.target).toBe(target);
    }
  });

  test("E44: with a cooldown the next rung waits for a bar open", () => {
    const sim = longAt100({ general: { dca_cooldown_min: 7 } });
    bar(sim, 0, [100, 100, 98.5, 98.5]);
    bar(sim, 1, [98.5, 98.5, 98.5, 98.5]);
    expect(shown(sim)).toEqual([]);
    bar(sim, 2, [98.5, 98.5, 98.5, 98.5]); // 10 minutes after the entry
    expect(shown(sim)).toEqual([["DCA_1", 98.5, "taker", 2]]);
  });

  test("E45: a rung refused by margin closes the ladder", () => {
    const sim = longAt100({ run: { initial_balance: 150, leverage: 1 } });
    bar(sim, 0, [100, 100, 97, 97]);
    expect(shown(sim)).toEqual([]);
    expect(sim.rejections.rung_margin).toBe(1);
    expect(sim.position).toMatchObject({ rung: null, ladderOpen: false });
  });
});

describe("levels and cash", () => {
  test("E46: a take-profit in ATR waits for the first close that has it, then stays", () => {
    const sim = longAt100({ exits: { tp_mode: "ATR", tp_atr_mult: 2 } });
    expect(sim.position?.tp).toBeNull();
    bar(sim, 0, [100, 100, 100, 100], { atr: 1 });
    bar(sim, 1, [100, 100, 100, 100], { atr: 5 });
    expect(sim.position?.tp?.target).toBe(102);
  });

  test("E46: an ATR of exactly 0 still gives a take-profit, at the average", () => {
    const exits = { tp_mode: "ATR", tp_atr_mult: 2 };
    expect(longAt100({ exits, atr: 0 }).position?.tp?.target).toBe(100);
  });

  test("E47: an ATR stop only tightens at closes and may loosen at a fill", () => {
    const sim = longAt100({
      exits: { sl_mode: "ATR", sl_atr_mult: 2 },
      atr: 2,
    });
    expect(sim.position?.fixedStop).toBe(96);
    bar(sim, 0, [100, 100, 100, 100], { atr: 3 });
    expect(sim.position?.fixedStop).toBe(96);
    bar(sim, 1, [100, 100, 100, 100], { atr: 1.5 });
    expect(sim.position?.fixedStop).toBe(97);
    bar(sim, 2, [100, 100, 100, 100], { atr: 4 });
    bar(sim, 3, [100, 100, 98.9, 99]);
    expect(sim.position?.fixedStop).toBe(91.5);
  });

  test("E54: funding is paid on the open price before anything else", () => {
    const sim = longAt100();
    walkBar(
      sim,
      { t: T0, o: 100.5, h: 101, l: 100.5, c: 101 },
      [0.001, -0.0004],
    );
    expect(sim.ledger.funding).toBeCloseTo(-100.5 * 0.0006, 12);
    expect(sim.cycles[0]?.net).toBeCloseTo(1 - 100.5 * 0.0006, 12);
  });

  test("E30: excursions include the entry's own slippage and stop at the trigger price", () => {
    const sim = longAt100({ run: { slippage_bps: 10 }, exits: { sl_pct: 2 } });
    expect(sim.position?.mae).toBeCloseTo(100 / 100.1 - 1, 12);
    const general = { max_entries: 1 };
    const other = longAt100({
      general,
      exits: { sl_pct: 2 },
      run: { slippage_bps: 10 },
    });
    bar(other, 0, [100, 100.5, 95, 95]);
    expect(other.cycles[0]?.mae).toBeCloseTo(98.1 / 100.1 - 1, 12);
    expect(other.cycles[0]?.mfe).toBeCloseTo(100.5 / 100.1 - 1, 12);
  });
});
