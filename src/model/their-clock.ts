// The clock of somebody else, read once and carried on by what passes here. Used wherever an exchange's time decides:
// our wall clock may be wrong, and may be set at any moment.
import type { EpochMs } from "./time.ts";

/** Their clock and both of ours at one instant. */
export type ClockReading = {
  readonly theirs: EpochMs;
  readonly ours: EpochMs;
  readonly monotonicMs: number;
};

/** Clocks of ours that moved apart by more than this: one was set, or the machine slept. */
const APART_MS = 1000;

/** What their clock says now; null when it has to be read again. */
export function theirNow(
  { theirs, ours, monotonicMs }: ClockReading,
  oursNow: EpochMs,
  monotonicNowMs: number,
): EpochMs | null {
  const passedMs = monotonicNowMs - monotonicMs;
  const isApart = Math.abs(oursNow - ours - passedMs) > APART_MS;
  return isApart ? null : Math.round(theirs + passedMs);
}
