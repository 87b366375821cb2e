// The hand-checkable stories of the specification (appendix D) and its worked ladder (1.5): a long of 1 at
// 100, take-profit 1 %, stop 5 %, rungs from 1 % doubling in distance and volume, no costs.
import { describe, expect, test } from "bun:test";
import { type Bar, flat, play, type Scene } from "../support/scenario.ts";

const PESSIMISTIC = { run: { fill_model: "pessimistic" } };

/** Prices of the appendix are not rounded, so the tick is a millionth. */
function appendix(bars: readonly Bar[], more: Partial<Scene> = {}) {
  return play({
    bars,
    general: { max_entries: 5 },
    exits: { tp_pct: 1, sl_pct: 5 },
    dca: { base_deviation_pct: 1, deviation_multiplier: 2, volume_multiplier: 2 },
    instrument: { price_tick: 0.000001 },
    ...more,
  });
}

const ENTRY = "bar 0 open: buy 1 at 100 maker ENTRY";

describe("appendix D", () => {
  test("D1 a target lowered by a rung is only met by price travelled after the rung", () => {
    // 100 -> 100.6 (0.6 away) -> 98.9 (1.1 away) -> 99: the new target 99.5 * 1.01 lies behind.
    const { fills, resting } = appendix([[100, 100.6, 98.9, 99]]);
    expect(fills).toEqual([ENTRY, "bar 0 2nd: buy 1 at 99 maker DCA_1"]);
    expect(resting["take_profit"]).toBe(100.495);
    expect(resting["rung"]).toBe(97.51);
  });

  test("D2 of two equally near extremes the adverse one comes first", () => {
    const bars: Bar[] = [[100, 101.5, 98.5, 99]];
    const wanted = [
      ENTRY,
      "bar 0 1st: buy 1 at 99 maker DCA_1",
      "bar 0 2nd: sell 2 at 100.495 maker TP_PCT",
    ];
    const { fills, result } = appendix(bars);
    expect(fills).toEqual(wanted);
    expect(result.ledger.realised).toBeCloseTo(1.99, 9); // 2 * (100.495 - 99.5)
    expect(appendix(bars, PESSIMISTIC).fills).toEqual(wanted);
  });

  test("D3 the nearer extreme comes first, and the fall after the exit is ignored", () => {
    const { fills, result } = appendix([[100, 101.5, 94, 95]]);
    expect(fills).toEqual([ENTRY, "bar 0 1st: sell 1 at 101 maker TP_PCT"]);
    expect(result.ledger.realised).toBeCloseTo(1, 9);
  });

  test("D3 pessimistic buys three rungs on the way to the low and then wins more", () => {
    // Averages 99.5, 98.505, 96.5349; stop 96.5349 * 0.95 = 91.708155 lies below the low.
    const { fills, result } = appendix([[100, 101.5, 94, 95]], PESSIMISTIC);
    expect(fills).toEqual([
      ENTRY,
      "bar 0 1st: buy 1 at 99 maker DCA_1",
      "bar 0 1st: buy 2 at 97.51 maker DCA_2",
      "bar 0 1st: buy 4 at 94.5648 maker DCA_3",
      "bar 0 2nd: sell 8 at 97.500249 maker TP_PCT",
    ]);
    expect(result.ledger.realised).toBeCloseTo(7.722792, 6); // 8 * (97.500249 - 96.5349)
  });

  test("D4 a gap below stop and rung is served stop first, at the open", () => {
    const { fills, result } = appendix([flat(100), [92, 93, 91, 92]]);
    expect(fills).toEqual([ENTRY, "bar 1 open: sell 1 at 92 taker SL_PCT"]);
    expect(result.ledger.realised).toBeCloseTo(-8, 9);
  });

  test("D5 a trailing stop of 1 % follows from 105 to 106 and fills at 104.94", () => {
    // Armed at the close of bar 0 (gain 5 %), peak 105; stop 106 * 0.99.
    const { fills } = appendix(
      [
        [100, 105, 100, 105],
        [105, 106, 103, 105.9],
      ],
      { exits: { trail_activation_pct: 5, trail_distance_pct: 1 }, general: {} },
    );
    expect(fills).toEqual([ENTRY, "bar 1 2nd: sell 1 at 104.94 taker TRAILING_EXIT"]);
  });

  test("D6 a maker entry that would cross the next open moves to it", () => {
    const { fills } = appendix([[99.5, 100.2, 99.4, 100]], {
      general: { entry_order_style: "maker_or_cancel" },
      exits: {},
    });
    expect(fills).toEqual(["bar 0 open: buy 1 at 99.5 maker ENTRY"]);
  });
});

test("1.5 the worked ladder: 99 x1 to 99.5, 97.51 x2 to 98.505, 94.5648 x4", () => {
  const bars: Bar[] = [
    [100, 100, 99, 99],
    [99, 99, 97.51, 97.51],
    [97.51, 97.51, 94.5648, 94.5648],
  ];
  const after = (count: number) => appendix(bars.slice(0, count), { exits: {} }).result.cycles[0];
  expect(after(1)).toMatchObject({ entries: 2, qty: 2, avg_entry: 99.5 });
  expect(after(2)).toMatchObject({ entries: 3, qty: 4 });
  expect(after(2)?.avg_entry).toBeCloseTo(98.505, 12);
  expect(after(3)).toMatchObject({ entries: 4, qty: 8 });
  expect(after(3)?.avg_entry).toBeCloseTo(96.5349, 12);
});
