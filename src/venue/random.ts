// The venue's own seeded generator. Every source of chance (a price path, a queue, a fault) has its
// own stream named by a label, so that asking one never shifts another.

/** A stream of chance; plain numbers from 0 inclusive to 1 exclusive. */
export type Random = () => number;

/** 32-bit hash of a text (FNV-1a), to turn a label into a seed. */
function labelSeed(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/** The stream of a seed and a label: counter-based mixing (splitmix32), period 2^32. */
export function createRandom(seed: number, label: string): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ labelSeed(label)) >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    return (mixed(state) >>> 0) / 2 ** 32;
  };
}

/** Spreads the bits of a 32-bit number. */
function mixed(bits: number): number {
  let spread = bits;
  spread = Math.imul(spread ^ (spread >>> 16), 0x21f0aaad);
  spread = Math.imul(spread ^ (spread >>> 15), 0x735a2d97);
  return spread ^ (spread >>> 15);
}

/** Chance that can be asked at any index, in any order: the answer depends on nothing else. */
export type Field = (layer: number, index: number) => number;

/**
 * The field of a seed and a label.
 * @returns plain numbers from 0 inclusive to 1 exclusive
 */
export function createField(seed: number, label: string): Field {
  const base = Math.imul(seed, 0x9e3779b1) ^ labelSeed(label);
  return (layer, index) =>
    (mixed(mixed(Math.imul(layer + 1, 0x85ebca6b) ^ base) ^ Math.imul(index, 0x9e3779b9)) >>> 0) /
    2 ** 32;
}

/** A whole number from `min` to `max`, both included. */
export function between(random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1));
}
