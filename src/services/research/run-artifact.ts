// The heavy part of a finished run, kept as one packed block: fills, cycles, thinned equity, months.
// Written on the worker thread, read by the run page and exports.
import { type MonthReturn, monthlyReturns } from "../../analytics/monthly.ts";
import { thinCurve } from "../../analytics/thin-curve.ts";
import type { BacktestRun } from "../../engine/backtest.ts";
import { assert, InvariantError } from "../../model/result.ts";
import { type EpochMs, MINUTE_MS } from "../../model/time.ts";
import type { RunArtifact } from "../../ports/run-store.ts";
import type { ResultDocument } from "./backtest-result.ts";

/** What is kept of a run beside its summary row. */
export type RunRecord = {
  readonly fills: ResultDocument["fills"];
  readonly cycles: ResultDocument["cycles"];
  /** At most 2000 points, each the last equity of its stretch and the deepest drawdown in it. */
  readonly equity: {
    readonly at: readonly EpochMs[];
    readonly value: readonly number[];
    readonly drawdown: readonly number[];
  };
  /** Oldest first, without holes. */
  readonly months: readonly MonthReturn[];
};

/** Name of the one way records are packed. */
export const RECORD_ENCODING = "json+zstd/1";

const EQUITY_POINTS_MAX = 2000;
const ZSTD_LEVEL = 3;

/** The record of a run that kept its trace. */
export function recordOf(run: BacktestRun, result: ResultDocument): RunRecord {
  const { prepared, trace } = run;
  assert(trace !== null, "a record needs the trace of its run");
  const { initialBalance, timeframeMin } = prepared.request.run;
  const timeframeMs = timeframeMin * MINUTE_MS;
  const openAt = prepared.candles.openAt.subarray(prepared.first);
  const { equity } = trace;
  return {
    fills: result.fills,
    cycles: result.cycles,
    equity: thinCurve(initialBalance, openAt, equity, timeframeMs, EQUITY_POINTS_MAX),
    months: monthlyReturns(initialBalance, openAt, equity, timeframeMs),
  };
}

/** Packs a record. */
export function packRecord(record: RunRecord): RunArtifact {
  const data = Bun.zstdCompressSync(JSON.stringify(record), { level: ZSTD_LEVEL });
  return { encoding: RECORD_ENCODING, data: new Uint8Array(data) };
}

/** Unpacks a record; `bytes` is the size of its text. @throws InvariantError for another encoding */
export function unpackRecord(artifact: RunArtifact): { record: RunRecord; bytes: number } {
  if (artifact.encoding !== RECORD_ENCODING) {
    throw new InvariantError(`the artifact encoding ${artifact.encoding} is not known`);
  }
  const text = Bun.zstdDecompressSync(artifact.data);
  const record = JSON.parse(new TextDecoder().decode(text)) as RunRecord;
  return { record, bytes: text.byteLength };
}
