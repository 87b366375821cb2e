// The bit sets that wake an idle strategy against the flags and the decision itself, on every candle of generated
// cases; and the votes, latch and directions of single closes.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { gridOf } from "../../src/model/instrument.ts";
import { createDcaAtr } from "../../src/strategy/dca-atr/dca-atr.ts";
import { decideEntry } from "../../src/strategy/dca-atr/entry.ts";
import { nextSet } from "../../src/strategy/dca-atr/signal-bits.ts";
import {
  GATE_LONG,
  GATE_SHORT,
  READY,
  SIGNAL_LONG,
  SIGNAL_SHORT,
  TREND_LONG,
  TREND_SHORT,
} from "../../src/strategy/dca-atr/signal-flags.ts";
import { initialDcaAtrState } from "../../src/strategy/dca-atr/state.ts";
import type { CandleClosed } from "../../src/strategy/strategy.ts";
import { generateCase } from "../oracle/cases.ts";
import { runCase } from "../support/engine-case.ts";

const SEEDS = Array.from({ length: 300 }, (_, i) => i + 1);

const LONG = READY | TREND_LONG | SIGNAL_LONG | GATE_LONG;
const SHORT = READY | TREND_SHORT | SIGNAL_SHORT | GATE_SHORT;

const isSet = (bits: Uint32Array, i: number) => ((bits[i >>> 5] ?? 0) & (1 << (i & 31))) !== 0;

const preparedOf = (seed: number) => runCase(generateCase(seed)).prepared;

describe("entry bits", () => {
  test("equal the flags of their direction on every candle, where it is allowed", () => {
    let longs = 0;
    let shorts = 0;
    for (const seed of SEEDS) {
      const { bits, columns, candles, request } = preparedOf(seed);
      const { allow_long, allow_short } = request.config.general;
      for (let i = 0; i < candles.length; i++) {
        const flags = columns.flagsAt(i);
        const long = allow_long && (flags & LONG) === LONG;
        const short = allow_short && (flags & SHORT) === SHORT;
        if (isSet(bits.long, i) !== long || isSet(bits.short, i) !== short) {
          throw new Error(`seed ${seed}, candle ${i}: flags ${flags}`);
        }
        longs += long ? 1 : 0;
        shorts += short ? 1 : 0;
      }
    }
    expect(Math.min(longs, shorts)).toBeGreaterThan(1000);
  });

  test("hold every candle at which the entry decision finds a direction, and its direction", () => {
    let decided = 0;
    for (const seed of SEEDS) {
      const { bits, columns, candles, request } = preparedOf(seed);
      const instrument = { ...request.instrument, qtyStep: 1e-9, minQty: 0, minNotional: 0 };
      const { context } = createDcaAtr(request.config, instrument);
      for (let i = 0; i < candles.length; i++) {
        const event: CandleClosed = {
          kind: "candle_closed",
          at: 0,
          openAt: 0,
          close: candles.close[i] ?? 0,
          reachedHigh: 0,
          reachedLow: 0,
          signals: columns.flagsAt(i),
          atr: -1,
          mayEnter: true,
        };
        const order = decideEntry(context, initialDcaAtrState(), event, 1e6);
        const long = isSet(bits.long, i);
        if (!order) {
          // A refused long is not tried as a short (gate), so only a short's bit may be left over.
          if (long) throw new Error(`seed ${seed}, candle ${i}: a bit without a decision`);
          continue;
        }
        decided += 1;
        const found = order.positionSide === "long" ? long : isSet(bits.short, i) && !long;
        if (!found) throw new Error(`seed ${seed}, candle ${i}: ${order.positionSide} has no bit`);
      }
    }
    expect(decided).toBeGreaterThan(2000);
  });

  test("the next set bit is the first at or after, or the end", () => {
    const flags = fc.array(fc.boolean(), { maxLength: 150, size: "max" });
    const place = fc.nat(160);
    fc.assert(
      fc.property(flags, place, place, (set, a, b) => {
        const bits = new Uint32Array((set.length + 31) >>> 5);
        set.forEach((on, i) => {
          if (on) bits[i >>> 5] = (bits[i >>> 5] ?? 0) | (1 << (i & 31));
        });
        const from = Math.min(a, set.length);
        const to = Math.min(b, set.length);
        const expected = set.findIndex((on, i) => on && i >= from && i < to);
        expect(nextSet(bits, from, to)).toBe(expected < 0 ? to : expected);
      }),
      { numRuns: 2000 },
    );
  });
});

test("flags do not depend on the order in which candles are asked for", () => {
  for (const seed of SEEDS.slice(0, 40)) {
    const { columns, candles } = preparedOf(seed);
    const forwards = Array.from({ length: candles.length }, (_, i) => columns.flagsAt(i));
    for (let i = candles.length - 1; i >= 0; i -= 7) {
      expect(columns.flagsAt(i)).toBe(forwards[i] ?? -1);
    }
  }
});

test("a lot step of a billionth is a grid, so that the decisions above are never too small", () => {
  expect(gridOf(1e-9, "step").decimals).toBe(9);
});
