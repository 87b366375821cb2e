// Keeps the offset between the exchange's clock and ours. Used by the broker: requests are stamped
// with it. However many calls find the clock wrong at once, it is asked for one time.
import type { Client, ClientDeps } from "./broker-client.ts";
import type { Dialect } from "./broker-profile.ts";

/** Sets the clock right. */
export type ClockKeeper = {
  /**
   * Asks for the exchange's time and takes it over; false when it hardly differs from what we
   * thought, or is not told: then the clock was not the trouble.
   * @param usedMs the offset the refused request was stamped with: one set right since is not asked for again
   */
  wasWrong(usedMs: number): Promise<boolean>;
};

/** Offsets below this explain no refused request. */
const SUSPECT_MS = 1000;

/** The offset starts at 0 and changes only when a request was refused. */
export function createClockKeeper(
  { clock, timeoutMs }: ClientDeps,
  client: Client,
  dialect: Dialect,
): ClockKeeper {
  let asking: Promise<boolean> | null = null;

  async function ask(): Promise<boolean> {
    const [late, answered] = [new AbortController(), new AbortController()];
    const { signal } = late;
    clock.sleep(timeoutMs, answered.signal).then(
      () => late.abort(new Error(`no answer within ${timeoutMs} ms`)),
      () => undefined,
    );
    const before = clock.now();
    let theirs: number;
    try {
      theirs = await client.wire.run({ sent: [], signal }, () => dialect.serverTime());
    } catch {
      // Without the time, the refusal we came from stands as it is.
      return false;
    } finally {
      answered.abort();
    }
    const offsetMs = Math.round(theirs - (before + clock.now()) / 2);
    const isWrong = Math.abs(offsetMs - client.offsetMs) >= SUSPECT_MS;
    client.offsetMs = offsetMs;
    return isWrong;
  }

  return {
    wasWrong(usedMs) {
      const hasChanged = Math.abs(client.offsetMs - usedMs) >= SUSPECT_MS;
      if (asking === null && hasChanged) return Promise.resolve(true);
      asking ??= ask().finally(() => {
        asking = null;
      });
      return asking;
    },
  };
}
