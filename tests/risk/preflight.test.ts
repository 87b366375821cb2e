// Every check of the pre-flight failing alone, at its edge, and what is not known never passing.
import { describe, expect, test } from "bun:test";
import { decimal } from "../../src/model/decimal.ts";
import {
  judgePreflight,
  type PreflightFacts,
  type PreflightMoney,
} from "../../src/risk/preflight.ts";
import type { BotFacts, LadderFacts } from "../../src/risk/preflight-bots.ts";
import { known, PREFLIGHT_KEYS, type PreflightKey } from "../../src/risk/preflight-check.ts";

const MINUTE = 60_000;
const MIB = 1024 * 1024;
const UNKNOWN = { isKnown: false, why: "nobody answered" } as const;

const bot = (change: Partial<BotFacts> = {}): BotFacts => ({
  name: "Long",
  symbol: "X",
  mode: known("one_way" as const),
  needsHedge: false,
  leverage: 5,
  maxLeverage: 50,
  leverageThere: known({ long: 5, short: 5 }),
  rules: known({ isTrading: true }),
  ladders: known([ladder()]),
  candleAgeMs: known(MINUTE),
  timeframeMs: MINUTE,
  wantsStop: true,
  ...change,
});

const ladder = (change: Partial<LadderFacts> = {}): LadderFacts => ({
  side: "long",
  belowMinimum: [],
  isIncomplete: false,
  ...change,
});

const money = (change: Partial<Record<keyof PreflightMoney, string | null>> = {}) =>
  known({
    asset: "USDT",
    total: decimal("1000"),
    free: decimal("1000"),
    inUse: decimal("0"),
    needed: decimal("400"),
    allocated: decimal("1000"),
    ...change,
  } as PreflightMoney);

const limits = (change: Partial<Record<keyof PreflightFacts["limits"], string | null>> = {}) =>
  ({
    maxDailyLossUsd: "50",
    maxTotalLossUsd: "500",
    maxDrawdownPct: null,
    maxSymbolExposureUsd: null,
    maxGrossExposureUsd: "5000",
    ...change,
  }) as PreflightFacts["limits"];

const GOOD: PreflightFacts = {
  credentials: known({ mayTrade: true }),
  mayWithdraw: known(false),
  clockOffsetMs: known(20),
  bots: [bot()],
  money: money(),
  unexplained: known([]),
  foreignInstanceOrders: known(0),
  hasTriggerOrders: true,
  limits: limits(),
  freeBytes: known(4096 * MIB),
  schema: known({ current: 12, latest: 12 }),
  keyBackupAt: 1,
  hasAlarm: known(true),
};

/** Keys of the checks that did not pass, with their levels. */
function bad(change: Partial<PreflightFacts>): readonly (readonly [PreflightKey, string])[] {
  const { checks } = judgePreflight({ ...GOOD, ...change });
  return checks.filter(({ level }) => level !== "pass").map(({ key, level }) => [key, level]);
}

const withBot = (change: Partial<BotFacts>) => ({ bots: [bot(), bot({ name: "B", ...change })] });

test("an account in order passes every check, in the order people read them", () => {
  const { level, checks } = judgePreflight(GOOD);
  expect(level).toBe("pass");
  expect(checks.map(({ key }) => key)).toEqual([...PREFLIGHT_KEYS]);
  expect(checks.every(({ remedy }) => remedy === null)).toBe(true);
});

const CASES: readonly (readonly [
  name: string,
  change: Partial<PreflightFacts>,
  key: PreflightKey,
  level: "warn" | "fail",
])[] = [
  ["keys that are not accepted", { credentials: UNKNOWN }, "credentials", "fail"],
  ["keys that may only read", { credentials: known({ mayTrade: false }) }, "credentials", "fail"],
  ["keys that may withdraw", { mayWithdraw: known(true) }, "withdraw_permission", "fail"],
  ["keys nobody knows about", { mayWithdraw: UNKNOWN }, "withdraw_permission", "fail"],
  ["an exchange that does not tell", { mayWithdraw: known(null) }, "withdraw_permission", "warn"],
  ["a clock that is fast", { clockOffsetMs: known(-1001) }, "clock", "fail"],
  ["a clock that is slow", { clockOffsetMs: known(1001) }, "clock", "fail"],
  ["a clock nobody knows", { clockOffsetMs: UNKNOWN }, "clock", "fail"],
  ["a mode nobody knows", withBot({ mode: UNKNOWN }), "position_mode", "fail"],
  ["sides that are netted", withBot({ needsHedge: true }), "position_mode", "fail"],
  ["no bot", { bots: [] }, "position_mode", "fail"],
  ["too much leverage", withBot({ leverage: 51 }), "leverage", "fail"],
  ["a leverage nobody knows", withBot({ leverageThere: UNKNOWN }), "leverage", "fail"],
  [
    "another leverage",
    withBot({ leverageThere: known({ long: 5, short: 6 }) }),
    "leverage",
    "warn",
  ],
  ["rules nobody knows", withBot({ rules: UNKNOWN }), "symbol_rules", "fail"],
  ["a halted symbol", withBot({ rules: known({ isTrading: false }) }), "symbol_rules", "fail"],
  ["a ladder nobody knows", withBot({ ladders: UNKNOWN }), "minimums", "fail"],
  [
    "a ladder without its volatility",
    withBot({ ladders: known([ladder({ isIncomplete: true })]) }),
    "minimums",
    "fail",
  ],
  [
    "an entry that is too small",
    withBot({ ladders: known([ladder({ belowMinimum: [0, 1] })]) }),
    "minimums",
    "fail",
  ],
  [
    "a rung that is too small",
    withBot({ ladders: known([ladder(), ladder({ belowMinimum: [3] })]) }),
    "minimums",
    "warn",
  ],
  ["a balance nobody knows", { money: UNKNOWN }, "balance", "fail"],
  ["a margin nobody knows", { money: money({ needed: null }) }, "balance", "fail"],
  ["a ladder above all there is", { money: money({ needed: "1000.01" }) }, "balance", "fail"],
  ["a ladder above what is free", { money: money({ free: "399.99" }) }, "balance", "fail"],
  ["allocations above the balance", { money: money({ allocated: "1000.01" }) }, "balance", "warn"],
  ["a stranger", { unexplained: known(["A buy order of 1 X is not ours"]) }, "unexplained", "fail"],
  ["orders nobody could list", { unexplained: UNKNOWN }, "unexplained", "fail"],
  ["no stops at the exchange", { hasTriggerOrders: false }, "protective_orders", "fail"],
  ["another Dragon", { foreignInstanceOrders: known(1) }, "lease", "fail"],
  ["maybe another Dragon", { foreignInstanceOrders: UNKNOWN }, "lease", "fail"],
  ["old candles", withBot({ candleAgeMs: known(2 * MINUTE + 1) }), "candles", "fail"],
  ["no candles", withBot({ candleAgeMs: UNKNOWN }), "candles", "fail"],
  [
    "no limit of loss",
    { limits: limits({ maxDailyLossUsd: null, maxTotalLossUsd: null }) },
    "limits",
    "fail",
  ],
  ["no limit of a day", { limits: limits({ maxDailyLossUsd: null }) }, "limits", "warn"],
  ["no limit over time", { limits: limits({ maxTotalLossUsd: null }) }, "limits", "warn"],
  ["no limit of exposure", { limits: limits({ maxGrossExposureUsd: null }) }, "limits", "warn"],
  ["a full disk", { freeBytes: known(200 * MIB - 1) }, "disk", "fail"],
  ["a disk that fills", { freeBytes: known(2048 * MIB - 1) }, "disk", "warn"],
  ["a disk nobody knows", { freeBytes: UNKNOWN }, "disk", "fail"],
  ["an old database", { schema: known({ current: 11, latest: 12 }) }, "migrations", "fail"],
  ["a newer database", { schema: known({ current: 13, latest: 12 }) }, "migrations", "fail"],
  ["a database nobody knows", { schema: UNKNOWN }, "migrations", "fail"],
  ["a key without a copy", { keyBackupAt: null }, "master_key_backup", "warn"],
  ["no alarm", { hasAlarm: known(false) }, "alarm", "warn"],
  ["an alarm nobody knows", { hasAlarm: UNKNOWN }, "alarm", "warn"],
];

describe("a check alone", () => {
  for (const [name, change, key, level] of CASES) {
    test(`${key}: ${name} is a ${level}`, () => {
      const found = bad(change).filter(([one]) => name !== "no bot" || one === key);
      expect(found).toEqual([[key, level]]);
      const verdict = judgePreflight({ ...GOOD, ...change });
      expect(verdict.level).toBe(level);
      expect(verdict.checks.find((one) => one.key === key)?.remedy).not.toBeNull();
    });
  }

  test("every check can fail or warn", () => {
    expect(new Set(CASES.map(([, , key]) => key))).toEqual(new Set(PREFLIGHT_KEYS));
  });
});

test("what lies just inside passes", () => {
  const inside: Partial<PreflightFacts> = {
    clockOffsetMs: known(-1000),
    freeBytes: known(2048 * MIB),
    money: money({ needed: "1000", free: "600", inUse: "400" }),
    ...withBot({ candleAgeMs: known(2 * MINUTE), leverage: 50, leverageThere: null }),
  };
  expect(bad(inside)).toEqual([]);
});

test("two bots of both sides are fine where sides are kept apart", () => {
  expect(bad(withBot({ needsHedge: true, mode: known("hedge") }))).toEqual([]);
});

test("an exchange without stops is fine for bots that use none", () => {
  expect(bad({ hasTriggerOrders: false, bots: [bot({ wantsStop: false })] })).toEqual([]);
});

test("a failure of one bot is told before a warning of another, and both are counted", () => {
  const bots = [
    bot({ leverageThere: known({ long: 1, short: 1 }) }),
    bot({ name: "B", leverageThere: UNKNOWN }),
  ];
  const { checks } = judgePreflight({ ...GOOD, bots });
  const sentence = checks.find(({ key }) => key === "leverage")?.sentence;
  expect(sentence).toBe("B: the leverage of X is not known: nobody answered, and 1 more bots");
});

test("money that is in use already is not asked for twice", () => {
  expect(bad({ money: money({ needed: "400", free: "50", inUse: "350" }) })).toEqual([]);
  const short = money({ needed: "400", free: "49.99", inUse: "350" });
  expect(bad({ money: short })).toEqual([["balance", "fail"]]);
});
