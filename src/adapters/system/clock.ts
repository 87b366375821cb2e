// The system's clocks behind the Clock port. Built once by main.ts; tests use their own clock.
import type { Clock } from "../../ports/clock.ts";

/** Wall clock, monotonic clock and timers of this machine. */
export function createClock(): Clock {
  return {
    now: () => Date.now(),
    monotonicMs: () => performance.now(),
    sleep: (durationMs, signal) => sleep(durationMs, signal),
  };
}

function sleep(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, durationMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
