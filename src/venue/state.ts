// The whole state of a venue in one plain object, and the few functions every part of it uses: look
// things up, record events, read prices. Made by exchange.ts.
import type { Account, Trade } from "./account.ts";
import type { Algo } from "./algo-order.ts";
import type { Book } from "./book.ts";
import { addPrint, type CandleHistory } from "./candle-history.ts";
import type { Money } from "./decimal.ts";
import { VenueError } from "./errors.ts";
import type { EventLog, EventValue } from "./event-log.ts";
import type { Faults } from "./faults.ts";
import type { Instrument } from "./instrument.ts";
import type { Order, Side } from "./order.ts";
import type { PathStep } from "./price-path.ts";
import type { Field, Random } from "./random.ts";
import type { Leg } from "./position.ts";
import type { Schedule } from "./schedule.ts";
import type { HouseSettings, VenueSettings } from "./settings.ts";

/** A print of the public tape. */
export type Print = {
  readonly at: number;
  readonly side: Side;
  readonly ticks: number;
  readonly lots: number;
};

/** A funding rate that was exchanged; rates are in 10^-8. */
export type FundingFixing = {
  readonly at: number;
  readonly rateE8: bigint;
  readonly markTicks: number;
};

/** One contract being traded. */
export type Market = {
  readonly instrument: Instrument;
  readonly book: Book;
  readonly candles: CandleHistory;
  readonly steps: Iterator<PathStep>;
  readonly house: HouseSettings;
  readonly random: { readonly quotes: Random; readonly touch: Random; readonly funding: Field };
  /** The house's resting quotes. */
  quotes: Order[];
  /** Newest last. */
  readonly prints: Print[];
  lastTicks: number;
  markTicks: number;
  indexTicks: number;
  isSuspended: boolean;
  /** Estimated rate of the running interval, 10^-8. */
  nextRateE8: bigint;
  nextFundingAt: number;
  readonly fixings: FundingFixing[];
};

/** Who wants to know; the stream hub implements it. */
export type Listener = {
  onOrder(account: Account, order: Order, trade: Trade | null): void;
  onAlgo(account: Account, algo: Algo): void;
  onPosition(account: Account, leg: Leg): void;
  onBalance(account: Account): void;
  onPrint(market: Market, print: Print): void;
  onBook(market: Market): void;
  onFunding(market: Market): void;
};

/** Nobody listens. */
export const NO_LISTENER: Listener = {
  onOrder: () => undefined,
  onAlgo: () => undefined,
  onPosition: () => undefined,
  onBalance: () => undefined,
  onPrint: () => undefined,
  onBook: () => undefined,
  onFunding: () => undefined,
};

/** A venue. */
export type Exchange = {
  readonly settings: VenueSettings;
  readonly log: EventLog;
  readonly schedule: Schedule;
  readonly faults: Faults;
  readonly markets: ReadonlyMap<string, Market>;
  readonly accounts: Map<number, Account>;
  readonly byKey: Map<string, Account>;
  readonly house: Account;
  readonly ids: { order: number; trade: number; algo: number; payment: number; account: number };
  /** All fees ever charged. */
  feePool: Money;
  /** What the insurance fund gained (losses of bankrupt accounts make it negative). */
  insurance: Money;
  /** Everything ever deposited. */
  deposits: Money;
  /** Instant of the event being handled. */
  now: number;
  /** Algo orders that may still go off. */
  readonly liveAlgos: Set<Algo>;
  /** Accounts that closed something since the last clean-up. */
  readonly dirty: Set<Account>;
  listener: Listener;
};

/** Prints kept per instrument. */
const PRINTS_KEPT_MAX = 2000;

/** Records an event at the current instant. */
export function record(
  x: Exchange,
  kind: string,
  fields: Readonly<Record<string, EventValue>>,
): void {
  x.log.record(x.now, kind, fields);
}

/** The market of a symbol. @throws VenueError 317148 without one, 302101 for an unknown one */
export function marketOf(x: Exchange, symbol: string | undefined): Market {
  if (symbol === undefined || symbol === "") throw new VenueError(317148);
  const market = x.markets.get(symbol);
  if (!market) throw new VenueError(302101, `symbol is not exists: ${symbol}`);
  return market;
}

/** The market an instrument trades on. */
export function marketFor(x: Exchange, instrument: Instrument): Market {
  const market = x.markets.get(instrument.symbol);
  if (!market) throw new Error(`no market for ${instrument.symbol}`);
  return market;
}

/** The account of an order. */
export function accountOf(x: Exchange, id: number): Account {
  const account = id === x.house.id ? x.house : x.accounts.get(id);
  if (!account) throw new Error(`no account ${id}`);
  return account;
}

/** Puts a trade on the public tape and into the candles; those of a walk are made by its steps alone. */
export function printTrade(x: Exchange, market: Market, print: Print): void {
  if (print.lots > 0) {
    market.prints.push(print);
    if (market.prints.length >= 2 * PRINTS_KEPT_MAX) market.prints.splice(0, PRINTS_KEPT_MAX);
  }
  if (!market.candles.walk) addPrint(market.candles, print.at, print.ticks, print.lots);
  market.lastTicks = print.ticks;
  if (print.lots > 0) x.listener.onPrint(market, print);
}

/** Adds to a wallet and tells about it. */
export function credit(x: Exchange, account: Account, amount: Money): void {
  account.wallet += amount;
  if (account !== x.house) x.listener.onBalance(account);
}
