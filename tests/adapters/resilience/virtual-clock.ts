// A clock in which waiting takes no time: whoever sleeps is woken in order of the instants, one at a
// time, each only after everything the last one started has come to rest.
import type { Clock } from "../../../src/ports/clock.ts";

/** A clock in the test's hands. */
export type VirtualClock = Clock & {
  /** Runs until the instant, or until nobody sleeps any more. */
  runUntil(at: number): Promise<void>;
};

type Sleeper = { readonly at: number; readonly seq: number; readonly wake: () => void };

/** A clock that stands at `start` ms. */
export function virtualClock(start = 0): VirtualClock {
  const sleepers: Sleeper[] = [];
  let now = start;
  let seq = 0;
  return {
    now: () => now,
    monotonicMs: () => now,
    sleep(durationMs, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = { at: now + Math.max(0, durationMs), seq: seq++, wake: resolve };
        insert(sleepers, sleeper);
        signal?.addEventListener(
          "abort",
          () => {
            const index = sleepers.indexOf(sleeper);
            if (index >= 0) sleepers.splice(index, 1);
            reject(signal.reason);
          },
          { once: true },
        );
      });
    },
    async runUntil(at) {
      await settle();
      for (let next = sleepers[0]; next !== undefined && next.at <= at; next = sleepers[0]) {
        sleepers.shift();
        now = next.at;
        next.wake();
        await settle();
      }
      now = Math.max(now, at);
    },
  };
}

/** Lets every promise that can go on go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await Promise.resolve();
}

/** Keeps the list in order of instants, then of arrival. */
function insert(sleepers: Sleeper[], sleeper: Sleeper): void {
  let low = 0;
  let high = sleepers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = sleepers[middle];
    if (other !== undefined && other.at <= sleeper.at) low = middle + 1;
    else high = middle;
  }
  sleepers.splice(low, 0, sleeper);
}
