// The real program, `src/main.ts` as it is started by hand, on the exchange's time: as its source is loaded, the
// clock runs at the exchange's pace and the addresses of WOO X are those of the simulated one. The network cannot
// be reached: an account bound to an address of this machine sends nowhere else. Used by smoke-world.ts.
import { join } from "node:path";
import type { Rewrite } from "../simulation/rewrite.ts";
import { ROOT, type Serving, serving } from "../support/dragon.ts";
import type { VenueAddress } from "../support/venue-process.ts";

/** How the program is started. */
export type ProgramOptions = {
  readonly dataDir: string;
  readonly venue: VenueAddress;
  readonly speed: number;
};

const PRELOAD = join(ROOT, "tests/simulation/rewrite-preload.ts");
/** Short, because its time is the database's own; renewals follow the exchange's time. */
const LEASE_S = { DRAGON_JOB_LEASE_S: "20", DRAGON_JOB_LEASE_RENEW_EVERY_S: "8" };

/** What of the source is another in these tests: the clock, and where WOO X is. */
function rewritesFor({ venue, speed }: ProgramOptions): Rewrite[] {
  const { url, at, wallAt } = venue;
  const clock = "src/adapters/system/clock.ts";
  const here = `loopbackUrl: "${url}", timeoutMs`;
  return [
    {
      ...{ file: clock, find: "Date.now()" },
      replace: `Math.floor(${at} + (Date.now() - ${wallAt}) * ${speed})`,
    },
    { file: clock, find: "performance.now()", replace: `performance.now() * ${speed}` },
    {
      ...{ file: clock, find: "=> sleep(durationMs, signal)" },
      replace: `=> sleep(durationMs / ${speed}, signal)`,
    },
    { file: "src/live.ts", find: "loopbackUrl: null, timeoutMs", replace: here },
    { file: "src/trading-accounts.ts", find: "loopbackUrl: null, timeoutMs", replace: here },
    {
      ...{ file: "src/demo-exchange.ts", find: "loopbackUrls: Record<string, string> = {}" },
      replace: `loopbackUrls: Record<string, string> = { woox: "${url}" }`,
    },
  ];
}

/** Starts a command that goes on: `serve` with its pages, or `worker`. @throws with its output */
export function startCommand(
  options: ProgramOptions,
  command: readonly ["serve", ...string[]] | readonly ["worker"],
): Promise<Serving> {
  const line = [process.execPath, "--preload", PRELOAD, join(ROOT, "src/main.ts"), ...command];
  const env = {
    ...{ ...LEASE_S, DRAGON_DATA_DIR: options.dataDir, DRAGON_LOG_LEVEL: "debug" },
    DRAGON_TEST_REWRITES: JSON.stringify(rewritesFor(options)),
  };
  return serving(line, { env });
}
