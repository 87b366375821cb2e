// Fills and funding booked into position, balance, sums and the cycle in progress (rules E2, E3, E5, E30,
// E55). Pure arithmetic on the engine state; called by the step only.
import type { Fill } from "../model/fill.ts";
import { type Grid, gridValue } from "../model/instrument.ts";
import type { CycleTally, EngineState } from "./state.ts";

/** What accounting must know of the instrument. */
export type Contract = { readonly lots: Grid; readonly contractSize: number };

/** Folds the extremes of the path under the present average into mae and mfe (rule E30). */
export function foldExcursions(cycle: CycleTally, average: number): void {
  const low = cycle.sign * (cycle.pathLow / average - 1);
  const high = cycle.sign * (cycle.pathHigh / average - 1);
  // Adding zero turns a negative zero, which is not plain JSON, into zero.
  cycle.mae = Math.min(cycle.mae, low, high) + 0;
  cycle.mfe = Math.max(cycle.mfe, low, high) + 0;
}

/** Widens the path extremes of an open position. */
export function notePathPrice(cycle: CycleTally, price: number): void {
  if (price < cycle.pathLow) cycle.pathLow = price;
  if (price > cycle.pathHigh) cycle.pathHigh = price;
}

function bookFee<S>(state: EngineState<S>, fee: number): void {
  state.balance -= fee;
  state.ledger.fees -= fee;
  state.cycle.fees += fee;
}

function openCycle<S>(state: EngineState<S>, fill: Fill): void {
  const { cycle, position } = state;
  position.sign = fill.positionSide === "long" ? 1 : -1;
  cycle.number += 1;
  cycle.sign = position.sign;
  cycle.openedAt = fill.at;
  cycle.entries = 0;
  cycle.realised = 0;
  cycle.fees = 0;
  cycle.funding = 0;
  cycle.mae = 0;
  cycle.mfe = 0;
}

/**
 * Books an entry or rung, or a part of one: the average moves, path extremes restart at the fill (rules E2, E3).
 * @param isCounted the order is complete with it and counts as an entry of the cycle
 */
export function bookExpansion<S>(
  state: EngineState<S>,
  fill: Fill,
  contract: Contract,
  isCounted: boolean,
): void {
  const { position, cycle } = state;
  if (position.sign === 0) openCycle(state, fill);
  else {
    notePathPrice(cycle, fill.pathPrice);
    foldExcursions(cycle, position.average);
  }
  const worth = position.average * position.qty + fill.price * fill.qty;
  const isFirst = position.lots === 0;
  position.average = isFirst ? fill.price : worth / (position.qty + fill.qty);
  position.lots += fill.qtyLots;
  position.qty = gridValue(contract.lots, position.lots);
  if (isCounted) cycle.entries += 1;
  cycle.qty = position.qty;
  cycle.averageEntry = position.average;
  cycle.pathLow = fill.pathPrice;
  cycle.pathHigh = fill.pathPrice;
  bookFee(state, fill.fee);
}

/** Books an exit of the position or of a part of it; size and average stay readable in the cycle. */
export function bookReduction<S>(state: EngineState<S>, fill: Fill, contract: Contract): void {
  const { position, cycle } = state;
  notePathPrice(cycle, fill.pathPrice);
  foldExcursions(cycle, position.average);
  const leftLots = Math.max(position.lots - fill.qtyLots, 0);
  const qty = leftLots === 0 ? position.qty : gridValue(contract.lots, fill.qtyLots);
  const realised = position.sign * qty * contract.contractSize * (fill.price - position.average);
  cycle.realised += realised;
  state.ledger.realised += realised;
  state.balance += realised;
  bookFee(state, fill.fee);
  position.lots = leftLots;
  position.qty = gridValue(contract.lots, leftLots);
  if (leftLots > 0) return;
  position.sign = 0;
  position.average = 0;
}

/** Books a funding payment; positive = received. */
export function bookFunding<S>(state: EngineState<S>, payment: number): void {
  state.balance += payment;
  state.ledger.funding += payment;
  state.cycle.funding += payment;
}

/** Writes a negative balance off to zero after ruin (rule E53). */
export function writeOff<S>(state: EngineState<S>): void {
  if (state.balance >= 0) return;
  state.ledger.writeoff -= state.balance;
  state.balance = 0;
}
