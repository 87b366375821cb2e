// Asks an exchange what a set of keys may do, and judges the answer. Used by trading-accounts.ts. Nothing
// that comes back may carry a secret, whatever the exchange or a library put into its words.
import type { EpochMs } from "../../model/time.ts";
import type {
  AccountProbe,
  Credentials,
  ProbeCheck,
  ProbeReport,
  ProbeRequest,
} from "../../ports/account-probe.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Secret } from "../../ports/vault.ts";

/** How long an exchange may take for all checks together. */
const TEST_LIMIT_MS = 20_000;
const CHECKS_MAX = 20;
const SENTENCE_CHARS_MAX = 300;
const PLACEHOLDER = "[secret]";

/**
 * Makes all checks once; an exchange that takes too long is one that does not answer.
 * @throws Error without any secret when the probe itself fails
 */
export async function testCredentials(
  probe: AccountProbe,
  request: Omit<ProbeRequest, "signal">,
  clock: Clock,
  limitMs = TEST_LIMIT_MS,
): Promise<ProbeReport> {
  const hide = hider(request.credentials);
  const signal = AbortSignal.timeout(limitMs);
  let report: ProbeReport;
  try {
    report = await Promise.race([probe.probe({ ...request, signal }), whenAborted(signal)]);
  } catch (error) {
    if (signal.aborted) return lateReport(clock.now(), limitMs);
    // The error itself stays here: its message, stack and cause may quote a signed request.
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the test of an account failed unexpectedly: ${hide(reason)}`);
  }
  const { at, clockOffsetMs, mayWithdraw } = report;
  const checks = report.checks.slice(0, CHECKS_MAX).map(({ name, outcome, fault, sentence }) => ({
    ...{ name, outcome, fault },
    sentence: hide(sentence).slice(0, SENTENCE_CHARS_MAX),
  }));
  return { at, checks, clockOffsetMs, mayWithdraw };
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function lateReport(at: EpochMs, limitMs: number): ProbeReport {
  const sentence = `the exchange did not answer everything within ${limitMs / 1000} s; try again`;
  const check = { name: "reachable", outcome: "fail", fault: "unreachable", sentence } as const;
  return { at, checks: [check], clockOffsetMs: null, mayWithdraw: null };
}

function hider({ apiKey, apiSecret, passphrase, uid }: Credentials): (text: string) => string {
  const secrets = [apiKey, apiSecret, passphrase, uid]
    .filter((each): each is Secret => each !== null)
    .flatMap((each) => [each.reveal(), encodeURIComponent(each.reveal())])
    .sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((shown, each) => shown.replaceAll(each, PLACEHOLDER), text);
}

/** Whether the keys may move money out of the account. */
export function mayWithdraw(report: ProbeReport): boolean {
  const isFound = report.checks.some(
    ({ name, outcome, fault }) =>
      fault === "withdraw" || (name === "withdraw_permission" && outcome === "fail"),
  );
  return report.mayWithdraw === true || isFound;
}

/** Checks an exchange only answers to who signed with keys it accepts. */
const SIGNED: readonly ProbeCheck["name"][] = ["key", "balances", "positions", "orders"];

/**
 * Why keys are not stored, as a sentence; undefined when they may be. The exchange must have accepted the
 * keys: what was not asked may be anything, a right to withdraw too.
 */
export function refusalOf(report: ProbeReport): string | undefined {
  if (mayWithdraw(report)) {
    return "these keys may withdraw. Make new ones without that permission and delete these at the exchange";
  }
  const { checks } = report;
  const failed = checks.filter(({ outcome }) => outcome === "fail");
  const refused = failed.find(({ name }) => name === "reachable" || name === "key");
  if (refused) return refused.sentence;
  const isAccepted = checks.some(
    ({ name, outcome }) => SIGNED.includes(name) && (outcome === "pass" || outcome === "warn"),
  );
  if (isAccepted) return undefined;
  return failed[0]?.sentence ?? "the exchange did not say whether it accepts these keys";
}

/** Names of the checks that failed, for the audit log. */
export function failedChecks(report: ProbeReport): string[] {
  return report.checks.filter(({ outcome }) => outcome === "fail").map(({ name }) => name);
}
