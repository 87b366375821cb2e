// How a failed request is told: the error reads throw, and the verdict both reads and writes are
// judged by. Used by the broker files here and by adapters/resilience. Sentences are ours: no
// address, no raw answer and no secret gets into them.
import type {
  BrokerFault,
  BrokerFaultKind,
  RefusalAdvice,
  RefusalReason,
} from "../../ports/broker.ts";

/** What a read throws; `retryAfterMs` is how long the exchange asks us to stay away. */
export class BrokerError extends Error implements BrokerFault {
  override readonly name = "BrokerError";
  readonly kind: BrokerFaultKind;
  readonly retryAfterMs: number | null;

  constructor(kind: BrokerFaultKind, sentence: string, retryAfterMs: number | null = null) {
    super(sentence);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Classes of failure; only the first two count against the exchange's health. */
export type FaultClass =
  | "transport"
  | "rate_limit"
  | "auth"
  | "clock"
  | "business"
  | "mode"
  | "duplicate"
  | "gone"
  | "maintenance";

/**
 * What a code means. `isProven` is false when the request may have been carried out all the same:
 * a write is then unverified whatever the class says.
 */
export type CodeMeaning = {
  readonly fault: FaultClass;
  readonly reason: RefusalReason;
  readonly isProven: boolean;
  readonly sentence: string;
};

const KINDS: Readonly<Record<FaultClass, BrokerFaultKind>> = {
  transport: "transport",
  rate_limit: "rate_limit",
  auth: "auth",
  clock: "clock",
  business: "refused",
  mode: "refused",
  duplicate: "refused",
  gone: "refused",
  maintenance: "maintenance",
};

/** What each class of failure asks of the sender of a write. */
export const ADVICE: Readonly<Record<FaultClass, RefusalAdvice>> = {
  transport: "back_off",
  rate_limit: "back_off",
  auth: "stop_account",
  clock: "back_off",
  business: "decide_again",
  mode: "block_entries",
  duplicate: "adopt",
  gone: "ask",
  maintenance: "pause",
};

/** The kind a read fails with. */
export function faultKind({ fault, reason }: CodeMeaning): BrokerFaultKind {
  if (reason === "PERMISSION_MISSING") return "permission";
  if (reason === "ADDRESS_REFUSED") return "address";
  return reason === "NOT_SUPPORTED" ? "not_supported" : KINDS[fault];
}

/**
 * Asserts that a read may be made.
 * @throws BrokerError of kind `not_supported`
 */
export function requireSupport(isSupported: boolean, exchangeId: string, what: string): void {
  if (!isSupported) throw new BrokerError("not_supported", `${exchangeId} does not tell ${what}`);
}
