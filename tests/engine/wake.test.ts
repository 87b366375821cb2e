// Quiet stretches are skipped to the last bit, every wake source is needed, and the rules it guards do
// occur in the cases it is judged on.
import { describe, expect, test } from "bun:test";
import { resultDocument } from "../../src/services/research/backtest-result.ts";
import { ENGINE_RULES } from "../../src/engine/wake.ts";
import { DCA_ATR_RULES } from "../../src/strategy/dca-atr/wake.ts";
import { generateCase } from "../oracle/cases.ts";
import { type CaseDocuments, runCase } from "../support/engine-case.ts";

const CASES = Number(process.env["DRAGON_TEST_WAKE_CASES"] ?? 10_000);

/** Occurrences each must have at least, so that agreement means something. */
const OCCURRENCES_MIN = 200;

type Settings = { config: Record<string, Record<string, unknown>>; run: Record<string, unknown> };

/** What happened in a run, by name. */
function happenings(documents: CaseDocuments, fills: readonly { reason: string; side: string }[]) {
  const seen = new Set<string>();
  for (const fill of fills) {
    seen.add(fill.reason.startsWith("DCA_") ? "rung" : fill.reason);
  }
  const { config, run } = documents as unknown as Settings;
  const bands = config["general"]?.["dynamic_activation"] as Record<string, number> | undefined;
  if (Object.values(bands ?? {}).some((band) => band > 0)) seen.add("band");
  if (documents.funding && documents.funding.t.length > 0) seen.add("funding");
  if (run["fill_model"] === "pessimistic") seen.add("pessimistic");
  if (run["touch_fills"] === false) seen.add("strict fills");
  return seen;
}

const WANTED = [
  "ENTRY",
  "rung",
  "TP_PCT",
  "TP_ATR",
  "SL_PCT",
  "SL_ATR",
  "TRAILING_EXIT",
  "OPPOSITE_SIGNAL",
  "LIQUIDATION",
  "LONG",
  "SHORT",
  "band",
  "funding",
  "pessimistic",
  "strict fills",
  "entry timeout",
  "entry flip",
  "exit timeout",
];

describe("skipping quiet stretches", () => {
  test(`changes not one bit of the result in ${CASES} cases that hold every kind of event`, () => {
    const counts = new Map<string, number>();
    const differing: number[] = [];
    const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
    for (let seed = 1; seed <= CASES; seed++) {
      const documents = generateCase(seed);
      const on = resultDocument(runCase(documents));
      const offRun = runCase(documents, { decisions: true });
      const { decisions, ...off } = resultDocument(offRun);
      if (JSON.stringify(on) !== JSON.stringify(off)) differing.push(seed);
      for (const name of happenings(documents, on.fills)) count(name);
      for (const side of new Set(on.fills.map((fill) => fill.position_side))) count(side);
      if (decisions?.["entry_timeout"]) count("entry timeout");
      if (decisions?.["entry_flipped"]) count("entry flip");
      if (hasExitTimeout(documents, on.fills)) count("exit timeout");
    }
    expect(differing).toEqual([]);
    const rare = WANTED.filter(
      (name) => (counts.get(name) ?? 0) * 10_000 < OCCURRENCES_MIN * CASES,
    );
    expect(rare).toEqual([]);
  }, 240_000);

  for (const rule of [...DCA_ATR_RULES, ...ENGINE_RULES]) {
    test(`goes wrong without the wake source of ${rule}`, () => {
      expect(firstSeedBrokenWithout(rule)).toBeGreaterThan(0);
    }, 60_000);
  }
});

/** A maker take-profit that left as taker at the open can only be an escalated exit (rule E39). */
function hasExitTimeout(
  documents: CaseDocuments,
  fills: readonly { reason: string; liquidity: string; t: number; bar_open_at: number }[],
): boolean {
  const general = (documents as unknown as Settings).config["general"];
  if (general?.["exit_order_style"] !== "maker_or_cancel") return false;
  return fills.some((fill) => fill.reason.startsWith("TP_") && fill.liquidity === "taker");
}

/** First seed whose result changes when the source is left out; 0 when none of 1,000 does. */
function firstSeedBrokenWithout(rule: string): number {
  const without = new Set([rule]);
  for (let seed = 1; seed <= 1000; seed++) {
    const documents = generateCase(seed);
    const whole = JSON.stringify(resultDocument(runCase(documents)));
    try {
      if (JSON.stringify(resultDocument(runCase(documents, { without }))) !== whole) return seed;
    } catch (error) {
      // A broken invariant is as good a proof as a different result.
      if (error instanceof Error && error.name === "InvariantError") return seed;
      throw error;
    }
  }
  return 0;
}
