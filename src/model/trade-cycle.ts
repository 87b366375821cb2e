// A round trip of one owner from flat to flat, in exact decimals. Kept by symbol-book.ts; the worst and
// best excursion come from marks and are written by whoever watches prices.
import { add, compare, type Decimal, multiply } from "./decimal.ts";
import type { OrderPurpose, PositionSide } from "./order.ts";
import { fillRef, type Leg, type OwnedFill, type Owner } from "./trade-record.ts";
import type { EpochMs } from "./time.ts";

/** What one entry or rung of a cycle bought or sold; fills of one reason are added up. */
export type CycleRung = {
  /** ENTRY, DCA_1 …; null for fills nobody here asked for. */
  readonly reason: string | null;
  readonly purpose: OrderPurpose | null;
  /** Its first fill. */
  readonly at: EpochMs;
  readonly qty: Decimal;
  /** Price × quantity. */
  readonly cost: Decimal;
};

/** A cycle; open while `closedAt` is null. Amounts in the settle asset, costs negative. */
export type TradeCycle = {
  readonly owner: Owner;
  readonly symbol: string;
  readonly leg: Leg;
  readonly positionSide: PositionSide;
  /** The fill that opened it; with owner and leg it names the cycle. */
  readonly openRef: string;
  readonly openedAt: EpochMs;
  readonly closedAt: EpochMs | null;
  readonly entryQty: Decimal;
  /** Price × quantity of everything that went in, of everything that came out. */
  readonly entryCost: Decimal;
  readonly exitQty: Decimal;
  readonly exitCost: Decimal;
  readonly maxQty: Decimal;
  readonly realised: Decimal;
  readonly fees: Decimal;
  /** Fills whose fee, or its worth in the settle asset, is not known: `fees` lacks them. */
  readonly feesMissing: number;
  readonly funding: Decimal;
  readonly fills: number;
  /** Oldest first. */
  readonly rungs: readonly CycleRung[];
  /** Why the last fill was made, MANUAL for a foreign one; null while open. */
  readonly exitReason: string | null;
  readonly settleAsset: string;
};

const ZERO = "0" as Decimal;

/** An empty cycle that begins with `fill`. */
export function openCycle(fill: OwnedFill, positionSide: PositionSide): TradeCycle {
  return {
    owner: fill.owner,
    symbol: fill.symbol,
    leg: fill.leg,
    positionSide,
    openRef: fillRef(fill),
    openedAt: fill.at,
    closedAt: null,
    entryQty: ZERO,
    entryCost: ZERO,
    exitQty: ZERO,
    exitCost: ZERO,
    maxQty: ZERO,
    realised: ZERO,
    fees: ZERO,
    feesMissing: 0,
    funding: ZERO,
    fills: 0,
    rungs: [],
    exitReason: null,
    settleAsset: fill.settleAsset,
  };
}

/** Adds the part of a fill that went in. @param heldQty what is held after it */
export function cycleEntered(
  cycle: TradeCycle,
  fill: OwnedFill,
  qty: Decimal,
  heldQty: Decimal,
): TradeCycle {
  const cost = multiply(fill.price, qty);
  return {
    ...cycle,
    entryQty: add(cycle.entryQty, qty),
    entryCost: add(cycle.entryCost, cost),
    maxQty: compare(heldQty, cycle.maxQty) > 0 ? heldQty : cycle.maxQty,
    fills: cycle.fills + 1,
    rungs: withRung(cycle.rungs, fill, qty, cost),
  };
}

function withRung(
  rungs: readonly CycleRung[],
  fill: OwnedFill,
  qty: Decimal,
  cost: Decimal,
): readonly CycleRung[] {
  const { reason, purpose, at } = fill;
  const index = rungs.findIndex((rung) => rung.reason === reason && rung.purpose === purpose);
  const known = rungs[index];
  if (!known) return [...rungs, { reason, purpose, at, qty, cost }];
  return rungs.with(index, { ...known, qty: add(known.qty, qty), cost: add(known.cost, cost) });
}

/** Adds the part of a fill that came out; closes the cycle when nothing is held any more. */
export function cycleReduced(
  cycle: TradeCycle,
  fill: OwnedFill,
  qty: Decimal,
  realised: Decimal,
  isOver: boolean,
): TradeCycle {
  return {
    ...cycle,
    exitQty: add(cycle.exitQty, qty),
    exitCost: add(cycle.exitCost, multiply(fill.price, qty)),
    realised: add(cycle.realised, realised),
    fills: cycle.fills + 1,
    closedAt: isOver ? fill.at : null,
    exitReason: isOver ? (fill.reason ?? "MANUAL") : null,
  };
}

/** Adds a fee, negative when paid; null counts it as missing. */
export function cycleCharged(cycle: TradeCycle, fee: Decimal | null): TradeCycle {
  if (fee === null) return { ...cycle, feesMissing: cycle.feesMissing + 1 };
  return { ...cycle, fees: add(cycle.fees, fee) };
}

/** Adds a share of a funding payment. */
export function cycleFunded(cycle: TradeCycle, amount: Decimal): TradeCycle {
  return { ...cycle, funding: add(cycle.funding, amount) };
}
