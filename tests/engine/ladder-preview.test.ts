// The previewed ladder against the engine itself: on a candle that runs straight through, a backtest fills exactly
// what the preview says, at its prices and sizes, and ends where it says.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type LadderPreview,
  type LadderRequest,
  previewLadder,
} from "../../src/engine/ladder-preview.ts";
import { parseInstrument, parseRun } from "../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { type Played, play, type Scene } from "../support/scenario.ts";

/** A preview from documents, at 100 unless told. */
function preview(
  config: object,
  more: { instrument?: object; run?: object; side?: "long" | "short"; atr?: number } = {},
): LadderPreview {
  return previewLadder({
    config: parseConfig(config),
    instrument: parseInstrument({ price_tick: 0.01, qty_step: 0.001, ...more.instrument }),
    account: parseRun({ timeframe_min: 5, from: 0, to: 1, ...more.run }),
    side: more.side ?? "long",
    price: 100,
    atr: more.atr ?? -1,
  });
}

const FIXED = { initial_entry_sizing_mode: "fixed_usd", initial_entry_fixed_usd: 100 };
const OPEN_END = { sl_pct: 0, trail_distance_pct: 0, tp_mode: "PCT", tp_pct: 1 };
const brief = ({ rows }: LadderPreview): unknown[][] =>
  rows.map(({ rung, fate, price, qty }) => [rung, fate, price, qty]);

describe("the worked example", () => {
  test("prices, sizes, averages and take-profits are those of the rules", () => {
    const { rows, deepest, end } = preview(
      { general: { ...FIXED, max_entries: 4 }, exits: OPEN_END },
      { run: { leverage: 10 } },
    );
    expect(rows.map(({ price, qty }) => [price, qty])).toEqual([
      [100, 1],
      [99, 1],
      [97.51, 2],
      [94.56, 4], // 94.5648 rounded down
    ]);
    expect(rows.map(({ after }) => after?.average)).toEqual([100, 99.5, 98.505, 96.5325]);
    expect(rows.map(({ after }) => after?.takeProfit)).toEqual([101, 100.5, 99.5, 97.5]);
    expect(rows[3]?.after?.notional).toBeCloseTo(772.26, 8);
    expect(rows[3]?.after?.margin).toBeCloseTo(77.226, 8);
    expect(rows[3]?.distanceRatio).toBeCloseTo(-0.0544, 12);
    expect(deepest).toBe(rows[3] ?? null);
    expect(end).toBeNull();
  });

  test("a short mirrors it", () => {
    const general = { ...FIXED, max_entries: 3, allow_long: false, allow_short: true };
    const { rows } = preview(
      { general, exits: OPEN_END },
      { side: "short", run: { leverage: 10 } },
    );
    expect(rows.map(({ price, qty }) => [price, qty])).toEqual([
      [100, 1],
      [101, 1],
      [102.51, 2],
    ]);
    expect(rows[2]?.after?.takeProfit).toBe(100.48);
  });
});

describe("what does not fill", () => {
  test("a rung below the minimum is listed as skipped, with the size it would have had", () => {
    const general = { ...FIXED, max_entries: 3 };
    const found = preview({ general, exits: OPEN_END }, { instrument: { min_notional: 99.5 } });
    expect(brief(found)).toEqual([
      [0, "fills", 100, 1],
      [1, "below_min", 99, 1],
      [2, "fills", 98, 2],
    ]);
  });

  test("a skipped rung is measured from where the ladder is: the average, or the first fill", () => {
    const skipped = (use_avg_entry_for_dca_base: boolean) => {
      const general = { ...FIXED, max_entries: 3, use_avg_entry_for_dca_base };
      const config = { general, dca: { volume_multiplier: 1 }, exits: OPEN_END };
      return brief(preview(config, { instrument: { min_notional: 98.5 } }));
    };
    const filled = [
      [0, "fills", 100, 1],
      [1, "fills", 99, 1],
    ];
    expect(skipped(true)).toEqual([...filled, [2, "below_min", 97.51, 1]]);
    expect(skipped(false)).toEqual([...filled, [2, "below_min", 98, 1]]);
  });

  test("a first entry below the minimum leaves no ladder, and its size is told", () => {
    const found = preview({ general: FIXED }, { instrument: { min_qty: 2 } });
    expect([found.rows.length, found.entryQty, found.deepest]).toEqual([0, 1, null]);
  });

  test("margin refuses the first rung it does not carry, and nothing comes after", () => {
    // 1 + 1 + 2 carry 394.02 of 1000 at leverage 1; 4 more would need 772.26, 8 more 1497.
    const found = preview({ general: { ...FIXED, max_entries: 6 }, exits: OPEN_END });
    expect(found.rows.map(({ fate }) => fate)).toEqual([
      "fills",
      "fills",
      "fills",
      "fills",
      "no_margin",
    ]);
    expect(found.rows.at(-1)?.after).toBeNull();
    expect(found.deepest?.rung).toBe(3);
  });

  test("an entry the balance does not carry is the only row", () => {
    const general = { initial_entry_balance_pct: 100 };
    const found = preview({ general }, { run: { taker_fee: 0.01, maker_fee: 0.01 } });
    expect(found.rows.map(({ fate }) => fate)).toEqual(["no_margin"]);
  });

  test("rungs behind the stop are shown as if there were none, and do not count", () => {
    const exits = { ...OPEN_END, sl_pct: 3 };
    const found = preview(
      { general: { ...FIXED, max_entries: 4 }, exits },
      { run: { leverage: 5 } },
    );
    expect(found.rows.map(({ fate }) => fate)).toEqual(["fills", "fills", "fills", "after_stop"]);
    expect(found.rows[3]?.after?.average).toBeCloseTo(96.5325, 8);
    expect([found.end?.by, found.end?.price, found.deepest?.rung]).toEqual(["stop", 95.55, 2]);
    expect(found.end?.result).toBeCloseTo(4 * (95.55 - 98.505), 8);
  });

  test("a rung behind the liquidation price ends the ladder", () => {
    // 2 at 100 and 2 at 60 on 200: (80*4 - 200)/(4*0.995) = 30.15, above the next rung at 20.
    const general = {
      initial_entry_balance_pct: 100,
      use_avg_entry_for_dca_base: false,
      max_entries: 4,
    };
    const found = preview(
      { general, dca: { base_deviation_pct: 40, volume_multiplier: 1 }, exits: OPEN_END },
      { run: { initial_balance: 200, leverage: 20, maker_fee: 0 } },
    );
    expect(found.rows.map(({ fate }) => fate)).toEqual(["fills", "fills", "after_liquidation"]);
    expect([found.end?.by, found.deepest?.rung]).toEqual(["liquidation", 1]);
    expect(found.end?.price).toBeCloseTo(30.15075, 4);
  });

  test("a next price of zero ends the ladder early", () => {
    const general = { ...FIXED, max_entries: 4 };
    const found = preview({ general, dca: { base_deviation_pct: 60 }, exits: OPEN_END });
    expect([found.rows.length, found.isOutOfPrices]).toEqual([2, true]);
  });

  test("distances in ATR are left out while none is known", () => {
    const config = {
      general: FIXED,
      dca: { deviation_mode: "ATR" },
      exits: { sl_mode: "ATR", tp_mode: "ATR" },
    };
    const unknown = preview(config);
    expect([unknown.rows.length, unknown.needsAtr]).toEqual([1, true]);
    expect([unknown.rows[0]?.after?.takeProfit, unknown.rows[0]?.after?.stop]).toEqual([
      null,
      null,
    ]);
    const known = preview(config, { atr: 2 });
    expect(known.needsAtr).toBe(false);
    expect(known.rows[1]?.price).toBe(98);
    expect(known.rows[0]?.after?.takeProfit).toBe(120);
  });
});

type Group = Readonly<Record<string, unknown>>;

type Fall = {
  readonly side: "long" | "short";
  readonly config: { general: Group; dca: Group; exits: Group };
  readonly instrument: Group;
  readonly run: Group;
  /** Share of the way to nothing (for a short: to ten times the price). */
  readonly depth: number;
};

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const real = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const modes = pick("PCT", "ATR");

const FALLS: fc.Arbitrary<Fall> = fc.record({
  side: pick("long", "short"),
  config: fc.record({
    general: fc.record({
      max_entries: fc.integer({ min: 1, max: 10 }),
      initial_entry_sizing_mode: pick("fixed_usd", "pct_balance"),
      initial_entry_fixed_usd: fc.oneof(real(1, 2000), pick(10.05, 121)),
      initial_entry_balance_pct: real(0.5, 100),
      entry_order_style: pick("market", "limit", "maker_or_cancel"),
      exit_order_style: pick("market", "limit", "maker_or_cancel"),
      use_avg_entry_for_dca_base: fc.boolean(),
      lock_atr_on_entry_for_dca: fc.boolean(),
      dynamic_activation: fc.record({ dca_pct: pick(0, 0, 5) }),
    }),
    dca: fc.record({
      deviation_mode: modes,
      base_deviation_pct: real(0.1, 8),
      base_deviation_atr_mult: real(0.05, 4),
      deviation_multiplier: real(1, 2.5),
      volume_multiplier: real(1, 3),
    }),
    exits: fc.record({
      sl_mode: modes,
      sl_pct: pick(0, 0, 1, 5, 20, 60),
      sl_atr_mult: pick(0, 0, 1, 5, 20),
      tp_mode: modes,
      tp_pct: pick(0, 0.5, 3),
      tp_atr_mult: pick(0, 1, 10),
    }),
  }),
  instrument: fc.record({
    price_tick: pick(0.01, 0.1, 0.25, 1),
    qty_step: pick(0.001, 0.01, 0.1, 1),
    min_qty: pick(0, 0, 0.05, 2),
    min_notional: pick(0, 0, 10, 120),
    contract_size: pick(1, 1, 0.1, 10),
  }),
  run: fc.record({
    initial_balance: pick(200, 1000, 20_000),
    leverage: pick(1, 2, 5, 20),
    maker_fee: pick(0, 0.0002, -0.0001),
    taker_fee: pick(0, 0.0005, 0.002),
    slippage_bps: pick(0, 0, 3, 50),
  }),
  depth: pick(1, 1, 0.05, 0.2, 0.5, 0.9),
});

/** The signal candle has a range of 1, which with a period of 1 is the ATR. */
const ATR = 1;

function sceneOf({ side, config, instrument, run, depth }: Fall): Scene {
  const end = side === "long" ? 100 - 99.99 * depth : 100 + 900 * depth;
  const bar = [100, Math.max(100, end), Math.min(100, end), end] as const;
  return { bars: [bar], short: side === "short", ...config, instrument, run };
}

function requestOf(fall: Fall, played: Played): LadderRequest {
  const { config, instrument, run } = played.run.prepared.request;
  return { config, instrument, account: run, side: fall.side, price: 100, atr: ATR };
}

/** What happened in the whole sample, so that no case is missing from it. */
const seen = new Map<string, number>();
const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);

function compare(fall: Fall): void {
  const played = play(sceneOf(fall));
  const ladder = previewLadder(requestOf(fall, played));
  const sign = fall.side === "long" ? 1 : -1;
  const last = played.run.prepared.candles.close.at(-1) ?? 0;
  const isReached = (price: number) => sign * (price - last) >= 0;
  const expanding = played.run.recorder.fills.filter(({ reason }) => /^(ENTRY|DCA)/.test(reason));
  const rows = ladder.rows.filter(({ fate }) => fate === "fills");
  const reached = rows.slice(0, expanding.length);
  expect(expanding.map(({ reason, price, qty }) => [reason, price, qty])).toEqual(
    reached.map(({ rung, price, qty }) => [rung === 0 ? "ENTRY" : `DCA_${rung}`, price, qty]),
  );
  const isWhole = reached.length === rows.length;
  if (!isWhole) expect(isReached(played.resting["rung"] ?? Number.NaN)).toBe(false);
  for (const { fate } of ladder.rows) count(fate);
  const exit = played.run.recorder.fills.at(-1);
  if (isWhole && ladder.end && isReached(ladder.end.price)) {
    expect(exit?.reason).toMatch(ladder.end?.by === "stop" ? /^SL_/ : /^LIQUIDATION$/);
    expect(exit?.pathPrice).toBe(ladder.end?.price ?? Number.NaN);
    count(ladder.end?.by ?? "");
    return;
  }
  const deepest = reached.at(-1)?.after;
  if (!deepest) return;
  expect(played.resting["take_profit"] ?? null).toBe(deepest.takeProfit);
  expect(played.resting["protective_stop"] ?? null).toBe(deepest.stop);
  expect(played.run.state.position.average).toBe(deepest.average);
  count("still open");
}

test("a path straight through all rungs fills in a backtest what the preview shows, and ends there", () => {
  fc.assert(fc.property(FALLS, compare), { numRuns: 4000, seed: 7 });
  for (const what of ["fills", "below_min", "no_margin", "after_stop", "after_liquidation"]) {
    expect([what, (seen.get(what) ?? 0) >= 20]).toEqual([what, true]);
  }
  for (const what of ["stop", "liquidation", "still open"]) {
    expect([what, (seen.get(what) ?? 0) >= 20]).toEqual([what, true]);
  }
}, 120_000);
