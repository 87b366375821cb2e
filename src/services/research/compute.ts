// What the runs ask a worker thread for, and what comes back: typed questions over the pool. The thread's
// side is compute-task.ts; nothing in here computes.
import type { RunSettings } from "../../engine/run-settings.ts";
import type { Metrics } from "../../analytics/summary.ts";
import type { FundingSeries } from "../../model/candle.ts";
import type { Instrument } from "../../model/instrument.ts";
import type { EpochMs } from "../../model/time.ts";
import type { RunArtifact } from "../../ports/run-store.ts";
import type { TaskOptions, WorkerPool } from "../../ports/worker-pool.ts";
import type { DcaAtrConfig } from "../../strategy/dca-atr/config.ts";
import type { ChartData, ChartWindow } from "./chart-data.ts";
import type { DecisionRecord } from "./decision-record.ts";
import type { ComputedDetails } from "./run-details.ts";
import type { SharedCandles } from "./shared-candles.ts";

/** Everything a backtest is computed from. */
export type ComputeInput = {
  /** Names the run: what a thread keeps of it is found again under this word. */
  readonly name: string;
  readonly candles: SharedCandles;
  readonly funding: FundingSeries | null;
  readonly config: DcaAtrConfig;
  readonly instrument: Instrument;
  readonly run: RunSettings;
};

/** SHA-256 digests, hex: of the candles used, of the funding rates, of the fills. */
export type Digests = {
  readonly candles: string;
  /** Null without funding. */
  readonly funding: string | null;
  readonly fills: string;
};

/** A computed backtest, ready to be stored. */
export type Computed = {
  readonly metrics: Metrics;
  readonly digests: Digests;
  readonly details: ComputedDetails;
  readonly artifact: RunArtifact;
};

/** What is asked of a thread. */
export type ComputeTask =
  | { readonly kind: "backtest"; readonly input: ComputeInput }
  | {
      readonly kind: "chart";
      readonly input: ComputeInput;
      /** What the finished run was computed from and came to. */
      readonly known: Digests;
      readonly window: ChartWindow;
    }
  | {
      readonly kind: "explain";
      readonly input: ComputeInput;
      readonly known: Digests;
      readonly at: EpochMs;
    };

/** What of a finished run is not as it was: the history fed to it, or what is computed from it. */
export type Drift = "candles" | "funding" | "result";

/** A look at a finished run that was computed again. */
export type Seen<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly drift: Drift };

/** Questions to the threads; every promise rejects as WorkerPool.run does. */
export type Compute = {
  readonly threads: number;
  backtest(input: ComputeInput, options: Omit<TaskOptions, "affinity">): Promise<Computed>;
  chart(input: ComputeInput, known: Digests, window: ChartWindow): Promise<Seen<ChartData>>;
  explain(input: ComputeInput, known: Digests, at: EpochMs): Promise<Seen<DecisionRecord>>;
};

/** The questions over a pool whose threads run shard.worker.ts. */
export function createCompute(pool: WorkerPool): Compute {
  const ask = async <Answer>(task: ComputeTask, options: Omit<TaskOptions, "affinity">) =>
    (await pool.run(task, { ...options, affinity: task.input.name })) as Answer;
  // A page does not take back what it asked for: the answer is kept for its next question.
  const toTheEnd = () => ({ signal: new AbortController().signal });
  return {
    threads: pool.threads,
    backtest: (input, options) => ask<Computed>({ kind: "backtest", input }, options),
    chart: (input, known, window) => ask({ kind: "chart", input, known, window }, toTheEnd()),
    explain: (input, known, at) => ask({ kind: "explain", input, known, at }, toTheEnd()),
  };
}
