// Rules E14 to E17: the order of the checks while flat, cooldown, size, and market entries.
import { describe, expect, test } from "bun:test";
import { parseInstrument } from "../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { ruleContext } from "../../src/strategy/dca-atr/context.ts";
import { decideEntry } from "../../src/strategy/dca-atr/entry.ts";
import { DECISIONS, initialDcaAtrState } from "../../src/strategy/dca-atr/state.ts";
import type { CandleClosed } from "../../src/strategy/strategy.ts";
import { type Bar, flat, flats, play, type Scene } from "../support/scenario.ts";

const first = (scene: Scene) => play(scene).decisions[0];

/** Settings under which every check refuses; those of one group of checks are relaxed by each test. */
const REFUSES_ALL = {
  bars: flats(1, 100),
  trend: { enabled: true, ma_len: 1 }, // the close of its own bar: never strictly above
  bbands: { length: 2, dev_down: 3 }, // two closes never reach three deviations
  general: { use_ma_direction: true, ma_length: 1 },
  instrument: { min_qty: 5 },
} satisfies Scene;

describe("the order of the checks", () => {
  test("E14 indicators must be defined before the trend is asked", () => {
    expect(first({ ...REFUSES_ALL, history: [] })).toBe("not_ready");
    expect(first(REFUSES_ALL)).toBe("trend");
  });

  test("E14 all four indicators must be defined, whichever of them decides", () => {
    const long = { bars: flats(1, 100), signals: "always" } as const;
    expect(first(long)).toBe("entry_long");
    expect(first({ ...long, trend: { enabled: true, ma_len: 9 } })).toBe("not_ready");
    expect(first({ ...long, bbands: { length: 9 } })).toBe("not_ready");
    expect(first({ ...long, macd: { signal: 9 } })).toBe("not_ready");
    expect(first({ ...long, rsi: { length: 9 } })).toBe("not_ready");
  });

  test("E14 then trend, signal, gate and size, in this order", () => {
    const trend = {};
    expect(first({ ...REFUSES_ALL, trend })).toBe("no_signal");
    expect(first({ ...REFUSES_ALL, trend, bbands: {} })).toBe("ma_gate");
    const passes = { ...REFUSES_ALL, trend, bbands: {}, general: {} };
    expect(first(passes)).toBe("below_min");
    expect(first({ ...passes, instrument: {} })).toBe("entry_long");
  });

  test("E14 cooldown and balance come before everything the indicators say", () => {
    const config = parseConfig({ general: { entry_cooldown_min: 10 } });
    const context = ruleContext(config, parseInstrument({ price_tick: 0.01, qty_step: 0.001 }));
    const event: CandleClosed = {
      kind: "candle_closed",
      at: 600_000,
      openAt: 300_000,
      close: 100,
      reachedHigh: 100,
      reachedLow: 100,
      signals: 0,
      atr: -1,
      mayEnter: true,
    };
    const decide = (lastEntryExitAt: number, balance: number) => {
      const state = { ...initialDcaAtrState(), lastEntryExitAt };
      expect(decideEntry(context, state, event, balance)).toBeNull();
      return DECISIONS[state.decision];
    };
    expect(decide(1, 0)).toBe("cooldown");
    expect(decide(0, 0)).toBe("no_balance");
    expect(decide(0, -5)).toBe("no_balance");
    expect(decide(0, 5)).toBe("not_ready");
  });

  test("E14 ATR need not be defined", () => {
    const exits = { atr_period: 50, tp_mode: "ATR", tp_atr_mult: 1 };
    expect(first({ bars: flats(1, 100), exits })).toBe("entry_long");
  });

  test("E14 an undefined gate refuses", () => {
    const general = { use_ma_direction: true, ma_length: 50 };
    expect(first({ bars: flats(1, 100), general })).toBe("ma_gate");
  });

  test("E14 a direction that is not allowed is never entered", () => {
    // The close falls, which is a vote for the long only.
    const story: Scene = { bars: flats(1, 100), general: { allow_long: false, allow_short: true } };
    expect(first(story)).toBe("no_signal");
    expect(first({ ...story, general: { allow_short: true } })).toBe("entry_long");
  });

  test("E14 with both directions allowed the strict trend filter leaves one candidate", () => {
    const story = (close: number): Scene => ({
      history: [flat(100), flat(100)],
      signal: null,
      bars: [[100, Math.max(100, close), Math.min(100, close), close], flat(close)],
      signals: "always", // both votes at every close
      general: { allow_short: true },
      trend: { enabled: true, ma_interval_min: 10, ma_len: 1 },
    });
    expect(first(story(101))).toBe("entry_long");
    expect(first(story(99))).toBe("entry_short");
    expect(first(story(100))).toBe("trend"); // equal: neither
  });
});

describe("cooldown", () => {
  /** Entry at the open of bar 0 at 12:00; take-profit at 101. */
  const story = (bars: Bar[], minutes: number): Scene => ({
    bars,
    signals: "always",
    general: { entry_order_style: "market", entry_cooldown_min: minutes },
    exits: { tp_pct: 1 },
  });

  test("E15 counts from the last exit to the close, reached exactly it is over", () => {
    // Exit at the open of bar 1, 12:05; the close of bar 2 is 12:15.
    const bars = [flat(100), ...flats(4, 101)];
    expect(play(story(bars, 10)).decisions.slice(1)).toEqual([
      "in_position",
      "cooldown",
      "entry_long",
      "in_position",
      "in_position",
    ]);
    expect(play(story(bars, 10.1)).decisions.slice(2, 5)).toEqual([
      "cooldown",
      "cooldown",
      "entry_long",
    ]);
  });

  test("E15 an exit inside a bar counts from its fill time", () => {
    // Low first (0.5 away), then the target on the second segment: 12:02:30. Closes 2.5, 7.5, 12.5 min later.
    const bars: Bar[] = [[100, 101.5, 99.5, 101], ...flats(3, 101)];
    expect(play(story(bars, 7.5)).decisions.slice(1, 3)).toEqual(["cooldown", "entry_long"]);
    expect(play(story(bars, 7.6)).decisions.slice(1, 4)).toEqual([
      "cooldown",
      "cooldown",
      "entry_long",
    ]);
  });

  test("E15 concerns first entries only: a rung fills at once", () => {
    const { fills } = play({
      bars: [[100, 100, 99, 99]],
      general: { max_entries: 2, entry_cooldown_min: 60 },
    });
    expect(fills.at(-1)).toBe("bar 0 2nd: buy 1 at 99 maker DCA_1");
  });
});

describe("size", () => {
  const sized = (general: object, more: Partial<Scene> = {}) =>
    play({ bars: flats(1, 100), general: { ...general }, ...more });
  const quantity = (played: ReturnType<typeof play>) => played.result.fills[0]?.qty;

  test("E16 pct mode takes a share of the balance, fixed mode at most the balance", () => {
    const pct = { initial_entry_sizing_mode: "pct_balance", initial_entry_balance_pct: 25 };
    expect(quantity(sized(pct))).toBe(2.5);
    expect(quantity(sized({ initial_entry_fixed_usd: 333.33 }))).toBe(3.333);
    expect(quantity(sized({ initial_entry_fixed_usd: 5000 }))).toBe(10);
  });

  test("E16 is fixed at the decision, by the close, not by the price it fills at", () => {
    const general = { entry_order_style: "market" };
    expect(quantity(sized(general, { bars: flats(1, 80) }))).toBe(1);
  });

  test("E16 the realised balance counts, so profits compound", () => {
    // All of 1000 at 100; +1 % at 101; then all of 1010 at 101.
    const { fills } = play({
      bars: [flat(100), ...flats(3, 101)],
      signals: "always",
      general: {
        initial_entry_sizing_mode: "pct_balance",
        initial_entry_balance_pct: 100,
        entry_cooldown_min: 0,
      },
      exits: { tp_pct: 1 },
    });
    expect(fills.slice(0, 3)).toEqual([
      "bar 0 open: buy 10 at 100 maker ENTRY",
      "bar 1 open: sell 10 at 101 maker TP_PCT",
      "bar 2 open: buy 10 at 101 maker ENTRY",
    ]);
  });

  test("E16 fees and funding have left the balance too", () => {
    const { fills } = play({
      bars: [flat(100), [100, 100, 99, 99], flat(99), flat(99)],
      signals: "always",
      general: { initial_entry_fixed_usd: 1e6, entry_cooldown_min: 0, entry_order_style: "market" },
      exits: { sl_pct: 1 },
      run: { leverage: 2, taker_fee: 0.001 },
      funding: [[5, 0.009]],
    });
    // 1000 - 1 - 9 - 10 (loss) - 0.99 (fee) = 979.01; / 99 = 9.888989
    expect(fills.slice(1)).toEqual([
      "bar 1 2nd: sell 10 at 99 taker SL_PCT",
      "bar 2 open: buy 9.888 at 99 taker ENTRY",
    ]);
  });

  test("E16 leverage never enters", () => {
    expect(quantity(sized({}, { run: { leverage: 20 } }))).toBe(1);
  });

  test("E16 there is no order of quantity 0, below min_qty or below min_notional", () => {
    const below = (instrument: object) => {
      const { fills, result } = sized({}, { instrument: { ...instrument } });
      return [fills.length, result.rejections.entry_below_min];
    };
    expect(below({ qty_step: 2 })).toEqual([0, 1]);
    expect(below({ min_qty: 1.001 })).toEqual([0, 1]);
    expect(below({ min_notional: 100.01 })).toEqual([0, 1]);
    expect(below({ min_qty: 1, min_notional: 100 })).toEqual([1, 0]);
  });

  test("E16 exits are never blocked by minimums", () => {
    const { fills } = play({
      bars: [flat(100), [100, 100, 90, 90]],
      exits: { sl_pct: 5 },
      instrument: { min_notional: 99 },
    });
    expect(fills.at(-1)).toBe("bar 1 2nd: sell 1 at 95 taker SL_PCT");
  });
});

describe("market entries", () => {
  const market = (run: object, bars: Bar[] = [flat(100.5)]) =>
    play({ bars, general: { entry_order_style: "market" }, run: { ...run } });

  test("E17 next_open fills at the next bar's open with slippage, as taker", () => {
    // 100.5 * 1.001 = 100.6005, up
    expect(market({ slippage_bps: 10 }).fills).toEqual(["bar 0 open: buy 1 at 100.61 taker ENTRY"]);
  });

  test("E17 close fills at the close of the deciding bar with slippage, as taker", () => {
    const { fills, result } = market({ slippage_bps: 10, entry_fill: "close" });
    expect(fills).toEqual(["bar -1 close: buy 1 at 100.1 taker ENTRY"]);
    expect(result.fills[0]).toMatchObject({ t: Date.UTC(2024, 0, 10, 12) });
  });

  test("E17 entry_fill has no influence on any other order", () => {
    const story = (entry_fill: string): Scene => ({
      bars: [flat(100), [100, 100, 98, 98], [98, 101, 98, 101]],
      general: { max_entries: 2, entry_order_style: "limit" },
      exits: { tp_pct: 1 },
      run: { entry_fill },
    });
    expect(play(story("close")).fills).toEqual(play(story("next_open")).fills);
    expect(play(story("close")).fills).toEqual([
      "bar 0 open: buy 1 at 100 maker ENTRY",
      "bar 1 2nd: buy 1 at 99 maker DCA_1",
      "bar 2 2nd: sell 2 at 100.5 maker TP_PCT", // 99.5 * 1.01 = 100.495, up
    ]);
  });

  test("E17 an entry band makes a market entry rest, also with entry_fill close", () => {
    const { fills } = play({
      bars: [flat(100)],
      general: { entry_order_style: "market", dynamic_activation: { entry_pct: 1 } },
      run: { entry_fill: "close" },
    });
    expect(fills).toEqual(["bar 0 open: buy 1 at 100 maker ENTRY"]);
  });
});
