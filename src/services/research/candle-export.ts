// Stored series as the CSV files that import reads, piece by piece, so that a long series never lies
// in memory whole. Called by candles.ts for downloads in the browser.
import { CANDLE_CSV_HEADER, FUNDING_CSV_HEADER } from "../../model/candle-csv.ts";
import { CANDLE_COLUMNS } from "../../model/candle.ts";
import { plainNumber } from "../../model/decimal.ts";
import { type EpochMs, MINUTE_MS } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleStore, CandleSummary, FundingSummary } from "../../ports/candle-store.ts";

/** Candles of one piece. */
const PIECE_BARS = 16_384;
/** RFC 4180. */
const LINE_END = "\r\n";

/** The file of a candle series. */
export async function* candleCsv(
  store: CandleStore,
  scope: Scope,
  { id, firstAt, lastAt, timeframeMin }: CandleSummary,
): AsyncGenerator<string> {
  yield `${CANDLE_CSV_HEADER}${LINE_END}`;
  if (firstAt === null || lastAt === null) return;
  const pieceMs = PIECE_BARS * timeframeMin * MINUTE_MS;
  for (let from: EpochMs = firstAt; from <= lastAt; from += pieceMs) {
    const range = { from, to: Math.min(from + pieceMs, lastAt + 1) };
    const series = await store.loadSeries(scope, id, range);
    let text = "";
    for (let i = 0; i < series.length; i++) {
      text += `${CANDLE_COLUMNS.map((name) => plainNumber(series[name][i]!)).join(",")}${LINE_END}`;
    }
    if (text !== "") yield text;
  }
}

/** The file of a funding series. */
export async function* fundingCsv(
  store: CandleStore,
  scope: Scope,
  { id }: FundingSummary,
): AsyncGenerator<string> {
  yield `${FUNDING_CSV_HEADER}${LINE_END}`;
  const { at, rate, length } = await store.loadFunding(scope, id);
  let text = "";
  for (let i = 0; i < length; i++)
    text += `${plainNumber(at[i]!)},${plainNumber(rate[i]!)}${LINE_END}`;
  if (text !== "") yield text;
}
