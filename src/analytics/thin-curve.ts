// An equity curve cut down to a number of points that a page can draw, without losing its lows. Called
// once per run, after it.
import type { EpochMs } from "../model/time.ts";

/** Points of equal length; `drawdown` is the deepest within the point's stretch, a fraction 0..1. */
export type ThinCurve = {
  readonly at: EpochMs[];
  readonly value: number[];
  readonly drawdown: number[];
};

/**
 * Joins neighbouring samples until at most so many points are left: each has the close and the equity
 * of its last sample and the deepest drawdown from the peak since the start.
 * @param openAt open time of the candle of each sample, ascending
 */
export function thinCurve(
  initialBalance: number,
  openAt: Float64Array,
  equity: Float64Array,
  timeframeMs: number,
  pointsMax: number,
): ThinCurve {
  const count = Math.min(openAt.length, equity.length);
  const stretch = Math.max(1, Math.ceil(count / pointsMax));
  const thin: ThinCurve = { at: [], value: [], drawdown: [] };
  let peak = initialBalance;
  let deepest = 0;
  for (let i = 0; i < count; i++) {
    const value = equity[i]!;
    if (value > peak) peak = value;
    const drawdown = (peak - value) / peak;
    if (drawdown > deepest) deepest = drawdown;
    if ((i + 1) % stretch !== 0 && i + 1 < count) continue;
    thin.at.push(openAt[i]! + timeframeMs);
    thin.value.push(value);
    thin.drawdown.push(deepest);
    deepest = 0;
  }
  return thin;
}
