// The fields of the backtest form as texts, and the documents they stand for: both ways, pure. Knows no market,
// no stored series and no clock; backtest-form.ts judges what was typed.
import { fieldsOf, ON } from "../../../views/components/backtest-field-kinds.ts";
import { PREVIEW_PRICE, RUN_CARDS } from "../../../views/components/backtest-run-fields.ts";
import {
  STRATEGY_CARDS,
  UNSEEN_PARAMETERS,
} from "../../../views/components/backtest-strategy-fields.ts";
import { decimal, multiply } from "../../model/decimal.ts";
import { parseInstrument, parseRun } from "../../services/research/backtest-inputs.ts";
import { type Leaf, STRATEGY_LEAVES } from "./backtest-leaves.ts";

/** What is typed or chosen, by field name; a switch is `on` or empty. */
export type FormValues = Readonly<Record<string, string>>;

/** Posted texts longer than this count as empty. */
const TEXT_CHARS_MAX = 300;

const DIRECTION_LEAVES: readonly string[] = ["general.allow_long", "general.allow_short"];

/** Every field of the form that is shown, with the condition it matters under. */
export const FIELDS = fieldsOf([...STRATEGY_CARDS, ...RUN_CARDS]);

/** Fields without a card: direction, range mode, whose rules these are, and the carried parameters. */
const OTHER_NAMES = ["direction", "range.mode", "instrument.market", PREVIEW_PRICE.name];

/** Names of everything that is posted and kept. */
export const FIELD_NAMES: readonly string[] = [
  ...FIELDS.map(({ name }) => name),
  ...UNSEEN_PARAMETERS.map((path) => `config.${path}`),
  ...OTHER_NAMES,
];

/** Keys of the run document that the form shows in percent; the document holds ratios. */
export const PERCENT_KEYS: readonly string[] = [
  "maker_fee",
  "taker_fee",
  "maintenance_margin_rate",
];
const RUN_NUMBERS = ["timeframe_min", "initial_balance", "slippage_bps", "leverage"];
const RUN_WORDS = ["fill_model", "entry_fill"];
/** Keys of the instrument document but its symbol. */
export const RULE_KEYS = [
  "price_tick",
  "qty_step",
  "min_qty",
  "min_notional",
  "contract_size",
] as const;
/** Keys of the run document but its window. */
export const RUN_KEYS: readonly string[] = [
  ...RUN_NUMBERS,
  ...PERCENT_KEYS,
  ...RUN_WORDS,
  "touch_fills",
];

type Json = Readonly<Record<string, unknown>>;

/** The number of a text, or the text itself where it is none, for the schema to refuse. */
export function numberOrText(text: string): number | string {
  const trimmed = text.trim();
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(trimmed);
  return isNumber && Number.isFinite(Number(trimmed)) ? Number(trimmed) : text;
}

/** A number as a person types it: no exponent. */
export function numberText(value: number): string {
  return decimal(value);
}

/** A ratio as percent, exactly: 0.0005 → `0.05`. */
function percentText(ratio: number): string {
  return multiply(decimal(ratio), decimal(100));
}

/** Typed percent as a ratio, exactly; a text that is no number stays. */
function ratioOf(text: string): number | string {
  const value = numberOrText(text);
  if (typeof value === "string") return value;
  // The digits as typed: a detour through a double would change the last one.
  const typed = /^-?\d+(\.\d+)?$/.test(text.trim()) ? decimal(text) : decimal(value);
  return Number(multiply(typed, decimal("0.01")));
}

/** What a field of a parameter says in the document. */
export function leafValue(leaf: Leaf, values: FormValues): number | string | boolean {
  const direction = values["direction"];
  if (leaf.path === "general.allow_long") return direction === "long" || direction === "both";
  if (leaf.path === "general.allow_short") return direction === "short" || direction === "both";
  const text = values[`config.${leaf.path}`] ?? "";
  if (leaf.type === "boolean") return text === ON;
  return leaf.type === "string" ? text : numberOrText(text);
}

/** A document with one leaf. */
export function documentOf(path: string, value: unknown): Record<string, unknown> {
  const keys = path.split(".");
  const wrap = (inner: unknown, key: string) => ({ [key]: inner });
  return keys.reduceRight<unknown>(wrap, value) as Record<string, unknown>;
}

/** The strategy document: what differs from the defaults. */
export function configDocument(values: FormValues): Record<string, unknown> {
  const document: Record<string, unknown> = {};
  for (const leaf of STRATEGY_LEAVES) {
    const value = leafValue(leaf, values);
    if (value !== leaf.initial) setLeaf(document, leaf.path, value);
  }
  return document;
}

/** Sets a leaf, making the groups on the way. */
export function setLeaf(document: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let group = document;
  for (const key of keys) {
    const inner = group[key];
    if (isRecord(inner)) group = inner as Record<string, unknown>;
    else {
      const made: Record<string, unknown> = {};
      group[key] = made;
      group = made;
    }
  }
  group[last] = value;
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One key of the run document. */
export function runValue(key: string, values: FormValues): number | string | boolean {
  const text = values[`run.${key}`] ?? "";
  if (key === "touch_fills") return text === ON;
  if (RUN_WORDS.includes(key)) return text;
  return PERCENT_KEYS.includes(key) ? ratioOf(text) : numberOrText(text);
}

/** The run document without its window. */
export function runDocument(values: FormValues): Record<string, unknown> {
  return Object.fromEntries(RUN_KEYS.map((key) => [key, runValue(key, values)]));
}

/** The instrument document. */
export function instrumentDocument(values: FormValues, symbol: string): Record<string, unknown> {
  const rules = RULE_KEYS.map((key) => [key, numberOrText(values[`instrument.${key}`] ?? "")]);
  return { symbol, ...Object.fromEntries(rules) };
}

function leafText(leaf: Leaf, value: unknown): string {
  if (typeof value === "boolean") return value ? ON : "";
  if (typeof value === "number") return numberText(value);
  return typeof value === "string" ? value : leafText(leaf, leaf.initial);
}

/** What a document says at a path; undefined where it says nothing. */
export function leafAt(document: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), document);
}

/** Texts of a strategy document; what it leaves out has its default. */
export function valuesOfConfig(document: unknown): FormValues {
  const known = (path: string, initial: unknown) => leafAt(document, path) ?? initial;
  const texts = STRATEGY_LEAVES.filter(({ path }) => !DIRECTION_LEAVES.includes(path)).map(
    (leaf) => [`config.${leaf.path}`, leafText(leaf, known(leaf.path, leaf.initial))] as const,
  );
  const isLong = known("general.allow_long", true) === true;
  const isShort = known("general.allow_short", false) === true;
  const direction = isLong && isShort ? "both" : isShort ? "short" : "long";
  return { ...Object.fromEntries(texts), direction };
}

/** Texts of a run document, its window aside; what it leaves out has its default. */
export function valuesOfRun(document: unknown): FormValues {
  const texts = RUN_KEYS.map((key) => {
    const value = leafAt(document, key) ?? RUN_DEFAULTS[key];
    if (typeof value === "number") {
      const text = PERCENT_KEYS.includes(key) ? percentText(value) : numberText(value);
      return [`run.${key}`, text] as const;
    }
    return [`run.${key}`, value === true ? ON : typeof value === "string" ? value : ""] as const;
  });
  return Object.fromEntries(texts);
}

/** Texts of trading rules in the names of their document. */
export function valuesOfRules(document: unknown): FormValues {
  return Object.fromEntries(
    RULE_KEYS.map((key) => {
      const value = leafAt(document, key);
      return [`instrument.${key}`, typeof value === "number" ? numberText(value) : ""];
    }),
  );
}

function runDefaults(): Json {
  const run = parseRun({ timeframe_min: 60, from: 0, to: 1 });
  return {
    timeframe_min: run.timeframeMin,
    initial_balance: run.initialBalance,
    slippage_bps: run.slippageBps,
    leverage: run.leverage,
    maker_fee: run.makerFee,
    taker_fee: run.takerFee,
    maintenance_margin_rate: run.maintenanceMarginRate,
    fill_model: run.fillModel,
    entry_fill: run.entryFill,
    touch_fills: run.touchFills,
  };
}

/** What the run document takes where a key is missing. */
const RUN_DEFAULTS = runDefaults();

function ruleDefaults(): FormValues {
  const { minQty, minNotional, contractSize } = parseInstrument({ price_tick: 1, qty_step: 1 });
  return valuesOfRules({
    min_qty: minQty,
    min_notional: minNotional,
    contract_size: contractSize,
  });
}

/** The form before anybody typed; tick and step are never guessed. */
export const DEFAULT_VALUES: FormValues = {
  ...Object.fromEntries(FIELD_NAMES.map((name) => [name, ""])),
  ...valuesOfConfig({}),
  ...valuesOfRun({}),
  ...ruleDefaults(),
  "market.kind": "perps",
  "range.mode": "duration",
  "range.duration": "1m",
  "range.bars": "500",
};

/** The texts of a posted form; unknown names are left out, missing ones are empty. */
export function postedValues(posted: Readonly<Record<string, unknown>>): FormValues {
  const texts = FIELD_NAMES.map((name) => {
    const text = posted[name];
    const isFine = typeof text === "string" && text.length <= TEXT_CHARS_MAX;
    return [name, isFine ? text.replaceAll("\0", "") : ""] as const;
  });
  return Object.fromEntries(texts);
}

/** Inputs as they were kept; a field that is new since has its default. */
export function keptValues(kept: unknown): FormValues | null {
  if (!isRecord(kept)) return null;
  const texts = FIELD_NAMES.flatMap((name) => {
    const text = kept[name];
    return typeof text === "string" && text.length <= TEXT_CHARS_MAX ? [[name, text]] : [];
  });
  return { ...DEFAULT_VALUES, ...Object.fromEntries(texts) };
}
