// Rules E51 to E56: margin, liquidation, the end by ruin, funding, fees, and a position open at the end.
import { describe, expect, test } from "bun:test";
import { parseRun } from "../../src/services/research/backtest-inputs.ts";
import { type Bar, barAt, flat, flats, play, type Scene } from "../support/scenario.ts";

const ALL_IN = { initial_entry_fixed_usd: 1000 };
/** A short of 10 at 100 with 1000: liquidation at (1000 + 1000) / (10 * 1.005) = 199.00497... */
const SHORT = { short: true, general: ALL_IN } satisfies Partial<Scene>;

describe("the margin check", () => {
  const entry = (run: object, general: object = {}, bars: Bar[] = flats(3, 100)) =>
    play({
      bars,
      signals: "always",
      general: { ...ALL_IN, entry_order_style: "market", ...general },
      run: { ...run },
    });

  test("E51 an entry needs its margin after its own fee; it is dropped and the next is free", () => {
    // 1000 against 1000 - 0.5; decided at three closes, filled at none of the opens.
    const { fills, result, decisions } = entry({ taker_fee: 0.0005 });
    expect(fills).toEqual([]);
    expect(result.rejections.entry_margin).toBe(3);
    expect(decisions).toEqual(["entry_long", "entry_long", "entry_long", "no_new_entries"]);
  });

  test("E51 without a fee, or with leverage, the same entry fits", () => {
    expect(entry({}).fills).toHaveLength(1);
    expect(entry({ taker_fee: 0.0005, leverage: 2 }).fills).toHaveLength(1);
  });

  test("E51 the fill price counts, not the price of the decision", () => {
    const dearer = entry({}, {}, flats(1, 100.01));
    expect([dearer.fills, dearer.result.rejections.entry_margin]).toEqual([[], 1]);
    expect(entry({ slippage_bps: 1 }).fills).toEqual([]);
  });

  test("E51 a rung needs (size * average + qty * price) / leverage of the equity at its price", () => {
    // 5 at 100 and 5 at 99: 995 of margin against 1000 - 5 of equity: fits exactly; a fee does not.
    const rung = (run: object) =>
      play({
        bars: [flat(100), [100, 100, 98, 98]],
        general: { initial_entry_fixed_usd: 500, max_entries: 2 },
        run: { ...run },
      });
    expect(rung({}).fills).toHaveLength(2);
    const refused = rung({ maker_fee: 0.00001 });
    expect(refused.fills).toHaveLength(1);
    expect(refused.result.rejections.rung_margin).toBe(1);
  });

  test("E51 resting orders reserve nothing", () => {
    // The resting rung would not fit, and the position stands all the same.
    const { fills, resting } = play({
      bars: flats(2, 100),
      general: { ...ALL_IN, max_entries: 2 },
    });
    expect(fills).toHaveLength(1);
    expect(resting["rung"]).toBe(99);
  });
});

describe("liquidation", () => {
  test("E52 happens at P = (average * Q - s * balance) / (Q * (1 - s * rate)), rounded adversely", () => {
    const { fills } = play({ ...SHORT, bars: [flat(100), [100, 200, 100, 200]] });
    expect(fills[1]).toBe("bar 1 2nd: buy 10 at 199.01 taker LIQUIDATION");
    expect(play({ ...SHORT, bars: [flat(100), [100, 199, 100, 199]] }).fills).toHaveLength(1);
  });

  test("E52 of a long lies below: funding leaves 500, so (1000 - 500) / (10 * 0.995) = 50.2513", () => {
    const story = (low: number): Scene => ({
      bars: [flat(100), [100, 100, low, low]],
      general: ALL_IN,
      funding: [[5, 0.5]],
    });
    expect(play(story(50)).fills[1]).toBe("bar 1 2nd: sell 10 at 50.25 taker LIQUIDATION");
    expect(play(story(50.26)).fills).toHaveLength(1);
  });

  test("E52 is executed like a stop: slippage, taker fee, at the open when beyond", () => {
    const run = { slippage_bps: 100, taker_fee: 0.001 };
    const { result } = play({ ...SHORT, bars: [flat(100), [100, 200, 100, 200]], run });
    // 199.00497... * 1.01 = 200.99502..., up; the entry was a limit without fee
    expect(result.fills[1]).toMatchObject({ price: 201, liquidity: "taker" });
    expect(result.fills[1]?.fee).toBeCloseTo(2.01, 9);
    const gap = play({ ...SHORT, bars: [flat(100), flat(220)] });
    expect(gap.fills[1]).toBe("bar 1 open: buy 10 at 220 taker LIQUIDATION");
  });

  test("E52 contract size enters the formula", () => {
    // 1 contract of 10: the same position, the same price.
    const { fills } = play({
      ...SHORT,
      bars: [flat(100), [100, 200, 100, 200]],
      instrument: { contract_size: 10 },
    });
    expect(fills[1]).toBe("bar 1 2nd: buy 1 at 199.01 taker LIQUIDATION");
  });

  test("E52 a price of 0 or below is none", () => {
    // 10 at 100 with 1000: (1000 - 1000) / ... = 0
    const { fills } = play({ bars: [flat(100), [100, 100, 0.01, 0.01]], general: ALL_IN });
    expect(fills).toHaveLength(1);
  });

  test("E52 maintenance rate times leverage must be below 1", () => {
    const parse = (leverage: number) =>
      parseRun({ timeframe_min: 5, from: 0, to: 1, leverage, maintenance_margin_rate: 0.01 });
    expect(parse(99).leverage).toBe(99);
    expect(() => parse(100)).toThrow("maintenance_margin_rate");
  });
});

describe("ruin", () => {
  const after = flats(5, 100);

  test("E53 a negative balance is written off to 0, outside of the cycle's net", () => {
    // Out at 220: 1000 - 1200 = -200.
    const { result, fills } = play({ ...SHORT, bars: [flat(100), flat(220), ...after] });
    expect(fills).toHaveLength(2);
    expect(result.ledger).toEqual({ realised: -1200, fees: 0, funding: 0, writeoff: 200 });
    expect(result.cycles[0]?.net).toBe(-1200);
    expect(result.equity_end).toBe(0);
    expect(result.metrics.liquidated).toBe(true);
  });

  test("E53 the rest of the window is not processed; that bar's sample is the last one", () => {
    const { result, decisions } = play({
      ...SHORT,
      bars: [flat(100), flat(220), ...after],
      signals: "always",
      general: { ...ALL_IN, entry_cooldown_min: 0 },
    });
    expect(result.candles).toEqual({ count: 3, from: barAt(-1), to: barAt(2) });
    expect(decisions.slice(0, 2)).toEqual(["entry_short", "in_position"]);
    expect(result.metrics).toMatchObject({ final_equity: 0, max_drawdown: 1 });
    expect(result.fills).toHaveLength(2);
  });

  test("E53 any exit that leaves nothing ends the run the same way", () => {
    // Stop at 198 (equity 20, maintenance 9.9); with 2 % of slippage it fills at 201.96: 1000 - 1019.6.
    const { result, fills } = play({
      ...SHORT,
      bars: [flat(100), [100, 198.5, 100, 150], ...after],
      exits: { sl_pct: 98 },
      run: { slippage_bps: 200 },
    });
    expect(fills[1]).toBe("bar 1 2nd: buy 10 at 201.96 taker SL_PCT");
    expect(result.ledger.writeoff).toBeCloseTo(19.6, 9);
    expect(result.metrics.liquidated).toBe(true);
    expect(result.candles.count).toBe(3);
  });

  test("E53 a liquidation that leaves a balance ends the run without a write-off", () => {
    const { result } = play({ ...SHORT, bars: [flat(100), [100, 200, 100, 200], ...after] });
    // 2000 - 1990.1
    expect(result.equity_end).toBeCloseTo(9.9, 9);
    expect(result.ledger.writeoff).toBe(0);
    expect(result.metrics.liquidated).toBe(true);
    expect(result.candles.count).toBe(3);
  });
});

describe("funding", () => {
  const funded = (funding: [number, number][], more: Partial<Scene> = {}) =>
    play({ bars: [flat(100), flat(102), flat(102)], funding, ...more }).result.ledger.funding;

  test("E54 is exchanged at the open of the bar it is stamped in: -s * size * open * rate", () => {
    expect(funded([[5, 0.01]])).toBeCloseTo(-1.02, 12);
    expect(funded([[5, 0.01]], { short: true })).toBeCloseTo(1.02, 12);
    expect(funded([[5, -0.01]])).toBeCloseTo(1.02, 12);
    // Anywhere in [12:05, 12:10) is bar 1.
    expect(funded([[9.99, 0.01]])).toBeCloseTo(-1.02, 12);
    expect(funded([[4.99, 0.01]])).toBe(0); // bar 0, at whose open nothing was held yet
  });

  test("E54 is before anything else, on the position held then", () => {
    // Bar 1 opens at the target: funding first, then the exit.
    const { result } = play({
      bars: [flat(100), flat(101)],
      exits: { tp_pct: 1 },
      funding: [[5, 0.01]],
    });
    expect(result.fills).toHaveLength(2);
    expect(result.cycles[0]).toMatchObject({ closed_at: barAt(1) });
    expect(result.cycles[0]?.funding).toBeCloseTo(-1.01, 12);
    expect(result.cycles[0]?.net).toBeCloseTo(1 - 1.01, 12);
    // A rung filled by the same open pays nothing yet: 1 at 98, not 2.
    const rung = play({
      bars: [flat(100), flat(98)],
      general: { max_entries: 2 },
      funding: [[5, 0.01]],
    });
    expect(rung.result.ledger.funding).toBeCloseTo(-0.98, 12);
  });

  test("E54 several stamps in one bar all count, those in missing bars none", () => {
    const stamps: [number, number][] = [
      [5, 0.01],
      [6, 0.02],
    ];
    expect(funded(stamps)).toBeCloseTo(-3.06, 12);
    expect(funded(stamps, { bars: [flat(100), null, flat(102)] })).toBe(0);
  });
});

test("E55 a fee is price * qty * rate at the fill, maker or taker, debited at once", () => {
  const { result } = play({
    bars: [flat(100), [100, 100, 95, 96]],
    exits: { sl_pct: 5 },
    run: { maker_fee: 0.001, taker_fee: 0.002 },
  });
  expect(result.fills.map((fill) => fill.fee)).toEqual([0.1, 0.19]);
  expect(result.ledger.fees).toBeCloseTo(-0.29, 12);
  expect(result.equity_end).toBeCloseTo(1000 - 5 - 0.29, 9);
  expect(result.metrics.fees_maker).toBeCloseTo(0.1, 12);
  expect(result.metrics.fees_taker).toBeCloseTo(0.19, 12);
});

test("E55 a negative rate credits", () => {
  const { result } = play({ bars: [flat(100)], run: { maker_fee: -0.001 } });
  expect(result.ledger.fees).toBeCloseTo(0.1, 12);
  expect(result.equity_end).toBeCloseTo(1000.1, 9);
});

describe("a position open at the end", () => {
  const { result, fills } = play({
    bars: [flat(100), [100, 103, 99.5, 102]],
    run: { maker_fee: 0.001 },
    funding: [[5, 0.002]],
  });

  test("E56 has no fill and no fee, and is valued at the last close", () => {
    expect(fills).toHaveLength(1);
    expect(result.ledger.fees).toBeCloseTo(-0.1, 12);
    expect(result.equity_end).toBeCloseTo(1000 - 0.1 - 0.2 + 2, 9);
  });

  test("E56 is listed as END_OF_DATA with its unrealised profit less fees plus funding", () => {
    const [cycle] = result.cycles;
    expect(cycle).toMatchObject({ closed_at: null, exit_price: null, exit_reason: "END_OF_DATA" });
    expect(cycle?.net).toBeCloseTo(2 - 0.1 - 0.2, 9);
    expect(result.metrics).toMatchObject({ open_cycles: 1, cycles: 0, win_rate: null });
  });

  test("E56 equity_end = initial + realised - fees + funding + writeoff + unrealised", () => {
    const { realised, fees, funding, writeoff } = result.ledger;
    expect(1000 + realised + fees + funding + writeoff + 2).toBeCloseTo(result.equity_end, 9);
    expect(realised).toBe(0);
    expect(funding).toBeCloseTo(-0.2, 12);
  });
});
