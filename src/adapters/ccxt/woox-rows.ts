// WOO X V3 answers as our types. Used by broker-woox.ts. The exchange changes its mind about numbers
// and strings, seconds and milliseconds: everything is read tolerantly and kept exactly.
import { type Decimal, decimal, multiply, subtract } from "../../model/decimal.ts";
import type { OrderRules } from "../../model/order-rules.ts";
import type { OrderSide, PositionSide } from "../../model/order.ts";
import type {
  BalanceReport,
  FundingPayment,
  KeyPermissions,
  LeverageReport,
  OrderReport,
  OrderStatus,
  PositionMode,
  PositionReport,
  TradeRecord,
} from "../../ports/broker.ts";
import type { Row } from "./broker-client.ts";
import {
  decimalOf,
  decimalOrNull,
  flagOrNull,
  instantOf,
  instantOrNull,
  numberOrNull,
  positiveOrNull,
  rowsOf,
  textOf,
  textOrNull,
  unreadable,
} from "./broker-fields.ts";

const STATUSES: Readonly<Record<string, OrderStatus>> = {
  NEW: "open",
  OPEN: "open",
  INCOMPLETE: "open",
  PARTIAL_FILLED: "partly_filled",
  PARTIALLY_FILLED: "partly_filled",
  PARTIAL: "partly_filled",
  FILLED: "filled",
  CANCELLED: "cancelled",
  REJECTED: "rejected",
  FAILED: "rejected",
  EXPIRED: "expired",
};
const MODES: Readonly<Record<string, PositionMode>> = {
  HEDGE_MODE: "hedge",
  ONE_WAY: "one_way",
  ONEWAY: "one_way",
  ONE_WAY_MODE: "one_way",
  BOTH: "one_way",
};
/** In hedge mode a trade names what it does to which leg instead of its side. */
const TRADE_SIDES: Readonly<Record<string, readonly [OrderSide, PositionSide | null]>> = {
  BUY: ["buy", null],
  SELL: ["sell", null],
  "OPEN LONG": ["buy", "long"],
  "CLOSE LONG": ["sell", "long"],
  "OPEN SHORT": ["sell", "short"],
  "CLOSE SHORT": ["buy", "short"],
};
/** The rights the documents name; a row with another word is not understood. */
const KEY_WORDS: ReadonlySet<unknown> = new Set(["READ", "TRADE", "WITHDRAWAL"]);
const ZERO = decimal(0);
const BASIS_POINT = decimal("0.0001");

/** An order of the book, or an algo order. */
export function orderOf(row: Row): OrderReport {
  const isTrigger = "algoOrderId" in row;
  const clientId = textOrNull(row, isTrigger ? "clientAlgoOrderId" : "clientOrderId");
  const status = textOf(row, isTrigger ? "algoStatus" : "status");
  return {
    exchangeOrderId: textOf(row, isTrigger ? "algoOrderId" : "orderId"),
    clientOrderId: clientId === "0" ? null : clientId,
    symbol: textOf(row, "symbol"),
    side: textOf(row, "side") === "BUY" ? "buy" : "sell",
    positionSide: legOf(row),
    status: STATUSES[status] ?? "unknown",
    isTrigger,
    isReduceOnly: flagOrNull(row, "reduceOnly"),
    price: positiveOrNull(row, "price"),
    triggerPrice: positiveOrNull(row, "triggerPrice"),
    qty: positiveOrNull(row, "quantity"),
    filledQty: decimalOrNull(row, isTrigger ? "totalExecutedQuantity" : "executed") ?? ZERO,
    averagePrice: positiveOrNull(row, "averageExecutedPrice"),
    createdAt: instantOrNull(row, "createdTime"),
  };
}

/** One execution. */
export function tradeOf(row: Row): TradeRecord {
  const word = textOf(row, "side").toUpperCase().replace("_", " ");
  const sides = TRADE_SIDES[word];
  if (sides === undefined) throw unreadable("side of a trade");
  const isMaker = flagOrNull(row, "isMaker");
  return {
    tradeId: textOf(row, "id"),
    exchangeOrderId: textOf(row, "orderId"),
    symbol: textOf(row, "symbol"),
    side: sides[0],
    positionSide: sides[1] ?? legOf(row),
    price: decimalOf(row, "executedPrice"),
    qty: decimalOf(row, "executedQuantity"),
    fee: decimalOrNull(row, "fee"),
    feeAsset: textOrNull(row, "feeAsset"),
    liquidity: isMaker === null ? null : isMaker ? "maker" : "taker",
    realisedPnl: decimalOrNull(row, "realizedPnl"),
    at: instantOf(row, "executedTimestamp"),
  };
}

/** A position; null for the row of a closed one. */
export function positionOf(row: Row): PositionReport | null {
  const holding = decimalOf(row, "holding");
  if (holding === "0") return null;
  const isNegative = holding.startsWith("-");
  const leg = legOf(row);
  return {
    symbol: textOf(row, "symbol"),
    mode: leg === null ? "one_way" : "hedge",
    positionSide: leg ?? (isNegative ? "short" : "long"),
    qty: isNegative ? subtract(ZERO, holding) : holding,
    averagePrice: positiveOrNull(row, "averageOpenPrice"),
    markPrice: positiveOrNull(row, "markPrice"),
    liquidationPrice: positiveOrNull(row, "estLiqPrice"),
    leverage: numberOrNull(row, "leverage"),
  };
}

/** What is held of one token. */
export function balanceOf(row: Row): BalanceReport {
  return {
    asset: textOf(row, "token"),
    total: decimalOf(row, "holding"),
    free: decimalOrNull(row, "availableBalance"),
  };
}

/** Leverage of a symbol, from the details of its legs. */
export function leverageOf(row: Row): LeverageReport {
  const found: Partial<Record<string, number>> = {};
  for (const detail of rowsOf(row.details, "leverage")) {
    const value = numberOrNull(detail, "leverage");
    if (value !== null && value > 0) found[textOf(detail, "positionSide")] = value;
  }
  const long = found.LONG ?? found.BOTH;
  const short = found.SHORT ?? found.BOTH;
  if (long === undefined || short === undefined) throw unreadable("leverage");
  return { long, short };
}

/** The account's position mode. @throws BrokerError when the word is not known */
export function modeOf(row: Row): PositionMode {
  const mode = MODES[textOf(row, "positionMode")];
  if (mode === undefined) throw unreadable("position mode");
  return mode;
}

/**
 * What a key may do, from the list of the account's keys. A key that is not listed, or whose row is
 * not as documented, is told as unknown: a right nobody could read is not a missing right.
 */
export function permissionsOf(rows: unknown, apiKey: string): KeyPermissions {
  const listed: unknown[] = Array.isArray(rows) ? rows : [];
  const row = listed.find((each) => isKeyRow(each, apiKey));
  const words: unknown = isKeyRow(row, apiKey) ? row.permissions : null;
  if (!isKeyRow(row, apiKey) || !Array.isArray(words) || !words.every((w) => KEY_WORDS.has(w))) {
    return { mayTrade: null, mayWithdraw: null, isAddressBound: null };
  }
  // The field is left out where the key works from every address.
  const addresses = row.allowedIPs ?? [];
  return {
    mayTrade: words.includes("TRADE"),
    mayWithdraw: words.includes("WITHDRAWAL"),
    isAddressBound: Array.isArray(addresses) ? addresses.length > 0 : null,
  };
}

function isKeyRow(row: unknown, apiKey: string): row is Row {
  return typeof row === "object" && row !== null && "apiKey" in row && row.apiKey === apiKey;
}

/** Filters of one instrument. */
export function rulesOf(row: Row): OrderRules {
  return {
    symbol: textOf(row, "symbol"),
    priceTick: decimalOf(row, "quoteTick"),
    priceMin: decimalOrNull(row, "quoteMin"),
    priceMax: positiveOrNull(row, "quoteMax"),
    qtyStep: decimalOf(row, "baseTick"),
    qtyMin: decimalOf(row, "baseMin"),
    qtyMax: positiveOrNull(row, "baseMax"),
    minNotional: positiveOrNull(row, "minNotional"),
    contractSize: decimal(1),
    bidCapRatio: positiveOrNull(row, "bidCapRatio"),
    askFloorRatio: positiveOrNull(row, "askFloorRatio"),
    isTrading: textOf(row, "status") === "TRADING",
  };
}

/** A funding payment that has happened; null for one that has not yet. */
export function fundingOf(row: Row): FundingPayment | null {
  if (textOf(row, "status") !== "COMPLETED") return null;
  const fee = decimalOf(row, "fundingFee");
  const symbol = textOf(row, "symbol");
  return {
    id: textOf(row, "id"),
    symbol,
    amount: textOf(row, "paymentType") === "Pay" ? subtract(ZERO, fee) : fee,
    // The exchange's own field says USD; what is paid is the settle currency.
    asset: symbol.split("_").at(2) ?? null,
    rate: decimalOrNull(row, "fundingRate"),
    at: instantOf(row, "updatedTime"),
  };
}

/** A fee in basis points of the notional as a ratio. */
export function feeRatio(row: Row, field: string): Decimal {
  return multiply(decimalOf(row, field), BASIS_POINT);
}

function legOf(row: Row): PositionSide | null {
  const word = textOrNull(row, "positionSide");
  if (word === "LONG") return "long";
  return word === "SHORT" ? "short" : null;
}
