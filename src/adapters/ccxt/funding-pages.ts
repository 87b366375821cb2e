// Walks an exchange's funding history forward, window by window. Used by market-data.ts. Exchanges
// answer a window from either end, so a full answer is asked again in halves until nothing can be
// cut off.
import type { FundingSeries } from "../../model/candle.ts";
import { type EpochMs, HOUR_MS } from "../../model/time.ts";
import { InputError } from "../../model/result.ts";
import type { HistoryPage, HistoryRequest, RejectedCandle } from "../../ports/market-data.ts";
import { type AskDeps, ask } from "./ask.ts";
import type { Connection } from "./connections.ts";
import { MarketDataError } from "./errors.ts";
import type { CcxtFunding, CcxtMarket } from "./exchange.ts";
import { SETTLED_AFTER_MS } from "./candle-pages.ts";

/** The usual time between two rates; exchanges with shorter ones make the windows shrink. */
const USUAL_INTERVAL_MS = 8 * HOUR_MS;
const WINDOW_MIN_MS = HOUR_MS;

/** What a walk needs to know. */
export type FundingWalk = {
  readonly deps: AskDeps;
  readonly connection: Connection & { readonly listed: CcxtMarket };
  readonly request: HistoryRequest;
  /** The exchange's clock at the start. */
  readonly now: EpochMs;
};

/**
 * Settled funding rates of the range, oldest first.
 * @throws InputError when the exchange publishes none
 */
export async function* fundingPages(walk: FundingWalk): AsyncGenerator<HistoryPage<FundingSeries>> {
  const { connection, request, now } = walk;
  const { exchange, profile } = connection;
  if (exchange.has.fetchFundingRateHistory !== true) {
    throw new InputError(`exchange: ${profile.exchangeId} publishes no history of funding rates`);
  }
  const to = Math.min(request.range.to, now + 1);
  const settledTo = now - SETTLED_AFTER_MS;
  const windowMaxMs = (profile.fundingLimit - 1) * USUAL_INTERVAL_MS;
  let windowMs = windowMaxMs;
  let since = request.range.from;
  while (since < to) {
    const until = Math.min(to, since + windowMs);
    const rows = await ratesFrom(walk, since, until);
    if (rows.length >= profile.fundingLimit && until - since > WINDOW_MIN_MS) {
      windowMs = Math.max(WINDOW_MIN_MS, Math.floor((until - since) / 2));
      continue;
    }
    yield {
      ...seriesFrom(rows, since, until),
      covered: { from: since, to: until },
      settled: { from: since, to: Math.max(since, Math.min(until, settledTo)) },
    };
    if (rows.length * 4 < profile.fundingLimit) windowMs = Math.min(windowMaxMs, windowMs * 2);
    since = until;
  }
}

async function ratesFrom(
  walk: FundingWalk,
  since: EpochMs,
  until: EpochMs,
): Promise<readonly CcxtFunding[]> {
  const { deps, connection, request } = walk;
  const { exchange, profile, listed } = connection;
  const { fundingEnd, fundingLimit } = profile;
  const params = { [fundingEnd.name]: until + fundingEnd.offsetMs };
  const what = `funding rates of ${listed.symbol}`;
  const rows = await ask(deps, exchange, what, request.signal, () =>
    exchange.fetchFundingRateHistory(listed.symbol, since, fundingLimit, params),
  );
  const within = rows.filter(({ timestamp = Number.NaN }) => timestamp >= since);
  if (rows.length >= fundingLimit && within.every(({ timestamp = 0 }) => timestamp >= until)) {
    throw new MarketDataError(
      `${profile.exchangeId} sends ${what} from another time than the one asked for`,
    );
  }
  return within;
}

function seriesFrom(
  rows: readonly CcxtFunding[],
  since: EpochMs,
  until: EpochMs,
): { series: FundingSeries; rejected: RejectedCandle[] } {
  const rates = new Map<EpochMs, number>();
  const rejected: RejectedCandle[] = [];
  for (const { timestamp, fundingRate } of rows) {
    if (timestamp === undefined || timestamp < since || timestamp >= until) continue;
    if (fundingRate !== undefined && Number.isFinite(fundingRate))
      rates.set(timestamp, fundingRate);
    else rejected.push({ openAt: timestamp, reason: "the rate is missing or not a number" });
  }
  const sorted = [...rates].sort(([a], [b]) => a - b);
  const at = Float64Array.from(sorted, ([instant]) => instant);
  const rate = Float64Array.from(sorted, ([, value]) => value);
  return { series: { length: at.length, at, rate }, rejected };
}
