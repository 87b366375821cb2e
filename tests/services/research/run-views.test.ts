// Looks at finished runs: the chart against the candles and fills it is made of, the reason of a decision,
// and what is said when the history behind a run is not what it was.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createCandleRepository } from "../../../src/adapters/postgres/candle-repository.ts";
import { type BacktestRun, runBacktest } from "../../../src/engine/backtest.ts";
import { prepareBacktest } from "../../../src/engine/prepare.ts";
import { type CandleSeries, sliceSeries } from "../../../src/model/candle.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { RunId } from "../../../src/ports/run-store.ts";
import type { Research } from "../../../src/research.ts";
import type { Actor } from "../../../src/services/desk/actor.ts";
import { parseInstrument, parseRun } from "../../../src/services/research/backtest-inputs.ts";
import type { ChartData, ChartWindow } from "../../../src/services/research/chart-data.ts";
import { decisionRecord } from "../../../src/services/research/decision-record.ts";
import type { RunRequest } from "../../../src/services/research/runs.ts";
import { parseConfig } from "../../../src/strategy/dca-atr/config.ts";
import {
  actorOf,
  aRequest,
  storeCandles,
  testResearch,
  walkCandles,
} from "../../support/research-case.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";

const LIMIT_MS = 30_000;
const CANDLES = 20_000;
let database: TestDatabase;
let research: Research;

beforeAll(async () => {
  database = await testDatabase();
  research = testResearch(database.sql, { pool: { threads: 1 } });
}, LIMIT_MS);

afterAll(async () => {
  await research.stop();
  await database.drop();
});

let people = 0;

async function somebody(): Promise<Actor> {
  people += 1;
  return await actorOf(database.sql, await testScope(database.sql, `views-${people}`, "trader"));
}

async function finished(actor: Actor, request: RunRequest): Promise<RunId> {
  const asked = await research.runs.request(actor, request);
  if (!asked.ok) throw new Error(asked.sentences.join("; "));
  const end = await research.runs.settled(actor.scope, asked.id, LIMIT_MS);
  expect(end?.status).toBe("finished");
  return asked.id;
}

async function chartOf(scope: Scope, id: RunId, window: ChartWindow): Promise<ChartData> {
  const found = await research.runs.chart(scope, id, window);
  if (!found.ok) throw new Error(found.detail);
  return found.value;
}

/** The same run computed here, candle by candle, with its decisions. */
function walked(series: CandleSeries, request: RunRequest): BacktestRun {
  const prepared = prepareBacktest({
    candles: series,
    funding: null,
    config: parseConfig(request.config),
    instrument: parseInstrument(request.instrument),
    run: parseRun(request.run),
  });
  return runBacktest(prepared, { decisions: true, trace: true });
}

describe("a chart", () => {
  const series = walkCandles(CANDLES);
  const request = aRequest();
  let actor: Actor;
  let id: RunId;
  let reference: BacktestRun;

  beforeAll(async () => {
    actor = await somebody();
    await storeCandles(database.sql, actor.scope, series);
    id = await finished(actor, request);
    reference = walked(series, request);
  });

  /** Indices of the traded candles of each bucket, by plain search. */
  function membersOf(chart: ChartData): number[][] {
    const { first, candles } = reference.prepared;
    return chart.at.map((at) => {
      const members: number[] = [];
      for (let i = first; i < candles.length; i++) {
        const openAt = candles.openAt[i]!;
        if (openAt >= at && openAt < at + chart.bucketMs) members.push(i);
      }
      return members;
    });
  }

  test("joins all candles into at most so many buckets and loses none", async () => {
    for (const buckets of [50, 333, 2000]) {
      const chart = await chartOf(actor.scope, id, { buckets });
      expect(chart.at.length).toBeLessThanOrEqual(buckets);
      expect(chart.at.length).toBeGreaterThan(buckets / 2);
      const members = membersOf(chart);
      expect(members.flat()).toHaveLength(reference.candles.count);
      const { open, high, low, close } = reference.prepared.candles;
      members.forEach((own, k) => {
        expect(chart.open[k]).toBe(open[own[0]!]!);
        expect(chart.high[k]).toBe(Math.max(...own.map((i) => high[i]!)));
        expect(chart.low[k]).toBe(Math.min(...own.map((i) => low[i]!)));
        expect(chart.close[k]).toBe(close[own.at(-1)!]!);
      });
    }
  });

  test("shows equity, its deepest drawdown and holding as they are at the bucket's end", async () => {
    const chart = await chartOf(actor.scope, id, { buckets: 200 });
    const { first, candles, request: asked } = reference.prepared;
    const { equity } = reference.trace!;
    const start = asked.run.initialBalance;
    const drawdowns = Array.from(equity, (value, k) => {
      const peak = equity.subarray(0, k + 1).reduce((a, b) => Math.max(a, b), start);
      return 1 - value / peak;
    });
    membersOf(chart).forEach((own, k) => {
      const last = own.at(-1)!;
      expect(chart.equity[k]).toBeCloseTo(equity[last - first]!, 2);
      expect(chart.drawdown[k]).toBeCloseTo(Math.max(...own.map((i) => drawdowns[i - first]!)), 4);
      const held = (start * candles.close[last]!) / candles.open[first]!;
      expect(chart.hold[k]).toBeCloseTo(held, 2);
    });
    expect(Math.max(...chart.drawdown)).toBeGreaterThan(0.005);
  });

  test("shows levels only while there is a position, and the trend as it is visible", async () => {
    const chart = await chartOf(actor.scope, id, { buckets: 400 });
    const { cycles } = reference.recorder;
    membersOf(chart).forEach((own, k) => {
      const last = own.at(-1)!;
      const closeAt = reference.prepared.candles.openAt[last]! + chart.timeframeMs;
      const open = cycles.find(
        ({ openedAt, closedAt }) =>
          openedAt < closeAt && (closedAt === null || closedAt >= closeAt),
      );
      if (!open)
        expect([chart.averageEntry[k], chart.takeProfit[k], chart.stop[k]]).toEqual([
          null,
          null,
          null,
        ]);
      else expect(chart.averageEntry[k]).not.toBeNull();
      const { trend } = reference.prepared.columns.valuesAt(last);
      expect(chart.trend[k]).toBeCloseTo(trend, 1);
    });
    expect(chart.averageEntry.some((level) => level !== null)).toBe(true);
    expect(chart.nextDca.some((level) => level !== null)).toBe(true);
    expect(chart.averageEntry.some((level) => level === null)).toBe(true);
  });

  test("groups the fills of a side and loses none", async () => {
    const { fills } = reference.recorder;
    for (const buckets of [50, 2000]) {
      const chart = await chartOf(actor.scope, id, { buckets });
      for (const side of ["buy", "sell"] as const) {
        const marks = chart.fills.filter((mark) => mark.side === side);
        const own = fills.filter((fill) => fill.side === side);
        expect(marks.reduce((sum, { count }) => sum + count, 0)).toBe(own.length);
        const alone = marks.filter(({ count }) => count === 1);
        for (const mark of alone) {
          const fill = own.find(({ at, cycle }) => at === mark.at && cycle === mark.cycle);
          expect([mark.price, mark.reason]).toEqual([fill!.price, fill!.reason]);
        }
      }
    }
  });

  test("of a part begins and ends there, in finer buckets, to single candles", async () => {
    const from = Date.UTC(2024, 1, 1);
    const part = { from, to: from + 6 * 3_600_000, buckets: 200 };
    const whole = await chartOf(actor.scope, id, { buckets: 200 });
    const chart = await chartOf(actor.scope, id, part);
    expect(chart.bucketMs).toBe(chart.timeframeMs);
    expect(chart.at[0]).toBe(from);
    expect(chart.at).toHaveLength(72);
    expect([chart.from, chart.to]).toEqual([whole.from, whole.to]);
    const k = (from - reference.candles.from) / chart.timeframeMs;
    expect(chart.equity[0]).toBeCloseTo(reference.trace!.equity[k]!, 2);
    expect(chart.fills.every(({ at }) => at >= part.from && at <= part.to)).toBe(true);
  });

  test("of a part measures drawdown from the peak before it", async () => {
    const { equity } = reference.trace!;
    let peak = 0;
    let lowest = 1;
    let deepest = 0;
    equity.forEach((value, k) => {
      peak = Math.max(peak, value);
      if (value / peak >= lowest) return;
      lowest = value / peak;
      deepest = k;
    });
    const from = reference.candles.from + deepest * 300_000;
    const chart = await chartOf(actor.scope, id, { from, to: from + 3_600_000, buckets: 50 });
    expect(chart.drawdown[0]).toBeCloseTo(1 - lowest, 4);
    expect(chart.drawdown[0]).toBeGreaterThan(0.005);
  });

  test("is refused with a sentence for too few buckets or a window elsewhere", async () => {
    const { runs } = research;
    for (const buckets of [0, 49, 2001, 60.5, Number.NaN]) {
      await expect(runs.chart(actor.scope, id, { buckets })).rejects.toThrow("buckets:");
    }
    const backwards = { from: 2, to: 1, buckets: 100 };
    await expect(runs.chart(actor.scope, id, backwards)).rejects.toThrow("to:");
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, 1.5]) {
      await expect(runs.chart(actor.scope, id, { from: odd, buckets: 100 })).rejects.toThrow(
        "from:",
      );
      await expect(runs.chart(actor.scope, id, { to: odd, buckets: 100 })).rejects.toThrow("to:");
    }
    const elsewhere = { from: 0, to: 1, buckets: 100 };
    await expect(runs.chart(actor.scope, id, elsewhere)).rejects.toThrow("outside the run");
  });

  test("is the same from a process that has to compute the run again", async () => {
    const fresh = testResearch(database.sql);
    const window = { buckets: 500 };
    const again = await fresh.runs.chart(actor.scope, id, window);
    expect(again).toEqual({ ok: true, value: await chartOf(actor.scope, id, window) });
    await fresh.stop();
  });

  test("the reason of a decision is the one of a run that walked every candle", async () => {
    let entries = 0;
    for (const fill of reference.recorder.fills.slice(0, 12)) {
      const at = fill.candleOpenAt - 300_000;
      const found = await research.runs.explain(actor.scope, id, at);
      expect(found).toEqual({ ok: true, value: decisionRecord(reference, at) });
      if (found.ok && found.value.decision.startsWith("entry_")) entries += 1;
    }
    expect(entries).toBeGreaterThan(0);
    const { from, to } = reference.candles;
    for (const at of [from - 1, to, Number.NaN]) {
      const outside = await research.runs.explain(actor.scope, id, at);
      expect(outside).toMatchObject({ ok: false, reason: "outside_window" });
    }
  });
});

test(
  "the JSON of 2000 buckets of a run that trades all the time stays below 300 KB",
  async () => {
    const actor = await somebody();
    await storeCandles(database.sql, actor.scope, walkCandles(60_000));
    const request = aRequest({
      config: {
        general: {
          ...{ use_indicator_consensus: false, entry_order_style: "market", allow_short: true },
          ...{ entry_cooldown_min: 0, exit_order_style: "market" },
        },
        exits: { tp_mode: "PCT", tp_pct: 0.1, sl_pct: 0.5 },
        bbands: { interval_min: 5, length: 5, dev_up: 0.1, dev_down: 0.1 },
        trend: { ma_interval_min: 5, ma_len: 20 },
        macd: { interval_min: 5 },
        rsi: { interval_min: 5 },
      },
      run: { timeframe_min: 5, from: Date.UTC(2024, 0, 15), to: Date.UTC(2024, 6, 20) },
    });
    const id = await finished(actor, request);
    const run = await research.runs.find(actor.scope, id);
    expect(run?.metrics?.fills).toBeGreaterThan(5000);
    const chart = await chartOf(actor.scope, id, { buckets: 2000 });
    expect(JSON.stringify(chart).length).toBeLessThan(300_000);
    const shown = chart.fills.reduce((sum, { count }) => sum + count, 0);
    expect(shown).toBe(run?.metrics?.fills ?? -1);
  },
  LIMIT_MS,
);

describe("history that is not what it was", () => {
  async function aRun() {
    const actor = await somebody();
    const series = walkCandles(CANDLES);
    const seriesId = await storeCandles(database.sql, actor.scope, series);
    const id = await finished(actor, aRequest());
    const look = async (on = research) => [
      await on.runs.chart(actor.scope, id, { buckets: 100 }),
      await on.runs.explain(actor.scope, id, Date.UTC(2024, 1, 1)),
    ];
    return { actor, series, seriesId, id, look };
  }
  const store = () => createCandleRepository(database.sql);

  test("later candles and candles before the warm-up change nothing", async () => {
    const { actor, look } = await aRun();
    const before = await look();
    const later = walkCandles(2000, { from: Date.UTC(2024, 3, 1) });
    await storeCandles(database.sql, actor.scope, later);
    await storeCandles(database.sql, actor.scope, walkCandles(100, { from: Date.UTC(2023, 0, 1) }));
    expect(await look()).toEqual(before);
    expect(before.every(({ ok }) => ok)).toBe(true);
  });

  test("one changed candle is noticed, by this process and by the next", async () => {
    const { actor, series, look } = await aRun();
    const i = 10_000;
    const changed = sliceSeries(series, i, i + 1);
    changed.volume[0]! += 1;
    await storeCandles(database.sql, actor.scope, changed);
    const fresh = testResearch(database.sql);
    for (const found of [...(await look()), ...(await look(fresh))]) {
      expect(found).toMatchObject({ ok: false, reason: "candles_changed" });
    }
    await fresh.stop();
  });

  test("a deleted series is noticed, and one imported again serves as before", async () => {
    const { actor, series, seriesId, look } = await aRun();
    const before = await look();
    await store().deleteSeries(actor.scope, seriesId);
    for (const found of await look()) {
      expect(found).toMatchObject({ ok: false, reason: "candles_gone" });
    }
    await storeCandles(database.sql, actor.scope, sliceSeries(series, 0, 9000));
    for (const found of await look()) {
      expect(found).toMatchObject({ ok: false, reason: "candles_gone" });
    }
    await storeCandles(database.sql, actor.scope, series);
    expect(await look()).toEqual(before);
  });

  test("a result that this version computes differently is not drawn as if it were the run", async () => {
    const { id, look } = await aRun();
    const other = "0".repeat(64);
    await database.sql`update run_documents set fills_sha256 = ${other} where run_id = ${id}`;
    for (const found of await look()) {
      expect(found).toMatchObject({ ok: false, reason: "candles_changed" });
      if (!found.ok) expect(found.detail).toContain("version");
    }
  });

  test("a run without a result has nothing to show", async () => {
    const { actor, id, look } = await aRun();
    await database.sql`
      update runs set status = 'failed', error = 'x', net_profit = null where id = ${id}`;
    for (const found of await look()) {
      expect(found).toMatchObject({ ok: false, reason: "not_finished" });
    }
    expect((await research.runs.find(actor.scope, id))?.status).toBe("failed");
  });
});
