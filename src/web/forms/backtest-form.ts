// Judges the backtest form: every sentence at its field, and the documents of a run when there is none. Pure;
// called by the page when a run is asked for and by the preview while somebody types.
import { isShown, ON } from "../../../views/components/backtest-field-kinds.ts";
import type { RunSettings } from "../../engine/run-settings.ts";
import type { Instrument } from "../../model/instrument.ts";
import type { CandleSummary, TimeRange } from "../../ports/candle-store.ts";
import type { Market } from "../../ports/market-data.ts";
import { parseInstrument, parseRun } from "../../services/research/backtest-inputs.ts";
import type { RunRequest } from "../../services/research/runs.ts";
import {
  checkIntervals,
  type DcaAtrConfig,
  dcaAtrSchema,
  intervalsOf,
  parseConfig,
} from "../../strategy/dca-atr/config.ts";
import { schemaSentence } from "../../strategy/schema-sentence.ts";
import { STRATEGY_LEAVES } from "./backtest-leaves.ts";
import { fieldSentence, type Problems, refusalOf, specOf } from "./backtest-sentences.ts";
import {
  configDocument,
  documentOf,
  type FormValues,
  instrumentDocument,
  leafValue,
  RULE_KEYS,
  RUN_KEYS,
  runDocument,
  runValue,
  setLeaf,
  leafAt,
} from "./backtest-values.ts";
import {
  type FormFacts,
  type Note,
  readMarket,
  readSource,
  readWindow,
  storedOf,
} from "./backtest-window.ts";

/** What could be read; a part with a problem is null. */
export type FormReading = {
  readonly problems: Problems;
  readonly market: Market | null;
  /** Stored history the run would read; null when it is to be fetched. */
  readonly source: CandleSummary | null;
  readonly timeframeMin: number | null;
  readonly window: TimeRange | null;
  readonly config: DcaAtrConfig | null;
  readonly instrument: Instrument | null;
  /** Account and execution, whatever the window. */
  readonly account: RunSettings | null;
  /** Everything, when nothing is wrong. */
  readonly request: RunRequest | null;
};

const NAME_CHARS_MAX = 200;
/** Stands in for a window while only the rest is judged. */
const ANY_WINDOW = { from: 0, to: 1 };

/** The market's own mark: whose rules the instrument fields hold. */
export function marketKey({ exchangeId, symbol, kind }: Market): string {
  return `${exchangeId} ${symbol} ${kind}`;
}

/** Reads the whole form. */
export function readBacktestForm(values: FormValues, facts: FormFacts): FormReading {
  const problems: Record<string, string> = {};
  const note: Note = (field, text) => {
    problems[field] ??= text;
  };
  const tell = (message: string | undefined) => {
    if (message !== undefined) note(...fieldSentence(message));
  };
  const market = readMarket(values, facts, note);
  const account = readAccount(values, tell, note);
  const timeframeMin = problems["run.timeframe_min"] === undefined ? timeframeOf(values) : null;
  const source =
    market && timeframeMin !== null
      ? readSource(values, storedOf(facts, market), timeframeMin, note)
      : null;
  const window =
    timeframeMin === null ? null : readWindow(values, facts, source, timeframeMin, note);
  const config = readConfig(values, timeframeMin, tell);
  const instrument = readInstrument(values, market, tell, note);
  const name = (values["name"] ?? "").trim();
  if ([...name].length > NAME_CHARS_MAX) {
    note("name", `Name has ${[...name].length} characters; it may have 200 at most.`);
  }
  const read = { market, source, timeframeMin, window, config: config?.parsed ?? null };
  const isFine = Object.keys(problems).length === 0;
  const request =
    isFine && market && window && config
      ? requestOf(values, { market, window, config: config.document, name })
      : null;
  return { ...read, problems, instrument, account, request };
}

type Parts = {
  readonly market: Market;
  readonly window: TimeRange;
  readonly config: unknown;
  readonly name: string;
};

function requestOf(values: FormValues, { market, window, config, name }: Parts): RunRequest {
  return {
    name: name === "" ? null : name,
    market,
    config,
    instrument: instrumentDocument(values, market.symbol),
    run: { ...runDocument(values), from: window.from, to: window.to },
    withFunding: values["funding"] === ON,
    fetchMissing: values["fetch"] === ON,
  };
}

function timeframeOf(values: FormValues): number | null {
  const minutes = runValue("timeframe_min", values);
  return typeof minutes === "number" ? minutes : null;
}

type Tell = (message: string | undefined) => void;

/** Run settings without a window. */
function readAccount(values: FormValues, tell: Tell, note: Note): RunSettings | null {
  const alone = { timeframe_min: 60, ...ANY_WINDOW };
  const refusals = RUN_KEYS.map((key) =>
    refusalOf(() => parseRun({ ...alone, [key]: runValue(key, values) })),
  );
  for (const refusal of refusals) tell(refusal);
  if (refusals.some((refusal) => refusal !== undefined)) return null;
  const document = { ...runDocument(values), ...ANY_WINDOW };
  if (refusalOf(() => parseRun(document)) === undefined) return parseRun(document);
  // What is left is the one rule about two fields (rule E52).
  note(
    "run.maintenance_margin_rate",
    `Maintenance margin is ${values["run.maintenance_margin_rate"]}; times the leverage ` +
      `(${values["run.leverage"]}) it must be below 100.`,
  );
  return null;
}

/** Every leaf alone, then the rules between leaves. Fields that do not matter are never a problem. */
function readConfig(
  values: FormValues,
  timeframeMin: number | null,
  tell: Tell,
): { readonly document: unknown; readonly parsed: DcaAtrConfig } | null {
  const document = configDocument(values);
  let isFine = true;
  const say = (message: string | undefined) => {
    if (message !== undefined) isFine = false;
    tell(message);
  };
  for (const leaf of STRATEGY_LEAVES) {
    const own = documentOf(leaf.path, leafValue(leaf, values));
    const parsed = dcaAtrSchema.safeParse(own);
    if (parsed.success) continue;
    if (isIdle(leaf.path, values)) setLeaf(document, leaf.path, leaf.initial);
    else say(schemaSentence(dcaAtrSchema, parsed.error, own, "config"));
  }
  if (!isFine) return null;
  for (const group of ["macd", "rsi"]) {
    say(refusalOf(() => parseConfig({ [group]: document[group] ?? {} })));
  }
  if (timeframeMin !== null) checkEach(document, values, timeframeMin, say);
  const whole = refusalOf(() => parseConfig(document));
  if (isFine) say(whole);
  return isFine ? { document, parsed: parseConfig(document) } : null;
}

/** Whether the field of a parameter is on the form and does not matter now. */
function isIdle(path: string, values: FormValues): boolean {
  const spec = specOf(`config.${path}`);
  return spec !== undefined && !isShown(spec.when, values);
}

/** Each interval against the timeframe; one that does not matter is made to fit. */
function checkEach(
  document: Record<string, unknown>,
  values: FormValues,
  timeframeMin: number,
  say: Tell,
): void {
  const paths = intervalsOf(parseConfig({})).map(([path]) => path);
  for (const { path, initial } of STRATEGY_LEAVES.filter((leaf) => paths.includes(leaf.path))) {
    const alone: Record<string, unknown> = {};
    for (const other of paths) setLeaf(alone, other, timeframeMin);
    setLeaf(alone, path, leafAt(document, path) ?? initial);
    const refusal = refusalOf(() => checkIntervals(parseConfig(alone), timeframeMin));
    if (refusal === undefined) continue;
    if (isIdle(path, values)) setLeaf(document, path, timeframeMin);
    else say(refusal);
  }
}

function readInstrument(
  values: FormValues,
  market: Market | null,
  tell: Tell,
  note: Note,
): Instrument | null {
  const document = instrumentDocument(values, market?.symbol ?? "");
  const fine = { price_tick: 1, qty_step: 1 };
  const refusals = RULE_KEYS.map((key) =>
    refusalOf(() => parseInstrument({ ...fine, [key]: document[key] })),
  );
  for (const refusal of refusals) tell(refusal);
  if (refusals.some((refusal) => refusal !== undefined)) return null;
  const whose = values["instrument.market"] ?? "";
  if (market && whose !== "" && whose !== marketKey(market)) {
    note("instrument.price_tick", `These are the rules of ${whose}; check them for this market.`);
    return null;
  }
  return parseInstrument(document);
}
