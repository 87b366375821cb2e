// The execution an order becomes at a path price: liquidity, slippage, rounding, fee (rules E1, E32 to E37,
// E55). Pure; the simulator and the paper broker decide that it happens, this decides at what price.
import type { Fill } from "../model/fill.ts";
import { type Grid, gridValue } from "../model/instrument.ts";
import type { Position } from "../model/position.ts";
import type { EpochMs } from "../model/time.ts";
import type { RuleContext } from "../strategy/dca-atr/context.ts";
import { adverseTicks, isCrossed, isLimit, type SimOrder } from "./sim-order.ts";

/** How the simulated exchange charges and fills; rates and slippage are fractions. */
export type SimSettings = {
  readonly timeframeMs: number;
  readonly isPessimistic: boolean;
  readonly touchFills: boolean;
  readonly makerFee: number;
  readonly takerFee: number;
  readonly slippageRatio: number;
  readonly leverage: number;
  readonly maintenanceRate: number;
};

/** Instrument facts the simulator needs, as the rule context binds them. */
export type SimInstrument = Pick<RuleContext, "prices" | "lots" | "instrument">;

/** Where and when on the path the fill happens. */
export type FillPlace = {
  readonly at: EpochMs;
  readonly candleOpenAt: EpochMs;
  readonly isAtOpen: boolean;
  readonly cycle: number;
};

/**
 * Ticks and liquidity of a fill at a path price: a resting limit is maker at its price, or at an open
 * beyond it; the rest is taker. A liquidation has no order.
 */
export function fillTicks(
  order: SimOrder | null,
  isBuy: boolean,
  price: number,
  isAtOpen: boolean,
  prices: Grid,
  slippageRatio: number,
): { ticks: number; isMaker: boolean } {
  if (order !== null && isLimit(order) && !order.crossing) {
    const isGapped = isAtOpen && isCrossed(order, price);
    return { ticks: isGapped ? adverseTicks(prices, isBuy, price) : order.ticks, isMaker: true };
  }
  const ratio = order?.crossing ? 0 : slippageRatio;
  const paid = price * (isBuy ? 1 + ratio : 1 - ratio);
  return { ticks: adverseTicks(prices, isBuy, paid), isMaker: false };
}

/** The execution of an order, or of a liquidation (`order` null), as a whole at one path price. */
export function fillAt(
  order: SimOrder | null,
  price: number,
  place: FillPlace,
  position: Position,
  market: SimInstrument,
  settings: SimSettings,
): Fill {
  const isBuy = order ? order.isBuy : position.sign < 0;
  const { slippageRatio, makerFee, takerFee } = settings;
  const { ticks, isMaker } = fillTicks(
    order,
    isBuy,
    price,
    place.isAtOpen,
    market.prices,
    slippageRatio,
  );
  const qtyLots = order && !order.target.isReduceOnly ? order.target.qtyLots : position.lots;
  const fillPrice = gridValue(market.prices, ticks);
  const qty = gridValue(market.lots, qtyLots);
  const isLong = order ? order.target.positionSide === "long" : position.sign > 0;
  return {
    at: place.at,
    candleOpenAt: place.candleOpenAt,
    side: isBuy ? "buy" : "sell",
    positionSide: isLong ? "long" : "short",
    priceTicks: ticks,
    qtyLots,
    price: fillPrice,
    qty,
    pathPrice: price,
    fee: fillPrice * qty * market.instrument.contractSize * (isMaker ? makerFee : takerFee),
    liquidity: isMaker ? "maker" : "taker",
    reason: order ? order.target.reason : "LIQUIDATION",
    cycle: place.cycle,
  };
}
