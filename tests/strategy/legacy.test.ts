// Import of configurations with old field names: every name arrives where it belongs, today's name wins, and
// nothing else is let through.
import { describe, expect, test } from "bun:test";
import { InputError } from "../../src/model/result.ts";
import { type DcaAtrConfig, parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { importLegacyConfig } from "../../src/strategy/dca-atr/legacy.ts";

/** Old name, today's group and field, and a value that is not the default. */
const OLD: readonly (readonly [string, keyof DcaAtrConfig, string, unknown])[] = [
  ["exits.fixed_sl_pct", "exits", "sl_pct", 3.5],
  ["exits.fixed_tp_pct", "exits", "tp_pct", 2.5],
  ["exits.trail_stop_pct", "exits", "trail_distance_pct", 0],
  ["exits.tp_atr_multiple", "exits", "tp_atr_mult", 7],
  ["exits.tp_atr_period", "exits", "atr_period", 21],
  ["trend.ma_length", "trend", "ma_len", 90],
  ["bb_interval_min", "bbands", "interval_min", 30],
  ["bb_length", "bbands", "length", 12],
  ["bb_dev_up", "bbands", "dev_up", 1.5],
  ["bb_dev_down", "bbands", "dev_down", 2.5],
  ["bb_ma_type", "bbands", "ma_type", "Ema"],
  ["bb_deviation", "bbands", "deviation", 0],
  ["bb_require_fcc", "bbands", "require_fcc", true],
  ["bb_reset_middle", "bbands", "reset_middle", true],
  ["bb_allow_mid_sells", "bbands", "allow_mid_sells", true],
  ["bbands_deviation", "bbands", "deviation", 0.7],
  ["macd_interval_min", "macd", "interval_min", 60],
  ["macd_fast", "macd", "fast", 5],
  ["macd_slow", "macd", "slow", 35],
  ["macd_signal", "macd", "signal", 9],
  ["rsi_interval_min", "rsi", "interval_min", 240],
  ["rsi_length", "rsi", "length", 7],
  ["rsi_buy_level", "rsi", "buy_level", 20],
  ["rsi_sell_level", "rsi", "sell_level", 80],
];

function document(name: string, value: unknown): Record<string, unknown> {
  const [first = "", second] = name.split(".");
  return second === undefined ? { [first]: value } : { [first]: { [second]: value } };
}

describe("an old name", () => {
  for (const [name, group, field, value] of OLD) {
    test(`${name} becomes ${group}.${field}`, () => {
      const wanted = parseConfig({ [group]: { [field]: value } });
      expect(importLegacyConfig(document(name, value))).toEqual(wanted);
      expect(wanted).not.toEqual(parseConfig({}));
    });

    test(`${name} gives way to ${group}.${field} where both are present`, () => {
      const both = { ...document(name, value) };
      both[group] = { ...(both[group] as object | undefined), [field]: wantedOf(group, field) };
      expect(importLegacyConfig(both)).toEqual(parseConfig({}));
    });

    test(`${name} is refused outside of an import`, () => {
      expect(() => parseConfig(document(name, value))).toThrow(InputError);
    });
  }

  test("use_atr_tp becomes tp_mode, which wins where it is present", () => {
    const mode = (exits: object) => importLegacyConfig({ exits }).exits.tp_mode;
    expect(mode({ use_atr_tp: true })).toBe("ATR");
    expect(mode({ use_atr_tp: false })).toBe("PCT");
    expect(mode({ use_atr_tp: false, tp_mode: "ATR" })).toBe("ATR");
    expect(mode({})).toBe("ATR");
  });

  test("of a length does not touch the gate, which is still called general.ma_length", () => {
    const config = importLegacyConfig({ general: { ma_length: 50 }, trend: { ma_length: 60 } });
    expect([config.general.ma_length, config.trend.ma_len]).toEqual([50, 60]);
  });

  test("without a group may also stand inside a group", () => {
    expect(importLegacyConfig({ bbands: { bb_length: 9 } }).bbands.length).toBe(9);
  });
});

function wantedOf(group: keyof DcaAtrConfig, field: string): unknown {
  return (parseConfig({})[group] as Record<string, unknown>)[field];
}

describe("an import", () => {
  test("of a present document is that document", () => {
    const raw = { general: { max_entries: 3 }, _risk: { kill_switch: true } };
    expect(importLegacyConfig(raw)).toEqual(parseConfig(raw));
  });

  test("leaves the document it was given as it was", () => {
    const raw = { exits: { fixed_sl_pct: 3 }, bb_length: 9 };
    const copy = structuredClone(raw);
    importLegacyConfig(raw);
    expect(raw).toEqual(copy);
  });

  test("checks values, ranges and unknown keys as everything else does", () => {
    expect(() => importLegacyConfig({ exits: { fixed_sl_pct: -3 } })).toThrow("exits.sl_pct is -3");
    expect(() => importLegacyConfig({ exits: { surprise: 1 } })).toThrow(
      "unknown key exits.surprise",
    );
    expect(() => importLegacyConfig({ macd_fast: 30 })).toThrow("macd.fast is 30");
    expect(() => importLegacyConfig([])).toThrow("config: must be a JSON object");
  });
});
