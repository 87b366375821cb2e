// The real program, killed in the middle of its orders, life after life, against an exchange and a database that
// live on: nothing doubled, nothing lost. A few lives from source here, many of the executable where DRAGON_REQUIRE
// asks for minutes and in `.ci/run`.
import { expect } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { BUILD_LIMIT_MS, executableFolder } from "../support/executable.ts";
import { testIf } from "../support/needs.ts";
import { runKills } from "./kill-harness.ts";
import { reportLines, shortfalls } from "./kill-report.ts";
import { dragonStage, openSourceStage } from "./kill-stages.ts";

const LIVES = 6;
const LIVES_OF_MINUTES = 50;
const SEED = 11;
const MINUTES = 60_000;

testIf(
  "gcc",
  `${LIVES} kills on the way of orders leave both books equal to the last unit`,
  async () => {
    const report = await runKills({ lives: LIVES, seed: SEED, openStage: openSourceStage });
    console.log(reportLines(report).join("\n"));
    expect(report.violations).toEqual([]);
    expect(report.fills).toBeGreaterThan(LIVES / 2);
    expect(report.inFlight).toBeGreaterThan(0);
  },
  4 * MINUTES,
);

testIf(
  ["minutes", "gcc"],
  `${LIVES_OF_MINUTES} kills of the executable leave both books equal to the last unit`,
  async () => {
    const folder = await executableFolder();
    const openStage = dragonStage([join(folder, "dragon")]);
    const report = await runKills({ lives: LIVES_OF_MINUTES, seed: SEED, openStage });
    rmSync(folder, { recursive: true, force: true });
    console.log(reportLines(report).join("\n"));
    expect(report.violations).toEqual([]);
    expect(shortfalls(report)).toEqual([]);
    expect(report.fills).toBeGreaterThan(LIVES_OF_MINUTES / 2);
  },
  10 * MINUTES + BUILD_LIMIT_MS,
);
