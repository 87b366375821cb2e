// Gaps, empty bars, bad prints and jumps on small series and on recorded ones with known faults.
import { describe, expect, test } from "bun:test";
import { QUALITY_LIST_MAX, qualityReport } from "../../src/analytics/candle-quality.ts";
import { type Candle, firstAtOrAfter, seriesOf, sliceSeries } from "../../src/model/candle.ts";
import { MINUTE_MS } from "../../src/model/time.ts";
import { REAL_CANDLES_TIMEOUT_MS, readRealCandles } from "../indicators/real-candles.ts";
import { testIf } from "../support/needs.ts";

/** A quiet minute candle around a close. */
function aCandle(minute: number, close: number, change: Partial<Candle> = {}): Candle {
  return {
    openAt: minute * MINUTE_MS,
    open: close,
    high: close,
    low: close,
    close,
    volume: 1,
    ...change,
  };
}

const report = (candles: Candle[]) => qualityReport(seriesOf(candles), MINUTE_MS);

describe("gaps and volume", () => {
  test("gaps are counted in missing bars and listed longest first", () => {
    const found = report([0, 1, 4, 5, 12].map((minute) => aCandle(minute, 100)));
    expect(found).toMatchObject({ bars: 5, gapCount: 2, missingBars: 8 });
    expect(found.longestGaps).toEqual([
      { firstMissingAt: 6 * MINUTE_MS, missingBars: 6 },
      { firstMissingAt: 2 * MINUTE_MS, missingBars: 2 },
    ]);
  });

  test("the list of gaps stops at its maximum, the counts do not", () => {
    const found = report(Array.from({ length: 151 }, (_, i) => aCandle(2 * i, 100)));
    expect(found).toMatchObject({ gapCount: 150, missingBars: 150 });
    expect(found.longestGaps.length).toBe(QUALITY_LIST_MAX);
    expect(found.longestGaps[0]?.firstMissingAt).toBe(MINUTE_MS);
  });

  test("bars without volume are counted", () => {
    const found = report([
      aCandle(0, 1, { volume: 0 }),
      aCandle(1, 1),
      aCandle(2, 1, { volume: 0 }),
    ]);
    expect(found.zeroVolumeBars).toBe(2);
  });

  test("an empty series and a single bar have nothing wrong", () => {
    for (const candles of [[], [aCandle(0, 5)]]) {
      expect(report(candles)).toMatchObject({
        gapCount: 0,
        badPrintCount: 0,
        jumpCount: 0,
      });
    }
  });
});

describe("bad prints and jumps", () => {
  test("a close far from both neighbours is a bad print and no jump", () => {
    const found = report([100, 101, 50, 102, 100].map((close, i) => aCandle(i, close)));
    expect(found.badPrints).toEqual([
      {
        openAt: 2 * MINUTE_MS,
        kind: "close",
        price: 50,
        closeBefore: 101,
        closeAfter: 102,
      },
    ]);
    expect(found.jumpCount).toBe(0);
  });

  test("a wick far beyond both neighbouring closes is a bad print of its own kind", () => {
    const low = report([aCandle(0, 100), aCandle(1, 100, { low: 79 }), aCandle(2, 100)]);
    expect(low.badPrints.map((print) => [print.kind, print.price])).toEqual([["low", 79]]);
    const high = report([aCandle(0, 100), aCandle(1, 100, { high: 121 }), aCandle(2, 100)]);
    expect(high.badPrints.map((print) => [print.kind, print.price])).toEqual([["high", 121]]);
  });

  test("a price exactly 20 % away is still accepted", () => {
    expect(report([100, 80, 100].map((close, i) => aCandle(i, close))).badPrintCount).toBe(0);
    expect(report([100, 79.9, 100].map((close, i) => aCandle(i, close))).badPrintCount).toBe(1);
  });

  test("a level that stays is a jump and no bad print", () => {
    const found = report([100, 100, 130, 131, 130].map((close, i) => aCandle(i, close)));
    expect(found.badPrintCount).toBe(0);
    expect(found.jumps).toEqual([{ openAt: 2 * MINUTE_MS, closeBefore: 100, close: 130 }]);
  });
});

describe("recorded candles", () => {
  testIf(
    "data",
    "Bitfinex 1m: the recorded gaps and the known bad prints of April 2013",
    () => {
      const candles = readRealCandles("bitfinex_BTCUSD_1m.csv.gz");
      const found = qualityReport(candles, MINUTE_MS);
      expect(found).toMatchObject({
        bars: 2_630_217,
        gapCount: 274_154,
        missingBars: 920_816,
        zeroVolumeBars: 0,
      });
      expect(found.longestGaps[0]?.missingBars).toBe(87_839);
      const named = found.badPrints.map(
        (print) =>
          `${new Date(print.openAt).toISOString().slice(0, 16)} ${print.kind} ${print.price}`,
      );
      expect(named).toContain("2013-04-11T18:12 close 1.06");
      expect(named).toContain("2013-04-11T12:34 close 15");
      expect(named).toContain("2013-04-10T17:36 close 19.9");
      expect(named).toContain("2013-04-14T02:44 close 20");
      expect(found.badPrintCount).toBe(named.length);
      expect(found.badPrintCount).toBeLessThan(30);
      const clean = firstAtOrAfter(candles.openAt, Date.UTC(2017, 0, 1));
      const later = qualityReport(sliceSeries(candles, clean, candles.length), MINUTE_MS);
      expect(later.badPrints).toEqual([]);
    },
    REAL_CANDLES_TIMEOUT_MS,
  );

  testIf("data", "Binance 5m: one outage of 16 bars, 14 bars without volume, no bad print", () => {
    const candles = readRealCandles("binance_BTCUSDT_5m.csv.gz");
    expect(qualityReport(candles, 5 * MINUTE_MS)).toMatchObject({
      gapCount: 1,
      missingBars: 16,
      longestGaps: [{ firstMissingAt: Date.UTC(2023, 2, 24, 12, 40), missingBars: 16 }],
      zeroVolumeBars: 14,
      badPrintCount: 0,
    });
  });
});
