// Funding rates and the prices of their instants from an exchange's public data, for the paper account. Built by
// the composition root. It keeps nothing and fills no gap: what the exchange does not tell stays unknown.
import { type Decimal, decimal } from "../../model/decimal.ts";
import { DAY_MS, type EpochMs, HOUR_MS, MINUTE_MS } from "../../model/time.ts";
import type { Market, MarketData } from "../../ports/market-data.ts";
import type { FundingRate, FundingSource } from "./paper-funding.ts";

/** What the source asks. */
export type FundingSourceDeps = {
  readonly data: Pick<MarketData, "funding" | "candles">;
  readonly marketOf: (symbol: string) => Market;
};

/** In a minute without trades the price is that of the last trade before, however quiet the market is. */
const LOOKS = [
  { timeframeMin: 1, backMs: HOUR_MS },
  { timeframeMin: 60, backMs: 7 * DAY_MS },
] as const;
/** After a page beyond this many rates the rest is left to the next question. */
const RATES_MAX = 1000;

/** The funding of perpetual markets. */
export function createFundingSource({ data, marketOf }: FundingSourceDeps): FundingSource {
  return {
    async rates(symbol, range, signal) {
      const rates: FundingRate[] = [];
      let completeTo = range.from;
      for await (const page of data.funding({ market: marketOf(symbol), range, signal })) {
        const { series, settled, rejected } = page;
        // One that could not be read may be told rightly later; what follows waits for it.
        const unread = Math.min(...rejected.map(({ openAt }) => openAt));
        for (const [n, at] of series.at.entries()) {
          if (at < unread) rates.push({ at, rate: decimal(series.rate[n] ?? Number.NaN) });
        }
        if (settled.from <= completeTo) completeTo = Math.max(completeTo, settled.to);
        if (rejected.length > 0) return { rates, completeTo: Math.min(completeTo, unread) };
        if (rates.length >= RATES_MAX) break;
      }
      return { rates, completeTo };
    },
    async priceAt(symbol, at, signal) {
      const market = marketOf(symbol);
      for (const { timeframeMin, backMs } of LOOKS) {
        const stepMs = timeframeMin * MINUTE_MS;
        const openAt = Math.floor(at / stepMs) * stepMs;
        // The minute of the instant is needed for its open, the hour is not: it goes on after it.
        const to = timeframeMin === 1 ? openAt + stepMs : openAt;
        const asked = { market, timeframeMin, range: { from: to - backMs, to }, signal };
        const found = await lastPrice(data, asked, openAt);
        if (found !== "none") return found;
      }
      return null;
    },
  };
}

/** The open of the candle at `openAt`, else the last close before; null when that is not known. */
async function lastPrice(
  data: FundingSourceDeps["data"],
  asked: Parameters<MarketData["candles"]>[0],
  openAt: EpochMs,
): Promise<Decimal | "none" | null> {
  let last: { readonly at: EpochMs; readonly price: number | null } | null = null;
  let coveredTo = asked.range.from;
  for await (const { series, covered, rejected } of data.candles(asked)) {
    coveredTo = covered.to;
    for (const [n, at] of series.openAt.entries()) {
      last = { at, price: (at === openAt ? series.open : series.close)[n] ?? null };
    }
    for (const { openAt: at } of rejected) {
      if (last === null || at > last.at) last = { at, price: null };
    }
  }
  if (coveredTo < asked.range.to || last?.price === null) return null;
  return last === null ? "none" : decimal(last.price);
}
