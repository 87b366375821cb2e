// From what a person asks for to a run that can be stored and computed: every document parsed and checked
// against the others, all sentences collected. Called by the runs; it reads stores and changes nothing.
import { createHash } from "node:crypto";
import { z } from "zod";
import { wantedFrom } from "../../engine/prepare.ts";
import type { RunSettings } from "../../engine/run-settings.ts";
import { firstAtOrAfter } from "../../model/candle.ts";
import type { Instrument } from "../../model/instrument.ts";
import { InputError } from "../../model/result.ts";
import { formatTimeframe, isoUtc, MINUTE_MS } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleStore, CandleSummary, TimeRange } from "../../ports/candle-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { InstrumentStore } from "../../ports/instrument-store.ts";
import type { Market } from "../../ports/market-data.ts";
import type { NewRun, Run, RunDirection } from "../../ports/run-store.ts";
import type { Json } from "../../ports/settings-store.ts";
import {
  checkIntervals,
  type DcaAtrConfig,
  dcaAtrSchema,
  parseConfig,
} from "../../strategy/dca-atr/config.ts";
import { DCA_ATR } from "../../strategy/dca-atr/dca-atr.ts";
import { schemaSentence } from "../../strategy/schema-sentence.ts";
import {
  type InstrumentDocument,
  parseInstrument,
  parseRun,
  type RunDocument,
} from "./backtest-inputs.ts";
import { ENGINE } from "./backtest-result.ts";
import type { CandleCache } from "./candle-cache.ts";
import type { RunRequest } from "./runs.ts";
import { seriesIn } from "./shared-candles.ts";

/** What checking needs to look at. */
export type CheckDeps = {
  readonly cache: CandleCache;
  readonly candles: Pick<CandleStore, "findFunding">;
  readonly instruments: Pick<InstrumentStore, "find">;
  readonly clock: Clock;
};

/** The parts of a request as domain values. */
export type RunPlan = {
  readonly market: Market;
  readonly config: DcaAtrConfig;
  readonly instrument: Instrument;
  readonly run: RunSettings;
  readonly withFunding: boolean;
  readonly fetchMissing: boolean;
};

/** A request that may be stored, or what is wrong with it. */
export type Checked =
  | { readonly ok: true; readonly plan: RunPlan; readonly row: NewRun }
  | { readonly ok: false; readonly sentences: readonly string[] };

const NAME_CHARACTERS_MAX = 200;
/** More sentences than this help nobody. */
const SENTENCES_MAX = 20;

/** Collects the sentence of every check that refuses. */
function createFindings() {
  const sentences: string[] = [];
  return {
    sentences,
    attempt<T>(check: () => T): T | null {
      try {
        return check();
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        sentences.push(error.message);
        return null;
      }
    },
    refuseIf(failed: boolean, sentence: string): void {
      if (failed) sentences.push(sentence);
    },
  };
}
type Findings = ReturnType<typeof createFindings>;

/** Null, or 1 to 200 characters. @throws InputError */
export function checkName(name: string | null): void {
  if (name === null || (name.trim() !== "" && name.length <= NAME_CHARACTERS_MAX)) return;
  throw new InputError(
    `name: ${name.length} characters; it must have 1 to ${NAME_CHARACTERS_MAX}, not only spaces`,
  );
}

/**
 * Checks a request completely.
 * @throws what the stores throw; whatever is wrong with the request is a sentence
 */
export async function checkRequest(
  deps: CheckDeps,
  scope: Scope,
  request: RunRequest,
): Promise<Checked> {
  const found = createFindings();
  found.attempt(() => checkName(request.name));
  const plan = planOf(request, found);
  if (plan) checkTogether(plan, found);
  const linear = await checkContract(deps, request.market);
  if (linear !== null) found.sentences.push(linear);
  if (!plan || found.sentences.length > 0) return refusal(found);
  const source = await deps.cache.find(scope, plan.market, plan.run.timeframeMin);
  const sentences = plan.fetchMissing
    ? [checkStart(plan, deps.clock)]
    : [await checkCoverage(deps, scope, plan, source), await checkFunding(deps, scope, plan)];
  found.sentences.push(...sentences.filter((sentence) => sentence !== null));
  if (found.sentences.length > 0) return refusal(found);
  return { ok: true, plan, row: rowOf(plan, request.name, source) };
}

function refusal({ sentences }: Findings): Checked {
  return { ok: false, sentences: sentences.slice(0, SENTENCES_MAX) };
}

/** The documents as domain values; null when one of them is refused. */
function planOf(request: RunRequest, found: Findings): RunPlan | null {
  const { market, withFunding, fetchMissing } = request;
  const config = found.attempt(() => parseConfig(request.config));
  if (!config) found.sentences.push(...moreOfConfig(request.config));
  const run = found.attempt(() => parseRun(request.run));
  const parsed = found.attempt(() => parseInstrument(request.instrument));
  if (!config || !run || !parsed) return null;
  const instrument = { ...parsed, symbol: parsed.symbol || market.symbol };
  return { market, config, instrument, run, withFunding, fetchMissing };
}

/** Everything wrong with a configuration but the first, which parsing has named. */
function moreOfConfig(raw: unknown): string[] {
  if (typeof raw !== "object" || raw === null) return [];
  const own = Object.fromEntries(Object.entries(raw).filter(([key]) => !key.startsWith("_")));
  const issues = dcaAtrSchema.safeParse(own).error?.issues ?? [];
  return issues
    .slice(1)
    .map((issue) => schemaSentence(dcaAtrSchema, new z.ZodError([issue]), own, "config"));
}

/** What the documents and the market demand of each other. */
function checkTogether({ market, config, run, withFunding }: RunPlan, found: Findings): void {
  found.attempt(() => checkIntervals(config, run.timeframeMin));
  if (market.kind !== "spot") return;
  const spot = `${market.symbol} is a spot market`;
  found.refuseIf(
    config.general.allow_short,
    `config: general.allow_short is true; it must be false, because ${spot}`,
  );
  found.refuseIf(
    run.leverage !== 1,
    `run: leverage is ${run.leverage}; it must be 1, because ${spot}`,
  );
  found.refuseIf(withFunding, `funding: on; it must be off, because ${spot}`);
}

async function checkContract({ instruments }: CheckDeps, market: Market): Promise<string | null> {
  const { exchangeId, symbol, kind } = market;
  const known = await instruments.find(exchangeId, symbol, kind);
  if (!known || known.isLinear) return null;
  return `symbol: ${symbol} is settled in ${known.settle ?? known.base}; it must be a linear contract`;
}

async function checkFunding(
  { candles }: CheckDeps,
  scope: Scope,
  { market, withFunding }: RunPlan,
): Promise<string | null> {
  if (!withFunding || (await candles.findFunding(scope, market)) !== null) return null;
  return `funding: no rates are stored for ${market.symbol}; have them fetched or turn it off`;
}

function checkStart({ run }: RunPlan, clock: Clock): string | null {
  if (run.from >= 0 && run.from < clock.now()) return null;
  return `run: from is ${isoUtc(run.from)}; it must lie between 1970 and now to be fetched`;
}

function named({ market, run }: RunPlan): string {
  return `${market.symbol} ${formatTimeframe(run.timeframeMin)} of ${market.exchangeId}`;
}

/** A sentence when the stored candles leave the window empty. */
async function checkCoverage(
  { cache }: CheckDeps,
  scope: Scope,
  plan: RunPlan,
  source: CandleSummary | null,
): Promise<string | null> {
  const { run } = plan;
  if (!source || source.firstAt === null || source.lastAt === null) {
    return `candles: none are stored for ${named(plan)}; import them or have them fetched`;
  }
  const { firstAt, lastAt, gapCount, timeframeMin } = source;
  const isExact = gapCount === 0 && timeframeMin === run.timeframeMin;
  const overlaps = firstAt < run.to && lastAt >= run.from;
  if (overlaps && (isExact || (await holdsCandles(cache, scope, source, run)))) return null;
  const end = lastAt + timeframeMin * MINUTE_MS;
  return (
    `run: the window from ${isoUtc(run.from)} to ${isoUtc(run.to)} holds no candles of ` +
    `${named(plan)}; stored are ${isoUtc(firstAt)} to ${isoUtc(end)}`
  );
}

async function holdsCandles(
  cache: CandleCache,
  scope: Scope,
  source: CandleSummary,
  { timeframeMin, from, to }: RunSettings,
): Promise<boolean> {
  const { openAt } = seriesIn(await cache.load(scope, source, timeframeMin));
  return firstAtOrAfter(openAt, from) < firstAtOrAfter(openAt, to);
}

/** The history a run is fed: warm-up and window. */
export function historyRange({ config, run }: RunPlan): TimeRange {
  return { from: Math.max(0, wantedFrom(config, run)), to: run.to };
}

/** The run document with every default, as it is stored. */
function runDocument(run: RunSettings): RunDocument {
  return {
    timeframe_min: run.timeframeMin,
    from: run.from,
    to: run.to,
    initial_balance: run.initialBalance,
    fill_model: run.fillModel,
    entry_fill: run.entryFill,
    touch_fills: run.touchFills,
    maker_fee: run.makerFee,
    taker_fee: run.takerFee,
    slippage_bps: run.slippageBps,
    leverage: run.leverage,
    maintenance_margin_rate: run.maintenanceMarginRate,
    indicator_set: "tv",
    htf_mode: "confirmed",
  };
}

function instrumentDocument(instrument: Instrument): InstrumentDocument {
  return {
    symbol: instrument.symbol,
    price_tick: instrument.priceTick,
    qty_step: instrument.qtyStep,
    min_qty: instrument.minQty,
    min_notional: instrument.minNotional,
    contract_size: instrument.contractSize,
  };
}

function directionOf({ general }: DcaAtrConfig): RunDirection {
  if (general.allow_long && general.allow_short) return "both";
  return general.allow_long ? "long" : "short";
}

function rowOf(plan: RunPlan, name: string | null, source: CandleSummary | null): NewRun {
  const { market, config, instrument, run, withFunding, fetchMissing } = plan;
  return {
    name,
    strategyName: DCA_ATR.name,
    strategyVersion: DCA_ATR.version,
    exchangeId: market.exchangeId,
    symbol: market.symbol,
    kind: market.kind,
    timeframeMin: run.timeframeMin,
    direction: directionOf(config),
    fromAt: run.from,
    toAt: run.to,
    seriesId: source?.id ?? null,
    engineVersion: ENGINE,
    configHash: createHash("sha256").update(canonicalJson(config)).digest("hex"),
    config,
    runSettings: { ...runDocument(run), with_funding: withFunding, fetch_missing: fetchMissing },
    instrument: instrumentDocument(instrument),
  };
}

/** JSON without blanks whose keys are sorted at every depth: equal documents have equal text. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

type StoredRequest = Pick<
  Run,
  "name" | "exchangeId" | "symbol" | "kind" | "config" | "runSettings" | "instrument"
>;

/** The request that would bring a stored run again, for forms and re-runs. */
export function requestOf(stored: StoredRequest): RunRequest {
  const { name, exchangeId, symbol, kind, config, instrument } = stored;
  const settings = (stored.runSettings ?? {}) as Record<string, Json>;
  const { with_funding: withFunding, fetch_missing: fetchMissing, ...run } = settings;
  return {
    name,
    market: { exchangeId, symbol, kind },
    config,
    instrument,
    run,
    withFunding: withFunding === true,
    fetchMissing: fetchMissing === true,
  };
}

/**
 * A stored run as domain values again.
 * @throws InputError when this version of Dragon would not accept it any more
 */
export function planOfStored(stored: StoredRequest): RunPlan {
  const found = createFindings();
  const plan = planOf(requestOf(stored), found);
  if (!plan) throw new InputError(found.sentences[0] ?? "run: not valid any more");
  return plan;
}
