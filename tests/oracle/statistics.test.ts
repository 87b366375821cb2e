// What 300 generated cases exercise, and identities that every result must satisfy. A generator
// that stops reaching a rule makes the comparison with the production engine blind, so it fails.

import { beforeAll, describe, expect, test } from "bun:test";
import { type GeneratedCase, generateCase } from "./cases.ts";
import { runOracle } from "./oracle.ts";
import type { Fill, Result } from "./types.ts";

const SEEDS = 300;
const LEAST = 10;
const runs: { seed: number; given: GeneratedCase; result: Result }[] = [];

beforeAll(() => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const given = generateCase(seed);
    runs.push({ seed, given, result: runOracle(given) });
  }
});

type Knobs = {
  exit_order_style: string;
  dynamic_activation: { entry_pct: number; dca_pct: number; tp_pct: number };
};

// The names of everything one case exercised, one entry per occurrence.
function occurrences({
  given,
  result,
}: {
  given: GeneratedCase;
  result: Result;
}): string[] {
  const general = given.config.general as Knobs;
  const seen = result.fills.flatMap((fill) => [
    fill.reason,
    fill.position_side,
    fill.liquidity,
    ...onFill(fill, general, Number(given.run.timeframe_min) * 60_000),
  ]);
  const { rejections, decisions, ledger, warmup } = result;
  for (const [name, count] of Object.entries({ ...rejections, ...decisions })) {
    for (let i = 0; i < count; i++) seen.push(name);
  }
  for (const cycle of result.cycles) {
    if (cycle.closed_at === null) seen.push("END_OF_DATA");
    if (cycle.funding !== 0) seen.push("funding");
  }
  if (ledger.writeoff > 0) seen.push("writeoff");
  seen.push(warmup.short ? "short warm-up" : "full warm-up");
  return seen;
}

function onFill(fill: Fill, general: Knobs, barMs: number): string[] {
  const { entry_pct, dca_pct, tp_pct } = general.dynamic_activation;
  const isTp = fill.reason.startsWith("TP_");
  const band = isTp
    ? tp_pct
    : fill.reason.startsWith("DCA_")
      ? dca_pct
      : entry_pct;
  const banded = (isTp || /^(DCA_|ENTRY)/.test(fill.reason)) && band > 0;
  const crossed = fill.liquidity === "taker" && fill.t !== fill.bar_open_at;
  const postOnlyTp = isTp && general.exit_order_style === "maker_or_cancel";
  const names = [`quarter ${((fill.t - fill.bar_open_at) / barMs) * 4}`];
  if (banded) names.push("fill of a banded order");
  if (banded && crossed && !postOnlyTp) names.push("activated already crossed");
  // A post-only take-profit is always maker unless its timeout turned it into a market exit.
  if (postOnlyTp && fill.liquidity === "taker") names.push("exit timeout");
  return names;
}

describe("300 generated cases", () => {
  test("reach every kind of fill, refusal, timeout and band in ten different cases", () => {
    const counts: Record<string, number> = {};
    for (const run of runs) {
      // Per case: one case that repeats a refusal all day would prove little.
      for (const name of new Set(occurrences(run)))
        counts[name] = (counts[name] ?? 0) + 1;
    }
    const wanted = [
      "ENTRY",
      "DCA_1",
      "DCA_2",
      "DCA_3",
      "DCA_4",
      "DCA_5",
      "DCA_6",
      "TP_PCT",
      "TP_ATR",
      "SL_PCT",
    ];
    wanted.push(
      "SL_ATR",
      "TRAILING_EXIT",
      "LIQUIDATION",
      "OPPOSITE_SIGNAL",
      "END_OF_DATA",
    );
    wanted.push(
      "LONG",
      "SHORT",
      "maker",
      "taker",
      "entry_margin",
      "rung_margin",
    );
    wanted.push(
      "entry_below_min",
      "rung_below_min",
      "entry_timeout",
      "entry_flipped",
    );
    wanted.push(
      "exit timeout",
      "cooldown",
      "not_ready",
      "trend",
      "ma_gate",
      "funding",
    );
    wanted.push(
      "fill of a banded order",
      "activated already crossed",
      "short warm-up",
    );
    wanted.push(
      "full warm-up",
      "quarter 0",
      "quarter 1",
      "quarter 2",
      "quarter 3",
      "quarter 4",
    );
    const rare = wanted.filter((name) => (counts[name] ?? 0) < LEAST);
    expect(rare.map((name) => `${name}: ${counts[name] ?? 0}`)).toEqual([]);
    expect(counts.writeoff ?? 0).toBeGreaterThan(0);
  });

  test("usually yield several cycles", () => {
    const several = runs.filter(
      ({ result }) => result.cycles.length >= 2,
    ).length;
    expect(several).toBeGreaterThan(SEEDS * 0.75);
  });

  test("satisfy the equity identity and the per-cycle sums (E56)", () => {
    for (const { seed, given, result } of runs) {
      const { ledger, cycles, fills, metrics } = result;
      const open = cycles.find((cycle) => cycle.closed_at === null);
      const unrealised =
        open === undefined ? 0 : open.net + open.fees - open.funding;
      const booked =
        ledger.realised + ledger.fees + ledger.funding + ledger.writeoff;
      const initial = Number(given.run.initial_balance);
      const expected = initial + booked + unrealised;
      expect(
        Math.abs(result.equity_end - expected),
        `seed ${seed}`,
      ).toBeLessThan(1e-6 * initial);
      for (const cycle of cycles) {
        const own = fills.filter((fill) => fill.cycle === cycle.cycle);
        const grown = own
          .slice(0, cycle.entries)
          .reduce((sum, fill) => sum + fill.qty, 0);
        const fees = own.reduce((sum, fill) => sum + fill.fee, 0);
        expect(own.length).toBe(
          cycle.entries + (cycle.closed_at === null ? 0 : 1),
        );
        expect(grown).toBeCloseTo(cycle.qty, 6);
        expect(fees).toBeCloseTo(cycle.fees, 6);
        expect(cycle.mae <= 0 && cycle.mfe >= 0).toBe(true); // E30
      }
      const values = Object.values(metrics).filter(
        (value) => typeof value === "number",
      );
      expect(values.every(Number.isFinite), `seed ${seed}`).toBe(true);
    }
  });

  test("keep every fill inside its bar but for slippage and one tick", () => {
    for (const { seed, given, result } of runs) {
      const slip = Number(given.run.slippage_bps) / 10_000;
      const tick = Number(given.instrument.price_tick) * (1 + 1e-6);
      const { t, h, l } = given.candles;
      const rowAt = new Map(t.map((time, i) => [time, i]));
      for (const fill of result.fills) {
        const row = rowAt.get(fill.bar_open_at) ?? -1;
        const high = (h[row] ?? Number.NaN) * (1 + slip) + tick;
        const low = (l[row] ?? Number.NaN) * (1 - slip) - tick;
        expect(
          fill.price <= high && fill.price >= low,
          `seed ${seed} at ${fill.t}`,
        ).toBe(true);
      }
    }
  });
});
