// Stored market history: candle series and funding rates of a workspace. Interfaces only. A series
// holds closed candles alone; candles an exchange never had stay absent.
import type { CandleSeries, FundingSeries } from "../model/candle.ts";
import type { EpochMs } from "../model/time.ts";
import type { Id, Scope } from "./access-store.ts";
import type { InstrumentKind } from "./instrument-store.ts";

export type SeriesId = Id<"series">;

/** A stretch of time, `from` inclusive, `to` exclusive. */
export type TimeRange = { readonly from: EpochMs; readonly to: EpochMs };

/** What a candle series is known by within its workspace. */
export type CandleKey = {
  /** Our id of the exchange, e.g. `woox`. */
  readonly exchangeId: string;
  readonly symbol: string;
  readonly kind: InstrumentKind;
  readonly timeframeMin: number;
};

/** What a funding series is known by within its workspace; only perpetuals have one. */
export type FundingKey = Omit<CandleKey, "timeframeMin">;

/** What a merge did: every item given is counted exactly once. */
export type MergeCounts = {
  readonly added: number;
  /** Present before with other values. */
  readonly replaced: number;
  readonly unchanged: number;
};

/** One merge: items to store, and the range that an exchange has now answered completely. */
export type Merge<Series> = {
  readonly series: Series;
  /** Remembered as asked, so that its holes are not asked for again. */
  readonly fetched?: TimeRange;
};

/** Size and extent of a stored series; the instants are null while it is empty. */
export type SeriesExtent = {
  readonly id: SeriesId;
  readonly items: number;
  readonly firstAt: EpochMs | null;
  readonly lastAt: EpochMs | null;
  /** Packed size of the data. */
  readonly bytes: number;
  readonly updatedAt: EpochMs;
};

/** A candle series in a list. */
export type CandleSummary = CandleKey &
  SeriesExtent & {
    readonly gapCount: number;
    readonly missingBars: number;
    /** Candles present over candles possible between first and last; 0 while it is empty. */
    readonly coverageRatio: number;
  };

/** A funding series in a list. */
export type FundingSummary = FundingKey & SeriesExtent;

/** Candle and funding history; a series of another workspace does not exist for the caller. */
export type CandleStore = {
  /** Finds the series or creates it empty. */
  openCandles(scope: Scope, key: CandleKey, at: EpochMs): Promise<SeriesId>;
  openFunding(scope: Scope, key: FundingKey, at: EpochMs): Promise<SeriesId>;
  findCandles(scope: Scope, key: CandleKey): Promise<SeriesId | null>;
  findFunding(scope: Scope, key: FundingKey): Promise<SeriesId | null>;
  /**
   * Stores candles in one transaction: same open time replaces, others are added.
   * @throws InvariantError when the workspace has no such series
   */
  mergeCandles(
    scope: Scope,
    id: SeriesId,
    merge: Merge<CandleSeries>,
    at: EpochMs,
  ): Promise<MergeCounts>;
  mergeFunding(
    scope: Scope,
    id: SeriesId,
    merge: Merge<FundingSeries>,
    at: EpochMs,
  ): Promise<MergeCounts>;
  /** Candles with open times in the range, everything without one. */
  loadSeries(scope: Scope, id: SeriesId, range?: TimeRange): Promise<CandleSeries>;
  loadFunding(scope: Scope, id: SeriesId, range?: TimeRange): Promise<FundingSeries>;
  /** By exchange, symbol, kind and timeframe. */
  listSeries(scope: Scope): Promise<CandleSummary[]>;
  listFunding(scope: Scope): Promise<FundingSummary[]>;
  /** False when the workspace has no such series. */
  deleteSeries(scope: Scope, id: SeriesId): Promise<boolean>;
  /** Ranges an exchange has answered completely, ascending, apart from each other. */
  fetchedRanges(scope: Scope, id: SeriesId): Promise<TimeRange[]>;
  /**
   * Runs work that asks an exchange for this series; a second caller waits until the first is done.
   * @throws the signal's reason when aborted while waiting
   */
  whileFetching<T>(
    scope: Scope,
    id: SeriesId,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T>;
};
