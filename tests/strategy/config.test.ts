// The configuration document: defaults, ranges at both borders, enums, cross checks, unknown keys, and sentences
// that name field, value and range.
import { describe, expect, test } from "bun:test";
import { InputError } from "../../src/model/result.ts";
import { checkIntervals, dcaAtrSchema, parseConfig } from "../../src/strategy/dca-atr/config.ts";

/** The defaults of the rules, with the two switches that product.md added. */
const DEFAULTS = {
  general: {
    max_entries: 5,
    initial_entry_sizing_mode: "pct_balance",
    initial_entry_balance_pct: 10,
    initial_entry_fixed_usd: 100,
    use_indicator_consensus: true,
    entry_order_style: "maker_or_cancel",
    exit_order_style: "maker_or_cancel",
    entry_timeout_min: 10,
    exit_timeout_min: 10,
    entry_cooldown_min: 10,
    dca_cooldown_min: 0,
    allow_long: true,
    allow_short: false,
    lock_atr_on_entry_for_dca: false,
    use_avg_entry_for_dca_base: true,
    plot_dca_levels: false,
    dynamic_activation: { entry_pct: 0, dca_pct: 0, tp_pct: 0 },
    prefer_bbo_maker: true,
    bbo_queue_level: 1,
    use_ma_direction: false,
    ma_type: "Ema",
    ma_length: 200,
    ma_source: "close",
    ma_interval_min: 0,
  },
  exits: {
    sl_mode: "PCT",
    sl_pct: 5,
    trail_activation_pct: 5,
    trail_distance_pct: 7,
    atr_period: 14,
    sl_atr_mult: 3,
    sl_atr_lock: false,
    trail_activation_atr_mult: 1,
    trail_distance_atr_mult: 2,
    tp_mode: "ATR",
    tp_pct: 1,
    tp_atr_mult: 10,
    tp_replace_threshold_pct: 0.05,
    on_opposite_signal: "ignore",
  },
  dca: {
    deviation_mode: "PCT",
    base_deviation_pct: 1,
    base_deviation_atr_mult: 1,
    deviation_multiplier: 2,
    volume_multiplier: 2,
  },
  trend: { enabled: true, ma_interval_min: 120, ma_len: 200, ma_type: "Sma" },
  bbands: {
    interval_min: 60,
    length: 20,
    dev_up: 2,
    dev_down: 2,
    ma_type: "Sma",
    deviation: 0.2,
    require_fcc: false,
    reset_middle: false,
    allow_mid_sells: false,
  },
  macd: { interval_min: 360, fast: 12, slow: 26, signal: 7 },
  rsi: { interval_min: 1440, length: 14, buy_level: 30, sell_level: 70 },
};

type Leaf = readonly [path: string, value: unknown];

function leavesOf(value: object, path: string): Leaf[] {
  return Object.entries(value).flatMap(([key, inner]): Leaf[] => {
    const at = path === "" ? key : `${path}.${key}`;
    return typeof inner === "object" ? leavesOf(inner as object, at) : [[at, inner]];
  });
}

const LEAVES = leavesOf(DEFAULTS, "");
/** The queue level has a test of its own. */
const NUMBERS = LEAVES.filter(([, value]) => typeof value === "number")
  .map(([path]) => path)
  .filter((path) => path !== "general.bbo_queue_level");

/** A document with one leaf. */
function only(path: string, value: unknown): Record<string, unknown> {
  return path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<
    string,
    unknown
  >;
}

function leafOf(config: object, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], config);
}

/** Smallest and largest value of a numeric leaf. */
function rangeOf(path: string): [number, number] {
  const name = path.split(".").at(-1) ?? "";
  if (name === "max_entries") return [1, 50];
  if (path.includes("dynamic_activation")) return [0, 5];
  if (/^(initial_entry_balance_pct|buy_level|sell_level)$/.test(name)) return [0, 100];
  const lowest: Record<string, number> = {
    base_deviation_pct: 0.1,
    base_deviation_atr_mult: 0.05,
    deviation_multiplier: 1,
    volume_multiplier: 1,
    dev_up: 0.1,
    dev_down: 0.1,
    ma_length: 1,
    atr_period: 1,
    ma_len: 1,
    length: 1,
    fast: 1,
    slow: 1,
    signal: 1,
  };
  // An interval is at least the base timeframe, which is at least a minute; 0 is the gate's "base".
  const isInterval = name.endsWith("interval_min") && path !== "general.ma_interval_min";
  return [isInterval ? 1 : (lowest[name] ?? 0), Number.POSITIVE_INFINITY];
}

const accepts = (path: string, value: unknown) => dcaAtrSchema.safeParse(only(path, value)).success;

describe("defaults", () => {
  test("an empty document has the default of the rules in every leaf", () => {
    expect(parseConfig({})).toEqual(DEFAULTS as never);
  });

  test("a group that is there with one key keeps the defaults of the others", () => {
    const config = parseConfig({ general: { max_entries: 9 }, macd: { fast: 3 } });
    expect(config.general).toEqual({ ...DEFAULTS.general, max_entries: 9 } as never);
    expect(config.macd).toEqual({ ...DEFAULTS.macd, fast: 3 });
    const banded = parseConfig({ general: { dynamic_activation: { tp_pct: 1 } } });
    expect(banded.general.dynamic_activation).toEqual({ entry_pct: 0, dca_pct: 0, tp_pct: 1 });
  });

  test("reading its own output changes nothing", () => {
    expect(parseConfig(parseConfig({}))).toEqual(parseConfig({}));
  });
});

describe("ranges", () => {
  for (const path of NUMBERS) {
    const [least, most] = rangeOf(path);
    test(`${path} goes from ${least}${Number.isFinite(most) ? ` to ${most}` : " up"}`, () => {
      expect(accepts(path, least)).toBe(true);
      expect(accepts(path, least - 1)).toBe(false);
      if (least % 1 !== 0) expect(accepts(path, least - 0.001)).toBe(false);
      expect(accepts(path, Number.isFinite(most) ? most : 10_080)).toBe(true);
      if (Number.isFinite(most)) expect(accepts(path, most + 1)).toBe(false);
    });
  }

  for (const path of NUMBERS.filter((one) => rangeOf(one)[0] === 0 && one !== "rsi.sell_level")) {
    test(`${path} 0 is a value, not a missing one`, () => {
      expect(leafOf(parseConfig(only(path, 0)), path)).toBe(0);
    });
  }

  test("general.bbo_queue_level goes from 0 up, as all fields without a range of their own", () => {
    expect([0, 1, 5, 6].map((level) => accepts("general.bbo_queue_level", level))).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });

  test("rsi.sell_level 0 is a value: it is refused by the cross check, not replaced", () => {
    expect(() => parseConfig(only("rsi.sell_level", 0))).toThrow("below rsi.sell_level (0)");
  });

  test("counts and lengths are whole numbers, amounts need not be", () => {
    const counts = ["general.max_entries", "exits.atr_period", "bbands.length", "macd.signal"];
    for (const path of counts) expect(accepts(path, 2.5)).toBe(false);
    const amounts = ["general.entry_timeout_min", "exits.sl_pct", "dca.volume_multiplier"];
    for (const path of amounts) expect(accepts(path, 2.5)).toBe(true);
  });

  for (const [path, value] of LEAVES) {
    test(`${path} refuses values of another type`, () => {
      const wrong = typeof value === "string" ? 1 : typeof value === "number" ? "1" : "true";
      expect(accepts(path, wrong)).toBe(false);
      expect(accepts(path, null)).toBe(false);
    });
  }
});

describe("enums", () => {
  const styles = ["market", "limit", "maker_or_cancel"];
  const averages = ["Sma", "Ema"];
  const modes = ["PCT", "ATR"];
  const allowed: Record<string, readonly string[]> = {
    "general.initial_entry_sizing_mode": ["pct_balance", "fixed_usd"],
    "general.entry_order_style": styles,
    "general.exit_order_style": styles,
    "general.ma_type": averages,
    "general.ma_source": ["open", "high", "low", "close", "hl2", "hlc3", "ohlc4"],
    "exits.sl_mode": modes,
    "exits.tp_mode": modes,
    "exits.on_opposite_signal": ["ignore", "close"],
    "dca.deviation_mode": modes,
    "trend.ma_type": averages,
    "bbands.ma_type": averages,
  };

  test("are all the text leaves there are", () => {
    const texts = LEAVES.filter(([, value]) => typeof value === "string").map(([path]) => path);
    expect(texts.sort()).toEqual(Object.keys(allowed).sort());
  });

  for (const [path, words] of Object.entries(allowed)) {
    test(`${path} is one of ${words.join(", ")}`, () => {
      for (const word of words) expect(leafOf(parseConfig(only(path, word)), path)).toBe(word);
      expect(() => parseConfig(only(path, "other"))).toThrow(
        `config: ${path} is "other"; it must be one of ${words.join(", ")}`,
      );
      expect(accepts(path, `${words[0]} `)).toBe(false);
    });
  }
});

describe("unknown keys", () => {
  const refusal = (raw: unknown) => () => parseConfig(raw);

  test("are refused at the top, in a group and in a nested group, by name", () => {
    expect(refusal({ surprise: 1 })).toThrow("config: unknown key surprise");
    expect(refusal({ general: { surprise: 1 } })).toThrow("config: unknown key general.surprise");
    expect(refusal({ general: { dynamic_activation: { surprise: 1 } } })).toThrow(
      "config: unknown key general.dynamic_activation.surprise",
    );
    for (const group of Object.keys(DEFAULTS)) {
      expect(refusal({ [group]: { surprise: 1 } })).toThrow(`unknown key ${group}.surprise`);
    }
    expect(refusal({ a_: 1, b: 2 })).toThrow("config: unknown key a_, b");
  });

  test("in groups starting with _ are ignored, and such groups are not carried into the result", () => {
    const raw = { _risk: { kill_switch: true }, _anything: 5, macd: { fast: 3 } };
    expect(parseConfig(raw)).toEqual(parseConfig({ macd: { fast: 3 } }));
  });

  test("starting with _ inside a group are refused: only groups are left aside", () => {
    expect(refusal({ general: { _note: 1 } })).toThrow("unknown key general._note");
  });

  test("that are old names are refused with the present name", () => {
    expect(refusal({ exits: { fixed_sl_pct: 3 } })).toThrow("exits.sl_pct");
    expect(refusal({ bb_length: 3 })).toThrow("bbands.length");
  });
});

describe("sentences", () => {
  test("name the field, the value and the allowed range", () => {
    const sentence = (path: string, value: unknown) => {
      try {
        parseConfig(only(path, value));
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        return (error as Error).message;
      }
      return "accepted";
    };
    expect(sentence("general.max_entries", 51)).toBe(
      "config: general.max_entries is 51; it must be a whole number from 1 to 50",
    );
    expect(sentence("exits.sl_pct", -1)).toBe(
      "config: exits.sl_pct is -1; it must be a number of at least 0",
    );
    expect(sentence("dca.base_deviation_pct", 0)).toBe(
      "config: dca.base_deviation_pct is 0; it must be a number of at least 0.1",
    );
    expect(sentence("general.allow_long", "yes")).toBe(
      'config: general.allow_long is "yes"; it must be true or false',
    );
    expect(sentence("macd", 5)).toBe("config: macd is 5; it must be an object");
    for (const path of NUMBERS) {
      const text = sentence(path, -7);
      expect(text).toContain(`config: ${path} is -7; it must be a`);
      const [least] = rangeOf(path);
      expect(text).toContain(String(least));
    }
  });

  test("say so when the document is no object", () => {
    for (const raw of [null, [], "text", 5, undefined]) {
      expect(() => parseConfig(raw)).toThrow("config: must be a JSON object");
    }
  });
});

describe("cross checks", () => {
  test("one direction at least", () => {
    const general = { allow_long: false, allow_short: false };
    expect(() => parseConfig({ general })).toThrow("at least one must be true");
    expect(parseConfig({ general: { ...general, allow_short: true } }).general.allow_short).toBe(
      true,
    );
  });

  test("fast below slow", () => {
    expect(() => parseConfig({ macd: { fast: 26 } })).toThrow(
      "config: macd.fast is 26; it must be below macd.slow (26)",
    );
    expect(parseConfig({ macd: { fast: 25 } }).macd.fast).toBe(25);
  });

  test("buy level below sell level", () => {
    expect(() => parseConfig({ rsi: { buy_level: 70 } })).toThrow(
      "config: rsi.buy_level is 70; it must be below rsi.sell_level (70)",
    );
    expect(parseConfig({ rsi: { buy_level: 69.9 } }).rsi.buy_level).toBe(69.9);
  });

  const intervals = [
    "trend.ma_interval_min",
    "bbands.interval_min",
    "macd.interval_min",
    "rsi.interval_min",
    "general.ma_interval_min",
  ];
  for (const path of intervals) {
    test(`${path} is a whole multiple of the timeframe, above a day a whole number of days`, () => {
      const check = (minutes: number, timeframe: number) => () =>
        checkIntervals(parseConfig(only(path, minutes)), timeframe);
      expect(check(1440, 15)).not.toThrow();
      expect(check(2880, 15)).not.toThrow();
      expect(check(10, 15)).toThrow(`config: ${path} is 10; it must be a whole multiple`);
      expect(check(40, 15)).toThrow(`config: ${path} is 40; it must be a whole multiple`);
      expect(check(1500, 15)).toThrow(`config: ${path} is 1500; above 1440`);
    });
  }

  test("the gate's interval 0 is the base timeframe and always fits", () => {
    expect(() => checkIntervals(parseConfig({}), 60)).not.toThrow();
    expect(() => checkIntervals(parseConfig({}), 240)).toThrow("trend.ma_interval_min is 120");
  });
});
