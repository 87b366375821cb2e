// Tells workers that somebody looks at pages: only then figures that merely tick on are worth a write every ten
// seconds. Told by the streams of open pages, in whichever process they are; workers may live in another one.
import type { Bus } from "../../ports/bus.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";

/** Those who look at pages of this process. */
export type Onlookers = {
  /** A page opened its stream; workers hear of it at once. */
  opened(): void;
  /** Tells nobody any more. */
  stop(): void;
};

/** What telling needs; `count` says how many streams are open now. */
export type OnlookersDeps = {
  readonly bus: Pick<Bus, "notify">;
  readonly clock: Pick<Clock, "sleep">;
  readonly log: Log;
  readonly count: () => number;
};

/** Told again this often while a stream is open; workers believe it for three times as long. */
export const TOLD_EVERY_MS = 10_000;

/** Nobody looks yet. */
export function createOnlookers({ bus, clock, log, count }: OnlookersDeps): Onlookers {
  const stopped = new AbortController();
  let isTelling = false;

  async function tell(): Promise<void> {
    do {
      await bus.notify("pages", "").catch((error: unknown) => {
        log.debug("workers were not told that pages are open", { error });
      });
      await clock.sleep(TOLD_EVERY_MS, stopped.signal).catch(() => undefined);
    } while (count() > 0 && !stopped.signal.aborted);
    isTelling = false;
  }

  return {
    opened() {
      if (isTelling || stopped.signal.aborted) return;
      isTelling = true;
      void tell();
    },
    stop: () => stopped.abort(),
  };
}
