// Drawdown figures and daily returns of the equity tracker (E57-E59) by hand and against brute
// force.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type EquityResult, EquityTracker } from "../../src/analytics/equity.ts";
import { DAY_MS, HOUR_MS } from "../../src/model/time.ts";

/** Marks the samples one hour apart, the first close one hour after the first open at 0. */
function tracked(initialBalance: number, samples: readonly number[]): EquityResult {
  const tracker = new EquityTracker(initialBalance, 0);
  for (const [i, equity] of samples.entries()) tracker.mark(equity, (i + 1) * HOUR_MS);
  return tracker.result();
}

describe("drawdown by hand", () => {
  test("10.7 equity 100, 50, 1000, 900 has a drawdown of 50 %, and 100 in money", () => {
    const result = tracked(100, [100, 50, 1000, 900]);
    expect(result.maxDrawdown).toBe(0.5);
    expect(result.maxDrawdownAbs).toBe(100);
    expect(result.finalEquity).toBe(900);
    expect(result.samples).toBe(4);
  });

  test("10.7 E57 a loss on the first bar counts: the initial balance stands before it", () => {
    const result = tracked(1000, [900, 950]);
    expect(result.maxDrawdown).toBe(0.1);
    expect(result.maxDrawdownAbs).toBe(100);
    expect(result.drawdownDurationMs).toBe(2 * HOUR_MS);
  });

  test("E59 duration runs from the last sample at the peak to the first one back at it", () => {
    // peak 110 at 1 h and 2 h, back at 110 at 5 h; then 3 h at the top are no drawdown
    const result = tracked(100, [110, 110, 90, 100, 110, 120, 120, 120]);
    expect(result.drawdownDurationMs).toBe(3 * HOUR_MS);
    expect(result.drawdownRecoveryMs).toBe(2 * HOUR_MS);
  });

  test("E59 a drawdown that never ends lasts to the last sample and has no recovery", () => {
    const result = tracked(100, [110, 80, 85, 90]);
    expect(result.drawdownDurationMs).toBe(3 * HOUR_MS);
    expect(result.drawdownRecoveryMs).toBeNull();
  });

  test("E59 recovery belongs to the deepest relative drawdown, not to the largest", () => {
    // 100 -> 50 (50 %) recovers in 1 h; 1000 -> 900 is larger in money and never recovers
    expect(tracked(100, [50, 1000, 900]).drawdownRecoveryMs).toBe(HOUR_MS);
    // of two equally deep ones the first counts, from its first sample on
    expect(tracked(100, [50, 50, 50, 100, 50]).drawdownRecoveryMs).toBe(3 * HOUR_MS);
  });

  test("E59 without a lower sample there is neither duration nor recovery", () => {
    const result = tracked(100, [100, 101, 101, 105]);
    expect(result.drawdownDurationMs).toBe(0);
    expect(result.drawdownRecoveryMs).toBeNull();
    expect(result.maxDrawdown).toBe(0);
    expect(result.ulcerIndex).toBe(0);
  });

  test("E59 the ulcer index is the root mean square over all samples and the initial one", () => {
    // drawdowns 0 (initial), 0.2, 0.1, 0
    expect(tracked(100, [80, 90, 100]).ulcerIndex).toBeCloseTo(Math.sqrt(0.05 / 4), 15);
  });

  test("a run without any sample has the initial balance and no drawdown", () => {
    const result = new EquityTracker(1000, 0).result();
    expect(result).toEqual({
      samples: 0,
      finalEquity: 1000,
      maxDrawdownAbs: 0,
      maxDrawdown: 0,
      drawdownDurationMs: 0,
      drawdownRecoveryMs: null,
      ulcerIndex: 0,
      dailyReturns: [],
    });
    expect(() => new EquityTracker(0, 0)).toThrow("initial balance 0");
  });
});

describe("daily returns", () => {
  test("E58 the first base is the initial balance, each day's last sample the next base", () => {
    const tracker = new EquityTracker(100, 0);
    for (const equity of [110, 99, 99]) tracker.endDay(equity);
    const returns = tracker.result().dailyReturns;
    expect(returns.length).toBe(3);
    expect(returns[0]).toBeCloseTo(0.1, 12);
    expect(returns[1]).toBeCloseTo(-0.1, 12);
    expect(returns[2]).toBe(0);
  });

  test("3.3 a day that starts without capital has no return", () => {
    const tracker = new EquityTracker(100, 0);
    for (const equity of [0, 0]) tracker.endDay(equity);
    expect(tracker.result().dailyReturns).toEqual([-1]);
  });

  test("10.7 daily returns do not depend on how many bars a day has", () => {
    const daily = Array.from({ length: 40 }, (_, day) => 1000 + 10 * day + 25 * Math.sin(day));
    const returnsWith = (barsPerDay: number) => {
      const tracker = new EquityTracker(1000, 0);
      daily.forEach((equity, day) => {
        for (let bar = 1; bar < barsPerDay; bar++) {
          tracker.mark(equity + bar, day * DAY_MS + (bar * DAY_MS) / barsPerDay);
        }
        tracker.mark(equity, (day + 1) * DAY_MS);
        tracker.endDay(equity);
      });
      return tracker.result().dailyReturns;
    };
    expect(returnsWith(288)).toEqual(returnsWith(24));
    expect(returnsWith(24).length).toBe(40);
  });
});

type Sample = { readonly equity: number; readonly at: number };

/** The figures of E59 word by word, in quadratic time. */
function bruteForce(all: readonly Sample[]) {
  const last = all.at(-1)?.at ?? 0;
  let deepest = 0;
  let maxDrawdownAbs = 0;
  let drawdownDurationMs = 0;
  let drawdownRecoveryMs: number | null = null;
  let squares = 0;
  all.forEach((sample, i) => {
    const peak = Math.max(...all.slice(0, i + 1).map((s) => s.equity));
    const ratio = (peak - sample.equity) / peak;
    squares += ratio * ratio;
    maxDrawdownAbs = Math.max(maxDrawdownAbs, peak - sample.equity);
    const later = all.slice(i + 1);
    if (ratio > deepest) {
      deepest = ratio;
      const back = later.find((s) => s.equity >= peak);
      drawdownRecoveryMs = back === undefined ? null : back.at - sample.at;
    }
    if (sample.equity < peak || (later[0]?.equity ?? peak) >= peak) return;
    const end = later.find((s) => s.equity >= peak)?.at ?? last;
    drawdownDurationMs = Math.max(drawdownDurationMs, end - sample.at);
  });
  const ulcerIndex = Math.sqrt(squares / all.length);
  return {
    deepest,
    maxDrawdownAbs,
    drawdownDurationMs,
    drawdownRecoveryMs,
    ulcerIndex,
  };
}

const level = fc.oneof(
  fc.integer({ min: 1, max: 12 }),
  fc.double({ min: 1, max: 12, noNaN: true }),
);
const runs = fc.array(fc.tuple(level, fc.integer({ min: 1, max: 6 })), {
  maxLength: 40,
  size: "max",
});

describe("properties", () => {
  test("E57 E59 all figures equal a brute-force reading of the rules", () => {
    fc.assert(
      fc.property(runs, (list) => {
        const samples = list.flatMap(([equity, count]) => Array<number>(count).fill(equity));
        const result = tracked(6, samples);
        const all = [6, ...samples].map((equity, i) => ({
          equity,
          at: i * HOUR_MS,
        }));
        const expected = bruteForce(all);
        expect(result.maxDrawdown).toBe(expected.deepest);
        expect(result.maxDrawdownAbs).toBe(expected.maxDrawdownAbs);
        expect(result.drawdownDurationMs).toBe(expected.drawdownDurationMs);
        expect(result.drawdownRecoveryMs).toBe(expected.drawdownRecoveryMs);
        expect(result.ulcerIndex).toBeCloseTo(expected.ulcerIndex, 12);
      }),
      { numRuns: 300 },
    );
  });

  test("markRun gives the same bits as that many marks, however the samples are split", () => {
    fc.assert(
      fc.property(runs, fc.infiniteStream(fc.boolean()), (list, cuts) => {
        const single = new EquityTracker(6, 0);
        const grouped = new EquityTracker(6, 0);
        let bar = 0;
        for (const [equity, count] of list) {
          const first = cuts.next().value === true ? Math.ceil(count / 2) : count;
          for (const part of [first, count - first].filter((size) => size > 0)) {
            grouped.markRun(equity, part, (bar + 1) * HOUR_MS, (bar + part) * HOUR_MS);
            for (let i = 0; i < part; i++) single.mark(equity, ++bar * HOUR_MS);
          }
        }
        expect(grouped.result()).toEqual(single.result());
      }),
      { numRuns: 300 },
    );
  });

  test("reading the figures in between changes nothing", () => {
    fc.assert(
      fc.property(runs, (list) => {
        const quiet = new EquityTracker(6, 0);
        const watched = new EquityTracker(6, 0);
        let bar = 0;
        for (const [equity, count] of list) {
          for (let i = 0; i < count; i++) {
            bar += 1;
            quiet.mark(equity, bar * HOUR_MS);
            watched.mark(equity, bar * HOUR_MS);
            watched.result();
          }
        }
        expect(watched.result()).toEqual(quiet.result());
      }),
    );
  });
});
