// Cross margin of an account: equity, margin in use, the price at which it is liquidated. All in exact
// money at mark prices; nothing here changes anything.
import { type Account, heldLots, legOf, legSides, leverageOf, pendingOf } from "./account.ts";
import { ceilDivide, floorDivide, type Money } from "./decimal.ts";
import { type Instrument, notional, PPM } from "./instrument.ts";
import type { LegSide, Side } from "./order.ts";
import { unrealized } from "./position.ts";
import { type Exchange, marketFor } from "./state.ts";

/** What an account has and needs. */
export type MarginFigures = {
  readonly equity: Money;
  readonly initial: Money;
  readonly maintenance: Money;
  /** Value of all positions at mark prices. */
  readonly positions: Money;
  /** Value of all positions with what open orders could add. */
  readonly exposure: Money;
};

/** An order that is not placed yet. */
export type Wish = {
  readonly instrument: Instrument;
  readonly positionSide: LegSide;
  readonly side: Side;
  readonly lots: number;
};

/** Largest absolute position a leg could reach when all that is pending on one side filled. */
export function exposureLots(
  account: Account,
  instrument: Instrument,
  side: LegSide,
  wish?: Wish,
): number {
  const held = heldLots(account, instrument, side);
  const { buyLots, sellLots } = pendingOf(account, instrument, side);
  const isThis = wish?.instrument === instrument && wish.positionSide === side;
  const buys = buyLots + (isThis && wish.side === "BUY" ? wish.lots : 0);
  const sells = sellLots + (isThis && wish.side === "SELL" ? wish.lots : 0);
  return Math.max(Math.abs(held + buys), Math.abs(held - sells));
}

/** The figures of an account, as if `wish` were an open order. */
export function marginFigures(x: Exchange, account: Account, wish?: Wish): MarginFigures {
  let equity = account.wallet;
  let [initial, maintenance, positions, exposure] = [0n, 0n, 0n, 0n];
  for (const { instrument, markTicks } of x.markets.values()) {
    for (const side of legSides(account.mode)) {
      const leg = legOf(account, instrument, side);
      const reachable = notional(
        instrument,
        markTicks,
        exposureLots(account, instrument, side, wish),
      );
      if (reachable === 0n) continue;
      const held = notional(instrument, markTicks, Math.abs(leg.lots));
      equity += unrealized(leg, markTicks);
      positions += held;
      exposure += reachable;
      initial += ceilDivide(reachable, BigInt(leverageOf(account, instrument, side)));
      maintenance += ceilDivide(held * instrument.maintenancePpm, PPM);
    }
  }
  return { equity, initial, maintenance, positions, exposure };
}

/** What may still be used as margin; never negative. */
export function freeCollateral(figures: MarginFigures): Money {
  const free = figures.equity - figures.initial;
  return free > 0n ? free : 0n;
}

/**
 * Mark price in ticks at which the account's equity falls to its maintenance margin while only this
 * leg moves; 0 when no positive price does that.
 */
export function liquidationTicks(
  x: Exchange,
  account: Account,
  instrument: Instrument,
  side: LegSide,
) {
  const leg = legOf(account, instrument, side);
  if (leg.lots === 0) return 0;
  const { markTicks } = marketFor(x, instrument);
  const figures = marginFigures(x, account);
  const own = notional(instrument, markTicks, Math.abs(leg.lots));
  const otherEquity = figures.equity - unrealized(leg, markTicks);
  const otherNeed = figures.maintenance - ceilDivide(own * instrument.maintenancePpm, PPM);
  // equity(p) = need(p): otherEquity + lots·p − cost = otherNeed + |lots|·p·ratio
  const slope = BigInt(leg.lots) * PPM - BigInt(Math.abs(leg.lots)) * instrument.maintenancePpm;
  const gap = (otherNeed - otherEquity + leg.cost) * PPM;
  const divisor = slope * instrument.tickLot;
  if (divisor === 0n) return 0;
  // The first tick on the losing side: at or below for a long, at or above for a short.
  const ticks = divisor > 0n ? floorDivide(gap, divisor) : ceilDivide(-gap, -divisor);
  return ticks > 0n ? Number(ticks) : 0;
}
