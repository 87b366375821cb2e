// One bot as the live runner drives it: what happened goes in (candles, prices, news of orders), what is to be done
// at the exchange comes out. Pure: no clock, no rows, no exchange; the same inputs in the same order give the same
// outputs, which replay.ts relies on. It never holds two orders in one slot and never enters on what it cannot size.
import type { Candle } from "../model/candle.ts";
import type { Decimal } from "../model/decimal.ts";
import type { IntentStatus } from "../model/order-status.ts";
import type { ApprovedIntent, OrderPurpose, OrderSide, PositionSide } from "../model/order.ts";
import type { Position } from "../model/position.ts";
import { ok, type Result } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";
import type { OwnedFill } from "../model/trade-record.ts";
import type { DeniedIntent } from "../risk/pre-trade.ts";
import type { TradingState } from "../risk/trading-state.ts";
import type { OperatorAsk, Strategy } from "../strategy/strategy.ts";
import { restoreCore, writeBody } from "./live-body.ts";
import { createCore, type LiveCore, send, takeOutput } from "./live-core.ts";
import { hearCandle, hearHistory, hearNotSent, hearPrice, realisedBalance } from "./live-market.ts";
import { hearOrder } from "./live-news.ts";

/** An order of the bot as it is written down; a stored intent fits. */
export type LiveOrder = {
  readonly id: number;
  readonly status: IntentStatus;
  readonly targetKey: string;
  readonly purpose: OrderPurpose;
  readonly reason: string;
  readonly side: OrderSide;
  readonly positionSide: PositionSide;
  readonly isReduceOnly: boolean;
  readonly terms: {
    readonly kind: string;
    readonly price?: Decimal | null;
    readonly triggerPrice?: Decimal;
  };
  readonly qty: Decimal;
  /** What the exchange says is filled; while trade records are missing the order is not over. */
  readonly reportedFilledQty: Decimal | null;
  readonly decidedAt: EpochMs;
};

/** A trade record of such an order. */
export type LiveFill = Pick<
  OwnedFill,
  "symbol" | "tradeId" | "side" | "price" | "qty" | "fee" | "liquidity" | "at"
>;

/** Everything known of one order: its status and all its trade records so far, in any order. */
export type OrderNews = {
  readonly intent: LiveOrder;
  readonly fills: readonly LiveFill[];
  /** Reason code of the exchange while the status is `refused`; unknown when absent. */
  readonly refusal?: string;
};

/** Why the dispatcher did not send something; `RULES` waits for the next candle, the rest for the next price. */
export type NotSentReason = string;

/** What can happen to a bot. Plain JSON, so that a session can be recorded and replayed. */
export type LiveInput =
  /** Closed candles, oldest first, for the indicators alone: warm-up, and what closed while nobody watched. */
  | { readonly kind: "history"; readonly candles: readonly Candle[] }
  | {
      readonly kind: "candle";
      readonly candle: Candle;
      /** False while catching up, while prices are stale, while an order of the symbol is in doubt. */
      readonly mayEnter: boolean;
      /** The exchange has no candles between the last one and this one. */
      readonly isGapKnown: boolean;
    }
  | { readonly kind: "price"; readonly at: EpochMs; readonly price: number }
  | { readonly kind: "order"; readonly at: EpochMs; readonly news: OrderNews }
  /** A place, activation or cancel that never left us. */
  | {
      readonly kind: "not_sent";
      readonly at: EpochMs;
      readonly op: LiveCommand["op"];
      readonly targetKey: string;
      readonly reason: NotSentReason;
    }
  | { readonly kind: "trading_state"; readonly at: EpochMs; readonly state: TradingState }
  /** A person's wish for the running cycle. */
  | { readonly kind: "operator"; readonly at: EpochMs; readonly ask: OperatorAsk }
  /** Realised, fees, funding and adjustments of the bot together (transfers left out), and the free collateral. */
  | {
      readonly kind: "ledger";
      readonly at: EpochMs;
      readonly net: Decimal;
      /** Null does not limit: paper and demo accounts. */
      readonly freeCollateral: Decimal | null;
    };

/**
 * What is to be done, in this order. `approved.target` holds the quantity that is still wanted. A cancelled order
 * keeps its slot until its news says that it is gone; only then something else is placed there.
 */
export type LiveCommand =
  | { readonly op: "cancel"; readonly slot: number; readonly intentId: number }
  | { readonly op: "place" | "park"; readonly slot: number; readonly approved: ApprovedIntent }
  | {
      readonly op: "activate";
      readonly slot: number;
      readonly intentId: number;
      readonly approved: ApprovedIntent;
    };

/** The answer to an input. */
export type LiveOutput = {
  readonly commands: readonly LiveCommand[];
  readonly denied: readonly DeniedIntent[];
};

/** Why an input was not taken; nothing changed. */
export type InputRefusal = "CANDLE_REPEATED" | "CANDLE_GAP" | "CANDLE_OFF_GRID" | "QTY_OFF_STEP";

/** Why a bot cannot go on from what is stored; a person has to look. */
export type RestoreRefusal = "BODY_CORRUPT" | "STRATEGY_DIFFERS" | "ORDERS_MISSING" | InputRefusal;

/** Plain JSON, as stores keep it. */
export type Plain =
  null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/** Indicators of the strategy on closed candles; `atr` is -1 while unknown. */
export type LiveSignals = { readonly atr: number; push(candle: Candle): number };

/** What one bot is made of. */
export type LiveBotDeps<S> = {
  readonly strategy: Strategy<S>;
  /** Fresh indicators without history. */
  readonly createSignals: () => LiveSignals;
  readonly priceTick: number;
  readonly qtyStep: number;
  readonly contractSize: number;
  readonly timeframeMin: number;
  /** Quote currency the bot began with. */
  readonly allocation: Decimal;
  readonly balanceCap: Decimal | null;
};

/** What pages and checks read, as it is now: the strategy's state moves on with the next input. */
export type LiveView<S> = {
  readonly position: Position;
  /** Allocation plus what was realised, less costs; null until the ledger was heard of. */
  readonly realisedBalance: number | null;
  readonly tradingState: TradingState;
  readonly strategy: Readonly<S>;
  /** Lots sold beyond what was held, or held on the other side: trade records are missing; nothing is entered. */
  readonly unexplainedLots: number;
  readonly lastCandleOpenAt: EpochMs | null;
  readonly slots: readonly LiveSlotView[];
};

/** One slot as pages show it. */
export type LiveSlotView = {
  readonly purpose: OrderPurpose;
  readonly wanted: ApprovedIntent["target"] | null;
  readonly working: ApprovedIntent["target"] | null;
  readonly intentId: number | null;
  readonly status: "free" | "placing" | "parked" | "resting" | "unverified" | "leaving";
};

/** One bot. */
export type LiveBot<S> = {
  /**
   * Goes on from a stored body (null: a new bot) and the orders it knows. Call first, then feed the history.
   * @param orders what `ordersNeeded` of live-body.ts says of the body
   */
  restore(body: unknown, orders: readonly OrderNews[]): Result<LiveOutput, RestoreRefusal>;
  /** Takes one input. Repeating an order's news changes nothing. */
  handle(input: LiveInput): Result<LiveOutput, InputRefusal>;
  /** What has to be stored with the step; changes only with inputs that had consequences. */
  body(): Plain;
  view(): LiveView<S>;
};

function take<S>(core: LiveCore<S>, input: LiveInput): Result<null, InputRefusal> {
  switch (input.kind) {
    case "history":
      return hearHistory(core, input.candles);
    case "candle":
      return hearCandle(core, input.candle, input.mayEnter, input.isGapKnown);
    case "price":
      hearPrice(core, input.at, input.price);
      return ok(null);
    case "order":
      return hearOrder(core, input.at, input.news);
    case "not_sent":
      hearNotSent(core, input.at, input.op, input.targetKey, input.reason);
      return ok(null);
    case "trading_state":
      if (input.state !== core.state.tradingState) {
        send(core, { kind: "trading_state_changed", at: input.at, state: input.state });
      }
      return ok(null);
    case "operator":
      send(core, { kind: "operator_asked", at: input.at, atr: core.signals.atr, ask: input.ask });
      return ok(null);
    case "ledger":
      core.net = Number(input.net);
      core.freeCollateral = input.freeCollateral === null ? null : Number(input.freeCollateral);
      return ok(null);
  }
}

function statusOf<S>(core: LiveCore<S>, slot: number): LiveSlotView["status"] {
  const order = core.slots[slot];
  if (!order) return "free";
  if (order.isParking || (core.state.leaving & (1 << slot)) !== 0) return "leaving";
  if (order.isParked) return "parked";
  if (order.intentId === null) return "placing";
  return order.isUnverified ? "unverified" : "resting";
}

function viewOf<S>(core: LiveCore<S>): LiveView<S> {
  const { state, deps } = core;
  return {
    position: { ...state.position },
    realisedBalance: realisedBalance(core),
    tradingState: state.tradingState,
    strategy: state.strategy,
    unexplainedLots: core.unexplainedLots,
    lastCandleOpenAt: core.candleOpenAt < 0 ? null : core.candleOpenAt,
    slots: deps.strategy.slots.map((purpose, slot) => ({
      purpose,
      wanted: state.book.targets[slot] ?? null,
      working: state.working[slot] ?? null,
      intentId: core.slots[slot]?.intentId ?? null,
      status: statusOf(core, slot),
    })),
  };
}

/**
 * A bot without past; restore it before anything else.
 * @throws InputError when tick or step are not usable
 */
export function createLiveBot<S>(deps: LiveBotDeps<S>): LiveBot<S> {
  const core = createCore(deps);
  return {
    restore: (body, orders) => restoreCore(core, body, orders),
    handle: (input) => {
      const taken = take(core, input);
      return taken.ok ? ok(takeOutput(core)) : taken;
    },
    body: () => writeBody(core),
    view: () => viewOf(core),
  };
}
