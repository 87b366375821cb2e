// Limits of loss to the unit, what is not known, and latches over midnight, restart and reset.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Decimal, decimal } from "../../src/model/decimal.ts";
import { DAY_MS } from "../../src/model/time.ts";
import {
  EMPTY_LATCH,
  type Figure,
  FIGURE_FRESH_MS,
  judgeLimits,
  type LimitLatch,
  type LossFigures,
  type LossLimits,
  peakEquity,
  resetTrips,
} from "../../src/risk/account-limits.ts";

const NOON = Date.UTC(2026, 0, 5, 12);
const NO_LIMITS: LossLimits = {
  maxDailyLossUsd: null,
  maxTotalLossUsd: null,
  maxDrawdownPct: null,
};

const limits = (change: Partial<Record<keyof LossLimits, string>>): LossLimits => {
  const given = Object.entries(change).map(([key, value]) => [key, decimal(value)]);
  return { ...NO_LIMITS, ...Object.fromEntries(given) };
};
const figure = (value: string | null, at = NOON): Figure | null =>
  value === null ? null : { value: decimal(value), at };
const figures = (
  today: string | null,
  total: string | null = today,
  equity: string | null = "1000",
  at = NOON,
): LossFigures => ({
  today: figure(today, at),
  total: figure(total, at),
  equity: figure(equity, at),
  gap: null,
});
const kinds = (trips: LimitLatch["trips"]) => trips.map(({ kind }) => kind);

const DAILY = limits({ maxDailyLossUsd: "50" });
const TOTAL = limits({ maxTotalLossUsd: "500" });
const DRAWDOWN = limits({ maxDrawdownPct: "20" });

describe("a limit of loss", () => {
  for (const [name, set, one, reached] of [
    ["of the day", DAILY, "-49.99999999", "-50"],
    ["in total", TOTAL, "-499.99999999", "-500"],
  ] as const) {
    test(`${name} holds nothing back one unit before it is reached`, () => {
      const verdict = judgeLimits(set, figures(one), EMPTY_LATCH, NOON);
      expect(verdict.blocks).toEqual([]);
      expect(verdict.latch.trips).toEqual([]);
    });

    test(`${name} is reached at exactly its amount, and says so once`, () => {
      const first = judgeLimits(set, figures(reached), EMPTY_LATCH, NOON);
      expect(first.tripped).toHaveLength(1);
      expect(first.blocks[0]).toContain(
        `${reached.slice(1)}.00 USD of ${reached.slice(1)} allowed`,
      );
      const second = judgeLimits(set, figures(reached), first.latch, NOON + 1);
      expect(second.tripped).toEqual([]);
      expect(second.blocks).toEqual(first.blocks);
    });

    test(`${name} stays reached when the loss is made good`, () => {
      const { latch } = judgeLimits(set, figures(reached), EMPTY_LATCH, NOON);
      expect(judgeLimits(set, figures("100"), latch, NOON + 1).blocks).toHaveLength(1);
    });

    test(`${name} that is not set asks for no figure`, () => {
      const verdict = judgeLimits(NO_LIMITS, figures(null, null, null), EMPTY_LATCH, NOON);
      expect(verdict.blocks).toEqual([]);
    });
  }
});

describe("a drawdown", () => {
  const latch: LimitLatch = { peakProfit: decimal("200"), trips: [] };
  // The highest equity is 1000 above deposits that are worth 800 now.
  const fallen = (profit: string, equity: string) => figures("0", profit, equity);

  test("one unit above the limit holds nothing back", () => {
    const verdict = judgeLimits(DRAWDOWN, fallen("0.00000001", "800.00000001"), latch, NOON);
    expect(verdict.blocks).toEqual([]);
  });

  test("is reached at exactly the limit", () => {
    const verdict = judgeLimits(DRAWDOWN, fallen("0", "800"), latch, NOON);
    expect(kinds(verdict.tripped)).toEqual(["drawdown"]);
    expect(verdict.blocks[0]).toContain("800.00 USD is 20.00 % below its highest");
  });

  test("does not come from money that leaves the account", () => {
    const verdict = judgeLimits(DRAWDOWN, fallen("200", "250"), latch, NOON);
    expect(verdict.blocks).toEqual([]);
    expect(peakEquity(latch, fallen("200", "250"))).toBe(decimal("250"));
  });

  test("of an account that lost everything is whole", () => {
    const verdict = judgeLimits(DRAWDOWN, fallen("-900", "-100"), EMPTY_LATCH, NOON);
    expect(kinds(verdict.tripped)).toEqual(["drawdown"]);
  });

  test("counts from a new high", () => {
    const { latch: higher } = judgeLimits(DRAWDOWN, fallen("450", "1250"), latch, NOON);
    expect(higher.peakProfit).toBe(decimal("450"));
    const verdict = judgeLimits(DRAWDOWN, fallen("200", "1000"), higher, NOON);
    expect(kinds(verdict.tripped)).toEqual(["drawdown"]);
  });

  test("counts from the next equity after a person reset it", () => {
    const { latch: tripped } = judgeLimits(DRAWDOWN, fallen("0", "800"), latch, NOON);
    const reset = resetTrips(tripped, ["drawdown"]);
    const after = judgeLimits(DRAWDOWN, fallen("0", "800"), reset, NOON);
    expect(after.blocks).toEqual([]);
    expect(after.latch.peakProfit).toBe(decimal("0"));
    const lower = judgeLimits(DRAWDOWN, fallen("-160", "640"), after.latch, NOON);
    expect(kinds(lower.tripped)).toEqual(["drawdown"]);
  });
});

describe("what is not known", () => {
  for (const [set, name, missing] of [
    [DAILY, "the loss of today", figures(null, "0")],
    [TOTAL, "the loss in total", figures("0", null)],
    [DRAWDOWN, "the drawdown", figures("0", "0", null)],
  ] as const) {
    test(`blocks entries and is not reached: ${name}`, () => {
      const gap = "no price of X is known";
      const verdict = judgeLimits(set, { ...missing, gap }, EMPTY_LATCH, NOON);
      expect(verdict.tripped).toEqual([]);
      expect(verdict.blocks).toEqual([
        `${name} is not known at the moment (${gap}): nothing is opened until it is`,
      ]);
    });

    test(`is what is older than a minute: ${name}`, () => {
      const old = figures("0", "0", "1000", NOON);
      const at = NOON + FIGURE_FRESH_MS;
      expect(judgeLimits(set, old, EMPTY_LATCH, at).blocks).toEqual([]);
      expect(judgeLimits(set, old, EMPTY_LATCH, at + 1).blocks).toHaveLength(1);
    });
  }

  test("is the loss of yesterday, however fresh", () => {
    const midnight = Date.UTC(2026, 0, 6);
    const late = figures("-60", "-60", "1000", midnight - 1);
    const verdict = judgeLimits(DAILY, late, EMPTY_LATCH, midnight);
    expect(verdict.tripped).toEqual([]);
    expect(verdict.blocks).toHaveLength(1);
  });
});

describe("a limit that was reached", () => {
  const both = limits({ maxDailyLossUsd: "50", maxTotalLossUsd: "60" });
  const { latch } = judgeLimits(both, figures("-60"), EMPTY_LATCH, NOON);
  const midnight = Date.UTC(2026, 0, 6);

  test("of the day ends at midnight UTC, the other one does not", () => {
    const before = judgeLimits(both, figures("0", "0", "1", midnight - 1), latch, midnight - 1);
    expect(kinds(before.latch.trips)).toEqual(["daily_loss", "total_loss"]);
    const after = judgeLimits(both, figures("0", "0", "1", midnight), before.latch, midnight);
    expect(kinds(after.released)).toEqual(["daily_loss"]);
    expect(kinds(after.latch.trips)).toEqual(["total_loss"]);
    const later = midnight + 30 * DAY_MS;
    const month = judgeLimits(both, figures("0", "0", "1", later), after.latch, later);
    expect(kinds(month.latch.trips)).toEqual(["total_loss"]);
  });

  test("survives as JSON", () => {
    const read = JSON.parse(JSON.stringify(latch)) as LimitLatch;
    expect(judgeLimits(both, figures("0"), read, NOON).blocks).toHaveLength(2);
  });

  test("stays when the limit is raised or taken away, until a person resets it", () => {
    expect(judgeLimits(NO_LIMITS, figures("0"), latch, NOON).blocks).toHaveLength(2);
    const reset = resetTrips(latch, ["daily_loss", "total_loss"]);
    expect(judgeLimits(NO_LIMITS, figures("-60"), reset, NOON).blocks).toEqual([]);
    expect(judgeLimits(both, figures("-60"), reset, NOON).blocks).toHaveLength(2);
  });
});

test("whatever the profits were, the peak is the highest and a reached limit never lets go by itself", () => {
  const profits = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(profits, (path) => {
      let latch = EMPTY_LATCH;
      let isReached = false;
      let highest = 0;
      for (const profit of path) {
        const text = String(profit);
        const equity = String(2000 + profit);
        const verdict = judgeLimits(DRAWDOWN, figures(text, text, equity), latch, NOON);
        latch = verdict.latch;
        highest = Math.max(highest, profit);
        isReached ||= (highest - profit) * 100 >= 20 * (2000 + highest) && highest > profit;
        expect(latch.peakProfit).toBe(String(highest) as Decimal);
        expect(verdict.blocks.length > 0).toBe(isReached);
      }
    }),
  );
});
