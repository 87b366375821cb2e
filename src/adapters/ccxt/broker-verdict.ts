// Judges what became of a request. Used by broker.ts for every read and write. A write is refused only
// when the exchange provably did not take it; everything in between is unverified.
import { BaseError, OperationFailed, RequestTimeout } from "ccxt-src/base/errors.js";
import { InputError } from "../../model/result.ts";
import type { UnverifiedCause, WriteAnswer } from "../../ports/broker.ts";
import type { BrokerProfile } from "./broker-profile.ts";
import { EgressError, type Sent } from "./broker-wire.ts";
import { ADVICE, BrokerError, type CodeMeaning, faultKind } from "./error-types.ts";

/** The outcome of a call: a value, or what was thrown. */
export type Settled<T> = { readonly value: T } | { readonly error: unknown };

const SENTENCES: Readonly<Record<UnverifiedCause, string>> = {
  timeout: "no answer came in time",
  connection_lost: "the connection was lost before an answer came",
  server_error: "the exchange reported a failure of its own",
  unreadable_answer: "the answer could not be read",
  said_unknown: "the answer leaves open what happened",
};
const UNKNOWN_CODE: CodeMeaning = {
  fault: "business",
  reason: "UNKNOWN_CODE",
  isProven: true,
  sentence: "the exchange refused with a code we do not know",
};
const TOO_MANY: CodeMeaning = {
  fault: "rate_limit",
  reason: "RATE_LIMITED",
  isProven: true,
  sentence: "too many requests",
};
const UNREACHED = "the exchange's markets could not be read, so nothing was sent";
const RATE_LIMITED: ReadonlySet<number> = new Set([429, 418]);

/**
 * The answer to a write.
 * @param sent the write as it went out; undefined when it never did
 * @throws what was thrown before anything was sent, when that was no decision about the request
 */
export function writeAnswer<T>(
  profile: BrokerProfile,
  sent: Sent | undefined,
  settled: Settled<T>,
): WriteAnswer<T> {
  const error = "error" in settled ? settled.error : null;
  if (sent === undefined) return unsent(profile, error);
  if (sent.status === null) {
    return unverified(profile, isTimeout(error) ? "timeout" : "connection_lost");
  }
  if (sent.status >= 500) return unverified(profile, "server_error");
  if (sent.body === undefined) return unverified(profile, "unreadable_answer");
  const isFailed = sent.status >= 400 || profile.saysFailed(sent.body);
  if (!isFailed) {
    if ("error" in settled) return unverified(profile, "unreadable_answer");
    return { outcome: "accepted", value: settled.value };
  }
  const meaning = profile.meaningOf(sent, error);
  if (meaning !== null) {
    return meaning.isProven
      ? refused(profile, meaning, sent.retryAfterMs)
      : unverified(profile, "said_unknown", meaning.sentence);
  }
  if (RATE_LIMITED.has(sent.status)) return refused(profile, TOO_MANY, sent.retryAfterMs);
  if (sent.status >= 400) return refused(profile, UNKNOWN_CODE, sent.retryAfterMs);
  return unverified(profile, "said_unknown");
}

/** A refusal in our words. */
export function refused(
  profile: Pick<BrokerProfile, "exchangeId">,
  meaning: Pick<CodeMeaning, "fault" | "reason" | "sentence">,
  retryAfterMs: number | null,
): WriteAnswer<never> {
  return {
    outcome: "refused",
    reason: meaning.reason,
    advice: ADVICE[meaning.fault],
    sentence: `${profile.exchangeId}: ${meaning.sentence}`,
    retryAfterMs,
  };
}

/** An answer that settles nothing. */
export function unverified(
  profile: Pick<BrokerProfile, "exchangeId">,
  cause: UnverifiedCause,
  sentence: string = SENTENCES[cause],
): WriteAnswer<never> {
  return { outcome: "unverified", cause, sentence: `${profile.exchangeId}: ${sentence}` };
}

/** A write that ended before it was sent is refused, unless the program itself is wrong. */
function unsent(profile: BrokerProfile, error: unknown): WriteAnswer<never> {
  if (error instanceof BrokerError) {
    const isBad = error.kind === "refused" || error.kind === "not_supported";
    const reason =
      error.kind === "not_supported" ? "NOT_SUPPORTED" : isBad ? "BAD_REQUEST" : "BUSY";
    const fault = isBad ? "business" : "transport";
    return refused(profile, { fault, reason, sentence: error.message }, error.retryAfterMs);
  }
  if (error instanceof InputError) {
    return refused(
      profile,
      { fault: "business", reason: "BAD_REQUEST", sentence: error.message },
      null,
    );
  }
  if (error instanceof EgressError) {
    return refused(
      profile,
      { fault: "auth", reason: "NOT_SUPPORTED", sentence: error.message },
      null,
    );
  }
  if (error instanceof OperationFailed) {
    return refused(profile, { fault: "transport", reason: "BUSY", sentence: UNREACHED }, null);
  }
  if (error instanceof BaseError) {
    const sentence = "the order does not fit the exchange's rules and was not sent";
    return refused(profile, { fault: "business", reason: "BAD_REQUEST", sentence }, null);
  }
  throw error;
}

/** What a failed read throws. `meaning` is the code's, null when there is none we know. */
export function readFault(
  profile: BrokerProfile,
  sent: Sent | undefined,
  error: unknown,
  meaning: CodeMeaning | null,
): unknown {
  if (error instanceof BrokerError || error instanceof InputError) return error;
  const { exchangeId } = profile;
  if (sent === undefined) {
    if (error instanceof EgressError) return new BrokerError("refused", error.message);
    if (!(error instanceof BaseError)) return error;
    if (error instanceof OperationFailed) {
      return new BrokerError("transport", `${exchangeId}: ${UNREACHED}`);
    }
    return new BrokerError("refused", `${exchangeId}: the request does not fit and was not sent`);
  }
  const told = (sentence: string) => `${exchangeId}: ${sentence}`;
  const { status, retryAfterMs } = sent;
  if (status === null) {
    const cause = isTimeout(error) ? "timeout" : "connection_lost";
    return new BrokerError("transport", told(SENTENCES[cause]));
  }
  if (RATE_LIMITED.has(status)) {
    return new BrokerError("rate_limit", told(TOO_MANY.sentence), retryAfterMs);
  }
  if (meaning !== null && (status < 500 || meaning.fault === "maintenance")) {
    return new BrokerError(faultKind(meaning), told(meaning.sentence), retryAfterMs);
  }
  if (status >= 500)
    return new BrokerError("transport", told(SENTENCES.server_error), retryAfterMs);
  if (sent.body === undefined)
    return new BrokerError("transport", told(SENTENCES.unreadable_answer));
  if (status >= 400) return new BrokerError("refused", told(UNKNOWN_CODE.sentence));
  return new BrokerError("transport", told(SENTENCES.unreadable_answer));
}

function isTimeout(error: unknown): boolean {
  return error instanceof RequestTimeout;
}
