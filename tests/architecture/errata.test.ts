// Every numbered rule (E1 to E68) has a test of the production code whose name starts with its number. Tests of the
// independent oracle do not count: they prove the oracle.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { testIf } from "../support/needs.ts";

const ROOT = join(import.meta.dir, "../..");
const LAST_RULE = 68;
const ALL = Array.from({ length: LAST_RULE }, (_, i) => `E${i + 1}`);

/** Rules without any code to test, with the reason; empty, and meant to stay so. */
const WITHOUT_CODE: Readonly<Record<string, string>> = {};

/** Numbers at the head of test names: `test("E24 E25 …")` counts for both. */
function rulesNamed(text: string): string[] {
  const names = text.matchAll(/\btest\w*\(\s*(?:"\w+",\s*)?["'`]((?:E\d+ )+)/g);
  return Array.from(names).flatMap(([, head = ""]) => head.trim().split(" "));
}

async function testedRules(): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const path of new Bun.Glob("tests/**/*.test.{ts,tsx}").scanSync({ cwd: ROOT })) {
    if (path.startsWith("tests/oracle/")) continue;
    for (const rule of rulesNamed(await Bun.file(join(ROOT, path)).text())) {
      counts.set(rule, (counts.get(rule) ?? 0) + 1);
    }
  }
  return counts;
}

describe("the numbered rules", () => {
  test("have a test each whose name starts with the number", async () => {
    const tested = await testedRules();
    const missing = ALL.filter((rule) => !tested.has(rule) && !(rule in WITHOUT_CODE));
    expect(missing).toEqual([]);
  });

  test("are no longer excused once they have one", async () => {
    const tested = await testedRules();
    expect(Object.keys(WITHOUT_CODE).filter((rule) => tested.has(rule))).toEqual([]);
  });

  test("named by tests exist", async () => {
    const tested = await testedRules();
    expect([...tested.keys()].filter((rule) => !ALL.includes(rule))).toEqual([]);
  });

  test("with several sentences have several tests", async () => {
    const tested = await testedRules();
    const rich = [
      18, 24, 33, 34, 35, 36, 37, 38, 39, 40, 42, 46, 47, 48, 49, 50, 53, 57, 58, 59, 60,
    ];
    const least = (rule: number) => (rule === 37 || rule === 38 ? 2 : 3);
    expect(rich.filter((rule) => (tested.get(`E${rule}`) ?? 0) < least(rule))).toEqual([]);
  });

  test("are found at the head of a name only, alone or several", () => {
    const text = [
      'test("E1 one", () => {});',
      "test(`E2 E3 two`, () => {});",
      'testIf("data", "E4 with a need", () => {});',
      'test("about E5", () => {});',
      'describe("E6 a group", () => {});',
    ].join("\n");
    expect(rulesNamed(text)).toEqual(["E1", "E2", "E3", "E4"]);
  });

  testIf("data", "are E1 to E68 in the document itself", async () => {
    const text = await Bun.file(join(ROOT, "../shared/errata.md")).text();
    const numbers = Array.from(text.matchAll(/^(E\d+)\. /gm), ([, rule]) => rule ?? "");
    expect(numbers).toEqual(ALL);
  });
});
