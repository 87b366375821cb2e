// WOO X V3 public REST in the parts ccxt asks for: exclusive cursors (`before` wins when both are
// sent), newest rows first, and every page repeats the candle its cursor stands on.
import { type Asked, type FakeExchange, minutesOf, startFakeExchange } from "./server.ts";
import { visibleCandles, type World } from "./world.ts";

const INSTRUMENT = {
  status: "TRADING",
  baseAsset: "BTC",
  baseAssetMultiplier: 1,
  quoteAsset: "USDT",
  quoteMin: "0",
  quoteMax: "1000000",
  quoteTick: "0.1",
  baseMin: "0.0001",
  baseMax: "500",
  baseTick: "0.0001",
  minNotional: "10",
};
const FUNDING_PAGE = 25;

/** Starts a WOO X that tells this world. */
export function startWoo(world: World): FakeExchange {
  return startFakeExchange(({ path, params }) => {
    const answer = (data: unknown) => ({ success: true, data, timestamp: world.now });
    if (path === "/v3/public/instruments") {
      const symbols = ["PERP_BTC_USDT", "SPOT_BTC_USDT"];
      return answer({ rows: symbols.map((symbol) => ({ ...INSTRUMENT, symbol })) });
    }
    if (path === "/v3/public/systemInfo") return answer({ status: 0, msg: "ok" });
    if (path === "/v3/public/klineHistory") return answer({ rows: klines(world, params) });
    if (path === "/v3/public/fundingRateHistory") return answer(fundingPage(world, params));
    return null;
  });
}

function klines(world: World, params: Asked["params"]) {
  const limit = Math.min(Number(params.limit ?? 100), 1000);
  const minutes = minutesOf(params.type ?? "");
  const all = visibleCandles(world, minutes);
  const before = params.before === undefined ? null : Number(params.before);
  const after = Number(params.after ?? -1);
  const page =
    before === null
      ? all.filter(({ openAt }) => openAt > after).slice(0, limit)
      : all.filter(({ openAt }) => openAt < before).slice(-limit);
  const edge = all.findLast(({ openAt }) => before === null && openAt <= after);
  return [...(edge ? [edge] : []), ...page, ...page.slice(-1)]
    .reverse()
    .map(({ openAt, open, high, low, close, volume }) => ({
      symbol: params.symbol,
      open: open.toFixed(2),
      high: high.toFixed(2),
      low: low.toFixed(2),
      close: close.toFixed(2),
      volume: volume.toString(),
      amount: "0",
      type: params.type,
      startTimestamp: openAt,
      endTimestamp: openAt + minutes * 60_000,
    }));
}

function fundingPage(world: World, params: Asked["params"]) {
  const from = Number(params.startTime ?? 0);
  const to = Number(params.endTime ?? world.now);
  const rows = world.funding
    .filter(({ at }) => at >= from && at <= to && at <= world.now)
    .reverse()
    .map(({ at, rate }) => ({
      symbol: params.symbol,
      fundingRate: rate.toFixed(8),
      fundingRateTimestamp: at,
      nextFundingTime: at + 28_800_000,
      markPrice: "50000",
    }));
  const page = Number(params.page ?? 1);
  return {
    rows: rows.slice((page - 1) * FUNDING_PAGE, page * FUNDING_PAGE),
    meta: { total: rows.length, recordsPerPage: FUNDING_PAGE, currentPage: page },
  };
}
