// OKX V5 public REST in the parts ccxt asks for: a window between two exclusive cursors, its newest
// rows when there are more than a page, and rows in no useful order.
import { type Asked, type FakeExchange, minutesOf, startFakeExchange } from "./server.ts";
import { visibleCandles, type World } from "./world.ts";

const SWAP = {
  instType: "SWAP",
  instId: "BTC-USDT-SWAP",
  uly: "BTC-USDT",
  instFamily: "BTC-USDT",
  baseCcy: "",
  quoteCcy: "",
  settleCcy: "USDT",
  ctVal: "0.01",
  ctMult: "1",
  ctValCcy: "BTC",
  ctType: "linear",
  lever: "100",
  listTime: "1611916828000",
  lotSz: "0.01",
  minSz: "0.01",
  tickSz: "0.1",
  state: "live",
};

/** Starts an OKX that tells this world; `pageMax` is the most rows it really sends. */
export function startOkx(world: World, pageMax = 300): FakeExchange {
  return startFakeExchange(({ path, params }) => {
    const answer = (data: unknown) => ({ code: "0", msg: "", data });
    if (path === "/api/v5/public/instruments") return answer([SWAP]);
    if (path === "/api/v5/public/time") return answer([{ ts: String(world.now) }]);
    if (/^\/api\/v5\/market\/(history-)?candles$/.test(path)) {
      return answer(candles(world, params, pageMax));
    }
    if (path === "/api/v5/public/funding-rate-history") return answer(fundingRates(world, params));
    return null;
  });
}

function candles(world: World, params: Asked["params"], pageMax: number) {
  const limit = Math.min(Number(params.limit ?? 100), pageMax);
  const minutes = minutesOf(params.bar ?? "");
  const before = Number(params.before ?? -1);
  const after = Number(params.after ?? Number.MAX_SAFE_INTEGER);
  const page = visibleCandles(world, minutes)
    .filter(({ openAt }) => openAt > before && openAt < after)
    .slice(-limit);
  const rows = page.map(({ openAt, open, high, low, close, volume }) => [
    String(openAt),
    open.toFixed(2),
    high.toFixed(2),
    low.toFixed(2),
    close.toFixed(2),
    (volume * 100).toFixed(1),
    volume.toString(),
    "0",
    openAt + minutes * 60_000 <= world.now ? "1" : "0",
  ]);
  // Odd rows before even ones: unsorted, and the first row comes twice.
  return [
    ...rows.filter((_, i) => i % 2 === 1),
    ...rows.filter((_, i) => i % 2 === 0),
    ...rows.slice(0, 1),
  ];
}

function fundingRates(world: World, params: Asked["params"]) {
  const before = Number(params.before ?? -1);
  const after = Number(params.after ?? Number.MAX_SAFE_INTEGER);
  return world.funding
    .filter(({ at }) => at > before && at < after && at <= world.now)
    .reverse()
    .slice(0, Math.min(Number(params.limit ?? 100), 100))
    .map(({ at, rate }) => ({
      instType: "SWAP",
      instId: "BTC-USDT-SWAP",
      fundingRate: rate.toFixed(8),
      realizedRate: rate.toFixed(8),
      fundingTime: String(at),
    }));
}
