// Asking an exchange whether a set of credentials works and what it may do, without changing anything.
// Interfaces only. Used by the accounts page and by pre-flight checks.
import type { EpochMs } from "../model/time.ts";
import type { Secret } from "./vault.ts";

/** What a request to an exchange is signed with; `passphrase` and `uid` only where it asks for them. */
export type Credentials = {
  readonly apiKey: Secret;
  readonly apiSecret: Secret;
  readonly passphrase: Secret | null;
  readonly uid: Secret | null;
};

/** The thing that is wrong when a check fails. */
export type ProbeFault =
  "unreachable" | "key" | "clock" | "address" | "permission" | "mode" | "withdraw" | "other";

/** One check, in the order they are made; later ones are skipped when an earlier one makes them moot. */
export type ProbeCheck = {
  readonly name:
    | "reachable"
    | "clock"
    | "key"
    | "balances"
    | "positions"
    | "orders"
    | "order_book"
    | "position_mode"
    | "withdraw_permission";
  readonly outcome: "pass" | "warn" | "fail" | "skipped";
  /** Set when it failed. */
  readonly fault: ProbeFault | null;
  /** One sentence for a person; never contains a secret or a raw answer. */
  readonly sentence: string;
};

/** What the exchange answered. */
export type ProbeReport = {
  readonly at: EpochMs;
  readonly checks: readonly ProbeCheck[];
  /** Exchange clock minus ours, ms; null when it was not told. */
  readonly clockOffsetMs: number | null;
  /** Null when the exchange does not tell. */
  readonly mayWithdraw: boolean | null;
};

/** Which account is asked about. */
export type ProbeRequest = {
  readonly exchangeId: string;
  /** `demo` accounts are only ever asked on loopback. */
  readonly mode: "demo" | "paper" | "live";
  readonly credentials: Credentials;
  /** A market to look at, e.g. `BTC/USDT:USDT`. */
  readonly symbol: string;
  readonly signal: AbortSignal;
};

/** Probes accounts; it never throws for what the exchange answered. */
export type AccountProbe = { probe(request: ProbeRequest): Promise<ProbeReport> };
