// Messages to people on their way out: bounded, one after the other, tried again with pauses, never waited for. Used by
// alarms.ts alone. The oldest are dropped when too many wait, and the next one that leaves says how many.
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Alarm, AlarmTarget, Delivery, Notifier } from "../../ports/notifier.ts";

/** A queue of one process. */
export type AlarmQueue = {
  /** Takes it unless one of the same key was taken within the hour; never waits, never throws. */
  push(key: string, message: OutgoingAlarm): void;
  /** Sends until the signal; never rejects. */
  run(signal: AbortSignal): Promise<void>;
};

/** A message and where it goes. */
export type OutgoingAlarm = {
  readonly alarm: Alarm;
  /** Asked before every try; null when nobody is to be told any more, `locked` when it cannot be opened. */
  readonly target: () => Promise<AlarmTarget | "locked" | null>;
  /** Told how the last try ended. */
  readonly onEnd: (delivery: Delivery) => void;
};

/** What the queue works with. */
export type AlarmQueueDeps = {
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly log: Log;
};

/** Messages that wait at the same time. */
export const ALARMS_MAX = 200;
/** The same thing about the same subject is told again after this. */
export const AGAIN_AFTER_MS = 3_600_000;
const RETRY_AFTER_MS = [2_000, 10_000, 30_000, 120_000];
const REMEMBERED_MAX = 2000;
/** What a target that cannot be opened comes to. */
export const LOCKED: Delivery = {
  outcome: "failed",
  isFinal: true,
  sentence: "the address was sealed under another master key: store it again",
};

/** An empty queue. */
export function createAlarmQueue(deps: AlarmQueueDeps): AlarmQueue {
  const { clock, log } = deps;
  const waiting: OutgoingAlarm[] = [];
  const taken = new Map<string, { atMs: number; hidden: number }>();
  let dropped = 0;
  let wake: (() => void) | null = null;

  /** Null while the same was told lately; else how often it was held back since. */
  function heldBack(key: string): number | null {
    const nowMs = clock.monotonicMs();
    const known = taken.get(key);
    if (known && nowMs - known.atMs < AGAIN_AFTER_MS) {
      known.hidden += 1;
      return null;
    }
    taken.delete(key);
    taken.set(key, { atMs: nowMs, hidden: 0 });
    const [oldest] = taken.keys();
    if (taken.size > REMEMBERED_MAX && oldest !== undefined) taken.delete(oldest);
    return known?.hidden ?? 0;
  }

  return {
    push(key, { alarm, ...rest }) {
      const hidden = heldBack(key);
      if (hidden === null) return;
      const more = hidden === 0 ? "" : ` (${hidden} times more in the last hour)`;
      waiting.push({ ...rest, alarm: { ...alarm, sentence: `${alarm.sentence}${more}` } });
      if (waiting.length > ALARMS_MAX) {
        waiting.shift();
        dropped += 1;
        log.warn("too many alarms wait; the oldest was dropped", { dropped });
      }
      wake?.();
    },
    async run(signal) {
      while (!signal.aborted) {
        const next = waiting.shift();
        if (next === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
            signal.addEventListener("abort", () => resolve(), { once: true });
          });
          wake = null;
          continue;
        }
        const lost = dropped;
        dropped = 0;
        const missing = lost === 0 ? "" : ` (${lost} earlier alarms were dropped)`;
        const { alarm } = next;
        const told = { ...alarm, sentence: `${alarm.sentence}${missing}` };
        await send(deps, { ...next, alarm: told }, signal);
      }
    },
  };
}

async function send(
  { notifier, clock, log }: AlarmQueueDeps,
  { alarm, target, onEnd }: OutgoingAlarm,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (let attempt = 0; ; attempt++) {
      const to = await target();
      // Switched off meanwhile.
      if (to === null) return;
      const delivery = to === "locked" ? LOCKED : await notifier.deliver(to, alarm, signal);
      const waitMs = RETRY_AFTER_MS[attempt];
      if (delivery.outcome === "delivered" || delivery.isFinal || waitMs === undefined) {
        onEnd(delivery);
        return;
      }
      await clock.sleep(waitMs, signal);
    }
  } catch (error) {
    if (!signal.aborted) log.warn("an alarm could not be sent", { kind: alarm.kind, error });
  }
}
