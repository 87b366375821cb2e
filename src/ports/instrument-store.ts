// Instruments as the exchanges publish them. Interfaces only. They are facts of the world, the same
// for every workspace, so no scope is asked.
import type { Instrument } from "../model/instrument.ts";
import type { EpochMs } from "../model/time.ts";
import type { Id } from "./access-store.ts";

export type InstrumentId = Id<"instrument">;

/** Perpetual future or spot market. */
export type InstrumentKind = "perps" | "spot";

/** Trading rules with the names around them. */
export type NewInstrument = Instrument & {
  /** Our id of the exchange, e.g. `woox`. */
  readonly exchangeId: string;
  readonly kind: InstrumentKind;
  readonly base: string;
  readonly quote: string;
  /** The currency profit is paid in; null on spot. */
  readonly settle: string | null;
  /** True when profit is linear in price (settled in quote); always true on spot. */
  readonly isLinear: boolean;
  /** False when the exchange no longer trades it. */
  readonly isActive: boolean;
};

/** A stored instrument. */
export type InstrumentRecord = NewInstrument & {
  readonly id: InstrumentId;
  readonly fetchedAt: EpochMs;
};

/** What to list; everything when empty. */
export type InstrumentFilter = {
  readonly exchangeId?: string;
  readonly kind?: InstrumentKind;
  readonly activeOnly?: boolean;
};

/** Instruments by exchange, symbol and kind. */
export type InstrumentStore = {
  /** Adds and updates in one statement. @returns how many rows were written */
  saveAll(instruments: readonly NewInstrument[], fetchedAt: EpochMs): Promise<number>;
  find(exchangeId: string, symbol: string, kind: InstrumentKind): Promise<InstrumentRecord | null>;
  /** By exchange, then symbol. */
  list(filter: InstrumentFilter): Promise<InstrumentRecord[]>;
};
