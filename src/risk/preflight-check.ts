// The parts a pre-flight verdict is made of: facts that may not be known, and checks with their remedy. Pure; used by
// preflight.ts and preflight-bots.ts.

/** Something that was found out, or why it was not. */
export type Fact<T> =
  { readonly isKnown: true; readonly value: T } | { readonly isKnown: false; readonly why: string };

/** Every check, in the order people read them. */
export const PREFLIGHT_KEYS = [
  "credentials",
  "withdraw_permission",
  "clock",
  "position_mode",
  "leverage",
  "symbol_rules",
  "minimums",
  "balance",
  "unexplained",
  "protective_orders",
  "lease",
  "candles",
  "limits",
  "disk",
  "migrations",
  "master_key_backup",
  "alarm",
] as const;

/** The name of a check. */
export type PreflightKey = (typeof PREFLIGHT_KEYS)[number];

/** How a check ended; `fail` keeps live trading off. */
export type PreflightCheck = {
  readonly key: PreflightKey;
  readonly level: "pass" | "warn" | "fail";
  readonly sentence: string;
  /** What to do; null when it passed. */
  readonly remedy: string | null;
};

/** Ways a check can end. */
type Saying = Readonly<Record<PreflightCheck["level"], (sentence: string) => PreflightCheck>>;

/** A check that has not ended. */
export function check(key: PreflightKey, remedy: string): Saying {
  return {
    pass: (sentence) => ({ key, level: "pass", sentence, remedy: null }),
    warn: (sentence) => ({ key, level: "warn", sentence, remedy }),
    fail: (sentence) => ({ key, level: "fail", sentence, remedy }),
  };
}

/** The worst level of all. */
export function worst(checks: readonly PreflightCheck[]): PreflightCheck["level"] {
  if (checks.some(({ level }) => level === "fail")) return "fail";
  return checks.some(({ level }) => level === "warn") ? "warn" : "pass";
}

/** A fact that was found out. */
export function known<T>(value: T): Fact<T> {
  return { isKnown: true, value };
}
