// Durable state of the DCA-ATR strategy: plain JSON, bounded, rebuilt or stored as one row per bot.
// Positions, balances and orders are not in here; they belong to the engine.
import type { Sign } from "../../model/order.ts";
import type { EpochMs } from "../../model/time.ts";

/** "Not known" for prices, distances and instants, which are never negative. */
export const NONE = -1;

/** Slots of the strategy; their order serves orders met at the same price (rules E24, E25). */
export const STOP = 0;
export const EXIT = 1;
export const TAKE_PROFIT = 2;
export const RUNG = 3;
export const ENTRY = 4;

/** Why a candle close did or did not lead to an entry. */
export const DECISIONS = [
  "none",
  "entry_long",
  "entry_short",
  "cooldown",
  "no_balance",
  "not_ready",
  "trend",
  "no_signal",
  "ma_gate",
  "below_min",
  "entry_pending",
  "in_position",
  "no_new_entries",
] as const;

/** One word of {@link DECISIONS}. */
export type Decision = (typeof DECISIONS)[number];

export type DcaAtrState = {
  /** +1 or -1 while an entry rests or waits for its fill, else 0 */
  pendingSign: Sign;
  pendingDecidedAt: EpochMs;
  /** last entry or exit fill, NONE before the first */
  lastEntryExitAt: EpochMs;
  entries: number;
  /** rung of the ladder that rests, waits, or would come next */
  level: number;
  isLadderClosed: boolean;
  /** quantity and price of the first fill of the cycle */
  baseQty: number;
  basePrice: number;
  lastExpandAt: EpochMs;
  /** ATR captured at the first fill, or at the first later close that had one */
  capturedAtr: number;
  /** raw price of the fixed stop */
  fixedStop: number;
  isTrailing: boolean;
  trailPeak: number;
  trailStop: number;
  /** ATR behind the trailing distance in ATR mode */
  trailAtr: number;
  /** since when the take-profit is touched without filling */
  touchedAt: EpochMs;
  /** close at which the position was opened, when it was opened at a close */
  openedAtClose: EpochMs;
  isExitSet: boolean;
  /** decision of the last candle close (index into DECISIONS) */
  decision: number;
  rejections: {
    entryBelowMin: number;
    rungMargin: number;
    entryMargin: number;
    rungBelowMin: number;
  };
  /** pending entries taken back by the timeout or because trend or signal turned */
  withdrawn: { timeout: number; flipped: number };
};

/** The state before the first candle. */
export function initialDcaAtrState(): DcaAtrState {
  return {
    pendingSign: 0,
    pendingDecidedAt: NONE,
    lastEntryExitAt: NONE,
    entries: 0,
    level: 0,
    isLadderClosed: false,
    baseQty: 0,
    basePrice: NONE,
    lastExpandAt: NONE,
    capturedAtr: NONE,
    fixedStop: NONE,
    isTrailing: false,
    trailPeak: NONE,
    trailStop: NONE,
    trailAtr: NONE,
    touchedAt: NONE,
    openedAtClose: NONE,
    isExitSet: false,
    decision: 0,
    rejections: { entryBelowMin: 0, rungMargin: 0, entryMargin: 0, rungBelowMin: 0 },
    withdrawn: { timeout: 0, flipped: 0 },
  };
}

/** Forgets the cycle after the position went flat; cooldown marks and counters stay. */
export function clearCycle(state: DcaAtrState): void {
  state.entries = 0;
  state.level = 0;
  state.isLadderClosed = false;
  state.baseQty = 0;
  state.basePrice = NONE;
  state.lastExpandAt = NONE;
  state.capturedAtr = NONE;
  state.fixedStop = NONE;
  state.isTrailing = false;
  state.trailPeak = NONE;
  state.trailStop = NONE;
  state.trailAtr = NONE;
  state.touchedAt = NONE;
  state.openedAtClose = NONE;
  state.isExitSet = false;
}
