// Everything that can happen to one bot, each with its time, and what a step answers. The engine has no
// other clock than `at`; backtest, paper and live feed the same events.
import type { Fill } from "../model/fill.ts";
import type { ApprovedIntent } from "../model/order.ts";
import type { EpochMs } from "../model/time.ts";
import type { DeniedIntent } from "../risk/pre-trade.ts";
import type { TradingState } from "../risk/trading-state.ts";
import type {
  CandleClosed,
  OrderRefused,
  OrderTouched,
  PriceTicked,
} from "../strategy/strategy.ts";

/** A whole order was executed. `slot` is -1 for a liquidation by the exchange. */
export type EngineFill = {
  readonly kind: "order_filled";
  at: EpochMs;
  slot: number;
  fill: Fill;
  /** ATR of the last closed candle, -1 unknown */
  atr: number;
  isAtClose: boolean;
};

/** Funding exchanged on the position; positive = received, quote units. */
export type FundingPaid = { readonly kind: "funding_paid"; at: EpochMs; payment: number };

/** A kill switch or a limit moved the bot to another trading state. */
export type TradingStateChanged = {
  readonly kind: "trading_state_changed";
  at: EpochMs;
  state: TradingState;
};

export type EngineEvent =
  | CandleClosed
  | PriceTicked
  | OrderRefused
  | OrderTouched
  | EngineFill
  | FundingPaid
  | TradingStateChanged;

/** What a step wants done; the arrays are reused by the next step. */
export type EngineOutput = { readonly approved: ApprovedIntent[]; readonly denied: DeniedIntent[] };

/** An output to hand to `step` again and again. */
export function emptyOutput(): EngineOutput {
  return { approved: [], denied: [] };
}
