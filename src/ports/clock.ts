// Time as a collaborator. Services and adapters ask this instead of the system, so that tests
// can hold the clock in their hands.
import type { EpochMs } from "../model/time.ts";

/** Wall clock, monotonic clock and waiting. */
export type Clock = {
  /** Wall clock, ms UTC. */
  now(): EpochMs;
  /** Milliseconds since an arbitrary start; never goes backwards. */
  monotonicMs(): number;
  /** Resolves after the duration; rejects with the signal's reason when aborted before. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
};
