// The inputs of the backtest form between visits: what was typed last, and the rules somebody typed for a market.
// Used by the routes of the backtest page; what is kept may be of an older version and is read with care.
import type { Scope } from "../../ports/access-store.ts";
import type { InstrumentRecord } from "../../ports/instrument-store.ts";
import type { Market } from "../../ports/market-data.ts";
import type { BacktestDesk } from "../../services/research/backtest-desk.ts";
import type { Markets } from "../../services/research/markets.ts";
import { marketKey } from "../forms/backtest-form.ts";
import {
  DEFAULT_VALUES,
  FIELD_NAMES,
  type FormValues,
  keptValues,
  RULE_KEYS,
  valuesOfRules,
} from "../forms/backtest-values.ts";

/** Markets whose typed rules are kept. */
const TYPED_MAX = 50;

/** Rules by market, as typed. */
type TypedRules = Readonly<Record<string, FormValues>>;

/** What is remembered of a user. */
export type Kept = { readonly values: FormValues | null; readonly typed: TypedRules };

const RULE_NAMES = RULE_KEYS.map((key) => `instrument.${key}`);

/** What was kept; empty when nothing was. */
export async function readKept(desk: BacktestDesk, scope: Scope): Promise<Kept> {
  const kept = await desk.inputs(scope);
  if (typeof kept !== "object" || kept === null || Array.isArray(kept)) {
    return { values: null, typed: {} };
  }
  const { values, typed } = kept as Record<string, unknown>;
  const all = typeof typed === "object" && typed !== null ? Object.entries(typed) : [];
  const rules = all.slice(-TYPED_MAX).map(([key, texts]) => [key, rulesOf(keptValues(texts))]);
  return { values: keptValues(values), typed: Object.fromEntries(rules) };
}

/** Whose rules the form holds, and whether somebody typed them. */
export type RulesOf = { readonly market: string; readonly isTyped: boolean };

/** Keeps the inputs; with `rules`, typed ones are kept for their market and published ones replace them. */
export async function keep(
  desk: BacktestDesk,
  scope: Scope,
  { values: before, typed }: Kept,
  values: FormValues,
  rules: RulesOf | null = null,
): Promise<void> {
  const isSame = before !== null && FIELD_NAMES.every((name) => before[name] === values[name]);
  if (isSame && rules === null) return;
  const all = rules === null ? typed : withTyped(typed, rules, values);
  await desk.keepInputs(scope, { values: { ...values }, typed: { ...all } });
}

function withTyped(typed: TypedRules, { market, isTyped }: RulesOf, values: FormValues) {
  const others = Object.entries(typed).filter(([key]) => key !== market);
  const own = isTyped ? [[market, rulesOf(values)] as const] : [];
  return Object.fromEntries([...others, ...own].slice(-TYPED_MAX));
}

/** The rules among the fields. */
function rulesOf(values: FormValues | null): FormValues {
  const from = values ?? DEFAULT_VALUES;
  return Object.fromEntries(RULE_NAMES.map((name) => [name, from[name] ?? ""]));
}

/** The rules of an instrument as fields. */
export function rulesOfRecord(record: InstrumentRecord): FormValues {
  return valuesOfRules({
    price_tick: record.priceTick,
    qty_step: record.qtyStep,
    min_qty: record.minQty,
    min_notional: record.minNotional,
    contract_size: record.contractSize,
  });
}

/** The form with the rules of a market, and where they come from. */
export type WithRules = {
  readonly values: FormValues;
  readonly source: "stored" | "typed" | "none";
  readonly fetchedAt: number | null;
};

/**
 * Rules for the chosen market: those on the form when they are its own, else what was typed for it before, else what
 * is stored, else none: tick and step are never guessed.
 */
export async function withRules(
  markets: Markets,
  typed: TypedRules,
  values: FormValues,
  market: Market | null,
): Promise<WithRules> {
  if (!market) return { values, source: "none", fetchedAt: null };
  const key = marketKey(market);
  const record = await markets.known(market);
  const stored = record && rulesOfRecord(record);
  const isOwn = values["instrument.market"] === key;
  const rules = isOwn ? rulesOf(values) : (typed[key] ?? stored ?? rulesOf(null));
  const filled = { ...values, ...rules, "instrument.market": key };
  const isStored = stored !== null && RULE_NAMES.every((name) => stored[name] === rules[name]);
  if (isStored) return { values: filled, source: "stored", fetchedAt: record?.fetchedAt ?? null };
  const isTyped = rules["instrument.price_tick"] !== "" || rules["instrument.qty_step"] !== "";
  return { values: filled, source: isTyped ? "typed" : "none", fetchedAt: null };
}
