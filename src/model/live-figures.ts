// The documents a worker leaves for pages: how a bot and an account stand. Written by services/live in
// snapshots, read by pages; nothing decides on them. Money and prices are exact decimals as text.
import type { Decimal } from "./decimal.ts";
import type { OrderPurpose, OrderSide, PositionSide } from "./order.ts";
import type { IntentStatus } from "./order-status.ts";
import type { EpochMs } from "./time.ts";

/** How well something is. */
export type HealthLevel = "ok" | "warning" | "error";

/** One thing that must be right before a bot may enter, in the order they are asked. */
export type GateView = {
  readonly key: GateKey;
  readonly isOpen: boolean;
  /** What is right or wrong, with the figures. */
  readonly sentence: string;
  /** Since when it is so. */
  readonly since: EpochMs;
};

/** Every gate of an entry, in the order they are asked. */
export const GATE_KEYS = [
  "desired_status",
  "trading_state",
  "account_status",
  "account_limits",
  "credentials",
  "lease",
  "reconciled",
  "doubtful_orders",
  "position_mode",
  "leverage",
  "exchange",
  "fresh_prices",
  "fresh_candles",
  "warm_up",
  "margin",
  "exposure",
  "bot_limits",
] as const;

/** The name of a gate. */
export type GateKey = (typeof GATE_KEYS)[number];

/** A resting or waiting order as pages show it. */
export type OrderView = {
  readonly intentId: number;
  readonly targetKey: string;
  readonly purpose: OrderPurpose;
  readonly side: OrderSide;
  readonly positionSide: PositionSide;
  readonly status: IntentStatus;
  /** Null for market and queue orders. */
  readonly price: Decimal | null;
  readonly triggerPrice: Decimal | null;
  readonly qty: Decimal;
  readonly filledQty: Decimal;
  readonly clientOrderId: string | null;
  readonly exchangeOrderId: string | null;
  readonly decidedAt: EpochMs;
};

/** What a bot holds. */
export type PositionView = {
  readonly positionSide: PositionSide;
  readonly qty: Decimal;
  readonly averageEntry: Decimal;
  readonly openedAt: EpochMs;
  /** Null while no mark price is known. */
  readonly unrealised: Decimal | null;
  readonly notional: Decimal | null;
  readonly liquidationPrice: Decimal | null;
  /** Trigger of the protective stop that rests at the exchange; null without one. */
  readonly stopPrice: Decimal | null;
  readonly takeProfitPrice: Decimal | null;
  readonly nextRungPrice: Decimal | null;
  /** Rungs filled of rungs there are. */
  readonly rungsFilled: number;
  readonly rungsMax: number;
};

/** Profit and loss in quote currency; each number is the sum of ledger rows or of the open position. */
export type PnlView = {
  readonly realised: Decimal;
  /** Negative when paid. */
  readonly fees: Decimal;
  readonly funding: Decimal;
  /** Null while no mark price is known. */
  readonly unrealised: Decimal | null;
  /** Everything together; null while the unrealised part is unknown. */
  readonly net: Decimal | null;
  /** Entries whose worth is not known: the sums lack them. */
  readonly missing: number;
  readonly estimated: number;
};

/** A price and how old it is. */
export type PriceView = {
  readonly price: Decimal;
  readonly at: EpochMs;
  readonly source: "mark" | "book" | "last";
};

/** How a bot stands. */
export type BotFigures = {
  readonly format: 1;
  readonly health: HealthLevel;
  /** One sentence: what it waits for or does next. */
  readonly nextAction: string;
  readonly gates: readonly GateView[];
  readonly price: PriceView | null;
  readonly position: PositionView | null;
  /** Working and parked orders, nearest first. */
  readonly orders: readonly OrderView[];
  readonly pnl: PnlView;
  /** Allocation and what was earned since, without the open position. */
  readonly balance: Decimal;
  readonly equity: Decimal | null;
  readonly lastTickAt: EpochMs;
  readonly lastCandleAt: EpochMs | null;
  readonly nextCandleAt: EpochMs | null;
  /** The last 60 ticks, oldest first: how late each was in ms, -1 for a missed one. */
  readonly heartbeats: readonly number[];
  readonly blockedActions: number;
  readonly leverage: number | null;
  /** Why the last closed candle did or did not lead to an entry. */
  readonly lastDecision: string | null;
};

/** How an account stands. */
export type AccountFigures = {
  readonly format: 1;
  readonly health: HealthLevel;
  readonly sentence: string;
  /** Settle asset of the figures below. */
  readonly asset: string;
  /** Total of the settle asset and what is free of it; null while not read. */
  readonly walletBalance: Decimal | null;
  readonly freeBalance: Decimal | null;
  readonly unrealised: Decimal | null;
  readonly equity: Decimal | null;
  readonly grossExposure: Decimal | null;
  readonly pnlToday: Decimal;
  readonly pnlTotal: Decimal;
  readonly peakEquity: Decimal | null;
  readonly openOrders: number;
  readonly exchange: "ok" | "degraded" | "open" | "half_open" | "maintenance";
  readonly clockOffsetMs: number | null;
  readonly lastReconciledAt: EpochMs | null;
  readonly isReconciled: boolean;
  /** What a person must decide. */
  readonly findings: readonly FindingView[];
  /** Why entries are blocked; empty when they are not. */
  readonly blocks: readonly string[];
  readonly worker: string;
  readonly leaseUntil: EpochMs | null;
  readonly lastTickAt: EpochMs;
  readonly unprotectedMs: number;
};

/** Something reconciliation found that a person may settle. */
export type FindingView = {
  /** Stable while the same thing is found. */
  readonly key: string;
  readonly kind:
    | "position_drift"
    | "stranger_order"
    | "position_mode"
    | "second_instance"
    /** What a person keeps on the account: known, and no difference. */
    | "known_position"
    /** An order a person took over: known, and nobody else's. */
    | "known_order";
  readonly symbol: string | null;
  readonly sentence: string;
  readonly since: EpochMs;
  readonly choices: readonly ("adopt" | "ignore" | "heed" | "flatten" | "cancel")[];
  /** Who may take it over, whoever gets it unless another is named first; absent where nobody can. */
  readonly heirs?: readonly FindingHeir[];
  /** What that one taking it over means, one sentence; absent where nobody can. */
  readonly adoption?: string;
};

/** Somebody who may take over what was found: a bot, or a person where both are null. */
export type FindingHeir = { readonly botId: number | null; readonly name: string | null };
