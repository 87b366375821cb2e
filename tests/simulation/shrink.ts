// Makes a failing schedule short: takes away deeds and steps as long as it goes on failing, by halves and
// then by quarters (delta debugging). Called by the torture for a failing seed; the result is JSON that
// `--replay` runs again.
import type { Deed, Schedule, Step } from "./schedule.ts";

/** Whether a schedule still fails in the same way. */
export type StillFails = (schedule: Schedule) => Promise<boolean>;

/** Runs that may be spent on one schedule. */
const RUNS_MAX = 300;

type Placed = { readonly step: number; readonly deed: Deed };

/** The shortest schedule found that still fails; the given one when nothing can go. */
export async function shrink(failing: Schedule, stillFails: StillFails): Promise<Schedule> {
  let runs = 0;
  const fails = async (schedule: Schedule) => {
    runs += 1;
    return runs <= RUNS_MAX && (await stillFails(schedule));
  };
  const cut = await shortened(failing, fails);
  const placed = placedOf(cut);
  const left = await reduced(placed, (some) => fails(scheduleFrom(cut, some)));
  return shortened(scheduleFrom(cut, left), fails);
}

/** Drops steps from the end, half of what is left at a time. */
async function shortened(schedule: Schedule, fails: StillFails): Promise<Schedule> {
  let best = schedule;
  for (let part = Math.floor(best.steps.length / 2); part >= 1;) {
    const shorter = { ...best, steps: best.steps.slice(0, best.steps.length - part) };
    if (shorter.steps.length > 0 && (await fails(shorter))) best = shorter;
    else part = Math.floor(part / 2);
    part = Math.min(part, best.steps.length - 1);
  }
  return best;
}

/** The fewest of a list with which `fails` holds, found by taking ever smaller pieces away. */
async function reduced(
  list: readonly Placed[],
  fails: (some: readonly Placed[]) => Promise<boolean>,
): Promise<readonly Placed[]> {
  let best = list;
  for (let pieces = 2; best.length > 0;) {
    const size = Math.ceil(best.length / pieces);
    let without: readonly Placed[] | null = null;
    for (let from = 0; from < best.length && without === null; from += size) {
      const rest = [...best.slice(0, from), ...best.slice(from + size)];
      if (await fails(rest)) without = rest;
    }
    if (without !== null) {
      best = without;
      pieces = Math.max(2, pieces - 1);
    } else if (size === 1) break;
    else pieces = Math.min(best.length, pieces * 2);
  }
  return best;
}

function placedOf({ steps }: Schedule): Placed[] {
  return steps.flatMap(({ deeds }, step) => deeds.map((deed) => ({ step, deed })));
}

function scheduleFrom({ steps, ...rest }: Schedule, placed: readonly Placed[]): Schedule {
  const kept: Step[] = steps.map((_, step) => ({
    deeds: placed.filter((one) => one.step === step).map(({ deed }) => deed),
  }));
  return { ...rest, steps: kept };
}
