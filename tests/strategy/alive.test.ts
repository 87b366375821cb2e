// Every parameter is alive: changing only this leaf changes a result of some generated case, unless the rules say
// that it has no influence on a backtest; then it changes none.
import { describe, expect, test } from "bun:test";
import { InputError } from "../../src/model/result.ts";
import { resultDocument } from "../../src/services/research/backtest-result.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { generateCase } from "../oracle/cases.ts";
import { type CaseDocuments, runCase } from "../support/engine-case.ts";

/** Cases looked through for one that changes. */
const CASES = 300;

const WITHOUT_INFLUENCE = [
  "general.plot_dca_levels",
  "general.prefer_bbo_maker",
  "general.bbo_queue_level",
  "exits.tp_replace_threshold_pct",
  "bbands.deviation",
  "bbands.allow_mid_sells",
];

const WORDS: Record<string, readonly string[]> = {
  initial_entry_sizing_mode: ["pct_balance", "fixed_usd"],
  entry_order_style: ["market", "limit", "maker_or_cancel"],
  exit_order_style: ["market", "limit", "maker_or_cancel"],
  ma_type: ["Sma", "Ema"],
  ma_source: ["open", "high", "low", "close", "hl2", "hlc3", "ohlc4"],
  sl_mode: ["PCT", "ATR"],
  tp_mode: ["PCT", "ATR"],
  deviation_mode: ["PCT", "ATR"],
  on_opposite_signal: ["ignore", "close"],
};

type Group = Record<string, unknown>;

function pathsOf(value: object, path: string): string[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = path === "" ? key : `${path}.${key}`;
    return typeof inner === "object" ? pathsOf(inner as object, at) : [at];
  });
}

/** Other values worth trying in the place of one, the nearest kind first. */
function others(name: string, value: unknown): unknown[] {
  if (typeof value === "boolean") return [!value];
  if (typeof value === "string") return (WORDS[name] ?? []).filter((word) => word !== value);
  const number = Number(value);
  // Lengths and intervals stay whole, and intervals multiples of the timeframe.
  return [number * 2, number + 1, number / 2, 0];
}

function withLeaf(config: object, path: string, change: (value: unknown) => unknown): Group {
  const copy = structuredClone(config) as Group;
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const group = keys.reduce<Group>((inner, key) => inner[key] as Group, copy);
  group[last] = change(group[last]);
  return copy;
}

function leafOf(config: object, path: string): unknown {
  return path.split(".").reduce<unknown>((inner, key) => (inner as Group)[key], config);
}

/** What traded and what it came to; not the warm-up, which lengths change without any effect. */
function outcome(documents: CaseDocuments): string {
  const { fills_sha256, equity_end, rejections } = resultDocument(runCase(documents));
  return JSON.stringify([fills_sha256, equity_end, rejections]);
}

/** The outcome with another configuration, or null where it is not a valid one. */
function changedOutcome(documents: CaseDocuments, config: object): string | null {
  try {
    return outcome({ ...documents, config });
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

const seeds = Array.from({ length: CASES }, (_, i) => i + 1);
const cases = seeds.map((seed) => {
  const documents: CaseDocuments = generateCase(seed);
  return { documents, config: parseConfig(documents.config), told: outcome(documents) };
});

function seedsThatChange(path: string, most: number): number {
  const name = path.split(".").at(-1) ?? "";
  let changed = 0;
  for (const { documents, config, told } of cases) {
    for (const other of others(name, leafOf(config, path))) {
      const now = changedOutcome(
        documents,
        withLeaf(config, path, () => other),
      );
      if (now !== null && now !== told && ++changed >= most) return changed;
    }
  }
  return changed;
}

const PATHS = pathsOf(parseConfig({}), "");

describe("a parameter", () => {
  for (const path of PATHS.filter((one) => !WITHOUT_INFLUENCE.includes(one))) {
    test(`${path} is alive: changing only it changes what is traded`, () => {
      expect(seedsThatChange(path, 1)).toBe(1);
    });
  }

  for (const path of WITHOUT_INFLUENCE) {
    test(`${path} has no influence on a backtest`, () => {
      let compared = 0;
      const name = path.split(".").at(-1) ?? "";
      for (const { documents, config } of cases.slice(0, 60)) {
        const full = JSON.stringify(resultDocument(runCase(documents)));
        for (const other of others(name, leafOf(config, path))) {
          const changed = withLeaf(config, path, () => other);
          if (changedOutcome(documents, changed) === null) continue;
          const now = resultDocument(runCase({ ...documents, config: changed }));
          expect(JSON.stringify(now)).toBe(full);
          compared += 1;
        }
      }
      expect(compared).toBeGreaterThan(30);
    });
  }

  test("group starting with _ has no influence on a backtest", () => {
    for (const { documents } of cases.slice(0, 30)) {
      const carried = { ...documents.config, _futures: { leverage: 50 }, _runtime: [1] };
      const now = JSON.stringify(resultDocument(runCase({ ...documents, config: carried })));
      expect(now).toBe(JSON.stringify(resultDocument(runCase(documents))));
    }
  });

  test("that is listed as without influence exists, and so does every other leaf", () => {
    expect(WITHOUT_INFLUENCE.filter((path) => !PATHS.includes(path))).toEqual([]);
    expect(PATHS).toHaveLength(66);
  });
});
