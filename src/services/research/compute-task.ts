// The worker thread's side: runs backtests and keeps what the next question about them needs. Called by
// shard.worker.ts alone; it has no store, no clock and no network.
import { createHash } from "node:crypto";
import { type BacktestRun, runBacktest } from "../../engine/backtest.ts";
import { ColumnCache } from "../../engine/column-cache.ts";
import { type PreparedBacktest, prepareBacktest } from "../../engine/prepare.ts";
import { CANDLE_COLUMNS, type CandleSeries, type FundingSeries } from "../../model/candle.ts";
import { gridOf } from "../../model/instrument.ts";
import { fillsDigest, resultDocument } from "./backtest-result.ts";
import { chartData } from "./chart-build.ts";
import type { Computed, ComputeInput, ComputeTask, Digests, Drift, Seen } from "./compute.ts";
import { decisionRecord } from "./decision-record.ts";
import { packRecord, recordOf } from "./run-artifact.ts";
import { computedDetails } from "./run-details.ts";
import { type SharedCandles, seriesIn } from "./shared-candles.ts";
import { createWeighedCache, type WeighedCache } from "./weighed-cache.ts";

/** Series whose indicator columns a thread keeps, by bytes of their candles. */
const SERIES_BYTES_MAX = 128 * 2 ** 20;
/** Configurations per series whose indicator columns are kept. */
const COLUMNS_MAX = 2;
/** Runs of which a thread keeps trace and decisions. */
const RUNS_MAX = 2;

/** Tells the share done; false when the task shall end. */
export type ReportShare = (share: number) => boolean;

type KeptSeries = {
  readonly series: CandleSeries;
  /** Digests of parts that were used, by first and last open time. */
  readonly digests: Map<string, string>;
};

type KeptRun = {
  readonly traced: BacktestRun;
  readonly digests: Digests;
  decided: BacktestRun | null;
};

/** Everything a thread remembers from one task to the next. */
type Memory = {
  readonly series: WeighedCache<KeptSeries>;
  readonly columns: ColumnCache;
  readonly runs: WeighedCache<KeptRun>;
};

/** Handles task after task; what it keeps belongs to this thread. */
export function createTaskHandler(): (task: unknown, report: ReportShare) => unknown {
  const memory: Memory = {
    series: createWeighedCache(SERIES_BYTES_MAX, (kept) => kept.series.openAt.buffer.byteLength),
    columns: new ColumnCache(COLUMNS_MAX),
    runs: createWeighedCache(RUNS_MAX, () => 1),
  };
  return (raw, report) => {
    const task = raw as ComputeTask;
    if (task.kind === "backtest") return backtest(memory, task.input, report);
    const found = again(memory, task.input, task.known, report);
    if (task.kind === "chart") return look(found, ({ traced }) => chartData(traced, task.window));
    return look(found, (kept) => {
      kept.decided ??= runBacktest(kept.traced.prepared, { decisions: true });
      return decisionRecord(kept.decided, task.at);
    });
  };
}

function keptSeries({ series }: Memory, candles: SharedCandles): KeptSeries {
  const found = series.get(candles.key);
  if (found) return found;
  const made = { series: seriesIn(candles), digests: new Map<string, string>() };
  series.set(candles.key, made);
  return made;
}

function prepare(memory: Memory, input: ComputeInput): PreparedBacktest {
  const { funding, config, instrument, run } = input;
  const { series: candles } = keptSeries(memory, input.candles);
  return prepareBacktest({ candles, funding, config, instrument, run }, memory.columns);
}

function candleDigest(memory: Memory, input: ComputeInput, { candles }: PreparedBacktest): string {
  const { digests } = keptSeries(memory, input.candles);
  const part = `${candles.openAt[0]}-${candles.openAt[candles.length - 1]}`;
  const digest = digests.get(part) ?? digestOf(CANDLE_COLUMNS.map((name) => candles[name]));
  digests.set(part, digest);
  return digest;
}

/** @throws an Error when the task was taken back meanwhile */
function traced(prepared: PreparedBacktest, report: ReportShare): BacktestRun {
  const run = runBacktest(prepared, { trace: true, onProgress: report });
  if (run.isStopped || !report(1)) throw new Error("the task was cancelled");
  return run;
}

function backtest(memory: Memory, input: ComputeInput, report: ReportShare): Computed {
  const prepared = prepare(memory, input);
  const run = traced(prepared, report);
  const result = resultDocument(run);
  const digests: Digests = {
    candles: candleDigest(memory, input, prepared),
    funding: fundingDigest(input.funding),
    fills: result.fills_sha256,
  };
  memory.runs.set(keyOf(input), { traced: run, digests, decided: null });
  return {
    metrics: result.metrics,
    digests,
    details: computedDetails(run, result, runOther(prepared)),
    artifact: packRecord(recordOf(run, result)),
  };
}

/** The run as it was computed; what has changed when it cannot be had again. */
function again(
  memory: Memory,
  input: ComputeInput,
  known: Digests,
  report: ReportShare,
): KeptRun | Drift {
  const kept = memory.runs.get(keyOf(input)) ?? computedAgain(memory, input, known, report);
  if (typeof kept === "string") return kept;
  return driftOf(kept.digests, known) ?? kept;
}

function computedAgain(
  memory: Memory,
  input: ComputeInput,
  known: Digests,
  report: ReportShare,
): KeptRun | Drift {
  const prepared = prepare(memory, input);
  const candles = candleDigest(memory, input, prepared);
  const funding = fundingDigest(input.funding);
  const drift = driftOf({ candles, funding, fills: known.fills }, known);
  if (drift) return drift;
  const run = traced(prepared, report);
  const digests = { candles, funding, fills: digestOfFills(run) };
  const kept: KeptRun = { traced: run, digests, decided: null };
  memory.runs.set(keyOf(input), kept);
  return kept;
}

function look<T>(found: KeptRun | Drift, at: (kept: KeptRun) => T): Seen<T> {
  return typeof found === "string" ? { ok: false, drift: found } : { ok: true, value: at(found) };
}

/** What a thread keeps is found by the run and the state of its history. */
function keyOf({ name, candles, funding }: ComputeInput): string {
  return `${name} ${candles.key} ${fundingDigest(funding)}`;
}

function driftOf(now: Digests, known: Digests): Drift | null {
  if (now.candles !== known.candles) return "candles";
  if (now.funding !== known.funding) return "funding";
  return now.fills === known.fills ? null : "result";
}

function digestOfFills({ prepared, recorder }: BacktestRun): string {
  const { priceTick, qtyStep } = prepared.request.instrument;
  const prices = gridOf(priceTick, "instrument: price_tick");
  return fillsDigest(recorder.fills, prices, gridOf(qtyStep, "instrument: qty_step"));
}

/** The fill model changes no indicator, so the prepared columns serve both runs. */
function runOther(prepared: PreparedBacktest): BacktestRun {
  const { request } = prepared;
  const fillModel = request.run.fillModel === "path" ? "pessimistic" : "path";
  return runBacktest({ ...prepared, request: { ...request, run: { ...request.run, fillModel } } });
}

function fundingDigest(funding: FundingSeries | null): string | null {
  return funding && digestOf([funding.at, funding.rate]);
}

/** SHA-256 over the doubles of the columns as they lie in memory (little-endian), one after the other. */
function digestOf(columns: readonly Float64Array[]): string {
  const hash = createHash("sha256");
  for (const { buffer, byteOffset, byteLength } of columns) {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex");
}
