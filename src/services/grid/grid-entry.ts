// One filter of a list as it stands in an address: `sharpe.gt=1.5`. Reads the words of an entry into a
// condition, or says in a sentence what is allowed. Pure; called by grid-address.ts.
import { InputError } from "../../model/result.ts";
import type {
  GridColumn,
  GridCondition,
  GridKind,
  GridUnit,
  NumberOperator,
  TextOperator,
} from "../../ports/grid.ts";

/** A filter as typed; `column.operator=text` in the address. */
export type GridEntry = {
  readonly column: string;
  readonly operator: string;
  readonly text: string;
};

const TEXT: readonly string[] = ["contains", "equals", "notEqual", "startsWith", "endsWith"];
const NUMBER: readonly string[] = ["equals", "notEqual", "lt", "lte", "gt", "gte"];
const BLANK: readonly string[] = ["blank", "notBlank"];

/** The operators of each kind of column. */
export const GRID_OPERATORS: Readonly<Record<GridKind, readonly string[]>> = {
  text: [...TEXT, ...BLANK],
  word: [...TEXT, "in"],
  number: [...NUMBER, "inRange", ...BLANK],
  date: [...NUMBER, "inRange", "within", ...BLANK],
  set: ["in"],
  flag: ["is"],
};

const ENTRY_CHARS_MAX = 200;
const LIST_CHARS_MAX = 4000;
const LIST_WORDS_MAX = 100;
const DAYS_MAX = 3650;
const DAY_MS = 86_400_000;
const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);

/**
 * Reads one entry of a column.
 * @param now for `within`, epoch milliseconds
 * @throws InputError saying what is allowed instead
 */
export function readEntry(
  column: GridColumn,
  { operator, text }: GridEntry,
  now: number,
): GridCondition {
  const operators = GRID_OPERATORS[column.kind];
  if (!operators.includes(operator)) {
    throw refusal(`${operator} does not fit this column; it knows ${operators.join(", ")}`);
  }
  const most = operator === "in" ? LIST_CHARS_MAX : ENTRY_CHARS_MAX;
  if (text.length > most) {
    throw refusal(`${text.length} characters are too many; ${most} are allowed`);
  }
  if (/\p{Cc}/u.test(text)) throw refusal("there is a control character in it; text is allowed");
  if (BLANK.includes(operator)) {
    if (text !== "1") throw refusal(`it is "${text}"; 1 is allowed`);
    return { kind: "blank", isBlank: operator === "blank" };
  }
  switch (column.kind) {
    case "text":
    case "word":
      return operator === "in" ? words(text) : textual(operator, text);
    case "set":
      return members(column.vocabulary ?? [], text);
    case "flag":
      if (text !== "yes" && text !== "no") throw refusal(`it is "${text}"; yes or no is allowed`);
      return { kind: "flag", isSet: text === "yes" };
    case "number":
      return operator === "inRange" ? numbers(column, text) : numeric(column, operator, text);
    case "date":
      return operator === "within" ? within(text, now) : dated(operator, text);
  }
}

/** What was typed is repeated, but not at any length. */
function refusal(sentence: string): InputError {
  return new InputError(sentence.length <= 400 ? sentence : `${sentence.slice(0, 397)}...`);
}

function textual(operator: string, text: string): GridCondition {
  return { kind: "text", operator: operator as TextOperator, text };
}

function words(text: string): GridCondition {
  const list = text.split("|");
  if (list.length > LIST_WORDS_MAX) {
    throw refusal(`${list.length} values are too many; ${LIST_WORDS_MAX} are allowed`);
  }
  return { kind: "in", words: list };
}

function members(vocabulary: readonly string[], text: string): GridCondition {
  const list = text.split("|").map((word) => word.toLowerCase());
  const stranger = list.find((word) => !vocabulary.includes(word));
  if (stranger === undefined) return { kind: "in", words: list };
  throw refusal(`it is "${stranger}"; ${vocabulary.join(", ")} are allowed, several joined by |`);
}

const NUMBER_TEXT = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;

function stored(value: number, unit: GridUnit | undefined): number {
  switch (unit) {
    case "percent":
      return value / 100;
    case "hours":
      return value * 3600;
    case "days":
      return value * 86_400;
    case undefined:
      return value;
  }
}

function numberOf({ unit }: GridColumn, text: string): number | null {
  if (!NUMBER_TEXT.test(text.trim())) return null;
  const value = stored(Number(text), unit);
  return Number.isFinite(value) ? value : null;
}

function numeric(column: GridColumn, operator: string, text: string): GridCondition {
  const value = numberOf(column, text);
  if (value === null) throw refusal(`it is "${text}"; a number such as 1.5 is allowed`);
  return { kind: "number", operator: operator as NumberOperator, value };
}

function numbers(column: GridColumn, text: string): GridCondition {
  const [from = "", to = "", ...more] = text.split("..");
  const ends = [numberOf(column, from), numberOf(column, to)] as const;
  if (ends[0] === null || ends[1] === null || more.length > 0) {
    throw refusal(`it is "${text}"; two numbers such as 1..2.5 are allowed`);
  }
  return { kind: "between", from: ends[0], to: ends[1] };
}

function within(text: string, now: number): GridCondition {
  const days = /^(\d{1,4})d$/.exec(text)?.[1];
  if (days === undefined || Number(days) < 1 || Number(days) > DAYS_MAX) {
    throw refusal(`it is "${text}"; 1d to ${DAYS_MAX}d are allowed`);
  }
  return { kind: "span", from: now - Number(days) * DAY_MS, before: null, isOutside: false };
}

type Stretch = { readonly from: number; readonly before: number };

/** A UTC day, or the millisecond of an instant. */
function stretchOf(text: string): Stretch | null {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const isInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z$/.test(text);
  if (!isDay && !isInstant) return null;
  const from = Date.parse(text);
  if (!(from >= EARLIEST && from < LATEST)) return null;
  // A day that no month has must not become the next month's first.
  if (new Date(from).toISOString().slice(0, 10) !== text.slice(0, 10)) return null;
  return { from, before: from + (isDay ? DAY_MS : 1) };
}

function dated(operator: string, text: string): GridCondition {
  const [first = "", last, ...more] = operator === "inRange" ? text.split("..") : [text];
  const begin = stretchOf(first);
  const end = last === undefined ? begin : stretchOf(last);
  if (!begin || !end || more.length > 0 || (operator === "inRange" && last === undefined)) {
    const example = operator === "inRange" ? "2024-01-01..2024-01-31" : "2024-01-31";
    throw refusal(`it is "${text}"; UTC days from 2000 to 2099 such as ${example} are allowed`);
  }
  return { kind: "span", ...spanOf(operator, begin, end) };
}

function spanOf(operator: string, begin: Stretch, end: Stretch) {
  const open = { from: null, before: null, isOutside: false };
  switch (operator) {
    case "lt":
      return { ...open, before: begin.from };
    case "lte":
      return { ...open, before: begin.before };
    case "gt":
      return { ...open, from: begin.before };
    case "gte":
      return { ...open, from: begin.from };
    default:
      return { from: begin.from, before: end.before, isOutside: operator === "notEqual" };
  }
}
