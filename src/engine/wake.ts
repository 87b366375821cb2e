// Wake sources that belong to the exchange rather than to the strategy: funding and liquidation. The earliest
// of all sources decides which candle is looked at next.
import type { FundingSeries } from "../model/candle.ts";
import type { Sign } from "../model/order.ts";
import type { Wake } from "../strategy/dca-atr/wake.ts";

/** Rules of the exchange with a wake source. */
export const ENGINE_RULES = ["funding", "liquidation"] as const;

/** Walks through funding stamps in step with the candles; stamps in missing candles are skipped (rule E54). */
export class FundingCursor {
  private readonly at: Float64Array;
  private readonly rate: Float64Array;
  private next = 0;

  constructor(funding: FundingSeries | null) {
    this.at = funding?.at ?? new Float64Array(0);
    this.rate = funding?.rate ?? new Float64Array(0);
  }

  /** Sum of the rates stamped in [openAt, closeAt), null when there is none; forgets everything before. */
  take(openAt: number, closeAt: number): number | null {
    const { at, rate } = this;
    while (this.next < at.length && at[this.next]! < openAt) this.next++;
    if (this.next >= at.length || at[this.next]! >= closeAt) return null;
    let sum = 0;
    while (this.next < at.length && at[this.next]! < closeAt) sum += rate[this.next++]!;
    return sum;
  }

  /** First stamp at or after the instant; Infinity when none is left. */
  after(openAt: number): number {
    const { at } = this;
    while (this.next < at.length && at[this.next]! < openAt) this.next++;
    return this.next < at.length ? at[this.next]! : Number.POSITIVE_INFINITY;
  }
}

/** The liquidation price as a wake level. */
export function wakeAtLiquidation(sign: Sign, liquidation: number, wake: Wake): void {
  if (liquidation <= 0) return;
  if (sign > 0) wake.below = Math.max(wake.below, liquidation);
  else wake.above = Math.min(wake.above, liquidation);
}
