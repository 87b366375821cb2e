// The rules of a contract, as published and as integers. Built once at start from the settings; used
// by every part that reads a price or a quantity.
import { type Grid, gridCount, gridOf, MONEY_DECIMALS, type Money, toUnits } from "./decimal.ts";

/** Parts per million: the unit of every rate inside the venue but funding. */
export const PPM = 1_000_000n;

/** A contract as the public instrument list states it, plus its margin rules. */
export type InstrumentSpec = {
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  readonly quoteMin: string;
  readonly quoteMax: string;
  readonly quoteTick: string;
  readonly baseMin: string;
  readonly baseMax: string;
  readonly baseTick: string;
  readonly minNotional: string;
  /** Highest buy price as a ratio of the best ask, e.g. "1.1"; no cap when null. */
  readonly bidCapRatio: string | null;
  /** Lowest sell price as a ratio of the best bid, e.g. "0.9"; no floor when null. */
  readonly askFloorRatio: string | null;
  readonly maxLeverage: number;
  /** Maintenance margin as a ratio of the notional, e.g. "0.012". */
  readonly maintenanceRatio: string;
  /** Largest absolute position in base units. */
  readonly maxPosition: string;
  /** Largest open notional of one account in quote units. */
  readonly maxOpenNotional: string;
  readonly fundingIntervalHours: number;
};

/** A contract with its rules as integers: prices in ticks, quantities in lots. */
export type Instrument = {
  readonly spec: InstrumentSpec;
  readonly symbol: string;
  readonly price: Grid;
  readonly qty: Grid;
  readonly minTicks: number;
  readonly maxTicks: number;
  readonly minLots: number;
  readonly maxLots: number;
  readonly maxPositionLots: number;
  readonly minNotional: Money;
  readonly maxOpenNotional: Money;
  /** Money of one tick times one lot. */
  readonly tickLot: Money;
  readonly capPpm: bigint | null;
  readonly floorPpm: bigint | null;
  readonly maintenancePpm: bigint;
  readonly fundingIntervalMs: number;
};

/**
 * Turns a published contract into integers.
 * @throws RangeError naming the field that is no decimal or does not lie on its step
 */
export function createInstrument(spec: InstrumentSpec): Instrument {
  const price = gridOf(spec.quoteTick);
  const qty = gridOf(spec.baseTick);
  const spare = MONEY_DECIMALS - price.decimals - qty.decimals;
  if (spare < 0) throw new RangeError(`${spec.symbol}: tick and step have too many decimals`);
  return {
    spec,
    symbol: spec.symbol,
    price,
    qty,
    minTicks: Math.max(1, counted(spec, "quoteMin", price)),
    maxTicks: counted(spec, "quoteMax", price),
    minLots: counted(spec, "baseMin", qty),
    maxLots: counted(spec, "baseMax", qty),
    maxPositionLots: counted(spec, "maxPosition", qty),
    minNotional: scaled(spec, "minNotional", MONEY_DECIMALS),
    maxOpenNotional: scaled(spec, "maxOpenNotional", MONEY_DECIMALS),
    tickLot: price.units * qty.units * 10n ** BigInt(spare),
    capPpm: spec.bidCapRatio === null ? null : scaled(spec, "bidCapRatio", 6),
    floorPpm: spec.askFloorRatio === null ? null : scaled(spec, "askFloorRatio", 6),
    maintenancePpm: scaled(spec, "maintenanceRatio", 6),
    fundingIntervalMs: spec.fundingIntervalHours * 3_600_000,
  };
}

function counted(spec: InstrumentSpec, field: keyof InstrumentSpec, grid: Grid): number {
  const count = gridCount(String(spec[field]), grid);
  if (count === null)
    throw new RangeError(`${spec.symbol}: ${field} "${spec[field]}" is off its step`);
  return count;
}

function scaled(spec: InstrumentSpec, field: keyof InstrumentSpec, decimals: number): bigint {
  const units = toUnits(String(spec[field]), decimals);
  if (units === null)
    throw new RangeError(`${spec.symbol}: ${field} "${spec[field]}" is no decimal`);
  return units;
}

/** Notional of a price in ticks and a quantity in lots. */
export function notional(instrument: Instrument, ticks: number, lots: number): Money {
  return BigInt(ticks) * BigInt(lots) * instrument.tickLot;
}
