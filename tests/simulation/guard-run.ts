// Takes away one protection after the other and sees whether anybody notices, each in a process of its own
// in which the source is rewritten as it is loaded. Called by `npm run torture -- --guards` and its test.
import { join } from "node:path";
import { type Guard, GUARDS, type Witness } from "./guards.ts";
import type { Rewrite } from "./rewrite.ts";

const ROOT = join(import.meta.dir, "../..");
const PRELOAD = join(import.meta.dir, "rewrite-preload.ts");
const TORTURE = join(import.meta.dir, "torture.ts");
/** A witness that says nothing for so long counts as silent. */
const WITNESS_MAX_MS = 240_000;
const AT_ONCE = 2;

/** Whether a witness complains when sources are rewritten so; none rewritten must be silence. */
export async function complains(witness: Witness, rewrites: readonly Rewrite[]): Promise<boolean> {
  const child = Bun.spawn([process.execPath, ...commandOf(witness)], {
    cwd: ROOT,
    env: { ...process.env, DRAGON_TEST_REWRITES: JSON.stringify(rewrites) },
    stdout: "pipe",
    stderr: "pipe",
    timeout: WITNESS_MAX_MS,
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const code = await child.exited;
  if (code !== 0 && !isComplaint(witness, `${out}${err}`)) {
    throw new Error(`the witness itself failed: ${err.slice(-2000)}`);
  }
  return code !== 0;
}

function commandOf(witness: Witness): string[] {
  // Preloads of a settings file would take the place of those of the command line.
  if ("test" in witness) {
    const preloads = ["--preload", "./tests/preload.ts", "--preload", PRELOAD];
    return ["test", "--config=/dev/null", ...preloads, witness.test];
  }
  const [from, to] = witness.seeds;
  return ["--preload", PRELOAD, TORTURE, "--seeds", `${from}..${to}`, "--first"];
}

/** A failed test or seed, and not a source that could not be loaded. */
function isComplaint(witness: Witness, text: string): boolean {
  return "test" in witness ? /^\(fail\)/m.test(text) : /seeds, [1-9]\d* failed$/m.test(text);
}

/** Runs every guard. @returns the exit code: 1 when a loss went unnoticed */
export async function runGuards(
  print: (line: string) => void,
  guards: readonly Guard[] = GUARDS,
): Promise<number> {
  const waiting = [...guards];
  const unnoticed: string[] = [];
  const work = async () => {
    for (let guard = waiting.shift(); guard; guard = waiting.shift()) {
      const isNoticed = await complains(guard.witness, [guard]);
      print(`${isNoticed ? "noticed  " : "UNNOTICED"} ${guard.name}`);
      if (!isNoticed) unnoticed.push(guard.name);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  print(`${guards.length} guards, ${unnoticed.length} failed`);
  return unnoticed.length > 0 ? 1 : 0;
}
