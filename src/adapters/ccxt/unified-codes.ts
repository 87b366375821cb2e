// Codes of the exchanges driven through ccxt's unified calls that say more than ccxt's class of error,
// as data: what a bot must tell apart to go on. Read by unified-judge.ts for their profiles.
// Source: the exchanges' documents.
import type { RefusalReason } from "../../ports/broker.ts";
import type { CodeMeaning, FaultClass } from "./error-types.ts";

/** Meanings by code, as text. */
export type Codes = Readonly<Record<string, CodeMeaning>>;

const proven =
  (fault: FaultClass, reason: RefusalReason) =>
  (sentence: string): CodeMeaning => ({ fault, reason, isProven: true, sentence });

const address = proven("auth", "ADDRESS_REFUSED");
const key = proven("auth", "KEY_REFUSED");
const duplicate = proven("duplicate", "DUPLICATE_CLIENT_ID")("an order has this client id already");
const missing = proven("gone", "ORDER_NOT_FOUND")("there is no such order");
const finished = proven("gone", "ORDER_FINISHED")("the order has ended");
const margin = proven("business", "INSUFFICIENT_MARGIN")("the margin is insufficient");
const reducing = proven(
  "business",
  "REDUCE_ONLY_EXCEEDS",
)("a reduce-only order is larger than the position");
const taking = proven("business", "WOULD_TAKE")("the order would take at once");
const small = proven("business", "NOTIONAL_TOO_SMALL")("the order's value is too small");
const tick = proven("business", "PRICE_OFF_FILTER")("the price is off the tick or out of range");
const step = proven("business", "QTY_OFF_FILTER")("the quantity is off the step or out of range");
const mode = proven("mode", "POSITION_MODE")("the position side does not fit the position mode");
const elsewhere = address("the key is bound to other addresses than this machine's");

export const BINANCE_CODES: Codes = {
  "-2015": key("the key is wrong, lacks the permission for futures or is bound to other addresses"),
  "-2011": missing,
  "-2013": missing,
  "-2019": margin,
  "-2018": margin,
  "-2022": reducing,
  "-4116": duplicate,
  "-4061": mode,
  "-4164": small,
  "-4014": tick,
  "-4023": step,
  "-5022": taking,
};

export const BYBIT_CODES: Codes = {
  "10010": elsewhere,
  "110001": missing,
  "110007": margin,
  "110017": reducing,
  "110072": duplicate,
  "110094": small,
};

export const OKX_CODES: Codes = {
  "50110": elsewhere,
  "51008": margin,
  "51016": duplicate,
  "51169": reducing,
  "51400": finished,
  "51603": missing,
};

export const KUCOIN_CODES: Codes = {
  "400006": elsewhere,
  "300003": margin,
  "300009": reducing,
};

export const UPBIT_CODES: Codes = {
  order_not_found: missing,
  insufficient_funds_bid: margin,
  insufficient_funds_ask: margin,
  under_min_total_bid: small,
  under_min_total_ask: small,
};
