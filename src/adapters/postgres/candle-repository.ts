// Candle and funding history on PostgreSQL: many series, columnar chunks. Built by main.ts and
// tests. Merges into one series take turns through an advisory lock; readers never wait.
import type { CandleSeries, FundingSeries } from "../../model/candle.ts";
import { InvariantError } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import { checkTimeframe } from "../../model/timeframe-grid.ts";
import type { Scope } from "../../ports/access-store.ts";
import type {
  CandleKey,
  CandleStore,
  FundingKey,
  Merge,
  MergeCounts,
  SeriesId,
  TimeRange,
} from "../../ports/candle-store.ts";
import { loadChunks, mergeChunks, type StoredSeries } from "./candle-chunk-table.ts";
import { listCandles, listFunding } from "./candle-list.ts";
import { CANDLE_CODEC, FUNDING_CODEC, type SeriesCodec } from "./candle-series-codec.ts";
import type { Query, Sql, Transaction } from "./connect.ts";
import { at, firstOrNull, one } from "./rows.ts";

/** Slot of a candle chunk in bars: a few thousand candles pack well and load quickly. */
const SLOT_BARS = 4096;
/** Slot of a funding chunk: half a year, 546 rates when they come every 8 hours. */
const FUNDING_SLOT_MIN = 262_144;
/** First keys of the advisory locks; the second is the series. */
const MERGE_LOCK = 7_311;
const FETCH_LOCK = 7_312;
const FETCH_LOCK_POLL_MS = 250;

type Identity = FundingKey & { readonly timeframeMin: number | null };

/** The candle store on a migrated database. */
export function createCandleRepository(sql: Sql): CandleStore {
  return {
    openCandles: (scope, key, now) => openCandles(sql, scope, key, now),
    openFunding: (scope, key, now) => openFunding(sql, scope, key, now),
    findCandles: (scope, key) => find(sql, scope, key),
    findFunding: (scope, key) => find(sql, scope, { ...key, timeframeMin: null }),
    mergeCandles: (scope, id, merge, now) => mergeInto(sql, CANDLE_CODEC, scope, id, merge, now),
    mergeFunding: (scope, id, merge, now) => mergeInto(sql, FUNDING_CODEC, scope, id, merge, now),
    loadSeries: (scope, id, range) => load<CandleSeries>(sql, CANDLE_CODEC, scope, id, range),
    loadFunding: (scope, id, range) => load<FundingSeries>(sql, FUNDING_CODEC, scope, id, range),
    listSeries: (scope) => listCandles(sql, scope),
    listFunding: (scope) => listFunding(sql, scope),
    deleteSeries: (scope, id) => remove(sql, scope, id),
    fetchedRanges: (scope, id) => fetchedRanges(sql, scope, id),
    whileFetching: (scope, id, signal, work) => whileFetching(sql, scope, id, signal, work),
  };
}

async function openCandles(
  sql: Sql,
  scope: Scope,
  key: CandleKey,
  now: EpochMs,
): Promise<SeriesId> {
  checkTimeframe(key.timeframeMin);
  return open(sql, scope, key, key.timeframeMin * SLOT_BARS, now);
}

async function openFunding(
  sql: Sql,
  scope: Scope,
  key: FundingKey,
  now: EpochMs,
): Promise<SeriesId> {
  return open(sql, scope, { ...key, timeframeMin: null }, FUNDING_SLOT_MIN, now);
}

async function open(
  sql: Sql,
  scope: Scope,
  key: Identity,
  slotMin: number,
  now: EpochMs,
): Promise<SeriesId> {
  await sql`
    insert into market_series (workspace_id, content, exchange_id, symbol, kind, timeframe_min,
      slot_min, created_at, updated_at)
    values (${scope.workspaceId}, ${contentOf(key)}, ${key.exchangeId}, ${key.symbol}, ${key.kind},
      ${key.timeframeMin}, ${slotMin}, ${at(now)}, ${at(now)})
    on conflict (workspace_id, content, exchange_id, symbol, kind, coalesce(timeframe_min, 0))
    do nothing`;
  const id = await find(sql, scope, key);
  if (id === null) throw new InvariantError(`the series of ${key.symbol} vanished while opened`);
  return id;
}

async function find(sql: Sql, scope: Scope, key: Identity): Promise<SeriesId | null> {
  const found = firstOrNull(
    await sql<{ id: SeriesId }[]>`
      select id from market_series
      where workspace_id = ${scope.workspaceId} and content = ${contentOf(key)}
        and exchange_id = ${key.exchangeId} and symbol = ${key.symbol} and kind = ${key.kind}
        and coalesce(timeframe_min, 0) = ${key.timeframeMin ?? 0}`,
  );
  return found?.id ?? null;
}

function contentOf(key: Identity): SeriesCodec<unknown>["content"] {
  return key.timeframeMin === null ? "funding" : "candles";
}

/** The series when it is the workspace's own and holds what the codec reads. */
async function seriesOf(
  query: Query,
  scope: Scope,
  id: SeriesId,
  content: SeriesCodec<unknown>["content"],
): Promise<StoredSeries> {
  const series = firstOrNull(
    await query<StoredSeries[]>`
      select id, coalesce(timeframe_min, 0) as timeframe_min, slot_min from market_series
      where id = ${id} and workspace_id = ${scope.workspaceId} and content = ${content}`,
  );
  if (series === null) throw new InvariantError(`this workspace has no ${content} series ${id}`);
  return series;
}

async function lock(tx: Transaction, id: SeriesId): Promise<void> {
  await tx`select pg_advisory_xact_lock(${MERGE_LOCK}::int, ${id % 2 ** 31}::int)`;
}

async function mergeInto<Series>(
  sql: Sql,
  codec: SeriesCodec<Series>,
  scope: Scope,
  id: SeriesId,
  merge: Merge<Series>,
  now: EpochMs,
): Promise<MergeCounts> {
  return await sql.begin(async (tx) => {
    await lock(tx, id);
    const stored = await seriesOf(tx, scope, id, codec.content);
    const counts = await mergeChunks(tx, codec, stored, merge.series);
    if (merge.fetched) await remember(tx, id, merge.fetched);
    if (counts.added + counts.replaced > 0) {
      await tx`update market_series set updated_at = ${at(now)} where id = ${id}`;
    }
    return counts;
  });
}

/** Joins the range with those it touches, so that the list stays as short as the truth allows. */
async function remember(tx: Transaction, id: SeriesId, range: TimeRange): Promise<void> {
  if (range.to <= range.from) return;
  const joined = await tx<{ fromAt: EpochMs; toAt: EpochMs }[]>`
    delete from market_fetched_ranges
    where series_id = ${id} and from_at <= ${at(range.to)} and to_at >= ${at(range.from)}
    returning from_at, to_at`;
  const from = Math.min(range.from, ...joined.map((row) => row.fromAt));
  const to = Math.max(range.to, ...joined.map((row) => row.toAt));
  await tx`
    insert into market_fetched_ranges (series_id, from_at, to_at)
    values (${id}, ${at(from)}, ${at(to)})`;
}

async function load<Series>(
  sql: Sql,
  codec: SeriesCodec<Series>,
  scope: Scope,
  id: SeriesId,
  range: TimeRange | undefined,
): Promise<Series> {
  return (await sql.begin("isolation level repeatable read read only", async (tx) => {
    const stored = await seriesOf(tx, scope, id, codec.content);
    return await loadChunks(tx, codec, stored, range);
  })) as Series;
}

async function remove(sql: Sql, scope: Scope, id: SeriesId): Promise<boolean> {
  return await sql.begin(async (tx) => {
    await lock(tx, id);
    const { count } = await tx`
      delete from market_series where id = ${id} and workspace_id = ${scope.workspaceId}`;
    return count === 1;
  });
}

async function fetchedRanges(sql: Sql, scope: Scope, id: SeriesId): Promise<TimeRange[]> {
  const rows = await sql<{ fromAt: EpochMs; toAt: EpochMs }[]>`
    select fetched.from_at, fetched.to_at
    from market_fetched_ranges fetched join market_series series on series.id = fetched.series_id
    where series.id = ${id} and series.workspace_id = ${scope.workspaceId}
    order by fetched.from_at`;
  return rows.map((row) => ({ from: row.fromAt, to: row.toAt }));
}

async function whileFetching<T>(
  sql: Sql,
  scope: Scope,
  id: SeriesId,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const known = await sql`
    select 1 from market_series where id = ${id} and workspace_id = ${scope.workspaceId}`;
  if (known.count === 0) throw new InvariantError(`this workspace has no series ${id}`);
  const session = await sql.reserve();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { locked } = one(
        await session<{ locked: boolean }[]>`
          select pg_try_advisory_lock(${FETCH_LOCK}::int, ${id % 2 ** 31}::int) as locked`,
      );
      if (locked) break;
      await Bun.sleep(FETCH_LOCK_POLL_MS);
    }
    try {
      return await work();
    } finally {
      await session`select pg_advisory_unlock(${FETCH_LOCK}::int, ${id % 2 ** 31}::int)`;
    }
  } finally {
    session.release();
  }
}
