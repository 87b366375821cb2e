// Reads and writes the chunks of one series, whatever it holds. Used by candle-repository.ts, which
// has already checked that the series belongs to the caller's workspace.
import type { EpochMs } from "../../model/time.ts";
import { InvariantError } from "../../model/result.ts";
import { MINUTE_MS } from "../../model/time.ts";
import type { MergeCounts, SeriesId, TimeRange } from "../../ports/candle-store.ts";
import {
  addCounts,
  countGaps,
  decodeWhole,
  instantsOf,
  mergeSeries,
  type SeriesCodec,
} from "./candle-series-codec.ts";
import type { Query, Transaction } from "./connect.ts";
import { at } from "./rows.ts";

/** A series as its chunks need it; funding has a timeframe of 0. */
export type StoredSeries = {
  readonly id: SeriesId;
  readonly timeframeMin: number;
  readonly slotMin: number;
};

/** Chunks written or read with one statement; bounds memory while a long series passes. */
const BATCH_CHUNKS = 64;
const UNTOUCHED: MergeCounts = { added: 0, replaced: 0, unchanged: 0 };

type ChunkHead = { readonly slot: number; readonly items: number };
type Chunk = ChunkHead & { readonly checksum: string; readonly data: Uint8Array };

/** A part of the incoming series that falls into one slot. */
type Piece<Series> = { readonly slot: number; readonly series: Series };

/** Merges a series into its chunks; chunks that do not change are not written. */
export async function mergeChunks<Series>(
  tx: Transaction,
  codec: SeriesCodec<Series>,
  stored: StoredSeries,
  incoming: Series,
): Promise<MergeCounts> {
  const pieces = cut(codec, stored, incoming);
  let counts = UNTOUCHED;
  for (let from = 0; from < pieces.length; from += BATCH_CHUNKS) {
    const batch = pieces.slice(from, from + BATCH_CHUNKS);
    counts = addCounts(counts, await mergeBatch(tx, codec, stored, batch));
  }
  return counts;
}

async function mergeBatch<Series>(
  tx: Transaction,
  codec: SeriesCodec<Series>,
  stored: StoredSeries,
  batch: readonly Piece<Series>[],
): Promise<MergeCounts> {
  const slots = batch.map((piece) => piece.slot);
  const found = await tx<Chunk[]>`
    select slot, items, checksum, data from market_chunks
    where series_id = ${stored.id} and slot in ${tx(slots)}`;
  const existing = new Map(found.map((chunk) => [chunk.slot, chunk]));
  let counts = UNTOUCHED;
  const rows: Record<string, unknown>[] = [];
  for (const piece of batch) {
    const chunk = existing.get(piece.slot);
    const before = chunk ? decodeWhole(codec, checked(stored, chunk), chunk.items) : codec.empty(0);
    const merged = mergeSeries(codec, before, piece.series);
    counts = addCounts(counts, merged.counts);
    if (merged.counts.added + merged.counts.replaced === 0) continue;
    rows.push(chunkRow(codec, stored, piece.slot, merged.series));
  }
  if (rows.length > 0) {
    await tx`
      insert into market_chunks ${tx(rows)}
      on conflict (series_id, slot) do update set
        first_at = excluded.first_at, last_at = excluded.last_at, items = excluded.items,
        gaps = excluded.gaps, checksum = excluded.checksum, data = excluded.data`;
  }
  return counts;
}

function chunkRow<Series>(
  codec: SeriesCodec<Series>,
  stored: StoredSeries,
  slot: number,
  series: Series,
): Record<string, unknown> {
  const instants = instantsOf(codec, series);
  const data = codec.encode(series);
  return {
    seriesId: stored.id,
    slot,
    firstAt: at(instants[0]!),
    lastAt: at(instants[instants.length - 1]!),
    items: instants.length,
    gaps: countGaps(instants, stored.timeframeMin * MINUTE_MS),
    checksum: checksumOf(data),
    data,
  };
}

/** Cuts a series at slot borders. */
function cut<Series>(
  codec: SeriesCodec<Series>,
  stored: StoredSeries,
  series: Series,
): Piece<Series>[] {
  const instants = instantsOf(codec, series);
  const pieces: Piece<Series>[] = [];
  let from = 0;
  while (from < instants.length) {
    const slot = slotOf(stored, instants[from]!);
    const end = (slot + 1) * stored.slotMin * MINUTE_MS;
    let to = from + 1;
    while (to < instants.length && instants[to]! < end) to++;
    pieces.push({ slot, series: codec.slice(series, from, to) });
    from = to;
  }
  return pieces;
}

function slotOf(stored: StoredSeries, instant: EpochMs): number {
  return Math.floor(instant / (stored.slotMin * MINUTE_MS));
}

/** Loads what lies in the range; the caller holds one snapshot of the database. */
export async function loadChunks<Series>(
  tx: Query,
  codec: SeriesCodec<Series>,
  stored: StoredSeries,
  range: TimeRange | undefined,
): Promise<Series> {
  const slots = await heads(tx, stored, range);
  const items = slots.reduce((sum, head) => sum + head.items, 0);
  const series = codec.empty(items);
  let offset = 0;
  // The next batch travels while this one is unpacked.
  let coming = readBatch(tx, stored, slots.slice(0, BATCH_CHUNKS));
  for (let from = 0; from < slots.length; from += BATCH_CHUNKS) {
    const chunks = await coming;
    const next = slots.slice(from + BATCH_CHUNKS, from + 2 * BATCH_CHUNKS);
    coming = readBatch(tx, stored, next);
    for (const chunk of chunks) offset += codec.decode(checked(stored, chunk), series, offset);
  }
  await coming;
  if (offset !== items) throw new InvariantError(`series ${stored.id} holds ${offset} of ${items}`);
  return range ? within(codec, series, range) : series;
}

async function heads(
  tx: Query,
  stored: StoredSeries,
  range: TimeRange | undefined,
): Promise<ChunkHead[]> {
  if (range === undefined) {
    return await tx<ChunkHead[]>`
      select slot, items from market_chunks where series_id = ${stored.id} order by slot`;
  }
  return await tx<ChunkHead[]>`
    select slot, items from market_chunks
    where series_id = ${stored.id} and first_at < ${at(range.to)} and last_at >= ${at(range.from)}
    order by slot`;
}

async function readBatch(
  tx: Query,
  stored: StoredSeries,
  batch: readonly ChunkHead[],
): Promise<Chunk[]> {
  if (batch.length === 0) return [];
  const slots = batch.map((head) => head.slot);
  return await tx<Chunk[]>`
    select slot, items, checksum, data from market_chunks
    where series_id = ${stored.id} and slot in ${tx(slots)} order by slot`;
}

function within<Series>(codec: SeriesCodec<Series>, series: Series, range: TimeRange): Series {
  const instants = instantsOf(codec, series);
  let from = 0;
  let to = instants.length;
  while (from < to && instants[from]! < range.from) from++;
  while (to > from && instants[to - 1]! >= range.to) to--;
  return codec.slice(series, from, to);
}

/** xxHash64 as 16 hex digits. */
function checksumOf(data: Uint8Array): string {
  return Bun.hash.xxHash64(data).toString(16).padStart(16, "0");
}

/** The bytes of a chunk, once they are proven to be those that were written. */
function checked(stored: StoredSeries, chunk: Chunk): Uint8Array {
  if (checksumOf(chunk.data) === chunk.checksum) return chunk.data;
  throw new InvariantError(
    `chunk ${chunk.slot} of series ${stored.id} is damaged in the database: its checksum differs`,
  );
}
