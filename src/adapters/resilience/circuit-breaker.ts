// Stops asking an exchange that does not answer. Used by resilient-broker.ts, one breaker for an
// account and one for public data. Cancels and closes pass an open breaker; a probe that never got
// its answer gives its place back.
import type { Clock } from "../../ports/clock.ts";

/** Closed lets everything through; half open waits for the one probe that is out. */
export type BreakerState = "closed" | "open" | "half_open";

/** What a call that was let through reports; the first report counts. */
export type Pass = {
  /** The exchange answered, whatever it said about the request. */
  succeeded(): void;
  /** Transport or rate limit. */
  failed(): void;
  /** The call ended without having tried the exchange. */
  released(): void;
};

/** Lets calls through or not. */
export type CircuitBreaker = {
  state(): BreakerState;
  /** Milliseconds until a probe may go; 0 when one may go now. */
  openForMs(): number;
  /** A pass, or null when the call must not go. @param isExempt cancels and closes */
  admit(isExempt: boolean): Pass | null;
};

/** What a breaker needs; `onChange` hears every change of state. */
export type BreakerDeps = {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly onChange?: (state: BreakerState) => void;
};

const FAILURES_MAX = 5;
const WINDOW_MS = 60_000;
const OPEN_MS = 20_000;

/** A closed breaker. */
export function createCircuitBreaker({ clock, onChange }: BreakerDeps): CircuitBreaker {
  let state: BreakerState = "closed";
  let failures: number[] = [];
  let openUntil = 0;

  function enter(next: BreakerState): void {
    if (next === "open") openUntil = clock.monotonicMs() + OPEN_MS;
    if (next !== "half_open") failures = [];
    if (next === state) return;
    state = next;
    onChange?.(next);
  }

  function fail(): void {
    const now = clock.monotonicMs();
    failures = failures.filter((at) => at > now - WINDOW_MS);
    failures.push(now);
    if (failures.length >= FAILURES_MAX) enter("open");
  }

  function passOf(isProbe: boolean): Pass {
    let isReported = false;
    const once = (report: () => void) => () => {
      if (isReported) return;
      isReported = true;
      report();
    };
    if (isProbe) {
      return {
        succeeded: once(() => enter("closed")),
        failed: once(() => enter("open")),
        // Open with its time already over: the next call is the probe.
        released: once(() => {
          state = "open";
          openUntil = clock.monotonicMs();
        }),
      };
    }
    return {
      succeeded: once(() => {
        if (state === "closed") failures = [];
      }),
      failed: once(() => {
        if (state === "closed") fail();
      }),
      released: once(() => undefined),
    };
  }

  return {
    state: () => state,
    openForMs: () => (state === "open" ? Math.max(0, openUntil - clock.monotonicMs()) : 0),
    admit(isExempt) {
      if (isExempt || state === "closed") return passOf(false);
      if (state === "half_open" || clock.monotonicMs() < openUntil) return null;
      enter("half_open");
      return passOf(true);
    },
  };
}
