// Questions whose answers may be late or never come: each gets its time, and what went wrong becomes a sentence. Used
// by the pre-flight; nothing of an unexpected error is shown, because it may quote a signed request.
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type Fact, known } from "../../risk/preflight-check.ts";

/** Asks questions with a limit of time each. */
export type FactFinder = {
  /**
   * What the question finds out, or why it did not.
   * @throws only when the signal of the whole is aborted
   */
  learn<T>(ask: (signal: AbortSignal) => Promise<T>, limitMs?: number): Promise<Fact<T>>;
};

const LIMIT_MS = 15_000;
/** Their messages are made for people and hold no secret. */
const SPEAKING: ReadonlySet<string> = new Set(["BrokerError", "MarketDataError", "InputError"]);

/** @param signal ends the whole */
export function createFactFinder(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): FactFinder {
  return {
    async learn<T>(ask: (signal: AbortSignal) => Promise<T>, limitMs = LIMIT_MS): Promise<Fact<T>> {
      const over = new AbortController();
      const tooLate = clock.sleep(limitMs, over.signal).then(() => TOO_LATE);
      try {
        const asked = ask(AbortSignal.any([signal, over.signal]));
        const answer = await Promise.race([asked, tooLate]);
        if (answer !== TOO_LATE) return known(answer as T);
        return { isKnown: false, why: `there was no answer within ${limitMs / 1000} s` };
      } catch (error) {
        signal.throwIfAborted();
        log.warn("a question of a pre-flight was not answered", { error });
        const isSpeaking = error instanceof Error && SPEAKING.has(error.name);
        return { isKnown: false, why: isSpeaking ? error.message : "it failed unexpectedly" };
      } finally {
        over.abort();
      }
    },
  };
}

const TOO_LATE = Symbol("too late");

/** The fact a known fact leads to; why it is not known goes on. */
export function mapFact<A, B>(fact: Fact<A>, change: (value: A) => B): Fact<B> {
  return fact.isKnown ? known(change(fact.value)) : fact;
}
