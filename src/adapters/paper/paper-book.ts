// The account behind the paper broker: orders, legs, money and trade records, exact, and what a fill
// does to them. Changed by paper-matching.ts and paper-orders.ts only. It keeps no file: after a start
// it is what the trading rows say, and what is not in them never happened.
import type { SimOrder } from "../../engine/sim-order.ts";
import { add, compare, type Decimal, decimal, multiply, subtract } from "../../model/decimal.ts";
import type { Grid } from "../../model/instrument.ts";
import { applyToLeg, FLAT_LEG, type LegPosition } from "../../model/leg-position.ts";
import type { Liquidity, OrderSide, PositionSide } from "../../model/order.ts";
import type { OrderRules } from "../../model/order-rules.ts";
import { assert } from "../../model/result.ts";
import type { Leg } from "../../model/trade-record.ts";
import type { EpochMs } from "../../model/time.ts";
import type {
  FeeRates,
  FundingPayment,
  MarkPrice,
  OrderStatus,
  OrderTerms,
  PositionMode,
  TopOfBook,
  TradeRecord,
} from "../../ports/broker.ts";

/** How the account trades; the same for all its symbols. */
export type PaperTerms = {
  readonly settleAsset: string;
  readonly fees: FeeRates;
  /** What a market or stop order pays on top of the price it meets. */
  readonly slippageBps: number;
  /** Until another one is set; whole numbers. */
  readonly leverage: number;
  /** Maintenance margin as a fraction of the notional. */
  readonly maintenanceRate: number;
  readonly positionMode: PositionMode;
};

/** An order; quantities and prices are exact, `sim` is how the simulator's rules see it. */
export type PaperOrder = {
  readonly clientOrderId: string;
  readonly exchangeOrderId: string;
  readonly symbol: string;
  readonly side: OrderSide;
  readonly positionSide: PositionSide | null;
  readonly isReduceOnly: boolean;
  readonly terms: OrderTerms;
  readonly createdAt: EpochMs;
  /** In the order of arrival. */
  readonly rank: number;
  /** Outside of the book until its trigger price is met. */
  isWaiting: boolean;
  /** Null for market orders, and while a place in the queue has to be found again. */
  price: Decimal | null;
  qty: Decimal;
  filledQty: Decimal;
  /** Sum of price × quantity of its fills. */
  value: Decimal;
  fills: number;
  status: OrderStatus;
  /** Null when it executes at whatever the book shows. */
  sim: SimOrder | null;
};

/** What is known of a symbol. */
export type PaperMarket = {
  readonly rules: OrderRules;
  readonly prices: Grid;
  readonly lots: Grid;
  /** The last price of the path; null until the first usable look. */
  path: number | null;
  pathAt: EpochMs;
  mark: MarkPrice | null;
  /** The book of the last usable look; null where none is shown. */
  top: TopOfBook | null;
  /** What the book still shows to buyers and to sellers since it last changed; null is no limit. */
  shown: Record<OrderSide, Decimal | null>;
};

/** The whole account. Lists of what is over are cut at their oldest end. */
export type PaperBook = {
  readonly terms: PaperTerms;
  mode: PositionMode;
  balance: Decimal;
  readonly markets: Map<string, PaperMarket>;
  readonly legs: Map<string, HeldLeg>;
  /** Working orders by exchange order id, oldest first. */
  readonly working: Map<string, PaperOrder>;
  /** Every order still remembered, by client order id. */
  readonly known: Map<string, PaperOrder>;
  readonly leverage: Map<string, number>;
  readonly trades: TradeRecord[];
  readonly payments: FundingPayment[];
  /** Records of each kind before this instant are not told any more. */
  readonly forgottenAt: { trades: EpochMs; payments: EpochMs };
  /** The newest fill; every fill has an instant of its own. */
  lastAt: EpochMs;
  /** Funding is settled up to here, by symbol. */
  readonly fundedAt: Map<string, EpochMs>;
  /** What fills changed since then, by symbol, oldest first. */
  readonly moves: Map<string, PaperMove[]>;
  ranks: number;
};

/** What a fill did to a symbol: bought positive, sold negative. */
export type PaperMove = { readonly at: EpochMs; readonly qty: Decimal };

/** A leg that holds something. */
export type HeldLeg = {
  readonly symbol: string;
  readonly leg: Leg;
  readonly position: LegPosition;
};

const ZERO = decimal("0");
const ORDERS_MAX = 20_000;
const RECORDS_MAX = 20_000;

/** An empty account. */
export function createPaperBook(terms: PaperTerms, balance: Decimal): PaperBook {
  return {
    terms,
    mode: terms.positionMode,
    balance,
    markets: new Map(),
    legs: new Map(),
    working: new Map(),
    known: new Map(),
    leverage: new Map(),
    trades: [],
    payments: [],
    forgottenAt: { trades: 0, payments: 0 },
    lastAt: 0,
    fundedAt: new Map(),
    moves: new Map(),
    ranks: 0,
  };
}

/** The leg an order of this side lands in. */
export function legName(positionSide: PositionSide | null): Leg {
  return positionSide ?? "net";
}

/** What a leg holds; flat when nothing. */
export function legOf(book: PaperBook, symbol: string, leg: Leg): LegPosition {
  return book.legs.get(`${symbol}/${leg}`)?.position ?? FLAT_LEG;
}

/** Writes what a leg holds now. */
export function setLeg(book: PaperBook, held: HeldLeg): void {
  const key = `${held.symbol}/${held.leg}`;
  if (held.position.positionSide === null) book.legs.delete(key);
  else book.legs.set(key, held);
}

/** What an order of this kind could take away from its leg. */
export function reducibleQty(
  book: PaperBook,
  order: Pick<PaperOrder, "symbol" | "side" | "positionSide">,
): Decimal {
  const { positionSide, qty } = legOf(book, order.symbol, legName(order.positionSide));
  const isAgainst = positionSide === (order.side === "buy" ? "short" : "long");
  return isAgainst ? qty : ZERO;
}

/** Whether an order may only take away: by its flag, or because it closes its own leg. */
export function isReducing(
  order: Pick<PaperOrder, "isReduceOnly" | "side" | "positionSide">,
): boolean {
  const { isReduceOnly, side, positionSide } = order;
  return isReduceOnly || (positionSide !== null && (side === "buy") !== (positionSide === "long"));
}

/** The leverage of a symbol. */
export function leverageOf(book: PaperBook, symbol: string): number {
  return book.leverage.get(symbol) ?? book.terms.leverage;
}

/** Remembers an order that was taken. */
export function keepOrder(book: PaperBook, order: PaperOrder): void {
  book.working.set(order.exchangeOrderId, order);
  book.known.set(order.clientOrderId, order);
  if (book.known.size <= ORDERS_MAX) return;
  for (const [id, old] of book.known) {
    if (book.working.has(old.exchangeOrderId)) continue;
    book.known.delete(id);
    return;
  }
}

/** Ends an order. */
export function endOrder(book: PaperBook, order: PaperOrder, status: OrderStatus): void {
  order.status = status;
  book.working.delete(order.exchangeOrderId);
}

/** An execution about to be booked. */
export type PaperFill = {
  readonly price: Decimal;
  readonly qty: Decimal;
  readonly liquidity: Liquidity;
  readonly at: EpochMs;
};

/** The fee of a fill: a positive cost. */
export function feeOf(
  book: PaperBook,
  contractSize: Decimal,
  { price, qty, liquidity }: Pick<PaperFill, "price" | "qty" | "liquidity">,
): Decimal {
  const { makerRatio, takerRatio } = book.terms.fees;
  const notional = multiply(multiply(price, qty), contractSize);
  return multiply(notional, liquidity === "maker" ? makerRatio : takerRatio);
}

/** Books an execution of an order: leg, money, order and trade record. */
export function bookFill(book: PaperBook, order: PaperOrder, fill: PaperFill): void {
  order.filledQty = add(order.filledQty, fill.qty);
  order.value = add(order.value, multiply(fill.price, fill.qty));
  order.fills += 1;
  order.status = compare(order.filledQty, order.qty) < 0 ? "partly_filled" : "filled";
  if (order.status === "filled") endOrder(book, order, "filled");
  bookTrade(book, order, fill, `${order.clientOrderId}-${order.fills}`);
}

/** Books an execution under an id that is unique for ever. */
export function bookTrade(
  book: PaperBook,
  order: Pick<PaperOrder, "symbol" | "side" | "positionSide" | "exchangeOrderId">,
  fill: PaperFill,
  tradeId: string,
): void {
  const { symbol, side, positionSide, exchangeOrderId } = order;
  const { price, qty, liquidity } = fill;
  const market = marketOf(book, symbol);
  const leg = legName(positionSide);
  const { contractSize } = market.rules;
  const change = applyToLeg(leg, legOf(book, symbol, leg), side, price, qty, contractSize);
  setLeg(book, { symbol, leg, position: change.position });
  const fee = feeOf(book, contractSize, fill);
  book.balance = subtract(add(book.balance, change.realised ?? ZERO), fee);
  // Facts are ordered by instant first: two fills of one look must not change places.
  const at = Math.max(fill.at, book.lastAt + 1);
  book.lastAt = at;
  book.trades.push({
    ...{ tradeId, exchangeOrderId, symbol, side, positionSide, price, qty, fee, at },
    ...{ feeAsset: book.terms.settleAsset, liquidity, realisedPnl: change.realised },
  });
  book.forgottenAt.trades = forget(book.trades) ?? book.forgottenAt.trades;
  noteMove(book, symbol, { at, qty: side === "buy" ? qty : subtract(ZERO, qty) });
}

/** Remembers it until funding is settled beyond it; with too many of them the oldest counts as settled. */
export function noteMove(book: PaperBook, symbol: string, move: PaperMove): void {
  const moves = book.moves.get(symbol) ?? [];
  book.moves.set(symbol, moves);
  moves.push(move);
  const [oldest] = moves;
  if (oldest !== undefined && moves.length > RECORDS_MAX) {
    settleFundingTo(book, symbol, oldest.at);
  }
}

/** Funding of a symbol is settled up to an instant; never back. */
export function settleFundingTo(book: PaperBook, symbol: string, at: EpochMs): void {
  const settledAt = Math.max(at, book.fundedAt.get(symbol) ?? 0);
  book.fundedAt.set(symbol, settledAt);
  const moves = book.moves.get(symbol);
  const first = moves?.findIndex((move) => move.at > settledAt) ?? -1;
  moves?.splice(0, first < 0 ? moves.length : first);
}

/** Books a funding payment; positive was received. */
export function bookPayment(book: PaperBook, payment: FundingPayment): void {
  book.balance = add(book.balance, payment.amount);
  book.payments.push(payment);
  book.forgottenAt.payments = forget(book.payments) ?? book.forgottenAt.payments;
}

/** Cuts a list at its oldest end. @returns from where on it is whole, null when nothing was cut */
function forget(records: { readonly at: EpochMs }[]): EpochMs | null {
  if (records.length <= RECORDS_MAX) return null;
  const gone = records.splice(0, records.length - RECORDS_MAX);
  return (gone.at(-1)?.at ?? 0) + 1;
}

/** A market that was met before. @throws InvariantError when it was not */
export function marketOf(book: PaperBook, symbol: string): PaperMarket {
  const market = book.markets.get(symbol);
  assert(market !== undefined, `the rules of ${symbol} are read before it is traded`);
  return market;
}
