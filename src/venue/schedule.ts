// What happens at which virtual time: a heap ordered by instant and, at one instant, by the order in
// which things were planned. The exchange runs what is due; nothing here looks at a clock.

type Planned = { readonly at: number; readonly rank: number; run: (() => void) | null };

/** A planned event that can be called off. */
export type Appointment = { readonly at: number; cancel(): void };

/** The agenda of a venue. */
export type Schedule = {
  /** Plans `run` at a virtual instant, epoch ms. */
  at(instant: number, run: () => void): Appointment;
  /** Instant of the next event, Infinity when there is none. */
  nextAt(): number;
  /** Takes the next event off the agenda and returns it. */
  take(): { readonly at: number; readonly run: () => void } | null;
};

/** An empty agenda. */
export function createSchedule(): Schedule {
  const heap: Planned[] = [];
  let rank = 0;
  return {
    at(instant, run) {
      const planned: Planned = { at: instant, rank: rank++, run };
      push(heap, planned);
      return {
        at: instant,
        cancel: () => {
          planned.run = null;
        },
      };
    },
    nextAt() {
      dropCancelled(heap);
      return heap[0]?.at ?? Number.POSITIVE_INFINITY;
    },
    take() {
      dropCancelled(heap);
      const next = pop(heap);
      return next?.run ? { at: next.at, run: next.run } : null;
    },
  };
}

function dropCancelled(heap: Planned[]): void {
  while (heap[0] && heap[0].run === null) pop(heap);
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.at !== b.at ? a.at < b.at : a.rank < b.rank;
}

function push(heap: Planned[], planned: Planned): void {
  let i = heap.length;
  heap.push(planned);
  while (i > 0) {
    const parent = (i - 1) >> 1;
    const above = heap[parent]!;
    if (!isBefore(planned, above)) break;
    heap[i] = above;
    i = parent;
  }
  heap[i] = planned;
}

function pop(heap: Planned[]): Planned | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, last)) break;
    heap[i] = heap[child]!;
    i = child;
  }
  heap[i] = last;
  return top;
}
