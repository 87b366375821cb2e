// Rules E1 to E5 in whole runs: what is rounded and which way, what stays a plain double, where the tolerance
// applies, and that contract size multiplies every amount.
import { describe, expect, test } from "bun:test";
import { activates } from "../../src/execution/activation.ts";
import {
  macdVotes,
  VOTE_MACD_LONG,
  VOTE_MACD_SHORT,
} from "../../src/strategy/dca-atr/signal-flags.ts";
import { flat, play } from "../support/scenario.ts";

const ODD = {
  general: { max_entries: 2 },
  exits: { sl_pct: 3.333, tp_pct: 1.2345 },
  dca: { base_deviation_pct: 1.2345 },
};

describe("prices", () => {
  test("E1 a long's stop and take-profit are rounded up, its rung down", () => {
    // 96.667, 101.2345 and 98.7655
    const { resting } = play({ ...ODD, bars: [flat(100)] });
    expect(resting).toEqual({ protective_stop: 96.67, take_profit: 101.24, rung: 98.76 });
  });

  test("E1 a short's stop and take-profit are rounded down, its rung up", () => {
    // 103.333, 98.7655 and 101.2345
    const { resting } = play({ ...ODD, bars: [flat(100)], short: true });
    expect(resting).toEqual({ protective_stop: 103.33, take_profit: 98.76, rung: 101.24 });
  });

  test("E1 taker fills are rounded against the trader: buys up, sells down", () => {
    // 100 * 1.00015 = 100.015; stop 95 * 100.02 / 100 = 95.019 up to 95.02; 95.02 * 0.99985 = 95.005747
    const { fills } = play({
      bars: [flat(100), [100, 100, 90, 90]],
      general: { entry_order_style: "market" },
      exits: { sl_pct: 5 },
      run: { slippage_bps: 1.5 },
    });
    expect(fills).toEqual([
      "bar 0 open: buy 1 at 100.02 taker ENTRY",
      "bar 1 2nd: sell 1 at 95 taker SL_PCT",
    ]);
  });

  test("E1 a price that already lies on the grid is not moved by slippage of 0", () => {
    const { fills } = play({
      bars: [flat(100.29)],
      general: { entry_order_style: "market" },
    });
    expect(fills).toEqual(["bar 0 open: buy 1 at 100.29 taker ENTRY"]);
  });
});

describe("quantities", () => {
  test("E2 an order quantity is rounded down to the step", () => {
    // 100 / 100 = 1, in steps of 0.3: 3 of them
    const { fills } = play({ bars: [flat(100)], instrument: { qty_step: 0.3 } });
    expect(fills).toEqual(["bar 0 open: buy 0.9 at 100 maker ENTRY"]);
  });

  test("E2 the size after a fill is the sum on the decimals of the step, left in one fill", () => {
    // 0.1 + 0.1 + 0.1 is 0.30000000000000004 in doubles.
    const { fills, result } = play({
      bars: [flat(100), [100, 100, 98, 98], [98, 103, 98, 103]],
      general: { initial_entry_fixed_usd: 10, max_entries: 3 },
      exits: { tp_pct: 2 },
      dca: { deviation_multiplier: 1, volume_multiplier: 1 },
      instrument: { qty_step: 0.1 },
    });
    expect(result.cycles[0]?.qty).toBe(0.3);
    // average (100 + 99 + 98.5) / 3 = 99.1666..., target 101.15
    expect(fills.at(-1)).toBe("bar 2 2nd: sell 0.3 at 101.15 maker TP_PCT");
    expect(fills).toHaveLength(4);
  });
});

test("E3 the average stays a plain double; only the order made of it lies on the grid", () => {
  const { result, resting } = play({
    bars: [flat(100), [100, 100, 98.5, 98.5]],
    general: { max_entries: 3 },
    exits: { tp_pct: 1 },
    dca: { deviation_multiplier: 1, volume_multiplier: 1 },
  });
  // rungs at 99 and at 99.5 * 0.99 = 98.505, down to 98.50; average 297.5 / 3; target 100.15833
  expect(result.cycles[0]?.avg_entry).toBeCloseTo(297.5 / 3, 12);
  expect(resting["take_profit"]).toBe(100.16);
});

test("E3 neither the trailing peak nor the ATR distance is put on the grid", () => {
  // Ticks of 1: peak 105.4, stop 105.4 - 2.108 = 103.292, up to 104; a rounded peak of 105 gives 103.
  const { resting } = play({
    bars: [[100, 105.4, 100, 105.4]],
    exits: { trail_distance_pct: 2 },
    instrument: { price_tick: 1 },
  });
  expect(resting).toEqual({ protective_stop: 104 });
});

describe("tolerance", () => {
  test("E4 a notional a relative 5e-10 below the minimum passes, 2e-9 does not", () => {
    const notional = (min: number) =>
      play({ bars: [flat(100)], instrument: { min_notional: min } });
    expect(notional(100.00000005).fills).toHaveLength(1);
    expect(notional(100.0000002).fills).toHaveLength(0);
  });

  test("E4 a margin a relative 5e-10 above the equity passes, 2e-9 does not", () => {
    const withBalance = (balance: number) =>
      play({ bars: [flat(100)], run: { initial_balance: balance }, instrument: { qty_step: 1 } });
    // One contract at 100 needs 100 of margin; the size is fixed by the smaller of 100 and the balance.
    expect(withBalance(100 - 5e-8).fills).toHaveLength(1);
    expect(withBalance(100 - 1e-3).fills).toHaveLength(0);
  });

  test("E4 the close must be above the trend average by more than a relative 1e-9", () => {
    const decide = (close: number) =>
      play({
        bars: [[100, close, 100, close], flat(close)],
        history: [flat(100), flat(100)],
        signal: null,
        signals: "always",
        // Bar 0 is the first half of a 10-minute bin, so the average is the close of the bin before.
        trend: { enabled: true, ma_interval_min: 10, ma_len: 1 },
      }).decisions[0];
    expect(decide(100 + 9e-8)).toBe("trend");
    expect(decide(100 + 1.1e-7)).toBe("entry_long");
  });

  test("E4 the histogram counts beyond a billionth of the close", () => {
    expect(macdVotes(0.99e-7, 100)).toBe(0);
    expect(macdVotes(1.01e-7, 100)).toBe(VOTE_MACD_LONG);
    expect(macdVotes(-0.99e-7, 100)).toBe(0);
    expect(macdVotes(-1.01e-7, 100)).toBe(VOTE_MACD_SHORT);
  });

  test("E4 bands compare percent distances with 1e-9 absolute", () => {
    const order = { purpose: "rung", isBuy: true, targetPrice: 100, bandPct: 0.5 } as const;
    expect(activates(order, 99.5 - 5e-10)).toBe(true);
    expect(activates(order, 99.5 - 2e-9)).toBe(false);
  });

  test("E4 path prices against order prices are compared exactly", () => {
    const low = (price: number) =>
      play({ bars: [flat(100), [100, 100, price, 100]], exits: { sl_pct: 5 } }).fills.length;
    expect(low(95 + 1e-11)).toBe(1);
    expect(low(95)).toBe(2);
  });
});

test("E5 contract size multiplies notional, profit, fee, margin and funding", () => {
  const { fills, result } = play({
    bars: [flat(100), [100, 101, 100, 101]],
    exits: { tp_pct: 1 },
    instrument: { contract_size: 10 },
    run: { maker_fee: 0.001, leverage: 2 },
    funding: [[5, 0.001]],
  });
  expect(fills[0]).toBe("bar 0 open: buy 0.1 at 100 maker ENTRY"); // 100 / (100 * 10)
  expect(result.ledger.realised).toBeCloseTo(1, 12); // 0.1 * 10 * (101 - 100)
  expect(result.ledger.fees).toBeCloseTo(-0.201, 12); // 100 * 0.1 * 10 * 0.001, then 101 of it
  expect(result.ledger.funding).toBeCloseTo(-0.1, 12); // 0.1 * 10 * 100 * 0.001
  expect(result.metrics.max_notional).toBeCloseTo(100, 12);
  expect(result.metrics.max_margin_used).toBeCloseTo(50, 12);
});
