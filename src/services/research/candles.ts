// Candle history as people use it on pages: what is there, import, download, export, delete. Called by
// the candles page; the command line does the same without jobs. Every change leaves an audit entry.
import { InputError, type Result, refuse } from "../../model/result.ts";
import { type EpochMs, formatTimeframe, isoUtc } from "../../model/time.ts";
import { checkTimeframe } from "../../model/timeframe-grid.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type {
  CandleStore,
  CandleSummary,
  FundingSummary,
  SeriesId,
  TimeRange,
} from "../../ports/candle-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { InstrumentKind } from "../../ports/instrument-store.ts";
import type { Log } from "../../ports/log.ts";
import type { Market, MarketData } from "../../ports/market-data.ts";
import { type Actor, noteAct } from "../desk/actor.ts";
import { checkRange, downloadCandles } from "./candle-download.ts";
import { candleCsv, fundingCsv } from "./candle-export.ts";
import { checkFile, checkPaysFunding, storeFile } from "./candle-import.ts";
import {
  type CandleJob,
  type CandleJobs,
  createCandleJobs,
  type JobHandle,
  type JobId,
  type JobState,
  type JobSubject,
} from "./candle-jobs.ts";
import { type CoverageBar, createOverviews, type SeriesOverview } from "./candle-overview.ts";
import { downloadFunding } from "./funding-download.ts";

/** A stored series of either kind. */
export type StoredSeries =
  | ({ readonly content: "candles" } & CandleSummary)
  | ({ readonly content: "funding" } & FundingSummary);

/** A file that is being sent. */
export type ImportWish = {
  readonly market: Market;
  /** Told from the spacing of the candles when absent. */
  readonly timeframeMin?: number;
  /** Stands before every sentence about the file. */
  readonly name: string;
  /** Plain or gzip; read while they arrive. */
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly bytesTotal: number | null;
};

/** One series to download. */
export type DownloadWish = {
  readonly market: Market;
  /** Null for funding rates. */
  readonly timeframeMin: number | null;
  readonly range: TimeRange;
};

/** Candle history of a workspace. Nothing of another workspace is ever found. */
export type Candles = {
  /** The time by which ages are told and "the last days" end. */
  now(): EpochMs;
  /** Our ids of all exchanges, sorted. */
  exchangeIds(): readonly string[];
  /**
   * The canonical market of what was typed; needs no network.
   * @throws InputError naming `exchange` or `symbol`
   */
  normalise(exchange: string, symbol: string, kind?: InstrumentKind): Market;
  list(scope: Scope): Promise<{ candles: CandleSummary[]; funding: FundingSummary[] }>;
  find(scope: Scope, id: SeriesId): Promise<StoredSeries | null>;
  /** The coverage bar when it is known without reading the series. */
  knownBar(summary: CandleSummary): CoverageBar | null;
  /** Coverage and quality of a candle series; null when there is none. */
  overview(scope: Scope, id: SeriesId): Promise<SeriesOverview | null>;
  /** The series as the CSV that import reads, in pieces; null when there is none. */
  csv(scope: Scope, id: SeriesId): Promise<AsyncIterable<string> | null>;
  /**
   * Reads and checks a file while it arrives, then stores it whole. Resolves once it is stored or
   * refused, or still storing after a few seconds.
   * @throws InputError when too many files are being imported
   */
  importFile(actor: Actor, wish: ImportWish): Promise<CandleJob>;
  /**
   * Begins downloads, all or none of them.
   * @throws InputError naming the field that cannot be; also while the same series is downloaded
   */
  download(actor: Actor, wishes: readonly DownloadWish[]): readonly JobId[];
  /** Running and recent imports and downloads, newest first. */
  jobs(scope: Scope): readonly CandleJob[];
  /** False when there is no such job or it has ended. What was stored stays. */
  cancel(actor: Actor, id: JobId): boolean;
  /** Hears of every change of a job until it is called off. */
  watch(scope: Scope, listener: (job: CandleJob) => void): () => void;
  /** Deletes a series unless a job is writing to it. */
  remove(actor: Actor, id: SeriesId): Promise<Result<StoredSeries, "unknown_series" | "busy">>;
  /** Ends all jobs, for the end of the program. */
  stop(): Promise<void>;
};

/** What the candles service needs. */
export type CandlesDeps = {
  readonly store: CandleStore;
  readonly market: MarketData;
  readonly audit: Pick<AuditStore, "append">;
  readonly clock: Clock;
  readonly log: Log;
};

/** Files read at once; each may hold millions of candles in memory. */
const IMPORTS_AT_ONCE = 2;
/** Downloads at once; each holds a database connection. */
const DOWNLOADS_AT_ONCE = 3;
/** Downloads running and waiting. */
const DOWNLOADS_MAX = 50;
/** Text of one file after unpacking: about 20 million candles. */
const PLAIN_BYTES_MAX = 1e9;
/** How long an import keeps its caller waiting for the database. */
const SETTLE_MS = 5000;

type Parts = CandlesDeps & { readonly jobs: CandleJobs };

/** Builds the candles service. */
export function createCandles(deps: CandlesDeps): Candles {
  const { store, market: exchange } = deps;
  const overviews = createOverviews(store);
  const jobs = createCandleJobs(deps);
  const parts = { ...deps, jobs };
  return {
    now: () => deps.clock.now(),
    exchangeIds: () => exchange.exchangeIds(),
    normalise: (text, symbol, kind) =>
      exchange.normaliseMarket(exchange.normaliseExchange(text), symbol, kind),
    async list(scope) {
      const candles = await store.listSeries(scope);
      return { candles, funding: await store.listFunding(scope) };
    },
    find: (scope, id) => find(store, scope, id),
    knownBar: (summary) => overviews.knownBar(summary),
    async overview(scope, id) {
      const series = await find(store, scope, id);
      return series?.content === "candles" ? overviews.of(scope, series) : null;
    },
    async csv(scope, id) {
      const series = await find(store, scope, id);
      if (series === null) return null;
      return series.content === "candles"
        ? candleCsv(store, scope, series)
        : fundingCsv(store, scope, series);
    },
    importFile: (actor, wish) => importFile(parts, actor, wish),
    download(actor, wishes) {
      for (const wish of wishes) checkDownload(parts, actor, wish);
      return wishes.map((wish) => startDownload(parts, actor, wish));
    },
    jobs: (scope) => jobs.list(scope),
    cancel: ({ scope }, id) => jobs.cancel(scope, id),
    watch: (scope, listener) => jobs.watch(scope, listener),
    remove: (actor, id) => remove(parts, actor, id),
    stop: () => jobs.stop(),
  };
}

async function find(store: CandleStore, scope: Scope, id: SeriesId): Promise<StoredSeries | null> {
  const candles = (await store.listSeries(scope)).find((each) => each.id === id);
  if (candles) return { content: "candles", ...candles };
  const funding = (await store.listFunding(scope)).find((each) => each.id === id);
  return funding ? { content: "funding", ...funding } : null;
}

async function importFile(parts: Parts, actor: Actor, wish: ImportWish): Promise<CandleJob> {
  const { jobs, clock } = parts;
  if (jobs.active().filter(({ kind }) => kind === "import").length >= IMPORTS_AT_ONCE) {
    throw new InputError(
      `file: ${IMPORTS_AT_ONCE} files are being imported, which is the most at once; try again soon`,
    );
  }
  const { market, name: file } = wish;
  const { promise: isRead, resolve: tellRead } = Promise.withResolvers<void>();
  const subject = { kind: "import", market, content: null, timeframeMin: null, file } as const;
  const { id, ended } = jobs.start(actor.scope, subject, IMPORTS_AT_ONCE, (job) =>
    runImport(parts, actor, wish, job, tellRead),
  );
  const enough = isRead.then(() => clock.sleep(SETTLE_MS));
  const settled = await Promise.race([ended, enough]);
  return settled ?? jobs.list(actor.scope).find((job) => job.id === id) ?? ended;
}

async function runImport(
  parts: Parts,
  actor: Actor,
  wish: ImportWish,
  job: JobHandle,
  tellRead: () => void,
): Promise<JobState> {
  const { market, name, timeframeMin } = wish;
  const bytes = counted(wish, job);
  const source = { name, bytes, plainBytesMax: PLAIN_BYTES_MAX };
  const file = await checkFile(source, market, timeframeMin);
  const { content, items } = file;
  const known = { content, timeframeMin: content === "candles" ? file.timeframeMin : null };
  job.signal.throwIfAborted();
  job.tell({ is: "storing", items }, known);
  tellRead();
  const report = await storeFile(parts, actor.scope, market, file);
  const { added, replaced, unchanged, firstAt, lastAt } = report;
  await noteAct(parts, actor, {
    action: "candles_imported",
    object: `series:${report.seriesId}`,
    after: {
      ...named({ ...market, ...known }),
      file: name,
      first_at: isoUtc(firstAt),
      last_at: isoUtc(lastAt),
      ...{ added, replaced, unchanged },
    },
  });
  return { is: "imported", report };
}

/** The bytes of an upload, told to the job while they pass; they end when the job is cancelled. */
async function* counted(
  { bytes, bytesTotal }: ImportWish,
  { tell, signal }: JobHandle,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  tell({ is: "receiving", bytes: size, bytesTotal });
  for await (const chunk of bytes) {
    signal.throwIfAborted();
    size += chunk.length;
    tell({ is: "receiving", bytes: size, bytesTotal });
    yield chunk;
  }
}

function checkDownload(parts: Parts, { scope }: Actor, wish: DownloadWish): void {
  const { jobs, market: exchange, clock } = parts;
  const { market, timeframeMin, range } = wish;
  if (!exchange.exchangeIds().includes(market.exchangeId)) {
    throw new InputError(`exchange: "${market.exchangeId}" is not an exchange we can reach`);
  }
  checkRange(range, clock);
  if (timeframeMin !== null) checkTimeframe(timeframeMin);
  else checkPaysFunding(market);
  const subject = subjectOf(wish);
  if (isBusy(jobs, scope, subject)) {
    throw new InputError(`symbol: ${titleOf(subject)} is already being downloaded or imported`);
  }
  if (jobs.active().filter(({ kind }) => kind === "download").length >= DOWNLOADS_MAX) {
    throw new InputError(`symbol: ${DOWNLOADS_MAX} downloads are under way, which is the most`);
  }
}

function subjectOf({ market, timeframeMin }: DownloadWish): JobSubject {
  const content = timeframeMin === null ? "funding" : "candles";
  return { kind: "download", market, content, timeframeMin, file: null };
}

function startDownload(parts: Parts, actor: Actor, wish: DownloadWish): JobId {
  return parts.jobs.start(actor.scope, subjectOf(wish), DOWNLOADS_AT_ONCE, (job) =>
    runDownload(parts, actor, wish, job),
  ).id;
}

async function runDownload(
  parts: Parts,
  actor: Actor,
  { market, timeframeMin, range }: DownloadWish,
  { signal, tell }: JobHandle,
): Promise<JobState> {
  const { scope } = actor;
  let bars = 0;
  tell({ is: "downloading", progress: null });
  const request = {
    ...{ scope, market, range, signal },
    onProgress(progress: { done: number; total: number; bars: number }) {
      bars = progress.bars;
      tell({ is: "downloading", progress });
    },
  };
  const after = { ...named({ ...market, timeframeMin }), from: isoUtc(range.from) };
  const object = `market:${market.exchangeId}:${market.symbol}`;
  const action = "candles_downloaded";
  try {
    const report =
      timeframeMin === null
        ? await downloadFunding(parts, request)
        : await downloadCandles(parts, { ...request, timeframeMin });
    const { added, replaced, unchanged, seriesId } = report;
    const done = { ...after, to: isoUtc(range.to), added, replaced, unchanged };
    await noteAct(parts, actor, { action, object: `series:${seriesId}`, after: done });
    return { is: "downloaded", report };
  } catch (error) {
    // What had arrived is stored and stays, so it is written down as well.
    if (bars > 0) await noteAct(parts, actor, { action, object, after: { ...after, bars } });
    throw error;
  }
}

async function remove(parts: Parts, actor: Actor, id: SeriesId) {
  const { store, jobs } = parts;
  const { scope } = actor;
  const series = await find(store, scope, id);
  if (series === null) return refuse("unknown_series", "there is no such series");
  if (isBusy(jobs, scope, { ...keyOf(series), market: series })) {
    const detail = `${titleOf({ ...keyOf(series), market: series })} is being written to; cancel that first`;
    return refuse("busy", detail);
  }
  if (!(await store.deleteSeries(scope, id))) {
    return refuse("unknown_series", "there is no such series");
  }
  jobs.forget(id);
  const before = { ...named({ ...series, ...keyOf(series) }), items: series.items };
  await noteAct(parts, actor, { action: "candles_deleted", object: `series:${id}`, before });
  return { ok: true, value: series } as const;
}

function keyOf(series: StoredSeries): Pick<JobSubject, "content" | "timeframeMin"> {
  const { content } = series;
  return { content, timeframeMin: content === "candles" ? series.timeframeMin : null };
}

/** True while a job of the workspace writes to the series. */
function isBusy(
  jobs: CandleJobs,
  scope: Scope,
  { market, content, timeframeMin }: Pick<JobSubject, "market" | "content" | "timeframeMin">,
): boolean {
  return jobs
    .list(scope)
    .some(
      (job) =>
        job.endedAt === null &&
        job.content === content &&
        job.timeframeMin === timeframeMin &&
        job.market.exchangeId === market.exchangeId &&
        job.market.symbol === market.symbol &&
        job.market.kind === market.kind,
    );
}

function titleOf({ market, timeframeMin }: Pick<JobSubject, "market" | "timeframeMin">): string {
  const what = timeframeMin === null ? "funding" : formatTimeframe(timeframeMin);
  return `${market.exchangeId} ${market.symbol} ${what}`;
}

/** A series in the audit log. */
function named({
  exchangeId,
  symbol,
  kind,
  timeframeMin,
}: Market & { readonly timeframeMin: number | null }) {
  const timeframe = timeframeMin === null ? "funding" : formatTimeframe(timeframeMin);
  return { exchange: exchangeId, symbol, market: kind, timeframe };
}
