// The real program, killed in the middle of its orders, life after life, against an exchange and a database that
// live on: nothing doubled, nothing lost. Few lives as a rule, more where DRAGON_REQUIRE asks for minutes.
import { expect, test } from "bun:test";
import { isRequired } from "../support/needs.ts";
import { percentile, reportLines, runKills } from "./kill-harness.ts";

const LIVES = 6;
const LIVES_OF_MINUTES = 50;
const SEED = 11;
const MINUTES = 60_000;
const RECOVERY_MAX_MS = 10_000;
const IN_FLIGHT_SHARE = 0.6;

const isEverything = isRequired("minutes");
const lives = isEverything ? LIVES_OF_MINUTES : LIVES;

test(
  `${lives} kills on the way of orders leave both books equal to the last unit`,
  async () => {
    const report = await runKills(lives, SEED);
    console.log(reportLines(report).join("\n"));
    expect(report.violations).toEqual([]);
    expect(report.fills).toBeGreaterThan(lives / 2);
    if (!isEverything) return expect(report.inFlight).toBeGreaterThan(0);
    // A handful of lives is too few for a share and a percentile.
    expect(report.inFlight).toBeGreaterThanOrEqual(lives * IN_FLIGHT_SHARE);
    expect(percentile(report.recoveryMs, 0.95)).toBeLessThanOrEqual(RECOVERY_MAX_MS);
  },
  isEverything ? 20 * MINUTES : 4 * MINUTES,
);
