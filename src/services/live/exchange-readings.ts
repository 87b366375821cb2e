// Answers of an exchange that seldom change, one per symbol, each asked again when it gets old: sooner while it is
// not known. Used by position-settings.ts; a failed question makes the answer unknown and nothing else.
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";

/** Answers by symbol. */
export type Readings<T> = {
  /** Asks when it is due. @returns whether it asked */
  refresh(symbol: string, signal: AbortSignal): Promise<boolean>;
  /** Null while it is not known. */
  of(symbol: string): T | null;
  /** It is asked for at the next occasion. */
  forget(symbol: string): void;
};

const KNOWN_MS = 20 * 60_000;
/** Before the next try after each failure in a row; the last one stays. */
const UNKNOWN_MS = [5_000, 15_000, 60_000, 120_000];

/** @param what names the question in the log */
export function createReadings<T>(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  what: string,
  ask: (symbol: string, signal: AbortSignal) => Promise<T>,
): Readings<T> {
  const known = new Map<string, { value: T | null; dueMs: number; failures: number }>();
  return {
    async refresh(symbol, signal) {
      const before = known.get(symbol);
      if (before && clock.monotonicMs() < before.dueMs) return false;
      try {
        const value = await ask(symbol, signal);
        known.set(symbol, { value, dueMs: clock.monotonicMs() + KNOWN_MS, failures: 0 });
      } catch (error) {
        signal.throwIfAborted();
        const failures = (before?.failures ?? 0) + 1;
        const waitMs = UNKNOWN_MS[Math.min(failures, UNKNOWN_MS.length) - 1] ?? 0;
        known.set(symbol, { value: null, dueMs: clock.monotonicMs() + waitMs, failures });
        log.warn(`${what} of ${symbol} is not known; it is asked again`, { error });
      }
      return true;
    },
    of: (symbol) => known.get(symbol)?.value ?? null,
    forget: (symbol) => void known.delete(symbol),
  };
}
