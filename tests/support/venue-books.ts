// The books of a simulated exchange against our rows, to the last unit: executions with their owners,
// positions, money, orders. Used by the reconciliation scenarios and by the simulation; it reads the
// exchange's own state, not its replies, so that no fault switch can hide a difference.
import {
  add,
  compare,
  type Decimal,
  decimal,
  multiply,
  subtract,
} from "../../src/model/decimal.ts";
import { parseClientOrderId } from "../../src/model/client-order-id.ts";
import type { ClientOrderId } from "../../src/model/client-order-id.ts";
import { signedQty } from "../../src/model/leg-position.ts";
import type { OwnedFill, Owner } from "../../src/model/trade-record.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { StoredIntent, SymbolHolding, TradingStore } from "../../src/ports/trading-store.ts";
import type { Account, Trade } from "../../src/venue/account.ts";
import { gridText, type Money, moneyText } from "../../src/venue/decimal.ts";
import type { Order } from "../../src/venue/order.ts";
import type { Exchange } from "../../src/venue/state.ts";

/** Our side. */
export type OurBooks = {
  readonly store: Pick<
    TradingStore,
    "fills" | "findIntent" | "aliveIntents" | "holdings" | "totals"
  >;
  readonly scope: Scope;
  readonly accountId: AccountId;
};

const ZERO = decimal(0);
const LEGS = { BOTH: "net", LONG: "long", SHORT: "short" } as const;

/** Every difference, one sentence each; none when both books are the same. */
export async function booksDiffer(
  x: Exchange,
  account: Account,
  ours: OurBooks,
): Promise<string[]> {
  const { store, scope, accountId } = ours;
  const differences: string[] = [];
  for (const symbol of x.markets.keys()) {
    const fills = await store.fills(scope, accountId, symbol);
    differences.push(...(await tradeDifferences(account, symbol, fills, ours)));
  }
  const holdings = await store.holdings(scope, accountId);
  differences.push(
    ...positionDifferences(account, holdings),
    ...ownerDifferences(holdings),
    ...(await moneyDifferences(account, holdings, ours)),
    ...(await orderDifferences(account, ours)),
  );
  return differences;
}

async function tradeDifferences(
  account: Account,
  symbol: string,
  fills: readonly OwnedFill[],
  ours: OurBooks,
): Promise<string[]> {
  const differences: string[] = [];
  const left = new Map(fills.map((fill) => [fill.tradeId, fill]));
  if (left.size < fills.length) differences.push(`${symbol}: a trade is booked twice`);
  for (const trade of account.trades) {
    if (trade.order.instrument.symbol !== symbol) continue;
    const fill = left.get(String(trade.id));
    left.delete(String(trade.id));
    if (!fill) {
      differences.push(`${symbol}: trade ${trade.id} is not booked`);
      continue;
    }
    const owner = await ownerOf(account, trade.order, ours);
    const [theirs, mine] = [theirText(trade, owner), fillText(fill)];
    if (theirs !== mine) differences.push(`trade ${trade.id}: ${theirs} there, ${mine} here`);
  }
  for (const tradeId of left.keys()) {
    differences.push(`${symbol}: trade ${tradeId} does not exist there`);
  }
  return differences;
}

function theirText({ order, ticks, lots, fee, at }: Trade, owner: Owner): string {
  const { instrument, side, positionSide } = order;
  return [
    ...[owner, side.toLowerCase(), LEGS[positionSide]],
    decimal(gridText(lots, instrument.qty)),
    decimal(gridText(ticks, instrument.price)),
    ...["fee", decimal(moneyText(fee)), at],
  ].join(" ");
}

function fillText({ owner, side, leg, qty, price, fee, at }: OwnedFill): string {
  const cost = fee === null ? "none" : fee.isEstimated ? "estimated" : fee.amount;
  return [owner, side, leg, qty, price, "fee", cost, at].join(" ");
}

/** Whose order it is, by our own rows under the id it was sent with. */
async function ownerOf(account: Account, order: Order, ours: OurBooks): Promise<Owner> {
  const algo = [...account.algos.values()].find((one) => one.order === order);
  const intent = await intentOf(algo?.clientId ?? order.clientOrderId, ours);
  return intent?.owner ?? "foreign";
}

async function intentOf(
  clientId: string,
  { store, scope, accountId }: OurBooks,
): Promise<StoredIntent | null> {
  if (parseClientOrderId(clientId) === null) return null;
  return await store.findIntent(scope, accountId, clientId as ClientOrderId);
}

function positionDifferences(account: Account, holdings: readonly SymbolHolding[]): string[] {
  const theirs = new Map<string, Decimal>();
  for (const { instrument, side, lots } of account.legs.values()) {
    if (lots === 0) continue;
    const qty = decimal(gridText(lots, instrument.qty));
    theirs.set(`${instrument.symbol} ${LEGS[side]}`, qty);
  }
  const mine = new Map<string, Decimal>();
  for (const { symbol, leg, holder, position } of holdings) {
    const qty = signedQty(position);
    if (holder === "account" && compare(qty, ZERO) !== 0) mine.set(`${symbol} ${leg}`, qty);
  }
  return [...new Set([...theirs.keys(), ...mine.keys()])].flatMap((place) => {
    const [there, here] = [theirs.get(place) ?? ZERO, mine.get(place) ?? ZERO];
    return compare(there, here) === 0 ? [] : [`${place}: ${there} there, ${here} here`];
  });
}

/** What owners hold, less what was taken from them, is what the account holds. */
function ownerDifferences(holdings: readonly SymbolHolding[]): string[] {
  const sums = new Map<string, { account: Decimal; owners: Decimal }>();
  for (const { symbol, leg, holder, position } of holdings) {
    const place = `${symbol} ${leg}`;
    const sum = sums.get(place) ?? { account: ZERO, owners: ZERO };
    const taken = leg === "short" ? subtract(ZERO, position.unmatchedQty) : position.unmatchedQty;
    const qty = subtract(signedQty(position), taken);
    const part = holder === "account" ? "account" : "owners";
    sums.set(place, { ...sum, [part]: add(sum[part], qty) });
  }
  return [...sums].flatMap(([place, { account, owners }]) =>
    compare(account, owners) === 0
      ? []
      : [`${place}: the account has ${account}, its owners ${owners}`],
  );
}

async function moneyDifferences(
  account: Account,
  holdings: readonly SymbolHolding[],
  { store, scope, accountId }: OurBooks,
): Promise<string[]> {
  const everything = { sinceAt: 0, owner: null };
  const totals = await store.totals(scope, accountId, everything);
  const sum = (amounts: readonly Money[]) =>
    decimal(moneyText(amounts.reduce((all, one) => all + one, 0n)));
  const differences: string[] = [];
  const check = (what: string, there: Decimal, here: Decimal) => {
    if (compare(there, here) !== 0) differences.push(`${what}: ${there} there, ${here} here`);
  };
  check("fees", sum(account.trades.map(({ fee }) => -fee)), totals.fees);
  check("funding", sum(account.payments.map(({ amount }) => amount)), totals.funding);
  // Averages are rounded there and here; what was realised less what is still bound is exact on both
  // sides. A hedge leg that somebody else closed is bound here for ever: its trades are compared above.
  const isTaken = holdings.some(({ position }) => compare(position.unmatchedQty, ZERO) !== 0);
  if (!isTaken) {
    const realised = sum(account.trades.map((trade) => trade.realized ?? 0n));
    const bound = sum([...account.legs.values()].map(({ cost }) => cost));
    const here = subtract(totals.realised, boundCost(holdings));
    check("realised less bound", subtract(realised, bound), here);
  }
  if (totals.missing > 0) differences.push(`${totals.missing} amounts have no worth`);
  if (totals.estimated > 0) differences.push(`${totals.estimated} fees are estimated`);
  return differences;
}

/** Signed entry cost of what the owners hold; the contracts of the simulated exchange have size 1. */
function boundCost(holdings: readonly SymbolHolding[]): Decimal {
  return holdings.reduce((sum, { holder, position }) => {
    if (holder === "account") return sum;
    const sign = decimal(position.positionSide === "short" ? -1 : 1);
    return add(sum, multiply(sign, position.cost));
  }, ZERO);
}

const WORKING = new Set<StoredIntent["status"]>(["open", "partly_filled"]);

/** The same orders work on both sides, and each has the same executed quantity. */
async function orderDifferences(account: Account, ours: OurBooks): Promise<string[]> {
  const differences: string[] = [];
  const working = new Set<string>();
  const placed = [
    ...[...account.orders.values()].map((order) => ({
      ...{ clientId: order.clientOrderId, id: order.id, isOpen: account.open.has(order) },
      executed: gridText(order.executedLots, order.instrument.qty),
    })),
    ...[...account.algos.values()].map((algo) => ({
      ...{ clientId: algo.clientId, id: algo.id },
      isOpen: algo.status === "NEW" || algo.status === "PARTIAL_FILLED",
      executed: gridText(algo.order?.executedLots ?? 0, algo.instrument.qty),
    })),
  ];
  for (const { clientId, id, isOpen, executed } of placed) {
    const intent = await intentOf(clientId, ours);
    if (!intent) continue;
    if (isOpen) working.add(clientId);
    if (isOpen !== WORKING.has(intent.status)) {
      differences.push(`order ${clientId}: ${isOpen ? "works" : "ended"}, here ${intent.status}`);
    }
    if (compare(decimal(executed), intent.filledQty) !== 0) {
      differences.push(`order ${clientId}: ${executed} executed, here ${intent.filledQty}`);
    }
    if (intent.exchangeOrderId !== String(id)) {
      differences.push(`order ${clientId}: id ${id}, here ${intent.exchangeOrderId}`);
    }
  }
  for (const intent of await ours.store.aliveIntents(ours.scope, ours.accountId)) {
    if (!WORKING.has(intent.status) || working.has(intent.clientOrderId ?? "")) continue;
    differences.push(`order ${intent.clientOrderId}: ${intent.status} here, not there`);
  }
  return differences;
}
