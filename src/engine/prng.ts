// Seeded random numbers: the same seed gives the same stream on every machine. For sample data and
// simulations; nothing that trades ever draws from it.

/** One stream. */
export type Prng = {
  /** Uniform in [0, 1). */
  unit(): number;
  /** Normal with mean 0 and deviation 1. */
  normal(): number;
};

/** A stream for a seed: sfc32, period about 2^128 (Doty-Humphrey, PractRand). */
export function createPrng(seed: number): Prng {
  let a = 0x9e3779b9 | 0;
  let b = 0x243f6a88 | 0;
  let c = seed | 0;
  let counter = 1;
  const next = (): number => {
    const out = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + out;
    c |= 0;
    return out >>> 0;
  };
  // Seeds that differ in few bits begin alike; after these draws they do not.
  for (let i = 0; i < 20; i++) next();
  const unit = () => next() / 4_294_967_296;
  return {
    unit,
    // Box and Muller 1958.
    normal: () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
  };
}
