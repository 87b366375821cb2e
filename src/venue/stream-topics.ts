// What the streams say, topic by topic, in the shape of the published messages: numbers as numbers,
// instants in ms. Pure: streams.ts decides who gets it and when.
import { type Account, pendingOf, type Trade } from "./account.ts";
import { type Algo, executedOf } from "./algo-order.ts";
import { type Depth, depthOf } from "./book.ts";
import { KLINE_TYPES, lastDay } from "./candle-history.ts";
import { gridText, moneyText, unitsText } from "./decimal.ts";
import { RATE_DECIMALS } from "./funding.ts";
import { marginFigures } from "./margin.ts";
import type { Order } from "./order.ts";
import { averagePrice, dayFigures, type Leg, pricePerLot, unrealized } from "./position.ts";
import { adlQuantile, settleCoin, shownLots, walletFigures } from "./rest-account.ts";
import { type Exchange, type Market, marketFor, type Print } from "./state.ts";
import { rawNumber } from "./wire.ts";

/** Levels of a streamed book. */
const DEPTH_LEVELS = 100;

const price = (market: Market, ticks: number) =>
  rawNumber(gridText(ticks, market.instrument.price));
const qty = (market: Market, lots: number) => rawNumber(gridText(lots, market.instrument.qty));

/** Topics of one instrument, after the `@`. */
export const MARKET_TOPICS: readonly string[] = [
  ...["orderbook", "orderbookupdate", "ticker", "trade", "markprice", "indexprice"],
  "estfundingrate",
  ...KLINE_TYPES.map((type) => `kline_${type}`),
];
/** Topics over all instruments. */
export const GLOBAL_TOPICS: readonly string[] = ["tickers", "bbos", "markprices"];
/** Topics of an account. */
export const PRIVATE_TOPICS: readonly string[] = [
  ...["executionreport", "algoexecutionreportv2", "position", "balance"],
];

const pairs = (market: Market, levels: readonly Depth[]) =>
  levels.map(({ ticks, lots }) => [price(market, ticks), qty(market, lots)]);

/** The whole displayed book. */
export function bookData(market: Market) {
  return {
    symbol: market.instrument.symbol,
    asks: pairs(market, depthOf(market.book, "SELL", DEPTH_LEVELS)),
    bids: pairs(market, depthOf(market.book, "BUY", DEPTH_LEVELS)),
  };
}

/** Displayed lots by price, for the difference to a later book. */
export type BookImage = { readonly asks: Map<number, number>; readonly bids: Map<number, number> };

/** The displayed book as an image. */
export function bookImage(market: Market): BookImage {
  const side = (which: "BUY" | "SELL") =>
    new Map(depthOf(market.book, which, DEPTH_LEVELS).map(({ ticks, lots }) => [ticks, lots]));
  return { asks: side("SELL"), bids: side("BUY") };
}

/** Levels that changed, with quantity 0 for those that are gone. */
export function bookChanges(market: Market, before: BookImage, after: BookImage, prevTs: number) {
  const changed = (old: Map<number, number>, next: Map<number, number>) => {
    const levels: Depth[] = [];
    for (const [ticks, lots] of next) if (old.get(ticks) !== lots) levels.push({ ticks, lots });
    for (const ticks of old.keys()) if (!next.has(ticks)) levels.push({ ticks, lots: 0 });
    return pairs(market, levels);
  };
  return {
    symbol: market.instrument.symbol,
    prevTs,
    bids: changed(before.bids, after.bids),
    asks: changed(before.asks, after.asks),
  };
}

/** The last day of an instrument. */
export function tickerData(x: Exchange, market: Market) {
  const day = lastDay(market.candles, x.now, market.lastTicks);
  return {
    symbol: market.instrument.symbol,
    open: price(market, day.open),
    close: price(market, day.close),
    high: price(market, day.high),
    low: price(market, day.low),
    volume: qty(market, day.lots),
    amount: rawNumber(moneyText(day.amount)),
    count: day.count,
  };
}

/** Best bid and ask; null when a side is empty. */
export function bboData(market: Market) {
  const [ask] = depthOf(market.book, "SELL", 1);
  const [bid] = depthOf(market.book, "BUY", 1);
  if (!ask || !bid) return null;
  return {
    symbol: market.instrument.symbol,
    ask: price(market, ask.ticks),
    askSize: qty(market, ask.lots),
    bid: price(market, bid.ticks),
    bidSize: qty(market, bid.lots),
  };
}

/** The running candle of a timeframe; null before the first print. */
export function klineData(market: Market, type: string) {
  const candle = market.candles.series.get(type)?.at(-1);
  if (!candle) return null;
  return {
    symbol: market.instrument.symbol,
    type,
    open: price(market, candle.open),
    close: price(market, candle.close),
    high: price(market, candle.high),
    low: price(market, candle.low),
    volume: qty(market, candle.lots),
    amount: rawNumber(moneyText(candle.amount)),
    startTime: candle.startAt,
    endTime: candle.endAt,
  };
}

/** A print of the tape. */
export function tradeData(market: Market, print: Print) {
  return {
    symbol: market.instrument.symbol,
    price: price(market, print.ticks),
    size: qty(market, print.lots),
    side: print.side,
    source: 0,
  };
}

/** Mark or index price. */
export function priceData(market: Market, ticks: number) {
  return { symbol: market.instrument.symbol, price: price(market, ticks) };
}

/** The estimated funding rate of the running interval. */
export function fundingData(market: Market) {
  return {
    symbol: market.instrument.symbol,
    fundingRate: rawNumber(unitsText(market.nextRateE8, RATE_DECIMALS)),
    fundingTs: market.nextFundingAt,
  };
}

/** A change of an order; `trade` is null when nothing was filled by it. */
export function executionData(x: Exchange, order: Order, trade: Trade | null) {
  const market = marketFor(x, order.instrument);
  const coin = order.instrument.spec.quote;
  const rest = order.displayLots ?? order.lots;
  return {
    msgType: 0,
    symbol: order.instrument.symbol,
    clientOrderId: rawNumber(order.clientOrderId),
    orderId: order.id,
    type: order.type,
    side: order.side,
    quantity: qty(market, order.lots),
    price: price(market, order.ticks ?? 0),
    tradeId: trade?.id ?? 0,
    executedPrice: price(market, trade?.ticks ?? 0),
    executedQuantity: qty(market, trade?.lots ?? 0),
    fee: rawNumber(moneyText(trade?.fee ?? 0n)),
    feeAsset: coin,
    totalExecutedQuantity: qty(market, order.executedLots),
    avgPrice: rawNumber(pricePerLot(order.instrument, order.executedValue, order.executedLots)),
    status: order.status,
    reason: order.reason,
    orderTag: order.tag,
    totalFee: rawNumber(moneyText(order.fee)),
    feeCurrency: coin,
    totalRebate: 0,
    rebateCurrency: coin,
    visible: qty(market, rest),
    timestamp: x.now,
    reduceOnly: order.reduceOnly,
    maker: trade?.isMaker ?? false,
    positionSide: order.positionSide,
  };
}

/** A change of an algo order. */
export function algoData(x: Exchange, algo: Algo) {
  const market = marketFor(x, algo.instrument);
  const done = executedOf(algo);
  const coin = done.lots > 0 ? algo.instrument.spec.quote : "";
  const isTriggered = algo.triggeredAt > 0;
  const root = x.accounts.get(algo.accountId)?.algos.get(algo.rootId);
  const average = rawNumber(pricePerLot(algo.instrument, done.value, done.lots));
  return {
    symbol: algo.instrument.symbol,
    rootAlgoOrderId: algo.rootId,
    parentAlgoOrderId: algo.parentId,
    algoOrderId: algo.id,
    clientOrderId: rawNumber(algo.clientId),
    orderTag: algo.tag,
    algoType: algo.algoType,
    side: algo.side,
    quantity: qty(market, algo.lots),
    triggerPrice: price(market, algo.triggerTicks ?? 0),
    triggerStatus: !isTriggered ? "USELESS" : algo.status === "REJECTED" ? "FAILED" : "SUCCESS",
    price: price(market, algo.ticks ?? 0),
    type: algo.type,
    triggerTradePrice: price(market, isTriggered ? (algo.triggerTicks ?? 0) : 0),
    triggerTime: algo.triggeredAt,
    tradeId: 0,
    executedPrice: average,
    executedQuantity: qty(market, done.lots),
    fee: rawNumber(moneyText(done.fee)),
    reason: algo.reason,
    feeAsset: coin,
    totalExecutedQuantity: qty(market, done.lots),
    averageExecutedPrice: average,
    totalFee: rawNumber(moneyText(done.fee)),
    timestamp: x.now,
    visibleQuantity: qty(market, algo.lots),
    reduceOnly: algo.reduceOnly,
    triggerPriceType: algo.triggerPriceType,
    positionSide: algo.positionSide,
    feeCurrency: coin,
    totalRebate: 0,
    rebateCurrency: "",
    triggered: isTriggered,
    maker: false,
    activated: algo.isActivated && algo.algoType === "TRAILING_STOP",
    isTriggered,
    isMaker: false,
    isActivated: algo.isActivated && algo.algoType === "TRAILING_STOP",
    rootAlgoStatus: root?.status ?? algo.status,
    algoStatus: algo.status,
  };
}

/** One leg, keyed by symbol as published: two hedge legs come as two messages. */
export function positionData(x: Exchange, account: Account, leg: Leg) {
  const market = marketFor(x, leg.instrument);
  const { buyLots, sellLots } = pendingOf(account, leg.instrument, leg.side);
  const day = dayFigures(leg, x.now);
  const average = rawNumber(averagePrice(leg.instrument, leg));
  const open = leg.cost < 0n ? -leg.cost : leg.cost;
  const gain = open === 0n ? 0n : (unrealized(leg, market.markTicks) * 10_000n) / open;
  const row = {
    holding: qty(market, shownLots(x, leg, leg.lots)),
    pendingLongQty: qty(market, buyLots),
    pendingShortQty: qty(market, sellLots),
    averageOpenPrice: average,
    pnl24H: rawNumber(moneyText(day.pnl)),
    fee24H: rawNumber(moneyText(day.fee)),
    settlePrice: average,
    markPrice: price(market, market.markTicks),
    version: leg.version,
    openingTime: leg.openedAt,
    pnl24HPercentage: rawNumber(unitsText(gain, 4)),
    adlQuantile: adlQuantile(marginFigures(x, account)),
    positionSide: leg.side,
  };
  return { positions: { [leg.instrument.symbol]: row } };
}

/** The wallet. */
export function balanceData(x: Exchange, account: Account) {
  const { holding, frozen } = walletFigures(x, account);
  const row = {
    holding: rawNumber(moneyText(holding)),
    frozen: rawNumber(moneyText(frozen)),
    interest: 0,
    pendingShortQty: 0,
    pendingExposure: 0,
    pendingLongQty: 0,
    version: x.ids.trade,
    staked: 0,
    averageOpenPrice: 0,
    pnl24H: 0,
    fee24H: 0,
    markPrice: 1,
  };
  return { balances: { [settleCoin(x)]: row } };
}
