// Walks an exchange's candle history forward, page by page. Used by market-data.ts. It yields
// closed candles of the asked range only, and says of which stretch the exchange has told
// everything.
import { DAY_MS, type EpochMs, isoUtc, MINUTE_MS } from "../../model/time.ts";
import { gridCeil, gridFloor } from "../../model/timeframe-grid.ts";
import type { CandleSeries } from "../../model/candle.ts";
import type { HistoryPage, HistoryRequest } from "../../ports/market-data.ts";
import { type AskDeps, ask } from "./ask.ts";
import { candlesOf, openOf, orderedRows, signatureOf } from "./candle-rows.ts";
import { type Connection, offersTimeframe, pageBarsOf, timeframeName } from "./connections.ts";
import { MarketDataError } from "./errors.ts";
import type { CcxtCandle, CcxtMarket } from "./exchange.ts";

/** A candle this long after its close is not published late any more. */
export const SETTLED_AFTER_MS = 3_600_000;
const DAY_MIN = 1440;

/** What a walk needs to know. */
export type Walk = {
  readonly deps: AskDeps;
  readonly connection: Connection & { readonly listed: CcxtMarket };
  readonly request: HistoryRequest & { readonly timeframeMin: number };
  /** The exchange's clock at the start. */
  readonly now: EpochMs;
};

/** An answer from `since` on: its rows in order, and up to where it is complete. */
type Answer = { readonly rows: readonly CcxtCandle[]; readonly coveredTo: EpochMs };

/** Closed candles of the range, oldest first. */
export async function* candlePages(walk: Walk): AsyncGenerator<HistoryPage<CandleSeries>> {
  const { request, now } = walk;
  const { timeframeMin, range } = request;
  // A candle is closed when the next one may open.
  const to = Math.min(gridCeil(range.to, timeframeMin), gridFloor(now, timeframeMin));
  const settledTo = gridFloor(now - SETTLED_AFTER_MS, timeframeMin);
  const seen = { signature: "" };
  let since = gridCeil(range.from, timeframeMin);
  while (since < to) {
    const { rows, coveredTo } = await answerFrom(walk, since, to, seen);
    const inside = rows.filter((row) => openOf(row) >= since && openOf(row) < coveredTo);
    const { series, rejected } = candlesOf(inside, timeframeMin);
    yield {
      series,
      covered: { from: since, to: coveredTo },
      settled: { from: since, to: Math.max(since, Math.min(coveredTo, settledTo)) },
      rejected,
    };
    since = coveredTo;
  }
}

async function answerFrom(
  walk: Walk,
  since: EpochMs,
  to: EpochMs,
  seen: { signature: string },
): Promise<Answer> {
  const { timeframeMin } = walk.request;
  const stepMs = timeframeMin * MINUTE_MS;
  const limit = Math.min(pageBarsOf(walk.connection), Math.ceil((to - since) / stepMs));
  const page = await rowsFrom(walk, timeframeMin, since, limit);
  const rows = page.filter((row) => openOf(row) >= since);
  const first = rows[0];
  if (first === undefined) refuseRepetition(walk, page, seen.signature);
  seen.signature = signatureOf(page);
  if (first === undefined) {
    const windowEnd = since + limit * stepMs;
    return {
      rows,
      coveredTo: windowEnd < to ? Math.min(to, await emptyUntil(walk, windowEnd)) : to,
    };
  }
  const hidden = openOf(first) > since ? await rowsBefore(walk, since, openOf(first), limit) : [];
  const truth = hidden.length > 0 ? hidden : rows;
  const last = truth[truth.length - 1] ?? first;
  if (openOf(last) >= to) return { rows: truth, coveredTo: to };
  return { rows: truth, coveredTo: Math.min(to, gridFloor(openOf(last), timeframeMin) + stepMs) };
}

/**
 * A page that begins late may have been cut at its beginning, by an exchange that sends the newest
 * rows of a window. A smaller page tells: without rows in the hole, the first page is believed.
 */
async function rowsBefore(
  walk: Walk,
  since: EpochMs,
  first: EpochMs,
  limit: number,
): Promise<CcxtCandle[]> {
  const { timeframeMin } = walk.request;
  const hole = Math.ceil((first - since) / (timeframeMin * MINUTE_MS));
  const smaller = Math.min(hole, limit - 1);
  if (smaller < 1) return [];
  const rows = await rowsFrom(walk, timeframeMin, since, smaller);
  return rows.filter((row) => openOf(row) >= since && openOf(row) < first);
}

/**
 * Before a listing and in long outages, daily candles tell in one request where trading goes on.
 */
async function emptyUntil(walk: Walk, windowEnd: EpochMs): Promise<EpochMs> {
  const { connection, request } = walk;
  if (request.timeframeMin >= DAY_MIN || !offersTimeframe(connection, DAY_MIN)) return windowEnd;
  const day = gridFloor(windowEnd, DAY_MIN);
  const limit = pageBarsOf(connection);
  const days = await rowsFrom(walk, DAY_MIN, day, limit);
  const first = days.find((row) => openOf(row) >= day);
  const goesOnAt = first === undefined ? day + limit * DAY_MS : openOf(first);
  return Math.max(windowEnd, goesOnAt);
}

/** An exchange that ignores what it is asked would be asked for ever. */
function refuseRepetition(walk: Walk, page: readonly CcxtCandle[], signature: string): void {
  const [first] = page;
  if (first === undefined || signatureOf(page) !== signature) return;
  const { profile, listed } = walk.connection;
  throw new MarketDataError(
    `${profile.exchangeId} sends the same page of ${listed.symbol} whatever is asked: ` +
      `${page.length} candles from ${isoUtc(openOf(first))} on`,
  );
}

async function rowsFrom(
  walk: Walk,
  timeframeMin: number,
  since: EpochMs,
  limit: number,
): Promise<CcxtCandle[]> {
  const { deps, connection, request } = walk;
  const { exchange, listed } = connection;
  const name = timeframeName(connection, timeframeMin);
  const what = `${name} candles of ${listed.symbol}`;
  const rows = await ask(deps, exchange, what, request.signal, () =>
    exchange.fetchOHLCV(listed.symbol, name, since, limit),
  );
  return orderedRows(rows);
}
