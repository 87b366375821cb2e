// Everything that can happen to one bot, each with its time, and what a step answers. The engine has no
// other clock than `at`; backtest, paper and live feed the same events.
import type { Fill } from "../model/fill.ts";
import type { ApprovedIntent, Sign, TargetOrder } from "../model/order.ts";
import type { EpochMs } from "../model/time.ts";
import type { DeniedIntent } from "../risk/pre-trade.ts";
import type { TradingState } from "../risk/trading-state.ts";
import type {
  OperatorAsked,
  CandleClosed,
  OrderRefused,
  OrderTouched,
  PriceTicked,
} from "../strategy/strategy.ts";

/** What is known of an order that is executed in parts. */
export type OrderProgress = {
  /** executed in this cycle so far, and the average price */
  readonly lots: number;
  readonly price: number;
  /** still to be executed; 0 completes the order */
  readonly restLots: number;
  /** the order was over before and has left its slot: the record came late */
  readonly isLate: boolean;
  /** a late record of an order that already counted as entry or rung */
  readonly isCounted: boolean;
  /** what is held after the fill by all records in their own order */
  readonly held: { readonly lots: number; readonly average: number };
};

/** An order was executed. `slot` is -1 for a liquidation by the exchange and for orders from outside. */
export type EngineFill = {
  readonly kind: "order_filled";
  at: EpochMs;
  slot: number;
  fill: Fill;
  /** ATR of the last closed candle, -1 unknown */
  atr: number;
  isAtClose: boolean;
  /** absent: the fill is the whole order */
  order?: OrderProgress;
};

/** The rest of an order is gone: cancelled by us, by the exchange or by hand, or expired. */
export type EngineOrderEnded = {
  readonly kind: "order_cancelled" | "order_expired";
  at: EpochMs;
  slot: number;
  /** ATR of the last closed candle, -1 unknown */
  atr: number;
  /** executed in this cycle, and the average price; 0 and 0 for nothing */
  lots: number;
  price: number;
};

/** Nobody knows whether the order or its cancel arrived: nothing may be assumed, the slot stays taken. */
export type OrderUnverified = { readonly kind: "order_unverified"; at: EpochMs; slot: number };

/** An order or a cancel never left us; it is planned again at the next price, or at the next candle. */
export type OrderWithheld = {
  readonly kind: "order_withheld";
  at: EpochMs;
  slot: number;
  op: "place" | "cancel";
  untilCandle: boolean;
};

/** An order of ours works that was taken for gone. */
export type OrderFound = {
  readonly kind: "order_found";
  at: EpochMs;
  slot: number;
  order: TargetOrder;
};

/** Late records say that something else is held than was booked. */
export type HoldingAdjusted = {
  readonly kind: "position_adjusted";
  at: EpochMs;
  /** ATR of the last closed candle, -1 unknown */
  atr: number;
  sign: Sign;
  lots: number;
  average: number;
};

/** What new entries are sized by; transfers never change it. Quote units. */
export type BalanceTold = { readonly kind: "balance_told"; at: EpochMs; balance: number };

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
  | EngineOrderEnded
  | OrderUnverified
  | OrderWithheld
  | OrderFound
  | HoldingAdjusted
  | BalanceTold
  | FundingPaid
  | OperatorAsked
  | TradingStateChanged;

/** What a step wants done; the arrays are reused by the next step. */
export type EngineOutput = { readonly approved: ApprovedIntent[]; readonly denied: DeniedIntent[] };

/** An output to hand to `step` again and again. */
export function emptyOutput(): EngineOutput {
  return { approved: [], denied: [] };
}
