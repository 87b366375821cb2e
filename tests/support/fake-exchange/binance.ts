// Binance USD-M public REST in the parts ccxt asks for: pages begin with the first candle at or
// after startTime, however far away it is.
import { type Asked, type FakeExchange, minutesOf, startFakeExchange } from "./server.ts";
import { visibleCandles, type World } from "./world.ts";

const SYMBOL = {
  symbol: "BTCUSDT",
  pair: "BTCUSDT",
  contractType: "PERPETUAL",
  deliveryDate: 4_133_404_800_000,
  onboardDate: 1_567_965_300_000,
  status: "TRADING",
  baseAsset: "BTC",
  quoteAsset: "USDT",
  marginAsset: "USDT",
  pricePrecision: 2,
  quantityPrecision: 3,
  baseAssetPrecision: 8,
  quotePrecision: 8,
  underlyingType: "COIN",
  filters: [
    { filterType: "PRICE_FILTER", minPrice: "261.10", maxPrice: "809484", tickSize: "0.10" },
    { filterType: "LOT_SIZE", stepSize: "0.001", minQty: "0.001", maxQty: "1000" },
    { filterType: "MARKET_LOT_SIZE", stepSize: "0.001", minQty: "0.001", maxQty: "120" },
    { filterType: "MIN_NOTIONAL", notional: "100" },
  ],
  orderTypes: ["LIMIT", "MARKET"],
  timeInForce: ["GTC", "IOC", "FOK", "GTX"],
};

/** Starts a Binance that tells this world. */
export function startBinance(world: World): FakeExchange {
  return startFakeExchange(({ path, params }) => {
    if (path === "/fapi/v1/exchangeInfo") return { timezone: "UTC", symbols: [SYMBOL] };
    if (path === "/fapi/v1/time") return { serverTime: world.now };
    if (path === "/fapi/v1/klines") return klines(world, params);
    if (path === "/fapi/v1/fundingRate") return fundingRate(world, params);
    return null;
  });
}

function klines(world: World, params: Asked["params"]) {
  const limit = Math.min(Number(params.limit ?? 500), 1500);
  const minutes = minutesOf(params.interval ?? "");
  const from = Number(params.startTime ?? 0);
  return visibleCandles(world, minutes)
    .filter(({ openAt }) => openAt >= from)
    .slice(0, limit)
    .map(({ openAt, open, high, low, close, volume }) => [
      openAt,
      open.toFixed(2),
      high.toFixed(2),
      low.toFixed(2),
      close.toFixed(2),
      volume.toString(),
      openAt + minutes * 60_000 - 1,
      "0",
      1,
      "0",
      "0",
      "0",
    ]);
}

function fundingRate(world: World, params: Asked["params"]) {
  const from = Number(params.startTime ?? 0);
  const to = Number(params.endTime ?? world.now);
  return world.funding
    .filter(({ at }) => at >= from && at <= to && at <= world.now)
    .slice(0, Math.min(Number(params.limit ?? 100), 1000))
    .map(({ at, rate }) => ({
      symbol: "BTCUSDT",
      fundingTime: at,
      fundingRate: rate.toFixed(8),
      markPrice: "50000",
    }));
}
