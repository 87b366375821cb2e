// Rules E41 to E45: base, sizes and levels of the ladder, skipping, ATR distances, its cooldown and the
// refusal for margin.
import { describe, expect, test } from "bun:test";
import { parseInstrument } from "../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { ruleContext } from "../../src/strategy/dca-atr/context.ts";
import { nextRung } from "../../src/strategy/dca-atr/ladder.ts";
import { initialDcaAtrState, NONE } from "../../src/strategy/dca-atr/state.ts";
import { type Bar, flat, play, type Scene } from "../support/scenario.ts";

const ENTRY = "bar 0 open: buy 1 at 100 maker ENTRY";
const DROP: Bar = [100, 100, 90, 90];

const ladder = (bars: (Bar | null)[], general: object = {}, more: Partial<Scene> = {}) =>
  play({ bars, ...more, general: { max_entries: 5, ...general } });

describe("bases", () => {
  test("E41 a fixed base is the price of the first fill, slippage included", () => {
    // In at 101: 101 * 0.99 = 99.99, then 101 * 0.98 = 98.98; style market adds 1 % to each.
    const { fills } = ladder(
      [flat(100), [100, 100, 98.9, 98.9]],
      { use_avg_entry_for_dca_base: false, entry_order_style: "market" },
      { run: { slippage_bps: 100 } },
    );
    expect(fills).toEqual([
      "bar 0 open: buy 1 at 101 taker ENTRY",
      "bar 1 2nd: buy 1 at 100.99 taker DCA_1",
      "bar 1 2nd: buy 2 at 99.97 taker DCA_2", // 98.98 * 1.01 = 99.9698
    ]);
  });

  test("E41 by default the base is the average, which moves with every fill", () => {
    const { fills } = ladder([flat(100), [100, 100, 97, 97]]);
    expect(fills.slice(1)).toEqual([
      "bar 1 2nd: buy 1 at 99 maker DCA_1",
      "bar 1 2nd: buy 2 at 97.51 maker DCA_2", // 99.5 * 0.98
    ]);
  });

  test("E41 a level's size is the first quantity times v to the level, rounded down", () => {
    // 1, 1.5 -> 1.5, 2.25 -> 2.2, 3.375 -> 3.3 in steps of 0.1
    const { result } = ladder(
      [flat(100), DROP],
      { use_avg_entry_for_dca_base: false },
      {
        dca: { deviation_multiplier: 1.2, volume_multiplier: 1.5 },
        instrument: { qty_step: 0.1 },
      },
    );
    expect(result.fills.map((fill) => fill.qty)).toEqual([1, 1, 1.5, 2.2, 3.3]);
  });

  test("E41 the base quantity is that of the first fill, never the running total", () => {
    const { result } = ladder([flat(100), DROP], {}, { dca: { volume_multiplier: 1 } });
    expect(new Set(result.fills.map((fill) => fill.qty))).toEqual(new Set([1]));
  });

  test("E41 a short's rungs lie above", () => {
    const { fills } = ladder([flat(100), [100, 102, 100, 102]], {}, { short: true });
    expect(fills[1]).toBe("bar 1 2nd: sell 1 at 101 maker DCA_1");
  });
});

describe("levels", () => {
  test("E42 there are max_entries - 1 rungs, and with one entry none", () => {
    const count = (max_entries: number) =>
      ladder([flat(100), [100, 100, 50, 50]], { max_entries }).fills.length;
    expect([1, 2, 3, 4].map(count)).toEqual([1, 2, 3, 4]);
  });

  test("E42 a rung too small is skipped: the level grows, the count of entries does not", () => {
    // 1 at 99 is below 99.5; level 1 lies at 98 from the unchanged average, with 2 of them.
    const story = (max_entries: number) =>
      ladder([flat(100), DROP], { max_entries }, { instrument: { min_notional: 99.5 } });
    const { fills, result } = story(3);
    expect(fills).toEqual([ENTRY, "bar 1 2nd: buy 2 at 98 maker DCA_2"]);
    expect(result.rejections.rung_below_min).toBe(1);
    expect(result.cycles[0]?.entries).toBe(2);
    // With one level more the ladder goes on at level 2: 98.6667 * 0.96 = 94.72, 4 of them.
    expect(story(4).fills.slice(1)).toEqual([
      "bar 1 2nd: buy 2 at 98 maker DCA_2",
      "bar 1 2nd: buy 4 at 94.72 maker DCA_3",
    ]);
  });

  test("E42 several levels may be skipped at once, and all of them", () => {
    const instrument = { min_notional: 99.5 };
    // Always one contract, at 99, 98 and 96: all below, all three counted.
    const all = ladder(
      [flat(100), DROP],
      { max_entries: 4 },
      {
        instrument,
        dca: { volume_multiplier: 1 },
      },
    );
    expect(all.fills).toEqual([ENTRY]);
    expect(all.result.rejections.rung_below_min).toBe(3);
  });

  test("E42 a quantity of 0 or below min_qty is skipped as well", () => {
    // Base quantity 1, then 2. A first entry that small is refused in a run, so the rule is asked directly.
    const next = (instrument: object) => {
      const context = ruleContext(
        parseConfig({}),
        parseInstrument({ price_tick: 1, ...instrument }),
      );
      const state = { ...initialDcaAtrState(), entries: 1, baseQty: 1, basePrice: 100 };
      const position = { sign: 1 as const, lots: 1, qty: 1, average: 100 };
      const rung = nextRung(context, state, position, NONE, 0);
      return [rung?.key, rung?.qtyLots, state.rejections.rungBelowMin, state.entries];
    };
    expect(next({ qty_step: 1 })).toEqual(["dca:1", 1, 0, 1]);
    expect(next({ qty_step: 1, min_qty: 2 })).toEqual(["dca:2", 2, 1, 1]);
    expect(next({ qty_step: 2 })).toEqual(["dca:2", 1, 1, 1]);
  });

  test("E42 a target of 0 or below ends the ladder of the cycle", () => {
    // 60 %, then 120 % below the average
    const { fills, run } = ladder(
      [flat(100), [100, 100, 1, 1]],
      {},
      {
        dca: { base_deviation_pct: 60 },
      },
    );
    expect(fills.slice(1)).toEqual(["bar 1 2nd: buy 1 at 40 maker DCA_1"]);
    expect(run.state.strategy.isLadderClosed).toBe(true);
  });

  test("E42 the next cycle starts its ladder anew", () => {
    const { fills } = ladder(
      [[100, 100, 99, 99], [99, 101, 99, 101], flat(101), [101, 101, 99.99, 99.99]],
      { entry_cooldown_min: 0, max_entries: 2 },
      { signals: "always", exits: { tp_pct: 1 } },
    );
    expect(fills.map((fill) => fill.split(" ").at(-1))).toEqual([
      "ENTRY",
      "DCA_1",
      "TP_PCT",
      "ENTRY",
      "DCA_1",
    ]);
  });
});

describe("the ATR ladder", () => {
  const atr = { deviation_mode: "ATR", base_deviation_atr_mult: 1, deviation_multiplier: 2 };
  const locked = { lock_atr_on_entry_for_dca: true };
  /** A range of 0.5 without touching 99. */
  const CALM: Bar = [100, 100.3, 99.8, 100];

  test("E43 the distance of a level is mult * m^L * ATR; locked, the ATR of the first fill counts", () => {
    // The signal candle ranges over 1: 100 - 1, then 99.5 - 2.
    const { fills } = ladder([CALM, [100, 100, 97, 97]], locked, { dca: atr });
    expect(fills.slice(1)).toEqual([
      "bar 1 2nd: buy 1 at 99 maker DCA_1",
      "bar 1 2nd: buy 2 at 97.5 maker DCA_2",
    ]);
  });

  test("E43 unlocked, the resting rung moves at every close whose rounded price differs", () => {
    expect(ladder([CALM], {}, { dca: atr }).resting["rung"]).toBe(99.5);
    expect(ladder([CALM, [100, 102, 100, 102]], {}, { dca: atr }).resting["rung"]).toBe(98);
    // A new rung is that of the last closed bar: 0.5 after bar 0, so 99.5 and then 99.75 - 1.
    const { fills } = ladder([CALM, [100, 100, 98.5, 98.5]], {}, { dca: atr });
    expect(fills.slice(1)).toEqual([
      "bar 1 2nd: buy 1 at 99.5 maker DCA_1",
      "bar 1 2nd: buy 2 at 98.75 maker DCA_2",
    ]);
  });

  test("E43 without an ATR there is no rung until a close provides it", () => {
    // ATR 4 is first defined at the close of bar 0: ranges 0, 0, 1, 3 come to a mean of 1.
    const story = (lock: object, bars: Bar[]) =>
      ladder(bars, lock, { dca: atr, exits: { atr_period: 4 } });
    const wide: Bar = [100, 102, 99, 100];
    expect(story({}, [wide]).fills).toEqual([ENTRY]);
    expect(story({}, [wide]).resting["rung"]).toBe(99);
    expect(story(locked, [wide]).resting["rung"]).toBe(99);
  });
});

describe("the ladder's cooldown", () => {
  test("E44 a new rung goes live at the first open with t >= last expanding fill + cooldown", () => {
    const dip: Bar = [100, 100, 98.9, 100];
    const fill = (minutes: number) =>
      ladder([flat(100), dip, dip, dip], { dca_cooldown_min: minutes, max_entries: 2 }).fills[1];
    // In at 12:00; opens are 12:05, 12:10 and 12:15.
    expect(fill(0)).toBe("bar 1 2nd: buy 1 at 99 maker DCA_1");
    expect(fill(5)).toBe("bar 1 2nd: buy 1 at 99 maker DCA_1");
    expect(fill(5.1)).toBe("bar 2 2nd: buy 1 at 99 maker DCA_1");
    expect(fill(10)).toBe("bar 2 2nd: buy 1 at 99 maker DCA_1");
    expect(fill(60)).toBeUndefined();
  });

  test("E44 it counts from every expanding fill, at the time of that fill", () => {
    const fill = (minutes: number) =>
      ladder([[100, 100, 99.2, 99.2], [99.2, 99.2, 97, 97], flat(97)], {
        dca_cooldown_min: minutes,
        max_entries: 3,
      }).fills;
    // DCA_1 at 12:07:30: a minute later is inside bar 1, so its successor goes live with bar 2.
    expect(fill(1).slice(1)).toEqual([
      "bar 1 2nd: buy 1 at 99 maker DCA_1",
      "bar 2 open: buy 2 at 97 taker DCA_2", // 97.51 goes live strictly crossed (E34)
    ]);
  });

  test("E44 a rung that goes live crossed fills as such", () => {
    const story = (style: string) =>
      ladder([flat(100), flat(98), flat(98)], {
        dca_cooldown_min: 10,
        max_entries: 2,
        entry_order_style: style,
      }).fills[1];
    expect(story("limit")).toBe("bar 2 open: buy 1 at 98 taker DCA_1");
    expect(story("maker_or_cancel")).toBe("bar 2 open: buy 1 at 98 maker DCA_1");
  });
});

test("E45 a rung refused for margin is dropped and the ladder stays closed for the cycle", () => {
  // 10 at 100 with 1000 and leverage 1: a rung of 10 at 99 needs 1990 of 990.
  const { fills, result, resting } = ladder([flat(100), DROP, DROP], {
    initial_entry_fixed_usd: 1000,
  });
  expect(fills).toEqual(["bar 0 open: buy 10 at 100 maker ENTRY"]);
  expect(result.rejections.rung_margin).toBe(1);
  expect(resting["rung"]).toBeUndefined();
});

test("E45 the ladder of the next cycle is open again", () => {
  const { result } = ladder(
    [
      flat(100),
      [100, 100, 98.9, 98.9],
      [98.9, 101, 98.9, 101],
      flat(101),
      [101, 101, 99, 99],
      flat(99),
    ],
    { initial_entry_fixed_usd: 1000, entry_cooldown_min: 0 },
    { signals: "always", exits: { tp_pct: 1 } },
  );
  expect(result.rejections.rung_margin).toBe(2);
});
