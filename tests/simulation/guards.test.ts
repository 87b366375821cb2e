// The guards themselves: every protection is still where the list says, and a witness that is told of
// nothing stays silent. That each loss is noticed is run by `npm run torture -- --guards`.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { complains } from "./guard-run.ts";
import { GUARDS } from "./guards.ts";
import { parseRewrites, rewritten } from "./rewrite.ts";

const ROOT = join(import.meta.dir, "../..");
const MINUTE = 60_000;

describe("the list of guards", () => {
  test("names at least 15 protections, each once", () => {
    expect(GUARDS.length).toBeGreaterThanOrEqual(15);
    expect(new Set(GUARDS.map(({ name }) => name)).size).toBe(GUARDS.length);
  });

  for (const guard of GUARDS) {
    test(`${guard.name}: it is in the source exactly once`, async () => {
      const source = await Bun.file(join(ROOT, guard.file)).text();
      expect(rewritten(source, guard)).not.toBe(source);
    });
  }
});

describe("taking a protection away", () => {
  const lostAnswer = GUARDS.find(({ name }) => name.startsWith("a lost answer"));

  test(
    "is noticed, and nothing taken away is not",
    async () => {
      if (!lostAnswer) throw new Error("the guard is gone");
      expect(await complains(lostAnswer.witness, [lostAnswer])).toBe(true);
      expect(await complains(lostAnswer.witness, [])).toBe(false);
    },
    4 * MINUTE,
  );

  test("that is not there is refused", () => {
    const rewrite = { file: "a.ts", find: "x", replace: "y" };
    expect(() => rewritten("no such text", { ...rewrite, find: "z" })).toThrow("0 times");
    expect(() => rewritten("x and x", rewrite)).toThrow("2 times");
    expect(rewritten("an x", rewrite)).toBe("an y");
    expect(() => parseRewrites('[{"file":"a.ts"}]')).toThrow("each needs");
  });
});
