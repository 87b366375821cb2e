// How strongly a figure of a table is coloured: from its size to a class of the style sheet, because a
// page may not carry styles of its own. Called by the cells of grids.

/** Steps of each colour; class names end in 0 to STEPS. */
const STEPS = 8;

/** `u…` is good news, `d…` bad; the share 0..1 says how much. */
function toned(isGood: boolean, share: number): string {
  return `${isGood ? "u" : "d"}${Math.round(Math.min(1, Math.max(0, share)) * STEPS)}`;
}

/** Colour of a figure that is good above zero, full at `full`. */
export function signTone(value: number, full: number): string {
  return value === 0 ? "" : toned(value > 0, Math.abs(value) / full);
}

/** Colour of a ratio that is good above one, full one away from it. */
export function ratioTone(value: number): string {
  return value === 1 ? "" : toned(value > 1, Math.abs(value - 1));
}

/** Colour of a reward for risk: good above one, bad below zero, neither between. */
export function rewardTone(value: number): string {
  if (value > 1) return toned(true, (value - 1) / 2);
  return value < 0 ? toned(false, -value / 1.5) : "";
}

/** Colour of a share that is good above one half, full a quarter away from it. */
export function halfTone(value: number): string {
  return value === 0.5 ? "" : toned(value > 0.5, Math.abs(value - 0.5) / 0.25);
}

/** Colour of a loss as a fraction, full at `full`. */
export function lossTone(value: number, full: number): string {
  return value === 0 ? "" : toned(false, value / full);
}
