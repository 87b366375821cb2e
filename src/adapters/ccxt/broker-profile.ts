// What one exchange is to the broker: what it can do, how its answers are judged, and the dialect that
// turns our operations into its requests. Types only; one profile per broker-<exchange>.ts.
import type { OrderRules } from "../../model/order-rules.ts";
import type { PositionSide } from "../../model/order.ts";
import type { EpochMs } from "../../model/time.ts";
import type {
  Amendment,
  BalanceReport,
  BrokerCapabilities,
  FeeRates,
  FundingPayment,
  KeyPermissions,
  LeverageReport,
  MarkPrice,
  NewOrder,
  OrderRef,
  OrderReport,
  PositionMode,
  PositionReport,
  SinceQuery,
  TradesQuery,
  TopOfBook,
  TradeRecord,
} from "../../ports/broker.ts";
import type { Client } from "./broker-client.ts";
import type { Sent } from "./broker-wire.ts";
import type { CodeMeaning } from "./error-types.ts";

/** Awaited before every request of one call but the first. */
export type Next = () => Promise<void>;

/**
 * Our operations in an exchange's words. Reads throw a BrokerError or whatever ccxt throws, writes
 * resolve when the answer reads like success; judging is the caller's work.
 */
export type Dialect = {
  order(ref: OrderRef): Promise<OrderReport>;
  openOrders(symbol: string | null, next: Next): Promise<OrderReport[]>;
  tradesSince(query: TradesQuery, now: EpochMs, next: Next): Promise<TradeRecord[]>;
  positions(symbol: string | null): Promise<PositionReport[]>;
  balances(): Promise<BalanceReport[]>;
  leverage(symbol: string): Promise<LeverageReport>;
  positionMode(symbol: string): Promise<PositionMode>;
  orderRules(symbol: string): Promise<OrderRules>;
  feeRates(symbol: string): Promise<FeeRates>;
  fundingSince(query: SinceQuery, now: EpochMs, next: Next): Promise<FundingPayment[]>;
  markPrice(symbol: string): Promise<MarkPrice>;
  topOfBook(symbol: string): Promise<TopOfBook>;
  serverTime(): Promise<EpochMs>;
  permissions(): Promise<KeyPermissions>;
  /** @returns the exchange's id of the order, null when the answer has none */
  place(order: NewOrder): Promise<string | null>;
  amend(ref: OrderRef, change: Amendment): Promise<unknown>;
  cancel(ref: OrderRef): Promise<unknown>;
  cancelAll(symbol: string, next: Next): Promise<unknown>;
  setDeadMan(afterMs: number): Promise<unknown>;
  setLeverage(
    symbol: string,
    leverage: number,
    positionSide: PositionSide | null,
  ): Promise<unknown>;
  setPositionMode(symbol: string, mode: PositionMode): Promise<unknown>;
};

/** The part about the account itself, beside orders and market. */
export type AccountCalls = Pick<
  Dialect,
  | "positions"
  | "balances"
  | "leverage"
  | "positionMode"
  | "feeRates"
  | "fundingSince"
  | "permissions"
  | "setLeverage"
  | "setPositionMode"
>;

/** One exchange. */
export type BrokerProfile = {
  readonly exchangeId: string;
  readonly hasTestnet: boolean;
  /** Settings of the ccxt class. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Parameters of the request for markets. */
  readonly marketParams: Record<string, unknown>;
  readonly capabilities: BrokerCapabilities;
  /** Whether a parsed answer says that the request failed. */
  saysFailed(body: unknown): boolean;
  /** What a failed request's code means; null when it is not known. */
  meaningOf(sent: Sent, error: unknown): CodeMeaning | null;
  dialect(client: Client): Dialect;
};
