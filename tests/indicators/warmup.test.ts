// Warm-up minutes of each indicator kind and where history starts (E11).
import { expect, test } from "bun:test";
import { historyStart, warmupMinutes } from "../../src/indicators/warmup.ts";

const at = (iso: string) => Date.parse(iso);

test("E11 every kind has its own span, plus one base bar", () => {
  const one = (need: Parameters<typeof warmupMinutes>[0][number]) => warmupMinutes([need], 5);
  expect(one({ kind: "average", type: "Sma", length: 200, intervalMin: 120 })).toBe(24_005);
  expect(one({ kind: "average", type: "Ema", length: 200, intervalMin: 120 })).toBe(96_005);
  expect(one({ kind: "bollinger", type: "Sma", length: 20, intervalMin: 60 })).toBe(1_205);
  expect(one({ kind: "bollinger", type: "Ema", length: 20, intervalMin: 60 })).toBe(4_805);
  expect(one({ kind: "macd", slow: 26, signal: 7, intervalMin: 360 })).toBe(47_525);
  expect(one({ kind: "rsi", length: 14, intervalMin: 1440 })).toBe(172_805);
  expect(one({ kind: "atr", length: 14 })).toBe(605);
});

test("E11 the largest need counts: by default the daily RSI, 120 days", () => {
  const needed = warmupMinutes(
    [
      { kind: "average", type: "Sma", length: 200, intervalMin: 120 },
      { kind: "bollinger", type: "Sma", length: 20, intervalMin: 60 },
      { kind: "macd", slow: 26, signal: 7, intervalMin: 360 },
      { kind: "rsi", length: 14, intervalMin: 1440 },
      { kind: "atr", length: 14 },
    ],
    5,
  );
  expect(needed).toBe(120 * 1440 + 5);
});

test("E11 history starts at 00:00 UTC of the day that contains from - needed", () => {
  const from = at("2024-01-10T00:00Z");
  expect(historyStart(from, 1440, 1440)).toBe(at("2024-01-09T00:00Z"));
  expect(historyStart(from, 1445, 1440)).toBe(at("2024-01-08T00:00Z"));
});

test("E11 an interval above one day moves the start to the Monday of that week", () => {
  expect(historyStart(at("2024-01-10T00:00Z"), 1445, 2880)).toBe(at("2024-01-08T00:00Z"));
  expect(historyStart(at("2024-01-08T00:00Z"), 5, 10080)).toBe(at("2024-01-01T00:00Z"));
});

test("a need of no minutes is refused, because the gate's interval 0 was not resolved", () => {
  const gate = {
    kind: "average",
    type: "Ema",
    length: 200,
    intervalMin: 0,
  } as const;
  expect(() => warmupMinutes([gate], 5)).toThrow("average warm-up of 0 min");
});
