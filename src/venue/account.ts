// The accounts of the venue: keys, wallet, legs, orders, fills, payments. Plain state with the lookups
// everybody needs; rules live in trading.ts, margin.ts and liquidation.ts.
import type { Algo } from "./algo-order.ts";
import type { Money } from "./decimal.ts";
import type { Instrument } from "./instrument.ts";
import { HOUSE, type LegSide, type Order, remainingLots, type Side } from "./order.ts";
import { createLeg, type Leg } from "./position.ts";
import type { Appointment } from "./schedule.ts";

/** The exchange's words for how a contract's position is kept. */
export type PositionMode = "ONE_WAY" | "HEDGE_MODE";

/** What a key may do, in the exchange's words. */
export type KeyPermission = "READ" | "TRADE" | "WITHDRAWAL";

/** A fill as the account's trade history shows it. */
export type Trade = {
  readonly id: number;
  readonly order: Order;
  readonly at: number;
  readonly ticks: number;
  readonly lots: number;
  readonly fee: Money;
  /** Null when the fill closed nothing. */
  readonly realized: Money | null;
  readonly isMaker: boolean;
};

/** A funding payment; `amount` is what the wallet gained, negative when it paid. */
export type FundingPayment = {
  readonly id: number;
  readonly instrument: Instrument;
  readonly at: number;
  readonly rateE8: bigint;
  readonly markTicks: number;
  readonly amount: Money;
};

/** Lots of open orders that could enlarge a leg. */
export type Pending = { buyLots: number; sellLots: number };

/** One client of the venue, or the house. */
export type Account = {
  readonly id: number;
  readonly name: string;
  readonly applicationId: string;
  readonly apiKey: string;
  readonly secret: string;
  readonly makerPpm: bigint;
  readonly takerPpm: bigint;
  readonly hasDeadMan: boolean;
  readonly permissions: readonly KeyPermission[];
  /** Addresses the key works from; null for all. */
  readonly allowedIps: readonly string[] | null;
  mode: PositionMode;
  wallet: Money;
  /** Fees ever paid. */
  feesPaid: Money;
  /** Funding ever received less paid. */
  fundingReceived: Money;
  isSuspended: boolean;
  /** Orders are refused until this instant while the mode is being switched. */
  switchingUntil: number;
  deadMan: Appointment | null;
  readonly legs: Map<string, Leg>;
  readonly pending: Map<string, Pending>;
  readonly leverage: Map<string, number>;
  /** All remembered orders by id, oldest first. */
  readonly orders: Map<number, Order>;
  readonly open: Set<Order>;
  /** The latest order of each client id. */
  readonly byClientId: Map<string, Order>;
  readonly trades: Trade[];
  readonly payments: FundingPayment[];
  readonly algos: Map<number, Algo>;
};

/** Closed orders, fills and payments an account remembers. */
export const HISTORY_MAX = 100_000;
/** Leverage until somebody sets another. */
const LEVERAGE_DEFAULT = 10;

/** What an account is made from. */
export type AccountSpec = {
  readonly id: number;
  readonly name: string;
  readonly applicationId: string;
  readonly apiKey: string;
  readonly secret: string;
  readonly makerPpm: bigint;
  readonly takerPpm: bigint;
  readonly hasDeadMan: boolean;
  readonly permissions: readonly KeyPermission[];
  readonly allowedIps: readonly string[] | null;
  readonly mode: PositionMode;
};

/** An account without money, orders or positions. */
export function createAccount(spec: AccountSpec): Account {
  return {
    ...spec,
    wallet: 0n,
    feesPaid: 0n,
    fundingReceived: 0n,
    isSuspended: false,
    switchingUntil: 0,
    deadMan: null,
    legs: new Map(),
    pending: new Map(),
    leverage: new Map(),
    orders: new Map(),
    open: new Set(),
    byClientId: new Map(),
    trades: [],
    payments: [],
    algos: new Map(),
  };
}

const legKey = (instrument: Instrument, side: LegSide) => `${instrument.symbol} ${side}`;

/** The leg of a contract and position side, made when it is first needed. */
export function legOf(account: Account, instrument: Instrument, side: LegSide): Leg {
  const key = legKey(instrument, side);
  let leg = account.legs.get(key);
  if (!leg) {
    leg = createLeg(instrument, side);
    account.legs.set(key, leg);
  }
  return leg;
}

/** Signed lots of a leg, 0 when it was never touched. */
export function heldLots(account: Account, instrument: Instrument, side: LegSide): number {
  return account.legs.get(legKey(instrument, side))?.lots ?? 0;
}

/** Lots of open orders that could enlarge a leg. */
export function pendingOf(account: Account, instrument: Instrument, side: LegSide): Pending {
  const key = legKey(instrument, side);
  let pending = account.pending.get(key);
  if (!pending) {
    pending = { buyLots: 0, sellLots: 0 };
    account.pending.set(key, pending);
  }
  return pending;
}

/** Raises (or with negative lots lowers) what an order has pending; closing orders have nothing. */
export function reserve(account: Account, order: Order, lots: number): void {
  if (order.isClosing || account.id === HOUSE) return;
  const pending = pendingOf(account, order.instrument, order.positionSide);
  if (order.side === "BUY") pending.buyLots += lots;
  else pending.sellLots += lots;
}

/** Leverage of a contract and position side. */
export function leverageOf(account: Account, instrument: Instrument, side: LegSide): number {
  const set = account.leverage.get(legKey(instrument, side));
  return set ?? Math.min(LEVERAGE_DEFAULT, instrument.spec.maxLeverage);
}

/** Sets the leverage of a contract and position side. */
export function setLeverage(
  account: Account,
  instrument: Instrument,
  side: LegSide,
  leverage: number,
): void {
  account.leverage.set(legKey(instrument, side), leverage);
}

/** The position sides of a mode. */
export function legSides(mode: PositionMode): readonly LegSide[] {
  return mode === "ONE_WAY" ? ["BOTH"] : ["LONG", "SHORT"];
}

/** Lots by which an order may still shrink its leg; Infinity when it may also enlarge it. */
export function closingRoom(account: Account, order: Order): number {
  if (!order.isClosing) return Number.POSITIVE_INFINITY;
  return closableLots(account, order.instrument, order.positionSide, order.side);
}

/** Lots an order of this side could close of a leg. */
export function closableLots(
  account: Account,
  instrument: Instrument,
  legSide: LegSide,
  side: Side,
): number {
  const held = heldLots(account, instrument, legSide);
  return Math.max(0, side === "BUY" ? -held : held);
}

/** Remembers an order; the oldest closed ones are forgotten beyond the limit. */
export function keepOrder(account: Account, order: Order): void {
  account.orders.set(order.id, order);
  account.open.add(order);
  if (order.clientOrderId !== "0") account.byClientId.set(order.clientOrderId, order);
  reserve(account, order, remainingLots(order));
  if (account.orders.size > HISTORY_MAX) forgetOldest(account);
}

function forgetOldest(account: Account): void {
  for (const order of account.orders.values()) {
    if (account.open.has(order)) continue;
    account.orders.delete(order.id);
    if (account.byClientId.get(order.clientOrderId) === order) {
      account.byClientId.delete(order.clientOrderId);
    }
    return;
  }
}

/** Appends to a history and drops its older half's surplus beyond the limit. */
export function keepRow<T>(rows: T[], row: T): void {
  rows.push(row);
  if (rows.length >= 2 * HISTORY_MAX) rows.splice(0, HISTORY_MAX);
}
