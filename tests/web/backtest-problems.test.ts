// What the backtest form says of wrong input: every field its own sentence, all of them at once, none about what does
// not matter; and which market and window it reads.
import { describe, expect, test } from "bun:test";
import type { Id } from "../../src/ports/access-store.ts";
import { readBacktestForm } from "../../src/web/forms/backtest-form.ts";
import { STRATEGY_LEAVES } from "../../src/web/forms/backtest-leaves.ts";
import { problemsOf, RANGE } from "../../src/web/forms/backtest-sentences.ts";
import { FIELDS, type FormValues } from "../../src/web/forms/backtest-values.ts";
import { summaryOf } from "../../src/web/routes/backtest-view.ts";
import { FACTS, form, PERIOD, SERIES } from "./backtest-facts.ts";

const DAY = 86_400_000;
const problems = (changes: FormValues) => readBacktestForm(form(changes), FACTS).problems;

describe("sentences", () => {
  for (const { name } of FIELDS) {
    const leaf = STRATEGY_LEAVES.find(({ path }) => name === `config.${path}`);
    if (leaf?.type !== "number" && leaf?.type !== "integer") continue;
    test(`${name}: what is no number, missing or too small is told at the field`, () => {
      const when = FIELDS.find((field) => field.name === name)?.when?.[0];
      const shown = when ? { [when[0]]: when[1] } : {};
      for (const [typed, said] of [
        ["abc", 'is "abc"; it must be'],
        ["", "is empty; it must be"],
        ["-7", "is -7; it must be"],
      ] as const) {
        const found = problems({ ...shown, [name]: typed });
        expect(Object.keys(found)).toEqual([name]);
        expect(found[name]).toContain(said);
        expect(found[name]).toContain(String(leaf.min));
      }
    });
  }

  test("all of them at once, in the order of the page", () => {
    const found = problems({
      series: "",
      "config.general.max_entries": "0",
      "config.exits.sl_pct": "x",
      "run.leverage": "300",
      "run.taker_fee": "100",
      "instrument.qty_step": "",
      "range.duration": "2y",
      name: "n".repeat(201),
    });
    expect(summaryOf(found).map(({ field }) => field)).toEqual([
      "config.general.max_entries",
      "config.exits.sl_pct",
      "series",
      "range.duration",
      "instrument.qty_step",
      "run.leverage",
      "run.taker_fee",
      "name",
    ]);
    expect(found["run.taker_fee"]).toBe(
      "Taker fee is 100; it must be a number above -100 and below 100.",
    );
    expect(found["run.leverage"]).toBe("Leverage is 300; it must be a number from 1 to 200.");
    expect(found["name"]).toContain("201 characters");
  });

  test("a field that does not matter is never a problem, and its default is taken", () => {
    const idle = { "config.exits.sl_atr_mult": "abc", "range.bars": "0", "market.symbol": "??" };
    const { problems: found, request } = readBacktestForm(form(idle), FACTS);
    expect(found).toEqual({});
    expect(request?.config).toEqual({ exits: { sl_atr_mult: 3 } });
    expect(problems({ ...idle, "config.exits.sl_mode": "ATR" })).toHaveProperty([
      "config.exits.sl_atr_mult",
    ]);
  });

  test("an interval that does not matter is made to fit the timeframe", () => {
    const off = { "config.trend.enabled": "", "config.trend.ma_interval_min": "7" };
    const { problems: found, request } = readBacktestForm(form(off), FACTS);
    expect(found).toEqual({});
    expect(request?.config).toEqual({ trend: { enabled: false, ma_interval_min: 5 } });
    expect(problems({ "config.trend.ma_interval_min": "7" })).toEqual({
      "config.trend.ma_interval_min":
        "Interval is 7; it must be a whole multiple of the candle timeframe (5 minutes, 5m).",
    });
  });

  test("rules between fields stand at one of them, all of them at once", () => {
    const found = problems({
      "config.macd.fast": "30",
      "config.rsi.buy_level": "80",
      "config.bbands.interval_min": "7",
      "config.rsi.interval_min": "1500",
      "run.leverage": "100",
      "run.maintenance_margin_rate": "2",
    });
    expect(found).toEqual({
      "config.macd.fast": "Fast is 30; it must be below Slow (26).",
      "config.rsi.buy_level": "Buy level is 80; it must be below Sell level (70).",
      "config.bbands.interval_min": expect.stringContaining("whole multiple") as string,
      "config.rsi.interval_min": expect.stringContaining("whole number of days") as string,
      "run.maintenance_margin_rate":
        "Maintenance margin is 2; times the leverage (100) it must be below 100.",
    });
  });

  test("no direction at all is refused", () => {
    expect(problems({ direction: "" })).toHaveProperty([""]);
  });

  test("sentences of the runs service find their fields", () => {
    expect(
      problemsOf([
        "config: exits.sl_pct is -1; it must be a number of at least 0",
        "run: maker_fee is 2; it must be a number above -1 and below 1",
        "run: the window from 2024 to 2025 holds no candles of X",
        "funding: no rates are stored for X",
        "config: general.allow_short is true; it must be false, because X is a spot market",
        "something else",
        "run: 1000 runs are waiting already",
      ]),
    ).toEqual({
      "config.exits.sl_pct": "Stop is -1; it must be a number of at least 0.",
      "run.maker_fee": "Maker fee is 200; it must be a number above -100 and below 100.",
      [RANGE]: "The window from 2024 to 2025 holds no candles of X.",
      funding: "No rates are stored for X.",
      direction: "Direction must be long only, because X is a spot market.",
      "": "Something else. Run: 1000 runs are waiting already.",
    });
  });
});

describe("market and window", () => {
  const window = (changes: FormValues, facts = FACTS) =>
    readBacktestForm(form(changes), facts).window;

  test("a duration ends at the last stored candle, or now when history is fetched", () => {
    const end = Date.UTC(2024, 5, 1);
    expect(window({ "range.duration": "1w" })).toEqual({ from: end - 7 * DAY, to: end });
    expect(window({ "range.duration": "12m" })).toEqual({ from: end - 365 * DAY, to: end });
    const now = Date.UTC(2024, 5, 15, 10, 5);
    expect(window({ "range.duration": "1m", fetch: "on" })).toEqual({
      from: now - 30 * DAY,
      to: now,
    });
  });

  test("bars count candles of the timeframe; their number has a range", () => {
    const bars = { "range.mode": "bars", "range.bars": "100", "run.timeframe_min": "60" };
    const end = Date.UTC(2024, 5, 1);
    expect(window(bars)).toEqual({ from: end - 100 * 3_600_000, to: end });
    for (const typed of ["9", "1000001", "1.5", "", "x"]) {
      expect(problems({ ...bars, "range.bars": typed })).toEqual({
        "range.bars": `Bars is ${typed || "empty"}; it must be a whole number from 10 to 1000000.`,
      });
    }
  });

  test("start and end are UTC and in this order", () => {
    const dates = {
      "range.mode": "dates",
      "range.from": "2024-01-01T00:00",
      "range.to": "2024-02-01T12:30",
    };
    expect(window(dates)).toEqual({
      from: Date.UTC(2024, 0, 1),
      to: Date.UTC(2024, 1, 1, 12, 30),
    });
    expect(problems({ ...dates, "range.to": "2024-01-01T00:00" })).toEqual({
      "range.to": "The end must be after the start.",
    });
    const found = problems({ ...dates, "range.from": "soon", "range.to": "" });
    expect(found["range.from"]).toContain('"soon" is not a date');
    expect(found["range.to"]).toContain("is empty");
  });

  test("a saved period is taken as it is; one that is gone is asked for again", () => {
    const saved = { "range.mode": "period", "range.period": "3" };
    expect(window(saved)).toEqual({ from: PERIOD.fromAt, to: PERIOD.toAt });
    expect(problems({ ...saved, "range.period": "4" })).toHaveProperty(["range.period"]);
  });

  test("a timeframe must be a multiple of a stored one, unless history is fetched", () => {
    expect(readBacktestForm(form({ "run.timeframe_min": "60" }), FACTS).source).toBe(SERIES);
    const found = problems({ "run.timeframe_min": "3", "config.exits.sl_pct": "x" });
    expect(found["run.timeframe_min"]).toBe(
      "Timeframe is 3m; it must be a multiple of a stored one (5m), or be fetched.",
    );
    expect(problems({ "run.timeframe_min": "3", fetch: "on" })).toEqual({});
    expect(problems({ "run.timeframe_min": "7" })["run.timeframe_min"]).toContain("divide 1440");
  });

  test("the coarsest stored series that divides the timeframe is read", () => {
    const hour = { ...SERIES, id: 8 as Id<"series">, timeframeMin: 60 };
    const facts = { ...FACTS, series: [hour, SERIES] };
    const source = (minutes: string) =>
      readBacktestForm(form({ "run.timeframe_min": minutes }), facts).source?.id ?? null;
    expect([source("60"), source("120"), source("30"), source("5")].map(Number)).toEqual([
      8, 8, 7, 7,
    ]);
  });

  test("another market is read by our names, and needs its history fetched", () => {
    const other = {
      series: "other",
      "market.exchange": "okx",
      "market.symbol": "ETH/USDT",
      "market.kind": "spot",
    };
    expect(problems(other)).toEqual({
      series: "No candles of this market are stored; let them be fetched, or import them.",
    });
    const read = readBacktestForm(form({ ...other, fetch: "on" }), FACTS);
    expect(read.request?.market).toEqual({ exchangeId: "okx", symbol: "ETH/USDT", kind: "spot" });
    const wrong = problems({ ...other, "market.exchange": " ", "market.symbol": "", fetch: "on" });
    expect(Object.keys(wrong).toSorted()).toEqual(["market.exchange", "market.symbol"]);
    expect(problems({ ...other, "market.symbol": "??", fetch: "on" })).toEqual({
      "market.symbol": '"??" is not understood.',
    });
  });

  test("rules that belong to another market are not used", () => {
    const mine = { "instrument.market": "binance BTC/USDT:USDT perps" };
    expect(problems(mine)).toEqual({});
    const foreign = readBacktestForm(form({ "instrument.market": "okx X spot" }), FACTS);
    expect(foreign.problems["instrument.price_tick"]).toContain("rules of okx X spot");
    expect([foreign.instrument, foreign.request]).toEqual([null, null]);
  });
});
