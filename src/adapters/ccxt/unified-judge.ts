// Judges failures of exchanges driven through ccxt's unified calls, by ccxt's classes of error. Used by
// their profiles. A class that ccxt falls back to when it does not know the code proves nothing.
import {
  AccountNotEnabled,
  AccountSuspended,
  ArgumentsRequired,
  AuthenticationError,
  BadRequest,
  BadSymbol,
  BaseError,
  DDoSProtection,
  DuplicateOrderId,
  ExchangeError,
  InsufficientFunds,
  InvalidNonce,
  InvalidOrder,
  MarketClosed,
  NotSupported,
  OnMaintenance,
  OperationFailed,
  OperationRejected,
  OrderImmediatelyFillable,
  OrderNotFillable,
  OrderNotFound,
  PermissionDenied,
  RateLimitExceeded,
  RestrictedLocation,
} from "ccxt-src/base/errors.js";
import type { RefusalReason } from "../../ports/broker.ts";
import type { Sent } from "./broker-wire.ts";
import type { CodeMeaning, FaultClass } from "./error-types.ts";
import type { Codes } from "./unified-codes.ts";

type ErrorClass = new (...args: never[]) => BaseError;
type Row = readonly [ErrorClass, FaultClass, RefusalReason, boolean, string];

/** The first class that fits decides: children stand before their parents. */
const ROWS: readonly Row[] = [
  [RateLimitExceeded, "rate_limit", "RATE_LIMITED", true, "too many requests"],
  [DDoSProtection, "rate_limit", "RATE_LIMITED", true, "too many requests"],
  [InvalidNonce, "clock", "CLOCK_SKEW", true, "the request's time is outside the window"],
  [OnMaintenance, "maintenance", "MAINTENANCE", false, "the exchange is under maintenance"],
  [MarketClosed, "business", "MARKET_CLOSED", true, "the market is closed"],
  [RestrictedLocation, "auth", "ADDRESS_REFUSED", true, "this location is not served"],
  [OperationRejected, "business", "BUSY", true, "the exchange does not take this now"],
  [OperationFailed, "transport", "BUSY", false, "the answer leaves open what happened"],
  [PermissionDenied, "auth", "PERMISSION_MISSING", true, "the key may not do this"],
  [AccountNotEnabled, "auth", "PERMISSION_MISSING", true, "this trading is not enabled"],
  [AccountSuspended, "auth", "ACCOUNT_SUSPENDED", true, "the account is suspended"],
  [AuthenticationError, "auth", "KEY_REFUSED", true, "the key was refused"],
  [InsufficientFunds, "business", "INSUFFICIENT_MARGIN", true, "the margin is insufficient"],
  [DuplicateOrderId, "duplicate", "DUPLICATE_CLIENT_ID", true, "an order has this id already"],
  [OrderNotFound, "gone", "ORDER_NOT_FOUND", true, "there is no such order"],
  [OrderImmediatelyFillable, "business", "WOULD_TAKE", true, "the order would take at once"],
  [OrderNotFillable, "business", "WOULD_TAKE", true, "the order could not be filled"],
  [BadSymbol, "business", "MARKET_CLOSED", true, "there is no such symbol"],
  [InvalidOrder, "business", "BAD_REQUEST", true, "the order breaks a rule of the exchange"],
  [ArgumentsRequired, "business", "BAD_REQUEST", true, "a value is missing"],
  [BadRequest, "business", "BAD_REQUEST", true, "the request is not understood"],
  [NotSupported, "business", "NOT_SUPPORTED", true, "the exchange does not offer this"],
  [ExchangeError, "business", "UNKNOWN_CODE", true, "the exchange refused the request"],
];

/**
 * Judges by the exchange's own code where it says more than ccxt's class of error, else by the class.
 * @param codes meanings by code, as text
 */
export function judgeWith(codes: Codes) {
  return (sent: Sent, error: unknown): CodeMeaning | null => {
    const code = codeOf(sent.body);
    const known = code === null ? undefined : codes[code];
    return known ?? meaningOfError(error);
  };
}

/** The code of an answer; of a list of orders the first order's, which says more. */
function codeOf(body: unknown): string | null {
  if (typeof body !== "object" || body === null) return null;
  const { code, retCode, error, data } = body as Record<string, unknown>;
  const inner: unknown = Array.isArray(data) ? data[0] : error;
  if (typeof inner === "object" && inner !== null) {
    const { sCode, name } = inner as Record<string, unknown>;
    if (typeof sCode === "string" || typeof name === "string") return String(sCode ?? name);
  }
  return code === undefined && retCode === undefined ? null : String(code ?? retCode);
}

/** What ccxt's error means; null when nothing failed or ccxt did not name it. */
function meaningOfError(error: unknown): CodeMeaning | null {
  if (!(error instanceof BaseError)) return null;
  const row = ROWS.find(([errorClass]) => error instanceof errorClass);
  if (row === undefined) return null;
  const [, fault, reason, isProven, sentence] = row;
  return { fault, reason, isProven, sentence };
}
