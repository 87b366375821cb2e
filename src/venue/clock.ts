// The venue's virtual time: real, accelerated or stepped. Only the server asks it; inside the exchange
// time is the instant of the event being handled.

/** How virtual time passes. */
export type Clock = {
  /** Virtual instant, epoch ms; never goes back. */
  now(): number;
  /** Virtual ms per real ms; 0 means that time stands until it is stepped. */
  speed(): number;
  /** Changes the pace from now on. */
  setSpeed(speed: number): void;
  /** Moves a standing clock forward. @throws RangeError when time is running or `ms` is negative */
  step(ms: number): void;
};

/**
 * A clock that begins at `startAt`.
 * @param speed 1 real time, N accelerated, 0 stepped
 * @param monotonicMs source of real time; a parameter so that tests can stand it still
 */
export function createClock(startAt: number, speed: number, monotonicMs: () => number): Clock {
  let base = startAt;
  let since = monotonicMs();
  let pace = speed;
  const now = () => Math.floor(base + (monotonicMs() - since) * pace);
  return {
    now,
    speed: () => pace,
    setSpeed(next) {
      base = now();
      since = monotonicMs();
      pace = next;
    },
    step(ms) {
      if (pace !== 0) throw new RangeError("time is running: only a clock of speed 0 is stepped");
      if (!Number.isSafeInteger(ms) || ms < 0) throw new RangeError(`ms "${ms}" must be 0 or more`);
      base += ms;
    },
  };
}
