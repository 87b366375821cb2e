// Properties that hold for every run: the future changes nothing in the past, long and short mirror each
// other, the ledger adds up, the same request gives the same bits, incremental and columnar signals agree.
import { describe, expect, test } from "bun:test";
import { runBacktest } from "../../src/engine/backtest.ts";
import { ColumnCache } from "../../src/engine/column-cache.ts";
import { prepareBacktest } from "../../src/engine/prepare.ts";
import { resultDocument } from "../../src/services/research/backtest-result.ts";
import { SignalFeed } from "../../src/strategy/dca-atr/signal-feed.ts";
import { generateCase } from "../oracle/cases.ts";
import { type CaseDocuments, runCase } from "../support/engine-case.ts";

const SEEDS = Array.from({ length: 400 }, (_, i) => i + 1);

type Run = { from: number; to: number; timeframe_min: number; initial_balance?: number };

function runOf(documents: CaseDocuments): Run {
  return documents.run as Run;
}

/** The case without the candles opened at or after an instant. */
function cutAt(documents: CaseDocuments, at: number): CaseDocuments {
  const n = documents.candles.t.filter((t) => t < at).length;
  const cut = (column: number[]) => column.slice(0, n);
  const { t, o, h, l, c, v } = documents.candles;
  return {
    ...documents,
    candles: { t: cut(t), o: cut(o), h: cut(h), l: cut(l), c: cut(c), v: cut(v) },
  };
}

describe("every run", () => {
  test("has a past that candles appended later do not change", () => {
    let compared = 0;
    for (const seed of SEEDS) {
      const documents = generateCase(seed);
      const run = runOf(documents);
      const traded = documents.candles.t.filter((t) => t >= run.from && t < run.to);
      const at = traded[Math.floor(traded.length * 0.6)];
      if (at === undefined || at <= run.from) continue;
      const whole = resultDocument(runCase(documents)).fills;
      const short = resultDocument(runCase(cutAt(documents, at))).fills;
      const past = whole.filter((fill) => fill.bar_open_at < at);
      // Only the decision at the very last close may differ: it is not taken (rule E12).
      const last = traded[Math.floor(traded.length * 0.6) - 1] ?? 0;
      const closing = last + run.timeframe_min * 60_000;
      expect(short).toEqual(past.filter((fill) => fill.t !== closing || fill.reason !== "ENTRY"));
      compared += past.length;
    }
    expect(compared).toBeGreaterThan(2000);
  });

  test("adds up: end equity = start + realised + fees + funding + writeoff + open profit", () => {
    for (const seed of SEEDS) {
      const documents = generateCase(seed);
      const run = runCase(documents);
      const { realised, fees, funding, writeoff } = run.state.ledger;
      const start = run.prepared.request.run.initialBalance;
      const sum = start + realised + fees + funding + writeoff + run.unrealised;
      expect(Math.abs(sum - run.equityEnd)).toBeLessThan(1e-9 * Math.max(1, start));
      const nets = run.recorder.cycles.reduce((total, cycle) => total + cycle.net, 0);
      expect(Math.abs(start + nets + writeoff - run.equityEnd)).toBeLessThan(1e-8 * start);
    }
  });

  test("gives the same bits again", () => {
    for (const seed of SEEDS.slice(0, 100)) {
      const first = JSON.stringify(resultDocument(runCase(generateCase(seed))));
      expect(JSON.stringify(resultDocument(runCase(generateCase(seed))))).toBe(first);
    }
  });

  test("gives the same bits with indicator columns kept from another run", () => {
    const cache = new ColumnCache(4);
    for (const seed of SEEDS.slice(0, 60)) {
      const { request } = runCase(generateCase(seed)).prepared;
      const costly = { ...request, run: { ...request.run, takerFee: 0.01 } };
      const cold = JSON.stringify(resultDocument(runBacktest(prepareBacktest(request))));
      runBacktest(prepareBacktest(costly, cache));
      const warm = prepareBacktest(request, cache);
      expect(warm.columns).toBe(prepareBacktest(costly, cache).columns);
      expect(JSON.stringify(resultDocument(runBacktest(warm)))).toBe(cold);
      const other = { ...request.config, rsi: { ...request.config.rsi, length: 9 } };
      const changed = prepareBacktest({ ...request, config: other }, cache);
      expect(changed.columns).not.toBe(warm.columns);
    }
  });

  test("has an engine state that is plain JSON", () => {
    for (const seed of SEEDS.slice(0, 50)) {
      const { state } = runCase(generateCase(seed));
      expect(JSON.parse(JSON.stringify(state))).toEqual(state as never);
    }
  });
});

describe("indicators", () => {
  test("say the same candle by candle as in columns, on every candle of every case", () => {
    let compared = 0;
    for (const seed of SEEDS) {
      const { candles, columns, request } = runCase(generateCase(seed)).prepared;
      const feed = new SignalFeed(request.config, request.run.timeframeMin);
      for (let i = 0; i < candles.length; i++) {
        const flags = feed.push({
          openAt: candles.openAt[i]!,
          open: candles.open[i]!,
          high: candles.high[i]!,
          low: candles.low[i]!,
          close: candles.close[i]!,
          volume: candles.volume[i]!,
        });
        if (flags !== columns.flagsAt(i) || feed.atr !== columns.atrAt(i)) {
          throw new Error(`seed ${seed}, candle ${i}: ${flags} and ${columns.flagsAt(i)}`);
        }
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(100_000);
  });
});

/** Prices mirrored around a pivot: what rises falls. Both directions of a config swap places. */
function mirrored(documents: CaseDocuments, pivot: number): CaseDocuments {
  const flip = (x: number) => pivot - x;
  const { t, o, h, l, c, v } = documents.candles;
  return {
    ...documents,
    candles: { t, o: o.map(flip), h: l.map(flip), l: h.map(flip), c: c.map(flip), v },
    config: swapSides(documents.config),
  };
}

function swapSides(config: object): object {
  const source = config as Record<string, Record<string, unknown>>;
  const general = { ...source["general"] };
  const { allow_long, allow_short } = general;
  return {
    ...source,
    general: { ...general, allow_long: allow_short, allow_short: allow_long },
  };
}

/** A case whose distances are in ATR and sizes in lots, so that it mirrors exactly around a pivot. */
function symmetricCase(seed: number, style: string): CaseDocuments {
  let state = seed * 2654435761;
  const next = () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) >>> 0;
    return state / 2 ** 32;
  };
  const candles = { t: [], o: [], h: [], l: [], c: [], v: [] } as CaseDocuments["candles"];
  let price = 1000;
  for (let i = 0; i < 400; i++) {
    const open = price;
    const close = Math.round(open + (next() - 0.5) * 12);
    candles.t.push(i * 300_000);
    candles.o.push(open);
    candles.h.push(Math.max(open, close) + Math.floor(next() * 5));
    candles.l.push(Math.min(open, close) - Math.floor(next() * 5) - (i % 3 === 0 ? 1 : 0));
    candles.c.push(close);
    candles.v.push(1);
    price = close;
  }
  return {
    candles,
    config: {
      general: {
        initial_entry_sizing_mode: "fixed_usd",
        use_indicator_consensus: false,
        entry_order_style: style,
        exit_order_style: style,
        entry_cooldown_min: 0,
        max_entries: 3,
        allow_long: true,
        allow_short: false,
      },
      exits: { sl_mode: "ATR", sl_atr_mult: 4, tp_mode: "ATR", tp_atr_mult: 3, atr_period: 3 },
      dca: { deviation_mode: "ATR", base_deviation_atr_mult: 1, volume_multiplier: 1 },
      trend: { enabled: false },
      bbands: { interval_min: 5, length: 5, dev_up: 1, dev_down: 1 },
      macd: { interval_min: 5, fast: 2, slow: 4, signal: 2 },
      rsi: { interval_min: 5, length: 3 },
    },
    // One lot for every price: the size rule divides by the price, which does not mirror.
    instrument: { price_tick: 1, qty_step: 0.07 },
    run: {
      timeframe_min: 5,
      from: 86_400_000 / 2,
      to: 400 * 300_000,
      initial_balance: 1_000_000,
      maker_fee: 0,
      taker_fee: 0,
      fill_model: seed % 2 === 0 ? "path" : "pessimistic",
    },
  };
}

describe("long and short", () => {
  for (const style of ["market", "limit", "maker_or_cancel"]) {
    test(`mirror each other with style ${style}: same times, reasons and results`, () => {
      let fills = 0;
      for (let seed = 1; seed <= 40; seed++) {
        const documents = symmetricCase(seed, style);
        const long = resultDocument(runCase(documents));
        const short = resultDocument(runCase(mirrored(documents, 2000)));
        const view = (result: typeof long) =>
          result.fills.map((fill) => [fill.t, fill.reason, fill.liquidity, fill.cycle, fill.qty]);
        expect(view(short)).toEqual(view(long));
        long.fills.forEach((fill, i) => {
          expect(short.fills[i]?.price).toBe(2000 - fill.price);
          expect(short.fills[i]?.side).not.toBe(fill.side);
        });
        long.cycles.forEach((cycle, i) => {
          expect(Math.abs(cycle.net - (short.cycles[i]?.net ?? Number.NaN))).toBeLessThan(1e-9);
        });
        fills += long.fills_count;
      }
      expect(fills).toBeGreaterThan(500);
    });
  }
});
