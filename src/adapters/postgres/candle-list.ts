// The lists of stored candle and funding series with their extent. Used by candle-repository.ts;
// reads chunk heads only, never their data.
import { MINUTE_MS } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleSummary, FundingSummary } from "../../ports/candle-store.ts";
import type { Sql } from "./connect.ts";

type CandleRow = Omit<CandleSummary, "missingBars" | "coverageRatio">;

/** Candle series of a workspace. */
export async function listCandles(sql: Sql, scope: Scope): Promise<CandleSummary[]> {
  const rows = await sql<CandleRow[]>`
    select series.id, exchange_id, symbol, kind, timeframe_min, updated_at,
      coalesce(sum(items), 0)::bigint as items, min(first_at) as first_at,
      max(last_at) as last_at, coalesce(sum(octet_length(data)), 0)::bigint as bytes,
      (coalesce(sum(gaps), 0) + count(*) filter (where first_at - before_at
        > make_interval(mins => timeframe_min)))::bigint as gap_count
    from market_series series
    left join lateral (
      select items, first_at, last_at, gaps, data, lag(last_at) over (order by slot) as before_at
      from market_chunks where series_id = series.id
    ) chunk on true
    where workspace_id = ${scope.workspaceId} and content = 'candles'
    group by series.id
    order by exchange_id, symbol collate "C", kind, timeframe_min`;
  return rows.map((row) => {
    const { items, firstAt, lastAt } = row;
    const possible =
      firstAt === null || lastAt === null
        ? 0
        : Math.round((lastAt - firstAt) / (row.timeframeMin * MINUTE_MS)) + 1;
    return {
      ...row,
      missingBars: possible - items,
      coverageRatio: possible === 0 ? 0 : items / possible,
    };
  });
}

/** Funding series of a workspace. */
export async function listFunding(sql: Sql, scope: Scope): Promise<FundingSummary[]> {
  return await sql<FundingSummary[]>`
    select series.id, exchange_id, symbol, kind, updated_at,
      coalesce(sum(items), 0)::bigint as items, min(first_at) as first_at,
      max(last_at) as last_at, coalesce(sum(octet_length(data)), 0)::bigint as bytes
    from market_series series left join market_chunks on series_id = series.id
    where workspace_id = ${scope.workspaceId} and content = 'funding'
    group by series.id
    order by exchange_id, symbol collate "C", kind`;
}
