// What each exchange allows: requests per window, by endpoint group, with the scope that is counted.
// Data for rate-limiter.ts. Source: woox.md 2 of the exchange's documents, and the others' documents.
import type { Broker } from "../../ports/broker.ts";

/** What a limit counts: one symbol of an account, the account, or this machine's address. */
export type LimitScope = "symbol" | "account" | "address";

/** At most `count` requests in any `windowMs`. */
export type Limit = {
  readonly scope: LimitScope;
  readonly count: number;
  readonly windowMs: number;
  /** Limits with one name share one bucket. */
  readonly bucket: string;
};

/** An operation that sends requests; exchanges count trigger orders apart. */
export type Operation =
  | Exclude<keyof Broker, "exchangeId" | "capabilities" | "listen" | "triggerWaitMs">
  | "placeTrigger";

const PUBLIC: ReadonlySet<Operation> = new Set<Operation>([
  "orderRules",
  "markPrice",
  "topOfBook",
  "serverTime",
]);
const SECOND_MS = 1000;
const MINUTE_MS = 60_000;

const limit = (bucket: string, scope: LimitScope, count: number, windowMs = SECOND_MS): Limit => ({
  bucket,
  scope,
  count,
  windowMs,
});

const WOOX: Readonly<Record<Operation, Limit>> = {
  place: limit("place", "symbol", 5),
  placeTrigger: limit("algo_place", "account", 2),
  amend: limit("amend", "symbol", 5),
  cancel: limit("cancel", "account", 10),
  cancelAll: limit("cancel_all", "account", 10),
  setDeadMan: limit("dead_man", "account", 10),
  order: limit("order", "symbol", 5),
  openOrders: limit("orders", "account", 10),
  tradesSince: limit("trades", "account", 2),
  feeRates: limit("fee", "account", 2),
  positions: limit("positions", "account", 30, 10 * SECOND_MS),
  balances: limit("balances", "account", 10),
  positionMode: limit("info", "account", 10, MINUTE_MS),
  leverage: limit("leverage", "account", 10, MINUTE_MS),
  setLeverage: limit("set_leverage", "account", 10, MINUTE_MS),
  setPositionMode: limit("set_mode", "account", 5, MINUTE_MS),
  fundingSince: limit("funding", "account", 20, MINUTE_MS),
  permissions: limit("permissions", "account", 10, MINUTE_MS),
  orderRules: limit("instruments", "address", 10),
  markPrice: limit("futures", "address", 10),
  topOfBook: limit("book", "address", 10),
  serverTime: limit("time", "address", 10),
};

/** Account and address budgets of the exchanges that do not count by endpoint, well inside theirs. */
const BUDGETS: Readonly<Record<string, { readonly account: number; readonly address: number }>> = {
  binance: { account: 10, address: 20 },
  bybit: { account: 10, address: 20 },
  okx: { account: 10, address: 10 },
  kucoin: { account: 10, address: 10 },
  upbit: { account: 6, address: 8 },
};
const CAUTIOUS = { account: 2, address: 2 };

/** Whether an operation is about the market alone and needs no account. */
export function isPublic(operation: Operation): boolean {
  return PUBLIC.has(operation);
}

/** The limit an operation counts against; unknown exchanges get a cautious one. */
export function limitOf(exchangeId: string, operation: Operation): Limit {
  if (exchangeId === "woox") return WOOX[operation];
  const { account, address } = BUDGETS[exchangeId] ?? CAUTIOUS;
  return isPublic(operation)
    ? limit("public", "address", address)
    : limit("private", "account", account);
}
