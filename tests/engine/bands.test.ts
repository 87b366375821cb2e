// Rule E40: orders with an activation band, parked and active, and what a gap does to each.
import { describe, expect, test } from "bun:test";
import { activates, activatesLive, parks } from "../../src/execution/activation.ts";
import { type Bar, flat, play, type Scene } from "../support/scenario.ts";

const ENTRY = "bar 0 open: buy 1 at 100 maker ENTRY";

/** A long at 100 with a rung at 99 and a band of half a percent around it: 98.505 to 99.495. */
const rung = (bars: Bar[], style = "limit", more: object = {}): Scene => ({
  bars: [flat(100), ...bars],
  general: {
    max_entries: 2,
    entry_order_style: style,
    dynamic_activation: { dca_pct: 0.5 },
    ...more,
  },
});

describe("an order with a band", () => {
  test("E40 is activated on a continuous path before its price is reached", () => {
    const { fills } = play(rung([[100, 100, 98, 98]]));
    expect(fills).toEqual([ENTRY, "bar 1 2nd: buy 1 at 99 maker DCA_1"]);
  });

  test("E40 of style market acts as a limit", () => {
    const { fills } = play(rung([[100, 100, 98, 98]], "market"));
    expect(fills[1]).toBe("bar 1 2nd: buy 1 at 99 maker DCA_1");
  });

  test("E40 active at the previous close is filled by a gap at the open, as maker", () => {
    // 99.4 is 0.404 % away.
    const { fills } = play(rung([[100, 100, 99.4, 99.4], flat(95)]));
    expect(fills[1]).toBe("bar 2 open: buy 1 at 95 maker DCA_1");
  });

  test("E40 exactly at the edge of the band it is active", () => {
    // 99.495 is 0.5 % away.
    const { fills } = play(rung([[100, 100, 99.495, 99.495], flat(95)]));
    expect(fills[1]).toBe("bar 2 open: buy 1 at 95 maker DCA_1");
  });

  test("E40 parked and gapped over, it stays parked and activates crossed on the way back", () => {
    // Rung 99, open 95, then 98.6: edge 98.505, up to 98.51 inside the band.
    const back: Bar = [95, 98.6, 94.8, 98.6];
    expect(play(rung([back])).fills).toEqual([ENTRY, "bar 1 2nd: buy 1 at 98.51 taker DCA_1"]);
    const maker = play(rung([back], "maker_or_cancel"));
    expect(maker.fills[1]).toBe("bar 1 2nd: buy 1 at 98.51 maker DCA_1");
    expect(play(rung([flat(95)])).fills).toEqual([ENTRY]);
  });

  test("E40 parked and gapped over it waits through later bars too", () => {
    const { fills } = play(rung([flat(95), flat(96), [96, 98.6, 96, 98.6]]));
    expect(fills[1]).toBe("bar 3 2nd: buy 1 at 98.51 taker DCA_1");
  });

  test("E40 is parked beyond 1.25 bands, and between 1 and 1.25 keeps what it was", () => {
    // Active at 99.4; 99.55 is 0.556 %, 99.63 is 0.636 % away (1.25 bands are 0.625 %).
    const near: Bar = [100, 100, 99.4, 99.4];
    const gap = flat(95);
    const kept = play(rung([near, [99.4, 99.55, 99.4, 99.55], gap]));
    expect(kept.fills[1]).toBe("bar 3 open: buy 1 at 95 maker DCA_1");
    expect(play(rung([near, [99.4, 99.63, 99.4, 99.63], gap])).fills).toEqual([ENTRY]);
    // Never active: 0.556 % does not activate.
    expect(play(rung([[100, 100, 99.55, 99.55], gap])).fills).toEqual([ENTRY]);
  });

  test("E40 is looked at at the corners of the path, not only at closes", () => {
    // Active at 99.4, away to 99.9 at a corner inside bar 2, back at 99.55 at its close: parked.
    const { fills } = play(rung([[100, 100, 99.4, 99.4], [99.4, 99.9, 99.4, 99.55], flat(95)]));
    expect(fills).toEqual([ENTRY]);
  });
});

describe("a banded entry", () => {
  const entry = (bar: Bar, style: string) =>
    play({
      bars: [bar],
      general: { entry_order_style: style, dynamic_activation: { entry_pct: 0.5 } },
      run: { slippage_bps: 100 },
    }).fills;

  test("E40 within its band at the open goes live there: crossed as taker, maker moves to it", () => {
    expect(entry(flat(99.8), "market")).toEqual(["bar 0 open: buy 1 at 99.8 taker ENTRY"]);
    expect(entry(flat(99.8), "limit")).toEqual(["bar 0 open: buy 1 at 99.8 taker ENTRY"]);
    expect(entry(flat(99.8), "maker_or_cancel")).toEqual(["bar 0 open: buy 1 at 99.8 maker ENTRY"]);
  });

  test("E40 gapped over at the open waits for the edge of its band", () => {
    expect(entry([99, 100, 98.9, 99.2], "limit")).toEqual(["bar 0 2nd: buy 1 at 99.5 taker ENTRY"]);
    expect(entry([99, 99.49, 98.9, 99.2], "limit")).toEqual([]);
  });

  test("E40 a short's edge lies above its target", () => {
    // 100 * 1.005 = 100.5
    const general = { dynamic_activation: { entry_pct: 0.5 } };
    const { fills } = play({ bars: [[101, 101.1, 100.4, 100.6]], short: true, general });
    expect(fills).toEqual(["bar 0 2nd: sell 1 at 100.5 taker ENTRY"]);
  });
});

describe("a banded take-profit", () => {
  const target = (bars: Bar[], style: string): Scene => ({
    bars: [flat(100), ...bars],
    general: { exit_order_style: style, dynamic_activation: { tp_pct: 0.5 } },
    exits: { tp_pct: 1.01 },
  });

  test("E40 gapped over activates where the path comes back into the band", () => {
    // Target 101.01: edge 101.51505, down to 101.51 inside the band.
    const back: Bar = [105, 105.1, 101.2, 101.3];
    const wanted = (liquidity: string) => [
      ENTRY,
      `bar 1 2nd: sell 1 at 101.51 ${liquidity} TP_PCT`,
    ];
    expect(play(target([back], "limit")).fills).toEqual(wanted("taker"));
    expect(play(target([back], "market")).fills).toEqual(wanted("taker"));
    expect(play(target([back], "maker_or_cancel")).fills).toEqual(wanted("maker"));
    expect(play(target([flat(105)], "limit")).fills).toEqual([ENTRY]);
  });
});

describe("the distance rule", () => {
  const order = { purpose: "rung", isBuy: true, targetPrice: 200, bandPct: 1 } as const;

  test("E40 distance is |price - target| / target in percent, on both sides", () => {
    expect([198, 202, 197.9, 202.1].map((price) => activates(order, price))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([202.5, 197.5, 202.6, 197.4].map((price) => parks(order, price))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  test("E68 live, a take-profit jumped over is activated at once; entries and rungs wait", () => {
    const sell = { purpose: "take_profit", isBuy: false, targetPrice: 200, bandPct: 1 } as const;
    expect(activatesLive(sell, 250)).toBe(true);
    expect(activatesLive(sell, 200)).toBe(true);
    expect(activatesLive(sell, 190)).toBe(false); // short of the target, outside the band
    const buy = { ...sell, isBuy: true };
    expect([150, 210].map((price) => activatesLive(buy, price))).toEqual([true, false]);
    for (const purpose of ["entry", "rung"] as const) {
      expect(activatesLive({ ...order, purpose }, 150)).toBe(false);
      expect(activatesLive({ ...order, purpose }, 199)).toBe(true);
    }
  });

  test("E68 in a backtest the literal rule holds for the take-profit as well", () => {
    const sell = { purpose: "take_profit", isBuy: false, targetPrice: 200, bandPct: 1 } as const;
    expect(activates(sell, 250)).toBe(false);
  });
});
