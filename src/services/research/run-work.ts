// The way of one run from its row to its result: download, load, compute, store. Called by the runs for
// every request and after a restart; whatever happens, the row ends with a status and a sentence.
import type { FundingSeries } from "../../model/candle.ts";
import { InputError } from "../../model/result.ts";
import { formatTimeframe } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleStore, CandleSummary } from "../../ports/candle-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { JobStore } from "../../ports/job-store.ts";
import type { Log } from "../../ports/log.ts";
import type { MarketData } from "../../ports/market-data.ts";
import type { RunStore } from "../../ports/run-store.ts";
import type { CandleCache } from "./candle-cache.ts";
import { downloadCandles } from "./candle-download.ts";
import type { Compute, Computed, ComputeInput } from "./compute.ts";
import { downloadFunding } from "./funding-download.ts";
import type { RunDetails } from "./run-details.ts";
import type { ActiveRun, Turns } from "./run-queue.ts";
import { historyRange, type RunPlan } from "./run-request.ts";

/** What the work of a run needs. */
export type WorkDeps = {
  readonly store: RunStore;
  readonly jobs: JobStore;
  readonly candles: CandleStore;
  readonly cache: CandleCache;
  readonly compute: Compute;
  readonly market: MarketData;
  readonly clock: Clock;
  readonly log: Log;
  /** Who may download, and who may load and compute. */
  readonly downloads: Turns;
  readonly computing: Turns;
};

/** Aborts the work of a run that goes on after a restart. */
export const STOPPED = new Error("Dragon stops");
/** Aborts the work of a run that somebody cancelled; its row says so already. */
export const CANCELLED = new Error("the run was cancelled");

/** Aborts the work of a run that another process has, or that ended without us. */
export const LOST = new Error("the run is not ours any more");

/** Errors whose message is a sentence for people. */
const FOR_PEOPLE = new Set(["InputError", "MarketDataError"]);
/** Timeframes asked for when an exchange does not offer the run's own, the largest first. */
const OFFERED_MIN = [1440, 720, 480, 360, 240, 120, 60, 30, 15, 5, 3, 1];

/** Does everything for one run; never rejects. */
export async function workOn(deps: WorkDeps, active: ActiveRun): Promise<void> {
  try {
    await runThrough(deps, active);
  } catch (error) {
    await endBadly(deps, active, error).catch((second: unknown) => {
      deps.log.error("the end of a run could not be stored", { run: active.id, error: second });
      active.tell({ status: "failed", stage: "ended", error: INTERNAL });
    });
  }
}

const INTERNAL = "an internal error; the log has the details";

async function runThrough(deps: WorkDeps, active: ActiveRun): Promise<void> {
  const { store, clock, downloads, computing } = deps;
  const { scope, id, plan, token } = active;
  const { signal } = active.controller;
  let isStarted = false;
  const begin = async () => {
    if (!isStarted && !(await store.start(scope, id, clock.now(), token))) throw LOST;
    isStarted = true;
  };
  if (plan.fetchMissing) {
    await inTurn(downloads, signal, async () => {
      await begin();
      await download(deps, active);
    });
    active.tell({ stage: "waiting" });
  }
  const { computed, details } = await inTurn(computing, signal, async () => {
    await begin();
    return await compute(deps, active);
  });
  signal.throwIfAborted();
  active.tell({ stage: "storing" });
  const { metrics, digests, artifact } = computed;
  const outcome = {
    metrics,
    fillsSha256: digests.fills,
    candlesFingerprint: digests.candles,
    details,
  };
  if (!(await store.finish(scope, id, outcome, artifact, clock.now(), token))) throw LOST;
  active.tell({ status: "finished", stage: "ended" });
}

async function inTurn<T>(turns: Turns, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const giveBack = await turns.take(signal);
  try {
    return await work();
  } finally {
    giveBack();
  }
}

async function endBadly(deps: WorkDeps, active: ActiveRun, error: unknown): Promise<void> {
  const { store, clock, log } = deps;
  const { scope, id, token } = active;
  const { signal } = active.controller;
  // Whatever an aborted step makes of it, the reason is why it ended.
  const cause: unknown = signal.aborted ? signal.reason : error;
  if (cause === STOPPED) {
    await deps.jobs.giveBack(scope, active);
    active.tell({ status: "queued", stage: "waiting" });
    return;
  }
  if (cause === CANCELLED) {
    active.tell({ status: "cancelled", stage: "ended" });
    return;
  }
  if (cause === LOST) return await tellStored(deps, active);
  const isForPeople = cause instanceof Error && FOR_PEOPLE.has(cause.name);
  const sentence = isForPeople ? cause.message : INTERNAL;
  if (!isForPeople) log.error("a run failed", { run: id, error: cause });
  const isFirst = await store.fail(scope, id, sentence, clock.now(), token);
  if (isFirst) active.tell({ status: "failed", stage: "ended", error: sentence });
  else await tellStored(deps, active);
}

/** How it ended elsewhere; while another process works on it, nothing more is told from here. */
async function tellStored({ jobs }: WorkDeps, { scope, id, tell }: ActiveRun): Promise<void> {
  const stored = await jobs.progress(scope, id);
  if (stored?.stage === "ended") tell(stored);
}

/** Brings what is missing of warm-up and window into the store. */
async function download(deps: WorkDeps, active: ActiveRun): Promise<void> {
  const { candles: store, cache, clock } = deps;
  const { scope, plan, controller } = active;
  const { market, run } = plan;
  active.tell({ status: "running", stage: "downloading" });
  const exchange = deps.market;
  const source = await cache.find(scope, market, run.timeframeMin);
  const { signal } = controller;
  const timeframeMin = source?.timeframeMin ?? (await offeredTimeframe(exchange, plan, signal));
  const request = { scope, market, range: historyRange(plan), signal };
  await downloadCandles(
    { store, market: exchange, clock },
    {
      ...request,
      timeframeMin,
      onProgress: ({ done, total }) =>
        active.tell({ stage: "downloading", share: total === 0 ? null : done / total }),
    },
  );
  if (plan.withFunding) await downloadFunding({ store, market: exchange, clock }, request);
}

/**
 * The run's own timeframe, else the largest offered one that divides it.
 * @throws InputError of the run's own when none is offered
 */
async function offeredTimeframe(
  exchange: MarketData,
  { market, run }: RunPlan,
  signal: AbortSignal,
): Promise<number> {
  const smaller = OFFERED_MIN.filter(
    (minutes) => minutes < run.timeframeMin && run.timeframeMin % minutes === 0,
  );
  let first: InputError | null = null;
  for (const minutes of [run.timeframeMin, ...smaller]) {
    try {
      await exchange.pageBars(market, minutes, signal);
      return minutes;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      first ??= error;
    }
  }
  throw first ?? new InputError(`run: timeframe_min is ${run.timeframeMin}; it is not offered`);
}

async function compute(
  deps: WorkDeps,
  active: ActiveRun,
): Promise<{ computed: Computed; details: RunDetails }> {
  active.tell({ status: "running", stage: "loading" });
  const { scope, plan, controller } = active;
  const source = await deps.cache.find(scope, plan.market, plan.run.timeframeMin);
  if (!source || source.items === 0) throw new InputError(noCandles(plan));
  const input = await computeInput(deps, active, source);
  controller.signal.throwIfAborted();
  active.tell({ stage: "computing" });
  const computed = await deps.compute.backtest(input, {
    signal: controller.signal,
    onProgress: (share) => active.tell({ stage: "computing", share }),
  });
  const { funding } = computed.digests;
  const details = {
    ...computed.details,
    series: { id: source.id, timeframe_min: source.timeframeMin },
    funding: funding === null ? null : { rates: input.funding?.length ?? 0, fingerprint: funding },
  };
  return { computed, details };
}

function noCandles({ market, run }: RunPlan): string {
  const what = `${market.symbol} ${formatTimeframe(run.timeframeMin)} of ${market.exchangeId}`;
  return `candles: none are stored for ${what}`;
}

/** Everything a thread needs for a run over the candles of a series. */
export async function computeInput(
  { cache, candles: store }: Pick<WorkDeps, "cache" | "candles">,
  { scope, id, plan }: Pick<ActiveRun, "scope" | "id" | "plan">,
  source: CandleSummary,
): Promise<ComputeInput> {
  const { config, instrument, run } = plan;
  const candles = await cache.load(scope, source, run.timeframeMin);
  const funding = plan.withFunding ? await loadFunding(store, scope, plan) : null;
  return { name: `run ${id}`, candles, funding, config, instrument, run };
}

/** The stored rates within the window. */
async function loadFunding(
  store: CandleStore,
  scope: Scope,
  { market, run }: RunPlan,
): Promise<FundingSeries> {
  const series = await store.findFunding(scope, market);
  if (series === null) throw new InputError(`funding: no rates are stored for ${market.symbol}`);
  return await store.loadFunding(scope, series, { from: run.from, to: run.to });
}
