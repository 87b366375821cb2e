// The backtest form as texts and as documents: every parameter that has an effect is on it, ranges are those of the
// schemas, and nothing is lost both ways.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseInstrument, parseRun } from "../../src/services/research/backtest-inputs.ts";
import { dcaAtrSchema, parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { readBacktestForm } from "../../src/web/forms/backtest-form.ts";
import { STRATEGY_LEAVES } from "../../src/web/forms/backtest-leaves.ts";
import {
  configDocument,
  DEFAULT_VALUES,
  documentOf,
  FIELD_NAMES,
  FIELDS,
  instrumentDocument,
  keptValues,
  postedValues,
  runDocument,
  valuesOfConfig,
  valuesOfRules,
  valuesOfRun,
} from "../../src/web/forms/backtest-values.ts";
import { formView, manualParameters } from "../../src/web/routes/backtest-view.ts";
import { isShown } from "../../views/components/backtest-field-kinds.ts";
import { FACTS, form } from "./backtest-facts.ts";

type Doc = Record<string, unknown>;
const at = (document: object, path: string): unknown =>
  path.split(".").reduce<unknown>((inner, key) => (inner as Doc)[key], document);

function leafPaths(value: object, path = ""): string[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = path === "" ? key : `${path}.${key}`;
    return typeof inner === "object" ? leafPaths(inner as object, here) : [here];
  });
}

const PATHS = leafPaths(parseConfig({}));
/** What the rules say has no influence on a backtest. */
const IDLE = [
  "general.plot_dca_levels",
  "general.prefer_bbo_maker",
  "general.bbo_queue_level",
  "exits.tp_replace_threshold_pct",
  "bbands.deviation",
  "bbands.allow_mid_sells",
];
const shownPaths = FIELDS.map(({ name }) => name).flatMap((name) =>
  name.startsWith("config.") ? [name.slice("config.".length)] : [],
);

describe("what is on the form", () => {
  test("every parameter that changes a backtest has a field, once; the two directions share one", () => {
    const wanted = PATHS.filter((path) => !IDLE.includes(path) && !path.includes("allow_l"));
    expect(shownPaths.toSorted()).toEqual(
      wanted.filter((path) => path !== "general.allow_short").toSorted(),
    );
    expect(new Set(FIELD_NAMES).size).toBe(FIELD_NAMES.length);
  });

  test("the parameters without influence are carried unseen", () => {
    for (const path of IDLE) expect(FIELD_NAMES).toContain(`config.${path}`);
    expect(STRATEGY_LEAVES.map(({ path }) => path)).toEqual(PATHS);
  });

  test("every field has a label and an explanation, and a choice offers exactly the schema's words", () => {
    const view = formView(form(), {}, { ...FACTS, timeZone: "UTC" });
    for (const { name, label, help, kind, choices } of FIELDS) {
      expect([name, label !== ""]).toEqual([name, true]);
      const isPlain = /^range\.(from|to|period)$/.test(name);
      expect([name, isPlain || (help ?? view.help[name] ?? "") !== ""]).toEqual([name, true]);
      const leaf = STRATEGY_LEAVES.find(({ path }) => name === `config.${path}`);
      if (leaf?.type === "string") {
        expect((choices ?? []).map(([value]) => value).toSorted()).toEqual([...leaf.words].sort());
      }
      if (leaf) expect([name, kind === "switch"]).toEqual([name, leaf.type === "boolean"]);
    }
  });

  test("a field is hidden by its own condition and shown by each of its alternatives", () => {
    for (const { when } of FIELDS.filter((field) => field.when !== undefined)) {
      for (const [field, value] of when ?? []) {
        expect(FIELD_NAMES).toContain(field);
        expect(isShown(when, { [field]: value })).toBe(true);
      }
      expect(isShown(when, {})).toBe(false);
    }
  });
});

describe("ranges", () => {
  const { limits } = formView(form(), {}, { ...FACTS, timeZone: "UTC" });
  const accepts = (path: string, value: number) =>
    dcaAtrSchema.safeParse(documentOf(path, value)).success;

  for (const { path, type, min, max } of STRATEGY_LEAVES) {
    if (type !== "number" && type !== "integer") continue;
    test(`${path}: the field's range is the schema's`, () => {
      expect(limits[`config.${path}`]).toEqual({
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
      });
      const step = type === "integer" ? 1 : 0.001;
      expect(min).toBeDefined();
      expect([accepts(path, min ?? 0), accepts(path, (min ?? 0) - step)]).toEqual([true, false]);
      if (max === undefined) expect(accepts(path, 1e7)).toBe(true);
      else expect([accepts(path, max), accepts(path, max + step)]).toEqual([true, false]);
    });
  }

  test("the bounds of account and rules are accepted, and what lies beyond is refused", () => {
    const run = (key: string, value: number) =>
      parseRun({ timeframe_min: 60, from: 0, to: 1, maintenance_margin_rate: 0, [key]: value });
    const rules = (key: string, value: number) =>
      parseInstrument({ price_tick: 1, qty_step: 1, [key]: value });
    const bounded = FIELDS.filter(({ name }) => /^(run|instrument)\./.test(name));
    for (const { name, min, max } of bounded) {
      const [document = "", key = ""] = name.split(".");
      const parse = (value: number) => () =>
        document === "run" ? run(key, value) : rules(key, value);
      const factor = /fee|rate/.test(key) ? 0.01 : 1;
      if (min !== undefined) {
        expect(parse(min * factor)).not.toThrow();
        expect(parse((min - 0.001) * factor)).toThrow(key);
      }
      if (max !== undefined) {
        expect(parse(max * factor)).not.toThrow();
        expect(parse((max + 1) * factor)).toThrow(key);
      }
    }
    expect(bounded.filter(({ min }) => min !== undefined).length).toBeGreaterThan(4);
  });

  test("the manual names every parameter with the schema's range and default", () => {
    const manual = manualParameters();
    expect([...manual.keys()].toSorted()).toEqual(PATHS.toSorted());
    for (const { path, type, initial, min, max, words } of STRATEGY_LEAVES) {
      const expected =
        type === "boolean"
          ? "on or off"
          : type === "string"
            ? words.join(", ")
            : max === undefined
              ? `${min} or more`
              : `${min} to ${max}`;
      const said = type === "boolean" ? (initial === true ? "on" : "off") : String(initial);
      const { range, initial: told, text } = manual.get(path) ?? {};
      expect([path, range, told]).toEqual([path, expected, said]);
      expect((text ?? "").length).toBeGreaterThan(10);
    }
  });
});

describe("both ways", () => {
  /** Any accepted value of a leaf. */
  function anyValue(path: string): fc.Arbitrary<unknown> {
    const leaf = STRATEGY_LEAVES.find((each) => each.path === path);
    if (!leaf) throw new Error(path);
    if (leaf.type === "boolean") return fc.boolean();
    if (leaf.type === "string") return fc.constantFrom(...leaf.words);
    const { min = 0, max = 100_000 } = leaf;
    if (leaf.type === "integer") return fc.integer({ min, max });
    const tiny = fc.constantFrom(min, max, min + 0.000001, 12.345678901);
    const doubles = fc.oneof(fc.double({ min, max, noNaN: true }), tiny);
    return doubles.map((value) => Math.min(max, Math.max(min, value)) + 0);
  }

  test("any accepted configuration comes back from the form unchanged", () => {
    const paths = PATHS.filter((path) => !path.includes("allow_"));
    const wanted = fc.record({
      leaves: fc.tuple(...paths.map(anyValue)),
      sides: fc.constantFrom([true, false], [false, true], [true, true]),
    });
    fc.assert(
      fc.property(wanted, ({ leaves, sides }) => {
        const document: Doc = parseConfig({});
        paths.forEach((path, i) => {
          const group = at(document, path.split(".").slice(0, -1).join(".")) as Doc;
          group[path.split(".").at(-1) ?? ""] = leaves[i];
        });
        (document["general"] as Doc)["allow_long"] = sides[0];
        (document["general"] as Doc)["allow_short"] = sides[1];
        const again = configDocument({ ...DEFAULT_VALUES, ...valuesOfConfig(document) });
        expect(dcaAtrSchema.parse(again)).toEqual(dcaAtrSchema.parse(document));
      }),
      { numRuns: 300 },
    );
  });

  test("a run document comes back unchanged: ratios are percents on the form, exactly", () => {
    const ratio = fc.integer({ min: -999_999, max: 999_999 }).map((n) => n / 1e6);
    const wanted = fc.record({
      maker_fee: ratio,
      taker_fee: ratio,
      maintenance_margin_rate: ratio.map((value) => Math.abs(value) / 200),
      leverage: fc.integer({ min: 1, max: 200 }),
      slippage_bps: fc.double({ min: 0, max: 9999, noNaN: true }),
      initial_balance: fc.double({ min: 1e-7, max: 1e9, noNaN: true }),
      timeframe_min: fc.constantFrom(1, 5, 60, 1440),
      touch_fills: fc.boolean(),
      fill_model: fc.constantFrom("path", "pessimistic"),
      entry_fill: fc.constantFrom("next_open", "close"),
    });
    fc.assert(
      fc.property(wanted, (document) => {
        const again = runDocument({ ...DEFAULT_VALUES, ...valuesOfRun(document) });
        const window = { from: 0, to: 1 };
        expect(parseRun({ ...again, ...window })).toEqual(parseRun({ ...document, ...window }));
      }),
    );
    expect(valuesOfRun({})["run.taker_fee"]).toBe("0.05");
    expect(runDocument(form({ "run.taker_fee": "0.07" }))["taker_fee"]).toBe(0.0007);
  });

  test("trading rules come back unchanged, however small", () => {
    const rules = {
      symbol: "X",
      price_tick: 1e-8,
      qty_step: 0.001,
      min_qty: 0,
      min_notional: 5,
      contract_size: 0.0001,
    };
    expect(valuesOfRules(rules)["instrument.price_tick"]).toBe("0.00000001");
    expect(instrumentDocument({ ...DEFAULT_VALUES, ...valuesOfRules(rules) }, "X")).toEqual(rules);
  });

  test("the untouched form asks for nothing but the defaults", () => {
    expect(configDocument(DEFAULT_VALUES)).toEqual({});
    expect(readBacktestForm(form(), FACTS).request).toEqual({
      name: null,
      market: { exchangeId: "binance", symbol: "BTC/USDT:USDT", kind: "perps" },
      config: {},
      instrument: {
        symbol: "BTC/USDT:USDT",
        price_tick: 0.1,
        qty_step: 0.001,
        min_qty: 0,
        min_notional: 0,
        contract_size: 1,
      },
      run: {
        ...runDocument(form()),
        from: Date.UTC(2024, 4, 2),
        to: Date.UTC(2024, 5, 1),
      },
      withFunding: false,
      fetchMissing: false,
    });
  });

  test("what was posted or kept is read with care", () => {
    expect(
      postedValues({ name: "a\0b", surprise: "x", series: 5, "range.mode": "y".repeat(400) }),
    ).toMatchObject({ name: "ab", series: "", "range.mode": "" });
    expect(Object.keys(postedValues({}))).toEqual([...FIELD_NAMES]);
    expect([keptValues(null), keptValues([1]), keptValues("x")]).toEqual([null, null, null]);
    const kept = keptValues({ "config.macd.fast": "9", "config.gone": "1", name: 3 });
    expect(kept).toEqual({ ...DEFAULT_VALUES, "config.macd.fast": "9" });
  });
});
