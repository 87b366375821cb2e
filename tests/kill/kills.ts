// `npm run kills -- [LIVES] [SEED]`: kills the real program as often as asked and prints what came of it. Exit
// code 1 when anything was doubled, lost or left over.
import { reportLines, runKills } from "./kill-harness.ts";

const LIVES = 200;

const [lives = LIVES, seed = 1] = process.argv.slice(2).map(Number);
if (!Number.isInteger(lives) || lives < 1 || !Number.isInteger(seed)) {
  console.error("usage: npm run kills -- [LIVES] [SEED]");
  process.exit(2);
}
const report = await runKills(lives, seed);
for (const line of reportLines(report)) console.log(line);
console.log(`${lives} kills, ${report.violations.length} failed`);
process.exit(report.violations.length > 0 ? 1 : 0);
