// A small seeded generator (mulberry32) for test cases; the same seed gives the same stream on
// every machine. Used by the case generators of this folder, never by anything that trades.

/** Draws from one seeded stream. */
export type Random = {
  /** Uniform in [0, 1). */
  unit(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** Whole number in [low, high]. */
  whole(low: number, high: number): number;
  /** Roughly normal with mean 0 and deviation 1. */
  normal(): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** One of the given values. */
  pick<T>(values: readonly T[]): T;
  /** Between low and high on a logarithmic scale. */
  logBetween(low: number, high: number): number;
};

/** A stream for a seed. */
export function createRandom(seed: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (low: number, high: number): number =>
    low + (high - low) * unit();
  const whole = (low: number, high: number): number =>
    low + Math.floor(unit() * (high - low + 1));
  return {
    unit,
    between,
    whole,
    normal: () =>
      unit() +
      unit() +
      unit() +
      unit() +
      unit() +
      unit() -
      3 +
      (unit() - unit()) * 0.7,
    chance: (probability) => unit() < probability,
    pick: (values) => {
      const value = values[whole(0, values.length - 1)];
      if (value === undefined) throw new Error("nothing to pick from");
      return value;
    },
    logBetween: (low, high) => Math.exp(between(Math.log(low), Math.log(high))),
  };
}
