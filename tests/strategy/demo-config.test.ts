// The demo's configuration on the prices that the demo exchange invents, over a fixed set of seeds: how long somebody
// waits for the first fill, and that a fortnight neither ruins the account nor passes without trades.
import { expect, test } from "bun:test";
import { wantedFrom, prepareBacktest } from "../../src/engine/prepare.ts";
import { runBacktest } from "../../src/engine/backtest.ts";
import { type CandleSeries, emptySeries } from "../../src/model/candle.ts";
import { DAY_MS, MINUTE_MS } from "../../src/model/time.ts";
import { parseInstrument, parseRun } from "../../src/services/research/backtest-inputs.ts";
import { resultDocument } from "../../src/services/research/backtest-result.ts";
import { checkIntervals } from "../../src/strategy/dca-atr/config.ts";
import { demoConfig, DEMO_TIMEFRAME_MIN } from "../../src/strategy/dca-atr/demo-config.ts";
import { nextSet } from "../../src/strategy/dca-atr/signal-bits.ts";
import { configWarnings } from "../../src/strategy/dca-atr/warnings.ts";
import { createInstrument } from "../../src/venue/instrument.ts";
import { DEFAULT_MARKETS, type MarketSettings } from "../../src/venue/settings.ts";
import { createWalk } from "../../src/venue/walk.ts";

const SEEDS = [7919, 15838, 23757, 31676, 39595, 47514, 55433, 63352];
const FROM = Date.UTC(2026, 5, 1);
const DAYS = 15;
/** From the wish to the first decision: lease, comparison with the exchange, history. */
const START_MS = 8000;
/** From the close of a candle to the fill: candles are asked for with every tick. */
const REACT_MS = 4000;
/** A candle that closed so recently is still decided upon. */
const FRESH_MS = 15_000;

function marketOf([market]: readonly MarketSettings[]) {
  if (market?.feed.kind !== "generator") throw new Error("the demo exchange invents no prices");
  return { spec: market.instrument, feed: { ...market.feed, anchorAt: Date.UTC(2025, 0, 1) } };
}
const { spec, feed } = marketOf(DEFAULT_MARKETS);

/** Minutes of the walk of a seed, as the demo exchange tells them. */
function candlesOf(seed: number): CandleSeries {
  const walk = createWalk(feed, createInstrument(spec), seed, FROM);
  const series = emptySeries(DAYS * 1440);
  const price = (ticks: number) => Number((ticks * Number(spec.quoteTick)).toFixed(1));
  for (let i = 0; i < series.length; i++) {
    const { openAt, open, high, low, close, lots } = walk.candleAt(FROM + i * MINUTE_MS);
    series.openAt[i] = openAt;
    series.open[i] = price(open);
    series.high[i] = price(high);
    series.low[i] = price(low);
    series.close[i] = price(close);
    series.volume[i] = lots;
  }
  return series;
}

const RUN = parseRun({
  timeframe_min: DEMO_TIMEFRAME_MIN,
  from: FROM + DAY_MS,
  to: FROM + DAYS * DAY_MS,
  initial_balance: 10_000,
  leverage: 5,
});
const prepared = SEEDS.map((seed) =>
  prepareBacktest({
    candles: candlesOf(seed),
    funding: null,
    config: demoConfig(),
    instrument: parseInstrument({
      price_tick: Number(spec.quoteTick),
      qty_step: Number(spec.baseTick),
      min_qty: Number(spec.baseMin),
      min_notional: Number(spec.minNotional),
    }),
    run: RUN,
  }),
);

/** Seconds from the wish to the fill, for starts at every phase of a minute all over the fortnight. */
function waits(): number[] {
  const found: number[] = [];
  for (const { candles, bits, first } of prepared) {
    const end = candles.length;
    for (let start = 0; start < 2000; start++) {
      const wishMs =
        (first + ((start * 7) % (end - first - 60))) * MINUTE_MS + ((start * 997) % 60_000);
      const readyMs = wishMs + START_MS;
      // The first candle it decides on: the next to close, or the last one while it is fresh.
      const from = Math.ceil((readyMs - FRESH_MS) / MINUTE_MS) - 1;
      const candle = Math.min(nextSet(bits.long, from, end), nextSet(bits.short, from, end));
      const closeMs = (candle + 1) * MINUTE_MS;
      found.push((Math.max(readyMs, closeMs) + REACT_MS - wishMs) / 1000);
    }
  }
  return found.sort((a, b) => a - b);
}

test("half of the starts see a fill within a minute, nineteen of twenty within 100 seconds", () => {
  const found = waits();
  const share = (part: number) => found[Math.floor(part * found.length)] ?? Number.NaN;
  expect(found).toHaveLength(SEEDS.length * 2000);
  expect(share(0.5)).toBeLessThanOrEqual(60);
  expect(share(0.95)).toBeLessThanOrEqual(100);
});

test("a fortnight trades every day, loses a few percent at most and never stands still", () => {
  for (const [index, each] of prepared.entries()) {
    const { metrics } = resultDocument(runBacktest(each));
    const told = [SEEDS[index], metrics.net_return, metrics.cycles];
    expect([...told, Math.abs(metrics.net_return) < 0.05]).toEqual([...told, true]);
    expect(metrics.max_drawdown).toBeLessThan(0.06);
    expect([...told, metrics.cycles > 14 * 10]).toEqual([...told, true]);
    expect(metrics.dca_fills).toBeGreaterThan(100);
    expect(metrics.exposure).toBeGreaterThan(0.5);
  }
});

test("it fits its timeframe, has nothing to warn about and wants history of a day at most", () => {
  const config = demoConfig();
  checkIntervals(config, DEMO_TIMEFRAME_MIN);
  expect(configWarnings(config, null)).toEqual([]);
  const noon = FROM + DAY_MS / 2;
  expect(wantedFrom(config, { timeframeMin: DEMO_TIMEFRAME_MIN, from: noon })).toBe(FROM);
});
