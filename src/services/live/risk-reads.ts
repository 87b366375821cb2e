// What the risk of an account is judged by: rows and balances as they were read, and the figures that follow from
// them at the present prices. Used by risk-watch.ts alone; nothing here decides, and what is not known stays null.
import { isFinal } from "../../execution/order-machine.ts";
import { add, type Decimal, multiply, subtract } from "../../model/decimal.ts";
import type { LedgerTotals } from "../../model/ledger.ts";
import { type EpochMs, utcDayStart } from "../../model/time.ts";
import type { Owner } from "../../model/trade-record.ts";
import type { Bot, BotStore } from "../../ports/bot-store.ts";
import type { FeedPrice } from "../../ports/price-feed.ts";
import type { StoredIntent, SymbolHolding } from "../../ports/trading-store.ts";
import { FIGURE_FRESH_MS, type Figure, type LossFigures } from "../../risk/account-limits.ts";
import { type HeldLeg, marginOf, type Reservation } from "../../risk/headroom.ts";
import { worthOf } from "../../risk/holding-worth.ts";
import type { AccountMarket } from "./account-parts.ts";
import { ownerOf } from "./bot-runner.ts";
import type { LiveDeps } from "./live-types.ts";

/** What an owner holds. */
type OwnerHolding = SymbolHolding & { readonly holder: Owner };

/** Rows of the account, read together. */
export type RiskRows = {
  readonly bots: readonly Bot[];
  readonly today: LedgerTotals;
  readonly total: LedgerTotals;
  /** Of bots with a limit of their own. */
  readonly ofBots: ReadonlyMap<Owner, LedgerTotals>;
  /** Of owners: the account's own are the same once more, netted. */
  readonly holdings: readonly OwnerHolding[];
  readonly orders: readonly StoredIntent[];
  readonly at: EpochMs;
};

/** Balances of the settle assets together. */
export type RiskMoney = {
  readonly wallet: Decimal;
  /** Null when the exchange does not tell. */
  readonly free: Decimal | null;
  readonly at: EpochMs;
};

/** Markets of the account by symbol. */
export type Markets = ReadonlyMap<string, AccountMarket>;
/** The same as far as balances go. */
type SettledMarkets = ReadonlyMap<string, Pick<AccountMarket, "settleAsset">>;
/** Prices by symbol, as the last look brought them. */
export type Prices = ReadonlyMap<string, FeedPrice>;

const ZERO = "0" as Decimal;
/** Limits are in US dollars; these are taken for one each. */
const DOLLARS: ReadonlySet<string> = new Set(["USD", "USDT", "USDC", "FDUSD", "USDE"]);

/** Reads the rows. @throws when the database is not there */
export async function readRows(
  { store, account, clock }: Pick<LiveDeps, "store" | "account" | "clock">,
  botStore: Pick<BotStore, "list">,
): Promise<RiskRows> {
  const { scope, accountId } = account;
  const at = clock.now();
  const totalsOf = (sinceAt: EpochMs, owner: Owner | null) =>
    store.totals(scope, accountId, { sinceAt, owner });
  const [bots, today, total, holdings, orders] = await Promise.all([
    botStore.list(scope, accountId),
    totalsOf(utcDayStart(at), null),
    totalsOf(0, null),
    store.holdings(scope, accountId),
    store.aliveIntents(scope, accountId),
  ]);
  const limited = bots.filter(({ config }) => config.limits.maxDrawdownPct !== null).map(ownerOf);
  const ofBots = new Map<Owner, LedgerTotals>();
  for (const owner of limited) ofBots.set(owner, await totalsOf(0, owner));
  return { bots, today, total, ofBots, holdings: holdings.filter(isOwned), orders, at };
}

function isOwned(holding: SymbolHolding): holding is OwnerHolding {
  return holding.holder !== "account";
}

/** Reads the balances; null while the account has no market. @throws a BrokerFault */
export async function readMoney(
  { broker, clock }: Pick<LiveDeps, "broker" | "clock">,
  markets: SettledMarkets,
  signal: AbortSignal,
): Promise<RiskMoney | null> {
  const assets = assetsOf(markets);
  if (assets.length === 0) return null;
  const at = clock.now();
  const balances = await broker.balances({ signal });
  const mine = balances.filter(({ asset }) => assets.includes(asset));
  let [wallet, free]: [Decimal, Decimal | null] = [ZERO, ZERO];
  for (const balance of mine) {
    wallet = add(wallet, balance.total);
    free = free === null || balance.free === null ? null : add(free, balance.free);
  }
  return { wallet, free, at };
}

/** Assets the markets settle in. */
export function assetsOf(markets: SettledMarkets): readonly string[] {
  return [...new Set([...markets.values()].map(({ settleAsset }) => settleAsset))];
}

/** An asset that is no US dollar; null when all are. */
export function foreignAsset(markets: Markets): string | null {
  return assetsOf(markets).find((asset) => !DOLLARS.has(asset)) ?? null;
}

/** The price of a symbol; null when none is known that is fresh. */
export function freshPrice(prices: Prices, symbol: string, now: EpochMs): Decimal | null {
  const mark = prices.get(symbol)?.mark;
  return mark && now - mark.at <= FIGURE_FRESH_MS ? mark.price : null;
}

/** Open profit of an owner, or of everybody; the gap says what is missing. */
export function openProfit(
  rows: RiskRows,
  markets: Markets,
  prices: Prices,
  owner: Owner | null,
): { readonly figure: Figure | null; readonly gap: string | null } {
  let [value, at] = [ZERO, rows.at];
  for (const { holder, symbol, position } of rows.holdings) {
    if (owner !== null && holder !== owner) continue;
    const [mark, market] = [prices.get(symbol)?.mark, markets.get(symbol)];
    if (!mark || !market) return { figure: null, gap: `no price of ${symbol} is known` };
    value = add(value, worthOf(position, mark.price, market.rules.contractSize).unrealised);
    at = Math.min(at, mark.at);
  }
  return { figure: { value, at }, gap: null };
}

/** The figures of the account's limits. */
export function accountFigures(
  rows: RiskRows | null,
  money: RiskMoney | null,
  markets: Markets,
  prices: Prices,
): LossFigures {
  if (rows === null) return unknown("nothing was read yet");
  const foreign = foreignAsset(markets);
  if (foreign !== null) return unknown(`it settles in ${foreign}, limits are in US dollars`);
  const open = openProfit(rows, markets, prices, null);
  const { figure } = open;
  const equity = figure === null || money === null ? null : sum(money.wallet, money.at, figure);
  return {
    today: booked(rows.today, rows, figure),
    total: booked(rows.total, rows, figure),
    equity,
    gap: open.gap ?? missing(rows.total) ?? (money === null ? "no balance was read" : null),
  };
}

/** The figures of a bot's own limit; its equity is its allocation and what it earned. */
export function botLossFigures(
  bot: Bot,
  rows: RiskRows,
  markets: Markets,
  prices: Prices,
): LossFigures {
  const owner = ownerOf(bot);
  const totals = rows.ofBots.get(owner);
  if (!totals) return unknown("nothing was read yet");
  const { figure, gap } = openProfit(rows, markets, prices, owner);
  const total = booked(totals, rows, figure);
  const equity = total === null ? null : sum(bot.config.allocation, rows.at, total);
  return { today: null, total, equity, gap: gap ?? missing(totals) };
}

/** What is held, with its value at the present prices. */
export function heldLegs(
  rows: RiskRows,
  markets: Markets,
  prices: Prices,
  now: EpochMs,
): readonly HeldLeg[] {
  return rows.holdings.flatMap(({ holder, symbol, position }) => {
    const { positionSide } = position;
    if (positionSide === null) return [];
    const [price, market] = [freshPrice(prices, symbol, now), markets.get(symbol)];
    const known = price !== null && market;
    const notional = known ? worthOf(position, price, market.rules.contractSize).notional : null;
    const leverage = leverageOf(rows.bots, holder, symbol);
    const margin = notional === null ? null : marginOf(notional, leverage);
    return [{ owner: holder, symbol, positionSide, notional, margin }];
  });
}

/** Orders at the exchange or about to be, with what is not executed of them. */
export function workingOrders(
  rows: RiskRows,
  markets: Markets,
  prices: Prices,
): readonly Reservation[] {
  return rows.orders.flatMap((intent): readonly Reservation[] => {
    const { id, status, owner, symbol, positionSide, isReduceOnly } = intent;
    if (status === "parked" || status === "planned" || isFinal(status)) return [];
    const since = intent.sentAt ?? intent.updatedAt;
    const names = { key: keyOfIntent(id), owner, symbol, positionSide, isReduceOnly, since };
    if (isReduceOnly) return [{ ...names, notional: ZERO, margin: ZERO }];
    const price = priceOf(intent) ?? prices.get(symbol)?.mark.price ?? null;
    const size = markets.get(symbol)?.rules.contractSize;
    const rest = subtract(intent.qty, intent.filledQty);
    if (price === null || size === undefined) return [{ ...names, notional: null, margin: null }];
    const notional = multiply(multiply(price, rest), size);
    const margin = marginOf(notional, leverageOf(rows.bots, owner, symbol));
    return [{ ...names, notional, margin }];
  });
}

/** How a stored order is named among reservations. */
export function keyOfIntent(id: number): string {
  return `order ${id}`;
}

function priceOf({ terms }: StoredIntent): Decimal | null {
  return "price" in terms ? terms.price : null;
}

/** Of the owner, else of any bot on the symbol; 1, which asks for most, when nobody says. */
function leverageOf(bots: readonly Bot[], owner: Owner, symbol: string): number {
  const own = bots.find((bot) => ownerOf(bot) === owner);
  const near = own ?? bots.find((bot) => bot.symbol === symbol);
  return near?.config.leverage ?? 1;
}

function unknown(gap: string): LossFigures {
  return { today: null, total: null, equity: null, gap };
}

function booked(totals: LedgerTotals, { at }: RiskRows, open: Figure | null): Figure | null {
  return open === null || totals.missing > 0 ? null : sum(totals.net, at, open);
}

function missing({ missing: count }: LedgerTotals): string | null {
  return count === 0 ? null : `${count} bookings have no known worth in the settle asset`;
}

function sum(value: Decimal, at: EpochMs, open: Figure): Figure {
  return { value: add(value, open.value), at: Math.min(at, open.at) };
}
