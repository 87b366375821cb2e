// Sentences of the parsers and of the runs service at the fields they are about. Pure; used by the backtest form.
import { type FieldSpec, fieldsOf } from "../../../views/components/backtest-field-kinds.ts";
import { RUN_CARDS } from "../../../views/components/backtest-run-fields.ts";
import { STRATEGY_CARDS } from "../../../views/components/backtest-strategy-fields.ts";
import { decimal, multiply } from "../../model/decimal.ts";
import { InputError } from "../../model/result.ts";
import { PERCENT_KEYS } from "./backtest-values.ts";

/** One sentence per field that is wrong; the empty name stands for the whole form. */
export type Problems = Readonly<Record<string, string>>;

/** Stands for the field of the window that is in use. */
export const RANGE = "range";

const SPECS: ReadonlyMap<string, FieldSpec> = new Map(
  fieldsOf([...STRATEGY_CARDS, ...RUN_CARDS]).map((spec) => [spec.name, spec]),
);

/** The field of a name. */
export function specOf(name: string): FieldSpec | undefined {
  return SPECS.get(name);
}

/** The label of a field, its name where it has none. */
export function labelOf(name: string): string {
  return SPECS.get(name)?.label ?? name;
}

/** A sentence with a capital and a full stop. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
}

/** Paths of parameters replaced by what the form calls them. */
export function withLabels(text: string): string {
  return text.replace(
    /\b[a-z]+(\.[a-z_]+)+\b/g,
    (path) => SPECS.get(`config.${path}`)?.label ?? path,
  );
}

/** Numbers of a sentence about a ratio, as the percents of the field. */
function inPercent(text: string): string {
  return text.replace(/-?\d+(\.\d+)?/g, (number) => multiply(decimal(number), decimal(100)));
}

/** Sentences of the runs service that name no path of a document, and the field they are about. */
const ELSEWHERE: readonly (readonly [start: RegExp, field: string])[] = [
  [/^run: (the window|from|to)\b/, RANGE],
  [/^(candles|symbol): /, "series"],
  [/^funding: /, "funding"],
  [/^name: /, "name"],
];

/**
 * The field and the sentence of `config: exits.sl_pct is -1; it must be …`; the field is empty where the
 * sentence is about none of the form.
 */
export function fieldSentence(message: string): readonly [field: string, sentence: string] {
  const elsewhere = ELSEWHERE.find(([start]) => start.test(message));
  if (elsewhere) return [elsewhere[1], sentence(message.replace(/^\w+: /, ""))];
  const short = /^config: general\.allow_short .*?(because .+)$/s.exec(message);
  if (short) return ["direction", sentence(`Direction must be long only, ${short[1]}`)];
  const match = /^(config|run|instrument): ([a-z_.]+):? (.+)$/s.exec(message);
  const [, document = "", path = "", rest = ""] = match ?? [];
  const name = `${document}.${path}`;
  if (!SPECS.has(name)) return ["", sentence(message)];
  const isPercent = document === "run" && PERCENT_KEYS.includes(path) && /^is [-\d]/.test(rest);
  const said = (isPercent ? inPercent(rest) : rest).replace(/^is (""|missing);/, "is empty;");
  return [name, sentence(`${labelOf(name)} ${withLabels(said)}`)];
}

/** Runs a parser; the sentence of its refusal, or undefined. @throws whatever is no refusal */
export function refusalOf(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

/** Sentences of the runs service at their fields; those about no field are joined. */
export function problemsOf(sentences: readonly string[]): Problems {
  const found: Record<string, string> = {};
  for (const each of sentences) {
    const [field, text] = fieldSentence(each);
    found[field] = found[field] === undefined || field !== "" ? text : `${found[field]} ${text}`;
  }
  return found;
}
