// What an account held when an earlier venue ended: positions, resting orders and stops under their own
// ids, and the totals of its books. Called once per account by exchange.ts, before anybody trades.
import { type Account, keepOrder, legOf, leverageOf, setLeverage } from "./account.ts";
import { restoreAlgo } from "./algo.ts";
import { addOrder } from "./book.ts";
import {
  floorDivide,
  gridCount,
  MONEY_DECIMALS,
  type Money,
  nearestUnits,
  toUnits,
} from "./decimal.ts";
import { requote } from "./house.ts";
import { notional } from "./instrument.ts";
import { type LegSide, type Order, rememberView } from "./order.ts";
import { type Leg, rememberLeg } from "./position.ts";
import type { Opening, OpeningOrder, OpeningPosition, OpeningTrigger } from "./settings.ts";
import { type Exchange, type Market, record } from "./state.ts";

/** Decimals an average entry price is read with. */
const AVERAGE_DECIMALS = 18;

/** A part of an opening that was checked and is not done yet. */
type Deed = () => void;

/**
 * Checks what an account held; the exchange has not changed until what is returned is called.
 * @throws RangeError naming what does not fit the contract
 */
export function readOpening(x: Exchange, account: Account, opening: Opening): Deed {
  const { positions, orders, triggers, leverages } = opening;
  const fees = moneyOf("feesPaid", opening.feesPaid);
  const funding = moneyOf("fundingReceived", opening.fundingReceived);
  const ids = new Set(orders.map(({ orderId }) => orderId));
  if (ids.size < orders.length) throw new RangeError("opening: an orderId is given twice");
  // Orders carry the leverage of their leg.
  for (const { symbol, positionSide, leverage } of leverages) {
    setLeverage(account, marketAt(x, symbol).instrument, positionSide, leverage);
  }
  const deeds = [
    ...positions.map((position) => openLeg(x, account, position)),
    ...orders.map((order) => openResting(x, account, order)),
    ...triggers.map((trigger) => openTrigger(x, account, trigger)),
  ];
  return () => {
    bookTotals(x, account, fees, funding);
    for (const deed of deeds) deed();
    // What rests may lie beyond the price by now: the house quotes behind it, the next step fills it.
    for (const market of x.markets.values()) requote(x, market);
    const counts = {
      positions: positions.length,
      orders: orders.length,
      triggers: triggers.length,
    };
    record(x, "opening", { account: account.name, ...counts });
  };
}

/** Fees went to the exchange and funding came from the house: all sums stay what they were. */
function bookTotals(x: Exchange, account: Account, fees: Money, funding: Money): void {
  account.feesPaid = fees;
  account.fundingReceived = funding;
  x.feePool += fees;
  x.house.wallet -= funding;
  x.deposits += fees - funding;
}

function marketAt(x: Exchange, symbol: string): Market {
  const market = x.markets.get(symbol);
  if (!market) throw new RangeError(`opening: symbol "${symbol}" is no instrument`);
  return market;
}

function moneyOf(field: string, text: string): Money {
  const money = toUnits(text, MONEY_DECIMALS);
  if (money === null) throw new RangeError(`opening: ${field} "${text}" is no decimal`);
  return money;
}

function lotsOf({ instrument }: Market, field: string, text: string, least: number): number {
  const lots = gridCount(text, instrument.qty);
  if (lots !== null && lots >= least) return lots;
  const step = instrument.spec.baseTick;
  throw new RangeError(
    `opening: ${field} "${text}" of ${instrument.symbol} is off its step ${step}`,
  );
}

function ticksOf({ instrument }: Market, field: string, text: string): number {
  const ticks = gridCount(text, instrument.price);
  if (ticks !== null && ticks >= instrument.minTicks) return ticks;
  const tick = instrument.spec.quoteTick;
  throw new RangeError(
    `opening: ${field} "${text}" of ${instrument.symbol} is off its tick ${tick}`,
  );
}

/** The leg of a direction or of a request under the account's mode. */
function legSideOf(account: Account, side: LegSide | undefined): LegSide {
  if (account.mode === "ONE_WAY") return "BOTH";
  if (side === "LONG" || side === "SHORT") return side;
  throw new RangeError(`opening: positionSide "${side}" must be LONG or SHORT in hedge mode`);
}

/** The house holds the other side, as of every position. */
function openLeg(x: Exchange, account: Account, given: OpeningPosition): Deed {
  const market = marketAt(x, given.symbol);
  const { instrument } = market;
  const count = lotsOf(market, "quantity", given.quantity, 1);
  const average = nearestUnits(given.averagePrice, AVERAGE_DECIMALS);
  if (average === null || average <= 0n) {
    throw new RangeError(`opening: averagePrice "${given.averagePrice}" is no price`);
  }
  const sign = given.side === "LONG" ? 1 : -1;
  const spare = 10n ** BigInt(AVERAGE_DECIMALS + instrument.qty.decimals - MONEY_DECIMALS);
  const value = average * BigInt(count) * instrument.qty.units;
  const cost = floorDivide(2n * value + spare, 2n * spare);
  const side = legSideOf(account, given.side);
  return () => {
    hold(legOf(account, instrument, side), sign * count, BigInt(sign) * cost, x.now);
    hold(legOf(x.house, instrument, "BOTH"), -sign * count, BigInt(-sign) * cost, x.now);
  };
}

function hold(leg: Leg, lots: number, cost: Money, at: number): void {
  leg.lots += lots;
  leg.cost += cost;
  leg.openedAt = at;
  rememberLeg(leg, at);
}

function openResting(x: Exchange, account: Account, given: OpeningOrder): Deed {
  const market = marketAt(x, given.symbol);
  const lots = lotsOf(market, "quantity", given.quantity, 1);
  const executedLots = lotsOf(market, "executedQuantity", given.executedQuantity, 0);
  if (executedLots >= lots) throw new RangeError(`opening: order ${given.orderId} has ended`);
  const ticks = ticksOf(market, "price", given.price);
  const positionSide = legSideOf(account, given.positionSide);
  const order: Order = {
    id: given.orderId,
    accountId: account.id,
    clientOrderId: given.clientOrderId,
    instrument: market.instrument,
    tag: "default",
    side: given.side,
    positionSide,
    type: given.type,
    bidAskLevel: given.type === "BID" || given.type === "ASK" ? 1 : null,
    reduceOnly: given.reduceOnly,
    isClosing: closes(given, positionSide),
    leverage: leverageOf(account, market.instrument, positionSide),
    createdAt: given.createdAt,
    ticks,
    lots,
    amount: null,
    displayLots: null,
    executedLots,
    executedValue: notional(market.instrument, ticks, executedLots),
    fee: 0n,
    realized: null,
    status: executedLots === 0 ? "NEW" : "PARTIAL_FILLED",
    reason: "",
    views: [],
  };
  return () => {
    x.ids.order = Math.max(x.ids.order, order.id);
    keepOrder(account, order);
    rememberView(order, x.now);
    addOrder(market.book, order);
  };
}

function closes(
  { side, reduceOnly }: { side: string; reduceOnly: boolean },
  leg: LegSide,
): boolean {
  return reduceOnly || leg === (side === "BUY" ? "SHORT" : "LONG");
}

function openTrigger(x: Exchange, account: Account, given: OpeningTrigger): Deed {
  const market = marketAt(x, given.symbol);
  const stop = {
    instrument: market.instrument,
    clientId: given.clientOrderId,
    side: given.side,
    positionSide: legSideOf(account, given.positionSide),
    type: given.price === null ? "MARKET" : "LIMIT",
    reduceOnly: given.reduceOnly,
    triggerTicks: ticksOf(market, "triggerPrice", given.triggerPrice),
    firesAbove: given.firesAbove,
    ticks: given.price === null ? null : ticksOf(market, "price", given.price),
    lots: lotsOf(market, "quantity", given.quantity, 1),
  } as const;
  return () =>
    void restoreAlgo(x, account, { id: given.algoOrderId, createdAt: given.createdAt }, stop);
}
