// `npm run kills -- [LIVES] [SEED] [--binary FILE]`: kills the program as often as asked and prints what came of it:
// the trading side from source many times faster than real, or, with an executable, Dragon itself in real time. Exit
// code 1 when anything was doubled, lost or left over, too few orders were on their way, or it recovered too slowly.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { runKills } from "./kill-harness.ts";
import { reportLines, shortfalls } from "./kill-report.ts";
import { dragonStage, openSourceStage } from "./kill-stages.ts";

const LIVES = 200;

/** Ends with the way to call it. */
function refuse(): never {
  console.error("usage: npm run kills -- [LIVES] [SEED] [--binary FILE]");
  process.exit(2);
}

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: { binary: { type: "string" } },
});
const [lives = LIVES, seed = 1] = positionals.map(Number);
if (!Number.isInteger(lives) || lives < 1 || !Number.isInteger(seed)) refuse();
const binary = values.binary === undefined ? undefined : resolve(values.binary);
if (binary !== undefined && !existsSync(binary)) {
  console.error(`there is no ${binary}: npm run build makes it`);
  process.exit(2);
}
const openStage = binary === undefined ? openSourceStage : dragonStage([binary]);
const report = await runKills({ lives, seed, openStage });
const failures = [...report.violations, ...shortfalls(report)];
for (const line of [...reportLines(report), ...shortfalls(report)]) console.log(line);
console.log(`${lives} kills, ${failures.length} failed`);
process.exit(failures.length > 0 ? 1 : 0);
