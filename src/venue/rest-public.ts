// Public requests: status, instruments, candles, book, tape, tickers, funding. Replies have the shape of
// the published samples: prices and quantities are text, instants are numbers.
import { depthOf } from "./book.ts";
import { candlesBetween, KLINE_TYPES, lastDay, type VenueCandle } from "./candle-history.ts";
import { gridText, moneyText, unitsText } from "./decimal.ts";
import { type Call, type Endpoint, pageOf, TEN_A_SECOND, timeRange } from "./endpoint.ts";
import { RATE_DECIMALS } from "./funding.ts";
import type { Instrument } from "./instrument.ts";
import { integerOf, wordOf } from "./order-rules.ts";
import type { Side } from "./order.ts";
import { type Exchange, type Market, marketOf } from "./state.ts";

/** Status of a working exchange. */
const WORKING = { status: 0, msg: "System is functioning properly." };
const DEPTH_MAX = 100;
const KLINES_MAX = 1000;
const TRADES_MAX = 500;
/** How long an announced maintenance is said to last. */
const MAINTENANCE_MS = 600_000;

const price = (instrument: Instrument, ticks: number) => gridText(ticks, instrument.price);
const qty = (instrument: Instrument, lots: number) => gridText(lots, instrument.qty);

/** Markets of a call: the asked one or all. */
function asked({ x, params }: Call): readonly Market[] {
  return params.symbol === undefined ? [...x.markets.values()] : [marketOf(x, params.symbol)];
}

function systemInfo({ x }: Call) {
  const isDown = x.faults.on("maintenance", {}) !== null;
  const state = isDown ? { status: 2, msg: "The system is under maintenance." } : WORKING;
  return { data: { ...state, estimatedEndTime: x.now + (isDown ? MAINTENANCE_MS : 0) } };
}

function instruments(call: Call) {
  const rows = asked(call).map(({ instrument: { spec }, isSuspended }) => ({
    symbol: spec.symbol,
    status: isSuspended ? "SUSPENDED" : "TRADING",
    baseAsset: spec.base,
    baseAssetMultiplier: 1,
    quoteAsset: spec.quote,
    quoteMin: spec.quoteMin,
    quoteMax: spec.quoteMax,
    quoteTick: spec.quoteTick,
    baseMin: spec.baseMin,
    baseMax: spec.baseMax,
    baseTick: spec.baseTick,
    minNotional: spec.minNotional,
    bidCapRatio: spec.bidCapRatio,
    bidFloorRatio: null,
    askCapRatio: null,
    askFloorRatio: spec.askFloorRatio,
    orderMode: "NORMAL",
    impactNotional: null,
    isAllowedRpi: false,
    tickGranularity: null,
  }));
  return { data: { rows } };
}

function klineRow(instrument: Instrument, type: string, candle: VenueCandle) {
  return {
    symbol: instrument.symbol,
    open: price(instrument, candle.open),
    close: price(instrument, candle.close),
    high: price(instrument, candle.high),
    low: price(instrument, candle.low),
    volume: qty(instrument, candle.lots),
    amount: moneyText(candle.amount),
    type,
    startTimestamp: candle.startAt,
    endTimestamp: candle.endAt,
  };
}

const CURSOR = { min: 0, max: 9_999_999_999_999 };

/** Newest first; `before` and `after` are exclusive and `before` wins. */
function klines({ x, params }: Call, hasCursors: boolean) {
  const { instrument, candles } = marketOf(x, params.symbol);
  const type = wordOf("type", params.type, KLINE_TYPES);
  const limit = integerOf("limit", params.limit, { min: 1, max: KLINES_MAX, standard: 100 });
  const cursor = (name: "before" | "after") =>
    !hasCursors || params[name] === undefined ? null : integerOf(name, params[name], CURSOR);
  const found = candlesBetween(candles, type, {
    before: cursor("before"),
    after: cursor("after"),
    limit,
  });
  return { data: { rows: found.map((candle) => klineRow(instrument, type, candle)).reverse() } };
}

function orderbook({ x, params }: Call) {
  const market = marketOf(x, params.symbol);
  const levels = integerOf("maxLevel", params.maxLevel, { min: 1, max: 1000, standard: DEPTH_MAX });
  const side = (which: Side) =>
    depthOf(market.book, which, levels).map(({ ticks, lots }) => ({
      price: price(market.instrument, ticks),
      quantity: qty(market.instrument, lots),
    }));
  return { data: { asks: side("SELL"), bids: side("BUY") } };
}

function marketTrades({ x, params }: Call) {
  const { instrument, prints } = marketOf(x, params.symbol);
  const limit = integerOf("limit", params.limit, { min: 1, max: TRADES_MAX, standard: 10 });
  const rows = prints.slice(-limit).map((print) => ({
    symbol: instrument.symbol,
    side: print.side,
    source: 0,
    executedPrice: price(instrument, print.ticks),
    executedQuantity: qty(instrument, print.lots),
    executedTimestamp: print.at,
  }));
  return { data: { rows: rows.reverse() } };
}

const rate = (rateE8: bigint) => unitsText(rateE8, RATE_DECIMALS);

/** Lots held by all clients on one side: what is open at the exchange. */
function openLots(x: Exchange, instrument: Instrument): number {
  let longs = 0;
  let shorts = 0;
  for (const account of [...x.accounts.values(), x.house]) {
    for (const leg of account.legs.values()) {
      if (leg.instrument !== instrument) continue;
      if (leg.lots > 0) longs += leg.lots;
      else shorts -= leg.lots;
    }
  }
  return Math.max(longs, shorts);
}

function futures(call: Call) {
  const { x } = call;
  const rows = asked(call).map((market) => {
    const { instrument, markTicks, indexTicks, lastTicks } = market;
    const day = lastDay(market.candles, x.now, lastTicks);
    return {
      symbol: instrument.symbol,
      indexPrice: price(instrument, indexTicks),
      markPrice: price(instrument, markTicks),
      estFundingRate: rate(market.nextRateE8),
      lastFundingRate: rate(market.fixings.at(-1)?.rateE8 ?? 0n),
      openInterest: qty(instrument, openLots(x, instrument)),
      "24hOpen": price(instrument, day.open),
      "24hClose": price(instrument, day.close),
      "24hHigh": price(instrument, day.high),
      "24hLow": price(instrument, day.low),
      "24hVolume": qty(instrument, day.lots),
      "24hAmount": moneyText(day.amount),
      nextFundingTime: market.nextFundingAt,
    };
  });
  return { data: { rows } };
}

function fundingRate(call: Call) {
  const rows = asked(call).map((market) => {
    const last = market.fixings.at(-1);
    const hours = market.instrument.spec.fundingIntervalHours;
    return {
      symbol: market.instrument.symbol,
      estFundingRate: rate(market.nextRateE8),
      estFundingRateTimestamp: call.x.now,
      lastFundingRate: rate(last?.rateE8 ?? 0n),
      lastFundingRateTimestamp: last?.at ?? 0,
      nextFundingTime: market.nextFundingAt,
      lastFundingIntervalHours: hours,
      estFundingIntervalHours: hours,
    };
  });
  return { data: { rows } };
}

function fundingRateHistory({ x, params }: Call) {
  const { instrument, fixings } = marketOf(x, params.symbol);
  const { from, to } = timeRange(params);
  const rows = fixings
    .filter(({ at }) => at >= from && at <= to)
    .reverse()
    .map((fixing) => ({
      symbol: instrument.symbol,
      fundingRate: rate(fixing.rateE8),
      fundingRateTimestamp: fixing.at,
      nextFundingTime: fixing.at + instrument.fundingIntervalMs,
      markPrice: price(instrument, fixing.markTicks),
    }));
  return { data: pageOf(rows, params, { standard: x.settings.dialect.pageRows }) };
}

/** Coins of all instruments, the settle coins included. */
function coins(x: Exchange): string[] {
  const specs = [...x.markets.values()].map(({ instrument }) => instrument.spec);
  return [...new Set(specs.flatMap(({ base, quote }) => [quote, base]))];
}

function tokens({ x }: Call) {
  const rows = coins(x).map((coin) => ({
    token: coin,
    fullname: coin,
    network: coin,
    decimals: "8",
    delisted: false,
    balance_token: coin,
    created_time: "1710123398",
    updated_time: "1746528481",
    can_collateral: true,
    can_short: true,
  }));
  return { rows };
}

function tokenNetworks({ x }: Call) {
  const rows = coins(x).map((coin) => ({
    protocol: coin,
    network: coin,
    token: coin,
    name: coin,
    minimum_withdrawal: "10.00000000",
    withdrawal_fee: "2.00000000",
    allow_deposit: "0",
    allow_withdraw: "0",
  }));
  return { rows };
}

const get = { method: "GET", access: "public", limit: TEN_A_SECOND } as const;

/** All public requests. */
export const PUBLIC_ENDPOINTS: readonly Endpoint[] = [
  { ...get, path: "/v3/public/systemInfo", run: systemInfo },
  { ...get, path: "/v3/public/instruments", run: instruments },
  { ...get, path: "/v3/public/klineHistory", run: (call: Call) => klines(call, true) },
  { ...get, path: "/v3/public/kline", run: (call: Call) => klines(call, false) },
  { ...get, path: "/v3/public/orderbook", run: orderbook },
  { ...get, path: "/v3/public/marketTrades", run: marketTrades },
  { ...get, path: "/v3/public/futures", run: futures },
  { ...get, path: "/v3/public/fundingRate", run: fundingRate },
  { ...get, path: "/v3/public/fundingRateHistory", run: fundingRateHistory },
  { ...get, path: "/v1/public/token", timestamp: "none", run: tokens },
  { ...get, path: "/v1/public/token_network", timestamp: "none", run: tokenNetworks },
];
