// Entry of `npm run torture`: runs schedules of seeds and says how many failed, with the seed and a shortened
// schedule of each. The last line is `N seeds, N failed`; the exit code is 1 when one failed. Every fault
// has to have struck in a long run, because a torture that never hurts proves nothing.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { missingOf, summaryOf } from "./coverage.ts";
import { runGuards } from "./guard-run.ts";
import { type Schedule, scheduleOf } from "./schedule.ts";
import { shrink } from "./shrink.ts";
import { type RunResult, runSchedule } from "./sim-world.ts";

/** With the first 200, which `npm test` runs, a thousand. */
const CI_SEEDS = { from: 201, to: 1000 };
/** From so many seeds on every kind of fault has to have struck. */
const COVERED_FROM = 800;
const SHOWN_MAX = 10;
const SHRUNK_MAX = 3;
const PROCESSES_MAX = 2;
const USAGE =
  "usage: torture [--seeds 1..10000 | --seed N | --ci | --replay FILE | --guards]" +
  " [--first] [--trace] [--processes N]";

type Wish = {
  readonly from: number;
  readonly to: number;
  readonly replay: string | null;
  readonly isTraced: boolean;
  readonly processes: number;
  /** Set in the processes a run is divided over: prints one line of JSON. */
  readonly isPart: boolean;
  /** Ends at the first seed that fails. */
  readonly isFirstOnly: boolean;
};

/** What a part of a run tells the whole. */
type Part = {
  readonly counts: readonly (readonly [string, number])[];
  readonly failed: readonly { readonly seed: number; readonly violations: readonly string[] }[];
};

process.exitCode = process.argv.includes("--guards")
  ? await runGuards((line) => console.log(line))
  : await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const wish = wishOf(words);
  if (wish === null) {
    console.error(USAGE);
    return 2;
  }
  if (wish.replay !== null) return replay(wish.replay, wish.isTraced);
  if (wish.isFirstOnly) return firstOf(wish, await runPart(wish));
  if (wish.isPart || wish.processes === 1) {
    const part = await runPart(wish);
    if (!wish.isPart) return report(wish, part, 0);
    console.log(JSON.stringify(part));
    return 0;
  }
  const startedMs = performance.now();
  const parts = await Promise.all(divided(wish).map(runElsewhere));
  return report(wish, merged(parts), performance.now() - startedMs);
}

function wishOf(words: readonly string[]): Wish | null {
  const wordAfter = (name: string) => {
    const at = words.indexOf(name);
    return at < 0 ? null : (words[at + 1] ?? "");
  };
  const seed = wordAfter("--seed");
  const range = /^(\d+)\.\.(\d+)$/.exec(wordAfter("--seeds") ?? (seed ? `${seed}..${seed}` : ""));
  const [from, to] = range ? [Number(range[1]), Number(range[2])] : [CI_SEEDS.from, CI_SEEDS.to];
  const isAsked = ["--seed", "--seeds", "--ci", "--replay"].some((word) => words.includes(word));
  if (!isAsked || to < from || (!range && !words.includes("--ci") && !wordAfter("--replay"))) {
    return null;
  }
  const isFirstOnly = words.includes("--first");
  const cores = Math.min(PROCESSES_MAX, availableParallelism());
  return {
    ...{ from, to, replay: wordAfter("--replay"), isTraced: words.includes("--trace") },
    processes: from === to || isFirstOnly ? 1 : Number(wordAfter("--processes") ?? cores),
    ...{ isPart: words.includes("--part"), isFirstOnly },
  };
}

/** Even shares, so that no process waits long for another. */
function divided({ from, to, processes }: Wish): { from: number; to: number }[] {
  const share = Math.ceil((to - from + 1) / processes);
  const parts: { from: number; to: number }[] = [];
  for (let first = from; first <= to; first += share) {
    parts.push({ from: first, to: Math.min(to, first + share - 1) });
  }
  return parts;
}

async function runElsewhere({ from, to }: { from: number; to: number }): Promise<Part> {
  const child = Bun.spawn(
    [process.execPath, import.meta.path, "--seeds", `${from}..${to}`, "--part"],
    { stdout: "pipe", stderr: "inherit" },
  );
  const text = await new Response(child.stdout).text();
  const line = text.trimEnd().split("\n").at(-1) ?? "";
  if ((await child.exited) !== 0 || !line.startsWith("{")) {
    throw new Error(`the process of the seeds ${from}..${to} ended early`);
  }
  return JSON.parse(line);
}

async function runPart({ from, to, isTraced, isFirstOnly }: Wish): Promise<Part> {
  const counts = new Map<string, number>();
  const failed: { seed: number; violations: readonly string[] }[] = [];
  for (let seed = from; seed <= to; seed++) {
    const result = await runSchedule(scheduleOf(seed), optionsOf(isTraced));
    for (const [what, times] of result.counts) counts.set(what, (counts.get(what) ?? 0) + times);
    for (const call of result.deaths)
      counts.set(`death ${call}`, (counts.get(`death ${call}`) ?? 0) + 1);
    if (result.violations.length === 0) continue;
    failed.push({ seed, violations: result.violations });
    if (isFirstOnly) break;
  }
  return { counts: [...counts], failed };
}

function optionsOf(isTraced: boolean) {
  return isTraced ? { print: (line: string) => console.log(line) } : {};
}

function merged(parts: readonly Part[]): Part {
  const counts = new Map<string, number>();
  for (const [what, times] of parts.flatMap((part) => part.counts)) {
    counts.set(what, (counts.get(what) ?? 0) + times);
  }
  return { counts: [...counts], failed: parts.flatMap(({ failed }) => failed) };
}

/** For guards: no summary, nothing is made shorter. */
function firstOf({ from, to }: Wish, { failed }: Part): number {
  for (const { seed, violations } of failed) console.log(`seed ${seed}: ${violations.join("; ")}`);
  console.log(`${to - from + 1} seeds, ${failed.length} failed`);
  return failed.length > 0 ? 1 : 0;
}

/** Prints what was met and what failed. @returns the exit code */
async function report({ from, to }: Wish, part: Part, elapsedMs: number): Promise<number> {
  const seeds = to - from + 1;
  const counts = new Map(part.counts);
  for (const line of summaryOf(counts, seeds)) console.log(line);
  if (elapsedMs > 0) console.log(`${((seeds * 1000) / elapsedMs).toFixed(2)} seeds/s`);
  for (const { seed, violations } of part.failed.slice(0, SHOWN_MAX)) {
    console.log(`seed ${seed} failed:`);
    for (const violation of violations) console.log(`  ${violation}`);
  }
  for (const { seed, violations } of part.failed.slice(0, SHRUNK_MAX)) {
    await showShrunk(seed, violations);
  }
  const missing = seeds >= COVERED_FROM ? missingOf(counts) : [];
  for (const what of missing) console.log(`"${what}" never happened in ${seeds} seeds`);
  const failed = part.failed.length + missing.length;
  console.log(`${seeds} seeds, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

async function showShrunk(seed: number, violations: readonly string[]): Promise<void> {
  const file = join(process.env.TMPDIR ?? "/tmp", `dragon-torture-${seed}.json`);
  const short = await shrink(scheduleOf(seed), async (schedule) =>
    isSameFailure(await runSchedule(schedule), violations),
  );
  await Bun.write(file, JSON.stringify(short, null, 1));
  const deeds = short.steps.reduce((sum, step) => sum + step.deeds.length, 0);
  console.log(`seed ${seed}: ${short.steps.length} steps with ${deeds} deeds: --replay ${file}`);
}

/** The first sentence of both without its numbers: another defect is another failure. */
function isSameFailure(result: RunResult, violations: readonly string[]): boolean {
  const kindOf = (sentence: string | undefined) => sentence?.replaceAll(/\d+/g, "#");
  return result.violations.some((one) => kindOf(one) === kindOf(violations[0]));
}

async function replay(file: string, isTraced: boolean): Promise<number> {
  const schedule: Schedule = await Bun.file(file).json();
  const result = await runSchedule(schedule, optionsOf(isTraced));
  for (const violation of result.violations) console.log(violation);
  const failed = result.violations.length > 0 ? 1 : 0;
  console.log(`1 seeds, ${failed} failed`);
  return failed;
}
