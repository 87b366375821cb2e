// The state of one bot: plain JSON, bounded, changed only by `step`. Money is float64 in here; exact
// amounts live in the ledger rows written from exchange records.
import type { OrderIntent, Sign, TargetOrder } from "../model/order.ts";
import { flatPosition, type Position } from "../model/position.ts";
import type { EpochMs } from "../model/time.ts";
import type { TradingState } from "../risk/trading-state.ts";
import type { Strategy } from "../strategy/strategy.ts";

/** Sums since the start: fees and losses negative, quote units (rule E56). */
export type LedgerSums = { realised: number; fees: number; funding: number; writeoff: number };

/** The cycle in progress, or the last one when flat. Prices of the path, ratios for mae and mfe. */
export type CycleTally = {
  number: number;
  sign: Sign;
  openedAt: EpochMs;
  entries: number;
  /** size and average entry after the last expanding fill */
  qty: number;
  averageEntry: number;
  realised: number;
  fees: number;
  funding: number;
  /** extremes of the price path since the average last changed */
  pathLow: number;
  pathHigh: number;
  mae: number;
  mfe: number;
};

/** One bot. `S` is the durable state of its strategy. */
export type EngineState<S> = {
  position: Position;
  /** realised balance: start + realised - fees + funding (compounds) */
  balance: number;
  ledger: LedgerSums;
  cycle: CycleTally;
  tradingState: TradingState;
  strategy: S;
  /** what the strategy wants, by slot */
  book: { targets: (TargetOrder | null)[]; touched: number };
  /** what was approved and not yet filled or cancelled, by slot, with the quantity that is left */
  working: (TargetOrder | null)[];
  /** bits of slots whose order was asked to leave and may still be there */
  leaving: number;
  /** bits of slots to plan again at the next price, and at the next candle */
  owedAtPrice: number;
  owedAtCandle: number;
  /** scratch list of the planner */
  planned: OrderIntent[];
};

/** The state before the first event. */
export function initialState<S>(strategy: Strategy<S>, balance: number): EngineState<S> {
  const slots = (): (TargetOrder | null)[] => strategy.slots.map(() => null);
  return {
    position: flatPosition(),
    balance,
    ledger: { realised: 0, fees: 0, funding: 0, writeoff: 0 },
    cycle: {
      number: 0,
      sign: 0,
      openedAt: 0,
      entries: 0,
      qty: 0,
      averageEntry: 0,
      realised: 0,
      fees: 0,
      funding: 0,
      pathLow: 0,
      pathHigh: 0,
      mae: 0,
      mfe: 0,
    },
    tradingState: "active",
    strategy: strategy.initialState(),
    book: { targets: slots(), touched: 0 },
    working: slots(),
    leaving: 0,
    owedAtPrice: 0,
    owedAtCandle: 0,
    planned: [],
  };
}
