// What a demo account holds, as its rows tell it, for the exchange inside the product: it keeps nothing itself,
// and what is not in the rows never happened. Called when a worker takes over a demo account. Orders of which
// the rows do not tell enough end here, as an exchange ends orders: they must never be opened by guess.
import { isFinal } from "../../execution/order-machine.ts";
import { settleAssetOf } from "../../model/instrument.ts";
import { averageEntry } from "../../model/leg-position.ts";
import { add, compare, type Decimal, decimal, subtract } from "../../model/decimal.ts";
import type { EpochMs } from "../../model/time.ts";
import { estimatedFee } from "../../model/trade-record.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { FeeRates, PositionMode } from "../../ports/broker.ts";
import type {
  DemoAccount,
  DemoIds,
  DemoOrder,
  DemoPosition,
  DemoTrigger,
} from "../../ports/demo-venue.ts";
import type {
  LeaseGuard,
  NewFill,
  StoredIntent,
  SymbolHolding,
  TradingStore,
} from "../../ports/trading-store.ts";

/** What every demo and paper account is given at its first start, in its settle asset. */
export const OPENING_DEPOSIT = decimal("10000");
const DEPOSIT_REF = "opening-deposit";
const SETTLE_ASSET = "USDT";
const NOTHING = "0" as Decimal;
/** Ids of the demo exchange count from here, one a millisecond: faster than it ever gives them out. */
const IDS_SINCE = Date.UTC(2020, 0, 1);
/** Decimal places of money at the demo exchange. */
const PLACES_MAX = 12;
/** Orders looked through for executions without a record; those before were looked at earlier. */
const RECENT_MAX = 1000;
const ENDED = "the demo exchange began anew and could not keep an order of this kind";

/** Gives an account its first money, once. @param at when the account was made: always the same */
export async function giveOpeningDeposit(
  store: Pick<TradingStore, "recordTransfer">,
  scope: Scope,
  guard: LeaseGuard,
  at: EpochMs,
): Promise<void> {
  const amount = OPENING_DEPOSIT;
  const transfer = { ref: DEPOSIT_REF, amount, asset: SETTLE_ASSET, settleAmount: amount, at };
  const given = await store.recordTransfer(scope, guard, transfer);
  if (!given.ok) throw new Error(given.detail);
}

/** A simulated account that is taken over. */
export type TakeOver = {
  readonly store: TradingStore;
  readonly scope: Scope;
  readonly guard: LeaseGuard;
  readonly fees: FeeRates;
  /** The price of a market at an instant; null while it is not known. */
  readonly priceAt: (symbol: string, at: EpochMs) => Promise<Decimal | null>;
  readonly contractSizeOf: (symbol: string) => Promise<Decimal>;
  /** Whether the exchange kept everything: then nothing has to end or be made up for. */
  readonly isLasting?: boolean;
};

/**
 * The account as the demo exchange is to open it. Orders it cannot keep are cancelled in the rows: the price of
 * a place in the queue is written nowhere, and a stop that went off is none any more.
 * @throws Error when the lease is lost, or when the price of a lost execution is not known yet
 */
export async function demoAccount(
  takeOver: TakeOver,
  mode: PositionMode,
  now: EpochMs,
): Promise<DemoAccount> {
  const { store, scope, guard } = takeOver;
  const { accountId, token } = guard;
  const alive = await store.aliveIntents(scope, accountId);
  const resting = alive.filter((intent) => intent.exchangeOrderId !== null);
  for (const intent of takeOver.isLasting ? [] : resting) {
    if (orderOf(intent) !== null || triggerOf(intent) !== null) continue;
    const news = { event: "cancelled", detail: ENDED } as const;
    const ended = await store.recordNews(scope, guard, intent.id, news, now);
    if (!ended.ok) throw new Error(ended.detail);
  }
  if (!takeOver.isLasting) await bookLostFills(takeOver);
  const totals = await store.totals(scope, accountId, { sinceAt: 0, owner: null });
  const holdings = await store.holdings(scope, accountId);
  return {
    name: `account-${accountId}-${token}`,
    keys: null,
    mode,
    balance: countable(add(totals.transfers, totals.net)),
    feesPaid: countable(subtract(NOTHING, totals.fees)),
    fundingReceived: countable(totals.funding),
    positions: holdings.flatMap((holding) => positionOf(holding) ?? []),
    orders: resting.flatMap((intent) => orderOf(intent) ?? []),
    triggers: resting.flatMap((intent) => triggerOf(intent) ?? []),
    leverages: [],
  };
}

/** An amount as the demo exchange counts: shares in the rows have more places, and what is cut is nothing. */
function countable(amount: Decimal): Decimal {
  const [whole = "0", fraction = ""] = amount.split(".");
  return fraction.length <= PLACES_MAX
    ? amount
    : decimal(`${whole}.${fraction.slice(0, PLACES_MAX)}`);
}

/**
 * Books what a simulated exchange had reported as executed and took with it before its trade records were
 * written down: nobody will ever tell them again, and whoever sent the order waits for them.
 * @throws Error when the lease is lost, or while the price of such an execution is not known
 */
export async function bookLostFills(takeOver: TakeOver): Promise<void> {
  const { store, scope, guard } = takeOver;
  const latest = { owner: null, limit: RECENT_MAX };
  for (const intent of await store.recentIntents(scope, guard.accountId, latest)) {
    const fill = await lostFillOf(takeOver, intent);
    if (fill === null) continue;
    const booked = await store.recordFill(scope, guard, fill);
    if (!booked.ok) throw new Error(booked.detail);
  }
}

/** At the order's own price; without one at the price of the minute in which it was reported. */
async function lostFillOf(takeOver: TakeOver, intent: StoredIntent): Promise<NewFill | null> {
  const { status, qty: whole, filledQty, reportedFilledQty, exchangeOrderId, terms } = intent;
  const executed = status === "filled" ? whole : (reportedFilledQty ?? filledQty);
  const qty = subtract(executed, filledQty);
  if (!isFinal(status) || exchangeOrderId === null || compare(qty, NOTHING) <= 0) return null;
  const { id, symbol, side, leg, updatedAt: at } = intent;
  const own = "price" in terms ? terms.price : null;
  const price = own ?? (await takeOver.priceAt(symbol, at));
  if (price === null) throw new Error(`the price of ${symbol} at ${at} is not known yet`);
  const contractSize = await takeOver.contractSizeOf(symbol);
  const settleAsset = settleAssetOf(symbol);
  const isMaker = terms.kind === "limit" || terms.kind === "post_only" || terms.kind === "queue";
  const { makerRatio, takerRatio } = takeOver.fees;
  const worth = { price, qty, contractSize, settleAsset };
  return {
    ...{ symbol, tradeId: `lost-${id}`, exchangeOrderId, side, leg, at },
    ...worth,
    fee: estimatedFee(worth, isMaker ? makerRatio : takerRatio),
    liquidity: null,
    exchangeRealised: null,
  };
}

/** Ids above all that the demo exchange ever gave out. */
export function demoIdsAbove(now: EpochMs): DemoIds {
  const above = now - IDS_SINCE;
  return { order: above, trade: above, trigger: above, funding: above };
}

function positionOf({ holder, symbol, position }: SymbolHolding): DemoPosition | null {
  const averagePrice = averageEntry(position);
  const { positionSide, qty } = position;
  if (holder !== "account" || positionSide === null || averagePrice === null) return null;
  return { symbol, positionSide, qty, averagePrice };
}

function commonOf(intent: StoredIntent) {
  const { exchangeOrderId, clientOrderId, symbol, side, leg, qty, isReduceOnly } = intent;
  if (exchangeOrderId === null || isFinal(intent.status)) return null;
  return {
    ...{ exchangeOrderId, clientOrderId, symbol, side, qty, isReduceOnly },
    positionSide: leg === "net" ? null : leg,
    createdAt: intent.sentAt ?? intent.decidedAt,
  };
}

function orderOf(intent: StoredIntent): DemoOrder | null {
  const common = commonOf(intent);
  const { terms, filledQty } = intent;
  if (common === null || (terms.kind !== "limit" && terms.kind !== "post_only")) return null;
  return { ...common, price: terms.price, filledQty, isPostOnly: terms.kind === "post_only" };
}

function triggerOf(intent: StoredIntent): DemoTrigger | null {
  const common = commonOf(intent);
  const { terms, filledQty } = intent;
  if (common === null || terms.kind !== "trigger" || compare(filledQty, NOTHING) > 0) return null;
  const { triggerPrice, direction, price } = terms;
  return { ...common, triggerPrice, direction, price };
}
