// What an algo order is: a condition on a price and the plain order it becomes. Written by algo.ts.
import type { Money } from "./decimal.ts";
import type { Instrument } from "./instrument.ts";
import type { LegSide, Order, OrderType, Side } from "./order.ts";

/** The exchange's words. Children carry STOP_LOSS or TAKE_PROFIT. */
export type AlgoType =
  "STOP_LOSS" | "TAKE_PROFIT" | "TRAILING_STOP" | "POSITIONAL_TP_SL" | "BRACKET";
/** The status words of algo orders, those of plain ones. */
export type AlgoStatus = "NEW" | "PARTIAL_FILLED" | "FILLED" | "CANCELLED" | "REJECTED";
/** Which price is watched. */
export type TriggerPriceType = "MARKET_PRICE" | "MARK_PRICE";

/** One algo order or one leg of one. */
export type Algo = {
  readonly id: number;
  readonly accountId: number;
  readonly clientId: string;
  readonly rootId: number;
  /** 0 for a root. */
  readonly parentId: number;
  readonly instrument: Instrument;
  readonly tag: string;
  readonly algoType: AlgoType;
  readonly side: Side;
  readonly positionSide: LegSide;
  /** CLOSE_POSITION closes the whole leg at the market. */
  readonly type: OrderType | "CLOSE_POSITION";
  readonly reduceOnly: boolean;
  readonly triggerPriceType: TriggerPriceType;
  readonly createdAt: number;
  /** Price that sets it off; null for containers and trailing stops. */
  triggerTicks: number | null;
  /** True when it goes off at or above the trigger, false at or below. */
  readonly firesAbove: boolean;
  ticks: number | null;
  /** 0 for CLOSE_POSITION. */
  lots: number;
  /** False until a bracket's entry filled. */
  isArmed: boolean;
  /** Trailing: price that starts it, and how far it follows. */
  activationTicks: number | null;
  callbackTicks: number | null;
  callbackPpm: number | null;
  isActivated: boolean;
  extremeTicks: number | null;
  status: AlgoStatus;
  triggeredAt: number;
  updatedAt: number;
  /** The plain order it became. */
  order: Order | null;
  readonly children: Algo[];
  reason: string;
};

/** Executed figures of an algo order: those of the plain order it became. */
export function executedOf(algo: Algo): { lots: number; value: Money; fee: Money } {
  const { order } = algo;
  if (!order) return { lots: 0, value: 0n, fee: 0n };
  return { lots: order.executedLots, value: order.executedValue, fee: order.fee };
}

/** True while it may still go off or fill. */
export function isAlgoOpen(algo: Algo): boolean {
  return algo.status === "NEW" || algo.status === "PARTIAL_FILLED";
}
