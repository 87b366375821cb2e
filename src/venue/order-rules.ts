// What makes an order acceptable: words, grid, limits, position side, reduce-only, margin. Turns the
// client's text into integers or refuses with the exchange's code; changes nothing.
import { type Account, closableLots, heldLots } from "./account.ts";
import { bestTicks, depthOf } from "./book.ts";
import { gridCount, MONEY_DECIMALS, toUnits } from "./decimal.ts";
import { badParameter, VenueError } from "./errors.ts";
import { numberOf, type SwitchName } from "./faults.ts";
import { notional, PPM } from "./instrument.ts";
import { exposureLots, marginFigures } from "./margin.ts";
import type { LegSide, OrderType, Side } from "./order.ts";
import { type Exchange, type Market, marketOf } from "./state.ts";

/** The body of an order request: every value as text, numbers in the digits that were sent. */
export type OrderRequest = Readonly<Record<string, string | undefined>>;

/** An order in integers, not placed yet. */
export type Draft = {
  readonly market: Market;
  readonly side: Side;
  readonly type: OrderType;
  readonly positionSide: LegSide;
  readonly clientOrderId: string;
  readonly tag: string;
  readonly ticks: number | null;
  readonly lots: number;
  /** What the client asked for in quote coins instead of a quantity, as it was sent. */
  readonly amount: string | null;
  readonly displayLots: number | null;
  readonly reduceOnly: boolean;
  readonly isClosing: boolean;
  readonly isAdjusted: boolean;
  readonly bidAskLevel: number | null;
};

const TYPES: readonly string[] = ["LIMIT", "MARKET", "IOC", "FOK", "POST_ONLY", "BID", "ASK"];
const CLIENT_ID_MAX = 9_223_372_036_854_775_807n;
const TAG_LENGTH_MAX = 64;
/** Reduce-only orders that may rest per account. */
const REDUCE_ONLY_MAX = 20;
const ORDER_KEYS = new Set([
  ...["symbol", "side", "type", "clientOrderId", "orderTag", "positionSide", "price", "quantity"],
  ...["amount", "reduceOnly", "visibleQuantity", "marginMode", "bidAskLevel", "postOnlyAdjusted"],
  ...["broker_id", "brokerId"],
]);

/** A client id as decimal text, "0" for none. @throws VenueError -1005 */
export function clientIdOf(field: string, text: string | undefined): string {
  if (text === undefined) return "0";
  const isInteger = /^\d{1,19}$/.test(text);
  if (!isInteger || BigInt(text) > CLIENT_ID_MAX) {
    throw badParameter(field, text, `a whole number from 0 to ${CLIENT_ID_MAX}`);
  }
  return BigInt(text).toString();
}

/** One of a few words. @throws VenueError -1005 */
export function wordOf<T extends string>(
  field: string,
  text: string | undefined,
  words: readonly T[],
): T {
  const found = words.find((word) => word === text);
  if (found === undefined) throw badParameter(field, text, `one of ${words.join(", ")}`);
  return found;
}

/** True or false, false when absent. @throws VenueError -1005 */
export function booleanOf(field: string, text: string | undefined): boolean {
  if (text === undefined) return false;
  return wordOf(field, text, ["true", "false"]) === "true";
}

/** A quantity in lots. @throws VenueError -1104 off the step or outside the limits */
export function lotsOf(market: Market, text: string): number {
  const { qty, minLots, maxLots } = market.instrument;
  const lots = gridCount(text, qty);
  if (lots === null || lots < minLots || lots > maxLots) {
    throw new VenueError(-1104, `${new VenueError(-1104).message} quantity "${text}"`);
  }
  return lots;
}

/** A price in ticks. @throws VenueError -1103 off the tick or outside the limits */
export function ticksOf(market: Market, text: string): number {
  const { price, minTicks, maxTicks } = market.instrument;
  const ticks = gridCount(text, price);
  if (ticks === null || ticks < minTicks || ticks > maxTicks) {
    throw new VenueError(-1103, `${new VenueError(-1103).message} price "${text}"`);
  }
  return ticks;
}

/** The position side of a request under the account's mode. @throws VenueError 302195, 302186 */
export function legSideOf(account: Account, text: string | undefined): LegSide {
  if (text !== undefined && !["BOTH", "LONG", "SHORT"].includes(text)) throw new VenueError(302195);
  const side = (text ?? "BOTH") as LegSide;
  if ((side === "BOTH") !== (account.mode === "ONE_WAY")) throw new VenueError(302186);
  return side;
}

/** Refuses while the account may not trade at all. */
export function requireTradable(x: Exchange, account: Account, market: Market): void {
  if (account.isSuspended) throw new VenueError(302307);
  if (x.now < account.switchingUntil) throw new VenueError(302185);
  if (market.isSuspended) {
    throw new VenueError(
      317158,
      `Trading with ${market.instrument.spec.base}-PERP is temporarily suspended. Please try again later.`,
    );
  }
}

/** Reads the words and numbers of a request. */
export function draftOf(x: Exchange, account: Account, request: OrderRequest): Draft {
  const market = marketOf(x, request.symbol);
  requireTradable(x, account, market);
  if (x.settings.dialect.refusesUnknownKeys) {
    const stranger = Object.keys(request).find((key) => !ORDER_KEYS.has(key));
    if (stranger !== undefined)
      throw new VenueError(-1004, `An unknown parameter was sent. ${stranger}`);
  }
  const side = wordOf<Side>("side", request.side, ["BUY", "SELL"]);
  const type = wordOf("type", request.type, TYPES) as OrderType;
  if (request.marginMode !== undefined) wordOf("marginMode", request.marginMode, ["CROSS"]);
  const tag = request.orderTag ?? "default";
  if (tag.length > TAG_LENGTH_MAX) throw badParameter("orderTag", tag, "at most 64 characters");
  const positionSide = legSideOf(account, request.positionSide);
  const reduceOnly = booleanOf("reduceOnly", request.reduceOnly);
  const closes = positionSide === (side === "BUY" ? "SHORT" : "LONG");
  const lots = sizeOf(market, side, type, request);
  return {
    market,
    side,
    type,
    positionSide,
    clientOrderId: clientIdOf("clientOrderId", request.clientOrderId),
    tag,
    ticks: priceOf(market, type, request.price),
    lots,
    amount: request.amount ?? null,
    displayLots: displayOf(market, request.visibleQuantity, lots),
    reduceOnly,
    isClosing: reduceOnly || closes,
    isAdjusted: booleanOf("postOnlyAdjusted", request.postOnlyAdjusted),
    bidAskLevel: levelOf(type, request.bidAskLevel),
  };
}

/** Quantity or amount, never both; an amount is what a market order may cost at the best price. */
function sizeOf(market: Market, side: Side, type: OrderType, request: OrderRequest): number {
  const { amount, quantity } = request;
  if (amount === undefined) {
    if (quantity === undefined) throw badParameter("quantity", undefined, "base units");
    return lotsOf(market, quantity);
  }
  if (quantity !== undefined) throw badParameter("amount", amount, "quantity or amount, not both");
  if (type !== "MARKET") throw badParameter("amount", amount, "for MARKET orders alone");
  const money = toUnits(amount, MONEY_DECIMALS);
  if (money === null || money <= 0n) throw badParameter("amount", amount, "above 0");
  const { instrument } = market;
  const lots = Number(money / notional(instrument, referenceTicks(market, side, null), 1));
  if (lots >= instrument.minLots && lots <= instrument.maxLots) return lots;
  throw new VenueError(-1104, `${new VenueError(-1104).message} amount "${amount}"`);
}

function priceOf(market: Market, type: OrderType, text: string | undefined): number | null {
  if (type === "MARKET" || type === "BID" || type === "ASK") return null;
  if (text === undefined) throw badParameter("price", undefined, `${type} orders need one`);
  return ticksOf(market, text);
}

function displayOf(market: Market, text: string | undefined, lots: number): number | null {
  if (text === undefined) return null;
  const shown = gridCount(text, market.instrument.qty);
  if (shown === null || shown < 0 || shown > lots) {
    throw badParameter("visibleQuantity", text, "from 0 to the quantity, on the step");
  }
  return shown === lots ? null : shown;
}

function levelOf(type: OrderType, text: string | undefined): number | null {
  if (type !== "BID" && type !== "ASK") return null;
  if (text === undefined) return 1;
  if (!/^[1-5]$/.test(text)) throw badParameter("bidAskLevel", text, "from 1 to 5");
  return Number(text);
}

/** The price at which an order of this side and limit would stand or trade, for value checks. */
export function referenceTicks(market: Market, side: Side, ticks: number | null): number {
  return ticks ?? bestTicks(market.book, side === "BUY" ? "SELL" : "BUY") ?? market.markTicks;
}

/** Highest buy and lowest sell price allowed now: the caps around the best quotes, else the mark. */
export function priceBand(market: Market): { highestBuy: number; lowestSell: number } {
  const { capPpm, floorPpm, maxTicks, minTicks } = market.instrument;
  const ask = depthOf(market.book, "SELL", 1)[0]?.ticks ?? market.markTicks;
  const bid = depthOf(market.book, "BUY", 1)[0]?.ticks ?? market.markTicks;
  return {
    highestBuy: capPpm === null ? maxTicks : Number((BigInt(ask) * capPpm) / PPM),
    lowestSell: floorPpm === null ? minTicks : Number((BigInt(bid) * floorPpm + PPM - 1n) / PPM),
  };
}

const FORCED: readonly (readonly [SwitchName, number])[] = [
  ["reduce_only_too_big", 302125],
  ["insufficient_margin", 302104],
  ["max_position", 302172],
  ["min_notional", 302164],
  ["price_band", -1105],
];

/** Refuses a draft that breaks a rule of the contract or of the account. */
export function checkDraft(x: Exchange, account: Account, draft: Draft): void {
  const { market, side, type, positionSide, lots } = draft;
  const { symbol } = market.instrument;
  requireTradable(x, account, market);
  legSideOf(account, positionSide);
  for (const [name, code] of FORCED) {
    const rule = x.faults.take(name, { account: account.name, symbol, type });
    if (rule) throw new VenueError(numberOf(rule, "code", code));
  }
  const band = priceBand(market);
  const isOutside =
    draft.ticks !== null &&
    (side === "BUY" ? draft.ticks > band.highestBuy : draft.ticks < band.lowestSell);
  if (isOutside) throw new VenueError(-1105);
  if (draft.isClosing) {
    checkClosing(account, draft);
    return;
  }
  const value = notional(market.instrument, referenceTicks(market, side, draft.ticks), lots);
  if (value < market.instrument.minNotional) {
    const least = market.instrument.spec.minNotional;
    throw new VenueError(302164, `The order value should be greater or equal to ${least}.`);
  }
  checkExposure(x, account, { instrument: market.instrument, positionSide, side, lots });
}

/** An order that may only shrink its leg must fit into it. */
function checkClosing(account: Account, draft: Draft): void {
  const { instrument } = draft.market;
  const room = closableLots(account, instrument, draft.positionSide, draft.side);
  if (room === 0) throw new VenueError(draft.reduceOnly ? 302138 : 302314);
  if (draft.lots > room) throw new VenueError(draft.reduceOnly ? 302125 : 302314);
  let resting = 0;
  for (const order of account.open) if (order.isClosing) resting++;
  if (resting >= REDUCE_ONLY_MAX) throw new VenueError(302303);
}

/** Position, notional and margin limits as if the order were open. */
export function checkExposure(
  x: Exchange,
  account: Account,
  wish: Parameters<typeof exposureLots>[3] & object,
): void {
  const { instrument, positionSide } = wish;
  const after = exposureLots(account, instrument, positionSide, wish);
  const before = Math.max(
    exposureLots(account, instrument, positionSide),
    Math.abs(heldLots(account, instrument, positionSide)),
  );
  if (after <= before) return;
  if (after > instrument.maxPositionLots) {
    throw new VenueError(
      302172,
      `${instrument.spec.base} max position size of ${instrument.spec.maxPosition} is exceeded.`,
    );
  }
  const figures = marginFigures(x, account, wish);
  if (figures.exposure > instrument.maxOpenNotional) throw new VenueError(302188);
  if (figures.initial > figures.equity) throw new VenueError(302104);
}

/** A positive whole number parameter. @throws VenueError -1005 */
export function integerOf(
  field: string,
  text: string | undefined,
  range: { min: number; max: number; standard?: number },
): number {
  if (text === undefined && range.standard !== undefined) return range.standard;
  const units = text === undefined ? null : toUnits(text, 0);
  const value = units === null ? Number.NaN : Number(units);
  if (!(value >= range.min && value <= range.max)) {
    throw badParameter(field, text, `a whole number from ${range.min} to ${range.max}`);
  }
  return value;
}
