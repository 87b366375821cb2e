// Looks at runs: the row, the packed record, and what is computed again on a thread when a page asks for
// a chart or for the reason of a decision. Called by the runs; it changes nothing.
import { InputError, ok, refuse, type Result } from "../../model/result.ts";
import { isoUtc, MINUTE_MS } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleStore, CandleSummary, SeriesId } from "../../ports/candle-store.ts";
import type { Run, RunId, RunStore } from "../../ports/run-store.ts";
import type { CandleCache } from "./candle-cache.ts";
import { checkWindow } from "./chart-build.ts";
import type { ChartWindow } from "./chart-data.ts";
import type { Compute, ComputeInput, Digests, Drift, Seen } from "./compute.ts";
import { type RunRecord, unpackRecord } from "./run-artifact.ts";
import { detailsOf, type RunDetails } from "./run-details.ts";
import { planOfStored, type RunPlan } from "./run-request.ts";
import { computeInput } from "./run-work.ts";
import type { RunGap, Runs } from "./runs.ts";
import { createWeighedCache } from "./weighed-cache.ts";

/** What looking needs. */
export type ViewDeps = {
  readonly store: Pick<RunStore, "find" | "findArtifact">;
  readonly candles: CandleStore;
  readonly cache: CandleCache;
  readonly compute: Compute;
};

/** The part of the runs that only looks; `forget` after runs were removed. */
export type RunViews = Pick<Runs, "find" | "record" | "chart" | "explain"> & {
  forget(scope: Scope, ids: readonly RunId[]): void;
};

/** Text of unpacked records that is kept. */
const RECORD_BYTES_MAX = 32 * 2 ** 20;

/** A finished run with everything to compute it again. */
type Ready = {
  readonly details: RunDetails;
  readonly input: ComputeInput;
  readonly known: Digests;
};

/** The looks over the stores and threads. */
export function createRunViews(deps: ViewDeps): RunViews {
  const { store, compute } = deps;
  const records = createWeighedCache<ReturnType<typeof unpackRecord>>(
    RECORD_BYTES_MAX,
    ({ bytes }) => bytes,
  );
  const keyOf = ({ workspaceId }: Scope, id: RunId) => `${workspaceId} ${id}`;

  return {
    find: (scope, id) => store.find(scope, id),
    async record(scope, id): Promise<RunRecord | null> {
      const key = keyOf(scope, id);
      const found = records.get(key);
      if (found) return found.record;
      const artifact = await store.findArtifact(scope, id);
      if (!artifact) return null;
      const unpacked = unpackRecord(artifact);
      records.set(key, unpacked);
      return unpacked.record;
    },
    async chart(scope, id, window) {
      checkWindow(window);
      const ready = await readyAgain(deps, scope, id);
      if (!ready.ok) return ready;
      const { details, input, known } = ready.value;
      checkWithin(window, details);
      return await shown(() => compute.chart(input, known, window));
    },
    async explain(scope, id, at) {
      const ready = await readyAgain(deps, scope, id);
      if (!ready.ok) return ready;
      const { details, input, known } = ready.value;
      const isWithin = at >= details.candles.from && at < details.candles.to;
      if (!isWithin) {
        return refuse("outside_window", "This candle lies outside the run's window.");
      }
      return await shown(() => compute.explain(input, known, at));
    },
    forget(scope, ids) {
      for (const id of ids) records.delete(keyOf(scope, id));
    },
  };
}

/** Row, candles and rates of a finished run, or why it cannot be computed again. */
async function readyAgain(deps: ViewDeps, scope: Scope, id: RunId): Promise<Result<Ready, RunGap>> {
  const run = await deps.store.find(scope, id);
  if (!run) return refuse("unknown_run", "There is no such run.");
  const known = digestsOf(run);
  const details = detailsOf(run);
  if (!known || !details) return refuse("not_finished", "This run has no result.");
  const seriesId = details.series.id as SeriesId;
  const { exchangeId, symbol, kind, timeframeMin } = run;
  const market = { exchangeId, symbol, kind };
  const source = await deps.cache.find(scope, market, timeframeMin, seriesId);
  if (!source || !covers(source, details)) {
    return refuse("candles_gone", "The candles of this run are not stored any more.");
  }
  const plan = acceptable(run);
  if (!plan) return refuse("candles_changed", CHANGES.result);
  try {
    return ok({ details, known, input: await computeInput(deps, { scope, id, plan }, source) });
  } catch (error) {
    // Candles or rates were deleted.
    if (error instanceof InputError) return refuse("candles_gone", error.message);
    throw error;
  }
}

/** The run as this version understands it; null when it does not accept it any more. */
function acceptable(run: Run): RunPlan | null {
  try {
    return planOfStored(run);
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

/** @throws InputError when nothing of the window lies within the run */
function checkWithin({ from, to }: ChartWindow, { candles }: RunDetails): void {
  if ((from ?? candles.from) < candles.to && (to ?? candles.to) > candles.from) return;
  const range = `${isoUtc(candles.from)} to ${isoUtc(candles.to)}`;
  throw new InputError(`from: the window lies outside the run, which covers ${range}`);
}

function digestsOf(run: Run): Digests | null {
  const { candlesFingerprint: candles, fillsSha256: fills } = run;
  const funding = detailsOf(run)?.funding?.fingerprint ?? null;
  return candles === null || fills === null ? null : { candles, fills, funding };
}

function covers({ firstAt, lastAt, timeframeMin }: CandleSummary, { candles }: RunDetails) {
  if (firstAt === null || lastAt === null) return false;
  return firstAt <= candles.from && lastAt + timeframeMin * MINUTE_MS >= candles.to;
}

const CHANGES: Readonly<Record<Drift, string>> = {
  candles: "The stored candles are not those this run was computed from.",
  funding: "The stored funding rates are not those this run was computed from.",
  result: "This version of Dragon computes the run differently; run it again.",
};

/** What a thread saw; history it cannot even begin with has changed as well. */
async function shown<T>(look: () => Promise<Seen<T>>): Promise<Result<T, RunGap>> {
  try {
    const seen = await look();
    return seen.ok ? ok(seen.value) : refuse("candles_changed", CHANGES[seen.drift]);
  } catch (error) {
    if (error instanceof InputError) return refuse("candles_changed", error.message);
    throw error;
  }
}
