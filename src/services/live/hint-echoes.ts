// Looks that follow a hint: what an exchange answers may be older than what its stream has just told, and without
// another hint nobody would ask again before the next comparison. Used by the account loop, one for each account.
import type { Clock } from "../../ports/clock.ts";

/** Looks that are still to come. */
export type HintEchoes = {
  /** Something was told: it is looked again in a while, three times. */
  begin(): void;
  /** Whether a look is due now; it is taken as made. */
  take(): boolean;
  /** How long until the next one, ms; infinite when none is to come. */
  waitMs(): number;
};

/** Answers lag by a second as a rule; the later looks are for those that take longer. */
const AFTER_MS = [1100, 2500, 6000];

/** Nothing was told yet. */
export function createHintEchoes(clock: Pick<Clock, "monotonicMs">): HintEchoes {
  let dueMs: readonly number[] = [];
  return {
    begin() {
      const nowMs = clock.monotonicMs();
      dueMs = AFTER_MS.map((ms) => nowMs + ms);
    },
    take() {
      const nowMs = clock.monotonicMs();
      const later = dueMs.filter((at) => at > nowMs);
      const isDue = later.length < dueMs.length;
      dueMs = later;
      return isDue;
    },
    waitMs: () => Math.max(0, Math.min(...dueMs) - clock.monotonicMs()),
  };
}
