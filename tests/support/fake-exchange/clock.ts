// A clock for downloads: the wall clock stands where the test puts it, waiting takes no time and is
// written down.
import type { Clock } from "../../../src/ports/clock.ts";

/** A clock in the test's hands. */
export type TestClock = Clock & {
  nowMs: number;
  /** Every wait asked for, in ms. */
  readonly waits: number[];
};

/** A clock that shows `nowMs`. */
export function testClock(nowMs: number): TestClock {
  const waits: number[] = [];
  const clock: TestClock = {
    nowMs,
    waits,
    now: () => clock.nowMs,
    monotonicMs: () => performance.now(),
    async sleep(durationMs, signal) {
      signal?.throwIfAborted();
      waits.push(durationMs);
      await Bun.sleep(0);
      signal?.throwIfAborted();
    },
  };
  return clock;
}
