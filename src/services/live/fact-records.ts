// A trade record of the exchange as a fill to book: leg, contract size, what the fee is worth. Called by
// fact-ingest.ts. Pure: a worth nobody knows stays null and never becomes 0.
import { type Decimal, multiply } from "../../model/decimal.ts";
import type { OrderRules } from "../../model/order-rules.ts";
import { estimatedFee, type Fee, type Leg } from "../../model/trade-record.ts";
import type { FeeRates, PositionMode, TradeRecord } from "../../ports/broker.ts";
import type { NewFill } from "../../ports/trading-store.ts";

/** What booking needs to know of a market. */
export type FactMarket = {
  readonly rules: Pick<OrderRules, "contractSize" | "qtyStep">;
  /** The currency profits and costs of it are counted in. */
  readonly settleAsset: string;
};

/** The price of one unit of an asset in a settle asset; null when it is not known. */
export type AssetPrice = (asset: string, settleAsset: string) => Decimal | null;

/** What turning records into fills needs. */
export type FillContext = {
  readonly mode: PositionMode;
  readonly market: FactMarket;
  /** Null when they could not be read: a missing fee then stays missing. */
  readonly rates: FeeRates | null;
  readonly priceOf: AssetPrice;
};

/** The fill of a trade record. A null leg is for the store to find by our order. */
export function fillOf(record: TradeRecord, context: FillContext): NewFill {
  const { rules, settleAsset } = context.market;
  const { tradeId, exchangeOrderId, symbol, side, price, qty, liquidity, at } = record;
  const { contractSize } = rules;
  const leg: Leg | null = context.mode === "one_way" ? "net" : record.positionSide;
  const known = { symbol, tradeId, exchangeOrderId, side, leg, price, qty, contractSize };
  return {
    ...known,
    settleAsset,
    fee: feeOf(record, context),
    liquidity,
    exchangeRealised: record.realisedPnl,
    at,
  };
}

/** The fee as told; by the rate when it is not told; null without a rate. */
function feeOf(record: TradeRecord, { market, rates, priceOf }: FillContext): Fee | null {
  const { settleAsset } = market;
  if (record.fee !== null) {
    // An exchange that names no currency charges in the one it settles in.
    const asset = record.feeAsset ?? settleAsset;
    const price = asset === settleAsset ? null : priceOf(asset, settleAsset);
    const worth = price === null ? null : multiply(record.fee, price);
    const settleAmount = asset === settleAsset ? record.fee : worth;
    return { amount: record.fee, asset, settleAmount, isEstimated: false };
  }
  if (rates === null) return null;
  const { contractSize } = market.rules;
  const { price, qty } = record;
  const ratio = record.liquidity === "maker" ? rates.makerRatio : rates.takerRatio;
  return estimatedFee({ price, qty, contractSize, settleAsset }, ratio);
}
