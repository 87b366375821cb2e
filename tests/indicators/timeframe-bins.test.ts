// Bin borders (E7), visibility of closed bins (E6) and the two ways of grouping, against brute
// force and against recorded candles.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  BinAggregator,
  BinCursor,
  type BinPlan,
  binColumn,
  binEnd,
  binStart,
  resample,
} from "../../src/indicators/timeframe-bins.ts";
import type { CandleSeries } from "../../src/model/candle.ts";
import { DAY_MS, MINUTE_MS, WEEK_MS } from "../../src/model/time.ts";
import { REAL_CANDLES_TIMEOUT_MS, readRealCandles } from "./real-candles.ts";
import { testIf } from "../support/needs.ts";

const at = (iso: string) => Date.parse(iso);
const minutes = (count: number) => count * MINUTE_MS;
const FIVE = minutes(5);
const HOUR = minutes(60);

/** The newest visible bin per bar, asked through a cursor. */
function visibleBins(plan: BinPlan): Int32Array {
  const cursor = new BinCursor(plan);
  return Int32Array.from({ length: plan.bars }, (_, bar) => cursor.at(bar));
}

describe("borders", () => {
  test("E7 a 420 min interval cuts the day at 0, 7, 14 and 21 h and ends it at midnight", () => {
    const borders = ["00:00", "07:00", "14:00", "21:00"].map((t) => at(`2024-02-29T${t}Z`));
    const ends = [...borders.slice(1), at("2024-03-01T00:00Z")];
    borders.forEach((start, i) => {
      const end = ends[i] ?? 0;
      for (const instant of [start, end - 1]) {
        expect(binStart(instant, minutes(420))).toBe(start);
        expect(binEnd(instant, minutes(420))).toBe(end);
      }
    });
  });

  test("E7 1440 min is the UTC day", () => {
    expect(binStart(at("2024-02-29T23:59Z"), DAY_MS)).toBe(at("2024-02-29T00:00Z"));
    expect(binEnd(at("2024-02-29T23:59Z"), DAY_MS)).toBe(at("2024-03-01T00:00Z"));
  });

  test("E7 weeks start on Monday, two-week bins on every second Monday from 1970-01-05", () => {
    expect(binStart(at("2024-01-07T23:59Z"), WEEK_MS)).toBe(at("2024-01-01T00:00Z"));
    expect(binStart(at("2024-01-08T00:00Z"), WEEK_MS)).toBe(at("2024-01-08T00:00Z"));
    expect(binStart(at("1970-01-18T23:00Z"), 2 * WEEK_MS)).toBe(at("1970-01-05T00:00Z"));
    expect(binStart(at("1970-01-19T00:00Z"), 2 * WEEK_MS)).toBe(at("1970-01-19T00:00Z"));
    expect(binStart(at("1970-01-04T00:00Z"), WEEK_MS)).toBe(at("1969-12-29T00:00Z"));
  });

  test("E7 other multiples of a day count from 1970-01-01", () => {
    expect(binStart(at("1970-01-03T12:00Z"), 3 * DAY_MS)).toBe(at("1970-01-01T00:00Z"));
    expect(binStart(at("1970-01-04T00:00Z"), 3 * DAY_MS)).toBe(at("1970-01-04T00:00Z"));
    expect(binEnd(at("1970-01-04T00:00Z"), 3 * DAY_MS)).toBe(at("1970-01-07T00:00Z"));
  });

  test("E7 an interval above one day that is no multiple of a day is refused", () => {
    expect(() => binStart(0, minutes(1500))).toThrow("multiple of a day");
    expect(() => resample(new Float64Array(0), FIVE, minutes(7))).toThrow("base timeframe");
    expect(() => resample(new Float64Array(0), minutes(7), minutes(7))).toThrow("divide a day");
  });
});

describe("visibility", () => {
  test("E6 the 10:00-11:00 bin is first used at the close of the 10:55 bar", () => {
    const open = at("2024-01-01T10:00Z");
    const openAt = Float64Array.from({ length: 14 }, (_, i) => open + i * FIVE);
    const plan = resample(openAt, FIVE, HOUR);
    expect([...plan.visibleAt]).toEqual([11]);
    expect([...visibleBins(plan)]).toEqual([...Array(11).fill(-1), 0, 0, 0]);
    expect([plan.firstBar[0], plan.lastBar[0]]).toEqual([0, 11]);
  });

  test("E6 without its 10:55 bar the bin is first used at the next existing close", () => {
    const open = at("2024-01-01T10:00Z");
    const kept = [0, 1, 2, 9, 10, 40, 41];
    const plan = resample(
      Float64Array.from(kept, (i) => open + i * FIVE),
      FIVE,
      HOUR,
    );
    // the next bars lie in 13:00-14:00; the two hours between do not exist
    expect([...visibleBins(plan)]).toEqual([-1, -1, -1, -1, -1, 0, 0]);
    expect(plan.count).toBe(1);
    expect(plan.lastBar[0]).toBe(4);
  });

  test("E6 one close can show two bins: a late one and the one it completes itself", () => {
    const bins = new BinAggregator(FIVE, minutes(10));
    expect(bins.push(0, 1, 3, 1, 2)).toBe(0);
    expect(bins.push(minutes(15), 5, 8, 4, 6)).toBe(2);
    expect(bins.completed(0)).toEqual({
      start: 0,
      open: 1,
      high: 3,
      low: 1,
      close: 2,
    });
    expect(bins.completed(1)).toEqual({
      start: minutes(10),
      open: 5,
      high: 8,
      low: 4,
      close: 6,
    });
    expect(() => bins.completed(2)).toThrow("bin 2 of 2");
    const plan = resample(Float64Array.of(0, minutes(15)), FIVE, minutes(10));
    expect([...plan.visibleAt]).toEqual([1, 1]);
    expect([...visibleBins(plan)]).toEqual([-1, 1]);
  });

  test("an interval equal to the timeframe makes every bar its own bin, gaps or not", () => {
    const openAt = Float64Array.of(0, FIVE, 10 * FIVE);
    const plan = resample(openAt, FIVE, FIVE);
    expect([...visibleBins(plan)]).toEqual([0, 1, 2]);
    expect(plan.count).toBe(3);
    expect(binColumn(plan, openAt, "max")).toBe(openAt);
  });

  test("E7 short last bins of a day are all kept: 42 bins of 35 min on each of 30 days", () => {
    const openAt = Float64Array.from({ length: 30 * 288 }, (_, i) => i * FIVE);
    const plan = resample(openAt, FIVE, minutes(35));
    expect(plan.count).toBe(30 * 42);
    expect(plan.lastBar.length).toBe(30 * 42);
    expect(plan.lastBar.at(-1)).toBe(openAt.length - 1);
    expect(plan.firstBar.at(-1)).toBe(openAt.length - 1);
  });

  test("bars closer than the timeframe are refused by both ways of grouping", () => {
    expect(() => resample(Float64Array.of(minutes(5), minutes(7)), FIVE, minutes(10))).toThrow(
      "within a timeframe",
    );
    const bins = new BinAggregator(FIVE, minutes(10));
    bins.push(minutes(5), 1, 1, 1, 1);
    expect(() => bins.push(minutes(7), 1, 1, 1, 1)).toThrow("within a timeframe");
  });
});

const INTERVALS = [5, 10, 35, 60, 420, 720, 1440, 2880, 10080].map(minutes);
const interval = fc.constantFrom(...INTERVALS);
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constant(1) },
    { weight: 2, arbitrary: fc.integer({ min: 2, max: 30 }) },
    { weight: 1, arbitrary: fc.integer({ min: 31, max: 3000 }) },
  ),
  { maxLength: 150, size: "max" },
);
const opens = fc.tuple(fc.integer({ min: 0, max: 5000 }), steps).map(([first, list]) => {
  let bar = first;
  return Float64Array.from(list, (step) => {
    bar += step;
    return bar * FIVE;
  });
});

/** The newest bin whose end is at or before the close of bar i, straight from the wording of E6. */
function visibleStart(openAt: Float64Array, i: number, intervalMs: number): number | null {
  const close = (openAt[i] ?? 0) + FIVE;
  for (let k = i; k >= 0; k--) {
    const bar = openAt[k] ?? 0;
    if (binEnd(bar, intervalMs) <= close) return binStart(bar, intervalMs);
  }
  return null;
}

describe("properties", () => {
  test("E6 every base bar sees exactly the newest bin that has ended", () => {
    fc.assert(
      fc.property(opens, interval, (openAt, intervalMs) => {
        const plan = resample(openAt, FIVE, intervalMs);
        const visible = visibleBins(plan);
        for (let i = 0; i < openAt.length; i++) {
          const bin = visible[i] ?? -2;
          const first = openAt[plan.firstBar[bin] ?? -1];
          const seen = first === undefined ? null : binStart(first, intervalMs);
          expect(seen).toBe(visibleStart(openAt, i, intervalMs));
          if (bin >= 0) expect(plan.visibleAt[bin]).toBeLessThanOrEqual(i);
        }
      }),
    );
  });

  test("appending future bars changes neither bins nor what past bars see", () => {
    fc.assert(
      fc.property(opens, interval, fc.nat(150), (openAt, intervalMs, cut) => {
        const whole = resample(openAt, FIVE, intervalMs);
        const past = resample(openAt.subarray(0, cut), FIVE, intervalMs);
        expect([...visibleBins(whole).subarray(0, cut)]).toEqual([...visibleBins(past)]);
        for (const name of ["firstBar", "lastBar", "visibleAt"] as const) {
          expect([...whole[name].subarray(0, past.count)]).toEqual([...past[name]]);
        }
      }),
    );
  });

  test("one bar at a time completes the same bins at the same closes", () => {
    fc.assert(
      fc.property(
        opens,
        interval,
        fc.infiniteStream(fc.integer({ min: 1, max: 99 })),
        (openAt, intervalMs, numbers) => {
          const column = () => Float64Array.from(openAt, () => numbers.next().value ?? 0);
          const [open, high, low, close] = [column(), column(), column(), column()];
          const plan = resample(openAt, FIVE, intervalMs);
          const expected = [
            [...plan.visibleAt],
            [...binColumn(plan, openAt, "first")].map((t) => binStart(t, intervalMs)),
            [...binColumn(plan, open, "first")],
            [...binColumn(plan, high, "max")],
            [...binColumn(plan, low, "min")],
            [...binColumn(plan, close, "last")],
          ];
          const seen: number[][] = [[], [], [], [], [], []];
          const bins = new BinAggregator(FIVE, intervalMs);
          openAt.forEach((t, i) => {
            const count = bins.push(t, open[i] ?? 0, high[i] ?? 0, low[i] ?? 0, close[i] ?? 0);
            for (let k = 0; k < count; k++) {
              const bin = bins.completed(k);
              const row = [i, bin.start, bin.open, bin.high, bin.low, bin.close];
              for (const [place, value] of row.entries()) seen[place]?.push(value);
            }
          });
          expect(seen).toEqual(expected);
        },
      ),
    );
  });
});

/** Rows start, open, high, low, close of the bins of a whole series. */
function binRows(candles: CandleSeries, timeframeMs: number, intervalMs: number): number[][] {
  const plan = resample(candles.openAt, timeframeMs, intervalMs);
  const open = binColumn(plan, candles.open, "first");
  const high = binColumn(plan, candles.high, "max");
  const low = binColumn(plan, candles.low, "min");
  const close = binColumn(plan, candles.close, "last");
  return [...binColumn(plan, candles.openAt, "first")].map((t, k) => [
    binStart(t, intervalMs),
    ...[open, high, low, close].map((column) => column[k] ?? Number.NaN),
  ]);
}

describe("recorded candles", () => {
  testIf(
    "data",
    "Binance 5m grouped into hours equals a naive grouping by calendar hour",
    () => {
      const candles = readRealCandles("binance_BTCUSDT_5m.csv.gz");
      const hours = new Map<string, number[]>();
      for (let i = 0; i < candles.length; i++) {
        const [t, o, h, l, c] = (["openAt", "open", "high", "low", "close"] as const).map(
          (name) => candles[name][i] ?? Number.NaN,
        ) as [number, number, number, number, number];
        const key = new Date(t).toISOString().slice(0, 13);
        const row = hours.get(key);
        if (row === undefined) hours.set(key, [at(`${key}:00:00Z`), o, h, l, c]);
        else {
          row[2] = Math.max(row[2] ?? h, h);
          row[3] = Math.min(row[3] ?? l, l);
          row[4] = c;
        }
      }
      // the series ends at 18:10, inside an hour that must not be shown
      const naive = [...hours.values()].slice(0, -1);
      expect(binRows(candles, FIVE, HOUR)).toEqual(naive);
    },
    REAL_CANDLES_TIMEOUT_MS,
  );

  testIf(
    "data",
    "Bitfinex 1m with its 920,816 missing minutes gives the recorded 1h file",
    () => {
      const hourly = readRealCandles("bitfinex_BTCUSD_1h.csv.gz");
      const rows = binRows(readRealCandles("bitfinex_BTCUSD_1m.csv.gz"), MINUTE_MS, HOUR);
      expect(rows.length).toBe(hourly.length);
      const different = rows.filter((row, k) =>
        (["openAt", "open", "high", "low", "close"] as const).some(
          (name, place) => row[place] !== hourly[name][k],
        ),
      );
      expect(different).toEqual([]);
    },
    REAL_CANDLES_TIMEOUT_MS,
  );
});
