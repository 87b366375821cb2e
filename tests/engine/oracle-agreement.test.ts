// The production engine against the independent implementation of the rules, fill by fill and figure by
// figure, on generated cases and on recorded candles. DRAGON_TEST_ORACLE_CASES sets the number of cases.
import { describe, expect, test } from "bun:test";
import { resultDocument } from "../../src/services/research/backtest-result.ts";
import { generateCase } from "../oracle/cases.ts";
import { runOracle } from "../oracle/oracle.ts";
import { type CaseDocuments, runCase } from "../support/engine-case.ts";
import { testIf } from "../support/needs.ts";
import { realCase } from "../support/real-case.ts";

const CASES = Number(process.env["DRAGON_TEST_ORACLE_CASES"] ?? 1500);

/** Relative tolerance of fees, nets, averages, excursions and metrics; absolute below 1. */
const TOLERANCE = 1e-6;

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Paths at which two documents differ; exact for text and times, within tolerance for other numbers. */
function differences(a: Json, b: Json, path: string): string[] {
  if (a === b) return [];
  if (typeof a === "number" && typeof b === "number") {
    const scale = Math.max(1, Math.abs(a), Math.abs(b));
    return Math.abs(a - b) <= TOLERANCE * scale ? [] : [`${path}: ${a} and ${b}`];
  }
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") {
    return [`${path}: ${JSON.stringify(a)} and ${JSON.stringify(b)}`];
  }
  const left = a as Record<string, Json>;
  const right = b as Record<string, Json>;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].flatMap((key) =>
    differences(left[key] ?? null, right[key] ?? null, `${path}.${key}`),
  );
}

/** Everything that must agree; engine name and decision counts are informative only. */
function comparable(result: object): Json {
  const { engine: _, decisions: __, ...rest } = result as Record<string, Json>;
  return rest;
}

function disagreements(documents: CaseDocuments): string[] {
  const expected = runOracle(documents);
  const found = resultDocument(runCase(documents));
  const exact = expected.fills_sha256 === found.fills_sha256 ? [] : ["fills_sha256"];
  return [...exact, ...differences(comparable(expected), comparable(found), "")];
}

describe("the engine and the independent oracle", () => {
  test(`agree on every fill, cycle and metric of ${CASES} generated cases`, () => {
    const failed: string[] = [];
    let fills = 0;
    for (let seed = 1; seed <= CASES; seed++) {
      const documents = generateCase(seed);
      fills += runOracle(documents).fills_count;
      const found = disagreements(documents);
      if (found.length > 0) failed.push(`seed ${seed}: ${found.slice(0, 4).join("; ")}`);
    }
    expect(failed).toEqual([]);
    expect(fills).toBeGreaterThan(CASES * 20);
  }, 120_000);

  test("the comparison sees a fill moved by one tick and a metric off by a millionth", () => {
    const documents = generateCase(7);
    const a = resultDocument(runCase(documents));
    const moved = { ...a, fills_sha256: "0" };
    expect(differences(comparable(a), comparable(moved), "")).toHaveLength(1);
    const metrics = { ...a.metrics, final_equity: a.metrics.final_equity * (1 + 3e-6) };
    expect(differences(comparable(a), comparable({ ...a, metrics }), "")).toHaveLength(1);
  });

  for (const name of ["binance_perp_ETHUSDT_15m", "btc1h_gappy", "sol15_gappy"]) {
    testIf(
      "data",
      `agree on recorded candles with gaps and costs: ${name}`,
      async () => {
        for (const documents of await realCase(name)) {
          expect(disagreements(documents)).toEqual([]);
        }
      },
      120_000,
    );
  }
});
