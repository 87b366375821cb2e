// What a run leaves behind: a rolling hash over everything that happened in order, counters of what was
// met, and the sentences of whatever was not as it must be. Two runs of one seed leave the same.

/** The record of one run. */
export type Trace = {
  /** Adds a line to the hash; `at` is the instant of the world. */
  note(at: number, line: string): void;
  count(what: string, by?: number): void;
  /** Something that must never be; the same sentence counts once. */
  violate(at: number, sentence: string): void;
  hash(): string;
  readonly counts: ReadonlyMap<string, number>;
  readonly violations: readonly string[];
  /** The newest lines, oldest first. */
  tail(): readonly string[];
};

const VIOLATIONS_MAX = 20;
const TAIL_MAX = 400;

/** An empty record. @param print takes every line when somebody wants to read along */
export function createTrace(print: ((line: string) => void) | null): Trace {
  const counts = new Map<string, number>();
  const violations: string[] = [];
  const tail: string[] = [];
  let hash = 0n;
  const note = (at: number, line: string) => {
    const text = `${at} ${line}`;
    hash = BigInt(Bun.hash(text, hash));
    tail.push(text);
    if (tail.length >= 2 * TAIL_MAX) tail.splice(0, TAIL_MAX);
    print?.(text);
  };
  return {
    note,
    count: (what, by = 1) => void counts.set(what, (counts.get(what) ?? 0) + by),
    violate(at, sentence) {
      note(at, `VIOLATION ${sentence}`);
      const isKnown = violations.includes(sentence);
      if (!isKnown && violations.length < VIOLATIONS_MAX) violations.push(sentence);
    },
    hash: () => hash.toString(16).padStart(16, "0"),
    counts,
    violations,
    tail: () => tail.slice(-TAIL_MAX),
  };
}
