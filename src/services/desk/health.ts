// Is this Dragon ready to work? Runs the named checks side by side, each with a time limit. Used by
// /readyz and by the start of `serve`. Never throws: a failing check is an answer.
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";

/** One check: resolves to a short detail, or throws with a sentence. */
export type HealthCheck = { readonly name: string; run(): Promise<string> };

/** Outcome of one check. */
export type HealthResult = {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly tookMs: number;
};

/** Ready when every check is. */
export type HealthReport = { readonly ok: boolean; readonly checks: readonly HealthResult[] };

/** What the health service needs. */
export type HealthDeps = {
  readonly checks: readonly HealthCheck[];
  readonly clock: Clock;
  readonly log: Log;
  /** A check that takes longer counts as failed. */
  readonly limitMs: number;
};

/** Asks whether everything needed is there. */
export type Health = { report(): Promise<HealthReport> };

/** Builds the health service; transitions between ready and not ready are logged once. */
export function createHealth(deps: HealthDeps): Health {
  let last: boolean | undefined;
  return {
    async report() {
      const checks = await Promise.all(deps.checks.map((check) => runCheck(deps, check)));
      const ok = checks.every((check) => check.ok);
      if (last !== undefined && last !== ok) {
        const failing = checks.filter((check) => !check.ok).map((check) => check.name);
        if (ok) deps.log.info("ready again");
        else deps.log.warn("not ready", { failing });
      }
      last = ok;
      return { ok, checks };
    },
  };
}

async function runCheck(deps: HealthDeps, check: HealthCheck): Promise<HealthResult> {
  const startedMs = deps.clock.monotonicMs();
  const tookMs = () => Math.round(deps.clock.monotonicMs() - startedMs);
  const limit = new AbortController();
  const tooLate = deps.clock.sleep(deps.limitMs, limit.signal).then(
    () => {
      throw new Error(`no answer within ${deps.limitMs} ms`);
    },
    // Aborted because the check was quicker: then nobody waits for this promise any more.
    () => "",
  );
  try {
    const detail = await Promise.race([check.run(), tooLate]);
    return { name: check.name, ok: true, detail, tookMs: tookMs() };
  } catch (error) {
    // The cause may name hosts and users, so it goes to the log and not to the answer.
    deps.log.debug("a readiness check failed", { check: check.name, error });
    return { name: check.name, ok: false, detail: "failed", tookMs: tookMs() };
  } finally {
    limit.abort();
  }
}
