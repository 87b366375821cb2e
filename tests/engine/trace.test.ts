// What a run leaves behind for charts: the same when stretches are skipped as when every candle is walked,
// and nothing of the result changes because it is kept.
import { expect, test } from "bun:test";
import type { BacktestRun } from "../../src/engine/backtest.ts";
import { resultDocument } from "../../src/services/research/backtest-result.ts";
import { generateCase } from "../oracle/cases.ts";
import { testIf } from "../support/needs.ts";
import { runCase } from "../support/engine-case.ts";
import { realCase } from "../support/real-case.ts";

const CASES = 2000;

/** Everything of a trace as plain values. */
function plain({ trace }: BacktestRun) {
  if (!trace) throw new Error("this run kept no trace");
  const { count, ...columns } = trace.levels;
  const levels = Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, Array.from(column)]),
  );
  return { equity: Array.from(trace.equity), count, ...levels };
}

test(`skipping leaves the same trace as walking every candle in ${CASES} cases`, () => {
  let steps = 0;
  const differing: number[] = [];
  for (let seed = 1; seed <= CASES; seed++) {
    const documents = generateCase(seed);
    const skipped = plain(runCase(documents, { trace: true }));
    const walked = plain(runCase(documents, { trace: true, wake: false }));
    if (JSON.stringify(skipped) !== JSON.stringify(walked)) differing.push(seed);
    steps += skipped.count;
  }
  expect(differing).toEqual([]);
  expect(steps).toBeGreaterThan(10 * CASES);
}, 120_000);

test("a trace has one equity sample per traded candle, the last one being the end equity", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const run = runCase(generateCase(seed), { trace: true });
    const { equity } = run.trace!;
    expect(equity.length).toBe(run.candles.count);
    expect(equity.at(-1)).toBe(run.equity.result().finalEquity);
  }
});

test("keeping a trace changes nothing of the result, and none is kept unasked", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const documents = generateCase(seed);
    const bare = runCase(documents);
    expect(bare.trace).toBeNull();
    const traced = runCase(documents, { trace: true });
    expect(resultDocument(traced)).toEqual(resultDocument(bare));
  }
});

test("the levels after a fill are those of the position, and none are left once it is flat", () => {
  let checked = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const run = runCase(generateCase(seed), { trace: true });
    const { levels } = run.trace!;
    const { openAt } = run.prepared.candles;
    const byCandle = new Map(Array.from(levels.candle, (candle, k) => [openAt[candle]!, k]));
    for (const cycle of run.recorder.cycles) {
      const last = run.recorder.fills.findLast((fill) => fill.cycle === cycle.cycle);
      if (cycle.closedAt === null || !last) continue;
      const reopened = run.recorder.fills.some(
        (fill) => fill.candleOpenAt === last.candleOpenAt && fill.cycle > cycle.cycle,
      );
      const grew = run.recorder.fills.some(
        (fill) => fill !== last && fill.candleOpenAt === last.candleOpenAt,
      );
      const k = byCandle.get(last.candleOpenAt);
      // What came and went within one candle leaves no step.
      if (reopened || grew || k === undefined) continue;
      expect([levels.average[k], levels.nextDca[k], levels.takeProfit[k], levels.stop[k]]).toEqual([
        -1, -1, -1, -1,
      ]);
      expect(levels.average[k - 1]).toBe(cycle.averageEntry);
      checked += 1;
    }
  }
  expect(checked).toBeGreaterThan(300);
});

testIf("data", "skipping leaves the same trace as walking recorded candles", async () => {
  for (const documents of await realCase("sol15_gappy")) {
    const skipped = plain(runCase(documents, { trace: true }));
    expect(skipped).toEqual(plain(runCase(documents, { trace: true, wake: false })));
    expect(skipped.count).toBeGreaterThan(100);
  }
});
