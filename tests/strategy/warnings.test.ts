// Settings that are allowed but can hardly ever trade (rule E67): which sentence is said when, that the settings are
// accepted all the same, and that nothing is said of the usual ones.
import { describe, expect, test } from "bun:test";
import { type DcaAtrConfig, parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { configWarnings } from "../../src/strategy/dca-atr/warnings.ts";

type Changes = { [group in keyof DcaAtrConfig]?: object };

/** The sentences said of a document, which has to be accepted to be warned of. */
const said = (changes: Changes) => configWarnings(parseConfig(changes), null);

describe("settings that can hardly trade", () => {
  test("E67 nothing is said of the defaults", () => {
    expect(said({})).toEqual([]);
  });

  test("E67 simple trend and band windows of equal span are warned of, not refused", () => {
    const bbands = { interval_min: 60, length: 20 };
    const warned = said({ bbands, trend: { ma_interval_min: 120, ma_len: 10 } });
    expect(warned).toHaveLength(1);
    expect(warned[0]).toContain("exclude each other");
  });

  test("E67 not of other spans, other averages, or a trend that is off", () => {
    const bbands = { interval_min: 60, length: 20 };
    const trend = { ma_interval_min: 120, ma_len: 10 };
    expect(said({ bbands, trend: { ...trend, ma_len: 11 } })).toEqual([]);
    expect(said({ bbands, trend: { ...trend, ma_type: "Ema" } })).toEqual([]);
    expect(said({ bbands: { ...bbands, ma_type: "Ema" }, trend })).toEqual([]);
    expect(said({ bbands, trend: { ...trend, enabled: false } })).toEqual([]);
  });

  test("E67 a size of 0 is warned of in the mode that reads it", () => {
    const pct = { initial_entry_balance_pct: 0 };
    const usd = { initial_entry_fixed_usd: 0 };
    const fixed = { initial_entry_sizing_mode: "fixed_usd" };
    expect(said({ general: pct })[0]).toContain("general.initial_entry_balance_pct is 0");
    expect(said({ general: usd })).toEqual([]);
    expect(said({ general: { ...usd, ...fixed } })[0]).toContain("initial_entry_fixed_usd is 0");
  });

  test("E67 a position without stop, and one that nothing ever closes", () => {
    const open = { sl_pct: 0, trail_distance_pct: 0 };
    expect(said({ exits: open })).toHaveLength(1);
    expect(said({ exits: { ...open, tp_atr_mult: 0 } })).toHaveLength(2);
    const signalled = { ...open, tp_atr_mult: 0, on_opposite_signal: "close" };
    expect(said({ exits: signalled })).toHaveLength(1);
    // Each mode reads its own fields.
    expect(said({ exits: { ...open, sl_mode: "ATR" } })).toEqual([]);
    const atr = { sl_mode: "ATR", sl_atr_mult: 0, trail_distance_atr_mult: 0 };
    expect(said({ exits: atr })).toHaveLength(1);
  });

  test("E67 a warm-up longer than the history at hand is warned of in days", () => {
    const config = parseConfig({});
    const short = configWarnings(config, { wantedMin: 172_805, presentMin: 14_400 });
    expect(short).toHaveLength(1);
    expect(short[0]).toContain("120.0 days");
    expect(short[0]).toContain("10.0 days");
    expect(configWarnings(config, { wantedMin: 14_400, presentMin: 14_400 })).toEqual([]);
  });
});
