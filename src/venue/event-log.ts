// Every venue event in order, with a rolling hash: the same seed and the same requests at the same
// virtual times give the same hash. The newest events are kept for the admin interface.

/** Something that happened; `fields` are plain JSON. */
export type VenueEvent = {
  readonly seq: number;
  readonly at: number;
  readonly kind: string;
  readonly fields: Readonly<Record<string, EventValue>>;
};

/** What a field of an event may be. */
export type EventValue = string | number | boolean | null;

/** The log of one venue. */
export type EventLog = {
  record(at: number, kind: string, fields: Readonly<Record<string, EventValue>>): void;
  /** SHA-256 over all events so far, hex. */
  hash(): string;
  count(): number;
  /** Kept events with a number above `after`, oldest first. */
  since(after: number): readonly VenueEvent[];
};

/** How many events are kept; the hash covers all. */
const EVENTS_KEPT_MAX = 20_000;

/** An empty log. */
export function createEventLog(): EventLog {
  const hasher = new Bun.CryptoHasher("sha256");
  const kept: VenueEvent[] = [];
  let seq = 0;
  return {
    record(at, kind, fields) {
      seq++;
      hasher.update(`${seq} ${at} ${kind} ${JSON.stringify(fields)}\n`);
      kept.push({ seq, at, kind, fields });
      if (kept.length >= 2 * EVENTS_KEPT_MAX) kept.splice(0, EVENTS_KEPT_MAX);
    },
    hash: () => hasher.copy().digest("hex"),
    count: () => seq,
    since: (after) => kept.filter((event) => event.seq > after).slice(-EVENTS_KEPT_MAX),
  };
}
