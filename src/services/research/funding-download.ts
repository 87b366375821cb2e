// Brings funding rates from an exchange into the store, in the manner of candle-download.ts. Called
// by the command line and pages.
import { InputError } from "../../model/result.ts";
import type { SeriesId } from "../../ports/candle-store.ts";
import {
  checkRange,
  type DownloadDeps,
  type DownloadReport,
  type DownloadRequest,
  drain,
  emptyReport,
  mergeOf,
} from "./candle-download.ts";
import { withoutRanges } from "./candle-plan.ts";

/**
 * Downloads the settled funding rates of a range that was not answered yet.
 * @throws like downloadCandles; InputError also for a spot market
 */
export async function downloadFunding(
  deps: DownloadDeps,
  request: DownloadRequest,
): Promise<DownloadReport> {
  const { store, market: exchange, clock } = deps;
  const { scope, market, range, signal } = request;
  if (market.kind !== "perps") {
    throw new InputError(`symbol: ${market.symbol} is a spot market; only perpetuals have funding`);
  }
  checkRange(range, clock);
  const missing = async (id: SeriesId) =>
    withoutRanges(range, await store.fetchedRanges(scope, id));
  const known = await store.findFunding(scope, market);
  if (known !== null && (await missing(known)).length === 0) return emptyReport(known);
  // Asks for nothing but the market list, so that an unknown symbol leaves no empty series behind.
  const now = await exchange.exchangeTime(market, signal);
  await exchange.instrument(market, signal);
  const id = await store.openFunding(scope, market, clock.now());
  return await store.whileFetching(scope, id, signal, async () => {
    const asked = (await missing(id))
      .map((part) => ({ from: part.from, to: Math.min(part.to, now + 1) }))
      .filter((part) => part.from < part.to);
    return drain(request, id, asked, {
      pages: (part) => exchange.funding({ market, range: part, signal }),
      store: (page) => store.mergeFunding(scope, id, mergeOf(page), clock.now()),
    });
  });
}
