// The exchange inside the product that demo accounts trade on. Interfaces only. Implemented by a thread
// of this process; what an account held is told to it at every start, because it keeps nothing itself.
import type { Decimal } from "../model/decimal.ts";
import type { OrderSide, PositionSide } from "../model/order.ts";
import type { EpochMs } from "../model/time.ts";
import type { PositionMode } from "./broker.ts";
import type { Secret } from "./vault.ts";

/** A position; `qty` is above 0. */
export type DemoPosition = {
  readonly symbol: string;
  readonly positionSide: PositionSide;
  readonly qty: Decimal;
  readonly averagePrice: Decimal;
};

/** What orders in the book and stops have in common; ids are the ones the broker told. */
type DemoOrderTerms = {
  readonly exchangeOrderId: string;
  readonly clientOrderId: string | null;
  readonly symbol: string;
  readonly side: OrderSide;
  /** The leg on a hedge account, null otherwise. */
  readonly positionSide: PositionSide | null;
  readonly qty: Decimal;
  readonly isReduceOnly: boolean;
  readonly createdAt: EpochMs;
};

/** An order that rests in the book. */
export type DemoOrder = DemoOrderTerms & {
  readonly price: Decimal;
  readonly filledQty: Decimal;
  readonly isPostOnly: boolean;
};

/** An order that waits for its price; `price` is null for one that becomes a market order. */
export type DemoTrigger = DemoOrderTerms & {
  readonly triggerPrice: Decimal;
  readonly direction: "rising" | "falling";
  readonly price: Decimal | null;
};

/** An account and all that it holds; amounts in the settle currency. */
export type DemoAccount = {
  readonly name: string;
  /** Keys that are stored already; null makes new ones. */
  readonly keys: DemoKeys | null;
  readonly mode: PositionMode;
  readonly balance: Decimal;
  /** Fees ever paid and funding ever received less paid; both are part of the balance already. */
  readonly feesPaid: Decimal;
  readonly fundingReceived: Decimal;
  readonly positions: readonly DemoPosition[];
  readonly orders: readonly DemoOrder[];
  readonly triggers: readonly DemoTrigger[];
  readonly leverages: readonly {
    readonly symbol: string;
    /** Null on a one-way account. */
    readonly positionSide: PositionSide | null;
    readonly leverage: number;
  }[];
};

/** What requests of an account are signed with. */
export type DemoKeys = { readonly apiKey: Secret; readonly apiSecret: Secret };

/** The highest ids ever seen of each kind; the exchange goes on above them. */
export type DemoIds = {
  readonly order: number;
  readonly trade: number;
  readonly trigger: number;
  readonly funding: number;
};

/** How the exchange starts. */
export type DemoSettings = {
  /** Prices, candles and funding rates follow from it for ever: it belongs to the installation. */
  readonly seed: number;
  readonly idsAbove: DemoIds;
  readonly accounts: readonly DemoAccount[];
};

/** A running demo exchange. */
export type DemoExchange = {
  /** `http://127.0.0.1:port`, another port at every start. */
  readonly url: string;
  readonly wsUrl: string;
  readonly adminToken: string;
  /** In the order of the settings. */
  readonly keys: readonly DemoKeys[];
  /** Opens one more account. @throws Error with one sentence when it is refused */
  openAccount(account: DemoAccount): Promise<DemoKeys>;
  /** It outlives whoever trades on it and answers with the account of before: nothing of it is lost, nothing ends. */
  readonly isLasting?: boolean;
  stop(): Promise<void>;
};

/** Starts demo exchanges. */
export type DemoVenue = {
  /**
   * Resolves when the exchange listens.
   * @param onDeath told once, with its last words, when it ended without being stopped
   * @throws Error with one sentence when what an account holds does not fit the exchange
   */
  start(settings: DemoSettings, onDeath: (words: string) => void): Promise<DemoExchange>;
};

/** Keys on their way between threads, where a Secret cannot go. */
export type PlainKeys = { readonly apiKey: string; readonly apiSecret: string };

/** An account on its way between threads. */
export type PlainAccount = Omit<DemoAccount, "keys"> & { readonly keys: PlainKeys | null };

/** What the thread is sent; `id` numbers what wants an answer. */
export type DemoRequest =
  | {
      readonly id: number;
      readonly kind: "start";
      readonly seed: number;
      readonly idsAbove: DemoIds;
      readonly accounts: readonly PlainAccount[];
    }
  | { readonly id: number; readonly kind: "open"; readonly account: PlainAccount }
  | { readonly id: number; readonly kind: "stop" };

/** What the thread answers, once per request. */
export type DemoReply =
  | {
      readonly id: number;
      readonly kind: "started";
      readonly url: string;
      readonly wsUrl: string;
      readonly adminToken: string;
      readonly keys: readonly PlainKeys[];
    }
  | { readonly id: number; readonly kind: "opened"; readonly keys: PlainKeys }
  | { readonly id: number; readonly kind: "stopped" }
  | { readonly id: number; readonly kind: "refused"; readonly sentence: string };
