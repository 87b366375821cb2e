// What an account can still take: value of positions and entries per symbol and altogether, margin, working orders.
// Pure; kept by services/live/risk-watch.ts and asked before every order. Approving reserves in the same call, so two
// orders of one moment never use the same room. What is not known refuses; reduce-only orders pass everything.
import { add, compare, type Decimal, subtract } from "../model/decimal.ts";
import { shareOf } from "../model/leg-position.ts";
import type { PositionSide } from "../model/order.ts";
import type { RiskReason } from "../model/reasons.ts";
import { ok, refuse, type Result } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";
import { shown } from "./account-limits.ts";

/** Limits of the account in US dollars; null is no limit. */
export type ExposureLimits = {
  readonly maxSymbolExposureUsd: Decimal | null;
  readonly maxGrossExposureUsd: Decimal | null;
  readonly maxLeverage: number;
};

/** Limits of one bot; null is no limit. Quantities in the instrument's units. */
export type OrderLimits = {
  readonly maxOrderQty: Decimal | null;
  readonly maxOrderNotional: Decimal | null;
  readonly maxOpenOrders: number | null;
  readonly maxPositionNotional: Decimal | null;
};

/** An order that wants to go to the exchange. */
export type OrderRequest = {
  /** Names it within the account; a request with the name of an earlier one takes its place. */
  readonly key: string;
  readonly owner: string;
  readonly symbol: string;
  readonly positionSide: PositionSide;
  readonly isReduceOnly: boolean;
  readonly qty: Decimal;
  /** Price × quantity × contract size, in quote currency; null while no price is known. */
  readonly notional: Decimal | null;
  readonly leverage: number;
  readonly at: EpochMs;
};

/** An order that works at the exchange, or is about to. */
export type Reservation = Pick<
  OrderRequest,
  "key" | "owner" | "symbol" | "positionSide" | "isReduceOnly"
> & {
  /** Of what is not executed yet, 0 for reduce-only orders; nulls while no price is known. */
  readonly notional: Decimal | null;
  readonly margin: Decimal | null;
  /** The exchange knows of it since then. */
  readonly since: EpochMs;
};

/** What an owner holds of a symbol; nulls while no price is known. */
export type HeldLeg = Pick<OrderRequest, "owner" | "symbol" | "positionSide"> & {
  readonly notional: Decimal | null;
  readonly margin: Decimal | null;
};

/** Money of the account. */
export type Money = {
  /** Balance with everything that is open. */
  readonly equity: Decimal;
  /** What the exchange says is free; null when it does not tell. */
  readonly free: Decimal | null;
  /** When the exchange was asked. */
  readonly at: EpochMs;
};

/** Everything an order is held against; owned and changed by whoever watches the account. */
export type AccountState = {
  /** Null until the rows were read. */
  held: readonly HeldLeg[] | null;
  /** Null while it is not known. */
  money: Money | null;
  readonly orders: Map<string, Reservation>;
};

const ZERO = "0" as Decimal;
const ONE = "1" as Decimal;

/** An account of which nothing is known: it takes no entry. */
export function createAccountState(): AccountState {
  return { held: null, money: null, orders: new Map() };
}

/** Takes what the rows say, instead of everything reserved before they were read. */
export function tellRows(
  state: AccountState,
  held: readonly HeldLeg[],
  orders: readonly Reservation[],
): void {
  state.held = held;
  state.orders.clear();
  for (const order of orders) state.orders.set(order.key, order);
}

/** Gives the room of an order back; an unknown key changes nothing. */
export function release(state: AccountState, key: string): void {
  state.orders.delete(key);
}

/** The margin of a value under a leverage. */
export function marginOf(notional: Decimal, leverage: number): Decimal {
  return shareOf(notional, ONE, String(leverage) as Decimal);
}

/** Value of all positions and entries, long and short added up; null while a price is missing. */
export function grossExposure(state: AccountState): Decimal | null {
  return exposureOf(state, "", () => true);
}

/** Reserves the order, or says which limit keeps it back; then nothing is changed. */
export function approveOrder(
  state: AccountState,
  order: OrderRequest,
  limits: ExposureLimits,
  botLimits: OrderLimits,
): Result<Reservation, RiskReason> {
  const { key, owner, symbol, positionSide, isReduceOnly, at: since } = order;
  const names = { key, owner, symbol, positionSide, isReduceOnly, since };
  if (isReduceOnly) return reserve(state, { ...names, notional: ZERO, margin: ZERO });
  if (compare(order.qty, ZERO) <= 0) {
    return refuse("QTY_NOT_POSITIVE", `quantity ${order.qty}`);
  }
  if (state.held === null) return refuse("ACCOUNT_UNKNOWN", "the account was not read yet");
  if (order.notional === null) return refuse("PRICE_UNKNOWN", `no price of ${symbol} is known`);
  if (order.leverage > limits.maxLeverage || !(order.leverage >= 1)) {
    const detail = `leverage ${order.leverage} of ${limits.maxLeverage} allowed`;
    return refuse("LEVERAGE_ABOVE_LIMIT", detail);
  }
  const { notional } = order;
  const margin = marginOf(notional, order.leverage);
  const found =
    botRefusal(state, order, notional, botLimits) ??
    exposureRefusal(state, order, notional, limits) ??
    marginRefusal(state, order, margin);
  return found ?? reserve(state, { ...names, notional, margin });
}

function reserve(state: AccountState, order: Reservation): Result<Reservation, RiskReason> {
  state.orders.set(order.key, order);
  return ok(order);
}

type Refused = Extract<Result<never, RiskReason>, { ok: false }>;

function botRefusal(
  state: AccountState,
  { key, owner, symbol, positionSide, qty }: OrderRequest,
  notional: Decimal,
  limits: OrderLimits,
): Refused | null {
  const { maxOrderQty, maxOrderNotional, maxOpenOrders, maxPositionNotional } = limits;
  if (maxOrderQty !== null && compare(qty, maxOrderQty) > 0) {
    return refuse("QTY_ABOVE_BOT_LIMIT", `quantity ${qty} of ${maxOrderQty} allowed`);
  }
  if (isAbove(notional, maxOrderNotional)) {
    return refuse("NOTIONAL_ABOVE_BOT_LIMIT", allowed("value", notional, maxOrderNotional));
  }
  if (maxOpenOrders !== null) {
    const working = others(state, key).filter((each) => each.owner === owner).length;
    if (working + 1 > maxOpenOrders) {
      const detail = `${working} orders work already, ${maxOpenOrders} allowed`;
      return refuse("OPEN_ORDERS_ABOVE_BOT_LIMIT", detail);
    }
  }
  if (maxPositionNotional === null) return null;
  const isLeg = (one: Pick<HeldLeg, "owner" | "symbol" | "positionSide">) =>
    one.owner === owner && one.symbol === symbol && one.positionSide === positionSide;
  const before = exposureOf(state, key, isLeg);
  if (before === null) return priceless(symbol);
  const after = add(before, notional);
  if (!isAbove(after, maxPositionNotional)) return null;
  const detail = allowed("position", after, maxPositionNotional);
  return refuse("POSITION_ABOVE_BOT_LIMIT", detail);
}

function exposureRefusal(
  state: AccountState,
  { key, symbol }: OrderRequest,
  notional: Decimal,
  { maxSymbolExposureUsd, maxGrossExposureUsd }: ExposureLimits,
): Refused | null {
  if (maxSymbolExposureUsd !== null) {
    const before = exposureOf(state, key, (one) => one.symbol === symbol);
    if (before === null) return priceless(symbol);
    const after = add(before, notional);
    if (isAbove(after, maxSymbolExposureUsd)) {
      const detail = allowed(`exposure in ${symbol}`, after, maxSymbolExposureUsd);
      return refuse("SYMBOL_EXPOSURE_ABOVE_ACCOUNT_LIMIT", detail);
    }
  }
  if (maxGrossExposureUsd === null) return null;
  const before = exposureOf(state, key, () => true);
  if (before === null) return priceless("a position");
  const after = add(before, notional);
  if (!isAbove(after, maxGrossExposureUsd)) return null;
  const detail = allowed("exposure of the account", after, maxGrossExposureUsd);
  return refuse("GROSS_EXPOSURE_ABOVE_ACCOUNT_LIMIT", detail);
}

/**
 * Two budgets, and both must hold: what the equity leaves beside all margins, by our own count, and what the exchange
 * says is free, less what it did not know of when it said so. Exchanges differ in whether resting orders lock margin.
 */
function marginRefusal(
  state: AccountState,
  { key, at }: OrderRequest,
  margin: Decimal,
): Refused | null {
  const { money, held } = state;
  if (money === null || held === null) {
    return refuse("MARGIN_UNKNOWN", "the balance of the account is not known");
  }
  let left = money.equity;
  for (const one of held) {
    if (one.margin === null) return priceless(one.symbol);
    left = subtract(left, one.margin);
  }
  let free = money.free;
  for (const one of others(state, key)) {
    if (one.margin === null) return priceless(one.symbol);
    left = subtract(left, one.margin);
    if (free !== null && one.since >= money.at) free = subtract(free, one.margin);
  }
  const room = free !== null && compare(free, left) < 0 ? free : left;
  if (compare(margin, room) <= 0) return null;
  const age = Math.max(0, Math.round((at - money.at) / 1000));
  const detail = `margin ${shown(margin)} of ${shown(room)} left (balance ${age} s old)`;
  return refuse("MARGIN_ABOVE_FREE", detail);
}

/** Value of what is held and ordered, the order of this key left out; null while a price is missing. */
function exposureOf(
  state: AccountState,
  key: string,
  isMeant: (one: Pick<HeldLeg, "owner" | "symbol" | "positionSide">) => boolean,
): Decimal | null {
  let sum = ZERO;
  for (const one of [...(state.held ?? []), ...others(state, key)]) {
    if (!isMeant(one)) continue;
    if (one.notional === null) return null;
    sum = add(sum, one.notional);
  }
  return sum;
}

function others({ orders }: AccountState, key: string): readonly Reservation[] {
  return [...orders.values()].filter((one) => one.key !== key);
}

function isAbove(value: Decimal, limit: Decimal | null): boolean {
  return limit !== null && compare(value, limit) > 0;
}

function allowed(what: string, value: Decimal, limit: Decimal | null): string {
  return `${what} ${shown(value)} of ${limit ?? "any"} allowed`;
}

function priceless(what: string): Refused {
  return refuse("PRICE_UNKNOWN", `no price of ${what} is known, so what is held has no value`);
}
