// ccxt's unified structures as our types. Used by broker-unified.ts; ccxt is told to keep numbers as
// text, so amounts stay exact. What ccxt leaves out of its structures is read from the raw row inside.
import { decimal } from "../../model/decimal.ts";
import type { OrderRules } from "../../model/order-rules.ts";
import type { OrderSide, PositionSide } from "../../model/order.ts";
import type {
  BalanceReport,
  FundingPayment,
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
  rowOf,
  textOf,
  textOrNull,
  unreadable,
} from "./broker-fields.ts";

const STATUSES: Readonly<Record<string, OrderStatus>> = {
  open: "open",
  closed: "filled",
  canceled: "cancelled",
  canceling: "open",
  rejected: "rejected",
  expired: "expired",
};
/** Where exchanges write the profit a trade realised. */
const PNL_FIELDS = ["realizedPnl", "fillPnl", "execPnl"];
const ZERO = decimal(0);

/** An order; `isTrigger` is known from the list or address it came from. */
export function orderOf(row: Row, isTrigger: boolean): OrderReport {
  const filledQty = decimalOrNull(row, "filled") ?? ZERO;
  const told = STATUSES[textOrNull(row, "status") ?? ""] ?? "unknown";
  return {
    exchangeOrderId: textOf(row, "id"),
    clientOrderId: textOrNull(row, "clientOrderId"),
    symbol: textOf(row, "symbol"),
    side: sideOf(row),
    positionSide: legOf(infoOf(row)),
    status: told === "open" && filledQty !== ZERO ? "partly_filled" : told,
    isTrigger,
    isReduceOnly: flagOrNull(row, "reduceOnly"),
    price: positiveOrNull(row, "price"),
    triggerPrice: positiveOrNull(row, "triggerPrice"),
    qty: positiveOrNull(row, "amount"),
    filledQty,
    averagePrice: positiveOrNull(row, "average"),
    createdAt: instantOrNull(row, "timestamp"),
  };
}

/** One execution. */
export function tradeOf(row: Row): TradeRecord {
  const info = infoOf(row);
  const fee = row.fee === undefined || row.fee === null ? {} : rowOf(row.fee, "fee");
  const liquidity = textOrNull(row, "takerOrMaker");
  const pnlField = PNL_FIELDS.find((field) => textOrNull(info, field) !== null);
  return {
    tradeId: textOf(row, "id"),
    exchangeOrderId: textOf(row, "order"),
    symbol: textOf(row, "symbol"),
    side: sideOf(row),
    positionSide: legOf(info),
    price: decimalOf(row, "price"),
    qty: decimalOf(row, "amount"),
    fee: decimalOrNull(fee, "cost"),
    feeAsset: textOrNull(fee, "currency"),
    liquidity: liquidity === "maker" || liquidity === "taker" ? liquidity : null,
    realisedPnl: pnlField === undefined ? null : decimalOrNull(info, pnlField),
    at: instantOf(row, "timestamp"),
  };
}

/** A position; null for the row of a closed one. */
export function positionOf(row: Row): PositionReport | null {
  const qty = positiveOrNull(row, "contracts");
  if (qty === null) return null;
  const leg = legOf(infoOf(row));
  const side = textOrNull(row, "side");
  if (side !== "long" && side !== "short") throw unreadable("side of a position");
  return {
    symbol: textOf(row, "symbol"),
    mode: leg === null ? "one_way" : "hedge",
    positionSide: leg ?? side,
    qty,
    averagePrice: positiveOrNull(row, "entryPrice"),
    markPrice: positiveOrNull(row, "markPrice"),
    liquidationPrice: positiveOrNull(row, "liquidationPrice"),
    leverage: numberOrNull(row, "leverage"),
  };
}

/** What is held, one report per currency the answer names. */
export function balancesOf(row: Row): BalanceReport[] {
  const total = rowOf(row.total, "balances");
  const free = rowOf(row.free ?? {}, "balances");
  return Object.keys(total).flatMap((asset) => {
    const held = decimalOrNull(total, asset);
    return held === null ? [] : [{ asset, total: held, free: decimalOrNull(free, asset) }];
  });
}

/** Leverage of both sides. */
export function leverageOf(row: Row): LeverageReport {
  const long = numberOrNull(row, "longLeverage");
  const short = numberOrNull(row, "shortLeverage");
  if (long === null || short === null) throw unreadable("leverage");
  return { long, short };
}

/** One funding payment. */
export function fundingOf(row: Row): FundingPayment {
  return {
    id: textOf(row, "id"),
    symbol: textOf(row, "symbol"),
    amount: decimalOf(row, "amount"),
    asset: textOrNull(row, "code"),
    rate: decimalOrNull(row, "rate"),
    at: instantOf(row, "timestamp"),
  };
}

/** Filters of a market. */
export function rulesOf(market: Row): OrderRules {
  const precision = rowOf(market.precision, "precision");
  const limits = rowOf(market.limits, "limits");
  const range = (name: string) => rowOf(limits[name] ?? {}, name);
  const qtyStep = decimalOf(precision, "amount");
  return {
    symbol: textOf(market, "symbol"),
    priceTick: decimalOf(precision, "price"),
    // Ticks count from 0 on these exchanges whatever the least price is.
    priceMin: null,
    priceMax: positiveOrNull(range("price"), "max"),
    qtyStep,
    qtyMin: positiveOrNull(range("amount"), "min") ?? qtyStep,
    qtyMax: positiveOrNull(range("amount"), "max"),
    minNotional: positiveOrNull(range("cost"), "min"),
    contractSize: positiveOrNull(market, "contractSize") ?? decimal(1),
    bidCapRatio: null,
    askFloorRatio: null,
    isTrading: market.active !== false,
  };
}

/** The position mode in the exchange's word for it. @throws BrokerError when the word is not known */
export function modeOf(
  info: Row,
  field: string,
  words: Readonly<Record<PositionMode, string>>,
): PositionMode {
  const word = textOf(info, field);
  if (word === words.hedge) return "hedge";
  if (word === words.one_way) return "one_way";
  throw unreadable("position mode");
}

/** The raw row inside a unified structure. */
export function infoOf(row: Row): Row {
  return rowOf(row.info, "details");
}

/** The leg a raw row belongs to; null on a one-way account. */
export function legOf(info: Row): PositionSide | null {
  const word = textOrNull(info, "positionSide") ?? textOrNull(info, "posSide") ?? "";
  const index = textOrNull(info, "positionIdx");
  if (word.toLowerCase() === "long" || index === "1") return "long";
  return word.toLowerCase() === "short" || index === "2" ? "short" : null;
}

function sideOf(row: Row): OrderSide {
  const side = textOf(row, "side");
  if (side !== "buy" && side !== "sell") throw unreadable("side");
  return side;
}
