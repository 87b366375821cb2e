// Virtual time for simulations: a monotonic clock that only moves while it is run, a wall clock on top
// of it that may jump, and waiters woken one at a time in order of their instants. Between two wakings
// everything that can go on goes on, so that a run depends on nothing but its seed.
import type { Clock } from "../../src/ports/clock.ts";

/** Virtual time in the simulation's hands. */
export type SimClock = {
  /** The clock of the machine the workers run on. */
  readonly machine: Clock;
  /** The instant the rest of the world goes by, epoch ms. */
  now(): number;
  /** Sets the machine's wall clock on or back. */
  jump(ms: number): void;
  /** The same waiting as the machine's, for the world outside. */
  sleep(durationMs: number): Promise<void>;
  /** Calls back at an instant; a past one is now. */
  at(instant: number, run: () => void): void;
  /** Wakes everybody whose instant comes, up to and including `instant`. */
  runUntil(instant: number): Promise<void>;
  /** Those who wait now. */
  waiting(): number;
};

type Waiter = { readonly at: number; readonly rank: number; wake: (() => void) | null };

/** A clock that stands at `startAt`. */
export function createSimClock(startAt: number): SimClock {
  const heap: Waiter[] = [];
  let now = startAt;
  let wallOffsetMs = 0;
  let rank = 0;

  function wait(durationMs: number, wake: () => void): Waiter {
    const waiter: Waiter = { at: now + Math.max(0, durationMs), rank: rank++, wake };
    push(heap, waiter);
    return waiter;
  }

  const machine: Clock = {
    now: () => Math.floor(now) + wallOffsetMs,
    monotonicMs: () => now - startAt,
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const waiter = wait(durationMs, () => {
          signal?.removeEventListener("abort", stop);
          resolve();
        });
        const stop = () => {
          waiter.wake = null;
          reject(signal?.reason);
        };
        signal?.addEventListener("abort", stop, { once: true });
      }),
  };

  return {
    machine,
    now: () => Math.floor(now),
    jump: (ms) => {
      wallOffsetMs += ms;
    },
    sleep: (durationMs) => new Promise((resolve) => void wait(durationMs, resolve)),
    at: (instant, run) => void wait(instant - now, run),
    waiting: () => heap.filter(({ wake }) => wake !== null).length,
    async runUntil(instant) {
      await rest();
      for (let next = heap[0]; next !== undefined && next.at <= instant; next = heap[0]) {
        pop(heap);
        if (next.wake === null) continue;
        now = Math.max(now, next.at);
        next.wake();
        await rest();
      }
      now = Math.max(now, instant);
    },
  };
}

/** Lets every promise that can go on go on: a turn of the event loop begins when none is left. */
function rest(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function isBefore(a: Waiter, b: Waiter): boolean {
  return a.at !== b.at ? a.at < b.at : a.rank < b.rank;
}

function push(heap: Waiter[], waiter: Waiter): void {
  let i = heap.push(waiter) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !isBefore(waiter, above)) break;
    heap[i] = above;
    i = parent;
  }
  heap[i] = waiter;
}

function pop(heap: Waiter[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let i = 0;
  for (;;) {
    const [left, right] = [heap[2 * i + 1], heap[2 * i + 2]];
    if (left === undefined) break;
    const isRight = right !== undefined && isBefore(right, left);
    const child = isRight ? right : left;
    if (!isBefore(child, last)) break;
    heap[i] = child;
    i = 2 * i + (isRight ? 2 : 1);
  }
  heap[i] = last;
}
